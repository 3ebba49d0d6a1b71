"""Turn two systems' counts by event into a p-value: what swapping their outputs, event by event, would give."""

from collections.abc import Callable

import numpy as np

from classify.measure.arrays import FloatArray

EXACT_GROUPS = 12
N_SWAPS = 10_000
_MAX_CELLS = 5_000_000


def swap_p_value(
    first: FloatArray, second: FloatArray, measure: Callable[[FloatArray], FloatArray], *, seed: int = 0
) -> float:
    """Two-sided p-value of measure(first) - measure(second) under swapping the systems (approximate randomisation).

    `first` and `second` hold counts with the groups on the first axis; `measure` maps summed counts, with any axes in
    front, to values. All 2^G swaps where there are 12 groups or fewer, else 10,000 drawn ones (Noreen 1989). A swap
    that leaves a measure undefined counts as a large difference; NaN where the difference itself is undefined.
    """
    n_groups = len(first)
    shape, total = first.shape[1:], first.sum(axis=0) + second.sum(axis=0)
    flat_first, flat_second = (counts.reshape(n_groups, -1) for counts in (first, second))

    def differences(swapped: FloatArray) -> FloatArray:
        sums = (flat_first.sum(axis=0) + swapped @ (flat_second - flat_first)).reshape(len(swapped), *shape)
        return np.asarray(measure(sums) - measure(total - sums))

    observed = abs(float(differences(np.zeros((1, n_groups)))[0]))
    if np.isnan(observed):
        return float("nan")
    if n_groups <= EXACT_GROUPS:
        swaps = (np.arange(2**n_groups)[:, None] >> np.arange(n_groups) & 1).astype(np.float64)
        return 1 - float(np.mean(np.abs(differences(swaps)) < observed - 1e-12))
    rng = np.random.default_rng(seed)
    step = max(1, _MAX_CELLS // n_groups)
    sizes = [min(step, N_SWAPS - start) for start in range(0, N_SWAPS, step)]
    drawn = [differences(rng.integers(0, 2, (size, n_groups)).astype(np.float64)) for size in sizes]
    smaller = np.count_nonzero(np.abs(np.concatenate(drawn)) < observed - 1e-12)
    return (1 + N_SWAPS - smaller) / (1 + N_SWAPS)


def holm(p_values: FloatArray) -> FloatArray:
    """p-values of several tests adjusted so that the chance of any false one stays under the level (Holm 1979).

    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    stepped = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1, stepped)
    return adjusted
