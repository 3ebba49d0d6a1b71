"""The solver: with a dense kernel or without it finds the minimum that LIBLINEAR finds, for one C or many."""

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, sparse
from sklearn.linear_model import LogisticRegression

from classify.learn import solver
from classify.learn.solver import DENSE_ROWS, MANY_PROBLEMS, fit_logistic
from classify.measure.arrays import BoolArray, FloatArray
from tests.conftest import ROOT

Problem = tuple[Any, BoolArray, FloatArray]
TO_THE_OPTIMUM = 1e-4
"""How far from the optimum a score may be, whichever way the solver went there."""
WAYS = pytest.mark.parametrize("dense_rows", [0, DENSE_ROWS], ids=["products", "dense"])


def problem(seed: int, *, n: int = 40, n_features: int = 120, n_columns: int = 3) -> Problem:
    """Sparse rows of norm 1 or 0, targets that follow some features, and weights to 2 of which one in six is 0."""
    rng = np.random.default_rng(seed)
    dense = rng.random((n, n_features)) * (rng.random((n, n_features)) < 0.08)
    dense /= np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1e-12)
    signal = dense @ rng.normal(0, 3, (n_features, n_columns)) + rng.normal(0, 0.5, (n, n_columns))
    weight = 2 * rng.random((n, n_columns)) * (rng.random((n, n_columns)) < 5 / 6)
    target = signal > np.median(signal, axis=0)
    weight[0], target[0], weight[1], target[1] = 1, True, 1, False  # both answers count in every column
    return sparse.csr_array(dense), target, weight


def scores_at(given_problem: Problem, *Cs: float) -> list[FloatArray]:
    """Scores of the rows, shape (n_rows, n_columns), for each C."""
    return [np.asarray(given_problem[0] @ w + b) for w, b in fit_logistic(*given_problem, Cs)]


def scores_by_liblinear(given_problem: Problem, C: float) -> FloatArray:
    features, target, weight = given_problem
    model = LogisticRegression(solver="liblinear", C=C, tol=1e-10, max_iter=10_000)
    columns = zip(target.T, weight.T, strict=True)
    return np.stack([model.fit(features, y, sample_weight=w).decision_function(features) for y, w in columns], axis=1)


@WAYS
@pytest.mark.parametrize("C", [0.01, 1.0, 100.0, 300.0])
@pytest.mark.parametrize("shape", [(12, 300), (40, 120), (200, 30)])
def test_scores_equal_those_of_liblinear(
    shape: tuple[int, int], C: float, dense_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solver, "DENSE_ROWS", dense_rows)
    given_problem = problem(1, n=shape[0], n_features=shape[1])
    (found,) = scores_at(given_problem, C)
    np.testing.assert_allclose(found, scores_by_liblinear(given_problem, C), atol=TO_THE_OPTIMUM)


@WAYS
@settings(max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(2, 60),
    n_features=st.integers(1, 150),
    n_columns=st.integers(1, 4),
    C=st.sampled_from([0.1, 1.0, 10.0, 100.0]),
)
def test_scores_on_random_sparse_data_equal_those_of_liblinear(
    dense_rows: int, seed: int, n: int, n_features: int, n_columns: int, C: float
) -> None:
    given_problem = problem(seed, n=n, n_features=n_features, n_columns=n_columns)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solver, "DENSE_ROWS", dense_rows)
        (found,) = scores_at(given_problem, C)
    np.testing.assert_allclose(found, scores_by_liblinear(given_problem, C), atol=TO_THE_OPTIMUM)


@pytest.mark.parametrize("n", [DENSE_ROWS, DENSE_ROWS + 1])
def test_the_number_of_rows_decides_the_way_and_not_the_result(n: int) -> None:
    given_problem = problem(2, n=n, n_features=400, n_columns=1)
    (found,) = scores_at(given_problem, 3.0)
    np.testing.assert_allclose(found, scores_by_liblinear(given_problem, 3.0), atol=TO_THE_OPTIMUM)


