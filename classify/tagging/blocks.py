"""Blocks: a stretch of one input as it is handed to a worker, and the records that are in it."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from classify.data.documents import decode, read_document
from classify.data.lines import Row, check_width, parse_line
from classify.data.segment import segment
from classify.errors import DataError, Fault, data_error
from classify.passages import Passage

SIZE = 256 * 1024
"""Bytes or characters after which a block is full; one row may be longer."""
MOST_ROWS = 2000
"""Rows after which it is full, however short they are."""


class Record(NamedTuple):
    """One row to be: what it carries through, `json` as it stood if it was JSON, or the fault that no row comes of."""

    number: int | None
    row: Row
    json: str = ""
    fault: Fault | None = None


class Block(Protocol):
    """Any of those below: what it needs to give its records where it is read, which may be another process.

    `source` names the input in messages; `from_table` is false where texts are passages cut from documents.
    """

    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def from_table(self) -> bool: ...  # noqa: D102
    def records(self) -> Iterator[Record]:
        """All of them, in order."""


@dataclass(frozen=True)
class JsonLines:
    """Whole lines of JSONL; `first` is the number of the first one."""

    source: str
    first: int
    content: bytes
    from_table: bool = True

    def records(self) -> Iterator[Record]:
        """A record for each line that isn't blank."""
        for number, line in enumerate(self._lines(), start=self.first):
            if isinstance(line, Fault):
                yield Record(number, {}, fault=line)
                continue
            stripped = line.strip()
            if stripped:
                found = parse_line(line, self.source, number)
                if isinstance(found, Fault):
                    yield Record(number, {}, fault=found)
                else:
                    yield Record(number, found, stripped)

    def _lines(self) -> list[str | Fault]:
        content = self.content.removeprefix(BOM_UTF8) if self.first == 1 else self.content
        try:
            return list(content.decode().split("\n"))
        except UnicodeDecodeError:
            lines = enumerate(content.split(b"\n"), start=self.first)
            return [_decoded(line, self.source, number) for number, line in lines]


@dataclass(frozen=True)
class CsvRows:
    """Rows of a CSV, each with its number, bytes that are no UTF-8 as lone surrogates."""

    source: str
    header: list[str]
    rows: list[tuple[int, list[str]]]
    from_table: bool = True

    def records(self) -> Iterator[Record]:
        """A record a row; one of the wrong length has what there is under the names it would have."""
        is_clean = _is_utf8("".join(["".join(cells) for _, cells in self.rows]))
        for number, cells in self.rows:
            fault = check_width(cells, self.header, self.source, number)
            if not is_clean and not _is_utf8("".join(cells)):
                found = _decoded("".join(cells).encode("utf-8", "surrogateescape"), self.source, number)
                fault = found if isinstance(found, Fault) else fault
            shown = cells if is_clean else map(_shown, cells)
            yield Record(number, dict(zip(self.header, shown, strict=False)), fault=fault)


@dataclass(frozen=True)
class ParquetRows:
    """An Arrow batch; `first` is the number of its first row."""

    source: str
    first: int
    batch: Any
    from_table: bool = True

    def records(self) -> Iterator[Record]:
        """A record a row; raises DataError for times and text that Python can't hold."""
        try:
            rows = self.batch.to_pylist()
        except (ValueError, OverflowError) as error:
            end = self.first + len(self.batch) - 1
            raise data_error(self.source, f"rows {self.first} to {end} can't be read: {error}") from None
        for number, row in enumerate(rows, start=self.first):
            yield Record(number, row)


@dataclass(frozen=True)
class Documents:
    """Text files to be cut into passages."""

    paths: list[Path]
    from_table: bool = False
    source: str = field(default="", init=False)

    def records(self) -> Iterator[Record]:
        """A record a passage; one with a fault for a file that is no text, none for one without a passage."""
        for path in self.paths:
            try:
                passages = segment(read_document(path))
            except DataError as error:
                yield Record(None, {"document": path.as_posix()}, fault=error.faults[0])
                continue
            for passage in passages:
                yield Record(None, asdict(passage))

    def without_passage(self, records: list[Record]) -> list[str]:
        """The files that gave no record."""
        there = {record.row["document"] for record in records}
        return [str(path) for path in self.paths if path.as_posix() not in there]


@dataclass(frozen=True)
class WholeText:
    """One text as one passage, as standard input gives it."""

    source: str
    text: str
    from_table: bool = False

    def records(self) -> Iterator[Record]:
        """The one record."""
        start, end = len(self.text) - len(self.text.lstrip()), len(self.text.rstrip())
        yield Record(None, asdict(Passage(f"{self.source}#1", self.source, start, end, self.text[start:end])))


def _decoded(line: bytes, source: str, number: int) -> str | Fault:
    try:
        return decode(line, source)
    except DataError as error:
        return data_error(source, error.faults[0].message, row=number).faults[0]


def _is_utf8(text: str) -> bool:
    """Whether no byte stood in it that is not UTF-8."""
    try:
        return bool(text.isascii() or text.encode() is not None)
    except UnicodeEncodeError:
        return False


def _shown(cell: str) -> str:
    r"""A cell with bytes that are no UTF-8 shown as `\xe9`."""
    return cell.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
