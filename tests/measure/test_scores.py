"""Scores: values counted by hand, and scikit-learn as a second implementation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import (
    average_precision_score,
    confusion_matrix,
    f1_score,
    label_ranking_average_precision_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.metrics import hamming_loss as hamming_loss_score

from classify.measure import scores
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.scores import (
    agreeing_rows,
    average_precision,
    average_precision_without,
    co_confusion,
    confusion,
    f1,
    grouped_counts,
    grouped_rates,
    hamming_loss,
    label_ranking_precision,
    matthews,
    precision,
    precision_recall_curve,
    rate,
    recall,
    risk_coverage,
    roc_auc,
    sum_by_group,
)

# Label 0: TP in rows 0 and 1, FP in row 2, FN in row 3. Label 1: FN in row 0, TP in row 3.
GOLD = np.array([[1, 1], [1, 0], [0, 0], [1, 1], [0, 0]], dtype=bool)
PREDICTED = np.array([[1, 0], [1, 0], [1, 0], [0, 1], [0, 0]], dtype=bool)
ALL_KNOWN = np.ones_like(GOLD)
GROUPS = np.array([0, 0, 1, 1, 2])
few = settings(max_examples=40)


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


def counts_of(gold: BoolArray, predicted: BoolArray) -> FloatArray:
    """Counts of everything, shape (n_labels, 4)."""
    return grouped_counts(gold, predicted, np.ones_like(gold), np.zeros(len(gold), dtype=np.int64))[0]


def test_counts_are_kept_by_group() -> None:
    counts = grouped_counts(GOLD, PREDICTED, ALL_KNOWN, GROUPS)
    assert counts.tolist() == [[[2, 0, 0, 0], [0, 0, 1, 1]], [[0, 1, 1, 0], [1, 0, 0, 1]], [[0, 0, 0, 1], [0, 0, 0, 1]]]


def test_a_group_without_passages_counts_nothing() -> None:
    counts = grouped_counts(GOLD, PREDICTED, ALL_KNOWN, np.array([0, 0, 2, 2, 2]))
    assert counts[1].tolist() == [[0, 0, 0, 0], [0, 0, 0, 0]]


def test_measures_equal_hand_counts() -> None:
    counts = grouped_counts(GOLD, PREDICTED, ALL_KNOWN, GROUPS).sum(axis=0)
    assert precision(counts).tolist() == [2 / 3, 1 / 1]
    assert recall(counts).tolist() == [2 / 3, 1 / 2]
    assert f1(counts).tolist() == [4 / 6, 2 / 3]


def test_unknown_cells_count_nowhere() -> None:
    known = ALL_KNOWN.copy()
    known[2, 0] = known[0, 1] = False
    counts = grouped_counts(GOLD, PREDICTED, known, GROUPS).sum(axis=0)
    assert counts.tolist() == [[2, 0, 1, 1], [1, 0, 0, 3]]


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
        ([0, 0, 2, 3], [np.nan, 0, 0, np.nan]),  # never predicted
        ([0, 2, 0, 3], [0, np.nan, 0, np.nan]),  # never gold
        ([0, 0, 0, 3], [np.nan, np.nan, np.nan, np.nan]),  # neither
        ([0, 0, 0, 0], [np.nan, np.nan, np.nan, np.nan]),  # nothing known
        ([3, 0, 0, 0], [1, 1, 1, np.nan]),  # everywhere
        ([0, 1, 1, 0], [0, 0, 0, -1]),  # never right
        ([1, 0, 0, 1], [1, 1, 1, 1]),
    ],
)
def test_a_ratio_of_nothing_is_nan(counts: list[float], expected: list[float]) -> None:
    table = np.array(counts, dtype=float)
    np.testing.assert_array_equal([precision(table), recall(table), f1(table), matthews(table)], expected)


@few
@given(indicators(2))
def test_measures_equal_those_of_scikit_learn(arrays: BoolArray) -> None:
    gold, predicted = arrays
    counts = counts_of(gold, predicted)
    for ours, theirs in ((precision, precision_score), (recall, recall_score), (f1, f1_score)):
        expected = [theirs(gold[:, n], predicted[:, n], zero_division=np.nan) for n in range(gold.shape[1])]
        np.testing.assert_allclose(ours(counts), expected, rtol=1e-12)


@few
@given(indicators(2))
def test_micro_f1_of_summed_counts_equals_that_of_scikit_learn(arrays: BoolArray) -> None:
    gold, predicted = (np.hstack([array, array]) for array in arrays)
    counts = counts_of(gold, predicted)
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
    outcomes = ((True, True), (False, True), (True, False), (False, False))
    expected = [[of.count(outcome) for outcome in outcomes] for of in cells]
    assert counts.tolist() == expected


@few
@given(indicators(2))
def test_matthews_equals_that_of_scikit_learn_wherever_it_is_defined(arrays: BoolArray) -> None:
    gold, predicted = arrays
    varied = np.array([len(np.unique(g)) == len(np.unique(p)) == 2 for g, p in zip(gold.T, predicted.T, strict=True)])
    found = matthews(counts_of(gold, predicted))
    expected = [matthews_corrcoef(g, p) for g, p in zip(gold[:, varied].T, predicted[:, varied].T, strict=True)]
    np.testing.assert_allclose(found[varied], expected, atol=1e-12)
    assert np.isnan(found[~varied]).all()


@few
@given(indicators(2))
def test_matthews_is_the_correlation_of_gold_and_predicted(arrays: BoolArray) -> None:
    ends = np.array([[True], [False]])  # so that both vary
    gold, predicted = (np.vstack([np.repeat(ends, array.shape[1], axis=1), array]) for array in arrays)
    expected = [np.corrcoef(g, p)[0, 1] for g, p in zip(gold.T, predicted.T, strict=True)]
    np.testing.assert_allclose(matthews(counts_of(gold, predicted)), expected, atol=1e-12)


def test_matthews_equals_hand_counts() -> None:
    # (6 · 3 - 1 · 2) / sqrt(7 · 8 · 4 · 5)
    assert float(matthews(np.array([6.0, 1.0, 2.0, 3.0]))) == pytest.approx(16 / np.sqrt(1120), rel=1e-12)


def test_hamming_loss_equals_hand_counts() -> None:
    counts = grouped_counts(GOLD, PREDICTED, ALL_KNOWN, GROUPS)
    assert float(hamming_loss(counts.sum(axis=0))) == 3 / 10
    assert hamming_loss(counts).tolist() == [1 / 4, 2 / 4, 0 / 2]


def test_a_tagger_that_says_nothing_loses_the_mean_prevalence() -> None:
    counts = grouped_counts(GOLD, np.zeros_like(GOLD), ALL_KNOWN, np.zeros(5, dtype=np.int64))[0]
    assert float(hamming_loss(counts)) == (3 / 5 + 2 / 5) / 2


def test_hamming_loss_counts_known_cells_alone() -> None:
    known = ALL_KNOWN.copy()
    known[2, 0] = known[4, 0] = False  # one wrong, one right
    assert float(hamming_loss(grouped_counts(GOLD, PREDICTED, known, GROUPS).sum(axis=0))) == 2 / 8
    assert np.isnan(hamming_loss(np.zeros((2, 4))))


@few
@given(indicators(2))
def test_hamming_loss_equals_that_of_scikit_learn(arrays: BoolArray) -> None:
    gold, predicted = arrays
    found = float(hamming_loss(counts_of(gold, predicted)))
    assert found == pytest.approx(hamming_loss_score(gold, predicted), abs=1e-12)


def test_sums_are_kept_by_group() -> None:
    values = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])
    assert sum_by_group(values, np.array([2, 0, 2])).tolist() == [[2, 20], [0, 0], [5, 50]]
    assert sum_by_group(values[:, 0], np.array([2, 0, 2])).tolist() == [2, 0, 5]
    assert sum_by_group(values > 3, np.array([0, 0, 0])).tolist() == [[1, 3]]


def test_sums_of_nothing_have_no_groups() -> None:
    assert sum_by_group(np.zeros((0, 2, 3)), np.array([], dtype=np.int64)).shape == (0, 2, 3)


@few
@given(hnp.arrays(np.int64, st.tuples(st.integers(1, 30), st.just(3)), elements=st.integers(-9, 9)), st.data())
def test_sums_by_group_equal_a_sum_a_group(values: IntArray, data: st.DataObject) -> None:
    groups = data.draw(hnp.arrays(np.int64, len(values), elements=st.integers(0, 6)))
    expected = [values[groups == group].sum(axis=0).tolist() for group in range(int(groups.max()) + 1)]
    assert sum_by_group(values.astype(float), groups).tolist() == expected


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


def test_curve_has_one_point_a_distinct_score() -> None:
    gold, score = np.array([True, False, True, False, False]), np.array([0.9, 0.5, 0.5, 0.5, 0.1])
    recall_at, precision_at = precision_recall_curve(gold, score)
    assert recall_at.tolist() == [1 / 2, 2 / 2, 2 / 2]
    assert precision_at.tolist() == [1 / 1, 2 / 4, 2 / 5]


def precision_without(gold: BoolArray, score: FloatArray, groups: IntArray) -> list[float]:
    """The same by deleting each group: NaN in place of scikit-learn's warning where no positive is left."""
    kept = [groups != group for group in range(int(groups.max()) + 1)]
    return [float(average_precision_score(gold[k], score[k])) if gold[k].any() else np.nan for k in kept]


