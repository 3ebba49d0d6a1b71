"""An evaluation to its folder: report, metrics, tables and figures, all of them or none."""

import shutil
from pathlib import Path
from uuid import uuid4

from classify.data.tables import write_rows
from classify.errors import OutputError
from classify.evaluation.results import Evaluation
from classify.evaluation.saved import METRICS, PREDICTION_COLUMNS, PREDICTIONS, prediction_rows
from classify.files import refuse_foreign, to_json
from classify.report.figures import CSV, PNG, SVG, evaluation_figures, figure_rows, is_figure
from classify.report.page import render_evaluation
from classify.report.tables import per_label_rows

REPORT = "report.html"
PER_LABEL = "per_label.csv"
FIGURES = "figures"


def write_evaluation(evaluation: Evaluation, folder: str | Path) -> None:
    """Write `report.html`, `metrics.json`, `per_label.csv`, `predictions.csv` and `figures/` to a folder.

    Everything is made beside the folder first; then the folders change places, and back if that fails. Raises
    OutputError where the folder holds anything else, or can't be written.
    """
    folder = Path(folder)
    refuse_foreign_report(folder)
    home = folder.resolve()
    beside = home.with_name(f".{home.name}.{uuid4().hex[:8]}.part")
    try:
        (beside / FIGURES).mkdir(parents=True)
        _write(evaluation, beside)
        if Path.cwd().is_relative_to(home):
            _move_in(beside, home)
        else:
            _change_places(beside, home)
    except OSError as error:
        raise OutputError(f"{folder}: can't be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _change_places(new: Path, home: Path) -> None:
    old = new.with_suffix(".old")
    try:
        if home.exists():
            home.rename(old)
        new.rename(home)
    finally:
        if old.exists() and not home.exists():
            old.rename(home)
        shutil.rmtree(old, ignore_errors=True)


def _move_in(new: Path, home: Path) -> None:
    """File by file, for a folder that can't be moved because somebody works in it."""
    (home / FIGURES).mkdir(exist_ok=True)
    names = [path.relative_to(new) for path in sorted(new.rglob("*")) if path.is_file()]
    for name in names:
        (new / name).replace(home / name)
    for path in (home / FIGURES).iterdir():
        if path.relative_to(home) not in names:
            path.unlink()


def _write(evaluation: Evaluation, folder: Path) -> None:
    figures = evaluation_figures(evaluation.tasks, formats=(SVG, PNG))
    for name, content in figures.items():
        (folder / FIGURES / name).write_bytes(content)
    for name, rows in figure_rows(evaluation.tasks).items():
        write_rows(rows, CSV, folder / FIGURES / f"{name}.{CSV}")
    (folder / METRICS).write_text(to_json(evaluation.to_dict(), indent=1), encoding="utf-8")
    write_rows(per_label_rows(evaluation), "csv", folder / PER_LABEL)
    write_rows(prediction_rows(evaluation), "csv", folder / PREDICTIONS, columns=PREDICTION_COLUMNS)
    page = render_evaluation(evaluation, figures).encode("utf-8", "backslashreplace")
    (folder / REPORT).write_bytes(page)


def refuse_foreign_report(folder: Path) -> None:
    """Raise OutputError if the folder is a file or holds anything that no evaluation wrote."""
    refuse_foreign(folder, _foreign_files, what="report")


def _foreign_files(folder: Path) -> list[Path]:
    ours = {REPORT, METRICS, PER_LABEL, PREDICTIONS, FIGURES}
    figures = folder / FIGURES
    foreign = [path for path in folder.iterdir() if path.name not in ours]
    return foreign + ([path for path in figures.iterdir() if not is_figure(path.name)] if figures.is_dir() else [])
