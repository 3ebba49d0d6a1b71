"""Coders' own labels to agreement figures and to the list of disagreements that wait for a third look."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from classify.codebook import Codebook, Task
from classify.data.annotations import CodedPassage, join_labels
from classify.evaluation.results import LabelAgreement, TaskAgreement, none_if_nan
from classify.measure.agreement import (
    NOT_CODED,
    alpha_estimate,
    coincidences,
    masi_distances,
    nominal_distances,
    percent_agreement,
    specific_agreement,
)
from classify.measure.arrays import IntArray

Row = dict[str, object]
Code = tuple[frozenset[str], frozenset[str]]
"""The labels a coder gave a passage, and those the coder was unsure of."""


def measure_agreement(
    coded: Sequence[CodedPassage], codebook: Codebook, *, clusters: Mapping[str, str] | None = None
) -> dict[str, TaskAgreement]:
    """Agreement of every task that at least one passage has from two coders.

    Intervals leave one cluster out in turn: `clusters` maps passage ids to events; a passage it doesn't name falls back
    on the row's own event or document, and then on its id up to the `#`.
    """
    ids = sorted({row.id for row in coded})
    coders = sorted({row.coder for row in coded})
    names = {row.id: row.cluster or row.id.rpartition("#")[0] or row.id for row in coded} | dict(clusters or {})
    groups = np.unique([names[identity] for identity in ids], return_inverse=True)[1]
    cell = {(row.id, row.coder): row for row in coded}
    results = {}
    for task in codebook.tasks:
        units = [[_given_and_unsure(cell.get((identity, coder)), task) for coder in coders] for identity in ids]
        double = np.array([sum(found is not None for found in row) > 1 for row in units], dtype=np.bool_)
        if double.any():
            kept = [row for row, is_double in zip(units, double, strict=True) if is_double]
            results[task.name] = _task_agreement(task, kept, np.unique(groups[double], return_inverse=True)[1])
    return results


def find_disagreements(
    coded: Sequence[CodedPassage], codebook: Codebook, *, texts: Mapping[str, str] | None = None
) -> list[Row]:
    """One row for each passage on which coders differ, or one was unsure, ready to be adjudicated.

    Task columns hold what all coders gave, and nothing where they differ; `<task>:<coder>` holds each coder's labels,
    those they were unsure of marked by a `?`. The adjudicated sheet can be read as labels as it is.
    """
    by_id: dict[str, list[CodedPassage]] = defaultdict(list)
    for row in coded:
        by_id[row.id].append(row)
    rows = []
    for identity, found in by_id.items():
        given = {task.name: {row.coder: _given(row, task) for row in found} for task in codebook.tasks}
        distinct = {task: {labels for labels in of.values() if labels is not None} for task, of in given.items()}
        unsure = {
            task.name: {row.coder: row.unsure.get(task.name, frozenset()) for row in found} for task in codebook.tasks
        }
        is_open = {task: len(sets) > 1 or any(unsure[task].values()) for task, sets in distinct.items()}
        if not any(is_open.values()):
            continue
        text = (texts or {}).get(identity) or next((row.text for row in found if row.text), "")
        out: Row = {"id": identity, "text": text}
        for task in codebook.tasks:
            agreed = distinct[task.name]
            out[task.name] = _cell(next(iter(agreed)), task) if agreed and not is_open[task.name] else ""
        for task in codebook.tasks:
            for row in found:
                doubts = [f"{name}?" for name in task.label_names if name in unsure[task.name][row.coder]]
                out[f"{task.name}:{row.coder}"] = "|".join([_cell(given[task.name][row.coder], task), *doubts])
        rows.append(out)
    return rows


def _given(row: CodedPassage, task: Task) -> frozenset[str] | None:
    return row.labels[task.name]


def _given_and_unsure(row: CodedPassage | None, task: Task) -> Code | None:
    """None where the coder did not code the task, or was unsure of its one label."""
    labels = None if row is None else row.labels[task.name]
    unsure = frozenset() if row is None else row.unsure.get(task.name, frozenset())
    return None if labels is None or (unsure and not task.is_multilabel) else (labels, unsure)


def _cell(labels: frozenset[str] | None, task: Task) -> str:
    return join_labels(None if labels is None else [name for name in task.label_names if name in labels])


def _task_agreement(task: Task, units: Sequence[Sequence[Code | None]], groups: IntArray) -> TaskAgreement:
    sets = [[None if code is None else code[0] for code in row] for row in units]
    values = sorted({found for row in sets for found in row if found is not None}, key=sorted)
    distances = masi_distances(values) if task.is_multilabel else nominal_distances(len(values))
    number = {value: n for n, value in enumerate(values)}
    codes = np.array([[NOT_CODED if found is None else number[found] for found in row] for row in sets])
    overall = coincidences(codes, len(values), groups)
    return TaskAgreement(
        task=task.name,
        measure="alpha with MASI distance" if task.is_multilabel else "alpha, nominal",
        overall=alpha_estimate(overall, distances),
        percent=none_if_nan(percent_agreement(overall.sum(axis=0))),
        n_double=len(sets),
        n_clusters=int(groups.max()) + 1,
        labels=tuple(_label_agreement(name, units, groups) for name in task.label_names),
    )


def _label_agreement(name: str, units: Sequence[Sequence[Code | None]], groups: IntArray) -> LabelAgreement:
    codes = np.array(
        [[NOT_CODED if code is None or name in code[1] else int(name in code[0]) for code in row] for row in units]
    )
    table = coincidences(codes, 2, groups)
    total = table.sum(axis=0)
    return LabelAgreement(
        name=name,
        alpha=alpha_estimate(table, nominal_distances(2)),
        specific=none_if_nan(specific_agreement(total)),
        percent=none_if_nan(percent_agreement(total)),
        n_double=int(((codes != NOT_CODED).sum(axis=1) > 1).sum()),
        n_positive=int((codes == 1).any(axis=1).sum()),
    )
