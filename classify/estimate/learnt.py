"""What the model has learnt from, to scores of audited passages by models that had not learnt from them."""

from collections.abc import Collection

import numpy as np

from classify.bundle import Bundle
from classify.codebook import Task
from classify.data.dataset import Dataset
from classify.data.predictions import NOT_NAMED
from classify.data.tags import Tags
from classify.errors import UsageError, how_many
from classify.evaluation.saved import SavedEvaluation
from classify.measure.arrays import BoolArray, FloatArray


def texts_learnt(tags: Tags, bundle: Bundle | None) -> frozenset[str]:
    """Hashes of the texts that the bundle of the predictions learnt from; none where neither is named.

    Predictions that name no bundle are taken for those of the one that is given. Raises UsageError where they name
    another.
    """
    ids = set(tags.model.values) - {NOT_NAMED}
    if not ids:
        return frozenset(bundle.data["text_hashes"]) if bundle else frozenset()
    if bundle is None or ids != {bundle.id}:
        other = f", but the bundle is {bundle.id}" if bundle else ""
        raise UsageError(
            f"predictions are by {', '.join(sorted(ids))}{other}: whether it has learnt from audited passages can't be "
            "known; name the bundle that predicted, or predict again"
        )
    return frozenset(bundle.data["text_hashes"])


def held_out_scores(audit: Dataset, learnt: Collection[str], saved: SavedEvaluation | None) -> dict[str, FloatArray]:
    """For each task probabilities of the coded passages that were learnt from, nan for the others.

    `learnt` are hashes of the texts that the model learnt from (`hash_text`); the probabilities are those of an
    evaluation that held the passages out. Raises UsageError where it has none for them.
    """
    seen = np.array([text in learnt for text in audit.text_hashes], dtype=np.bool_)
    seen &= np.logical_or.reduce([audit.gold(task).coded for task in audit.codebook.tasks])
    if not seen.any():
        return {}
    if saved is None:
        n = how_many(int(seen.sum()), "audited passage")
        first = audit.passages[int(np.flatnonzero(seen)[0])].id
        raise UsageError(
            f"the model has learnt from {n}, {first!r} the first; name an evaluation that held them out with "
            "--held-out (classify evaluate makes one), or train without them"
        )
    if saved.is_of_bundle:
        raise UsageError(f"{saved.folder}: an evaluation of a bundle, which held nothing out; name one without --model")
    return {task.name: _held_out(audit, task, seen, saved) for task in audit.coded_tasks()}


def _held_out(audit: Dataset, task: Task, seen: BoolArray, saved: SavedEvaluation) -> FloatArray:
    of_task = saved.tasks.get(task.name)
    if of_task is None or of_task.labels != task.label_names:
        raise UsageError(f"{saved.folder}: holds no task {task.name} with the codebook's labels; evaluate again")
    row_of = {name: row for row, name in enumerate(of_task.ids)}
    found = np.full((len(seen), len(task.labels)), np.nan)
    for row in np.flatnonzero(seen):
        name = audit.passages[row].id
        if name not in row_of:
            raise UsageError(
                f"{saved.folder} held no passage {name!r} out, from whose text the model has learnt; give it the id "
                "that it has in the labels, or train without it"
            )
        found[row] = of_task.probabilities[row_of[name]]
    return found
