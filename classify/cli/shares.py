"""classify shares: predictions and an audit sample to shares that can be published."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classify.cli.shell import (
    CodebookOption,
    JsonOption,
    QuietOption,
    codebook_or_default,
    command,
    model_or_default,
    say,
    say_json,
    say_table,
    warn,
)

if TYPE_CHECKING:
    from classify.estimate.results import LabelChange, LabelShare, Shares


AuditOption = Annotated[
    list[Path] | None,
    typer.Option("--audit", help="Coded passages of classify sample; repeatable.", show_default=False),
]
PredictedByOption = Annotated[
    Path | None,
    typer.Option("--model",
                 help="The bundle that predicted, to see what it learnt from. [default: the only one in models/]",
                 show_default=False),
]  # fmt: skip
HeldOutOption = Annotated[
    Path | None,
    typer.Option("--held-out",
                 help="An evaluation's folder: scores for audited passages that were also trained on.",
                 show_default=False),
]  # fmt: skip


@command
def shares(
    predictions: Annotated[
        list[Path],
        typer.Argument(metavar="PREDICTIONS", help="The whole corpus as classify predict wrote it; files or folders."),
    ],
    audit: AuditOption = None,
    by: Annotated[
        str | None,
        typer.Option(help="Also for each source, month, year or value of another field.", show_default=False),
    ] = None,
    codebook: CodebookOption = None,
    model: PredictedByOption = None,
    held_out: HeldOutOption = None,
    score_field: Annotated[
        list[str] | None,
        typer.Option(help="Audit another tagger's scores, in [0, 1]: LABEL=COLUMN; repeatable.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Also write shares.json, tables and figures here.", show_default=False)
    ] = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:  # fmt: skip
    """Estimate which share of a corpus carries each label, with intervals that hold.

    Counting machine tags gives a share that is off by an unknown amount. Passages drawn by classify sample and coded by
    hand say how far: their labels correct the scores of the whole corpus, so that a good tagger narrows the interval
    and a bad one does no harm. Without --audit there are machine-tag rates and no intervals.

    Example: classify shares predictions.jsonl --audit audit.csv --by month --out reports/shares
    """
    from classify.data.tagreader import read_tags
    from classify.estimate.shares import machine_rates

    asked = (by,) if by else ()
    if not audit:
        found = machine_rates(read_tags(predictions, by=asked), by=by)
        warn(["no --audit: machine-tag rates, off by an unknown amount, and no shares"], quiet=quiet)
    else:
        from classify.bundle import load_bundle
        from classify.data.dataset import load_labels
        from classify.estimate.shares import estimate_shares

        found = estimate_shares(
            predictions,
            load_labels(audit, codebook_or_default(codebook, None)),
            by=by,
            bundle=None if score_field else load_bundle(model_or_default(model)),
            held_out=held_out,
            scores=_columns_of(score_field or ()),
        )
    if out:
        from classify.report.sharefiles import write_shares

        write_shares(found, out)
    if json:
        say_json(found.to_dict())
        return
    for task in found.tasks:
        say_shares(found, task)
    if audit:
        say("audited: passages coded by hand (of them with the label); labels only: the share among these, weighted")
        say("effective: so many passages drawn one by one from an endless corpus would give the same interval")
        say("worth: so many more passages of this corpus would have to be coded without the tags")
    for note in found.notes:
        say(note)
    if out:
        say(f"shares: {out}")


def _columns_of(pairs: Sequence[str]) -> dict[str, str]:
    """`label=column`, or a column that is called as its label."""
    return {label: column or label for label, _, column in (pair.partition("=") for pair in pairs)}


def say_shares(found: "Shares", task: str) -> None:
    """A task's shares as a table each for the whole corpus and its parts; machine-tag rates where none was audited."""
    for cell in ["", *found.cells]:
        rows = found.of(task, cell)
        part = f", {found.by} {cell}" if cell else ""
        audited = max(one.share.n for one in rows)
        head = f"{task}{part}: {rows[0].n_passages} passages"
        if not audited:
            say_table(f"{head}; machine-tag rates, which are no shares", ("label", "machine-tag rate"),
                      [(one.label, one.machine_rate) for one in rows])  # fmt: skip
            continue
        columns = ("label", "share", "labels only", "machine-tag rate", "audited", "effective", "worth")
        thin = "; few audited" if any(one.is_thin for one in rows) else ""
        say_table(f"{head}, {audited} audited{thin}", columns, map(_row, rows))
    changes = [one for one in found.changes if one.task == task and one.p_holm is not None and one.p_holm < 0.05]
    if changes:
        say_table(f"{task}: what surely changes (p under .05, adjusted after Holm)",
                  ("label", "change", "p"), map(_change_row, changes))  # fmt: skip
    elif any(one.task == task for one in found.changes):
        what = "trend" if found.changes[0].is_trend else "difference between shares"
        say(f"{task}: no sure {what} (p under .05, adjusted after Holm)\n")


def _row(one: "LabelShare") -> tuple[object, ...]:
    share = one.share
    hits = f"{share.n} ({share.n_positive})"
    effective = "all" if math.isinf(share.effective_n) else f"{share.effective_n:.0f}"
    worth = f"+{share.worth:.0f}" if share.n else None
    return one.label, str(share.estimate), share.labels_only, one.machine_rate, hits, effective, worth


def _change_row(one: "LabelChange") -> tuple[object, ...]:
    from classify.report.corpusshares import p_value

    p = p_value(one.p_holm or 0.0).removeprefix("= ")
    return f"{one.label}: {one.first} to {one.second}", one.change.estimate.signed, p