def test_average_precision_without_a_group_equals_hand_counts() -> None:
    gold, score = np.array([True, False, True, False, True]), np.array([0.9, 0.8, 0.7, 0.7, 0.1])
    # without the first: ranks 2, 3 (tied) and 4 of - + ± +; without the second: + ± +; without the rest: + -
    expected = [(1 / 3 + 2 / 4) / 2, (1 / 1 + 2 / 3 + 3 / 4) / 3, 1 / 1]
    found = average_precision_without(gold, score, np.array([0, 1, 2, 2, 2]))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_average_precision_without_the_only_group_with_positives_is_nan() -> None:
    gold = np.array([True, True, False, False])
    found = average_precision_without(gold, np.array([0.1, 0.2, 0.3, 0.4]), np.array([0, 0, 1, 2]))
    np.testing.assert_allclose(found, [np.nan, (1 / 2 + 2 / 3) / 2, (1 / 2 + 2 / 3) / 2], rtol=1e-12)


def test_average_precision_without_any_positive_is_nan_for_every_group() -> None:
    found = average_precision_without(np.zeros(3, dtype=bool), np.arange(3.0), np.array([0, 2, 2]))
    np.testing.assert_array_equal(found, [np.nan, np.nan, np.nan])
    assert average_precision_without(np.zeros(0, dtype=bool), np.zeros(0), np.zeros(0, dtype=np.int64)).shape == (0,)


