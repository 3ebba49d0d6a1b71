"""Files of predictions to the folder of a corpus report: the page, its numbers, and all passages as a sheet."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from classify.data.predictions import flat_prediction, is_error, month_of, own_columns, prediction_rows
from classify.data.spreadsheet import safe_cell
from classify.data.tables import Row, write_rows
from classify.data.tagreader import read_tags
from classify.data.tags import Tags
from classify.files import refuse_foreign
from classify.report.corpus import Corpus, count_corpus
from classify.report.corpuspage import CorpusPage, Shown, lay_out, render_corpus, shown_passage
from classify.report.folder import write_folder

REPORT, PASSAGES, COUNTS = "report.html", "passages.csv", "counts.csv"
OURS = "report:"
NUMBER, ON_PAGE, OF_MONTH = f"{OURS}number", f"{OURS}on_page", f"{OURS}month"
COUNT_COLUMNS = ("table", "row", "column", "n", "total")


def report_corpus(predictions: Sequence[str | Path], folder: str | Path, *, by: Sequence[str] = ()) -> Corpus:
    """Count the predictions of these files and write `report.html`, `counts.csv` and `passages.csv` to a folder.

    The files are read twice, row by row: once for the numbers, once for the texts. Raises DataError and UsageError as
    `read_tags` does, OutputError where the folder holds anything else or can't be written.
    """
    folder = Path(folder)
    refuse_foreign_corpus(folder)
    tags = read_tags(predictions, by=by)
    corpus = count_corpus(tags)
    page = lay_out(tags, corpus)
    write_folder(folder, lambda new: _write(page, prediction_rows(predictions), new))
    return corpus


def refuse_foreign_corpus(folder: Path) -> None:
    """Raise OutputError if the folder is a file or holds anything that no corpus report wrote."""
    ours = {REPORT, PASSAGES, COUNTS}
    foreign = [] if not folder.is_dir() else [path for path in folder.iterdir() if path.name not in ours]
    refuse_foreign(folder, lambda _: foreign, what="corpus report")


def _write(page: CorpusPage, rows: Iterable[tuple[str, int, Row]], folder: Path) -> None:
    places = {row: place for place, row in enumerate(page.rows)}
    shown: dict[int, Shown] = {}
    sheet = _sheet(page, rows, places, shown)
    write_rows(sheet, "csv", folder / PASSAGES, columns=_columns(page.tags))
    counts = (_safe(row) for table in page.corpus.tables for row in table.row_dicts())
    write_rows(counts, "csv", folder / COUNTS, columns=COUNT_COLUMNS)
    text = render_corpus(page, [shown[place] for place in sorted(shown)])
    (folder / REPORT).write_bytes(text.encode("utf-8", "backslashreplace"))


def _sheet(
    page: CorpusPage, rows: Iterable[tuple[str, int, Row]], places: dict[int, int], shown: dict[int, Shown]
) -> Iterator[Row]:
    """Every row of the files as a row of the sheet; on the way, the passages of the page are put into `shown`."""
    tagged = -1
    for number, (path, file_row, row) in enumerate(rows, start=1):
        own = {name: row.get(name) for name in _own(row)}
        first = {NUMBER: number, ON_PAGE: "no"}
        if is_error(row):
            yield _safe({**first, **own})
            continue
        tagged += 1
        if (place := places.get(tagged)) is not None:
            shown[place] = shown_passage(page, place, number, str(row.get("id") or f"{path}:{file_row}"), row)
            first[ON_PAGE] = "yes"
        yield _safe({**first, **own, **flat_prediction(row), OF_MONTH: month_of(row)})


def _columns(tags: Tags) -> list[str]:
    tasks = tags.tasks.values()
    given = [f"predicted:{task.name}" for task in tasks]
    p = [f"p:{task.name}:{label}" for task in tasks for label in task.labels]
    names = (NUMBER, ON_PAGE, *_own(tags.columns), *given, *p, "review", "model", OF_MONTH)
    return [_safe_name(name) for name in names]


def _own(names: Iterable[str]) -> list[str]:
    """The user's columns: not those of a prediction, nor of an earlier report."""
    return [name for name in own_columns(names) if not name.startswith(OURS)]


def _safe(row: Row) -> dict[str, Any]:
    return {_safe_name(name): safe_cell(value) for name, value in row.items()}


@lru_cache(maxsize=1024)
def _safe_name(name: str) -> str:
    return str(safe_cell(name))
