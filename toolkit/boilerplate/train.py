"""Train the shipped segment model: ``python -m toolkit.boilerplate.train``.

Reads the gold spans and the page sets from the data folder (``NEWS_TOOLKIT_DATA``) and writes
``toolkit/models/boilerplate.npz`` and ``.json``. The same data give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import vstack

from toolkit import datasets
from toolkit.boilerplate.evidence import COLUMNS, KINDS, REPEATED, evidence, probabilities
from toolkit.boilerplate.features import BUCKETS, ngram_matrix
from toolkit.boilerplate.linear import fit_softmax
from toolkit.boilerplate.model import SHIPPED, Decision, SegmentModel
from toolkit.boilerplate.remover import Reading
from toolkit.boilerplate.templates import TemplateIndex
from toolkit.boilerplate.trees import Trees
from toolkit.corpus import make_corpus

CLASSES = len(KINDS) + 1
ALONE = len(COLUMNS) - len(REPEATED)
"""The first columns of the evidence need no corpus."""

LOSSES = (0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005)
"""Shares of article characters lost for which the card keeps a threshold."""

_NO_WEIGHTS = np.zeros((BUCKETS, CLASSES), np.float32)


@dataclass(frozen=True)
class Labelled:
    """Documents cut into segments with a class for each: 0 article text, 1… kinds, -1 unknown.

    Attributes
    ----------
    corpus : DataFrame
    label : ndarray of int8, shape (n_segments,)
    read : Reading
    fold : ndarray of int64, shape (n_documents,)
        Cross-validation fold, the same for all documents of a publisher.
    """

    corpus: pd.DataFrame
    label: NDArray[np.int8]
    read: Reading
    fold: NDArray[np.int64]
    document: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        counts = np.diff(self.read.segments.bounds)
        object.__setattr__(self, "document", np.repeat(np.arange(len(self.corpus)), counts))

    @property
    def segment_fold(self) -> NDArray[np.int64]:
        """Fold of each segment."""
        return self.fold[self.document]

    @property
    def weight(self) -> NDArray[np.float32]:
        """Training weight of each segment: long ones count more, as they do in the metric."""
        size = np.minimum(self.read.shapes[:, 7], 400)
        return np.sqrt(size / 60).clip(0.5, 3).astype(np.float32)


def fold_of(publishers: pd.Series[Any], folds: int, seed: int) -> NDArray[np.int64]:
    """Deal publishers to folds by a hash of their name; shape (n_documents,)."""
    names = [str(name) for name in publishers.fillna("")]
    dealt = {
        n: int.from_bytes(hashlib.blake2b(f"{seed}:{n}".encode(), digest_size=8).digest(), "big") % folds
        for n in set(names)
    }
    return np.array([dealt[n] for n in names], np.int64)


def label_segments(
    corpus: pd.DataFrame, read: Reading, spans: pd.DataFrame, known: set[str]
) -> NDArray[np.int8]:
    """Class of each segment by the span that covers more than half of it.

    Parameters
    ----------
    spans : DataFrame
        doc_id, start, end (code points), kind; a kind outside :data:`KINDS` gives class -1.
    known : set of str
        Documents that were annotated; segments of all others get -1.
    """
    segments, buffer = read.segments, read.buffer
    label = np.full(len(segments), -1, np.int8)
    at = {d: i for i, d in enumerate(corpus["doc_id"])}
    texts = corpus["text"].tolist()
    for doc_id in known & at.keys():
        label[segments.bounds[at[doc_id]] : segments.bounds[at[doc_id] + 1]] = 0
    for doc_id, start, end, kind in spans[["doc_id", "start", "end", "kind"]].itertuples(index=False):
        d = at.get(doc_id)
        if d is None:
            continue
        base = int(buffer.offsets[d])
        a = base + len(texts[d][:start].encode())
        b = a + len(texts[d][start:end].encode())
        mine = slice(segments.bounds[d], segments.bounds[d + 1])
        covered = np.minimum(segments.end[mine], b) - np.maximum(segments.start[mine], a)
        most = covered * 2 > segments.end[mine] - segments.start[mine]
        label[mine][most] = 1 + KINDS.index(kind) if kind in KINDS else -1
    return label


def labelled(
    corpus: pd.DataFrame, spans: pd.DataFrame, known: set[str], *, folds: int, seed: int
) -> Labelled:
    """Cut a corpus and label its segments."""
    read = Reading(corpus, _NO_WEIGHTS, np.zeros(CLASSES, np.float32))
    label = label_segments(corpus, read, spans, known)
    return Labelled(corpus, label, read, fold_of(corpus["publisher"], folds, seed))


def _learn(sets: list[tuple[Labelled, Any, float]], leave_out: int | None, seed: int) -> tuple[Any, Any]:
    """N-gram weights from all labelled segments outside a fold."""
    rows, classes, weights = [], [], []
    for part, matrix, trust in sets:
        use = np.flatnonzero(
            (part.label >= 0) & (part.segment_fold != (-1 if leave_out is None else leave_out))
        )
        rows.append(matrix[use])
        classes.append(part.label[use].astype(np.int64))
        weights.append(part.weight[use] * np.float32(trust))
    table, bias = fit_softmax(
        vstack(rows, format="csr"),
        np.concatenate(classes),
        np.concatenate(weights),
        classes=CLASSES,
        seed=seed,
    )
    return table.astype(np.float16).astype(np.float32), bias


def _trees(
    rows: NDArray[np.float32], positive: NDArray[np.bool_], weight: NDArray[np.float32], seed: int
) -> Trees:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=150, learning_rate=0.08, max_leaf_nodes=16, min_samples_leaf=25, l2_regularization=1.0,
        early_stopping=False, random_state=seed,
    )  # fmt: skip
    model.fit(rows, positive.astype(np.int64), sample_weight=weight)
    return Trees.of(model)


@dataclass(frozen=True)
class CrossValidated:
    """Out-of-fold results on the segments of the gold corpus.

    Attributes
    ----------
    words : ndarray of float32, shape (n_segments, 8)
        Class probabilities of the n-gram model.
    fitted, alone : ndarray of float32, shape (n_segments,)
        Sum of the trees with and without the template index; -inf where there is no label.
    """

    words: NDArray[np.float32]
    fitted: NDArray[np.float32]
    alone: NDArray[np.float32]
    evidence: NDArray[np.float32]
    page_evidence: NDArray[np.float32]


def cross_validate(
    gold: Labelled, pages: Labelled, *, folds: int, seed: int, trust: float = 0.5
) -> CrossValidated:
    """Publisher-grouped cross-validation of both stages.

    Each document is scored by n-gram weights that never saw its publisher. The trees of a fold are trained on
    the other publishers' evidence.
    """
    read = gold.read
    matrices = ngram_matrix(read.buffer, read.segments), ngram_matrix(pages.read.buffer, pages.read.segments)
    words = [np.zeros((len(part.label), CLASSES), np.float32) for part in (gold, pages)]
    for fold in range(folds):
        weights, bias = _learn([(gold, matrices[0], 1.0), (pages, matrices[1], trust)], fold, seed)
        for part, matrix, out in zip((gold, pages), matrices, words, strict=True):
            held = np.flatnonzero(part.segment_fold == fold)
            out[held] = matrix[held] @ weights + bias
    p, page_p = (probabilities(out) for out in words)
    index = TemplateIndex().partial_fit(
        read.segments, read.prints, read.titles, read.publishers, read.days, 1 - p[:, 0]
    )
    rows = evidence(
        read.segments, p, read.shapes, read.prints, read.titles, read.publishers, index, index.table()
    )
    page_rows = evidence(
        pages.read.segments, page_p, pages.read.shapes, pages.read.prints, pages.read.titles,
        pages.read.publishers, None, None,
    )  # fmt: skip
    fitted, alone = np.full(len(rows), -np.inf, np.float32), np.full(len(rows), -np.inf, np.float32)
    known = gold.label >= 0
    for fold in range(folds):
        train, held = known & (gold.segment_fold != fold), known & (gold.segment_fold == fold)
        if not held.any():
            continue
        trees = _trees(rows[train], gold.label[train] > 0, gold.weight[train], seed)
        fitted[held] = trees.predict(rows[held], np.ones(held.sum(), bool))
        more = (pages.label >= 0) & (pages.segment_fold != fold)
        trees = _trees(*_stack(rows, gold, train, page_rows, pages, more, trust), seed)
        alone[held] = trees.predict(np.ascontiguousarray(rows[held][:, :ALONE]), np.ones(held.sum(), bool))
    return CrossValidated(p, fitted, alone, rows, page_rows)


def _stack(
    rows: NDArray[np.float32], gold: Labelled, train: NDArray[np.bool_],
    page_rows: NDArray[np.float32], pages: Labelled, more: NDArray[np.bool_], trust: float,
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]:  # fmt: skip
    return (
        np.concatenate([rows[train][:, :ALONE], page_rows[more][:, :ALONE]]),
        np.concatenate([gold.label[train] > 0, pages.label[more] > 0]),
        np.concatenate([gold.weight[train], pages.weight[more] * np.float32(trust)]),
    )


def _decide(trees: Trees, sums: NDArray[np.float32], gold: Labelled, scored: NDArray[np.bool_]) -> Decision:
    """Calibrate out-of-fold sums and note the thresholds."""
    from sklearn.linear_model import LogisticRegression

    use = scored & np.isfinite(sums)
    size = gold.read.shapes[use, 7].astype(np.float64)
    positive = gold.label[use] > 0
    scaling = LogisticRegression(C=1e6).fit(sums[use, None].astype(np.float64), positive, sample_weight=size)
    slope, offset = round(float(scaling.coef_[0, 0]), 4), round(float(scaling.intercept_[0]), 4)
    p = 1 / (1 + np.exp(-(slope * sums[use].astype(np.float64) + offset)))
    grid = np.round(np.arange(0.05, 0.96, 0.01), 2)
    hit = np.array([size[(p >= t) & positive].sum() for t in grid])
    false = np.array([size[(p >= t) & ~positive].sum() for t in grid])
    f1 = 2 * hit / (hit + false + size[positive].sum())
    smooth = np.convolve(
        np.pad(f1, 3, mode="edge"), np.ones(7) / 7, "valid"
    )  # the peak of a plateau, not of noise
    thresholds = {"best": float(grid[int(smooth.argmax())])}
    for loss in LOSSES:
        within = np.flatnonzero(false / size[~positive].sum() <= loss)
        thresholds[str(loss)] = float(grid[within[0]]) if len(within) else 0.99
    return Decision(trees, slope, offset, thresholds)


def load_gold(*, folds: int, seed: int) -> tuple[Labelled, NDArray[np.bool_]]:
    """All of ``allsides`` with the labels of both gold files; and which segments are in the first gold."""
    gold = datasets.gold("boilerplate")
    corpus = datasets.load("allsides")
    part = labelled(corpus, gold.spans, set(gold.corpus["doc_id"]), folds=folds, seed=seed)
    first = set(gold.corpus.loc[gold.corpus["part"] == "boilerplate", "doc_id"])
    return part, corpus["doc_id"].isin(first).to_numpy()[part.document]


def load_pages(*, folds: int, seed: int) -> Labelled:
    """Flattened pages of the three page sets, labelled by their markup and their gold texts."""
    from toolkit.boilerplate.flattening import SETS, variants

    records: list[dict[str, Any]] = []
    spans: list[dict[str, Any]] = []
    for name in SETS:
        for page in datasets.records(name):
            for item in variants(page):
                doc_id = f"{name}:{len(records)}"
                records.append({"doc_id": doc_id, "text": item["text"], "publisher": item["publisher"]})
                spans += [{"doc_id": doc_id, "start": a, "end": b, "kind": k} for a, b, k in item["spans"]]
                spans += [
                    {"doc_id": doc_id, "start": a, "end": b, "kind": "unsure"} for a, b in item["unsure"]
                ]
    corpus = make_corpus(records)
    return labelled(corpus, pd.DataFrame(spans), set(corpus["doc_id"]), folds=folds, seed=seed)


def train(*, folds: int = 5, seed: int = 0) -> SegmentModel:
    """Train on everything; calibrate on what cross-validation held out."""
    gold, first = load_gold(folds=folds, seed=seed)
    pages = load_pages(folds=folds, seed=seed)
    result = cross_validate(gold, pages, folds=folds, seed=seed)
    matrices = (
        ngram_matrix(gold.read.buffer, gold.read.segments),
        ngram_matrix(pages.read.buffer, pages.read.segments),
    )
    weights, bias = _learn([(gold, matrices[0], 1.0), (pages, matrices[1], 0.5)], None, seed)
    known, more = gold.label >= 0, pages.label >= 0
    rows = result.evidence
    fitted = _trees(rows[known], gold.label[known] > 0, gold.weight[known], seed)
    alone = _trees(*_stack(rows, gold, known, result.page_evidence, pages, more, 0.5), seed)
    return SegmentModel(
        weights,
        bias,
        _decide(fitted, result.fitted, gold, first),
        _decide(alone, result.alone, gold, first),
        {
            "seed": seed,
            "folds": folds,
            "documents": int(gold.corpus["doc_id"].nunique()),
            "segments": int(known.sum()),
        },
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "-o", "--output", default=str(SHIPPED), help="stem of the two files (default: the shipped ones)"
    )
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    train(seed=arguments.seed).save(arguments.output)


if __name__ == "__main__":
    main()
