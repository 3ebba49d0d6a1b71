"""The values an evaluation consists of, finished and frozen; reports only read them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from classify.codebook import Codebook, Task
from classify.data.annotations import LabelledPassage
from classify.data.dataset import TaskGold
from classify.data.events import JoinedPair
from classify.evaluation.deciding import Deciding
from classify.evaluation.heldout import HeldOut, Mistake, Suspect
from classify.evaluation.labelwords import LabelWords
from classify.measure.arrays import FloatArray, IntArray
from classify.measure.calibration import CalibrationCurve, Reliability
from classify.measure.intervals import Estimate
from classify.notebook import block, bold, paragraph, table

USE = "use"
REVIEW = "use with review"
RULES = "rule-based only"
NOT_EVALUABLE = "not evaluable"

_MEASURES_SHOWN = 4

STYLE = "style"
CONTENT = "content"
"""Names of the two systems that a check for topic leaks sets beside the model."""


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
class RiskBand:
    """Risk at evenly spaced coverages, from the surest 30 passages on, with its 95% interval over events.

    All of shape (n_points,); `low` and `high` are NaN where there are too few events.
    """

    coverage: FloatArray
    risk: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True)
class Abstention:
    """What setting doubtful passages aside saves: risk, the share with a wrong label, of the surest part (coverage).

    `coverage` and `risk` have shape (n_points,), from the surest passage on; `area` is the mean risk over all
    coverages; `kept` and `kept_risk` are the part that asks for no review (`near_threshold`), and its risk; `band` is
    the curve where it can be read, None under 60 passages.
    """

    coverage: FloatArray
    risk: FloatArray
    area: Estimate
    kept: float
    kept_risk: float | None
    band: RiskBand | None = None

    def to_dict(self) -> dict[str, Any]:
        """The area, the point of review and the curve."""
        band = {} if self.band is None else {"band": _arrays(self.band)}
        return {
            "area": self.area.to_dict(),
            "kept": self.kept,
            "risk": self.total_risk,
            "kept_risk": self.kept_risk,
            "curve": {"coverage": self.coverage.tolist(), "risk": self.risk.tolist()},
            **band,
        }

    @property
    def total_risk(self) -> float:
        """The risk of keeping every passage."""
        return float(self.risk[-1])


@dataclass(frozen=True)
class Slice:
    """The passages with one value of a field.

    `n_labels` have 3 positives there, and macro averages run over those, as values without an interval. `measures` maps
    each system to its headline measures.
    """

    field: str
    value: str
    n_passages: int
    n_events: int
    n_labels: int
    measures: Mapping[str, Mapping[str, Estimate]]


@dataclass(frozen=True)
class LearningCurve:
    """Macro average precision of held-out events after learning from a part of the others, smallest part first.

    `n_passages` is the mean number learnt from; `low` and `high` bound 95% of bootstrap draws of events; `gain` is what
    `n_more` further passages may add, by a power law through the curve; `answer` says it in words.
    """

    n_passages: tuple[int, ...]
    value: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    n_more: int
    gain: Estimate
    answer: str

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        points = zip(self.n_passages, self.value, self.low, self.high, strict=True)
        return {
            "measure": "macro_average_precision",
            "points": [{"n_passages": n, "value": v, "low": low, "high": high} for n, v, low, high in points],
            "gain": {"n_more": self.n_more, **self.gain.to_dict()},
            "answer": self.answer,
        }


@dataclass(frozen=True)
class TopicLeak:
    """What style and content tell of a task alone, and what is lost where a topic was never seen in training.

    `macro_f1` holds for the style rates alone, the content words alone and the model three estimates: with passages of
    the topic (of other events) in training, without any, and the difference. All on the same `n_passages`, those that
    carry one of `topics`; the label of the highest score counts.
    """

    topics: tuple[str, ...]
    n_passages: int
    macro_f1: Mapping[str, tuple[Estimate, Estimate, Estimate]]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        names = ("topic_known", "topic_left_out", "lost")
        return {
            "topics": list(self.topics),
            "n_passages": self.n_passages,
            "macro_f1": {
                system: {name: estimate.to_dict() for name, estimate in zip(names, found, strict=True)}
                for system, found in self.macro_f1.items()
            },
        }


@dataclass(frozen=True)
class LabelResult:
    """How well one label is found, with the verdict and its reason in words.

    `precision`, `recall`, `f1` and `average_precision` are None-valued where the data can't give them; `gain` is F1
    minus that of the codebook's terms, paired by event; `skill` is (AP - prevalence) / (1 - prevalence); `matthews` is
    Matthews' correlation; `slope` and `intercept` of calibration are perfect at 1 and 0; `optimism` is what F1 would
    gain if the threshold were chosen on the very passages it is judged by; `deciding` is what its decisions cost.
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
    matthews: float | None
    brier_skill: Estimate
    slope: Estimate
    intercept: Estimate
    optimism: float | None
    deciding: Deciding | None
    agreement: LabelAgreement | None
    is_evaluable: bool
    verdict: str
    reason: str


