"""classify explain: which words speak for and against, and which labelled passages are like it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classify.cli.shell import (
    CODEBOOK_NAME,
    LABELS,
    JsonOption,
    ModelOption,
    QuietOption,
    command,
    model_or_default,
    say,
    say_json,
    warn,
)

if TYPE_CHECKING:
    from classify.data.annotations import LabelledPassage
    from classify.predictor import Predictor
    from classify.scorer.explanation import Explanation


@command
def explain(
    inputs: Annotated[
        list[Path] | None, typer.Argument(metavar="INPUT", help="Files as for predict; - for stdin.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="Explain this text instead.")] = None,
    model: ModelOption = None,
    task: Annotated[str | None, typer.Option(help="Explain this task only. [default: all]", show_default=False)] = None,
    labels: Annotated[
        list[Path] | None,
        typer.Option("--labels",
                     help="Labelled passages, of which to show the nearest; repeatable."
                          " [default: labels/, if the bundle has the same codebook]",
                     show_default=False),
    ] = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:  # fmt: skip
    """Show which words speak for and against each label given, exactly: the parts sum to the score.

    Where no label of a task was given, the most probable one is explained. Below stand the labelled passages that are
    most like it, by cosine of their words.

    Example: classify explain --text "Both navies agreed to patrol the strait together." --task theme
    """
    from classify.data.inputs import read_inputs
    from classify.errors import UsageError, did_you_mean
    from classify.predictor import Predictor

    if bool(inputs) == (text is not None):
        raise UsageError('give either INPUT or --text "…"')
    predictor = Predictor.load(model_or_default(model))
    known = tuple(predictor.bundle.tasks)
    if task is not None and task not in known:
        raise UsageError(f"--task {task}: no such task in this bundle; {did_you_mean(task, known)}")
    rows = read_inputs(inputs or [], on_empty=lambda path: warn([f"{path}: no passage found"], quiet=quiet))
    rows += [] if text is None else [{"text": text}]
    passages = _labelled(predictor, labels, quiet=quiet)
    tasks = [task] if task else known
    evidence = {name: passages and predictor.evidence(passages, task=name) for name in tasks}
    found = [
        (row.get("id"), predictor.explain(row["text"], task=name, evidence=evidence[name] or None))
        for row in rows
        for name in tasks
    ]
    if json:
        say_json([{"id": identity, **explanation.to_dict()} for identity, explanation in found])
        return
    for identity, explanation in found:
        _say_explanation(explanation, identity)


def _labelled(predictor: "Predictor", labels: list[Path] | None, *, quiet: bool) -> "list[LabelledPassage]":
    """The passages asked for; or else this folder's, if they were coded by the bundle's codebook and have no fault."""
    from classify.codebook import load_codebook
    from classify.data.annotations import read_labels
    from classify.errors import ClassifyError

    if labels:
        return read_labels(labels, predictor.codebook)
    if not (LABELS / CODEBOOK_NAME).exists():
        return []
    try:
        is_ours = load_codebook(LABELS / CODEBOOK_NAME).sha256 == predictor.codebook.sha256
        return read_labels([LABELS], predictor.codebook) if is_ours else []
    except ClassifyError:
        warn([f"{LABELS}/ can't be used to show the nearest labelled passages; see classify check"], quiet=quiet)
        return []


def _say_explanation(explanation: "Explanation", identity: object) -> None:
    for label in explanation.chosen:
        if identity is not None:
            say(f"{identity}")
        _say_highlighted(explanation, label)
        say(explanation.table(label) + "\n")


def _say_highlighted(explanation: "Explanation", label: str) -> None:
    """The text; on a terminal words for the label are bold and bear a +, those against it are underlined and bear a -.

    Colour only repeats that, and NO_COLOR takes it away.
    """
    if not sys.stdout.isatty():
        say(explanation.text)
        return
    from rich.console import Console
    from rich.text import Text

    from classify.scorer.highlight import FAINTEST

    shown = Text()
    for stretch, weight in explanation.marked(label):
        if abs(weight) < FAINTEST:
            shown.append(stretch)
        else:
            shown.append(f"{stretch}{'+' if weight > 0 else '-'}", "bold green" if weight > 0 else "underline red")
    Console(highlight=False).print(shown)
