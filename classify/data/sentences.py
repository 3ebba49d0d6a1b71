"""Cut a stretch of text into sentences with Punkt and an abbreviation list of our own; nothing is downloaded."""

from functools import lru_cache
from typing import Any

ABBREVIATIONS = frozenset(
    """
    adm amb assoc ave brig bros capt cdr cdre cmdr co col comm corp cpl cpt dept dr e.g est etc ex fig fr ft gen gov
    govt h.e hon i.e inc jr lt ltd maj messrs mr mrs ms mt no nos p.m a.m ph.d pres prof pte pvt rep reps rev rtd sec
    sen sens sgt sq sr st supt u.k u.n u.s u.s.a v vs viz vol jan feb mar apr jun jul aug sep sept oct nov dec mon tue
    tues wed thu thurs fri sat sun
    """.split()
)
"""Lower-cased, without their last full stop: ranks and titles of military and diplomatic prose, months, weekdays."""


def sentence_spans(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Spans of the sentences in `text[start:end]`, as offsets into `text`.

    >>> text = "Gen. Ali met Lt. Col. Ba on Jan. 5. They agreed."
    >>> [text[low:high] for low, high in sentence_spans(text, 0, len(text))]
    ['Gen. Ali met Lt. Col. Ba on Jan. 5.', 'They agreed.']
    """
    return [(start + low, start + high) for low, high in _tokenizer().span_tokenize(text[start:end])]


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    parameters = PunktParameters()
    parameters.abbrev_types = set(ABBREVIATIONS)
    return PunktSentenceTokenizer(parameters)
