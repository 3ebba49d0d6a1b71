"""Labels dealt anew, and copies of documents, to a test of the splits themselves: whether anything leaks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from classify.codebook import Task
from classify.data.dataset import Dataset, TaskGold, make_dataset
from classify.data.splits import MIN_EVENTS
from classify.errors import UsageError
from classify.evaluation.crossval import jobs_of, join_parts, systems_for
from classify.evaluation.judge import Held, judge
from classify.evaluation.results import MODEL
from classify.evaluation.schemes import EVENT_FOLDS, Split, over_events, splits_of
from classify.evaluation.verdicts import too_few
from classify.evaluation.work import Job, OnStep, run_jobs
from classify.learn.features import CountedTexts
from classify.learn.settings import TaskSettings, TrainingSettings
from classify.learn.training import count_for, fit_weights
from classify.measure.arrays import FloatArray, IntArray
from classify.measure.scores import roc_auc

N_DRAWS = 20
MAX_AUC = 0.55
MIN_JOINED = 0.95
MAX_MOVE = 0.04
DROPPED = 0.1


@dataclass(frozen=True)
class NullBand:
    """How well shuffled labels seem to be predicted: AUC over draws, by folds of whole events and by folds of passages.

    Labels are dealt to other events whole, so there is nothing to learn: an AUC well above one half is what leaks.
    `low` and `high` bound 95% of the draws; `error` is the standard error of their `mean`.
    """

    task: str
    label: str
    mean: float
    error: float
    low: float
    high: float
    mean_by_passage: float

    @property
    def is_tight(self) -> bool:
        """Whether the mean AUC is at most .55, two standard errors allowed."""
        return self.mean - 2 * self.error <= MAX_AUC


@dataclass(frozen=True)
class Copies:
    """What happens when every document comes again with a tenth of its words dropped, its event not given.

    `joined` is the share of copies that were put into their original's event; `macro_f1` maps each task to macro-F1
    as it is, with copies, and with copies taken for events of their own.
    """

    joined: float
    macro_f1: dict[str, tuple[float, float, float]]

    @property
    def is_tight(self) -> bool:
        """Whether nearly all copies are found, and none of them moves macro-F1 by more than 4 points."""
        moves = [abs(with_copies - before) for before, with_copies, _ in self.macro_f1.values()]
        return self.joined >= MIN_JOINED and max(moves) <= MAX_MOVE


@dataclass(frozen=True)
class SplitAudit:
    """The two tests of the splits; `is_tight` if both hold."""

    null: tuple[NullBand, ...]
    copies: Copies

    @property
    def is_tight(self) -> bool:
        """Whether neither test finds a leak."""
        return all(band.is_tight for band in self.null) and self.copies.is_tight

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "is_tight": self.is_tight,
            "shuffled_labels": [{**band.__dict__, "is_tight": band.is_tight} for band in self.null],
            "copies": {**self.copies.__dict__, "is_tight": self.copies.is_tight},
        }


def audit_splits(
    dataset: Dataset,
    *,
    settings: TrainingSettings | None = None,
    on_step: OnStep = lambda done, total: None,
) -> SplitAudit:
    """Test the splits of a dataset for leaks; raises UsageError under 4 events or without an evaluable label."""
    settings = settings or TrainingSettings()
    if len(dataset.event_names) < MIN_EVENTS:
        raise UsageError(f"{len(dataset.event_names)} events: none can be held out; {MIN_EVENTS} are needed")
    tasks = [task for task in dataset.coded_tasks() if _evaluable(dataset, task)]
    if not tasks:
        raise UsageError("no label has 10 positives from 5 events, so there is nothing to test the splits with")
    null_jobs = [job for task in tasks for job in _null_jobs(dataset, task, settings)]
    doubled = _with_copies(dataset, seed=settings.seed)
    datasets = [dataset, doubled, _apart(doubled)]
    runs = [_Run(one, task, settings) for task in tasks for one in datasets]
    copy_jobs = [job for run in runs for job in run.jobs]
    results = run_jobs([*null_jobs, *copy_jobs], on_step)
    draws, parts = results[: len(null_jobs)], iter(results[len(null_jobs) :])
    found = [run.macro_f1([next(parts) for _ in run.jobs]) for run in runs]
    macro_f1 = {task.name: (found[3 * n], found[3 * n + 1], found[3 * n + 2]) for n, task in enumerate(tasks)}
    return SplitAudit(_null_bands(dataset, tasks, draws), Copies(_joined(dataset, doubled), macro_f1))


def _evaluable(dataset: Dataset, task: Task) -> list[int]:
    gold = dataset.gold(task)
    pairs = zip(gold.support.tolist(), gold.events_with(dataset.groups).tolist(), strict=True)
    return [n for n, (support, events) in enumerate(pairs) if not too_few(support, events)]


# shuffled labels


def _null_jobs(dataset: Dataset, task: Task, settings: TrainingSettings) -> list[Job[tuple[FloatArray, FloatArray]]]:
    """One job a draw; each gives the AUC of every label by folds of events and by folds of passages."""
    chosen = settings.of(task).candidates[0]
    counted = count_for(task, dataset.texts, chosen)
    by_event = over_events(dataset, scheme=EVENT_FOLDS, seed=settings.seed).splits
    by_passage = splits_of(np.random.default_rng(settings.seed).permutation(len(dataset.passages)) % len(by_event))
    cost = 2.0 * len(by_event) * sum(block.tf.nnz for block in counted.blocks) * len(task.labels)
    jobs = []
    for draw in range(N_DRAWS):
        rows = _dealt(dataset.groups, np.random.default_rng([settings.seed, draw]))
        gold = dataset.gold(task).of(rows)
        score = partial(_auc_both, counted, gold, chosen, by_event, by_passage)
        jobs.append(Job(score, cost))
    return jobs


def _dealt(groups: IntArray, rng: np.random.Generator) -> IntArray:
    """For each passage a passage of the event whose labels its own event is dealt; the labels of events stay whole."""
    members = [np.flatnonzero(groups == group) for group in range(int(groups.max()) + 1)]
    rows = np.empty(len(groups), dtype=np.int64)
    for ours, theirs in zip(members, rng.permutation(len(members)), strict=True):
        rows[ours] = np.resize(members[theirs], len(ours))
    return rows


def _auc_both(
    counted: CountedTexts,
    gold: TaskGold,
    settings: TaskSettings,
    by_event: Sequence[Split],
    by_passage: Sequence[Split],
) -> tuple[FloatArray, FloatArray]:
    return _auc(counted, gold, settings, by_event), _auc(counted, gold, settings, by_passage)


def _auc(counted: CountedTexts, gold: TaskGold, settings: TaskSettings, splits: Sequence[Split]) -> FloatArray:
    """AUC of each label over all splits, on ranks inside each split; shape (n_labels,)."""
    ranks = np.zeros(gold.gold.shape)
    for split in splits:
        (weights,) = fit_weights(counted, gold, split.inside[gold.coded[split.inside]], [settings])
        scores, _ = weights.score(counted, split.outside)
        ranks[split.outside] = (scores.argsort(axis=0).argsort(axis=0) + 0.5) / len(split.outside)
    columns = zip(gold.gold.T, gold.known.T, ranks.T, strict=True)
    return np.array([roc_auc(of[known], rank[known]) for of, known, rank in columns])


def _null_bands(
    dataset: Dataset, tasks: Sequence[Task], draws: Sequence[tuple[FloatArray, FloatArray]]
) -> tuple[NullBand, ...]:
    bands = []
    for number, task in enumerate(tasks):
        of_task = draws[number * N_DRAWS : (number + 1) * N_DRAWS]
        by_event, by_passage = (np.array([draw[way] for draw in of_task]) for way in range(2))
        for n in _evaluable(dataset, task):
            low, high = np.nanquantile(by_event[:, n], [0.025, 0.975])
            error = np.nanstd(by_event[:, n], ddof=1) / np.sqrt(N_DRAWS)
            values = (np.nanmean(by_event[:, n]), error, low, high, np.nanmean(by_passage[:, n]))
            bands.append(NullBand(task.name, task.label_names[n], *map(float, values)))
    return tuple(bands)


# copies of documents


def _with_copies(dataset: Dataset, *, seed: int) -> Dataset:
    """Every document again under another name, a tenth of its words dropped, its event left to be found."""
    rng = np.random.default_rng(seed)
    copies = [
        replace(
            passage,
            id=f"copy of {passage.id}",
            document=f"copy of {passage.document}",
            event=None,
            text=" ".join(word for word in passage.text.split() if rng.random() >= DROPPED),
        )
        for passage in dataset.passages
    ]
    return make_dataset([*dataset.passages, *copies], dataset.codebook)


def _apart(doubled: Dataset) -> Dataset:
    """The same with each document taken for an event of its own, as if nothing looked for copies."""
    of_document = {passage.document: passage.document for passage in doubled.passages}
    return replace(doubled, events=replace(doubled.events, of_document=of_document))


def _joined(dataset: Dataset, doubled: Dataset) -> float:
    documents = sorted({passage.document for passage in dataset.passages})
    events = doubled.events.of_document
    return float(np.mean([events[f"copy of {document}"] == events[document] for document in documents]))


class _Run:
    """Nested cross-validation of the model alone on one dataset."""

    def __init__(self, dataset: Dataset, task: Task, settings: TrainingSettings) -> None:
        self._dataset, self._task = dataset, task
        self._plan = over_events(dataset, scheme=EVENT_FOLDS, seed=settings.seed)
        every = systems_for(dataset, task, settings.of(task), seed=settings.seed)
        self._systems = [system for system in every if system.name == MODEL]
        self.jobs: list[Job[Any]] = jobs_of(self._systems, self._plan.splits)

    def macro_f1(self, parts: Sequence[Any]) -> float:
        """Macro-F1 from what the jobs gave; NaN if no label is evaluable any more."""
        rows = self._plan.rows
        result = judge(
            Held(
                task=self._task,
                gold=self._dataset.gold(self._task).of(rows),
                groups=self._dataset.groups[rows],
                folds=self._plan.folds,
                systems=join_parts(self._systems, self._plan.splits, parts)[0],
                fields={},
            )
        )
        value = result.headline["macro_f1"].value
        return float("nan") if value is None else value
