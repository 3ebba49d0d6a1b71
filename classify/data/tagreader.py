"""Files of predictions to columns, in one pass that keeps numbers and no texts."""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from classify.data.predictions import (
    DATE,
    MONTH,
    NOT_NAMED,
    SEPARATOR,
    SOURCE,
    TEXT,
    YEAR,
    Answer,
    Layout,
    answer_of,
    field_of,
    is_error,
    layout_of,
    month_of,
    names_of,
    own_columns,
    prediction_files,
    prediction_rows,
    text_of,
)
from classify.data.tables import Row
from classify.data.tags import MISSING, Column, TaggedTask, Tags
from classify.errors import DataError, Fault, UsageError, data_error


def read_tags(paths: Iterable[str | Path], *, by: Sequence[str] = (), text_field: str = TEXT) -> Tags:
    """Read files of predictions, or folders of them, in one pass; `by` names further fields to count by.

    Raises DataError with every row that has neither a prediction nor an error, and for predictions of other tasks or
    labels than the first ones; UsageError for a field that no row has and where there is no prediction at all.
    """
    return tags_of(prediction_rows(paths, text_field=text_field), by=by, files=prediction_files(paths))


def tags_of(rows: Iterable[tuple[str, int, Row]], *, by: Sequence[str] = (), files: Iterable[Path] = ()) -> Tags:
    """The columns of rows with their file and number; `files` are those to be named even if no row is theirs."""
    collector = _Collector((*dict.fromkeys(by),), dict.fromkeys(map(str, files), 0))
    for path, number, row in rows:
        collector.add(path, number, row)
    return collector.finish()


@dataclass
class _Coder:
    """Values to codes, in order of appearance."""

    code: dict[str, int] = field(default_factory=dict)
    codes: "array[int]" = field(default_factory=lambda: array("i"))

    def add(self, value: str) -> None:
        self.codes.append(self.code.setdefault(value, len(self.code)) if value else MISSING)

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
            answers = self._read(path, number, row)
        except (KeyError, TypeError, ValueError, AttributeError):
            expected = "expected the predictions that classify predict writes, or an error"
            self.faults.append(Fault(path, number, None, f"no whole prediction; {expected}"))
            return
        self._add_prediction(row, answers)
        self._add_fields(row)

    def finish(self) -> Tags:
        if self.faults:
            raise DataError(self._told_once())
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

    def _told_once(self) -> list[Fault]:
        """The faults, those of a file that holds no prediction at all as one."""
        faulty = Counter(fault.path for fault in self.faults)
        whole = {path: n for path, n in faulty.items() if n == self.files[path] and n > 1}
        faults = [
            Fault(path, None, None, f"none of its {n} rows holds a prediction; expected what classify predict writes")
            for path, n in whole.items()
        ]
        return faults + [fault for fault in self.faults if fault.path not in whole]

    def _read(self, path: str, number: int, row: Row) -> dict[str, tuple[Answer, list[int]]]:
        """Every task's answer with the numbers of the labels given; raises if the prediction is not whole."""
        layout = layout_of(row)
        if layout is None:
            raise ValueError("no probabilities")
        if layout != self.layout:
            self._check_layout(layout, path, number)
        answers = {task: answer_of(row, task, labels) for task, labels in self.layout.items()}
        return {task: (found, [self.codes[task][name] for name in found.given]) for task, found in answers.items()}

    def _add_prediction(self, row: Row, answers: dict[str, tuple[Answer, list[int]]]) -> None:
        for task, (found, codes) in answers.items():
            given = bytearray(len(found.probabilities))
            for code in codes:
                given[code] = 1
            self.given[task] += given
            self.p[task].extend(found.probabilities)
            if found.is_list:
                self.lists.add(task)
        self.review.add(SEPARATOR.join(names_of(row.get("review"))))
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
        date = text_of(row.get(DATE))
        if date and not month_of(row):
            self.unread[date[:40]] += 1
        for name, coder in self.fields.items():
            coder.add(field_of(row, name))
        for hashes, key in ((self.ids, "id"), (self.texts, TEXT)):
            if value := text_of(row.get(key)):
                hashes.append(hash(value))

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
