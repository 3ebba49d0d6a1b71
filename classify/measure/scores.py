"""Turn gold labels and predictions into precision, recall, F1, average precision, exact match and the like.

Counts are kept a group (an event), because the interval of every measure comes from leaving one group out in turn.
"""

import numpy as np

from classify.measure.arrays import BoolArray, FloatArray, IntArray

TP, FP, FN, TN = range(4)

_MAX_CELLS = 1_000_000
"""Of a table of groups by distinct scores that is held at once."""


def grouped_counts(gold: BoolArray, predicted: BoolArray, known: BoolArray, groups: IntArray) -> FloatArray:
    """True positives, false positives, false negatives, true negatives, shape (n_groups, n_labels, 4).

    `gold`, `predicted` and `known` have shape (n_passages, n_labels); cells that are not `known` count nowhere;
    `groups` holds group numbers 0 … n_groups - 1, shape (n_passages,).

    >>> gold = np.array([[True], [True], [False]])
    >>> predicted = np.array([[True], [False], [True]])
    >>> grouped_counts(gold, predicted, np.ones_like(gold), np.array([0, 0, 1])).tolist()
    [[[1.0, 0.0, 1.0, 0.0]], [[0.0, 1.0, 0.0, 0.0]]]
    """
    if not gold.shape == predicted.shape == known.shape:
        raise ValueError(f"shapes differ: gold {gold.shape}, predicted {predicted.shape}, known {known.shape}")
    cells = np.stack([gold & predicted, ~gold & predicted, gold & ~predicted, ~gold & ~predicted], axis=-1)
    return sum_by_group(cells & known[..., None], groups)


def sum_by_group(values: BoolArray | FloatArray, groups: IntArray) -> FloatArray:
    """Sums over the rows of each group, shape (n_groups, …) for values of shape (n_passages, …)."""
    sums = np.zeros((int(groups.max(initial=-1)) + 1, *values.shape[1:]))
    np.add.at(sums, groups, values)
    return sums


def precision(counts: FloatArray) -> FloatArray:
    """TP / (TP + FP) over the last axis of (TP, FP, FN, TN) counts; NaN where nothing was predicted."""
    return _ratio(counts[..., TP], counts[..., TP] + counts[..., FP])


def recall(counts: FloatArray) -> FloatArray:
    """TP / (TP + FN) over the last axis of (TP, FP, FN, TN) counts; NaN where nothing is gold."""
    return _ratio(counts[..., TP], counts[..., TP] + counts[..., FN])


def f1(counts: FloatArray) -> FloatArray:
    """2 TP / (2 TP + FP + FN) (van Rijsbergen 1979, ch. 7) over the last axis of (TP, FP, FN, TN) counts.

    NaN where a label is neither gold nor predicted anywhere. Pooled counts of all folds give the pooled F1, the one
    of the ways in use that is not biased (Forman & Scholz 2010).

    >>> f1(np.array([[3.0, 1.0, 1.0, 5.0], [0.0, 0.0, 0.0, 9.0]])).tolist()
    [0.75, nan]
    """
    return _ratio(2 * counts[..., TP], 2 * counts[..., TP] + counts[..., FP] + counts[..., FN])


def matthews(counts: FloatArray) -> FloatArray:
    """Matthews correlation (Matthews 1975) over the last axis of (TP, FP, FN, TN) counts, in [-1, 1].

    NaN where a label is everywhere or nowhere, in the gold labels or in the predictions.

    >>> matthews(np.array([[4.0, 0.0, 0.0, 6.0], [0.0, 0.0, 3.0, 7.0]])).tolist()
    [1.0, nan]
    """
    tp, fp, fn, tn = np.moveaxis(counts, -1, 0)
    return _ratio(tp * tn - fp * fn, np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))


def hamming_loss(counts: FloatArray) -> FloatArray:
    """Share of wrong cells over the last two axes (n_labels, 4): a tagger that says nothing has the mean prevalence."""
    total = counts.sum(axis=-2)
    return _ratio(total[..., FP] + total[..., FN], total.sum(axis=-1))


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
    ends, hits = _cumulated(score, gold)
    return hits / hits[-1], hits / (ends + 1)


