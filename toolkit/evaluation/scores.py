"""Scores of spans and topics against gold, with 95 % intervals by bootstrap over documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.boilerplate import KINDS
from toolkit.corpus import CorpusLike, as_corpus

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

Metrics = Callable[[Rows], "float | Floats"]
"""One or several figures computed from rows of the data, given by number; a row may come more than once."""

COUNTS = ("hit", "false", "missed", "article")
"""Counts of non-blank characters in a document: boilerplate found (``hit``), article text wrongly removed
(``false``), boilerplate missed (``missed``), all article text (``article``)."""

LEADING = ("accuracy", "macro F1", "among all", "micro F1", "ECE", "cell ECE", "accuracy at 70 %")
"""Metrics that :func:`topic_scores` gives, of those of :func:`topic_metrics`."""


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
    if not documents:
        nothing = np.full(np.size(metrics(np.arange(0))), np.nan)
        return nothing, nothing
    members: list[Rows] = []
    if groups is not None:
        _, group = np.unique(groups, return_inverse=True)
        members = np.split(np.argsort(group, kind="stable"), np.cumsum(np.bincount(group))[:-1])
    random, units, drawn = np.random.default_rng(seed), len(members) or documents, []
    for _ in range(draws):
        rows = random.integers(0, units, units)
        drawn.append(metrics(np.concatenate([members[each] for each in rows]) if members else rows))
    table = np.array(drawn).reshape(draws, -1)
    ends = np.full((2, table.shape[1]), np.nan)
    known = ~np.isnan(table).all(axis=0)
    if known.any():  # numpy refuses a table without columns
        ends[:, known] = np.nanquantile(table[:, known], [0.025, 0.975], axis=0)
    return ends[0], ends[1]


def estimated(metrics: Metrics, documents: int, **how: Any) -> pd.DataFrame:
    """Return each figure of all documents as ``value``, with the ends ``low`` and ``high`` of :func:`bootstrap`."""
    low, high = bootstrap(metrics, documents, **how)
    return pd.DataFrame({"value": metrics(np.arange(documents)), "low": low, "high": high})


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def span_counts(corpus: CorpusLike, gold: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Compare found spans with gold (reference) spans, document by document; spans of other documents are ignored.

    Both tables have ``doc_id, start, end`` (code points, half-open) and ``kind``. One row a document: ``doc_id``,
    ``publisher``, :data:`COUNTS`, ``right_kind`` (the characters of ``hit`` whose kind is right), and for each kind
    ``<kind>`` (gold characters) and ``<kind>_hit`` (how many of them were found).
    """
    frame = as_corpus(corpus)
    # 1 + the number of the kind of each character, 0 outside of spans: of the gold and of what was found
    sides = [[np.zeros(length, np.int8) for length in frame["text"].str.len()] for _ in range(2)]
    row_of = {doc_id: row for row, doc_id in enumerate(frame["doc_id"])}
    for masks, spans in zip(sides, (gold, found), strict=True):
        known = spans[spans["doc_id"].isin(row_of)]
        for doc_id, start, end, kind in known[["doc_id", "start", "end", "kind"]].itertuples(index=False):
            masks[row_of[doc_id]][start:end] = 1 + KINDS.index(kind)
    rows = []
    for text, *masks in zip(frame["text"], *sides, strict=True):
        solid = np.array([not c.isspace() for c in text], bool)
        truth, guess = (mask[solid] for mask in masks)
        hit = (truth > 0) & (guess > 0)
        counted = {
            "hit": hit,
            "false": (truth == 0) & (guess > 0),
            "missed": (truth > 0) & (guess == 0),
            "article": truth == 0,
            "right_kind": hit & (truth == guess),
        }
        for number, kind in enumerate(KINDS, 1):
            counted |= {kind: truth == number, f"{kind}_hit": hit & (truth == number)}
        rows.append({name: mask.sum() for name, mask in counted.items()})
    return frame[["doc_id", "publisher"]].reset_index(drop=True).join(pd.DataFrame(rows))


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

    def figures(rows: Rows) -> dict[str, float]:
        n = dict(zip(names, table[rows].sum(axis=0), strict=True))
        sums = np.zeros((publisher.max(initial=-1) + 1, 3))
        np.add.at(sums, publisher[rows], table[rows][:, :3])
        hit, false, missed = sums[sums[:, 0] + sums[:, 2] > 0].T
        return {
            "precision": _ratio(n["hit"], n["hit"] + n["false"]),
            "recall": _ratio(n["hit"], n["hit"] + n["missed"]),
            "f1": _ratio(2 * n["hit"], 2 * n["hit"] + n["false"] + n["missed"]),
            "article_lost": _ratio(n["false"], n["article"]),
            "kind_accuracy": _ratio(n["right_kind"], n["hit"]),
            "f1_macro": _ratio((2 * hit / (2 * hit + false + missed)).sum(), len(hit)),
            **{f"recall_{kind}": _ratio(n[f"{kind}_hit"], n[kind]) for kind in KINDS},
        }

    found = estimated(lambda rows: np.array([*figures(rows).values()]), len(table), draws=draws, seed=seed)
    return found.set_axis([*figures(np.arange(0))])


def accuracy(correct: Bools) -> float:
    """Return the share of documents that are right."""
    return _ratio(correct.sum(), len(correct))


