"""Find statements with a named speaker: from each verb of saying to a name just before or behind it."""

import re

_VERBS = "said says stated told added announced noted explained warned argued remarked insisted claimed".split()
_NO_NAME = (
    # pronouns, what often opens a sentence, and speakers who are not named
    r"(?:He|She|It|They|We|You|Who|This|That|These|Those|One|Some|Many|Most|Others|Both|All|Nobody|Everyone|The|An|But|And"
    r"|Yet|So|As|In|On|At|If|When|While|Then|Now|Here|There|Also|Still|However|Meanwhile|Earlier|Later|Yesterday|Today"
    r"|Officials?|Sources?|Observers?|Analysts?|Critics?|Experts?|Commentators?|S[ck]eptics?|Insiders?|Diplomats?)"
)
_NAME_WORD = rf"(?!{_NO_NAME}\b)[A-Z][\w'’-]{{1,40}}"
_SAID = re.compile(rf"\b(?:{'|'.join(_VERBS)})\b")
_NAME_BEFORE = re.compile(rf"\b(?:{_NAME_WORD}\s+){{1,4}}\Z")
_NAME_BEHIND = re.compile(rf"(?:\s+{_NAME_WORD}){{1,4}}")
_ACCORDING_TO = re.compile(r"\b[Aa]ccording\s+to\b")
_LONGEST_NAME = 200
"""Characters before a verb among which a name is looked for."""


def named_speakers(text: str) -> list[tuple[int, int]]:
    """Where a statement and the name of its speaker stand, as character offsets; none reaches into another.

    As far as capitals tell: pronouns, common openings of a sentence and "Officials" are no names.

    >>> [text[slice(*span)] for text in ["He said Anna Berg of Oslo agreed."] for span in named_speakers(text)]
    ['said Anna Berg']
    """
    found = []
    behind = 0
    for start in _openings(text):
        span = _statement(text, start, behind) if start >= behind else None
        if span:
            found.append(span)
            behind = span[1]
    return found


def _statement(text: str, start: int, behind: int) -> tuple[int, int] | None:
    """The statement whose verb or "according to" begins at `start`; no name before `behind` is its own."""
    said = _SAID.match(text, start)
    before = said and _name_before(text, start, max(behind, start - _LONGEST_NAME))
    if said and before:
        return before.start(), said.end()
    opening = said or _ACCORDING_TO.match(text, start)
    name = opening and _NAME_BEHIND.match(text, opening.end())
    return (start, name.end()) if name else None


def _name_before(text: str, end: int, start: int) -> re.Match[str] | None:
    """The name of up to four words that ends before the verb at `end` and begins at `start` or behind it."""
    head, *words = text[start:end].rsplit(None, 4) or [""]
    last = words[-1] if words else head
    if last.islower():
        return None
    return _NAME_BEFORE.search(text, start + len(head) if len(words) == 4 else start, end)


def _openings(text: str) -> list[int]:
    """Where a statement may begin, in order; looking for each verb by itself is far faster than a pattern."""
    found = [start - 1 for start in _places(text, "ccording")]
    for verb in _VERBS:
        if verb in text:
            found += _places(text, verb)
    return sorted(found)


def _places(text: str, word: str) -> list[int]:
    places, start = [], text.find(word)
    while start >= 0:
        places.append(start)
        start = text.find(word, start + 1)
    return places
