"""Predictor: scikit-learn's scores from numpy alone, one decision everywhere, and reasons that add up."""

import pickle
import re
import string
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from classify.bundle import Bundle
from classify.codebook import parse_codebook
from classify.data.dataset import Dataset, load_labels
from classify.errors import BundleError
from classify.learn.settings import FRAMING_DEFAULTS, THEME_DEFAULTS, TrainingSettings
from classify.learn.stylewords import style_words
from classify.learn.training import train
from classify.measure.calibration import sigmoid
from classify.passages import Prediction
from classify.predictor import Predictor, flat_columns, rounded
from classify.scorer.decisions import DecisionRule
from classify.scorer.scanners import ENGINES
from classify.scorer.style import StyleCounter
from classify.scorer.terms import TermMatcher
from tests.conftest import toy_rows

SAME_OPTIMUM = 1e-5  # two solvers; a feature cut or weighted differently would show far above that
TASKS = ("theme", "framing")
KINDS = {"theme": THEME_DEFAULTS, "framing": FRAMING_DEFAULTS}
PIECES = (
    "The navy said two ships left the harbour on Monday. Hackers' network, cyber-unit; proud & historic exporters "
    "navel oranges NAVY Ships coast-guard coast guard İstanbul İİ ΣΊΣΥΦΟΣ ς ß ŉ ﬁ e\u0301 n\u0303avy 海军 军舰 नौसेना "
    "👩\u200d✈️ na\u200dvy 2 35 1,000 ٣٤ <b> &amp; $x$ _a_ '"
).split()
SPACES = [" ", "  ", "\t", "\n", "\r\n", "\x0b", "\x1c", "\x85", "\xa0", "\u2003", "\u2028", "\u3000", ""]
ODD = ["\0", "\ud800", "\udfff", "\u0307", "\u200d", "\ufeff", "\U000e0001", "\u202e"]

fragments = st.one_of(
    st.sampled_from(PIECES),
    st.sampled_from(SPACES),
    st.sampled_from(ODD),
    st.text(max_size=4),
    st.text(string.printable),
)
texts_of_all_kinds = st.lists(fragments, max_size=30).map(" ".join) | st.lists(fragments, max_size=30).map("".join)
thorough = settings(max_examples=120, derandomize=True, database=None)


@pytest.fixture(scope="module")
def predictor(toy_bundle: Bundle) -> Predictor:
    return Predictor(toy_bundle)


@pytest.fixture(scope="module")
def reference(toy_dataset: Dataset) -> dict[str, list[Pipeline]]:
    """For each task one scikit-learn pipeline a label, trained by scikit-learn alone."""
    return {task: list(reference_of(toy_dataset, task)) for task in TASKS}


def reference_of(dataset: Dataset, name: str) -> Iterator[Pipeline]:
    task, chosen = dataset.codebook[name], KINDS[name]
    matcher, style = TermMatcher(task), StyleCounter(style_words())
    said = [
        " ".join([label.name.replace("_", " "), label.definition, *label.terms]).replace("*", "")
        for label in task.labels
    ]

    def weighted_hits(texts: list[str]) -> Any:
        return chosen.hit_weight * np.log1p([matcher.count(text) for text in texts])

    def rates(texts: list[str]) -> Any:
        return np.log1p([style.rates(text) for text in texts])

    learnt_from = [*dataset.texts, *(said if chosen.codebook_weight else [])]
    cuts = [
        TfidfVectorizer(analyzer=block.features_of, sublinear_tf=block.sublinear_tf, min_df=block.min_df).fit(
            learnt_from if block.analyzer == "word" else dataset.texts
        )
        for block in chosen.blocks(task)
    ]
    directions = chosen.codebook_weight * cuts[0].transform(said).T

    def cosines(texts: list[str]) -> Any:
        return cuts[0].transform(texts) @ directions

    steps = [*(cut.transform for cut in cuts), cosines, weighted_hits]
    scaled_rates = Pipeline(
        [
            ("rates", FunctionTransformer(rates)),
            ("scale", StandardScaler()),
            ("weigh", FunctionTransformer(lambda scaled: chosen.style_weight * scaled)),
        ]
    )
    for column, _ in enumerate(task.labels):
        model = LinearSVC(C=chosen.C, dual=False, tol=1e-10, max_iter=10_000)
        parts = [(str(n), FunctionTransformer(step)) for n, step in enumerate(steps)]
        union = FeatureUnion([*parts, ("style", scaled_rates)])
        yield Pipeline([("features", union), ("model", model)]).fit(dataset.texts, dataset.gold(task).gold[:, column])