def test_many_columns_of_many_rows_go_the_dense_way_to_the_same_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    given_problem = problem(11, n=60, n_features=2_000, n_columns=MANY_PROBLEMS)
    (dense,) = scores_at(given_problem, 3.0)
    monkeypatch.setattr(solver, "DENSE_ROWS", 0)
    (many,) = scores_at(given_problem, 3.0)
    assert dense.tolist() == many.tolist()
    monkeypatch.setattr(solver, "MANY_PROBLEMS", MANY_PROBLEMS + 1)
    (products,) = scores_at(given_problem, 3.0)
    assert dense.tolist() != products.tolist()
    np.testing.assert_allclose(dense, products, rtol=0, atol=TO_THE_OPTIMUM)


@WAYS
@pytest.mark.parametrize("C", [1e4, 1e6])
def test_a_large_strength_costs_no_exactness(C: float, dense_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "DENSE_ROWS", dense_rows)
    (found,) = scores_at(problem(1), C)
    monkeypatch.setattr(solver, "MAX_ERROR", 1e-9)
    monkeypatch.setattr(solver, "TOLERANCE", 1e-13)
    np.testing.assert_allclose(found, scores_at(problem(1), C)[0], rtol=0, atol=TO_THE_OPTIMUM)


def test_what_is_not_found_in_time_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "_MAX_NEWTON", 2)
    with pytest.warns(RuntimeWarning, match="try a smaller C"):
        scores_at(problem(1), 10.0)


THREADS = """
import numpy as np
from tests.learn.test_solver import problem, scores_at
print(float(scores_at(problem(1, n=500, n_features=900, n_columns=4), 3.0)[0].sum()).hex())
"""


def test_the_number_of_threads_changes_no_bit() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", THREADS],
            env={**os.environ, "OPENBLAS_NUM_THREADS": n, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
        ).stdout
        for n in ("1", "2", "4")
    }
    assert len(found) == 1


@WAYS
@pytest.mark.parametrize("seed", range(3))
def test_gradient_is_zero_at_what_is_found(seed: int, dense_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "DENSE_ROWS", dense_rows)
    features, target, weight = problem(seed)
    ((coefficients, intercepts),) = fit_logistic(features, target, weight, [5.0])
    residual = 5.0 * weight * (1 / (1 + np.exp(-(features @ coefficients + intercepts))) - target)
    np.testing.assert_allclose(coefficients + features.T @ residual, 0, atol=1e-3)
    np.testing.assert_allclose(intercepts + residual.sum(axis=0), 0, atol=1e-3)


@pytest.mark.parametrize("Cs", [(0.1, 1.0, 50.0), (50.0, 0.1, 1.0), (1.0, 1.0), (300.0, 0.001)])
def test_a_grid_of_strengths_equals_each_alone_in_the_order_asked(Cs: tuple[float, ...]) -> None:
    given_problem = problem(3)
    for found, C in zip(scores_at(given_problem, *Cs), Cs, strict=True):
        np.testing.assert_allclose(found, scores_at(given_problem, C)[0], rtol=0, atol=TO_THE_OPTIMUM)
        np.testing.assert_allclose(found, scores_by_liblinear(given_problem, C), rtol=0, atol=TO_THE_OPTIMUM)


def test_strength_and_weight_multiply() -> None:
    features, target, weight = problem(4)
    by_strength, by_weight = scores_at((features, target, weight), 20.0), scores_at((features, target, 20 * weight), 1)
    np.testing.assert_allclose(by_strength[0], by_weight[0], rtol=0, atol=TO_THE_OPTIMUM)


