"""Scan texts with the C extension: the same results as reference.py, many times as fast."""

from collections.abc import Sequence
from itertools import accumulate, chain
from random import SystemRandom

import numpy as np
from numpy.typing import NDArray

from classify.scorer._scanner import Scanner
from classify.scorer.blocks import Block
from classify.scorer.pairs import ABSENT, MULTIPLIER, PairTable
from classify.scorer.reference import MAX_CHARACTERS, MAX_WORDS, ReferenceScanner, Scan
from classify.scorer.tables import Analysis, Tables
from classify.scorer.terms import TermTree

Int32Array = NDArray[np.int32]
Parts = tuple[object, ...]
LANES = 8
"""Numbers of 8 bytes in a line of the processor's cache."""


class CompiledTables:
    """What `Scanner` is made from, as arrays that any number of scanners share."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.order = [*tables.ngrams, *tables.characters]
        """The blocks' numbers in the order in which `Scanner` has them."""
        self.places = [_places(block) for block in tables.blocks]
        self.features = {n: self.places[n][table.feature_of] for n, table in tables.ngrams.items()}
        """The place of the feature that ends at each node of a word block."""
        self._word_blocks = tuple(
            (_parts_of_block(table.block), _parts_of_pairs(table.below, self.features[n]), table.high)
            for n, table in tables.ngrams.items()
        )
        self._char_blocks = tuple(_parts_of_block(block) for block in tables.characters.values())
        self._terms = _parts_of_terms(tables.terms)

    def make_scanner(self) -> Scanner:
        """A scanner that knows no word yet; where its words lie in memory can't be foreseen by whoever writes texts."""
        return Scanner(self._word_blocks, self._char_blocks, self._terms, SystemRandom().getrandbits(64))


class CompiledScanner:
    """Scans texts, and remembers every surface word and chunk up to a bound; one thread at a time."""

    def __init__(self, shared: CompiledTables) -> None:
        self._shared = shared
        self._tables = shared.tables
        self._scanner = shared.make_scanner()
        self._reference: ReferenceScanner | None = None

    def scan(self, texts: Sequence[str]) -> Scan:
        """What is found in each text."""
        n_known, n_bytes = self._scanner.size()
        if n_known > 2 * MAX_WORDS or n_bytes > 2 * MAX_CHARACTERS:
            self._scanner.forget()
        self._scanner.read(texts)
        self._learn()
        scan, order = Scan.empty(self._tables, len(texts)), self._shared.order
        n_features = np.zeros((len(texts), len(order)))
        self._scanner.score(tuple(scan.sums[number] for number in order), n_features, scan.hits, scan.words)
        scan.n_features[:, order] = n_features
        self._mend(scan, texts)
        return scan

    def _learn(self) -> None:
        if words := self._scanner.new_words():
            found = self._tables.analyse(words)
            flags = found.is_content + 2 * found.is_unknown
            self._scanner.learn_words(self._numbers(found), flags.astype(np.int32), *_joined(found.fits))
        if chunks := self._scanner.new_chunks():
            of_blocks = []
            for number in self._tables.characters:
                ends, columns = _joined([self._tables.columns_of(number, chunk) for chunk in chunks])
                of_blocks.append((ends, self._shared.places[number][columns]))
            self._scanner.learn_chunks(*of_blocks)

    def _numbers(self, found: Analysis) -> Int32Array:
        """Each word's number in each word block, and its place as a feature; shape (n_words, n_blocks, 2)."""
        numbers = np.full((*found.numbers.shape, 2), ABSENT, dtype=np.int32)
        numbers[:, :, 0] = found.numbers
        for column, features in enumerate(self._shared.features.values()):
            is_there = found.numbers[:, column] >= 0
            numbers[is_there, column, 1] = features[found.numbers[is_there, column]]
        return numbers

    def _mend(self, scan: Scan, texts: Sequence[str]) -> None:
        """Read again, by the reference, texts with the one letter whose lower-casing cuts a word in two."""
        odd = [number for number, text in enumerate(texts) if "İ" in text]
        if not odd:
            return
        self._reference = self._reference or ReferenceScanner(self._tables)
        again = self._reference.scan([texts[number] for number in odd])
        scan.hits[odd], scan.words[odd] = again.hits, again.words


def _joined(parts: Sequence[Sequence[int]]) -> tuple[Int32Array, Int32Array]:
    """Where each part ends among all of them, and all of them."""
    ends = np.array(list(accumulate(map(len, parts))), dtype=np.int32)
    return ends, np.fromiter(chain.from_iterable(parts), np.int32, int(ends[-1]))


def _places(block: Block) -> Int32Array:
    """Where each column of a block stands when the commonest come first, close together in memory; -1 stays -1."""
    places = np.full(len(block.features) + 1, -1, dtype=np.int32)
    places[np.argsort(block.idf, kind="stable")] = np.arange(len(block.features))
    return places


def _parts_of_block(block: Block) -> Parts:
    """Weights with idf before them, the commonest features first, each row in whole lines of the processor's cache."""
    n_features, n_labels = block.weights.shape
    shape = n_features, (n_labels + LANES) // LANES * LANES
    room = np.zeros(8 * (shape[0] * shape[1] + LANES), dtype=np.uint8)
    start = -room.ctypes.data % (8 * LANES)
    rows = room[start : start + 8 * shape[0] * shape[1]].view(np.float64).reshape(shape)
    places = _places(block)[:-1]
    rows[places, 0], rows[places, 1 : n_labels + 1] = block.idf, block.idf[:, None] * block.weights
    return rows, n_features, n_labels, block.settings.sublinear_tf


def _parts_of_pairs(pairs: PairTable, features: Int32Array | None = None) -> Parts:
    """A table of pairs; where values are nodes, the feature of each node is put above the 32 bits of its number."""
    slots = pairs.slots
    is_pair = slots[:, 0] != ABSENT
    marks = np.where(is_pair, slots[:, 0].astype(np.uint64) * np.uint64(MULTIPLIER) & np.uint64(255) | np.uint64(1), 0)
    if features is not None:
        slots = slots.copy()
        slots[is_pair, 1] |= features[slots[is_pair, 1]].astype(np.int64) << 32
    return slots, marks.astype(np.uint8), pairs.bits, pairs.n_second


def _parts_of_terms(tree: TermTree) -> Parts:
    below = {(node, next_): child for node, found in tree.branches.items() for next_, child in found.items()}
    ends, columns = _joined([[column for column, _ in found] for found in tree.ends] or [[]])
    starts = np.append(np.int32(0), ends).astype(np.int32)
    return _parts_of_pairs(PairTable(below, n_second=len(tree.patterns))), starts, columns, tree.n_labels
