"""Codebook terms in text: what is a hit, which hits count, and where they stand."""

import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classify.codebook import Codebook, Label, Task, TaskKind
from classify.scorer.terms import Hit, TermMatcher


def matcher(*labels: Label) -> TermMatcher:
    return TermMatcher(Task("theme", TaskKind.MULTILABEL, labels))


def label(*terms: str, but_not: tuple[str, ...] = (), name: str = "a") -> Label:
    return Label(name, terms=terms, not_terms=but_not)


def found(text: str, *terms: str, but_not: tuple[str, ...] = ()) -> list[str]:
    """The stretches of `text` that a label's terms hit."""
    return [text[hit.start : hit.end] for hit in matcher(label(*terms, but_not=but_not)).hits(text)]


# What a term matches.


@pytest.mark.parametrize(
    ("term", "text", "expected"),
    [
        # whole words, in any case
        ("navy", "The Navy, the NAVY and navy-blue", ["Navy", "NAVY", "navy"]),
        ("navy", "navys unnavy navyman", []),
        ("NAVY", "the navy", ["navy"]),
        ("straße", "STRASSE Straße", ["STRASSE", "Straße"]),
        ("strasse", "Straße", ["Straße"]),
        ("ΟΔΟΣ", "οδος Οδός ΟΔΟΣ", ["οδος", "ΟΔΟΣ"]),
        ("海军", "海军 海军演习", ["海军"]),
        # runs of words, whatever stands between them
        ("coast guard", "Coast Guard, coast-guard", ["Coast Guard", "coast-guard"]),
        ("coast guard", "coast guards, coast.\n Guard", ["coast.\n Guard"]),
        ("al-Qaeda", "Al Qaeda al‑qaeda AL-QAEDA", ["Al Qaeda", "al‑qaeda", "AL-QAEDA"]),
        ("lord's army", "Lord’s Army, lord s army, lords army", ["Lord’s Army", "lord s army"]),
        ("U.S. Navy", "the U.S. Navy, a US Navy", ["U.S. Navy"]),
        ("9/11", "since 9/11 and 9-11", ["9/11", "9-11"]),
        ("coast guard", "the coast of the guard", []),
        # stems
        ("terror*", "terror, terrorists; counterterror", ["terror", "terrorists"]),
        ("nav* exercise*", "naval exercises, navy exercise, exercises of navies", ["naval exercises", "navy exercise"]),
        ("joint*", "Joint-venture", ["Joint"]),
        ("straß*", "Strassenbahn", ["Strassenbahn"]),
        # nothing to find
        ("navy", "", []),
        ("navy", "... — !?", []),
    ],
)  # fmt: skip
def test_a_term_matches_runs_of_surface_words(term: str, text: str, expected: list[str]) -> None:
    assert found(text, term) == expected


@pytest.mark.parametrize(
    ("terms", "text", "expected"),
    [
        (("navy", "navy ship", "navy ship yard"), "a navy ship yard", ["navy ship yard"]),
        (("navy", "navy ship", "navy ship yard"), "a navy ship, a navy", ["navy ship", "navy"]),
        (("nav*", "navy"), "navy naval", ["navy", "naval"]),
        (("navy", "ship navy"), "navy ship navy", ["navy", "ship navy"]),
        (("a b", "b c"), "a b c", ["a b"]),
        (("a b", "b c", "c"), "a b c", ["a b", "c"]),
        (("a a",), "a a a a a", ["a a", "a a"]),
        (("islamic state", "state"), "Islamic State of the state", ["Islamic State", "state"]),
        (("navy ship",), "navy navy ship", ["navy ship"]),
    ],
)  # fmt: skip
def test_the_longest_term_counts_once_and_the_search_goes_on_behind_it(
    terms: tuple[str, ...], text: str, expected: list[str]
) -> None:
    assert found(text, *terms) == expected
    assert found(text, *reversed(terms)) == expected


def test_a_hit_names_the_term_as_the_codebook_writes_it() -> None:
    assert matcher(label("Terror*", "al-Qaeda")).hits("Al Qaeda terrorists") == [
        Hit(0, "al-Qaeda", 0, 8),
        Hit(0, "Terror*", 9, 19),
    ]


# False friends.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a reign of terror", []),
        ("A Reign-of-Terror began", []),
        ("a reign of terror and terror", ["terror"]),
        ("terror, a reign of terror", ["terror"]),
        ("a reign of terror attacks", ["terror attacks"]),  # reaches out of the span
        ("the terror trial of terror trials", ["terror trial", "terror trials"]),
        ("night terrors", []),
        ("night terrorists", []),
    ],
)
def test_hits_inside_a_false_friend_do_not_count(text: str, expected: list[str]) -> None:
    terms = ("terror*", "terror attack*", "terror trial*")
    assert found(text, *terms, but_not=("reign of terror", "night terror*")) == expected


