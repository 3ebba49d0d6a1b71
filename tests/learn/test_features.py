"""Features: counted once and restricted to training rows, they equal what scikit-learn fits on those rows alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from classify.codebook import Label, Task, TaskKind
from classify.data.dataset import Dataset
from classify.learn.features import MIN_UNLABELLED, count_texts, fit_block, tfidf
from classify.scorer.linear import Counter
from classify.scorer.tokens import STOP_WORDS, BlockSettings

TASK = Task("theme", TaskKind.MULTILABEL, (Label("sea", terms=("ship*", "navy")), Label("cyber", terms=("hacker*",))))
COUNTER = Counter(TASK, {})

BLOCKS = {
    "words": BlockSettings(),
    "words in pairs": BlockSettings("word", (1, 2), sublinear_tf=False, stop_words=STOP_WORDS),
    "words of two passages": BlockSettings("word", (1, 1), min_df=2, stem=False),
    "characters": BlockSettings("char_wb", (2, 5)),
    "characters of three passages": BlockSettings("char_wb", (3, 4), min_df=3, sublinear_tf=False),
}

# Letters whose lower case is longer or depends on its place, combining marks, blanks of several kinds, digits.
CHARACTERS = st.one_of(
    st.sampled_from("aAbB sS'’-_.09\t\n\u00a0\u2003İıΣσςßẞÀà\u0301नि東ﬁ"),
    st.characters(exclude_categories=("Cs",)),
)
TEXTS = st.text(CHARACTERS, max_size=40)


@pytest.mark.parametrize("cut", BLOCKS.values(), ids=BLOCKS.keys())
def test_tfidf_equals_that_of_a_vectoriser_fitted_on_the_training_rows(
    cut: BlockSettings, toy_dataset: Dataset
) -> None:
    texts = [*toy_dataset.texts, "Ships, ships and more ships: navies of the world.", "", "Жжж."]
    inside, outside = np.arange(0, len(texts), 2), np.arange(1, len(texts), 2)
    block = count_texts(texts, [cut], COUNTER).blocks[0]
    fit = fit_block(block, inside)
    vectoriser = TfidfVectorizer(analyzer=cut.features_of, sublinear_tf=cut.sublinear_tf, min_df=cut.min_df).fit(
        [texts[row] for row in inside]
    )
    assert [block.features[column] for column in fit.columns] == vectoriser.get_feature_names_out().tolist()
    np.testing.assert_allclose(fit.idf, vectoriser.idf_, rtol=1e-12)
    for rows in (inside, outside):
        expected = vectoriser.transform([texts[row] for row in rows]).toarray()
        np.testing.assert_allclose(tfidf(block, fit, rows).toarray(), expected, rtol=1e-12)


def test_texts_outside_the_training_rows_change_nothing_inside() -> None:
    inside = np.arange(3)
    texts = ["Two ships met.", "The navy said so.", "Two hackers met the navy."]
    alone = count_texts(texts, [BlockSettings()], COUNTER).blocks[0]
    beside = count_texts([*texts, "An aardvark met two zebras, two, two."], [BlockSettings()], COUNTER).blocks[0]
    first, second = fit_block(alone, inside), fit_block(beside, inside)
    assert [alone.features[n] for n in first.columns] == [beside.features[n] for n in second.columns]
    assert first.idf.tolist() == second.idf.tolist()
    assert tfidf(alone, first, inside).toarray().tolist() == tfidf(beside, second, inside).toarray().tolist()


@given(TEXTS, st.integers(2, 4), st.integers(0, 3))
def test_characters_are_cut_as_scikit_learn_cuts_them(text: str, low: int, more: int) -> None:
    ngrams = (low, low + more)
    analyse = CountVectorizer(analyzer="char_wb", ngram_range=ngrams).build_analyzer()
    assert BlockSettings("char_wb", ngrams).features_of(text) == analyse(text)


@given(TEXTS, st.integers(1, 3), st.integers(0, 2), st.sets(st.sampled_from(["aa", "ab", "ss", "00"])))
def test_words_are_cut_as_scikit_learn_cuts_them(text: str, low: int, more: int, stop_words: set[str]) -> None:
    ngrams = (low, low + more)
    analyse = CountVectorizer(ngram_range=ngrams, stop_words=sorted(stop_words)).build_analyzer()
    ours = BlockSettings("word", ngrams, stem=False, stop_words=frozenset(stop_words))
    assert ours.features_of(text) == analyse(text)


@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_counts_equal_those_of_scikit_learn(texts: list[str]) -> None:
    cut = BlockSettings("char_wb", (2, 3), sublinear_tf=False)
    block = count_texts([*texts, "a word"], [cut], COUNTER).blocks[0]
    vectoriser = CountVectorizer(analyzer="char_wb", ngram_range=(2, 3))
    expected = vectoriser.fit_transform([*texts, "a word"])
    assert list(block.features) == vectoriser.get_feature_names_out().tolist()
    assert block.tf.toarray().tolist() == expected.toarray().tolist()


def test_hits_are_log_counts_of_terms() -> None:
    texts = ["Ships met ships and the navy.", "A hacker.", "Nothing here."]
    expected = np.log([[1 + 3, 1 + 0], [1 + 0, 1 + 1], [1 + 0, 1 + 0]])
    np.testing.assert_allclose(count_texts(texts, [], COUNTER).hits, expected)


def test_no_texts_give_empty_arrays() -> None:
    counted = count_texts([], [BlockSettings()], COUNTER)
    assert counted.hits.shape == (0, 2)
    assert counted.blocks[0].tf.shape == (0, 0)


def test_rows_have_a_norm_of_one_or_nothing() -> None:
    block = count_texts(["two ships", "a ship sank", "hackers"], [BlockSettings()], COUNTER).blocks[0]
    values = tfidf(block, fit_block(block, np.array([0, 1])), np.arange(3)).toarray()
    np.testing.assert_allclose(np.sqrt((values**2).sum(axis=1)), [1, 1, 0], rtol=1e-12)


def test_training_rows_without_a_word_leave_no_features() -> None:
    block = count_texts(["!", "?", "two ships"], [BlockSettings()], COUNTER).blocks[0]
    fit = fit_block(block, np.array([0, 1]))
    assert fit.columns.tolist() == []
    assert tfidf(block, fit, np.arange(3)).shape == (3, 0)


def test_no_training_rows_leave_no_features() -> None:
    block = count_texts(["two ships"], [BlockSettings()], COUNTER).blocks[0]
    assert fit_block(block, np.array([], dtype=np.int64)).columns.tolist() == []


def test_counts_of_some_blocks_alone_are_the_same_counts_in_the_order_asked() -> None:
    cuts = [BlockSettings(), BlockSettings("char_wb", (2, 3)), BlockSettings(ngram_range=(1, 2))]
    counted = count_texts(["two ships", "a hacker"], cuts, COUNTER)
    found = counted.only([cuts[2], cuts[0]])
    assert [block.settings for block in found.blocks] == [cuts[2], cuts[0]]
    assert found.blocks[1].tf is counted.blocks[0].tf
    assert found.counted is counted.counted


def test_text_that_is_left_out_changes_nothing() -> None:
    texts, further = ["two ships", "a hacker"], [f"ships of word{n}" for n in range(MIN_UNLABELLED + 1)]
    counted = count_texts(texts, [BlockSettings()], COUNTER, codebook=["a fleet"], unlabelled=further)
    alone = count_texts(texts, [BlockSettings()], COUNTER)
    found = counted.only([BlockSettings()], codebook=False, unlabelled=False)
    fits = [fit_block(counts.blocks[0], np.arange(2)) for counts in (found, alone)]
    words = [
        [counts.blocks[0].features[n] for n in fit.columns] for counts, fit in zip((found, alone), fits, strict=True)
    ]
    assert words[0] == words[1] == ["hacker", "ship", "two"]
    assert fits[0].idf.tolist() == fits[1].idf.tolist()
    assert found.blocks[0].axes.shape[1] == 0
    assert counted.only([BlockSettings()]).blocks[0].axes.shape[1] > 0
