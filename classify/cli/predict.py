"""classify predict: texts and tables to predictions."""

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classify.cli.shell import ModelOption, QuietOption, TextFieldOption, command, counting, model_or_default, warn
from classify.errors import how_many

if TYPE_CHECKING:
    from classify.tagging.rows import Options
    from classify.tagging.run import Outcome


class FormatChoice(StrEnum):
    """What to write."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


class OnErrorChoice(StrEnum):
    """What to do about a bad row."""

    STOP = "stop"
    KEEP = "keep"


@command
def predict(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT",
                       help="Files, folders or quoted patterns: .txt, .jsonl, .csv, their .gz, .parquet; - for stdin."),
    ],
    model: ModelOption = None,
    form: Annotated[
        FormatChoice | None,
        typer.Option("--format", help="What to write. [default: as --out is named, else jsonl]", show_default=False),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write. [default: stdout]", show_default=False)] = None,
    text_field: TextFieldOption = "text",
    id_field: Annotated[
        str | None,
        typer.Option(help="The column of tables that tells rows apart: messages quote it, and rows without an id get it"
                          " as their id.",
                     show_default=False),
    ] = None,
    on_error: Annotated[
        OnErrorChoice,
        typer.Option(help="Rows without a text: stop, name them and leave no file; or keep them in their place, with"
                          " an error and no prediction."),
    ] = OnErrorChoice.STOP,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a run that was interrupted left off (.jsonl, .csv).")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes to work in.")] = 1,
    quiet: QuietOption = False,
) -> None:  # fmt: skip
    """Tag passages: one row out for a row in, in order; a .txt becomes its passages.

    Tables need a column text, or another named by --text-field; all columns are carried through. Standard input is
    JSONL if it starts with {, else one text. Inputs may be of any size. In a CSV, text that a spreadsheet would run as
    a formula comes behind an apostrophe.

    Example: classify predict seeds/*.txt --out predictions.csv

    Example: classify predict 'news/**/*.jsonl.gz' --text-field body --id-field url --jobs 2 --out tagged.jsonl

    Example: echo "Both navies agreed to patrol together." | classify predict -
    """
    if jobs > 1:
        from classify.tagging.processes import begin_server

        begin_server(__name__)  # before this process loads what takes time
    from classify.data.documents import folders_passed_over
    from classify.data.tables import format_of, import_pyarrow
    from classify.errors import UsageError, WorkerError
    from classify.predictor import Predictor
    from classify.tagging.resume import part_of
    from classify.tagging.rows import Options
    from classify.tagging.run import tag_files

    asked = form.value if form else None
    written = format_of(out, asked=asked) if out else asked or "jsonl"
    if written == "parquet":
        import_pyarrow()
        if out is None:
            raise UsageError("Parquet can't go to standard output; name a file with --out")
    predictor = Predictor.load(model_or_default(model))
    options = Options(written, text_field, id_field, keeps_faults=on_error is OnErrorChoice.KEEP)
    is_shown = out is None and sys.stdout.isatty()
    passed_over = folders_passed_over(inputs)
    warn([f"{path}: folders in it are passed over; '{path}/**' is all below it" for path in passed_over], quiet=quiet)
    is_anew = out is not None and resume and not part_of(out).exists()
    try:
        with counting("tagging", quiet=quiet or is_shown) as on_progress:
            outcome = tag_files(inputs, predictor, options, out, jobs=jobs, resume=resume, on_progress=on_progress)
    except (KeyboardInterrupt, WorkerError):
        if out and part_of(out).exists():
            warn([f"{part_of(out)} holds what was tagged so far; go on with --resume"], quiet=quiet)
        raise
    warn(_warnings(outcome, options), quiet=quiet)
    if out and is_anew:
        warn([f"{part_of(out)} wasn't there to go on with: begun anew"], quiet=quiet)
    if out and not quiet and sys.stderr.isatty():
        typer.echo(f"{how_many(outcome.n_rows, 'row')} of {how_many(outcome.n_files, 'input')}: {out}", err=True)


def _warnings(outcome: "Outcome", options: "Options") -> Iterator[str]:
    """What to tell of a run that went well."""
    yield from outcome.empty
    if outcome.n_faults:
        first = f"; the first: {outcome.faults[0]}" if outcome.faults else ""
        yield f"{how_many(outcome.n_faults, 'row')} without a prediction, see error{first}"
    if outcome.n_without_id:
        yield f"{how_many(outcome.n_without_id, 'row')} without {options.id_field}, which --id-field names"
