"""Split passages into folds, whole events only; the only place that splits."""

import numpy as np

from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.scores import sum_by_group

MAX_FOLDS = 5
MIN_EVENTS = 4
_RESTARTS = 50
_MAX_PLACED = 10_000
"""Groups placed in all restarts together: many groups spread evenly of themselves."""


def n_folds_for(n_events: int) -> int:
    """min(5, events // 2); 0 under 4 events, where no honest split exists.

    >>> [n_folds_for(n) for n in (3, 4, 7, 100)]
    [0, 2, 3, 5]
    """
    return min(MAX_FOLDS, n_events // 2) if n_events >= MIN_EVENTS else 0


def grouped_folds(gold: BoolArray, groups: IntArray, *, n_folds: int, seed: int) -> IntArray:
    """A fold number for every passage, shape (n_passages,): whole groups to folds, labels spread evenly.

    `gold` has shape (n_passages, n_labels); `groups` holds group numbers 0 … n_groups - 1. Groups of the rarest label
    are placed first, each where it brings label counts and sizes nearest to an equal share; the best of 50 restarts
    (fewer for over 200 groups) is kept, one that leaves a label out of a fold only where no other does. After
    Sechidis, Tsoumakas & Vlahavas 2011, moved from passages to groups.
    """
    n_groups = int(groups.max(initial=-1)) + 1
    counts = sum_by_group(np.c_[gold, np.ones(len(gold))], groups)
    n_groups_with = (counts[:, :-1] > 0).sum(axis=0)
    best, best_cost = np.zeros(n_groups, dtype=np.int64), np.inf
    for restart in range(min(_RESTARTS, 1 + _MAX_PLACED // n_groups)):
        rng = np.random.default_rng([seed, restart])
        fold_of = _assign(counts, n_folds, rng, larger_first=restart % 2 == 0)
        fold_counts = sum_by_group(counts, fold_of)
        empty = ((fold_counts[:, :-1] == 0) & (n_groups_with >= n_folds)).sum()
        cost = _unevenness(fold_counts, counts.sum(axis=0) / n_folds) + 10 * empty
        if cost < best_cost:
            best, best_cost = fold_of, cost
    return best[groups]


def _assign(counts: FloatArray, n_folds: int, rng: np.random.Generator, *, larger_first: bool) -> IntArray:
    """One greedy pass over the groups: a fold number a group.

    Putting a group into a fold adds 2·F·c - 2·want·c + c·c to the weighted squared unevenness; only F·c, F the fold's
    counts so far, differs between folds.
    """
    has = counts[:, :-1] > 0
    rarity = np.where(has, counts[:, :-1].sum(axis=0), np.inf).min(axis=1, initial=np.inf)
    size = -counts[:, -1] if larger_first else np.zeros(len(counts))
    weighted = counts / np.maximum(counts.sum(axis=0) / n_folds, 1e-9)
    ties = 1e-6 * rng.random((len(counts), n_folds))
    fold_sums = np.zeros((n_folds, counts.shape[1]))
    fold_of = np.empty(len(counts), dtype=np.int64)
    for group in np.lexsort((rng.random(len(counts)), size, rarity)).tolist():
        fold_of[group] = fold = (fold_sums @ weighted[group] + ties[group]).argmin()
        fold_sums[fold] += weighted[group]
    return fold_of


def _unevenness(fold_counts: FloatArray, want: FloatArray) -> float:
    return float((((fold_counts - want) / np.maximum(want, 1e-9)) ** 2).sum())
