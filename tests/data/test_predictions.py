"""Rows of predictions are read alike in every form, and what can't be read is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classify.data.predictions import answer_of, flat_prediction, is_error, layout_of, month_of, source_of
from classify.passages import Prediction
from classify.predictor import flat_columns

LAYOUT = {"theme": ("sea", "sky: above"), "framing": ("report", "praise")}


@st.composite
def predictions(draw: st.DrawFn) -> Prediction:
    themes = draw(st.sets(st.sampled_from(LAYOUT["theme"])))
    framing = draw(st.sampled_from(LAYOUT["framing"]))
    p = {task: {label: draw(st.floats(0, 1)) for label in labels} for task, labels in LAYOUT.items()}
    review = draw(st.sets(st.sampled_from(["near_threshold", "too_short"])))
    return Prediction({"theme": tuple(sorted(themes)), "framing": framing}, p, tuple(sorted(review)), "abc")


@given(predictions())
def test_a_row_in_columns_says_what_the_nested_one_says(prediction: Prediction) -> None:
    nested, flat = prediction.to_row(), flat_columns(prediction)
    assert LAYOUT == layout_of(nested) == layout_of(flat)
    assert flat == flat_prediction(nested) == flat_prediction(flat)
    for task, labels in LAYOUT.items():
        one, other = answer_of(nested, task, labels), answer_of(flat, task, labels)
        assert (one.given, one.probabilities) == (other.given, other.probabilities)


@pytest.mark.parametrize(
    ("date", "month"),
    [
        ("2025-07", "2025-07"), ("2025-07-27", "2025-07"), (" 2025-07-27T10:00:00Z ", "2025-07"),
        ("2025-07-27 00:00:00", "2025-07"), ("27/07/2025", None), ("2025", None), ("2025-13", None),
        ("2025-07-32", None), ("July 2025", None), ("", None), (None, None), (20250727, None),
    ],
)  # fmt: skip
def test_a_month_is_read_from_dates_that_leave_no_doubt(date: object, month: str | None) -> None:
    assert month == month_of({"date": date})


def test_the_first_field_that_names_a_source_counts() -> None:
    assert "DNA" == source_of({"publisher": "x", "outlet": "DNA", "source": " "})
    assert not source_of({"author": "x"})


def test_a_row_with_an_error_and_no_prediction_is_an_error() -> None:
    assert is_error({"error": "too long"})
    assert not is_error({"error": "", "predicted:theme": "sea"})
    assert not is_error({"error": "a column of the user's own", "predicted": {"theme": []}})
