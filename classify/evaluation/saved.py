"""An evaluation to the rows of `predictions.csv`, and a report's folder back to arrays."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from classify.data.dataset import TaskGold
from classify.data.lines import csv_cells
from classify.errors import UsageError, data_error
from classify.evaluation.heldout import MODEL
from classify.evaluation.results import Evaluation
from classify.measure.arrays import BoolArray, FloatArray

METRICS = "metrics.json"
PREDICTIONS = "predictions.csv"
PREDICTION_COLUMNS = (
    "id", "event", "fold", "task", "label", "gold", "score", "probability", "threshold", "predicted", "system",
)  # fmt: skip
Row = dict[str, object]


@dataclass(frozen=True)
class SavedTask:
    """What the model of a saved evaluation said; arrays of shape (n_passages, n_labels), passages in order of id."""

    is_multilabel: bool
    labels: tuple[str, ...]
    ids: tuple[str, ...]
    events: tuple[str, ...]
    gold: TaskGold
    predicted: BoolArray
    probabilities: FloatArray


@dataclass(frozen=True)
class SavedEvaluation:
    """A report's folder, read back; `is_of_bundle`: a bundle was judged as it was, and nothing held out."""

    folder: Path
    codebook: str
    tasks: Mapping[str, SavedTask]
    is_of_bundle: bool = False


def prediction_rows(evaluation: Evaluation) -> Iterator[Row]:
    """One row for each system, passage and label; no texts. `gold` is empty where it is not known."""
    for name, result in evaluation.tasks.items():
        for system, held in result.held_out.items():
            for row in result.gold.coded.nonzero()[0]:
                fold = int(result.folds[row])
                for column, label in enumerate(result.task.label_names):
                    known = result.gold.known[row, column]
                    yield {
                        "id": evaluation.passages[row].id,
                        "event": evaluation.events[row],
                        "fold": fold + 1 if fold >= 0 else None,
                        "task": name,
                        "label": label,
                        "gold": int(result.gold.gold[row, column]) if known else None,
                        "score": repr(float(held.scores[row, column])),
                        "probability": repr(float(held.probabilities[row, column])),
                        "threshold": None if held.thresholds is None else repr(float(held.thresholds[row, column])),
                        "predicted": int(held.predicted[row, column]),
                        "system": system,
                    }


def read_evaluation(folder: str | Path) -> SavedEvaluation:
    """Read back `metrics.json` and the model's rows of `predictions.csv`.

    Raises UsageError if the folder holds no evaluation, DataError if its files are broken.
    """
    folder = Path(folder)
    if not (folder / METRICS).is_file() or not (folder / PREDICTIONS).is_file():
        raise UsageError(
            f"{folder}: holds no {METRICS} and {PREDICTIONS}; expected a folder that classify evaluate wrote"
        )
    try:
        metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
        codebook, tasks = str(metrics["codebook"]["name"]), dict(metrics["tasks"])
        labels = {name: tuple(facts["labels"]) for name, facts in tasks.items()}
        kinds = {name: facts["kind"] for name, facts in tasks.items()}
    except (ValueError, KeyError, TypeError):
        raise data_error(folder / METRICS, "broken; expected what classify evaluate writes; run it again") from None
    found: dict[str, _Cells] = {name: _Cells(names) for name, names in labels.items()}
    _read_cells(folder / PREDICTIONS, found)
    saved = {name: cells.to_task(kinds[name] == "multilabel") for name, cells in found.items() if cells.rows}
    return SavedEvaluation(folder, codebook, saved, is_of_bundle=metrics.get("model") is not None)


class _Cells:
    """The model's cells of one task as they come in, by passage."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = labels
        self.column = {label: n for n, label in enumerate(labels)}
        self.rows: dict[str, tuple[str, FloatArray]] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        """Raises KeyError or ValueError for a row that `prediction_rows` can't have made."""
        _, cells = self.rows.setdefault(row["id"], (row["event"], np.full((4, len(self.labels)), np.nan)))
        known = row["gold"] != ""
        values = (known, known and int(row["gold"]), int(row["predicted"]), float(row["probability"]))
        cells[:, self.column[row["label"]]] = values

    def to_task(self, is_multilabel: bool) -> SavedTask:
        ids = tuple(sorted(self.rows))
        cells = np.array([self.rows[identity][1] for identity in ids])
        known, gold, predicted = (cells[:, n] == 1 for n in range(3))
        events = tuple(self.rows[identity][0] for identity in ids)
        return SavedTask(is_multilabel, self.labels, ids, events, TaskGold(gold, known), predicted, cells[:, 3])


def _read_cells(path: Path, found: Mapping[str, _Cells]) -> None:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            numbered = csv_cells(stream, str(path))
            if tuple(next(numbered, (1, []))[1]) != PREDICTION_COLUMNS:
                raise data_error(path, f"lacks its header; expected {','.join(PREDICTION_COLUMNS)}", row=1)
            for number, cells in numbered:
                if len(cells) == len(PREDICTION_COLUMNS) and cells[-1] != MODEL:
                    continue
                try:
                    row = dict(zip(PREDICTION_COLUMNS, cells, strict=True))
                    found[row["task"]].add(row)
                except (KeyError, ValueError, TypeError):
                    raise data_error(
                        path, "broken row; expected what classify evaluate writes; run it again", row=number
                    ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise data_error(path, f"can't be read: {error}") from None
    if any(np.isnan(cells).any() for of_task in found.values() for _, cells in of_task.rows.values()):
        raise data_error(path, "lacks rows; expected one for each passage and label; run classify evaluate again")
