"""Split a score exactly into the words, character runs, term hits and style rates that made it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from classify.measure.arrays import FloatArray
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
    each label's score, shape (n_labels,).
    """

    kind: str
    name: str
    spans: tuple[tuple[int, int], ...]
    values: FloatArray


@dataclass(frozen=True, repr=False)
class Explanation:
    """Why a text got its scores in one task: `intercept + Σ piece.values == scores`, to rounding.

    `labels` are all labels of the task, in codebook order; arrays have shape (n_labels,); `chosen` are the labels that
    were given, or the most probable one where none was.
    """

    text: str
    task: str
    labels: tuple[str, ...]
    scores: FloatArray
    probabilities: FloatArray
    thresholds: FloatArray | None
    intercept: FloatArray
    pieces: tuple[Piece, ...]
    given: tuple[str, ...]
    chosen: tuple[str, ...]

    def for_label(self, label: str) -> list[tuple[Piece, float]]:
        """The pieces with what each adds to one label's score, largest effect first; raises ValueError if unknown."""
        if label not in self.labels:
            raise ValueError(f"no label {label!r} in task {self.task}; it has {', '.join(self.labels)}")
        column = self.labels.index(label)
        parts = [(piece, float(piece.values[column])) for piece in self.pieces if piece.values[column] != 0]
        return sorted(parts, key=lambda part: (-abs(part[1]), part[0].kind, part[0].name))

    def weights_of_characters(self, label: str) -> FloatArray:
        """What each character carries for one label, shape (len(text),): every piece spread over its spans."""
        return character_weights(self.pieces, self.labels.index(label), len(self.text))

    def to_dict(self) -> dict[str, object]:
        """Plain data: for each chosen label its score, probability, intercept and every piece."""
        explained = {}
        for label in self.chosen:
            column = self.labels.index(label)
            explained[label] = {
                "given": label in self.given,
                "score": float(self.scores[column]),
                "probability": float(self.probabilities[column]),
                "threshold": _threshold(self.thresholds, column),
                "intercept": float(self.intercept[column]),
                "pieces": [
                    {
                        "kind": piece.kind,
                        "name": piece.name,
                        "spans": [list(span) for span in piece.spans],
                        "value": value,
                    }
                    for piece, value in self.for_label(label)
                ],
            }
        return {"task": self.task, "text": self.text, "labels": explained}

    def __str__(self) -> str:
        return "\n\n".join(self.table(label) for label in self.chosen)

    __repr__ = __str__

    def table(self, label: str, *, most: int = 12) -> str:
        """One label's parts as text, largest effect first, down to the score they sum to; small ones are summed up."""
        column = self.labels.index(label)
        parts = self.for_label(label)
        rows = [(value, self._name_of(piece)) for piece, value in parts[:most]]
        if rest := parts[most:]:
            rows.append((sum(value for _, value in rest), f"({len(rest)} smaller parts)"))
        rows += [
            (self.intercept[column], "(before any word)"),
            (self.scores[column], f"= score{self._threshold_of(column)}"),
        ]
        return "\n".join([self.heading(label), *(f"  {value:+8.3f}  {name}" for value, name in rows)])

    def heading(self, label: str) -> str:
        """The label with its probability and whether it was given."""
        state = "given" if label in self.given else "not given, the most probable"
        return f"{self.task}: {label} ({state}, p = {self.probabilities[self.labels.index(label)]:.2f})"

    def _threshold_of(self, column: int) -> str:
        return "" if self.thresholds is None else f" (given from {self.thresholds[column]:+.3f})"

    def _name_of(self, piece: Piece) -> str:
        if piece.kind == STYLE:
            return f"{piece.name.replace('_', ' ')} (style)"
        if piece.kind != TERMS:
            return piece.name if piece.kind == WORDS else f"{piece.name!r} (characters)"
        found = dict.fromkeys(self.text[start:end] for start, end in piece.spans)
        return f"{', '.join(found)} (terms of {piece.name})"

    def _repr_html_(self) -> str:
        return "".join(self._html_of(label) for label in self.chosen)

    def _html_of(self, label: str) -> str:
        weights = self.weights_of_characters(label)
        top = float(np.abs(weights).max(initial=0.0)) or 1.0
        spans = "".join(_mark(self.text[start:end], weight / top) for start, end, weight in runs(weights))
        head = f'<p style="margin:.5em 0 0"><b>{escape(self.heading(label))}</b></p>'
        return f'{head}<p style="margin:0;line-height:1.7">{spans}</p>'


