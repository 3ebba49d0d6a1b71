"""Labels dealt anew, and copies of documents, to a test of the splits themselves: whether anything leaks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from classify.codebook import Task
from classify.data.dataset import Dataset, TaskGold, make_dataset
from classify.data.splits import MIN_EVENTS
from classify.errors import UsageError, how_many
from classify.evaluation.schemes import EVENT_FOLDS, Split, over_events, splits_of
from classify.evaluation.verdicts import evaluable_labels
from classify.evaluation.work import Job, OnStep, cost_of, run_jobs
from classify.learn.features import CountedTexts
from classify.learn.settings import TaskSettings, TrainingSettings
from classify.learn.weights import count_for, fit_weights
from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.measure.scores import average_precision, ranks_of, roc_auc

N_DRAWS = 20
N_DRAWS_BY_PASSAGE = 4
MAX_AUC = 0.55
MIN_JOINED = 0.95
MAX_GAIN = 0.04
DROPPED = 0.1
MAX_COLUMNS = 256
"""Labels and draws that are learnt at once, to bound the memory that weights take."""
COPY = "copy of "


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

    `joined` is the share of copies that were put into their original's event; `average_precision` maps each task to its
    macro average over the labels that are evaluable without copies, on the documents whose copies were found: as it is,
    with copies, and with copies taken for events of their own.
    """

    joined: float
    average_precision: dict[str, tuple[float, float, float]]

    @property
    def is_tight(self) -> bool:
        """Whether nearly all copies are found, and they don't raise average precision by more than 4 points."""
        gains = [with_copies - before for before, with_copies, _ in self.average_precision.values()]
        return self.joined >= MIN_JOINED and max(gains) <= MAX_GAIN


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
            "shuffled_labels": [{**asdict(band), "is_tight": band.is_tight} for band in self.null],
            "copies": {**asdict(self.copies), "is_tight": self.copies.is_tight},
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
        raise UsageError(
            f"{how_many(len(dataset.event_names), 'event')}: none can be held out; {MIN_EVENTS} are needed"
        )
    tasks = [task for task in dataset.coded_tasks() if _evaluable(dataset, task).any()]
    if not tasks:
        raise UsageError("no label has 10 positives from 5 events, so there is nothing to test the splits with")
    folds = over_events(dataset, scheme=EVENT_FOLDS, seed=settings.seed).folds
    doubled = _with_copies(dataset, seed=settings.seed)
    joined = _joined(doubled)
    originals, rows = _of_joined(dataset, joined), _of_joined(doubled, joined)
    ways = (joined, dict.fromkeys(joined, False))
    found, not_looked_for = (splits_of(_folds_with_copies(folds, dataset, doubled, way)) for way in ways)
    nulls = {task.name: _nulls(dataset, task, splits_of(folds), seed=settings.seed) for task in tasks}
    jobs: list[Job[Any]] = []
    for task in tasks:
        chosen, columns = settings.of(task).fixed, _evaluable(dataset, task)
        counted = count_for(task, dataset.texts, chosen)
        with_copies = count_for(task, doubled.texts, chosen)
        jobs += [job for null in nulls[task.name] for job in null.jobs(counted, chosen)]
        jobs.append(_copy_job(dataset.gold(task), chosen, counted, splits_of(folds), (originals, columns)))
        jobs += [
            _copy_job(doubled.gold(task), chosen, with_copies, splits, (rows, columns))
            for splits in (found, not_looked_for)
        ]
    results = iter(run_jobs(jobs, on_step))
    bands: list[NullBand] = []
    quality = {}
    for task in tasks:
        by_event, by_passage = (null.auc([next(results) for _ in null.splits]) for null in nulls[task.name])
        bands += _null_bands(task, _evaluable(dataset, task), by_event, by_passage)
        quality[task.name] = (next(results), next(results), next(results))
    return SplitAudit(tuple(bands), Copies(float(np.mean(list(joined.values()))), quality))


def _evaluable(dataset: Dataset, task: Task) -> BoolArray:
    return evaluable_labels(dataset.gold(task), dataset.groups)


# shuffled labels


@dataclass(frozen=True)
class _Null:
    """Labels dealt anew several times, side by side as further columns of `gold`, and how to split the passages."""

    gold: TaskGold
    n_draws: int
    splits: Sequence[Split]

    def jobs(self, counted: CountedTexts, settings: TaskSettings) -> list[Job[FloatArray]]:
        """One job a split; all draws are learnt together, because that reads the features once."""
        cost = cost_of(counted, n_fits=self.n_draws)
        return [Job(partial(_ranked, counted, self.gold, settings, split), cost) for split in self.splits]

    def auc(self, parts: Sequence[FloatArray]) -> FloatArray:
        """AUC of each draw and label from what the jobs gave, shape (n_draws, n_labels)."""
        return _by_label(roc_auc, self.gold, _whole(self.gold, self.splits, parts)).reshape(self.n_draws, -1)


def _nulls(dataset: Dataset, task: Task, by_event: Sequence[Split], *, seed: int) -> tuple[_Null, _Null]:
    """What is split by events, and what by passages."""
    by_passage = splits_of(np.random.default_rng(seed).permutation(len(dataset.passages)) % len(by_event))
    gold = dataset.gold(task)
    dealt = [gold.of(_dealt(dataset.groups, np.random.default_rng([seed, draw]))) for draw in range(N_DRAWS)]
    ways = ((dealt, by_event), (dealt[:N_DRAWS_BY_PASSAGE], by_passage))
    first, second = (
        _Null(TaskGold(np.hstack([one.gold for one in of]), np.hstack([one.known for one in of])), len(of), splits)
        for of, splits in ways
    )
    return first, second


