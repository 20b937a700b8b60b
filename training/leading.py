"""Calibration of the shipped topic models: from scores of unseen documents to chances that hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, logit, softmax

from toolkit.topics.fitting import fit_sigmoids
from toolkit.topics.model import leading_figures

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Calibration of the scores: see :class:`toolkit.topics.model.TopicModel`, whose ``bias`` is the shift."""

    curve: Floats
    shift: Floats
    lead: Floats
    also: Floats

    def shares(self, scores: Floats, known: Places) -> Floats:
        """Return each topic's share; rows sum to one."""
        return np.asarray(softmax(scores * slope(self.curve, known)[:, None] + self.shift, axis=1))

    def figures(self, scores: Floats, known: Places) -> Floats:
        """Return the figures that the classifier gives."""
        return leading_figures(self.shares(scores, known), self.lead, self.also)


def slope(curve: Floats, known: Places) -> Floats:
    """Return what scores are multiplied by; see :meth:`toolkit.topics.model.TopicModel.slope`."""
    return np.asarray(np.exp(curve[0] + curve[1] * np.log1p(known)))


def calibrate(
    scores: list[Floats], known: list[Places], primary: Places, member: NDArray[np.bool_], weight: Floats
) -> Calibrated:
    """Fit the calibration on documents that were unseen when they were scored.

    Parameters
    ----------
    scores : list of float array, shape (documents, topics)
        Of whole documents, then of their beginnings. Whole ones count twice: they are what is mostly read.
    known : list of int array
        Known pieces of the same.
    primary : int array, length documents
    member : bool array, shape (documents, topics)
    weight : float array, length documents
    """
    looks = len(scores)
    stacked, pieces, labels = np.concatenate(scores), np.concatenate(known), np.tile(primary, looks)
    heavy = np.concatenate([2 * weight, *[weight] * (looks - 1)])
    curve, shift = fit_curve(stacked, pieces, labels, heavy)
    rough = Calibrated(curve, shift, np.array([1.0, 0.0]), np.zeros((scores[0].shape[1], 2)))
    share = rough.shares(stacked, pieces)
    odds = logit(np.clip(share, 1e-9, 1 - 1e-9))
    right = share.argmax(axis=1) == labels
    (lead,) = fit_sigmoids(odds.max(axis=1)[:, None], right[:, None], weight=heavy, strength=100.0)
    whole, first = slice(len(primary)), share[: len(primary)].argmax(axis=1)
    also = [
        fit_sigmoids(odds[whole][beside, topic : topic + 1], member[beside, topic : topic + 1])[0]
        for topic in range(share.shape[1])
        for beside in [right[whole] & (first != topic)]
    ]
    return Calibrated(curve, shift, lead, np.array(also))


def fit_curve(scores: Floats, known: Places, labels: Places, weight: Floats) -> tuple[Floats, Floats]:
    """Fit the slope of scores as a function of how many known pieces a document has, and a shift of each topic."""
    rows, logs = np.arange(len(labels)), np.log1p(known)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        steep = np.exp(parameters[0] + parameters[1] * logs)
        likely = log_softmax(scores * steep[:, None] + parameters[2:], axis=1)
        gap = np.exp(likely)
        gap[rows, labels] -= 1
        gap *= weight[:, None]
        pull = (gap * scores).sum(axis=1) * steep
        value = -(weight * likely[rows, labels]).sum() + 0.5 * (parameters[2:] ** 2).sum()
        return float(value), np.concatenate([[pull.sum(), pull @ logs], gap.sum(axis=0) + parameters[2:]])

    start = np.concatenate([[1.5, 0.0], np.zeros(scores.shape[1])])
    found = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return np.asarray(found[:2]), np.asarray(found[2:])


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
