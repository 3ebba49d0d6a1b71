"""Every error a user can meet, drawn as a tree; each is one clear line, or one line a fault."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

MAX_FAULTS_SHOWN = 20


@dataclass(frozen=True)
class Fault:
    """One thing wrong in one file: where it stands and what to do about it.

    >>> str(Fault("labels.csv", 41, "theme", "unknown label 'cyber'"))
    "labels.csv:41: theme: unknown label 'cyber'"
    """

    path: str
    row: int | None
    field: str | None
    message: str

    @property
    def position(self) -> tuple[str, int]:
        """What faults of several files are sorted by: the file, and the row in it."""
        return self.path, self.row or 0

    def __str__(self) -> str:
        place = self.path if self.row is None else f"{self.path}:{self.row}"
        return ": ".join(part for part in (place, self.field, self.message) if part)


class ClassifyError(Exception):
    """The root: something a user can repair. The command line prints it as it is and leaves with `exit_code`."""

    exit_code = 2


class UsageError(ClassifyError):
    """A command was asked for something it can't do."""


class DataError(ClassifyError):
    """Faults in the user's files: all of them in `faults`, or the first of `n_faults`; the first 20 in the message."""

    def __init__(self, faults: Sequence[Fault], n_faults: int | None = None) -> None:
        self.faults = tuple(faults)
        self.n_faults = n_faults = n_faults or len(self.faults)
        shown = self.faults[:MAX_FAULTS_SHOWN]
        lines = [str(fault) for fault in shown]
        if n_faults > len(shown):
            lines.append(f"… and {n_faults - len(shown):,} more faults ({n_faults:,} in all)")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickled by its facts, so that a worker process can raise it."""
        return DataError, (self.faults, self.n_faults)


class OutputError(ClassifyError):
    """A place that can't be written to, or that holds files which are not ours to replace."""


class BundleError(ClassifyError):
    """A bundle that can't be read or trusted."""

    exit_code = 3


class WorkerError(ClassifyError):
    """A process that helped ended without an answer."""


def data_error(path: object, message: str, *, row: int | None = None, field: str | None = None) -> DataError:
    """A DataError with a single fault."""
    return DataError([Fault(str(path), row, field, message)])


def how_many(n: int, thing: str) -> str:
    """A number with its noun.

    >>> how_many(1, "event"), how_many(2, "event")
    ('1 event', '2 events')
    """
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """The end of a message about an unknown word: the nearest known one, or else the list of them.

    >>> did_you_mean("joint_trainng", ["joint_training", "reportage"])
    "did you mean 'joint_training'?"
    >>> did_you_mean("maritime", ["cyber_security", "maritime_cooperation"])
    "did you mean 'maritime_cooperation'?"
    >>> did_you_mean("xyz", ["a", "b"])
    'expected one of: a, b'
    """
    folded = word.casefold()
    parts = [name for name in known if folded and (folded in name.casefold() or name.casefold() in folded)]
    same = [name for name in known if name.casefold() == folded]
    near = same or get_close_matches(word, known, n=1) or get_close_matches(folded, known, n=1) or parts
    return f"did you mean {near[0]!r}?" if near else f"expected one of: {', '.join(known)}"
