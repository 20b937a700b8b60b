"""How good topics are: accuracy, F1, calibration and what abstaining buys, with intervals.

``python -m benchmarks`` prints these figures for the shipped design in publisher-grouped
cross-validation.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from toolkit.evaluation.intervals import Metric, bootstrap

Floats = NDArray[np.float64]


def accuracy(correct: NDArray[np.bool_]) -> float:
    """Return the share of documents whose leading topic is right."""
    return float(np.mean(correct)) if len(correct) else float("nan")


def macro_f1(true: NDArray[Any], predicted: NDArray[Any]) -> float:
    """Return the mean F1 over the topics that occur in ``true``."""
    labels = np.unique(true)
    return float(f1_score(true, predicted, labels=labels, average="macro", zero_division=0))


def micro_f1(member: NDArray[np.bool_], listed: NDArray[np.bool_]) -> float:
    """Return the F1 of all (document, topic) pairs together.

    Parameters
    ----------
    member, listed : bool arrays, shape (documents, topics)
        What the documents are about, and what was predicted.

    Examples
    --------
    >>> micro_f1(np.array([[True, False]]), np.array([[True, True]]))
    0.6666666666666666
    """
    hits = np.sum(member & listed)
    total = member.sum() + listed.sum()
    return float(2 * hits / total) if total else float("nan")


def calibration_error(probability: Floats, correct: NDArray[np.bool_], *, bins: int = 10) -> float:
    """Return the expected calibration error: mean gap of bins of equal width, weighted by their size.

    Parameters
    ----------
    probability : float array, in [0, 1]
    correct : bool array, same length
    bins : int, default 10

    Notes
    -----
    Naeini, Cooper and Hauskrecht (2015).

    Examples
    --------
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

    Documents that are exactly as sure as the last one to enter count by their mean, so that the order of
    documents changes nothing.
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
    """Score probabilities against labels: overall, and for each value of ``by``.

    Parameters
    ----------
    probability : DataFrame, shape (documents, topics)
        As :meth:`toolkit.topics.TopicClassifier.predict_proba` returns it.
    primary : iterable of topic
        The leading topic of each document.
    topics : iterable of sets of topics
        All topics of each document.
    listed : bool array, shape (documents, topics), optional
        Which topics were predicted for each document; default the likeliest and those of probability 0.5 or more.
    by : iterable, optional
        A group of each document, such as its source.
    draws : int, default 1000
        Bootstrap draws for each interval.

    Returns
    -------
    DataFrame
        ``group`` (``all`` first), ``documents``, ``metric``, ``value``, ``low``, ``high`` (95 %, bootstrap
        over documents). Metrics: ``accuracy`` and ``macro F1`` of the leading topic, ``among all`` (leading
        topic is one of the document's topics), ``micro F1`` of all topics, ``ECE`` (leading topic against the
        primary one), ``cell ECE`` (every figure against membership) and ``accuracy at 70 %``.

    Examples
    --------
    >>> report = topic_scores(pd.DataFrame({"a": [0.9, 0.2], "b": [0.1, 0.8]}), ["a", "b"], [{"a"}, {"b"}])
    >>> report.set_index("metric").loc["accuracy", "value"]
    np.float64(1.0)
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
    out = []
    for group, chosen in groups.items():
        for name, metric in metrics.items():
            low, high = bootstrap(partial(_within, metric, chosen), len(chosen), draws=draws)
            out.append((group, len(chosen), name, metric(chosen), low, high))
    return pd.DataFrame(out, columns=["group", "documents", "metric", "value", "low", "high"])


def _within(metric: Metric, chosen: NDArray[np.int64], rows: NDArray[np.int64]) -> float:
    return metric(chosen[rows])
