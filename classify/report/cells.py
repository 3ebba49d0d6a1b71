"""Counts to cells: each number with its rate, its shade, and the name under which the page shows its passages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from classify.data.predictions import MONTH, NONE
from classify.data.tags import Tags
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.report.corpus import ANY_REASON, Corpus, CountTable

FEW = 20
"""Passages below which a rate is shown in grey."""
MOST_ROWS, MOST_MONTHS, MOST_COLUMNS = 20, 24, 20
N_SHADES = 9
REST = -1
"""The index of all values of a field that have no row of their own."""


@dataclass(frozen=True)
class Group:
    """Passages that have something in common: an answer, a value of a field, a reason for review.

    `key` is a CSS class and part of an id on the page; `index` counts answers, values or reasons, or is REST.
    """

    key: str
    title: str
    kind: str
    axis: str
    index: int


@dataclass(frozen=True)
class Cell:
    """A number of the page: `n` passages of `total`, which belong to all of `groups`."""

    groups: tuple[Group, ...]
    n: int
    total: int
    shade: int = 0

    @property
    def key(self) -> str:
        """The id on the page under which its passages stand."""
        return "-".join(sorted(group.key for group in self.groups))

    @property
    def title(self) -> str:
        """What its passages have in common."""
        return " · ".join(group.title for group in self.groups)

    @property
    def rate(self) -> str:
        """How many of `total` in per cent; never 0% or 100% unless it is none or all."""
        if not self.total or self.n in (0, self.total):
            return "100%" if self.n else "0%"
        rounded = round(100 * self.n / self.total)
        return "<1%" if rounded == 0 else ">99%" if rounded == 100 else f"{rounded}%"

    @property
    def is_few(self) -> bool:
        """Whether the rate rests on few passages."""
        return self.total < FEW


@dataclass(frozen=True)
class Line:
    """A row of a table: its name, how many passages it has, and its cells."""

    name: str
    whole: Cell
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Grid:
    """A table as the page shows it; `n_rows_folded` were added up to its last row, `n_columns_left` are not shown."""

    key: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    n_rows_folded: int = 0
    n_columns_left: int = 0


class Groups:
    """Names every group of passages that the page counts, and says who belongs to it."""

    def __init__(self, tags: Tags) -> None:
        self.tags = tags

    def answer(self, task: str, index: int) -> Group:
        """The passages with an answer of a task."""
        number = list(self.tags.tasks).index(task)
        return Group(f"t{number}_{index}", f"{task}: {self.tags.tasks[task].answers[index]}", "answer", task, index)

    def value(self, field: str, index: int) -> Group:
        """The passages with a value of a field, or with any of those not shown."""
        column = self.tags.fields[field]
        rest = len(column.values) - self.shown(field)
        name = column.values[index] if index != REST else rest_name(field, rest)
        key = f"{self.field_key(field)}_{index if index != REST else 'rest'}"
        return Group(key, f"{field}: {name}", "value", field, index)

    def field_key(self, field: str) -> str:
        """A field's name on the page, where the user's own may not stand: it could hold anything."""
        return f"f{list(self.tags.fields).index(field)}"

    def reason(self, index: int) -> Group:
        """The passages to review for a reason; 0 is any reason."""
        return Group(f"r_{index}", f"to review: {(ANY_REASON, *self.tags.reasons)[index]}", "reason", "", index)

    def shown(self, field: str) -> int:
        """How many values of a field have a row of their own; one more is no reason to fold."""
        n, most = len(self.tags.fields[field].values), MOST_MONTHS if field == MONTH else MOST_ROWS
        return n if n <= most + 1 else most

    def member(self, group: Group) -> BoolArray:
        """Which passages belong, shape (n_passages,)."""
        if group.kind == "reason":
            return self.tags.needs_review(None if group.index == 0 else self.tags.reasons[group.index - 1])
        if group.kind == "answer":
            return self.tags.tasks[group.axis].has(group.index)
        codes = self.tags.fields[group.axis].codes
        return codes >= self.shown(group.axis) if group.index == REST else codes == group.index

    def sureness(self, group: Group) -> FloatArray:
        """How surely passages belong, shape (n_passages,)."""
        if group.kind == "answer":
            return self.tags.tasks[group.axis].sureness(group.index)
        return np.ones(self.tags.n_passages)

    def keys_of(self, rows: Sequence[int]) -> list[list[str]]:
        """The keys of all groups that each of these passages belongs to."""
        keys: list[list[str]] = [[] for _ in rows]
        for group in self._all:
            for place in np.flatnonzero(self.member(group)[list(rows)]).tolist():
                keys[place].append(group.key)
        return keys

    @cached_property
    def _all(self) -> list[Group]:
        answers = [self.answer(name, i) for name, task in self.tags.tasks.items() for i in range(len(task.answers))]
        values = [self.value(field, i) for field in self.tags.fields for i in self._indexes(field)]
        return [*answers, *values, *(self.reason(i) for i in range(len(self.tags.reasons) + 1))]

    def _indexes(self, field: str) -> list[int]:
        shown = self.shown(field)
        return [*range(shown), *([REST] if shown < len(self.tags.fields[field].values) else [])]


def rest_name(field: str, n: int) -> str:
    """What the values of a field that have no row of their own are called together."""
    return f"{n} earlier months" if field == MONTH else f"the other {n} together"


def columns_shown(table: CountTable, totals: IntArray) -> list[int]:
    """The columns of the most frequent answers, in their own order."""
    order = np.argsort(-totals, kind="stable")[:MOST_COLUMNS]
    return sorted(order.tolist())


def field_grid(corpus: Corpus, groups: Groups, field: str, task: str) -> Grid:
    """A task's answers by the values of a field, all passages in the first row."""
    table, overall = corpus.by_field[field, task], corpus.overall[task]
    columns = columns_shown(table, overall.n[:, 0])
    shown = groups.shown(field)
    answers = [groups.answer(task, column) for column in columns]
    counts = [(groups.value(field, row), table.n[row], int(table.total[row])) for row in range(shown)]
    if shown < len(table.rows):
        counts.append((groups.value(field, REST), table.n[shown:].sum(axis=0), int(table.total[shown:].sum())))
    labels = [column for column in columns if table.columns[column] != NONE]
    top = max((n[column] / total for _, n, total in counts for column in labels if total >= FEW), default=0)
    everything = Line(
        "all passages",
        Cell((), corpus.n_passages, corpus.n_passages),
        tuple(Cell((answer,), int(overall.n[answer.index, 0]), corpus.n_passages) for answer in answers),
    )
    lines = [
        Line(
            group.title.removeprefix(f"{field}: "),
            Cell((group,), total, corpus.n_passages),
            tuple(_cell((answer, group), n[answer.index], total, top) for answer in answers),
        )
        for group, n, total in counts
    ]
    names = tuple(table.columns[column] for column in columns)
    left = len(table.columns) - len(columns)
    return Grid(f"table-{task}-{groups.field_key(field)}", names, (everything, *lines), len(table.rows) - shown, left)


