"""Labelled passages to a finished evaluation: of the way of training, or of one bundle on other passages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from classify.bundle import Bundle
from classify.codebook import Task
from classify.data.annotations import CodedPassage
from classify.data.dataset import Dataset
from classify.data.splits import MIN_EVENTS
from classify.errors import UsageError, did_you_mean, how_many
from classify.evaluation.agreement import measure_agreement
from classify.evaluation.crossval import Predicted, System, decide, jobs_of, join_parts, prior_system, systems_for
from classify.evaluation.curve import Point, curve_jobs, draw_curve
from classify.evaluation.heldout import MODEL, PRIOR, TERMS
from classify.evaluation.judge import Held, judge
from classify.evaluation.labelwords import LabelWords, find_label_words
from classify.evaluation.mistakes import find_mistakes
from classify.evaluation.notes import (
    least_support,
    n_events_of,
    notes_on_passages,
    notes_on_rare,
    notes_on_rules,
    notes_on_search,
    notes_on_splits,
    notes_on_unlabelled,
)
from classify.evaluation.results import Evaluation, TaskAgreement, TopicLeak
from classify.evaluation.schemes import EVENT_FOLDS, SCHEMES, Scheme, field_values, held_out_part, over_events
from classify.evaluation.topicleak import Part as LeakPart
from classify.evaluation.topicleak import judge_leak, leak_jobs
from classify.evaluation.work import Job, OnStep, run_jobs
from classify.learn.settings import TrainingSettings
from classify.learn.thresholds import parse_threshold_rule
from classify.learn.training import usable_unlabelled, versions
from classify.learn.weights import count_for
from classify.measure.arrays import IntArray


@dataclass(frozen=True)
class _Further:
    """What is learnt of a task beside its held-out predictions."""

    points: Sequence[Point] = ()
    leak: TopicLeak | None = None
    words: tuple[LabelWords, ...] = ()


def evaluate(
    dataset: Dataset,
    *,
    settings: TrainingSettings | None = None,
    coders: Sequence[CodedPassage] = (),
    scheme: str = EVENT_FOLDS,
    holdout: tuple[str, str] | None = None,
    by: Sequence[str] = (),
    unlabelled: Sequence[str] = (),
    on_step: OnStep = lambda done, total: None,
) -> Evaluation:
    """Judge a way of training by nested cross-validation over events.

    Every passage is predicted by a model that has seen nothing of its event. `scheme` is "event-folds" or
    "leave-one-event-out"; `holdout`, a field and a value, tests on the passages that have it instead and learns from
    the rest. `by` names fields (`origin`, `year`, …) by whose values the results are broken down. Under 4 events no
    folds are made: every label is "not evaluable". `coders` gives the coders' own agreement beside each label;
    `unlabelled` texts are learnt from as `train` does; `on_step` hears of work done and in all. Raises UsageError if no
    passage is coded, none has such a field or value, or unlabelled texts are too few.
    """
    settings = settings or TrainingSettings()
    tasks = dataset.coded_tasks()
    if not tasks:
        raise UsageError("no passage is coded for any task; label some passages first")
    if scheme not in SCHEMES:
        raise UsageError(f"unknown scheme {scheme!r}; {did_you_mean(scheme, SCHEMES)}")
    unlabelled = usable_unlabelled(unlabelled, dataset.texts)
    fields = {field: field_values(dataset, field) for field in by}
    plan = held_out_part(dataset, *holdout) if holdout else over_events(dataset, scheme=scheme, seed=settings.seed)
    judged = [task for task in tasks if _can_be_judged(dataset, task, plan)]
    if not judged:
        plan = Scheme("nothing was held out", ())
    rows = plan.rows if judged else np.arange(len(dataset.passages))
    found, further = _predict(dataset, judged, settings, plan, unlabelled, on_step)
    held = {
        task.name: _held_by_scheme(dataset, task, settings, plan, rows, found.get(task.name, Predicted()), fields)
        for task in tasks
    }
    return _evaluation(
        dataset,
        rows,
        held,
        further,
        coders,
        scheme=plan.description,
        notes=[
            *notes_on_splits(dataset, tasks, judged, plan, settings),
            *plan.notes,
            *notes_on_passages(dataset, rows),
            *notes_on_unlabelled(unlabelled, judged, settings),
            *notes_on_search(judged, settings),
            *notes_on_rare(dataset, judged, plan, settings),
            *notes_on_rules(held, {task.name: least_support(dataset, task, plan) for task in judged}),
        ],
        settings=settings.to_dict(),
        seed=settings.seed,
    )


def _predict(
    dataset: Dataset,
    tasks: Sequence[Task],
    settings: TrainingSettings,
    plan: Scheme,
    unlabelled: Sequence[str],
    on_step: OnStep,
) -> tuple[dict[str, Predicted], dict[str, _Further]]:
    """All the learning there is to do, as one list of jobs: for each task every system, curve and topic leak."""
    of_curve = plan if plan.is_block else over_events(dataset, scheme=EVENT_FOLDS, seed=settings.seed)
    systems: dict[str, list[System]] = {}
    curves: dict[str, list[Job[Point]]] = {}
    leaks: dict[str, list[Job[LeakPart]]] = {}
    jobs: list[Job[Any]] = []
    for task in tasks:
        of_task, seed = settings.of(task), settings.seed
        counted = count_for(task, dataset.texts, of_task, unlabelled=unlabelled, seed=seed)
        systems[task.name] = systems_for(dataset, task, of_task, counted, seed=seed)
        curves[task.name] = curve_jobs(dataset, task, of_task, counted, of_curve.splits, seed=seed)
        leaks[task.name] = leak_jobs(dataset, task, of_task, counted, plan)
        jobs += [*jobs_of(systems[task.name], plan.splits), *curves[task.name], *leaks[task.name]]
    results = iter(run_jobs(jobs, on_step))
    found: dict[str, Predicted] = {}
    further: dict[str, _Further] = {}
    for task in tasks:
        parts = [next(results) for _ in range(len(systems[task.name]) * len(plan.splits))]
        found[task.name] = join_parts(systems[task.name], plan.splits, parts)
        points, of_leak = ([next(results) for _ in asked[task.name]] for asked in (curves, leaks))
        words = find_label_words(dataset, task, found[task.name].words)
        further[task.name] = _Further(points, judge_leak(dataset, task, of_leak), words)
    return found, further


def _held_by_scheme(
    dataset: Dataset,
    task: Task,
    settings: TrainingSettings,
    plan: Scheme,
    rows: IntArray,
    predicted: Predicted,
    fields: Mapping[str, Sequence[str]],
) -> Held:
    """What every system says of `rows`, for one task: the rows held out, or all where the scheme has no splits."""
    return Held(
        task=task,
        gold=dataset.gold(task).of(rows),
        groups=dataset.groups[rows],
        folds=plan.folds if plan.splits else np.full(len(rows), -1, dtype=np.int64),
        systems=predicted.systems,
        mistakes=predicted.mistakes,
        fields={field: [values[row] for row in rows] for field, values in fields.items()},
        rule=parse_threshold_rule(settings.of(task).thresholds) if task.is_multilabel else None,
        review_margin=settings.review.margin,
        is_block=plan.is_block,
    )


def evaluate_bundle(
    bundle: Bundle, dataset: Dataset, *, coders: Sequence[CodedPassage] = (), by: Sequence[str] = ()
) -> Evaluation:
    """Judge a bundle on labelled passages that it was not trained on, broken down by fields if `by` names any.

    Baselines: the training passages' prior, and the codebook's terms with the thresholds of the training passages; in a
    bundle that was reset to an audit, the audit's prior, and thresholds at its prevalence.
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
    fields = {field: field_values(dataset, field) for field in by}
    held = {
        name: _held_by_bundle(bundle, name, dataset, fields)
        for name in bundle.tasks
        if dataset.gold(dataset.codebook[name]).coded.any()
    }
    if not held:
        raise UsageError("no passage is coded for any of the bundle's tasks; expected labelled passages")
    rows = np.arange(len(dataset.passages))
    seen = set(bundle.data["text_hashes"])
    n_seen = sum(found in seen for found in dataset.text_hashes)
    notes = notes_on_passages(dataset, rows)
    if n_seen:
        count = f"{n_seen} of {how_many(len(rows), 'passage')} are among those the bundle was trained on"
        notes.insert(0, f"{count}: their figures flatter it. Run classify evaluate without --model.")
    return _evaluation(
        dataset,
        rows,
        held,
        {},
        coders,
        scheme=f"bundle {bundle.id} on given labelled passages",
        notes=notes,
        settings=bundle.settings,
        seed=bundle.seed,
        model=bundle.id,
    )


