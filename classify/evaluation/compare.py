"""Two saved evaluations to paired differences: interval over events, and a p-value by swapping events."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from classify.errors import UsageError
from classify.evaluation.measures import Measured, macro_f1_of, measure, micro_f1
from classify.evaluation.results import none_if_nan
from classify.evaluation.saved import SavedEvaluation, SavedTask
from classify.evaluation.verdicts import evaluable_labels
from classify.measure.arrays import BoolArray, FloatArray
from classify.measure.intervals import Estimate, estimate_from_counts, jackknife_groups, jackknife_t
from classify.measure.permutation import holm, swap_p_value
from classify.measure.scores import f1, rate

OfCounts = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Difference:
    """One measure of both systems, and second minus first with its interval over events.

    `p` is two-sided, of swapping the systems' outputs event by event; None where that can't be done cheaply (average
    precision) or there is nothing to compare. `p_holm` is p adjusted for all labels of the task.
    """

    measure: str
    first: float | None
    second: float | None
    difference: Estimate
    p: float | None = None
    p_holm: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {**self.__dict__, "difference": self.difference.to_dict()}


@dataclass(frozen=True)
class TaskComparison:
    """The differences of a task's headline measures, and of F1 label by label, in codebook order."""

    n_passages: int
    n_events: int
    n_evaluable: int
    headline: tuple[Difference, ...]
    labels: tuple[Difference, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "n_passages": self.n_passages,
            "n_events": self.n_events,
            "n_evaluable": self.n_evaluable,
            "headline": [found.to_dict() for found in self.headline],
            "labels": [found.to_dict() for found in self.labels],
        }


def compare(first: SavedEvaluation, second: SavedEvaluation, *, seed: int = 0) -> dict[str, TaskComparison]:
    """Compare the models of two evaluations of the same passages, task by task.

    Intervals leave one event out of both at once; labels need 10 positives from 5 events, as in evaluation. Raises
    UsageError where tasks, labels, passages, events or gold labels differ.
    """
    where = f"{first.folder} and {second.folder}"
    if first.tasks.keys() != second.tasks.keys():
        raise UsageError(f"{where}: tasks {_list(first.tasks)} and {_list(second.tasks)}; expected the same in both")
    if not first.tasks:
        raise UsageError(f"{where}: nothing was held out in either, so there is nothing to compare")
    for name in first.tasks:
        _refuse_unlike(where, name, first.tasks[name], second.tasks[name])
    return {name: _compare_task(first.tasks[name], second.tasks[name], seed) for name in first.tasks}


def _refuse_unlike(where: str, name: str, first: SavedTask, second: SavedTask) -> None:
    pairs = (
        ("labels", first.labels, second.labels),
        ("kinds", first.is_multilabel, second.is_multilabel),
        ("passages", first.ids, second.ids),
        ("events", first.events, second.events),
    )
    for what, ours, theirs in pairs:
        if ours != theirs:
            raise UsageError(f"{where}: {name}: other {what}; expected two evaluations of the same labelled passages")
    same = (first.gold.gold == second.gold.gold) & (first.gold.known == second.gold.known)
    if not same.all():
        passage = first.ids[int(np.flatnonzero(~same.all(axis=1))[0])]
        raise UsageError(f"{where}: {name}: {passage} has other gold labels; expected the same labelled passages")


def _compare_task(first: SavedTask, second: SavedTask, seed: int) -> TaskComparison:
    events = np.unique(first.events, return_inverse=True)[1]
    groups = jackknife_groups(events)
    a, b = (measure(task.gold, task.predicted, task.probabilities, groups) for task in (first, second))
    evaluable = evaluable_labels(first.gold, events)
    headline = [_of_counts("micro_f1", a.counts, b.counts, micro_f1, seed)]
    if evaluable.any():
        headline.insert(0, _of_counts("macro_f1", a.counts, b.counts, macro_f1_of(evaluable), seed))
        headline.append(_of_ranking(a, b, evaluable))
    headline.append(_of_counts("exact_match" if first.is_multilabel else "accuracy", a.exact, b.exact, rate, seed))
    return TaskComparison(
        n_passages=len(first.ids),
        n_events=int(events.max()) + 1,
        n_evaluable=int(evaluable.sum()),
        headline=tuple(headline),
        labels=_of_labels(first.labels, a, b, evaluable, seed),
    )


def _of_labels(
    names: tuple[str, ...], a: Measured, b: Measured, evaluable: BoolArray, seed: int
) -> tuple[Difference, ...]:
    found = {
        names[n]: _of_counts(names[n], a.counts[:, n], b.counts[:, n], _f1, seed) for n in np.flatnonzero(evaluable)
    }
    tested = {name: one.p for name, one in found.items() if one.p is not None}
    adjusted = dict(zip(tested, holm(np.array(list(tested.values()))).tolist(), strict=True))
    nothing = Estimate(None)
    return tuple(
        Difference(name, one.first, one.second, one.difference, one.p, adjusted.get(name))
        if (one := found.get(name))
        else Difference(name, None, None, nothing)
        for name in names
    )


def _f1(counts: FloatArray) -> FloatArray:
    return np.nan_to_num(f1(counts))


def _of_counts(name: str, a: FloatArray, b: FloatArray, of: OfCounts, seed: int) -> Difference:
    def difference(both: FloatArray) -> FloatArray:
        axis = both.ndim - a.ndim
        return np.asarray(of(np.take(both, 1, axis=axis)) - of(np.take(both, 0, axis=axis)))

    estimate = estimate_from_counts(np.stack([a, b], axis=1), difference, lowest=-1.0)
    first, second = (none_if_nan(float(of(found.sum(axis=0)))) for found in (a, b))
    return Difference(name, first, second, estimate, none_if_nan(swap_p_value(a, b, of, seed=seed)))


def _of_ranking(a: Measured, b: Measured, columns: BoolArray) -> Difference:
    first, second = (float(found.average_precision[columns].mean()) for found in (a, b))
    without = (b.average_precision_without - a.average_precision_without)[:, columns].mean(axis=1)
    estimate = jackknife_t(second - first, without, lowest=-1.0)
    return Difference("macro_average_precision", first, second, estimate)


def _list(names: Mapping[str, object]) -> str:
    return ", ".join(names) or "none"
