"""Texts to counts, once; then, for any training rows, to TF-IDF matrices as if only those rows had been seen."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from classify.measure.arrays import FloatArray, IntArray
from classify.scorer.terms import TermMatcher
from classify.scorer.tokens import BlockSettings

Matrix = Any
"""A scipy CSR matrix; scipy ships no types."""


@dataclass(frozen=True)
class CountedBlock:
    """Every feature any of the texts holds, sorted, and its term frequency in each, shape (n_texts, n_features)."""

    settings: BlockSettings
    features: tuple[str, ...] = field(repr=False)
    tf: Matrix = field(repr=False)


@dataclass(frozen=True)
class CountedTexts:
    """Texts cut into features and searched for terms: what no fold changes.

    `hits` holds log(1 + term hits), shape (n_texts, n_labels).
    """

    blocks: tuple[CountedBlock, ...]
    hits: FloatArray

    def only(self, asked: Sequence[BlockSettings]) -> "CountedTexts":
        """The same counts with these blocks alone."""
        found = {block.settings: block for block in self.blocks}
        return CountedTexts(tuple(found[settings] for settings in asked), self.hits)


@dataclass(frozen=True)
class BlockFit:
    """What the training rows decide for one block: which columns are features, and their idf."""

    columns: IntArray
    idf: FloatArray


def count_texts(texts: Sequence[str], blocks: Sequence[BlockSettings], matcher: TermMatcher) -> CountedTexts:
    """Cut every text into features and look for terms; the costly step, done once."""
    hits = np.array([matcher.count(text) for text in texts]).reshape(len(texts), matcher.n_labels)
    return CountedTexts(tuple(_count_block(texts, settings) for settings in blocks), np.log1p(hits))


def _count_block(texts: Sequence[str], settings: BlockSettings) -> CountedBlock:
    number: dict[str, int] = {}
    indices: list[int] = []
    ends = [0]
    for text in texts:
        indices.extend(number.setdefault(feature, len(number)) for feature in settings.features_of(text))
        ends.append(len(indices))
    features = sorted(number)
    order = np.empty(len(number), dtype=np.int64)
    order[[number[feature] for feature in features]] = np.arange(len(features))
    columns = order[np.array(indices, dtype=np.int64)]
    tf = sparse.csr_array((np.ones(len(columns)), columns, np.array(ends)), shape=(len(texts), len(features)))
    tf.sum_duplicates()
    if settings.sublinear_tf:
        tf.data = 1 + np.log(tf.data)
    return CountedBlock(settings, tuple(features), tf)


def fit_block(block: CountedBlock, rows: IntArray) -> BlockFit:
    """The features of the training rows and idf = log((1 + n) / (1 + df)) + 1 (scikit-learn's smooth idf)."""
    df = np.bincount(block.tf[rows].indices, minlength=block.tf.shape[1])
    columns = np.flatnonzero(df >= max(1, block.settings.min_df))
    return BlockFit(columns, np.log((1 + len(rows)) / (1 + df[columns])) + 1)


def tfidf(block: CountedBlock, fit: BlockFit, rows: IntArray) -> Matrix:
    """TF-IDF of the given rows, each with an L2 norm of 1 over the training rows' features (0 if it has none)."""
    tf = block.tf[rows]
    place = np.full(tf.shape[1], -1, dtype=np.int32)
    place[fit.columns] = np.arange(len(fit.columns), dtype=np.int32)
    columns = place[tf.indices]
    kept = columns >= 0
    columns, ends = columns[kept], np.append(0, np.cumsum(kept))[tf.indptr]
    values = tf.data[kept] * fit.idf[columns]
    row_of = np.repeat(np.arange(len(rows)), np.diff(ends))
    norms = np.sqrt(np.bincount(row_of, weights=values**2, minlength=len(rows)))
    shape = (len(rows), len(fit.columns))
    return sparse.csr_array((values / norms[row_of], columns, ends.astype(np.int32)), shape=shape)