@WAYS
def test_a_row_of_weight_zero_counts_nowhere(dense_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "DENSE_ROWS", dense_rows)
    features, target, weight = problem(5)
    weight[10:20] = 0
    kept = np.r_[0:10, 20:40]
    ((coefficients, intercepts),) = fit_logistic(features, target, weight, [10.0])
    (contradicted,) = scores_at((features, target ^ (weight == 0), weight), 10.0)
    ((without, intercepts_without),) = fit_logistic(features[kept], target[kept], weight[kept], [10.0])
    np.testing.assert_allclose(contradicted, features @ coefficients + intercepts, rtol=0, atol=1e-12)
    np.testing.assert_allclose(without, coefficients, rtol=0, atol=TO_THE_OPTIMUM)
    np.testing.assert_allclose(intercepts_without, intercepts, rtol=0, atol=TO_THE_OPTIMUM)


@WAYS
def test_a_row_of_weight_two_counts_as_two_rows(dense_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "DENSE_ROWS", dense_rows)
    features, target, _ = problem(6)
    weight, rows = np.ones(target.shape), np.r_[0:40, 0:15]
    doubled = np.where(np.arange(40) < 15, 2.0, 1.0)[:, None] * weight
    (once,) = scores_at((features, target, doubled), 10.0)
    (twice,) = scores_at((features[rows], target[rows], weight[rows]), 10.0)
    np.testing.assert_allclose(once[rows], twice, rtol=0, atol=TO_THE_OPTIMUM)


@WAYS
@pytest.mark.parametrize("at_once", [1, 2, 32])
def test_columns_at_once_equal_columns_one_by_one(
    at_once: int, dense_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solver, "DENSE_ROWS", dense_rows)
    monkeypatch.setattr(solver, "_COLUMNS", at_once)
    features, target, weight = problem(7, n_columns=5)
    weight *= np.array([0.001, 0.01, 0.1, 1, 10])  # of all strengths, so that some are done before others
    together = scores_at((features, target, weight), 1.0, 10.0)
    singly = [scores_at((features, target[:, [n]], weight[:, [n]]), 1.0, 10.0) for n in range(5)]
    for found, alone in zip(together, zip(*singly, strict=True), strict=True):
        np.testing.assert_allclose(found, np.hstack(alone), rtol=0, atol=TO_THE_OPTIMUM)


def test_a_column_beside_its_opposite_gets_the_opposite_scores() -> None:
    features, target, weight = problem(8, n_columns=1)
    (found,) = scores_at((features, np.hstack([target, ~target]), np.hstack([weight, weight])), 10.0)
    np.testing.assert_allclose(found[:, 0], -found[:, 1], rtol=0, atol=TO_THE_OPTIMUM)


def test_the_same_problem_gives_the_same_bits() -> None:
    given_problem = problem(9)
    first, second = (scores_at(given_problem, 1.0, 30.0) for _ in range(2))
    assert [scores.tolist() for scores in first] == [scores.tolist() for scores in second]


@WAYS
@pytest.mark.parametrize("n_rows", [0, 40])
def test_no_columns_have_no_weights(n_rows: int, dense_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "DENSE_ROWS", dense_rows)
    features, target, weight = problem(10)
    found = fit_logistic(features[:n_rows], target[:n_rows, :0], weight[:n_rows, :0], [1.0, 2.0])
    assert [(coefficients.shape, intercepts.shape) for coefficients, intercepts in found] == [((120, 0), (0,))] * 2


@WAYS
def test_rows_without_a_feature_leave_the_intercept_alone(dense_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "DENSE_ROWS", dense_rows)
    # 3 of 4 positive: the least of b² / 2 + C log-loss is where b + C (4 sigmoid(b) - 3) = 0
    expected = [optimize.brentq(lambda b, C=C: b + C * (4 / (1 + np.exp(-b)) - 3), 0, 2, xtol=1e-12) for C in (1, 5)]
    target = np.array([[True], [True], [True], [False]])
    found = fit_logistic(sparse.csr_array((4, 2)), target, np.ones((4, 1)), [1.0, 5.0])
    assert not any(coefficients.any() for coefficients, _ in found)
    assert [float(intercepts[0]) for _, intercepts in found] == pytest.approx(expected, abs=1e-5)
