"""Labelled passages to a finished evaluation: of the way of training, or of one bundle on other passages."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np

from classify.bundle import Bundle
from classify.codebook import Task
from classify.data.annotations import CodedPassage
from classify.data.dataset import Dataset
from classify.data.splits import MIN_EVENTS
from classify.errors import UsageError, did_you_mean
from classify.evaluation.agreement import measure_agreement
from classify.evaluation.crossval import Predicted, decide, jobs_of, join_parts, prior_system, systems_for
from classify.evaluation.curve import Point, curve_jobs, draw_curve
from classify.evaluation.judge import Held, judge
from classify.evaluation.mistakes import find_mistakes
from classify.evaluation.results import MODEL, PRIOR, TERMS, Evaluation, TaskAgreement
from classify.evaluation.schemes import EVENT_FOLDS, SCHEMES, Scheme, field_values, held_out_part, over_events
from classify.evaluation.work import Job, OnStep, run_jobs
from classify.learn.settings import TrainingSettings
from classify.learn.thresholds import F1, MIN_FOR_F1, PREVALENCE, parse_threshold_rule
from classify.learn.training import versions
from classify.measure.arrays import BoolArray, IntArray
from classify.measure.intervals import MIN_GROUPS
from classify.scorer.linear import TaskScorer

FEW_EVENTS = 10
LARGE_EVENT = 0.3


def evaluate(
    dataset: Dataset,
    *,
    settings: TrainingSettings | None = None,
    coders: Sequence[CodedPassage] = (),
    scheme: str = EVENT_FOLDS,
    holdout: tuple[str, str] | None = None,
    by: Sequence[str] = (),
    on_step: OnStep = lambda done, total: None,
) -> Evaluation:
    """Judge a way of training by nested cross-validation over events.

    Every passage is predicted by a model that has seen nothing of its event. `scheme` is "event-folds" or
    "leave-one-event-out"; `holdout`, a field and a value, tests on the passages that have it instead and learns from
    the rest. `by` names fields (`origin`, `year`, …) by whose values the results are broken down. Under 4 events no
    folds are made: every label is "not evaluable". `coders` gives the coders' own agreement beside each label;
    `on_step` hears of work done and in all. Raises UsageError if no passage is coded, or none has such a field or
    value.
    """
    settings = settings or TrainingSettings()
    tasks = dataset.coded_tasks()
    if not tasks:
        raise UsageError("no passage is coded for any task; label some passages first")
    if scheme not in SCHEMES:
        raise UsageError(f"unknown scheme {scheme!r}; {did_you_mean(scheme, SCHEMES)}")
    fields = {field: field_values(dataset, field) for field in by}
    plan = held_out_part(dataset, *holdout) if holdout else over_events(dataset, scheme=scheme, seed=settings.seed)
    judged = [task for task in tasks if _can_be_judged(dataset, task, plan)]
    if not judged:
        plan = Scheme("nothing was held out", ())
    rows = plan.rows if judged else np.arange(len(dataset.passages))
    found, curves = _predict(dataset, judged, settings, plan, on_step)
    held = {
        task.name: Held(
            task=task,
            gold=dataset.gold(task).of(rows),
            groups=dataset.groups[rows],
            folds=plan.folds if judged else np.full(len(rows), -1, dtype=np.int64),
            systems=found[task.name][0] if task.name in found else {},
            mistakes=found[task.name][1] if task.name in found else (),
            fields={field: [values[row] for row in rows] for field, values in fields.items()},
            rule=parse_threshold_rule(settings.of(task).thresholds) if task.is_multilabel else None,
            review_margin=settings.review.margin,
            is_block=plan.is_block,
        )
        for task in tasks
    }
    return _evaluation(
        dataset,
        rows,
        held,
        curves,
        coders,
        scheme=plan.description,
        notes=[
            *_notes_on_splits(dataset, tasks, judged, plan),
            *plan.notes,
            *_notes(dataset, rows),
            *_notes_on_rules(held, {task.name: _least_support(dataset, task, plan) for task in judged}),
        ],
        settings=asdict(settings),
        seed=settings.seed,
    )


def _predict(
    dataset: Dataset, tasks: Sequence[Task], settings: TrainingSettings, plan: Scheme, on_step: OnStep
) -> tuple[dict[str, Predicted], dict[str, Sequence[Point]]]:
    """All the learning there is to do, as one list of jobs: for each task every system, and the learning curve."""
    systems = {task.name: systems_for(dataset, task, settings.of(task), seed=settings.seed) for task in tasks}
    of_curve = plan if plan.is_block else over_events(dataset, scheme=EVENT_FOLDS, seed=settings.seed)
    curves = {
        task.name: curve_jobs(dataset, task, settings.of(task), of_curve.splits, seed=settings.seed) for task in tasks
    }
    jobs: list[Job[Any]] = []
    for task in tasks:
        jobs += [*jobs_of(systems[task.name], plan.splits), *curves[task.name]]
    results = iter(run_jobs(jobs, on_step))
    found: dict[str, Predicted] = {}
    points: dict[str, Sequence[Point]] = {}
    for task in tasks:
        of_task = systems[task.name]
        parts = [next(results) for _ in range(len(of_task) * len(plan.splits))]
        found[task.name] = join_parts(of_task, plan.splits, parts)
        points[task.name] = [next(results) for _ in curves[task.name]]
    return found, points


def evaluate_bundle(
    bundle: Bundle, dataset: Dataset, *, coders: Sequence[CodedPassage] = (), by: Sequence[str] = ()
) -> Evaluation:
    """Judge a bundle on labelled passages that it was not trained on, broken down by fields if `by` names any.

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
    fields = {field: field_values(dataset, field) for field in by}
    texts, rows = dataset.texts, np.arange(len(dataset.passages))
    held = {}
    for name, task in bundle.tasks.items():
        gold = dataset.gold(dataset.codebook[name])
        if not gold.coded.any():
            continue
        hits = np.log1p(np.array([task.scorer.matcher.count(text) for text in texts]))
        systems = {
            MODEL: decide(task.decision, *task.scorer.score(texts)),
            PRIOR: decide(*prior_system(task.decision, len(texts))),
        }
        if bundle.codebook[name].has_terms:
            systems[TERMS] = decide(task.term_rule, hits, hits.any(axis=1))
        coded = dataset.codebook[name]
        held[name] = Held(
            task=coded,
            gold=gold,
            groups=dataset.groups,
            folds=np.full(len(texts), -1, dtype=np.int64),
            systems=systems,
            mistakes=find_mistakes(coded, dataset.passages, gold, systems[MODEL], partial(_same, task.scorer)),
            fields=fields,
            review_margin=bundle.settings["review"]["margin"],
            is_block=True,
        )
    if not held:
        raise UsageError("no passage is coded for any of the bundle's tasks; expected labelled passages")
    seen = set(bundle.data["text_hashes"])
    n_seen = sum(found in seen for found in dataset.text_hashes)
    notes = _notes(dataset, rows)
    if n_seen:
        count = f"{n_seen} of {len(texts)} passages are among those the bundle was trained on"
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


