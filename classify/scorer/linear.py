"""Turn texts into scores: one weight matrix over the vocabulary, a few counted weights and an intercept."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from classify.codebook import Label, Task
from classify.measure.arrays import BoolArray, FloatArray
from classify.scorer.blocks import Block
from classify.scorer.scanners import ENGINES, Engine, Scanners
from classify.scorer.style import N_MARKS, StyleCounter, StyleWords, count_marks
from classify.scorer.terms import TermMatcher

CHUNK = 1000
"""Texts scanned at once: enough that what is asked of numpy once a chunk hardly counts, few enough to stay in the
processor's cache."""


class Counter:
    """What is counted in a text beside its TF-IDF features: hits of each label's codebook terms, and style rates.

    `n_labels` of the `n_counted` numbers are log(1 + hits), the rest log(1 + rate) for each of `style.names`.
    """

    def __init__(self, task: Task, words: StyleWords) -> None:
        self.matcher = TermMatcher(task)
        self.style = StyleCounter(words)
        self.n_labels = len(task.labels)
        self.n_counted = self.n_labels + len(self.style.names)

    def count(self, text: str) -> FloatArray:
        """The numbers of one text, shape (n_counted,)."""
        return np.log1p(np.append(self.matcher.count(text), self.style.rates(text)))

    @property
    def labels(self) -> tuple[Label, ...]:
        """All whose terms are looked for: the task's labels, then the style classes."""
        return self.matcher.labels + self.style.labels

    def count_all(self, hits: FloatArray, marks: FloatArray) -> FloatArray:
        """The numbers of many texts, shape (n_texts, n_counted), from the hits of `labels` and the texts' marks."""
        rates = self.style.rates_of(hits[:, self.n_labels :], marks)
        return np.log1p(np.hstack([hits[:, : self.n_labels], rates]))


@dataclass(frozen=True)
class TaskScorer:
    """A fitted task folded into one linear scorer: score = Σ blocks x·W + (counted - usual)·s + b.

    `counted_weights` has shape (n_counted, n_labels), row by row what `counter` counts; `usual` is the mean of each
    style rate in the training passages and 0 for hits, shape (n_counted,); `intercept` has shape (n_labels,). However
    the task was trained, this is all that scoring needs.
    """

    blocks: tuple[Block, ...]
    counter: Counter
    counted_weights: FloatArray
    usual: FloatArray
    intercept: FloatArray

    def score(self, texts: Sequence[str]) -> tuple[FloatArray, BoolArray]:
        """Scores, shape (n_passages, n_labels), and which passages hold evidence, shape (n_passages,).

        That is any feature of a block, whether it stood in labelled passages, in unlabelled text or in the codebook, or
        a hit of a term.
        """
        return self._alone.read(texts).tasks[0]

    @cached_property
    def is_counted(self) -> bool:
        """Whether anything that is counted has a weight."""
        return bool(self.counted_weights.any())

    @cached_property
    def _alone(self) -> "Scorer":
        return Scorer([self])


@dataclass(frozen=True)
class Reading:
    """What one pass over texts gives: for each task scores and evidence, as `TaskScorer.score` has them.

    `n_content` and `n_unknown`, shape (n_texts,), count the content words of each text and, among them, those that
    stood in no training passage.
    """

    tasks: list[tuple[FloatArray, BoolArray]]
    n_content: FloatArray
    n_unknown: FloatArray


class Scorer:
    """All tasks at once, in one pass over each text; any number of threads may use it.

    `known_words` are those that stood in training passages, stemmed or not; where none are named, no word counts as
    unknown. `engine` says who scans: `compiled`, where the package was built with a compiler, or `reference`, numpy
    alone. Both give the same scores to 1e-9.
    """

    def __init__(
        self, tasks: Sequence[TaskScorer], known_words: frozenset[str] = frozenset(), *, engine: Engine = ENGINES[0]
    ) -> None:
        self.tasks = tuple(tasks)
        blocks = [block for task in tasks for block in task.blocks]
        labels = [label for task in tasks for label in task.counter.labels]
        self._scanners = Scanners(blocks, labels, known_words, engine)
        self._has_marks = any(task.counter.style.names for task in tasks)

    @property
    def engine(self) -> Engine:
        """Who scans."""
        return self._scanners.engine

    def read(self, texts: Sequence[str]) -> Reading:
        """Scores of every task, evidence and unknown words, for each text."""
        if len(texts) <= CHUNK:
            return self._read_chunk(texts)
        parts = [self._read_chunk(texts[start : start + CHUNK]) for start in range(0, len(texts), CHUNK)]
        of_tasks = zip(*(part.tasks for part in parts), strict=True)
        return Reading(
            [(np.concatenate([s for s, _ in task]), np.concatenate([e for _, e in task])) for task in of_tasks],
            np.concatenate([part.n_content for part in parts]),
            np.concatenate([part.n_unknown for part in parts]),
        )

    def _read_chunk(self, texts: Sequence[str]) -> Reading:
        scan = self._scanners.scan(texts)
        marks = np.zeros((len(texts), N_MARKS))
        if self._has_marks and texts:
            runs = scan.words[:, 0].tolist()
            marks[:] = [count_marks(text, n_runs) for text, n_runs in zip(texts, runs, strict=True)]
        tasks, block, label = [], 0, 0
        for task in self.tasks:
            next_block, next_label = block + len(task.blocks), label + len(task.counter.labels)
            of_task = scan.sums[block:next_block], scan.n_features[:, block:next_block], scan.hits[:, label:next_label]
            tasks.append(_score(task, *of_task, marks))
            block, label = next_block, next_label
        return Reading(tasks, scan.words[:, 1], scan.words[:, 2])


def _score(
    task: TaskScorer, sums: Sequence[FloatArray], n_features: FloatArray, hits: FloatArray, marks: FloatArray
) -> tuple[FloatArray, BoolArray]:
    scores = np.empty((len(hits), len(task.intercept)))
    scores[:] = task.intercept
    for of_block in sums:
        scores += of_block
    if task.is_counted:
        counted = task.counter.count_all(hits, marks) - task.usual
        scores += (counted[:, :, None] * task.counted_weights).sum(axis=1)  # the same in any batch, to the last bit
    return scores, np.asarray(n_features.any(axis=1) | hits[:, : task.counter.n_labels].any(axis=1))
