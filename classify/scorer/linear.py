"""Turn texts into scores: one weight matrix over the vocabulary, a few counted weights and an intercept."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.scorer.terms import TermMatcher
from classify.scorer.tokens import BlockSettings


@dataclass(frozen=True)
class Block:
    """One fitted TF-IDF block: `features` and `idf`, shape (n_features,), `weights`, shape (n_features, n_labels)."""

    settings: BlockSettings
    features: tuple[str, ...] = field(repr=False)
    idf: FloatArray = field(repr=False)
    weights: FloatArray = field(repr=False)

    @cached_property
    def columns(self) -> dict[str, int]:
        """The column of every feature."""
        return {feature: column for column, feature in enumerate(self.features)}

    def values_of(self, text: str) -> tuple[IntArray, FloatArray]:
        """The text's known features as columns, and their TF-IDF values with an L2 norm of 1; both may be empty."""
        known = self.columns
        counts: dict[int, int] = {}
        for feature in self.settings.features_of(text):
            column = known.get(feature)
            if column is not None:
                counts[column] = counts.get(column, 0) + 1
        columns = np.fromiter(counts, dtype=np.int64, count=len(counts))
        tf = np.fromiter(counts.values(), dtype=np.float64, count=len(counts))
        values = (1 + np.log(tf) if self.settings.sublinear_tf else tf) * self.idf[columns]
        return columns, values / np.sqrt(values @ values) if len(values) else values


@dataclass(frozen=True)
class TaskScorer:
    """A fitted task folded into one linear scorer: score = Σ blocks x·W + log(1 + hits)·s + b.

    `counted_weights` has shape (n_labels, n_labels): row i weighs the term hits of label i; `intercept` has shape
    (n_labels,). However the task was trained, this is all that scoring needs.
    """

    blocks: tuple[Block, ...]
    matcher: TermMatcher
    counted_weights: FloatArray
    intercept: FloatArray

    def score(self, texts: Sequence[str]) -> tuple[FloatArray, BoolArray]:
        """Scores, shape (n_passages, n_labels), and which passages hold any known feature or term hit."""
        scores = np.tile(self.intercept, (len(texts), 1))
        evidence = np.zeros(len(texts), dtype=np.bool_)
        for row, text in enumerate(texts):
            hits = self.matcher.count(text)
            scores[row] += np.log1p(hits) @ self.counted_weights
            evidence[row] = hits.any()
            for block in self.blocks:
                columns, values = block.values_of(text)
                scores[row] += values @ block.weights[columns]
                evidence[row] |= len(columns) > 0
        return scores, evidence
