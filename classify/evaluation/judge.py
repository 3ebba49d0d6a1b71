"""Held-out predictions to a task's results, label by label and overall."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from classify.codebook import Task
from classify.data.dataset import TaskGold
from classify.evaluation.abstention import judge_abstention
from classify.evaluation.deciding import cost_of_deciding
from classify.evaluation.heldout import MODEL, TERMS, HeldOut, Mistake
from classify.evaluation.measures import NO_ESTIMATE, Measured, headline, macro_f1_difference, measure
from classify.evaluation.mistakes import find_suspects, worst_mistakes
from classify.evaluation.results import LabelResult, TaskAgreement, TaskResult, none_if_nan
from classify.evaluation.slices import slice_by
from classify.evaluation.verdicts import MIN_HELD_OUT_POSITIVES, evaluable_labels, reach_verdict
from classify.learn.thresholds import PRECISION, ThresholdRule, choose_threshold
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.calibration import CalibrationCurve, brier_skill, calibration_curve, calibration_line, reliability
from classify.measure.intervals import Estimate, estimate_from_counts, jackknife_groups, logit_jackknife_t
from classify.measure.scores import (
    co_confusion,
    confusion,
    f1,
    grouped_counts,
    matthews,
    precision,
    recall,
)


@dataclass(frozen=True)
class Held:
    """What is known of one task before it is judged; arrays have one row a passage that was held out.

    `fields` gives values to slice by. `is_block`: the passages are a set or a part of their own, so that a label with 3
    positives gets point values. `rule` chose the thresholds, None for a bundle or a multiclass task. `review_margin`
    is that of `ReviewSettings`.
    """

    task: Task
    gold: TaskGold
    groups: IntArray
    folds: IntArray
    systems: Mapping[str, HeldOut]
    fields: Mapping[str, Sequence[str]]
    agreement: TaskAgreement | None = None
    mistakes: tuple[Mistake, ...] = ()
    rule: ThresholdRule | None = None
    review_margin: float = 0.1
    is_block: bool = False


def judge(held: Held) -> TaskResult:
    """The task's results.

    A label is evaluable with 10 positives from 5 events, and macro averages run over those.
    """
    task, coded = held.task, held.gold.coded
    gold = held.gold.of(coded)
    events = np.unique(held.groups[coded], return_inverse=True)[1]
    groups = jackknife_groups(events)
    support, events_with = gold.support, gold.events_with(events)
    evaluable = evaluable_labels(gold, events)
    valued = evaluable | (support >= MIN_HELD_OUT_POSITIVES if held.is_block else False)
    systems = {name: found.of(coded) for name, found in held.systems.items()}
    measured = {name: measure(gold, found.predicted, found.probabilities, groups) for name, found in systems.items()}
    baselines = {name: found for name, found in measured.items() if name != MODEL}
    columns = range(len(task.labels))
    model = systems.get(MODEL)
    tunes_f1 = held.rule is not None and held.rule.name != PRECISION
    gains = _optimism(held.rule, gold, model) if model and held.rule and tunes_f1 else None
    return TaskResult(
        task=task,
        n_passages=len(events),
        n_events=int(events.max(initial=-1)) + 1,
        headline=headline(task, measured.get(MODEL), evaluable),
        labels=tuple(
            _label_result(
                n, gold, (groups, int(events_with[n])), held, model, measured, (valued[n], evaluable[n]), gains
            )
            for n in columns
        ),
        baselines={name: headline(task, found, evaluable) for name, found in baselines.items()},
        baseline_f1={
            name: tuple(_shown(_f1(found, n), bool(valued[n]), bool(evaluable[n])) for n in columns)
            for name, found in baselines.items()
        },
        gains=_macro_gains(measured, evaluable),
        confusion=confusion(gold.gold, model.predicted, gold.known) if model and not task.is_multilabel else None,
        co_confusion=co_confusion(gold.gold, model.predicted, gold.known) if model and task.is_multilabel else None,
        thresholds=str(held.rule) if held.rule else None,
        optimism=float(np.mean(gains[evaluable])) if gains is not None and evaluable.any() else None,
        reliability=reliability(model.probabilities[gold.known], gold.gold[gold.known]) if model else None,
        calibration=_calibration(gold, model, groups) if model else None,
        abstention=judge_abstention(gold, model, groups, margin=held.review_margin) if model else None,
        slices=slice_by(task, held.gold, held.groups, held.systems, held.fields),
        curve=None,
        leak=None,
        words=(),
        mistakes=worst_mistakes(task, held.mistakes),
        suspects=find_suspects(held.gold, held.systems[MODEL], task.label_names) if model else (),
        gold=held.gold,
        held_out=held.systems,
        folds=held.folds,
    )


def _optimism(rule: ThresholdRule, gold: TaskGold, model: HeldOut) -> FloatArray:
    """F1 with thresholds chosen on the passages they are judged by, minus F1 as it is, shape (n_labels,)."""
    chosen = [
        choose_threshold(rule, model.probabilities[known, n], gold.gold[known, n])
        for n, known in enumerate(gold.known.T)
    ]
    flattered = model.probabilities >= np.array(chosen)
    one_group = np.zeros(len(flattered), dtype=np.int64)
    both = [f1(grouped_counts(gold.gold, cells, gold.known, one_group)[0]) for cells in (flattered, model.predicted)]
    return np.asarray(np.nan_to_num(both[0]) - np.nan_to_num(both[1]))


def _calibration(gold: TaskGold, model: HeldOut, groups: IntArray) -> CalibrationCurve:
    """Over the known cells of all labels."""
    of_event = np.repeat(groups[:, None], gold.gold.shape[1], axis=1)
    return calibration_curve(model.probabilities[gold.known], gold.gold[gold.known], of_event[gold.known])


def _f1(found: Measured, n: int) -> Estimate:
    return estimate_from_counts(found.counts[:, n], f1)


def _shown(estimate: Estimate, is_valued: bool, is_evaluable: bool) -> Estimate:
    """Nothing where the data are too thin, the value alone where they are thin, else the whole estimate."""
    return estimate if is_evaluable else Estimate(estimate.value) if is_valued else NO_ESTIMATE


def _label_result(
    n: int,
    gold: TaskGold,
    of_events: tuple[IntArray, int],
    held: Held,
    model: HeldOut | None,
    measured: Mapping[str, Measured],
    enough: tuple[bool, bool],
    gains: FloatArray | None,
) -> LabelResult:
    label, found, terms = held.task.labels[n], measured.get(MODEL), measured.get(TERMS)
    groups, n_events = of_events
    known, column = gold.known[:, n], np.arange(len(held.task.labels)) == n
    support, n_known = int(gold.support[n]), int(known.sum())
    coders = held.agreement[label.name] if held.agreement else None
    of_f1 = gain = ap = skill = brier = slope = intercept = NO_ESTIMATE
    deciding = None
    counts = np.full(4, np.nan)
    if model is not None and found is not None:
        counts = found.counts[:, n].sum(axis=0)
        of_f1 = _shown(_f1(found, n), *enough)
        ap = logit_jackknife_t(float(found.average_precision[n]), found.average_precision_without[:, n])
        ap, skill = _shown(ap, *enough), _shown(_skill(ap, support / max(1, n_known)), *enough)
        gain = _shown(macro_f1_difference(found.counts, terms.counts, column), *enough) if terms else NO_ESTIMATE
        cells = model.probabilities[known, n], gold.gold[known, n], jackknife_groups(groups[known])
        brier = _shown(brier_skill(*cells), *enough)
        slope, intercept = (_shown(estimate, *enough) for estimate in calibration_line(*cells))
        deciding = cost_of_deciding(*cells[:2], model.predicted[known, n], held.folds[held.gold.coded][known])
    verdict, reason = reach_verdict(support, n_events, of_f1, gain, skill, coders, has_terms=bool(label.terms))
    return LabelResult(
        name=label.name,
        support=support,
        events=n_events,
        prevalence=support / n_known if n_known else 0.0,
        precision=none_if_nan(float(precision(counts))) if enough[0] else None,
        recall=none_if_nan(float(recall(counts))) if enough[0] else None,
        f1=of_f1,
        average_precision=ap,
        gain=gain,
        skill=skill,
        matthews=none_if_nan(float(matthews(counts))) if enough[0] else None,
        brier_skill=brier,
        slope=slope,
        intercept=intercept,
        optimism=float(gains[n]) if gains is not None and enough[1] else None,
        deciding=deciding if enough[0] else None,
        agreement=coders,
        is_evaluable=bool(enough[1]) and model is not None,
        verdict=verdict,
        reason=reason,
    )


def _macro_gains(measured: Mapping[str, Measured], evaluable: BoolArray) -> dict[str, Estimate]:
    """Macro-F1 of the model minus that of each baseline, paired by event."""
    model = measured.get(MODEL)
    if model is None or not evaluable.any():
        return {}
    return {
        name: macro_f1_difference(model.counts, found.counts, evaluable)
        for name, found in measured.items()
        if name != MODEL
    }


def _skill(found: Estimate, chance: float) -> Estimate:
    """Average precision on a scale where chance (the prevalence) is 0 and 1 stays 1."""
    if found.value is None or chance == 1:
        return NO_ESTIMATE
    return Estimate(*(None if x is None else (x - chance) / (1 - chance) for x in (found.value, found.low, found.high)))
