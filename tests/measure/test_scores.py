"""Scores: values counted by hand, and scikit-learn as a second implementation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import average_precision_score, confusion_matrix, f1_score, precision_score, recall_score

from classify.measure.arrays import BoolArray, FloatArray
from classify.measure.scores import (
    agreeing_rows,
    average_precision,
    confusion,
    f1,
    grouped_counts,
    grouped_rates,
    precision,
    recall,
)

# Label 0: TP in rows 0 and 1, FP in row 2, FN in row 3. Label 1: FN in row 0, TP in row 3.
GOLD = np.array([[1, 1], [1, 0], [0, 0], [1, 1], [0, 0]], dtype=bool)
PREDICTED = np.array([[1, 0], [1, 0], [1, 0], [0, 1], [0, 0]], dtype=bool)
ALL_KNOWN = np.ones_like(GOLD)
GROUPS = np.array([0, 0, 1, 1, 2])
few = settings(max_examples=40, deadline=None)  # scikit-learn checks its input for longer than we count


def indicators(n_arrays: int) -> st.SearchStrategy[BoolArray]:
    """Bool arrays of shape (n_arrays, n_passages, n_labels)."""
    shapes = st.tuples(st.just(n_arrays), st.integers(1, 30), st.integers(1, 4))
    return shapes.flatmap(lambda shape: hnp.arrays(np.bool_, shape))


@st.composite
def rankings(draw: st.DrawFn) -> tuple[BoolArray, FloatArray]:
    """Gold labels with at least one positive, and scores with many ties."""
    n = draw(st.integers(1, 40))
    gold = draw(hnp.arrays(np.bool_, n))
    gold[draw(st.integers(0, n - 1))] = True
    return gold, draw(hnp.arrays(np.int64, n, elements=st.integers(-3, 3))) / 4


def test_counts_are_kept_by_group() -> None:
    counts = grouped_counts(GOLD, PREDICTED, ALL_KNOWN, GROUPS)
    assert counts.tolist() == [[[2, 0, 0], [0, 0, 1]], [[0, 1, 1], [1, 0, 0]], [[0, 0, 0], [0, 0, 0]]]


def test_a_group_without_passages_counts_nothing() -> None:
    counts = grouped_counts(GOLD, PREDICTED, ALL_KNOWN, np.array([0, 0, 2, 2, 2]))
    assert counts[1].tolist() == [[0, 0, 0], [0, 0, 0]]


def test_measures_equal_hand_counts() -> None:
    counts = grouped_counts(GOLD, PREDICTED, ALL_KNOWN, GROUPS).sum(axis=0)
    assert precision(counts).tolist() == [2 / 3, 1 / 1]
    assert recall(counts).tolist() == [2 / 3, 1 / 2]
    assert f1(counts).tolist() == [4 / 6, 2 / 3]


def test_unknown_cells_count_nowhere() -> None:
    known = ALL_KNOWN.copy()
    known[2, 0] = known[0, 1] = False
    counts = grouped_counts(GOLD, PREDICTED, known, GROUPS).sum(axis=0)
    assert counts.tolist() == [[2, 0, 1], [1, 0, 0]]


def test_what_is_said_of_an_unknown_cell_changes_nothing() -> None:
    known = ALL_KNOWN.copy()
    known[2] = False
    other_gold, other_predicted = GOLD.copy(), PREDICTED.copy()
    other_gold[2], other_predicted[2] = ~GOLD[2], ~PREDICTED[2]
    first = grouped_counts(GOLD, PREDICTED, known, GROUPS)
    second = grouped_counts(other_gold, other_predicted, known, GROUPS)
    assert first.tolist() == second.tolist()


def test_counts_refuse_arrays_of_different_shapes() -> None:
    with pytest.raises(ValueError, match=r"shapes differ: gold \(5, 2\), predicted \(5, 1\), known \(5, 2\)"):
        grouped_counts(GOLD, PREDICTED[:, :1], ALL_KNOWN, GROUPS)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([0, 0, 2], [np.nan, 0, 0]),  # never predicted
        ([0, 2, 0], [0, np.nan, 0]),  # never gold
        ([0, 0, 0], [np.nan, np.nan, np.nan]),  # neither
        ([0, 1, 1], [0, 0, 0]),  # never right
        ([1, 0, 0], [1, 1, 1]),
    ],
)
def test_a_ratio_of_nothing_is_nan(counts: list[float], expected: list[float]) -> None:
    table = np.array(counts, dtype=float)
    np.testing.assert_array_equal([precision(table), recall(table), f1(table)], expected)


@few
@given(indicators(2))
def test_measures_equal_those_of_scikit_learn(arrays: BoolArray) -> None:
    gold, predicted = arrays
    counts = grouped_counts(gold, predicted, np.ones_like(gold), np.zeros(len(gold), dtype=np.int64))[0]
    for ours, theirs in ((precision, precision_score), (recall, recall_score), (f1, f1_score)):
        expected = [theirs(gold[:, n], predicted[:, n], zero_division=np.nan) for n in range(gold.shape[1])]
        np.testing.assert_allclose(ours(counts), expected, rtol=1e-12)


@few
@given(indicators(2))
def test_micro_f1_of_summed_counts_equals_that_of_scikit_learn(arrays: BoolArray) -> None:
    gold, predicted = (np.hstack([array, array]) for array in arrays)
    counts = grouped_counts(gold, predicted, np.ones_like(gold), np.zeros(len(gold), dtype=np.int64))[0]
    expected = f1_score(gold, predicted, average="micro", zero_division=np.nan)
    np.testing.assert_allclose(f1(counts.sum(axis=0)), expected, rtol=1e-12)


@few
@given(indicators(3), st.data())
def test_groups_and_unknown_cells_only_split_and_remove_counts(arrays: BoolArray, data: st.DataObject) -> None:
    gold, predicted, known = arrays
    groups = data.draw(hnp.arrays(np.int64, len(gold), elements=st.integers(0, 4)))
    counts = grouped_counts(gold, predicted, known, groups).sum(axis=0)
    cells = [
        [(g, p) for g, p, k in zip(*columns, strict=True) if k]
        for columns in zip(gold.T, predicted.T, known.T, strict=True)
    ]
    expected = [[of.count(cell) for cell in ((True, True), (False, True), (True, False))] for of in cells]
    assert counts.tolist() == expected


def test_average_precision_equals_hand_counts() -> None:
    gold = np.array([True, False, True, False])
    assert average_precision(gold, np.array([0.9, 0.8, 0.7, 0.6])) == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert average_precision(gold, np.array([0.6, 0.7, 0.8, 0.9])) == pytest.approx((1 / 2 + 2 / 4) / 2)


def test_passages_with_equal_scores_enter_the_ranking_together() -> None:
    gold, score = np.array([True, False, True, False]), np.array([0.5, 0.9, 0.5, 0.5])
    assert average_precision(gold, score) == 2 / 4
    assert average_precision(gold[::-1], score[::-1]) == 2 / 4


def test_constant_scores_have_the_prevalence_as_average_precision() -> None:
    assert average_precision(np.array([True, False, False, False, True]), np.zeros(5)) == 2 / 5


def test_average_precision_without_a_positive_is_nan() -> None:
    assert np.isnan(average_precision(np.array([False, False]), np.array([0.1, 0.2])))
    assert np.isnan(average_precision(np.array([], dtype=bool), np.array([])))


@few
@given(rankings())
def test_average_precision_equals_that_of_scikit_learn(ranking: tuple[BoolArray, FloatArray]) -> None:
    gold, score = ranking
    assert average_precision(gold, score) == pytest.approx(average_precision_score(gold, score), rel=1e-12)


@few
@given(rankings(), st.data())
def test_average_precision_ignores_the_order_of_passages(
    ranking: tuple[BoolArray, FloatArray], data: st.DataObject
) -> None:
    gold, score = ranking
    order = data.draw(st.permutations(range(len(gold))))
    assert average_precision(gold[order], score[order]) == pytest.approx(average_precision(gold, score), rel=1e-12)


def test_exact_match_counts_only_passages_known_in_full() -> None:
    known = ALL_KNOWN.copy()
    known[1, 0] = False
    right, complete = agreeing_rows(GOLD, PREDICTED, known)
    assert right.tolist() == [False, False, False, False, True]
    assert complete.tolist() == [True, False, True, True, True]


def test_rates_are_counted_by_group() -> None:
    hits = np.array([True, True, False, True, True])
    of = np.array([True, False, True, True, True])
    assert grouped_rates(hits, of, GROUPS).tolist() == [[1, 1], [1, 2], [1, 1]]


def test_confusion_has_gold_rows_and_predicted_columns() -> None:
    gold = np.eye(3, dtype=bool)[[0, 0, 1, 2, 2]]
    predicted = np.eye(3, dtype=bool)[[0, 1, 1, 0, 2]]
    known = np.ones_like(gold)
    known[4, 0] = False
    assert confusion(gold, predicted, known).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


@few
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_confusion_equals_that_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    gold, predicted = np.array(pairs).T
    ours = confusion(
        np.eye(4, dtype=bool)[gold], np.eye(4, dtype=bool)[predicted], np.ones((len(pairs), 4), dtype=bool)
    )
    assert ours.tolist() == confusion_matrix(gold, predicted, labels=range(4)).tolist()
