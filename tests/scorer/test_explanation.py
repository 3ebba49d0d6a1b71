"""An explanation as text: the runner-up, prior shares and probabilities are said as they are."""

import re

import numpy as np
import pytest

from classify.scorer.contributions import WORDS, Piece
from classify.scorer.explanation import Explanation, excerpt


def explanation(*, probabilities: list[float], thresholds: list[float] | None = None, n_pieces: int = 2) -> Explanation:
    """A text of two words, "sail" for label a and "rest" for b, in a task of three labels."""
    sail = Piece(WORDS, "sail", ((0, 4),), np.array([0.5, 0.1, 0]))
    rest = Piece(WORDS, "rest", ((5, 9),), np.array([0, 0.3, 0]))
    pieces = (sail, rest)[:n_pieces]
    intercept = np.array([-0.2, 0.0, 0.0])
    best = "abc"[int(np.argmax(probabilities))]
    return Explanation(
        text="sail rest",
        task="t",
        labels=("a", "b", "c"),
        scores=intercept + sum((piece.values for piece in pieces), np.zeros(3)),
        probabilities=np.array(probabilities),
        thresholds=None if thresholds is None else np.array(thresholds),
        intercept=intercept,
        pieces=pieces,
        given=(best,),
        chosen=(best,),
    )


def test_the_table_ends_with_the_score_and_why_not_the_second() -> None:
    """0.5 - 0.1 for "sail", -0.3 for "rest", -0.2 before any word."""
    assert """\
t: a (given, p = 0.60)
    +0.500  sail
    -0.200  (before any word)
    +0.300  = score
  rather than b (p = 0.30): score -0.100, though its probability is higher once calibrated = +0.400 sail; -0.300 rest; \
-0.200 before any word""" == str(explanation(probabilities=[0.6, 0.3, 0.1]))


def test_the_runner_up_is_the_second_most_probable_ties_by_codebook_order() -> None:
    assert "b" == explanation(probabilities=[0.6, 0.2, 0.2]).runner_up
    assert "a" == explanation(probabilities=[0.3, 0.4, 0.3]).runner_up


def test_labels_that_exclude_nothing_have_no_runner_up() -> None:
    shown = explanation(probabilities=[0.6, 0.3, 0.1], thresholds=[0.1, 0.1, np.inf])
    assert shown.runner_up is None
    assert "    +0.300  = score (given from +0.100)" == str(shown).splitlines()[-1]
    assert [0.1, None] == [shown._to_dict(label)["threshold"] for label in "ac"]


@pytest.mark.parametrize(
    ("p", "shown"), [(0.996, "p > 0.99"), (0.994, "p = 0.99"), (0.006, "p = 0.01"), (0.004, "p < 0.01")]
)
def test_no_probability_is_shown_as_certain(p: float, shown: str) -> None:
    assert f"given, {shown}" == explanation(probabilities=[p, 0, 0]).state("a")


def test_nothing_is_said_of_the_second_where_nothing_is_known() -> None:
    lines = str(explanation(probabilities=[0.6, 0.3, 0.1], n_pieces=0)).splitlines()
    assert "  no word of it is known: p is the label's share among the labelled passages" == lines[-1]


def test_small_parts_are_summed_up_by_sign() -> None:
    shown = explanation(probabilities=[0.1, 0.8, 0.1]).table("b", most=0)
    assert re.search(r"\+0\.400  \(2 smaller parts\)", shown)


def test_an_excerpt_is_one_line_of_a_hundred_characters() -> None:
    assert "a b" == excerpt("a\n b")
    assert ("x" * 99 + "…") == excerpt("x" * 200)
