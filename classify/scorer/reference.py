"""Scan texts with numpy alone: what the blocks and terms find, all in one pass. The compiled scanner is held to it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise

import numpy as np

from classify.measure.arrays import FloatArray, IntArray
from classify.scorer.blocks import Block
from classify.scorer.tables import DROPPED, NgramTable, Tables
from classify.scorer.terms import Fits

MAX_WORDS = 200_000
MAX_CHARACTERS = 4_000_000
_WORD = re.compile(r"\w+")
_WORD_BEYOND_ASCII = re.compile(r"[^\W\x00-\x7f]")
_FOLD = {code: chr(code).lower() if chr(code).isalnum() or chr(code) == "_" else " " for code in range(128)}


@dataclass(frozen=True)
class Scan:
    """What was found in some texts.

    `sums[n]` is x · W of block n, shape (n_texts, n_labels of the block); `n_features`, shape (n_texts, n_blocks),
    counts the distinct features; `hits`, shape (n_texts, n_labels with terms), the terms; `words`, shape (n_texts, 3),
    its runs of word characters, the content words among them, and the unknown ones among these.
    """

    sums: tuple[FloatArray, ...]
    n_features: FloatArray
    hits: FloatArray
    words: FloatArray

    @classmethod
    def empty(cls, tables: Tables, n_texts: int) -> "Scan":
        """Zeros, to be filled in."""
        shape = n_texts, len(tables.blocks)
        sums = tuple(np.zeros((n_texts, block.weights.shape[1])) for block in tables.blocks)
        return cls(sums, np.zeros(shape), np.zeros((n_texts, tables.terms.n_labels)), np.zeros((n_texts, 3)))


class Numbering:
    """Strings to whole numbers, counted from 0 in the order they are first met, and what goes with each number."""

    def __init__(self) -> None:
        self.numbers: defaultdict[str, int] = defaultdict(lambda: len(self.numbers))
        self.n_known = 0
        self.n_characters = 0

    def rows_of(self, texts: Iterable[list[str]]) -> tuple[IntArray, IntArray]:
        """The number of every string of every text, and the number of its text.

        The texts are best cut while they are asked for: one text's strings stay in the processor's cache.
        """
        lengths = []

        def strings_of() -> Iterator[list[str]]:
            for strings in texts:
                lengths.append(len(strings))
                yield strings

        every = chain.from_iterable(strings_of())
        rows = np.fromiter(map(self.numbers.__getitem__, every), np.int64)
        return rows, np.repeat(np.arange(len(lengths)), lengths)

    def new(self) -> list[str]:
        """The strings that were met since this was last asked, in order."""
        found = list(islice(reversed(self.numbers), len(self.numbers) - self.n_known))[::-1]
        self.n_known = len(self.numbers)
        self.n_characters += sum(map(len, found))
        return found

    @property
    def is_full(self) -> bool:
        """Whether it is time to forget, so that memory stays bounded."""
        return self.n_known > MAX_WORDS or self.n_characters > MAX_CHARACTERS


class _Words:
    """Every surface word met so far, analysed once."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.numbering = Numbering()
        self.fits: list[Fits] = []
        self.facts = np.zeros((1024, len(tables.ngrams) + 3), dtype=np.int64)
        """A row a word: its number in each n-gram table, whether it is content, unknown, and fits any pattern."""

    def rows_of(self, texts: Iterable[list[str]]) -> tuple[IntArray, IntArray]:
        rows, text_of = self.numbering.rows_of(texts)
        if new := self.numbering.new():
            found = self.tables.analyse(new)
            fits_any = [bool(fits) for fits in found.fits]
            start, end = len(self.fits), len(self.fits) + len(new)
            if end > len(self.facts):
                self.facts = np.resize(self.facts, (2 * end, self.facts.shape[1]))
            self.facts[start:end] = np.column_stack([found.numbers, found.is_content, found.is_unknown, fits_any])
            self.fits += found.fits
        return rows, text_of


class _Chunks:
    """Every run of characters without a space met so far, with the columns of its character n-grams."""

    def __init__(self, tables: Tables, number: int) -> None:
        self.tables, self.number = tables, number
        self.numbering = Numbering()
        self.columns: list[IntArray] = []

    def columns_of(self, texts: Iterable[list[str]]) -> tuple[IntArray, IntArray]:
        """The text and the column of every n-gram."""
        rows, text_of = self.numbering.rows_of(texts)
        new = self.numbering.new()
        self.columns += [np.array(self.tables.columns_of(self.number, chunk), dtype=np.int64) for chunk in new]
        found = [self.columns[row] for row in rows.tolist()]
        return np.repeat(text_of, list(map(len, found))), np.concatenate([np.zeros(0, np.int64), *found])


