"""classify predict: texts and tables to predictions."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from classify.cli.shell import ModelOption, QuietOption, command, model_or_default, warn

if TYPE_CHECKING:
    from classify.passages import Prediction


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
    from classify.data.inputs import read_inputs
    from classify.data.tables import format_of, write_rows
    from classify.predictor import Predictor, flat_columns

    asked = form.value if form else None
    written = format_of(out, asked=asked) if out else asked or "jsonl"
    predictor = Predictor.load(model_or_default(model))
    rows = read_inputs(inputs, on_empty=lambda path: warn([f"{path}: no passage found"], quiet=quiet))
    predictions = predictor.predict([row["text"] for row in rows])
    add = _nested if written == "jsonl" else flat_columns
    merged = ({**_without(row, add(given)), **add(given)} for row, given in zip(rows, predictions, strict=True))
    write_rows(merged, written, out)


def _nested(prediction: "Prediction") -> dict[str, object]:
    return prediction.to_row()


def _without(row: dict[str, Any], added: dict[str, object]) -> dict[str, Any]:
    """The row without what an earlier prediction left in it."""
    return {key: value for key, value in row.items() if key not in added}
