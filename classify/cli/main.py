"""The command line: one file a command, imported lightly so that --help is instant."""

from typing import Annotated

import typer

from classify.cli.agreement import agreement
from classify.cli.audit_splits import audit_splits
from classify.cli.check import check
from classify.cli.compare import compare
from classify.cli.evaluate import evaluate
from classify.cli.explain import explain
from classify.cli.inspect import inspect
from classify.cli.predict import predict
from classify.cli.report import report
from classify.cli.sample import sample
from classify.cli.segment import segment
from classify.cli.shares import shares
from classify.cli.terms import terms
from classify.cli.train import train

app = typer.Typer(
    name="classify",
    help="Tag passages of text with the labels of a codebook, and know which labels can be trusted.",
    epilog="Exit codes: 0 done; 1 faults found; 2 wrong use or bad input; 3 an untrusted bundle; 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
COMMANDS = (
    segment, check, agreement, terms, train, evaluate, compare, audit_splits, predict, report, sample, shares, explain,
    inspect,
)  # fmt: skip
for function in COMMANDS:
    app.command(function.__name__.replace("_", "-"))(function)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"classify-passages {version('classify-passages')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Tag passages of text with the labels of a codebook, and know which labels can be trusted."""


def main() -> None:
    """The console script."""
    app()
