"""Turn held-out scores and gold labels into a decision rule: a threshold a label, and Platt's calibration."""

import re
from dataclasses import dataclass

import numpy as np

from classify.codebook import Task
from classify.measure.arrays import BoolArray, FloatArray
from classify.measure.calibration import fit_platt
from classify.measure.intervals import wilson_low
from classify.scorer.decisions import DecisionRule

NO_HITS = float(np.log1p(0.5))
"""Between the score of no term hit and of one: a rule's threshold never falls below it."""

PREVALENCE, F1, PRECISION = "prevalence", "f1", "precision"
THRESHOLD_RULES = "prevalence, f1, or precision=P with P between 0 and 1"
MIN_FOR_F1 = 30
MIN_FOR_PRECISION = 20
_PRECISION_LEVEL = 0.8


@dataclass(frozen=True)
class ThresholdRule:
    """How a label's threshold is chosen from scores that its model has not seen.

    `prevalence`: predict as many as were labelled. `f1`: the highest F1; a label with fewer than 30 positives, where
    that overfits (Lin & Lin 2023), falls back on prevalence. `precision`: the lowest threshold at which the lower bound
    of the 80% Wilson interval of precision reaches `at_least`; a label where none does, or with fewer than 20
    positives, is never given.
    """

    name: str = PREVALENCE
    at_least: float = 0.0

    def __post_init__(self) -> None:
        if self.name not in (PREVALENCE, F1, PRECISION):
            raise ValueError(f"unknown rule {self.name!r}; expected {THRESHOLD_RULES}")

    def __str__(self) -> str:
        return f"{self.name}={self.at_least}" if self.name == PRECISION else self.name


def parse_threshold_rule(text: str) -> ThresholdRule:
    """The rule that `prevalence`, `f1` or `precision=0.8` names; raises ValueError for anything else.

    >>> parse_threshold_rule("precision=0.8")
    ThresholdRule(name='precision', at_least=0.8)
    """
    if text in (PREVALENCE, F1):
        return ThresholdRule(text)
    found = re.fullmatch(rf"{PRECISION}=(0?\.\d+)", text)
    if not found or float(found[1]) == 0:
        raise ValueError(f"found {text!r}; expected {THRESHOLD_RULES}")
    return ThresholdRule(PRECISION, float(found[1]))


def is_threshold_rule(value: object) -> bool:
    """Whether the value names a rule."""
    try:
        parse_threshold_rule(str(value))
    except ValueError:
        return False
    return True


def choose_threshold(
    rule: ThresholdRule, score: FloatArray, gold: BoolArray, weight: FloatArray | None = None
) -> float:
    """The threshold of one label; `score`, `gold` and `weight`, by default 1, have shape (n_passages,).

    It lies halfway between two distinct scores, or at -inf or +inf where all or none are predicted; of two equally good
    cuts the one that predicts fewer; no positives: +inf.

    >>> score, gold = np.array([0.1, 0.4, 0.8, 0.9]), np.array([False, True, True, False])
    >>> choose_threshold(ThresholdRule("prevalence"), score, gold)
    0.6000000000000001
    >>> choose_threshold(ThresholdRule("prevalence"), score, np.zeros(4, dtype=bool))
    inf
    """
    if not gold.any():
        return float("inf")
    weight = np.ones(len(score)) if weight is None else weight
    wanted = float(weight[gold].sum())
    distinct, place = np.unique(-score, return_inverse=True)
    n_predicted, n_right = (
        np.append(0, np.cumsum(np.bincount(place, weights=cells))) for cells in (weight, gold * weight)
    )
    cut = _CUTS[rule.name](rule, n_predicted, n_right, wanted)
    if cut in (0, len(distinct)):
        return float("inf") if cut == 0 else float("-inf")
    above, below = -distinct[cut - 1], -distinct[cut]
    halfway = (above + below) / 2
    return float(halfway if halfway > below else above)


def _nearest_count(rule: ThresholdRule, n_predicted: FloatArray, n_right: FloatArray, wanted: float) -> int:
    return int(np.abs(n_predicted - wanted).argmin())


def _highest_f1(rule: ThresholdRule, n_predicted: FloatArray, n_right: FloatArray, wanted: float) -> int:
    if wanted < MIN_FOR_F1:
        return _nearest_count(rule, n_predicted, n_right, wanted)
    return int((2 * n_right / (n_predicted + wanted)).argmax())


