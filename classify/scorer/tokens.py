"""Turn text into tokens, stems and n-grams: the same analysis in training and in prediction."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from snowballstemmer.english_stemmer import EnglishStemmer

_TOKEN = re.compile(r"\b\w\w+\b")
_STEMMER = EnglishStemmer()

STOP_WORDS = frozenset(
    """
    a about above across after afterwards again all almost alone along already also although always am among amongst an
    and another any anyhow anyone anything anyway anywhere are around as at be became because become becomes been before
    beforehand being below beside besides between beyond both but by can cannot could did do does doing done down due
    during each either else elsewhere enough etc even ever every everyone everything everywhere except few first for
    former formerly from further get give go had has have having he hence her here hereafter hereby herein hers herself
    him himself his how however if in indeed instead into is it its itself just last latter least less made many may me
    meanwhile might mine more moreover most mostly much must my myself namely neither never nevertheless next no nobody
    none nor not nothing now nowhere of off often on once one only onto or other others otherwise our ours ourselves out
    over own per perhaps please put rather re same see seem seemed seems several she should since so some somehow
    someone something sometime sometimes somewhere still such take than that the their theirs them themselves then
    thence there thereafter thereby therefore therein these they this those though through throughout thru thus to
    together too toward towards under until up upon very via was we well were what whatever when whence whenever where
    whereas whereby wherein whereupon wherever whether which while who whoever whole whom whose why will with within
    without would yet you your yours yourself yourselves
    """.split()
)
"""Function words that carry no topic: articles, pronouns, prepositions, conjunctions, auxiliaries, pale adverbs."""


def words_of(text: str) -> list[str]:
    r"""Lower-cased tokens `\b\w\w+\b`, as scikit-learn's vectorisers find them.

    >>> words_of("The U.S. Navy's F-35s")
    ['the', 'navy', '35s']
    """
    return _TOKEN.findall(text.lower())


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """Snowball's English stem of a lower-cased word; each surface form is stemmed once, then looked up."""
    return str(_STEMMER.stemWord(word))


@dataclass(frozen=True)
class BlockSettings:
    """How one TF-IDF block cuts a text into features.

    `analyzer` is `word` (n-grams of stems, joined by a space) or `char_wb` (character n-grams inside words padded by a
    space, scikit-learn's definition); `ngram_range` is inclusive; a feature must stand in `min_df` training passages;
    `sublinear_tf` takes 1 + log(count). Stop words go before n-grams are made; `stop_words` names them by value, so
    that a bundle does not depend on the list of another release.
    """

    analyzer: Literal["word", "char_wb"] = "word"
    ngram_range: tuple[int, int] = (1, 1)
    min_df: int = 1
    stem: bool = True
    sublinear_tf: bool = True
    stop_words: frozenset[str] = field(default=frozenset(), repr=False)

    def __post_init__(self) -> None:
        low, high = self.ngram_range
        if self.analyzer not in ("word", "char_wb"):
            raise ValueError(f"unknown analyzer {self.analyzer!r}; expected word or char_wb")
        if not (2 if self.analyzer == "char_wb" else 1) <= low <= high:
            raise ValueError(f"n-grams from {low} to {high}; expected a range from 1 (of characters: from 2) upward")

    def features_of(self, text: str) -> list[str]:
        """All features of a text in reading order, repeated as often as they stand there.

        >>> BlockSettings(ngram_range=(1, 2), stop_words=frozenset({"of"})).features_of("Exercises of navies")
        ['exercis', 'navi', 'exercis navi']
        >>> BlockSettings("char_wb", (3, 3)).features_of("Navy")
        [' na', 'nav', 'avy', 'vy ']
        """
        if self.analyzer == "char_wb":
            return _char_ngrams(text.lower(), *self.ngram_range)
        words = [word for word in words_of(text) if word not in self.stop_words]
        return list(_word_ngrams([stem(word) for word in words] if self.stem else words, *self.ngram_range))

    def spans_of(self, text: str) -> list[tuple[str, int, int]]:
        """The same features with their places: (feature, start, end), offsets into the text as given.

        >>> BlockSettings().spans_of("Two navies")
        [('two', 0, 3), ('navi', 4, 10)]
        """
        lowered, place = text.lower(), _places(text)
        if self.analyzer == "char_wb":
            found = _char_spans(lowered, *self.ngram_range)
        else:
            matches = [match for match in _TOKEN.finditer(lowered) if match.group() not in self.stop_words]
            words = [(stem(match.group()) if self.stem else match.group(), *match.span()) for match in matches]
            found = _word_spans(words, *self.ngram_range)
        return [(feature, place[start], place[end - 1] + 1) for feature, start, end in found]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a bundle's manifest."""
        return {
            "analyzer": self.analyzer,
            "ngram_range": list(self.ngram_range),
            "min_df": self.min_df,
            "stem": self.stem,
            "sublinear_tf": self.sublinear_tf,
            "stop_words": sorted(self.stop_words),
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "BlockSettings":
        """Read back what `to_dict` gave; raises KeyError, TypeError or ValueError for anything else."""
        low, high = plain["ngram_range"]
        settings = {**plain, "ngram_range": (low, high), "stop_words": frozenset(plain["stop_words"])}
        if settings.keys() != cls.__dataclass_fields__.keys():
            raise ValueError(f"settings of a block with keys {sorted(settings)}")
        return cls(**settings)


def _word_ngrams(words: list[str], low: int, high: int) -> Iterator[str]:
    for n in range(low, high + 1):
        for start in range(len(words) - n + 1):
            yield " ".join(words[start : start + n])


def _char_ngrams(text: str, low: int, high: int) -> list[str]:
    """Character n-grams inside padded words; a word shorter than n gives itself once, and no longer n is tried."""
    found: list[str] = []
    for word in text.split():
        padded = f" {word} "
        for n in range(low, high + 1):
            if len(padded) <= n:
                found.append(padded)
                break
            found += [padded[start : start + n] for start in range(len(padded) - n + 1)]
    return found


def _word_spans(words: list[tuple[str, int, int]], low: int, high: int) -> Iterator[tuple[str, int, int]]:
    for n in range(low, high + 1):
        for first in range(len(words) - n + 1):
            run = words[first : first + n]
            yield " ".join(word for word, _, _ in run), run[0][1], run[-1][2]


def _char_spans(text: str, low: int, high: int) -> Iterator[tuple[str, int, int]]:
    for match in re.finditer(r"\S+", text):
        word_start, word_end = match.span()
        for ngram, offset in _with_offsets(match.group(), low, high):
            start, end = word_start + offset - 1, word_start + offset - 1 + len(ngram)
            yield ngram, max(start, word_start), min(end, word_end)


def _with_offsets(word: str, low: int, high: int) -> Iterator[tuple[str, int]]:
    offset, length = 0, 0
    for ngram in _char_ngrams(word, low, high):
        offset, length = (offset + 1 if len(ngram) == length else 0), len(ngram)
        yield ngram, offset


def _places(text: str) -> list[int]:
    """For each character of `text.lower()`, the offset of the character it came from: lower-casing can lengthen."""
    return [place for place, character in enumerate(text) for _ in character.lower()]
