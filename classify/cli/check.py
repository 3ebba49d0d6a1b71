"""classify check: every fault of codebook and labels, with row and remedy; trains nothing."""

from dataclasses import asdict
from pathlib import Path

import typer

from classify.cli.shell import (
    CodebookOption,
    JsonOption,
    LabelsOption,
    QuietOption,
    codebook_or_default,
    command,
    labels_or_default,
    say,
    say_json,
    say_table,
    warn,
)
from classify.errors import how_many


@command
def check(
    labels: LabelsOption = None,
    codebook: CodebookOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Check a codebook and labelled passages, and count them. Exit code 1 if there are faults.

    Example: classify check --labels my-labels.csv --codebook my-codebook.toml
    """
    from classify.data.dataset import counts_by_label, dataset_warnings, load_labels
    from classify.errors import DataError

    files = labels_or_default(labels)
    try:
        book = codebook_or_default(codebook, labels)
        dataset = load_labels(files, book)
    except DataError as error:
        if json:
            say_json({"faults": [asdict(fault) for fault in error.faults]})
        typer.echo(str(error), err=True)
        typer.echo(f"{len(error.faults)} faults" if len(error.faults) > 1 else "1 fault", err=True)
        is_missing = any(not Path(fault.path).exists() for fault in error.faults)
        raise typer.Exit(2 if is_missing else 1) from None
    warn(dataset_warnings(dataset), quiet=quiet)
    counts = counts_by_label(dataset)
    n_events = len(dataset.event_names)
    if json:
        tasks = {
            task: {label: {"support": n, "events": events} for label, (n, events) in found.items()}
            for task, found in counts.items()
        }
        say_json({"passages": len(dataset.passages), "events": n_events, "codebook": book.name, "tasks": tasks})
        return
    passages = f"{how_many(len(dataset.passages), 'passage')}, {how_many(n_events, 'event')}"
    say(f"no faults: {passages}, codebook {book.name} {book.version}\n")
    for task, found in counts.items():
        n_coded = int(dataset.gold(book[task]).coded.sum())
        rows = [(label, n, events) for label, (n, events) in found.items()]
        say_table(f"{task} ({how_many(n_coded, 'passage')} coded)", ("label", "passages", "events"), rows)
