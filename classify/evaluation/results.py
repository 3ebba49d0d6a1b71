"""The values an evaluation consists of, finished and frozen; reports only read them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from classify.codebook import Codebook, Task
from classify.data.dataset import TaskGold
from classify.data.events import JoinedPair
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.intervals import Estimate

MODEL = "model"
PRIOR = "prior"
TERMS = "codebook_terms"
PLAIN = "plain_tfidf"
BASELINES = (PRIOR, TERMS, PLAIN)

USE = "use"
REVIEW = "use with review"
RULES = "rule-based only"
NOT_EVALUABLE = "not evaluable"


@dataclass(frozen=True)
class LabelAgreement:
    """How two or more coders agree on one label: alpha, specific agreement on positives, percent agreement.

    `n_double` units were coded twice or more; `n_positive` of them got the label from at least one coder.
    """

    name: str
    alpha: Estimate
    specific: float | None
    percent: float | None
    n_double: int
    n_positive: int


@dataclass(frozen=True)
class TaskAgreement:
    """Agreement of one task: overall (MASI alpha of label sets, or nominal alpha) and label by label."""

    task: str
    measure: str
    overall: Estimate
    percent: float | None
    n_double: int
    n_clusters: int
    labels: tuple[LabelAgreement, ...]

    def __getitem__(self, label: str) -> LabelAgreement:
        return next(found for found in self.labels if found.name == label)


@dataclass(frozen=True)
class HeldOut:
    """What one system said of passages it had not seen; arrays of shape (n_passages, n_labels).

    `thresholds` repeats each passage's fold's thresholds; it is None for a multiclass task.
    """

    scores: FloatArray
    probabilities: FloatArray
    predicted: BoolArray
    thresholds: FloatArray | None


@dataclass(frozen=True)
class LabelResult:
    """How well one label is found, with the verdict and its reason in words.

    `precision`, `recall`, `f1` and `average_precision` are None-valued where the data can't give them; `gain` is F1
    minus that of the codebook's terms, paired by event; `skill` is (AP - prevalence) / (1 - prevalence).
    """

    name: str
    support: int
    events: int
    prevalence: float
    precision: float | None
    recall: float | None
    f1: Estimate
    average_precision: Estimate
    gain: Estimate
    skill: Estimate
    agreement: LabelAgreement | None
    is_evaluable: bool
    verdict: str
    reason: str


@dataclass(frozen=True)
class TaskResult:
    """One task's results: `headline` and each baseline map the names of measures to estimates."""

    task: Task
    n_passages: int
    n_events: int
    headline: Mapping[str, Estimate]
    labels: tuple[LabelResult, ...]
    baselines: Mapping[str, Mapping[str, Estimate]]
    baseline_f1: Mapping[str, tuple[Estimate, ...]]
    confusion: IntArray | None
    gold: TaskGold = field(repr=False)
    held_out: Mapping[str, HeldOut] = field(repr=False)
    folds: IntArray = field(repr=False)

    @property
    def n_evaluable(self) -> int:
        """Number of labels with enough positives from enough events."""
        return sum(label.is_evaluable for label in self.labels)

    def to_dict(self) -> dict[str, Any]:
        """The task's part of `metrics.json`."""
        facts: dict[str, Any] = {
            "kind": self.task.kind.value,
            "n_passages": self.n_passages,
            "n_events": self.n_events,
            "n_evaluable": self.n_evaluable,
            **_plain(self.headline),
            "labels": {label.name: _label_dict(label) for label in self.labels},
            "baselines": {name: _plain(measures) for name, measures in self.baselines.items()},
        }
        if self.confusion is not None:
            facts["confusion"] = self.confusion.tolist()
        return facts


@dataclass(frozen=True, repr=False)
class Evaluation:
    """A finished evaluation; `write_evaluation` writes its files.

    `ids` and `events` name each passage and its event; `scheme` says in words how passages were held out; `notes` are
    the sentences that must stand in the report's first lines; `model` is the id of the bundle that was judged, if any.
    """

    codebook: Codebook
    tasks: Mapping[str, TaskResult]
    ids: tuple[str, ...] = field(repr=False)
    events: tuple[str, ...] = field(repr=False)
    joined: tuple[JoinedPair, ...] = field(repr=False)
    scheme: str
    notes: tuple[str, ...]
    origins: Mapping[str, int]
    coders: Mapping[str, int]
    data_sha256: str
    seed: int
    versions: Mapping[str, str]
    settings: Mapping[str, Any] = field(repr=False)
    model: str | None = None

    def __getitem__(self, task: str) -> TaskResult:
        return self.tasks[task]

    def __repr__(self) -> str:
        scores = ", ".join(f"{name} macro-F1 {result.headline['macro_f1']}" for name, result in self.tasks.items())
        return f"<Evaluation {self.codebook.name}, {self.scheme}: {scores}>"

    def to_dict(self) -> dict[str, Any]:
        """`metrics.json`."""
        return {
            "tasks": {name: result.to_dict() for name, result in self.tasks.items()},
            "data": {"sha256": self.data_sha256, "origins": dict(self.origins), "coders": dict(self.coders)},
            "codebook": {"name": self.codebook.name, "sha256": self.codebook.sha256},
            "scheme": self.scheme,
            "notes": list(self.notes),
            "model": self.model,
            "seed": self.seed,
            "versions": dict(self.versions),
            "settings": dict(self.settings),
        }


def _plain(measures: Mapping[str, Estimate]) -> dict[str, Any]:
    return {name: estimate.to_dict() for name, estimate in measures.items()}


def _label_dict(label: LabelResult) -> dict[str, Any]:
    agreement = label.agreement
    return {
        "support": label.support,
        "events": label.events,
        "prevalence": label.prevalence,
        "precision": label.precision,
        "recall": label.recall,
        "f1": label.f1.to_dict(),
        "average_precision": label.average_precision.to_dict(),
        "gain_over_codebook_terms": label.gain.to_dict(),
        "coder_alpha": None if agreement is None else agreement.alpha.to_dict(),
        "coder_f1": None if agreement is None else agreement.specific,
        "verdict": label.verdict,
        "reason": label.reason,
    }


def none_if_nan(value: float) -> float | None:
    """A number for a file that has no NaN."""
    return None if np.isnan(value) else float(value)
