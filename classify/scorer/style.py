"""How a passage is told, as a few interpretable numbers: rates of token classes and of marks, whatever the topic."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from classify.codebook import Label, Task, TaskKind
from classify.measure.arrays import FloatArray
from classify.scorer.speakers import named_speakers
from classify.scorer.terms import TermMatcher

# Most patterns begin with the characters they look for, since re skips to those quickly; what must stand before them
# is then asked by looking back.
_RUN = re.compile(r"\w+")
_JOINT = re.compile(r"['’-](?<=\w.)(?=\w)")
_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_SENTENCE_END = re.compile(r"[.!?](?<![.!?].)[.!?]*+[\"'”’)]*+(?=\s|$)")
_QUOTED = re.compile(r"“[^”]{1,1000}”|\"[^\"]{1,1000}\"|«[^»]{1,1000}»")
_QUESTION = re.compile(r"\?")
_NUMBER = re.compile(r"\d(?<!\w\d)[\d.,]*\b")

MARKS = ("quoted_words", "named_speakers", "numbers", "question_marks", "sentence_length")
"""Rates that no word list gives: words inside quotation marks; statements with a named speaker, as far as capitals tell
(no pronoun, no common opening of a sentence, no "Officials"); numbers; question marks, all per 100 words; and the mean
number of words a sentence, as its natural logarithm."""

N_MARKS = 6
"""What `count_marks` counts."""

StyleWords = Mapping[str, Mapping[str, Sequence[str]]]
"""For each class its lists `terms` and `not_terms`, written as in a codebook."""
LISTS = ("terms", "not_terms")


class StyleCounter:
    """The style block: `names` of its rates, and the rates of any text.

    `words` gives `terms` and `not_terms` for each class, whose `labels` they become; they travel with a bundle by
    value, so that a release with other lists reads it as it was trained. Without words there are no rates at all.

    >>> counter = StyleCounter({"modals": {"terms": ["must", "should"], "not_terms": []}})
    >>> dict(zip(counter.names, counter.rates("We must wait.").round(1).tolist()))
    {'modals': 33.3, 'quoted_words': 0.0, 'named_speakers': 0.0, 'numbers': 0.0, 'question_marks': 0.0, \
'sentence_length': 1.1}
    """

    def __init__(self, words: StyleWords) -> None:
        self.words = words
        self.names = (*words, *MARKS) if words else ()
        self.labels = tuple(
            Label(name, terms=tuple(lists["terms"]), not_terms=tuple(lists["not_terms"]))
            for name, lists in words.items()
        )
        self._matcher = TermMatcher(Task("style", TaskKind.MULTILABEL, self.labels))

    def rates(self, text: str) -> FloatArray:
        """One number a name, shape (n_rates,); a text without words has rates of 0."""
        marks = count_marks(text, len(_RUN.findall(text)))
        rates = self.rates_of(self._matcher.count(text)[None], np.array([marks], dtype=np.float64))
        return np.asarray(rates[0])

    def rates_of(self, hits: FloatArray, marks: FloatArray) -> FloatArray:
        """The rates of many texts, shape (n_texts, n_rates), from the hits of each class and from their marks."""
        if not self.names:
            return np.zeros((len(hits), 0))
        n_words, found, n_ends = marks[:, :1], marks[:, 1:-1], marks[:, -1:]
        some_words = np.maximum(n_words, 1)
        n_sentences = np.clip(n_ends, 1, some_words)
        rates = np.hstack([100 / some_words * hits, 100 / some_words * found, np.log(some_words / n_sentences)])
        return np.asarray(np.where(n_words > 0, rates, 0.0))

    def readable(self, counted: FloatArray) -> list[float]:
        """Rates as they are said, from log(1 + rate): per 100 words, `sentence_length` in words a sentence.

        `counted` has shape (n_rates,).
        """
        rates = np.expm1(counted)
        rates[len(rates) - 1 :] = np.exp(rates[len(rates) - 1 :])
        return [float(rate) for rate in rates]

    def counts_word(self, word: str) -> bool:
        """Whether a word by itself counts towards a rate that has a word list."""
        return bool(self._matcher.hits(word))

    def places(self, text: str) -> dict[str, list[tuple[int, int]]]:
        """Where each rate found what it counts, as character offsets; `sentence_length` stands nowhere."""
        if not self.names:
            return {}
        found: dict[str, list[tuple[int, int]]] = {name: [] for name in self.names}
        for hit in self._matcher.hits(text):
            found[self.names[hit.label]].append((hit.start, hit.end))
        return found | _marks(text)


def count_marks(text: str, n_runs: int) -> tuple[int, ...]:
    r"""Words, those inside quotation marks, named speakers, numbers, question marks and sentence ends of a text.

    A word may have apostrophes and hyphens inside; `n_runs` is the number of its `\w+`, which the caller may know.
    """
    is_quoting = "“" in text or '"' in text or "«" in text
    return (
        n_runs - len(_JOINT.findall(text)),
        sum(len(_WORD.findall(text, *span.span())) for span in _QUOTED.finditer(text)) if is_quoting else 0,
        len(named_speakers(text)),
        len(_NUMBER.findall(text)),
        text.count("?"),
        len(_SENTENCE_END.findall(text)),
    )


def _marks(text: str) -> dict[str, list[tuple[int, int]]]:
    quoted, numbers, questions = (
        [match.span() for match in pattern.finditer(text)] for pattern in (_QUOTED, _NUMBER, _QUESTION)
    )
    return dict(zip(MARKS, (quoted, named_speakers(text), numbers, questions), strict=False))
