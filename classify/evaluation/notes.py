"""What a reader must know before any figure: sentences on events, splits, texts, coders and thresholds."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from classify.codebook import Task
from classify.data.dataset import Dataset
from classify.data.splits import MIN_EVENTS
from classify.errors import how_many
from classify.evaluation.heldout import MODEL
from classify.evaluation.judge import Held
from classify.evaluation.schemes import Scheme
from classify.learn.settings import TrainingSettings
from classify.learn.thresholds import F1, MIN_FOR_F1, PREVALENCE
from classify.learn.training import ruled_labels
from classify.measure.arrays import BoolArray, IntArray
from classify.measure.intervals import MIN_GROUPS

FEW_EVENTS = 10
LARGE_EVENT = 0.3


def n_events_of(dataset: Dataset, task: Task) -> int:
    """Number of events of which at least one passage is coded for the task."""
    return len(np.unique(dataset.groups[dataset.gold(task).coded]))


def notes_on_splits(
    dataset: Dataset, tasks: Sequence[Task], judged: Sequence[Task], plan: Scheme, settings: TrainingSettings
) -> list[str]:
    """What the number of events allows, where that is less than it should be."""
    notes = []
    for task in tasks:
        coded = dataset.gold(task).coded
        n_events = n_events_of(dataset, task)
        if n_events < MIN_EVENTS and not plan.is_block:
            needed = f"none can be held out ({MIN_EVENTS} are needed), so nothing is evaluable"
            notes.append(f"{task.name}: only {how_many(n_events, 'event')}: {needed}.")
        elif task not in judged:
            notes.append(f"{task.name}: nothing coded is left to learn from, or to test on, so nothing is evaluable.")
        elif min(len(np.unique(dataset.groups[_where(coded, split.inside)])) for split in plan.splits) < MIN_EVENTS:
            skipped = ", and the search is skipped" if settings.of(task).search else ""
            notes.append(
                f"{task.name}: too few events to hold any out inside the folds: thresholds and calibration come from "
                f"scores that the model has seen{skipped}."
            )
    return notes


def _where(coded: BoolArray, rows: IntArray) -> IntArray:
    return rows[coded[rows]]


def notes_on_passages(dataset: Dataset, rows: IntArray) -> list[str]:
    """The sentences that come first, because they decide how much the rest is worth; `rows` are held out."""
    n_events, n_passages = len(np.unique(dataset.groups[rows])), len(rows)
    largest = int(np.bincount(dataset.groups[rows]).max())
    notes = []
    if n_events < FEW_EVENTS and len(dataset.event_names) >= MIN_EVENTS:
        wide = "intervals are wide" if n_events >= MIN_GROUPS else f"too few for intervals ({MIN_GROUPS} are needed)"
        notes.append(f"Only {how_many(n_events, 'independent event')} to judge by: {wide}.")
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


def notes_on_unlabelled(texts: Sequence[str], tasks: Sequence[Task], settings: TrainingSettings) -> list[str]:
    """Of which tasks every fold learnt from text without labels, or that none did though there is some."""
    names = [task.name for task in tasks if settings.of(task).uses_unlabelled]
    if not texts or not tasks:
        return []
    if not names:
        return [f"No fold learnt from the {how_many(len(texts), 'unlabelled text')}: lsa_weight is 0."]
    source = "where they come from the documents judged here, that flatters a little"
    return [f"{', '.join(names)}: every fold also learnt from {how_many(len(texts), 'unlabelled text')}: {source}."]


def notes_on_search(tasks: Sequence[Task], settings: TrainingSettings) -> list[str]:
    """What a search has no part in, where there is one."""
    names = [task.name for task in tasks if settings.of(task).search]
    without = "a learning curve and a check for topic leaks take the settings as they are before the search"
    return [f"{', '.join(names)}: {without}."] if names else []


def notes_on_rare(dataset: Dataset, tasks: Sequence[Task], plan: Scheme, settings: TrainingSettings) -> list[str]:
    """Which labels have too few positives to learn from in some fold, so that their terms alone give them there."""
    notes = []
    where = "with fewer than {} passages to learn from" + (" in at least one fold" if len(plan.splits) > 1 else "")
    for task in tasks:
        gold, chosen = dataset.gold(task), settings.of(task)
        ruled = np.any([ruled_labels(task, gold.of(split.inside), chosen) for split in plan.splits], axis=0)
        if ruled.any():
            names = ", ".join(task.label_names[n] for n in np.flatnonzero(ruled))
            told = where.format(chosen.rule_below)
            notes.append(f"{task.name}: {names}: given by the codebook's terms alone, {told}.")
    return notes


def least_support(dataset: Dataset, task: Task, plan: Scheme) -> IntArray:
    """Positives of each label in that split which learns from the fewest."""
    gold = dataset.gold(task)
    return np.asarray(np.min([gold.of(split.inside).support for split in plan.splits], axis=0))


def notes_on_rules(held: Mapping[str, Held], support: Mapping[str, IntArray]) -> list[str]:
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
