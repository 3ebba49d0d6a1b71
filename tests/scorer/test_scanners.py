"""Both engines score as scikit-learn does, and as one text and one task at a time would, whatever the text."""

import pickle
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from classify.bundle import Bundle
from classify.codebook import Label, Task, TaskKind
from classify.scorer import compiled, linear, reference
from classify.scorer.blocks import Block
from classify.scorer.linear import Counter, Scorer, TaskScorer
from classify.scorer.reference import words_in
from classify.scorer.scanners import ENGINES, Engine
from classify.scorer.tokens import STOP_WORDS, BlockSettings, stem, words_of
from tests.conftest import needs_tool, toy_rows

SAME = 1e-9
PIECES = """
    The navy said two ships left the harbour on Monday. Hackers' network, cyber-unit; proud historic exporters navel
    oranges NAVY coast-guard coast guard İstanbul nav İİ İnavy ΣΊΣΥΦΟΣ ΑΣ’Α ς ß STRASSE ŉ ﬁ e\u0301 n\u0303avy 海军 Ⓐ
    नौसेना
    \u212aelvin na\u200dvy 2 35 1,000 ٣٤ x² ① _a_ ' a I internationalisation internationalisations internationalisation_
    https://example.org/a/b/c https://example.org/a/b/d “quoted words” "said Anna Berg" According to Anna Berg We not? ﬃ
""".split()
SPACES = [" ", "  ", "\t", "\n", "\r\n", "\x0b", "\x1c", "\x1f", "\x85", "\xa0", "\u2003", "\u2028", "\u3000", ""]
ODD = ["\0", "\ud800", "\udfff", "\u0307", "\u200d", "\ufeff", "\U000e0001", "\u202e", "\x7f", "é", "\U0001d400", "ÿ"]
fragments = st.one_of(st.sampled_from(PIECES), st.sampled_from(SPACES), st.sampled_from(ODD), st.text(max_size=4))
texts_of_all_kinds = st.lists(fragments, max_size=30).map(" ".join) | st.lists(fragments, max_size=30).map("".join)
lists_of_texts = st.lists(texts_of_all_kinds, min_size=1, max_size=4)
thorough = settings(max_examples=60, derandomize=True, database=None)
awkward = example(
    texts=["", " ", "\0", "\ud800", "İ", "ΑΣ ΑΣ.", "\u200d", "a", "NAVY İ NAVY", "\u3000navy\u2028", " ".join(PIECES)]
)
TOPICS = Task("topic", TaskKind.MULTILABEL, (Label("sea"), Label("cyber"), Label("trade")))
LEARNT_FROM = [f"{row['text']} {' '.join(PIECES[n : n + 9])}" for n, row in enumerate(toy_rows())]
VECTORIZERS = {
    "words": {"ngram_range": (1, 2), "sublinear_tf": True},
    "longer words": {"ngram_range": (2, 4), "min_df": 2},
    "without stop words": {"ngram_range": (1, 3), "stop_words": ["the", "said", "35"]},
    "characters": {"analyzer": "char_wb", "ngram_range": (2, 5), "sublinear_tf": True},
    "long characters": {"analyzer": "char_wb", "ngram_range": (4, 4), "min_df": 2},
}


@pytest.fixture(scope="module", params=["compiled", "reference"])
def engine(request: pytest.FixtureRequest) -> Engine:
    needs_tool("the compiled scanner", request.param in ENGINES)
    return request.param


def folded(pipeline: Pipeline) -> TaskScorer:
    """A pipeline of scikit-learn as the scorer that a bundle holds."""
    vectorizer, models = pipeline[0], pipeline[1].estimators_
    block = Block(
        BlockSettings(
            vectorizer.analyzer,
            vectorizer.ngram_range,
            stem=False,
            sublinear_tf=vectorizer.sublinear_tf,
            stop_words=frozenset(vectorizer.stop_words or ()),
        ),
        tuple(vectorizer.get_feature_names_out()),
        vectorizer.idf_,
        np.vstack([model.coef_ for model in models]).T,
    )
    intercept = np.concatenate([model.intercept_ for model in models])
    return TaskScorer((block,), Counter(TOPICS, {}), np.zeros((3, 3)), np.zeros(3), intercept)


@pytest.fixture(scope="module", params=VECTORIZERS)
def pipeline(request: pytest.FixtureRequest) -> Pipeline:
    Y = np.array([[label in row["labels"]["theme"] for label in ("sea", "cyber", "trade")] for row in toy_rows()])  # type: ignore[index]
    vectorizer = TfidfVectorizer(**VECTORIZERS[request.param])  # type: ignore[arg-type]
    return make_pipeline(vectorizer, OneVsRestClassifier(LinearSVC())).fit(LEARNT_FROM, Y)


@pytest.fixture(scope="module")
def tasks(toy_bundle: Bundle) -> list[TaskScorer]:
    """Stems, stop words, characters, terms and style."""
    return [task.scorer for task in toy_bundle.tasks.values()]


