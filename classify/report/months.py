"""Counts by month to the points of a line: the rate of each answer over the passages of each month."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from classify.report.cells import FEW, columns_shown
from classify.report.corpus import Corpus

WIDTH, HEIGHT = 240, 60
_TOPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class Point:
    """A month of a line, in pixels from the left and from the top; `is_few` where it has few passages."""

    x: float
    y: float
    month: str
    n: int
    total: int
    is_few: bool


@dataclass(frozen=True)
class MonthLine:
    """An answer's rate by month, oldest first: runs of months that follow each other; `top` is the rate at the top."""

    answer: str
    index: int
    top: float
    runs: tuple[tuple[Point, ...], ...]


def month_lines(corpus: Corpus, task: str) -> list[MonthLine]:
    """A line for each answer that has a column on the page, all on one scale; none of fewer than two months."""
    table = corpus.by_field["month", task]
    if len(table.rows) < 2:
        return []
    order = np.argsort(table.rows)
    months, n, total = [table.rows[row] for row in order], table.n[order], table.total[order]
    shown = columns_shown(table, corpus.overall[task].n[:, 0])
    rates = n[:, shown] / total[:, None]
    trusted = total >= FEW
    highest = rates[trusted].max() if trusted.any() else rates.max()
    top = next(top for top in _TOPS if highest <= top)
    at = np.array([12 * int(month[:4]) + int(month[5:]) for month in months])
    x = (WIDTH - 8) * (at - at[0]) / (at[-1] - at[0]) + 4
    lines = []
    for column in shown:
        y = HEIGHT - (HEIGHT - 4) * np.minimum(n[:, column] / total / top, 1)
        points = [
            Point(round(float(x[i]), 1), round(float(y[i]), 1), month, int(n[i, column]), int(total[i]), not trusted[i])
            for i, month in enumerate(months)
        ]
        lines.append(MonthLine(table.columns[column], column, top, _runs(points, at.tolist())))
    return lines


def _runs(points: list[Point], at: list[int]) -> tuple[tuple[Point, ...], ...]:
    """The points cut where a month is missing."""
    cuts = [0, *(i for i in range(1, len(at)) if at[i] != at[i - 1] + 1), len(at)]
    return tuple(tuple(points[a:b]) for a, b in pairwise(cuts))
