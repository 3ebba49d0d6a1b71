"""Turn a document into passages, one paragraph (or sentence) each, by rules that are stated here.

1. Every non-empty line is a unit. A block of three or more lines without an empty line between them is one hard-wrapped
   paragraph instead, if each has at most 100 characters and all but the last are of similar length.
2. Markup that leads a line (`#`, `>`, list marks) is not part of the passage.
3. Left out: lone marks; category and download lines; "Read:" and "Also read:" links; datelines standing alone.
4. The first line that is left is a title, and a passage, if it has six words or more; a shorter one is a heading.
5. Later short lines without a sentence are headings and left out.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from classify.data.sentences import sentence_spans
from classify.passages import Document, Passage

Unit = Literal["paragraph", "sentence"]

MAX_WRAPPED_CHARACTERS = 100
MIN_WRAPPED_LINES = 3
SIMILAR_LENGTH = 0.6
"""A wrapped line is at least this share of the block's longest line; the last line may be shorter."""
MIN_TITLE_WORDS = 6
MAX_HEADING_WORDS = 8
MAX_CAPITALISED_HEADING_WORDS = 12
"""A longer line can still be a heading if every word that carries meaning is capitalised."""

_LINE = re.compile(r"[^\n\r\v\f\x85\u2028\u2029]+")
_LINE_BREAK = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")
_MARKUP = re.compile(r"(?:\s|#+(?=\s|#|$)|>|[-*+•–—]+\s)+")
_WORD = re.compile(r"\w+(?:[’'.‐‑-]\w+)*")
_FURNITURE = re.compile(
    r"(?:(?:also|further|more)\s+)?read(?:\s+(?:also|more|next))?\s*:"
    r"|(?:see\s+also|related(?:\s+\w+)?|more\s+on\s+this|watch|listen)\s*:"
    r"|(?:categor(?:y|ies)|tags?|topics?|keywords?|filed\s+under|posted\s+in|labels?)\s*:"
    r"|download(?:\s+\w+){0,3}\s*$|(?:share|print|email)\s+this(?:\s+\w+)?\s*$|advertisement\s*$",
    re.IGNORECASE,
)
_MONTHS = (
    "jan|january|feb|february|mar|march|apr|april|may|jun|june|jul|july|aug|august|"
    "sep|sept|september|oct|october|nov|november|dec|december"
)
_DAYS = "mon|monday|tue|tues|tuesday|wed|wednesday|thu|thurs|thursday|fri|friday|sat|saturday|sun|sunday"
_DATE = re.compile(rf"\b(?:{_MONTHS}|{_DAYS})\b|\b\d{{1,4}}[/.-]\d{{1,2}}[/.-]\d{{1,4}}\b", re.IGNORECASE)
_DATELINE_WORDS = frozenset(
    f"{_MONTHS}|{_DAYS}|updated|published|posted|last|on|at|the|of|by|am|pm|a.m|p.m|th|st|nd|rd|min|read".split("|")
)
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*$")
_FUNCTION_WORDS = frozenset(
    "a an and as at but by for from in into nor of off on onto or over per the to up via vs with".split()
)


def segment(document: Document, *, unit: Unit = "paragraph") -> list[Passage]:
    r"""The document's passages in order; `unit="sentence"` cuts every kept paragraph into sentences.

    >>> text = "Ministers Agree on a New Patrol Plan\n\nThe two navies will meet in May.\n\nNext steps\n"
    >>> [passage.text for passage in segment(Document("a.txt", text))]
    ['Ministers Agree on a New Patrol Plan', 'The two navies will meet in May.']
    """
    spans = list(_kept(document.text))
    if unit == "sentence":
        spans = [span for start, end in spans for span in sentence_spans(document.text, start, end)]
    return [
        Passage(f"{document.name}#{n}", document.name, start, end, document.text[start:end])
        for n, (start, end) in enumerate(spans, start=1)
    ]


def _kept(text: str) -> Iterator[tuple[int, int]]:
    title_seen = False
    for start, end in _units(text):
        line = text[start:end]
        if not any(character.isalnum() for character in line) or _FURNITURE.match(line) or _is_dateline(line):
            continue
        is_first, title_seen = not title_seen, True
        if (is_first and len(_WORD.findall(line)) >= MIN_TITLE_WORDS) or not _is_heading(line):
            yield start, end


def _units(text: str) -> Iterator[tuple[int, int]]:
    """Lines and hard-wrapped paragraphs without their leading markup and outer space."""
    for block in _blocks(text):
        if _is_wrapped([text[start:end] for start, end in block]):
            yield block[0][0], block[-1][1]
        else:
            yield from block


def _blocks(text: str) -> Iterator[list[tuple[int, int]]]:
    """Runs of non-empty lines, each line trimmed to what is no markup."""
    block: list[tuple[int, int]] = []
    behind = 0
    for match in _LINE.finditer(text):
        start, end = _trimmed(text, *match.span())
        is_next_line = len(_LINE_BREAK.findall(text, behind, match.start())) == 1
        if block and (start == end or not is_next_line):
            yield block
            block = []
        if start < end:
            block.append((start, end))
        behind = match.end()
    if block:
        yield block


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    markup = _MARKUP.match(text, start, end)
    start = markup.end() if markup else start
    return start, max(start, start + len(text[start:end].rstrip().rstrip("#").rstrip()))


def _is_wrapped(lines: Sequence[str]) -> bool:
    longest = max(map(len, lines))
    return (
        len(lines) >= MIN_WRAPPED_LINES
        and longest <= MAX_WRAPPED_CHARACTERS
        and all(len(line) >= SIMILAR_LENGTH * longest for line in lines[:-1])
    )


def _is_dateline(line: str) -> bool:
    """A date, with nothing beside it but places in capitals, an agency and words such as "updated"."""
    words = _WORD.findall(line)
    return (
        bool(_DATE.search(line))
        and len(words) <= MAX_HEADING_WORDS
        and all(word.casefold() in _DATELINE_WORDS or word[0].isdigit() or word[0].isupper() for word in words)
        and not _SENTENCE_END.search(line.removesuffix("."))
    )


def _is_heading(line: str) -> bool:
    """A short line without a sentence: no sentence mark at its end, or one but every word capitalised."""
    words = _WORD.findall(line)
    if len(words) > MAX_CAPITALISED_HEADING_WORDS:
        return False
    capitalised = all(not word[0].islower() or word.casefold() in _FUNCTION_WORDS for word in words)
    if _SENTENCE_END.search(line):
        return capitalised and line.endswith(".") and len(words) <= MAX_HEADING_WORDS
    return capitalised or len(words) <= MAX_HEADING_WORDS
