"""Split a score exactly into the words, character runs, term hits and style rates that made it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from classify.measure.arrays import FloatArray
from classify.scorer.blocks import Block
from classify.scorer.linear import TaskScorer
from classify.scorer.tokens import BlockSettings

WORDS = "words"
CHARACTERS = "characters"
TERMS = "codebook terms"
STYLE = "style"
_WORDS = BlockSettings(stem=False)


@dataclass(frozen=True)
class Piece:
    """One additive part of the scores of a text.

    `kind` is `words`, `characters`, `codebook terms` or `style`; `name` is what stands in the text (for terms: the
    label they speak for; for style: the rate, counted against its mean in the training passages); `spans` are its
    places as character offsets, none for a rate of something that does not stand there; `values` is what it adds to
    each label's score, shape (n_labels,). For style, `rate` is the text's and `usual` that of the training passages
    (the mean of log(1 + rate), turned back), both per 100 words; for `sentence_length` both are words a sentence.
    """

    kind: str
    name: str
    spans: tuple[tuple[int, int], ...]
    values: FloatArray
    rate: float | None = None
    usual: float | None = None

    @property
    def covered(self) -> int:
        """How many characters the spans hold together."""
        return sum(end - start for start, end in self.spans)


def values_for(pieces: Sequence[Piece], label: int) -> FloatArray:
    """What each piece adds to the score of a label, by number; shape (n_pieces,)."""
    return np.array([piece.values[label] for piece in pieces])


def character_weights(pieces: Sequence[Piece], values: FloatArray, length: int) -> FloatArray:
    """What each character of a text of this length carries: the value of every piece spread over its spans.

    `values` has shape (n_pieces,), the result (length,).
    """
    weights = np.zeros(length)
    for piece, value in zip(pieces, values.tolist(), strict=True):
        each = value / max(piece.covered, 1)
        for start, end in piece.spans:
            weights[start:end] += each
    return weights


def word_weights(text: str, pieces: Sequence[Piece], label: int) -> list[tuple[str, float]]:
    """The text's distinct words, lower-cased, with what they carry for a label, by number; largest effect first."""
    weights = character_weights(pieces, values_for(pieces, label), len(text))
    sums: dict[str, float] = defaultdict(float)
    for word, start, end in _WORDS.spans_of(text):
        sums[word] += float(weights[start:end].sum())
    return sorted(sums.items(), key=lambda pair: (-abs(pair[1]), pair[0]))


def split_score(scorer: TaskScorer, labels: tuple[str, ...], text: str) -> tuple[Piece, ...]:
    """The pieces of a text's scores: one a known feature, one a label whose terms were hit, one a style rate."""
    features = [piece for block in scorer.blocks for piece in _of_features(block, text)]
    return (*features, *_of_terms(scorer, labels, text), *_of_style(scorer, text))


def _of_features(block: Block, text: str) -> list[Piece]:
    columns, values = block.values_of(text)
    value_of = dict(zip(columns.tolist(), values.tolist(), strict=True))
    spans_of = defaultdict(list)
    for feature, start, end in block.settings.spans_of(text):
        column = block.columns.get(feature)
        if column is not None:
            spans_of[column].append((start, end))
    kind = WORDS if block.settings.analyzer == "word" else CHARACTERS
    return [
        Piece(kind, text[slice(*spans[0])], tuple(spans), value_of[column] * block.weights[column])
        for column, spans in spans_of.items()
    ]


def _of_terms(scorer: TaskScorer, labels: tuple[str, ...], text: str) -> list[Piece]:
    spans_of = defaultdict(list)
    for hit in scorer.counter.matcher.hits(text):
        spans_of[hit.label].append((hit.start, hit.end))
    return [
        Piece(TERMS, labels[label], tuple(spans), np.log1p(len(spans)) * scorer.counted_weights[label])
        for label, spans in spans_of.items()
    ]


def _of_style(scorer: TaskScorer, text: str) -> list[Piece]:
    style, first = scorer.counter.style, scorer.counter.n_labels
    counted, usual = scorer.counter.count(text)[first:], scorer.usual[first:]
    values = (counted - usual)[:, None] * scorer.counted_weights[first:]
    places = style.places(text)
    return [
        Piece(STYLE, name, tuple(places.get(name, ())), *parts)
        for name, *parts in zip(style.names, values, style.readable(counted), style.readable(usual), strict=True)
    ]
