"""Turn held-out scores and gold labels into a decision rule: thresholds by prevalence match, Platt's calibration."""

import numpy as np

from classify.codebook import Task
from classify.measure.arrays import BoolArray, FloatArray
from classify.measure.calibration import fit_platt
from classify.scorer.decisions import DecisionRule

NO_HITS = float(np.log1p(0.5))
"""Between the score of no term hit and of one: a rule's threshold never falls below it."""


def prevalence_match(score: FloatArray, gold: BoolArray) -> float:
    """The threshold that predicts as many positives as were labelled, or comes nearest to it.

    `score` and `gold` have shape (n_passages,). The threshold lies halfway between two distinct scores, or at -inf or
    +inf where all or none are predicted; of two equally near cuts the one that predicts fewer; no positives: +inf.

    >>> prevalence_match(np.array([0.1, 0.4, 0.8, 0.9]), np.array([False, True, True, False]))
    0.6000000000000001
    >>> prevalence_match(np.array([0.1, 0.4]), np.array([False, False]))
    inf
    """
    wanted = int(gold.sum())
    if wanted == 0:
        return float("inf")
    distinct, counts = np.unique(-score, return_counts=True)
    distinct, n_predicted = -distinct, np.append(0, np.cumsum(counts))
    best = int(np.abs(n_predicted - wanted).argmin())
    if best in (0, len(distinct)):
        return float("inf") if best == 0 else float("-inf")
    above, below = distinct[best - 1], distinct[best]
    halfway = (above + below) / 2
    return float(halfway if halfway > below else above)


def fit_decision(
    task: Task, scores: FloatArray, gold: BoolArray, known: BoolArray, *, lowest: float = -np.inf
) -> DecisionRule:
    """The task's decision rule from scores of passages that the scores' model has not seen.

    All arrays have shape (n_passages, n_labels); cells that are not `known` count nowhere. No threshold falls below
    `lowest`, which keeps a rule of terms from firing on no hits.
    """
    n_labels = len(task.labels)
    slope, intercept, prior, thresholds = (np.zeros(n_labels) for _ in range(4))
    for label in range(n_labels):
        rows = known[:, label]
        slope[label], intercept[label] = fit_platt(scores[rows, label], gold[rows, label])
        prior[label] = gold[rows, label].mean() if rows.any() else 0.0
        thresholds[label] = max(lowest, prevalence_match(scores[rows, label], gold[rows, label]))
    return DecisionRule(
        is_multilabel=task.is_multilabel,
        at_least_one=task.is_multilabel and task.at_least_one,
        slope=slope,
        intercept=intercept,
        prior=prior,
        thresholds=thresholds if task.is_multilabel else None,
    )