def answer_grid(corpus: Corpus, groups: Groups, table: CountTable) -> Grid:
    """The answers of one task by those of another, or by each other: then the diagonal is left out."""
    totals = corpus.overall[table.column_axis].n[: len(table.columns), 0]
    rows, columns = columns_shown(table, table.total), columns_shown(table, totals)
    is_itself = table.row_axis == table.column_axis
    pairs = [(row, column) for row in rows for column in columns if not (is_itself and row == column)]
    top = max((table.n[row, column] / table.total[row] for row, column in pairs if table.total[row] >= FEW), default=0)
    lines = []
    for row in rows:
        group, total = groups.answer(table.row_axis, row), int(table.total[row])
        cells = [
            _cell((group, groups.answer(table.column_axis, column)), table.n[row, column], total, top)
            if (row, column) in pairs
            else Cell((), -1, total)
            for column in columns
        ]
        lines.append(Line(table.rows[row], Cell((group,), total, corpus.n_passages), tuple(cells)))
    key = f"table-{table.row_axis}--{table.column_axis}"
    return Grid(key, tuple(table.columns[c] for c in columns), tuple(lines), 0, len(table.columns) - len(columns))


def overall_grid(corpus: Corpus, groups: Groups, task: str) -> Grid:
    """Every answer of a task: how many passages carry it, and how many of those are to be reviewed."""
    table, review = corpus.overall[task], corpus.review[task]
    lines = []
    for row, name in enumerate(table.rows):
        answer, n = groups.answer(task, row), int(table.n[row, 0])
        to_review = Cell((answer, groups.reason(0)), int(review.n[row, 0]), n)
        lines.append(Line(name, Cell((answer,), n, corpus.n_passages), (to_review,)))
    return Grid(f"table-{task}", ("to review",), tuple(lines))


def cells_of(grids: Sequence[Grid]) -> Iterator[tuple[Grid, Cell]]:
    """Every number that leads to passages, once, with the first table that holds it."""
    seen: set[str] = set()
    for grid in grids:
        for line in grid.lines:
            for cell in (line.whole, *line.cells):
                if cell.groups and cell.n > 0 and cell.key not in seen:
                    seen.add(cell.key)
                    yield grid, cell


def _cell(groups: tuple[Group, ...], n: int, total: int, top: float) -> Cell:
    shade = 0 if total < FEW or not n else min(N_SHADES, round(N_SHADES * n / total / (top or 1)))
    return Cell(groups, int(n), total, shade)
