"""Agreement: a published example, distances by hand, and NLTK as a second implementation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from nltk.metrics import AnnotationTask, binary_distance, masi_distance
from sklearn.metrics import f1_score

from classify.measure.agreement import (
    NOT_CODED,
    alpha_estimate,
    coincidences,
    krippendorff_alpha,
    masi_distances,
    nominal_distances,
    percent_agreement,
    specific_agreement,
)
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.intervals import Estimate, jackknife_t

# Krippendorff (2011), Computing Krippendorff's alpha-reliability, section C: observers A to D, units 1 to 12.
PUBLISHED = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""
SETS = [frozenset(found) for found in ("a", "b", "ab", "bc", "abc")]


def published_codes() -> IntArray:
    """The published data, shape (12 units, 4 observers); values 1 to 5 become 0 to 4, a dot `NOT_CODED`."""
    rows = [line.replace(".", "0").split() for line in PUBLISHED.strip().splitlines()]
    return np.array(rows, dtype=np.int64).T - 1


def in_one_group(codes: IntArray, n_values: int) -> FloatArray:
    return coincidences(codes, n_values, np.zeros(len(codes), dtype=np.int64))[0]


def nltk_alpha(codes: IntArray, distance: object, values: list[object]) -> float:
    """NLTK's alpha of the codes that were given."""
    units, coders = np.nonzero(codes != NOT_CODED)
    data = [(f"c{c}", f"u{u}", values[codes[u, c]]) for u, c in zip(units.tolist(), coders.tolist(), strict=True)]
    return float(AnnotationTask(data, distance=distance).alpha())


@st.composite
def coded(draw: st.DrawFn, n_values: int) -> IntArray:
    """Codes of 2 to 4 coders with gaps; the first two units are coded by two coders and hold two values."""
    n_units, n_coders = draw(st.integers(2, 15)), draw(st.integers(2, 4))
    codes = draw(hnp.arrays(np.int64, (n_units, n_coders), elements=st.integers(NOT_CODED, n_values - 1)))
    codes[0, :2], codes[1, :2] = 0, 1
    return codes


def test_coincidences_equal_the_published_ones() -> None:
    expected = [
        [7, 4 / 3, 1 / 3, 1 / 3, 0],
        [4 / 3, 10, 4 / 3, 1 / 3, 0],
        [1 / 3, 4 / 3, 8, 1 / 3, 0],
        [1 / 3, 1 / 3, 1 / 3, 4, 0],
        [0, 0, 0, 0, 3],
    ]
    np.testing.assert_allclose(in_one_group(published_codes(), 5), expected, atol=1e-12)


def test_alpha_equals_the_published_one() -> None:
    # ((n - 1) Σ o_cc - Σ n_c (n_c - 1)) / (n (n - 1) - Σ n_c (n_c - 1)) with n = 40, n_c = 9, 13, 10, 5, 3
    by_chance = 9 * 8 + 13 * 12 + 10 * 9 + 5 * 4 + 3 * 2
    by_hand = (39 * (7 + 10 + 8 + 4 + 3) - by_chance) / (40 * 39 - by_chance)
    alpha = krippendorff_alpha(in_one_group(published_codes(), 5), nominal_distances(5))
    assert alpha == pytest.approx(by_hand, rel=1e-12)
    assert round(alpha, 3) == 0.743


def test_alpha_of_the_published_example_equals_that_of_nltk() -> None:
    alpha = krippendorff_alpha(in_one_group(published_codes(), 5), nominal_distances(5))
    assert alpha == pytest.approx(nltk_alpha(published_codes(), binary_distance, [1, 2, 3, 4, 5]), rel=1e-12)


def test_a_unit_with_one_code_counts_nowhere() -> None:
    codes = published_codes()
    lone = (codes != NOT_CODED).sum(axis=1) == 1
    assert lone.sum() == 1
    assert in_one_group(codes, 5).tolist() == in_one_group(codes[~lone], 5).tolist()


def test_coincidences_are_kept_by_group() -> None:
    codes = np.array([[0, 0], [0, 1], [1, 1]])
    expected = [[[2, 1], [1, 0]], [[0, 0], [0, 2]]]
    assert coincidences(codes, 2, np.array([0, 0, 1])).tolist() == expected


@given(coded(3))
def test_nominal_alpha_equals_that_of_nltk(codes: IntArray) -> None:
    ours = krippendorff_alpha(in_one_group(codes, 3), nominal_distances(3))
    assert ours == pytest.approx(nltk_alpha(codes, binary_distance, ["a", "b", "c"]), abs=1e-12)


