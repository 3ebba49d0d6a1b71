"""Held-out predictions to the same measures on parts of the passages: by origin, source, register, year."""

from collections.abc import Mapping, Sequence

import numpy as np

from classify.codebook import Task
from classify.data.dataset import TaskGold
from classify.evaluation.heldout import HeldOut
from classify.evaluation.measures import headline, measure
from classify.evaluation.results import Slice
from classify.evaluation.verdicts import MIN_HELD_OUT_POSITIVES
from classify.measure.arrays import IntArray
from classify.measure.intervals import Estimate, jackknife_groups


def slice_by(
    task: Task,
    gold: TaskGold,
    groups: IntArray,
    held_out: Mapping[str, HeldOut],
    fields: Mapping[str, Sequence[str]],
) -> tuple[Slice, ...]:
    """A slice for each field and value with a coded passage; `fields` gives each field's value of every passage."""
    slices = []
    for field, values in fields.items():
        of_field = np.array(values)
        for value in sorted(set(values)):
            rows = np.flatnonzero((of_field == value) & gold.coded)
            if len(rows):
                slices.append(_slice(task, gold.of(rows), groups[rows], held_out, rows, (field, value)))
    return tuple(slices)


def _slice(
    task: Task,
    gold: TaskGold,
    groups: IntArray,
    held_out: Mapping[str, HeldOut],
    rows: IntArray,
    name: tuple[str, str],
) -> Slice:
    judged = gold.support >= MIN_HELD_OUT_POSITIVES
    numbers = jackknife_groups(groups)
    measures = {}
    for system, held in held_out.items():
        found = headline(task, measure(gold, held.predicted[rows], held.probabilities[rows], numbers), judged)
        macro = {name: Estimate(one.value) for name, one in found.items() if name.startswith("macro")}
        measures[system] = {**found, **macro}
    return Slice(*name, len(rows), len(np.unique(groups)), int(judged.sum()), measures)
