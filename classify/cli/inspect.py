"""classify inspect: what is inside a bundle, without trusting it."""

from pathlib import Path
from typing import Annotated

import typer

from classify.cli.shell import JsonOption, command, model_or_default, say, say_json, say_table


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

    folder = model_or_default(bundle)
    manifest = read_manifest(folder)
    faults = file_faults(folder, manifest)
    identity = sha256_of(folder / MANIFEST)[:12]
    if json:
        say_json({"id": identity, "faults": faults, "manifest": manifest})
    else:
        book, data = manifest["codebook"], manifest["data"]
        say(f"bundle {identity}, format {manifest['format_version']}, {folder}")
        say(f"codebook {book['name']} {book['version']}, SHA-256 {manifest['codebook_sha256'][:12]}")
        say(f"trained on {data['n_passages']} passages from {data['n_events']} events")
        for field in ("origins", "coders"):
            say(f"{field}: " + ", ".join(f"{name} {n}" for name, n in data[field].items()))
        say(f"labelled data, SHA-256 {data['sha256'][:12]}")
        say(
            f"seed {manifest['seed']}; "
            + ", ".join(f"{name} {release}" for name, release in manifest["versions"].items())
        )
        say()
        for task, summary in manifest["summary"].items():
            thresholds = manifest["tasks"][task]["decision"]["thresholds"] or {}
            rows = [
                (label, of["support"], of["events"], of["f1"], thresholds.get(label))
                for label, of in summary["labels"].items()
            ]
            say_table(
                f"{task} ({book['tasks'][task]['kind']})", ("label", "passages", "events", "F1*", "threshold"), rows
            )
        files = [(name, facts["size"], facts["sha256"][:12]) for name, facts in manifest["files"].items()]
        say_table("files", ("file", "bytes", "SHA-256"), files)
        say("* out of fold at training, thresholds fitted to the same scores; classify evaluate is the judge")
        say("hashes detect damage, not forgery; every file is data, and opening it runs no code")
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        raise typer.Exit(3)
