"""Splits: whole events on one side, no fold empty, labels spread evenly, and the same folds from the same seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from classify.data.splits import grouped_folds, n_folds_for
from classify.measure.arrays import BoolArray, FloatArray, IntArray


@st.composite
def grouped_labels(draw: st.DrawFn) -> tuple[BoolArray, IntArray]:
    """Labels of passages in 4 to 14 groups of 1 to 6 passages, in no order; labels may be empty or full."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=4, max_size=14))
    groups = np.array(draw(st.permutations(np.repeat(np.arange(len(sizes)), sizes).tolist())), dtype=np.int64)
    return draw(hnp.arrays(np.bool_, (len(groups), draw(st.integers(1, 4))))), groups


def corpus(seed: int) -> tuple[BoolArray, IntArray]:
    """20 events of 3 to 8 passages, 6 labels that gather in some events, the last two of them rare."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(20), rng.integers(3, 9, 20))
    share = np.array([0.5, 0.4, 0.3, 0.3, 0.1, 0.08])
    of_event = rng.random((20, 6)) < share
    return of_event[groups] & (rng.random((len(groups), 6)) < 0.7), groups


def unevenness(gold: BoolArray, folds: IntArray) -> float:
    """Mean distance of the folds' label shares from those of the corpus."""
    shares: FloatArray = np.array([gold[folds == fold].mean(axis=0) for fold in range(5)])
    return float(np.abs(shares - gold.mean(axis=0)).mean())


def empty_cells(gold: BoolArray, groups: IntArray, folds: IntArray) -> int:
    """How many (fold, label) cells hold no positive, beyond those that no split can fill."""
    n_groups_with = np.array([len(np.unique(groups[column])) for column in gold.T])
    n_folds_with = np.array([len(np.unique(folds[column])) for column in gold.T])
    return int((np.minimum(n_groups_with, 5) - n_folds_with).sum())


def at_random(groups: IntArray, rng: np.random.Generator) -> IntArray:
    """Groups dealt to five folds of as many groups, labels not looked at: what GroupKFold with a shuffle does."""
    return rng.permutation(np.arange(groups.max() + 1) % 5)[groups]


@settings(max_examples=40)
@given(grouped_labels(), st.integers(0, 3))
def test_groups_stay_whole_and_no_fold_is_empty(data: tuple[BoolArray, IntArray], seed: int) -> None:
    gold, groups = data
    n_folds = n_folds_for(int(groups.max()) + 1)
    folds = grouped_folds(gold, groups, n_folds=n_folds, seed=seed)
    assert len({(group, fold) for group, fold in zip(groups.tolist(), folds.tolist(), strict=True)}) == groups.max() + 1
    assert np.unique(folds).tolist() == list(range(n_folds))


def test_no_fold_is_empty_where_one_group_outweighs_all() -> None:
    groups = np.repeat(np.arange(10), [3000, *[1] * 9])
    folds = grouped_folds(np.zeros((len(groups), 1), dtype=bool), groups, n_folds=5, seed=0)
    assert np.unique(folds).tolist() == [0, 1, 2, 3, 4]


def test_a_label_in_as_many_groups_as_folds_reaches_every_fold() -> None:
    groups = np.repeat(np.arange(15), 4)
    gold = np.stack([groups % 3 == 0, groups >= 10], axis=1)
    folds = grouped_folds(gold, groups, n_folds=5, seed=0)
    assert empty_cells(gold, groups, folds) == 0


@pytest.mark.parametrize("seed", [23, 38, 81, 146])
def test_a_label_reaches_every_fold_where_shares_would_be_more_even_if_it_did_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(10), rng.integers(1, 12, 10))
    gold = (rng.random((10, 4)) < 0.5)[groups] & (rng.random((len(groups), 4)) < rng.random(4))
    assert empty_cells(gold, groups, grouped_folds(gold, groups, n_folds=5, seed=0)) == 0


def test_equal_groups_are_dealt_equally() -> None:
    groups = np.repeat(np.arange(10), 3)
    folds = grouped_folds(np.ones((30, 1), dtype=bool), groups, n_folds=5, seed=0)
    assert np.bincount(folds).tolist() == [6] * 5


def test_labels_are_spread_better_than_at_random() -> None:
    rng = np.random.default_rng(0)
    ours, random = [], []
    for gold, groups in (corpus(seed) for seed in range(12)):
        for found, folds in (
            (ours, grouped_folds(gold, groups, n_folds=5, seed=0)),
            (random, at_random(groups, rng)),
        ):
            found.append([unevenness(gold, folds), empty_cells(gold, groups, folds)])
    assert (np.mean(ours, axis=0) < 0.75 * np.mean(random, axis=0)).all()


def test_folds_are_the_same_every_time() -> None:
    gold, groups = corpus(0)
    first = grouped_folds(gold, groups, n_folds=5, seed=4)
    assert grouped_folds(gold, groups, n_folds=5, seed=4).tolist() == first.tolist()


def test_order_of_passages_does_not_change_the_fold_of_a_group() -> None:
    gold, groups = corpus(1)
    order = np.random.default_rng(1).permutation(len(groups))
    folds = grouped_folds(gold, groups, n_folds=5, seed=4)
    assert grouped_folds(gold[order], groups[order], n_folds=5, seed=4).tolist() == folds[order].tolist()


def test_another_seed_gives_other_folds() -> None:
    gold, groups = corpus(2)
    assert len({tuple(grouped_folds(gold, groups, n_folds=5, seed=seed).tolist()) for seed in range(5)}) > 1


def test_many_groups_are_dealt_as_evenly_in_fewer_tries() -> None:
    groups = np.repeat(np.arange(10_000), 2)
    gold = np.random.default_rng(0).random((len(groups), 3)) < np.array([0.3, 0.05, 0.01])
    folds = grouped_folds(gold, groups, n_folds=5, seed=0)
    assert np.ptp(np.bincount(folds)) <= 0.01 * len(gold) / 5
    for column in gold.T:
        assert np.ptp(np.bincount(folds[column])) <= 0.03 * column.sum() / 5 + 1


@pytest.mark.parametrize(
    ("n_events", "n_folds"),
    [(0, 0), (1, 0), (3, 0), (4, 2), (5, 2), (6, 3), (8, 4), (9, 4), (10, 5), (11, 5), (1000, 5)],
)
def test_there_are_half_as_many_folds_as_events_and_five_at_most(n_events: int, n_folds: int) -> None:
    assert n_folds_for(n_events) == n_folds
