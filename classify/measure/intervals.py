"""Turn leave-one-group-out values into an interval: the delete-one-group jackknife with a t quantile."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from classify.measure.arrays import FloatArray

MIN_GROUPS = 6


@dataclass(frozen=True)
class Estimate:
    """A value with its 95% interval; each part is None where it can't be given.

    >>> str(Estimate(0.61, 0.52, 0.69))
    '0.61 (0.52–0.69)'
    """

    value: float | None
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.value is None:
            return "–"
        return f"{self.value:.2f}" if self.low is None else f"{self.value:.2f} ({self.low:.2f}–{self.high:.2f})"

    def to_dict(self) -> dict[str, float | None]:
        """`{value, low, high}`, as the evaluation's files hold it."""
        return {"value": self.value, "low": self.low, "high": self.high}


def jackknife_t(
    value: float, without: FloatArray, *, lowest: float = 0.0, highest: float = 1.0, level: float = 0.95
) -> Estimate:
    """The interval value ± t(G-1) · sqrt((G-1)/G · Σ(θ₋g - mean θ₋g)²), cut at the measure's bounds.

    `without` holds the measure with each of the G groups (events) left out, shape (G,). Method: MacKinnon, Nielsen &
    Webb 2023 (cluster jackknife). No interval under 6 groups, nor where leaving a group out makes the measure
    undefined; no value where `value` is NaN.

    >>> str(jackknife_t(0.5, np.array([0.5, 0.45, 0.55, 0.5, 0.48, 0.52])))
    '0.50 (0.32–0.68)'
    """
    n_groups = len(without)
    if math.isnan(value):
        return Estimate(None)
    if n_groups < MIN_GROUPS or not np.isfinite(without).all():
        return Estimate(value)
    from scipy import stats

    spread = math.sqrt((n_groups - 1) / n_groups * float(((without - without.mean()) ** 2).sum()))
    half = float(stats.t.ppf(0.5 + level / 2, n_groups - 1)) * spread
    return Estimate(value, max(lowest, value - half), min(highest, value + half))


def estimate_from_counts(
    counts: FloatArray, measure: Callable[[FloatArray], FloatArray], *, lowest: float = 0.0, highest: float = 1.0
) -> Estimate:
    """The interval of a measure that depends on counts summed over groups.

    `counts` has the groups on its first axis; `measure` maps summed counts, with any axes in front, to values.

    >>> counts = np.array([[8.0, 10.0]] * 6)
    >>> str(estimate_from_counts(counts, lambda c: c[..., 0] / c[..., 1]))
    '0.80 (0.80–0.80)'
    """
    total = counts.sum(axis=0)
    return jackknife_t(float(measure(total)), measure(total - counts), lowest=lowest, highest=highest)
