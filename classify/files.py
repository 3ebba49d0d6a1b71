"""Read and write files whole or not at all, and leave what is not ours alone."""

import json
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from classify.errors import OutputError, data_error


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """A path beside `out` to write to, renamed to `out` when all went well and removed when not."""
    part = out.with_name(f".{out.name}.{uuid4().hex[:8]}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(out)
    except OSError as error:
        raise OutputError(f"{out}: can't be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            part.unlink()


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: can't be written: {error.strerror or error}") from None


def refuse_foreign(folder: Path, foreign: Callable[[Path], Iterable[Path]], *, what: str) -> None:
    """Raise OutputError if `folder` can't be a folder for `what`, or holds any of the files `foreign` names."""
    try:
        found = sorted(foreign(folder)) if folder.is_dir() else []
        nearest = next(path for path in (folder, *folder.parents) if path.exists())
    except OSError as error:
        raise OutputError(f"{folder}: can't be written: {error.strerror or error}") from None
    if not nearest.is_dir():
        raise OutputError(f"{nearest}: a file stands here; expected a folder for the {what}; name another with --out")
    if found:
        name = found[0].relative_to(folder)
        raise OutputError(f"{folder}: holds {name}, which is no part of a {what}; name another folder with --out")


def to_json(value: object, *, indent: int | None = None) -> str:
    """JSON and a line end; what UTF-8 can't hold (lone surrogates) is escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=str) + "\n"
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent, default=str) + "\n"
    return text


def read_toml(path: str | Path, *, expected: str) -> dict[str, Any]:
    """The content of a TOML file; raises DataError, which says what was `expected` of it."""
    try:
        return tomllib.loads(Path(path).read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise data_error(path, f"no such file; expected {expected}") from None
    except UnicodeDecodeError:
        raise data_error(path, f"broken TOML: not UTF-8 text; expected {expected}; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise data_error(path, f"broken TOML: {error}") from None
    except OSError as error:
        raise data_error(path, f"can't be read: {error.strerror or error}; expected {expected}") from None
