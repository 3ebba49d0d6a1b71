"""Read and write rows: JSONL, CSV and Parquet, `.gz` too; every row keeps its number for messages."""

import csv
import gzip
import io
import json
import math
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any, cast

from classify.data.documents import decode, read_content, refuse_empty
from classify.data.lines import Row as Row  # noqa: PLC0414  # whoever reads tables needs the name
from classify.data.lines import csv_rows, jsonl_rows, refuse_twins
from classify.data.spreadsheet import safe_cell
from classify.errors import OutputError, UsageError, data_error
from classify.files import replacing, to_json

TABLE_SUFFIXES = (".jsonl", ".jsonl.gz", ".csv", ".csv.gz", ".parquet")
FORMATS = ("jsonl", "csv", "parquet")
LINE_ENDS = {"jsonl": "\n", "csv": ""}
"""Where a line ends: in CSV also at a carriage return, which may stand in a cell."""


@dataclass(frozen=True)
class Table:
    """Rows with their numbers as an editor or spreadsheet shows them; `format` is `frame` or one of FORMATS."""

    path: str
    format: str
    rows: tuple[Row, ...]
    numbers: tuple[int, ...]

    @cached_property
    def columns(self) -> list[str]:
        """Every key that stands in any row, in the order of first appearance."""
        return list(dict.fromkeys(key for row in self.rows for key in row))


def format_of(path: str | Path, *, asked: str | None = None) -> str:
    """The format a file name stands for; raises UsageError for an unknown suffix or one that `asked` contradicts."""
    name = str(path).removesuffix(".gz")
    found = next((form for form in FORMATS if name.endswith(f".{form}")), None)
    if found == "parquet" and name != str(path):
        found = None
    if found is None:
        raise UsageError(f"{path}: unknown kind of file; expected a name that ends in {', '.join(TABLE_SUFFIXES)}")
    if asked is not None and asked != found:
        raise UsageError(f"--format {asked} contradicts the name {path}; drop --format or rename the file")
    return found


def read_table(path: str | Path) -> Table:
    """Read a whole file; raises DataError with every broken row, UsageError for a suffix that names no table."""
    form = format_of(path)
    if form == "parquet":
        return _table(path, form, _parquet_rows(path))
    text = decode(read_content(path), path)
    return parse_jsonl(text, str(path)) if form == "jsonl" else _parse_csv(text, str(path))


def stream_table(path: str | Path) -> Iterator[tuple[int, Row]]:
    """Row after row with its number, however large the file; raises what `read_table` raises, faults at the end.

    A file without a byte gives no row.
    """
    form, name = format_of(path), str(path)
    if form == "parquet":
        yield from _parquet_rows(path)
        return
    try:
        with gzip.open(path, "rb") if name.endswith(".gz") else Path(path).open("rb") as binary:
            lines = io.TextIOWrapper(cast(IO[bytes], binary), encoding="utf-8-sig", newline=LINE_ENDS[form])
            yield from jsonl_rows(lines, name) if form == "jsonl" else csv_rows(lines, name)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError):
        read_table(path)  # knows the row of a bad byte, and what to say of the rest
        raise


def parse_jsonl(text: str, source: str) -> Table:
    """One JSON object a line; empty lines are passed over; every fault is reported with its line."""
    return _table(source, "jsonl", jsonl_rows(text.split("\n"), source))


def _table(path: str | Path, form: str, numbered: Iterable[tuple[int, Row]]) -> Table:
    found = list(numbered)
    return Table(str(path), form, tuple(row for _, row in found), tuple(number for number, _ in found))


def _parse_csv(text: str, source: str) -> Table:
    if not text:
        raise data_error(source, "the file is empty")
    return _table(source, "csv", csv_rows(io.StringIO(text, newline=""), source))


