"""Features and targets to L2 logistic regressions, one a column: all at once on few rows, one by one on many."""

from typing import Any

import numpy as np
from scipy import sparse

from classify.measure.arrays import BoolArray, FloatArray
from classify.measure.calibration import sigmoid

KERNEL_ROWS = 600
"""Up to here the rows' products are a small dense matrix, and solving by it is 3 to 5 times faster."""
TOLERANCE = 1e-6
_MAX_NEWTON = 50
_MAX_CG = 200


def fit_logistic(features: Any, target: BoolArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Coefficients, shape (n_features, n_problems), and intercepts, shape (n_problems,).

    `features` is a scipy CSR array of shape (n_rows, n_features), `target` and `weight` (n_rows, n_problems).
    Each column minimises ½(|w|² + b²) + Σ weight · log(1 + exp(-y (x·w + b))), y = ±1: the penalty covers the
    intercept, as in LIBLINEAR (Fan et al. 2008). A row of weight 0 counts nowhere. Both ways find that one minimum to
    about 1e-5 in the scores.
    """
    if features.shape[0] <= KERNEL_ROWS:
        kernel = (features @ features.T).toarray() + 1
        dual, is_solved = _newton(kernel, target.astype(np.float64), weight)
        if is_solved:
            return np.asarray(features.T @ dual), dual.sum(axis=0)
    return _liblinear(features, target, weight)


def _newton(kernel: FloatArray, target: FloatArray, weight: FloatArray) -> tuple[FloatArray, bool]:
    """Minimise ½ a'Ka + Σ weight · log-loss(Ka) a column; the a, and whether all columns converged.

    Newton's method (Keerthi et al. 2005) with the steps of all columns solved together by conjugate gradients, so that
    the work is products of dense matrices.
    """
    a = np.zeros_like(weight)
    scores = np.zeros_like(weight)
    largest = weight.max(axis=0, initial=0.0)
    for _ in range(_MAX_NEWTON):
        p = sigmoid(scores)
        gradient = a + weight * (p - target)
        error = np.abs(gradient).max(axis=0) / largest
        open_ = np.flatnonzero(error > TOLERANCE)
        if not len(open_):
            return a, True
        gradient = gradient[:, open_]
        root = np.sqrt(weight[:, open_] * (p * (1 - p))[:, open_])
        step = root * _conjugate_gradients(kernel, root, root * (kernel @ gradient), error[open_]) - gradient
        change = kernel @ step
        size = _halved(a[:, open_], scores[:, open_], step, change, target[:, open_], weight[:, open_])
        a[:, open_] += size * step
        scores[:, open_] += size * change
    return a, False


def _conjugate_gradients(kernel: FloatArray, root: FloatArray, wanted: FloatArray, error: FloatArray) -> FloatArray:
    """X of (I + SKS) x = wanted a column, S the diagonal `root`; the nearer the minimum, the more exactly."""
    x, residual = np.zeros_like(wanted), wanted.copy()
    direction, square = residual.copy(), (residual**2).sum(axis=0)
    enough = square * np.minimum(0.1, error) ** 2 * 0.01
    for _ in range(_MAX_CG):
        product = direction + root * (kernel @ (root * direction))
        length = square / np.maximum((direction * product).sum(axis=0), 1e-300)
        x += length * direction
        residual -= length * product
        new_square = (residual**2).sum(axis=0)
        if (new_square <= enough).all():
            break
        direction = residual + new_square / np.maximum(square, 1e-300) * direction
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
        worse = objective(size) > start + 1e-12 * np.abs(start)
        if not worse.any():
            break
        size[worse] /= 2
    return size


def _liblinear(features: Any, target: BoolArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    from sklearn import config_context
    from sklearn.linear_model import LogisticRegression

    features = sparse.csr_array(features)
    features.indices, features.indptr = features.indices.astype(np.int32), features.indptr.astype(np.int32)
    coefficients, intercepts = np.zeros((features.shape[1], target.shape[1])), np.zeros(target.shape[1])
    # the dual: rows are fewer than features; a seed a problem, because its order of rows is drawn
    model = LogisticRegression(solver="liblinear", dual=True, tol=TOLERANCE * 10, max_iter=10_000, random_state=0)
    with config_context(assume_finite=True, skip_parameter_validation=True):
        for column in range(target.shape[1]):
            used = weight[:, column] > 0
            rows = features if used.all() else features[np.flatnonzero(used)]
            model.fit(rows, target[used, column], sample_weight=weight[used, column])
            coefficients[:, column], intercepts[column] = model.coef_[0], model.intercept_[0]
    return coefficients, intercepts
