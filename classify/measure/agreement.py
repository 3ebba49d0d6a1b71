"""Turn the codes of two or more coders into agreement: Krippendorff's alpha, MASI distance, specific agreement.

Codes are numbers of values, -1 where a coder did not code a unit; units without two codes count nowhere.
"""

from collections.abc import Sequence

import numpy as np

from classify.measure.arrays import FloatArray, IntArray
from classify.measure.intervals import Estimate, jackknife_t

NOT_CODED = -1


def nominal_distances(n_values: int) -> FloatArray:
    """0 for equal values, 1 for any others; shape (n_values, n_values)."""
    return 1.0 - np.eye(n_values)


def masi_distances(label_sets: Sequence[frozenset[str]]) -> FloatArray:
    """MASI distances between label sets (Passonneau 2006): 1 - Jaccard · monotonicity; 0 between two empty sets.

    >>> masi_distances([frozenset(), frozenset("a"), frozenset("ab")])[1].round(3).tolist()
    [1.0, 0.0, 0.667]
    """
    return np.array([[1.0 - _masi_similarity(a, b) for b in label_sets] for a in label_sets])


def coincidences(codes: IntArray, n_values: int, groups: IntArray) -> FloatArray:
    """Coincidence matrices a group, shape (n_groups, n_values, n_values) (Krippendorff 2011, step 2).

    `codes` has shape (n_units, n_coders); a unit with m codes adds 1 / (m - 1) for each ordered pair of its codes.
    """
    table = np.zeros((int(groups.max(initial=-1)) + 1, n_values, n_values))
    n_codes = (codes != NOT_CODED).sum(axis=1)
    for unit in np.flatnonzero(n_codes > 1):
        found = codes[unit][codes[unit] != NOT_CODED]
        for i, a in enumerate(found):
            for j, b in enumerate(found):
                if i != j:
                    table[groups[unit], a, b] += 1 / (len(found) - 1)
    return table


def krippendorff_alpha(coincidence: FloatArray, distances: FloatArray) -> float:
    """1 - observed / expected disagreement (Krippendorff 2011); NaN when only one value was ever used.

    >>> both = np.array([[4.0, 1.0], [1.0, 4.0]])
    >>> round(krippendorff_alpha(both, nominal_distances(2)), 4)
    0.64
    """
    of_value = coincidence.sum(axis=1)
    n = of_value.sum()
    if n <= 1:
        return float("nan")
    expected = float((np.outer(of_value, of_value) * distances).sum()) / (n * (n - 1))
    observed = float((coincidence * distances).sum()) / n
    return float(1.0 - observed / expected) if expected > 0 else float("nan")


def alpha_estimate(coincidence: FloatArray, distances: FloatArray) -> Estimate:
    """Alpha with its jackknife interval over groups (Hughes 2022); coincidences as from `coincidences`."""
    total = coincidence.sum(axis=0)
    without = np.array([krippendorff_alpha(total - of_group, distances) for of_group in coincidence])
    return jackknife_t(krippendorff_alpha(total, distances), without, lowest=-1.0)


def specific_agreement(coincidence: FloatArray, value: int = 1) -> float:
    """How often two coders agree where one gave `value`: 2·both / (n₁ + n₂), which is F1 between two coders.

    The ceiling for a model's F1. NaN when nobody gave the value.
    """
    given = coincidence[value].sum()
    return float(coincidence[value, value] / given) if given > 0 else float("nan")


def percent_agreement(coincidence: FloatArray) -> float:
    """Share of pairs of codes that are equal; NaN without a unit coded twice."""
    n = coincidence.sum()
    return float(np.trace(coincidence) / n) if n > 0 else float("nan")


def _masi_similarity(a: frozenset[str], b: frozenset[str]) -> float:
    if a == b:
        return 1.0
    jaccard = len(a & b) / len(a | b)
    monotonicity = 2 / 3 if a < b or b < a else 1 / 3
    return jaccard * monotonicity
