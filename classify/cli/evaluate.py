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
    from classify.data.annotations import CodedPassage
    from classify.data.dataset import Dataset
    from classify.evaluation.results import Evaluation, TaskResult
    from classify.learn.settings import TrainingSettings

ModelToJudgeOption = Annotated[
    Path | None, typer.Option("--model", help="Judge this bundle on the labels instead of cross-validating.")
]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="Settings (TOML) of the training to judge.")]
SchemeOption = Annotated[
    str | None,
    typer.Option(
        "--scheme",
        help="What is held out at a time: event-folds, or leave-one-event-out. [default: event-folds]",
        show_default=False,
    ),
]
HoldoutOption = Annotated[
    str | None,
    typer.Option("--holdout", metavar="FIELD=VALUE", help="Test on the passages with this value, learn from the rest."),
]
ByOption = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="FIELD", help="Break results down by origin, source, register, year, …; repeatable."),
]
ThresholdsOption = Annotated[
    str | None,
    typer.Option(
        "--thresholds",
        metavar="RULE",
        help="prevalence, f1 or precision=0.8, for tasks with any number of labels. [default: prevalence]",
        show_default=False,
    ),
]
SuspectsOption = Annotated[
    Path | None,
    typer.Option("--suspects", help="Write likely label errors to this .csv, .jsonl or .parquet, to be coded again."),
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="The report's folder. [default: reports/<codebook name>]", show_default=False),
]


@command
def evaluate(
    labels: LabelsOption = None,
    codebook: CodebookOption = None,
    coders: CodersOption = None,
    model: ModelToJudgeOption = None,
    config: ConfigOption = None,
    scheme: SchemeOption = None,
    holdout: HoldoutOption = None,
    by: ByOption = None,
    unlabelled: UnlabelledOption = None,
    thresholds: ThresholdsOption = None,
    suspects: SuspectsOption = None,
    out: OutOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Judge a way of training by nested cross-validation over events, or a bundle on other labelled passages.

    Writes report.html, metrics.json, per_label.csv, predictions.csv and figures/.

    Example: classify evaluate --labels labels/ --by origin

    Example: classify evaluate --model models/defence-diplomacy --labels other.jsonl --out reports/other
    """
    from classify.bundle import load_bundle
    from classify.data.inputs import read_texts
    from classify.evaluation.evaluate import evaluate as cross_validate
    from classify.evaluation.evaluate import evaluate_bundle
    from classify.evaluation.schemes import EVENT_FOLDS
    from classify.report.files import REPORT, write_evaluation

    of_training = {"--config": config, "--scheme": scheme, "--holdout": holdout, "--thresholds": thresholds}
    _refuse_contradictions(model, labels, of_training | {"--unlabelled": unlabelled})
    files = labels_or_default(labels)
    bundle = load_bundle(model) if model else None
    book = bundle.codebook if bundle and not codebook else codebook_or_default(codebook, labels)
    settings = _settings(config, thresholds)
    part = field_and_value(holdout) if holdout is not None else None
    folder = out or REPORTS / book.name
    _refuse_places(folder, suspects, book)
    dataset, coded = _read_labels(files, coders_or_default(coders, labels), book, quiet=quiet)
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
                unlabelled=read_texts(unlabelled or ()),
                on_step=on_step,
            )
    write_evaluation(result, folder)
    n_suspects = _write_suspects(result, book, suspects) if suspects else 0
    if json:
        say_json(result.to_dict())
        return
    _say_evaluation(result)
    if suspects:
        say(f"{how_many(n_suspects, 'passage')} with a doubtful label, to be coded again: {suspects}")
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


def _refuse_places(report: Path, suspects: Path | None, codebook: "Codebook") -> None:
    """Refuse, before any work is done, a folder that isn't a report's, and a sheet that the report would take away.

    Nor may the sheet take hand labels away.
    """
    from classify.data.handlabels import refuse_lost_labels
    from classify.data.tables import format_of
    from classify.errors import UsageError
    from classify.report.files import refuse_foreign_report

    if suspects:
        format_of(suspects)
    refuse_foreign_report(report)
    if suspects and suspects.resolve().is_relative_to(report.resolve()):
        raise UsageError(
            f"--suspects: {suspects} lies in the report's folder, which is written anew; name another place"
        )
    if suspects:
        refuse_lost_labels(suspects, codebook.task_names, [])


def field_and_value(text: str) -> tuple[str, str]:
    """The two sides of FIELD=VALUE; raises UsageError."""
    from classify.errors import UsageError

    field, found, value = text.partition("=")
    if not (field and found and value):
        raise UsageError(f"--holdout: found {text!r}; expected FIELD=VALUE, such as origin=seed")
    return field, value


def _settings(config: Path | None, thresholds: str | None) -> "TrainingSettings":
    from classify.learn.settings import TrainingSettings, load_settings

    settings = load_settings(config) if config else TrainingSettings()
    return settings if thresholds is None else with_thresholds(settings, thresholds)


def with_thresholds(settings: "TrainingSettings", rule: str) -> "TrainingSettings":
    """The settings with another rule of thresholds; raises UsageError for one that there isn't."""
    from classify.errors import UsageError
    from classify.learn.thresholds import parse_threshold_rule

    try:
        parse_threshold_rule(rule)
    except ValueError as error:
        raise UsageError(f"--thresholds: {error}") from None
    return replace(settings, multilabel=replace(settings.multilabel, thresholds=rule))


def _read_labels(
    files: Sequence[Path], coders: Sequence[Path], codebook: "Codebook", *, quiet: bool
) -> tuple["Dataset", Sequence["CodedPassage"]]:
    """The labelled passages, and what each coder gave them."""
    from classify.data.annotations import read_coders
    from classify.data.dataset import dataset_warnings, load_labels

    dataset = load_labels(files, codebook)
    coded = read_coders(coders, codebook) if coders else []
    warn(dataset_warnings(dataset), quiet=quiet)
    return dataset, coded


def _write_suspects(result: "Evaluation", codebook: "Codebook", path: Path) -> int:
    """Write the passages with a doubtful label; how many they are."""
    from classify.data.tables import format_of, write_rows
    from classify.evaluation.mistakes import flat_suspect, suspects_sheet

    form = format_of(path)
    sheet = suspects_sheet({name: task.suspects for name, task in result.tasks.items()}, result.passages, codebook)
    write_rows(sheet if form == "jsonl" else [flat_suspect(row, codebook) for row in sheet], form, path)
    return len(sheet)


def _say_evaluation(result: "Evaluation") -> None:
    for note in result.notes:
        say(note)
    say(f"{how_many(len(result.passages), 'passage')}, {how_many(len(set(result.events)), 'event')}; {result.scheme}\n")
    for task in result.tasks.values():
        _say_task(task)


def _say_task(task: "TaskResult") -> None:
    from classify.report.words import in_words

    name = task.task.name
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