@dataclass(frozen=True)
class TaskResult:
    """One task's results: `headline` and each baseline map the names of measures to estimates.

    `gains` is macro-F1 minus that of each baseline, paired by event; empty where no label is evaluable.

    Arrays have one row a passage that was held out. `thresholds` names the rule by which thresholds were chosen, and
    `optimism` is what macro-F1 would gain from choosing them on the passages they are judged by; both are None for a
    multiclass task, and `optimism` for a bundle and where thresholds are set by precision.
    """

    task: Task
    n_passages: int
    n_events: int
    headline: Mapping[str, Estimate]
    labels: tuple[LabelResult, ...]
    baselines: Mapping[str, Mapping[str, Estimate]]
    baseline_f1: Mapping[str, tuple[Estimate, ...]]
    gains: Mapping[str, Estimate]
    confusion: IntArray | None
    co_confusion: IntArray | None
    thresholds: str | None
    optimism: float | None
    reliability: Reliability | None
    calibration: CalibrationCurve | None
    abstention: Abstention | None
    slices: tuple[Slice, ...]
    curve: LearningCurve | None
    leak: TopicLeak | None
    words: tuple[LabelWords, ...]
    mistakes: tuple[Mistake, ...] = field(repr=False)
    suspects: tuple[Suspect, ...] = field(repr=False)
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
            "macro_f1_gain_over": _plain(self.gains),
        }
        if self.confusion is not None:
            facts["confusion"] = self.confusion.tolist()
        if self.co_confusion is not None:
            facts["co_confusion"] = self.co_confusion.tolist()
        if self.thresholds is not None:
            facts["thresholds"] = {"rule": self.thresholds, "optimism": self.optimism}
        if self.abstention is not None and self.reliability is not None:
            facts["abstention"] = self.abstention.to_dict()
            facts["expected_calibration_error"] = self.reliability.error
            facts["reliability"] = {name: bins.tolist() for name, bins in vars(self.reliability).items()}
        if self.calibration is not None:
            facts["calibration_curve"] = _arrays(self.calibration)
        if self.curve is not None:
            facts["learning_curve"] = self.curve.to_dict()
        if self.leak is not None:
            facts["topic_leak"] = self.leak.to_dict()
        if self.words:
            facts["words"] = {found.label: found.to_dict() for found in self.words}
        facts["slices"] = [_slice_dict(found) for found in self.slices]
        return facts


@dataclass(frozen=True, repr=False)
class Evaluation:
    """A finished evaluation; `write_evaluation` writes its files.

    `passages` are those that were held out, and `events` names the event of each; `scheme` says in words how; `notes`
    are the sentences that must stand in the report's first lines; `model` is the id of the bundle that was judged, if
    any.
    """

    codebook: Codebook
    tasks: Mapping[str, TaskResult]
    passages: tuple[LabelledPassage, ...] = field(repr=False)
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

    @property
    def ids(self) -> tuple[str, ...]:
        """The passages' ids."""
        return tuple(passage.id for passage in self.passages)

    def __getitem__(self, task: str) -> TaskResult:
        return self.tasks[task]

    def __repr__(self) -> str:
        scores = ", ".join(f"{name} macro-F1 {result.headline['macro_f1']}" for name, result in self.tasks.items())
        return f"<Evaluation {self.codebook.name}, {self.scheme}: {scores}>"

    def _repr_html_(self) -> str:
        parts: list[object] = [paragraph(bold(f"Evaluation of {self.codebook.name}") + f", {self.scheme}")]
        parts += [paragraph(note) for note in self.notes]
        for name, result in self.tasks.items():
            measures = [f"{_named(measure)} {value}" for measure, value in result.headline.items()]
            parts += [paragraph(bold(name) + f": {', '.join(measures[:_MEASURES_SHOWN])}"), _labels_html(result)]
        return str(block(parts))

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


def _named(measure: str) -> str:
    return measure.replace("_", " ").replace("f1", "F1")


def _labels_html(result: TaskResult) -> Any:
    """A row a label: passages that carry it, F1, average precision, verdict with its reason."""
    rows = [
        (bold(label.name), label.support, label.f1, label.average_precision, label.verdict, label.reason)
        for label in result.labels
    ]
    numbers = ["passages", "F1", "avg. precision"]
    return table(["label", *numbers, "verdict", "because"], rows, numbers=numbers)


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
        "matthews": label.matthews,
        "brier_skill": label.brier_skill.to_dict(),
        "calibration_slope": label.slope.to_dict(),
        "calibration_intercept": label.intercept.to_dict(),
        "optimism": label.optimism,
        "deciding": None if label.deciding is None else label.deciding.to_dict(),
        "coder_alpha": None if agreement is None else agreement.alpha.to_dict(),
        "coder_f1": None if agreement is None else agreement.specific,
        "verdict": label.verdict,
        "reason": label.reason,
    }


def _slice_dict(found: Slice) -> dict[str, Any]:
    facts = (found.field, found.value, found.n_passages, found.n_events, found.n_labels)
    names = ("field", "value", "n_passages", "n_events", "n_labels")
    systems = {name: _plain(measures) for name, measures in found.measures.items()}
    return {**dict(zip(names, facts, strict=True)), "systems": systems}


def _arrays(found: CalibrationCurve | RiskBand) -> dict[str, list[float | None]]:
    return {name: [none_if_nan(value) for value in values] for name, values in vars(found).items()}


def none_if_nan(value: float) -> float | None:
    """A number for a file that has no NaN."""
    return None if np.isnan(value) else float(value)
