"""Labelled passages as arrays: gold labels, which cells are known, and the event of every passage."""

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from classify.codebook import Codebook, Task
from classify.data.annotations import LabelledPassage, labelled_passages, read_labels
from classify.data.events import Events, find_events
from classify.data.tables import table_of_frame
from classify.errors import how_many
from classify.measure.arrays import BoolArray, IntArray

NOT_STATED = "not stated"
_OWN_FIELDS = ("document", "event")


@dataclass(frozen=True)
class TaskGold:
    """The labels of one task as arrays of shape (n_passages, n_labels), columns in codebook order.

    `known` is False where a passage was not coded or its coder was unsure: not coded is not "no".
    """

    gold: BoolArray
    known: BoolArray

    def of(self, rows: IntArray | BoolArray) -> "TaskGold":
        """The labels of some rows."""
        return TaskGold(self.gold[rows], self.known[rows])

    @property
    def support(self) -> IntArray:
        """Number of known positives, shape (n_labels,)."""
        return np.asarray((self.gold & self.known).sum(axis=0))

    def events_with(self, groups: IntArray) -> IntArray:
        """Number of events that hold a positive, shape (n_labels,)."""
        positive = self.gold & self.known
        return np.array([len(np.unique(groups[column])) for column in positive.T], dtype=np.int64)

    @property
    def coded(self) -> BoolArray:
        """Passages with any known cell, shape (n_passages,)."""
        return np.asarray(self.known.any(axis=1))


@dataclass(frozen=True, repr=False)
class Dataset:
    """Labelled passages under a codebook, kept in the order of their ids so that row order changes nothing."""

    codebook: Codebook
    passages: tuple[LabelledPassage, ...]
    events: Events

    def __repr__(self) -> str:
        return f"<Dataset {self.codebook.name}: {len(self.passages)} passages, {len(self.event_names)} events>"

    @property
    def texts(self) -> list[str]:
        """The passages' texts, in order."""
        return [passage.text for passage in self.passages]

    @cached_property
    def event_names(self) -> tuple[str, ...]:
        """The distinct events, sorted; `groups` numbers them."""
        return tuple(sorted(set(self.events.of_document.values())))

    @cached_property
    def groups(self) -> IntArray:
        """The number of each passage's event, shape (n_passages,)."""
        number = {name: n for n, name in enumerate(self.event_names)}
        return np.array([number[self.events.of_document[p.document]] for p in self.passages], dtype=np.int64)

    def gold(self, task: Task) -> TaskGold:
        """The task's labels as arrays."""
        return self._golds[task.name]

    @cached_property
    def _golds(self) -> Mapping[str, TaskGold]:
        return {task.name: self._gold(task) for task in self.codebook.tasks}

    def _gold(self, task: Task) -> TaskGold:
        names = task.label_names
        gold = np.zeros((len(self.passages), len(names)), dtype=np.bool_)
        known = np.zeros_like(gold)
        for row, passage in enumerate(self.passages):
            labels, unsure = passage.labels[task.name], passage.unsure.get(task.name, frozenset())
            if labels is None or (unsure and not task.is_multilabel):
                continue
            gold[row] = [name in labels for name in names]
            known[row] = [name not in unsure for name in names]
        return TaskGold(gold & known, known)

    def coded_tasks(self) -> list[Task]:
        """The codebook's tasks for which at least one passage is coded."""
        return [task for task in self.codebook.tasks if self.gold(task).coded.any()]

    def where(self, keep: Callable[[LabelledPassage], bool]) -> "Dataset":
        """The passages for which `keep` is true, their events found again among themselves."""
        return make_dataset([passage for passage in self.passages if keep(passage)], self.codebook)

    @property
    def text_hashes(self) -> list[str]:
        """12 hex digits of each text's SHA-256, case and white space folded, to tell what was trained on."""
        return [hash_text(text) for text in self.texts]

    def values_of(self, field: str) -> list[str]:
        """Each passage's value of a field, such as `origin`, or "not stated"; `year` is that of its `date`."""
        if field in _OWN_FIELDS:
            of_document = self.events.of_document
            return [p.document if field == "document" else of_document[p.document] for p in self.passages]
        if field == "year" and any(passage.extra.get("year") is not None for passage in self.passages):
            return [_stated(passage.extra.get("year")) for passage in self.passages]
        return [field_of(passage, field) for passage in self.passages]

    def counts_of(self, field: str) -> dict[str, int]:
        """How many passages have each value of a further field, by name.

        Composed passages are so never taken for reporting, nor a language model for a person.
        """
        return dict(sorted(Counter(self.values_of(field)).items()))

    @property
    def fields(self) -> list[str]:
        """The fields that any passage has, sorted; with `year` where there is a `date`."""
        found = {key for passage in self.passages for key in passage.extra}
        return sorted({*found, *_OWN_FIELDS, *(["year"] if "date" in found else [])})

    @cached_property
    def sha256(self) -> str:
        """SHA-256 over what is learnt from (ids, texts, documents, events, labels), one JSON line a passage by id."""
        digest = hashlib.sha256()
        for passage in self.passages:
            labels = {name: None if found is None else sorted(found) for name, found in passage.labels.items()}
            unsure = {name: sorted(found) for name, found in passage.unsure.items()}
            facts = [passage.id, passage.text, passage.document, self.events.of_document[passage.document]]
            line = json.dumps([*facts, labels, unsure], sort_keys=True)
            digest.update(line.encode() + b"\n")
        return digest.hexdigest()


