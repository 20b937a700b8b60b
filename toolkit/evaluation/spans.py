"""Span scores: precision, recall and F1 of spans against gold spans, over non-blank characters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.boilerplate import KINDS
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.evaluation.intervals import bootstrap_all

COUNTS = ("hit", "false", "missed", "article")
"""Counts of non-blank characters in a document: boilerplate found (``hit``), article text wrongly removed
(``false``), boilerplate missed (``missed``), all article text (``article``)."""


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
        row: dict[str, Any] = {
            "doc_id": doc_id,
            "publisher": publisher,
            "hit": hit.sum(),
            "false": ((truth == 0) & (guess > 0)).sum(),
            "missed": ((truth > 0) & (guess == 0)).sum(),
            "article": (truth == 0).sum(),
            "right_kind": (hit & (truth == guess)).sum(),
        }
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
    ends = bootstrap_all(lambda rows: np.array([*figures(rows).values()]), len(table), draws=draws, seed=seed)
    return pd.DataFrame([[*value.values()], *ends], ["value", "low", "high"], list(value)).T