def _dealt(groups: IntArray, rng: np.random.Generator) -> IntArray:
    """For each passage a passage of the event whose labels its own event is dealt; the labels of events stay whole."""
    members = [np.flatnonzero(groups == group) for group in range(int(groups.max()) + 1)]
    rows = np.empty(len(groups), dtype=np.int64)
    for ours, theirs in zip(members, rng.permutation(len(members)), strict=True):
        rows[ours] = np.resize(rng.permutation(members[theirs]), len(ours))
    return rows


def _ranked(counted: CountedTexts, gold: TaskGold, settings: TaskSettings, split: Split) -> FloatArray:
    """Each held-out passage's rank among those held out with it, label by label: scores without their fold's scale."""
    rows = split.inside[gold.coded[split.inside]]
    parts = []
    for first in range(0, gold.gold.shape[1], MAX_COLUMNS):
        columns = slice(first, first + MAX_COLUMNS)
        part = TaskGold(gold.gold[:, columns], gold.known[:, columns])
        (weights,) = fit_weights(counted, part, rows, [settings])
        parts.append(ranks_of(weights.score(counted, split.outside)[0]))
    return np.hstack(parts)


def _whole(gold: TaskGold, splits: Sequence[Split], parts: Sequence[FloatArray]) -> FloatArray:
    ranks = np.zeros(gold.gold.shape)
    for split, part in zip(splits, parts, strict=True):
        ranks[split.outside] = part
    return ranks


def _by_label(measure: Callable[[BoolArray, FloatArray], float], gold: TaskGold, ranks: FloatArray) -> FloatArray:
    columns = zip(gold.gold.T, gold.known.T, ranks.T, strict=True)
    return np.array([measure(of[known], rank[known]) for of, known, rank in columns])


def _null_bands(task: Task, columns: BoolArray, by_event: FloatArray, by_passage: FloatArray) -> list[NullBand]:
    bands = []
    for n in np.flatnonzero(columns & np.isfinite(by_event).all(axis=0)):  # else a draw lacks a negative
        low, high = np.quantile(by_event[:, n], [0.025, 0.975])
        error = np.std(by_event[:, n], ddof=1) / np.sqrt(N_DRAWS)
        values = (by_event[:, n].mean(), error, low, high, by_passage[:, n].mean())
        bands.append(NullBand(task.name, task.label_names[n], *map(float, values)))
    return bands


# copies of documents


def _with_copies(dataset: Dataset, *, seed: int) -> Dataset:
    """Every document again under another name, a tenth of its words dropped, its event left to be found."""
    rng = np.random.default_rng(seed)
    copies = [
        replace(
            passage,
            id=COPY + passage.id,
            document=COPY + passage.document,
            event=None,
            text=" ".join(word for word in passage.text.split() if rng.random() >= DROPPED),
        )
        for passage in dataset.passages
    ]
    return make_dataset([*dataset.passages, *copies], dataset.codebook)


def _joined(doubled: Dataset) -> dict[str, bool]:
    """Whether each original document was put into one event with its copy."""
    events = doubled.events.of_document
    return {
        document.removeprefix(COPY): events[document] == events[document.removeprefix(COPY)]
        for document in events
        if document.startswith(COPY)
    }


def _of_joined(dataset: Dataset, joined: Mapping[str, bool]) -> BoolArray:
    """The passages whose document and its copy were joined, shape (n_passages,); all if none were."""
    found = np.array([joined[passage.document.removeprefix(COPY)] for passage in dataset.passages], dtype=np.bool_)
    return found if found.any() else ~found


def _folds_with_copies(folds: IntArray, dataset: Dataset, doubled: Dataset, joined: Mapping[str, bool]) -> IntArray:
    """Originals keep their folds, so that nothing else moves a score, and copies that were found go with them.

    A copy that was not found is held out elsewhere, so that its original is learnt from while it is judged.
    """
    fold_of = dict(zip((passage.id for passage in dataset.passages), folds.tolist(), strict=True))
    n_folds = int(folds.max()) + 1
    found = []
    for passage in doubled.passages:
        fold = fold_of[passage.id.removeprefix(COPY)]
        is_apart = passage.id not in fold_of and not joined[passage.document.removeprefix(COPY)]
        found.append((fold + is_apart) % n_folds)
    return np.array(found)


def _copy_job(
    gold: TaskGold,
    chosen: TaskSettings,
    counted: CountedTexts,
    splits: Sequence[Split],
    judged: tuple[BoolArray, BoolArray],
) -> Job[float]:
    """A job that gives the macro average precision of one dataset over the rows and labels that are `judged`."""
    job = partial(_macro_average_precision, counted, gold, chosen, splits, judged)
    return Job(job, cost_of(counted, n_fits=len(splits)))


def _macro_average_precision(
    counted: CountedTexts,
    gold: TaskGold,
    settings: TaskSettings,
    splits: Sequence[Split],
    judged: tuple[BoolArray, BoolArray],
) -> float:
    rows, columns = judged
    ranks = _whole(gold, splits, [_ranked(counted, gold, settings, split) for split in splits])
    return float(_by_label(average_precision, gold.of(rows), ranks[rows])[columns].mean())
