"""Text to tokens, stems and n-grams, as scikit-learn cuts them, with places in the text as given."""

import dataclasses
import json
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from classify.codebook import Label, Task, TaskKind
from classify.learn.settings import TaskSettings
from classify.scorer.tokens import STOP_WORDS, BlockSettings, stem, words_of

# Characters that lower-casing lengthens, that depend on their place, that join others, that have no spaces between.
AWKWARD = [
    "İstanbul",
    "Straße STRASSE",
    "ΟΔΟΣ ΟΔΟΣ.",
    "👩\u200d🚀 crew",
    "海军 演习",
    "n\u0303 e\u0301",
    "ﬁre",
    "a\x1cb",
    "İ",
    "ǅ",
]
TEXTS = st.lists(
    st.sampled_from([*AWKWARD, "Navies", "of", "the", "U.S.", " ", "\n", "-", "’s"]) | st.text(max_size=8)
).map("".join)

WORD_BLOCKS = [
    BlockSettings(),
    BlockSettings(ngram_range=(1, 2), stop_words=frozenset({"of", "the"})),
    BlockSettings(ngram_range=(2, 3), stem=False),
]
CHARACTER_BLOCKS = [
    BlockSettings("char_wb", (2, 5)),
    BlockSettings("char_wb", (3, 3)),
    BlockSettings("char_wb", (4, 6)),
]


# Words.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("... — !", []),
        ("a I 5 U.S.", []),
        ("The Navy's F-35s", ["the", "navy", "35s"]),
        ("co-operation, snake_case", ["co", "operation", "snake_case"]),
        ("Ærø ÉCOLE 海军", ["ærø", "école", "海军"]),
        ("one\ntwo\u2003three", ["one", "two", "three"]),
        ("ΟΔΟΣ", ["οδος"]),
    ],
)
def test_words_are_lower_cased_runs_of_two_characters_or_more(text: str, expected: list[str]) -> None:
    assert words_of(text) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [("navies", "navi"), ("navy", "navi"), ("training", "train"), ("trained", "train"), ("海军", "海军"), ("", "")],
)
def test_stems_join_the_forms_of_a_word(word: str, expected: str) -> None:
    assert stem(word) == expected


def test_stop_words_are_lower_case_tokens_that_can_occur() -> None:
    assert [word for word in STOP_WORDS if words_of(word) != [word]] == ["a"]


def test_stop_words_hold_no_words_of_content() -> None:
    content = {"navy", "security", "force", "forces", "joint", "state", "war", "against", "china", "power", "system"}
    assert content & STOP_WORDS == set()


def test_words_of_the_codebooks_terms_are_exempt_from_the_stop_words() -> None:
    label = Label("news", terms=("Up-to-date", "whole of government", "sea*"))
    words, *_ = TaskSettings().blocks(Task("theme", TaskKind.MULTILABEL, (label,)))
    assert STOP_WORDS - words.stop_words == {"up", "to", "whole", "of"}


# Features.


def test_stop_words_go_before_n_grams_are_made() -> None:
    block = BlockSettings(ngram_range=(1, 2), stop_words=frozenset({"of", "the"}))
    assert block.features_of("Ships of the Navy") == ["ship", "navi", "ship navi"]


def test_stop_words_are_compared_before_stemming() -> None:
    block = BlockSettings(stop_words=frozenset({"being", "navi"}))
    assert block.features_of("Being a navy") == ["navi"]


def test_a_feature_is_repeated_as_often_as_it_stands_there() -> None:
    assert BlockSettings().features_of("Navy, navies; NAVY") == ["navi", "navi", "navi"]


def test_unstemmed_words_stay_as_they_are() -> None:
    assert BlockSettings(stem=False).features_of("Two Navies") == ["two", "navies"]


def test_n_grams_longer_than_the_text_are_not_there() -> None:
    assert BlockSettings(ngram_range=(2, 3)).features_of("navy") == []
    assert BlockSettings(ngram_range=(1, 3)).features_of("two navies") == ["two", "navi", "two navi"]


def test_characters_stay_inside_padded_words() -> None:
    assert BlockSettings("char_wb", (2, 3)).features_of("Ab c!") == [
        *(" a", "ab", "b ", " ab", "ab "),
        *(" c", "c!", "! ", " c!", "c! "),
    ]


def test_a_word_shorter_than_n_gives_itself_once() -> None:
    assert BlockSettings("char_wb", (4, 6)).features_of("a navy") == [
        " a ",
        " nav",
        "navy",
        "avy ",
        " navy",
        "navy ",
        " navy ",
    ]