# ---- what comes back


def test_a_text_gives_one_prediction(predictor: Predictor) -> None:
    assert isinstance(predictor.predict("The navy said."), Prediction)


@pytest.mark.parametrize("make", [list, tuple, iter, lambda texts: (text for text in texts)])
def test_an_iterable_of_texts_gives_a_list_in_order(make: Any, predictor: Predictor) -> None:
    texts = [str(row["text"]) for row in toy_rows()]
    assert [predictor.predict(text) for text in texts] == predictor.predict(make(texts))


def test_predictions_come_while_texts_do(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classify.predictor.CHUNK", 10)
    texts, taken = [str(row["text"]) for row in toy_rows()], []
    predictions = predictor.iter_predict(text for text in texts if not taken.append(text))  # type: ignore[func-returns-value]
    assert [] == taken
    first = next(predictions)
    assert 1 <= len(taken) < len(texts)
    assert predictor.predict(texts) == [first, *predictions]


def test_one_text_is_no_stream_of_texts(predictor: Predictor) -> None:
    with pytest.raises(TypeError, match=r"found one text; expected an iterable of texts: predict\(\) takes one"):
        next(predictor.iter_predict("A text."))


def test_no_texts_give_no_predictions(predictor: Predictor) -> None:
    assert [] == predictor.predict([])
    assert {"theme": (0, 3), "framing": (0, 2)} == {name: found.shape for name, found in predictor.score([]).items()}


@pytest.mark.parametrize("wrong", [None, 5, b"bytes", ["a text", None], ["a text", b"bytes"], [["a text"]], [np.nan]])
@pytest.mark.parametrize("method", ["predict", "score"])
def test_anything_but_text_is_a_type_error(method: str, wrong: Any, predictor: Predictor) -> None:
    with pytest.raises(TypeError):
        getattr(predictor, method)(wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (None, "texts: found None; expected a str, or a list of str"),
        (b"bytes", "texts: found bytes; expected a str, or a list of str"),
        ({"text": "a"}, "texts: found dict; expected a str, or a list of str"),
        (pd.DataFrame({"text": ["a"]}), "texts: found a table (DataFrame); expected texts; use predict_frame"),
        (["a text", None], "text 1: found None; expected str"),
    ],
    ids=["None", "bytes", "dict", "table", "row"],
)
def test_the_type_error_says_what_was_found_and_expected(predictor: Predictor, wrong: Any, message: str) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        predictor.predict(wrong)


def test_a_multilabel_task_gives_a_tuple_and_a_multiclass_task_one_label(predictor: Predictor) -> None:
    labels = predictor.predict("The coast guard said its ships and networks were attacked.").labels
    assert {"theme": ("sea", "cyber"), "framing": "report"} == labels


def test_a_prediction_carries_all_labels_in_codebook_order_and_the_model(
    predictor: Predictor, toy_bundle: Bundle
) -> None:
    prediction = predictor.predict("The navy said.")
    labels = {name: list(found) for name, found in prediction.probabilities.items()}
    assert {"theme": ["sea", "cyber", "trade"], "framing": ["report", "praise"]} == labels
    assert toy_bundle.id == prediction.model


@thorough
@given(text=texts_of_all_kinds)
def test_probabilities_lie_between_0_and_1_and_those_of_a_multiclass_task_sum_to_1(
    predictor: Predictor, text: str
) -> None:
    probabilities = predictor.predict(text).probabilities
    assert all(0 <= p <= 1 for of_task in probabilities.values() for p in of_task.values())
    assert pytest.approx(1, abs=1e-12) == sum(probabilities["framing"].values())


# ---- the same scores as scikit-learn


@settings(thorough, max_examples=60)  # scikit-learn takes its time
@given(texts=st.lists(texts_of_all_kinds, min_size=1, max_size=4))
@example(
    texts=[
        "",
        " ",
        "\0",
        "\ud800",
        "İ",
        "ΑΣ ΑΣ.",
        "\u200d",
        "a",
        "ab",
        "NAVY İ NAVY",
        "e\u0301" * 3,
        "\u3000navy\u2028",
    ]
)
@example(texts=[" ".join(PIECES)])
def test_scores_equal_those_of_scikit_learn(
    reference: dict[str, list[Pipeline]], predictor: Predictor, texts: list[str]
) -> None:
    for name, scores in predictor.score(texts).items():
        expected = np.stack([pipeline.decision_function(texts) for pipeline in reference[name]], axis=1)
        np.testing.assert_allclose(scores, expected, rtol=0, atol=SAME_OPTIMUM)


