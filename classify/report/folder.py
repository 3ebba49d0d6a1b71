"""A folder of files written whole or not at all: made beside it, then both change places."""

import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from classify.errors import OutputError


def write_folder(folder: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a new folder, then put it in the place of `folder`, whose files go; put that back if this fails.

    What `folder` holds must be ours to replace: the caller has refused it otherwise. Raises OutputError where it can't
    be written.
    """
    home = folder.resolve()
    beside = home.with_name(f".{home.name}.{uuid4().hex[:8]}.part")
    try:
        beside.mkdir(parents=True)
        write(beside)
        if Path.cwd().is_relative_to(home):
            _move_in(beside, home)
        else:
            _change_places(beside, home)
    except OSError as error:
        raise OutputError(f"{folder}: can't be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _change_places(new: Path, home: Path) -> None:
    old = new.with_suffix(".old")
    try:
        if home.exists():
            home.rename(old)
        new.rename(home)
    finally:
        if old.exists() and not home.exists():
            old.rename(home)
        shutil.rmtree(old, ignore_errors=True)


def _move_in(new: Path, home: Path) -> None:
    """File by file, for a folder that can't be moved because somebody works in it."""
    names = [path.relative_to(new) for path in sorted(new.rglob("*")) if path.is_file()]
    for name in names:
        (home / name).parent.mkdir(exist_ok=True)
        (new / name).replace(home / name)
    for path in sorted(home.rglob("*")):
        if path.is_file() and path.relative_to(home) not in names:
            path.unlink()
