"""Style rates: what each counts in small sentences, where it stands, and that no text breaks it."""

import pickle
import re
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classify.codebook import Label, Task, TaskKind, is_term
from classify.learn.stylewords import style_words
from classify.scorer.linear import Counter
from classify.scorer.style import LISTS, MARKS, StyleCounter
from classify.scorer.terms import TermMatcher

COUNTER = StyleCounter(style_words())
PIECES = st.one_of(
    st.sampled_from([*"aAsS '’-_.,09\t\n\u00a0\u2003“”«»\"?!¿İßﬁ\u0301नि東\ud800"]),
    st.sampled_from(["said ", "We ", "not ", "Anna Berg ", "according to ", "“", "”", "1,000 ", ". "]),
    st.characters(),
)
TEXTS = st.lists(PIECES, max_size=40).map("".join)


def rates_of(text: str, counter: StyleCounter = COUNTER) -> dict[str, float]:
    """The rates that are not 0, by name."""
    return {name: rate for name, rate in zip(counter.names, counter.rates(text).tolist(), strict=True) if rate != 0}


def found(text: str, name: str) -> list[str]:
    """The stretches of the text that a rate counts."""
    return [text[start:end] for start, end in COUNTER.places(text)[name]]


def sentence_length(n_words: int, n_sentences: int) -> dict[str, float]:
    return {"sentence_length": pytest.approx(np.log(n_words / n_sentences))} if n_words > n_sentences else {}


# ---- what is counted


@pytest.mark.parametrize(
    ("text", "expected", "n_sentences"),
    [
        ("Two ships left harbour.", {}, 1),
        ("We must not wait.", {"first_person": 25, "modals": 25, "negation": 25}, 1),
        ("You, your and yours", {"second_person": 75}, 1),
        ("Ships left because rain fell; hence fog.", {"cause": 200 / 7}, 1),
        ("If it rains, ships would leave.", {"conditions": 200 / 6}, 1),
        ("Ships left, but fog stayed.", {"contrast": 20}, 1),
        ("It might rain. Perhaps fog.", {"hedges": 40}, 2),
        ("Clearly rain. Rain indeed!", {"boosters": 50}, 2),
        ("Historic: proud ships left.", {"praise": 50}, 1),
        ("A reckless, shameful blunder", {"blame": 75}, 1),
        ("Brotherly ties of friendship", {"diplomatic_boilerplate": 50}, 1),
        ("Critics doubt; analysts agree.", {"anonymous_sources": 50}, 1),
        ("He allegedly left, reportedly", {"distancing_attribution": 50}, 1),
        ("Officials hailed and lauded ships.", {"praising_attribution": 40}, 1),
        ("Ships leave, officials stated.", {"neutral_attribution": 25}, 1),
        ("Who? Ships? Which? Ours!", {"question_marks": 75, "first_person": 25}, 4),
        ("Ships left at 9 with 1000 men", {"numbers": 200 / 7}, 1),
    ],
)
def test_rates_are_per_hundred_words(text: str, expected: dict[str, float], n_sentences: int) -> None:
    of_length = sentence_length(len(re.findall(r"\w+", text)), n_sentences)
    rates = rates_of(text)
    assert expected.keys() | of_length.keys() == rates.keys()
    assert {name: pytest.approx(rate) for name, rate in expected.items()} | of_length == rates


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("He said “two ships left” and went.", ["two", "ships", "left"]),
        ('He said "two ships" and "one boat".', ["two", "ships", "one", "boat"]),
        ("On a dit « deux navires ».", ["deux", "navires"]),
        ("The navy's ships weren't seen.", []),  # an apostrophe quotes nothing
        ("He said “two ships left and went.", []),  # nothing is closed
        ("“”", []),
        ("“" + "word " * 400 + "”", []),  # over 1,000 characters a mark was left out
    ],
)
def test_words_inside_quotation_marks_are_counted(text: str, quoted: list[str]) -> None:
    n_words = len(re.findall(r"\w+(?:'\w+)?", text))
    expected = 100 * len(quoted) / n_words if n_words else 0
    assert expected == pytest.approx(rates_of(text).get("quoted_words", 0))
    assert quoted == [word for stretch in found(text, "quoted_words") for word in re.findall(r"\w+", stretch)]


@pytest.mark.parametrize(
    ("text", "speakers"),
    [
        ("Anna Berg said ships left.", ["Anna Berg said"]),
        ("Ships left, said Anna Berg.", ["said Anna Berg"]),
        ("According to Anna Berg ships left.", ["According to Anna Berg"]),
        ("Ships left, according to the ministry.", []),
        ("Ships left, a source said.", []),
        ("He said ships left.", []),
        ("It added two ships.", []),
        ("Officials said ships left.", []),
        ("Critics warned that it failed; Senior Officials said so too.", []),
        ("Yesterday said nothing.", []),
        ("According to Analysts ships left.", []),
        ("Yesterday Anna Berg said so, but Itamar Theo added more.", ["Anna Berg said", "Itamar Theo added"]),
        ("Sunrise said ships left.", ["Sunrise said"]),  # a capital is all there is to tell a name by
        ("ANNA SAID SO", []),
    ],
)
def test_statements_of_named_speakers_are_counted(text: str, speakers: list[str]) -> None:
    assert speakers == found(text, "named_speakers")
    n_words = len(re.findall(r"\w+", text))
    assert pytest.approx(100 * len(speakers) / n_words) == rates_of(text).get("named_speakers", 0)


@pytest.mark.parametrize("piece", ["Officials ", "Anna ", "Theseus Officials ", "A", "said ", "according to "])
def test_looking_for_speakers_takes_time_in_proportion_to_the_text(piece: str) -> None:
    started = time.process_time()
    assert found(piece * 40_000, "named_speakers") == []
    assert time.process_time() - started < 10  # a fraction of a second; were it quadratic, hours