def words_of_features(tasks: list[TaskScorer]) -> frozenset[str]:
    """Every word of every n-gram."""
    blocks = [block for task in tasks for block in task.blocks if block.settings.analyzer == "word"]
    return frozenset(word for block in blocks for feature in block.features for word in feature.split(" "))


@pytest.fixture(scope="module")
def scorer(tasks: list[TaskScorer], engine: Engine) -> Scorer:
    return Scorer(tasks, words_of_features(tasks), engine=engine)


def one_by_one(task: TaskScorer, text: str) -> tuple[np.ndarray[Any, Any], bool]:
    """A text's scores as the formula says, feature by feature."""
    counted = task.counter.count(text)
    scores = task.intercept + (counted - task.usual) @ task.counted_weights
    evidence = bool(counted[: task.counter.n_labels].any())
    for block in task.blocks:
        columns, values = block.values_of(text)
        scores = scores + values @ block.weights[columns]
        evidence |= len(columns) > 0
    return scores, evidence


# ---- the same as scikit-learn, and as one by one


@pytest.fixture(scope="module")
def folded_scorer(pipeline: Pipeline, engine: Engine) -> Scorer:
    return Scorer([folded(pipeline)], engine=engine)


@thorough
@given(texts=lists_of_texts)
@awkward
def test_scores_equal_the_decision_function_of_scikit_learn(
    pipeline: Pipeline, folded_scorer: Scorer, texts: list[str]
) -> None:
    scores = folded_scorer.read(texts).tasks[0][0]
    np.testing.assert_allclose(scores, pipeline.decision_function(texts), rtol=0, atol=SAME)


@thorough
@given(texts=lists_of_texts)
@awkward
def test_all_tasks_at_once_score_as_one_text_and_one_task_at_a_time(
    tasks: list[TaskScorer], scorer: Scorer, texts: list[str]
) -> None:
    for task, (scores, evidence) in zip(tasks, scorer.read(texts).tasks, strict=True):
        expected = [one_by_one(task, text) for text in texts]
        np.testing.assert_allclose(scores, [of_text for of_text, _ in expected], rtol=0, atol=SAME)
        assert [has_evidence for _, has_evidence in expected] == evidence.tolist()


@thorough
@given(texts=lists_of_texts)
@awkward
def test_content_words_and_unknown_ones_are_counted(tasks: list[TaskScorer], scorer: Scorer, texts: list[str]) -> None:
    known = words_of_features(tasks)
    content = [[word for word in words_of(text) if word not in STOP_WORDS] for text in texts]
    unknown = [[word for word in words if word not in known and stem(word) not in known] for words in content]
    reading = scorer.read(texts)
    assert list(map(len, content)) == reading.n_content.tolist()
    assert list(map(len, unknown)) == reading.n_unknown.tolist()


@pytest.mark.parametrize("n_texts", [0, 1, 39, 40, 41, 120])
def test_a_text_scores_the_same_in_any_company(n_texts: int, scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "CHUNK", 40)
    texts = [" ".join(PIECES[n % 40 : n % 60]) for n in range(n_texts)]
    together = scorer.read(texts)
    for task in (0, 1):
        alone = [scorer.read([text]).tasks[task] for text in texts]
        assert [scores[0].tolist() for scores, _ in alone] == together.tasks[task][0].tolist()
        assert [bool(evidence[0]) for _, evidence in alone] == together.tasks[task][1].tolist()


def test_long_words_that_begin_alike_are_told_apart(engine: Engine) -> None:
    words = [
        f"{'x' * length}{end}" for length in (6, 7, 14, 15, 16, 17, 30, 300) for end in ("", "y", "yy", "yyyyyyyyz")
    ]
    weights = np.eye(len(words), 3) + np.arange(len(words))[:, None]
    block = Block(BlockSettings(stem=False), tuple(words), np.ones(len(words)), weights)
    task = TaskScorer((block,), Counter(TOPICS, {}), np.zeros((3, 3)), np.zeros(3), np.zeros(3))
    assert weights.tolist() == Scorer([task], engine=engine).read([*words]).tasks[0][0].tolist()


def test_a_task_without_features_scores_its_intercept(engine: Engine) -> None:
    blocks = tuple(
        Block(BlockSettings(kind, (2, 2)), (), np.zeros(0), np.zeros((0, 3))) for kind in ("word", "char_wb")
    )
    task = TaskScorer(blocks, Counter(TOPICS, {}), np.zeros((3, 3)), np.zeros(3), np.arange(3.0))
    scores, evidence = Scorer([task], engine=engine).read(["The navy", ""]).tasks[0]
    assert ([[0, 1, 2], [0, 1, 2]], [False, False]) == (scores.tolist(), evidence.tolist())


# ---- what is remembered


