"""What predictions say of many passages, in columns: what was tagged, how surely, where and when."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from classify.data.predictions import NONE, SEPARATOR
from classify.measure.arrays import BoolArray, FloatArray, IntArray

MISSING = -1
"""The code of a passage without a value."""


@dataclass(frozen=True)
class TaggedTask:
    """What one task gave all passages; both arrays have shape (n_passages, n_labels)."""

    name: str
    labels: tuple[str, ...]
    is_multilabel: bool
    given: BoolArray
    probabilities: np.typing.NDArray[np.float32]

    @cached_property
    def answers(self) -> tuple[str, ...]:
        """The labels, and for a multilabel task `none`: every passage has one of these at least."""
        return (*self.labels, NONE) if self.is_multilabel else self.labels

    def has(self, answer: int) -> BoolArray:
        """Which passages have this answer, shape (n_passages,)."""
        return np.asarray(self.given[:, answer] if answer < len(self.labels) else ~self.given.any(axis=1))

    def sureness(self, answer: int) -> FloatArray:
        """How surely each passage has this answer, in [0, 1], shape (n_passages,): `none` by its likeliest label."""
        p = self.probabilities
        return np.asarray(p[:, answer] if answer < len(self.labels) else 1 - p.max(axis=1), dtype=np.float64)


@dataclass(frozen=True)
class Column:
    """A field of all passages: `values[codes[i]]` is that of passage i, code -1 says that it has none."""

    name: str
    values: tuple[str, ...]
    codes: IntArray

    @property
    def counts(self) -> IntArray:
        """How many passages have each value, shape (n_values,)."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.values))

    @property
    def n_missing(self) -> int:
        """How many passages have no value."""
        return int((self.codes == MISSING).sum())

    def ordered(self, order: Sequence[int]) -> "Column":
        """The same with its values in another order."""
        to = np.empty(len(order) + 1, dtype=np.int64)
        to[list(order)], to[-1] = np.arange(len(order)), MISSING
        return Column(self.name, tuple(self.values[code] for code in order), to[self.codes])


@dataclass(frozen=True)
class Tags:
    """Predictions of one codebook in columns; passages in the order of files and rows.

    `fields` are the source, the month and those asked for, without those that no passage has. `review` holds reasons
    joined by `|`. `errors` and `unread_dates` are counts of what was found; `columns` are the rows' own keys.
    """

    tasks: dict[str, TaggedTask]
    fields: dict[str, Column]
    review: Column
    model: Column
    files: dict[str, int]
    columns: tuple[str, ...]
    errors: Counter[str]
    unread_dates: Counter[str]
    n_repeated_ids: int
    n_repeated_texts: int
    left_out: tuple[str, ...]

    @property
    def n_passages(self) -> int:
        """How many passages carry predictions."""
        return len(self.model.codes)

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """Every reason for review that any passage has, the commonest first."""
        n: Counter[str] = Counter()
        for joined, count in zip(self.review.values, self.review.counts.tolist(), strict=True):
            n.update(dict.fromkeys(joined.split(SEPARATOR), count))
        return tuple(sorted(n, key=lambda reason: (-n[reason], reason)))

    def needs_review(self, reason: str | None = None) -> BoolArray:
        """Which passages are to be reviewed for this reason, or for any, shape (n_passages,)."""
        applies = [reason is None or reason in joined.split(SEPARATOR) for joined in self.review.values]
        return np.array([*applies, False])[self.review.codes]
