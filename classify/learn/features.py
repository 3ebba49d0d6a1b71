"""Texts to counts, once; then, for any training rows, to TF-IDF matrices as if only those rows had been seen."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.scorer.linear import Counter
from classify.scorer.tokens import BlockSettings

Matrix = Any
"""A scipy CSR matrix; scipy ships no types."""
MIN_UNLABELLED = 100
"""Unlabelled texts of which no more than these are too few to learn from."""
N_AXES = 50
TEXTS_AN_AXIS = 20
"""Directions kept of latent semantic analysis, and the unlabelled texts that each takes at least. With more, texts that
they were made from look unlike those that they weren't, and the first are tagged badly by what the second taught."""


@dataclass(frozen=True)
class CountedBlock:
    """Every feature any of the texts holds, sorted, and its term frequency in each, shape (n_texts, n_features).

    `codebook` and `unlabelled` are rows of `tf` behind the passages: what the codebook says of each label, and text
    without labels. Both are learnt from whatever the training rows are, and never judged. `axes` are the leading
    directions of the unlabelled texts' TF-IDF (nothing is centred), shape (n_features, n_axes).
    """

    settings: BlockSettings
    features: tuple[str, ...] = field(repr=False)
    tf: Matrix = field(repr=False)
    codebook: IntArray
    unlabelled: IntArray
    axes: FloatArray = field(repr=False)

    def keeping(self, *, codebook: bool, unlabelled: bool) -> "CountedBlock":
        """The block, its codebook or its unlabelled texts (and what they teach) left out unless they are to be kept."""
        return replace(
            self,
            codebook=self.codebook if codebook else self.codebook[:0],
            unlabelled=self.unlabelled if unlabelled else self.unlabelled[:0],
            axes=self.axes if unlabelled else self.axes[:, :0],
        )


@dataclass(frozen=True)
class CountedTexts:
    """Texts cut into features and searched for terms: what no fold changes.

    `counted` holds log(1 + term hits) of each label and then the style rates, shape (n_texts, n_labels + n_rates).
    """

    blocks: tuple[CountedBlock, ...]
    counted: FloatArray
    counter: Counter

    @property
    def hits(self) -> FloatArray:
        """log(1 + term hits), shape (n_texts, n_labels)."""
        return self.counted[:, : self.counter.n_labels]

    def only(self, asked: Sequence[BlockSettings], *, codebook: bool = True, unlabelled: bool = True) -> "CountedTexts":
        """The same counts with these blocks alone, and as if there were no codebook or unlabelled text if so asked."""
        found = {block.settings: block for block in self.blocks}
        blocks = tuple(found[settings].keeping(codebook=codebook, unlabelled=unlabelled) for settings in asked)
        return CountedTexts(blocks, self.counted, self.counter)


@dataclass(frozen=True)
class BlockFit:
    """What the training rows decide for one block: which columns are features, and their idf.

    `in_passages` says which of them stand in one of the rows, and not only in the codebook's or in unlabelled text.
    """

    columns: IntArray
    idf: FloatArray
    in_passages: BoolArray


def count_texts(
    texts: Sequence[str],
    blocks: Sequence[BlockSettings],
    counter: Counter,
    *,
    codebook: Sequence[str] = (),
    unlabelled: Sequence[str] = (),
    seed: int = 0,
) -> CountedTexts:
    """Cut every text into features and count terms and style; the costly step, done once.

    Only blocks of words see the `codebook`'s own text (one a label, or none) and the `unlabelled` texts.
    """
    counted = np.array([counter.count(text) for text in texts]).reshape(len(texts), counter.n_counted)
    return CountedTexts(
        tuple(
            _count_block(texts, settings, codebook, unlabelled, seed)
            if settings.analyzer == "word"
            else _count_block(texts, settings, (), (), seed)
            for settings in blocks
        ),
        counted,
        counter,
    )


def _count_block(
    texts: Sequence[str], settings: BlockSettings, codebook: Sequence[str], unlabelled: Sequence[str], seed: int
) -> CountedBlock:
    number: dict[str, int] = {}
    indices: list[int] = []
    ends = [0]
    every = [*texts, *codebook, *unlabelled]
    for text in every:
        indices.extend(number.setdefault(feature, len(number)) for feature in settings.features_of(text))
        ends.append(len(indices))
    features = sorted(number)
    order = np.empty(len(number), dtype=np.int64)
    order[[number[feature] for feature in features]] = np.arange(len(features))
    columns = order[np.array(indices, dtype=np.int64)]
    tf = sparse.csr_array((np.ones(len(columns)), columns, np.array(ends)), shape=(len(every), len(features)))
    tf.sum_duplicates()
    if settings.sublinear_tf:
        tf.data = 1 + np.log(tf.data)
    behind = len(texts) + len(codebook)
    block = CountedBlock(
        settings,
        tuple(features),
        tf,
        codebook=np.arange(len(texts), behind),
        unlabelled=np.arange(behind, len(every)),
        axes=np.zeros((len(features), 0)),
    )
    return replace(block, axes=_axes(block, seed))


def _axes(block: CountedBlock, seed: int) -> FloatArray:
    """The first right singular vectors of the unlabelled texts' TF-IDF (latent semantic analysis, Deerwester 1990)."""
    if len(block.unlabelled) <= MIN_UNLABELLED:
        return np.zeros((len(block.features), 0))
    from sklearn.utils.extmath import randomized_svd

    fit = fit_block(block.keeping(codebook=False, unlabelled=True), block.unlabelled[:0])
    n_axes = min(N_AXES, len(block.unlabelled) // TEXTS_AN_AXIS, len(fit.columns))
    axes = np.zeros((len(block.features), n_axes))
    if n_axes:
        with threadpool_limits(1, user_api="blas"):  # else the last bits depend on the number of cores
            axes[fit.columns] = randomized_svd(tfidf(block, fit, block.unlabelled), n_axes, random_state=seed)[2].T
    return axes


def fit_block(block: CountedBlock, rows: IntArray) -> BlockFit:
    """The features of the training rows and idf = log((1 + n) / (1 + df)) + 1 (scikit-learn's smooth idf).

    The codebook's own text and unlabelled texts count as training rows.
    """
    further = np.concatenate([block.codebook, block.unlabelled])
    of_rows, of_further = (np.bincount(block.tf[part].indices, minlength=block.tf.shape[1]) for part in (rows, further))
    df, n = of_rows + of_further, len(rows) + len(further)
    columns = np.flatnonzero(df >= max(1, block.settings.min_df))
    return BlockFit(columns, np.log((1 + n) / (1 + df[columns])) + 1, of_rows[columns] > 0)


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
