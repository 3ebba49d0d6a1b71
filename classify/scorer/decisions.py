"""Turn scores into probabilities and labels: the one place where anything is decided."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from classify.measure.arrays import BoolArray, FloatArray
from classify.measure.calibration import sigmoid


@dataclass(frozen=True)
class DecisionRule:
    """How a task decides; evaluation and `Predictor` both call it.

    All arrays have shape (n_labels,). `thresholds` are on the scores, +inf for a label that is never given; a
    multiclass task has none. `slope` and `intercept` are Platt's; `prior` is each label's share of the labelled
    passages, or in the audit that the rule was reset to, used where a passage holds no evidence (`TaskScorer.score`
    says what that is). `shift` belongs to a multiclass task that was reset: each label's share in the audit over that
    in the labelled passages, by which probabilities are multiplied before they are made to sum to one.
    """

    is_multilabel: bool
    at_least_one: bool
    slope: FloatArray
    intercept: FloatArray
    prior: FloatArray
    thresholds: FloatArray | None = None
    shift: FloatArray | None = None

    def probabilities(self, scores: FloatArray, evidence: BoolArray) -> FloatArray:
        """Calibrated probabilities at the prevalence of the labelled set or its audit, shape (n_passages, n_labels).

        Multiclass rows sum to one: one Platt sigmoid a label, shifted, divided by their sum. Rows without `evidence`
        get the prior.
        """
        p = sigmoid(scores * self.slope + self.intercept)
        if not self.is_multilabel:
            p = p if self.shift is None else p * self.shift
            total = p.sum(axis=1, keepdims=True)
            p = np.where(total > 0, p / np.where(total > 0, total, 1), self.prior)
        return np.where(evidence[:, None], p, self.prior)

    def decide(self, scores: FloatArray, evidence: BoolArray) -> tuple[FloatArray, BoolArray]:
        """Probabilities and decisions, both of shape (n_passages, n_labels).

        Multilabel: scores at or above their thresholds; with `at_least_one`, a passage left with none gets the label
        whose probability exceeds its threshold's probability most (without evidence: the commonest label). Multiclass:
        the most probable label, ties by codebook order.
        """
        p = self.probabilities(scores, evidence)
        if self.thresholds is None:
            return p, _one_hot(p.argmax(axis=1), p.shape[1])
        decided = (scores >= self.thresholds) & evidence[:, None]
        if self.at_least_one:
            margin = np.where(np.isposinf(self.thresholds), -np.inf, p - self.threshold_probabilities)
            margin = np.where(evidence[:, None] & np.isfinite(margin).any(axis=1, keepdims=True), margin, self.prior)
            decided |= _one_hot(margin.argmax(axis=1), p.shape[1]) & ~decided.any(axis=1, keepdims=True)
        return p, decided

    @property
    def threshold_probabilities(self) -> FloatArray:
        """The probability that stands at each threshold: 1 at +inf, 0 at -inf."""
        thresholds = self.thresholds if self.thresholds is not None else np.full_like(self.slope, np.inf)
        finite = np.isfinite(thresholds)
        at = sigmoid(np.where(finite, thresholds, 0.0) * self.slope + self.intercept)
        return np.where(finite, at, thresholds > 0)

    def certainty(self, probabilities: FloatArray) -> FloatArray:
        """How far each passage was from another decision, shape (n_passages,), in [0, 1].

        Multilabel: the least distance of a label's probability, its odds measured against those at its threshold, from
        one half: the distance to a threshold that stands at .5, and as strict where it stands at .05. Multiclass: the
        distance between the two most probable labels.
        """
        if self.thresholds is None:
            best = np.sort(probabilities, axis=1)
            return np.asarray(best[:, -1] - best[:, -2])
        finite = np.isfinite(self.thresholds)
        p, cut = (np.clip(found, 1e-12, 1 - 1e-12) for found in (probabilities, self.threshold_probabilities))
        against_threshold = p * (1 - cut) / (p * (1 - cut) + cut * (1 - p))
        return np.asarray(np.where(finite, np.abs(against_threshold - 0.5), 0.5).min(axis=1, initial=0.5))

    def is_near(self, probabilities: FloatArray, *, margin: float) -> BoolArray:
        """Which passages were a close call, shape (n_passages,): within `margin` of the threshold, or of each other."""
        return self.certainty(probabilities) < margin

    def to_dict(self, labels: tuple[str, ...]) -> dict[str, Any]:
        """Plain data for a manifest; infinite thresholds become "inf" or "-inf", as JSON has no such number."""
        thresholds = None if self.thresholds is None else dict(zip(labels, map(_to_json, self.thresholds), strict=True))
        return {
            "thresholds": thresholds,
            "calibration": {
                label: {"slope": float(slope), "intercept": float(intercept)}
                for label, slope, intercept in zip(labels, self.slope, self.intercept, strict=True)
            },
            "prior": dict(zip(labels, map(float, self.prior), strict=True)),
            "shift": None if self.shift is None else dict(zip(labels, map(float, self.shift), strict=True)),
        }

    @classmethod
    def from_dict(
        cls, plain: dict[str, Any], labels: tuple[str, ...], *, is_multilabel: bool, at_least_one: bool
    ) -> "DecisionRule":
        """Read back what `to_dict` gave; raises KeyError, TypeError or ValueError for anything else."""
        if not is_multilabel and plain["thresholds"] is not None:
            raise ValueError("a multiclass task has no thresholds")
        calibration = [plain["calibration"][label] for label in labels]
        thresholds = np.array([float(plain["thresholds"][label]) for label in labels]) if is_multilabel else None
        if thresholds is not None and np.isnan(thresholds).any():
            raise ValueError("a threshold is no number")
        shift = None if plain["shift"] is None else _finite([plain["shift"][label] for label in labels])
        if shift is not None and (is_multilabel or (shift <= 0).any()):
            raise ValueError("a shift is for a multiclass task, and above 0")
        return cls(
            is_multilabel=is_multilabel,
            at_least_one=at_least_one,
            slope=_finite([of_label["slope"] for of_label in calibration]),
            intercept=_finite([of_label["intercept"] for of_label in calibration]),
            prior=_finite([plain["prior"][label] for label in labels]),
            thresholds=thresholds,
            shift=shift,
        )


def _one_hot(columns: np.typing.NDArray[np.int64], n_labels: int) -> BoolArray:
    return np.asarray(np.arange(n_labels) == columns[:, None])


def _finite(values: list[float]) -> FloatArray:
    array = np.array([value + 0.0 for value in values], dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"expected finite numbers, found {values}")
    return array


def _to_json(threshold: float) -> float | str:
    return float(threshold) if math.isfinite(threshold) else str(float(threshold))