@pytest.mark.parametrize("name", TASKS)
def test_scores_of_the_training_texts_equal_those_of_scikit_learn(
    name: str, reference: dict[str, list[Pipeline]], predictor: Predictor, toy_dataset: Dataset
) -> None:
    expected = np.stack([pipeline.decision_function(toy_dataset.texts) for pipeline in reference[name]], axis=1)
    np.testing.assert_allclose(predictor.score(toy_dataset.texts)[name], expected, rtol=0, atol=SAME_OPTIMUM)


@pytest.mark.parametrize("shift", [1, 7, 23])
def test_the_order_of_passages_does_not_matter(shift: int, predictor: Predictor) -> None:
    texts = [str(row["text"]) for row in toy_rows()]
    expected = predictor.predict(texts)
    assert expected[shift:] + expected[:shift] == predictor.predict(texts[shift:] + texts[:shift])


def test_one_text_is_scored_as_a_list_of_one(predictor: Predictor) -> None:
    assert predictor.score(["A proud navy."])["theme"].tolist() == predictor.score("A proud navy.")["theme"].tolist()


# ---- without evidence


@pytest.mark.parametrize("text", ["", " ", "\0", "海军", "!", "Ǆ"])
def test_a_passage_without_a_known_word_gets_no_theme_and_framing_by_prior(text: str, predictor: Predictor) -> None:
    prediction = predictor.predict(text)
    assert () == prediction.labels["theme"]
    assert {"report": 12 / 24, "praise": 12 / 24} == prediction.probabilities["framing"]
    assert "report" == prediction.labels["framing"]
    assert {"sea": 7 / 24, "cyber": 7 / 24, "trade": 6 / 24} == prediction.probabilities["theme"]


# ---- at_least_one


@pytest.fixture(scope="module")
def never_empty(toy_dataset: Dataset) -> Predictor:
    """A predictor of the toy themes for passages that always carry one."""
    plain = toy_dataset.codebook.to_dict()
    plain["tasks"]["theme"]["at_least_one"] = True
    frame = pd.DataFrame(
        {"text": row["text"], "id": row["id"], "document": row["document"], "theme": "|".join(row["labels"]["theme"])}
        for row in toy_rows()
    )
    return Predictor(train(load_labels(frame, parse_codebook(plain))))


@thorough
@given(text=texts_of_all_kinds)
def test_with_at_least_one_no_passage_is_left_without_a_label(never_empty: Predictor, text: str) -> None:
    assert 1 <= len(never_empty.predict(text).labels["theme"])


def test_with_at_least_one_a_passage_without_evidence_gets_the_commonest_label(never_empty: Predictor) -> None:
    assert ("sea",) == never_empty.predict("海军").labels["theme"]


# ---- review


def test_four_words_are_too_short_and_five_are_not(predictor: Predictor) -> None:
    assert "too_short" in predictor.predict("The navy said ships").review
    assert "too_short" not in predictor.predict("The navy said two ships").review


@pytest.mark.parametrize(
    ("text", "is_unknown"),
    [
        ("navy ships zzzz qqqq", False),
        ("navy ships zzzz qqqq xxxx", True),
        ("the of and zzzz navy", False),
        ("the of and zzzz", True),
        ("navies shipped", False),
        ("the of and", False),
        ("", False),
    ],
)
def test_more_than_half_of_the_content_words_unknown_asks_for_review(
    text: str, is_unknown: bool, predictor: Predictor
) -> None:
    assert is_unknown is ("unknown_words" in predictor.predict(text).review)


def with_review(bundle: Bundle, **review: float) -> Predictor:
    changed = {**bundle.settings["review"], **review}
    return Predictor(replace(bundle, settings={**bundle.settings, "review": changed}))


def test_near_threshold_is_nearer_than_the_margin(toy_bundle: Bundle) -> None:
    text = "The navy said two ships left the harbour."
    p = Predictor(toy_bundle).predict(text).probabilities["framing"]
    gap = abs(p["report"] - p["praise"])
    framing_only = replace(toy_bundle, tasks={"framing": toy_bundle.tasks["framing"]})
    assert () == with_review(framing_only, margin=gap).predict(text).review
    assert ("near_threshold",) == with_review(framing_only, margin=np.nextafter(gap, 1)).predict(text).review


def test_the_limits_of_review_are_those_of_the_settings(toy_bundle: Bundle) -> None:
    text = "navy ships zzzz"
    strict = with_review(toy_bundle, min_words=4, max_unknown=0.3, margin=1.0)
    lax = with_review(toy_bundle, min_words=3, max_unknown=0.4, margin=0.0)
    assert ("near_threshold", "unknown_words", "too_short") == strict.predict(text).review
    assert () == lax.predict(text).review


