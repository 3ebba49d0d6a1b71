"""An audit sample to its place among the predictions, and to scores of passages that the model had not learnt from."""

from collections.abc import Collection, Iterable, Iterator, Mapping

import numpy as np

from classify.codebook import Task
from classify.data.annotations import fault_at
from classify.data.dataset import Dataset
from classify.data.predictions import is_error
from classify.data.tables import Row
from classify.errors import DataError, UsageError, data_error, how_many
from classify.evaluation.saved import SavedEvaluation
from classify.measure.arrays import BoolArray, FloatArray, IntArray

_SAME = "the audit sample must come from the corpus that was predicted"
Numbered = tuple[str, int, Row]
"""A row with its file and number."""


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
    return {task.name: _held_out(audit, task, seen, saved) for task in audit.coded_tasks() if task.name in saved.tasks}


def _held_out(audit: Dataset, task: Task, seen: BoolArray, saved: SavedEvaluation) -> FloatArray:
    of_task = saved.tasks[task.name]
    row_of = {name: row for row, name in enumerate(of_task.ids)}
    columns = [of_task.labels.index(label) for label in task.label_names]
    found = np.full((len(seen), len(columns)), np.nan)
    for row in np.flatnonzero(seen):
        name = audit.passages[row].id
        if name not in row_of:
            raise UsageError(f"{saved.folder} held no passage {name!r} out, from which the model has learnt")
        found[row] = of_task.probabilities[row_of[name], columns]
    return found