def character_weights(pieces: Sequence[Piece], label: int, length: int) -> FloatArray:
    """What each character of a text of this length carries for a label, by number; every piece over its spans."""
    weights = np.zeros(length)
    for piece in pieces:
        covered = sum(end - start for start, end in piece.spans)
        for start, end in piece.spans:
            weights[start:end] += piece.values[label] / covered
    return weights


def word_weights(text: str, pieces: Sequence[Piece], label: int) -> list[tuple[str, float]]:
    """The text's distinct words, lower-cased, with what they carry for a label, by number; largest effect first."""
    weights = character_weights(pieces, label, len(text))
    sums: dict[str, float] = defaultdict(float)
    for word, start, end in _WORDS.spans_of(text):
        sums[word] += float(weights[start:end].sum())
    return sorted(sums.items(), key=lambda pair: (-abs(pair[1]), pair[0]))


def runs(weights: FloatArray) -> list[tuple[int, int, float]]:
    """Stretches of equal weight as (start, end, weight), covering everything."""
    if len(weights) == 0:
        return []
    starts = np.concatenate([[0], np.flatnonzero(np.diff(weights)) + 1])
    ends = np.append(starts[1:], len(weights))
    return [(int(start), int(end), float(weights[start])) for start, end in zip(starts, ends, strict=True)]


def split_score(scorer: TaskScorer, labels: tuple[str, ...], text: str) -> tuple[Piece, ...]:
    """The pieces of a text's scores: one a known feature, one a label whose terms were hit, and one a style rate."""
    pieces = []
    for block in scorer.blocks:
        columns, values = block.values_of(text)
        value_of = dict(zip(columns.tolist(), values.tolist(), strict=True))
        spans_of = defaultdict(list)
        for feature, start, end in block.settings.spans_of(text):
            column = block.columns.get(feature)
            if column is not None:
                spans_of[column].append((start, end))
        kind = WORDS if block.settings.analyzer == "word" else CHARACTERS
        for column, spans in spans_of.items():
            name = text[slice(*spans[0])]
            pieces.append(Piece(kind, name, tuple(spans), value_of[column] * block.weights[column]))
    hits = scorer.counter.matcher.hits(text)
    for label in sorted({hit.label for hit in hits}):
        spans = [(hit.start, hit.end) for hit in hits if hit.label == label]
        pieces.append(Piece(TERMS, labels[label], tuple(spans), np.log1p(len(spans)) * scorer.counted_weights[label]))
    style, first = scorer.counter.style, scorer.counter.n_labels
    above_usual = scorer.counter.count(text)[first:] - scorer.usual[first:]
    places = style.places(text)
    for name, more, weights in zip(style.names, above_usual, scorer.counted_weights[first:], strict=True):
        pieces.append(Piece(STYLE, name, tuple(places.get(name, ())), more * weights))
    return tuple(pieces)


def _threshold(thresholds: FloatArray | None, column: int) -> float | None:
    return None if thresholds is None or not np.isfinite(thresholds[column]) else float(thresholds[column])


def _mark(text: str, strength: float) -> str:
    if abs(strength) < 0.05:
        return escape(text)
    colour = "230,140,30" if strength > 0 else "60,110,200"
    line = "underline" if strength > 0 else "underline dotted"
    style = f"background:rgba({colour},{abs(strength) * 0.6:.2f});text-decoration:{line}"
    return f'<span style="{style}">{escape(text)}</span>'
