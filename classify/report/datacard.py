"""Labelled passages to a data card: what they are, as far as their rows say."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from classify.data.dataset import field_of
from classify.evaluation.results import Evaluation, TaskResult

FIELDS = {
    "origin": "where they come from",
    "source": "who published them",
    "register": "kind of text",
    "year": "when",
    "selection": "how they came to be labelled",
    "coder": "who coded them",
}
MAX_VALUES = 12


@dataclass(frozen=True)
class Counts:
    """The commonest values of a field with their passages; `n_others` further values have `n_left` passages."""

    field: str
    meaning: str
    values: tuple[tuple[str, int], ...]
    n_others: int
    n_left: int


@dataclass(frozen=True)
class Coding:
    """How densely a task is coded: passages coded, without any label, labels a passage, and passages coded twice."""

    task: str
    n_coded: int
    n_none: int
    mean_labels: float
    n_double: int


@dataclass(frozen=True)
class DataCard:
    """What a reader must know of labelled passages: length in words (least, median, most), fields, coding."""

    n_passages: int
    n_documents: int
    n_events: int
    words: tuple[int, int, int]
    fields: tuple[Counts, ...]
    codings: tuple[Coding, ...]


def data_card(evaluation: Evaluation) -> DataCard:
    """The card of the passages that were held out; fields that no row states are left out, but for origin and coder."""
    passages = evaluation.passages
    lengths = [len(passage.text.split()) for passage in passages]
    fields = [_counts(field, Counter(field_of(passage, field) for passage in passages)) for field in FIELDS]
    return DataCard(
        n_passages=len(passages),
        n_documents=len({passage.document for passage in passages}),
        n_events=len(set(evaluation.events)),
        words=(min(lengths), int(np.median(lengths)), max(lengths)),
        fields=tuple(fields),
        codings=tuple(_coding(result) for result in evaluation.tasks.values()),
    )


def _counts(field: str, found: Counter[str]) -> Counts:
    ordered = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    shown, rest = ordered[:MAX_VALUES], ordered[MAX_VALUES:]
    return Counts(field, FIELDS[field], tuple(shown), len(rest), sum(n for _, n in rest))


def _coding(result: TaskResult) -> Coding:
    coded = result.gold.of(result.gold.coded)
    n_labels = (coded.gold & coded.known).sum(axis=1)
    return Coding(
        task=result.task.name,
        n_coded=len(n_labels),
        n_none=int((n_labels == 0).sum()),
        mean_labels=float(n_labels.mean()) if len(n_labels) else 0.0,
        n_double=max((label.agreement.n_double for label in result.labels if label.agreement), default=0),
    )
