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


def measure_agreement(
    coded: Sequence[CodedPassage], codebook: Codebook, *, clusters: Mapping[str, str] | None = None
) -> dict[str, TaskAgreement]:
    """Agreement of every task that at least one passage has from two coders.

    Intervals leave one cluster out in turn: `clusters` maps passage ids to events; a passage it doesn't name falls back on
    the row's own event or document, and then on its id up to the `#`.
    """
    ids = sorted({row.id for row in coded})
    coders = sorted({row.coder for row in coded})
    names = {row.id: row.cluster or row.id.rpartition("#")[0] or row.id for row in coded} | dict(clusters or {})
    groups = np.unique([names[identity] for identity in ids], return_inverse=True)[1]
    cell = {(row.id, row.coder): row for row in coded}
    results = {}
    for task in codebook.tasks:
        sets = [[_given(cell.get((identity, coder)), task) for coder in coders] for identity in ids]
        double = np.array([sum(found is not None for found in row) > 1 for row in sets], dtype=np.bool_)
        if double.any():
            kept = [row for row, is_double in zip(sets, double, strict=True) if is_double]
            results[task.name] = _task_agreement(task, kept, np.unique(groups[double], return_inverse=True)[1])
    return results


def find_disagreements(
    coded: Sequence[CodedPassage], codebook: Codebook, *, texts: Mapping[str, str] | None = None
) -> list[Row]:
    """One row for each passage on which coders differ, ready to be adjudicated.

    Task columns hold what all coders gave, and nothing where they differ; `<task>:<coder>` holds each coder's labels.
    The adjudicated sheet can be read as labels as it is.
    """
    by_id: dict[str, list[CodedPassage]] = defaultdict(list)
    for row in coded:
        by_id[row.id].append(row)
    rows = []
    for identity, found in by_id.items():
        given = {task.name: {row.coder: _given(row, task) for row in found} for task in codebook.tasks}
        distinct = {task: {labels for labels in of.values() if labels is not None} for task, of in given.items()}
        if all(len(sets) < 2 for sets in distinct.values()):
            continue
        text = (texts or {}).get(identity) or next((row.text for row in found if row.text), "")
        out: Row = {"id": identity, "text": text}
        for task in codebook.tasks:
            agreed = distinct[task.name]
            out[task.name] = _cell(next(iter(agreed)), task) if len(agreed) == 1 else ""
        for task in codebook.tasks:
            out |= {f"{task.name}:{row.coder}": _cell(given[task.name][row.coder], task) for row in found}
        rows.append(out)
    return rows


def _given(row: CodedPassage | None, task: Task) -> frozenset[str] | None:
    return None if row is None else row.labels[task.name]


def _cell(labels: frozenset[str] | None, task: Task) -> str:
    return join_labels(None if labels is None else [name for name in task.label_names if name in labels])


def _task_agreement(
    task: Task, sets: Sequence[Sequence[frozenset[str] | None]], groups: IntArray
) -> TaskAgreement:
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
        labels=tuple(_label_agreement(name, sets, groups) for name in task.label_names),
    )


def _label_agreement(
    name: str, sets: Sequence[Sequence[frozenset[str] | None]], groups: IntArray
) -> LabelAgreement:
    codes = np.array([[NOT_CODED if found is None else int(name in found) for found in row] for row in sets])
    table = coincidences(codes, 2, groups)
    total = table.sum(axis=0)
    return LabelAgreement(
        name=name,
        alpha=alpha_estimate(table, nominal_distances(2)),
        specific=none_if_nan(specific_agreement(total)),
        percent=none_if_nan(percent_agreement(total)),
        n_double=len(sets),
        n_positive=int((codes == 1).any(axis=1).sum()),
    )
