"""Gather the overlapping pieces of a score into what a reader can take in: words, named term hits, named rates."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from classify.measure.arrays import BoolArray, FloatArray, IntArray
from classify.scorer.contributions import CHARACTERS, STYLE, TERMS, WORDS, Piece, character_weights

_WORD = re.compile(r"\S+")
_OUTER = " .,;:()[]{}<>\"'“”‘’„«»"
_SHARED = 0.5
"""Neighbouring words are one span where their pair carries at least this much of what either carries alone."""
_MOST_NAMED = 5
_LONGEST_NAME = 40
_RATES = {
    "quoted_words": "words in quotation marks",
    "named_speakers": "statements with a named speaker",
    "sentence_length": "words a sentence",
}

Places = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Part:
    """One readable part of a score: `value` is what it carries, `places` where it stands, as character offsets.

    `kind` is `words` (a word, or words whose weight is that of their pairs, with all character runs inside them),
    `codebook terms` or `style`; `name` says it in words, and `note` how large a style rate is. `str` adds to words how
    often they stand there.
    """

    kind: str
    name: str
    places: Places
    value: float
    note: str = ""

    def __str__(self) -> str:
        return f"{self.name} ×{len(self.places)}" if self.kind == WORDS and len(self.places) > 1 else self.name

    @property
    def in_full(self) -> str:
        """The same with the size of a style rate, and what was found of it."""
        return f"{self}: {self.note}" if self.note else str(self)


def parts_of(text: str, pieces: Sequence[Piece], values: FloatArray) -> list[Part]:
    """The parts of a text's score, largest effect first; they sum to `values`, shape (n_pieces,), to rounding.

    The value of every word, pair and character run is spread over its characters and summed by word, so that runs
    which overlap are seen once. Term hits and style rates stand by themselves; what carries nothing is left out.
    """
    is_learnt = np.array([piece.kind in (WORDS, CHARACTERS) for piece in pieces], dtype=np.bool_)
    learnt = [piece for piece in pieces if piece.kind in (WORDS, CHARACTERS)]
    parts = _words(text, learnt, values[is_learnt])
    for piece, value in zip(pieces, values.tolist(), strict=True):
        if piece.kind == TERMS:
            parts.append(Part(TERMS, _terms_name(text, piece), piece.spans, value))
        elif piece.kind == STYLE:
            name = _RATES.get(piece.name, piece.name.replace("_", " "))
            parts.append(Part(STYLE, name, piece.spans, value, _size(text, piece)))
    return sorted((part for part in parts if part.value != 0), key=lambda part: (-abs(part.value), part.name))


def weights_of_words(text: str, pieces: Sequence[Piece], values: FloatArray) -> list[tuple[int, int, float]]:
    """Every word as (start, end, weight), in reading order: all that stands in it, its terms and style included."""
    words = _places_of_words(text)
    if not len(words):
        return []
    carried = np.add.reduceat(character_weights(pieces, values, len(text)), words[:, 0])
    return [(*_inner(text, start, end), weight) for (start, end), weight in zip(words.tolist(), carried, strict=True)]


def _words(text: str, pieces: Sequence[Piece], values: FloatArray) -> list[Part]:
    """Words, or runs of joined ones, with what they carry; the same words in several places are one part."""
    words = _places_of_words(text)
    if not len(words):
        return []
    carried = np.add.reduceat(character_weights(pieces, values, len(text)), words[:, 0])
    ends = np.flatnonzero(np.append(~_joined(words[:, 0], pieces, values), True))
    starts = np.append(0, ends[:-1] + 1)
    places: dict[str, list[tuple[str, tuple[int, int]]]] = defaultdict(list)
    sums: dict[str, float] = defaultdict(float)
    for first, last in zip(starts.tolist(), ends.tolist(), strict=True):
        if not carried[first : last + 1].any():
            continue
        place = _inner(text, words[first, 0], words[last, 1])
        name = _one_line(text[slice(*place)])
        places[name.casefold()].append((name, place))
        sums[name.casefold()] += float(carried[first : last + 1].sum())
    return [
        Part(WORDS, found[0][0], tuple(place for _, place in found), sums[folded]) for folded, found in places.items()
    ]


def _joined(starts: IntArray, pieces: Sequence[Piece], values: FloatArray) -> BoolArray:
    """Which words belong with the next one, shape (n_words - 1,): what stands across both is not small beside each."""
    carried = [value / piece.covered for piece, value in zip(pieces, values.tolist(), strict=True)]
    found = [(*span, each) for piece, each in zip(pieces, carried, strict=True) for span in piece.spans]
    begins, ends, each = np.array(found).reshape(-1, 3).T
    shares = each * (ends - begins)
    first, last = (np.searchsorted(starts, places, side="right") - 1 for places in (begins, ends - 1))
    is_alone = first == last
    alone = np.bincount(first[is_alone], shares[is_alone], len(starts))
    across = np.zeros(len(starts))
    for begin, end, share in zip(first[~is_alone], last[~is_alone], shares[~is_alone], strict=True):
        across[begin:end] += share
    larger = np.maximum(np.abs(alone[:-1]), np.abs(alone[1:]))
    return np.asarray((across[:-1] != 0) & (np.abs(across[:-1]) >= _SHARED * larger))


def _places_of_words(text: str) -> IntArray:
    return np.array([match.span() for match in _WORD.finditer(text)], dtype=np.int64).reshape(-1, 2)


def _inner(text: str, start: int, end: int) -> tuple[int, int]:
    """The place without the punctuation around it, unless there is nothing else."""
    run = text[start:end]
    inner = run.strip(_OUTER)
    if not inner:
        return int(start), int(end)
    begin = int(start) + len(run) - len(run.lstrip(_OUTER))
    return begin, begin + len(inner)


def _terms_name(text: str, piece: Piece) -> str:
    return f"terms of {piece.name.replace('_', ' ')}: {_listed(text[slice(*span)] for span in piece.spans)}"


def _size(text: str, piece: Piece) -> str:
    """Such as `3.1 per 100 words, usually 1.2 (may, could)`."""
    rate, usual = _rounded(piece.rate or 0.0), _rounded(piece.usual or 0.0)
    if piece.name == "sentence_length":
        return f"{rate}, usually {usual}"
    if not piece.rate:
        return f"none, usually {usual} per 100 words"
    return f"{rate} per 100 words, usually {usual} ({_listed(text[slice(*span)] for span in piece.spans)})"


def _rounded(rate: float) -> str:
    return f"{rate:.0f}" if rate >= 10 or rate == 0 else f"{rate:.1f}" if rate >= 0.95 else f"{rate:.1g}"


def _listed(found: Iterable[str]) -> str:
    """Distinct words in reading order, with how often they stand there: the first five."""
    names = [_one_line(words) for words in found]
    counts = Counter(name.casefold() for name in names)
    first = {name.casefold(): name for name in reversed(names)}
    shown = [_short(first[name]) + (f" ×{n}" if n > 1 else "") for name, n in counts.items()]
    return ", ".join(shown[:_MOST_NAMED] + ["…"] * (len(shown) > _MOST_NAMED))


def _one_line(words: str) -> str:
    return " ".join(words.split())


def _short(words: str) -> str:
    return words if len(words) <= _LONGEST_NAME else f"{words[: _LONGEST_NAME - 1].rstrip()}…"
