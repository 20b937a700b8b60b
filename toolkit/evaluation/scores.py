"""Scores of spans and topics against gold, with 95 % intervals by bootstrap over documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from toolkit.boilerplate import KINDS
from toolkit.corpus import CorpusLike, as_corpus

Floats = NDArray[np.float64]

Metrics = Callable[[NDArray[np.int64]], "float | Floats"]
"""One or several figures computed from rows of the data, given by number; a row may come more than once."""

COUNTS = ("hit", "false", "missed", "article")
"""Counts of non-blank characters in a document: boilerplate found (``hit``), article text wrongly removed
(``false``), boilerplate missed (``missed``), all article text (``article``)."""


def bootstrap(
    metrics: Metrics, documents: int, *, groups: NDArray[np.generic] | None = None, draws: int = 1000,
    seed: int = 0,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return the ends of the 95 % percentile bootstrap intervals (Efron 1979), arrays of one entry a figure.

    All figures are of the same draws. Where ``groups`` has one entry a document, whole groups are drawn, such as
    publishers, whose documents are alike. An end is NaN where every draw gave NaN, or there is nothing to draw from.

    >>> right = np.array([True] * 80 + [False] * 20)
    >>> bootstrap(lambda rows: float(right[rows].mean()), 100)
    (array([0.72]), array([0.88]))
    """
    random = np.random.default_rng(seed)
    drawn: list[Any]
    if not documents:
        drawn = [np.full(np.size(metrics(np.arange(0))), np.nan)]
    elif groups is None:
        drawn = [metrics(random.integers(0, documents, documents)) for _ in range(draws)]
    else:
        _, which = np.unique(groups, return_inverse=True)
        order = np.argsort(which, kind="stable")
        rows = np.split(order, np.cumsum(np.bincount(which))[:-1])
        drawn = [
            metrics(np.concatenate([rows[g] for g in random.integers(0, len(rows), len(rows))]))
            for _ in range(draws)
        ]
    table = np.array(drawn).reshape(len(drawn), -1)
    low, high = np.full(table.shape[1], np.nan), np.full(table.shape[1], np.nan)
    known = ~np.isnan(table).all(axis=0)
    if known.any():  # numpy refuses a table without columns
        low[known], high[known] = np.nanquantile(table[:, known], [0.025, 0.975], axis=0)
    return low, high


def _mask(length: int, spans: list[tuple[int, int, str]]) -> NDArray[np.int8]:
    """Return for each character 1 + the number of the kind of its span, or 0 outside of spans."""
    mask = np.zeros(length, np.int8)
    for start, end, kind in spans:
        mask[start:end] = 1 + KINDS.index(kind)
    return mask


def span_counts(corpus: CorpusLike, gold: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Compare found spans with gold (reference) spans, document by document; spans of other documents are ignored.

    Both tables have ``doc_id, start, end`` (code points, half-open) and ``kind``. One row a document: ``doc_id``,
    ``publisher``, :data:`COUNTS`, ``right_kind`` (the characters of ``hit`` whose kind is right), and for each kind
    ``<kind>`` (gold characters) and ``<kind>_hit`` (how many of them were found).
    """
    frame = as_corpus(corpus)
    sides = []
    for spans in (gold, found):
        by: dict[str, list[tuple[int, int, str]]] = {}
        for doc_id, start, end, kind in spans[["doc_id", "start", "end", "kind"]].itertuples(index=False):
            by.setdefault(doc_id, []).append((start, end, kind))
        sides.append(by)
    rows = []
    for doc_id, publisher, text in zip(frame["doc_id"], frame["publisher"], frame["text"], strict=True):
        solid = np.array([not c.isspace() for c in text], bool)
        truth = _mask(len(text), sides[0].get(doc_id, []))[solid]
        guess = _mask(len(text), sides[1].get(doc_id, []))[solid]
        hit = (truth > 0) & (guess > 0)
        row: dict[str, Any] = {"doc_id": doc_id, "publisher": publisher, "hit": hit.sum()}
        row["false"] = ((truth == 0) & (guess > 0)).sum()
        row["missed"] = ((truth > 0) & (guess == 0)).sum()
        row["article"] = (truth == 0).sum()
        row["right_kind"] = (hit & (truth == guess)).sum()
        for number, kind in enumerate(KINDS, 1):
            row[kind] = (truth == number).sum()
            row[f"{kind}_hit"] = ((truth == number) & hit).sum()
        rows.append(row)
    return pd.DataFrame(rows)


def _figures(n: dict[str, float]) -> dict[str, float]:
    found, real = n["hit"] + n["false"], n["hit"] + n["missed"]
    return {
        "precision": n["hit"] / found if found else np.nan,
        "recall": n["hit"] / real if real else np.nan,
        "f1": 2 * n["hit"] / (found + real) if found + real else np.nan,
        "article_lost": n["false"] / n["article"] if n["article"] else np.nan,
        "kind_accuracy": n["right_kind"] / n["hit"] if n["hit"] else np.nan,
    }


def span_scores(counts: pd.DataFrame, *, draws: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Compute scores from what :func:`span_counts` counted, with 95 % intervals by bootstrap over documents.

    Index: ``precision``, ``recall``, ``f1``, ``article_lost`` (share of article text that was removed),
    ``kind_accuracy`` (these five from the summed counts of all documents), ``f1_macro`` (mean F1 of the publishers
    with boilerplate), ``recall_<kind>``. Columns: ``value``, ``low``, ``high``, all in [0, 1].

    >>> gold = pd.DataFrame([("0", 0, 4, "promo")], columns=["doc_id", "start", "end", "kind"])
    >>> float(span_scores(span_counts(["Ads! Story."], gold, gold), draws=10).loc["f1", "value"])
    1.0
    """
    names = [*COUNTS, "right_kind", *(f"{k}{s}" for k in KINDS for s in ("", "_hit"))]
    table = counts[names].to_numpy(np.float64)
    publisher = pd.factorize(counts["publisher"].astype("str").fillna(""))[0]

    def figures(rows: NDArray[np.int64]) -> dict[str, float]:
        total = dict(zip(names, table[rows].sum(axis=0), strict=True))
        out = _figures(total)
        sums = np.zeros((publisher.max(initial=-1) + 1, 3))
        np.add.at(sums, publisher[rows], table[rows][:, :3])
        some = sums[:, 0] + sums[:, 2] > 0
        f1 = 2 * sums[some, 0] / (2 * sums[some, 0] + sums[some, 1] + sums[some, 2])
        out["f1_macro"] = float(f1.mean()) if some.any() else np.nan
        for kind in KINDS:
            out[f"recall_{kind}"] = total[f"{kind}_hit"] / total[kind] if total[kind] else np.nan
        return out

    value = figures(np.arange(len(table)))
    ends = bootstrap(lambda rows: np.array([*figures(rows).values()]), len(table), draws=draws, seed=seed)
    return pd.DataFrame([[*value.values()], *ends], ["value", "low", "high"], list(value)).T


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
    probability: pd.DataFrame, primary: Iterable[Any], topics: Iterable[Iterable[Any]], *,
    listed: NDArray[np.bool_] | None = None, by: Iterable[Any] | None = None, draws: int = 1000,
) -> pd.DataFrame:  # fmt: skip
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
    metrics: dict[str, Callable[[NDArray[np.int64]], float]] = {
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

        low, high = bootstrap(figures, len(chosen), draws=draws)
        parts = {"metric": names, "value": figures(np.arange(len(chosen))), "low": low, "high": high}
        out.append(pd.DataFrame({"group": group, "documents": len(chosen)} | parts))
    return pd.concat(out, ignore_index=True)
