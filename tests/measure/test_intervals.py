"""Intervals: jackknives by hand, brute-force deletion, and how often an interval holds the truth."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.intervals import (
    MAX_GROUPS,
    MIN_GROUPS,
    Estimate,
    estimate_from_counts,
    jackknife_groups,
    jackknife_t,
    logit_jackknife_t,
    wilson_low,
)
from classify.measure.scores import f1, grouped_counts

# Quantile .975 of Student's t with 5 degrees of freedom, from any printed table.
T_5 = 2.570582


def rate(counts: FloatArray) -> FloatArray:
    return np.asarray(counts[..., 0] / counts[..., 1])


def test_interval_equals_the_jackknife_by_hand() -> None:
    # Hits of 4 passages in six events: 24 in all, 14 hits. Without an event of h hits: (14 - h) / 20. These deviate
    # from their mean by (h - 14 / 6) / 20, h = 4, 3, 3, 2, 2, 0.
    counts = np.array([[4, 4], [3, 4], [3, 4], [2, 4], [2, 4], [0, 4]], dtype=float)
    squares = sum((h - 14 / 6) ** 2 for h in (4, 3, 3, 2, 2, 0)) / 20**2
    half = T_5 * math.sqrt(5 / 6 * squares)
    found = estimate_from_counts(counts, rate)
    assert found.value == 14 / 24
    assert found.low == pytest.approx(14 / 24 - half, rel=1e-6)
    assert found.high == pytest.approx(14 / 24 + half, rel=1e-6)


def test_a_wider_level_gives_a_wider_interval() -> None:
    without = np.array([0.5, 0.45, 0.55, 0.5, 0.48, 0.52])
    lows = [jackknife_t(0.5, without, level=level).low for level in (0.8, 0.9, 0.95, 0.99)]
    assert all(narrow > wide for narrow, wide in pairwise(lows))


def test_there_is_no_interval_under_six_groups() -> None:
    assert jackknife_t(0.5, np.array([0.4, 0.5, 0.6, 0.5, 0.5])) == Estimate(0.5)
    assert jackknife_t(0.5, np.array([0.4, 0.5, 0.6, 0.5, 0.5, 0.5])).low is not None


def test_there_is_no_estimate_of_an_undefined_measure() -> None:
    assert jackknife_t(float("nan"), np.full(8, 0.5)) == Estimate(None)


@pytest.mark.parametrize("undefined", [np.nan, np.inf, -np.inf])
def test_there_is_no_interval_where_leaving_a_group_out_is_undefined(undefined: float) -> None:
    assert jackknife_t(0.5, np.array([0.5, 0.5, 0.5, 0.5, 0.5, 0.5, undefined])) == Estimate(0.5)


def test_all_positives_in_one_event_give_a_value_without_an_interval() -> None:
    counts = np.zeros((8, 4))
    counts[0] = [3, 0, 1, 2]
    assert estimate_from_counts(counts, f1) == Estimate(6 / 7)


def test_interval_is_cut_at_the_bounds_of_the_measure() -> None:
    without = np.array([0.1, 0.9, 0.1, 0.9, 0.1, 0.9])
    assert jackknife_t(0.5, without) == Estimate(0.5, 0.0, 1.0)
    assert jackknife_t(0.5, without, lowest=-1.0).low < 0
    assert jackknife_t(0.5, without, lowest=0.25, highest=0.75) == Estimate(0.5, 0.25, 0.75)


def test_groups_that_change_nothing_give_an_interval_without_width() -> None:
    assert jackknife_t(0.5, np.full(MIN_GROUPS, 0.5)) == Estimate(0.5, 0.5, 0.5)


def test_interval_on_log_odds_equals_the_jackknife_by_hand() -> None:
    # Without each of six events 3 / 4, plus or minus .1: the plain half-width, over 3 / 16, around log(3).
    without = 3 / 4 + np.array([0.0, 0.1, -0.1, 0.1, -0.1, 0.0])
    half = T_5 * math.sqrt(5 / 6 * 0.04) / (3 / 16)
    found = logit_jackknife_t(3 / 4, without)
    assert found.value == 3 / 4
    assert found.low == pytest.approx(1 / (1 + math.exp(half) / 3), rel=1e-6)
    assert found.high == pytest.approx(1 / (1 + math.exp(-half) / 3), rel=1e-6)


def test_one_bad_event_among_perfect_ones_leaves_the_interval_near_one() -> None:
    found = logit_jackknife_t(0.983, np.array([1.0, *[0.982] * 19]))
    assert found.low > 0.8
    assert found.high < 1


@given(hnp.arrays(np.int64, st.integers(7, 20), elements=st.integers(1, 999)))
def test_interval_on_log_odds_holds_the_value_and_stays_between_nought_and_one(thousandths: IntArray) -> None:
    value, *without = thousandths / 1000
    found = logit_jackknife_t(value, np.array(without))
    assert found.value == value
    assert 0 <= found.low <= value * (1 + 1e-12)
    assert value * (1 - 1e-12) <= found.high <= 1


def test_interval_on_log_odds_is_absent_where_the_plain_one_is() -> None:
    assert logit_jackknife_t(float("nan"), np.full(8, 0.5)) == Estimate(None)
    assert logit_jackknife_t(0.5, np.full(5, 0.5)) == Estimate(0.5)
    assert logit_jackknife_t(0.5, np.array([0.5] * 6 + [np.nan])) == Estimate(0.5)


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(None), "–"),
        (Estimate(0.612), "0.61"),
        (Estimate(0.612, 0.518, 0.694), "0.61 (0.52–0.69)"),
    ],
)
def test_estimates_print_what_they_have(estimate: Estimate, text: str) -> None:
    assert str(estimate) == text


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(None), "–"),
        (Estimate(0.612), "+0.61"),
        (Estimate(-0.612), "-0.61"),
        (Estimate(0.02, -0.034, 0.058), "+0.02 (-0.03 to +0.06)"),
        (Estimate(0.0, -0.0001, 0.0001), "+0.000 (+0.000 to +0.000)"),  # never "-0.000"
        (Estimate(0.04, -0.001, 0.08), "+0.040 (-0.001 to +0.080)"),  # a bound below 0 is seen to be so
        (Estimate(-0.25, -1.0, -0.006), "-0.25 (-1.00 to -0.01)"),
    ],
)
def test_a_difference_prints_every_number_with_its_sign(estimate: Estimate, text: str) -> None:
    assert estimate.signed == text


def test_estimates_become_plain_data() -> None:
    assert Estimate(0.5, 0.25).to_dict() == {"value": 0.5, "low": 0.25, "high": None}


@given(hnp.arrays(np.int64, st.tuples(st.integers(6, 12), st.just(4)), elements=st.integers(1, 20)))
def test_counts_give_the_interval_of_brute_force_deletion(counts: IntArray) -> None:
    table = counts.astype(float)
    without = np.array([float(f1(np.delete(table, group, axis=0).sum(axis=0))) for group in range(len(table))])
    expected = jackknife_t(float(f1(table.sum(axis=0))), without)
    found = estimate_from_counts(table, f1)
    assert found.value == pytest.approx(expected.value, rel=1e-12)
    assert found.low == pytest.approx(expected.low, rel=1e-9, abs=1e-9)
    assert found.high == pytest.approx(expected.high, rel=1e-9, abs=1e-9)


def test_macro_average_of_counts_equals_brute_force_on_the_passages() -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(8), 5)
    gold = rng.random((40, 3)) < 0.5
    predicted = gold ^ (rng.random((40, 3)) < 0.3)
    known = rng.random((40, 3)) < 0.9

    def macro_f1(rows: BoolArray) -> float:
        one_group = np.zeros(int(rows.sum()), dtype=np.int64)
        return float(f1(grouped_counts(gold[rows], predicted[rows], known[rows], one_group)[0]).mean())

    without = np.array([macro_f1(groups != group) for group in range(8)])
    expected = jackknife_t(macro_f1(groups >= 0), without)
    found = estimate_from_counts(
        grouped_counts(gold, predicted, known, groups), lambda counts: np.asarray(f1(counts).mean(axis=-1))
    )
    assert found.to_dict() == pytest.approx(expected.to_dict(), rel=1e-9)


# ---- groups to leave out


def test_groups_are_numbered_in_their_order() -> None:
    assert jackknife_groups(np.array([30, 10, 30, 20])).tolist() == [2, 0, 2, 1]
    assert jackknife_groups(np.array([], dtype=np.int64)).tolist() == []


@pytest.mark.parametrize("n_groups", [1, 6, MAX_GROUPS - 1, MAX_GROUPS])
def test_up_to_five_hundred_groups_stay_as_they_are(n_groups: int) -> None:
    groups = np.random.default_rng(0).permutation(np.repeat(np.arange(n_groups), 2))
    assert jackknife_groups(3 * groups + 7).tolist() == groups.tolist()


@pytest.mark.parametrize("n_groups", [501, 999, 1000, 1234])
def test_more_than_five_hundred_groups_are_merged_whole_and_evenly(n_groups: int) -> None:
    groups = np.random.default_rng(0).permutation(np.repeat(np.arange(n_groups), 3))
    merged = jackknife_groups(groups)
    pairs = np.unique(np.stack([groups, merged]), axis=1)
    sizes = np.bincount(pairs[1])
    assert pairs.shape[1] == n_groups  # every group is in one merged group alone
    assert np.unique(merged).tolist() == list(range(MAX_GROUPS))
    assert sizes.max() - sizes.min() <= 1


# ---- Wilson's bound


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95, 0.99])
@pytest.mark.parametrize(("hits", "total"), [(0, 1), (1, 1), (0, 7), (7, 7), (3, 20), (19, 20), (450, 900)])
def test_wilson_bound_equals_that_of_scipy(hits: int, total: int, level: float) -> None:
    expected = stats.binomtest(hits, total).proportion_ci(confidence_level=level, method="wilson").low
    found = float(wilson_low(np.array(float(hits)), np.array(float(total)), level=level))
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_wilson_bounds_come_in_the_shape_of_the_counts() -> None:
    hits, total = np.array([0.0, 1.0, 8.0, 5.0]), np.array([0.0, 4.0, 10.0, 5.0])
    singly = [float(wilson_low(h, n, level=0.8)) for h, n in zip(hits, total, strict=True)]
    assert wilson_low(hits, total, level=0.8).tolist() == singly
    assert wilson_low(hits.reshape(2, 2), total.reshape(2, 2), level=0.8).ravel().tolist() == singly


def test_wilson_bound_of_nothing_is_zero() -> None:
    assert wilson_low(np.array([0.0, 0.0]), np.array([0.0, 5.0]), level=0.8).tolist() == [0, 0]


def test_wilson_bound_rises_with_hits_and_falls_with_the_level() -> None:
    by_hits = wilson_low(np.arange(21.0), np.full(21, 20.0), level=0.8)
    by_level = [float(wilson_low(np.array(15.0), np.array(20.0), level=level)) for level in (0.5, 0.8, 0.9, 0.99)]
    assert (np.diff(by_hits) > 0).all()
    assert (np.diff(by_level) < 0).all()


# ---- how often an interval holds the truth


def draw_passages(rng: np.random.Generator, n_groups: int) -> tuple[BoolArray, BoolArray, IntArray]:
    """Gold and predicted labels of documents of 4 to 13 passages, where some documents are harder than others."""
    groups = np.repeat(np.arange(n_groups), rng.integers(4, 14, n_groups))
    theme = rng.normal(0, 1.2, n_groups)[groups]
    bias = rng.normal(0, 0.9, n_groups)[groups]
    gold = theme + rng.normal(0, 1, len(groups)) > 0.4
    predicted = 2.0 * gold - 1.0 + bias + rng.normal(0, 0.9, len(groups)) > 0
    return gold, predicted, groups


def f1_of(gold: BoolArray, predicted: BoolArray) -> float:
    return float(2 * (gold & predicted).sum() / (gold.sum() + predicted.sum()))


def passage_bootstrap(gold: BoolArray, predicted: BoolArray, rng: np.random.Generator) -> tuple[float, float]:
    rows = rng.integers(0, len(gold), (300, len(gold)))
    both, either = (gold & predicted)[rows].sum(axis=1), gold[rows].sum(axis=1) + predicted[rows].sum(axis=1)
    low, high = np.quantile(2 * both / either, [0.025, 0.975])
    return float(low), float(high)


@pytest.mark.slow
@pytest.mark.parametrize("n_groups", [10, 20])
def test_jackknife_holds_the_truth_and_a_bootstrap_of_passages_does_not(n_groups: int) -> None:
    rng = np.random.default_rng(1)
    truth = f1_of(*draw_passages(rng, 40_000)[:2])
    held_by_jackknife, held_by_bootstrap = [], []
    for _ in range(200):
        gold, predicted, groups = draw_passages(rng, n_groups)
        known = np.ones((len(gold), 1), dtype=bool)
        found = estimate_from_counts(grouped_counts(gold[:, None], predicted[:, None], known, groups)[:, 0], f1)
        low, high = passage_bootstrap(gold, predicted, rng)
        held_by_jackknife.append(found.low <= truth <= found.high)
        held_by_bootstrap.append(low <= truth <= high)
    assert 0.90 <= np.mean(held_by_jackknife) <= 0.99
    assert np.mean(held_by_bootstrap) < 0.90
