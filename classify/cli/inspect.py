"""classify inspect: what is inside a bundle, without trusting it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from classify.cli.shell import JsonOption, command, model_or_default, say, say_json, table_text
from classify.errors import how_many


@command
def inspect(
    bundle: Annotated[
        Path | None,
        typer.Argument(
            metavar="[BUNDLE]", help="A bundle's folder. [default: the only one under models/]", show_default=False
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show what a bundle says of itself and whether its files are whole; loads no array. Exit code 3 if they are not.

    Example: classify inspect models/defence-diplomacy
    """
    from classify.bundle import MANIFEST, file_faults, read_manifest, sha256_of
    from classify.errors import BundleError
    from classify.scorer.scanners import ENGINES

    folder = model_or_default(bundle)
    manifest = read_manifest(folder)
    faults = file_faults(folder, manifest)
    identity = sha256_of(folder / MANIFEST)[:12]
    try:
        lines = [] if json else list(_describe(folder, identity, manifest, engine=ENGINES[0]))
    except (LookupError, TypeError, AttributeError) as error:
        raise BundleError(f"{folder}: the manifest is not one that this release writes ({error!r})") from None
    if json:
        say_json({"id": identity, "engine": ENGINES[0], "faults": faults, "manifest": manifest})
    for line in lines:
        say(line)
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        raise typer.Exit(3)


def _describe(folder: Path, identity: str, manifest: dict[str, Any], *, engine: str) -> Iterator[str]:
    book, data, tasks = manifest["codebook"], manifest["data"], manifest["tasks"]
    yield f"bundle {identity}, format {manifest['format_version']}, {folder}"
    yield f"codebook {book['name']} {book['version']}, SHA-256 {manifest['codebook_sha256'][:12]}"
    yield f"trained on {how_many(data['n_passages'], 'passage')} from {how_many(data['n_events'], 'event')}"
    for field in ("origins", "coders"):
        yield f"{field}: " + ", ".join(f"{name} {n}" for name, n in data[field].items())
    yield f"labelled data, SHA-256 {data['sha256'][:12]}"
    if data["n_unlabelled"]:
        yield f"and {how_many(data['n_unlabelled'], 'unlabelled text')}"
    if audit := data["prevalence_from"]:
        yield f"at the prevalence of an audit of {how_many(audit['n_passages'], 'passage')}"
    releases = ", ".join(f"{name} {release}" for name, release in manifest["versions"].items())
    yield f"seed {manifest['seed']}; {releases}\n"
    for task, summary in manifest["summary"].items():
        thresholds = tasks[task]["decision"]["thresholds"] or {}
        rows = [
            (label, of["support"], of["events"], of["f1"], thresholds.get(label))
            for label, of in summary["labels"].items()
        ]
        columns = ("label", "passages", "events", "F1*", "threshold")
        yield table_text(f"{task} ({book['tasks'][task]['kind']})", columns, rows)
        if ruled := tasks[task]["rule_based"]:
            yield f"too few passages to learn from, given by their terms alone: {', '.join(ruled)}"
    files = [(name, facts["size"], facts["sha256"][:12]) for name, facts in manifest["files"].items()]
    yield table_text("files", ("file", "bytes", "SHA-256"), files)
    yield "* out of fold at training, thresholds fitted to the same scores; classify evaluate is the judge"
    yield f"on this computer texts are read by the {engine} engine"
    yield "hashes detect damage, not forgery; every file is data, and opening it runs no code"
