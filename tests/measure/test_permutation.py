"""Swapping systems: every swap enumerated, p-values uniform where nothing differs, and Holm's steps by hand."""

from itertools import product, takewhile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from classify.measure import permutation
from classify.measure.arrays import FloatArray, IntArray
from classify.measure.permutation import EXACT_GROUPS, N_SWAPS, holm, swap_p_value
from classify.measure.scores import rate

THOUSANDTHS = st.lists(st.integers(0, 1000), max_size=12)


def hits(counts: FloatArray) -> FloatArray:
    return np.asarray(counts[..., 0])


def all_swaps(first: FloatArray, second: FloatArray) -> list[float]:
    """The differences in rate of every way to swap, the first of them of no swap at all."""
    pairs = list(zip(first, second, strict=True))
    ways = [
        [pair[::-1] if is_swapped else pair for pair, is_swapped in zip(pairs, swapped, strict=True)]
        for swapped in product([False, True], repeat=len(pairs))
    ]
    sums = [[sum(one[side] for one in way) for side in (0, 1)] for way in ways]
    return [float(one[0] / one[1] - other[0] / other[1]) for one, other in sums]


# ---- p-values of swapping


def test_p_value_equals_hand_counts() -> None:
    # Hits of three events, 3, 2, 1 against 0, 0, 0: of the 8 sums ±3 ±2 ±1, two are as far out as 6.
    first, second = np.array([[3.0], [2.0], [1.0]]), np.zeros((3, 1))
    assert swap_p_value(first, second, hits) == 2 / 8
    # 1, -2, 3: the sum is 2; of ±1 ±2 ±3, that is 6, 4, 2, 0, 0, -2, -4, -6, six are as far out.
    assert swap_p_value(np.array([[1.0], [0.0], [3.0]]), np.array([[0.0], [2.0], [0.0]]), hits) == 6 / 8


def test_p_value_equals_that_of_every_swap_enumerated() -> None:
    first = np.array([[4, 5], [3, 4], [2, 6], [5, 5]], dtype=float)
    second = np.array([[1, 5], [3, 4], [1, 6], [2, 5]], dtype=float)
    observed, *others = all_swaps(first, second)
    as_far = [abs(other) >= abs(observed) - 1e-12 for other in (observed, *others)]
    assert len(as_far) == 2**4
    assert swap_p_value(first, second, rate) == sum(as_far) / 2**4


@settings(max_examples=50)
@given(hnp.arrays(np.int64, st.tuples(st.just(2), st.integers(1, 6), st.just(1)), elements=st.integers(0, 9)))
def test_p_value_of_any_counts_equals_that_of_every_swap_enumerated(rights: IntArray) -> None:
    totals = np.array([9.0, 12.0, 10.0, 15.0, 9.0, 11.0])[: rights.shape[1], None]
    first, second = (np.hstack([right, totals]) for right in rights)
    differences = np.abs(all_swaps(first, second))
    expected = np.mean(differences >= differences[0] - 1e-12)
    assert swap_p_value(first, second, rate) == expected
    assert swap_p_value(second, first, rate) == expected


@pytest.mark.parametrize("n_groups", [1, EXACT_GROUPS, EXACT_GROUPS + 1, 40])
def test_systems_that_do_not_differ_have_a_p_value_of_one(n_groups: int) -> None:
    counts = np.arange(2.0 * n_groups).reshape(n_groups, 2) + 1
    assert swap_p_value(counts, counts, rate) == 1
    assert swap_p_value(counts, np.roll(counts, 1, axis=0), rate) == 1  # other events, the same sums


@pytest.mark.parametrize("seed", range(10))
def test_rounding_does_not_set_a_swap_apart_from_the_swap_of_all_others(seed: int) -> None:
    both = np.random.default_rng(seed).normal(0, 1, (2, 7, 1))
    as_far = swap_p_value(*both, hits) * 2**7
    assert as_far % 2 == 0  # each way to swap and its opposite are equally far out


def test_the_least_p_value_of_all_swaps_is_two_in_their_number() -> None:
    better, worse = np.ones((EXACT_GROUPS, 1)), np.zeros((EXACT_GROUPS, 1))
    assert swap_p_value(better, worse, hits) == 2 / 2**EXACT_GROUPS


def test_a_drawn_p_value_is_never_zero() -> None:
    assert swap_p_value(np.ones((60, 1)), np.zeros((60, 1)), hits) == 1 / (1 + N_SWAPS)


