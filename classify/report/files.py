"""An evaluation to its folder: report, metrics, tables and figures, all of them or none."""

from pathlib import Path

from classify.data.tables import write_rows
from classify.evaluation.results import Evaluation
from classify.evaluation.saved import METRICS, PREDICTION_COLUMNS, PREDICTIONS, prediction_rows
from classify.files import refuse_foreign, to_json
from classify.report.figures import CSV, PNG, SVG, evaluation_figures, figure_rows, is_figure
from classify.report.folder import write_folder
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
    write_folder(folder, lambda new: _write(evaluation, new))


def _write(evaluation: Evaluation, folder: Path) -> None:
    figures = evaluation_figures(evaluation.tasks, formats=(SVG, PNG))
    (folder / FIGURES).mkdir()
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
