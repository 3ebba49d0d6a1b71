"""Read a codebook: the questions asked of every passage and the labels that answer them."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from classify.errors import DataError, Fault, did_you_mean, how_many
from classify.files import read_toml
from classify.notebook import block, bold, paragraph, table

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
RESERVED = frozenset("id text document event labels unsure coder predicted probabilities review model".split())
_TERMS_SHOWN = 5
_TERM = re.compile(r"[^\w*]*\w+\*?(?:[^\w*]+\w+\*?)*[^\w*]*")


def is_term(text: str) -> bool:
    """Whether the text is a run of words that can be looked for, `*` only at the end of a word."""
    return bool(_TERM.fullmatch(text))


class TaskKind(StrEnum):
    """How many labels a passage carries: any number, or exactly one."""

    MULTILABEL = "multilabel"
    MULTICLASS = "multiclass"


@dataclass(frozen=True)
class Label:
    """One answer to a task's question, with what a coder and the term matcher need to know of it."""

    name: str
    definition: str = ""
    exclude: str = ""
    terms: tuple[str, ...] = ()
    not_terms: tuple[str, ...] = ()
    example: str = ""
    near_miss: str = ""


@dataclass(frozen=True, repr=False)
class Task:
    """One question with its labels; the order of the labels is the order of columns everywhere."""

    name: str
    kind: TaskKind
    labels: tuple[Label, ...]
    question: str = ""
    at_least_one: bool = False

    def __repr__(self) -> str:
        return f"<Task {self.name} ({self.kind}): {', '.join(self.label_names)}>"

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels' names, in codebook order."""
        return tuple(label.name for label in self.labels)

    @property
    def is_multilabel(self) -> bool:
        """Whether a passage may carry any number of the labels."""
        return self.kind is TaskKind.MULTILABEL

    @property
    def has_terms(self) -> bool:
        """Whether any label lists terms that speak for it."""
        return any(label.terms for label in self.labels)


