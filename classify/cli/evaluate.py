"""classify evaluate: which labels can be trusted."""

from collections.abc import Sequence
from dataclasses import replace
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
    UnlabelledOption,
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
from classify.errors import how_many

if TYPE_CHECKING:
    from classify.codebook import Codebook
    from classify.evaluation.results import Evaluation, TaskResult
    from classify.learn.settings import TrainingSettings


@command
def evaluate(
    labels: LabelsOption = None,
    codebook: CodebookOption = None,
    coders: CodersOption = None,
    model: Annotated[
        Path | None, typer.Option(help="Judge this bundle on the labels instead of cross-validating.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Settings (TOML) of the training to judge.")] = None,
    scheme: Annotated[
        str | None,
        typer.Option(
            help="What is held out at a time: event-folds, or leave-one-event-out. [default: event-folds]",
            show_default=False,
        ),
    ] = None,
    holdout: Annotated[
        str | None,
        typer.Option(metavar="FIELD=VALUE", help="Test on the passages with this value, learn from the rest."),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD", help="Break results down by origin, source, register, year, …; repeatable."),
    ] = None,
    unlabelled: UnlabelledOption = None,
    thresholds: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help="prevalence, f1 or precision=0.8, for tasks with any number of labels. [default: prevalence]",
            show_default=False,
        ),
    ] = None,
    suspects: Annotated[
        Path | None, typer.Option(help="Write likely label errors to this .csv, .jsonl or .parquet, to be coded again.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The report's folder. [default: reports/<codebook name>]", show_default=False)
    ] = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Judge a way of training by nested cross-validation over events, or a bundle on other labelled passages.

    Writes report.html, metrics.json, per_label.csv, predictions.csv and figures/.

    Example: classify evaluate --labels labels/ --by origin

    Example: classify evaluate --model models/defence-diplomacy --labels other.jsonl --out reports/other
    """
    from classify.bundle import load_bundle
    from classify.data.annotations import read_coders
    from classify.data.dataset import dataset_warnings, load_labels
    from classify.data.inputs import read_inputs
    from classify.data.tables import format_of, write_rows
    from classify.evaluation.evaluate import evaluate as cross_validate
    from classify.evaluation.evaluate import evaluate_bundle
    from classify.evaluation.mistakes import flat_suspect, suspects_sheet
    from classify.evaluation.schemes import EVENT_FOLDS
    from classify.learn.settings import TrainingSettings, load_settings
    from classify.report.files import REPORT, refuse_foreign_report, write_evaluation

    of_training = {"--config": config, "--scheme": scheme, "--holdout": holdout, "--thresholds": thresholds}
    _refuse_contradictions(model, labels, of_training | {"--unlabelled": unlabelled})
    files = labels_or_default(labels)
    bundle = load_bundle(model) if model else None
    book = bundle.codebook if bundle and not codebook else codebook_or_default(codebook, labels)
    settings = load_settings(config) if config else TrainingSettings()
    if thresholds is not None:
        settings = with_thresholds(settings, thresholds)
    part = field_and_value(holdout) if holdout is not None else None
    form = format_of(suspects) if suspects else "csv"
    folder = out or REPORTS / book.name
    refuse_foreign_report(folder)
    if suspects:
        _refuse_place(suspects, folder, book)
    dataset = load_labels(files, book)
    coded = read_coders(sheets, book) if (sheets := coders_or_default(coders, labels)) else []
    warn(dataset_warnings(dataset), quiet=quiet)
    with progress("evaluating", quiet=quiet) as on_step:
        if bundle:
            result = evaluate_bundle(bundle, dataset, coders=coded, by=by or ())
        else:
            result = cross_validate(
                dataset,
                settings=settings,
                coders=coded,
                scheme=scheme or EVENT_FOLDS,
                holdout=part,
                by=by or (),
                unlabelled=[row["text"] for row in read_inputs(unlabelled)] if unlabelled else [],
                on_step=on_step,
            )
    write_evaluation(result, folder)
    sheet = suspects_sheet({name: task.suspects for name, task in result.tasks.items()}, result.passages, book)
    if suspects:
        cells = sheet if form == "jsonl" else [flat_suspect(row, book) for row in sheet]
        write_rows(cells, form, suspects)
    if json:
        say_json(result.to_dict())
        return
    _say_evaluation(result)
    if suspects:
        say(f"{how_many(len(sheet), 'passage')} with a doubtful label, to be coded again: {suspects}")
    say(f"report: {folder / REPORT}")


def _refuse_contradictions(model: Path | None, labels: list[Path] | None, of_training: dict[str, object]) -> None:
    from classify.errors import UsageError

    if model and not labels:
        raise UsageError("--model needs --labels: labelled passages that the bundle was not trained on")
    given = [name for name, value in of_training.items() if value is not None]
    if model and given:
        raise UsageError(f"{given[0]} sets how to train, but --model names a trained bundle; drop one of them")
    if "--scheme" in given and "--holdout" in given:
        raise UsageError("--scheme and --holdout each say what is held out; drop one of them")


def _refuse_place(suspects: Path, report: Path, codebook: "Codebook") -> None:
    """Refuse a sheet that the report would take away, or that would take hand labels away, before any work is done."""
    from classify.data.handlabels import refuse_lost_labels
    from classify.errors import UsageError

    if suspects.resolve().is_relative_to(report.resolve()):
        raise UsageError(
            f"--suspects: {suspects} lies in the report's folder, which is written anew; name another place"
        )
    refuse_lost_labels(suspects, codebook.task_names, [])


def field_and_value(text: str) -> tuple[str, str]:
    """The two sides of FIELD=VALUE; raises UsageError."""
    from classify.errors import UsageError

    field, found, value = text.partition("=")
    if not (field and found and value):
        raise UsageError(f"--holdout: found {text!r}; expected FIELD=VALUE, such as origin=seed")
    return field, value


def with_thresholds(settings: "TrainingSettings", rule: str) -> "TrainingSettings":
    """The settings with another rule of thresholds; raises UsageError for one that there isn't."""
    from classify.errors import UsageError
    from classify.learn.thresholds import parse_threshold_rule

    try:
        parse_threshold_rule(rule)
    except ValueError as error:
        raise UsageError(f"--thresholds: {error}") from None
    return replace(settings, multilabel=replace(settings.multilabel, thresholds=rule))