class ReferenceScanner:
    """Scans texts, and remembers every surface word and chunk up to a bound; one thread at a time."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self._forget()

    def _forget(self) -> None:
        self._words = _Words(self.tables)
        self._chunks = {number: _Chunks(self.tables, number) for number in self.tables.characters}

    def scan(self, texts: Sequence[str]) -> Scan:
        """What is found in each text."""
        if self._words.numbering.is_full or any(known.numbering.is_full for known in self._chunks.values()):
            self._forget()
        tables, scan = self.tables, Scan.empty(self.tables, len(texts))
        rows, text_of = self._words.rows_of(map(words_in, texts))
        facts = self._words.facts[rows]
        for column, (number, table) in enumerate(tables.ngrams.items()):
            where, features = _ngrams(table, facts[:, column], text_of)
            _fill(scan, number, tables.blocks[number], where, features)
        for number, known in self._chunks.items():
            where, features = known.columns_of(text.lower().split() for text in texts)
            _fill(scan, number, tables.blocks[number], where, features)
        scan.words[:, 0] = np.bincount(text_of, minlength=len(texts))
        for column, flags in ((1, facts[:, -3]), (2, facts[:, -2])):
            scan.words[:, column] = np.bincount(text_of, flags, len(texts))
        may_hit = np.bincount(text_of, facts[:, -1], len(texts)) > 0
        for number in np.flatnonzero(may_hit).tolist():
            of_text = rows[np.searchsorted(text_of, number) : np.searchsorted(text_of, number, "right")]
            self._count_terms(scan, number, [self._words.fits[row] for row in of_text.tolist()])
        for number, text in enumerate(texts):
            if "İ" in text:  # the one character whose lower-casing cuts a word in two
                in_case = _WORD.findall(text)
                scan.words[number, 0] = len(in_case)
                self._count_terms(scan, number, [tables.terms.fits_of(word.casefold()) for word in in_case])
        return scan

    def _count_terms(self, scan: Scan, number: int, fits: Sequence[Fits]) -> None:
        """Terms are looked for among words that are cut from the text before they are case-folded."""
        scan.hits[number] = 0
        for label, *_ in self.tables.terms.matches(fits):
            scan.hits[number, label] += 1


def words_in(text: str) -> list[str]:
    r"""The runs of word characters, `\w+`, of the lower-cased text.

    Where no word has a character beyond ASCII, all others may be taken for spaces before lower-casing.
    """
    if not text.isascii():
        if _WORD_BEYOND_ASCII.search(text):
            return _WORD.findall(text.lower())
        text = text.encode("ascii", "replace").decode("ascii")
    return text.translate(_FOLD).split()


def _ngrams(table: NgramTable, numbers: IntArray, text_of: IntArray) -> tuple[IntArray, IntArray]:
    """Text and column of every known n-gram, from the numbers of all words of all texts."""
    kept = numbers != DROPPED
    nodes = words = numbers[kept]
    text_of = text_of[kept]
    where, features = [], []
    for n in range(1, table.high + 1):
        if n > 1:
            is_inside = text_of[: len(words) - n + 1] == text_of[n - 1 :]
            nodes = np.where(is_inside, table.below.find(nodes[: len(words) - n + 1], words[n - 1 :]), -1)
        columns = np.where(nodes >= 0, table.feature_of[nodes], -1) if len(table.feature_of) else nodes
        known = columns >= 0
        where.append(text_of[: len(nodes)][known])
        features.append(columns[known])
    return np.concatenate(where), np.concatenate(features)


def _fill(scan: Scan, number: int, block: Block, text_of: IntArray, features: IntArray) -> None:
    """TF-IDF of a block, and its sums with the weights, from text and column of every occurrence of a feature."""
    if not len(features):
        return
    n_texts, n_features = len(scan.n_features), len(block.features)
    cells = np.sort(text_of * n_features + features)
    first = np.flatnonzero(np.diff(cells, prepend=-1))
    counts = np.diff(first, append=len(cells))
    row, column = np.divmod(cells[first], n_features)
    values = (1 + np.log(counts) if block.settings.sublinear_tf else counts) * block.idf[column]
    scan.n_features[:, number] = np.bincount(row, minlength=n_texts)
    norms = np.sqrt(np.bincount(row, values * values, n_texts))
    ends = np.cumsum(scan.n_features[:, number], dtype=np.int64).tolist()
    for of_text, (start, end) in enumerate(pairwise([0, *ends])):
        if end > start:
            sums = values[start:end] @ block.weights.take(column[start:end], axis=0)
            scan.sums[number][of_text] = sums / norms[of_text]
