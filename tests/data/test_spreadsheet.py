"""No text from strangers becomes a formula, and numbers stay numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classify.data.spreadsheet import plain_cell, safe_cell


@given(st.sampled_from(["", " ", "\t", "\r\n"]), st.sampled_from("=@＝＋－＠"), st.text())
def test_what_starts_a_formula_comes_behind_an_apostrophe(space: str, start: str, rest: str) -> None:
    assert f"'{space}{start}{rest}" == safe_cell(f"{space}{start}{rest}")


@pytest.mark.parametrize("text", ["+1+cmd|' /C calc'!A0", "-2+3", "- a dash", "+92 300 1234567", "-1e5x"])
def test_signs_that_begin_no_number_are_formulas(text: str) -> None:
    assert f"'{text}" == safe_cell(text)


@pytest.mark.parametrize("value", ["-0.5", "+3", "-inf", "-1e-05", "-12,5", "-5%", "a = b", "", -0.5, None, ["=x"]])
def test_numbers_and_other_text_stay_as_they_are(value: object) -> None:
    assert value == safe_cell(value)


@given(st.text() | st.text("'=- 1a"))
def test_any_text_is_read_as_it_was(text: str) -> None:
    assert text == plain_cell(str(safe_cell(text)))
