"""Find a codebook's terms in text: case-folded runs of surface words, minus their false friends."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from classify.codebook import Task
from classify.measure.arrays import FloatArray

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Hit:
    """One term found for one label; `start` and `end` are character offsets into the text as given."""

    label: int
    term: str
    start: int
    end: int


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
        self.n_labels = len(task.labels)
        self._has_terms = task.has_terms
        self._terms = _Patterns([(i, term) for i, label in enumerate(task.labels) for term in label.terms])
        self._not_terms = _Patterns([(i, term) for i, label in enumerate(task.labels) for term in label.not_terms])

    def hits(self, text: str) -> list[Hit]:
        """Every hit that counts, by label and then by place."""
        folded, spans = _fold(text) if self._has_terms else ([], [])
        if not folded:
            return []
        friends: list[list[tuple[int, int]]] = [[] for _ in range(self.n_labels)]
        for label, _, start, end in self._not_terms.matches(folded):
            reach = friends[label][-1][1] if friends[label] else 0
            friends[label].append((start, max(reach, end)))
        found = []
        behind = [0] * self.n_labels
        for label, term, start, end in self._terms.matches(folded):
            if start < behind[label]:
                continue
            behind[label] = end
            before = bisect_right(friends[label], start, key=lambda friend: friend[0])
            if before == 0 or friends[label][before - 1][1] < end:
                found.append(Hit(label, term, spans[start][0], spans[end - 1][1]))
        return sorted(found, key=lambda hit: (hit.label, hit.start))

    def count(self, text: str) -> FloatArray:
        """Number of hits for each label, shape (n_labels,)."""
        return np.bincount([hit.label for hit in self.hits(text)], minlength=self.n_labels).astype(np.float64)


def _fold(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    """Case-folded words and their offsets in the text itself; folding a whole text could shift offsets."""
    found = list(_WORD.finditer(text))
    return [match.group().casefold() for match in found], [match.span() for match in found]


class _Patterns:
    """Terms by their first word, so that most words of a text are dismissed by one look-up."""

    def __init__(self, terms: Sequence[tuple[int, str]]) -> None:
        self._by_first: dict[str, list[tuple[int, str, tuple[str, ...]]]] = {}
        for label, term in terms:
            words = tuple(match.group().casefold() for match in re.finditer(r"\w+\*?", term))
            self._by_first.setdefault(words[0], []).append((label, term, words))
        self._lengths = sorted({len(first) - 1 for first in self._by_first if first.endswith("*")})
        self._candidates = lru_cache(maxsize=200_000)(self._look_up)

    def __reduce__(self) -> tuple[object, ...]:
        terms = [(label, term) for found in self._by_first.values() for label, term, _ in found]
        return _Patterns, (terms,)

    def matches(self, words: list[str]) -> Iterator[tuple[int, str, int, int]]:
        """(label, term, first word, word behind the last) for the longest term of each label at each word."""
        for start, word in enumerate(words):
            longest: dict[int, tuple[str, int]] = {}
            for label, term, pattern in self._candidates(word):
                end = start + len(pattern)
                if end > longest.get(label, ("", start))[1] and _fits(pattern, words[start:end]):
                    longest[label] = (term, end)
            for label, (term, end) in longest.items():
                yield label, term, start, end

    def _look_up(self, word: str) -> tuple[tuple[int, str, tuple[str, ...]], ...]:
        stems = (f"{word[:length]}*" for length in self._lengths if length <= len(word))
        return tuple(found for key in (word, *stems) for found in self._by_first.get(key, ()))


def _fits(pattern: tuple[str, ...], words: list[str]) -> bool:
    return len(pattern) == len(words) and all(
        word.startswith(part[:-1]) if part.endswith("*") else word == part
        for part, word in zip(pattern, words, strict=True)
    )
