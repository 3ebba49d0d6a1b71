"""classify compare: how much better one evaluation is than another."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classify.cli.shell import JsonOption, command, say, say_json, say_table
from classify.errors import how_many

if TYPE_CHECKING:
    from classify.evaluation.compare import Difference


@command
def compare(
    first: Annotated[Path, typer.Argument(help="A folder that classify evaluate wrote.")],
    second: Annotated[Path, typer.Argument(help="Another one, of the same labelled passages.")],
    json: JsonOption = False,
) -> None:
    """Compare the models of two evaluations of the same passages: second minus first, paired by event.

    Each difference comes with its 95% interval over events and a p-value from swapping the two models' answers event by
    event; p (Holm) counts that many labels were looked at.

    Example: classify compare reports/before reports/after
    """
    from classify.evaluation.compare import compare as compare_evaluations
    from classify.evaluation.saved import read_evaluation

    found = compare_evaluations(read_evaluation(first), read_evaluation(second))
    if json:
        say_json({name: task.to_dict() for name, task in found.items()})
        return
    for name, task in found.items():
        say(f"{name}: {how_many(task.n_passages, 'passage')}, {how_many(task.n_events, 'event')}")
        columns = ("measure", str(first), str(second), "difference", "p")
        say_table("", columns, [_row(one) for one in task.headline])
        rows = [(*_row(one), _p(one.p_holm)) for one in task.labels]
        say_table("F1 of each label", ("label", *columns[1:], "p (Holm)"), rows)


def _row(found: "Difference") -> tuple[object, ...]:
    return (found.measure, found.first, found.second, found.difference.signed, _p(found.p))


def _p(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}" if value >= 0.001 else "<0.001"