def test_sentence_length_is_the_logarithm_of_words_a_sentence() -> None:
    assert np.log(9 / 2) == pytest.approx(rates_of("Two ships left. “Two more will follow.” So be")["sentence_length"])


def test_false_friends_are_not_counted() -> None:
    assert ["lied", "failed"] == found("They lied and failed, though a natural disaster struck.", "blame")


@pytest.mark.parametrize("text", ["", " ", "\n\t", "!?", "“”", "…—"])
def test_a_text_without_words_has_rates_of_zero(text: str) -> None:
    assert {} == rates_of(text)
    assert np.zeros(len(COUNTER.names)).tolist() == COUNTER.rates(text).tolist()


def test_without_words_there_are_no_rates() -> None:
    empty = StyleCounter({})
    assert ((), (0,), {}) == (empty.names, empty.rates("We said so.").shape, empty.places("We said so."))


def test_names_are_the_classes_and_then_the_marks() -> None:
    words = {"greeting": {"terms": ("hello*",), "not_terms": ("hello kitty",)}}
    counter = StyleCounter(words)
    assert ("greeting", *MARKS) == counter.names
    rates = rates_of("Hello, hellos and hello kitty", counter)
    assert {"greeting": 40.0, **sentence_length(5, 1)} == rates


def test_a_counter_of_a_task_holds_log_hits_and_then_logs_of_rates() -> None:
    task = Task("theme", TaskKind.MULTILABEL, (Label("sea", terms=("ship*",)), Label("cyber")))
    text = "We said ships, ships and ships!"
    counted = Counter(task, style_words()).count(text)
    assert np.log1p([3, 0]).tolist() == counted[:2].tolist()
    assert np.log1p(COUNTER.rates(text)).tolist() == counted[2:].tolist()


# ---- where it stands


@given(text=TEXTS)
def test_places_lie_in_the_text_and_are_as_many_as_the_rates_say(text: str) -> None:
    places, rates = COUNTER.places(text), dict(zip(COUNTER.names, COUNTER.rates(text).tolist(), strict=True))
    assert set(COUNTER.names) == places.keys() | {"sentence_length"}
    for name, spans in places.items():
        assert all(0 <= start < end <= len(text) for start, end in spans)
        assert spans == sorted(spans)
        if name not in ("quoted_words", "sentence_length") and any(rates.values()):
            assert bool(spans) is (rates[name] > 0)


def test_places_are_the_text_itself_whatever_case_folding_does_to_its_length() -> None:
    text = "İİ ßß ﬁ: WE said “İİ not”, didn’t Anna Berg say 1,000?"
    assert ["WE"] == found(text, "first_person")
    assert ["said"] == found(text, "neutral_attribution")
    assert ["“İİ not”"] == found(text, "quoted_words")
    assert ["1,000"] == found(text, "numbers")
    assert "not" in found(text, "negation")


def test_every_word_list_finds_its_own_terms_where_they_stand() -> None:
    for name, lists in style_words().items():
        for term in lists["terms"]:
            written = term.replace("*", "")
            assert [written.strip()] == found(f"Xx {written} xx.", name), (name, term)


# ---- any text


@given(text=TEXTS)
def test_rates_are_finite_and_never_negative(text: str) -> None:
    rates = COUNTER.rates(text)
    assert (len(COUNTER.names),) == rates.shape
    assert np.isfinite(rates).all()
    assert (rates >= 0).all()


@given(text=TEXTS)
def test_what_is_counted_in_any_text_is_finite(text: str) -> None:
    task = Task("theme", TaskKind.MULTILABEL, (Label("sea", terms=("a*",)),))
    assert np.isfinite(Counter(task, style_words()).count(text)).all()


@pytest.mark.parametrize("text", ["a . . . .", "Ships ... ... ...", "No ! ! !"])
def test_more_full_stops_than_words_are_no_shorter_than_one_word_a_sentence(text: str) -> None:
    assert "sentence_length" not in rates_of(text)
    assert np.isfinite(np.log1p(COUNTER.rates(text))).all()


@given(text=TEXTS)
def test_a_counter_survives_pickling(text: str) -> None:
    again = pickle.loads(pickle.dumps(COUNTER))
    assert COUNTER.names == again.names
    assert COUNTER.rates(text).tolist() == again.rates(text).tolist()
    assert COUNTER.places(text) == again.places(text)


# ---- the word lists


@pytest.mark.parametrize("name", style_words())
def test_every_word_of_a_list_is_a_term(name: str) -> None:
    assert set(LISTS) == set(style_words()[name])
    assert [] == [term for key in LISTS for term in style_words()[name][key] if not is_term(term)]


@pytest.mark.parametrize("name", style_words())
def test_no_word_stands_twice_or_among_its_own_false_friends(name: str) -> None:
    terms, not_terms = (style_words()[name][key] for key in LISTS)
    assert len(terms) == len(set(terms))
    assert not set(terms) & set(not_terms)


@pytest.mark.parametrize("name", style_words())
def test_every_false_friend_would_be_taken_for_a_term(name: str) -> None:
    """Else it forbids nothing, and stands there by mistake."""
    terms, not_terms = (style_words()[name][key] for key in LISTS)
    matcher = TermMatcher(Task("style", TaskKind.MULTILABEL, (Label(name, terms=terms),)))
    idle = [term for term in not_terms if not matcher.hits(term.replace("*", ""))]
    assert [] == idle


def test_no_class_bears_the_name_of_a_mark() -> None:
    assert not set(style_words()) & set(MARKS)