@pytest.mark.parametrize("change", [{"stem": False}, {"word_ngrams": (2, 2)}], ids=str)
def test_known_words_are_known_whatever_the_features(change: dict[str, Any], toy_dataset: Dataset) -> None:
    trained = train(
        toy_dataset,
        settings=TrainingSettings(replace(THEME_DEFAULTS, **change), replace(FRAMING_DEFAULTS, **change)),
    )
    assert "unknown_words" not in Predictor(trained).predict(toy_dataset.texts[0]).review


# ---- tables


FRAMES = [
    pytest.param(lambda columns: pd.DataFrame(columns, index=[7, 3]), id="pandas"),
    pytest.param(pl.DataFrame, id="polars"),
    pytest.param(pa.table, id="arrow"),
]
TEXTS = ["The navy said two ships left the harbour.", "Nothing of the kind zzzz"]
COLUMNS = [
    "predicted:theme", "predicted:framing", "p:theme:sea", "p:theme:cyber", "p:theme:trade", "p:framing:report",
    "p:framing:praise", "review", "model",
]  # fmt: skip


def rows_of(frame: Any) -> list[dict[str, object]]:
    """The rows of any of the three kinds of table."""
    return list(nw.from_native(frame, eager_only=True).rows(named=True))


@pytest.mark.parametrize("make", FRAMES)
def test_a_table_comes_back_as_the_same_kind_with_the_columns_of_the_design(make: Any, predictor: Predictor) -> None:
    frame = make({"text": TEXTS, "n": [1, 2]})
    found = predictor.predict_frame(frame)
    added = [flat_columns(prediction) for prediction in predictor.predict(TEXTS)]
    assert type(frame) is type(found)
    assert [{"text": text, "n": n, **cells} for text, n, cells in zip(TEXTS, [1, 2], added, strict=True)] == rows_of(
        found
    )
    assert ["text", "n", *COLUMNS] == list(rows_of(found)[0])


def test_cells_of_a_table_hold_labels_joined_by_bars(predictor: Predictor) -> None:
    both = "The coast guard said its ships and networks were attacked."
    frame = predictor.predict_frame(pd.DataFrame({"text": [both, "zzzz"]}))
    assert ["sea|cyber", "none"] == frame["predicted:theme"].tolist()
    assert ["report", "report"] == frame["predicted:framing"].tolist()
    assert "unknown_words|too_short" == frame["review"].tolist()[1]


def test_a_pandas_index_is_kept_even_with_duplicates(predictor: Predictor) -> None:
    found = predictor.predict_frame(pd.DataFrame({"text": [*TEXTS, TEXTS[0]]}, index=["b", "a", "b"]))
    assert ["b", "a", "b"] == found.index.tolist()
    assert found["p:theme:sea"].tolist()[0] == found["p:theme:sea"].tolist()[2] > found["p:theme:sea"].tolist()[1]


@pytest.mark.parametrize("make", FRAMES)
def test_the_given_table_stays_as_it_was(make: Any, predictor: Predictor) -> None:
    frame = make({"text": TEXTS})
    predictor.predict_frame(frame)
    assert [{"text": text} for text in TEXTS] == rows_of(frame)


@pytest.mark.parametrize("make", FRAMES)
def test_a_text_column_of_another_name_is_named(make: Any, predictor: Predictor) -> None:
    found = rows_of(predictor.predict_frame(make({"passage": TEXTS}), text="passage"))
    assert [prediction.labels["framing"] for prediction in predictor.predict(TEXTS)] == [
        row["predicted:framing"] for row in found
    ]


@pytest.mark.parametrize("make", FRAMES)
def test_a_missing_column_is_an_error_that_lists_the_columns(make: Any, predictor: Predictor) -> None:
    with pytest.raises(ValueError, match="no column 'text'; the table has title, n"):
        predictor.predict_frame(make({"title": TEXTS, "n": [1, 2]}))


@pytest.mark.parametrize("make", FRAMES)
def test_a_null_text_is_an_error_that_names_the_row(make: Any, predictor: Predictor) -> None:
    with pytest.raises(ValueError, match="column 'text' holds no text in 1 row, first row 1; drop or fill them"):
        predictor.predict_frame(make({"text": [TEXTS[0], None]}))


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "arrow"])
def test_a_table_without_rows_gets_columns_of_the_same_types_too(make: Any, predictor: Predictor) -> None:
    found = nw.from_native(predictor.predict_frame(make({"text": TEXTS})), eager_only=True)
    empty = nw.from_native(predictor.predict_frame(make({"text": TEXTS})[:0]), eager_only=True)
    assert ["text", *COLUMNS] == empty.columns
    assert found.schema == empty.schema
    assert {nw.String(), nw.Float64()} == set(found.schema.values())


