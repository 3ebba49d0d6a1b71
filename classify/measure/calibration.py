"""Turn scores into probabilities by Platt's sigmoid, and judge probabilities: line, Brier skill, reliability."""

from dataclasses import dataclass

import numpy as np

from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.intervals import Estimate, estimate_from_counts, jackknife_t
from classify.measure.scores import rate, sum_by_group

_MAX_STEPS = 100
_LEAST_SLOPE = 1e-6
_LEAST_P = 1e-9
_FAR = 2.0
MIN_FOR_BINS = 200
"""Expected calibration error of fewer predictions is mostly noise."""
MIN_IN_BIN = 20


def sigmoid(logit: FloatArray) -> FloatArray:
    """1 / (1 + exp(-x)) without overflow."""
    shrunk = np.exp(-np.abs(logit))
    return np.asarray(np.where(logit >= 0, 1.0, shrunk) / (1.0 + shrunk))


def fit_platt(score: FloatArray, gold: BoolArray) -> tuple[float, float]:
    """Slope and intercept of p = sigmoid(slope · score + intercept) for one label (Platt 1999).

    `score` and `gold` have shape (n_passages,). The targets are Platt's smoothed ones, (n₊+1)/(n₊+2) and 1/(n₋+2), so
    that few positives never give 0 or 1; the fit is Newton's with step halving (Lin, Lin & Weng 2007). We depart from
    Platt in one point: a slope that would turn the ranking round becomes a barely positive one, so that probabilities
    stay at the share of positives and equal ones are still told apart by their scores.

    >>> slope, intercept = fit_platt(np.array([-1.0, 0.0, 1.0]), np.array([False, False, False]))
    >>> round(slope, 6), round(float(sigmoid(np.array(intercept))), 6)
    (0.0, 0.2)
    """
    n_positive = int(gold.sum())
    high, low = (n_positive + 1) / (n_positive + 2), 1 / (len(gold) - n_positive + 2)
    target = np.where(gold, high, low)
    share = float(target.mean()) if len(target) else 0.5
    constant = float(np.log(share / (1 - share)))
    if n_positive in (0, len(gold)):
        return 0.0, constant
    centre, scale = float(score.mean()), float(score.std())
    if scale <= 1e-12 * np.abs(score).max():
        return 0.0, constant
    design = np.c_[(score - centre) / scale, np.ones_like(score)]
    slope, intercept = _newton(design, target, np.array([0.0, constant]), np.zeros_like(score)).tolist()
    if slope < _LEAST_SLOPE:
        slope, intercept = _LEAST_SLOPE, constant
    return slope / scale, intercept - slope * centre / scale


def _newton(design: FloatArray, target: FloatArray, start: FloatArray, offset: FloatArray) -> FloatArray:
    """The weights that minimise the log-loss of design @ weights + offset."""
    weights = start
    loss = _log_loss(design @ weights + offset, target)
    for _ in range(_MAX_STEPS):
        p = sigmoid(design @ weights + offset)
        gradient = design.T @ (p - target)
        if np.abs(gradient).max() < 1e-10 * len(target):
            break
        hessian = (design * (p * (1 - p))[:, None]).T @ design + 1e-12 * np.eye(len(weights))
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-10 and _log_loss(design @ (weights - size * step) + offset, target) > loss:
            size /= 2
        weights = weights - size * step
        loss = _log_loss(design @ weights + offset, target)
    return weights


def _log_loss(logit: FloatArray, target: FloatArray) -> float:
    return float((np.logaddexp(0, logit) - target * logit).sum())


def calibration_line(probability: FloatArray, gold: BoolArray, groups: IntArray) -> tuple[Estimate, Estimate]:
    """Calibration slope and intercept of one label (Cox 1958; Van Calster et al. 2016): 1 and 0 are perfect.

    All inputs have shape (n_passages,). The slope is that of gold on logit(probability) by logistic regression; under 1
    the probabilities are too extreme. The intercept is fitted with the slope held at 1; under 0 they are too high on
    the whole. Intervals are jackknives over groups, each deletion by one Newton step from the fit (MacKinnon, Nielsen &
    Webb 2023); none where such a step would have to go far. No slope where a probability separates the labels or never
    varies; neither where all passages are alike.
    """
    clipped = np.clip(probability, _LEAST_P, 1 - _LEAST_P)
    x = np.log(clipped / (1 - clipped))
    if not gold.any() or gold.all():
        return Estimate(None), Estimate(None)
    ones = np.ones((len(x), 1))
    intercept = _logistic_jackknife(ones, x, gold, groups)
    separates = x[gold].min() >= x[~gold].max() or x[gold].max() <= x[~gold].min()
    if separates or np.ptp(x) < _LEAST_P:
        return Estimate(None), intercept
    return _logistic_jackknife(np.c_[x, ones], np.zeros_like(x), gold, groups), intercept