def _say_evaluation(result: "Evaluation") -> None:
    from classify.report.words import in_words

    for note in result.notes:
        say(note)
    say(f"{how_many(len(result.passages), 'passage')}, {how_many(len(set(result.events)), 'event')}; {result.scheme}\n")
    for name, task in result.tasks.items():
        say(f"{name}: {task.n_evaluable} of {len(task.labels)} labels have passages enough to count in averages")
        for label in task.labels:
            say(f"  {label.name}: {label.verdict}: {label.reason}")
        say()
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
        say_table(f"{name}: label by label", columns, rows)
        title = f"{name}: against the baselines (macro averages over labels with passages enough)"
        measures = list(task.headline)[:4]
        systems = {"model": task.headline, **task.baselines}
        say_table(title, ("system", *measures), [(n, *(m[k] for k in measures)) for n, m in systems.items()])
        _say_slices(task, measures)
        for sentence in in_words(task):
            say(sentence)
        say()


def _say_slices(task: "TaskResult", measures: Sequence[str]) -> None:
    from classify.evaluation.heldout import MODEL

    if task.slices:
        columns = ("part", "n", "events", "labels", *measures)
        rows = [
            (f"{s.field}: {s.value}", s.n_passages, s.n_events, s.n_labels, *(s.measures[MODEL][k] for k in measures))
            for s in task.slices
        ]
        say_table(f"{task.task.name}: parts (macro averages over labels with 3 positives there)", columns, rows)
