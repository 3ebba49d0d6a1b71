"""Held-out predictions to measures with intervals, label by label and overall."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from classify.codebook import Label, Task
from classify.data.dataset import TaskGold
from classify.evaluation.results import (
    MODEL,
    NOT_EVALUABLE,
    TERMS,
    HeldOut,
    LabelResult,
    TaskAgreement,
    TaskResult,
    none_if_nan,
)
from classify.evaluation.verdicts import MIN_EVENTS_WITH, MIN_POSITIVES, reach_verdict, too_few
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.intervals import Estimate, estimate_from_counts, jackknife_t
from classify.measure.scores import (
    agreeing_rows,
    average_precision,
    confusion,
    f1,
    grouped_counts,
    grouped_rates,
    precision,
    recall,
)

MIN_HELD_OUT_POSITIVES = 3

NO_ESTIMATE = Estimate(None)


@dataclass(frozen=True)
class _Measured:
    """One system's counts by event and leave-one-event-out average precisions, all in codebook order."""

    counts: FloatArray
    average_precision: FloatArray
    average_precision_without: FloatArray
    exact: FloatArray


def judge(
    task: Task,
    gold: TaskGold,
    groups: IntArray,
    folds: IntArray,
    held_out: Mapping[str, HeldOut],
    agreement: TaskAgreement | None,
    *,
    is_external: bool = False,
) -> TaskResult:
    """The task's results from predictions of passages that were held out.

    A label is evaluable with 10 positives from 5 events. `is_external`: the passages are another set than the model's
    own (a bundle scored on new labels); then a label with 3 positives gets point values, and intervals as before.
    """
    coded = gold.coded
    groups = np.unique(groups[coded], return_inverse=True)[1]
    view = TaskGold(gold.gold[coded], gold.known[coded])
    support, events = view.support, view.events_with(groups)
    evaluable = (support >= MIN_POSITIVES) & (events >= MIN_EVENTS_WITH)
    valued = (support >= MIN_HELD_OUT_POSITIVES) if is_external else evaluable
    measured = {name: _measure(view, held, coded, groups) for name, held in held_out.items()}
    labels = tuple(
        _label_result(
            task.labels[n], n, view, groups, measured, agreement, valued=bool(valued[n]), full=bool(evaluable[n])
        )
        for n in range(len(task.labels))
    )
    return TaskResult(
        task=task,
        n_passages=int(coded.sum()),
        n_events=int(groups.max(initial=-1)) + 1,
        headline=_headline(task, measured.get(MODEL), valued, all_full=bool((evaluable == valued).all())),
        labels=labels,
        baselines={
            name: _headline(task, found, valued, all_full=bool((evaluable == valued).all()))
            for name, found in measured.items()
            if name != MODEL
        },
        baseline_f1={
            name: tuple(_f1(found, n, valued=bool(valued[n]), full=bool(evaluable[n])) for n in range(len(labels)))
            for name, found in measured.items()
            if name != MODEL
        },
        confusion=None if task.is_multilabel or MODEL not in held_out else _confusion(view, held_out[MODEL], coded),
        gold=gold,
        held_out=held_out,
        folds=folds,
    )


def _measure(gold: TaskGold, held: HeldOut, coded: BoolArray, groups: IntArray) -> _Measured:
    predicted, probabilities = held.predicted[coded], held.probabilities[coded]
    n_groups = int(groups.max(initial=-1)) + 1
    full = _average_precisions(gold, probabilities, np.ones(len(groups), dtype=np.bool_))
    without = np.array([_average_precisions(gold, probabilities, groups != group) for group in range(n_groups)])
    right, complete = agreeing_rows(gold.gold, predicted, gold.known)
    return _Measured(
        counts=grouped_counts(gold.gold, predicted, gold.known, groups),
        average_precision=full,
        average_precision_without=without.reshape(n_groups, len(full)),
        exact=grouped_rates(right, complete, groups),
    )


def _average_precisions(gold: TaskGold, probabilities: FloatArray, rows: BoolArray) -> FloatArray:
    """On calibrated probabilities, because scores of different folds are not on one scale."""
    columns = range(gold.gold.shape[1])
    used = [rows & gold.known[:, n] for n in columns]
    return np.array([average_precision(gold.gold[used[n], n], probabilities[used[n], n]) for n in columns])


