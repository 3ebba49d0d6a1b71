"""classify segment: documents to passages, ready to be coded."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classify.cli.shell import CODEBOOK_NAME, LABELS, CodebookOption, QuietOption, codebook_or_default, command, warn
from classify.errors import how_many

if TYPE_CHECKING:
    from classify.passages import Passage


class UnitChoice(StrEnum):
    """What a passage is."""

    PARAGRAPH = "paragraph"
    SENTENCE = "sentence"


@command
def segment(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT", help="Text files, folders of .txt files, or - for stdin.")
    ],
    unit: Annotated[UnitChoice, typer.Option(help="What a passage is.")] = UnitChoice.PARAGRAPH,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Draw this many passages at random, each with equal probability.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The seed of the draw.")] = 0,
    codebook: CodebookOption = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write: .jsonl, .csv or .parquet. [default: JSONL to stdout]", show_default=False),
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Cut documents into passages, one paragraph each.

    A CSV has an empty column for every task of the codebook: fill in the labels (joined by |; none = coded, none
    applies) and give it to --labels. With --sample the rows carry how likely they were drawn, so that shares of the
    corpus can be estimated from them.

    Example: classify segment seeds/*.txt --sample 20 --seed 1 --out to-code.csv
    """
    from classify.data.handlabels import refuse_lost_labels
    from classify.data.tables import format_of, write_rows

    form = format_of(out) if out else "jsonl"
    tasks = _task_names(codebook, quiet=quiet)
    passages = _read_passages(inputs, unit, quiet=quiet)
    extra: dict[str, object] = {}
    if sample is not None and passages:
        extra = {"selection": "audit", "inclusion_probability": min(sample, len(passages)) / len(passages)}
        passages = _draw(passages, sample, seed=seed, quiet=quiet)
    coding: dict[str, object] = dict.fromkeys(tasks, "") if form == "csv" else {}
    if tasks and not coding:
        coding = {"labels": dict.fromkeys(tasks)}
    facts = ("id", "document", "start", "end", "text")
    rows = [{name: getattr(passage, name) for name in facts} | coding | extra for passage in passages]
    if out:
        refuse_lost_labels(out, tasks, rows)
    write_rows(rows, form, out, columns=[*facts, *coding, *extra])


def _task_names(codebook: Path | None, *, quiet: bool) -> tuple[str, ...]:
    """The tasks to code, none where there is no codebook."""
    if codebook is not None or (LABELS / CODEBOOK_NAME).exists():
        return codebook_or_default(codebook, None).task_names
    warn([f"no {LABELS / CODEBOOK_NAME} here and no --codebook: the rows have no task columns"], quiet=quiet)
    return ()


def _read_passages(inputs: Sequence[Path], unit: UnitChoice, *, quiet: bool) -> list["Passage"]:
    """The passages of all documents; on a terminal, how many lines are none."""
    from classify.data.documents import expand, read_document
    from classify.data.segment import left_out
    from classify.data.segment import segment as segment_document
    from classify.data.tables import TABLE_SUFFIXES
    from classify.errors import UsageError

    passages, n_left_out = [], 0
    for path in dict.fromkeys(expand(inputs, (".txt",))):
        if path.name.endswith(TABLE_SUFFIXES):
            raise UsageError(f"{path}: a table, which is passages already; segment takes plain text")
        document = read_document(path)
        found = segment_document(document, unit=unit.value)
        if not found:
            warn([f"{path}: no passage found; the file holds headings or marks only"], quiet=quiet)
        passages.extend(found)
        n_left_out += len(left_out(document))
    if n_left_out and not quiet and sys.stderr.isatty():
        counts = f"{how_many(len(passages), 'passage')}; {how_many(n_left_out, 'line')} left out"
        typer.echo(f"{counts} (headings, datelines, links, category lines)", err=True)
    return passages


def _draw(passages: Sequence["Passage"], n: int, *, seed: int, quiet: bool) -> list["Passage"]:
    """The passages drawn, in their order: those that classify sample would draw with the same seed."""
    from classify.data.auditdraw import draw_audit
    from classify.data.samplingframe import read_frame

    if n > len(passages):
        warn([f"only {how_many(len(passages), 'passage')}: all of them are taken"], quiet=quiet)
    drawn = draw_audit(read_frame([{"id": passage.id} for passage in passages], seed=seed), n)
    return [passages[row] for row in sorted(one.row for one in drawn)]
