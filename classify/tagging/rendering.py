"""What was decided of texts to what their rows end with: JSON, or the cells of a table.

The same as `Prediction.to_row` and `flat_columns` give, for whole blocks at once and some ten times as fast.
"""

import json
from functools import lru_cache
from itertools import compress
from typing import Any

import numpy as np

from classify.codebook import Task
from classify.measure.arrays import BoolArray, FloatArray
from classify.predictor import Decided, Predictor

_MOST_REMEMBERED = 4096
"""Sets of labels of which the text is kept ready; more than most codebooks have given together."""


class JsonEnds:
    """The ends of JSON objects, each beginning at the key `predicted` and ending the line."""

    def __init__(self, predictor: Predictor) -> None:
        tasks = [predictor.codebook[name] for name in predictor.bundle.tasks]
        self._labels = [lru_cache(_MOST_REMEMBERED)(_LabelsOf(task, to_json)) for task in tasks]
        self._reasons = lru_cache(_MOST_REMEMBERED)(to_json)
        predicted = ", ".join(f"{_literal(task.name)}: %s" for task in tasks)
        probabilities = ", ".join(
            f"{_literal(task.name)}: {{{', '.join(f'{_literal(label)}: %r' for label in task.label_names)}}}"
            for task in tasks
        )
        self._template = (
            f'"predicted": {{{predicted}}}, "probabilities": {{{probabilities}}}, "review": %s,'
            f' "model": {_literal(predictor.model)}}}\n'
        )

    def of(self, found: Decided) -> list[str]:
        """One end for each text."""
        rows = zip(*_given(found, self._labels), rounded(found).tolist(), found.reviews, strict=True)
        return [self._template % (*given, *p, self._reasons(reasons)) for *given, p, reasons in rows]


class Cells:
    """The cells that predictions add to a table, in the order of `Predictor.columns`."""

    def __init__(self, predictor: Predictor) -> None:
        tasks = [predictor.codebook[name] for name in predictor.bundle.tasks]
        self._labels = [lru_cache(_MOST_REMEMBERED)(_LabelsOf(task, _joined_labels)) for task in tasks]
        self._model = predictor.model

    def of(self, found: Decided) -> list[list[Any]]:
        """A list of cells for each text."""
        rows = zip(*_given(found, self._labels), rounded(found).tolist(), found.reviews, strict=True)
        return [[*given, *p, "|".join(reasons), self._model] for *given, p, reasons in rows]


def rounded(found: Decided) -> FloatArray:
    """The probabilities of all tasks side by side, to 6 decimals just as `round` gives them.

    Next to a half, where a product may fall on the other side than the number itself, `round` is asked.
    """
    p = np.hstack(found.probabilities)
    scaled = p * 1e6
    nearest = np.rint(scaled)
    result = nearest / 1e6
    doubtful = np.abs(scaled - nearest) > 0.5 - 1e-6
    result[doubtful] = [round(value, 6) for value in p[doubtful].tolist()]
    return np.asarray(result)


def to_json(value: object) -> str:
    """JSON on one line."""
    return json.dumps(value, ensure_ascii=False)


def _literal(name: str) -> str:
    """A name as JSON, in a template of %."""
    return to_json(name).replace("%", "%%")


def _joined_labels(labels: list[str] | str) -> str:
    return labels if isinstance(labels, str) else "|".join(labels) or "none"


class _LabelsOf:
    """Bytes of a row of decisions to the text of its labels."""

    def __init__(self, task: Task, to_text: Any) -> None:
        self.names, self.is_multilabel, self._to_text = task.label_names, task.is_multilabel, to_text

    def __call__(self, row: bytes) -> str:
        given = list(compress(self.names, row))
        return str(self._to_text(given if self.is_multilabel else given[0]))


def _given(found: Decided, of_tasks: list[Any]) -> list[list[str]]:
    """For each task the text of each passage's labels."""
    return [_texts(decided, of_task) for decided, of_task in zip(found.labels, of_tasks, strict=True)]


def _texts(decided: BoolArray, to_text: Any) -> list[str]:
    content, width = decided.tobytes(), decided.shape[1]
    return [to_text(content[start : start + width]) for start in range(0, len(content), width)]
