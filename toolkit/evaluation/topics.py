"""How good topics are: accuracy, F1, calibration and what abstaining buys, with intervals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from toolkit.evaluation.intervals import Metric, bootstrap_all

Floats = NDArray[np.float64]


def accuracy(correct: NDArray[np.bool_]) -> float:
    """Return the share of documents whose leading topic is right."""
    return float(np.mean(correct)) if len(correct) else float("nan")


def macro_f1(true: NDArray[Any], predicted: NDArray[Any]) -> float:
    """Return the mean F1 over the topics that occur in ``true``."""
    labels = np.unique(true)
    return float(f1_score(true, predicted, labels=labels, average="macro", zero_division=0))


def micro_f1(member: NDArray[np.bool_], listed: NDArray[np.bool_]) -> float:
    """Return the F1 of all (document, topic) pairs together, of bool arrays of shape (documents, topics)."""
    hits = np.sum(member & listed)
    total = member.sum() + listed.sum()
    return float(2 * hits / total) if total else float("nan")


def calibration_error(probability: Floats, correct: NDArray[np.bool_], *, bins: int = 10) -> float:
    """Return the mean gap of bins of equal width, weighted by their size (Naeini, Cooper and Hauskrecht 2015).

    >>> round(calibration_error(np.array([0.9, 0.9]), np.array([True, True])), 3)
    0.1
    """
    if not len(probability):
        return float("nan")
    number = np.minimum((probability * bins).astype(int), bins - 1)
    gap = np.bincount(number, weights=probability - correct, minlength=bins)
    return float(np.abs(gap).sum() / len(probability))


def coverage_accuracy(confidence: Floats, correct: NDArray[np.bool_], coverage: float = 0.7) -> float:
    """Return the accuracy on the surest share of the documents.

    Those exactly as sure as the last one to enter count by their mean, so that the order changes nothing.
    """
    take = round(coverage * len(confidence))
    if take == 0:
        return float("nan")
    last = np.sort(confidence)[::-1][take - 1]
    above, at = confidence > last, confidence == last
    return float((correct[above].sum() + (take - above.sum()) * correct[at].mean()) / take)


def topic_scores(
    probability: pd.DataFrame,
    primary: Iterable[Any],
    topics: Iterable[Iterable[Any]],
    *,
    listed: NDArray[np.bool_] | None = None,
    by: Iterable[Any] | None = None,
    draws: int = 1000,
) -> pd.DataFrame:
    """Score probabilities, one row a document and one column a topic, against labels: in all, and for each of ``by``.

    ``primary`` is the leading topic of each document, ``topics`` the set of all its topics; ``listed`` tells which were
    predicted, shape (documents, topics), default the likeliest and those of probability 0.5 or more.

    Returned are ``group`` (``all`` first), ``documents``, ``metric``, ``value``, ``low``, ``high`` (95 %, bootstrap).
    Metrics: ``accuracy`` and ``macro F1`` of the leading topic, ``among all`` (leading topic is one of the document's
    topics), ``micro F1`` of all topics, ``ECE`` (leading topic against the primary one), ``cell ECE`` (every figure
    against membership) and ``accuracy at 70 %``.
    """
    codes = np.array(list(probability.columns), dtype=object)
    values = probability.to_numpy(float)
    true = np.array(list(primary), dtype=object)
    member = np.array([[code in each for code in codes] for each in map(set, topics)], bool)
    member = member.reshape(values.shape)
    lead = values.argmax(axis=1)
    rows = np.arange(len(values))
    if listed is None:
        listed = values >= 0.5
        listed[rows, lead] = True
    predicted = np.asarray(listed, bool)
    place = {code: number for number, code in enumerate(codes)}
    wanted = np.array([place.get(code, -1) for code in true])
    correct, confidence = lead == wanted, values.max(axis=1, initial=0.0)
    metrics: dict[str, Metric] = {
        "accuracy": lambda r: accuracy(correct[r]),
        "macro F1": lambda r: macro_f1(wanted[r], lead[r]),
        "among all": lambda r: accuracy(member[r, lead[r]]),
        "micro F1": lambda r: micro_f1(member[r], predicted[r]),
        "ECE": lambda r: calibration_error(confidence[r], correct[r]),
        "cell ECE": lambda r: calibration_error(values[r].ravel(), member[r].ravel()),
        "accuracy at 70 %": lambda r: coverage_accuracy(confidence[r], correct[r]),
    }
    groups: dict[Any, NDArray[np.int64]] = {"all": rows}
    if by is not None:
        key = np.array(list(by), dtype=object)
        groups |= {value: np.flatnonzero(key == value) for value in dict.fromkeys(key)}
    names = list(metrics)
    out = []
    for group, chosen in groups.items():

        def figures(drawn: NDArray[np.int64], chosen: NDArray[np.int64] = chosen) -> Floats:
            return np.array([metric(chosen[drawn]) for metric in metrics.values()])

        low, high = bootstrap_all(figures, len(chosen), draws=draws)
        parts = {"metric": names, "value": figures(np.arange(len(chosen))), "low": low, "high": high}
        out.append(pd.DataFrame({"group": group, "documents": len(chosen)} | parts))
    return pd.concat(out, ignore_index=True)
