"""Features and targets to linear models with an L2 penalty, one a column, for one C or a grid of them."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from classify.measure.arrays import BoolArray, FloatArray
from classify.measure.calibration import sigmoid

SQUARED_HINGE, LOGISTIC = "squared_hinge", "logistic"
DENSE_ROWS = 600
"""Up to so many rows the products of all rows with each other are kept as a dense matrix, which is faster."""
MANY_PROBLEMS = 16
"""For so many columns and C together also beyond, while it has at most two cells for a non-zero of the features."""
TOLERANCE = 1e-7
"""How long a column's gradient may be in the end, relative to the one at a = 0."""
MAX_ERROR = 1e-5
"""And in all: no smaller than the error in (w, b), since the objective's curvature is 1 or more."""
_LOOSE = 1e-2
"""The tolerance on the way to a large C."""
_FORCING = (0.01, 0.1)
"""How exact a Newton step is, relative to the gradient: the nearer the minimum, the more, within these bounds."""
_DUAL_TOLERANCE = 1e-6
_MAX_SWEEPS = 100_000
_MAX_NEWTON = 100
_MAX_CG = 500
_COLUMNS = 32
"""Columns that are solved together: enough to share the reading of the features, few enough for any memory."""
_STEP = 10.0


@dataclass(frozen=True)
class Loss:
    """A loss of scores for targets of 0 and 1: its values, its first and its second derivative, elementwise."""

    values: Callable[[FloatArray, FloatArray], FloatArray]
    slope: Callable[[FloatArray, FloatArray], FloatArray]
    curvature: Callable[[FloatArray, FloatArray], FloatArray]


def _shortfall(scores: FloatArray, target: FloatArray) -> FloatArray:
    """By how much y·score falls short of 1, where it does."""
    return np.maximum(0, 1 - (2 * target - 1) * scores)


def _logistic_curvature(scores: FloatArray, _target: FloatArray) -> FloatArray:
    p: FloatArray = sigmoid(scores)
    return np.asarray(p * (1 - p))


LOSSES: Mapping[str, Loss] = {
    SQUARED_HINGE: Loss(
        values=lambda scores, target: _shortfall(scores, target) ** 2,
        slope=lambda scores, target: -2 * (2 * target - 1) * _shortfall(scores, target),
        curvature=lambda scores, target: np.where(_shortfall(scores, target) > 0, 2.0, 0.0),
    ),
    LOGISTIC: Loss(
        values=lambda scores, target: np.logaddexp(0, scores) - target * scores,
        slope=lambda scores, target: sigmoid(scores) - target,
        curvature=_logistic_curvature,
    ),
}
"""`squared_hinge`: max(0, 1 - y·score)², of a linear support vector machine; `logistic`: log(1 + exp(-y·score))."""


def fit_linear(
    features: Any, target: BoolArray, weight: FloatArray, Cs: Sequence[float], *, loss: str
) -> list[tuple[FloatArray, FloatArray]]:
    """For each C coefficients, shape (n_features, n_problems), and intercepts, shape (n_problems,).

    `features` is a scipy CSR array of shape (n_rows, n_features), `target` and `weight` have shape (n_rows,
    n_problems), `loss` is one of LOSSES. Each column minimises ½(|w|² + b²) + C · Σ weight · loss(x·w + b): the penalty
    covers the intercept, as in LIBLINEAR (Fan et al. 2008). A row of weight 0 counts nowhere.

    With w = X'a and K = XX' + 1 that is ½ a'Ka + C · Σ weight · loss(Ka): Newton's method in a (Keerthi & DeCoste 2005;
    Chapelle 2007), its steps by conjugate gradients, so that the work is products with X that all columns share. A
    large C is reached by way of smaller ones, each starting from the last, so that a grid of C costs little more than
    its largest.
    """
    n_rows, is_many = len(target), target.shape[1] * len(Cs) >= MANY_PROBLEMS
    is_dense = n_rows <= DENSE_ROWS or (is_many and n_rows**2 <= 2 * features.nnz)
    if loss == SQUARED_HINGE and not is_dense:
        return [_liblinear(features, target, weight, C) for C in Cs]
    duals: dict[float, list[FloatArray]] = {C: [] for C in Cs}
    with threadpool_limits(1, user_api="blas"):  # else the last bits depend on the number of cores
        problem = _Problem(_Kernel(features, is_dense=is_dense), LOSSES[loss])
        for first in range(0, target.shape[1], _COLUMNS):
            columns = slice(first, first + _COLUMNS)
            for C, dual in _solve(problem, target[:, columns].astype(np.float64), weight[:, columns], Cs).items():
                duals[C].append(dual)
    joined = [np.hstack(duals[C]) if duals[C] else np.zeros((len(target), 0)) for C in Cs]
    return [(np.asarray(features.T @ dual), dual.sum(axis=0)) for dual in joined]


def _liblinear(features: Any, target: BoolArray, weight: FloatArray, C: float) -> tuple[FloatArray, FloatArray]:
    """The same by dual coordinate descent (Hsieh et al. 2008), a column at a time.

    With many rows and a squared hinge few rows matter, which it finds out and Newton's method does not.
    """
    from sklearn.svm import LinearSVC

    coefficients, intercepts = np.zeros((features.shape[1], target.shape[1])), np.zeros(target.shape[1])
    for column in range(target.shape[1]):
        model = LinearSVC(C=C, dual=True, tol=_DUAL_TOLERANCE, random_state=0, max_iter=_MAX_SWEEPS)
        model.fit(features, target[:, column], sample_weight=weight[:, column])
        coefficients[:, column], intercepts[column] = model.coef_[0], model.intercept_[0]
    return coefficients, intercepts


