"""Boosted trees as plain arrays: made from a fitted scikit-learn model, read by a numba kernel."""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

FIRST = 30
"""Trees after which hopeless rows are left."""


@dataclass(frozen=True)
class Trees:
    """A sum of regression trees.

    Attributes
    ----------
    feature : ndarray of int16, shape (n_nodes,)
        Column tested at a node; -1 at a leaf.
    threshold : ndarray of float32, shape (n_nodes,)
        Rows with a value at most this go left; at a leaf, the leaf's value.
    left, right : ndarray of int32, shape (n_nodes,)
        Index of the next node.
    roots : ndarray of int32, shape (n_trees,)
    baseline : float
        Added to the sum.
    """

    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    roots: NDArray[np.int32]
    baseline: float

    @classmethod
    def of(cls, model: Any) -> Trees:
        """Copy the trees of a fitted binary ``HistGradientBoostingClassifier``.

        Thresholds are rounded down to float32, which decides every float32 value as the original does.
        """
        feature, threshold, left, right, roots = [], [], [], [], []
        at = 0
        for (tree,) in model._predictors:
            nodes = tree.nodes
            leaf = nodes["is_leaf"].astype(bool)
            down = nodes["num_threshold"].astype(np.float32)
            above = down.astype(np.float64) > nodes["num_threshold"]
            down[above] = np.nextafter(down[above], np.float32(-np.inf))
            feature.append(np.where(leaf, -1, nodes["feature_idx"]).astype(np.int16))
            threshold.append(np.where(leaf, nodes["value"].astype(np.float32), down))
            left.append((nodes["left"].astype(np.int64) + at).astype(np.int32))
            right.append((nodes["right"].astype(np.int64) + at).astype(np.int32))
            roots.append(at)
            at += len(nodes)
        return cls(
            np.concatenate(feature),
            np.concatenate(threshold).astype(np.float32),
            np.concatenate(left),
            np.concatenate(right),
            np.array(roots, np.int32),
            float(model._baseline_prediction.ravel()[0]),
        )

    def check(self, columns: int) -> None:
        """Raise ValueError unless every path stays inside the arrays and ends."""
        n = len(self.feature)
        inner = self.feature >= 0
        nodes = np.arange(n)
        sound = (
            n == len(self.threshold) == len(self.left) == len(self.right)
            and np.all(self.feature < columns)
            and np.all((self.left[inner] > nodes[inner]) & (self.left[inner] < n))
            and np.all((self.right[inner] > nodes[inner]) & (self.right[inner] < n))
            and np.all((self.roots >= 0) & (self.roots < n))
            and np.all(np.isfinite(self.threshold))
        )
        if not sound:
            msg = "the trees point outside themselves; the file was changed, take the one that was shipped"
            raise ValueError(msg)

    def predict(self, rows: NDArray[np.float32], stop: float = -np.inf) -> NDArray[np.float32]:
        """Sum of the trees' leaves for each row; shape (n_rows,).

        A row whose sum over the first :data:`FIRST` trees is below ``stop`` is not worth the others: it keeps
        that sum.
        """
        out = np.empty(len(rows), np.float32)
        nodes = np.empty((len(self.feature), 4), np.int32)  # a node on one line of the cache
        nodes[:, 0], nodes[:, 2], nodes[:, 3] = self.feature, self.left, self.right
        nodes[:, 1] = self.threshold.view(np.int32)
        _predict(
            nodes, nodes.view(np.float32), self.roots, np.float64(self.baseline), rows, np.float64(stop), out
        )
        return out


@njit(cache=True, nogil=True)
def _predict(nodes, values, roots, baseline, rows, stop, out):  # type: ignore[no-untyped-def]
    for i in range(len(rows)):
        row = rows[i]
        total = baseline
        for t in range(len(roots)):
            if t == FIRST and total < stop:
                break
            n = np.int64(roots[t])
            f = nodes[n, 0]
            while f >= 0:
                n = np.int64(nodes[n, 2] if row[f] <= values[n, 1] else nodes[n, 3])
                f = nodes[n, 0]
            total += np.float64(values[n, 1])
        out[i] = np.float32(total)
