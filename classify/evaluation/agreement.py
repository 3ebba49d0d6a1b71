"""Coders' own labels to agreement figures and to the list of disagreements that wait for a third look."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

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

_FACTS = ("text", "document", "event")


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
    coded: Sequence[CodedPassage], codebook: Codebook, *, known: Mapping[str, Mapping[str, object]] | None = None
) -> list[Row]:
    """One row for each passage on which coders differ, or one was unsure, ready to be adjudicated.

    `labels` holds what all coders gave, and None where they differ, so that the adjudicated rows can be read as labels;
    `coders` holds each coder's labels as text, those they were unsure of marked by a `?`. `known` gives the `text`,
    `document` and `event` of passage ids, in place of those in the coders' rows.
    """
    by_id: dict[str, list[CodedPassage]] = defaultdict(list)
    for row in coded:
        by_id[row.id].append(row)
    rows: list[Row] = []
    for identity, found in by_id.items():
        labels: dict[str, object] = {}
        is_open = False
        for task in codebook.tasks:
            sets = {row.labels[task.name] for row in found} - {None}
            differ = len(sets) > 1 or any(row.unsure.get(task.name) for row in found)
            agreed = next(iter(sets)) if sets and not differ else None
            labels[task.name] = None if agreed is None else _in_order(agreed, task)
            is_open |= differ
        if is_open:
            given = {name: next(filter(None, (getattr(row, name) for row in found)), None) for name in _FACTS}
            facts = {"id": identity, **given, **(known or {}).get(identity, {})}
            coders = {task.name: {row.coder: _shown(row, task) for row in found} for task in codebook.tasks}
            rows.append({**facts, "labels": labels, "coders": coders})
    return rows


def flat_disagreement(row: Row, codebook: Codebook) -> Row:
    """The row as cells of a sheet: a column a task, and `<task>:<coder>` for what each coder gave."""
    labels: Any = row["labels"]
    coders: Any = row["coders"]
    cells: Row = {key: value for key, value in row.items() if key not in ("labels", "coders")}
    for task in codebook.task_names:
        given = labels[task]
        cells[task] = join_labels([given] if isinstance(given, str) else given)
    for task in codebook.task_names:
        cells |= {f"{task}:{coder}": shown for coder, shown in coders[task].items()}
    return cells


def _in_order(labels: frozenset[str], task: Task) -> list[str] | str:
    names = [name for name in task.label_names if name in labels]
    return names if task.is_multilabel else names[0]


def _shown(row: CodedPassage, task: Task) -> str:
    labels, unsure = row.labels[task.name], row.unsure.get(task.name, frozenset())
    doubts = [f"{name}?" for name in task.label_names if name in unsure]
    cell = join_labels(None if labels is None else [name for name in task.label_names if name in labels])
    return "|".join([cell, *doubts] if doubts else [cell])


def _given_and_unsure(row: CodedPassage | None, task: Task) -> Code | None:
    """None where the coder did not code the task, or was unsure of its one label."""
    labels = None if row is None else row.labels[task.name]
    unsure = frozenset() if row is None else row.unsure.get(task.name, frozenset())
    return None if labels is None or (unsure and not task.is_multilabel) else (labels, unsure)


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
