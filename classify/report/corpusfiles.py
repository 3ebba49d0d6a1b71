"""Files of predictions to the folder of a corpus report: the page, its numbers, and all passages as a sheet."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from classify.bundle import Bundle
from classify.data.dataset import Dataset
from classify.data.predictions import TEXT, Numbered, flat_prediction, is_error, month_of, own_columns, prediction_rows
from classify.data.tables import Row, write_rows
from classify.data.tagreader import read_tags
from classify.data.tags import Tags
from classify.estimate.audited import read_audited
from classify.estimate.results import WHOLE, Shares
from classify.estimate.shares import shares_of
from classify.files import refuse_foreign
from classify.report.corpus import Corpus, count_corpus
from classify.report.corpuspage import CorpusPage, Shown, lay_out, render_corpus, shown_passage
from classify.report.corpusshares import ShareSection, lay_out_shares
from classify.report.folder import write_folder
from classify.report.sharefiles import CHANGES, TABLE

REPORT, PASSAGES, COUNTS = "report.html", "passages.csv", "counts.csv"
OURS = "report:"
NUMBER, ON_PAGE, OF_MONTH = f"{OURS}number", f"{OURS}on_page", f"{OURS}month"
COUNT_COLUMNS = ("table", "row", "column", "n", "total")


@dataclass(frozen=True)
class CorpusReport:
    """What was written: the counts of tags, and the shares: of the whole corpus, then by each field; none, if none."""

    corpus: Corpus
    shares: tuple[Shares, ...]


def report_corpus(
    predictions: Sequence[str | Path],
    folder: str | Path,
    *,
    by: Sequence[str] = (),
    audit: Dataset | None = None,
    bundle: Bundle | None = None,
    held_out: str | Path | None = None,
    text_field: str = TEXT,
) -> CorpusReport:
    """Count the predictions of these files and write `report.html`, `counts.csv` and `passages.csv` to a folder.

    With `audit`, its coded sample, the page begins with shares, whose numbers stand in `shares.csv` and `changes.csv`;
    `bundle` and `held_out` are as `estimate_shares` takes them; `text_field` holds the texts to show. The files
    are read twice, row by row: once for the numbers, once for the texts. Raises DataError and UsageError as `read_tags`
    and `estimate_shares` do, OutputError where the folder holds anything else or can't be written.
    """
    folder = Path(folder)
    refuse_foreign_corpus(folder)
    audited = None if audit is None else read_audited(predictions, audit, by=by, bundle=bundle, held_out=held_out)
    tags = read_tags(predictions, by=by, text_field=text_field) if audited is None else audited.tags
    corpus = count_corpus(tags)
    page = lay_out(tags, corpus)
    shares = () if audited is None else (shares_of(audited), *(shares_of(audited, by=name) for name in tags.fields))
    section = None if audited is None else lay_out_shares(audited, shares)
    rows = prediction_rows(predictions, text_field=text_field)
    write_folder(folder, lambda new: _write(page, rows, shares, section, new))
    return CorpusReport(corpus, shares)


def refuse_foreign_corpus(folder: Path) -> None:
    """Raise OutputError if the folder is a file or holds anything that no corpus report wrote."""
    ours = {REPORT, PASSAGES, COUNTS, TABLE, CHANGES}
    foreign = [] if not folder.is_dir() else [path for path in folder.iterdir() if path.name not in ours]
    refuse_foreign(folder, lambda _: foreign, what="corpus report")


def _write(
    page: CorpusPage,
    rows: Iterable[Numbered],
    shares: Sequence[Shares],
    section: ShareSection | None,
    folder: Path,
) -> None:
    places = {row: place for place, row in enumerate(page.rows)}
    shown: dict[int, Shown] = {}
    sheet = _sheet(page, rows, places, shown)
    write_rows(sheet, "csv", folder / PASSAGES, columns=_columns(page.tags))
    counts = (row for table in page.corpus.tables for row in table.row_dicts())
    write_rows(counts, "csv", folder / COUNTS, columns=COUNT_COLUMNS)
    for name, found in _share_rows(shares).items():
        write_rows(found, "csv", folder / name)
    text = render_corpus(page, [shown[place] for place in sorted(shown)], section)
    (folder / REPORT).write_bytes(text.encode("utf-8", "backslashreplace"))


def _share_rows(shares: Sequence[Shares]) -> dict[str, list[Row]]:
    """The numbers of the shares by file: the whole corpus once, then the parts by each field."""
    rows = [
        {"by": found.by or "", **one.to_row()}
        for found in shares
        for one in found.shares
        if found.by is None or one.cell != WHOLE
    ]
    changes = [{"by": found.by, **one.to_row()} for found in shares for one in found.changes]
    return {name: of_file for name, of_file in ((TABLE, rows), (CHANGES, changes)) if of_file}


def _sheet(
    page: CorpusPage, rows: Iterable[Numbered], places: dict[int, int], shown: dict[int, Shown]
) -> Iterator[Row]:
    """Every row of the files as a row of the sheet; on the way, the passages of the page are put into `shown`."""
    tagged = -1
    for number, (path, file_row, row) in enumerate(rows, start=1):
        own = {name: row.get(name) for name in _own(row)}
        first = {NUMBER: number, ON_PAGE: "no"}
        if is_error(row):
            yield {**first, **own}
            continue
        tagged += 1
        if (place := places.get(tagged)) is not None:
            shown[place] = shown_passage(page, place, number, str(row.get("id") or f"{path}:{file_row}"), row)
            first[ON_PAGE] = "yes"
        yield {**first, **own, **flat_prediction(row), OF_MONTH: month_of(row)}


def _columns(tags: Tags) -> list[str]:
    tasks = tags.tasks.values()
    given = [f"predicted:{task.name}" for task in tasks]
    p = [f"p:{task.name}:{label}" for task in tasks for label in task.labels]
    return [NUMBER, ON_PAGE, *_own(tags.columns), *given, *p, "review", "model", OF_MONTH]


def _own(names: Iterable[str]) -> list[str]:
    """The user's columns: not those of a prediction, nor of an earlier report."""
    return [name for name in own_columns(names) if not name.startswith(OURS)]
