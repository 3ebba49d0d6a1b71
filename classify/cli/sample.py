"""classify sample: a corpus to an audit sample, ready to be coded."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classify.cli.shell import (
    LABELS,
    CodebookOption,
    LabelsOption,
    QuietOption,
    TextFieldOption,
    codebook_or_default,
    command,
    labels_or_default,
    warn,
)

if TYPE_CHECKING:
    from classify.codebook import Codebook
    from classify.data.samplingframe import SamplingFrame


@command
def sample(
    corpus: Annotated[
        list[Path],
        typer.Argument(metavar="CORPUS", help="All passages: .txt, .jsonl, .csv, .parquet or folders of them."),
    ],
    n: Annotated[int | None, typer.Option("-n", min=1, help="How many passages to draw.", show_default=False)] = None,
    by: Annotated[
        str | None,
        typer.Option(help="Draw from each source, month or value of another field, 15 at least.", show_default=False),
    ] = None,
    half_width: Annotated[
        float | None,
        typer.Option(help="Instead of -n: as many as give intervals of ± this, .05 say.", show_default=False),
    ] = None,
    share: Annotated[float, typer.Option(help="For --half-width: a guess of the share.")] = 0.3,
    labels: LabelsOption = None,
    codebook: CodebookOption = None,
    text_field: TextFieldOption = "text",
    seed: Annotated[int, typer.Option(min=0, help="The seed of the draw.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write: .csv, .jsonl or .parquet. [default: CSV to stdout]", show_default=False),
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Draw passages at random to be coded by hand, so that classify shares can tell what the corpus holds.

    Passages, not whole documents: passages of a document are alike, so that a hundred at random give intervals about
    a quarter narrower than a dozen whole documents. Code from the top and stop where you like: the rows coded so far
    are a random sample too. Leave rows that you haven't coded in the sheet. With the same seed a larger -n begins
    with the same rows, so that labels can be copied to its top. What a machine tagged is left out, so that it can't
    lead.

    Example: classify sample corpus/ -n 200 --out audit.csv

    Example: classify sample corpus.jsonl --by month --half-width 0.05 --out audit.csv
    """
    from classify.data.auditdraw import draw_audit, fill_sheet
    from classify.data.corpusrows import CorpusRows
    from classify.data.handlabels import refuse_lost_labels
    from classify.data.samplingframe import read_frame
    from classify.data.tables import format_of, write_rows
    from classify.errors import UsageError, how_many

    if (n is None) == (half_width is None):
        raise UsageError("give either -n or --half-width")
    form = format_of(out) if out else "csv"
    book = codebook_or_default(codebook, labels)
    rows = CorpusRows(
        corpus, text_field=text_field, on_empty=lambda path: warn([f"{path}: no passage found"], quiet=quiet)
    )
    frame = read_frame(rows, by=by, seed=seed)
    if n is None:
        assert half_width is not None
        n = _planned(frame, half_width, share, labels, book, quiet=quiet)
    if n > len(frame.number):
        warn([f"only {how_many(len(frame.number), 'passage')}: all of them are taken"], quiet=quiet)
    drawn = fill_sheet(rows, frame, draw_audit(frame, n), tasks=book.task_names, nested=form != "csv")
    if out:
        refuse_lost_labels(out, book.task_names, drawn)
    write_rows(drawn, form, out)


def _planned(
    frame: "SamplingFrame",
    half_width: float,
    share: float,
    labels: Sequence[Path] | None,
    codebook: "Codebook",
    *,
    quiet: bool,
) -> int:
    """How many passages give the half-width, with passages of an event as alike as the labelled ones.

    Without labels they are taken to be all the same, which costs little where passages are drawn one by one.
    """
    from classify.data.auditdraw import least_draw
    from classify.data.auditsample import likeness
    from classify.data.dataset import load_labels
    from classify.errors import UsageError, how_many
    from classify.measure.sampleplan import sample_size

    correlation = likeness(load_labels(labels_or_default(labels), codebook)) if labels or LABELS.exists() else 1.0
    try:
        n = sample_size(half_width, share, frame.document_sizes, correlation)
    except ValueError as error:
        raise UsageError(f"--half-width and --share: {error}") from None
    if not quiet:
        typer.echo(f"{n} passages for ± {half_width} at a share of {share} by hand labels alone", err=True)
    if n < (least := least_draw(frame)):
        warn([f"{least} are drawn: {how_many(len(frame.strata), 'part')} need so many"], quiet=quiet)
    return max(n, least)
