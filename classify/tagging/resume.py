"""An output that an interrupted run can be gone on with: OUT.part, and beside it a ledger of what is in it.

The ledger's first line says what the run was begun with: inputs, bundle, options. Another follows every block that is
written: how many blocks, rows and faults there are now, and how many bytes. Where a run was killed between the two, or
within a row, the part is cut to what was noted last.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple
from pathlib import Path
from typing import IO, Any, cast

from classify.errors import OutputError, UsageError, WorkerError
from classify.tagging.outputs import Output, Written

Head = dict[str, Any]


class Part(Output):
    """A part that is open for writing; `written` is what is in it now."""

    def __init__(self, part: IO[bytes], ledger: IO[bytes], written: Written) -> None:
        super().__init__(part.write, written)
        self._part, self._ledger = part, ledger

    def write(self, content: bytes, n_rows: int, n_faults: int) -> None:
        """Write a block, and note it as soon as it is out of this process's hands."""
        self._part.write(content)
        self._part.flush()
        before = self.written
        self.written = Written(
            before.n_blocks + 1, before.n_rows + n_rows, before.n_faults + n_faults, before.n_bytes + len(content)
        )
        self._ledger.write(_line(astuple(self.written)))
        self._ledger.flush()


@contextmanager
def resumable(out: Path, head: Head, start: bytes, *, resume: bool) -> Iterator[Part]:
    """A part of `out` that begins with `start`, and takes its place when all went well.

    With `resume` an earlier one is gone on with, if there is one; UsageError is raised if it was begun otherwise, and
    OutputError if another run is at it. When the run is interrupted or loses a worker, what was written stays; after
    any other failure nothing does.
    """
    path, ledger_path = part_of(out), ledger_of(out)
    is_kept = True  # until it is known to be ours
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with ledger_path.open("ab") as ledger:
            _lock(ledger, out)
            written = _begun(out, head) if resume else Written()
            is_kept = False
            with _opened(ledger, path, head, start, written) as part:
                try:
                    yield part
                except (KeyboardInterrupt, WorkerError):
                    is_kept = part.written.n_blocks > 0
                    raise
            path.replace(out)
    except OSError as error:
        raise OutputError(f"{out}: can't be written: {error.strerror or error}") from None
    finally:
        if not is_kept:
            for left in (path, ledger_path):
                with suppress(OSError):
                    left.unlink()


def part_of(out: Path) -> Path:
    """Where an output stands until it is whole."""
    return out.with_name(f"{out.name}.part")


def ledger_of(out: Path) -> Path:
    """Where it is noted what is in the part."""
    return out.with_name(f"{out.name}.part.ledger")


def _lock(ledger: IO[bytes], out: Path) -> None:
    """Raise OutputError where another run has the ledger open: two that write one part would spoil it."""
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(ledger, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutputError(f"{out}: another run is writing it; wait for that, or name another file with --out") from None
    except OSError:  # a file system that knows no locks
        return


@contextmanager
def _opened(ledger: IO[bytes], path: Path, head: Head, start: bytes, written: Written) -> Iterator[Part]:
    """The part at `path`, cut to what is `written`, or begun anew where that is nothing."""
    is_new = not written.n_blocks
    if is_new:
        ledger.truncate(0)
    ledger.write(_line(head) if is_new else b"\n")  # behind a line that may be cut
    ledger.flush()
    with path.open("wb" if is_new else "r+b") as part:
        part.truncate(written.n_bytes)
        part.seek(written.n_bytes)
        if is_new:
            part.write(start)
            written = Written(n_bytes=len(start))
        yield Part(part, ledger, written)


def _begun(out: Path, head: Head) -> Written:
    """What an earlier run has written; raises UsageError where it was begun with anything else."""
    try:
        first, *lines = ledger_of(out).read_bytes().split(b"\n")
        size = part_of(out).stat().st_size
        before = json.loads(first) if lines else None
    except (OSError, ValueError):
        return Written()
    if before is None:
        return Written()
    if before != head:
        what = _difference(before, head)
        raise UsageError(f"{part_of(out)}: {what}; put that back, or start anew without --resume")
    noted = (Written(*found) for found in map(_parsed, lines) if found)
    return max((one for one in noted if one.n_bytes <= size), key=lambda one: one.n_bytes, default=Written())


def _parsed(line: bytes) -> list[int] | None:
    """A line of the ledger, unless it was cut."""
    try:
        return cast(list[int], json.loads(line))
    except ValueError:
        return None


def _difference(before: Head, head: Head) -> str:
    """How a run was begun otherwise, in words."""
    if before.get("inputs") != head["inputs"]:
        then = dict(before.get("inputs") or ())
        changed = [name for name, sha256 in head["inputs"] if name in then and then[name] != sha256]
        return f"{changed[0]} has changed since it was begun" if changed else "begun with other inputs"
    if before.get("bundle") != head["bundle"]:
        return f"begun with bundle {before.get('bundle')}, this is {head['bundle']}"
    if before.get("options") != head["options"]:
        return "begun with other options"
    return "begun by another version of classify"


def _line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"
