"""Split passages into folds, whole events only; the only place that splits."""

import numpy as np

from classify.measure.arrays import BoolArray, FloatArray, IntArray

MAX_FOLDS = 5
MIN_EVENTS = 4
_RESTARTS = 50


def n_folds_for(n_events: int) -> int:
    """min(5, events // 2); 0 under 4 events, where no honest split exists.

    >>> [n_folds_for(n) for n in (3, 4, 7, 100)]
    [0, 2, 3, 5]
    """
    return min(MAX_FOLDS, n_events // 2) if n_events >= MIN_EVENTS else 0


def grouped_folds(gold: BoolArray, groups: IntArray, *, n_folds: int, seed: int) -> IntArray:
    """A fold number for every passage, shape (n_passages,): whole groups to folds, labels spread evenly.

    `gold` has shape (n_passages, n_labels); `groups` holds group numbers 0 … n_groups - 1. Groups of the rarest label
    are placed first, each where it brings label counts and sizes nearest to an equal share; the best of 50 restarts is
    kept, one that leaves a label out of a fold only where no other does. After Sechidis, Tsoumakas & Vlahavas 2011,
    moved from passages to groups.
    """
    n_groups = int(groups.max(initial=-1)) + 1
    counts = np.zeros((n_groups, gold.shape[1] + 1))
    np.add.at(counts, groups, np.c_[gold, np.ones(len(gold))])
    n_groups_with = (counts[:, :-1] > 0).sum(axis=0)
    best, best_cost = np.zeros(n_groups, dtype=np.int64), np.inf
    for restart in range(_RESTARTS):
        rng = np.random.default_rng([seed, restart])
        fold_of, fold_counts = _assign(counts, n_folds, rng, larger_first=restart % 2 == 0)
        empty = ((fold_counts[:, :-1] == 0) & (n_groups_with >= n_folds)).sum()
        cost = _unevenness(fold_counts, counts.sum(axis=0) / n_folds) + 10 * empty
        if cost < best_cost:
            best, best_cost = fold_of, cost
    return best[groups]


def _assign(
    counts: FloatArray, n_folds: int, rng: np.random.Generator, *, larger_first: bool
) -> tuple[IntArray, FloatArray]:
    """One greedy pass over the groups: a fold number a group, and each fold's counts."""
    want = counts.sum(axis=0) / n_folds
    has = counts[:, :-1] > 0
    rarity = np.where(has, counts[:, :-1].sum(axis=0), np.inf).min(axis=1, initial=np.inf)
    size = -counts[:, -1] if larger_first else np.zeros(len(counts))
    fold_counts = np.zeros((n_folds, counts.shape[1]))
    fold_of = np.empty(len(counts), dtype=np.int64)
    for group in np.lexsort((rng.random(len(counts)), size, rarity)):
        weight = 1 / np.maximum(want, 1e-9)
        added = (((fold_counts + counts[group] - want) * weight) ** 2).sum(axis=1)
        cost = added - (((fold_counts - want) * weight) ** 2).sum(axis=1) + 1e-6 * rng.random(n_folds)
        fold_of[group] = fold = int(cost.argmin())
        fold_counts[fold] += counts[group]
    return fold_of, fold_counts


def _unevenness(fold_counts: FloatArray, want: FloatArray) -> float:
    return float((((fold_counts - want) / np.maximum(want, 1e-9)) ** 2).sum())
