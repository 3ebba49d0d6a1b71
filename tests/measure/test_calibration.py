"""Platt's calibration: known truths recovered, defined at the edges, and scikit-learn as a second implementation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import calibration

from classify.measure.arrays import BoolArray, FloatArray
from classify.measure.calibration import fit_platt, sigmoid


@st.composite
def scored(draw: st.DrawFn) -> tuple[FloatArray, BoolArray]:
    """Scores with ties and gold labels that need not have anything to do with them."""
    n = draw(st.integers(1, 30))
    return draw(hnp.arrays(np.int64, n, elements=st.integers(-40, 40))) / 8, draw(hnp.arrays(np.bool_, n))


def simulated(n: int, *, slope: float, shift: float, seed: int) -> tuple[FloatArray, BoolArray]:
    """Scores, and labels that are positive with probability sigmoid(slope · score + shift)."""
    rng = np.random.default_rng(seed)
    score = rng.normal(0, 1.5, n)
    return score, rng.random(n) < sigmoid(slope * score + shift)


def smoothed_share(n_positive: int, n_negative: int) -> float:
    """The mean of Platt's targets, (n₊+1)/(n₊+2) for a positive and 1/(n₋+2) for a negative."""
    total = n_positive * (n_positive + 1) / (n_positive + 2) + n_negative / (n_negative + 2)
    return total / (n_positive + n_negative)


def test_sigmoid_equals_known_values() -> None:
    logits = np.log([1 / 9, 1 / 3, 1, 3, 9])
    np.testing.assert_allclose(sigmoid(logits), [1 / 10, 1 / 4, 1 / 2, 3 / 4, 9 / 10], rtol=1e-12)


def test_sigmoid_does_not_overflow() -> None:
    assert sigmoid(np.array([-1e308, -1000.0, 1000.0, 1e308])).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (0.5, -2.0), (3.0, 1.0), (0.2, 0.5)])
def test_known_slope_and_shift_are_recovered(slope: float, shift: float) -> None:
    found = fit_platt(*simulated(40_000, slope=slope, shift=shift, seed=7))
    assert found == pytest.approx((slope, shift), abs=0.1)


def test_fit_follows_the_unit_of_the_scores() -> None:
    score, gold = simulated(300, slope=1.0, shift=-1.0, seed=1)
    slope, intercept = fit_platt(score, gold)
    assert fit_platt(1000 * score + 5, gold) == pytest.approx((slope / 1000, intercept - slope * 5 / 1000), rel=1e-6)


@pytest.mark.skipif(not hasattr(calibration, "_sigmoid_calibration"), reason="private in scikit-learn, and gone")
@pytest.mark.parametrize("n", [5, 12, 60, 400])
@pytest.mark.parametrize("seed", range(5))
def test_fit_equals_that_of_scikit_learn(n: int, seed: int) -> None:
    score, gold = simulated(n, slope=1.0, shift=-0.5, seed=seed)
    score[0], gold[0], score[1], gold[1] = 2.5, True, -2.5, False
    a, b = calibration._sigmoid_calibration(score, gold.astype(np.float64))
    assert -a > 0
    assert fit_platt(score, gold) == pytest.approx((-a, -b), abs=1e-4)


@pytest.mark.parametrize("n", [1, 3, 10, 100])
def test_a_label_without_positives_is_at_most_one_in_n_plus_two(n: int) -> None:
    score = np.linspace(-2, 2, n)
    slope, intercept = fit_platt(score, np.zeros(n, dtype=bool))
    np.testing.assert_allclose(sigmoid(slope * score + intercept), 1 / (n + 2), rtol=1e-12)


def test_a_label_without_negatives_is_at_least_one_minus_that() -> None:
    score = np.linspace(-2, 2, 8)
    slope, intercept = fit_platt(score, np.ones(8, dtype=bool))
    np.testing.assert_allclose(sigmoid(slope * score + intercept), 9 / 10, rtol=1e-12)


def test_a_perfect_ranking_stays_off_zero_and_one() -> None:
    score, gold = np.array([-3.0, -2.0, -1.0, 1.0, 2.0]), np.array([False, False, False, True, True])
    slope, intercept = fit_platt(score, gold)
    p = sigmoid(slope * score + intercept)
    assert (np.diff(p) > 0).all()
    assert 0.05 < p.min() < 0.2
    assert 0.7 < p.max() < 0.95


def test_constant_scores_give_the_smoothed_share_of_positives() -> None:
    slope, intercept = fit_platt(np.full(10, 3.0), np.arange(10) < 3)
    assert slope == 0
    assert sigmoid(np.array(intercept)) == pytest.approx(smoothed_share(3, 7))


def test_no_scores_at_all_give_no_slope() -> None:
    assert fit_platt(np.array([]), np.array([], dtype=bool)) == (0.0, 0.0)


def test_a_reversed_ranking_is_not_turned_round() -> None:
    score = np.array([-2.0, -1.0, 0.0, 1.0, 2.0, 3.0])
    slope, intercept = fit_platt(score, score < 0)
    p = sigmoid(slope * score + intercept)
    assert (np.diff(p) > 0).all()
    np.testing.assert_allclose(p, smoothed_share(2, 4), atol=1e-5)


@pytest.mark.parametrize("unit", [1e-100, 1e-6, 1e6, 1e100])
def test_tiny_and_huge_scores_neither_overflow_nor_change_the_probabilities(unit: float) -> None:
    score, gold = simulated(50, slope=1.0, shift=-1.0, seed=3)
    slope, intercept = fit_platt(score, gold)
    slope_in_unit, intercept_in_unit = fit_platt(unit * score, gold)
    p, in_unit = sigmoid(slope * score + intercept), sigmoid(slope_in_unit * (unit * score) + intercept_in_unit)
    np.testing.assert_allclose(in_unit, p, atol=1e-8)


def test_one_outlying_score_leaves_probabilities_defined() -> None:
    score = np.append(np.linspace(-1, 1, 20), [1e9, -1e9])
    slope, intercept = fit_platt(score, np.append(np.arange(20) > 12, [True, False]))
    p = sigmoid(slope * score + intercept)
    assert ((p >= 0) & (p <= 1)).all()


@settings(deadline=None)
@given(scored())
def test_probabilities_never_fall_as_scores_rise(data: tuple[FloatArray, BoolArray]) -> None:
    score, gold = data
    slope, intercept = fit_platt(score, gold)
    p = sigmoid(slope * np.sort(score) + intercept)
    assert (np.diff(p) >= 0).all()
    assert ((p > 0) & (p < 1)).all()


@settings(deadline=None)
@given(scored())
def test_mean_probability_is_the_smoothed_share_of_positives(data: tuple[FloatArray, BoolArray]) -> None:
    score, gold = data
    slope, intercept = fit_platt(score, gold)
    share = smoothed_share(int(gold.sum()), int((~gold).sum()))
    assert sigmoid(slope * score + intercept).mean() == pytest.approx(share, rel=1e-6)
