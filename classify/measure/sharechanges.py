"""Shares of the parts of a corpus to differences between them, and dated hand labels to a trend."""

import math
from dataclasses import dataclass, replace

import numpy as np

from classify.measure.arrays import FloatArray
from classify.measure.intervals import Estimate
from classify.measure.shares import FEW_POSITIVES, Audit, Share, fit_credit, numbered, t_quantile

MIN_FOR_TREND = 10
"""Audited passages, and clusters of them, under which no trend is fitted."""


@dataclass(frozen=True)
class Change:
    """A difference of shares, in [-1, 1], and the two-sided p-value of there being none; None where not to be had."""

    estimate: Estimate
    p: float | None = None


def difference(first: Share, second: Share) -> Change:
    """The first share minus the second, of parts that have no passage in common.

    The interval joins those of the two shares (Newcombe 1998, method 10; Zou & Donner 2008 for any two intervals);
    p belongs to the same interval: it is .05 where that ends at 0.
    """
    one, two = _two_sided(first), _two_sided(second)
    if one.value is None or two.value is None or one.low is None or two.low is None:
        return Change(Estimate(None))
    assert one.high is not None
    assert two.high is not None
    value = one.value - two.value
    below = math.hypot(one.value - one.low, two.high - two.value)
    above = math.hypot(one.high - one.value, two.value - two.low)
    estimate = Estimate(value, max(-1.0, value - below), min(1.0, value + above))
    return Change(estimate, _p_value(value, below if value > 0 else above, first.n_clusters + second.n_clusters - 2))


def _two_sided(share: Share) -> Estimate:
    """The interval of a share; a bound on one side, 95% sure, gives way to the wider one of an interval's 2.5%."""
    estimate = share.estimate
    if estimate.low is None or math.isinf(share.effective_n) or share.n_positive not in (0, share.n):
        return estimate
    bound = 1 - 0.025 ** (1 / share.effective_n)
    return replace(estimate, high=bound) if share.n_positive == 0 else replace(estimate, low=1 - bound)


def trend(
    audit: Audit, time: FloatArray, corpus_score: FloatArray, corpus_time: FloatArray, *, seed: int = 0
) -> Change:
    """By how much the share rose from the first to the last date of the corpus, along a straight line.

    The least-squares slope of λ·f over the corpus plus that of y - λ·f over the audited passages, weighted (what
    design-based supervised learning regresses, Egami et al. 2023), times the corpus's span; standard errors are
    cluster-robust (CR1) with a t quantile, two degrees of freedom fewer than clusters. `time` has shape (n_audited,),
    the corpus's arrays (n_corpus,), all times the same unit. Nothing where fewer than MIN_FOR_TREND passages or
    clusters were audited, or all at one time, or fewer than FEW_POSITIVES passages with or without the label.
    """
    n_positive = int(audit.gold.sum())
    if min(n_positive, len(time) - n_positive) < FEW_POSITIVES:
        return Change(Estimate(None))
    cluster, n_clusters = numbered(audit.cluster)
    w = audit.weight / audit.weight.sum()
    span = float(np.ptp(corpus_time)) if len(corpus_time) else 0.0
    if min(len(time), n_clusters) < MIN_FOR_TREND or span == 0 or np.ptp(time) == 0:
        return Change(Estimate(None))
    slope_of_score, level = _line(np.full(len(corpus_time), 1 / len(corpus_time)), corpus_time, corpus_score)
    credit = fit_credit(audit, seed=seed)
    rectified = audit.gold - credit * (audit.score - level - slope_of_score * time)
    slope, intercept = _line(w, time, rectified)
    centred = time - w @ time
    pull = w * centred * (rectified - intercept - slope * time)
    sums = np.bincount(cluster, pull, n_clusters)
    n = len(time)
    adjusted = n_clusters / (n_clusters - 1) * (n - 1) / (n - 2)
    error = math.sqrt(adjusted * float((sums**2).sum())) / float(w @ centred**2)
    value, half = slope * span, t_quantile(n_clusters - 2) * error * span
    within = (float(np.clip(x, -1, 1)) for x in (value, value - half, value + half))
    return Change(Estimate(*within), _p_value(value, half, n_clusters - 2))


def _line(w: FloatArray, x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Slope and intercept of the weighted least-squares line; weights sum to one."""
    centred = x - w @ x
    slope = float(w @ (centred * y) / (w @ centred**2))
    return slope, float(w @ y - slope * (w @ x))


def _p_value(value: float, half: float, df: int) -> float | None:
    """The p-value of a t test whose 95% interval reaches `half` from the value towards 0."""
    from scipy.special import stdtr

    if df < 1:
        return None
    if half == 0:
        return 0.0 if value else 1.0
    return float(2 * stdtr(df, -abs(value) / half * t_quantile(df)))
