"""Rows with another tagger's scores to rows of predictions, so that its shares can be estimated like our own."""

import math
from collections.abc import Iterable, Iterator, Mapping

from classify.codebook import Codebook
from classify.data.predictions import Numbered
from classify.data.tables import Row
from classify.errors import UsageError, data_error, did_you_mean


def as_predictions(rows: Iterable[Numbered], codebook: Codebook, scores: Mapping[str, str]) -> Iterator[Numbered]:
    """Rows with another tagger's scores in place of predictions; `scores` names the column of each label.

    A label counts as given from .5 on. Raises UsageError for a label that is none of the codebook's, DataError for a
    row without the column, or without a score in [0, 1] in it.
    """
    columns: dict[str, dict[str, str]] = {}
    for label, column in scores.items():
        task = next((task for task in codebook.tasks if label in task.label_names), None)
        if task is None:
            known = [name for task in codebook.tasks for name in task.label_names]
            raise UsageError(
                f"{label!r}: no such label in the codebook; {did_you_mean(label, known)} (LABEL=COLUMN, in this order)"
            )
        columns.setdefault(task.name, {})[label] = column
    for path, number, row in rows:
        p = {
            task: {label: _score(row, label, column, path, number) for label, column in of_task.items()}
            for task, of_task in columns.items()
        }
        given = {task: [label for label, score in of_task.items() if score >= 0.5] for task, of_task in p.items()}
        yield path, number, {**row, "predicted": given, "probabilities": p, "review": [], "model": None}


def _score(row: Row, label: str, column: str, path: str, number: int) -> float:
    if column not in row:
        expected = f"expected the scores of {label!r}, named as LABEL=COLUMN"
        raise data_error(path, f"no column {column!r}; the row has {', '.join(row)}; {expected}", row=number)
    try:
        score = float(row[column])
    except (TypeError, ValueError):
        score = math.nan
    if not 0 <= score <= 1:
        raise data_error(path, f"found {row[column]!r}; expected a score in [0, 1]", row=number, field=column)
    return score
