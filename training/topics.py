"""Train the shipped model: ``python -m training.topics --data FOLDER``.

Labelled documents are the project's own topic gold on allsides, wcxb, aed and fundus, and what was labelled
later (``topics_extra.jsonl``). News of allsides, TagMyNews and SIB-200 teaches which words go together.
MasakhaNEWS and AG News take no part. Same data, same bytes (on one machine type: the solvers are BLAS).
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
from scipy.special import logit, softmax

from toolkit import datasets
from toolkit.topics import calibration
from toolkit.topics.classifier import unit_rows
from toolkit.topics.features import FeatureSpace, matrix
from toolkit.topics.model import SHIPPED, TopicModel, listed
from toolkit.topics.taxonomy import CODES
from training import ridge
from training.labels import (
    FOREIGN,
    LEARNED,
    Documents,
    Floats,
    Places,
    balance,
    foreign,
    labelled,
    publisher_folds,
    source_folds,
    targets,
)
from training.mediatopics import definitions

MEDIA_TOPICS = "taxonomy/iptc_mediatopics_2023-10-24.json"
"""The full taxonomy in the data folder."""


@dataclass(frozen=True)
class Design:
    """The choices of the learner; how they were made is told in ``docs/topics.md``.

    Parameters
    ----------
    bits, lead, title_weight : int
        See :class:`toolkit.topics.features.FeatureSpace`.
    idf_power : float
        Inverse document frequencies are raised to this power.
    at_least : int
        Documents a bucket must occur in.
    primary_share : float
        Share of a document's label that its primary topic gets.
    balance : float
        Weight of a document: frequency of its topic to minus this power.
    penalty : float
        Of the ridge regression.
    rank, power : int, float
        Number of semantic directions, and how far their variance is evened out.
    semantic, slugs, headlines, sentences : float
        Strength of directions against 1 for words: of unlabelled news, of allsides' topic slugs, of
        TagMyNews' rubrics, of SIB-200's topics. 0 leaves them out.
    definitions : float
        Weight of what the taxonomy says of its topics, a document each, against 1 for a labelled article.
    """

    bits: int = 17
    lead: int = 12000
    title_weight: int = 6
    idf_power: float = 0.5
    at_least: int = 3
    primary_share: float = 0.8
    balance: float = 0.5
    penalty: float = 0.15
    rank: int = 400
    power: float = 0.5
    semantic: float = 0.25
    slugs: float = 0.15
    headlines: float = 0.15
    sentences: float = 0.15
    definitions: float = 0.2

    @property
    def space(self) -> FeatureSpace:
        """What is read of a document."""
        return FeatureSpace(self.bits, self.lead, self.title_weight)


@dataclass(frozen=True, eq=False)
class Prepared:
    """Features of all that is learned from: the labelled documents, then the definitions.

    Attributes
    ----------
    features : csr_matrix
    idf : float32 array
    similarity : ridge.Similarity
    kernel : float array
        How alike every two rows are.
    goal : float array, shape (rows, 17)
    weight : float array, length rows
    """

    features: csr_matrix
    idf: NDArray[np.float32]
    similarity: ridge.Similarity
    kernel: Floats
    goal: Floats
    weight: Floats

    def learn(self, rows: Places, penalty: float) -> tuple[Places, Floats, Floats]:
        """Learn from some labelled documents and all definitions: rows, dual solution, shift."""
        defining = np.arange(len(self.goal))[-self.definitions :] if self.definitions else rows[:0]
        rows = np.concatenate([rows, defining])
        dual, shift = ridge.solve(
            self.kernel[np.ix_(rows, rows)], self.goal[rows], self.weight[rows], penalty
        )
        return rows, dual, shift

    definitions: int = 0


def prepare(documents: Documents, design: Design, *, without: Iterable[str] = ()) -> Prepared:
    """Count words, weigh them, find directions. No hand label is used.

    Parameters
    ----------
    documents : Documents
    design : Design
    without : iterable of str
        Sets whose foreign labels and unlabelled texts are left out, to test on them as an unseen source.
    """
    own = matrix(documents.corpus["text"], documents.corpus["title"], design.space)
    defined = definitions(datasets.folder() / MEDIA_TOPICS)
    defined = defined[: len(defined) if design.definitions else 0]
    defining = matrix(defined["text"], None, design.space)
    strengths = {"allsides": design.slugs, "tagmynews": design.headlines, "sib200": design.sentences}
    wanted = [
        name for name in FOREIGN if name not in set(without) and (name == "allsides" or strengths[name])
    ]
    other = {
        name: (matrix(frame["text"], frame["title"], design.space), frame["label"].to_numpy(dtype=object))
        for name, frame in foreign(documents.corpus["doc_id"], wanted).items()
    }
    articles = [own] + [other[name][0] for name in ("allsides",) if name in other]
    found = sum(np.bincount(counts.indices, minlength=design.space.size) for counts in articles)
    anywhere = found + sum(
        np.bincount(other[name][0].indices, minlength=design.space.size)
        for name in other
        if name != "allsides"
    )
    total = sum(counts.shape[0] for counts in articles)
    idf = np.where(anywhere >= design.at_least, np.log((1 + total) / (1 + found)) ** design.idf_power, 0.0)
    weigh = diags(idf.astype(np.float32))
    features = unit_rows(own @ weigh)
    weighed = {name: (unit_rows(counts @ weigh), labels) for name, (counts, labels) in other.items()}
    directions = []
    if design.semantic:
        news = [features] + [weighed[name][0] for name in ("allsides",) if name in weighed]
        found_directions = ridge.semantic_directions(
            csr_matrix(vstack(news)), rank=design.rank, power=design.power
        )
        directions.append(found_directions.scaled(features, design.semantic, standard=False))
    for name, strength in strengths.items():
        if strength and name in weighed:
            taught = ridge.label_directions(*weighed[name], penalty=1.0)
            directions.append(taught.scaled(features, strength, standard=True))
    similarity = ridge.Similarity(directions, 1.0 + design.semantic + sum(strengths.values()))
    features = csr_matrix(vstack([features, unit_rows(defining @ weigh)]))
    return Prepared(
        features=features,
        idf=idf.astype(np.float32),
        similarity=similarity,
        kernel=similarity.kernel(features),
        goal=np.vstack(
            [
                targets(documents, design.primary_share),
                (defined["topic"].to_numpy(dtype=object)[:, None] == np.array(CODES, object)).astype(float),
            ]
        ),
        weight=np.concatenate(
            [balance(documents, design.balance), np.full(len(defined), design.definitions)]
        ),
        definitions=len(defined),
    )


def unseen_scores(
    documents: Documents, prepared: Prepared, design: Design, folds: Iterable[tuple[Places, Places]]
) -> Floats:
    """Score documents by models that were not trained on them; rows of no test fold are NaN."""
    scores = np.full(documents.member.shape, np.nan)
    for train, test in folds:
        train = train[np.isin(documents.sources[train], LEARNED)]
        rows, dual, shift = prepared.learn(train, design.penalty)
        scores[test] = prepared.kernel[np.ix_(test, rows)] @ dual + shift
    return scores


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Calibration of the scores: see :class:`toolkit.topics.model.TopicModel`."""

    matrix: Floats
    shift: Floats
    also: Floats
    threshold: float

    def probabilities(self, scores: Floats) -> Floats:
        """Return the figures of kind ``"leading"``."""
        return listed(np.asarray(softmax(scores @ self.matrix + self.shift, axis=1)), self.also)


