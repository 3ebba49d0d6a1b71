"""classify report: predictions to a page about the whole corpus."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classify.cli.shares import AuditOption, HeldOutOption, PredictedByOption, say_shares
from classify.cli.shell import (
    REPORTS,
    CodebookOption,
    QuietOption,
    TextFieldOption,
    codebook_or_default,
    command,
    model_or_default,
    say,
    say_table,
    warn,
)
from classify.errors import how_many

if TYPE_CHECKING:
    from classify.report.corpus import Corpus

ByOption = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="FIELD", help="Count by register, year or another field too; repeatable."),
]


@command
def report(
    predictions: Annotated[
        list[Path],
        typer.Argument(help="Files that classify predict wrote (.jsonl, .csv, .parquet), or folders of them."),
    ],
    by: ByOption = None,
    audit: AuditOption = None,
    codebook: CodebookOption = None,
    model: PredictedByOption = None,
    held_out: HeldOutOption = None,
    text_field: TextFieldOption = "text",
    out: Annotated[Path, typer.Option(help="The report's folder.")] = REPORTS / "corpus",
    quiet: QuietOption = False,
) -> None:
    """Show what a corpus was tagged with: by source, by month, side by side, with the passages behind every number.

    Writes report.html, one page to read without a network, counts.csv, its numbers, and passages.csv, every passage.
    The numbers count machine tags: no measured shares. With --audit, a sample that classify sample drew and somebody
    coded, the page begins with shares and their intervals, as classify shares estimates them.

    Example: classify report predictions.jsonl --by register --audit audit.csv
    """
    from classify.report.corpusfiles import REPORT, report_corpus

    sample = bundle = None
    if audit:
        from classify.bundle import load_bundle
        from classify.data.dataset import load_labels

        sample = load_labels(audit, codebook_or_default(codebook, None))
        bundle = load_bundle(model_or_default(model))
    found = report_corpus(
        predictions, out, by=by or (), audit=sample, bundle=bundle, held_out=held_out, text_field=text_field
    )
    warn(found.corpus.notes, quiet=quiet)
    _say_corpus(found.corpus, is_audited=bool(found.shares))
    for shares in found.shares[:1]:
        for task in shares.tasks:
            say_shares(shares, task)
    say(f"report: {out / REPORT}")


def _say_corpus(corpus: "Corpus", *, is_audited: bool) -> None:
    from classify.report.corpus import CAUTION

    say(f"{how_many(corpus.n_passages, 'passage')}.{'' if is_audited else f' {CAUTION}'}\n")
    for name, table in corpus.overall.items():
        rows = [(row, n, n / corpus.n_passages) for row, n in zip(table.rows, table.n[:, 0].tolist(), strict=True)]
        say_table(f"{name}: passages machine-tagged", ("label", "passages", "rate"), rows)