def field_of(passage: LabelledPassage, field: str) -> str:
    """A passage's value of a further field, or "not stated"; a `year` that is missing is that of its `date`."""
    value = passage.extra.get(field)
    return _year(passage.extra.get("date")) if field == "year" and value is None else _stated(value)


def _stated(value: object) -> str:
    return NOT_STATED if value is None or value == "" else str(value)


def _year(date: object) -> str:
    found = re.search(r"\b\d{4}\b", str(date))
    return found.group() if found else NOT_STATED


def hash_text(text: str) -> str:
    """12 hex digits of a text's SHA-256, case and white space folded."""
    folded = " ".join(text.split()).casefold()
    return hashlib.sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def sha256_of_texts(texts: Sequence[str]) -> str | None:
    """SHA-256 over texts in order, as hex digits; None without any."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(json.dumps(text).encode() + b"\n")
    return digest.hexdigest() if texts else None


def load_labels(source: str | Path | Iterable[str | Path] | Any, codebook: Codebook) -> Dataset:
    """Read labelled passages from files, folders, or a pandas, polars or Arrow table.

    A folder means the JSONL, CSV and Parquet files in it. Raises DataError with all faults together.
    """
    if isinstance(source, str | Path):
        return make_dataset(read_labels([source], codebook), codebook)
    if hasattr(source, "columns") or hasattr(source, "column_names"):
        return make_dataset(labelled_passages([table_of_frame(source)], codebook), codebook)
    return make_dataset(read_labels(list(source), codebook), codebook)


def make_dataset(passages: Sequence[LabelledPassage], codebook: Codebook) -> Dataset:
    """Labelled passages with their events found."""
    texts: dict[str, list[str]] = defaultdict(list)
    given: dict[str, str] = {}
    for passage in passages:
        texts[passage.document].append(passage.text)
        if passage.event is not None:
            given[passage.document] = passage.event
    ordered = tuple(sorted(passages, key=lambda passage: passage.id))
    return Dataset(codebook, ordered, find_events(texts, given))


def dataset_warnings(dataset: Dataset) -> list[str]:
    """What is no fault but worth a look: unused labels, the same text coded differently, near-duplicates joined."""
    return [
        *_ungrouped(dataset),
        *_without_words(dataset.passages),
        *_unused_labels(dataset),
        *_coded_differently(dataset.passages),
        *_joined_across(dataset.events),
    ]


def _ungrouped(dataset: Dataset) -> list[str]:
    if len(dataset.passages) < 2 or any(p.event or p.document != p.id for p in dataset.passages):
        return []
    return ["no row names its document or event: every passage counts as an event of its own, which flatters the model"]


def _without_words(passages: Sequence[LabelledPassage]) -> list[str]:
    empty = [passage.place for passage in passages if not any(map(str.isalpha, passage.text))]
    return [f"no word in {how_many(len(empty), 'passage')}, the first at {empty[0]}"] if empty else []


def _unused_labels(dataset: Dataset) -> list[str]:
    warnings = []
    for task in dataset.codebook.tasks:
        gold = dataset.gold(task)
        if not gold.coded.any():
            warnings.append(f"{task.name}: no passage is coded; the task is left out")
            continue
        unused = [name for name, n in zip(task.label_names, gold.support, strict=True) if n == 0]
        if unused:
            warnings.append(f"{task.name}: no passage carries {', '.join(unused)}")
    return warnings


def _coded_differently(passages: Sequence[LabelledPassage]) -> list[str]:
    first: dict[tuple[str, str], LabelledPassage] = {}
    warnings = []
    for passage in passages:
        text = " ".join(passage.text.split()).casefold()
        for task, labels in passage.labels.items():
            if labels is None:
                continue
            other = first.setdefault((task, text), passage)
            if other.labels[task] != labels:
                warnings.append(f"{passage.place}: {task}: the same text as {other.place}, coded differently")
    return warnings


def _joined_across(events: Events) -> list[str]:
    return [
        f"documents {pair.first} and {pair.second} share {pair.shared} word 5-grams ({pair.containment:.0%} of the "
        "shorter), which joins events that were given as different; they are treated as one"
        for pair in events.across_given
    ]


def counts_by_label(dataset: Dataset) -> Mapping[str, Mapping[str, tuple[int, int]]]:
    """For each task and label, the number of positives and of events that hold one."""
    counts = {}
    for task in dataset.codebook.tasks:
        gold = dataset.gold(task)
        pairs = zip(gold.support.tolist(), gold.events_with(dataset.groups).tolist(), strict=True)
        counts[task.name] = dict(zip(task.label_names, pairs, strict=True))
    return counts
