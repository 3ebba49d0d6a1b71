"""A wanted precision to the number of passages to audit: how much a random sample tells, and what clustering costs."""

import numpy as np

from classify.measure.arrays import BoolArray, IntArray
from classify.measure.shares import LARGE_PART, t_quantile, wilson


def sample_size(half_width: float, share: float, document_sizes: IntArray, correlation: float) -> int:
    """The fewest passages drawn at random whose labels alone give a 95% interval of that half-width, at most all.

    `share` is a guess of the share, `document_sizes` the passages of each document of the corpus, shape (n_documents,),
    `correlation` how alike passages of a document are (`intraclass_correlation`). Scores can only make the interval
    narrower. Raises ValueError for a half-width or a share that is not between 0 and 1.
    """
    if not 0 < half_width < 1 or not 0 < share < 1:
        raise ValueError(f"half-width {half_width}, share {share}; expected both above 0 and under 1")
    n_corpus = int(document_sizes.sum())
    low, high = 2, n_corpus
    while low < high:
        middle = (low + high) // 2
        if half_width_of(middle, share, document_sizes, correlation) <= half_width:
            high = middle
        else:
            low = middle + 1
    return high


def half_width_of(n: int, share: float, document_sizes: IntArray, correlation: float) -> float:
    """Half the width of the interval that n passages drawn at random will have; 0 for the whole corpus.

    The design effect is 1 + (m - 1)·ρ (Kish 1965), m being the audited passages that the document of an audited
    passage holds on average.
    """
    n_corpus = int(document_sizes.sum())
    if n >= n_corpus:
        return 0.0
    others = (n - 1) * float((document_sizes * (document_sizes - 1)).sum()) / (n_corpus * max(1, n_corpus - 1))
    left = 1 - n / n_corpus
    effective = n / (1 + others * max(0.0, correlation)) / (left if left < 1 - LARGE_PART else 1.0)
    low, high = wilson(share, effective, t_quantile(max(1, round(n / (1 + others)) - 1)))
    return (high - low) / 2


def intraclass_correlation(gold: BoolArray, cluster: IntArray) -> float:
    """How alike passages of a cluster are in a label: the analysis-of-variance estimate (Donner & Koval 1980).

    Both arrays have shape (n_passages,). At most 1; 0 where it can't be estimated: one cluster, no two passages in
    any, or a label that all or none carry.
    """
    cluster = np.unique(cluster, return_inverse=True)[1]
    size = np.bincount(cluster)
    n, k = len(gold), len(size)
    if k < 2 or n == k or gold.all() or not gold.any():
        return 0.0
    mean = np.bincount(cluster, gold) / size
    between = float((size * (mean - gold.mean()) ** 2).sum()) / (k - 1)
    within = float((size * mean * (1 - mean)).sum()) / (n - k)
    typical = (n - float((size**2).sum()) / n) / (k - 1)
    return (between - within) / (between + (typical - 1) * within)