@given(coded(len(SETS)))
def test_masi_alpha_equals_that_of_nltk(codes: IntArray) -> None:
    ours = krippendorff_alpha(in_one_group(codes, len(SETS)), masi_distances(SETS))
    assert ours == pytest.approx(nltk_alpha(codes, masi_distance, SETS), abs=1e-12)


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ("ab", "ab", 0),
        ("a", "ab", 1 - 1 / 2 * 2 / 3),  # one holds the other
        ("abc", "a", 1 - 1 / 3 * 2 / 3),
        ("ab", "bc", 1 - 1 / 3 * 1 / 3),  # they overlap
        ("a", "b", 1),  # nothing in common
        ("", "a", 1),
        ("", "", 0),
    ],
)
def test_masi_distance_equals_hand_counts(a: str, b: str, distance: float) -> None:
    found = masi_distances([frozenset(a), frozenset(b)])
    assert found[0, 1] == pytest.approx(distance)
    assert found[1, 0] == found[0, 1]


def test_two_coders_who_both_give_no_label_agree() -> None:
    sets = [frozenset(), frozenset("a")]
    codes = np.array([[0, 0], [0, 0], [1, 1], [1, 1]])
    assert krippendorff_alpha(in_one_group(codes, 2), masi_distances(sets)) == 1


def test_alpha_of_two_coders_equals_hand_counts() -> None:
    # Four agreed "no", four agreed "yes", two units apart: 1 - (2 / 10) / (2 · 10 · 10 / (20 · 19)).
    codes = np.array([[0, 0]] * 4 + [[1, 1]] * 4 + [[0, 1], [1, 0]])
    expected = 1 - (2 / 10) / (2 * 10 * 10 / (20 * 19))
    assert krippendorff_alpha(in_one_group(codes, 2), nominal_distances(2)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("codes", [[[1, 1], [1, 1]], [[1, NOT_CODED], [0, NOT_CODED]], [[1, 1], [0, NOT_CODED]]])
def test_alpha_is_nan_where_only_one_value_was_compared(codes: list[list[int]]) -> None:
    assert np.isnan(krippendorff_alpha(in_one_group(np.array(codes), 2), nominal_distances(2)))


def test_coders_who_always_differ_agree_less_than_by_chance() -> None:
    codes = np.array([[0, 1], [1, 0], [0, 1], [1, 0]])
    assert krippendorff_alpha(in_one_group(codes, 2), nominal_distances(2)) == pytest.approx(1 - 1 / (32 / 56))


@given(coded(3), st.data())
def test_alpha_ignores_the_order_of_coders_and_units(codes: IntArray, data: st.DataObject) -> None:
    units = data.draw(st.permutations(range(codes.shape[0])))
    coders = data.draw(st.permutations(range(codes.shape[1])))
    alpha = krippendorff_alpha(in_one_group(codes, 3), nominal_distances(3))
    shuffled = krippendorff_alpha(in_one_group(codes[units][:, coders], 3), nominal_distances(3))
    assert shuffled == pytest.approx(alpha, abs=1e-12)


def test_alpha_interval_leaves_one_group_out_in_turn() -> None:
    rng = np.random.default_rng(5)
    first = rng.integers(0, 2, 48)
    codes = np.stack([first, np.where(rng.random(48) < 0.2, 1 - first, first)], axis=1)
    groups = np.repeat(np.arange(8), 6)
    distances = nominal_distances(2)
    without = [krippendorff_alpha(in_one_group(codes[groups != group], 2), distances) for group in range(8)]
    expected = jackknife_t(krippendorff_alpha(in_one_group(codes, 2), distances), np.array(without), lowest=-1.0)
    found = alpha_estimate(coincidences(codes, 2, groups), distances)
    assert found.to_dict() == pytest.approx(expected.to_dict(), rel=1e-9)


def test_alpha_has_no_interval_under_six_groups() -> None:
    codes = np.array([[0, 0], [1, 1], [0, 1], [1, 1]])
    alpha = krippendorff_alpha(in_one_group(codes, 2), nominal_distances(2))
    assert alpha_estimate(coincidences(codes, 2, np.arange(4)), nominal_distances(2)) == Estimate(alpha)


def test_specific_agreement_equals_hand_counts() -> None:
    codes = np.array([[1, 1], [1, 1], [1, 0], [0, 0], [0, 0], [0, 0], [1, NOT_CODED]])
    table = in_one_group(codes, 2)
    assert specific_agreement(table) == 2 * 2 / (3 + 2)
    assert specific_agreement(table, 0) == 2 * 3 / (3 + 4)
    assert percent_agreement(table) == 5 / 6


@given(hnp.arrays(np.bool_, st.tuples(st.just(2), st.integers(1, 30))))
def test_specific_agreement_equals_f1_between_two_coders(coders: BoolArray) -> None:
    table = in_one_group(coders.T.astype(np.int64), 2)
    expected = f1_score(coders[0], coders[1], zero_division=np.nan)
    np.testing.assert_allclose(specific_agreement(table), expected, rtol=1e-12)


def test_agreement_of_nothing_is_nan() -> None:
    nobody = in_one_group(np.full((3, 2), NOT_CODED), 2)
    assert np.isnan([specific_agreement(nobody), percent_agreement(nobody)]).all()
    assert np.isnan(krippendorff_alpha(nobody, nominal_distances(2)))
