"""How a passage is told, as a few interpretable numbers: rates of token classes and of marks, whatever the topic."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from classify.codebook import Label, Task, TaskKind
from classify.measure.arrays import FloatArray
from classify.scorer.terms import TermMatcher

_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_SENTENCE_END = re.compile(r"(?<![.!?])[.!?]++[\"'”’)]*+(?=\s|$)")
_QUOTED = re.compile(r"“[^”]{1,1000}”|\"[^\"]{1,1000}\"|«[^»]{1,1000}»")
_QUESTION = re.compile(r"\?")
_NUMBER = re.compile(r"\b\d[\d.,]*\b")
_SAID = r"(?:said|says|stated|told|added|announced|noted|explained|warned|argued|remarked|insisted|claimed)"
_NO_NAME = (
    # pronouns, what often opens a sentence, and speakers who are not named
    r"(?:He|She|It|They|We|You|Who|This|That|These|Those|One|Some|Many|Most|Others|Both|All|Nobody|Everyone|The|An|But|And"
    r"|Yet|So|As|In|On|At|If|When|While|Then|Now|Here|There|Also|Still|However|Meanwhile|Earlier|Later|Yesterday|Today"
    r"|Officials?|Sources?|Observers?|Analysts?|Critics?|Experts?|Commentators?|S[ck]eptics?|Insiders?|Diplomats?)"
)
_NAME_WORD = rf"(?!{_NO_NAME}\b)[A-Z][\w'’-]{{1,40}}"
_NAME = rf"(?:{_NAME_WORD}\s+){{0,3}}{_NAME_WORD}"
_NAMED_SPEAKER = re.compile(rf"\b{_NAME}\s+{_SAID}\b|\b{_SAID}\s+{_NAME}|\b[Aa]ccording\s+to\s+{_NAME}")

MARKS = ("quoted_words", "named_speakers", "numbers", "question_marks", "sentence_length")
"""Rates that no word list gives: words inside quotation marks; statements with a named speaker, as far as capitals tell
(no pronoun, no common opening of a sentence, no "Officials"); numbers; question marks, all per 100 words; and the mean
number of words a sentence, as its natural logarithm."""

StyleWords = Mapping[str, Mapping[str, Sequence[str]]]
"""For each class its lists `terms` and `not_terms`, written as in a codebook."""
LISTS = ("terms", "not_terms")


class StyleCounter:
    """The style block: `names` of its rates, and the rates of any text.

    `words` gives `terms` and `not_terms` for each class; they travel with a bundle by value, so that a release with
    other lists reads it as it was trained. Without words there are no rates at all.

    >>> counter = StyleCounter({"modals": {"terms": ["must", "should"], "not_terms": []}})
    >>> dict(zip(counter.names, counter.rates("We must wait.").round(1).tolist()))
    {'modals': 33.3, 'quoted_words': 0.0, 'named_speakers': 0.0, 'numbers': 0.0, 'question_marks': 0.0, \
'sentence_length': 1.1}
    """

    def __init__(self, words: StyleWords) -> None:
        self.words = words
        self.names = (*words, *MARKS) if words else ()
        labels = [
            Label(name, terms=tuple(lists["terms"]), not_terms=tuple(lists["not_terms"]))
            for name, lists in words.items()
        ]
        self._matcher = TermMatcher(Task("style", TaskKind.MULTILABEL, tuple(labels)))

    def rates(self, text: str) -> FloatArray:
        """One number a name, shape (n_rates,); a text without words has rates of 0."""
        n_words = len(_WORD.findall(text))
        if not self.names or n_words == 0:
            return np.zeros(len(self.names))
        marks = _marks(text)
        marks["quoted_words"] = [
            match.span() for span in marks["quoted_words"] for match in _WORD.finditer(text, *span)
        ]
        per_100 = 100 / n_words * np.append(self._matcher.count(text), [len(marks[name]) for name in MARKS[:-1]])
        n_sentences = min(n_words, max(1, len(_SENTENCE_END.findall(text))))
        return np.append(per_100, np.log(n_words / n_sentences))

    def readable(self, counted: FloatArray) -> list[float]:
        """Rates as they are said, from log(1 + rate): per 100 words, `sentence_length` in words a sentence.

        `counted` has shape (n_rates,).
        """
        rates = np.expm1(counted)
        rates[len(rates) - 1 :] = np.exp(rates[len(rates) - 1 :])
        return [float(rate) for rate in rates]

    def places(self, text: str) -> dict[str, list[tuple[int, int]]]:
        """Where each rate found what it counts, as character offsets; `sentence_length` stands nowhere."""
        if not self.names:
            return {}
        found: dict[str, list[tuple[int, int]]] = {name: [] for name in self.names}
        for hit in self._matcher.hits(text):
            found[self.names[hit.label]].append((hit.start, hit.end))
        return found | _marks(text)


def _marks(text: str) -> dict[str, list[tuple[int, int]]]:
    patterns = (_QUOTED, _NAMED_SPEAKER, _NUMBER, _QUESTION)
    return {name: [m.span() for m in pattern.finditer(text)] for name, pattern in zip(MARKS, patterns, strict=False)}
