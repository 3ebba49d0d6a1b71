"""Read plain-text documents from files, folders and standard input."""

import sys
from collections.abc import Iterable
from pathlib import Path

from classify.errors import UsageError, data_error
from classify.passages import Document

STDIN = "-"


def read_document(path: str | Path) -> Document:
    """Read one UTF-8 text file; the document's name is the path as given, with forward slashes.

    Raises DataError for a missing, empty or unreadable file and for one that is not UTF-8.
    """
    if str(path) == STDIN:
        return Document("stdin", read_stdin())
    return Document(Path(path).as_posix(), decode(read_bytes(path), path))


def read_stdin() -> str:
    """What comes in through a pipe, never nothing."""
    text = decode(sys.stdin.buffer.read(), "stdin")
    if not text.strip():
        raise data_error("stdin", "nothing came in; expected a text, or JSONL with a text in every row")
    return text


def read_bytes(path: str | Path) -> bytes:
    """A file's bytes, never empty."""
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise data_error(path, "no such file or folder; check the path") from None
    except OSError as error:
        raise data_error(path, f"can't be read: {error.strerror}") from None
    if not content.strip():
        raise data_error(path, "the file is empty")
    return content


def decode(content: bytes, path: str | Path) -> str:
    """UTF-8 text, a byte order mark removed; the error names the row of the first bad byte."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        found = f"not UTF-8: byte 0x{content[error.start]:02x}"
        raise data_error(path, f"{found}; expected UTF-8 text; save the file as UTF-8", row=row) from None


def expand(inputs: Iterable[str | Path], suffixes: tuple[str, ...]) -> list[Path]:
    """Files as given, and for a folder the files in it that end in one of `suffixes`, by name."""
    paths: list[Path] = []
    for given in inputs:
        path = Path(given)
        try:
            if not path.is_dir():
                if not path.suffix and path.name != "-" and not path.exists():
                    raise data_error(path, "no such file or folder")
                paths.append(path)
                continue
            found = sorted(child for child in path.iterdir() if child.is_file() and child.name.endswith(suffixes))
        except OSError as error:
            hint = "to give a text itself, pipe it in: echo … | classify predict -"
            raise UsageError(f"{str(path)[:60]}: can't be read: {error.strerror}; {hint}") from None
        if not found:
            raise UsageError(f"{path}: no file in this folder ends in {', '.join(suffixes)}")
        paths.extend(found)
    return paths
