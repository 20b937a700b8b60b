"""Topics: the visible gold by models that saw neither its publisher nor its source, and what the shipped models say.

``python -m benchmarks topics`` measures, and ``--record`` stores the tables of ``docs/topics.md``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit import clean, datasets
from toolkit.census import rate
from toolkit.evaluation import calibration_error, topic_scores
from toolkit.topics import TopicClassifier, taxonomy
from toolkit.topics.model import shipped_model
from toolkit.topics.taxonomy import CODE_OF, CODES, SHORT_NAMES
from training.topics import Learner, learner, listing, validate

TEXTS = Path(__file__).parents[1] / "data" / "benchmarks" / "topic_texts.jsonl"
"""Forty short texts and eleven that are no news, written for this project."""

LOOKS = ("whole", "title and 300 letters", "title")
_SEEN, _NEW = "publishers unseen", "source unseen"


def measure() -> dict[str, pd.DataFrame]:
    """Return every table of figures: ``label, series, value, low, high``."""
    prepared = learner()
    return tables(prepared, validate(prepared)[0], validate(prepared, "source")[0])


def tables(prepared: Learner, seen: NDArray[np.float64], new: NDArray[np.float64]) -> dict[str, pd.DataFrame]:
    """Return every table from the figures (:func:`training.topics.validate`) by unseen publisher and source."""
    found = {}
    for way, name in enumerate(("english", "encoder_english")):
        threshold = listing(prepared, new[way][0])
        series = {_SEEN: seen[way][0], _NEW: new[way][0]}
        whole = [_scores(prepared, values, threshold, name) for name, values in series.items()]
        scores = pd.concat(whole, ignore_index=True)
        older = scores[scores["group"].isin(["gold", "modern"])]
        found[name] = _shape(older, older["metric"] + ", " + older["group"])
        if not way:
            sources = scores[(scores["metric"] == "accuracy") & (scores["group"] != "gold")]
            found["sources"] = _shape(sources, sources["group"])
    return found | {
        "lengths": lengths(prepared, seen),
        "by_topic": by_topic(prepared, seen[0][0]),
        "languages": languages(),
        "encoder_languages": languages(encoder=True),
        "sample": sample(),
        "texts": texts(),
    }


def lengths(learner: Learner, figures: NDArray[np.float64]) -> pd.DataFrame:
    """Accuracy and calibration error by what is read of a document; publishers unseen, without and with the encoder."""
    documents = learner.documents
    english = documents.languages == "en"
    rows = []
    for kind, some in (("English", documents.pinned & english), ("others", documents.pinned & ~english)):
        scored = some & ~np.isnan(figures[0, 0]).any(axis=1)
        for look, label in enumerate(LOOKS):
            for way, values in zip(("", " with the encoder"), figures[:, look], strict=True):
                top = values[scored].max(axis=1)
                right = values[scored].argmax(axis=1) == documents.primary[scored]
                rows.append(_row(f"{kind}, {label}", "accuracy" + way, right.mean()))
                rows.append(_row(f"{kind}, {label}", "ECE" + way, calibration_error(top, right)))
    return pd.DataFrame(rows)


def _row(label: str, series: str, value: float, low: float = np.nan, high: float = np.nan) -> dict[str, Any]:
    return {"label": label, "series": series, "value": value, "low": low, "high": high}


def _share(label: str, series: str, hits: NDArray[np.bool_]) -> dict[str, Any]:
    found = rate(int(hits.sum()), len(hits))
    return _row(label, series, found["share"], found["low"], found["high"])


def _shape(table: pd.DataFrame, label: pd.Series[str]) -> pd.DataFrame:
    return table.assign(label=label)[["label", "series", "value", "low", "high"]].reset_index(drop=True)


def _scores(learner: Learner, figures: NDArray[np.float64], threshold: float, series: str) -> pd.DataFrame:
    documents = learner.documents
    rows = np.flatnonzero(documents.pinned & (documents.languages == "en") & ~np.isnan(figures).any(axis=1))
    codes = np.array(CODES)
    values = figures[rows]
    shown = values >= threshold
    shown[np.arange(len(rows)), values.argmax(axis=1)] = True
    sources = documents.sources[rows].astype(str)
    found = []
    for group in ("gold", *dict.fromkeys(sources)):
        some = sources != "modern" if group == "gold" else sources == group
        table = topic_scores(
            pd.DataFrame(values[some], columns=list(CODES)),
            codes[documents.primary[rows[some]]],
            [set(codes[member]) for member in documents.member[rows[some]]],
            listed=shown[some],
        )
        found.append(table.assign(group=group))
    return pd.concat(found, ignore_index=True).assign(series=series)


def by_topic(learner: Learner, figures: NDArray[np.float64]) -> pd.DataFrame:
    """Precision, recall and F1 of each topic; English documents of the older gold, publishers unseen."""
    documents = learner.documents
    some = documents.pinned & (documents.languages == "en") & (documents.sources != "modern")
    best, true = figures[some].argmax(axis=1), documents.primary[some]
    names = taxonomy.names("en-GB")
    rows = []
    for column, code in enumerate(CODES):
        hits = int(((best == column) & (true == column)).sum())
        said, there = int((best == column).sum()), int((true == column).sum())
        parts = {"documents": there, "precision": hits / max(said, 1), "recall": hits / max(there, 1)}
        parts["F1"] = 2 * hits / max(said + there, 1)
        rows += [_row(names[code], name, value) for name, value in parts.items()]
    return pd.DataFrame(rows)


def languages(*, encoder: bool = False) -> pd.DataFrame:
    """What the card of the shipped model says of every language that was tried."""
    table = pd.DataFrame(shipped_model(encoder=encoder).card["held_out"])
    table = table[table["documents"] >= 20]
    rows = []
    for row in table.to_dict("records"):
        label = row["language"] + ("" if row["supported"] else " (not claimed)")
        rows += [_row(label, name, row[name]) for name in ("documents", "publishers", "answered")]
        rows.append(_row(label, "right", row["accuracy"], row["low"], row["high"]))
        rows.append(_row(label, "one of the document's", row["among"]))
    return pd.DataFrame(rows)


def sample() -> pd.DataFrame:
    """The shipped models on the cleaned invented sample, by language; it is never learned from."""
    gold = datasets.gold("sample")
    corpus = clean(gold.corpus[gold.corpus["doc_id"].isin(gold.topics["doc_id"])].reset_index(drop=True))
    topics = gold.topics.set_index("doc_id").loc[corpus["doc_id"]]
    rows = []
    for way, encoder in (("", False), (" with the encoder", True)):
        classifier = TopicClassifier(encoder=encoder)
        best = classifier.predict_proba(corpus).idxmax(axis=1).map(SHORT_NAMES)
        series = {
            "right": best == topics["primary"].to_numpy(),
            "one of the document's": [short in each for short, each in zip(best, topics["all"], strict=True)],
            "answered": classifier.predict(corpus).notna(),
        }
        for language in corpus["lang"].drop_duplicates():
            some = (corpus["lang"] == language).to_numpy(bool)
            rows += [_share(language, name + way, np.asarray(hits)[some]) for name, hits in series.items()]
    return pd.DataFrame(rows)


def texts() -> pd.DataFrame:
    """The shipped models on forty short texts of our own and eleven that are no news."""
    table = pd.DataFrame(map(json.loads, TEXTS.read_text("utf-8").splitlines()))
    said = TopicClassifier().predict(table["text"])
    right = [
        said_ in [CODE_OF[short] for short in each] if each else pd.isna(said_)
        for said_, each in zip(said, table["topics"], strict=True)
    ]
    table = table.assign(right=right, kind=np.where(table["topics"].str.len() > 0, "news", "no news"))
    rows = []
    for kind, part in table.groupby("kind", sort=False):
        rows.append(_row(str(kind), "texts", len(part)))
        rows.append(_share(str(kind), "right", part["right"].to_numpy(bool)))
    return pd.DataFrame(rows)
