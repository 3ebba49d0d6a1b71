"""Labelled passages to candidate terms: words and word pairs that stand in a label's passages more than elsewhere."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from classify.codebook import Label, Task
from classify.data.dataset import Dataset
from classify.measure.keyness import log_likelihood
from classify.scorer.terms import TermMatcher
from classify.scorer.tokens import STOP_WORDS, words_of

MIN_EVENTS = 3
MIN_KEYNESS = 10.83
MAX_PAIRS = 5_000
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Candidate:
    """A word or pair of words with the passages that hold it inside and outside a label, and its keyness (G²)."""

    term: str
    inside: int
    outside: int
    keyness: float


def find_candidates(dataset: Dataset, task: Task, *, most: int = 20) -> Mapping[str, list[Candidate]]:
    """For each label the candidates with the highest keyness that its terms and false friends don't cover yet.

    A candidate stands in the label's passages of 3 events or more, and is commoner there than chance allows (G² of at
    least 10.83, p < .001). Pairs are NLTK's collocations by likelihood ratio.
    """

    def is_new(label: Label) -> Callable[[str], bool]:
        friends = Label("false friends", terms=label.not_terms)
        covered = TermMatcher(replace(task, labels=(replace(label, not_terms=()), friends)))
        return lambda term: not covered.count(term).any()

    return _most_key(dataset, task, most, is_new)


def find_collocations(dataset: Dataset, task: Task, *, most: int = 20) -> Mapping[str, list[Candidate]]:
    """The same for pairs of words alone, whether the codebook covers them or not."""
    return _most_key(dataset, task, most, lambda _: lambda term: " " in term)


def _most_key(
    dataset: Dataset, task: Task, most: int, is_wanted: Callable[[Label], Callable[[str], bool]]
) -> Mapping[str, list[Candidate]]:
    holders = _holders(dataset)
    terms = list(holders)
    gold = dataset.gold(task)
    found = {}
    for column, label in enumerate(task.labels):
        known, positive = gold.known[:, column], gold.gold[:, column] & gold.known[:, column]
        rows_of = [[row for row in holders[term] if known[row]] for term in terms]
        inside = np.array([sum(positive[row] for row in rows) for rows in rows_of], dtype=np.int64)
        outside = np.array([len(rows) for rows in rows_of], dtype=np.int64) - inside
        keyness = log_likelihood(inside, outside, int(positive.sum()), int((known & ~positive).sum()))
        wanted = is_wanted(label)
        chosen: list[Candidate] = []
        for number in np.argsort(-np.nan_to_num(keyness), kind="stable").tolist():
            if len(chosen) == most or not keyness[number] >= MIN_KEYNESS:
                break
            events = {int(dataset.groups[row]) for row in rows_of[number] if positive[row]}
            if len(events) >= MIN_EVENTS and wanted(terms[number]):
                counts = int(inside[number]), int(outside[number])
                chosen.append(Candidate(terms[number], *counts, float(keyness[number])))
        found[label.name] = chosen
    return found


def _holders(dataset: Dataset) -> dict[str, list[int]]:
    """The passages that hold each word that is no function word, and each collocation."""
    words = [words_of(text) for text in dataset.texts]
    sequences = [_WORD.findall(text.lower()) for text in dataset.texts]  # with one-letter words, which part pairs
    pairs = _collocations(sequences)
    holders = defaultdict(list)
    for row, (of_passage, sequence) in enumerate(zip(words, sequences, strict=True)):
        found = {word for word in of_passage if word not in STOP_WORDS and not word.isdigit()}
        found |= {" ".join(pair) for pair in pairwise(sequence) if pair in pairs}
        for term in sorted(found):
            holders[term].append(row)
    return holders


def _collocations(words: list[list[str]]) -> set[tuple[str, str]]:
    from nltk.collocations import BigramAssocMeasures, BigramCollocationFinder
    from nltk.probability import FreqDist

    counts = FreqDist(word for of_passage in words for word in of_passage)
    pairs = FreqDist(pair for of_passage in words for pair in pairwise(of_passage))
    finder = BigramCollocationFinder(counts, pairs)
    finder.apply_freq_filter(MIN_EVENTS)
    finder.apply_word_filter(lambda word: len(word) == 1 or word in STOP_WORDS or word.isdigit())
    return set(finder.nbest(BigramAssocMeasures.likelihood_ratio, MAX_PAIRS))
