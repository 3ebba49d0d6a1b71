"""Read hand-labelled rows and coders' sheets, checked against the codebook: all faults of a file together."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from classify.codebook import Codebook, Task
from classify.data.documents import expand
from classify.data.tables import TABLE_SUFFIXES, Row, Table, read_table
from classify.errors import DataError, Fault, did_you_mean

NONE = "none"
SEPARATOR = "|"
_OTHER_SEPARATORS = re.compile(r"[;,&/+]|\band\b")
Labels = Mapping[str, frozenset[str] | None]
"""For each task the labels given; None where the task was not coded, which is not the same as no label."""


@dataclass(frozen=True)
class LabelledPassage:
    """One row of a labels file. `unsure` cells count neither way; `extra` holds every other key, carried through."""

    id: str
    text: str
    document: str
    event: str | None
    labels: Labels
    unsure: Mapping[str, frozenset[str]]
    extra: Mapping[str, Any] = field(default_factory=dict)
    place: str = ""


@dataclass(frozen=True)
class CodedPassage:
    """What one coder gave one passage, before adjudication; `unsure` cells count neither way."""

    id: str
    coder: str
    labels: Labels
    unsure: Mapping[str, frozenset[str]] = field(default_factory=dict)
    text: str | None = None
    document: str | None = None
    event: str | None = None
    place: str = ""

    @property
    def cluster(self) -> str | None:
        """The event, or else the document."""
        return self.event or self.document


def read_labels(paths: Iterable[str | Path], codebook: Codebook) -> list[LabelledPassage]:
    """Labelled passages of all files (a folder means the tables in it), in order.

    Raises DataError with all faults of all files: broken rows, missing `text`, unknown tasks and labels, wrong
    types, duplicate ids, a document with two events.
    """
    faults: list[Fault] = []
    return labelled_passages(_tables(paths, faults), codebook, faults)


def labelled_passages(
    tables: Iterable[Table], codebook: Codebook, faults: list[Fault] | None = None
) -> list[LabelledPassage]:
    """Labelled passages of tables already read; raises DataError as `read_labels`, after any `faults` found before."""
    reader = _Reader(codebook)
    passages = [passage for table in tables for passage in reader.passages(table)]
    reader.faults[:0] = faults or []
    reader.faults.extend(_duplicate_ids(passages))
    reader.faults.extend(_documents_with_two_events(passages))
    if reader.faults:
        raise DataError(reader.faults)
    return passages


def read_coders(paths: Iterable[str | Path], codebook: Codebook) -> list[CodedPassage]:
    """Every coder's own labels; the coder is the row's `coder`, or else the file's name without its suffix."""
    reader = _Reader(codebook)
    coded: list[CodedPassage] = []
    for table in _tables(paths, reader.faults):
        coded.extend(reader.coded(table))
    reader.faults.extend(_coded_twice(coded))
    if reader.faults:
        raise DataError(reader.faults)
    return coded


def _tables(paths: Iterable[str | Path], faults: list[Fault]) -> Iterator[Table]:
    distinct = {path.resolve(): path for path in expand(paths, TABLE_SUFFIXES)}  # a folder, and a file in it
    for path in distinct.values():
        try:
            yield read_table(path)
        except DataError as error:
            faults.extend(error.faults)