def _logistic_jackknife(design: FloatArray, offset: FloatArray, gold: BoolArray, groups: IntArray) -> Estimate:
    """The first coefficient of a logistic regression with an offset, and its interval."""
    weights = _newton(design, gold.astype(np.float64), np.zeros(design.shape[1]), offset)
    p = sigmoid(design @ weights + offset)
    score = sum_by_group((gold - p)[:, None] * design, groups)
    outer = design[:, :, None] * design[:, None, :]
    information = sum_by_group((p * (1 - p))[:, None, None] * outer, groups)
    left = information.sum(axis=0) - information
    solvable = np.linalg.det(left) > _LEAST_P**2
    safe = np.where(solvable[:, None, None], left, np.eye(len(weights)))
    steps = np.linalg.solve(safe, -score[..., None])[:, 0, 0]
    of_gold = sum_by_group(np.stack([gold, ~gold], axis=1), groups)
    both_left = (of_gold.sum(axis=0) - of_gold > 0).all(axis=1)
    without = np.where(solvable & both_left & (np.abs(steps) < _FAR), weights[0] + steps, np.nan)
    return jackknife_t(float(weights[0]), without, lowest=-np.inf, highest=np.inf)


def brier_skill(probability: FloatArray, gold: BoolArray, groups: IntArray) -> Estimate:
    """1 - Brier score / Brier score of always saying the prevalence (Brier 1950), with its interval over groups.

    All inputs have shape (n_passages,). At most 1; 0 is no better than the prevalence, below 0 worse. No value where
    all passages are alike.

    >>> brier_skill(np.array([0.9, 0.1]), np.array([True, False]), np.array([0, 1])).value
    0.96
    """
    cells = np.stack([(probability - gold) ** 2, gold.astype(np.float64), np.ones(len(gold))], axis=1)
    return estimate_from_counts(sum_by_group(cells, groups), _skill, lowest=-np.inf)


def _skill(sums: FloatArray) -> FloatArray:
    squares, positives, total = np.moveaxis(sums, -1, 0)
    of_prevalence = positives * (1 - positives / np.maximum(total, 1))
    return np.asarray(1 - squares / np.where(of_prevalence > 0, of_prevalence, np.nan))


@dataclass(frozen=True)
class Reliability:
    """Bins of equal size from the lowest probability up: mean probability, share that is gold, number of passages."""

    probability: FloatArray
    share: FloatArray
    n: IntArray

    @property
    def error(self) -> float | None:
        """Expected calibration error (Naeini, Cooper & Hauskrecht 2015); None under 200 predictions."""
        total = int(self.n.sum())
        if total < MIN_FOR_BINS:
            return None
        return float((np.abs(self.probability - self.share) * self.n).sum() / total)


def reliability(probability: FloatArray, gold: BoolArray, *, n_bins: int = 10) -> Reliability:
    """Probabilities of shape (n_passages,) beside what they came to, in bins of equal size; equal ones stay together.

    >>> found = reliability(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True]), n_bins=2)
    >>> found.share.tolist(), found.n.tolist()
    ([0.0, 1.0], [2, 2])
    """
    bins = np.searchsorted(np.sort(probability), probability) * n_bins // max(1, len(probability))
    sums = sum_by_group(
        np.stack([probability, gold, np.ones(len(gold))], axis=1), np.unique(bins, return_inverse=True)[1]
    )
    return Reliability(sums[:, 0] / sums[:, 2], sums[:, 1] / sums[:, 2], sums[:, 2].astype(np.int64))


@dataclass(frozen=True)
class CalibrationCurve:
    """Probabilities in steps of a tenth, from the lowest up, all of shape (n_bins,).

    Mean probability, share that is gold with its 95% interval over events (NaN where there is none), number of answers.
    """

    probability: FloatArray
    share: FloatArray
    low: FloatArray
    high: FloatArray
    n: IntArray


def calibration_curve(
    probability: FloatArray, gold: BoolArray, groups: IntArray, *, n_bins: int = 10
) -> CalibrationCurve:
    """Probabilities beside what they came to, in bins of equal width; all inputs have shape (n_answers,).

    Where most probabilities are small, bins of equal size crowd there and leave one for all the others, and these
    don't. A bin with under 20 answers is joined to those below it, the lowest to that above.

    >>> p, gold = np.repeat([0.05, 0.15, 0.65], [20, 2, 20]), np.repeat([False, True], [20, 22])
    >>> found = calibration_curve(p, gold, np.arange(42))
    >>> found.n.tolist(), found.share.round(2).tolist()
    ([22, 20], [0.09, 1.0])
    """
    bins = _joined(np.minimum(n_bins - 1, (n_bins * probability).astype(np.int64)), n_bins)
    means = sum_by_group(np.stack([probability, gold, np.ones(len(gold))], axis=1), bins)
    found = [_share(gold, bins == one, groups) for one in range(len(means))] if len(gold) else []
    low, high = (np.array(side, dtype=np.float64) for side in ([f.low for f in found], [f.high for f in found]))
    n = means[:, 2]
    return CalibrationCurve(means[:, 0] / n, means[:, 1] / n, low, high, n.astype(np.int64))


def _joined(bins: IntArray, n_bins: int) -> IntArray:
    """The bins numbered anew, small ones joined to their neighbour."""
    counts = np.bincount(bins, minlength=n_bins)
    begins = np.zeros(n_bins, dtype=np.bool_)
    room = 0
    for n in reversed(range(n_bins)):
        room += int(counts[n])
        if room >= MIN_IN_BIN:
            begins[n], room = True, 0
    return np.asarray(np.maximum(np.cumsum(begins)[bins] - 1, 0))


def _share(gold: BoolArray, chosen: BoolArray, groups: IntArray) -> Estimate:
    return estimate_from_counts(sum_by_group(np.stack([gold & chosen, chosen], axis=1), groups), rate)