def class_f1(member: Bools, listed: Bools) -> Floats:
    """Return the F1 of each class from bool arrays of shape (documents, classes); NaN for one that never occurs."""
    hits, total = (member & listed).sum(axis=0), member.sum(axis=0) + listed.sum(axis=0)
    return np.where(total > 0, 2 * hits / np.maximum(total, 1), np.nan)


def macro_f1(member: Bools, listed: Bools) -> float:
    """Return the mean F1 over the classes that occur in ``member``."""
    present = member.any(axis=0)
    return _ratio(class_f1(member, listed)[present].sum(), present.sum())


def micro_f1(member: Bools, listed: Bools) -> float:
    """Return the F1 of all (document, class) pairs together."""
    return _ratio(2 * (member & listed).sum(), member.sum() + listed.sum())


def calibration_error(probability: Floats, correct: Bools, *, bins: int = 10) -> float:
    """Return the mean gap of bins of equal width, weighted by their size (Naeini, Cooper and Hauskrecht 2015).

    >>> round(calibration_error(np.array([0.9, 0.9]), np.array([True, True])), 3)
    0.1
    """
    if not len(probability):
        return float("nan")
    number = np.minimum((probability * bins).astype(int), bins - 1)
    gap = np.bincount(number, weights=probability - correct, minlength=bins)
    return float(np.abs(gap).sum() / len(probability))


def coverage_accuracy(confidence: Floats, correct: Bools, coverage: float = 0.7) -> float:
    """Return the accuracy on the surest share of the documents.

    Those exactly as sure as the last one to enter count by their mean, so that the order changes nothing.
    """
    take = round(coverage * len(confidence))
    if take == 0:
        return float("nan")
    last = np.sort(confidence)[::-1][take - 1]
    above, at = confidence > last, confidence == last
    return float((correct[above].sum() + (take - above.sum()) * correct[at].mean()) / take)


def topic_metrics(values: Floats, member: Bools, listed: Bools, wanted: Rows) -> dict[str, Metrics]:
    """Return metrics of topics by name, each a function of the rows that count.

    ``values`` (probabilities), ``member`` (true topics) and ``listed`` (predicted ones) have shape (documents, topics);
    ``wanted`` is the column of each document's leading topic, -1 where it has none.
    """
    lead, sure = values.argmax(axis=1), values.max(axis=1, initial=0.0)
    correct = lead == wanted
    one_hot = np.eye(values.shape[1] + 1, dtype=bool)  # the last row is that of -1
    return {
        "accuracy": lambda r: accuracy(correct[r]),
        "macro F1": lambda r: macro_f1(one_hot[wanted[r]], one_hot[lead[r]]),
        "among all": lambda r: accuracy(member[r, lead[r]]),
        "micro F1": lambda r: micro_f1(member[r], listed[r]),
        "ECE": lambda r: calibration_error(sure[r], correct[r]),
        "cell ECE": lambda r: calibration_error(values[r].ravel(), member[r].ravel()),
        "accuracy at 70 %": lambda r: coverage_accuracy(sure[r], correct[r]),
        "all right": lambda r: accuracy((member[r] == listed[r]).all(axis=1)),
        "macro F1 of sets": lambda r: macro_f1(member[r], listed[r]),
    }


def topic_scores(
    probability: pd.DataFrame, primary: Iterable[Any], topics: Iterable[Iterable[Any]], *,
    listed: Bools | None = None, by: Iterable[Any] | None = None, draws: int = 1000,
) -> pd.DataFrame:  # fmt: skip
    """Score probabilities, one row a document and one column a topic, against labels: in all, and for each of ``by``.

    ``primary`` is the leading topic of each document, ``topics`` the set of all its topics; ``listed`` tells which were
    predicted, shape (documents, topics), default the likeliest and those of probability 0.5 or more.

    Returned are ``group`` (``all`` first), ``documents``, ``metric``, ``value``, ``low``, ``high`` (95 %, bootstrap).
    Metrics: ``accuracy`` and ``macro F1`` of the leading topic, ``among all`` (leading topic is one of the document's
    topics), ``micro F1`` of all topics, ``ECE`` (leading topic against the primary one), ``cell ECE`` (every figure
    against membership) and ``accuracy at 70 %``.
    """
    codes, values = list(probability.columns), probability.to_numpy(float)
    rows = np.arange(len(values))
    member = np.array([[code in each for code in codes] for each in map(set, topics)], bool)
    if listed is None:
        listed = values >= 0.5
        listed[rows, values.argmax(axis=1)] = True
    wanted = pd.Index(codes).get_indexer(pd.Index(list(primary), dtype=object))
    known = topic_metrics(values, member.reshape(values.shape), np.asarray(listed, bool), wanted)
    metrics = [known[name] for name in LEADING]
    groups: dict[Any, Rows] = {"all": rows}
    if by is not None:
        key = np.array(list(by), dtype=object)
        groups |= {value: np.flatnonzero(key == value) for value in dict.fromkeys(key)}
    out = []
    for group, chosen in groups.items():

        def figures(drawn: Rows, chosen: Rows = chosen) -> Floats:
            return np.array([metric(chosen[drawn]) for metric in metrics])

        found = estimated(figures, len(chosen), draws=draws).assign(
            metric=LEADING, group=group, documents=len(chosen)
        )
        out.append(found[["group", "documents", "metric", "value", "low", "high"]])
    return pd.concat(out, ignore_index=True)
