"""Held-out predictions to measures with intervals, label by label and overall."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from classify.codebook import Task
from classify.data.dataset import TaskGold
from classify.evaluation.results import (
    MODEL,
    TERMS,
    HeldOut,
    LabelResult,
    TaskAgreement,
    TaskResult,
    none_if_nan,
)
from classify.evaluation.verdicts import reach_verdict, too_few
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
    rate,
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
    *,
    groups: IntArray,
    folds: IntArray,
    held_out: Mapping[str, HeldOut],
    agreement: TaskAgreement | None,
    is_external: bool = False,
) -> TaskResult:
    """The task's results from predictions of passages that were held out.

    A label is evaluable with 10 positives from 5 events, and macro averages run over those. `is_external`: the passages
    are another set than the model's own (a bundle scored on new labels); a label with 3 positives gets point values.
    """
    coded = gold.coded
    groups = np.unique(groups[coded], return_inverse=True)[1]
    view = TaskGold(gold.gold[coded], gold.known[coded])
    support, events = view.support, view.events_with(groups)
    evaluable = np.array([not too_few(int(n), int(of)) for n, of in zip(support, events, strict=True)], dtype=np.bool_)
    valued = evaluable | (support >= MIN_HELD_OUT_POSITIVES if is_external else False)
    measured = {name: _measure(view, held, coded, groups) for name, held in held_out.items()}
    baselines = {name: found for name, found in measured.items() if name != MODEL}
    columns = range(len(task.labels))
    return TaskResult(
        task=task,
        n_passages=int(coded.sum()),
        n_events=int(groups.max(initial=-1)) + 1,
        headline=_headline(task, measured.get(MODEL), evaluable),
        labels=tuple(
            _label_result(task, n, view, groups, measured, agreement, (bool(valued[n]), bool(evaluable[n])))
            for n in columns
        ),
        baselines={name: _headline(task, found, evaluable) for name, found in baselines.items()},
        baseline_f1={
            name: tuple(_shown(_f1(found, n), bool(valued[n]), bool(evaluable[n])) for n in columns)
            for name, found in baselines.items()
        },
        confusion=None
        if task.is_multilabel or MODEL not in held_out
        else confusion(view.gold, held_out[MODEL].predicted[coded], view.known),
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


def _headline(task: Task, found: _Measured | None, evaluable: BoolArray) -> dict[str, Estimate]:
    names = ("macro_f1", "micro_f1", "macro_average_precision", "exact_match" if task.is_multilabel else "accuracy")
    if found is None:
        return dict.fromkeys(names, NO_ESTIMATE)
    macro_f1, macro_ap = NO_ESTIMATE, NO_ESTIMATE
    if evaluable.any():
        macro_f1 = estimate_from_counts(found.counts, lambda counts: _mean_f1(counts[..., evaluable, :]))
        values = found.average_precision_without[:, evaluable].mean(axis=1)
        macro_ap = jackknife_t(float(found.average_precision[evaluable].mean()), values)
    micro_f1 = estimate_from_counts(found.counts, lambda counts: f1(counts.sum(axis=-2)))
    return dict(zip(names, (macro_f1, micro_f1, macro_ap, estimate_from_counts(found.exact, rate)), strict=True))


def _mean_f1(counts: FloatArray) -> FloatArray:
    """Macro-F1: the mean of label F1s (Opitz & Burst 2019); a label that is never predicted counts 0."""
    return np.asarray(np.nan_to_num(f1(counts)).mean(axis=-1))


def _f1(found: _Measured, n: int) -> Estimate:
    return estimate_from_counts(found.counts[:, n], f1)


def _shown(estimate: Estimate, is_valued: bool, is_evaluable: bool) -> Estimate:
    """Nothing where the data are too thin, the value alone where they are thin, else the whole estimate."""
    return estimate if is_evaluable else Estimate(estimate.value) if is_valued else NO_ESTIMATE


def _label_result(
    task: Task,
    n: int,
    gold: TaskGold,
    groups: IntArray,
    measured: Mapping[str, _Measured],
    agreement: TaskAgreement | None,
    enough: tuple[bool, bool],
) -> LabelResult:
    label, model, terms = task.labels[n], measured.get(MODEL), measured.get(TERMS)
    support, n_known = int(gold.support[n]), int(gold.known[:, n].sum())
    events = int(gold.events_with(groups)[n])
    coders = agreement[label.name] if agreement else None
    found = gain = ap = skill = NO_ESTIMATE
    counts = np.zeros(3)
    if model is not None:
        counts = model.counts[:, n].sum(axis=0)
        found, skill = _shown(_f1(model, n), *enough), _shown(_skill(model, n, gold, groups), *enough)
        ap = jackknife_t(float(model.average_precision[n]), model.average_precision_without[:, n])
        gain = _shown(_gain(model, terms, n), *enough) if terms else NO_ESTIMATE
    verdict, reason = reach_verdict(support, events, found, gain, skill, coders, has_terms=bool(label.terms))
    return LabelResult(
        name=label.name,
        support=support,
        events=events,
        prevalence=support / n_known if n_known else 0.0,
        precision=none_if_nan(float(precision(counts))) if enough[0] else None,
        recall=none_if_nan(float(recall(counts))) if enough[0] else None,
        f1=found,
        average_precision=_shown(ap, *enough),
        gain=gain,
        skill=skill,
        agreement=coders,
        is_evaluable=enough[1] and model is not None,
        verdict=verdict,
        reason=reason,
    )


def _gain(model: _Measured, terms: _Measured, n: int) -> Estimate:
    """F1 of the model minus F1 of the terms, paired by event."""
    both = np.stack([model.counts[:, n], terms.counts[:, n]], axis=1)

    def difference(counts: FloatArray) -> FloatArray:
        of_model, of_terms = np.moveaxis(np.nan_to_num(f1(counts)), -1, 0)
        return np.asarray(of_model - of_terms)

    return estimate_from_counts(both, difference, lowest=-1.0)


def _skill(model: _Measured, n: int, gold: TaskGold, groups: IntArray) -> Estimate:
    """Average precision between chance (the prevalence) and 1, on a scale from 0 to 1."""
    positive, known = gold.gold[:, n] & gold.known[:, n], gold.known[:, n]
    rates = grouped_rates(positive, known, groups)
    total = rates.sum(axis=0)
    chance, chance_without = float(rate(total)), rate(total - rates)
    if chance == 1:
        return NO_ESTIMATE
    room = np.where(chance_without < 1, 1 - chance_without, np.nan)
    without = (model.average_precision_without[:, n] - chance_without) / room
    return jackknife_t((float(model.average_precision[n]) - chance) / (1 - chance), without, lowest=-1.0)
