"""Pairs of whole numbers to a whole number, found in bulk: how runs of words are followed through a table."""

from collections.abc import Mapping

import numpy as np

from classify.measure.arrays import IntArray

ABSENT = -1
MULTIPLIER = 0x9E3779B97F4A7C15
"""2^64 over the golden ratio: the top bits of a product with it are spread well (Knuth 1973, 6.4)."""


class PairTable:
    """A hash table of (first, second) -> value in one array, read by numpy here and by the compiled scanner in place.

    Both numbers are 0 or more, `second` below `n_second`; a pair's key is first · n_second + second. `slots` has shape
    (2^k, 2): keys and values, at most half of them used, each key in the first free row from its hash on.

    >>> PairTable({(0, 1): 7}, n_second=2).find(np.array([0, 0]), np.array([1, 0])).tolist()
    [7, -1]
    """

    def __init__(self, values: Mapping[tuple[int, int], int], n_second: int) -> None:
        self.n_second = n_second
        self.bits = max(3, (2 * len(values)).bit_length())
        self.slots = np.full((1 << self.bits, 2), ABSENT, dtype=np.int64)
        pairs = np.array(list(values), dtype=np.int64).reshape(-1, 2)
        self._insert(pairs[:, 0] * n_second + pairs[:, 1], np.array(list(values.values()), dtype=np.int64))
        self._is_taken = self.slots[:, 0] != ABSENT  # so small that it stays in the cache, and most pairs are absent

    def find(self, first: IntArray, second: IntArray) -> IntArray:
        """The value of each pair, ABSENT for pairs that are not there; negative numbers are in no pair."""
        found = np.full(len(first), ABSENT, dtype=np.int64)
        asked = np.flatnonzero((first >= 0) & (second >= 0))
        keys = first[asked] * self.n_second + second[asked]
        at = self._home(keys)
        while len(asked):
            is_taken = self._is_taken[at]
            asked, keys, at = asked[is_taken], keys[is_taken], at[is_taken]
            is_there = self.slots[at, 0] == keys
            found[asked[is_there]] = self.slots[at[is_there], 1]
            asked, keys, at = asked[~is_there], keys[~is_there], (at[~is_there] + 1) & (len(self.slots) - 1)
        return found

    def _insert(self, keys: IntArray, values: IntArray) -> None:
        at, waiting = self._home(keys), np.arange(len(keys))
        while len(waiting):
            is_free = self.slots[at[waiting], 0] == ABSENT
            first_to_come = waiting[is_free][np.unique(at[waiting[is_free]], return_index=True)[1]]
            self.slots[at[first_to_come]] = np.stack([keys[first_to_come], values[first_to_come]], axis=1)
            waiting = waiting[self.slots[at[waiting], 0] != keys[waiting]]
            at[waiting] = (at[waiting] + 1) & (len(self.slots) - 1)

    def _home(self, keys: IntArray) -> IntArray:
        """Where a key stands if nothing else does."""
        return ((keys.astype(np.uint64) * np.uint64(MULTIPLIER)) >> np.uint64(64 - self.bits)).astype(np.int64)
