"""Labelled passages to a finished evaluation: of the way of training, or of one bundle on other passages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from classify.bundle import Bundle
from classify.codebook import Task
from classify.data.annotations import CodedPassage
from classify.data.dataset import Dataset
from classify.data.splits import MIN_EVENTS, n_folds_for
from classify.errors import UsageError
from classify.evaluation.agreement import measure_agreement
from classify.evaluation.crossval import decide, hold_out, outer_folds, prior_system
from classify.evaluation.judge import judge
from classify.evaluation.results import MODEL, PRIOR, TERMS, Evaluation, HeldOut, TaskAgreement
from classify.learn.settings import TrainingSettings
from classify.learn.training import versions
from classify.measure.arrays import IntArray

FEW_EVENTS = 10
LARGE_EVENT = 0.3


def evaluate(
    dataset: Dataset,
    *,
    settings: TrainingSettings | None = None,
    coders: Sequence[CodedPassage] = (),
    on_step: Callable[[int, int], None] = lambda done, total: None,
) -> Evaluation:
    """Judge a way of training by nested cross-validation over events.

    Every passage is predicted by a model that has seen nothing of its event. Under 4 events no folds are made: every
    label is "not evaluable". `coders` gives the coders' own agreement beside each label; `on_step` hears of steps done
    and in all. Raises UsageError if no passage is coded.
    """
    settings = settings or TrainingSettings()
    tasks = dataset.coded_tasks()
    if not tasks:
        raise UsageError("no passage is coded for any task; label some passages first")
    n_folds = n_folds_for(len(dataset.event_names))
    folds = np.zeros(len(dataset.passages), dtype=np.int64)
    if n_folds:
        folds = outer_folds(dataset, n_folds=n_folds, seed=settings.seed)
    held_out: dict[str, dict[str, HeldOut]] = {task.name: {} for task in tasks}
    judged = [task for task in tasks if _n_events(dataset, task) >= MIN_EVENTS]
    steps_done = 0

    def step() -> None:
        nonlocal steps_done
        steps_done += 1
        on_step(steps_done, n_folds * len(judged))

    for task in judged:
        held_out[task.name] = hold_out(dataset, task, settings.of(task), folds, seed=settings.seed, on_step=step)
    return _evaluation(
        dataset,
        held_out,
        folds,
        coders,
        scheme=f"nested cross-validation over events, {n_folds} outer folds" if judged else "nothing was held out",
        notes=[*_notes_on_folds(dataset, tasks, folds), *_notes(dataset)],
        settings=asdict(settings),
        seed=settings.seed,
    )


def evaluate_bundle(bundle: Bundle, dataset: Dataset, *, coders: Sequence[CodedPassage] = ()) -> Evaluation:
    """Judge a bundle on labelled passages that it was not trained on.

    Baselines: the training passages' prior, and the codebook's terms with the thresholds of the training passages.
    Raises UsageError if the dataset's codebook asks other tasks or labels than the bundle's.
    """
    for name in bundle.tasks:
        ours = bundle.codebook[name]
        theirs = dataset.codebook[name] if name in dataset.codebook.task_names else None
        if theirs is None or (theirs.kind, theirs.label_names) != (ours.kind, ours.label_names):
            raise UsageError(
                f"the bundle was trained with another codebook: task {name} has labels "
                f"{', '.join(ours.label_names)} ({ours.kind}); give --codebook the one it was trained with"
            )
    held_out: dict[str, dict[str, HeldOut]] = {}
    texts = dataset.texts
    for name, task in bundle.tasks.items():
        if not dataset.gold(dataset.codebook[name]).coded.any():
            continue
        hits = np.log1p(np.array([task.scorer.matcher.count(text) for text in texts]))
        held_out[name] = {
            MODEL: decide(task.decision, *task.scorer.score(texts)),
            PRIOR: decide(*prior_system(task.decision, len(texts))),
        }
        if bundle.codebook[name].has_terms:
            held_out[name][TERMS] = decide(task.term_rule, hits, hits.any(axis=1))
    if not held_out:
        raise UsageError("no passage is coded for any of the bundle's tasks; expected labelled passages")
    folds = np.full(len(texts), -1, dtype=np.int64)
    seen = set(bundle.data["text_hashes"])
    n_seen = sum(found in seen for found in dataset.text_hashes)
    notes = _notes(dataset)
    if n_seen:
        count = f"{n_seen} of {len(texts)} passages are among those the bundle was trained on"
        notes.insert(0, f"{count}: their figures flatter it. Use classify evaluate alone.")
    return _evaluation(
        dataset,
        held_out,
        folds,
        coders,
        scheme=f"bundle {bundle.id} on given labelled passages",
        notes=notes,
        settings=bundle.settings,
        seed=bundle.seed,
        model=bundle.id,
    )


def _evaluation(
    dataset: Dataset,
    held_out: Mapping[str, Mapping[str, HeldOut]],
    folds: IntArray,
    coders: Sequence[CodedPassage],
    *,
    scheme: str,
    notes: Sequence[str],
    settings: Mapping[str, Any],
    seed: int,
    model: str | None = None,
) -> Evaluation:
    events = tuple(dataset.events.of_document[passage.document] for passage in dataset.passages)
    agreement = _agreement(dataset, coders, events)
    tasks = {
        name: judge(
            dataset.codebook[name],
            dataset.gold(dataset.codebook[name]),
            groups=dataset.groups,
            folds=folds,
            held_out=systems,
            agreement=agreement.get(name),
            is_external=model is not None,
        )
        for name, systems in held_out.items()
    }
    return Evaluation(
        codebook=dataset.codebook,
        tasks=tasks,
        ids=tuple(passage.id for passage in dataset.passages),
        events=events,
        joined=dataset.events.joined,
        scheme=scheme,
        notes=tuple(notes),
        origins=dataset.counts_of("origin"),
        coders=dataset.counts_of("coder"),
        data_sha256=dataset.sha256,
        seed=seed,
        versions=versions(),
        settings=settings,
        model=model,
    )


def _agreement(dataset: Dataset, coders: Sequence[CodedPassage], events: Sequence[str]) -> dict[str, TaskAgreement]:
    clusters = {passage.id: event for passage, event in zip(dataset.passages, events, strict=True)}
    ours = [row for row in coders if row.id in clusters]
    return measure_agreement(ours, dataset.codebook, clusters=clusters) if ours else {}


def _n_events(dataset: Dataset, task: Task) -> int:
    """Number of events of which at least one passage is coded for the task."""
    return len(np.unique(dataset.groups[dataset.gold(task).coded]))


def _notes_on_folds(dataset: Dataset, tasks: Sequence[Task], folds: IntArray) -> list[str]:
    """What the number of events allows, where that is less than it should be."""
    notes = []
    for task in tasks:
        coded = dataset.gold(task).coded
        n_events = _n_events(dataset, task)
        if n_events < MIN_EVENTS:
            needed = f"none can be held out ({MIN_EVENTS} are needed), so nothing is evaluable"
            notes.append(f"{task.name}: only {_count(n_events, 'event')}: {needed}.")
        elif min(len(np.unique(dataset.groups[coded & (folds != fold)])) for fold in np.unique(folds)) < MIN_EVENTS:
            notes.append(
                f"{task.name}: too few events to hold any out inside the folds: thresholds and calibration come from "
                "scores that the model has seen."
            )
    return notes


def _notes(dataset: Dataset) -> list[str]:
    """The sentences that come first, because they decide how much the rest is worth."""
    n_events, n_passages = len(dataset.event_names), len(dataset.passages)
    largest = int(np.bincount(dataset.groups).max())
    notes = []
    if MIN_EVENTS <= n_events < FEW_EVENTS:
        notes.append(f"Only {n_events} independent events: intervals are wide, or can't be given at all.")
    if n_events >= MIN_EVENTS and largest > LARGE_EVENT * n_passages:
        notes.append(f"One event holds {largest} of {n_passages} passages: results lean on it.")
    if (n_composed := dataset.counts_of("origin").get("composed", 0)) > 0:
        notes.append(
            f"{n_composed} of {n_passages} passages were composed for training and are no reporting; their figures say "
            "little about real text."
        )
    if (n_machine := sum(n for coder, n in dataset.counts_of("coder").items() if "language model" in coder)) > 0:
        notes.append(f"{n_machine} of {n_passages} passages were coded by language models, not by people.")
    return notes


def _count(n: int, thing: str) -> str:
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"