def calibrate(scores: Floats, documents: Documents, rows: Places) -> Calibrated:
    """Fit the calibration on scores of documents that were unseen when they were scored."""
    turn, move = calibration.fit_softmax(scores[rows], documents.primary[rows], strength=10.0)
    share = np.asarray(softmax(scores[rows] @ turn + move, axis=1))
    odds = logit(np.clip(share, 1e-9, 1 - 1e-9))
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


def validate(design: Design, scheme: str = "publisher", *, seed: int = 0) -> tuple[Documents, pd.DataFrame]:
    """Predict each labelled document by a model that saw neither it nor its group.

    Parameters
    ----------
    design : Design
    scheme : {"publisher", "source"}
        What is left out in turn: a fifth of the publishers, or a whole source with its foreign labels and
        unlabelled texts. The calibration is cross-fitted on the scores of the other folds; where a source is
        left out, on scores of models that never saw that source.
    seed : int, default 0
        Of the split of publishers.

    Returns
    -------
    documents : Documents
    figures : DataFrame, shape (documents, 17)
        As :meth:`toolkit.topics.TopicClassifier.predict_proba`; ``attrs["thresholds"]`` has the threshold of
        each document's fold.
    """
    documents = labelled()
    prepared = prepare(documents, design)
    figures = np.full(documents.member.shape, np.nan)
    thresholds = np.full(len(figures), np.nan)
    folds = source_folds(documents) if scheme == "source" else publisher_folds(documents, seed=seed)
    scores = unseen_scores(documents, prepared, design, folds) if scheme == "publisher" else figures
    for train, test in folds:
        train = train[np.isin(documents.sources[train], LEARNED)]
        if scheme == "source":
            source = documents.sources[test[0]]
            known = prepare(documents, design, without=[source]) if source in FOREIGN else prepared
            inner = [(np.intersect1d(a, train), b) for a, b in publisher_folds(documents, 3, seed)]
            scores = unseen_scores(documents, known, design, inner)
            scores[test] = unseen_scores(documents, known, design, [(train, test)])[test]
        calibrated = calibrate(scores, documents, train)
        figures[test] = calibrated.probabilities(scores[test])
        thresholds[test] = calibrated.threshold
    frame = pd.DataFrame(figures, columns=list(CODES))
    frame.attrs["thresholds"] = thresholds
    return documents, frame


