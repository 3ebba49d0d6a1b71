"""A dataset to splits: what is learnt from, and what is held out, whole events always."""

from dataclasses import dataclass

import numpy as np

from classify.data.dataset import Dataset
from classify.data.splits import grouped_folds, n_folds_for
from classify.errors import UsageError, did_you_mean, how_many
from classify.measure.arrays import IntArray

EVENT_FOLDS = "event-folds"
LEAVE_ONE_EVENT_OUT = "leave-one-event-out"
SCHEMES = (EVENT_FOLDS, LEAVE_ONE_EVENT_OUT)


@dataclass(frozen=True)
class Split:
    """Row numbers that are learnt from, and row numbers that are held out."""

    inside: IntArray
    outside: IntArray


@dataclass(frozen=True)
class Scheme:
    """Splits, in words and as row numbers; `notes` are what a reader must know of them.

    `is_block`: one part is held out as it is, so that its labels get point values from 3 positives up.
    """

    description: str
    splits: tuple[Split, ...]
    notes: tuple[str, ...] = ()
    is_block: bool = False

    @property
    def rows(self) -> IntArray:
        """The rows that are held out at some time, in order."""
        parts = [split.outside for split in self.splits]
        return np.sort(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.int64)

    @property
    def folds(self) -> IntArray:
        """The number of the split that holds out each of `rows`."""
        numbers = np.repeat(np.arange(len(self.splits)), [len(split.outside) for split in self.splits])
        return numbers[np.argsort(np.concatenate([split.outside for split in self.splits]), kind="stable")]


def outer_folds(dataset: Dataset, *, n_folds: int, seed: int) -> IntArray:
    """A fold number for every passage, shape (n_passages,), the labels of all tasks spread evenly."""
    gold = np.hstack([dataset.gold(task).gold for task in dataset.codebook.tasks])
    return grouped_folds(gold, dataset.groups, n_folds=n_folds, seed=seed)


def splits_of(folds: IntArray) -> tuple[Split, ...]:
    """One split a fold: it is held out, the others are learnt from."""
    return tuple(Split(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in np.unique(folds))


def over_events(dataset: Dataset, *, scheme: str, seed: int) -> Scheme:
    """Cross-validation over events: in folds, or one event at a time; no splits under 4 events."""
    n_folds = n_folds_for(len(dataset.event_names))
    if not n_folds:
        return Scheme("nothing was held out", ())
    if scheme == LEAVE_ONE_EVENT_OUT:
        description = f"nested cross-validation, each of {len(dataset.event_names)} events held out in turn"
        return Scheme(description, splits_of(dataset.groups))
    folds = outer_folds(dataset, n_folds=n_folds, seed=seed)
    return Scheme(f"nested cross-validation over events, {n_folds} outer folds", splits_of(folds))


def held_out_part(dataset: Dataset, field: str, value: str) -> Scheme:
    """Hold out the passages whose `field` is `value`, and learn from the events that have no passage there.

    Raises UsageError where no passage has the field or the value, or all have it.
    """
    values = np.array(field_values(dataset, field))
    outside = np.flatnonzero(values == value)
    if not len(outside):
        there = sorted(set(values.tolist()))
        raise UsageError(f"no passage has {field} {value!r}; {did_you_mean(value, there)}")
    apart = ~np.isin(dataset.groups, dataset.groups[outside])
    inside = np.flatnonzero(apart)
    if not len(inside):
        raise UsageError(f"{field}={value}: every event has a passage there, so nothing is left to learn from")
    n_left = len(values) - len(inside) - len(outside)
    notes = []
    if n_left:
        notes.append(
            f"Not learnt from: {how_many(n_left, 'further passage')} of events that stand in the held-out part."
        )
    description = f"learnt from {how_many(len(inside), 'passage')}, tested on the {len(outside)} with {field} {value!r}"
    return Scheme(description, (Split(inside, outside),), tuple(notes), is_block=True)


def field_values(dataset: Dataset, field: str) -> list[str]:
    """Each passage's value of a field; raises UsageError where no passage has it."""
    if field not in dataset.fields:
        raise UsageError(f"no passage has a field {field!r}; {did_you_mean(field, dataset.fields)}")
    return dataset.values_of(field)
