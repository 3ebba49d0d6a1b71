"""classify evaluate: which labels can be trusted."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classify.cli.shell import (
    REPORTS,
    CodebookOption,
    CodersOption,
    JsonOption,
    LabelsOption,
    QuietOption,
    codebook_or_default,
    coders_or_default,
    command,
    labels_or_default,
    progress,
    say,
    say_json,
    say_table,
    warn,
)

if TYPE_CHECKING:
    from classify.evaluation.results import Evaluation, TaskResult


@command
def evaluate(
    labels: LabelsOption = None,
    codebook: CodebookOption = None,
    coders: CodersOption = None,
    model: Annotated[
        Path | None, typer.Option(help="Judge this bundle on the labels instead of cross-validating.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Settings (TOML) of the training to judge.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The report's folder. [default: reports/<codebook name>]", show_default=False)
    ] = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Judge a way of training by nested cross-validation over events, or a bundle on other labelled passages.

    Writes report.html, metrics.json, per_label.csv, predictions.csv and figures/.

    Example: classify evaluate --labels labels/

    Example: classify evaluate --model models/defence-diplomacy --labels other.jsonl --out reports/other
    """
    from classify.bundle import load_bundle
    from classify.data.annotations import read_coders
    from classify.data.dataset import dataset_warnings, load_labels
    from classify.errors import UsageError
    from classify.evaluation.evaluate import evaluate as cross_validate
    from classify.evaluation.evaluate import evaluate_bundle
    from classify.learn.settings import TrainingSettings, load_settings
    from classify.report.files import REPORT, refuse_foreign_report, write_evaluation

    if model and not labels:
        raise UsageError("--model needs --labels: labelled passages that the bundle was not trained on")
    if model and config:
        raise UsageError("--config sets how to train, but --model names a trained bundle; drop one of them")
    files = labels_or_default(labels)
    bundle = load_bundle(model) if model else None
    book = bundle.codebook if bundle and not codebook else codebook_or_default(codebook, labels)
    settings = load_settings(config) if config else TrainingSettings()
    folder = out or REPORTS / book.name
    refuse_foreign_report(folder)
    dataset = load_labels(files, book)
    coded = read_coders(sheets, book) if (sheets := coders_or_default(coders, labels)) else []
    warn(dataset_warnings(dataset), quiet=quiet)
    with progress("evaluating", quiet=quiet) as on_step:
        if bundle:
            result = evaluate_bundle(bundle, dataset, coders=coded)
        else:
            result = cross_validate(dataset, settings=settings, coders=coded, on_step=on_step)
    write_evaluation(result, folder)
    if json:
        say_json(result.to_dict())
        return
    _say_evaluation(result)
    say(f"report: {folder / REPORT}")


def _say_evaluation(result: "Evaluation") -> None:
    for note in result.notes:
        say(note)
    say(f"{len(result.ids)} passages, {len(set(result.events))} events; {result.scheme}\n")
    for name, task in result.tasks.items():
        columns = ("label", "n", "events", "precision", "recall", "F1", "avg precision", "coders' F1")
        rows = [
            (
                label.name,
                label.support,
                label.events,
                label.precision,
                label.recall,
                label.f1,
                label.average_precision,
                label.agreement.specific if label.agreement else None,
            )
            for label in task.labels
        ]
        say_table(f"{name}: {task.n_evaluable} of {len(task.labels)} labels evaluable", columns, rows)
        for label in task.labels:
            say(f"{label.name}: {label.verdict}: {label.reason}")
        say()
        title = f"{name}: against the baselines (macro averages over evaluable labels)"
        say_table(title, ("system", *task.headline), _systems(task))


def _systems(task: "TaskResult") -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = [("model", *task.headline.values())]
    return rows + [(name, *estimates.values()) for name, estimates in task.baselines.items()]
