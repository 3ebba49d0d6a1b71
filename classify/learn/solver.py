"""Features and targets to L2 logistic regressions, one a column, for one C or a grid of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from classify.measure.arrays import BoolArray, FloatArray
from classify.measure.calibration import sigmoid

DENSE_ROWS = 600
"""Up to here the products of all rows with each other are kept as a dense matrix, which is faster."""
TOLERANCE = 1e-7
GRID_TOLERANCE = 1e-5
"""A grid is there to choose from, for which scores right to 1e-3 do: a third less work."""
_LOOSE = 1e-2
_MAX_NEWTON = 100
_MAX_CG = 500
_COLUMNS = 32
"""Columns that are solved together: enough to share the reading of the features, few enough for any memory."""
_STEP = 10.0


def fit_logistic(
    features: Any, target: BoolArray, weight: FloatArray, Cs: Sequence[float]
) -> list[tuple[FloatArray, FloatArray]]:
    """For each C coefficients, shape (n_features, n_problems), and intercepts, shape (n_problems,).

    `features` is a scipy CSR array of shape (n_rows, n_features), `target` and `weight` have shape (n_rows,
    n_problems). Each column minimises ½(|w|² + b²) + C · Σ weight · log(1 + exp(-y (x·w + b))), y = ±1: the penalty
    covers the intercept, as in LIBLINEAR (Fan et al. 2008), whose optimum is found to about 1e-4 or better in the
    scores. A row of weight 0 counts nowhere.

    With w = X'a and K = XX' + 1 that is ½ a'Ka + C · Σ weight · log-loss(Ka): Newton's method in a (Keerthi et al.
    2005), its steps by conjugate gradients, so that the work is products with X that all columns share. A large C is
    reached by way of smaller ones, each starting from the last: without that Newton's method may not get there, and a
    grid of C costs little more than its largest. Beyond 600 rows and for a single C LIBLINEAR itself is faster.
    """
    if len(Cs) == 1 and features.shape[0] > DENSE_ROWS:
        return [_liblinear(features, target, Cs[0] * weight)]
    kernel = _Kernel(features)
    duals: dict[float, list[FloatArray]] = {C: [] for C in Cs}
    for first in range(0, target.shape[1], _COLUMNS):
        columns = slice(first, first + _COLUMNS)
        for C, dual in _solve(kernel, target[:, columns].astype(np.float64), weight[:, columns], Cs).items():
            duals[C].append(dual)
    joined = [np.hstack(duals[C]) if duals[C] else np.zeros((len(target), 0)) for C in Cs]
    return [(np.asarray(features.T @ dual), dual.sum(axis=0)) for dual in joined]


class _Kernel:
    """K = XX' + 1, as a matrix of its own or by products with X."""

    def __init__(self, features: Any) -> None:
        self._features, self._transposed = features, sparse.csr_array(features.T)
        self._dense = (features @ self._transposed).toarray() + 1 if features.shape[0] <= DENSE_ROWS else None
        self.diagonal = np.asarray(features.multiply(features).sum(axis=1))[:, None] + 1

    def __matmul__(self, columns: FloatArray) -> FloatArray:
        if self._dense is not None:
            return np.asarray(self._dense @ columns)
        return np.asarray(self._features @ (self._transposed @ columns) + columns.sum(axis=0))


