"""Calibration: from the scores of a linear model to probabilities that mean what they say.

Scores of documents that the model did not see are regressed on what the documents were labelled: temperature
scaling (Guo et al. 2017) with a shift of each topic where one topic leads, Platt's sigmoid (1999) where each topic
stands for itself. Both are linear in the scores, so they fold into the model's weights and cost nothing afterwards.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]


def fit_temperature(
    scores: Floats, labels: NDArray[np.int64], *, weight: Floats | None = None
) -> tuple[float, Floats]:
    """Fit ``softmax(slope * scores + shift)`` to labels: few parameters, for few documents.

    Parameters
    ----------
    scores : float array, shape (documents, topics)
        Of documents that the model was not trained on.
    labels : int array, length documents
    weight : float array, length documents, optional

    Returns
    -------
    slope : float
        One for all topics (temperature scaling: Guo et al. 2017).
    shift : float array, length topics
        Held near 0 by a penalty as strong as one document.
    """
    rows = np.arange(len(labels))
    each = np.ones(len(labels)) if weight is None else weight

    def loss(parameters: Floats) -> tuple[float, Floats]:
        slope, shift = np.exp(parameters[0]), parameters[1:]
        likely = log_softmax(slope * scores + shift, axis=1)
        gap = np.exp(likely)
        gap[rows, labels] -= 1
        gap *= each[:, None]
        value = -(each * likely[rows, labels]).sum() + 0.5 * (shift**2).sum()
        return float(value), np.concatenate([[slope * (gap * scores).sum()], gap.sum(axis=0) + shift])

    found = minimize(loss, np.zeros(scores.shape[1] + 1), jac=True, method="L-BFGS-B")
    return float(np.exp(found.x[0])), np.asarray(found.x[1:])


def fit_sigmoids(
    scores: Floats, member: NDArray[np.bool_], *, weight: Floats | None = None, strength: float = 1.0
) -> Floats:
    """Fit ``sigmoid(slope * score + intercept)`` to each topic's membership.

    Parameters
    ----------
    scores : float array, shape (documents, topics)
    member : bool array, shape (documents, topics)
    weight : float array, length documents, optional
    strength : float, default 1.0
        Inverse of the L2 penalty on the slope.

    Returns
    -------
    float array, shape (topics, 2)
        Slopes and intercepts. A topic that is always or never there gets slope 0.
    """
    fitted = np.zeros((scores.shape[1], 2))
    for topic in range(scores.shape[1]):
        labels = member[:, topic]
        if labels.all() or not labels.any():
            fitted[topic, 1] = 20.0 if labels.all() and len(labels) else -20.0
            continue
        regression = LogisticRegression(C=strength, max_iter=2000)
        regression.fit(scores[:, [topic]], labels, sample_weight=weight)
        # a negative slope would turn the order of documents round; it only arises from too few examples
        fitted[topic] = max(0.0, regression.coef_[0, 0]), regression.intercept_[0]
    return fitted
