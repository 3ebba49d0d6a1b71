"""Tagged blocks to standard output or to a file, which is whole or not there."""

import gzip
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classify.files import replacing
from classify.tagging.layout import unfit, unfit_errors

ROW_GROUP = 20_000
"""Rows of a Parquet file that are held in memory until they are written."""


@dataclass(frozen=True)
class Written:
    """What an output holds so far; `n_bytes` counts the columns' names of a CSV too."""

    n_blocks: int = 0
    n_rows: int = 0
    n_faults: int = 0
    n_bytes: int = 0


class Output:
    """Where blocks go, one after the other; `written` is what was there before the first."""

    def __init__(self, write: Callable[[Any], object], written: Written = Written()) -> None:  # frozen
        self._write, self.written = write, written

    def write(self, content: Any, n_rows: int, n_faults: int) -> None:
        """Write a block; `n_rows` and `n_faults` are those of the block."""
        self._write(content)


@contextmanager
def standard_output(start: bytes) -> Iterator[Output]:
    """Begins with `start`; every block goes out as soon as it is there."""

    def write(content: bytes) -> None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()

    write(start)
    yield Output(write)


@contextmanager
def whole_file(out: Path, start: bytes) -> Iterator[Output]:
    """A file that begins with `start`; a .gz has neither name nor time in its header: same rows, same bytes."""
    with (
        replacing(out) as part,
        part.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) if out.name.endswith(".gz") else raw as stream,
    ):
        stream.write(start)
        yield Output(stream.write)


@contextmanager
def parquet_file(out: Path, schema: Any) -> Iterator[Output]:
    """Arrow batches in row groups of ROW_GROUP rows."""
    with replacing(out) as part, _writer(part, schema, out) as writer:
        waiting: list[Any] = []

        def write(batch: Any) -> None:
            waiting.append(batch)
            while sum(map(len, waiting)) >= ROW_GROUP:
                waiting[:] = _write_group(writer, waiting)

        yield Output(write)
        _write_group(writer, waiting)


def _writer(part: Path, schema: Any, out: Path) -> Any:
    """Raises OutputError for types that Arrow knows and Parquet doesn't."""
    from pyarrow import parquet

    try:
        return parquet.ParquetWriter(part, schema)
    except unfit_errors() as error:
        raise unfit(str(out), error) from None


def _write_group(writer: Any, batches: list[Any]) -> list[Any]:
    """Write one row group of the batches' rows; the batches that are left."""
    import pyarrow as pa

    if not batches:
        return []
    table = pa.Table.from_batches(batches)
    writer.write_table(table.slice(0, ROW_GROUP).combine_chunks(), row_group_size=ROW_GROUP)
    return list(table.slice(ROW_GROUP).to_batches())
