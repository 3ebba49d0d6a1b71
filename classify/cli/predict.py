"""classify predict: texts and tables to predictions."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from classify.cli.shell import ModelOption, QuietOption, command, model_or_default, warn

PASSAGE_KEYS = ("id", "document", "start", "end", "text")


class FormatChoice(StrEnum):
    """What to write."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


@command
def predict(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT", help="Files or folders: .txt, .jsonl, .csv, .parquet; - for stdin."),
    ],
    model: ModelOption = None,
    form: Annotated[
        FormatChoice | None,
        typer.Option("--format", help="What to write. [default: as --out is named, else jsonl]", show_default=False),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write. [default: stdout]", show_default=False)] = None,
    quiet: QuietOption = False,
) -> None:
    """Tag passages: one row out for a row in, in order; a .txt becomes its passages.

    Tables need a column text; all columns are carried through. Standard input is JSONL if it starts with {, else one
    text.

    Example: classify predict seeds/*.txt --out predictions.csv

    Example: echo "Both navies agreed to patrol together." | classify predict -
    """
    from classify.data.handlabels import refuse_lost_labels
    from classify.data.inputs import read_inputs
    from classify.data.tables import format_of, import_pyarrow, write_rows
    from classify.errors import UsageError
    from classify.predictor import NESTED_KEYS, Predictor, flat_columns, without_prediction

    asked = form.value if form else None
    written = format_of(out, asked=asked) if out else asked or "jsonl"
    if written == "parquet":
        import_pyarrow()
        if out is None:
            raise UsageError("Parquet can't go to standard output; name a file with --out")
    predictor = Predictor.load(model_or_default(model))
    rows = read_inputs(inputs, on_empty=lambda path: warn([f"{path}: no passage found"], quiet=quiet))
    is_nested, flat = written == "jsonl", predictor.columns
    try:
        own = [{name: row[name] for name in without_prediction(row, flat)} for row in rows]
    except ValueError as error:
        raise UsageError(str(error)) from None
    if out:
        refuse_lost_labels(out, predictor.codebook.task_names, own)
    merged = (
        row | (found.to_row() if is_nested else flat_columns(found))
        for row, found in zip(own, predictor.iter_predict(row["text"] for row in own), strict=True)
    )
    given = dict.fromkeys(name for row in own for name in row) or PASSAGE_KEYS
    write_rows(merged, written, out, columns=[*given, *(NESTED_KEYS if is_nested else flat)])