class _Reader:
    def __init__(self, codebook: Codebook) -> None:
        self.codebook = codebook
        self.faults: list[Fault] = []

    def passages(self, table: Table) -> Iterator[LabelledPassage]:
        if not self._has_columns(table, "text"):
            return
        for row, number in zip(table.rows, table.numbers, strict=True):
            place = f"{table.path}:{number}"
            text = row.get("text")
            if not isinstance(text, str):
                self._fault(table, number, "text", f"found {_show(text)}; expected the passage as text")
                text = ""
            labels = self._labels(table, number, row)
            identity = self._text(table, number, row, "id") or place
            yield LabelledPassage(
                id=identity,
                text=text,
                document=self._text(table, number, row, "document") or identity,
                event=self._text(table, number, row, "event"),
                labels=labels,
                unsure=self._unsure(table, number, row),
                extra={key: value for key, value in row.items() if key not in self._own_keys(table)},
                place=place,
            )

    def coded(self, table: Table) -> Iterator[CodedPassage]:
        if not self._has_columns(table, "id"):
            return
        name = Path(table.path).name
        fallback = next((name.removesuffix(suffix) for suffix in TABLE_SUFFIXES if name.endswith(suffix)), name)
        for row, number in zip(table.rows, table.numbers, strict=True):
            identity = self._text(table, number, row, "id")
            if not identity:
                self._fault(table, number, "id", "missing; expected the id of the coded passage")
                continue
            text = row.get("text")
            yield CodedPassage(
                id=identity,
                coder=self._text(table, number, row, "coder") or fallback,
                labels=self._labels(table, number, row),
                unsure=self._unsure(table, number, row),
                text=text if isinstance(text, str) else None,
                document=self._text(table, number, row, "document"),
                event=self._text(table, number, row, "event"),
                place=f"{table.path}:{number}",
            )

    def _has_labels_column(self, table: Table) -> bool:
        """Whether labels stand together under `labels`, as in JSONL, and not in a column a task."""
        return table.format == "jsonl" or ("labels" in table.columns and not self._task_columns(table))

    def _task_columns(self, table: Table) -> list[str]:
        return [name for name in self.codebook.task_names if name in table.columns]

    def _own_keys(self, table: Table) -> set[str]:
        own = {"id", "text", "document", "event", "labels", "unsure"}
        if self._has_labels_column(table):
            return own
        names = self.codebook.task_names
        return own - {"unsure", "labels"} | set(names) | {f"unsure:{name}" for name in names}

    def _has_columns(self, table: Table, required: str) -> bool:
        """Whether the table can be read row by row; adds a fault for every column that is missing or misspelt."""
        columns, names = table.columns, self.codebook.task_names
        if not table.rows:
            self.faults.append(Fault(table.path, None, None, "no rows; expected at least one labelled passage"))
            return False
        missing = {} if required in columns else {required: f"found {', '.join(columns[:8])}"}
        if table.format == "jsonl" and "labels" not in columns:
            missing["labels"] = f"found {', '.join(columns[:8])}"
        elif not self._has_labels_column(table):
            if not self._task_columns(table):
                missing[" or ".join(names)] = f"found {', '.join(columns[:8])}"
            strangers = [column for column in columns if column not in names]
            for name in [name for name in names if name not in columns]:
                same = [column for column in strangers if column.strip().casefold() == name]
                if near := same or get_close_matches(name, strangers, n=1, cutoff=0.8):
                    missing[name] = f"is {near[0]!r} meant? rename it"
        self.faults.extend(Fault(table.path, None, name, f"no such column; {hint}") for name, hint in missing.items())
        return not missing

    def _labels(self, table: Table, number: int, row: Row) -> Labels:
        is_nested = self._has_labels_column(table)
        given: Mapping[str, Any] = row
        if is_nested:
            given = self._task_table(table, number, "labels", row.get("labels"))
        labels = {}
        for task in self.codebook.tasks:
            value = given.get(task.name)
            if isinstance(value, str) and not is_nested:
                value = _parse_cell(value)
            labels[task.name] = self._of_task(table, number, task, value)
        return labels

    def _unsure(self, table: Table, number: int, row: Row) -> dict[str, frozenset[str]]:
        """The `unsure` object, or in a sheet with a column a task the columns `unsure:<task>`."""
        given: Mapping[str, Any] = {}
        if self._has_labels_column(table):
            if row.get("unsure") not in (None, ""):
                given = self._task_table(table, number, "unsure", row["unsure"])
        else:
            cells = {name: row.get(f"unsure:{name}") for name in self.codebook.task_names}
            given = {name: _parse_cell(cell) if isinstance(cell, str) else cell for name, cell in cells.items()}
        return {
            task.name: found
            for task in self.codebook.tasks
            if (found := self._names(table, number, task, given.get(task.name))) is not None
        }

    def _task_table(self, table: Table, number: int, key: str, value: object) -> Mapping[str, Any]:
        """`labels` or `unsure` as {task: …}; a codebook with one task may leave its name away."""
        names = self.codebook.task_names
        if isinstance(value, list | str) and len(names) == 1:
            return {names[0]: value}
        if not isinstance(value, Mapping):
            expected = f'expected an object with the codebook\'s tasks, such as {{"{names[0]}": …}}'
            self._fault(table, number, key, f"found {_show(value)}; {expected}")
            return {}
        for name in value:
            if name not in names:
                self._fault(table, number, key, f"unknown task {name!r}; {did_you_mean(name, names)}")
        return value

    def _of_task(self, table: Table, number: int, task: Task, value: object) -> frozenset[str] | None:
        found = self._names(table, number, task, value)
        if found is None or (task.is_multilabel and (found or not task.at_least_one)):
            return found
        if task.is_multilabel:
            self._fault(table, number, task.name, "coded with no label, but the codebook says at_least_one; give one")
        elif len(found) != 1:
            given = ", ".join(sorted(found)) or "none"
            self._fault(table, number, task.name, f"found {given}; expected exactly one label (a multiclass task)")
        return found

    def _names(self, table: Table, number: int, task: Task, value: object) -> frozenset[str] | None:
        if value is None:
            return None
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list | tuple) or not all(isinstance(name, str) for name in listed):
            expected = "a list of labels" if task.is_multilabel else "one label as text"
            self._fault(table, number, task.name, f"found {_show(value)}; expected {expected}, or null if not coded")
            return None
        for name in listed:
            if name not in task.label_names and name.casefold() == NONE:
                alone = "is a cell of a sheet; expected []" if task.is_multilabel else "is no label; expected one"
                message = "can't stand beside a label" if len(listed) > 1 else alone
                self._fault(table, number, task.name, f"'none' {message}")
            elif name not in task.label_names:
                self._fault(table, number, task.name, f"unknown label {name!r}; {_hint(name, task)}")
        return frozenset(listed)

    def _text(self, table: Table, number: int, row: Row, key: str) -> str | None:
        value = row.get(key)
        if value is None or value == "":
            return None
        if isinstance(value, str):
            return value
        self._fault(table, number, key, f"found {_show(value)}; expected text")
        return None

    def _fault(self, table: Table, number: int, name: str, message: str) -> None:
        self.faults.append(Fault(table.path, number, name, message))


