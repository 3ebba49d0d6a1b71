"""Turn scores into probabilities: Platt's sigmoid, fitted on scores of passages the model has not seen."""

import numpy as np

from classify.measure.arrays import BoolArray, FloatArray

_MAX_STEPS = 100
_LEAST_SLOPE = 1e-6


def sigmoid(logit: FloatArray) -> FloatArray:
    """1 / (1 + exp(-x)) without overflow."""
    shrunk = np.exp(-np.abs(logit))
    return np.asarray(np.where(logit >= 0, 1.0, shrunk) / (1.0 + shrunk))


def fit_platt(score: FloatArray, gold: BoolArray) -> tuple[float, float]:
    """Slope and intercept of p = sigmoid(slope · score + intercept) for one label (Platt 1999).

    `score` and `gold` have shape (n_passages,). The targets are Platt's smoothed ones, (n₊+1)/(n₊+2) and 1/(n₋+2),
    so that few positives never give 0 or 1; the fit is Newton's with step halving (Lin, Lin & Weng 2007). We depart
    from Platt in one point: a slope that would turn the ranking round becomes a barely positive one, so that
    probabilities stay at the share of positives and equal ones are still told apart by their scores.

    >>> slope, intercept = fit_platt(np.array([-1.0, 0.0, 1.0]), np.array([False, False, False]))
    >>> round(slope, 6), round(float(sigmoid(np.array(intercept))), 6)
    (0.0, 0.2)
    """
    n_positive = int(gold.sum())
    high, low = (n_positive + 1) / (n_positive + 2), 1 / (len(gold) - n_positive + 2)
    target = np.where(gold, high, low)
    constant = float(np.log(target.mean() / (1 - target.mean()))) if len(target) else 0.0
    if n_positive in (0, len(gold)):
        return 0.0, constant
    centre, scale = float(score.mean()), float(score.std())
    if scale <= 1e-12 * np.abs(score).max():
        return 0.0, constant
    slope, intercept = _newton((score - centre) / scale, target, constant)
    if slope < _LEAST_SLOPE:
        slope, intercept = _LEAST_SLOPE, constant
    return slope / scale, intercept - slope * centre / scale


def _newton(x: FloatArray, target: FloatArray, constant: float) -> tuple[float, float]:
    design = np.stack([x, np.ones_like(x)], axis=1)
    weights = np.array([0.0, constant])
    loss = _log_loss(design @ weights, target)
    for _ in range(_MAX_STEPS):
        p = sigmoid(design @ weights)
        gradient = design.T @ (p - target)
        if np.abs(gradient).max() < 1e-10 * len(x):
            break
        hessian = (design * (p * (1 - p))[:, None]).T @ design + 1e-12 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-10 and _log_loss(design @ (weights - size * step), target) > loss:
            size /= 2
        weights = weights - size * step
        loss = _log_loss(design @ weights, target)
    return float(weights[0]), float(weights[1])


def _log_loss(logit: FloatArray, target: FloatArray) -> float:
    return float(np.sum(np.logaddexp(0, logit) - target * logit))