@thorough
@given(st.lists(st.floats(0, 1) | st.integers(0, 2_000_000).map(lambda n: n / 2_000_000), min_size=1))
@example([1 / 640, 4.5e-6, 1 / 128, 0.0, 1.0])
def test_a_table_s_probabilities_are_rounded_as_a_row_s_are(values: list[float]) -> None:
    assert [round(p, 6) for p in values] == rounded(np.array(values)).tolist()


def test_anything_but_a_table_is_a_type_error(predictor: Predictor) -> None:
    with pytest.raises(TypeError, match="frame: found list; expected a pandas, polars or Arrow table"):
        predictor.predict_frame([{"text": "a"}])


# ---- explanations


@thorough
@given(text=texts_of_all_kinds)
@example(text="")
@example(text="İİ NAVY İ ships, ΑΣ coast guard. \ud800 navies e\u0301")
@pytest.mark.parametrize("task", TASKS)
def test_the_parts_of_an_explanation_sum_to_the_scores(predictor: Predictor, task: str, text: str) -> None:
    explained = predictor.explain(text, task=task)
    total = explained.intercept + sum(piece.values for piece in explained.pieces)
    np.testing.assert_allclose(total, predictor.score(text)[task][0], rtol=0, atol=1e-9)
    np.testing.assert_allclose(explained.scores, predictor.score(text)[task][0], rtol=0, atol=0)


@thorough
@given(text=texts_of_all_kinds)
@example(text="İİ NAVY İ ships, ΑΣ coast guard. \ud800 navies e\u0301")
@pytest.mark.parametrize("task", TASKS)
def test_spans_lie_in_the_text_and_the_weights_of_characters_sum_to_the_parts(
    predictor: Predictor, task: str, text: str
) -> None:
    explained = predictor.explain(text, task=task)
    spans = [span for piece in explained.pieces for span in piece.spans]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    for column, label in enumerate(explained.labels):
        expected = sum(piece.values[column] for piece in explained.pieces if piece.spans)
        assert pytest.approx(expected, abs=1e-9) == explained.weights_of_characters(label).sum()
    assert {"style"} >= {
        piece.kind for piece in explained.pieces if not piece.spans
    }  # what isn't there, stands nowhere


def test_pieces_are_words_of_the_text_and_terms_of_labels(predictor: Predictor) -> None:
    text = "Hackers hit İzmir's NAVY; two ships"
    pieces = predictor.explain(text, task="theme").pieces
    words = {piece.name: [text[start:end] for start, end in piece.spans] for piece in pieces if piece.kind == "words"}
    terms = {piece.name: [text[start:end] for start, end in piece.spans] for piece in pieces if piece.kind != "words"}
    assert {"Hackers": ["Hackers"], "NAVY": ["NAVY"], "two": ["two"], "ships": ["ships"]} == words
    assert {"sea": ["NAVY", "ships"], "cyber": ["Hackers"]} == terms


def test_parts_of_a_label_come_largest_effect_first(predictor: Predictor) -> None:
    explained = predictor.explain("The navy said two ships left, hackers too.", task="theme")
    effects = [abs(value) for _, value in explained.for_label("sea")]
    assert len(effects) > 3
    assert sorted(effects, reverse=True) == effects


def test_an_explanation_covers_the_given_labels_or_else_the_most_probable(predictor: Predictor) -> None:
    both = predictor.explain("The coast guard said its ships and networks were attacked.", task="theme")
    assert ("sea", "cyber") == both.given == both.chosen
    none = predictor.explain("Nothing is known of it.", task="theme")
    assert () == none.given
    assert (none.labels[int(none.probabilities.argmax())],) == none.chosen


def test_without_a_task_the_first_is_explained(predictor: Predictor) -> None:
    assert "theme" == predictor.explain("The navy said.").task


@pytest.mark.parametrize(
    ("task", "hint"), [("weather", "expected one of: theme, framing"), ("themes", "did you mean 'theme'?")]
)
def test_an_unknown_task_is_a_value_error_with_a_hint(predictor: Predictor, task: str, hint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"no task {task!r} in this bundle; {hint}")):
        predictor.explain("The navy said.", task=task)


