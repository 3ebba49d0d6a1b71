"""Events: copies and near-duplicates joined, boilerplate not, and given events left standing."""

import numpy as np
import pytest

from classify.data.events import Events, JoinedPair, find_events, near_duplicates

Texts = dict[str, list[str]]


def words(n: int, *, start: int = 0) -> str:
    """A text of n words, all different."""
    return " ".join(f"word{number}" for number in range(start, start + n))


def sharing(n_shared: int, n_own: int) -> Texts:
    """Two documents that share exactly `n_shared` word 5-grams, and hold `n_own` more each.

    A passage of n + 4 words holds n 5-grams, and none crosses the end of a passage.
    """
    common = words(n_shared + 4)
    return {
        "a": [common, words(n_own + 4, start=1000)],
        "b": [common, words(n_own + 4, start=2000)],
    }


def with_some_dropped(text: str, rng: np.random.Generator) -> str:
    return " ".join(word for word in text.split() if rng.random() >= 0.1)


def event_of(texts: Texts, given: dict[str, str] | None = None) -> dict[str, str]:
    return dict(find_events(texts, given or {}).of_document)


def test_documents_that_share_nothing_stay_apart() -> None:
    texts = {"b": [words(30)], "a": [words(30, start=100)]}
    assert find_events(texts, {}) == Events({"a": "a", "b": "b"}, (), ())


def test_exact_copies_are_one_event_named_by_the_first() -> None:
    texts = {"b": [words(30)], "a": [words(30)], "c": [words(30, start=100)]}
    found = find_events(texts, {})
    assert found.of_document == {"a": "a", "b": "a", "c": "c"}
    assert found.joined == (JoinedPair("a", "b", 26, 1.0),)


def test_more_copies_than_the_boilerplate_limit_are_one_event() -> None:
    texts = {f"copy{number:02}": [words(30)] for number in range(60)}
    assert set(event_of(texts).values()) == {"copy00"}


@pytest.mark.parametrize(
    ("n_shared", "n_own", "is_one_event"),
    [
        (10, 20, True),  # 10 shared 5-grams, 10 / 30 of each document
        (9, 1, False),  # one 5-gram too few
        (12, 28, True),  # 12 / 40 = .3
        (12, 29, False),  # 12 / 41 < .3
    ],
)
def test_documents_are_joined_from_ten_shared_ngrams_and_three_tenths(
    n_shared: int, n_own: int, is_one_event: bool
) -> None:
    found = find_events(sharing(n_shared, n_own), {})
    assert (found.of_document["a"] == found.of_document["b"]) is is_one_event
    assert [(pair.shared, pair.containment) for pair in found.joined] == (
        [(n_shared, n_shared / (n_shared + n_own))] * is_one_event
    )


def test_containment_is_that_of_the_shorter_document() -> None:
    texts = {"short": [words(20)], "long": [words(20), words(500, start=1000)]}
    assert near_duplicates(texts) == [JoinedPair("long", "short", 16, 1.0)]


def test_ngrams_do_not_cross_the_end_of_a_passage() -> None:
    whole, cut = words(16), [words(4), words(4, start=4), words(4, start=8), words(4, start=12)]
    assert near_duplicates({"a": [whole], "b": cut}) == []


def test_repeated_ngrams_count_once() -> None:
    assert near_duplicates({"a": [words(9)] * 5, "b": [words(9)] * 4}) == []


def test_documents_of_the_same_words_are_copies_however_short() -> None:
    texts = {"a": ["He had no comment then."], "b": ["he had no comment then"], "c": ["No."], "d": ["No."]}
    assert event_of(texts) == {"a": "a", "b": "a", "c": "c", "d": "d"}


def test_documents_without_words_are_no_copies() -> None:
    assert event_of({"a": ["…"], "b": ["…"]}) == {"a": "a", "b": "b"}


