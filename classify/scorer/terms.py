"""Find a codebook's terms in text: case-folded runs of surface words, minus their false friends."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from classify.codebook import Label, Task
from classify.measure.arrays import FloatArray

_WORD = re.compile(r"\w+")
_PATTERN = re.compile(r"\w+\*?")
Fits = tuple[int, ...]
"""The patterns that a word fits, by number."""


@dataclass(frozen=True)
class Hit:
    """One term found for one label; `start` and `end` are character offsets into the text as given."""

    label: int
    term: str
    start: int
    end: int


class TermTree:
    """The terms of any number of labels as one tree of patterns, so that a text is searched for all of them at once.

    A pattern is a word, or the stem of one with `*` behind it. Node `n` of the first level is pattern `n`; `branches`
    leads from a node and the next pattern to a node below, and `ends` says which labels' terms end at a node: terms by
    the label's number, `not_terms` by that number plus `n_labels`.
    """

    def __init__(self, labels: Sequence[Label]) -> None:
        self.n_labels = len(labels)
        written = [
            (column, term, [match.group().casefold() for match in _PATTERN.finditer(term)])
            for number, label in enumerate(labels)
            for column, terms in ((number, label.terms), (number + len(labels), label.not_terms))
            for term in terms
        ]
        every = dict.fromkeys(pattern for _, _, patterns in written for pattern in patterns)
        self.patterns = {pattern: number for number, pattern in enumerate(every)}
        self.branches: dict[int, dict[int, int]] = {}
        self.ends: list[list[tuple[int, str]]] = [[] for _ in self.patterns]
        self._lengths = sorted({len(pattern) - 1 for pattern in self.patterns if pattern.endswith("*")})
        for column, term, patterns in written:
            self._add(column, term, [self.patterns[pattern] for pattern in patterns])

    def fits_of(self, word: str) -> Fits:
        """The patterns that a case-folded word fits: itself, then stems from short to long."""
        stems = (f"{word[:length]}*" for length in self._lengths if length <= len(word))
        return tuple(number for key in (word, *stems) if (number := self.patterns.get(key)) is not None)

    def matches(self, fits: Sequence[Fits]) -> Iterator[tuple[int, str, int, int]]:
        """(label, term, first word, word behind the last) of every hit that counts, by place; `fits` of each word.

        At each word the longest term of a label counts once and the search goes on behind it; a hit inside a
        `not_terms` span of the same label doesn't count.
        """
        behind, reach = [0] * self.n_labels, [0] * self.n_labels
        for start, first in enumerate(fits):
            if not first:
                continue
            longest: dict[int, tuple[int, str]] = {}
            self._follow(first, fits, start + 1, longest)
            for column, (end, _) in longest.items():
                if column >= self.n_labels:
                    reach[column - self.n_labels] = max(reach[column - self.n_labels], end)
            for column, (end, term) in longest.items():
                if column < self.n_labels and start >= behind[column]:
                    behind[column] = end
                    if reach[column] < end:
                        yield column, term, start, end

    def _follow(
        self, nodes: Sequence[int], fits: Sequence[Fits], end: int, longest: dict[int, tuple[int, str]]
    ) -> None:
        """Note the longest term of each column that starts with one of the nodes, which the word before `end` fits."""
        for node in nodes:
            for column, term in self.ends[node]:
                if end > longest.get(column, (0, ""))[0]:
                    longest[column] = (end, term)
            below = self.branches.get(node)
            if below and end < len(fits):
                self._follow([below[next_] for next_ in fits[end] if next_ in below], fits, end + 1, longest)

    def _add(self, column: int, term: str, patterns: list[int]) -> None:
        node = patterns[0]
        for pattern in patterns[1:]:
            below = self.branches.setdefault(node, {})
            if pattern not in below:
                below[pattern] = len(self.ends)
                self.ends.append([])
            node = below[pattern]
        self.ends[node].append((column, term))


class TermMatcher:
    """The terms of a task's labels, ready to be found.

    A term is a run of surface words, case-folded; a hyphen is a space, `*` ends a stem. At each word the longest term
    of a label counts once and the search goes on behind it; a hit inside a `not_terms` span of the same label doesn't
    count.

    >>> from classify.codebook import Label, TaskKind
    >>> label = Label("ct", terms=("terror*", "al-Qaeda"), not_terms=("reign of terror",))
    >>> matcher = TermMatcher(Task("theme", TaskKind.MULTILABEL, (label,)))
    >>> [hit.term for hit in matcher.hits("Terrorists of Al Qaeda, not a reign of terror.")]
    ['terror*', 'al-Qaeda']
    """

    def __init__(self, task: Task) -> None:
        self.labels = task.labels
        self.n_labels = len(task.labels)
        self._task = task
        self._tree = TermTree(task.labels)
        self._fits_of = lru_cache(maxsize=50_000)(self._tree.fits_of)

    def __reduce__(self) -> tuple[object, ...]:
        return TermMatcher, (self._task,)

    def hits(self, text: str) -> list[Hit]:
        """Every hit that counts, by label and then by place."""
        if not self._task.has_terms:
            return []
        words = list(_WORD.finditer(text))  # each folded by itself: folding the whole text could shift offsets
        fits = [self._fits_of(word.group().casefold()) for word in words]
        found = [
            Hit(label, term, words[start].start(), words[end - 1].end())
            for label, term, start, end in self._tree.matches(fits)
        ]
        return sorted(found, key=lambda hit: (hit.label, hit.start))

    def count(self, text: str) -> FloatArray:
        """Number of hits for each label, shape (n_labels,)."""
        return np.bincount([hit.label for hit in self.hits(text)], minlength=self.n_labels).astype(np.float64)
