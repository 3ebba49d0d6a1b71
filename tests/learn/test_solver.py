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
from sklearn.svm import LinearSVC

from classify.learn import solver
from classify.learn.solver import DENSE_ROWS, LOGISTIC, LOSSES, MANY_PROBLEMS, SQUARED_HINGE, fit_linear
from classify.measure.arrays import BoolArray, FloatArray
from tests.conftest import ROOT

Problem = tuple[Any, BoolArray, FloatArray]
TO_THE_OPTIMUM = 1e-4
"""How far from the optimum a score may be, whichever way the solver went there."""
WAYS = pytest.mark.parametrize("dense_rows", [0, DENSE_ROWS], ids=["sparse", "dense"])
EACH_LOSS = pytest.mark.parametrize("loss", LOSSES)


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


def scores_at(given_problem: Problem, *Cs: float, loss: str) -> list[FloatArray]:
    """Scores of the rows, shape (n_rows, n_columns), for each C."""
    return [np.asarray(given_problem[0] @ w + b) for w, b in fit_linear(*given_problem, Cs, loss=loss)]


def scores_by_liblinear(given_problem: Problem, C: float, loss: str) -> FloatArray:
    """By LIBLINEAR's Newton method in the primal, which the product uses for neither loss."""
    features, target, weight = given_problem
    model = (
        LogisticRegression(solver="liblinear", C=C, tol=1e-10, max_iter=10_000)
        if loss == LOGISTIC
        else LinearSVC(C=C, dual=False, tol=1e-10, max_iter=10_000)
    )
    columns = zip(target.T, weight.T, strict=True)
    return np.stack([model.fit(features, y, sample_weight=w).decision_function(features) for y, w in columns], axis=1)


def slope(scores: FloatArray, target: BoolArray, loss: str) -> FloatArray:
    """Of the loss in the score, written down from its definition."""
    if loss == LOGISTIC:
        return np.asarray(1 / (1 + np.exp(-scores)) - target)
    sign = np.where(target, 1, -1)
    return np.asarray(-2 * sign * np.maximum(0, 1 - sign * scores))


@EACH_LOSS
@WAYS
@pytest.mark.parametrize("C", [0.01, 1.0, 100.0, 300.0])
@pytest.mark.parametrize("shape", [(12, 300), (40, 120), (200, 30)])
def test_scores_equal_those_of_liblinear(
    loss: str, shape: tuple[int, int], C: float, dense_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solver, "DENSE_ROWS", dense_rows)
    monkeypatch.setattr(solver, "_DUAL_TOLERANCE", 1e-9)  # the same problem is posed; the next test asks how exactly
    given_problem = problem(1, n=shape[0], n_features=shape[1])
    (found,) = scores_at(given_problem, C, loss=loss)
    np.testing.assert_allclose(found, scores_by_liblinear(given_problem, C, loss), atol=TO_THE_OPTIMUM)


@pytest.mark.parametrize("C", [0.01, 1.0, 10.0, 100.0])
@pytest.mark.parametrize("shape", [(12, 300), (40, 120), (200, 30), (DENSE_ROWS + 1, 2_000)])
def test_dual_descent_comes_as_near_to_the_optimum(
    shape: tuple[int, int], C: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solver, "DENSE_ROWS", 0)
    given_problem = problem(1, n=shape[0], n_features=shape[1])
    (found,) = scores_at(given_problem, C, loss=SQUARED_HINGE)
    expected = scores_by_liblinear(given_problem, C, SQUARED_HINGE)
    np.testing.assert_allclose(found, expected, rtol=0, atol=TO_THE_OPTIMUM)


@EACH_LOSS
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
    loss: str, dense_rows: int, seed: int, n: int, n_features: int, n_columns: int, C: float
) -> None:
    given_problem = problem(seed, n=n, n_features=n_features, n_columns=n_columns)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solver, "DENSE_ROWS", dense_rows)
        patch.setattr(solver, "_DUAL_TOLERANCE", 1e-9)
        (found,) = scores_at(given_problem, C, loss=loss)
    np.testing.assert_allclose(found, scores_by_liblinear(given_problem, C, loss), atol=TO_THE_OPTIMUM)


@EACH_LOSS
@pytest.mark.parametrize("n", [DENSE_ROWS, DENSE_ROWS + 1])
def test_the_number_of_rows_decides_the_way_and_not_the_result(loss: str, n: int) -> None:
    given_problem = problem(2, n=n, n_features=400, n_columns=1)
    (found,) = scores_at(given_problem, 3.0, loss=loss)
    np.testing.assert_allclose(found, scores_by_liblinear(given_problem, 3.0, loss), atol=TO_THE_OPTIMUM)


