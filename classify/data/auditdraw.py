"""Draw an audit sample with known probabilities, in an order in which a coder may stop anywhere."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from classify.data.predictions import own_columns
from classify.data.samplingframe import SamplingFrame, read_frame
from classify.data.tables import Row
from classify.errors import UsageError, how_many

MIN_A_STRATUM = 15
"""Passages drawn from each stratum before they are shared out by size, so that each gets an interval of its own."""
_CODED = ("labels", "unsure", "coder")
"""What earlier coders said, by which a coder must no more be led than by machine tags."""


@dataclass(frozen=True)
class Drawn:
    """A row of the corpus that was drawn, its stratum, and the probability with which its stratum's rows were."""

    row: int
    stratum: str
    probability: float


def draw_audit(frame: SamplingFrame, n: int) -> list[Drawn]:
    """A random sample of n passages: MIN_A_STRATUM of each stratum (all of a smaller one), then in proportion.

    Passages come in the order of their permanent random numbers: the first of the same draw are a sample too, and a
    larger draw with the same seed holds the smaller one. All passages where there are no more. Raises UsageError for
    an n that is too small for the strata, ValueError for one under 1.
    """
    if n < 1:
        raise ValueError(f"a sample of {n} passages; expected at least 1")
    size, least = frame.stratum_sizes, least_draw(frame)
    if n < least:
        expected = f"{how_many(len(size), 'part')} of {MIN_A_STRATUM} passages or all there are need {least}"
        raise UsageError(f"-n {n}: {expected}; draw more, or by fewer parts")
    by_stratum = np.lexsort((frame.number, frame.stratum))
    rank = np.empty(len(by_stratum), dtype=np.int64)
    rank[by_stratum] = np.arange(len(by_stratum)) - np.repeat(np.cumsum(size) - size, size)
    # where the stratum's passage of this rank comes in the whole draw: first the least, then by size
    place = np.where(rank < MIN_A_STRATUM, (rank - MIN_A_STRATUM) / 1e9, (rank + 0.5) / size[frame.stratum])
    order = np.lexsort((frame.number, place))[:n]
    probability = np.bincount(frame.stratum[order], minlength=len(size)) / np.maximum(size, 1)
    return [
        Drawn(row, frame.strata[stratum], float(probability[stratum]))
        for row, stratum in zip(order.tolist(), frame.stratum[order].tolist(), strict=True)
    ]


def least_draw(frame: SamplingFrame) -> int:
    """The fewest passages of which each stratum, where there are several, has MIN_A_STRATUM or all its own."""
    size = frame.stratum_sizes
    return int(np.minimum(size, MIN_A_STRATUM).sum()) if len(size) > 1 else 0


def audit_rows(
    rows: Iterable[Row], n: int, *, by: str | None = None, seed: int, tasks: Sequence[str], nested: bool
) -> list[Row]:
    """The rows of an audit sheet: those drawn, with how they were drawn and room for labels, without what others said.

    `rows` are looped over twice: a list, or CorpusRows. `by` names the field that strata are made of. Labels go into
    one column a task, or into `labels` where they are `nested`. Raises UsageError as `read_frame` and `draw_audit` do.
    """
    frame = read_frame(rows, by=by, seed=seed)
    return fill_sheet(rows, frame, draw_audit(frame, n), tasks=tasks, nested=nested)


def fill_sheet(
    rows: Iterable[Row], frame: SamplingFrame, drawn: Sequence[Drawn], *, tasks: Sequence[str], nested: bool
) -> list[Row]:
    """The same of what was drawn from the frame of these rows."""
    wanted = {one.row for one in drawn}
    found = {place: row for place, row in enumerate(rows) if place in wanted}
    room: Row = {"labels": dict.fromkeys(tasks)} if nested else dict.fromkeys(tasks, "")
    shown = [name for name in own_columns(frame.columns) if name not in _CODED and name not in room]
    return [
        {
            **{name: found[one.row].get(name) for name in shown},
            **room,
            "selection": "audit",
            **({"stratum": f"{frame.by}: {one.stratum or 'not stated'}"} if frame.by else {}),
            "inclusion_probability": one.probability,
        }
        for one in drawn
    ]
