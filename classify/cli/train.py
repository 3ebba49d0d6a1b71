"""classify train: labelled passages to a bundle."""

from pathlib import Path
from typing import Annotated

import typer

from classify.cli.shell import (
    MODELS,
    CodebookOption,
    JsonOption,
    LabelsOption,
    QuietOption,
    UnlabelledOption,
    codebook_or_default,
    command,
    labels_or_default,
    say,
    say_json,
    say_table,
    warn,
)


@command
def train(
    labels: LabelsOption = None,
    codebook: CodebookOption = None,
    config: Annotated[
        Path | None, typer.Option(help="Settings (TOML); what it doesn't name keeps its default.")
    ] = None,
    unlabelled: UnlabelledOption = None,
    prevalence_from: Annotated[
        list[Path] | None,
        typer.Option(
            help="An audit sample, labelled and with inclusion_probability: thresholds and probabilities are reset to"
            " its prevalence; repeatable.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The bundle's folder. [default: models/<codebook name>]", show_default=False)
    ] = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Train a model on labelled passages and save it as a bundle: a folder of data that can't run code.

    Example: classify train --labels labels/ --codebook labels/codebook.toml --out models/mine
    """
    from classify.bundle import refuse_foreign_bundle
    from classify.data.auditsample import FEW
    from classify.data.dataset import dataset_warnings, load_labels
    from classify.data.inputs import read_texts
    from classify.errors import how_many
    from classify.learn.settings import TrainingSettings, load_settings
    from classify.learn.training import train as train_bundle

    files = labels_or_default(labels)
    book = codebook_or_default(codebook, labels)
    settings = load_settings(config) if config else TrainingSettings()
    folder = out or MODELS / book.name
    refuse_foreign_bundle(folder)
    dataset = load_labels(files, book)
    warn(dataset_warnings(dataset), quiet=quiet)
    audit = load_labels(prevalence_from, book) if prevalence_from else None
    texts = read_texts(unlabelled or ())
    bundle = train_bundle(dataset, settings=settings, unlabelled=texts, audit=audit)
    bundle.save(folder)
    if audit and len(audit.passages) < FEW:
        n = how_many(len(audit.passages), "audited passage")
        warn([f"{n}: shares are rough under {FEW}, and thresholds follow them"], quiet=quiet)
    if json:
        say_json({"bundle": str(folder), "id": bundle.id, "data": bundle.data, "summary": bundle.summary})
        return
    for task, summary in bundle.summary.items():
        ruled = bundle.tasks[task].rule_based
        rows = [
            (name, of["support"], of["events"], "by its terms" if name in ruled else of["f1"])
            for name, of in summary["labels"].items()
        ]
        say_table(f"{task} ({book[task].kind})", ("label", "passages", "events", "F1*"), rows)
    seen = [task for task, summary in bundle.summary.items() if not summary["is_cross_fitted"]]
    if len(seen) < len(bundle.summary):
        say("* on held-out events, with thresholds fitted to the same scores: a first look; classify evaluate judges")
    if seen:
        why = "on the training passages themselves, since there are too few events to hold any out: far too good"
        say(f"* {', '.join(seen)}: {why}")
    say(f"bundle {bundle.id} written to {folder}")
