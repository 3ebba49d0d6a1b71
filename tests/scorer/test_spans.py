"""Readable parts of a score: overlapping pieces summed by word, pairs shown as one, rates said in words."""

import numpy as np
import pytest

from classify.scorer.contributions import CHARACTERS, STYLE, TERMS, WORDS, Piece
from classify.scorer.spans import parts_of, weights_of_words

TEXT = "The navies sail, and the navies rest."


def piece(kind: str, name: str, value: float, *, text: str = TEXT, **sizes: float) -> Piece:
    """A piece that stands wherever its name does, whatever the case."""
    folded, places = text.lower(), []
    while (start := folded.find(name.lower(), places[-1][1] if places else 0)) >= 0:
        places.append((start, start + len(name)))
    return Piece(kind, name, tuple(places), np.array([value]), **sizes)


def parts(*pieces: Piece, text: str = TEXT) -> dict[str, float]:
    """Every part in full with its value, in order."""
    values = np.array([piece.values[0] for piece in pieces])
    return {part.in_full: pytest.approx(part.value, abs=1e-12) for part in parts_of(text, pieces, values)}


def test_a_word_holds_all_character_runs_inside_it() -> None:
    assert {"navies ×2": 1.0, "sail": -0.5} == parts(
        piece(WORDS, "navies", 0.6),
        piece(CHARACTERS, "nav", 0.3),
        piece(CHARACTERS, "vies", 0.1),
        piece(CHARACTERS, "sail,", -0.5),
    )


def test_a_run_of_characters_in_several_words_is_shared_by_their_characters() -> None:
    assert {"sail": 0.25, "daily": 0.25} == parts(piece(CHARACTERS, "ail", 0.5, text="sail daily"), text="sail daily")


def test_the_same_words_in_several_places_are_one_part() -> None:
    (the, *_) = parts_of(TEXT, [piece(WORDS, "the", 0.4)], np.array([0.4]))
    assert ("The", ((0, 3), (21, 24)), "The ×2") == (the.name, the.places, str(the))


def test_words_whose_pair_carries_most_are_one_part() -> None:
    pair = piece(WORDS, "and the", 0.5)
    assert {"and the": 0.6} == parts(pair, piece(WORDS, "and", 0.1))


def test_words_whose_pair_carries_little_stay_apart() -> None:
    """The pair's 0.07 lies on three letters and a space of "and", and three letters of this "the", not of the other."""
    pair, loud = piece(WORDS, "and the", 0.07), piece(WORDS, "and", 0.5)
    assert {"and": 0.54, "the": 0.03} == parts(pair, loud)


def test_terms_stand_by_themselves_with_the_words_that_were_found() -> None:
    found = parts(piece(TERMS, "sea_power", 0.8), piece(WORDS, "sail", 0.2))
    assert {"terms of sea power: ": 0.8, "sail": 0.2} == found
    hits = Piece(TERMS, "sea_power", ((4, 10), (11, 15), (25, 31)), np.array([0.8]))
    assert {"terms of sea power: navies ×2, sail": 0.8} == parts(hits)


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (piece(STYLE, "rest", 0.1, rate=14.3, usual=0.25), "rest: 14 per 100 words, usually 0.2 (rest)"),
        (piece(STYLE, "may_be", 0.1, rate=0.0, usual=1.24), "may be: none, usually 1.2 per 100 words"),
        (piece(STYLE, "sentence_length", 0.1, rate=7.0, usual=20.4), "words a sentence: 7.0, usually 20"),
    ],
    ids=["some", "none", "length"],
)
def test_style_rates_are_said_in_words_beside_the_usual_ones(rate: Piece, expected: str) -> None:
    assert {expected: 0.1} == parts(rate)


def test_long_lists_of_what_was_found_are_cut() -> None:
    text = "a b c d e f"
    hits = Piece(TERMS, "x", tuple((n, n + 1) for n in range(0, 11, 2)), np.array([1.0]))
    assert {"terms of x: a, b, c, d, e, …": 1.0} == parts(hits, text=text)


def test_parts_come_largest_effect_first_and_none_is_zero() -> None:
    found = parts(piece(WORDS, "rest", 0.1), piece(WORDS, "sail", -0.7), piece(WORDS, "and", 0.0))
    assert ["sail", "rest"] == list(found)


def test_punctuation_alone_is_shown_as_it_is() -> None:
    assert {"--": 0.2} == parts(piece(CHARACTERS, "--", 0.2, text="so -- yes"), text="so -- yes")


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_text_without_words_has_no_parts(text: str) -> None:
    assert [] == parts_of(text, [], np.array([]))
    assert [] == weights_of_words(text, [], np.array([]))


def test_weights_of_words_hold_terms_and_style_too() -> None:
    pieces = [piece(WORDS, "sail", 0.2), piece(TERMS, "sail", 0.5), piece(STYLE, "rest", -0.1, rate=1.0, usual=0.0)]
    weights = weights_of_words(TEXT, pieces, np.array([0.2, 0.5, -0.1]))
    assert ["The", "navies", "sail", "and", "the", "navies", "rest"] == [TEXT[a:b] for a, b, _ in weights]
    assert pytest.approx([0, 0, 0.7, 0, 0, 0, -0.1]) == [weight for _, _, weight in weights]
