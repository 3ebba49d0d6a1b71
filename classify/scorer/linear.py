"""Turn texts into scores: one weight matrix over the vocabulary, a few counted weights and an intercept."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from classify.codebook import Task
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.scorer.style import StyleCounter, StyleWords
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


class Counter:
    """What is counted in a text beside its TF-IDF features: hits of each label's codebook terms, and style rates.

    `n_labels` of the `n_counted` numbers are log(1 + hits), the rest log(1 + rate) for each of `style.names`.
    """

    def __init__(self, task: Task, words: StyleWords) -> None:
        self.matcher = TermMatcher(task)
        self.style = StyleCounter(words)
        self.n_labels = len(task.labels)
        self.n_counted = self.n_labels + len(self.style.names)

    def count(self, text: str) -> FloatArray:
        """The numbers of one text, shape (n_counted,)."""
        return np.log1p(np.append(self.matcher.count(text), self.style.rates(text)))


@dataclass(frozen=True)
class TaskScorer:
    """A fitted task folded into one linear scorer: score = Σ blocks x·W + (counted - usual)·s + b.

    `counted_weights` has shape (n_counted, n_labels), row by row what `counter` counts; `usual` is the mean of each
    style rate in the training passages and 0 for hits, shape (n_counted,); `intercept` has shape (n_labels,). However
    the task was trained, this is all that scoring needs.
    """

    blocks: tuple[Block, ...]
    counter: Counter
    counted_weights: FloatArray
    usual: FloatArray
    intercept: FloatArray

    def score(self, texts: Sequence[str]) -> tuple[FloatArray, BoolArray]:
        """Scores, shape (n_passages, n_labels), and which passages hold evidence, shape (n_passages,).

        That is any feature of a block, whether it stood in labelled passages, in unlabelled text or in the codebook, or
        a hit of a term.
        """
        scores = np.tile(self.intercept, (len(texts), 1))
        evidence = np.zeros(len(texts), dtype=np.bool_)
        for row, text in enumerate(texts):
            counted = self.counter.count(text)
            scores[row] += (counted - self.usual) @ self.counted_weights
            evidence[row] = counted[: self.counter.n_labels].any()
            for block in self.blocks:
                columns, values = block.values_of(text)
                scores[row] += values @ block.weights[columns]
                evidence[row] |= len(columns) > 0
        return scores, evidence