def test_scores_stay_the_same_when_words_are_forgotten(
    tasks: list[TaskScorer], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = LEARNT_FROM * 2
    expected = Scorer(tasks, engine=engine).read(texts)
    for module in (reference, compiled):
        monkeypatch.setattr(module, "MAX_WORDS", 5)
    forgetful = Scorer(tasks, engine=engine)
    for text, *of_tasks in zip(texts, *(scores.tolist() for scores, _ in expected.tasks), strict=True):
        assert of_tasks == [scores[0].tolist() for scores, _ in forgetful.read([text]).tasks]


def test_a_word_is_analysed_once(tasks: list[TaskScorer], engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer, analysed = Scorer(tasks, engine=engine), []

    def analyse(words: Sequence[str]) -> Any:
        analysed.extend(words)
        return known(words)

    known = scorer._scanners._tables.analyse
    monkeypatch.setattr(scorer._scanners._tables, "analyse", analyse)
    for text in ("Ships, SHIPS and a navy", "navy ships", "é Navy é"):
        scorer.read([text, text])
    assert ["ships", "and", "a", "navy", "é"] == analysed


def test_threads_get_the_same_scores(tasks: list[TaskScorer], engine: Engine) -> None:
    scorer = Scorer(tasks, engine=engine)
    expected = scorer.read(LEARNT_FROM).tasks[0][0].tolist()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: scorer.read(LEARNT_FROM).tasks[0][0].tolist(), range(40)))
    assert [expected] * 40 == found


def test_a_scorer_survives_pickling(tasks: list[TaskScorer], scorer: Scorer) -> None:
    expected = scorer.read(LEARNT_FROM).tasks[0][0].tolist()
    again = pickle.loads(pickle.dumps(scorer))
    assert (scorer.engine, expected) == (again.engine, again.read(LEARNT_FROM).tasks[0][0].tolist())
    alone = tasks[0].score(LEARNT_FROM)[0].tolist()
    assert alone == pickle.loads(pickle.dumps(tasks[0])).score(LEARNT_FROM)[0].tolist()


def test_where_nothing_was_compiled_numpy_alone_reads() -> None:
    code = "import sys; sys.modules['classify.scorer._scanner'] = None; from classify.scorer import linear, scanners"
    shown = [sys.executable, "-c", f"{code}; print(scanners.ENGINES, linear.Scorer([]).engine)"]
    assert "('reference',) reference\n" == subprocess.run(shown, capture_output=True, text=True, check=True).stdout


# ---- wrong calls


@pytest.mark.parametrize("wrong", [None, b"bytes", 5, ["a text"]])
def test_anything_but_text_is_refused(wrong: Any, scorer: Scorer) -> None:
    with pytest.raises((TypeError, AttributeError)):
        scorer.read(["a text", wrong])
    assert scorer.read(["Two ships."]).n_content.tolist() == [2]


def test_the_extension_refuses_arrays_that_do_not_fit(tasks: list[TaskScorer]) -> None:
    needs_tool("the compiled scanner", "compiled" in ENGINES)
    tables = compiled.CompiledTables(Scorer(tasks)._scanners._tables)
    scanner, nothing, small = tables.make_scanner(), np.zeros(0, np.int32), np.zeros(1)
    scanner.read(["Two ships", "navy"])
    with pytest.raises(ValueError, match="yet to be learnt"):
        scanner.score((small, small, small), small, small, small)
    with pytest.raises(ValueError, match="another length"):
        scanner.learn_words(nothing, nothing, nothing, nothing)
    with pytest.raises(ValueError, match="another length"):
        scanner.learn_chunks((nothing, nothing))
    with pytest.raises(TypeError, match="for each block"):
        scanner.learn_chunks()
    scanner.forget()
    scanner.read(["", " "])
    with pytest.raises(ValueError, match="another shape"):
        scanner.score((small, small, small), small, small, small)
    with pytest.raises(ValueError, match="no array"):
        scanner.score((), small, small, small)
    with pytest.raises(ValueError, match="another shape"):
        type(scanner)((((small, 2, 3, True), (small, small, 3, 1), 1),), (), (), 0)
    with pytest.raises(TypeError):
        type(scanner)((), (), (), 0)


# ---- what both engines take for granted about Unicode


def test_words_are_found_in_lower_case() -> None:
    assert ["the", "u", "s", "navy", "s", "f_35s", "café"] == words_in("The U.S. Navy’s F_35s: CAFÉ")
    assert ["the", "navy", "s"] == words_in("The—Navy’s…")


def test_one_character_alone_is_cut_in_two_when_it_is_lower_cased() -> None:
    """Hence terms, which are cut before they are folded, may share the lower-cased words of all other texts."""
    every = "".join(map(chr, range(0x110000)))
    changed = [c for c in every if c.lower() != c or c.casefold() != c]
    is_word = re.compile(r"\w").fullmatch
    assert ["İ"] == [c for c in changed if is_word(c) and not all(map(is_word, c.lower()))]
    assert [] == [c for c in changed if not is_word(c) and any(map(is_word, c.lower()))]
    assert [] == [c for c in changed if c.lower().casefold() != c.casefold()]
    assert [] == [c for c in changed if c.isspace() or c.lower().isspace()]
    assert [c for c in every if c.isalnum() or c == "_"] == re.findall(r"\w", every)
