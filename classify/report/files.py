"""An evaluation to its folder: report, metrics, tables and figures, all of them or none."""

import json
import shutil
from pathlib import Path
from uuid import uuid4

from classify.data.tables import write_rows
from classify.errors import OutputError
from classify.evaluation.results import Evaluation
from classify.report.page import render_evaluation
from classify.report.plots import evaluation_figures
from classify.report.tables import PREDICTION_COLUMNS, per_label_rows, prediction_rows

REPORT = "report.html"
METRICS = "metrics.json"
PER_LABEL = "per_label.csv"
PREDICTIONS = "predictions.csv"
FIGURES = "figures"


def write_evaluation(evaluation: Evaluation, folder: str | Path) -> None:
    """Write `report.html`, `metrics.json`, `per_label.csv`, `predictions.csv` and `figures/*.svg` to a folder.

    An earlier evaluation there is replaced in one step once the new one is whole. Raises OutputError where the folder
    holds anything else, or can't be written.
    """
    folder = Path(folder)
    refuse_foreign(folder)
    beside = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}")
    new, old = beside.with_suffix(".new"), beside.with_suffix(".old")
    try:
        (new / FIGURES).mkdir(parents=True)
        _write(evaluation, new)
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    except OSError as error:
        raise OutputError(f"{folder}: can't be written: {error.strerror or error}") from None
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)


def _write(evaluation: Evaluation, folder: Path) -> None:
    figures = evaluation_figures(evaluation.tasks)
    for name, svg in figures.items():
        (folder / FIGURES / name).write_bytes(svg)
    (folder / METRICS).write_text(
        json.dumps(evaluation.to_dict(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    write_rows(per_label_rows(evaluation), "csv", folder / PER_LABEL)
    write_rows(prediction_rows(evaluation), "csv", folder / PREDICTIONS, columns=PREDICTION_COLUMNS)
    (folder / REPORT).write_text(render_evaluation(evaluation, figures), encoding="utf-8")


def refuse_foreign(folder: Path) -> None:
    """Raise OutputError if the folder is a file or holds anything that no evaluation wrote."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputError(f"{folder}: a file stands here; expected a folder for the report; name another with --out")
    ours = {REPORT, METRICS, PER_LABEL, PREDICTIONS, FIGURES}
    figures = folder / FIGURES
    foreign = [path for path in folder.iterdir() if path.name not in ours]
    foreign += [path for path in figures.iterdir() if path.suffix != ".svg"] if figures.is_dir() else []
    if foreign:
        name = min(foreign).relative_to(folder)
        raise OutputError(f"{folder}: holds {name}, which is no part of a report; name another folder with --out")