def test_drawn_swaps_come_close_to_all_swaps(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    first, second = rng.integers(0, 9, (EXACT_GROUPS, 1)).astype(float), rng.integers(0, 7, (EXACT_GROUPS, 1)) + 0.5
    exact = swap_p_value(first, second, hits)
    monkeypatch.setattr(permutation, "EXACT_GROUPS", 0)
    drawn = [swap_p_value(first, second, hits, seed=seed) for seed in range(5)]
    assert 0.05 < exact < 0.95
    assert drawn == pytest.approx([exact] * 5, abs=4 * np.sqrt(exact * (1 - exact) / N_SWAPS))


def test_drawn_swaps_follow_the_seed() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.normal(0, 1, (30, 1)), rng.normal(0.2, 1, (30, 1))
    p_values = [swap_p_value(first, second, hits, seed=seed) for seed in (0, 0, 1)]
    assert p_values[0] == p_values[1]
    assert p_values[0] != p_values[2]


@pytest.mark.parametrize("max_cells", [1, 1_000, 77_777])
def test_swaps_drawn_in_portions_come_to_the_same_number(max_cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    first, second = rng.normal(0, 1, (30, 2)), rng.normal(0.1, 1, (30, 2))
    at_once = swap_p_value(first, second, hits)
    monkeypatch.setattr(permutation, "_MAX_CELLS", max_cells)
    assert swap_p_value(first, second, hits) == pytest.approx(at_once, abs=0.03)


def test_counts_of_labels_are_summed_before_the_measure() -> None:
    # Two labels in four events: macro averages do not depend on which events hold which label.
    first = np.array([[[3, 4], [0, 0]], [[2, 4], [0, 0]], [[0, 0], [1, 2]], [[0, 0], [2, 2]]], dtype=float)
    second = np.array([[[1, 4], [0, 0]], [[2, 4], [0, 0]], [[0, 0], [0, 2]], [[0, 0], [1, 2]]], dtype=float)
    # Differences of the mean rate: ±2/16 ±0 ±1/8 ±1/8, as far out as 3/8 in 2 · 2 of 16 swaps.
    assert swap_p_value(first, second, lambda counts: rate(counts).mean(axis=-1)) == 4 / 16


def test_p_values_are_uniform_where_the_systems_do_not_differ() -> None:
    rng = np.random.default_rng(11)
    p_values = []
    for seed in range(500):
        hard = rng.standard_t(2, (20, 1)) * rng.gamma(1, 1, (20, 1))  # events of all sizes, shared by both
        both = hard + rng.normal(0, 1, (2, 20, 1)) * rng.gamma(1, 2, (20, 1))
        p_values.append(swap_p_value(*both, hits, seed=seed))
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


# ---- Holm


def test_holm_equals_hand_counts() -> None:
    # .005 · 4, .01 · 3, .03 · 2; .04 · 1 is raised to the one before it
    found = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    assert found.tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02], rel=1e-12)


@pytest.mark.parametrize(
    ("p_values", "adjusted"), [([], []), ([0.02], [0.02]), ([0.5, 0.5], [1, 1]), ([0.9, 0.9, 0.01], [1, 1, 0.03])]
)
def test_holm_at_the_edges(p_values: list[float], adjusted: list[float]) -> None:
    assert holm(np.array(p_values)).tolist() == pytest.approx(adjusted, rel=1e-12)


@given(THOUSANDTHS, st.sampled_from([0.0101, 0.0503, 0.2007]))
def test_holm_rejects_what_stepping_down_rejects(thousandths: list[int], level: float) -> None:
    p_values = np.array(thousandths) / 1000
    n = len(p_values)
    rejected = list(takewhile(lambda step: step[1] <= level / (n - step[0]), enumerate(np.sort(p_values))))
    assert np.count_nonzero(holm(p_values) <= level) == len(rejected)


@given(THOUSANDTHS)
def test_holm_lies_between_the_p_values_and_bonferroni_and_keeps_their_order(thousandths: list[int]) -> None:
    p_values = np.array(thousandths) / 1000
    adjusted = holm(p_values)
    assert (adjusted >= p_values).all()
    assert (adjusted <= np.minimum(1, len(p_values) * p_values)).all()
    assert (np.diff(adjusted[np.argsort(p_values)]) >= 0).all()