def _hint(name: str, task: Task) -> str:
    parts = [part.strip() for part in _OTHER_SEPARATORS.split(name)]
    if len(parts) > 1 and set(parts) <= set(task.label_names):
        return f"join labels by '|': {SEPARATOR.join(parts)}"
    return did_you_mean(name, task.label_names)


def _parse_cell(cell: str) -> list[str] | None:
    """Labels of a CSV cell: joined by `|`; empty = not coded; `none` = coded, and none applies."""
    names = [name.strip() for name in cell.split(SEPARATOR) if name.strip()]
    if not names:
        return None
    return [] if [name.casefold() for name in names] == [NONE] else names


def join_labels(labels: Iterable[str] | None) -> str:
    """Labels as a CSV cell, the reverse of what reading does.

    >>> join_labels(None), join_labels([]), join_labels(["a", "b"])
    ('', 'none', 'a|b')
    """
    return "" if labels is None else SEPARATOR.join(labels) or NONE


def fault_at(place: str, name: str, message: str) -> Fault:
    """A fault of a field at a place, `<file>:<row>` or a file alone."""
    path, _, row = place.rpartition(":")
    return Fault(path, int(row), name, message)


def _duplicate_ids(passages: Sequence[LabelledPassage]) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for passage in passages:
        place = first.setdefault(passage.id, passage.place)
        if place != passage.place:
            message = f"duplicate id {passage.id!r}, first at {place}; give every row its own"
            yield fault_at(passage.place, "id", message)


def _coded_twice(coded: Sequence[CodedPassage]) -> Iterator[Fault]:
    first: dict[tuple[str, str], str] = {}
    for row in coded:
        place = first.setdefault((row.coder, row.id), row.place)
        if place != row.place:
            hint = "keep one row, or tell coders apart by a column coder or by their files' names"
            message = f"coder {row.coder!r} coded {row.id!r} already at {place}; {hint}"
            yield fault_at(row.place, "id", message)


def _documents_with_two_events(passages: Sequence[LabelledPassage]) -> Iterator[Fault]:
    first: dict[str, tuple[str, str]] = {}
    told = set()
    for passage in passages:
        if passage.event is None:
            continue
        event, place = first.setdefault(passage.document, (passage.event, passage.place))
        if event != passage.event and passage.document not in told:
            told.add(passage.document)
            message = f"document {passage.document!r} has event {passage.event!r} here and {event!r} at {place}"
            yield fault_at(passage.place, "event", f"{message}; a document reports one event")


def _show(value: object) -> str:
    return "nothing" if value is None else f"{value!r:.40}"
