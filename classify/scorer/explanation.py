"""The pieces of a text's scores to an explanation: readable parts, the runner-up, evidence, as text and as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from classify.errors import did_you_mean, how_many
from classify.measure.arrays import FloatArray
from classify.scorer.contributions import STYLE, Piece, character_weights, values_for
from classify.scorer.evidence import Neighbour, Neighbours
from classify.scorer.spans import Part, parts_of, weights_of_words

MOST_PARTS = 12
_MOST_AT_A_GLANCE = 5
_EXCERPT = 100


@dataclass(frozen=True, repr=False)
class Explanation:
    """Why a text got its scores in one task: `intercept + Σ piece.values == scores`, to rounding.

    `labels` are all labels of the task, in codebook order; arrays have shape (n_labels,); `chosen` are the labels that
    were given, or the most probable one where none was. `thresholds` is None for a multiclass task. `evidence` holds
    the nearest labelled passages of every chosen label, where any were to hand.

    Methods that take a label raise ValueError where the task has none such.
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
    evidence: Mapping[str, Neighbours] | None = None

    def for_label(self, label: str) -> list[tuple[Piece, float]]:
        """The fine pieces with what each adds to one label's score, largest effect first."""
        values = values_for(self.pieces, self.column(label)).tolist()
        parts = [(piece, value) for piece, value in zip(self.pieces, values, strict=True) if value != 0]
        return sorted(parts, key=lambda part: (-abs(part[1]), part[0].kind, part[0].name))

    def parts(self, label: str, *, rather_than: str | None = None) -> list[Part]:
        """Words, term hits and style rates with what each adds to one label's score, largest effect first.

        With the intercept they sum to the score, to rounding; `rather_than` another label: to the difference of the
        two scores.
        """
        values = values_for(self.pieces, self.column(label))
        if rather_than is not None:
            values = values - values_for(self.pieces, self.column(rather_than))
        return parts_of(self.text, self.pieces, values)

    def weights_of_characters(self, label: str) -> FloatArray:
        """What each character carries for one label, shape (len(text),): every piece spread over its spans."""
        return character_weights(self.pieces, values_for(self.pieces, self.column(label)), len(self.text))

    def marked(self, label: str) -> list[tuple[str, float]]:
        """The whole text in stretches with their weights, words against the heaviest of them: in [-1, 1].

        A word's weight is that of all that stands in it, its terms and style included; spaces weigh 0.
        """
        weights = weights_of_words(self.text, self.pieces, values_for(self.pieces, self.column(label)))
        heaviest = max((abs(weight) for _, _, weight in weights), default=0.0) or 1.0
        stretches, behind = [], 0
        for start, end, weight in weights:
            stretches += [(self.text[behind:start], 0.0), (self.text[start:end], weight / heaviest)]
            behind = end
        return [*stretches, (self.text[behind:], 0.0)]

    @cached_property
    def runner_up(self) -> str | None:
        """The second most probable label of a multiclass task, ties by codebook order; None for multilabel."""
        if self.thresholds is not None or len(self.labels) < 2:
            return None
        return self.labels[int(np.argsort(-self.probabilities, kind="stable")[1])]

    @property
    def is_known(self) -> bool:
        """Whether the text holds any word or term that speaks for or against; else probabilities are prior shares."""
        return any(piece.kind != STYLE for piece in self.pieces)

    def column(self, label: str) -> int:
        """The column of a label in every array."""
        if label not in self.labels:
            raise ValueError(f"no label {label!r} in task {self.task}; {did_you_mean(str(label), self.labels)}")
        return self.labels.index(label)

    def to_dict(self) -> dict[str, Any]:
        """Plain data: for each chosen label its score, and `spans` and `pieces` that both sum to it."""
        return {"task": self.task, "text": self.text, "labels": {label: self._to_dict(label) for label in self.chosen}}

    def _to_dict(self, label: str) -> dict[str, Any]:
        column = self.column(label)
        return {
            "given": label in self.given,
            "score": float(self.scores[column]),
            "probability": float(self.probabilities[column]),
            "threshold": _threshold(self.thresholds, column),
            "intercept": float(self.intercept[column]),
            "spans": [_plain_part(part) for part in self.parts(label)],
            "pieces": [_plain_piece(piece, value) for piece, value in self.for_label(label)],
            "runner_up": self._runner_up_dict(label),
            "evidence": None if self.evidence is None else self.evidence[label].to_dict(),
        }

    def _runner_up_dict(self, label: str) -> dict[str, Any] | None:
        if self.runner_up is None:
            return None
        first, second = self.column(label), self.column(self.runner_up)
        return {
            "label": self.runner_up,
            "probability": float(self.probabilities[second]),
            "difference": float(self.scores[first] - self.scores[second]),
            "intercept": float(self.intercept[first] - self.intercept[second]),
            "spans": [_plain_part(part) for part in self.parts(label, rather_than=self.runner_up)],
        }

    def __str__(self) -> str:
        return "\n\n".join(self.table(label) for label in self.chosen)

    def __repr__(self) -> str:
        return "\n".join(self._glance(label) for label in self.chosen)

    def _repr_html_(self) -> str:
        from classify.scorer.highlight import explanation_html

        return explanation_html(self)

    def table(self, label: str, *, most: int = MOST_PARTS) -> str:
        """One label's parts as text, largest effect first, down to the score they sum to; small ones are summed up."""
        rows = [f"  {value:+8.3f}  {name}" for value, name in self.rows(label, most=most)]
        below = [*self.remarks(label), *self._evidence_lines(label)]
        return "\n".join([self.heading(label), *rows, *(f"  {line}" for line in below)])

    def rows(self, label: str, *, most: int = MOST_PARTS) -> list[tuple[float, str]]:
        """The lines of that table: (value, name), the score last."""
        column = self.column(label)
        at = "" if self.thresholds is None else f" (given from {self.thresholds[column]:+.3f})"
        return [
            *_largest(self.parts(label), most, full=True),
            (float(self.intercept[column]), "(before any word)"),
            (float(self.scores[column]), f"= score{at}"),
        ]

    def heading(self, label: str) -> str:
        """The label with its probability and whether it was given."""
        return f"{self.task}: {label} ({self.state(label)})"

    def state(self, label: str) -> str:
        """Whether the label was given, and its probability."""
        column = self.column(label)
        state = "given" if label in self.given else "not given, the most probable" if not self.given else "not given"
        return f"{state}, {_p(self.probabilities[column])}"

    def remarks(self, label: str) -> list[str]:
        """Sentences below the table: why not the runner-up, and that nothing was known of the text."""
        unknown = "no word of it is known: p is the label's share among the labelled passages"
        remarks = [] if self.is_known else [unknown]
        if self.is_known and self.runner_up is not None and label in self.given:
            remarks.append(self._why_not(label, self.runner_up))
        return remarks

    def _why_not(self, label: str, other: str) -> str:
        """One line: the difference of two scores, and the parts it consists of."""
        first, second = self.column(label), self.column(other)
        difference = float(self.scores[first] - self.scores[second])
        before = float(self.intercept[first] - self.intercept[second])
        parts = [*_largest(self.parts(label, rather_than=other), _MOST_AT_A_GLANCE), (before, "before any word")]
        reasons = "; ".join(f"{value:+.3f} {name}" for value, name in parts)
        calibrated = "" if difference > 0 else ", though its probability is higher once calibrated"
        p = _p(self.probabilities[second])
        return f"rather than {other} ({p}): score {difference:+.3f}{calibrated} = {reasons}"

    def _evidence_lines(self, label: str) -> list[str]:
        if self.evidence is None or label not in self.evidence:
            return []
        found = self.evidence[label]
        if not found.carrying and found.without is None:
            return ["no labelled passage shares a word with it"]
        lines = [f"nearest labelled passages that carry {label}" if found.carrying else f"none that carries {label}"]
        lines += [line for neighbour in found.carrying for line in _neighbour_lines(neighbour)]
        if found.without is not None:
            lines += ["nearer still, and coded without it", *_neighbour_lines(found.without)]
        return lines

    def _glance(self, label: str) -> str:
        parts = "; ".join(f"{value:+.2f} {name}" for value, name in _largest(self.parts(label), _MOST_AT_A_GLANCE))
        return f"<{self.heading(label)}: {parts}>"


