"""Files of predictions to columns: what was tagged, how surely, and where and when each passage stood."""

import json
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from classify.data.documents import expand
from classify.data.tables import TABLE_SUFFIXES, Row, stream_table
from classify.errors import DataError, Fault, UsageError, data_error
from classify.measure.arrays import BoolArray, FloatArray, IntArray

SOURCE, MONTH, YEAR, DATE = "source", "month", "year", "date"
SOURCE_FIELDS = ("source", "outlet", "publisher", "publication", "newspaper")
"""Fields that say who published a passage; the first one that a row fills counts."""
NONE = "none"
"""In the place of a label: a passage that carries none of a task's labels. No label may be called so."""
NOT_NAMED = "not named"
"""In the place of a bundle's id."""
SEPARATOR = "|"
PREDICTED, PROBABILITY = "predicted:", "p:"
_MISSING = -1
_MONTH = re.compile(r"(\d{4}-(?:0[1-9]|1[0-2]))(?:-(?:0[1-9]|[12]\d|3[01]))?(?:[T ].*)?")
_N_EXAMPLES = 3

Layout = dict[str, tuple[str, ...]]
"""The tasks of a file of predictions, and each one's labels in order."""


@dataclass(frozen=True)
class TaggedTask:
    """What one task gave all passages; both arrays have shape (n_passages, n_labels)."""

    name: str
    labels: tuple[str, ...]
    is_multilabel: bool
    given: BoolArray
    probabilities: np.typing.NDArray[np.float32]

    @cached_property
    def answers(self) -> tuple[str, ...]:
        """The labels, and for a multilabel task `none`: every passage has one of these at least."""
        return (*self.labels, NONE) if self.is_multilabel else self.labels

    def has(self, answer: int) -> BoolArray:
        """Which passages have this answer, shape (n_passages,)."""
        return np.asarray(self.given[:, answer] if answer < len(self.labels) else ~self.given.any(axis=1))

    def sureness(self, answer: int) -> FloatArray:
        """How surely each passage has this answer, in [0, 1], shape (n_passages,): `none` by its likeliest label."""
        p = self.probabilities
        return np.asarray(p[:, answer] if answer < len(self.labels) else 1 - p.max(axis=1), dtype=np.float64)


