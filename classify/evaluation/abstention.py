"""Decisions with their certainty to what setting doubtful passages aside saves."""

import numpy as np

from classify.data.dataset import TaskGold
from classify.evaluation.heldout import HeldOut
from classify.evaluation.results import Abstention, RiskBand
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.intervals import jackknife_t
from classify.measure.scores import agreeing_rows, risk_coverage

LEAST_KEPT = 30
"""The band starts at the surest 30 passages: of fewer, one mistake is a large share."""
N_POINTS = 41


def judge_abstention(gold: TaskGold, model: HeldOut, groups: IntArray, *, margin: float) -> Abstention | None:
    """Risk and coverage over the passages known in full; None if there are none.

    `groups` numbers the events, as `jackknife_groups` gives them; a passage asks for review where its certainty is
    under `margin`.
    """
    right, complete = agreeing_rows(gold.gold, model.predicted, gold.known)
    if not complete.any():
        return None
    wrong, certainty, groups = ~right[complete], model.certainty[complete], groups[complete]
    coverage, risk = risk_coverage(certainty, wrong)
    without = [_curve(certainty[groups != n], wrong[groups != n]) for n in range(int(groups.max()) + 1)]
    kept = certainty >= margin
    return Abstention(
        coverage=coverage,
        risk=risk,
        area=jackknife_t(_area(coverage, risk), np.array([_area(*curve) for curve in without])),
        kept=float(kept.mean()),
        kept_risk=float(wrong[kept].mean()) if kept.any() else None,
        band=_band(coverage, risk, without, len(wrong)),
    )


Curve = tuple[FloatArray, FloatArray]


def _curve(certainty: FloatArray, wrong: BoolArray) -> Curve:
    return risk_coverage(certainty, wrong) if len(wrong) else (np.zeros(0), np.zeros(0))


def _area(coverage: FloatArray, risk: FloatArray) -> float:
    return float((risk * np.diff(coverage, prepend=0)).sum()) if len(risk) else float("nan")


def _band(coverage: FloatArray, risk: FloatArray, without: list[Curve], n_passages: int) -> RiskBand | None:
    """The risk at evenly spaced coverages with its jackknife interval; None under 60 passages."""
    if n_passages < 2 * LEAST_KEPT or not all(len(of) for of, _ in without):
        return None
    grid = np.linspace(LEAST_KEPT / n_passages, 1, N_POINTS)
    value = _at(coverage, risk, grid)
    left_out = np.stack([_at(*curve, grid) for curve in without])
    found = [jackknife_t(float(value[n]), left_out[:, n]) for n in range(len(grid))]
    low, high = (np.array(side, dtype=np.float64) for side in ([f.low for f in found], [f.high for f in found]))
    return RiskBand(grid, value, low, high)


def _at(coverage: FloatArray, risk: FloatArray, asked: FloatArray) -> FloatArray:
    """The risk of the smallest part of the curve that holds so large a share of the passages."""
    return np.asarray(risk[np.searchsorted(coverage, np.minimum(asked, coverage[-1]) - 1e-9)])
