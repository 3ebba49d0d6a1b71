"""The nearest labelled passages: cosines counted by hand, what counts neither way, and the nearest of other opinion."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from classify.codebook import Label, Task, TaskKind
from classify.scorer.blocks import Block
from classify.scorer.evidence import Coded, LabelledTexts, Neighbours
from classify.scorer.tokens import BlockSettings

FEATURES = ("navi", "patrol", "rest", "sail", "the")
BLOCK = Block(BlockSettings(), FEATURES, np.ones(len(FEATURES)), np.zeros((len(FEATURES), 2)))
THEME = Task("theme", TaskKind.MULTILABEL, (Label("sea"), Label("land")))


@dataclass(frozen=True)
class Row:
    id: str
    text: str
    labels: dict[str, frozenset[str] | None]
    unsure: dict[str, frozenset[str]] = field(default_factory=dict)


def row(name: str, text: str, *labels: str) -> Row:
    return Row(name, text, {"theme": frozenset(labels)})


def nearest(text: str, *passages: Coded, label: str = "sea", task: Task = THEME) -> Neighbours:
    return LabelledTexts(passages, task, BLOCK).nearest(text, [label])[label]


def test_cosines_are_those_of_the_words_and_the_nearest_comes_first() -> None:
    """Two of three words in common of a passage of two: 2 / √(3 · 2)."""
    found = nearest("Navies sail, patrol.", row("a", "navies", "sea"), row("b", "sailing navies", "sea"))
    assert ["b", "a"] == [one.id for one in found.carrying]
    assert pytest.approx([2 / 6**0.5, 1 / 3**0.5], abs=1e-12) == [one.cosine for one in found.carrying]
    assert found.without is None


def test_words_in_common_are_the_text_s_own_and_no_function_words() -> None:
    found = nearest("The NAVIES sail.", row("a", "the navy sailed", "sea"))
    assert ("NAVIES", "sail") == found.carrying[0].shared


def test_three_are_shown_and_equals_stand_in_their_order() -> None:
    found = nearest("navies rest", *(row(name, "navies", "sea") for name in "abcd"))
    assert ["a", "b", "c"] == [one.id for one in found.carrying]


def test_a_passage_coded_without_the_label_is_shown_only_where_it_is_nearest() -> None:
    near, far = "navies sail", "navies patrol"
    assert "b" == nearest("navies sail rest", row("a", "rest", "sea"), row("b", near, "land")).without.id  # type: ignore[union-attr]
    assert nearest("navies sail", row("a", far + " sail", "sea"), row("b", far, "land")).without is None


def test_no_passage_that_shares_no_word_is_shown() -> None:
    assert Neighbours((), None) == nearest("navies", row("a", "rest", "sea"), row("b", "unknown words", "land"))
    assert Neighbours((), None) == nearest("unknown", row("a", "rest", "sea"))
    assert Neighbours((), None) == nearest("navies")


def test_the_very_same_text_is_no_evidence_for_itself() -> None:
    found = nearest("Navies sail.", row("a", "navies  SAIL.", "sea"), row("b", "navies sail on", "sea"))
    assert ["b"] == [one.id for one in found.carrying]


def test_what_was_not_coded_or_unsure_counts_neither_way() -> None:
    coded = row("a", "navies", "sea", "land")
    others = (replace(coded, id="b", labels={"theme": None}), replace(coded, id="c", labels={}))
    unsure = replace(coded, id="d", unsure={"theme": frozenset({"sea"})})
    found = nearest("navies sail", *others, unsure)
    assert Neighbours((), None) == found
    assert [("d", ("land",))] == [(o.id, o.labels) for o in nearest("navies sail", unsure, label="land").carrying]


def test_where_there_is_one_label_an_unsure_passage_is_left_out() -> None:
    framing = replace(THEME, kind=TaskKind.MULTICLASS)
    unsure = replace(row("a", "navies", "sea"), unsure={"theme": frozenset({"land"})})
    assert Neighbours((), None) == nearest("navies sail", unsure, task=framing)
    assert ["a"] == [one.id for one in nearest("navies sail", unsure).carrying]