def _evaluation(
    dataset: Dataset,
    rows: IntArray,
    held: Mapping[str, Held],
    curves: Mapping[str, Sequence[Point]],
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
        curve = draw_curve(dataset, of_task.task, curves.get(name, ()), evaluable, seed=seed)
        tasks[name] = replace(result, curve=curve)
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


def _same(scorer: TaskScorer) -> TaskScorer:
    return scorer


def _agreement(dataset: Dataset, coders: Sequence[CodedPassage]) -> dict[str, TaskAgreement]:
    clusters = {passage.id: dataset.events.of_document[passage.document] for passage in dataset.passages}
    ours = [row for row in coders if row.id in clusters]
    return measure_agreement(ours, dataset.codebook, clusters=clusters) if ours else {}


def _n_events(dataset: Dataset, task: Task) -> int:
    """Number of events of which at least one passage is coded for the task."""
    return len(np.unique(dataset.groups[dataset.gold(task).coded]))


def _can_be_judged(dataset: Dataset, task: Task, plan: Scheme) -> bool:
    """Whether every split has something to learn the task from, and there are events enough to hold out."""
    coded = dataset.gold(task).coded
    if not plan.is_block and _n_events(dataset, task) < MIN_EVENTS:
        return False
    return bool(plan.splits and coded[plan.rows].any() and all(coded[split.inside].any() for split in plan.splits))


def _notes_on_splits(dataset: Dataset, tasks: Sequence[Task], judged: Sequence[Task], plan: Scheme) -> list[str]:
    """What the number of events allows, where that is less than it should be."""
    notes = []
    for task in tasks:
        coded = dataset.gold(task).coded
        n_events = _n_events(dataset, task)
        if n_events < MIN_EVENTS and not plan.is_block:
            needed = f"none can be held out ({MIN_EVENTS} are needed), so nothing is evaluable"
            notes.append(f"{task.name}: only {_count(n_events, 'event')}: {needed}.")
        elif task not in judged:
            notes.append(f"{task.name}: nothing coded is left to learn from, or to test on, so nothing is evaluable.")
        elif min(len(np.unique(dataset.groups[_where(coded, split.inside)])) for split in plan.splits) < MIN_EVENTS:
            notes.append(
                f"{task.name}: too few events to hold any out inside the folds: thresholds and calibration come from "
                "scores that the model has seen."
            )
    return notes


def _where(coded: BoolArray, rows: IntArray) -> IntArray:
    return rows[coded[rows]]


def _notes(dataset: Dataset, rows: IntArray) -> list[str]:
    """The sentences that come first, because they decide how much the rest is worth; `rows` are held out."""
    n_events, n_passages = len(np.unique(dataset.groups[rows])), len(rows)
    largest = int(np.bincount(dataset.groups[rows]).max())
    notes = []
    if n_events < FEW_EVENTS and len(dataset.event_names) >= MIN_EVENTS:
        wide = "intervals are wide" if n_events >= MIN_GROUPS else f"too few for intervals ({MIN_GROUPS} are needed)"
        notes.append(f"Only {_count(n_events, 'independent event')} to judge by: {wide}.")
    if n_events >= MIN_EVENTS and largest > LARGE_EVENT * n_passages:
        notes.append(f"One event holds {largest} of {n_passages} passages: results lean on it.")
    origins, coders = (Counter(np.array(dataset.values_of(field))[rows].tolist()) for field in ("origin", "coder"))
    if origins["composed"]:
        notes.append(
            f"{origins['composed']} of {n_passages} passages were composed for training and are no reporting; their "
            "figures say little about real text."
        )
    if (n_machine := sum(n for coder, n in coders.items() if "language model" in coder)) > 0:
        notes.append(f"{n_machine} of {n_passages} passages were coded by language models, not by people.")
    return notes


def _least_support(dataset: Dataset, task: Task, plan: Scheme) -> IntArray:
    """Positives of each label in that split which learns from the fewest."""
    gold = dataset.gold(task)
    return np.asarray(np.min([gold.of(split.inside).support for split in plan.splits], axis=0))


def _notes_on_rules(held: Mapping[str, Held], support: Mapping[str, IntArray]) -> list[str]:
    """For which labels a threshold rule other than prevalence can't be kept; `support` is the least learnt from."""
    notes = []
    for name, of_task in held.items():
        model, rule = of_task.systems.get(MODEL), of_task.rule
        if rule is None or rule.name == PREVALENCE or model is None or model.thresholds is None:
            continue
        if rule.name == F1:
            fall_back = support[name] < MIN_FOR_F1
            told = f"have fewer than {MIN_FOR_F1} positives to learn from, so their thresholds match their prevalence"
        else:
            fall_back = np.asarray(np.isposinf(model.thresholds).any(axis=0))
            told = "can't be assured that precision in every fold, and are not given there at all"
        labels = [of_task.task.label_names[n] for n in np.flatnonzero(fall_back)]
        if labels:
            notes.append(f"{name}, thresholds by {rule}: {', '.join(labels)} {told}.")
    return notes


def _count(n: int, thing: str) -> str:
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"