def _held_by_bundle(bundle: Bundle, name: str, dataset: Dataset, fields: Mapping[str, Sequence[str]]) -> Held:
    """What the bundle and its baselines say of every passage, for one task."""
    task, coded, texts = bundle.tasks[name], dataset.codebook[name], dataset.texts
    gold = dataset.gold(coded)
    systems = {
        MODEL: decide(task.decision, *task.scorer.score(texts)),
        PRIOR: decide(*prior_system(task.decision, len(texts))),
    }
    if bundle.codebook[name].has_terms:
        hits = np.log1p(np.array([task.scorer.counter.matcher.count(text) for text in texts]))
        systems[TERMS] = decide(task.term_rule, hits, hits.any(axis=1))
    return Held(
        task=coded,
        gold=gold,
        groups=dataset.groups,
        folds=np.full(len(texts), -1, dtype=np.int64),
        systems=systems,
        mistakes=find_mistakes(coded, dataset.passages, gold, systems[MODEL], lambda: task.scorer),
        fields=fields,
        review_margin=bundle.settings["review"]["margin"],
        is_block=True,
    )


def _evaluation(
    dataset: Dataset,
    rows: IntArray,
    held: Mapping[str, Held],
    further: Mapping[str, _Further],
    coders: Sequence[CodedPassage],
    *,
    scheme: str,
    notes: Sequence[str],
    settings: Mapping[str, Any],
    seed: int,
    model: str | None = None,
) -> Evaluation:
    passages = [dataset.passages[row] for row in rows]
    events = [dataset.events.of_document[passage.document] for passage in passages]
    agreement = _agreement(dataset, coders)
    tasks = {}
    for name, of_task in held.items():
        result = judge(replace(of_task, agreement=agreement.get(name)))
        evaluable = np.array([label.is_evaluable for label in result.labels], dtype=np.bool_)
        found = further.get(name, _Further())
        curve = draw_curve(dataset, of_task.task, found.points, evaluable, seed=seed)
        tasks[name] = replace(result, curve=curve, leak=found.leak, words=found.words)
    return Evaluation(
        codebook=dataset.codebook,
        tasks=tasks,
        passages=tuple(passages),
        events=tuple(events),
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


def _agreement(dataset: Dataset, coders: Sequence[CodedPassage]) -> dict[str, TaskAgreement]:
    clusters = {passage.id: dataset.events.of_document[passage.document] for passage in dataset.passages}
    ours = [row for row in coders if row.id in clusters]
    return measure_agreement(ours, dataset.codebook, clusters=clusters) if ours else {}


def _can_be_judged(dataset: Dataset, task: Task, plan: Scheme) -> bool:
    """Whether every split has something to learn the task from, and there are events enough to hold out."""
    coded = dataset.gold(task).coded
    if not plan.is_block and n_events_of(dataset, task) < MIN_EVENTS:
        return False
    return bool(plan.splits and coded[plan.rows].any() and all(coded[split.inside].any() for split in plan.splits))
