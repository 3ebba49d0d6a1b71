"""Turn a document into passages, one paragraph (or sentence) each, by rules that are stated here.

1. Every non-empty line is a unit. A block of three or more lines without an empty line between them is one hard-wrapped
   paragraph instead, if each has at most 100 characters, all but the last are of similar length and not every line ends
   a sentence; a heading may stand right above it. In a document that holds such a paragraph, two lines are one too, if
   the first is filled and ends no sentence. A list mark begins a new unit.
2. Markup that leads a line (`#`, `>`, list marks) is not part of the passage.
3. Left out: lone marks; category and download lines; "Read:" and "Also read:" links; datelines standing alone.
4. Of what is left, a line of six words or more before the first passage is a title, and a passage.
5. Other short lines without a sentence are headings and left out.
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
_SLACK = 8
"""How many characters short of the longest line a wrapped line may still break before its next word."""
MIN_TITLE_WORDS = 6
MAX_HEADING_WORDS = 8
MAX_DATELINE_WORDS = 14
MIN_UNFINISHED_WORDS = 4
"""A line of as many words that ends in a colon, semicolon or comma is a sentence that goes on, and no heading."""
MAX_CAPITALISED_HEADING_WORDS = 12
"""A longer line can still be a heading if every word that carries meaning is capitalised."""

_LINE = re.compile(r"[^\n\r\v\f\x85\u2028\u2029]+")
_LINE_BREAK = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")
_LIST_MARK = re.compile(r"\s*(?:[-*+•–—]|\d{1,2}[.)])\s")
_MARKUP = re.compile(r"(?:\s|#+(?=\s|$)|>|[-*+•–—]+\s)+")
_CLOSING_MARKUP = re.compile(r"(?:\s+#+)?\s*$")
_WORD = re.compile(r"\w+(?:[’'.‐‑-]\w+)*")
_FURNITURE = re.compile(
    r"[\W_]*(?:"
    r"(?:(?:also|further|more)\s+)?read(?:\s+(?:also|more|next))?[*_]*\s*:|(?:see\s+also|related)[*_]*\s*:"
    r"|categor(?:y|ies)\s*[:–—-]|tags?\s*:|keywords?\s*:|(?:filed\s+under|posted\s+in)\b(?!.*[.!?]$)"
    r"|download\b(?:\s+[\w()]+){0,7}\s*$"
    r")",
    re.IGNORECASE,
)
_MONTHS = (
    "jan|january|feb|february|mar|march|apr|april|may|jun|june|jul|july|aug|august|"
    "sep|sept|september|oct|october|nov|november|dec|december"
)
_DAYS = "mon|monday|tue|tues|tuesday|wed|wednesday|thu|thurs|thursday|fri|friday|sat|saturday|sun|sunday"
_DATE = re.compile(rf"\b(?:{_MONTHS}|{_DAYS})\b|\b\d{{1,4}}[/.-]\d{{1,2}}[/.-]\d{{1,4}}\b", re.IGNORECASE)
_PUBLISHED = re.compile(r"\W*(?:first\s+|last\s+)?(?:published|posted|updated|modified)\b", re.IGNORECASE)
_DATELINE_WORDS = frozenset(f"{_MONTHS}|{_DAYS}|on|at|the|of|by|am|pm|a.m|p.m|th|st|nd|rd|local|time".split("|"))
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]*_\u200b\ufeff]*(?:\[\w{1,3}\])*$")
_UNFINISHED = re.compile(r"[:;,][\"'”’»]*$")
_FUNCTION_WORDS = frozenset(
    "a an and as at but by for from in into nor of off on onto or over per the to up via vs with".split()
)


def segment(document: Document, *, unit: Unit = "paragraph") -> list[Passage]:
    r"""The document's passages in order; `unit="sentence"` cuts every kept paragraph into sentences.

    >>> text = "Ministers Agree on a New Patrol Plan\n\nThe two navies will meet in May.\n\nNext steps\n"
    >>> [passage.text for passage in segment(Document("a.txt", text))]
    ['Ministers Agree on a New Patrol Plan', 'The two navies will meet in May.']
    """
    spans = [(start, end) for start, end, is_kept in _judged(document.text) if is_kept]
    if unit == "sentence":
        spans = [span for start, end in spans for span in sentence_spans(document.text, start, end)]
    return [
        Passage(f"{document.name}#{n}", document.name, start, end, document.text[start:end])
        for n, (start, end) in enumerate(spans, start=1)
    ]


def left_out(document: Document) -> list[str]:
    """The lines that are no passage by rules 3 to 5: headings, datelines, links, category lines."""
    return [document.text[start:end] for start, end, is_kept in _judged(document.text) if not is_kept]


def _judged(text: str) -> Iterator[tuple[int, int, bool]]:
    """Every unit, and whether it is a passage."""
    is_title_due = True
    for start, end in _units(text):
        line = text[start:end]
        is_title = is_title_due and len(_WORD.findall(line)) >= MIN_TITLE_WORDS
        is_kept = not _FURNITURE.match(line) and not _is_dateline(line) and (is_title or not _is_heading(line))
        is_title_due = is_title_due and not is_kept
        yield start, end, is_kept


def _units(text: str) -> Iterator[tuple[int, int]]:
    """Lines and hard-wrapped paragraphs without their leading markup and outer space."""
    blocks = [(block, [text[start:end] for start, end in block]) for block in _blocks(text)]
    width = max((len(line) for _, lines in blocks if _is_wrapped(lines) for line in lines), default=0)
    for block, lines in blocks:
        if _is_wrapped(lines) or _is_wrapped_in_two(lines, width):
            yield block[0][0], block[-1][1]
        elif _is_heading(lines[0]) and _is_wrapped(lines[1:]):
            yield block[0]
            yield block[1][0], block[-1][1]
        else:
            yield from block


def _blocks(text: str) -> Iterator[list[tuple[int, int]]]:
    """Runs of lines that hold a letter or digit, each trimmed to what is no markup; a list mark begins a new run."""
    block: list[tuple[int, int]] = []
    behind = 0
    for match in _LINE.finditer(text):
        start, end = _trimmed(text, *match.span())
        holds_words = any(character.isalnum() for character in text[start:end])
        is_next_line = len(_LINE_BREAK.findall(text, behind, match.start())) == 1
        if block and not (holds_words and is_next_line and not _LIST_MARK.match(match.group())):
            yield block
            block = []
        if holds_words:
            block.append((start, end))
        behind = match.end()
    if block:
        yield block


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    markup = _MARKUP.match(text, start, end)
    start = markup.end() if markup else start
    closing = _CLOSING_MARKUP.search(text, start, end)
    return start, closing.start() if closing else end


def _is_wrapped(lines: Sequence[str]) -> bool:
    if len(lines) < MIN_WRAPPED_LINES:
        return False
    longest = max(map(len, lines))
    return (
        longest <= MAX_WRAPPED_CHARACTERS
        and all(len(line) >= SIMILAR_LENGTH * longest for line in lines[:-1])
        and not all(_SENTENCE_END.search(line) for line in lines)
    )


def _is_wrapped_in_two(lines: Sequence[str], width: int) -> bool:
    """Two lines of a document that is wrapped at `width`: the first is as long as that allows and ends no sentence."""
    if len(lines) != MIN_WRAPPED_LINES - 1 or _SENTENCE_END.search(lines[0]):
        return False
    return SIMILAR_LENGTH * width <= len(lines[0]) <= width < len(lines[0]) + 1 + len(lines[1].split()[0]) + _SLACK


def _is_dateline(line: str) -> bool:
    """A date with digits, and nothing beside it but places in capitals and an agency, or when it was published."""
    words = _WORD.findall(line)
    if not _DATE.search(line) or not any(character.isdigit() for character in line):
        return False
    if len(words) > MAX_DATELINE_WORDS or _SENTENCE_END.search(line.removesuffix(".")):
        return False
    if _PUBLISHED.match(line):
        return True
    return all(word.casefold() in _DATELINE_WORDS or not word[0].islower() for word in words)


def _is_heading(line: str) -> bool:
    """A short line without a sentence: no sentence mark at its end, or one but every word capitalised."""
    words = _WORD.findall(line)
    if len(words) > MAX_CAPITALISED_HEADING_WORDS:
        return False
    capitalised = all(not word[0].islower() or word.casefold() in _FUNCTION_WORDS for word in words)
    if _SENTENCE_END.search(line):
        is_short = len(words) <= MAX_HEADING_WORDS
        return capitalised and is_short and (line.endswith(".") or (line.endswith("?") and len(words) > 2))
    if _UNFINISHED.search(line) and len(words) >= MIN_UNFINISHED_WORDS and not capitalised:
        return False
    return capitalised or len(words) <= MAX_HEADING_WORDS