def _liblinear(features: Any, target: BoolArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    from sklearn import config_context
    from sklearn.linear_model import LogisticRegression

    features = sparse.csr_array(features)
    features.indices, features.indptr = features.indices.astype(np.int32), features.indptr.astype(np.int32)
    coefficients, intercepts = np.zeros((features.shape[1], target.shape[1])), np.zeros(target.shape[1])
    # the dual: rows are fewer than features; seeded anew for each problem, because the order of its rows is drawn
    model = LogisticRegression(solver="liblinear", dual=True, tol=1e-4, max_iter=10_000, random_state=0)
    with config_context(assume_finite=True, skip_parameter_validation=True):
        for column in range(target.shape[1]):
            used = np.flatnonzero(weight[:, column])
            rows = features if len(used) == features.shape[0] else features[used]
            model.fit(rows, target[used, column], sample_weight=weight[used, column])
            coefficients[:, column], intercepts[column] = model.coef_[0], model.intercept_[0]
    return coefficients, intercepts


def _solve(kernel: _Kernel, target: FloatArray, weight: FloatArray, Cs: Sequence[float]) -> dict[float, FloatArray]:
    """The a of every column for each C, by way of ever larger C."""
    a = scores = np.zeros_like(weight)
    found = {}
    tolerance = TOLERANCE if len(Cs) == 1 else GRID_TOLERANCE
    C = 1 / weight.max(initial=1.0)
    for wanted in sorted(set(Cs)):
        while wanted > _STEP * C:
            C = _STEP * C
            a, scores = _newton(kernel, target, C * weight, a, scores, _LOOSE)
        C = wanted
        a, scores = _newton(kernel, target, C * weight, a, scores, tolerance)
        found[wanted] = a
    return found


def _newton(
    kernel: _Kernel, target: FloatArray, weight: FloatArray, a: FloatArray, scores: FloatArray, tolerance: float
) -> tuple[FloatArray, FloatArray]:
    """The a of every column and the scores Ka, from a start; columns that are done drop out."""
    a, scores = a.copy(), scores.copy()
    largest = weight.max(axis=0, initial=1e-300)
    for _ in range(_MAX_NEWTON):
        p = sigmoid(scores)
        gradient = a + weight * (p - target)
        error = np.abs(gradient).max(axis=0) / largest
        open_ = np.flatnonzero(error > tolerance)
        if not len(open_):
            break
        gradient = gradient[:, open_]
        root = np.sqrt(weight[:, open_] * (p * (1 - p))[:, open_])
        step = root * _conjugate_gradients(kernel, root, root * (kernel @ gradient), error[open_]) - gradient
        change = kernel @ step
        size = _halved(a[:, open_], scores[:, open_], step, change, target[:, open_], weight[:, open_])
        a[:, open_] += size * step
        scores[:, open_] += size * change
    return a, scores


def _conjugate_gradients(kernel: _Kernel, root: FloatArray, wanted: FloatArray, error: FloatArray) -> FloatArray:
    """X of (I + SKS) x = wanted a column, S the diagonal `root`; the nearer the minimum, the more exactly."""
    inverse = 1 / (1 + root**2 * kernel.diagonal)
    x, residual = np.zeros_like(wanted), wanted.copy()
    direction = inverse * residual
    square = (residual * direction).sum(axis=0)
    enough = square * np.minimum(0.1, error) ** 2 * 0.01
    for _ in range(_MAX_CG):
        product = direction + root * (kernel @ (root * direction))
        length = square / np.maximum((direction * product).sum(axis=0), 1e-300)
        x += length * direction
        residual -= length * product
        scaled = inverse * residual
        new_square = (residual * scaled).sum(axis=0)
        if (new_square <= enough).all():
            break
        direction = scaled + new_square / np.maximum(square, 1e-300) * direction
        square = new_square
    return x


def _halved(
    a: FloatArray, scores: FloatArray, step: FloatArray, change: FloatArray, target: FloatArray, weight: FloatArray
) -> FloatArray:
    """How far to go along each column's step so that the objective does not rise, shape (n_columns,)."""

    def objective(size: FloatArray) -> FloatArray:
        found = scores + size * change
        loss = weight * (np.logaddexp(0, found) - target * found)
        return np.asarray(((a + size * step) * found).sum(axis=0) / 2 + loss.sum(axis=0))

    start = objective(np.zeros(a.shape[1]))
    size = np.ones(a.shape[1])
    for _ in range(30):
        worse = objective(size) > start + 1e-10 * np.abs(start)  # not for rounding alone
        if not worse.any():
            break
        size[worse] /= 2
    return size
