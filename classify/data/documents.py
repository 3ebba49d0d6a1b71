"""Read plain-text documents from files, folders and standard input."""

import codecs
import glob
import gzip
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path

from classify.errors import UsageError, data_error
from classify.passages import Document

STDIN = "-"
TEXT_SUFFIXES = (".txt", ".txt.gz")
EMPTY = "the file is empty"
BROKEN_GZIP = "broken or cut gzip file; write or fetch it again"


def read_document(path: str | Path) -> Document:
    """Read one UTF-8 text file, `.gz` too; the document's name is the path as given, with forward slashes.

    Raises DataError for a missing, empty or unreadable file and for one that is not UTF-8.
    """
    if str(path) == STDIN:
        return Document("stdin", read_stdin())
    return Document(Path(path).as_posix(), decode(read_content(path), path))


def read_stdin() -> str:
    """What comes in through a pipe, never nothing."""
    content = sys.stdin.buffer.read()
    refuse_nothing(content)
    return decode(content, "stdin")


def refuse_nothing(content: bytes) -> None:
    """Raise DataError where nothing but space came in through a pipe."""
    if not content.removeprefix(codecs.BOM_UTF8).strip():
        raise data_error("stdin", "nothing came in; expected a text, or JSONL with a text in every row")


def read_content(path: str | Path) -> bytes:
    """A file's bytes, unpacked where it is a .gz, never empty."""
    refuse_empty(path)
    try:
        content = Path(path).read_bytes()
        content = gzip.decompress(content) if str(path).endswith(".gz") else content
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise data_error(path, BROKEN_GZIP) from None
    except OSError as error:
        raise data_error(path, f"can't be read: {error.strerror}") from None
    if not content.strip():
        raise data_error(path, EMPTY)
    return content


def refuse_empty(path: str | Path) -> None:
    """Raise DataError for a file that is missing, can't be opened or has no byte."""
    try:
        with Path(path).open("rb") as stream:
            is_empty = not stream.read(1)
    except FileNotFoundError:
        raise data_error(path, "no such file or folder; check the path") from None
    except OSError as error:
        raise data_error(path, f"can't be read: {error.strerror}") from None
    if is_empty:
        raise data_error(path, EMPTY)


def decode(content: bytes, path: str | Path) -> str:
    """UTF-8 text, a byte order mark removed; the error names the row of the first bad byte."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        found = f"not UTF-8: byte 0x{content[error.start]:02x}"
        raise data_error(path, f"{found}; expected UTF-8 text; save the file as UTF-8", row=row) from None


def expand(inputs: Iterable[str | Path], suffixes: tuple[str, ...]) -> list[Path]:
    """Files as given; for a folder the files right in it that end in one of `suffixes`, by name, none that is hidden.

    A pattern such as `news/*.jsonl` that names no file itself stands for the files with such endings and the folders
    that it matches, by name; `**` for any depth.
    """
    matched = (path for given in inputs for path in _matched(Path(given), suffixes))
    return [found for path in matched for found in _files_of(path, suffixes)]


def folders_passed_over(inputs: Iterable[str | Path]) -> list[Path]:
    """Those of the inputs that are folders with folders in them, into which `expand` doesn't look."""
    return [path for path in map(Path, inputs) if path.is_dir() and any(child.is_dir() for child in path.glob("[!.]*"))]


def _matched(path: Path, suffixes: tuple[str, ...]) -> list[Path]:
    try:
        if path.exists() or not glob.has_magic(str(path)):
            return [path]
        found = [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]
    except OSError:
        return [path]
    if "**" in path.parts:
        found = [match for match in found if match.is_file()]  # what is in folders is matched itself
    fitting = [match for match in found if match.is_dir() or match.name.endswith(suffixes)]
    if not fitting:
        raise UsageError(f"{path}: matches no file that ends in {', '.join(suffixes)}; check the path")
    return fitting


def _files_of(path: Path, suffixes: tuple[str, ...]) -> list[Path]:
    try:
        if not path.is_dir():
            if not path.suffix and path.name != STDIN and not path.exists():
                raise data_error(path, "no such file or folder")
            return [path]
        inside = [child for child in path.iterdir() if not child.name.startswith(".")]
        found = sorted(child for child in inside if child.name.endswith(suffixes) and child.is_file())
    except OSError as error:
        hint = "to give a text itself, pipe it in: echo … | classify predict -"
        raise UsageError(f"{str(path)[:60]}: can't be read: {error.strerror}; {hint}") from None
    if not found:
        deeper = any(child.is_dir() for child in inside)
        hint = f"; for those in the folders below, name them as '{path}/**/*{suffixes[0]}'" if deeper else ""
        raise UsageError(f"{path}: no file in this folder ends in {', '.join(suffixes)}{hint}")
    return found