def _parquet_rows(path: str | Path) -> Iterator[tuple[int, Row]]:
    refuse_empty(path)
    import_pyarrow()
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            refuse_twins(file.schema_arrow.names, str(path))
            rows = (row for batch in file.iter_batches() for row in batch.to_pylist())
            yield from enumerate(rows, start=1)
    except (ValueError, OverflowError, OSError) as error:  # Arrow's own are children of these
        raise data_error(path, f"not a Parquet file that can be read: {str(error).splitlines()[0]}") from None


def table_of_frame(frame: Any, *, name: str = "frame") -> Table:
    """The rows of a pandas, polars or Arrow table (anything narwhals takes), numbered from 1; missing is None."""
    import narwhals as nw

    rows = nw.from_native(frame, eager_only=True).rows(named=True)
    clean = tuple({key: _plain(value) for key, value in row.items()} for row in rows)
    return Table(name, "frame", clean, tuple(range(1, len(clean) + 1)))


def _plain(value: Any) -> Any:
    """None for a missing value, a list for the array that a library made of one."""
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.tolist() if hasattr(value, "tolist") else value


def import_pyarrow() -> None:
    """Raises UsageError with what to install where pyarrow is missing."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise UsageError("Parquet files need pyarrow; install the extra with: pip install '.[parquet]'") from None


def write_rows(rows: Iterable[Row], form: str, out: Path | None, *, columns: Sequence[str] | None = None) -> None:
    """Write rows to a file, whole or not at all, or to standard output where `out` is None.

    `columns` fixes the columns of CSV and Parquet; without it they are the keys in order of first appearance.
    """
    if form == "parquet":
        if out is None:
            raise UsageError("Parquet can't go to standard output; name a file with --out")
        _write_parquet(list(rows), out, columns)
        return
    if out is None:
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
        _write_text(rows, form, sys.stdout, columns)
        return
    with replacing(out) as part, _text_stream(part, packed=out.name.endswith(".gz")) as stream:
        _write_text(rows, form, stream, columns)


@contextmanager
def _text_stream(path: Path, *, packed: bool) -> Iterator[IO[str]]:
    """A stream into a file; a packed one has neither name nor time in its header: same rows, same bytes."""
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) if packed else raw as binary,
        io.TextIOWrapper(binary, encoding="utf-8", newline="") as stream,
    ):
        yield stream


def _write_text(rows: Iterable[Row], form: str, stream: IO[str], columns: Sequence[str] | None) -> None:
    if form == "jsonl":
        for row in rows:
            stream.write(to_json(row))
        return
    if columns is None:
        rows = list(rows)
        columns = list(dict.fromkeys(key for row in rows for key in row))
    stream.write(csv_text([columns]))
    for row in rows:
        stream.write(csv_text([map(row.get, columns)]))


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """Rows of CSV, of which a spreadsheet takes no cell for a formula; whatever reads CSV here undoes that.

    Written with the ending that makes the csv module quote carriage returns too.
    """
    lines: list[str] = []
    cells = ([_cell_text(safe_cell(value)) for value in row] for row in rows)
    csv.writer(SimpleNamespace(write=lines.append), lineterminator="\r\n").writerows(cells)
    return "".join([line[:-2] + "\n" for line in lines])


def _cell_text(value: object) -> str:
    """A value as CSV holds it: nothing for None, lists and the like as JSON; what UTF-8 can't hold is escaped."""
    if value is None:
        return ""
    if type(value) is float and math.isfinite(value):
        return repr(value)  # what json.dumps gives, five times as fast
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _write_parquet(rows: list[Row], out: Path, columns: Sequence[str] | None) -> None:
    import_pyarrow()
    import pyarrow as pa
    from pyarrow import parquet

    names = list(columns or dict.fromkeys(key for row in rows for key in row))
    try:
        table = pa.table({name: [row.get(name) for row in rows] for name in names})
        with replacing(out) as part:
            parquet.write_table(table, part)
    except (pa.lib.ArrowException, UnicodeEncodeError, OverflowError) as error:
        raise OutputError(f"{out}: a column holds what Parquet can't ({error}); write .jsonl instead") from None