class _Kernel:
    """K = XX' + 1, as a matrix of its own or by products with X."""

    def __init__(self, features: Any, *, is_dense: bool) -> None:
        self._features, self._transposed = features, sparse.csr_array(features.T)
        self._dense = (features @ self._transposed).toarray() + 1 if is_dense else None

    def __matmul__(self, columns: FloatArray) -> FloatArray:
        if self._dense is not None:
            return np.asarray(self._dense @ columns)
        return np.asarray(self._features @ (self._transposed @ columns) + columns.sum(axis=0))


@dataclass(frozen=True)
class _Problem:
    kernel: _Kernel
    loss: Loss


def _solve(problem: _Problem, target: FloatArray, weight: FloatArray, Cs: Sequence[float]) -> dict[float, FloatArray]:
    """The a of every column for each C, by way of ever larger C."""
    a = scores = np.zeros_like(weight)
    found = {}
    C = 1 / weight.max(initial=1.0)
    for wanted in sorted(set(Cs)):
        while wanted > _STEP * C:
            C = _STEP * C
            a, scores = _newton(problem, target, C * weight, a, scores, _LOOSE, np.inf)
        C = wanted
        a, scores = _newton(problem, target, C * weight, a, scores, TOLERANCE, MAX_ERROR)
        found[wanted] = a
    return found


def _newton(
    problem: _Problem,
    target: FloatArray,
    weight: FloatArray,
    a: FloatArray,
    scores: FloatArray,
    tolerance: float,
    max_error: float,
) -> tuple[FloatArray, FloatArray]:
    """The a of every column and the scores Ka, from a start; columns that are done drop out."""
    a, scores = a.copy(), scores.copy()
    kernel, loss = problem.kernel, problem.loss
    scale = np.linalg.norm(weight * loss.slope(np.zeros_like(target), target), axis=0)  # of the gradient at a = 0
    enough = np.minimum(tolerance * scale, max_error)
    for _ in range(_MAX_NEWTON):
        gradient = a + weight * loss.slope(scores, target)
        K_gradient = kernel @ gradient
        length = np.sqrt(np.maximum((gradient * K_gradient).sum(axis=0), 0))  # of the gradient in w
        open_ = np.flatnonzero(~(length <= enough))
        if not len(open_):
            return a, scores
        curvature = weight[:, open_] * loss.curvature(scores[:, open_], target[:, open_])
        error = length[open_] / scale[open_]
        step, change = _newton_step(kernel, curvature, gradient[:, open_], K_gradient[:, open_], error)
        size = _halved(loss, a[:, open_], scores[:, open_], step, change, target[:, open_], weight[:, open_])
        a[:, open_] += size * step
        scores[:, open_] += size * change
    warnings.warn("no optimum found in 100 steps, so weights may be off; try a smaller C", RuntimeWarning, stacklevel=2)
    return a, scores


def _newton_step(
    kernel: _Kernel, curvature: FloatArray, gradient: FloatArray, K_gradient: FloatArray, error: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The s of (I + DK) s = -gradient a column, D the diagonal `curvature`, and Ks.

    By conjugate gradients under the inner product u'Kv, in which I + DK is symmetric: that is the truncated Newton
    step for w, which goes downhill however early it is cut off. K times each vector is carried along, so an iteration
    costs one product.
    """
    residual, K_residual = direction, K_direction = -gradient, -K_gradient
    step, K_step = np.zeros_like(residual), np.zeros_like(residual)
    square = (residual * K_residual).sum(axis=0)
    enough, lost = square * np.clip(error, *_FORCING) ** 2, 1e-12 * square
    for _ in range(_MAX_CG):
        image = direction + curvature * K_direction
        K_image = kernel @ image
        length = np.where(square > lost, square / np.maximum((K_direction * image).sum(axis=0), 1e-300), 0.0)
        step, K_step = step + length * direction, K_step + length * K_direction
        residual, K_residual = residual - length * image, K_residual - length * K_image
        new_square = (residual * K_residual).sum(axis=0)
        if (new_square <= enough).all():
            break
        ratio = np.where(square > lost, new_square / np.maximum(square, 1e-300), 0.0)
        direction, K_direction = residual + ratio * direction, K_residual + ratio * K_direction
        square = new_square
    return step, K_step


def _halved(
    loss: Loss,
    a: FloatArray,
    scores: FloatArray,
    step: FloatArray,
    change: FloatArray,
    target: FloatArray,
    weight: FloatArray,
) -> FloatArray:
    """How far to go along each column's step so that the objective does not rise, shape (n_columns,)."""

    def objective(size: FloatArray) -> FloatArray:
        found = scores + size * change
        losses = weight * loss.values(found, target)
        return np.asarray(((a + size * step) * found).sum(axis=0) / 2 + losses.sum(axis=0))

    start = objective(np.zeros(a.shape[1]))
    size = np.ones(a.shape[1])
    for _ in range(30):
        worse = objective(size) > start + 1e-10 * np.abs(start)  # not for rounding alone
        if not worse.any():
            break
        size[worse] /= 2
    return size