@pytest.mark.parametrize("block", [*WORD_BLOCKS, *CHARACTER_BLOCKS])
@pytest.mark.parametrize("text", ["", " ", "\n\u3000"])
def test_text_without_words_has_no_features(block: BlockSettings, text: str) -> None:
    assert block.features_of(text) == []
    assert block.spans_of(text) == []


@given(text=TEXTS)
@pytest.mark.parametrize(
    "block", [dataclasses.replace(block, stem=False) for block in [*WORD_BLOCKS, *CHARACTER_BLOCKS]]
)
def test_features_are_those_of_scikit_learn(block: BlockSettings, text: str) -> None:
    vectorizer = CountVectorizer(
        analyzer=block.analyzer, ngram_range=block.ngram_range, stop_words=sorted(block.stop_words) or None
    )
    assert block.features_of(text) == list(vectorizer.build_analyzer()(text))


# Places.


def test_places_are_offsets_into_the_text_as_given() -> None:
    text = "The İzmir naval base"
    spans = BlockSettings(ngram_range=(1, 2), stop_words=frozenset({"the"}), stem=False).spans_of(text)
    assert [(feature, text[start:end]) for feature, start, end in spans] == [
        ("zmir", "zmir"),  # the dot that lower-casing parts from İ is no word character
        ("naval", "naval"),
        ("base", "base"),
        ("zmir naval", "zmir naval"),
        ("naval base", "naval base"),
    ]


def test_an_n_gram_spans_the_stop_words_it_passes_over() -> None:
    block = BlockSettings(ngram_range=(2, 2), stop_words=frozenset({"of", "the"}))
    assert block.spans_of("Ships of the Navy") == [("ship navi", 0, 17)]


def test_character_spans_leave_the_padding_out() -> None:
    assert BlockSettings("char_wb", (3, 3)).spans_of("a Navy") == [
        (" a ", 0, 1),
        (" na", 2, 4),
        ("nav", 2, 5),
        ("avy", 3, 6),
        ("vy ", 4, 6),
    ]


@given(text=TEXTS)
@example(text="İİ aİb")
@example(text="ΑΣ ΑΣΑ")
@pytest.mark.parametrize("block", [*WORD_BLOCKS, *CHARACTER_BLOCKS])
def test_spans_hold_the_same_features_inside_the_text(block: BlockSettings, text: str) -> None:
    spans = block.spans_of(text)
    assert [feature for feature, _, _ in spans] == block.features_of(text)
    assert [span for span in spans if not 0 <= span[1] < span[2] <= len(text)] == []


@given(text=TEXTS)
@pytest.mark.parametrize("block", CHARACTER_BLOCKS)
def test_character_spans_are_where_the_characters_stand(block: BlockSettings, text: str) -> None:
    lost = [
        (feature, text[start:end])
        for feature, start, end in block.spans_of(text)
        if feature.strip().replace("ς", "σ") not in text[start:end].lower().replace("ς", "σ")
    ]
    assert lost == []


@given(text=TEXTS)
def test_word_spans_are_where_the_words_stand(text: str) -> None:
    spans = BlockSettings(stem=False).spans_of(text)
    lost = [
        (word, text[start:end])
        for word, start, end in spans
        if word.replace("ς", "σ") not in text[start:end].lower().replace("ς", "σ")
    ]
    assert lost == []


@pytest.mark.parametrize(
    ("analyzer", "ngram_range"),
    [("word", (0, 1)), ("word", (2, 1)), ("char_wb", (1, 1)), ("char_wb", (1, 5)), ("char_wb", (4, 3))],
)
def test_ranges_without_places_are_a_wrong_call(
    analyzer: Literal["word", "char_wb"], ngram_range: tuple[int, int]
) -> None:
    with pytest.raises(ValueError, match=r"^n-grams from \d to \d; expected a range from 1 \(of characters: from 2\)"):
        BlockSettings(analyzer, ngram_range)


# As plain data.


@pytest.mark.parametrize("block", [*WORD_BLOCKS, *CHARACTER_BLOCKS])
def test_plain_data_gives_the_settings_back(block: BlockSettings) -> None:
    assert BlockSettings.from_dict(json.loads(json.dumps(block.to_dict()))) == block


def test_plain_data_names_stop_words_by_value_and_sorted() -> None:
    assert BlockSettings(stop_words=frozenset({"the", "of"})).to_dict() == {
        "analyzer": "word",
        "ngram_range": [1, 1],
        "min_df": 1,
        "stem": True,
        "sublinear_tf": True,
        "stop_words": ["of", "the"],
    }