@pytest.mark.parametrize("method", ["for_label", "parts", "weights_of_characters", "marked", "table", "heading"])
def test_an_unknown_label_is_a_value_error_with_a_hint(predictor: Predictor, method: str) -> None:
    with pytest.raises(ValueError, match=re.escape("no label 'cybr' in task theme; did you mean 'cyber'?")):
        getattr(predictor.explain("The navy said."), method)("cybr")


@pytest.mark.parametrize("wrong", [None, ["a list"], b"bytes", 5])
def test_anything_but_one_text_is_not_explained(predictor: Predictor, wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"text: found \w+; expected one str; explain one passage at a time"):
        predictor.explain(wrong)


@pytest.mark.parametrize("task", TASKS)
def test_html_escapes_the_text(task: str, predictor: Predictor) -> None:
    html = predictor.explain("<script>alert('navy & ships')</script> said", task=task)._repr_html_()
    assert "<script" not in html
    assert "&lt;" in html


@thorough
@given(text=texts_of_all_kinds)
def test_html_shows_the_whole_text_under_the_heading(predictor: Predictor, text: str) -> None:
    explained = predictor.explain(text, task="framing")
    shown = unescape(re.sub(r"<[^>]*>", "", explained._repr_html_()))
    label = explained.chosen[0]
    assert shown.startswith(f"{label} · framing · {explained.state(label)}{text}adds")


@thorough
@given(text=texts_of_all_kinds)
@example(text="İİ NAVY İ ships, ΑΣ coast guard. \ud800 navies e\u0301")
@pytest.mark.parametrize("task", TASKS)
def test_readable_parts_sum_to_the_score_and_to_the_difference_of_two(
    predictor: Predictor, task: str, text: str
) -> None:
    explained = predictor.explain(text, task=task)
    first, second = explained.labels[:2]
    total = explained.intercept[0] + sum(part.value for part in explained.parts(first))
    assert pytest.approx(explained.scores[0], abs=1e-9) == total
    apart = explained.intercept[0] - explained.intercept[1]
    apart += sum(part.value for part in explained.parts(first, rather_than=second))
    assert pytest.approx(explained.scores[0] - explained.scores[1], abs=1e-9) == apart


@thorough
@given(text=texts_of_all_kinds)
def test_marked_stretches_give_back_the_text(predictor: Predictor, text: str) -> None:
    stretches = predictor.explain(text, task="framing").marked("praise")
    assert text == "".join(stretch for stretch, _ in stretches)
    assert all(-1 <= weight <= 1 for _, weight in stretches)


def test_the_nearest_labelled_passages_of_each_label_given_are_shown(
    predictor: Predictor, toy_dataset: Dataset
) -> None:
    text = "The navy said two ships left for repairs."
    shown = predictor.explain(text, task="theme", evidence=toy_dataset)
    assert shown.evidence is not None
    assert shown.chosen == tuple(shown.evidence)
    assert ["e01#1", "e08#1"] == sorted(one.id for one in shown.evidence["sea"].carrying)[:2]
    ready = predictor.evidence(toy_dataset.passages, task="theme")
    assert shown.evidence == predictor.explain(text, task="theme", evidence=ready).evidence
    assert predictor.explain(text, task="theme").evidence is None


@pytest.mark.parametrize(("wrong", "kind"), [("labels/", "str"), (5, "int"), ([{"text": "a"}], "dict")], ids=repr)
def test_evidence_is_labelled_passages(predictor: Predictor, wrong: Any, kind: str) -> None:
    message = f"evidence: found {kind}; expected labelled passages, as load_labels reads them"
    with pytest.raises(TypeError, match=message):
        predictor.explain("The navy said.", evidence=wrong)


def test_evidence_made_ready_for_another_task_is_refused(predictor: Predictor, toy_dataset: Dataset) -> None:
    ready = predictor.evidence(toy_dataset, task="framing")
    with pytest.raises(ValueError, match="evidence: made ready for task 'framing'; expected 'theme'"):
        predictor.explain("The navy said.", task="theme", evidence=ready)


# ---- one value among others


def test_a_predictor_can_be_pickled(predictor: Predictor) -> None:
    copy = pickle.loads(pickle.dumps(predictor))
    texts = [str(row["text"]) for row in toy_rows()]
    assert predictor.predict(texts) == copy.predict(texts)


def test_a_loaded_predictor_is_pickled_by_its_folder(toy_bundle: Bundle, tmp_path: Path) -> None:
    toy_bundle.save(tmp_path / "bundle")
    loaded = Predictor.load(tmp_path / "bundle")
    pickled = pickle.dumps(loaded)
    assert len(pickled) < 1_000
    copy = pickle.loads(pickled)
    assert copy.predict("Two ships.") == loaded.predict("Two ships.")
    assert copy is pickle.loads(pickled)  # a process loads it once


