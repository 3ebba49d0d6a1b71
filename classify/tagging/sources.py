"""What a user named to inputs that can be opened: files, the files of folders and patterns, standard input."""

import gzip
import hashlib
import io
import shutil
import sys
import tempfile
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, cast

from classify.data.documents import STDIN, TEXT_SUFFIXES, expand, refuse_empty, refuse_nothing
from classify.data.inputs import INPUT_SUFFIXES
from classify.data.tables import format_of, import_pyarrow
from classify.errors import DataError, Fault, UsageError, data_error

TEXT = "text"


@dataclass(frozen=True)
class Source:
    """One input: `form` is `text`, `jsonl`, `csv` or `parquet`; `n_bytes` its size, 0 where that isn't known.

    `stream` is standard input's, or that of a copy of it; `head` is what was read of it to tell its form.
    """

    name: str
    form: str
    n_bytes: int = 0
    stream: IO[bytes] | None = None
    head: bytes = b""

    @contextmanager
    def lines(self) -> Iterator[tuple[Iterable[bytes], Callable[[], int]]]:
        """Its lines, unpacked where it is a .gz, and what tells how many bytes of the file were read so far."""
        if self.stream:
            if not self.head:
                self.stream.seek(0)
            yield chain(io.BytesIO(self.head), self.stream), lambda: 0
            return
        with Path(self.name).open("rb") as raw:
            if not self.name.endswith(".gz"):
                yield raw, raw.tell
                return
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield io.BufferedReader(cast(io.RawIOBase, unpacked)), raw.tell

    def sha256(self) -> str:
        """The hash of the file's bytes."""
        with Path(self.name).open("rb") as raw:
            return hashlib.file_digest(raw, "sha256").hexdigest()

    def is_same_file(self, path: Path) -> bool:
        """Whether a path leads to this file."""
        return self.stream is None and path.exists() and path.samefile(self.name)


@contextmanager
def open_sources(inputs: Iterable[str | Path], *, is_read_twice: bool) -> Iterator[list[Source]]:
    """The inputs in order; standard input is copied to a temporary file where it `is_read_twice`.

    Raises DataError with every file that is missing, empty or can't be opened, UsageError for one of an unknown kind.
    """
    faults: list[Fault] = []
    sources: list[Source] = []
    paths = expand(inputs, INPUT_SUFFIXES)
    if sum(str(path) == STDIN for path in paths) > 1:
        raise UsageError(f"{STDIN} stands twice; standard input can be read once")
    with ExitStack() as stack:
        for path in paths:
            try:
                sources.append(
                    stack.enter_context(_open_stdin(is_read_twice)) if str(path) == STDIN else _source_of(path)
                )
            except DataError as error:
                faults += error.faults
        if faults:
            raise DataError(faults)
        yield sources


def _source_of(path: Path) -> Source:
    form = TEXT if path.name.endswith(TEXT_SUFFIXES) else format_of(path)
    if form == "parquet":
        import_pyarrow()
    if path.exists() and not path.is_file():  # opening a named pipe would take its first bytes
        raise data_error(path, f"a pipe or a device; expected a file; pipe text or JSONL in and name {STDIN}")
    refuse_empty(path)
    return Source(str(path), form, path.stat().st_size)


@contextmanager
def _open_stdin(is_read_twice: bool) -> Iterator[Source]:
    """JSONL if its first character is {, else one text."""
    head = b""  # till the first line that isn't blank
    for line in sys.stdin.buffer:
        head += line
        if line.removeprefix(BOM_UTF8).strip():
            break
    refuse_nothing(head)
    form = "jsonl" if head.removeprefix(BOM_UTF8).lstrip().startswith(b"{") else TEXT
    if not is_read_twice:
        yield Source("stdin", form, stream=sys.stdin.buffer, head=head)
        return
    with tempfile.TemporaryFile() as copy:
        copy.write(head)
        shutil.copyfileobj(sys.stdin.buffer, copy)
        yield Source("stdin", form, stream=copy)