def train(design: Design) -> TopicModel:
    """Train the shipped model on all labelled documents of :data:`training.labels.LEARNED`."""
    documents = labelled()
    prepared = prepare(documents, design)
    rows = documents.learnable
    scores = unseen_scores(documents, prepared, design, publisher_folds(documents))
    calibrated = calibrate(scores, documents, rows)
    learned, dual, shift = prepared.learn(rows, design.penalty)
    weights, bias = prepared.similarity.fold(prepared.features[learned], dual, shift)
    weights, bias = weights @ calibrated.matrix, bias @ calibrated.matrix + calibrated.shift
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
    """Round weights to 8 bits, one scale a topic; its largest weights are cut where that loses least."""
    whole, scales = np.empty(weights.shape, np.int8), np.empty(weights.shape[1], np.float32)
    for topic, column in enumerate(weights.T):
        peak = float(np.abs(column).max()) or 1.0
        loss = {}
        for cut in (1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2):
            scale = peak * cut / 127
            loss[scale] = float(((np.clip(np.rint(column / scale), -127, 127) * scale - column) ** 2).sum())
        scale = min(loss, key=loss.__getitem__)
        whole[:, topic] = np.clip(np.rint(column / scale), -127, 127)
        scales[topic] = scale
    return whole, scales


def card(documents: Documents, rows: Places, design: Design) -> dict[str, Any]:
    """Describe the model: what it is, what it was trained on, what it is for."""
    sources, counts = np.unique(documents.sources[rows].astype(str), return_counts=True)
    licences = datasets.list()["licence"]
    return {
        "description": "17 top-level IPTC Media Topics; hashed words and word pairs, linear, calibrated.",
        "taxonomy": "IPTC Media Topics 2023-10-24, CC BY 4.0",
        "intended_use": "Topics of news in English and Nigerian Pidgin; other languages are not supported.",
        "languages": ["en", "eng", "english", "pcm"],
        "labels": dict(zip(sources.tolist(), counts.tolist(), strict=True)),
        "licences": {name: str(licences[name]) for name in LEARNED},
        "design": asdict(design),
        "figures": "docs/topics.md",
    }


def main(arguments: list[str] | None = None) -> None:
    """Train the shipped model and write it."""
    parser = argparse.ArgumentParser(prog="python -m training.topics", description=main.__doc__)
    parser.add_argument("--data", type=Path, help="the data folder; default: NEWS_TOOLKIT_DATA")
    parser.add_argument(
        "--out", type=Path, default=SHIPPED, help="the .npz to write; its card goes beside it"
    )
    chosen = parser.parse_args(arguments)
    if chosen.data is not None:
        os.environ[datasets.store.SETTING] = str(chosen.data)
    train(Design()).save(chosen.out)


if __name__ == "__main__":
    main()