def excerpt(text: str) -> str:
    """The beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _EXCERPT else f"{line[: _EXCERPT - 1].rstrip()}…"


def _neighbour_lines(found: Neighbour) -> list[str]:
    coded = "|".join(found.labels) or "none"
    about = f"  cosine {found.cosine:.2f}  {found.id}, coded {coded}; in common: {', '.join(found.shared)}"
    return [about, f"               {excerpt(found.text)}"]


def _largest(parts: Sequence[Part], most: int, *, full: bool = False) -> list[tuple[float, str]]:
    """The largest parts as (value, name), with their notes if `full`, and the rest as one."""
    rows = [(part.value, part.in_full if full else str(part)) for part in parts[:most]]
    if rest := [part.value for part in parts[most:]]:
        speak_for, against = (sum(value for value in rest if value * sign > 0) for sign in (1, -1))
        both = f", {speak_for:+.3f} and {against:+.3f}" if full and speak_for and against else ""
        rows.append((sum(rest), f"({how_many(len(rest), 'smaller part')}{both})"))
    return rows


def _plain_part(part: Part) -> dict[str, Any]:
    places = [list(place) for place in part.places]
    return {"kind": part.kind, "name": part.name, "note": part.note, "places": places, "value": part.value}


def _plain_piece(piece: Piece, value: float) -> dict[str, Any]:
    plain = {"kind": piece.kind, "name": piece.name, "spans": [list(span) for span in piece.spans], "value": value}
    return plain | ({"rate": piece.rate, "usual": piece.usual} if piece.kind == STYLE else {})


def _p(probability: float) -> str:
    """Such as `p = 0.97`; a passage is never so clear that 1.00 or 0.00 could be claimed."""
    return "p > 0.99" if probability >= 0.995 else "p < 0.01" if probability < 0.005 else f"p = {probability:.2f}"


def _threshold(thresholds: FloatArray | None, column: int) -> float | None:
    return None if thresholds is None or not np.isfinite(thresholds[column]) else float(thresholds[column])
