"""Turn documents into events: documents that report the same thing, joined by shared word 5-grams."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

NGRAM = 5
MIN_SHARED = 10
MIN_CONTAINMENT = 0.3
MAX_DOCUMENTS = 50
"""A 5-gram that stands in more documents is boilerplate and joins nothing."""

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class JoinedPair:
    """Two near-duplicate documents: how many 5-grams they share, and the share of the shorter one that is."""

    first: str
    second: str
    shared: int
    containment: float


@dataclass(frozen=True)
class Events:
    """The event of every document, the near-duplicates that were joined, and those joined across given events."""

    of_document: Mapping[str, str]
    joined: tuple[JoinedPair, ...]
    across_given: tuple[JoinedPair, ...]


def find_events(texts: Mapping[str, Sequence[str]], given: Mapping[str, str]) -> Events:
    """Events of documents, by union-find over given events and near-duplicate pairs.

    `texts` holds the passages of each document, `given` the event of those documents that have one. Given events stand;
    near-duplicates are joined even across two given ones, also by way of a third document; `across_given` reports
    every pair that took part in that. An event is named by the smallest given name among its documents, or else by its
    smallest document.
    """
    pairs = near_duplicates(texts)
    parent = {document: document for document in texts}

    def root(document: str) -> str:
        while parent[document] != document:
            parent[document] = parent[parent[document]]
            document = parent[document]
        return document

    first_of_event: dict[str, str] = {}
    for document in sorted(given):
        parent[root(document)] = root(first_of_event.setdefault(given[document], document))
    for pair in pairs:
        parent[root(pair.second)] = root(pair.first)
    members = defaultdict(list)
    for document in texts:
        members[root(document)].append(document)
    of_document: dict[str, str] = {}
    across: list[JoinedPair] = []
    for documents in members.values():
        names = {given[document] for document in documents if document in given}
        of_document.update(dict.fromkeys(documents, min(names) if names else _name(min(documents), given)))
        if len(names) > 1:
            across.extend(p for p in pairs if p.first in documents and given.get(p.first) != given.get(p.second))
    return Events(of_document, tuple(pairs), tuple(across))


def _name(document: str, given: Mapping[str, str]) -> str:
    """An event's name for a document that was given none; never a given event's."""
    return f"{document} (document)" if document in given.values() else document


def near_duplicates(texts: Mapping[str, Sequence[str]]) -> list[JoinedPair]:
    """Pairs of documents with at least 10 shared word 5-grams that make up .3 or more of the shorter one.

    An inverted index is walked instead of all pairs; 5-grams in more than 50 different documents are passed over.
    Documents of exactly the same words, five or more, are joined too, and stand in the index once.
    """
    by_words: dict[tuple[tuple[str, ...], ...], list[str]] = defaultdict(list)
    for document in sorted(texts):
        words = tuple(tuple(_WORD.findall(passage.casefold())) for passage in texts[document])
        by_words[words if sum(map(len, words)) >= NGRAM else ((document,),)].append(document)
    grams_of = {documents[0]: _grams(words) for words, documents in by_words.items()}
    pairs = [
        JoinedPair(documents[0], copy, len(grams_of[documents[0]]), 1.0)
        for documents in by_words.values()
        for copy in documents[1:]
    ]
    index = defaultdict(list)
    for document, grams in grams_of.items():
        for gram in grams:
            index[gram].append(document)
    shared: Counter[tuple[str, str]] = Counter()
    for holders in index.values():
        if 1 < len(holders) <= MAX_DOCUMENTS:
            shared.update(combinations(sorted(holders), 2))
    for (first, second), n_shared in shared.items():
        containment = n_shared / min(len(grams_of[first]), len(grams_of[second]))
        if n_shared >= MIN_SHARED and containment >= MIN_CONTAINMENT:
            pairs.append(JoinedPair(first, second, n_shared, containment))
    return sorted(pairs, key=lambda pair: (pair.first, pair.second))


def _grams(passages: Iterable[Sequence[str]]) -> set[int]:
    """Word 5-grams as numbers, none across the end of a passage; equal within one process, which is all that counts."""
    return {hash(tuple(words[start : start + NGRAM])) for words in passages for start in range(len(words) - NGRAM + 1)}
