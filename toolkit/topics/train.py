"""Train the shipped model: ``python -m toolkit.topics.train --data FOLDER``.

Labelled documents are the project's own topic gold on allsides, wcxb, aed and fundus, and what was labelled
later (``topics_extra.jsonl``). Unlabelled news of allsides teaches which words go together. MasakhaNEWS and
AG News take no part. Same data, same bytes.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, vstack
from sklearn.model_selection import GroupKFold

from toolkit import datasets
from toolkit.topics import calibration, ridge
from toolkit.topics.classifier import unit_rows
from toolkit.topics.features import FeatureSpace, matrix
from toolkit.topics.model import SHIPPED, TopicModel, listed
from toolkit.topics.taxonomy import CODES, SHORT_NAMES

SHORTS = tuple(SHORT_NAMES.values())
LEARNED = ("allsides", "wcxb", "aed", "fundus", "tagmynews", "sib200")
"""Sets whose licence lets a model be trained on them (``data/README.md`` of the data folder)."""

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Design:
    """The choices of the learner; how they were made is told in ``docs/topics.md``."""

    space: FeatureSpace = FeatureSpace(bits=18, lead=4096, title_weight=2)
    idf_power: float = 0.5
    at_least: int = 3
    primary_share: float = 0.7
    balance: float = 0.5
    penalty: float = 0.3
    rank: int = 400
    power: float = 0.5
    strength: float = 0.5


@dataclass(frozen=True, eq=False)
class Documents:
    """Labelled documents.

    Attributes
    ----------
    corpus : DataFrame
        With ``set``: the registered name of the corpus.
    primary : int array
        Column of the primary topic in :data:`SHORTS`.
    member : bool array, shape (documents, 17)
    sure : bool array
        Whether the annotator was sure.
    groups : array of str
        The publisher, else the document itself.
    """

    corpus: pd.DataFrame
    primary: Places
    member: NDArray[np.bool_]
    sure: NDArray[np.bool_]
    groups: NDArray[Any]

    @property
    def sources(self) -> NDArray[Any]:
        """Registered name of each document's corpus."""
        return self.corpus["set"].to_numpy(dtype=object)


def labelled() -> Documents:
    """Return the topic gold whose documents have a primary topic, MasakhaNEWS included."""
    gold = datasets.gold("topics")
    has = gold.topics["primary"].notna().to_numpy()
    corpus, topics = gold.corpus[has].reset_index(drop=True), gold.topics[has].reset_index(drop=True)
    groups = corpus["publisher"].where(corpus["set"].isin(["allsides", "wcxb", "aed", "fundus"]))
    return Documents(
        corpus=corpus,
        primary=np.array([SHORTS.index(short) for short in topics["primary"]]),
        member=np.array([[short in each for short in SHORTS] for each in topics["all"]]),
        sure=topics["sure"].to_numpy(bool),
        groups=groups.fillna(corpus["doc_id"]).to_numpy(dtype=object),
    )


def targets(documents: Documents, share: float) -> Floats:
    """Spread each document's label: ``share`` to the primary topic, the rest over its other topics."""
    others = documents.member.astype(float)
    rows = np.arange(len(others))
    others[rows, documents.primary] = 0.0
    count = others.sum(axis=1, keepdims=True)
    spread = np.where(count > 0, (1 - share) * others / np.maximum(count, 1), 0.0)
    spread[rows, documents.primary] = np.where(count[:, 0] > 0, share, 1.0)
    return np.asarray(spread)


def balance(documents: Documents, power: float) -> Floats:
    """Weight documents of rare topics more: frequency of the primary topic to the power ``-power``, mean 1."""
    frequency = np.bincount(documents.primary, minlength=len(SHORTS))
    weight = frequency[documents.primary].astype(float) ** -power
    return np.asarray(weight / weight.mean())


@dataclass(frozen=True, eq=False)
class Prepared:
    """Features of the labelled documents and what the unlabelled ones taught."""

    features: csr_matrix
    idf: NDArray[np.float32]
    semantics: ridge.Semantics
    similarity: Floats


def prepare(documents: Documents, design: Design) -> Prepared:
    """Count words, weigh them, find directions of meaning. No label is used."""
    own = matrix(documents.corpus["text"], documents.corpus["title"], design.space)
    news = datasets.load("allsides")
    news = news[~news["doc_id"].isin(documents.corpus["doc_id"])]
    other = matrix(news["text"], news["title"], design.space)
    found = np.bincount(own.indices, minlength=design.space.size) + np.bincount(
        other.indices, minlength=design.space.size
    )
    total = own.shape[0] + other.shape[0]
    idf = np.where(found >= design.at_least, np.log((1 + total) / (1 + found)) ** design.idf_power, 0.0)
    weigh = diags(idf.astype(np.float32))
    features = unit_rows(own @ weigh)
    everything = csr_matrix(vstack([features, unit_rows(other @ weigh)]))
    semantics = ridge.find_semantics(
        everything, rank=design.rank, power=design.power, strength=design.strength
    )
    return Prepared(features, idf.astype(np.float32), semantics, ridge.kernel(features, semantics))


def unseen_scores(
    documents: Documents, similarity: Floats, design: Design, folds: Iterable[tuple[Places, Places]]
) -> Floats:
    """Score documents by models that were not trained on them; rows of no test fold are NaN."""
    goal, weight = targets(documents, design.primary_share), balance(documents, design.balance)
    scores = np.full(goal.shape, np.nan)
    for train, test in folds:
        train = train[np.isin(documents.sources[train], LEARNED)]
        dual, shift = ridge.solve(
            similarity[np.ix_(train, train)], goal[train], weight[train], design.penalty
        )
        scores[test] = similarity[np.ix_(test, train)] @ dual + shift
    return scores