@dataclass(frozen=True)
class Column:
    """A field of all passages: `values[codes[i]]` is that of passage i, code -1 says that it has none."""

    name: str
    values: tuple[str, ...]
    codes: IntArray

    @property
    def counts(self) -> IntArray:
        """How many passages have each value, shape (n_values,)."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.values))

    @property
    def n_missing(self) -> int:
        """How many passages have no value."""
        return int((self.codes == _MISSING).sum())

    def ordered(self, order: Sequence[int]) -> "Column":
        """The same with its values in another order."""
        to = np.empty(len(order) + 1, dtype=np.int64)
        to[list(order)], to[-1] = np.arange(len(order)), _MISSING
        return Column(self.name, tuple(self.values[code] for code in order), to[self.codes])


@dataclass(frozen=True)
class Tags:
    """Predictions of one codebook in columns; passages in the order of files and rows.

    `fields` are the source, the month and those asked for, without those that no passage has. `review` holds reasons
    joined by `|`. `errors` and `unread_dates` are counts of what was found; `columns` are the rows' own keys.
    """

    tasks: dict[str, TaggedTask]
    fields: dict[str, Column]
    review: Column
    model: Column
    files: dict[str, int]
    columns: tuple[str, ...]
    errors: Counter[str]
    unread_dates: Counter[str]
    n_repeated_ids: int
    n_repeated_texts: int
    left_out: tuple[str, ...]

    @property
    def n_passages(self) -> int:
        """How many passages carry predictions."""
        return len(self.model.codes)

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """Every reason for review that any passage has, the commonest first."""
        n: Counter[str] = Counter()
        for joined, count in zip(self.review.values, self.review.counts.tolist(), strict=True):
            n.update(dict.fromkeys(joined.split(SEPARATOR), count))
        return tuple(sorted(n, key=lambda reason: (-n[reason], reason)))

    def needs_review(self, reason: str | None = None) -> BoolArray:
        """Which passages are to be reviewed for this reason, or for any, shape (n_passages,)."""
        applies = [reason is None or reason in joined.split(SEPARATOR) for joined in self.review.values]
        return np.array([*applies, False])[self.review.codes]


def read_tags(paths: Iterable[str | Path], *, by: Sequence[str] = ()) -> Tags:
    """Read files of predictions, or folders of them, in one pass; `by` names further fields to count by.

    Raises DataError with every row that has neither a prediction nor an error, and for predictions of other tasks or
    labels than the first ones; UsageError for a field that no row has and where there is no prediction at all.
    """
    return tags_of(prediction_rows(paths), by=by, files=prediction_files(paths))


def prediction_files(paths: Iterable[str | Path]) -> list[Path]:
    """The files that are meant, folders opened."""
    return expand(paths, TABLE_SUFFIXES)


def prediction_rows(paths: Iterable[str | Path]) -> Iterator[tuple[str, int, Row]]:
    """The rows of all files with file and number."""
    for path in prediction_files(paths):
        for number, row in stream_table(path):
            yield str(path), number, row


def tags_of(rows: Iterable[tuple[str, int, Row]], *, by: Sequence[str] = (), files: Iterable[Path] = ()) -> Tags:
    """The columns of rows with their file and number; `files` are those to be named even if no row is theirs."""
    collector = _Collector((*dict.fromkeys(by),), dict.fromkeys(map(str, files), 0))
    for path, number, row in rows:
        collector.add(path, number, row)
    return collector.finish()


def is_error(row: Row) -> bool:
    """Whether a row says why it has no prediction."""
    return bool(row.get("error")) and not any(row.get(name) for name in row if name.startswith("predicted"))


def month_of(row: Row) -> str | None:
    """The month of a row's date as 2025-07, None where that can't be told."""
    found = _MONTH.fullmatch(str(row.get(DATE)).strip())
    return found[1] if found else None


def own_columns(columns: Iterable[str]) -> list[str]:
    """The names that no prediction gave."""
    ours = {"predicted", "probabilities", "review", "model"}
    return [name for name in columns if name not in ours and not name.startswith((PREDICTED, PROBABILITY))]


def flat_prediction(row: Row) -> Row:
    """The prediction of a row in columns `predicted:<task>`, `p:<task>:<label>`, `review`, `model`."""
    if not isinstance(row.get("probabilities"), dict):
        kept = {name: value for name, value in row.items() if name.startswith((PREDICTED, PROBABILITY))}
        return {**kept, "review": row.get("review"), "model": row.get("model")}
    predicted, p = row["predicted"], row["probabilities"]
    return {
        **{f"{PREDICTED}{task}": SEPARATOR.join(_names(found)) or NONE for task, found in predicted.items()},
        **{f"{PROBABILITY}{task}:{label}": value for task, of in p.items() for label, value in of.items()},
        "review": SEPARATOR.join(_names(row.get("review"))),
        "model": row.get("model"),
    }


def text_of(value: Any) -> str:
    """A cell as text; nothing for what is missing."""
    if value is None or value != value:  # noqa: PLR0124  # nan is a table's way to say missing
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str).strip('"')


def _names(found: Any) -> list[str]:
    """Labels or reasons as a list, in whatever form they stand."""
    if isinstance(found, str):
        return [name for name in found.split(SEPARATOR) if name and name != NONE]
    return list(found or ())


def _layout(row: Row) -> Layout | None:
    """The tasks and labels of a row's prediction, None where it has none."""
    if isinstance(row.get("probabilities"), dict) and isinstance(row.get("predicted"), dict):
        return {task: tuple(of) for task, of in row["probabilities"].items() if isinstance(of, dict)} or None
    found: dict[str, list[str]] = {}
    for name in row:
        if name.startswith(PROBABILITY) and name.count(":") > 1:
            _, task, label = name.split(":", 2)
            found.setdefault(task, []).append(label)
    return {task: tuple(labels) for task, labels in found.items()} or None


@dataclass
class _Coder:
    """Values to codes, in order of appearance."""

    code: dict[str, int] = field(default_factory=dict)
    codes: "array[int]" = field(default_factory=lambda: array("i"))

    def add(self, value: str) -> None:
        self.codes.append(self.code.setdefault(value, len(self.code)) if value else _MISSING)

    def column(self, name: str, *, newest_first: bool = False) -> Column:
        """The column, the commonest value first, or the last in the alphabet: the newest month."""
        column = Column(name, tuple(self.code), np.array(self.codes, dtype=np.int64))
        n, values = column.counts, column.values
        if newest_first:
            return column.ordered(sorted(range(len(values)), key=values.__getitem__, reverse=True))
        return column.ordered(sorted(range(len(values)), key=lambda code: (-n[code], values[code])))


