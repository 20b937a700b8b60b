"""Train the shipped verdict model: ``python -m training.verdict``.

Two stages. A logistic regression over hashed words learns how segments sound; documents are then composed of texts
that it did not see, five times over, and boosted trees learn from its probabilities and the layout what such documents
are. Their sums are calibrated on folds that the trees did not see. Same data, same bytes.
"""

from __future__ import annotations

import argparse
import os
import random
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import log_softmax
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from toolkit.buffer import Buffer
from toolkit.datasets.registry import SETTING
from toolkit.kernels import njit
from toolkit.modelfile import write_model
from toolkit.segments import Segments, cut
from toolkit.trees import Trees
from toolkit.verdict.model import COLUMNS, FORMAT, LEARNED, SHIPPED, TABLES, VerdictModel
from toolkit.verdict.reading import BITS, KINDS, LOWER, ROOM, SHAPE, SOUNDS, scan
from training.boosting import trees_of
from training.composing import compose
from training.pieces import bar
from training.texts import Row, Texts, load_texts

FOLDS, SEED = 5, 0
NUMBER = 2000
"""Documents composed for each verdict."""
HARD = 1500
"""Paragraphs of real articles that sound least like a story, added as articles; and as many whole ones."""
OFTEN = 400
"""Articles of a language from which the words learn, where there are so many, or a third of all if that is more."""
C = 2.0
WEIGHTS = {"story": 0.3, "wall": 0.2, "error": 0.15, "listing": 0.15, "furniture": 0.1, "gate": 0.1}
"""Share of the sounds in what the words are learned from."""

_SOUND_OF = {
    "wall": "wall", "gate": "gate", "error": "error", "index": "listing", "menu": "listing", "article": "story",
}  # fmt: skip


def part(texts: Texts, wanted: Callable[[str], bool], *, inventions: bool = True) -> Texts:
    """Keep what has a wanted key: the publisher of an article or page, and, if asked, an invented text itself."""

    def own(rows: list[Row], key: str) -> list[Row]:
        return [row for row in rows if (key == "text" and not inventions) or wanted(row[key])]

    invented = {name: own(rows, "text") for name, rows in texts.invented.items()}
    return Texts(
        own(texts.articles, "group"), invented, own(texts.furniture, "text"), own(texts.pages, "group")
    )


def fold_of(key: str) -> int:
    """Fold of a text or publisher."""
    return zlib.crc32(f"fold {key}".encode()) % FOLDS


def segments_of(texts: Texts) -> list[tuple[str, str, float]]:
    """Passages whose sound is known: text, sound, weight."""
    rng = random.Random(SEED)
    rows = [
        (row["text"], sound, 3.0 if name == "menu" else 1.0)
        for name, sound in _SOUND_OF.items()
        for row in texts.invented.get(name, [])
    ]
    kinds = Counter(row["kind"] for row in texts.furniture)
    rows += [(row["text"], "furniture", 100 / kinds[row["kind"]]) for row in texts.furniture]
    rows += [(text.replace("\n", " "), sound, 0.5) for text, sound, _ in rows if "\n" in text]
    for lang in sorted({row["lang"] for row in texts.invented["menu"]}):
        rows += [(bar(texts, lang, rng), "listing", 1.0) for _ in range(20)]
    many = Counter(row["lang"] for row in texts.articles)
    for row in texts.articles:
        often = 0.06 if row["set"] == "allsides" else max(0.35, OFTEN / many[row["lang"]])
        if rng.random() < often:
            rows.append((row["text"][:1500], "story", 1.0))
        if row["title"] and rng.random() < often:  # so many that menus would not be heard beside them
            rows.append((row["title"], "listing", 0.3))
    return rows


def learn_words(texts: Texts) -> VerdictModel:
    """Learn how segments sound; the model has no trees yet."""
    rows = segments_of(texts)
    buffer = Buffer.of([row[0] for row in rows])
    segments = cut(buffer)
    owner = np.searchsorted(segments.bounds, np.arange(len(segments)), side="right") - 1
    sound = np.array([SOUNDS.index(row[1]) for row in rows])[owner]
    weight = np.array([row[2] for row in rows])[owner]
    share = np.array([WEIGHTS[name] for name in SOUNDS]) / np.bincount(sound, weight, len(SOUNDS))
    weight *= share[sound] * len(sound)
    learner = LogisticRegression(C=C, max_iter=150, tol=1e-3)
    learner.fit(ngrams(buffer, segments), sound, sample_weight=weight)
    found = learner.coef_.T.astype(np.float32)
    scale = (np.abs(found).max(axis=0) / 127).astype(np.float32)
    table = np.ascontiguousarray(np.rint(found / scale).astype(np.int8))
    return VerdictModel(table, scale, learner.intercept_.astype(np.float32), (), np.zeros(7))


