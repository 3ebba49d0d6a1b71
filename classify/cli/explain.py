"""classify explain: which words speak for and against."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classify.cli.shell import (
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
    from classify.scorer.contributions import Explanation


@command
def explain(
    inputs: Annotated[
        list[Path] | None, typer.Argument(metavar="INPUT", help="Files as for predict; - for stdin.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="Explain this text instead.")] = None,
    model: ModelOption = None,
    task: Annotated[str | None, typer.Option(help="Explain this task only. [default: all]", show_default=False)] = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show which words speak for and against each label given, exactly: the parts sum to the score.

    Where no label of a task was given, the most probable one is explained.

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
    texts = [text] if text is not None else []
    if inputs:
        rows = read_inputs(inputs, on_empty=lambda path: warn([f"{path}: no passage found"], quiet=quiet))
        texts = [row["text"] for row in rows]
    explanations = [predictor.explain(one, task=name) for one in texts for name in ([task] if task else known)]
    if json:
        say_json([explanation.to_dict() for explanation in explanations])
        return
    for explanation in explanations:
        _say_explanation(explanation)


def _say_explanation(explanation: "Explanation") -> None:
    for label in explanation.chosen:
        _say_highlighted(explanation, label)
        say(explanation.table(label) + "\n")


def _say_highlighted(explanation: "Explanation", label: str) -> None:
    """The text itself; on a terminal words for the label are green and underlined, words against it red."""
    from rich.console import Console
    from rich.text import Text

    from classify.scorer.contributions import runs

    shown = Text()
    weights = explanation.weights_of_characters(label)
    strongest = float(abs(weights).max(initial=0.0)) or 1.0
    for start, end, weight in runs(weights):
        style = "" if abs(weight) < strongest * 0.1 else "green underline" if weight > 0 else "red"
        shown.append(explanation.text[start:end], style=style)
    if sys.stdout.isatty():
        Console(highlight=False).print(shown)
    else:
        say(explanation.text)
