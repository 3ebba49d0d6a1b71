"""Predictions in columns to the counts of a corpus: how often each label was given, where, when and beside which."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from classify.data.predictions import MONTH, SOURCE, SOURCE_FIELDS, Column, TaggedTask, Tags
from classify.errors import how_many
from classify.measure.arrays import IntArray

CAUTION = "Machine-tagged, not a measured share: counting tags has no honest interval without an audit sample."
REVIEW = "review"
ANY_REASON = "any reason"
TAGGED = "tagged"


@dataclass(frozen=True)
class CountTable:
    """Passages counted two ways at once.

    `n`, of shape (n_rows, n_columns), counts passages of the row that belong to the column too, `total`, of shape
    (n_rows,), those of the row. Columns may overlap, as the labels of a multilabel task do.
    """

    row_axis: str
    column_axis: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    n: IntArray
    total: IntArray

    @property
    def name(self) -> str:
        """What is counted by what, such as `theme by source`."""
        return f"{self.column_axis} by {self.row_axis}"

    def row_dicts(self) -> Iterator[dict[str, object]]:
        """A row a number, as `counts.csv` holds it; its table says that machines did the tagging."""
        table = f"{self.name} (machine-tagged)"
        for row, counts, total in zip(self.rows, self.n.tolist(), self.total.tolist(), strict=True):
            for column, n in zip(self.columns, counts, strict=True):
                yield {"table": table, "row": row, "column": column, "n": n, "total": total}


@dataclass(frozen=True)
class Corpus:
    """The counts of tagged passages.

    `overall` and `review` hold one table a task: every answer against all passages, and against the reasons for review.
    `by_field` holds one for each field and task, `pairs` one for each two tasks, `together` one for each multilabel
    task: which labels stand in one passage. `notes` say what must be known before the numbers are read.
    """

    n_passages: int
    overall: dict[str, CountTable]
    review: dict[str, CountTable]
    by_field: dict[tuple[str, str], CountTable]
    pairs: dict[tuple[str, str], CountTable]
    together: dict[str, CountTable]
    notes: tuple[str, ...]

    @property
    def tables(self) -> list[CountTable]:
        """Every table, in the order of the page."""
        groups = (self.overall, self.by_field, self.pairs, self.together, self.review)
        return [table for group in groups for table in group.values()]


def count_corpus(tags: Tags) -> Corpus:
    """Count every answer of every task: in all, by field, by the answers of other tasks, and by what needs review."""
    tasks = tags.tasks
    return Corpus(
        n_passages=tags.n_passages,
        overall={name: _overall(task, tags.n_passages) for name, task in tasks.items()},
        review={name: _review(task, tags) for name, task in tasks.items()},
        by_field={
            (field, name): _by_field(column, task)
            for field, column in tags.fields.items()
            for name, task in tasks.items()
        },
        pairs={(a, b): _crossed(tasks[a], tasks[b]) for a, b in combinations(tasks, 2)},
        together={name: _together(task) for name, task in tasks.items() if task.is_multilabel},
        notes=tuple(_notes(tags)),
    )


def _overall(task: TaggedTask, n_passages: int) -> CountTable:
    n = np.array([[task.has(answer).sum()] for answer in range(len(task.answers))])
    return CountTable(task.name, TAGGED, task.answers, (TAGGED,), n, np.full(len(n), n_passages))


def _review(task: TaggedTask, tags: Tags) -> CountTable:
    needing = [tags.needs_review(), *(tags.needs_review(reason) for reason in tags.reasons)]
    has = [task.has(answer) for answer in range(len(task.answers))]
    n = np.array([[(row & column).sum() for column in needing] for row in has])
    total = np.array([row.sum() for row in has])
    return CountTable(task.name, REVIEW, task.answers, (ANY_REASON, *tags.reasons), n, total)


def _by_field(column: Column, task: TaggedTask) -> CountTable:
    of_answers = [
        Column("", column.values, column.codes[task.has(answer)]).counts for answer in range(len(task.answers))
    ]
    return CountTable(column.name, task.name, column.values, task.answers, np.stack(of_answers, axis=1), column.counts)


def _crossed(rows: TaggedTask, columns: TaggedTask) -> CountTable:
    of_columns = [columns.has(answer) for answer in range(len(columns.answers))]
    n, total = [], []
    for answer in range(len(rows.answers)):
        has = rows.has(answer)
        n.append([(has & column).sum() for column in of_columns])
        total.append(has.sum())
    return CountTable(rows.name, columns.name, rows.answers, columns.answers, np.array(n), np.array(total))


def _together(task: TaggedTask) -> CountTable:
    total = task.given.sum(axis=0)
    n = np.stack([task.given[task.given[:, label]].sum(axis=0) for label in range(len(task.labels))])
    return CountTable(task.name, task.name, task.labels, task.labels, n, total)


def _notes(tags: Tags) -> Iterator[str]:
    if len(tags.model.values) > 1:
        counts = zip(tags.model.values, tags.model.counts.tolist(), strict=True)
        of = ", ".join(f"{model} ({how_many(n, 'passage')})" for model, n in counts)
        yield (
            f"Predictions of {len(tags.model.values)} bundles: {of}. A difference between sources or months may be one "
            "between bundles."
        )
    if tags.errors:
        of = "; ".join(f"{error} ({n})" for error, n in tags.errors.most_common(3))
        yield f"{how_many(tags.errors.total(), 'row')} with an error instead of a prediction, counted nowhere: {of}."
    if empty := [path for path, n in tags.files.items() if not n]:
        yield f"Files without a row: {', '.join(empty[:5])}{' and others' if len(empty) > 5 else ''}."
    if tags.n_repeated_ids:
        yield f"{how_many(tags.n_repeated_ids, 'passage')} with an id that stands before; each is counted again."
    if tags.n_repeated_texts:
        yield (
            f"{how_many(tags.n_repeated_texts, 'passage')} with a text that stands before, word for word (copies, such "
            "as agency reports, or boilerplate); each is counted again."
        )
    yield from _notes_on_fields(tags)


def _notes_on_fields(tags: Tags) -> Iterator[str]:
    if SOURCE in tags.left_out:
        yield f"Nothing by source: no row has a field {' or '.join(SOURCE_FIELDS)}."
    unread = tags.unread_dates
    if unread:
        examples = ", ".join(f"{date!r}" for date, _ in unread.most_common(3))
        yield (
            f"{how_many(unread.total(), 'passage')} with a date that names no month as 2025-07 or 2025-07-27 do, left "
            f"out of the counts by month: {examples}{' and others' if len(unread) > 3 else ''}."
        )
    if MONTH in tags.left_out and not unread:
        yield "Nothing by month: no row has a date."
    for name, column in tags.fields.items():
        missing = column.n_missing - (unread.total() if name == MONTH else 0)
        if missing:
            what = "date" if name == MONTH else name
            yield f"{how_many(missing, 'passage')} without a {what}, left out of the counts by {name}."
