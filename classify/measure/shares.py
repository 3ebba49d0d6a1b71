"""Hand labels of an audit sample and scores of a whole corpus to the share that carries a label, with its interval."""

import math
from dataclasses import dataclass

import numpy as np

from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.intervals import Estimate

FEW_POSITIVES = 5
"""With fewer audited passages that carry the label, or that don't, the scores get no credit."""
N_FOLDS = 5
LARGE_PART = 0.1
"""From this part of a corpus on, an audit sample counts as drawn without replacement."""
_MOST_CREDIT = 20.0
"""The scores are never taken to be worth more than this many times the hand labels."""


@dataclass(frozen=True)
class Audit:
    """Audited passages of a corpus; all arrays have shape (n_audited,).

    `gold` is 1 where the label was given by hand, `score` what the tagger says (any number, without having learnt from
    the passage), `weight` the inverse of the probability the passage was drawn with, `cluster` a number for passages
    that stand or fall together, such as those of one document.
    """

    gold: FloatArray
    score: FloatArray
    weight: FloatArray
    cluster: IntArray

    def of(self, rows: BoolArray) -> "Audit":
        """Some of the passages."""
        return Audit(self.gold[rows], self.score[rows], self.weight[rows], self.cluster[rows])


@dataclass(frozen=True)
class Share:
    """The share of a corpus that carries a label, in [0, 1].

    `estimate` has no lower bound but 0 where no audited passage carries the label; its parts are None where nothing
    was audited. `labels_only` is the weighted share among audited passages alone. `effective_n` is the size of a simple
    random sample from an endless corpus that would tell as much by hand labels alone, `worth` how many further hand
    labels in this corpus the scores stand for, `credit` (lambda, 0 to 1) how far the scores were followed.
    """

    estimate: Estimate
    labels_only: float | None
    n: int
    n_positive: int
    n_clusters: int
    effective_n: float
    worth: float
    credit: float


NOTHING = Share(Estimate(None), None, 0, 0, 0, 0.0, 0.0, 0.0)


def estimate_share(
    audit: Audit, mean_score: float, n_corpus: int, *, credit: FloatArray | None = None, seed: int = 0
) -> Share:
    """The cross-fitted, power-tuned prediction-powered mean, with a cluster-robust interval of Wilson's form.

    share = Σ w·(y - λ·(f - mean f)), with λ chosen on the clusters of other folds (`fit_credit`) unless it is given,
    shape (n_audited,). λ = 0 counts the hand labels alone, λ = 1 is the classic prediction-powered or difference
    estimator (Angelopoulos et al. 2023; Angelopoulos, Duchi & Zrnic 2023); with known inclusion probabilities it is the
    mean of design-based supervised learning (Egami et al. 2023). The interval is Wilson's (1927) at the effective
    sample size, with a t quantile (Dean & Pavlou 2015 on such intervals for surveys). It holds for this corpus,
    `n_corpus` passages of which `mean_score` is the mean.

    Fewer than FEW_POSITIVES passages with or without the label: the interval of the labels alone. None with it (or
    none without): a bound on one side, 1 - .05^(1/n) at the effective sample size n, for which the scores' clustering
    stands in, or the number of clusters where the scores are all the same. One cluster: no interval. Where all of the
    corpus was audited, the labels alone, each counted once, without any doubt.
    """
    if not len(audit.gold):
        return NOTHING
    weight = audit.weight if len(audit.gold) < n_corpus else np.ones(len(audit.gold))
    w = weight / weight.sum()
    cluster, n_clusters = numbered(audit.cluster)
    credit = fit_credit(audit, seed=seed) if credit is None else credit
    labels_only = min(1.0, float(w @ audit.gold))
    n_positive = int(audit.gold.sum())
    by_labels_alone = min(n_positive, len(w) - n_positive) < FEW_POSITIVES or len(w) >= n_corpus
    of_labels = _spread(w, audit.gold, cluster, n_clusters)
    rectified = audit.gold - credit * (audit.score - mean_score)
    ratio = 1.0
    if not by_labels_alone and of_labels > 0:
        ratio = float(np.clip(_spread(w, rectified, cluster, n_clusters) / of_labels, 1 / _MOST_CREDIT, 1))
    by_labels = _effective_n(w, audit, of_labels, cluster, n_clusters, n_corpus)
    value = labels_only if by_labels_alone else float(np.clip(w @ rectified, 0, 1))
    return Share(
        _interval(value, by_labels / ratio, n_clusters, n_positive, len(w)),
        labels_only,
        n=len(w),
        n_positive=n_positive,
        n_clusters=n_clusters,
        effective_n=by_labels / ratio,
        worth=_worth(ratio, len(w), n_corpus),
        credit=0.0 if by_labels_alone else float(w @ credit),
    )


