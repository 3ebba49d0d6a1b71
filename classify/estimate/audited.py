"""An audit sample to its place among the predictions, and to scores of passages that the model had not learnt from."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from classify.bundle import Bundle
from classify.codebook import Codebook, Task
from classify.data.annotations import fault_at
from classify.data.dataset import Dataset
from classify.data.predictions import NOT_NAMED, is_error
from classify.data.tables import Row, table_of_frame
from classify.data.tags import Tags
from classify.errors import DataError, UsageError, data_error, did_you_mean, how_many
from classify.evaluation.saved import SavedEvaluation
from classify.measure.arrays import BoolArray, FloatArray, IntArray

_SAME = "the audit sample must come from the corpus that was predicted"
Numbered = tuple[str, int, Row]
"""A row with its file and number."""


def is_table(predictions: Any) -> bool:
    """Whether these are predictions in a pandas, polars or Arrow table, and not the names of files."""
    return hasattr(predictions, "columns") or hasattr(predictions, "column_names")


def rows_of_table(frame: Any) -> Iterator[Numbered]:
    """The rows of a table, numbered."""
    table = table_of_frame(frame)
    for number, row in zip(table.numbers, table.rows, strict=True):
        yield table.path, number, row


def as_predictions(rows: Iterable[Numbered], codebook: Codebook, scores: Mapping[str, str]) -> Iterator[Numbered]:
    """Rows with another tagger's scores in place of predictions; `scores` names the column of each label.

    A label counts as given from .5 on. Raises UsageError for a label that is none of the codebook's, DataError for a
    row without a score in [0, 1].
    """
    columns: dict[str, dict[str, str]] = {}
    for label, column in scores.items():
        task = next((task for task in codebook.tasks if label in task.label_names), None)
        if task is None:
            known = [name for task in codebook.tasks for name in task.label_names]
            raise UsageError(f"{label!r}: no such label in the codebook; {did_you_mean(label, known)}")
        columns.setdefault(task.name, {})[label] = column
    for path, number, row in rows:
        p = {
            task: {label: _score(row, column, path, number) for label, column in of_task.items()}
            for task, of_task in columns.items()
        }
        given = {task: [label for label, score in of_task.items() if score >= 0.5] for task, of_task in p.items()}
        yield path, number, {**row, "predicted": given, "probabilities": p, "review": [], "model": None}


def _score(row: Row, column: str, path: str, number: int) -> float:
    try:
        score = float(row[column])
    except (KeyError, TypeError, ValueError):
        score = math.nan
    if not 0 <= score <= 1:
        raise data_error(path, f"found {row.get(column)!r}; expected a score in [0, 1]", row=number, field=column)
    return score


def texts_learnt(tags: Tags, bundle: Bundle | None) -> frozenset[str]:
    """Hashes of the texts that the bundle of the predictions learnt from; none where no bundle made them.

    Raises UsageError where the bundle isn't the one that predicted.
    """
    ids = set(tags.model.values) - {NOT_NAMED}
    if not ids:
        return frozenset()
    if bundle is None or ids != {bundle.id}:
        other = f", but the bundle is {bundle.id}" if bundle else ""
        raise UsageError(
            f"predictions are by {', '.join(sorted(ids))}{other}: whether it has learnt from audited passages can't be "
            "known; name the bundle that predicted, or predict again"
        )
    return frozenset(bundle.data["text_hashes"])


def find_audited(rows: Iterable[Numbered], audit: Dataset, found: dict[str, int]) -> Iterator[Numbered]:
    """Pass predictions on, and note in `found` which of them, counted from 0, has the id of each audited passage."""
    wanted, n = {passage.id for passage in audit.passages}, 0
    for path, number, row in rows:
        yield path, number, row
        if not is_error(row):
            if (name := str(row.get("id"))) in wanted:
                if name in found:
                    raise data_error(path, f"{name!r} stands twice; expected one prediction a passage", row=number)
                found[name] = n
            n += 1


def rows_of(audit: Dataset, found: Mapping[str, int]) -> IntArray:
    """The passage of the corpus that each audited one is, shape (n_audited,); raises DataError for those it lacks."""
    missing = [passage for passage in audit.passages if passage.id not in found]
    if missing:
        raise DataError(
            [fault_at(one.place, "id", f"{one.id!r} is none of the predictions; {_SAME}") for one in missing]
        )
    return np.array([found[passage.id] for passage in audit.passages], dtype=np.int64)


def held_out_scores(audit: Dataset, learnt: Collection[str], saved: SavedEvaluation | None) -> dict[str, FloatArray]:
    """For each task probabilities of the audited passages that were learnt from, nan for the others.

    `learnt` are hashes of the texts that the model learnt from (`hash_text`); the probabilities are those of an
    evaluation that held the passages out. Raises UsageError where it has none for them.
    """
    seen = np.array([text in learnt for text in audit.text_hashes], dtype=np.bool_)
    if not seen.any():
        return {}
    if saved is None:
        n = how_many(int(seen.sum()), "audited passage")
        raise UsageError(f"the model has learnt from {n}; name an evaluation that held them out with --held-out")
    if saved.is_of_bundle:
        raise UsageError(f"{saved.folder}: an evaluation of a bundle, which held nothing out; name one without --model")
    return {task.name: _held_out(audit, task, seen, saved) for task in audit.coded_tasks()}


def _held_out(audit: Dataset, task: Task, seen: BoolArray, saved: SavedEvaluation) -> FloatArray:
    of_task = saved.tasks.get(task.name)
    if of_task is None or of_task.labels != task.label_names:
        raise UsageError(f"{saved.folder}: holds no task {task.name} with the codebook's labels; evaluate again")
    row_of = {name: row for row, name in enumerate(of_task.ids)}
    found = np.full((len(seen), len(task.labels)), np.nan)
    for row in np.flatnonzero(seen):
        name = audit.passages[row].id
        if name not in row_of:
            raise UsageError(f"{saved.folder} held no passage {name!r} out, from which the model has learnt")
        found[row] = of_task.probabilities[row_of[name]]
    return found
