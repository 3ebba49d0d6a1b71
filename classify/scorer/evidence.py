"""A text to the labelled passages nearest to it, by cosine over a block's own TF-IDF: evidence a reader can check."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np

from classify.codebook import Task
from classify.measure.arrays import FloatArray
from classify.scorer.blocks import Block
from classify.scorer.tokens import STOP_WORDS

N_NEAREST = 3
N_SHARED = 6
_SAME = 1 - 1e-6


class Coded(Protocol):
    """A labelled passage: for each task its labels (None: not coded), and those its coder was unsure of."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def labels(self) -> Mapping[str, frozenset[str] | None]: ...  # noqa: D102
    @property
    def unsure(self) -> Mapping[str, frozenset[str]]: ...  # noqa: D102


@dataclass(frozen=True)
class Neighbour:
    """A labelled passage that is like a text.

    `labels` are its gold labels in the task, `cosine` lies in (0, 1], `shared` are the words of the text that both
    hold, those that add most to the cosine first; function words count, but are not named.
    """

    id: str
    text: str
    labels: tuple[str, ...]
    cosine: float
    shared: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {**vars(self), "labels": list(self.labels), "shared": list(self.shared)}


@dataclass(frozen=True)
class Neighbours:
    """For one label the nearest passages that carry it, and the nearest coded without it if that is nearer still."""

    carrying: tuple[Neighbour, ...]
    without: Neighbour | None

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        without = None if self.without is None else self.without.to_dict()
        return {"carrying": [found.to_dict() for found in self.carrying], "without": without}


class LabelledTexts:
    """The passages coded in one task as rows of a TF-IDF block, ready to be compared with any text."""

    def __init__(self, passages: Iterable[Coded], task: Task, block: Block) -> None:
        self.task = task
        self.block = block
        self.passages = [passage for passage in passages if _is_coded(passage, task)]
        found = [block.values_of(passage.text) for passage in self.passages]
        self._columns = np.concatenate([np.zeros(0, dtype=np.int64), *(columns for columns, _ in found)])
        self._values = np.concatenate([np.zeros(0), *(values for _, values in found)])
        self._ends = np.cumsum([len(columns) for columns, _ in found], dtype=np.int64)
        self._rows = np.repeat(np.arange(len(found)), np.diff(self._ends, prepend=0))

    def nearest(self, text: str, labels: Sequence[str]) -> dict[str, Neighbours]:
        """The neighbours of a text for each of these labels; passages with the very same text are left out.

        A label that a passage's coder was unsure of counts neither way; nor does a passage that shares no word.
        """
        cosines, vector = self._cosines(text)
        near = np.argsort(-cosines, kind="stable")[: np.count_nonzero(cosines > 0)].tolist()
        folded = _fold(text)
        near = [row for row in near if cosines[row] < _SAME or _fold(self.passages[row].text) != folded]
        found = {}
        for label in labels:
            sure = [row for row in near if label not in self._unsure(row)]
            carrying = islice((row for row in sure if label in self._gold(row)), N_NEAREST)
            without = [row for row in sure[:1] if label not in self._gold(row)]
            shown = [[self._neighbour(row, text, cosines, vector) for row in rows] for rows in (carrying, without)]
            found[label] = Neighbours(tuple(shown[0]), next(iter(shown[1]), None))
        return found

    def _cosines(self, text: str) -> tuple[FloatArray, FloatArray]:
        """Cosines, shape (n_passages,), and the text's own values, shape (n_features,); all rows have a norm of 1."""
        vector = np.zeros(len(self.block.features))
        columns, values = self.block.values_of(text)
        vector[columns] = values
        products = self._values * vector[self._columns]
        return np.asarray(np.bincount(self._rows, products, len(self.passages)), dtype=np.float64), vector

    def _neighbour(self, row: int, text: str, cosines: FloatArray, vector: FloatArray) -> Neighbour:
        passage = self.passages[row]
        labels = tuple(label for label in self.task.label_names if label in self._gold(row))
        shared = self._shared(text, row, vector)
        return Neighbour(passage.id, passage.text, labels, float(min(cosines[row], 1.0)), shared)

    def _shared(self, text: str, row: int, vector: FloatArray) -> tuple[str, ...]:
        """Single words of the text that a passage holds too, function words apart, those that weigh most first."""
        entries = slice(self._ends[row - 1] if row else 0, self._ends[row])
        columns = self._columns[entries]
        products = self._values[entries] * vector[columns]
        first = {
            self.block.columns.get(word): text[start:end]
            for word, start, end in reversed(self.block.settings.spans_of(text))
        }
        ranked = sorted(zip(-products, columns.tolist(), strict=True))
        words = [first[column] for product, column in ranked if product and " " not in self.block.features[column]]
        return tuple(word for word in words if word.lower() not in STOP_WORDS)[:N_SHARED]

    def _gold(self, row: int) -> frozenset[str]:
        return (self.passages[row].labels[self.task.name] or frozenset()) - self._unsure(row)

    def _unsure(self, row: int) -> frozenset[str]:
        return self.passages[row].unsure.get(self.task.name, frozenset())


def _is_coded(passage: Coded, task: Task) -> bool:
    """Whether anything can be learnt of the task: coded, and surely so where there is but one label."""
    is_sure = task.is_multilabel or not passage.unsure.get(task.name)
    return passage.labels.get(task.name) is not None and is_sure


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold()