def average_precision_without(gold: BoolArray, score: FloatArray, groups: IntArray) -> FloatArray:
    """Average precision with each group left out in turn, shape (n_groups,); NaN where that leaves no positive.

    `gold`, `score` and `groups` (numbers 0 … n_groups - 1) have shape (n_passages,). The ranking is sorted once: what a
    group takes away from the counts at each distinct score is a cumulated histogram of its own members.

    >>> average_precision_without(np.array([True, False, True]), np.array([0.9, 0.8, 0.7]), np.array([0, 1, 1]))
    array([0.5, 1. ])
    """
    n_groups = int(groups.max(initial=-1)) + 1
    if not gold.any():
        return np.full(n_groups, np.nan)
    # segments of the ranking, from the top, each ending at a score that some positive has
    at = np.unique(-score[gold])
    segment = np.searchsorted(at, -score)
    members, positives = np.bincount(segment, minlength=len(at)), np.bincount(segment[gold], minlength=len(at))
    without = np.empty(n_groups)
    step = max(1, _MAX_CELLS // len(at))
    for first in range(0, n_groups, step):
        shape = (min(step, n_groups - first), len(at))
        inside = (groups >= first) & (groups < first + step) & (segment < len(at))
        left = members[: len(at)] - _histogram(groups[inside] - first, segment[inside], shape)
        inside &= gold
        left_positives = positives - _histogram(groups[inside] - first, segment[inside], shape)
        precision_at = np.cumsum(left_positives, axis=1) / np.maximum(np.cumsum(left, axis=1), 1)
        total = (left_positives * precision_at).sum(axis=1)
        without[first : first + step] = _ratio(total, left_positives.sum(axis=1))
    return without


def _histogram(rows: IntArray, columns: IntArray, shape: tuple[int, int]) -> IntArray:
    return np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1]).reshape(shape)


def roc_auc(gold: BoolArray, score: FloatArray) -> float:
    """Area under the ROC curve of one label: how often a positive ranks above a negative, ties counting half.

    Both inputs have shape (n_passages,). NaN where all passages are alike.

    >>> roc_auc(np.array([True, False, False]), np.array([0.5, 0.5, 0.1]))
    0.75
    """
    n_positive = int(gold.sum())
    pairs = n_positive * (len(gold) - n_positive)
    if pairs == 0:
        return float("nan")
    _, place, n = np.unique(score, return_inverse=True, return_counts=True)
    middle_rank = np.cumsum(n) - (n - 1) / 2
    return float((middle_rank[place[gold]].sum() - n_positive * (n_positive + 1) / 2) / pairs)


def weighted_average_precision(gold: BoolArray, score: FloatArray, weights: FloatArray) -> FloatArray:
    """Average precision under each row of weights, shape (n_draws,), for drawing passages again.

    `gold` and `score` have shape (n_passages,), `weights` (n_draws, n_passages), whole numbers. Equal scores share one
    place. 0 where no positive is drawn.

    >>> weighted_average_precision(np.array([True, False]), np.array([0.1, 0.9]), np.array([[1.0, 1.0], [3.0, 1.0]]))
    array([0.5 , 0.75])
    """
    order = np.argsort(-score, kind="stable")
    drawn, ranked = weights[:, order], score[order]
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    tie = ends[np.searchsorted(ends, np.arange(len(ranked)))]
    positive = drawn * gold[order]
    hits, seen = np.cumsum(positive, axis=1), np.cumsum(drawn, axis=1)
    total = (positive * hits[:, tie] / np.maximum(seen[:, tie], 1)).sum(axis=1)
    return np.asarray(total / np.maximum(hits[:, -1], 1))


