"""Turn gold labels and predictions into precision, recall, F1, average precision and exact match.

Counts are kept a group (an event), because the interval of every measure comes from leaving one group out in turn.
"""

import numpy as np

from classify.measure.arrays import BoolArray, FloatArray, IntArray

TP, FP, FN = range(3)


def grouped_counts(gold: BoolArray, predicted: BoolArray, known: BoolArray, groups: IntArray) -> FloatArray:
    """True positives, false positives and false negatives, shape (n_groups, n_labels, 3).

    `gold`, `predicted` and `known` have shape (n_passages, n_labels); cells that are not `known` count nowhere;
    `groups` holds group numbers 0 … n_groups - 1, shape (n_passages,).

    >>> gold = np.array([[True], [True], [False]])
    >>> predicted = np.array([[True], [False], [True]])
    >>> grouped_counts(gold, predicted, np.ones_like(gold), np.array([0, 0, 1])).tolist()
    [[[1.0, 0.0, 1.0]], [[0.0, 1.0, 0.0]]]
    """
    if not gold.shape == predicted.shape == known.shape:
        raise ValueError(f"shapes differ: gold {gold.shape}, predicted {predicted.shape}, known {known.shape}")
    cells = np.stack([gold & predicted & known, ~gold & predicted & known, gold & ~predicted & known], axis=-1)
    counts = np.zeros((int(groups.max(initial=-1)) + 1, *cells.shape[1:]))
    np.add.at(counts, groups, cells)
    return counts


def precision(counts: FloatArray) -> FloatArray:
    """TP / (TP + FP) over the last axis of (TP, FP, FN) counts; NaN where nothing was predicted."""
    return _ratio(counts[..., TP], counts[..., TP] + counts[..., FP])


def recall(counts: FloatArray) -> FloatArray:
    """TP / (TP + FN) over the last axis of (TP, FP, FN) counts; NaN where nothing is gold."""
    return _ratio(counts[..., TP], counts[..., TP] + counts[..., FN])


def f1(counts: FloatArray) -> FloatArray:
    """2 TP / (2 TP + FP + FN) (van Rijsbergen 1979, ch. 7) over the last axis of (TP, FP, FN) counts.

    NaN where a label is neither gold nor predicted anywhere. Pooled counts of all folds give the pooled F1, the one
    of the ways in use that is not biased (Forman & Scholz 2010).

    >>> f1(np.array([[3.0, 1.0, 1.0], [0.0, 0.0, 0.0]])).tolist()
    [0.75, nan]
    """
    return _ratio(2 * counts[..., TP], 2 * counts[..., TP] + counts[..., FP] + counts[..., FN])


def average_precision(gold: BoolArray, score: FloatArray) -> float:
    """Average precision of one label: the sum of precision times gain in recall down the ranking.

    Both inputs have shape (n_passages,). Passages with equal scores enter together, as in scikit-learn's
    `average_precision_score`. NaN without a positive. Chance level is the prevalence.

    >>> average_precision(np.array([True, False, True]), np.array([0.9, 0.8, 0.7]))
    0.8333333333333333
    """
    if not gold.any():
        return float("nan")
    recall_at, precision_at = precision_recall_curve(gold, score)
    return float(np.sum(np.diff(recall_at, prepend=0) * precision_at))


def precision_recall_curve(gold: BoolArray, score: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Recall and precision down the ranking, one point a distinct score, both of shape (n_distinct_scores,).

    Both inputs have shape (n_passages,); at least one passage is gold.
    """
    order = np.argsort(-score, kind="stable")
    ranked, hits = score[order], np.cumsum(gold[order])
    last_of_tie = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    return hits[last_of_tie] / hits[-1], hits[last_of_tie] / (last_of_tie + 1)


def agreeing_rows(gold: BoolArray, predicted: BoolArray, known: BoolArray) -> tuple[BoolArray, BoolArray]:
    """Which passages have every label right, and which are known in full; both of shape (n_passages,).

    Their ratio is exact match for a multilabel task and accuracy for a multiclass task.
    """
    complete = known.all(axis=1)
    return np.asarray((gold == predicted).all(axis=1) & complete), np.asarray(complete)


def grouped_rates(hits: BoolArray, of: BoolArray, groups: IntArray) -> FloatArray:
    """Hits and totals a group, shape (n_groups, 2), for the interval of a plain rate."""
    n_groups = int(groups.max(initial=-1)) + 1
    return np.stack([np.bincount(groups, weights=cells, minlength=n_groups) for cells in (hits & of, of)], axis=-1)


def rate(counts: FloatArray) -> FloatArray:
    """Hits / totals over the last axis of (hits, totals) counts; NaN where the total is 0."""
    return _ratio(counts[..., 0], counts[..., 1])


def confusion(gold: BoolArray, predicted: BoolArray, known: BoolArray) -> IntArray:
    """Passages by gold (rows) and predicted label (columns), shape (n_labels, n_labels); multiclass tasks only."""
    rows = known.all(axis=1)
    return gold[rows].T.astype(np.int64) @ predicted[rows].astype(np.int64)


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    safe = np.where(denominator > 0, denominator, np.nan)
    return np.asarray(numerator / safe)