@njit(cache=True, nogil=True)
def _collect(data, start, end, kinds, lower, found, counts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Fill the n-grams of each segment, and how many they are."""
    shape = np.empty(len(SHAPE), np.int32)
    for s in range(len(start)):
        counts[s] = scan(data, start[s], end[s], kinds, lower, found[s], shape)


def ngrams(buffer: Buffer, segments: Segments) -> csr_array:
    """Return the n-grams of segments, as :func:`toolkit.verdict.reading.sounds` weighs them."""
    found = np.empty((len(segments), ROOM), np.uint32)
    counts = np.empty(len(segments), np.int64)
    _collect(buffer.data, segments.start, segments.end, KINDS, LOWER, found, counts)
    values = np.repeat((1.0 / np.sqrt(np.maximum(counts, 1))).astype(np.float32), counts)
    there = np.arange(ROOM) < counts[:, None]
    parts = (values, found[there].astype(np.int32), np.r_[0, counts.cumsum()])
    return csr_array(parts, shape=(len(segments), 1 << BITS))


def rows_of(model: VerdictModel, documents: list[Row]) -> NDArray[np.float32]:
    """Evidence of documents."""
    texts, titles = ([row.get(name) or "" for row in documents] for name in ("text", "title"))
    return model.rows(Buffer.of(texts), Buffer.of(titles))


def hard_articles(texts: Texts, model: VerdictModel, number: int) -> list[Row]:
    """So many paragraphs of real articles, and so many whole ones, that sound least like a story."""
    lines = [
        row | {"text": line.strip(), "title": "", "verdict": "article"}
        for row in texts.articles
        if row["clean"]
        for line in row["text"].split("\n")
        if 40 <= len(line.strip()) <= 900
    ]
    wholes = [
        row | {"title": row["title"] if at % 2 else "", "verdict": "article"}
        for at, row in enumerate(texts.articles)
        if row["set"] != "allsides" or at % 10 == 0
    ]
    chosen: list[Row] = []
    for rows in (lines, wholes):
        taken: Counter[str] = Counter()
        for at in np.argsort(rows_of(model, rows)[:, COLUMNS.index("share_story")], kind="stable"):
            lang = rows[at]["lang"]
            if taken.total() < number and taken[lang] < number // 3:
                taken[lang] += 1
                chosen.append(rows[at])
    return chosen


def learn(texts: Texts) -> tuple[VerdictModel, dict[str, Any]]:
    """Learn the whole model; return it and what it saw."""
    found, verdicts, fold = [], [], []
    for k in range(FOLDS):
        words = learn_words(part(texts, lambda key, k=k: fold_of(key) != k))  # type: ignore[misc]
        unseen = part(texts, lambda key, k=k: fold_of(key) == k)  # type: ignore[misc]
        documents = list(compose(unseen, NUMBER // FOLDS, SEED + k))
        documents += hard_articles(unseen, words, HARD // FOLDS)
        found.append(rows_of(words, documents))
        verdicts += [LEARNED.index(row["verdict"]) for row in documents]
        fold += [k] * len(documents)
    rows, target, folds = np.vstack(found), np.array(verdicts), np.array(fold)
    sums = np.zeros((len(rows), len(LEARNED)))
    for k in range(FOLDS):
        trees = boosted(rows[folds != k], target[folds != k])
        sums[folds == k] = np.column_stack([one.predict(rows[folds == k]) for one in trees])
    model = learn_words(texts)
    trees = boosted(rows, target)
    calibration = calibrated(sums, target)
    seen = {name: int(n) for name, n in zip(LEARNED, np.bincount(target), strict=True)}
    return VerdictModel(model.table, model.scale, model.bias, trees, calibration), seen


def boosted(rows: NDArray[np.float32], target: NDArray[np.int64]) -> tuple[Trees, ...]:
    """Boosted trees, one sum a verdict."""
    learner = HistGradientBoostingClassifier(
        max_iter=150, max_leaf_nodes=12, learning_rate=0.06, min_samples_leaf=20, l2_regularization=5.0,
        random_state=SEED, early_stopping=False,
    ).fit(rows, target)  # fmt: skip
    return tuple(trees_of(learner, k) for k in range(len(LEARNED)))


def calibrated(sums: NDArray[np.float64], target: NDArray[np.int64]) -> NDArray[np.float64]:
    """Fit one factor and one addition a verdict to sums of unseen documents, each verdict weighing the same."""
    weight = (1 / np.bincount(target))[target]

    def loss(x: NDArray[np.float64]) -> float:
        chances = log_softmax(sums * x[0] + np.r_[0.0, x[1:]], axis=1)
        return float(-(weight * chances[np.arange(len(target)), target]).sum())

    best = minimize(loss, np.r_[1.0, np.zeros(len(LEARNED) - 1)], method="L-BFGS-B").x
    return np.asarray(np.round(np.r_[best[0], PRIOR, best[1:]], 4), np.float64)


PRIOR = 1.2
"""Added to the log-odds of an article: most of what is scraped is one."""


def save(model: VerdictModel, stem: str | Path) -> None:
    """Write ``stem.npz`` and ``stem.json``."""
    arrays: dict[str, Any] = {name: getattr(model, name) for name in TABLES}
    for name, trees in zip(LEARNED, model.trees, strict=True):
        arrays |= trees.arrays(name)
    about = {"verdicts": list(LEARNED), "columns": list(COLUMNS), "sounds": list(SOUNDS)}
    write_model(stem, arrays, {**model.card, "format": FORMAT, **about})


def main() -> None:
    """Train on everything and write the model."""
    parser = argparse.ArgumentParser(prog="python -m training.verdict", description=main.__doc__)
    parser.add_argument("--data", type=Path, help="data folder, if not the one of the settings")
    parser.add_argument("-o", "--output", type=Path, default=SHIPPED)
    options = parser.parse_args()
    if options.data:
        os.environ[SETTING] = str(options.data)
    texts = load_texts()
    model, seen = learn(texts)
    model.card.update(
        description="What a scraper got: article, stub, wall, error, index, garbled.",
        made_by="python -m training.verdict",
        seed=SEED,
        documents_composed=seen,
        learned_from={
            "invented texts, data/training, CC0": sum(len(rows) for rows in texts.invented.values()),
            "invented boilerplate, data/training, CC0": len(texts.furniture),
            "real articles, sets marked train": dict(
                sorted(Counter(row["set"] for row in texts.articles).items())
            ),
        },
        licence="Apache-2.0",
    )
    save(model, options.output)


if __name__ == "__main__":
    main()