def ranks_of(score: FloatArray) -> FloatArray:
    """Ranks down each column, in (0, 1), equal scores sharing theirs; for pooling folds whose scores differ in scale.

    >>> ranks_of(np.array([[-3.0], [9.0]])).tolist()
    [[0.25], [0.75]]
    """
    from scipy import stats

    return np.asarray((stats.rankdata(score, axis=0) - 0.5) / max(1, len(score)))


def label_ranking_precision(gold: BoolArray, score: FloatArray) -> FloatArray:
    """Label-ranking average precision of each passage (Schapire & Singer 2000), shape (n_passages,).

    Both inputs have shape (n_passages, n_labels). For each gold label the share of gold labels among those ranked as
    high or higher, averaged. NaN for a passage without a label, which scikit-learn counts as 1.
    """
    total = np.zeros(len(gold))
    for column in range(gold.shape[1]):
        above = score >= score[:, [column]]
        total += gold[:, column] * (above & gold).sum(axis=1) / above.sum(axis=1)
    return _ratio(total, gold.sum(axis=1))


def agreeing_rows(gold: BoolArray, predicted: BoolArray, known: BoolArray) -> tuple[BoolArray, BoolArray]:
    """Which passages have every label right, and which are known in full; both of shape (n_passages,).

    Their ratio is exact match for a multilabel task and accuracy for a multiclass task.
    """
    complete = known.all(axis=1)
    return np.asarray((gold == predicted).all(axis=1) & complete), np.asarray(complete)


def grouped_rates(hits: BoolArray, of: BoolArray, groups: IntArray) -> FloatArray:
    """Hits and totals a group, shape (n_groups, 2), for the interval of a plain rate."""
    return sum_by_group(np.stack([hits & of, of], axis=-1), groups)


def rate(counts: FloatArray) -> FloatArray:
    """Hits / totals over the last axis of (hits, totals) counts; NaN where the total is 0."""
    return _ratio(counts[..., 0], counts[..., 1])


def confusion(gold: BoolArray, predicted: BoolArray, known: BoolArray) -> IntArray:
    """Passages by gold (rows) and predicted label (columns), shape (n_labels, n_labels); multiclass tasks only."""
    rows = known.all(axis=1)
    return gold[rows].T.astype(np.int64) @ predicted[rows].astype(np.int64)


def co_confusion(gold: BoolArray, predicted: BoolArray, known: BoolArray) -> IntArray:
    """Passages by the label that was missed (rows) and the one given wrongly (columns), shape (n_labels, n_labels).

    A passage that lacks one gold label and has one wrong label counts once, so a large cell says: these two are taken
    for each other. The diagonal is 0.

    >>> co_confusion(np.array([[True, False]]), np.array([[False, True]]), np.array([[True, True]])).tolist()
    [[0, 1], [0, 0]]
    """
    missed, wrong = gold & ~predicted & known, ~gold & predicted & known
    return np.asarray(missed.T.astype(np.int64) @ wrong.astype(np.int64))


def risk_coverage(confidence: FloatArray, wrong: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Coverage and risk (share wrong) of keeping the most confident passages, one point a distinct confidence.

    Both inputs have shape (n_passages,); passages of equal confidence enter together (El-Yaniv & Wiener 2010).

    >>> [x.tolist() for x in risk_coverage(np.array([0.9, 0.5, 0.5, 0.1]), np.array([False, True, False, True]))]
    [[0.25, 0.75, 1.0], [0.0, 0.3333333333333333, 0.5]]
    """
    ends, wrongs = _cumulated(confidence, wrong)
    return (ends + 1) / len(confidence), wrongs / (ends + 1)


def _cumulated(score: FloatArray, flagged: BoolArray) -> tuple[IntArray, IntArray]:
    """Down the ranking, at the last passage of each distinct score: its place, and the flagged passages so far."""
    order = np.argsort(-score, kind="stable")
    ranked, sums = score[order], np.cumsum(flagged[order])
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    return ends, sums[ends]


def _ratio(numerator: FloatArray | IntArray, denominator: FloatArray | IntArray) -> FloatArray:
    safe = np.where(denominator > 0, denominator, np.nan)
    return np.asarray(numerator / safe)
