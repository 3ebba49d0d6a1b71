"""classify audit-splits: a test that the folds don't leak."""

from pathlib import Path
from typing import Annotated

import typer

from classify.cli.shell import (
    CodebookOption,
    JsonOption,
    LabelsOption,
    QuietOption,
    codebook_or_default,
    command,
    labels_or_default,
    progress,
    say,
    say_json,
    say_table,
    warn,
)


@command
def audit_splits(
    labels: LabelsOption = None,
    codebook: CodebookOption = None,
    config: Annotated[Path | None, typer.Option(help="Settings (TOML) of the training to test with.")] = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Test on your own labels that nothing leaks from held-out passages into what is learnt.

    First, labels are dealt to other events 20 times, so that there is nothing to learn: a mean AUC surely above .55 is
    a leak. Beside it stands what folds of single passages would read. Second, every document comes again with a tenth
    of its words dropped: the copies must be found, and scores must not rise. Exit code 1 if a test fails.

    Example: classify audit-splits --labels labels/
    """
    from classify.data.dataset import dataset_warnings, load_labels
    from classify.evaluation.audit import audit_splits as run_audit
    from classify.learn.settings import TrainingSettings, load_settings

    dataset = load_labels(labels_or_default(labels), codebook_or_default(codebook, labels))
    settings = load_settings(config) if config else TrainingSettings()
    warn(dataset_warnings(dataset), quiet=quiet)
    with progress("testing the splits", quiet=quiet) as on_step:
        audit = run_audit(dataset, settings=settings, on_step=on_step)
    if json:
        say_json(audit.to_dict())
    else:
        columns = ("label", "mean AUC by event", "draws from", "to (95%)", "AUC by passage", "")
        rows = [
            (f"{b.task}: {b.label}", b.mean, b.low, b.high, b.mean_by_passage, "" if b.is_tight else "LEAKS")
            for b in audit.null
        ]
        say_table("shuffled labels, 20 draws: one half or less is right, surely more than .55 is a leak", columns, rows)
        copies = audit.copies
        say(f"copies of all documents, a tenth of their words dropped: {copies.joined:.0%} found (95% needed)")
        ways = ("average precision", "as it is", "with copies", "copies not looked for")
        say_table("", ways, [(task, *values) for task, values in copies.average_precision.items()])
        say("the splits hold" if audit.is_tight else "a test failed: see the lines above")
    if not audit.is_tight:
        raise typer.Exit(1)
