"""What every command shares: options, default files, tables on stdout, warnings and progress on stderr."""

import functools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from classify.errors import ClassifyError, UsageError

if TYPE_CHECKING:
    from classify.codebook import Codebook

LABELS = Path("labels")
MODELS = Path("models")
REPORTS = Path("reports")
CODEBOOK_NAME = "codebook.toml"
CODERS_NAME = "coders"
_TABLE_WIDTH = 1000
"""Wider than any table: a narrow terminal breaks lines, but no number is lost."""

LabelsOption = Annotated[
    list[Path] | None,
    typer.Option("--labels",
                 help="Labelled passages (JSONL, CSV, Parquet) or folders of them; repeatable. [default: labels/]",
                 show_default=False),
]  # fmt: skip
CodebookOption = Annotated[
    Path | None,
    typer.Option("--codebook",
                 help="The codebook (TOML). [default: the one beside the labels, else labels/codebook.toml]",
                 show_default=False),
]  # fmt: skip
CodersOption = Annotated[
    list[Path] | None,
    typer.Option("--coders",
                 help="Each coder's own labels; repeatable. [default: coders/ beside the labels, if any]",
                 show_default=False),
]  # fmt: skip
ModelOption = Annotated[
    Path | None,
    typer.Option("--model", help="A bundle's folder. [default: the only one under models/]", show_default=False),
]
UnlabelledOption = Annotated[
    list[Path] | None,
    typer.Option("--unlabelled",
                 help="Text without labels, such as the corpus itself, to learn from which words go together;"
                      " repeatable.",
                 show_default=False),
]  # fmt: skip
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
TextFieldOption = Annotated[str, typer.Option("--text-field", help="The column of tables that holds the text.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No warnings and no progress.")]


def command(function: Callable[..., None]) -> Callable[..., None]:
    """A user's mistake becomes its line on standard error and its exit code; Ctrl-C becomes 130."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            function(*args, **kwargs)
            sys.stdout.flush()
        except ClassifyError as error:
            print(error, file=sys.stderr)  # noqa: T201
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)  # noqa: T201
            raise typer.Exit(130) from None
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None

    return wrapped


def warn(messages: Iterable[str], *, quiet: bool) -> None:
    """One line a warning on standard error; the first 20 and a count."""
    listed = list(messages)
    if quiet:
        return
    for message in listed[:20]:
        print(f"warning: {message}", file=sys.stderr)  # noqa: T201
    if len(listed) > 20:
        print(f"warning: … and {len(listed) - 20} more warnings", file=sys.stderr)  # noqa: T201


def say(text: str = "") -> None:
    """A line of the result, as it is."""
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode() + "\n")


def say_json(result: object) -> None:
    """The result as JSON, keys in a fixed order."""
    from classify.files import to_json

    sys.stdout.write(to_json(result, indent=1))


def say_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table as part of the result."""
    say(table_text(title, columns, rows))


def table_text(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """An aligned table that is never cropped: the first column to the left, the others, numbers, to the right."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(
            *("–" if cell is None else f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row)
        )
    console = Console(highlight=False, markup=False, emoji=False, color_system=None, width=_TABLE_WIDTH)
    with console.capture() as captured:
        console.print(table)
    lines = [line.rstrip() for line in captured.get().splitlines()]
    return "\n".join([title, *lines]) + "\n"


@contextmanager
def progress(title: str, *, quiet: bool) -> Iterator[Callable[[float, float], None]]:
    """A bar on standard error, where that is a terminal; gives what to call with work done and work in all."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn(title), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def counting(title: str, *, quiet: bool) -> Iterator[Callable[[int, int, int], None]]:
    """The same for rows, with how many a second; gives what to call with rows done, bytes done and bytes in all."""
    if quiet or not sys.stderr.isatty():
        yield lambda n_rows, n_done, n_all: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    rows = TextColumn("{task.fields[rows]}")
    columns = (TextColumn(title), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), rows)
    with Progress(*columns, console=Console(stderr=True), transient=True, refresh_per_second=5) as bar:
        task = bar.add_task(title, total=None, rows="")
        first: list[tuple[float, int]] = []

        def count(n_rows: int, n_done: int, n_all: int) -> None:
            first[:] = first or [(monotonic(), n_rows)]
            seconds = monotonic() - first[0][0]
            rate = f", {(n_rows - first[0][1]) / seconds:,.0f} a second" if seconds > 1 else ""
            bar.update(task, completed=n_done, total=n_all or None, rows=f"{n_rows:,} rows{rate}")

        yield count


def labels_or_default(labels: Sequence[Path] | None) -> list[Path]:
    """The files given, or this folder's `labels/`."""
    if labels:
        return list(labels)
    if not LABELS.exists():
        raise UsageError(f"no {LABELS}/ here; name the labelled passages with --labels, or start in a checkout")
    return [LABELS]


def codebook_or_default(codebook: Path | None, labels: Sequence[Path] | None) -> "Codebook":
    """The codebook given, or the one beside the labels, or this folder's."""
    from classify.codebook import load_codebook

    if codebook is None:
        beside = [_folder_of(path) / CODEBOOK_NAME for path in labels or ()]
        codebook = next((path for path in beside if path.exists()), LABELS / CODEBOOK_NAME)
    return load_codebook(codebook)


def coders_or_default(coders: Sequence[Path] | None, labels: Sequence[Path] | None) -> list[Path]:
    """The coders' files given, or the folder `coders/` beside the labels if there is one, or none."""
    if coders:
        return list(coders)
    beside = [_folder_of(path) / CODERS_NAME for path in labels or [LABELS]]
    return [path for path in dict.fromkeys(beside) if path.is_dir()]


def model_or_default(model: Path | None) -> Path:
    """The bundle given, or the only one under `models/`."""
    from classify.bundle import MANIFEST

    if model is not None:
        return model
    found = sorted(path.parent for path in MODELS.glob(f"*/{MANIFEST}"))
    if not found:
        raise UsageError(f"no bundle under {MODELS}/; make one with classify train, or name one with --model")
    if len(found) > 1:
        raise UsageError(
            f"several bundles under {MODELS}/ ({', '.join(path.name for path in found)}); name one with --model"
        )
    return found[0]


def _folder_of(path: Path) -> Path:
    return path if path.is_dir() else path.parent