def test_an_unnamed_event_is_never_called_like_a_given_one() -> None:
    found = find_events({"flood": ["One story."], "x": ["Another one."]}, {"x": "flood"})
    assert dict(found.of_document) == {"flood": "flood (document)", "x": "flood"}


def test_case_and_punctuation_do_not_hide_a_copy() -> None:
    texts = {"a": [words(30)], "b": [words(30).upper().replace(" ", ", ") + "."]}
    assert event_of(texts) == {"a": "a", "b": "a"}


def test_boilerplate_of_many_documents_joins_nothing() -> None:
    boilerplate = words(12)
    texts = {f"d{number:02}": [words(20, start=100 * (number + 1)), boilerplate] for number in range(60)}
    assert event_of(texts) == {document: document for document in texts}


def test_long_boilerplate_of_many_documents_joins_nothing() -> None:
    boilerplate = words(40)
    texts = {f"d{number:02}": [words(20, start=100 * (number + 1)), boilerplate] for number in range(60)}
    assert event_of(texts) == {document: document for document in texts}


def test_near_duplicates_of_one_document_are_one_event() -> None:
    texts = {"a": [words(30)], "b": [words(60)], "c": [words(30, start=30)]}
    assert event_of(texts) == {"a": "a", "b": "a", "c": "a"}


def test_copies_with_a_tenth_of_the_words_dropped_are_joined_to_their_originals() -> None:
    rng = np.random.default_rng(0)
    vocabulary = np.array([f"word{number}" for number in range(400)])
    originals = {f"d{n:02}": [" ".join(rng.choice(vocabulary, 50)) for _ in range(3)] for n in range(60)}
    copies = {f"{name}-copy": [with_some_dropped(text, rng) for text in found] for name, found in originals.items()}
    events = event_of({**originals, **copies})
    assert np.mean([events[name] == events[f"{name}-copy"] for name in originals]) >= 0.95
    assert len({events[name] for name in originals}) == 60


def test_given_events_stand() -> None:
    texts = {name: [words(30, start=100 * number)] for number, name in enumerate("abcd")}
    given = {"a": "summit", "b": "flood", "c": "summit"}
    assert find_events(texts, given) == Events({**given, "d": "d"}, (), ())


def test_a_near_duplicate_without_an_event_takes_the_given_one() -> None:
    found = find_events({"a": [words(30)], "b": [words(30)]}, {"b": "summit"})
    assert found.of_document == {"a": "summit", "b": "summit"}
    assert found.across_given == ()


def test_near_duplicates_across_given_events_are_joined_and_reported() -> None:
    texts = {"a": [words(30)], "b": [words(30)], "c": [words(30, start=100)], "d": [words(30, start=200)]}
    given = {"a": "summit", "b": "flood", "c": "summit", "d": "flood"}
    found = find_events(texts, given)
    assert set(found.of_document.values()) == {"flood"}
    assert found.across_given == found.joined == (JoinedPair("a", "b", 26, 1.0),)


def test_given_events_joined_through_a_third_document_are_reported() -> None:
    texts = {"a": [words(30)], "b": [words(30)], "c": [words(30)]}
    found = find_events(texts, {"b": "flood", "c": "summit"})
    assert found.of_document == {"a": "flood", "b": "flood", "c": "flood"}
    assert len(found.across_given) > 0


def test_order_of_documents_changes_nothing() -> None:
    texts = {"c": [words(30, start=30)], "b": [words(60)], "a": [words(30)], "e": [words(9)], "d": [words(9)]}
    given = {"c": "summit", "e": "flood"}
    turned = find_events(dict(reversed(texts.items())), dict(reversed(given.items())))
    assert find_events(texts, given) == turned


def test_texts_too_short_for_an_ngram_stay_apart() -> None:
    assert event_of({"a": [""], "b": [""], "c": ["one two three"]}) == {"a": "a", "b": "b", "c": "c"}


def test_no_documents_give_no_events() -> None:
    assert find_events({}, {}) == Events({}, (), ())
