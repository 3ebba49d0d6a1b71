"""Tags of a corpus and the name of a field to the parts of the corpus: its sources, months or other values."""

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from classify.data.predictions import YEAR
from classify.data.tags import MISSING, Column, Tags
from classify.errors import UsageError
from classify.estimate.results import WHOLE
from classify.measure.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Parts:
    """The whole corpus, and each value of a field, if one is given."""

    column: Column | None
    n_passages: int

    @property
    def names(self) -> list[str]:
        """The parts, the whole first."""
        return [WHOLE, *(self.column.values if self.column else ())]

    @cached_property
    def sizes(self) -> list[int]:
        """How many passages each part has."""
        return [self.n_passages, *(self.column.counts.tolist() if self.column else ())]

    def means(self, values: FloatArray | BoolArray) -> list[float]:
        """The mean in each part of one value a passage, shape (n_passages,)."""
        whole = float(values.mean())
        if self.column is None:
            return [whole]
        sums = np.bincount(self.column.codes - MISSING, values, len(self.column.values) + 1)[1:]
        return [whole, *(sums / self.column.counts).tolist()]

    def has(self, part: int, rows: IntArray) -> BoolArray:
        """Which of these passages a part, counted as in `names`, has; shape of `rows`."""
        if part == 0:
            return np.ones(len(rows), dtype=np.bool_)
        assert self.column is not None
        return np.asarray(self.column.codes[rows] == part - 1)


def parts_of(tags: Tags, by: str | None) -> Parts:
    """The parts by a field; raises UsageError where no passage has it, or a year that is none."""
    if by is None:
        return Parts(None, tags.n_passages)
    if by not in tags.fields:
        raise UsageError(f"--by {by}: no passage has a {by}; the rows have {', '.join(tags.columns)}")
    odd = [value for value in tags.fields[by].values if by == YEAR and not re.fullmatch(r"\d{4}", value)]
    if odd:
        raise UsageError(f"--by {by}: found {odd[0]!r}; expected four digits")
    return Parts(tags.fields[by], tags.n_passages)