def _headline(task: Task, found: _Measured | None, labels: BoolArray, *, all_full: bool) -> dict[str, Estimate]:
    names = ["macro_f1", "micro_f1", "macro_average_precision", "exact_match" if task.is_multilabel else "accuracy"]
    if found is None:
        return dict.fromkeys(names, NO_ESTIMATE)
    macro_f1, macro_ap = NO_ESTIMATE, NO_ESTIMATE
    if labels.any():
        macro_f1 = estimate_from_counts(found.counts, lambda counts: _mean_f1(counts[..., labels, :]))
        values = found.average_precision_without[:, labels].mean(axis=1)
        macro_ap = jackknife_t(float(found.average_precision[labels].mean()), values)
    estimates = {
        "macro_f1": macro_f1,
        "micro_f1": estimate_from_counts(found.counts, lambda counts: f1(counts.sum(axis=-2))),
        "macro_average_precision": macro_ap,
        names[3]: estimate_from_counts(found.exact, _rate),
    }
    return estimates if all_full else {name: Estimate(estimate.value) for name, estimate in estimates.items()}


def _mean_f1(counts: FloatArray) -> FloatArray:
    """Macro-F1: the mean of label F1s (Opitz & Burst 2019); a label that is never predicted counts 0."""
    return np.asarray(np.nan_to_num(f1(counts)).mean(axis=-1))


def _rate(counts: FloatArray) -> FloatArray:
    totals = np.where(counts[..., 1] > 0, counts[..., 1], np.nan)
    return np.asarray(counts[..., 0] / totals)


def _f1(found: _Measured, n: int, *, valued: bool, full: bool) -> Estimate:
    return _cut(lambda: estimate_from_counts(found.counts[:, n], f1), valued=valued, full=full)


def _cut(estimate: Callable[[], Estimate], *, valued: bool, full: bool) -> Estimate:
    """Nothing where the data are too thin, the value alone where they are thin, else the whole estimate."""
    if not valued:
        return NO_ESTIMATE
    return estimate() if full else Estimate(estimate().value)


def _label_result(
    label: Label,
    n: int,
    gold: TaskGold,
    groups: IntArray,
    measured: Mapping[str, _Measured],
    agreement: TaskAgreement | None,
    *,
    valued: bool,
    full: bool,
) -> LabelResult:
    support, events = int(gold.support[n]), int(gold.events_with(groups)[n])
    n_known = int(gold.known[:, n].sum())
    coders = agreement[label.name] if agreement else None
    prevalence = support / n_known if n_known else 0.0
    if MODEL not in measured:
        reason = too_few(support, events) or "too few events to hold any out"
        empty = (NO_ESTIMATE,) * 4
        return LabelResult(label.name, support, events, prevalence, None, None, *empty, coders, NOT_EVALUABLE, reason)
    model = measured[MODEL]
    counts = model.counts[:, n].sum(axis=0)
    ap_without = model.average_precision_without[:, n]
    found_f1 = _f1(model, n, valued=valued, full=full)
    gain = (
        _cut(lambda: _gain(model, measured[TERMS], n), valued=valued, full=full) if TERMS in measured else NO_ESTIMATE
    )
    ap = _cut(lambda: jackknife_t(float(model.average_precision[n]), ap_without), valued=valued, full=full)
    skill = _cut(lambda: _skill(model, n, gold, groups), valued=valued, full=full)
    verdict, reason = reach_verdict(support, events, found_f1, gain, skill, coders, has_terms=bool(label.terms))
    return LabelResult(
        name=label.name,
        support=support,
        events=events,
        prevalence=prevalence,
        precision=none_if_nan(float(precision(counts))) if valued else None,
        recall=none_if_nan(float(recall(counts))) if valued else None,
        f1=found_f1,
        average_precision=ap,
        gain=gain,
        skill=skill,
        agreement=coders,
        verdict=verdict,
        reason=reason,
    )


def _gain(model: _Measured, terms: _Measured, n: int) -> Estimate:
    """F1 of the model minus F1 of the terms, paired by event."""
    both = np.stack([model.counts[:, n], terms.counts[:, n]], axis=1)
    return estimate_from_counts(
        both,
        lambda counts: np.asarray(np.nan_to_num(f1(counts[..., 0, :])) - np.nan_to_num(f1(counts[..., 1, :]))),
        lowest=-1.0,
    )


def _skill(model: _Measured, n: int, gold: TaskGold, groups: IntArray) -> Estimate:
    """Average precision between chance (the prevalence) and 1, on a scale from 0 to 1."""
    positive, known = gold.gold[:, n] & gold.known[:, n], gold.known[:, n]
    rates = grouped_rates(positive, known, groups)
    total = rates.sum(axis=0)
    chance, chance_without = float(_rate(total)), _rate(total - rates)
    if chance == 1:
        return NO_ESTIMATE
    room = np.where(chance_without < 1, 1 - chance_without, np.nan)
    without = (model.average_precision_without[:, n] - chance_without) / room
    return jackknife_t((float(model.average_precision[n]) - chance) / (1 - chance), without, lowest=-1.0)


def _confusion(gold: TaskGold, held: HeldOut, coded: BoolArray) -> IntArray:
    return confusion(gold.gold, held.predicted[coded], gold.known)