def test_a_process_keeps_predictors_that_it_is_handed_by_turns(toy_bundle: Bundle, tmp_path: Path) -> None:
    toy_bundle.save(tmp_path / "one")
    replace(toy_bundle, seed=1, read_as=None).save(tmp_path / "other")
    pickled = [pickle.dumps(Predictor.load(tmp_path / name)) for name in ("one", "other")]
    first, again = ([pickle.loads(each) for each in pickled] for _ in range(2))
    assert all(one is same for one, same in zip(first, again, strict=True))


def test_a_pickled_predictor_is_not_taken_for_what_its_folder_holds_now(toy_bundle: Bundle, tmp_path: Path) -> None:
    toy_bundle.save(tmp_path / "bundle")
    pickled = pickle.dumps(Predictor.load(tmp_path / "bundle"))
    later = replace(toy_bundle, seed=1, read_as=None)
    later.save(tmp_path / "bundle")
    with pytest.raises(
        BundleError, match=f"now holds bundle {later.id}, no longer {toy_bundle.id}; load the predictor"
    ):
        pickle.loads(pickled)


def test_threads_share_a_predictor(predictor: Predictor) -> None:
    texts = [str(row["text"]) for row in toy_rows()]
    expected = predictor.predict(texts)
    with ThreadPoolExecutor(4) as pool:
        assert [expected] * 20 == list(pool.map(lambda _: predictor.predict(texts), range(20)))


def test_a_predictor_says_which_engine_reads_its_texts(predictor: Predictor) -> None:
    assert ENGINES[0] == predictor.engine


def test_a_predictor_shows_its_codebook_model_and_tasks(predictor: Predictor) -> None:
    assert f"<Predictor toy {predictor.model}: theme (3 labels), framing (2 labels)>" == repr(predictor)


def test_a_row_of_json_rounds_probabilities_to_six_decimals() -> None:
    prediction = Prediction({"theme": ("sea",), "framing": "report"}, {"theme": {"sea": 2 / 3}}, ("too_short",), "0a")
    expected = {
        "predicted": {"theme": ["sea"], "framing": "report"},
        "probabilities": {"theme": {"sea": 0.666667}},
        "review": ["too_short"],
        "model": "0a",
    }
    assert expected == prediction.to_row()


# ---- the rule of decision that evaluation and Predictor share


def rule(
    thresholds: list[float] | None, *, at_least_one: bool = False, prior: list[float] | None = None
) -> DecisionRule:
    """Three labels whose probability is the sigmoid of their score."""
    return DecisionRule(
        is_multilabel=thresholds is not None,
        at_least_one=at_least_one,
        slope=np.ones(3),
        intercept=np.zeros(3),
        prior=np.array(prior or [0.2, 0.5, 0.3]),
        thresholds=None if thresholds is None else np.array(thresholds),
    )


def decided(rule: DecisionRule, scores: list[float], *, evidence: bool = True) -> list[bool]:
    return rule.decide(np.array([scores]), np.array([evidence]))[1][0].tolist()


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.5, 0.5, 0.5], [True, True, True]),
        ([np.nextafter(0.5, 0), 0.5, 9.0], [False, True, True]),
        ([-9.0, -9.0, -9.0], [False, False, False]),
    ],
)
def test_a_score_exactly_at_its_threshold_is_enough(scores: list[float], expected: list[bool]) -> None:
    assert expected == decided(rule([0.5, 0.5, 0.5]), scores)


def test_an_infinite_threshold_is_never_met_and_a_negative_one_always() -> None:
    assert [False, True, False] == decided(rule([np.inf, -np.inf, np.inf]), [1e300, -1e300, 1e300])


def test_without_evidence_no_label_is_given_however_high_the_score() -> None:
    assert [False, False, False] == decided(rule([-np.inf, 0.0, 0.0]), [9.0, 9.0, 9.0], evidence=False)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([1.0, 2.0, 0.0], [False, True, False]),
        ([1.0, 1.0, 1.0], [True, False, False]),
        ([0.0, 1.0, 1.0], [False, True, False]),
    ],
)
def test_a_multiclass_task_gives_the_most_probable_label_ties_by_codebook_order(
    scores: list[float], expected: list[bool]
) -> None:
    assert expected == decided(rule(None), scores)


def test_a_multiclass_task_without_evidence_gives_the_commonest_label() -> None:
    assert [False, True, False] == decided(rule(None), [9.0, 0.0, 0.0], evidence=False)


