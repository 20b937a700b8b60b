"""Boosted trees of scikit-learn, copied into the plain arrays that the package reads."""

from __future__ import annotations

from typing import Any

import numpy as np

from toolkit.trees import Trees


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
