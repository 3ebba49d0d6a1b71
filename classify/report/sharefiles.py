"""Shares to their folder: the numbers as JSON and tables, and a figure a task."""

from collections.abc import Mapping
from pathlib import Path

from classify.data.tables import write_rows
from classify.estimate.results import Shares
from classify.files import refuse_foreign, to_json
from classify.report.folder import write_folder
from classify.report.shareplots import share_figures

SHARES, TABLE, CHANGES, FIGURES = "shares.json", "shares.csv", "changes.csv", "figures"


def write_shares(shares: Shares, folder: str | Path) -> None:
    """Write `shares.json`, `shares.csv`, `changes.csv` and `figures/*` to a folder, all of them or none.

    Raises OutputError where the folder holds anything else, or can't be written.
    """
    folder = Path(folder)
    refuse_foreign(folder, _foreign_files, what="shares")
    figures = share_figures(shares)
    write_folder(folder, lambda new: _write(shares, figures, new))


def _write(shares: Shares, figures: Mapping[str, bytes], folder: Path) -> None:
    (folder / SHARES).write_text(to_json(shares.to_dict(), indent=1), encoding="utf-8")
    write_rows((one.to_row() for one in shares.shares), "csv", folder / TABLE)
    if shares.changes:
        write_rows((one.to_row() for one in shares.changes), "csv", folder / CHANGES)
    (folder / FIGURES).mkdir()
    for name, content in figures.items():
        (folder / FIGURES / name).write_bytes(content)


def _foreign_files(folder: Path) -> list[Path]:
    figures = folder / FIGURES
    foreign = [path for path in folder.iterdir() if path.name not in {SHARES, TABLE, CHANGES, FIGURES}]
    drawn = figures.iterdir() if figures.is_dir() else ()
    return foreign + [path for path in drawn if path.suffix not in (".svg", ".png")]