def test_at_least_one_gives_the_label_that_exceeds_its_threshold_most() -> None:
    # p - p(threshold): sigmoid(1) - sigmoid(2) = -.15, sigmoid(-3) - sigmoid(-2) = -.07, sigmoid(0) - sigmoid(1) = -.23
    assert [False, True, False] == decided(rule([2.0, -2.0, 1.0], at_least_one=True), [1.0, -3.0, 0.0])


def test_at_least_one_adds_nothing_where_a_label_is_given() -> None:
    assert [True, False, False] == decided(rule([0.0, 0.0, 0.0], at_least_one=True), [0.1, -0.1, -9.0])


def test_at_least_one_without_evidence_gives_the_commonest_label() -> None:
    assert [False, True, False] == decided(rule([0.0, 0.0, 0.0], at_least_one=True), [9.0, 0.0, 0.0], evidence=False)


def test_at_least_one_passes_over_labels_that_are_never_given() -> None:
    assert [False, False, True] == decided(rule([np.inf, np.inf, 5.0], at_least_one=True), [4.0, 4.0, -1.0])


def test_probabilities_of_a_multilabel_task_are_sigmoids_of_the_calibrated_scores() -> None:
    calibrated = replace(rule([0.0, 0.0, 0.0]), slope=np.array([1.0, 2.0, 0.0]), intercept=np.array([0.0, -1.0, 0.0]))
    p = calibrated.probabilities(np.array([[0.0, 0.5, 7.0]]), np.array([True]))
    assert [[1 / 2, 1 / 2, 1 / 2]] == p.tolist()


def test_probabilities_of_a_multiclass_task_are_divided_by_their_sum() -> None:
    p = rule(None).probabilities(np.array([[0.0, 0.0, -np.inf]]), np.array([True]))
    assert [[1 / 2, 1 / 2, 0.0]] == p.tolist()


def test_probabilities_of_a_multiclass_task_sum_to_1_even_where_all_sigmoids_underflow() -> None:
    p = rule(None).probabilities(np.array([[-800.0, -900.0, -1000.0]]), np.array([True]))
    assert [1.0] == p.sum(axis=1).tolist()


def test_each_row_is_decided_by_itself() -> None:
    scores = np.array([[1.0, -1.0, -1.0], [-1.0, -1.0, 1.0], [9.0, 9.0, 9.0]])
    found = rule([0.0, 0.0, 0.0]).decide(scores, np.array([True, True, False]))[1]
    assert [[True, False, False], [False, False, True], [False, False, False]] == found.tolist()


def is_near(rule: DecisionRule, p: list[float], margin: float) -> bool:
    return bool(rule.is_near(np.array([p]), margin=margin)[0])


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        ([0.625, 0.0, 0.0], False),
        ([0.62, 0.0, 0.0], True),
        ([0.375, 0.0, 1.0], False),
        ([0.38, 0.0, 1.0], True),
        ([0.0, 0.9, 0.5], True),
        ([0.0, 1.0, 0.0], False),
    ],
)
def test_a_multilabel_passage_is_near_where_any_label_is_nearer_than_the_margin(p: list[float], expected: bool) -> None:
    assert expected is is_near(rule([0.0, 0.0, 0.0]), p, margin=0.125)


def test_a_label_with_an_infinite_threshold_is_never_near() -> None:
    assert not is_near(rule([np.inf, -np.inf, np.inf]), [1.0, 0.0, 0.99], margin=0.5)


@pytest.mark.parametrize(
    ("p", "expected"), [([0.5, 0.375, 0.125], False), ([0.49, 0.38, 0.13], True), ([0.125, 0.375, 0.5], False)]
)
def test_a_multiclass_passage_is_near_where_the_two_best_are_nearer_than_the_margin(
    p: list[float], expected: bool
) -> None:
    assert expected is is_near(rule(None), p, margin=0.125)


def test_a_threshold_has_the_probability_of_its_score() -> None:
    expected = [float(sigmoid(np.array(0.3))), 1.0, 0.0]
    assert expected == rule([0.3, np.inf, -np.inf]).threshold_probabilities.tolist()


def test_a_rule_survives_as_plain_data() -> None:
    first = rule([0.1, np.inf, -np.inf])
    plain = first.to_dict(("a", "b", "c"))
    assert {"a": 0.1, "b": "inf", "c": "-inf"} == plain["thresholds"]
    second = DecisionRule.from_dict(plain, ("a", "b", "c"), is_multilabel=True, at_least_one=False)
    assert [0.1, np.inf, -np.inf] == second.thresholds.tolist()
    assert first.to_dict(("a", "b", "c")) == second.to_dict(("a", "b", "c"))