@dataclass(frozen=True, repr=False)
class Codebook:
    """A named, versioned set of tasks. Everything the toolkit does follows from it."""

    name: str
    tasks: tuple[Task, ...]
    version: str = ""
    _by_name: Mapping[str, Task] = field(init=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {task.name: task for task in self.tasks})

    def __getitem__(self, task: str) -> Task:
        if task not in self._by_name:
            raise KeyError(f"no task {task!r} in codebook {self.name}; {did_you_mean(str(task), self.task_names)}")
        return self._by_name[task]

    def __repr__(self) -> str:
        tasks = ", ".join(f"{task.name} ({task.kind}, {how_many(len(task.labels), 'label')})" for task in self.tasks)
        return f"<Codebook {self._title}: {tasks}>"

    def _repr_html_(self) -> str:
        parts: list[object] = [paragraph(bold(f"Codebook {self._title}"))]
        for task in self.tasks:
            rows = [(bold(label.name), label.definition, _first_terms(label)) for label in task.labels]
            kind = "any number of labels" if task.is_multilabel else "exactly one label"
            parts += [
                paragraph(bold(task.name) + f" ({kind}) {task.question}"),
                table(["label", "definition", "terms"], rows),
            ]
        return str(block(parts))

    @property
    def _title(self) -> str:
        return f"{self.name} {self.version}".strip()

    @property
    def task_names(self) -> tuple[str, ...]:
        """The tasks' names, in codebook order."""
        return tuple(task.name for task in self.tasks)

    @property
    def sha256(self) -> str:
        """SHA-256 of the content: comments and layout of the file do not change it."""
        canonical = json.dumps(self.to_dict(), ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Plain data with every key present, as a bundle's manifest holds it; `parse_codebook` reads it back."""
        tasks = {}
        for task in self.tasks:
            labels = {label.name: {k: v for k, v in asdict(label).items() if k != "name"} for label in task.labels}
            tasks[task.name] = {
                "kind": task.kind.value,
                "at_least_one": task.at_least_one,
                "question": task.question,
                "labels": labels,
            }
        return {"name": self.name, "version": self.version, "tasks": tasks}


def _first_terms(label: Label) -> str:
    more = len(label.terms) - _TERMS_SHOWN
    return ", ".join(label.terms[:_TERMS_SHOWN]) + (f" … and {more} more" if more > 0 else "")


def load_codebook(path: str | Path) -> Codebook:
    """Read a codebook from a TOML file.

    Raises DataError with every fault of the file: unreadable or broken TOML, unknown keys (the nearest known one is
    suggested), bad names, a kind that is none, a multiclass task with fewer than two labels, terms that match nothing.
    """
    return parse_codebook(read_toml(path, expected="a codebook (TOML); name one with --codebook"), source=str(path))


def parse_codebook(content: Mapping[str, Any], *, source: str = "codebook") -> Codebook:
    """Turn parsed TOML or a manifest's codebook into a Codebook; raises DataError, naming `source`."""
    reader = _Reader(source)
    codebook = reader.codebook(content)
    if reader.faults:
        raise DataError(reader.faults)
    return codebook


class _Reader:
    """Collects every fault on the way, so that one run shows them all."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.faults: list[Fault] = []

    def fault(self, place: str, message: str) -> None:
        self.faults.append(Fault(self.source, None, place, message))

    def codebook(self, content: Mapping[str, Any]) -> Codebook:
        self._refuse_unknown("", content, ("name", "version", "tasks"))
        name = self._text(content, "name", "", required=True)
        if name:
            self._check_name("name", name)
        tables = content.get("tasks")
        if not isinstance(tables, Mapping) or not tables:
            self.fault("tasks", 'missing; expected at least one task, such as [tasks.theme] with kind = "multilabel"')
            tables = {}
        tasks = tuple(self.task(task_name, table) for task_name, table in tables.items())
        return Codebook(name=name, version=self._text(content, "version", ""), tasks=tasks)

    def task(self, name: str, table: object) -> Task:
        place = f"tasks.{name}"
        self._check_name(place, name)
        if not isinstance(table, Mapping):
            self.fault(place, f"found {_kind_of(table)}; expected a table with kind and labels")
            table = {}
        self._refuse_unknown(place, table, ("kind", "at_least_one", "question", "labels"))
        kind = self._task_kind(place, table)
        labels = self._labels(place, table.get("labels"))
        if kind is TaskKind.MULTICLASS and len(labels) == 1:
            self.fault(place, "a multiclass task with one label; expected two labels or more to choose between")
        at_least_one = table.get("at_least_one", False)
        if not isinstance(at_least_one, bool):
            self.fault(f"{place}.at_least_one", f"found {at_least_one!r}; expected true or false")
        return Task(name, kind, labels, self._text(table, "question", place), at_least_one is True)

    def _task_kind(self, place: str, table: Mapping[str, Any]) -> TaskKind:
        kinds = [kind.value for kind in TaskKind]
        found = table.get("kind")
        if found in kinds:
            return TaskKind(found)
        what = "missing" if found is None else f"unknown kind {found!r}"
        hint = did_you_mean(str(found or ""), kinds)
        self.fault(
            f"{place}.kind", f"{what}; {hint} (multilabel: any number of labels a passage; multiclass: exactly one)"
        )
        return TaskKind.MULTILABEL

    def _labels(self, place: str, found: object) -> tuple[Label, ...]:
        if isinstance(found, list) and all(isinstance(name, str) for name in found):
            for name in dict.fromkeys(name for name in found if found.count(name) > 1):
                self.fault(f"{place}.labels", f"label {name!r} is listed twice; keep one")
            found = {name: {} for name in found}
        if not isinstance(found, Mapping) or not found:
            self.fault(f"{place}.labels", f"missing or empty; expected labels, such as [{place}.labels.my_label]")
            return ()
        return tuple(self.label(f"{place}.labels.{name}", name, table) for name, table in found.items())

    def label(self, place: str, name: str, table: object) -> Label:
        if not name or name != name.strip() or "|" in name or name.casefold() == "none":
            self.fault(place, f"bad label name {name!r}; expected text without '|' or outer spaces, and not 'none'")
        if not isinstance(table, Mapping):
            self.fault(place, f"found {_kind_of(table)}; expected a table, which may be empty")
            table = {}
        texts = ("definition", "exclude", "example", "near_miss")
        self._refuse_unknown(place, table, (*texts, "terms", "not_terms"))
        return Label(
            name,
            **{key: self._text(table, key, place) for key in texts},
            terms=self._terms(table, "terms", place),
            not_terms=self._terms(table, "not_terms", place),
        )

    def _terms(self, table: Mapping[str, Any], key: str, place: str) -> tuple[str, ...]:
        terms = table.get(key, [])
        if not isinstance(terms, list | tuple) or not all(isinstance(term, str) for term in terms):
            self.fault(f"{place}.{key}", f"found {_kind_of(terms)}; expected a list of words or phrases")
            return ()
        for term in terms:
            if not is_term(term):
                self.fault(f"{place}.{key}", f"bad term {term!r}; expected words, where only the end of one may be '*'")
        return tuple(terms)

    def _text(self, table: Mapping[str, Any], key: str, place: str, *, required: bool = False) -> str:
        value = table.get(key)
        where = f"{place}.{key}" if place else key
        if isinstance(value, str) and (value or not required):
            return value
        if value is not None:
            self.fault(where, f"found {_kind_of(value)}; expected text in quotation marks")
        elif required:
            self.fault(where, "missing; expected text in quotation marks")
        return ""

    def _check_name(self, place: str, name: str) -> None:
        if name in RESERVED and place != "name":
            self.fault(place, f"the name {name!r} is taken by a column of the labels files; choose another")
        elif not NAME.fullmatch(name):
            self.fault(
                place, f"bad name {name!r}; expected lower-case letters, digits, '-' or '_', such as 'my-codebook'"
            )

    def _refuse_unknown(self, place: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                self.fault(f"{place}.{key}" if place else key, f"unknown key; {did_you_mean(key, known)}")


def _kind_of(value: object) -> str:
    names = {str: "text", bool: "true/false", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return "nothing" if value in (None, "") else names.get(type(value), type(value).__name__)
