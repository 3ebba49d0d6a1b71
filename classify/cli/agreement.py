"""classify agreement: how far coders agree, and where they don't."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classify.cli.shell import (
    LABELS,
    CodebookOption,
    CodersOption,
    JsonOption,
    LabelsOption,
    QuietOption,
    codebook_or_default,
    coders_or_default,
    command,
    say,
    say_json,
    say_table,
)
from classify.errors import how_many

if TYPE_CHECKING:
    from classify.codebook import Codebook
    from classify.evaluation.agreement import Row
    from classify.evaluation.results import TaskAgreement


@command
def agreement(
    coders: CodersOption = None,
    labels: LabelsOption = None,
    codebook: CodebookOption = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the disagreements to this .csv, .jsonl or .parquet, to be adjudicated.")
    ] = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Agreement between coders, label by label and overall, with 95% intervals over events.

    alpha is Krippendorff's; agreement on positives is how often one coder gives a label that another gave, the
    ceiling for a model's F1. The labels files, where there are any, say which passages belong to one event.

    Example: classify agreement --coders coders/anna.csv --coders coders/ben.csv --out to-adjudicate.csv
    """
    from classify.data.annotations import read_coders
    from classify.data.tables import format_of
    from classify.errors import UsageError
    from classify.evaluation.agreement import find_disagreements, measure_agreement
    from classify.report.tables import agreement_dict

    files = coders_or_default(coders, labels)
    if not files:
        raise UsageError("no labels/coders/ here; name each coder's labels with --coders")
    form = format_of(out) if out else None
    book = codebook_or_default(codebook, labels or coders)
    coded = read_coders(files, book)
    known = labels or ([LABELS] if not coders and LABELS.exists() else [])
    facts, clusters = _facts_and_events(known, book) if known else ({}, {})
    found = measure_agreement(coded, book, clusters=clusters)
    names = sorted({row.coder for row in coded})
    if not found:
        raise UsageError(f"no passage was coded twice; found coders {', '.join(names)}; expected two with the same ids")
    disagreements = find_disagreements(coded, book, known=facts)
    if out and form:
        _write_disagreements(disagreements, book, form, out)
    if json:
        say_json(
            {"coders": names, "disagreements": len(disagreements), "tasks": [agreement_dict(a) for a in found.values()]}
        )
        return
    say(f"coders: {', '.join(names)}\n")
    for task in found.values():
        _say_agreement(task)
    say(
        f"{how_many(len(disagreements), 'passage')} to adjudicate"
        + (f", written to {out}" if out else "; --out FILE writes them")
    )


def _facts_and_events(
    labels: Sequence[Path], codebook: "Codebook"
) -> tuple[Mapping[str, Mapping[str, object]], Mapping[str, str]]:
    """What the labels files say of each passage id: its text, document and event, and the event it belongs to."""
    from classify.data.dataset import load_labels

    dataset = load_labels(labels, codebook)
    facts = {p.id: {"text": p.text, "document": p.document, "event": p.event} for p in dataset.passages}
    return facts, {p.id: dataset.events.of_document[p.document] for p in dataset.passages}


def _write_disagreements(rows: Sequence["Row"], codebook: "Codebook", form: str, path: Path) -> None:
    from classify.data.handlabels import refuse_lost_labels
    from classify.data.tables import write_rows
    from classify.evaluation.agreement import flat_disagreement

    sheet = rows if form == "jsonl" else [flat_disagreement(row, codebook) for row in rows]
    refuse_lost_labels(path, codebook.task_names, sheet)
    write_rows(sheet, form, path)


def _say_agreement(task: "TaskAgreement") -> None:
    counts = f"{how_many(task.n_double, 'passage')} coded twice, {how_many(task.n_clusters, 'event')}"
    title = f"{task.task}: {counts}; {task.measure} {task.overall}"
    rows = [(row.name, row.n_positive, row.alpha, row.specific, row.percent) for row in task.labels]
    say_table(title, ("label", "given by any", "alpha", "agreement on positives", "percent agreement"), rows)
