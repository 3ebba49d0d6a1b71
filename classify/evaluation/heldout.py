"""What systems said of passages they had not seen, and the passages worth reading for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from classify.measure.arrays import BoolArray, FloatArray, IntArray

MODEL = "model"
PRIOR = "prior"
TERMS = "codebook_terms"
PLAIN = "plain_tfidf"
BASELINES = (PRIOR, TERMS, PLAIN)


@dataclass(frozen=True)
class Decidable:
    """What other thresholds would decide by: scores on a scale that all folds share.

    `logits`, the log-odds of scores as calibrated, and `lowest`, below which no threshold of theirs falls, have shape
    (n_passages, n_labels); `evidence` has shape (n_passages,).
    """

    logits: FloatArray
    lowest: FloatArray
    evidence: BoolArray

    @classmethod
    def join(cls, parts: Sequence["Decidable"]) -> "Decidable":
        """Parts one below the other."""
        names = ("logits", "lowest", "evidence")
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    def of(self, rows: BoolArray | IntArray) -> "Decidable":
        """That of some of the passages."""
        return Decidable(self.logits[rows], self.lowest[rows], self.evidence[rows])


@dataclass(frozen=True)
class HeldOut:
    """What one system said of passages it had not seen; arrays of shape (n_passages, n_labels).

    `thresholds` repeats each passage's fold's thresholds; it is None for a multiclass task. `certainty`, shape
    (n_passages,), says how far a passage was from another decision (`DecisionRule.certainty`). `decidable` is there
    where it is asked what other thresholds would have decided.
    """

    scores: FloatArray
    probabilities: FloatArray
    predicted: BoolArray
    thresholds: FloatArray | None
    certainty: FloatArray
    decidable: Decidable | None = None

    @classmethod
    def join(cls, parts: Sequence["HeldOut"], order: IntArray) -> "HeldOut":
        """Parts one below the other, then in this order."""
        thresholds = [part.thresholds for part in parts if part.thresholds is not None]
        decidable = [part.decidable for part in parts if part.decidable is not None]
        return cls(
            scores=np.concatenate([part.scores for part in parts])[order],
            probabilities=np.concatenate([part.probabilities for part in parts])[order],
            predicted=np.concatenate([part.predicted for part in parts])[order],
            thresholds=np.concatenate(thresholds)[order] if thresholds else None,
            certainty=np.concatenate([part.certainty for part in parts])[order],
            decidable=Decidable.join(decidable).of(order) if decidable else None,
        )

    def of(self, rows: BoolArray) -> "HeldOut":
        """What was said of some of the passages."""
        thresholds = None if self.thresholds is None else self.thresholds[rows]
        parts = (self.scores[rows], self.probabilities[rows], self.predicted[rows])
        decidable = None if self.decidable is None else self.decidable.of(rows)
        return HeldOut(*parts, thresholds, self.certainty[rows], decidable)


Words = tuple[tuple[str, float], ...]
"""Words with what each added to a score."""


@dataclass(frozen=True)
class Mistake:
    """A passage that got a label wrongly, or lacks one it should have; `words_for` and `words_against` say why.

    `probability` is what the held-out model gave the label; `distance` how far it was from being right, for ranking.
    Words stand as in the text, each with what it added to the label's score, largest effect first.
    """

    label: str
    kind: str
    id: str
    text: str
    gold: tuple[str, ...]
    predicted: tuple[str, ...]
    probability: float
    distance: float
    words_for: Words
    words_against: Words


@dataclass(frozen=True)
class Suspect:
    """A label that may be a coder's slip: given or not, against a model that had not seen the passage.

    `self_confidence` is the held-out probability of what was coded (Northcutt, Jiang & Chuang 2021).
    """

    row: int
    label: str
    is_given: bool
    self_confidence: float
