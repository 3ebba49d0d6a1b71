"""Blocks and terms to tables, and any surface word to what all of them make of it: asked once a word, ever."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from classify.codebook import Label
from classify.measure.arrays import BoolArray, IntArray
from classify.scorer.blocks import Block
from classify.scorer.pairs import ABSENT, PairTable
from classify.scorer.terms import Fits, TermTree
from classify.scorer.tokens import STOP_WORDS, stem

DROPPED = -2
"""The number of a word that a block leaves out before n-grams are made; ABSENT is that of one it doesn't know."""


@dataclass(frozen=True)
class Analysis:
    """What is known of some surface words.

    `numbers`, shape (n_words, n_word_blocks), are the words' numbers in each NgramTable; `fits` the patterns of terms
    that they fit; `is_content` are no function words, and `is_unknown` those of them that stood in no training passage.
    """

    numbers: IntArray
    fits: list[Fits]
    is_content: BoolArray
    is_unknown: BoolArray


class NgramTable:
    """The word n-grams of one block as a tree of word numbers.

    A word's number is its node on the first level; `below` leads from a node and the next word's number to a node
    further down; `feature_of` a node is the column of the n-gram that ends there, or ABSENT.
    """

    def __init__(self, block: Block) -> None:
        self.block = block
        self.low, self.high = block.settings.ngram_range
        order = np.argsort(block.idf, kind="stable").tolist()  # common ones first: close together in memory
        ngrams = [block.features[column].split(" ") for column in order]
        every = dict.fromkeys(word for ngram in ngrams for word in ngram)
        self.words = {word: number for number, word in enumerate(every)}
        columns = dict.fromkeys(range(len(every)), ABSENT)
        below: dict[tuple[int, int], int] = {}
        for column, (first, *rest) in zip(order, ngrams, strict=True):
            node = self.words[first]
            for word in rest:
                node = below.setdefault((node, self.words[word]), len(every) + len(below))
                columns.setdefault(node, ABSENT)
            if self.low <= 1 + len(rest) <= self.high:
                columns[node] = column
        self.feature_of = np.array(list(columns.values()), dtype=np.int32)
        self.below = PairTable(below, n_second=len(every))

    def number_of(self, surface: str) -> int:
        """The number of a lower-cased run of word characters: one character alone is no word."""
        settings = self.block.settings
        if len(surface) == 1 or surface in settings.stop_words:
            return DROPPED
        return self.words.get(stem(surface) if settings.stem else surface, ABSENT)


class Tables:
    """All that is fixed of some blocks and some labels with terms, for scanners to share; threads may."""

    def __init__(self, blocks: Sequence[Block], labels: Sequence[Label], known_words: frozenset[str]) -> None:
        self.blocks = tuple(blocks)
        self.ngrams = {n: NgramTable(block) for n, block in enumerate(blocks) if block.settings.analyzer == "word"}
        self.characters = {n: block for n, block in enumerate(blocks) if block.settings.analyzer == "char_wb"}
        self.terms = TermTree(labels)
        self.known_words = known_words

    def analyse(self, surfaces: Sequence[str]) -> Analysis:
        """What the blocks and terms make of lower-cased runs of word characters."""
        numbers = [[table.number_of(surface) for surface in surfaces] for table in self.ngrams.values()]
        is_content = [len(surface) > 1 and surface not in STOP_WORDS for surface in surfaces]
        known = self.known_words
        is_known = [not known or surface in known or stem(surface) in known for surface in surfaces]
        return Analysis(
            np.array(numbers, dtype=np.int64).reshape(len(numbers), len(surfaces)).T,
            [self.terms.fits_of(surface.casefold()) for surface in surfaces],
            np.array(is_content, dtype=np.bool_),
            np.array(is_content, dtype=np.bool_) & ~np.array(is_known, dtype=np.bool_),
        )

    def columns_of(self, number: int, chunk: str) -> list[int]:
        """The columns of character block `number` in a lower-cased run of characters without a space, repeats too."""
        block = self.characters[number]
        found = map(block.columns.get, block.settings.features_of(chunk))
        return [column for column in found if column is not None]