@EACH_LOSS
def test_many_columns_of_many_rows_go_the_dense_way_to_the_same_scores(
    loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_problem = problem(11, n=60, n_features=2_000, n_columns=MANY_PROBLEMS)
    (dense,) = scores_at(given_problem, 3.0, loss=loss)
    monkeypatch.setattr(solver, "DENSE_ROWS", 0)
    (many,) = scores_at(given_problem, 3.0, loss=loss)
    assert dense.tolist() == many.tolist()
    monkeypatch.setattr(solver, "MANY_PROBLEMS", MANY_PROBLEMS + 1)
    (products,) = scores_at(given_problem, 3.0, loss=loss)
    assert dense.tolist() != products.tolist()
    np.testing.assert_allclose(dense, products, rtol=0, atol=TO_THE_OPTIMUM)


@EACH_LOSS
@WAYS
@pytest.mark.parametrize("C", [1e4, 1e6])
def test_a_large_strength_costs_no_exactness(
    loss: str, C: float, dense_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solver, "DENSE_ROWS", dense_rows)
    (found,) = scores_at(problem(1), C, loss=loss)
    monkeypatch.setattr(solver, "MAX_ERROR", 1e-9)
    monkeypatch.setattr(solver, "TOLERANCE", 1e-13)
    np.testing.assert_allclose(found, scores_at(problem(1), C, loss=loss)[0], rtol=0, atol=TO_THE_OPTIMUM)


@EACH_LOSS
def test_what_is_not_found_in_time_is_told(loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "_MAX_NEWTON", 2)
    with pytest.warns(RuntimeWarning, match="try a smaller C"):
        scores_at(problem(1), 10.0, loss=loss)


THREADS = """
import numpy as np
from tests.learn.test_solver import problem, scores_at
given_problem = problem(1, n=500, n_features=900, n_columns=4)
for loss in ("squared_hinge", "logistic"):
    print(float(scores_at(given_problem, 3.0, loss=loss)[0].sum()).hex())
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


@EACH_LOSS
@WAYS
@pytest.mark.parametrize("seed", range(3))
def test_gradient_is_zero_at_what_is_found(
    loss: str, seed: int, dense_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solver, "DENSE_ROWS", dense_rows)
    monkeypatch.setattr(solver, "_DUAL_TOLERANCE", 1e-9)
    features, target, weight = problem(seed)
    ((coefficients, intercepts),) = fit_linear(features, target, weight, [5.0], loss=loss)
    residual = 5.0 * weight * slope(features @ coefficients + intercepts, target, loss)
    np.testing.assert_allclose(coefficients + features.T @ residual, 0, atol=1e-3)
    np.testing.assert_allclose(intercepts + residual.sum(axis=0), 0, atol=1e-3)


@EACH_LOSS
@pytest.mark.parametrize("Cs", [(0.1, 1.0, 50.0), (50.0, 0.1, 1.0), (1.0, 1.0), (300.0, 0.001)])
def test_a_grid_of_strengths_equals_each_alone_in_the_order_asked(loss: str, Cs: tuple[float, ...]) -> None:
    given_problem = problem(3)
    for found, C in zip(scores_at(given_problem, *Cs, loss=loss), Cs, strict=True):
        np.testing.assert_allclose(found, scores_at(given_problem, C, loss=loss)[0], rtol=0, atol=TO_THE_OPTIMUM)
        np.testing.assert_allclose(found, scores_by_liblinear(given_problem, C, loss), rtol=0, atol=TO_THE_OPTIMUM)


@EACH_LOSS
def test_strength_and_weight_multiply(loss: str) -> None:
    features, target, weight = problem(4)
    by_strength, by_weight = (
        scores_at((features, target, weight), 20.0, loss=loss),
        scores_at((features, target, 20 * weight), 1, loss=loss),
    )
    np.testing.assert_allclose(by_strength[0], by_weight[0], rtol=0, atol=TO_THE_OPTIMUM)


@EACH_LOSS
@WAYS
def test_a_row_of_weight_zero_counts_nowhere(loss: str, dense_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "DENSE_ROWS", dense_rows)
    features, target, weight = problem(5)
    weight[10:20] = 0
    kept = np.r_[0:10, 20:40]
    ((coefficients, intercepts),) = fit_linear(features, target, weight, [10.0], loss=loss)
    (contradicted,) = scores_at((features, target ^ (weight == 0), weight), 10.0, loss=loss)
    ((without, intercepts_without),) = fit_linear(features[kept], target[kept], weight[kept], [10.0], loss=loss)
    np.testing.assert_allclose(contradicted, features @ coefficients + intercepts, rtol=0, atol=1e-12)
    np.testing.assert_allclose(without, coefficients, rtol=0, atol=TO_THE_OPTIMUM)
    np.testing.assert_allclose(intercepts_without, intercepts, rtol=0, atol=TO_THE_OPTIMUM)


@EACH_LOSS
@WAYS
def test_a_row_of_weight_two_counts_as_two_rows(loss: str, dense_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "DENSE_ROWS", dense_rows)
    features, target, _ = problem(6)
    weight, rows = np.ones(target.shape), np.r_[0:40, 0:15]
    doubled = np.where(np.arange(40) < 15, 2.0, 1.0)[:, None] * weight
    (once,) = scores_at((features, target, doubled), 10.0, loss=loss)
    (twice,) = scores_at((features[rows], target[rows], weight[rows]), 10.0, loss=loss)
    np.testing.assert_allclose(once[rows], twice, rtol=0, atol=TO_THE_OPTIMUM)


@EACH_LOSS
@WAYS
@pytest.mark.parametrize("at_once", [1, 2, 32])
def test_columns_at_once_equal_columns_one_by_one(
    loss: str, at_once: int, dense_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solver, "DENSE_ROWS", dense_rows)
    monkeypatch.setattr(solver, "_COLUMNS", at_once)
    features, target, weight = problem(7, n_columns=5)
    weight *= np.array([0.001, 0.01, 0.1, 1, 10])  # of all strengths, so that some are done before others
    together = scores_at((features, target, weight), 1.0, 10.0, loss=loss)
    singly = [scores_at((features, target[:, [n]], weight[:, [n]]), 1.0, 10.0, loss=loss) for n in range(5)]
    for found, alone in zip(together, zip(*singly, strict=True), strict=True):
        np.testing.assert_allclose(found, np.hstack(alone), rtol=0, atol=TO_THE_OPTIMUM)


@EACH_LOSS
def test_a_column_beside_its_opposite_gets_the_opposite_scores(loss: str) -> None:
    features, target, weight = problem(8, n_columns=1)
    (found,) = scores_at((features, np.hstack([target, ~target]), np.hstack([weight, weight])), 10.0, loss=loss)
    np.testing.assert_allclose(found[:, 0], -found[:, 1], rtol=0, atol=TO_THE_OPTIMUM)


@EACH_LOSS
def test_the_same_problem_gives_the_same_bits(loss: str) -> None:
    given_problem = problem(9)
    first, second = (scores_at(given_problem, 1.0, 30.0, loss=loss) for _ in range(2))
    assert [scores.tolist() for scores in first] == [scores.tolist() for scores in second]


@EACH_LOSS
@WAYS
@pytest.mark.parametrize("n_rows", [0, 40])
def test_no_columns_have_no_weights(loss: str, n_rows: int, dense_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "DENSE_ROWS", dense_rows)
    features, target, weight = problem(10)
    found = fit_linear(features[:n_rows], target[:n_rows, :0], weight[:n_rows, :0], [1.0, 2.0], loss=loss)
    assert [(coefficients.shape, intercepts.shape) for coefficients, intercepts in found] == [((120, 0), (0,))] * 2


def of_constant(score: float, loss: str) -> float:
    """The slopes of three positives and a negative of this score, summed."""
    return float(slope(np.full(4, score), np.array([True, True, True, False]), loss).sum())


@EACH_LOSS
@WAYS
def test_rows_without_a_feature_leave_the_intercept_alone(
    loss: str, dense_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solver, "DENSE_ROWS", dense_rows)
    monkeypatch.setattr(solver, "_DUAL_TOLERANCE", 1e-9)
    # 3 of 4 positive: the least of b² / 2 + C Σ loss is where the derivative, b + C Σ slope, is 0
    expected = [optimize.brentq(lambda b, C=C: b + C * of_constant(b, loss), 0, 2, xtol=1e-12) for C in (1, 5)]
    target = np.array([[True], [True], [True], [False]])
    found = fit_linear(sparse.csr_array((4, 2)), target, np.ones((4, 1)), [1.0, 5.0], loss=loss)
    assert not any(coefficients.any() for coefficients, _ in found)
    assert [float(intercepts[0]) for _, intercepts in found] == pytest.approx(expected, abs=1e-5)