def publisher_folds(documents: Documents, folds: int = 5, seed: int = 0) -> list[tuple[Places, Places]]:
    """Split so that no publisher straddles a fold."""
    split = GroupKFold(folds, shuffle=True, random_state=seed)
    return list(split.split(documents.primary, groups=documents.groups))


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Calibration of the scores: see :class:`toolkit.topics.model.TopicModel`."""

    matrix: Floats
    shift: Floats
    also: Floats
    threshold: float

    def probabilities(self, scores: Floats) -> Floats:
        """Return the figures of kind ``"leading"``."""
        share = _softmax(scores @ self.matrix + self.shift)
        return listed(share, self.also)


def calibrate(scores: Floats, documents: Documents, rows: Places) -> Calibrated:
    """Fit the calibration on scores of documents that were unseen when they were scored."""
    turn, move = calibration.fit_softmax(scores[rows], documents.primary[rows], strength=10.0)
    share = _softmax(scores[rows] @ turn + move)
    odds = np.log(np.clip(share, 1e-9, 1 - 1e-9)) - np.log1p(-np.clip(share, 1e-9, 1 - 1e-9))
    member = documents.member[rows]
    lead = share.argmax(axis=1)
    beside = np.ones(share.shape, bool)
    beside[np.arange(len(lead)), lead] = False
    also = np.array(
        [
            calibration.fit_sigmoids(odds[beside[:, k], k : k + 1], member[beside[:, k], k : k + 1])[0]
            for k in range(share.shape[1])
        ]
    )
    figures = listed(share, also)
    figures[np.arange(len(lead)), lead] = 1.0
    return Calibrated(turn, move, also, calibration.best_threshold(figures, member))


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def train(design: Design) -> TopicModel:
    """Train the shipped model on all labelled documents of :data:`LEARNED`."""
    documents = labelled()
    prepared = prepare(documents, design)
    rows = np.flatnonzero(np.isin(documents.sources, LEARNED))
    scores = unseen_scores(documents, prepared.similarity, design, publisher_folds(documents))
    calibrated = calibrate(scores, documents, rows)
    goal, weight = targets(documents, design.primary_share), balance(documents, design.balance)
    dual, shift = ridge.solve(
        prepared.similarity[np.ix_(rows, rows)], goal[rows], weight[rows], design.penalty
    )
    weights = ridge.fold(prepared.features[rows], prepared.semantics, dual) @ calibrated.matrix
    bias = shift @ calibrated.matrix + calibrated.shift
    weights -= weights.mean(axis=1, keepdims=True)  # softmax does not see it, explanations read better
    whole, scale = quantise(weights)
    return TopicModel(
        classes=CODES,
        space=design.space,
        kind="leading",
        weights=whole,
        scale=scale,
        bias=(bias - bias.mean()).astype(np.float32),
        idf=prepared.idf,
        also=calibrated.also.astype(np.float32),
        thresholds=np.full(len(CODES), calibrated.threshold, np.float32),
        card=card(documents, rows, design),
    )


def quantise(weights: Floats) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round weights to 8 bits, one scale a topic; a column's largest weights are cut where that loses least."""
    best_scale = np.empty(weights.shape[1], np.float32)
    whole = np.empty(weights.shape, np.int8)
    for topic in range(weights.shape[1]):
        column = weights[:, topic]
        peak = np.abs(column).max() or 1.0
        errors = []
        for cut in (1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2):
            scale = peak * cut / 127
            errors.append(
                (float(((np.clip(np.rint(column / scale), -127, 127) * scale - column) ** 2).sum()), scale)
            )
        scale = min(errors)[1]
        best_scale[topic] = scale
        whole[:, topic] = np.clip(np.rint(column / scale), -127, 127)
    return whole, best_scale


def card(documents: Documents, rows: Places, design: Design) -> dict[str, Any]:
    """Describe the model: what it is, what it was trained on, what it is for."""
    sources, counts = np.unique(documents.sources[rows].astype(str), return_counts=True)
    licences = datasets.list()
    return {
        "description": "17 top-level IPTC Media Topics; hashed words and word pairs, linear, calibrated.",
        "taxonomy": "IPTC Media Topics 2023-10-24, CC BY 4.0",
        "intended_use": "Topics of news articles in English; other languages are not supported.",
        "labels": {str(s): int(n) for s, n in zip(sources, counts, strict=True)},
        "design": {k: v for k, v in asdict(design).items() if k != "space"},
        "figures": "docs/topics.md",
        "licences": {str(s): str(licences.loc[s, "licence"]) for s in sources},
    }


def main(arguments: list[str] | None = None) -> None:
    """Train the shipped model and write it."""
    parser = argparse.ArgumentParser(prog="python -m toolkit.topics.train", description=main.__doc__)
    parser.add_argument("--data", type=Path, help="the data folder; default: NEWS_TOOLKIT_DATA")
    parser.add_argument(
        "--out", type=Path, default=SHIPPED, help="the file to write (.npz; the card beside it)"
    )
    chosen = parser.parse_args(arguments)
    if chosen.data is not None:
        os.environ[datasets.store.SETTING] = str(chosen.data)
    train(Design()).save(chosen.out)


if __name__ == "__main__":
    main()