def _sure_precision(rule: ThresholdRule, n_predicted: FloatArray, n_right: FloatArray, wanted: float) -> int:
    if wanted < MIN_FOR_PRECISION:
        return 0
    reached = wilson_low(n_right, n_predicted, level=_PRECISION_LEVEL) >= rule.at_least
    return int(np.flatnonzero(reached)[-1]) if reached.any() else 0


_CUTS = {PREVALENCE: _nearest_count, F1: _highest_f1, PRECISION: _sure_precision}
"""Each gives the number of distinct scores, from the top, that are predicted; 0 for none."""


def fit_decision(
    task: Task,
    scores: FloatArray,
    gold: BoolArray,
    known: BoolArray,
    *,
    rule: ThresholdRule = ThresholdRule(),
    lowest: FloatArray = np.array(-np.inf),  # noqa: B008  (never changed)
    prevalence: FloatArray | None = None,
) -> DecisionRule:
    """The task's decision rule from scores of passages that the scores' model has not seen.

    All arrays have shape (n_passages, n_labels); cells that are not `known` count nowhere. No threshold falls below
    `lowest`, one number or one a label, which keeps a rule of terms from firing on no hits.

    Thresholds and probabilities are meant at each label's share of the passages, or at the `prevalence` that is given,
    shape (n_labels,), above 0 and below 1, NaN where it isn't known; as if nothing else differed between the labelled
    passages and the field. Thresholds then match it among passages weighted to it, and probabilities are shifted by the
    change of odds (label shift, Saerens, Latinne & Decaestecker 2002). A label that all or none of the passages carry
    keeps its own share. Raises ValueError for a prevalence out of range, and for one beside another rule than
    prevalence.
    """
    n_labels = len(task.labels)
    slope, intercept, prior, thresholds = (np.zeros(n_labels) for _ in range(4))
    weight, odds, shift = np.ones_like(scores), np.zeros(n_labels), None
    if prevalence is not None:
        share, asked = _shares(gold, known, prevalence, rule)
        weight = _weights_at(task, gold, share, asked)
        odds, shift = _shift(task, share, asked)
    for label in range(n_labels):
        rows = known[:, label]
        score, yes, counts = scores[rows, label], gold[rows, label], weight[rows, label]
        slope[label], intercept[label] = fit_platt(score, yes)
        prior[label] = np.average(yes, weights=counts) if rows.any() else 0.0
        thresholds[label] = max(lowest[label] if lowest.ndim else lowest, choose_threshold(rule, score, yes, counts))
    return DecisionRule(
        is_multilabel=task.is_multilabel,
        at_least_one=task.is_multilabel and task.at_least_one,
        slope=slope,
        intercept=intercept + odds,
        prior=prior,
        thresholds=thresholds if task.is_multilabel else None,
        shift=shift,
    )


def _shares(
    gold: BoolArray, known: BoolArray, prevalence: FloatArray, rule: ThresholdRule
) -> tuple[FloatArray, FloatArray]:
    """Each label's share of the passages, and the one that is asked for: its own where none is known."""
    if rule.name != PREVALENCE:
        raise ValueError(f"thresholds by {rule} don't follow a prevalence; expected the rule {PREVALENCE}, or none")
    if (out := prevalence[(prevalence <= 0) | (prevalence >= 1)]).size:
        raise ValueError(f"found a prevalence of {out[0]}; expected one above 0 and below 1")
    share = (gold & known).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return share, np.where(np.isnan(prevalence), share, prevalence)


def _weights_at(task: Task, gold: BoolArray, share: FloatArray, asked: FloatArray) -> FloatArray:
    """Weights of passages under which each label has the share that is asked for, shape (n_passages, n_labels).

    In a multiclass task a passage counts by the one label it carries, whichever label is looked at.
    """
    of_yes, of_no = asked / np.where(share > 0, share, 1), (1 - asked) / np.where(share < 1, 1 - share, 1)
    if task.is_multilabel:
        return np.where(gold, of_yes, of_no)
    return np.tile((gold * of_yes).sum(axis=1, keepdims=True), (1, gold.shape[1]))


def _shift(task: Task, share: FloatArray, asked: FloatArray) -> tuple[FloatArray, FloatArray | None]:
    """What the asked shares add to each label's log-odds, and, in a multiclass task instead, multiply it by."""
    varies = (share > 0) & (share < 1)
    before, after = np.where(varies, share, 0.5), np.where(varies, asked, 0.5)
    if task.is_multilabel:
        return np.log(after / (1 - after)) - np.log(before / (1 - before)), None
    return np.zeros_like(share), after / before