def test_a_false_friend_equal_to_a_term_silences_it() -> None:
    assert found("the navy", "navy", but_not=("navy",)) == []


def test_false_friends_of_one_label_leave_the_others_alone() -> None:
    counts = matcher(label("terror*", but_not=("reign of terror",)), label("terror", name="b")).count("reign of terror")
    assert counts.tolist() == [0, 1]


# Labels.


def test_labels_are_searched_independently() -> None:
    text = "a joint naval exercise"
    three = matcher(label("joint naval exercise"), label("naval", "exercise", name="b"), label("army", name="c"))
    assert three.hits(text) == [
        Hit(0, "joint naval exercise", 2, 22),
        Hit(1, "naval", 8, 13),
        Hit(1, "exercise", 14, 22),
    ]
    assert three.count(text).tolist() == [1, 2, 0]


def test_the_same_term_may_speak_for_two_labels() -> None:
    assert matcher(label("navy"), label("navy", name="b")).count("navy, NAVY").tolist() == [2, 2]


def test_hits_are_ordered_by_label_and_then_by_place() -> None:
    hits = matcher(label("b"), label("a", name="b")).hits("a b a b")
    assert [(hit.label, hit.start) for hit in hits] == [(0, 2), (0, 6), (1, 0), (1, 4)]


@pytest.mark.parametrize("text", ["", " ", "…", "no term here"])
def test_counts_have_a_float_for_every_label(text: str) -> None:
    counts = matcher(label("navy"), label(name="b")).count(text)
    assert counts.dtype == np.float64
    assert counts.tolist() == [0.0, 0.0]


def test_labels_without_terms_are_never_hit() -> None:
    assert matcher(label(), label(name="b", but_not=("navy",))).hits("the navy") == []


# Places.


@pytest.mark.parametrize(
    "before", ["ß ẞ ", "İİ ", "ŉ ﬁ ﬃ ", "👩\u200d🚀 ", "e\u0301 ", "\U0001d400 ", "\r\n\t", "ΟΔΟΣ "]
)
def test_places_are_true_behind_characters_that_folding_lengthens(before: str) -> None:
    text = f"{before}the STRASSE, the straße"
    start = len(before) + 4
    assert matcher(label("straße")).hits(text) == [
        Hit(0, "straße", start, start + 7),
        Hit(0, "straße", start + 13, start + 19),
    ]


WORDS = st.sampled_from(
    [*"navy Naval NAVEL orange coast Guard ships STRASSE İ ΟΔΟΣ 海军 - ’ ,".split(), "\n", "e\u0301"],
)
TEXTS = st.lists(WORDS | st.text(max_size=6), max_size=20).map(" ".join)
TWO = matcher(
    label("nav*", "coast guard", "ship*", but_not=("navel orange", "naval*")),
    label("guard", "straße", "οδος", "海军", "i*", name="b"),
)


def folded(text: str) -> list[str]:
    return [word.casefold() for word in re.findall(r"\w+", text)]


@given(text=TEXTS)
def test_a_hit_spans_whole_words_that_read_as_its_term(text: str) -> None:
    for hit in TWO.hits(text):
        words, parts = folded(text[hit.start : hit.end]), [part.casefold() for part in re.findall(r"\w+\*?", hit.term)]
        assert len(words) == len(parts)
        assert all(re.fullmatch(part.replace("*", ".*"), word) for part, word in zip(parts, words, strict=True))
        assert folded(text[: hit.start]) + words + folded(text[hit.end :]) == folded(text)


@given(text=TEXTS)
def test_hits_of_a_label_do_not_overlap(text: str) -> None:
    for label_number in (0, 1):
        edges = [edge for hit in TWO.hits(text) if hit.label == label_number for edge in (hit.start, hit.end)]
        assert edges == sorted(set(edges))


@given(text=st.lists(WORDS, max_size=20).map(" ".join))
def test_case_changes_no_count(text: str) -> None:
    assert TWO.count(text.casefold()).tolist() == TWO.count(text).tolist()


@given(text=TEXTS)
def test_counts_are_the_numbers_of_hits(text: str) -> None:
    hits = [hit.label for hit in TWO.hits(text)]
    assert TWO.count(text).tolist() == [hits.count(0), hits.count(1)]


@given(text=TEXTS)
def test_a_matcher_survives_pickling(text: str) -> None:
    TWO.hits("navy")
    again = pickle.loads(pickle.dumps(TWO))
    assert again.hits(text) == TWO.hits(text)
    assert again.n_labels == 2


def test_a_pickled_matcher_has_the_terms_of_its_task(toy_codebook: Codebook) -> None:
    text = "The coast guard’s ships and a navel orange, said the proud navy of hackers."
    for task in toy_codebook.tasks:
        own = TermMatcher(task)
        assert pickle.loads(pickle.dumps(own)).hits(text) == own.hits(text)
        assert own.hits(text) != []
