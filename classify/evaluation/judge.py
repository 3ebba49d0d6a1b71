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
from classify.scorer.decisions import DecisionRule


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


@dataclass(frozen=True)
class _Column:
    """One label by its number, the events it stands in, and whether that is enough for values and for intervals."""

    number: int
    n_events: int
    is_valued: bool
    is_evaluable: bool

    def shown(self, estimate: Estimate) -> Estimate:
        """Nothing where the data are too thin, the value alone where they are thin, else the whole estimate."""
        return estimate if self.is_evaluable else Estimate(estimate.value) if self.is_valued else NO_ESTIMATE


def judge(held: Held) -> TaskResult:
    """The task's results.

    A label is evaluable with 10 positives from 5 events, and macro averages run over those.
    """
    task, coded = held.task, held.gold.coded
    gold = held.gold.of(coded)
    events = np.unique(held.groups[coded], return_inverse=True)[1]
    groups = jackknife_groups(events)
    evaluable = evaluable_labels(gold, events)
    valued = evaluable | (gold.support >= MIN_HELD_OUT_POSITIVES if held.is_block else False)
    facts = (gold.events_with(events).tolist(), valued.tolist(), evaluable.tolist())
    columns = [_Column(n, *of_label) for n, of_label in enumerate(zip(*facts, strict=True))]
    systems = {name: found.of(coded) for name, found in held.systems.items()}
    measured = {name: measure(gold, found.predicted, found.probabilities, groups) for name, found in systems.items()}
    baselines = {name: found for name, found in measured.items() if name != MODEL}
    model = systems.get(MODEL)
    optimism = _optimism(held, gold, model) if model else None
    return TaskResult(
        task=task,
        n_passages=len(events),
        n_events=int(events.max(initial=-1)) + 1,
        headline=headline(task, measured.get(MODEL), evaluable),
        labels=tuple(_label_result(column, gold, groups, held, model, measured, optimism) for column in columns),
        baselines={name: headline(task, found, evaluable) for name, found in baselines.items()},
        baseline_f1={
            name: tuple(column.shown(_f1(found, column.number)) for column in columns)
            for name, found in baselines.items()
        },
        gains=_macro_gains(measured, evaluable),
        confusion=confusion(gold.gold, model.predicted, gold.known) if model and not task.is_multilabel else None,
        co_confusion=co_confusion(gold.gold, model.predicted, gold.known) if model and task.is_multilabel else None,
        thresholds=str(held.rule) if held.rule else None,
        optimism=float(np.mean(optimism[evaluable])) if optimism is not None and evaluable.any() else None,
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


def _optimism(held: Held, gold: TaskGold, model: HeldOut) -> FloatArray | None:
    """F1 with thresholds chosen on the passages they are judged by, minus F1 as it is, shape (n_labels,).

    Both are decided in the same way. None where no thresholds were chosen, or by precision, which F1 can't judge.
    """
    rule, basis = held.rule, model.decidable
    if rule is None or rule.name == PRECISION or basis is None:
        return None
    chosen = [
        choose_threshold(rule, basis.logits[known, n], gold.gold[known, n]) for n, known in enumerate(gold.known.T)
    ]
    flattering = DecisionRule(
        is_multilabel=True,
        at_least_one=held.task.at_least_one,
        slope=np.ones(len(chosen)),
        intercept=np.zeros(len(chosen)),
        prior=model.probabilities,  # what a passage without evidence was given
        thresholds=np.maximum(chosen, basis.lowest),  # one row a passage, since folds differ in what they forbid
    )
    flattered = flattering.decide(basis.logits, basis.evidence)[1]
    one_group = np.zeros(len(flattered), dtype=np.int64)
    both = [f1(grouped_counts(gold.gold, cells, gold.known, one_group)[0]) for cells in (flattered, model.predicted)]
    return np.asarray(np.nan_to_num(both[0]) - np.nan_to_num(both[1]))


def _calibration(gold: TaskGold, model: HeldOut, groups: IntArray) -> CalibrationCurve:
    """Over the known cells of all labels."""
    of_event = np.repeat(groups[:, None], gold.gold.shape[1], axis=1)
    return calibration_curve(model.probabilities[gold.known], gold.gold[gold.known], of_event[gold.known])


def _f1(found: Measured, n: int) -> Estimate:
    return estimate_from_counts(found.counts[:, n], f1)


def _label_result(
    column: _Column,
    gold: TaskGold,
    groups: IntArray,
    held: Held,
    model: HeldOut | None,
    measured: Mapping[str, Measured],
    optimism: FloatArray | None,
) -> LabelResult:
    n = column.number
    label, found, terms = held.task.labels[n], measured.get(MODEL), measured.get(TERMS)
    known, is_label = gold.known[:, n], np.arange(len(held.task.labels)) == n
    support, n_known = int(gold.support[n]), int(known.sum())
    coders = held.agreement[label.name] if held.agreement else None
    of_f1 = gain = ap = skill = brier = slope = intercept = NO_ESTIMATE
    deciding = None
    counts = np.full(4, np.nan)
    if model is not None and found is not None:
        counts = found.counts[:, n].sum(axis=0)
        of_f1 = column.shown(_f1(found, n))
        ap = logit_jackknife_t(float(found.average_precision[n]), found.average_precision_without[:, n])
        ap, skill = column.shown(ap), column.shown(_skill(ap, support / max(1, n_known)))
        gain = column.shown(macro_f1_difference(found.counts, terms.counts, is_label)) if terms else NO_ESTIMATE
        cells = model.probabilities[known, n], gold.gold[known, n], jackknife_groups(groups[known])
        brier = column.shown(brier_skill(*cells))
        slope, intercept = map(column.shown, calibration_line(*cells))
        deciding = cost_of_deciding(*cells[:2], model.predicted[known, n], held.folds[held.gold.coded][known])
    verdict, reason = reach_verdict(support, column.n_events, of_f1, gain, skill, coders, has_terms=bool(label.terms))
    return LabelResult(
        name=label.name,
        support=support,
        events=column.n_events,
        prevalence=support / n_known if n_known else 0.0,
        precision=none_if_nan(float(precision(counts))) if column.is_valued else None,
        recall=none_if_nan(float(recall(counts))) if column.is_valued else None,
        f1=of_f1,
        average_precision=ap,
        gain=gain,
        skill=skill,
        matthews=none_if_nan(float(matthews(counts))) if column.is_valued else None,
        brier_skill=brier,
        slope=slope,
        intercept=intercept,
        optimism=float(optimism[n]) if optimism is not None and column.is_evaluable else None,
        deciding=deciding if column.is_valued else None,
        agreement=coders,
        is_evaluable=column.is_evaluable and model is not None,
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