def test_leaving_out_a_group_without_passages_changes_nothing() -> None:
    gold, score = np.array([True, False, True]), np.array([0.9, 0.8, 0.7])
    found = average_precision_without(gold, score, np.array([0, 0, 2]))
    assert found[1] == average_precision(gold, score)


@pytest.mark.parametrize("max_cells", [1, 7, 1_000_000])
@few
@given(rankings(), st.data())
def test_average_precision_without_each_group_equals_brute_force_deletion(
    max_cells: int, ranking: tuple[BoolArray, FloatArray], data: st.DataObject
) -> None:
    gold, score = ranking
    groups = data.draw(hnp.arrays(np.int64, len(gold), elements=st.integers(0, 6)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scores, "_MAX_CELLS", max_cells)  # a group at a time, a few, or all at once
        found = average_precision_without(gold, score, groups)
    np.testing.assert_allclose(found, precision_without(gold, score, groups), rtol=1e-12)


@pytest.mark.parametrize("max_cells", [500, 10_000, 1_000_000])
def test_average_precision_without_each_of_many_groups_equals_brute_force_deletion(
    max_cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(8)
    groups, gold = rng.integers(0, 70, 900), rng.random(900) < 0.2
    score = np.round(rng.normal(gold, 1), 1)
    monkeypatch.setattr(scores, "_MAX_CELLS", max_cells)
    found = average_precision_without(gold, score, groups)
    np.testing.assert_allclose(found, precision_without(gold, score, groups), rtol=1e-12)


def test_roc_auc_equals_hand_counts() -> None:
    gold, score = np.array([True, False, True, False, False]), np.array([0.9, 0.9, 0.5, 0.5, 0.1])
    # of 2 · 3 pairs: the first positive ties, wins, wins; the second loses, ties, wins
    assert roc_auc(gold, score) == (1 / 2 + 1 + 1 + 0 + 1 / 2 + 1) / 6
    assert roc_auc(gold, np.zeros(5)) == 1 / 2


@pytest.mark.parametrize("gold", [[], [True], [False, False], [True, True]])
def test_roc_auc_of_passages_that_are_all_alike_is_nan(gold: list[bool]) -> None:
    assert np.isnan(roc_auc(np.array(gold, dtype=bool), np.arange(float(len(gold)))))


@few
@given(rankings())
def test_roc_auc_equals_that_of_scikit_learn(ranking: tuple[BoolArray, FloatArray]) -> None:
    gold, score = np.append(ranking[0], False), np.append(ranking[1], 0.25)
    assert roc_auc(gold, score) == pytest.approx(roc_auc_score(gold, score), rel=1e-12, abs=1e-12)


def test_label_ranking_precision_equals_hand_counts() -> None:
    gold = np.array([[1, 0, 1], [1, 1, 0], [0, 1, 0], [0, 0, 0]], dtype=bool)
    score = np.array([[0.9, 0.8, 0.7], [0.2, 0.2, 0.9], [0.5, 0.5, 0.5], [0.1, 0.2, 0.3]])
    expected = [(1 / 1 + 2 / 3) / 2, (2 / 3 + 2 / 3) / 2, 1 / 3, np.nan]
    np.testing.assert_allclose(label_ranking_precision(gold, score), expected, rtol=1e-12)


@few
@given(indicators(1), st.data())
def test_label_ranking_precision_equals_that_of_scikit_learn_where_a_passage_has_a_label(
    arrays: BoolArray, data: st.DataObject
) -> None:
    gold = np.hstack([arrays[0], ~arrays[0][:, :1]])  # two columns or more, as scikit-learn asks
    score = data.draw(hnp.arrays(np.int64, gold.shape, elements=st.integers(-3, 3))) / 4
    labelled = gold.any(axis=1)
    expected = [
        label_ranking_average_precision_score([g], [s]) for g, s in zip(gold[labelled], score[labelled], strict=True)
    ]
    found = label_ranking_precision(gold, score)
    np.testing.assert_allclose(found[labelled], expected, rtol=1e-12)
    assert np.isnan(found[~labelled]).all()


def test_exact_match_counts_only_passages_known_in_full() -> None:
    known = ALL_KNOWN.copy()
    known[1, 0] = False
    right, complete = agreeing_rows(GOLD, PREDICTED, known)
    assert right.tolist() == [False, False, False, False, True]
    assert complete.tolist() == [True, False, True, True, True]


def test_rates_are_counted_by_group() -> None:
    hits = np.array([True, True, False, True, True])
    of = np.array([True, False, True, True, True])
    counts = grouped_rates(hits, of, GROUPS)
    assert counts.tolist() == [[1, 1], [1, 2], [1, 1]]
    assert rate(counts).tolist() == [1 / 1, 1 / 2, 1 / 1]


def test_a_rate_of_nothing_is_nan() -> None:
    np.testing.assert_array_equal(rate(np.array([[0.0, 0.0], [0.0, 2.0]])), [np.nan, 0])


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


def test_co_confusion_pairs_what_was_missed_with_what_was_given_wrongly() -> None:
    gold = np.array([[1, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 1], [1, 0, 0], [0, 0, 0], [0, 1, 1]], dtype=bool)
    predicted = np.array([[0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 0], [1, 0, 0], [1, 1, 1]], dtype=bool)
    # rows 0 and 1: 0 taken for 1; row 2: both 0 and 1 taken for 2; 3 is right; 4 only lacks; 5 and 6 only add
    expected = [[0, 2, 1], [0, 0, 1], [0, 0, 0]]
    assert co_confusion(gold, predicted, np.ones_like(gold)).tolist() == expected


def test_co_confusion_looks_at_known_cells_alone() -> None:
    gold, predicted = np.array([[1, 0, 0]] * 3, dtype=bool), np.array([[0, 1, 1]] * 3, dtype=bool)
    known = np.array([[1, 1, 0], [0, 1, 1], [1, 1, 1]], dtype=bool)
    assert co_confusion(gold, predicted, known).tolist() == [[0, 2, 1], [0, 0, 0], [0, 0, 0]]


@few
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_co_confusion_of_single_labels_is_the_confusion_off_its_diagonal(pairs: list[tuple[int, int]]) -> None:
    gold, predicted = np.eye(4, dtype=bool)[np.array(pairs).T]
    known = np.ones_like(gold)
    off = confusion(gold, predicted, known) * (1 - np.eye(4, dtype=np.int64))
    assert co_confusion(gold, predicted, known).tolist() == off.tolist()


def test_risk_rises_down_the_confidence_as_counted_by_hand() -> None:
    confidence, wrong = np.array([0.2, 0.9, 0.6, 0.4]), np.array([True, False, False, True])
    coverage, risk = risk_coverage(confidence, wrong)
    assert coverage.tolist() == [1 / 4, 2 / 4, 3 / 4, 4 / 4]
    assert risk.tolist() == [0 / 1, 0 / 2, 1 / 3, 2 / 4]


def test_passages_of_equal_confidence_are_kept_together() -> None:
    confidence, wrong = np.array([0.5, 0.9, 0.5, 0.5, 0.1, 0.9]), np.array([True, False, False, False, True, True])
    for order in (np.arange(6), np.arange(6)[::-1]):
        coverage, risk = risk_coverage(confidence[order], wrong[order])
        assert coverage.tolist() == [2 / 6, 5 / 6, 6 / 6]
        assert risk.tolist() == [1 / 2, 2 / 5, 3 / 6]


def test_one_confidence_for_all_gives_one_point() -> None:
    coverage, risk = risk_coverage(np.full(4, 0.5), np.array([True, False, False, False]))
    assert (coverage.tolist(), risk.tolist()) == ([1], [1 / 4])


@few
@given(rankings())
def test_risk_is_the_share_wrong_among_those_at_least_as_confident(ranking: tuple[BoolArray, FloatArray]) -> None:
    wrong, confidence = ranking
    kept = [confidence >= value for value in np.unique(confidence)[::-1]]
    coverage, risk = risk_coverage(confidence, wrong)
    np.testing.assert_allclose(coverage, [rows.mean() for rows in kept], rtol=1e-12)
    np.testing.assert_allclose(risk, [wrong[rows].mean() for rows in kept], rtol=1e-12)
