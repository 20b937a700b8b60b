"""The learner of the n-gram weights: multinomial logistic regression by AdaGrad."""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def _epoch(indptr, indices, values, y, weight, order, rate, l2, weights, squares, bias, bias_squares):  # type: ignore[no-untyped-def]
    classes = weights.shape[1]
    z = np.empty(classes, np.float32)
    for i in order:
        for k in range(classes):
            z[k] = bias[k]
        for j in range(indptr[i], indptr[i + 1]):
            for k in range(classes):
                z[k] += weights[indices[j], k] * values[j]
        top = z.max()
        total = np.float32(0)
        for k in range(classes):
            z[k] = np.exp(z[k] - top)
            total += z[k]
        for k in range(classes):
            z[k] = (z[k] / total - (1.0 if k == y[i] else 0.0)) * weight[i]
            bias_squares[k] += z[k] * z[k]
            bias[k] -= np.float32(0.1) * z[k] / np.sqrt(bias_squares[k])
        for j in range(indptr[i], indptr[i + 1]):
            r = indices[j]
            for k in range(classes):
                g = z[k] * values[j] + l2 * weights[r, k]
                squares[r, k] += g * g
                weights[r, k] -= rate * g / np.sqrt(squares[r, k])


def fit_softmax(
    X: Any,
    y: NDArray[np.int64],
    weight: NDArray[np.float32],
    *,
    classes: int,
    epochs: int = 6,
    rate: float = 0.3,
    l2: float = 1e-5,
    seed: int = 0,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit multinomial logistic regression on sparse rows.

    AdaGrad [1]_ on single rows: on 36,747 segments of the gold in publisher-grouped cross-validation it
    reached an average precision of .78 in 10 s, where full-batch L-BFGS had .6 after 35 s.

    Parameters
    ----------
    X : csr_array of float32, shape (n, d)
    y : ndarray of int64, shape (n,)
        Classes, 0 to ``classes - 1``.
    weight : ndarray of float32, shape (n,)
    seed : int
        Order of the rows in each epoch.

    Returns
    -------
    weights : ndarray of float32, shape (d, classes)
    bias : ndarray of float32, shape (classes,)

    References
    ----------
    .. [1] Duchi, Hazan, Singer: Adaptive subgradient methods for online learning and stochastic
       optimization. JMLR 12 (2011).
    """
    start = np.float32(0.01)
    weights = np.zeros((X.shape[1], classes), np.float32)
    squares = np.full_like(weights, start)
    bias, bias_squares = np.zeros(classes, np.float32), np.full(classes, start, np.float32)
    random = np.random.default_rng(seed)
    for _ in range(epochs):
        _epoch(
            X.indptr, X.indices, X.data, y.astype(np.int64), weight.astype(np.float32),
            random.permutation(X.shape[0]), np.float32(rate), np.float32(l2), weights, squares, bias, bias_squares,
        )  # fmt: skip
    return weights, bias
