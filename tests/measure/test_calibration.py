"""Calibration: known truths recovered, defined at the edges, and scikit-learn as a second implementation."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import optimize
from sklearn import calibration
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.calibration import (
    MIN_FOR_BINS,
    Reliability,
    brier_skill,
    calibration_curve,
    calibration_line,
    fit_platt,
    reliability,
    sigmoid,
)
from classify.measure.intervals import Estimate, jackknife_t

NOTHING = Estimate(None)


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


@given(scored())
def test_probabilities_never_fall_as_scores_rise(data: tuple[FloatArray, BoolArray]) -> None:
    score, gold = data
    slope, intercept = fit_platt(score, gold)
    p = sigmoid(slope * np.sort(score) + intercept)
    assert (np.diff(p) >= 0).all()
    assert ((p > 0) & (p < 1)).all()


@given(scored())
def test_mean_probability_is_the_smoothed_share_of_positives(data: tuple[FloatArray, BoolArray]) -> None:
    score, gold = data
    slope, intercept = fit_platt(score, gold)
    share = smoothed_share(int(gold.sum()), int((~gold).sum()))
    assert sigmoid(slope * score + intercept).mean() == pytest.approx(share, rel=1e-6)


# ---- calibration slope and intercept


def miscalibrated(
    n: int, *, slope: float, shift: float, seed: int, n_groups: int = 20
) -> tuple[FloatArray, BoolArray, IntArray]:
    """Probabilities, labels that are positive with probability sigmoid(slope · logit + shift), and their groups."""
    logit, gold = simulated(n, slope=slope, shift=shift, seed=seed)
    return sigmoid(logit), gold, np.arange(n) % n_groups


def slope_by_scikit_learn(probability: FloatArray, gold: BoolArray) -> float:
    x = np.log(probability / (1 - probability))[:, None]
    return float(LogisticRegression(C=1e12, tol=1e-10, max_iter=10_000).fit(x, gold).coef_[0, 0])


def intercept_by_root(probability: FloatArray, gold: BoolArray) -> float:
    """The shift of all logits at which as many positives are expected as there are."""
    x = np.log(probability / (1 - probability))
    return float(optimize.brentq(lambda shift: float((sigmoid(x + shift) - gold).sum()), -50, 50, xtol=1e-12))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (0.4, -1.0), (2.0, 0.5)])
def test_calibration_slope_equals_that_of_scikit_learn(slope: float, shift: float, seed: int) -> None:
    probability, gold, groups = miscalibrated(120, slope=slope, shift=shift, seed=seed)
    found = calibration_line(probability, gold, groups)[0]
    assert found.value == pytest.approx(slope_by_scikit_learn(probability, gold), abs=1e-5)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (0.4, -1.0), (2.0, 0.5)])
def test_calibration_intercept_brings_the_expected_to_the_observed_number(
    slope: float, shift: float, seed: int
) -> None:
    probability, gold, groups = miscalibrated(120, slope=slope, shift=shift, seed=seed)
    found = calibration_line(probability, gold, groups)[1]
    assert found.value == pytest.approx(intercept_by_root(probability, gold), abs=1e-8)


@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (1.0, -1.5), (1.0, 0.7)])
def test_a_known_shift_is_recovered(slope: float, shift: float) -> None:
    found = calibration_line(*miscalibrated(40_000, slope=slope, shift=shift, seed=5))
    assert [line.value for line in found] == pytest.approx([slope, shift], abs=0.06)


@pytest.mark.parametrize(("slope", "shift"), [(0.5, 0.0), (0.3, -1.0), (2.0, 0.5)])
def test_a_known_slope_is_recovered(slope: float, shift: float) -> None:
    found = calibration_line(*miscalibrated(40_000, slope=slope, shift=shift, seed=6))[0]
    assert found.value == pytest.approx(slope, abs=0.06)
    assert found.low < slope < found.high


def test_probabilities_pushed_to_the_ends_have_a_slope_under_one() -> None:
    probability, gold, groups = miscalibrated(2_000, slope=1.0, shift=0.0, seed=1)
    pushed = sigmoid(3 * np.log(probability / (1 - probability)))
    plain, steep = (calibration_line(p, gold, groups)[0] for p in (probability, pushed))
    assert steep.value == pytest.approx(plain.value / 3, rel=1e-6)


def test_probabilities_that_are_too_high_have_an_intercept_under_zero() -> None:
    gold, groups = np.arange(40) % 4 == 0, np.arange(40) % 8
    found = calibration_line(np.full(40, 1 / 2), gold, groups)
    assert found[0] == NOTHING
    assert found[1].value == pytest.approx(np.log(1 / 3), abs=1e-9)


@pytest.mark.parametrize("which", [0, 1], ids=["slope", "intercept"])
@pytest.mark.parametrize("seed", range(5))
def test_one_step_a_deletion_comes_close_to_refitting_without_each_group(which: int, seed: int) -> None:
    probability, gold, groups = miscalibrated(400, slope=0.8, shift=-0.4, seed=seed, n_groups=25)
    fit: Callable[[FloatArray, BoolArray], float] = (slope_by_scikit_learn, intercept_by_root)[which]
    without = np.array([fit(probability[groups != group], gold[groups != group]) for group in range(25)])
    exact = jackknife_t(fit(probability, gold), without, lowest=-np.inf, highest=np.inf)
    found = calibration_line(probability, gold, groups)[which]
    width = exact.high - exact.low
    assert [found.low, found.high] == pytest.approx([exact.low, exact.high], abs=0.03 * width)


def test_intervals_of_the_line_hold_the_truth_nineteen_times_in_twenty() -> None:
    lines = [calibration_line(*miscalibrated(300, slope=1.0, shift=0.0, seed=seed)) for seed in range(200)]
    held = np.array([[slope.low <= 1 <= slope.high, shift.low <= 0 <= shift.high] for slope, shift in lines])
    assert (held.mean(axis=0) >= 0.90).all()
    assert (held.mean(axis=0) <= 0.99).all()


def test_the_line_has_no_intervals_under_six_groups() -> None:
    slope, intercept = calibration_line(*miscalibrated(100, slope=1.0, shift=0.0, seed=2, n_groups=5))
    assert slope == Estimate(slope.value)
    assert intercept == Estimate(intercept.value)


@pytest.mark.parametrize("answer", [False, True])
def test_passages_that_are_all_alike_have_no_line(answer: bool) -> None:
    found = calibration_line(np.linspace(0.1, 0.9, 12), np.full(12, answer), np.arange(12))
    assert found == (NOTHING, NOTHING)


def test_no_passages_have_no_line() -> None:
    nothing = np.array([], dtype=np.int64)
    assert calibration_line(nothing.astype(float), nothing.astype(bool), nothing) == (NOTHING, NOTHING)


@pytest.mark.parametrize("cut", [0.3, 0.5])
@pytest.mark.parametrize("is_turned", [False, True])
def test_labels_that_a_probability_separates_have_no_slope(cut: float, is_turned: bool) -> None:
    probability = np.linspace(0.05, 0.95, 19)
    slope, intercept = calibration_line(probability, (probability > cut) ^ is_turned, np.arange(19))
    assert slope == NOTHING
    assert intercept.low < intercept.value < intercept.high


def test_labels_that_share_only_the_probability_at_the_cut_have_no_slope_either() -> None:
    probability, gold = np.array([0.1, 0.2, 0.5, 0.5, 0.7, 0.9]), np.array([False, False, False, True, True, True])
    assert calibration_line(probability, gold, np.arange(6))[0] == NOTHING
    overlapping = np.array([0.1, 0.2, 0.5, 0.49, 0.7, 0.9])
    found = calibration_line(overlapping, gold, np.arange(6))[0]
    assert found.value == pytest.approx(slope_by_scikit_learn(overlapping, gold), rel=1e-4)


def test_probabilities_of_nought_and_one_keep_the_line_finite() -> None:
    gold = np.arange(60) % 3 == 0
    probability = np.where(gold, 1.0, 0.0)
    probability[[0, 1, 7, 30]] = [0.0, 1.0, 0.4, 0.6]
    slope, intercept = calibration_line(probability, gold, np.arange(60) // 5)
    assert np.isfinite([slope.value, intercept.value]).all()


@given(st.data())
def test_the_line_is_finite_or_absent_whatever_the_probabilities(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 25))
    probability = data.draw(hnp.arrays(np.int64, n, elements=st.integers(0, 20))) / 20
    gold, groups = data.draw(hnp.arrays(np.bool_, n)), data.draw(hnp.arrays(np.int64, n, elements=st.integers(0, 8)))
    found = calibration_line(probability, gold, groups)
    numbers = [number for line in found for number in line.to_dict().values() if number is not None]
    assert np.isfinite(numbers).all()


# ---- Brier skill


def skill_by_scikit_learn(probability: FloatArray, gold: BoolArray) -> float:
    prevalence = np.full(len(gold), gold.mean())
    return float(1 - brier_score_loss(gold, probability) / brier_score_loss(gold, prevalence))


def test_brier_skill_equals_hand_counts() -> None:
    # squares .01, .04, .25, .09; always saying 1/2: four times .25
    probability, gold = np.array([0.9, 0.2, 0.5, 0.7]), np.array([True, False, False, True])
    found = brier_skill(probability, gold, np.arange(4))
    assert found == Estimate(pytest.approx(1 - 0.39 / 1.0, rel=1e-12))


@pytest.mark.parametrize(("probability", "skill"), [(1.0, 1 - 3 / (3 / 4)), (0.0, 1 - 1 / (3 / 4)), (0.25, 0.0)])
def test_brier_skill_of_one_answer_for_all_equals_hand_counts(probability: float, skill: float) -> None:
    gold = np.array([True, False, False, False])
    assert brier_skill(np.full(4, probability), gold, np.arange(4)).value == pytest.approx(skill, abs=1e-12)


def test_brier_skill_of_the_truth_is_one() -> None:
    gold = np.arange(24) % 3 == 0
    assert brier_skill(gold.astype(float), gold, np.arange(24) // 3) == Estimate(1.0, 1.0, 1.0)


@pytest.mark.parametrize("answer", [False, True])
def test_passages_that_are_all_alike_have_no_brier_skill(answer: bool) -> None:
    assert brier_skill(np.full(8, 0.3), np.full(8, answer), np.arange(8)) == NOTHING


def test_brier_skill_of_positives_in_one_group_has_no_interval() -> None:
    gold, groups = np.arange(24) < 2, np.arange(24) // 3
    probability = np.linspace(0.9, 0.1, 24)
    expected = Estimate(pytest.approx(skill_by_scikit_learn(probability, gold)))
    assert brier_skill(probability, gold, groups) == expected


@pytest.mark.parametrize("seed", range(5))
def test_brier_skill_and_its_interval_equal_scikit_learn_and_brute_force_deletion(seed: int) -> None:
    probability, gold, groups = miscalibrated(90, slope=1.5, shift=-0.5, seed=seed, n_groups=9)
    without = [skill_by_scikit_learn(probability[groups != group], gold[groups != group]) for group in range(9)]
    expected = jackknife_t(skill_by_scikit_learn(probability, gold), np.array(without), lowest=-np.inf)
    found = brier_skill(probability, gold, groups)
    assert found.to_dict() == pytest.approx(expected.to_dict(), rel=1e-9)


# ---- reliability


def test_reliability_bins_equal_hand_counts() -> None:
    probability = np.array([0.9, 0.1, 0.4, 0.3, 0.8, 0.2, 0.6])
    gold = np.array([True, False, True, False, False, False, True])
    found = reliability(probability, gold, n_bins=3)
    assert found.n.tolist() == [3, 2, 2]  # .1 .2 .3, then .4 .6, then .8 .9
    np.testing.assert_allclose(found.probability, [0.6 / 3, 1.0 / 2, 1.7 / 2], rtol=1e-12)
    np.testing.assert_allclose(found.share, [0 / 3, 2 / 2, 1 / 2], rtol=1e-12)


def test_fewer_passages_than_bins_leave_no_empty_bin() -> None:
    found = reliability(np.array([0.7, 0.2]), np.array([True, False]))
    assert (found.probability.tolist(), found.share.tolist(), found.n.tolist()) == ([0.2, 0.7], [0, 1], [1, 1])


def test_no_passages_leave_no_bins() -> None:
    assert reliability(np.array([]), np.array([], dtype=bool)).n.tolist() == []


def test_calibration_error_equals_hand_counts() -> None:
    found = Reliability(np.array([0.1, 0.6]), np.array([0.2, 0.3]), np.array([100, 300]))
    assert found.error == pytest.approx((0.1 * 100 + 0.3 * 300) / 400, rel=1e-12)


def test_calibration_error_needs_two_hundred_predictions() -> None:
    probability, gold = np.linspace(0, 1, MIN_FOR_BINS), np.arange(MIN_FOR_BINS) % 2 == 0
    assert reliability(probability[1:], gold[1:]).error is None
    assert reliability(probability, gold).error == pytest.approx(1 / 4, abs=0.01)


def test_calibrated_probabilities_have_little_error_and_extreme_ones_much() -> None:
    probability, gold, _ = miscalibrated(20_000, slope=1.0, shift=0.0, seed=4)
    pushed = sigmoid(4 * np.log(probability / (1 - probability)))
    assert reliability(probability, gold).error < 0.02
    assert reliability(pushed, gold).error > 0.1


def test_a_calibration_curve_joins_small_bins_and_gives_intervals_over_groups() -> None:
    probability = np.repeat([0.05, 0.45, 0.95], [60, 5, 60])
    gold = np.r_[np.arange(60) % 10 == 0, np.ones(5), np.arange(60) % 10 > 0].astype(bool)
    found = calibration_curve(probability, gold, np.arange(125) % 12)
    assert [65, 60] == found.n.tolist()
    assert [11 / 65, 54 / 60] == found.share.tolist()
    assert ((found.low < found.share) & (found.share < found.high)).all()
    alone = calibration_curve(probability, gold, np.zeros(125, dtype=np.int64))
    assert np.isnan([*alone.low, *alone.high]).all()


def test_a_calibration_curve_of_few_answers_has_one_bin_and_of_none_no_bin() -> None:
    few = calibration_curve(np.array([0.1, 0.9]), np.array([False, True]), np.arange(2))
    assert ([0.5], [0.5], [2]) == (few.probability.tolist(), few.share.tolist(), few.n.tolist())
    none = calibration_curve(np.zeros(0), np.zeros(0, dtype=bool), np.zeros(0, dtype=np.int64))
    assert [] == none.n.tolist()


@given(st.data())
def test_bins_share_all_passages_from_the_lowest_probability_up(data: st.DataObject) -> None:
    n, n_bins = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 12))
    probability = data.draw(hnp.arrays(np.int64, n, elements=st.integers(0, 50))) / 50
    gold = data.draw(hnp.arrays(np.bool_, n))
    found = reliability(probability, gold, n_bins=n_bins)
    assert found.n.sum() == n
    assert len(found.n) <= min(n, n_bins)
    assert len(set(probability.tolist())) < n or np.ptp(found.n) <= 1
    assert (np.diff(found.probability) >= -1e-12).all()
    assert (found.probability * found.n).sum() == pytest.approx(probability.sum(), abs=1e-9)
    assert (found.share * found.n).sum() == pytest.approx(gold.sum(), abs=1e-9)
