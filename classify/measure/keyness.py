"""Turn counts of a word inside and outside a group of texts into how much it belongs to the group."""

import numpy as np

from classify.measure.arrays import FloatArray, IntArray


def log_likelihood(inside: IntArray, outside: IntArray, n_inside: int, n_outside: int) -> FloatArray:
    """Signed log-likelihood ratio G² of each word (Dunning 1993): positive where it is commoner inside.

    `inside` and `outside` count the texts that hold each word, shape (n_words,), of `n_inside` and `n_outside` texts.
    Above 10.83 such a difference comes by chance in one of a thousand words. NaN if either group is empty.

    >>> log_likelihood(np.array([5, 1]), np.array([5, 1]), 10, 10).tolist()
    [0.0, 0.0]
    """
    total = n_inside + n_outside
    observed = np.array([inside, outside, n_inside - inside, n_outside - outside], dtype=np.float64)
    holding = np.array(inside + outside, dtype=np.float64)
    sizes = np.array([n_inside, n_outside, n_inside, n_outside], dtype=np.float64)[:, None]
    if not (n_inside and n_outside):
        return np.full(len(holding), np.nan)
    expected = sizes * np.array([holding, holding, total - holding, total - holding]) / total
    ratio = np.where(observed > 0, observed / np.where(expected > 0, expected, 1), 1)
    g2 = 2 * (observed * np.log(ratio)).sum(axis=0)
    return np.asarray(np.where(inside * n_outside >= outside * n_inside, np.maximum(g2, 0), -np.maximum(g2, 0)) + 0.0)
