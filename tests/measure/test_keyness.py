"""Keyness beside scipy's likelihood-ratio test, and what it says at the edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from classify.measure.keyness import log_likelihood


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_equals_the_likelihood_ratio_of_the_contingency_table(
    n_inside: int, n_outside: int, data: st.DataObject
) -> None:
    inside, outside = data.draw(st.integers(0, n_inside)), data.draw(st.integers(0, n_outside))
    (found,) = log_likelihood(np.array([inside]), np.array([outside]), n_inside, n_outside)
    if inside + outside in (0, n_inside + n_outside):
        assert found == pytest.approx(0, abs=1e-9)
        return
    cells = np.array([[inside, outside], [n_inside - inside, n_outside - outside]])
    expected = chi2_contingency(cells, correction=False, lambda_="log-likelihood").statistic
    assert abs(found) == pytest.approx(expected, abs=1e-8)
    if expected > 1e-9:
        assert (found > 0) == (inside / n_inside > outside / n_outside)


@pytest.mark.parametrize(("n_inside", "n_outside"), [(0, 5), (5, 0), (0, 0)])
def test_an_empty_group_has_no_keyness(n_inside: int, n_outside: int) -> None:
    assert np.isnan(log_likelihood(np.array([0, 0]), np.array([0, 0]), n_inside, n_outside)).all()


def test_no_words_have_no_values() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert log_likelihood(none, none, 3, 4).shape == (0,)
