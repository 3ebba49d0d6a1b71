"""classify terms: words that might join the codebook's terms."""

from dataclasses import asdict
from typing import Annotated

import typer

from classify.cli.shell import (
    CodebookOption,
    JsonOption,
    LabelsOption,
    codebook_or_default,
    command,
    labels_or_default,
    say,
    say_json,
    say_table,
)


@command
def terms(
    labels: LabelsOption = None,
    codebook: CodebookOption = None,
    label: Annotated[list[str] | None, typer.Option(help="Only this label; repeatable.")] = None,
    most: Annotated[int, typer.Option(min=1, help="Candidates a label.")] = 20,
    json: JsonOption = False,
) -> None:
    """Propose terms for the codebook: words and pairs that stand in a label's passages far more than elsewhere.

    Each comes with the passages that hold it inside and outside the label; those that the codebook's terms and false
    friends cover already are left out. Take what speaks for the label in any text, and leave what these passages happen
    to be about.

    Example: classify terms --label cyber_security
    """
    from classify.data.candidates import find_candidates
    from classify.data.dataset import load_labels
    from classify.errors import UsageError, did_you_mean

    book = codebook_or_default(codebook, labels)
    names = [name for task in book.tasks for name in task.label_names]
    for asked in label or ():
        if asked not in names:
            raise UsageError(f"--label: unknown label {asked!r}; {did_you_mean(asked, names)}")
    dataset = load_labels(labels_or_default(labels), book)
    found = {
        task.name: {
            name: candidates
            for name, candidates in find_candidates(dataset, task, most=most).items()
            if not label or name in label
        }
        for task in dataset.coded_tasks()
    }
    if json:
        say_json({task: {name: [asdict(c) for c in cs] for name, cs in of.items()} for task, of in found.items()})
        return
    for uncoded in (task for task in book.tasks if task.name not in found):
        if not label or set(label) & set(uncoded.label_names):
            say(f"{uncoded.name}: no passage is coded\n")
    for task, of_task in found.items():
        for name, candidates in of_task.items():
            if not candidates:
                say(f"{task}: {name}: no candidates\n")
                continue
            columns = ("candidate", "inside", "outside", "keyness")
            rows = [(c.term, c.inside, c.outside, f"{c.keyness:.1f}") for c in candidates]
            say_table(f"{task}: {name}", columns, rows)