class _Collector:
    """Takes in row after row and keeps numbers, not texts."""

    def __init__(self, by: tuple[str, ...], files: dict[str, int]) -> None:
        self.by = tuple(name for name in by if name not in (SOURCE, MONTH))
        self.files, self.columns = files, dict[str, None]()
        self.faults: list[Fault] = []
        self.layout: Layout = {}
        self.place = ""
        self.codes: dict[str, dict[str, int]] = {}
        self.given: dict[str, bytearray] = {}
        self.p: dict[str, array[float]] = {}
        self.lists: set[str] = set()
        self.fields = {name: _Coder() for name in (SOURCE, MONTH, *self.by)}
        self.review, self.model = _Coder(), _Coder()
        self.ids, self.texts = array("q"), array("q")
        self.errors, self.unread = Counter[str](), Counter[str]()

    def add(self, path: str, number: int, row: Row) -> None:
        self.columns.update(dict.fromkeys(row))
        self.files[path] = self.files.get(path, 0) + 1
        if is_error(row):
            self.errors[text_of(row["error"])[:200]] += 1
            return
        try:
            self._add_prediction(path, number, row)
        except (KeyError, TypeError, ValueError, AttributeError):
            expected = "expected the predictions that classify predict writes, or an error"
            self.faults.append(Fault(path, number, None, f"no whole prediction; {expected}"))
            return
        self._add_fields(row)

    def finish(self) -> Tags:
        if self.faults:
            raise DataError(self.faults)
        if not self.layout:
            what = "; every row carries an error" if self.errors else ""
            raise UsageError(f"no prediction in {', '.join(self.files)}{what}; make some with classify predict")
        fields = {name: coder.column(name, newest_first=name in (MONTH, YEAR)) for name, coder in self.fields.items()}
        if missing := [name for name in self.by if not fields[name].values]:
            known = ", ".join(own_columns(self.columns))
            raise UsageError(f"--by {missing[0]}: no passage has such a field; the rows have {known}")
        return Tags(
            tasks={name: self._task(name) for name in self.layout},
            fields={name: column for name, column in fields.items() if column.values},
            review=self.review.column("review"),
            model=self.model.column("model"),
            files=self.files,
            columns=tuple(self.columns),
            errors=self.errors,
            unread_dates=self.unread,
            n_repeated_ids=_n_repeated(self.ids),
            n_repeated_texts=_n_repeated(self.texts),
            left_out=tuple(name for name in (SOURCE, MONTH) if not fields[name].values),
        )

    def _add_prediction(self, path: str, number: int, row: Row) -> None:
        layout = _layout(row)
        if layout is None:
            raise ValueError
        if layout != self.layout:
            self._check_layout(layout, path, number)
        is_nested = isinstance(row.get("probabilities"), dict)
        found = []
        for task, labels in self.layout.items():
            given = row["predicted"][task] if is_nested else row[f"{PREDICTED}{task}"]
            if is_nested:
                p = [float(row["probabilities"][task][label]) for label in labels]
            else:
                p = [float(row[f"{PROBABILITY}{task}:{label}"]) for label in labels]
            if (not given and not isinstance(given, list)) or not all(0 <= value <= 1 for value in p):
                raise ValueError
            found.append((task, [self.codes[task][name] for name in _names(given)], p))
            if isinstance(given, list):
                self.lists.add(task)
        for task, codes, p in found:
            row_given = bytearray(len(p))
            for code in codes:
                row_given[code] = 1
            self.given[task] += row_given
            self.p[task].extend(p)
        self.review.add(SEPARATOR.join(_names(row.get("review"))))
        self.model.add(text_of(row.get("model")) or NOT_NAMED)

    def _check_layout(self, layout: Layout, path: str, number: int) -> None:
        """Take the first row's tasks and labels for all; the order of later ones doesn't matter."""
        if not self.layout:
            self.layout, self.place = layout, f"{path}:{number}"
            self.codes = {task: {label: code for code, label in enumerate(labels)} for task, labels in layout.items()}
            self.given = {task: bytearray() for task in layout}
            self.p = {task: array("f") for task in layout}
        for task in dict.fromkeys((*self.layout, *layout)):
            before, now = self.layout.get(task, ()), layout.get(task, ())
            if set(before) != set(now):
                odd = sorted(set(before) ^ set(now))
                where = self.place if odd[0] in before else f"{path}:{number}"
                message = f"the tasks or labels differ from those of {self.place}: {odd[0]!r} stands in {where} alone"
                raise data_error(
                    path, f"{message}; report the predictions of one codebook at a time", row=number, field=task
                )

    def _add_fields(self, row: Row) -> None:
        month = month_of(row)
        date = text_of(row.get(DATE))
        if date and not month:
            self.unread[date[:40]] += 1
        source = next((value for name in SOURCE_FIELDS if (value := text_of(row.get(name)))), "")
        for name, coder in self.fields.items():
            if name == SOURCE:
                coder.add(source)
            elif name == MONTH:
                coder.add(month or "")
            elif name == YEAR and not text_of(row.get(YEAR)):
                coder.add((month or "")[:4])
            else:
                coder.add(text_of(row.get(name)))
        if row.get("id") is not None:
            self.ids.append(hash(str(row["id"])))
        if row.get("text"):
            self.texts.append(hash(row["text"]))

    def _task(self, name: str) -> TaggedTask:
        labels = self.layout[name]
        given = np.frombuffer(self.given[name], dtype=np.bool_).reshape(-1, len(labels))
        p = np.frombuffer(self.p[name], dtype=np.float32).reshape(-1, len(labels))
        # a table doesn't say which kind a task is: exactly one label each, and probabilities that sum to one
        is_one = (given.sum(axis=1) == 1).all() and np.abs(p.sum(axis=1) - 1).max() < 0.001
        return TaggedTask(name, labels, name in self.lists or not is_one, given, p)


def _n_repeated(hashes: "array[int]") -> int:
    found = np.array(hashes, dtype=np.int64)
    return len(found) - len(np.unique(found))
