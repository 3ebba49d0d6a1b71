"""Choose who scans texts, and give every thread a scanner of its own."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal, Protocol

from classify.codebook import Label
from classify.scorer.blocks import Block
from classify.scorer.reference import ReferenceScanner, Scan
from classify.scorer.tables import Tables

Engine = Literal["compiled", "reference"]
ENGINES: tuple[Engine, ...] = ("compiled", "reference")
"""The engines that there are here, the fastest first."""
try:
    from classify.scorer.compiled import CompiledScanner, CompiledTables
except ImportError:  # there was no compiler when the package was built
    ENGINES = ("reference",)


class Scanner(Protocol):
    """Either of the two."""

    def scan(self, texts: Sequence[str]) -> Scan:
        """What is found in each text."""


class Scanners:
    """As many scanners as there are threads that scan at the same time, over tables that they share.

    Each remembers the words it has met. The tables are made when they are first needed, and never pickled.
    """

    def __init__(
        self, blocks: Sequence[Block], labels: Sequence[Label], known_words: frozenset[str], engine: Engine
    ) -> None:
        self._made_of = tuple(blocks), tuple(labels), known_words
        self.engine = engine
        self._idle: list[Scanner] = []

    def __getstate__(self) -> dict[str, Any]:
        engine = self.engine if self.engine != ENGINES[0] else None
        return {"made_of": self._made_of, "engine": engine}

    def __setstate__(self, state: dict[str, Any]) -> None:
        blocks, labels, known_words = state["made_of"]
        engine = state["engine"] if state["engine"] in ENGINES else ENGINES[0]
        Scanners.__init__(self, blocks, labels, known_words, engine)

    def scan(self, texts: Sequence[str]) -> Scan:
        """What is found in each text; any number of threads may ask."""
        try:
            scanner = self._idle.pop()  # one step, so that no other thread gets the same
        except IndexError:
            scanner = self._make()
        found = scanner.scan(texts)
        self._idle.append(scanner)
        return found

    def _make(self) -> Scanner:
        return CompiledScanner(self._compiled_tables) if self.engine == "compiled" else ReferenceScanner(self._tables)

    @cached_property
    def _tables(self) -> Tables:
        return Tables(*self._made_of)

    @cached_property
    def _compiled_tables(self) -> "CompiledTables":
        return CompiledTables(self._tables)
