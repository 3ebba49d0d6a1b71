"""Rows rendered by the block are the rows of `Prediction`, to the last character."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classify.predictor import Decided, Predictor, flat_columns
from classify.tagging.rendering import Cells, JsonEnds, rounded
from tests.conftest import TOY_PASSAGES

words = st.sampled_from([word for _, text, _, _ in TOY_PASSAGES for word in text.split()])
texts = st.lists(st.one_of(st.lists(words, max_size=9).map(" ".join), st.text(max_size=30)), max_size=5)


@given(texts)
def test_rows_are_those_of_predictions(toy_predictor: Predictor, texts: list[str]) -> None:
    found, predictions = toy_predictor.decide(texts), toy_predictor.predict(texts)
    ends = [f"{json.dumps(one.to_row(), ensure_ascii=False)[1:]}\n" for one in predictions]
    assert ends == JsonEnds(toy_predictor).of(found)
    assert [list(flat_columns(one).values()) for one in predictions] == Cells(toy_predictor).of(found)


near_halves = st.integers(0, 10**6 - 1).map(lambda n: (n + 0.5) / 1e6)
probabilities = st.one_of(st.floats(0, 1), near_halves, near_halves.map(lambda p: float(np.nextafter(p, 0))))


@given(st.lists(probabilities, min_size=1))
def test_probabilities_are_rounded_as_python_rounds_them(p: list[float]) -> None:
    found = Decided([np.array([p])], [], [])
    assert [round(value, 6) for value in p] == rounded(found).tolist()[0]
