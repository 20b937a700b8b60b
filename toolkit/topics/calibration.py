"""Calibration: from the scores of a linear model to probabilities that mean what they say.

Scores of documents that the model did not see are regressed on what the documents were labelled: a
multinomial logistic regression where one topic leads (matrix scaling; with one slope where documents are few:
temperature scaling, Guo et al. 2017), Platt's sigmoid (1999) where each topic stands for itself. All are
linear in the scores, so they fold into the model's weights and cost nothing afterwards.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]


def fit_softmax(
    scores: Floats, labels: NDArray[np.int64], *, weight: Floats | None = None, strength: float = 1.0
) -> tuple[Floats, Floats]:
    """Fit ``softmax(scores @ matrix + shift)`` to labels.

    Parameters
    ----------
    scores : float array, shape (documents, topics)
        Of documents that the model was not trained on.
    labels : int array, length documents
        Column of the true topic.
    weight : float array, length documents, optional
    strength : float, default 1.0
        Inverse of the L2 penalty.

    Returns
    -------
    matrix : float array, shape (topics, topics)
    shift : float array, length topics
        A topic with no document gets ``-20``.
    """
    topics = scores.shape[1]
    found, coded = np.unique(labels, return_inverse=True)
    matrix, shift = np.zeros((topics, topics)), np.full(topics, -20.0)
    shift[found] = 0.0
    if len(found) > 1:
        regression = LogisticRegression(C=strength, max_iter=2000).fit(scores, coded, sample_weight=weight)
        coefficients, intercept = regression.coef_, regression.intercept_
        if len(found) == 2:
            coefficients = np.vstack([-coefficients, coefficients]) / 2
            intercept = np.concatenate([-intercept, intercept]) / 2
        matrix[:, found] = coefficients.T
        shift[found] = intercept
    return matrix, shift


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


def best_threshold(probability: Floats, member: NDArray[np.bool_]) -> float:
    """Return the threshold, one for all topics, at which micro F1 is highest.

    Parameters
    ----------
    probability : float array, shape (documents, topics)
        Entries that are listed anyway, such as a leading topic, should hold 1.
    member : bool array, shape (documents, topics)

    Examples
    --------
    >>> best_threshold(np.array([[0.9, 0.4], [0.8, 0.2]]), np.array([[True, True], [True, False]]))
    0.3
    """
    flat, true = probability.ravel(), member.ravel()
    order = np.argsort(-flat, kind="stable")
    hits = np.cumsum(true[order])
    f1 = 2 * hits / (np.arange(1, len(flat) + 1) + true.sum())
    best = int(np.argmax(f1))
    below = flat[order][best + 1] if best + 1 < len(flat) else 0.0
    return round(float(min(0.9, (flat[order][best] + below) / 2)), 4)
