"""Cut a stretch of text into sentences with Punkt and an abbreviation list of our own; nothing is downloaded."""

import re
from functools import lru_cache
from typing import Any

ABBREVIATIONS = frozenset(
    """
    a.m adm amb apr assoc aug ave brig bros capt cdr cdre cmdr co col comm corp cpl cpt d.c dec dept div dr e.g est
    etc ex feb fig fr fri ft gen gov govt h.e hon i.e inc jan jr jul jun lt ltd maj mar messrs mon mr mrs ms mshl mt
    nov oct p.m ph.d pres prof pte pvt rep reps retd rev rtd sec sen sens sep sept sgt sq sr st supt thu thurs tue
    tues u.k u.n u.s u.s.a v viz vol vs
    """.split()
)
"""Lower-cased, without their last full stop: ranks and titles of military and diplomatic prose, months, weekdays."""


SENTENCE_STARTERS = frozenset(
    "a after an and as but for he her his however if in it its my on our she since that the their there these they "
    "this those we when while you".split()
)
"""Words that, capitalised, begin a sentence even after an abbreviation: "…from the U.S. The talks ended." """

_NUMBERED = re.compile(r"\b(?:Nos?|pp?)\.$")


def sentence_spans(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Spans of the sentences in `text[start:end]`, as offsets into `text`.

    >>> text = "Gen. Ali met Lt. Col. Ba on Jan. 5. They agreed."
    >>> [text[low:high] for low, high in sentence_spans(text, 0, len(text))]
    ['Gen. Ali met Lt. Col. Ba on Jan. 5.', 'They agreed.']
    """
    spans: list[tuple[int, int]] = []
    for low, high in _tokenizer().span_tokenize(text[start:end]):
        if spans and _NUMBERED.search(text, *spans[-1]) and text[start + low].isdigit():  # "Resolution No. 1540"
            spans[-1] = (spans[-1][0], start + high)
        else:
            spans.append((start + low, start + high))
    return spans


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    parameters = PunktParameters()
    parameters.abbrev_types = set(ABBREVIATIONS)
    parameters.sent_starters = set(SENTENCE_STARTERS)
    return PunktSentenceTokenizer(parameters)
