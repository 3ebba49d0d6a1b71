"""A mistake to its text in pieces: the words that spoke for the label, those against it, and what lies between."""

from collections.abc import Iterator
from dataclasses import dataclass

from classify.evaluation.heldout import Mistake
from classify.scorer.tokens import BlockSettings

MAX_CHARACTERS = 1_500
"""Of a passage shown; a page of very long ones would be too heavy to send."""
WEAK = 0.2
FOR, AGAINST, NEITHER = "for", "against", ""
_WORDS = BlockSettings(stem=False)


@dataclass(frozen=True)
class Piece:
    """A run of text that spoke `for` the label, `against` it, or neither; weakly, beside the strongest word."""

    text: str
    side: str = NEITHER
    is_weak: bool = False


def highlighted(mistake: Mistake) -> list[Piece]:
    """The passage from its beginning, its words marked as the mistake's words say; cut after 1,500 characters.

    >>> found = Mistake("sea", "", "", "A ship at home", (), (), 0.1, 0.1, (("ship", 1.0),), (("home", -1.0),))
    >>> [(piece.text, piece.side) for piece in highlighted(found)]
    [('A ', ''), ('ship', 'for'), (' at ', ''), ('home', 'against')]
    """
    text = mistake.text
    if len(text) > MAX_CHARACTERS:
        text = text[:MAX_CHARACTERS] + " …"
    return list(_pieces(text, mistake))


def _pieces(text: str, mistake: Mistake) -> Iterator[Piece]:
    value_of = dict((*mistake.words_for, *mistake.words_against))
    strongest = max(map(abs, value_of.values()), default=0.0)
    behind = 0
    for word, start, end in _WORDS.spans_of(text):
        if word in value_of:
            if start > behind:
                yield Piece(text[behind:start])
            value = value_of[word]
            yield Piece(text[start:end], FOR if value > 0 else AGAINST, abs(value) < WEAK * strongest)
            behind = end
    if behind < len(text):
        yield Piece(text[behind:])
