"""Predictions of a corpus and the audit sample drawn from it, joined by the ids of passages."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from classify.bundle import Bundle
from classify.data.annotations import fault_at
from classify.data.auditsample import inclusion_probabilities
from classify.data.dataset import Dataset
from classify.data.predictions import Numbered, is_error, prediction_files, prediction_rows
from classify.data.tables import table_of_frame
from classify.data.tagreader import tags_of
from classify.data.tags import Tags
from classify.errors import DataError, data_error
from classify.estimate.learnt import held_out_scores, texts_learnt
from classify.estimate.othertagger import as_predictions
from classify.evaluation.saved import read_evaluation
from classify.measure.arrays import FloatArray, IntArray

_SAME = "the audit sample must come from the corpus that was predicted"
_CHANGED = "has another text among the predictions; predict the corpus that the sample was drawn from, or draw again"


@dataclass(frozen=True)
class Audited:
    """What a corpus was tagged with, and a sample of it that was coded by hand.

    `rows`, shape (n_audited,), says which passage of `tags` each of the audit's is. `held_out` gives for a task
    probabilities to be taken for them in place of the corpus's, shape (n_audited, n_labels), nan where none is needed.
    """

    tags: Tags
    audit: Dataset
    rows: IntArray
    held_out: Mapping[str, FloatArray] = field(default_factory=dict)


def read_audited(
    predictions: Any,
    audit: Dataset,
    *,
    by: Sequence[str] = (),
    bundle: Bundle | None = None,
    held_out: str | Path | None = None,
    scores: Mapping[str, str] | None = None,
) -> Audited:
    """Read the predictions once, row by row, and find the audited passages among them.

    The arguments and the errors are those of `estimate_shares`; `by` names any number of fields.
    """
    _check_coded(audit)
    inclusion_probabilities(audit.passages)  # without probabilities there is nothing to read a whole corpus for
    places: dict[str, int] = {}
    changed: set[str] = set()
    is_frame = _is_table(predictions)
    rows = _rows_of_table(predictions) if is_frame else prediction_rows(predictions)
    if scores:
        rows = as_predictions(rows, audit.codebook, scores)
    files = () if is_frame else prediction_files(predictions)
    tags = tags_of(_find_audited(rows, audit, places, changed), by=by, files=files)
    _check_texts(audit, changed)
    learnt = texts_learnt(tags, bundle)
    saved = read_evaluation(held_out) if held_out else None
    return Audited(tags, audit, _rows_of(audit, places), held_out_scores(audit, learnt, saved))


def _check_coded(audit: Dataset) -> None:
    """Raise DataError for a sheet that nobody has coded yet: of all that may be missing, the first to be said."""
    if audit.coded_tasks():
        return
    files = dict.fromkeys(passage.place.rpartition(":")[0] for passage in audit.passages)
    tasks = " and ".join(audit.codebook.task_names)
    message = f"no row is coded yet; expected labels in {tasks}; code it from the top, as far as you like"
    raise data_error(next(iter(files), "audit"), message)


def _is_table(predictions: Any) -> bool:
    """Whether these are predictions in a pandas, polars or Arrow table, and not the names of files."""
    return hasattr(predictions, "columns") or hasattr(predictions, "column_names")


def _rows_of_table(frame: Any) -> Iterator[Numbered]:
    table = table_of_frame(frame)
    for number, row in zip(table.numbers, table.rows, strict=True):
        yield table.path, number, row


def _find_audited(
    rows: Iterable[Numbered], audit: Dataset, found: dict[str, int], changed: set[str]
) -> Iterator[Numbered]:
    """Pass predictions on, and note which of them, counted from 0, has the id of each audited passage.

    `changed` gets the ids of those whose text isn't the one that was coded.
    """
    text_of, n = {passage.id: passage.text for passage in audit.passages}, 0
    for path, number, row in rows:
        yield path, number, row
        if not is_error(row):
            if (name := str(row.get("id"))) in text_of:
                if name in found:
                    raise data_error(path, f"{name!r} stands twice; expected one prediction a passage", row=number)
                found[name] = n
                if isinstance(row.get("text"), str) and _letters(row["text"]) != _letters(text_of[name]):
                    changed.add(name)
            n += 1


def _letters(text: str) -> str:
    """What a spreadsheet leaves of a text: neither white space nor quotation marks are safe in one."""
    return re.sub(r"\W+", "", text).casefold()


def _check_texts(audit: Dataset, changed: Collection[str]) -> None:
    """Raise DataError where ids have come to name other passages since the sample was drawn."""
    faults = [fault_at(one.place, "text", f"{one.id!r} {_CHANGED}") for one in audit.passages if one.id in changed]
    if faults:
        raise DataError(sorted(faults, key=lambda fault: fault.position))


def _rows_of(audit: Dataset, found: Mapping[str, int]) -> IntArray:
    """The passage of the corpus that each audited one is, shape (n_audited,); raises DataError for those it lacks."""
    missing = [passage for passage in audit.passages if passage.id not in found]
    if missing and len(missing) == len(audit.passages):
        first = min((fault_at(one.place, "id", "") for one in missing), key=lambda fault: fault.position)
        example = next(one.id for one in missing if one.place == f"{first.path}:{first.row}")
        message = f"none of its {len(missing)} ids, such as {example!r}, is among the predictions; {_SAME}"
        raise data_error(first.path, message, field="id")
    if missing:
        faults = [fault_at(one.place, "id", f"{one.id!r} is none of the predictions; {_SAME}") for one in missing]
        raise DataError(sorted(faults, key=lambda fault: fault.position))
    return np.array([found[passage.id] for passage in audit.passages], dtype=np.int64)
