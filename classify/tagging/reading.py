"""Inputs to blocks of records, one after the other, however large they are."""

import gzip
import io
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from classify.data.documents import BROKEN_GZIP, EMPTY, decode
from classify.data.lines import csv_cells, refuse_twins
from classify.data.tables import LINE_ENDS
from classify.errors import DataError, Fault, data_error
from classify.tagging.blocks import MOST_ROWS, SIZE, Block, CsvRows, Documents, JsonLines, ParquetRows, WholeText
from classify.tagging.sources import TEXT, Source

Read = tuple[Block, int]
"""A block, and how many bytes of all inputs were read when it was full."""
NO_ROWS = "no rows; expected at least one, with a text"


def read_blocks(sources: Iterable[Source], on_empty: Callable[[Fault], None] = lambda fault: None) -> Iterator[Read]:
    """All blocks in order; text files that follow each other share them. `on_empty` hears of tables without a row.

    Raises DataError for what holds for a whole file: that it is cut, say, or has a header that can't be used.
    """
    before, texts = 0, _Texts()
    for source in sources:
        if source.form == TEXT and source.stream is None:
            yield from texts.add(source, before)
        else:
            yield from texts.take(before)
            is_empty = True
            for block, n_bytes in _readable(source):
                is_empty = False
                yield block, before + n_bytes
            if is_empty:
                on_empty(Fault(source.name, None, None, EMPTY if source.form == "jsonl" else NO_ROWS))
        before += source.n_bytes
    yield from texts.take(before)


def header_of(source: Source) -> list[str] | None:
    """The names of a table's columns where it says them once for all; None for any other input and an empty one."""
    if source.form == "csv":
        with _faults_told(source), source.lines() as (lines, _), _as_text(lines) as text:
            _, header = next(csv_cells(text, source.name), (0, None))
        if header:
            decode("".join(header).encode("utf-8", "surrogateescape"), source.name)
        return header
    return parquet_schema(source).names if source.form == "parquet" else None


def parquet_schema(source: Source) -> Any:
    """The Arrow schema of a Parquet file."""
    from pyarrow import ArrowInvalid, parquet

    try:
        schema = parquet.read_schema(source.name)
    except (ArrowInvalid, OSError) as error:
        raise _no_parquet(source, error) from None
    refuse_twins(schema.names, source.name)
    return schema


class _Texts:
    """Text files that wait until there are enough of them for a block."""

    def __init__(self) -> None:
        self.paths: list[Path] = []
        self.n_bytes = 0

    def add(self, source: Source, before: int) -> Iterator[Read]:
        self.paths.append(Path(source.name))
        self.n_bytes += source.n_bytes
        if self.n_bytes >= SIZE or len(self.paths) >= MOST_ROWS:
            yield from self.take(before + source.n_bytes)

    def take(self, n_read: int) -> Iterator[Read]:
        if self.paths:
            yield Documents(self.paths), n_read
        self.paths, self.n_bytes = [], 0


def _readable(source: Source) -> Iterator[Read]:
    """The blocks of one input."""
    read = {TEXT: _whole_text, "jsonl": _json_lines, "csv": _csv_rows, "parquet": _parquet_rows}[source.form]
    with _faults_told(source):
        yield from read(source)


@contextmanager
def _faults_told(source: Source) -> Iterator[None]:
    """What goes wrong while a file is read is told as the user's."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise data_error(source.name, BROKEN_GZIP) from None
    except OSError as error:
        raise data_error(source.name, f"can't be read: {error.strerror}") from None


def _whole_text(source: Source) -> Iterator[Read]:
    with source.lines() as (lines, _):
        yield WholeText(source.name, decode(b"".join(lines), source.name)), 0


def _json_lines(source: Source) -> Iterator[Read]:
    with source.lines() as (lines, n_read):
        first, number, size, kept = 1, 0, 0, []
        for number, line in enumerate(lines, start=1):
            kept.append(line)
            size += len(line)
            if size >= SIZE or len(kept) >= MOST_ROWS:
                content = b"".join(kept)
                if not content.isspace():
                    yield JsonLines(source.name, first, content), n_read()
                first, size, kept = number + 1, 0, []
        content = b"".join(kept)
        if content.removeprefix(BOM_UTF8).strip():
            yield JsonLines(source.name, first, content), n_read()


def _csv_rows(source: Source) -> Iterator[Read]:
    with source.lines() as (lines, n_read), _as_text(lines) as text:
        numbered = csv_cells(text, source.name)
        _, header = next(numbered, (0, []))
        rows: list[tuple[int, list[str]]] = []
        size = 0
        try:
            for row in numbered:
                rows.append(row)
                size += sum(map(len, row[1]))
                if size >= SIZE or len(rows) >= MOST_ROWS:
                    yield CsvRows(source.name, header, rows), n_read()
                    rows, size = [], 0
        except DataError:
            yield CsvRows(source.name, header, rows), n_read()
            raise
        if rows:
            yield CsvRows(source.name, header, rows), n_read()


def _parquet_rows(source: Source) -> Iterator[Read]:
    from pyarrow import ArrowInvalid, parquet

    first = 1
    try:
        with parquet.ParquetFile(source.name, pre_buffer=False, buffer_size=SIZE) as file:  # no whole row group at once
            n_rows = file.metadata.num_rows
            for batch in file.iter_batches(batch_size=_batch_size(file.metadata)):
                yield ParquetRows(source.name, first, batch), source.n_bytes * (first + len(batch) - 1) // n_rows
                first += len(batch)
    except (ArrowInvalid, OSError) as error:
        raise _no_parquet(source, error) from None


def _batch_size(metadata: Any) -> int:
    """Rows of about SIZE bytes together, as far as the file tells."""
    n_rows: int = metadata.num_rows
    n_bytes: int = sum(metadata.row_group(n).total_byte_size for n in range(metadata.num_row_groups))
    return max(1, min(MOST_ROWS, SIZE * n_rows // max(1, n_bytes)))


def _no_parquet(source: Source, error: Exception) -> DataError:
    return data_error(source.name, f"not a Parquet file that can be read: {str(error).splitlines()[0]}")


def _as_text(lines: Iterable[bytes]) -> io.TextIOWrapper:
    """Text with bytes that are no UTF-8 as lone surrogates, so that only their row is lost."""
    return io.TextIOWrapper(
        cast(IO[bytes], lines), encoding="utf-8-sig", errors="surrogateescape", newline=LINE_ENDS["csv"]
    )
