"""A model of one's own labels: hashed TF-IDF, linear support vector machines, calibration by cross-validation.

Calibration is temperature scaling (Guo et al. 2017) with a shift of each topic where one topic leads, Platt's sigmoid
(1999) where each stands for itself. Both are linear in the scores, so they fold into the model's weights.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, diags
from scipy.special import log_softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold
from sklearn.svm import LinearSVC

from toolkit.topics.features import FeatureSpace, Floats, unit_rows
from toolkit.topics.model import TopicModel

Labels = tuple[tuple[Any, ...], NDArray[np.bool_], bool]
Splits = list[tuple[NDArray[np.int64], NDArray[np.int64]]]


def memberships(y: Iterable[Any], documents: int) -> Labels:
    """Return the classes of labels, which document is in which, and whether each has just one."""
    if isinstance(y, str):
        raise ValueError(f"fit: y={y!r} is one text; give the labels themselves, such as corpus[{y!r}]")
    if isinstance(y, Mapping):
        raise ValueError("fit: y is a mapping; give one entry a document, such as corpus['doc_id'].map(y)")
    given = list(y)
    if len(given) != documents:
        raise ValueError(f"fit: {len(given)} labels for {documents} documents; give one entry a document")
    several = [isinstance(label, (set, frozenset, list, tuple)) for label in given]
    multi = any(several)
    sets = [set(label) if each else {label} for label, each in zip(given, several, strict=True)]
    for place, labels in enumerate(sets):
        if any(pd.isna(label) or label == "" for label in labels):
            raise ValueError(f"fit: document {place} has a missing label; drop it, or give an empty set")
    plain = [{x.item() if isinstance(x, np.generic) else x for x in labels} for labels in sets]
    try:
        classes = tuple(sorted(set().union(*plain)))
    except TypeError as error:  # numbers among names
        raise ValueError(f"fit: labels of several types ({error}); give all as str") from None
    if len(classes) < 2 - multi:
        raise ValueError(f"fit: {len(classes)} different labels; at least two are needed")
    member = np.array([[label in labels for label in classes] for labels in plain], bool)
    return classes, member.reshape(documents, len(classes)), not multi


def folds_of(corpus: pd.DataFrame, groups: Iterable[Any] | None, folds: int) -> Splits:
    """Return pairs of documents to learn from and to calibrate on.

    No group straddles a pair: of those given, else of publishers where each document has one and there are enough.
    """
    publisher, rows = corpus["publisher"], np.empty(len(corpus))
    if groups is None and publisher.notna().all() and publisher.nunique() >= 2 * folds:
        groups = publisher
    if groups is not None and len(np.unique(grouped := np.asarray(list(groups)))) >= folds:
        return list(GroupKFold(folds, shuffle=True, random_state=0).split(rows, groups=grouped))
    return list(KFold(min(folds, len(rows)), shuffle=True, random_state=0).split(rows))


def fitted(
    counts: csr_matrix, labels: Labels, *, weight: Floats, space: FeatureSpace, C: float, splits: Splits
) -> TopicModel:
    """Return the model of some labels, as :func:`memberships` gives them, from counts of words in each document."""
    classes, member, single = labels
    used = np.unique(counts.indices)
    counts = counts[:, used]
    unseen = np.full(member.shape, -1.0)
    for train, test in splits:
        idf, coefficients, shift = _machines(counts[train], member[train], weight[train], C)
        unseen[test] = unit_rows(counts[test] @ diags(idf)) @ coefficients + shift
    idf, coefficients, shift = _machines(counts, member, weight, C)
    n = len(classes)
    if single:
        slope, move = fit_temperature(unseen, member.argmax(axis=1), weight)
        slopes = np.full(n, slope)
    else:
        slopes, move = fit_sigmoids(unseen, member, weight=weight).T
    weights, idfs = np.zeros((space.size, n), np.float32), np.zeros(space.size, np.float32)
    weights[used], idfs[used] = coefficients * slopes, idf
    return TopicModel(
        classes=classes, space=space, kind="single" if single else "multi", weights=weights,
        scale=np.ones(n, np.float32), bias=(shift * slopes + move).astype(np.float32), idf=idfs,
        also=np.zeros((n, 2), np.float32), thresholds=np.full(n, 1.0 if single else 0.5, np.float32),
        card={"description": "Fitted on own labels.", "documents": len(member), "folds": len(splits)},
    )  # fmt: skip


def _machines(
    counts: csr_matrix, member: NDArray[np.bool_], weight: Floats, C: float
) -> tuple[NDArray[np.float32], Floats, Floats]:
    """Return what each word weighs, and coefficients and intercept of a linear machine a topic."""
    found = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.where(found > 0, np.log((1 + counts.shape[0]) / (1 + found)) + 1, 0).astype(np.float32)
    features = unit_rows(counts @ diags(idf))
    coefficients, shift = np.zeros((features.shape[1], member.shape[1])), np.zeros(member.shape[1])
    for topic, labels in enumerate(member.T):
        if labels.all() or not labels.any():
            shift[topic] = 1.0 if labels.all() else -1.0
            continue
        machine = LinearSVC(C=C, random_state=0, max_iter=5000)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            machine.fit(features, labels, sample_weight=weight)
        coefficients[:, topic], shift[topic] = machine.coef_[0], machine.intercept_[0]
    return idf, coefficients, shift


def fit_temperature(scores: Floats, labels: NDArray[np.int64], weight: Floats) -> tuple[float, Floats]:
    """Fit ``softmax(slope * scores + shift)``, scores of shape (documents, topics), to labels; return slope and shift.

    There is one slope for all topics; the shift is held near 0 by a penalty as strong as one document.
    """
    rows = np.arange(len(labels))

    def loss(parameters: Floats) -> tuple[float, Floats]:
        slope, shift = np.exp(parameters[0]), parameters[1:]
        likely = log_softmax(slope * scores + shift, axis=1)
        gap = np.exp(likely)
        gap[rows, labels] -= 1
        gap *= weight[:, None]
        value = -(weight * likely[rows, labels]).sum() + 0.5 * (shift**2).sum()
        return float(value), np.concatenate([[slope * (gap * scores).sum()], gap.sum(axis=0) + shift])

    found = minimize(loss, np.zeros(scores.shape[1] + 1), jac=True, method="L-BFGS-B")
    return float(np.exp(found.x[0])), np.asarray(found.x[1:])


def fit_sigmoids(
    scores: Floats, member: NDArray[np.bool_], *, weight: Floats | None = None, strength: float = 1.0
) -> Floats:
    """Fit ``sigmoid(slope * score + intercept)`` to each topic's membership; return both, shape (topics, 2).

    ``strength`` is the inverse of the L2 penalty on the slope. A topic that is always or never there gets slope 0.
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
