"""Held-out probabilities of one label to what deciding costs: what is given wrongly, what is missed, what to read."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from classify.measure.arrays import BoolArray, FloatArray, IntArray

TO_FIND = (0.8, 0.9)


@dataclass(frozen=True)
class Reading:
    """To find this `share` of a label's passages: `n_read` passages from the most probable down, so many right."""

    share: float
    n_read: int
    n_right: int


@dataclass(frozen=True)
class Deciding:
    """What a label's decisions cost on held-out passages, and what finding most of its passages would.

    `lowest` is the least probability at which it was given, the mean of the folds' (None if it never was).
    """

    n_given: int
    n_wrong: int
    n_missed: int
    lowest: float | None
    readings: tuple[Reading, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def cost_of_deciding(probability: FloatArray, gold: BoolArray, given: BoolArray, folds: IntArray) -> Deciding:
    """All inputs have shape (n_passages,), one label's held-out passages where it is known.

    >>> p, gold = np.array([0.9, 0.6, 0.4, 0.2]), np.array([True, False, True, False])
    >>> found = cost_of_deciding(p, gold, p > 0.5, np.zeros(4, dtype=np.int64))
    >>> (found.n_given, found.n_wrong, found.n_missed, found.lowest, found.readings[0].n_read)
    (2, 1, 1, 0.6, 3)
    """
    lowest = [probability[given & (folds == fold)].min() for fold in np.unique(folds[given])]
    order = np.argsort(-probability, kind="stable")
    right = np.cumsum(gold[order])
    readings = []
    for share in TO_FIND if gold.any() else ():
        place = int(np.searchsorted(right, np.ceil(share * right[-1] - 1e-9)))
        readings.append(Reading(share, place + 1, int(right[place])))
    return Deciding(
        n_given=int(given.sum()),
        n_wrong=int((given & ~gold).sum()),
        n_missed=int((gold & ~given).sum()),
        lowest=float(np.mean(lowest)) if lowest else None,
        readings=tuple(readings),
    )
