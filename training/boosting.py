"""Boosted trees of scikit-learn, copied into the plain arrays that the package reads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.trees import Trees

TREES = 150
"""Trees of a decision."""


def learn_trees(
    rows: NDArray[np.float32], positive: NDArray[np.bool_], weight: NDArray[np.float32], seed: int,
    trees: int = TREES,
) -> Trees:  # fmt: skip
    """Boosted trees over columns of evidence."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=trees, learning_rate=0.08, max_leaf_nodes=16, min_samples_leaf=25, l2_regularization=1.0,
        max_features=0.3, early_stopping=False, random_state=seed,
    )  # fmt: skip
    model.fit(rows, positive.astype(np.int64), sample_weight=weight)
    return trees_of(model)


def trees_of(learner: Any, score: int = 0) -> Trees:
    """Copy one score's trees of a fitted ``HistGradientBoostingClassifier``: a binary one has one, others one a class.

    Thresholds are rounded down to float32, which decides every float32 value as the original does.
    """
    feature, threshold, left, right, roots = [], [], [], [], []
    at = 0
    for trees in learner._predictors:
        nodes = trees[score].nodes
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
    return Trees(
        np.concatenate(feature), np.concatenate(threshold), np.concatenate(left), np.concatenate(right),
        np.array(roots, np.int32), float(learner._baseline_prediction.ravel()[score]),
    )  # fmt: skip


def together(first: Trees, second: Trees) -> Trees:
    """Trees whose sum is that of both, by turns: what both find hopeless is left early."""
    nodes = np.int32(len(first.feature))
    roots = np.stack([first.roots, second.roots + nodes], axis=1).ravel()

    def joined(part: str, moved: np.int32 | None = None) -> Any:
        more = getattr(second, part)
        return np.concatenate([getattr(first, part), more if moved is None else more + moved])

    return Trees(
        joined("feature"), joined("threshold"), joined("left", nodes), joined("right", nodes), roots,
        first.baseline + second.baseline,
    )  # fmt: skip