def fit_credit(audit: Audit, *, seed: int = 0) -> FloatArray:
    """How far each audited passage's score is followed: λ in [0, 1], shape (n_audited,), fitted without its fold.

    λ = Cov(y, f) / Var(f), weighted (power tuning, Angelopoulos, Duchi & Zrnic 2023); 0 where |corr(y, f)| is below
    1/√(n - 2), under which the tuning itself costs more than it brings (Mani et al. 2025). Folds hold whole clusters.
    """
    cluster, n_clusters = numbered(audit.cluster)
    n_folds = min(N_FOLDS, n_clusters)
    fold = np.random.default_rng(seed).permutation(n_clusters)[cluster] % n_folds
    if n_folds == 1:
        return np.zeros(len(fold))
    return np.array([_credit(audit.of(fold != number)) for number in range(n_folds)])[fold]


def _credit(audit: Audit) -> float:
    w = audit.weight / audit.weight.sum()
    y, f = audit.gold - w @ audit.gold, audit.score - w @ audit.score
    of_both, of_score, of_gold = float(w @ (y * f)), float(w @ f**2), float(w @ y**2)
    if of_score < 1e-12 or of_gold == 0 or len(w) < 4:
        return 0.0
    if abs(of_both) < math.sqrt(of_score * of_gold / (len(w) - 2)):
        return 0.0
    return min(max(of_both / of_score, 0.0), 1.0)


def numbered(cluster: IntArray) -> tuple[IntArray, int]:
    """Clusters numbered from 0, and how many there are."""
    names, numbers = np.unique(cluster, return_inverse=True)
    return numbers, len(names)


def _spread(w: FloatArray, values: FloatArray, cluster: IntArray, n_clusters: int) -> float:
    """The cluster-robust variance of the weighted mean of values."""
    sums = np.bincount(cluster, w * (values - w @ values), n_clusters)
    return float(n_clusters / max(1, n_clusters - 1) * (sums**2).sum())


def _effective_n(
    w: FloatArray, audit: Audit, of_labels: float, cluster: IntArray, n_clusters: int, n_corpus: int
) -> float:
    """Of the labels alone: Kish's for unequal weights, over the design effect of clusters; more of a large part."""
    share, kish = float(w @ audit.gold), float(1 / (w @ w))
    if len(w) >= n_corpus:
        return math.inf
    if n_clusters == 1:
        return 1.0
    values, variance = (audit.gold, share * (1 - share)) if of_labels > 0 else (audit.score, _variance(w, audit.score))
    design = kish * _spread(w, values, cluster, n_clusters) / variance if variance > 1e-12 else kish / n_clusters
    # passages of a stratum drawn whole say nothing of another: each counts by its weight, as in the variance
    left = 1 - kish / n_corpus
    return float(kish / max(1.0, design) / (left if left < 1 - LARGE_PART else 1.0))


def _worth(ratio: float, n: int, n_corpus: int) -> float:
    """How many more of a finite corpus's passages coded by hand would make the variance `ratio` times as large."""
    return n * (1 - ratio) * max(0, n_corpus - n) / (ratio * n_corpus + (1 - ratio) * n)


def _variance(w: FloatArray, values: FloatArray) -> float:
    return float(w @ (values - w @ values) ** 2)


def _interval(value: float, n: float, n_clusters: int, n_positive: int, n_audited: int) -> Estimate:
    if math.isinf(n):
        return Estimate(value, value, value)
    if n_clusters < 2:
        return Estimate(value)
    if n_positive in (0, n_audited):
        bound = 1 - 0.05 ** (1 / n)
        return Estimate(value, 0.0, bound) if n_positive == 0 else Estimate(value, 1 - bound, 1.0)
    return Estimate(value, *wilson(value, n, t_quantile(n_clusters - 1)))


def wilson(share: float, n: float, quantile: float) -> tuple[float, float]:
    """Wilson's (1927) interval of a share at n draws.

    >>> [round(bound, 4) for bound in wilson(0.8, 10, 1.959964)]
    [0.4902, 0.9433]
    """
    shrink = 1 + quantile**2 / n
    centre = (share + quantile**2 / (2 * n)) / shrink
    half = quantile * math.sqrt(share * (1 - share) / n + (quantile / n) ** 2 / 4) / shrink
    return max(0.0, centre - half), min(1.0, centre + half)


def t_quantile(df: int, level: float = 0.95) -> float:
    """Student's t that `level` of draws stay under, either side."""
    from scipy.special import stdtrit  # scipy.stats has the same, and takes a second to import

    return float(stdtrit(df, 0.5 + level / 2))
