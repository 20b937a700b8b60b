"""Train the shipped segment model: ``python -m training.boilerplate``.

Reads the gold spans and the page sets from the data folder (``NEWS_TOOLKIT_DATA``) and writes
``toolkit/models/boilerplate.npz`` and ``.json``. The same data give the same bytes.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import vstack

from toolkit.boilerplate.evidence import CLASSES, COLUMNS, KINDS, evidence, suspicious
from toolkit.boilerplate.features import ngram_matrix
from toolkit.boilerplate.model import SHIPPED, Decision, SegmentModel
from toolkit.boilerplate.reading import Reading
from toolkit.boilerplate.repetition import REPEATED, Seen
from toolkit.boilerplate.scoring import WINDOWS, WordWeights, read_segments
from toolkit.boilerplate.templates import Lookup, TemplateIndex
from toolkit.fields import registrable_domain
from toolkit.trees import Trees
from training.labelled import Labelled
from training.linear import fit_softmax
from training.material import load_gold, load_inserted, load_pages

ALONE = len(COLUMNS) - len(REPEATED)
"""The first columns of the evidence need no corpus."""

TREES = 150
"""Trees of a decision."""

PLAIN = 3
"""One in so many segments beyond suspicion is learned from, and counts as often."""

LOSSES = (0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005)
"""Shares of article characters lost for which the card keeps a threshold."""


def _learn(parts: list[tuple[Labelled, Any]], fold: int | None, seed: int) -> tuple[Any, Any]:
    """N-gram weights from all labelled segments outside a fold, rounded to what the model file holds."""
    chosen = [
        (
            part,
            matrix,
            np.flatnonzero((part.label >= 0) & (part.segment_fold != (-1 if fold is None else fold))),
        )
        for part, matrix in parts
    ]
    table, bias = fit_softmax(
        vstack([matrix[use] for _, matrix, use in chosen], format="csr"),
        np.concatenate([part.label[use].astype(np.int64) for part, _, use in chosen]),
        np.concatenate([part.weight[use] for part, _, use in chosen]),
        classes=CLASSES,
        seed=seed,
    )
    return table.astype(np.float16).astype(np.float32), bias


def _trees(
    rows: NDArray[np.float32], label: NDArray[np.int8], weight: NDArray[np.float32], seed: int
) -> Trees:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=TREES, learning_rate=0.08, max_leaf_nodes=16, min_samples_leaf=25, l2_regularization=1.0,
        max_features=0.3, early_stopping=False, random_state=seed,
    )  # fmt: skip
    model.fit(rows, (label > 0).astype(np.int64), sample_weight=weight)
    return Trees.of(model)


def _blank(part: Labelled) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    n = len(part.label)
    return np.zeros((n, 2 * CLASSES), np.float32), np.zeros((n, len(WINDOWS)), np.float32)


@dataclass(frozen=True)
class Weighed:
    """Labelled segments to learn from, and their evidence.

    Attributes
    ----------
    chosen : ndarray of bool, shape (n_segments,)
        All suspicious ones, and one in :data:`PLAIN` of the others.
    rows : ndarray of float32, shape (n_chosen, n_columns)
    suspicious : ndarray of bool, shape (n_chosen,)
        Which of them the remover would weigh at all.
    """

    chosen: NDArray[np.bool_]
    rows: NDArray[np.float32]
    suspicious: NDArray[np.bool_]


def _weighed(part: Labelled, read: Reading, lookup: Lookup | None) -> Weighed:
    seen = Seen.of(read, lookup)
    doubted = suspicious(read, seen)
    chosen = (part.label >= 0) & (doubted | (np.arange(len(doubted)) % PLAIN == 0))
    return Weighed(chosen, evidence(read, lookup, seen, chosen), doubted[chosen])


@dataclass(frozen=True)
class CrossValidated:
    """Out-of-fold results on the segments of the gold corpus.

    Attributes
    ----------
    fitted_rows, alone_rows : tuple of Weighed
        Of the gold and of what was added to it; with and without the template index.
    fitted, alone : ndarray of float32, shape (n_segments,)
        Sum of the trees with and without the template index; -inf where there is no label or
        no suspicion.
    fitted_kind, alone_kind : ndarray of int64, shape (n_segments,)
        Kind, were the segment boilerplate.
    inserted_fitted, inserted_alone : ndarray of float32
        Sum of the trees for what was added to the gold, by trees that never saw the publisher.
    """

    fitted_rows: tuple[Weighed, ...]
    alone_rows: tuple[Weighed, ...]
    fitted: NDArray[np.float32]
    alone: NDArray[np.float32]
    fitted_kind: NDArray[np.int64]
    alone_kind: NDArray[np.int64]
    inserted_fitted: NDArray[np.float32]
    inserted_alone: NDArray[np.float32]


def markup_weights(pages: Labelled, gold: Labelled, seed: int) -> tuple[Any, Any]:
    """N-gram weights from pages' markup, without the pages of publishers that have gold."""
    known = set(
        gold.corpus["publisher"].iloc[np.unique(gold.document[gold.label >= 0])].map(registrable_domain)
    )
    same = pages.corpus["publisher"].map(registrable_domain).isin(known - {None}).to_numpy()
    other = replace(pages, fold=np.where(same, 0, 1))
    return _learn([(other, ngram_matrix(pages.read.buffer, pages.read.segments))], 0, seed)


def cross_validate(
    gold: Labelled,
    inserted: Labelled,
    markup: tuple[Any, Any],
    *,
    folds: int,
    seed: int,
    only: tuple[int, ...] | None = None,
) -> CrossValidated:
    """Publisher-grouped cross-validation of both stages.

    Each document is scored by n-gram weights that never saw its publisher. The trees of a fold are trained on
    the other publishers' evidence.

    Parameters
    ----------
    inserted : Labelled
        Copies of gold articles with passages set into them; trained on, never scored.
    markup
        As made by :func:`markup_weights`.
    only : tuple of int, optional
        Folds whose trees are trained; default all.
    """
    parts = [(p, ngram_matrix(p.read.buffer, p.read.segments)) for p in (gold, inserted)]
    scored = [_blank(p) for p, _ in parts]
    for held in range(folds):
        weights, bias = _learn(parts, held, seed)
        words = together(weights, bias, markup)
        for (part, _), (p, windows) in zip(parts, scored, strict=True):
            there = part.segment_fold == held
            read = read_segments(part.read.buffer, part.read.segments, words)
            p[there], windows[there] = read.words[there], read.windows[there]
    reads = [part.read.scored(*s) for (part, _), s in zip(parts, scored, strict=True)]
    about = reads[0].about
    lookup = (
        TemplateIndex()
        ._add(
            reads[0].segments, reads[0].prints, about.titles.prints, about.publishers, about.days,
            1 - reads[0].words[:, 0],
        )
        .lookup()
    )  # fmt: skip
    seen = {}
    for name, asked in (("fitted", lookup), ("alone", None)):
        seen[name] = tuple(_weighed(p, r, asked) for (p, _), r in zip(parts, reads, strict=True))
    n = len(gold.label)
    result = CrossValidated(
        seen["fitted"], seen["alone"], np.full(n, -np.inf, np.float32), np.full(n, -np.inf, np.float32),
        np.zeros(n, np.int64), np.zeros(n, np.int64), np.full(len(inserted.label), -np.inf, np.float32),
        np.full(len(inserted.label), -np.inf, np.float32),
    )  # fmt: skip
    for held in range(folds) if only is None else only:
        kinds = _kinds(*_rows_outside(gold, inserted, result.alone_rows, held))
        for sums, chosen, lost, weighed in (
            (result.fitted, result.fitted_kind, result.inserted_fitted, result.fitted_rows),
            (result.alone, result.alone_kind, result.inserted_alone, result.alone_rows),
        ):
            trees = _trees(*_rows_outside(gold, inserted, weighed, held), seed)
            decision = Decision(trees, 1.0, 0.0, kinds, {})
            for part, seen_of, out in zip((gold, inserted), weighed, (sums, lost), strict=True):
                test = (part.segment_fold[seen_of.chosen] == held) & seen_of.suspicious
                if test.any():
                    tested = np.ascontiguousarray(seen_of.rows[test])
                    at = np.flatnonzero(seen_of.chosen)[test]
                    out[at] = decision.sums(tested)
                    if part is gold:
                        chosen[at] = decision.kind(tested)
    return result


def together(weights: NDArray[np.float32], bias: NDArray[np.float32], markup: tuple[Any, Any]) -> WordWeights:
    """Both tables of n-gram weights as the model file holds them."""
    return WordWeights.of(np.concatenate([weights, markup[0]], axis=1), np.concatenate([bias, markup[1]]))


def _rows_outside(
    gold: Labelled, inserted: Labelled, weighed: tuple[Weighed, ...], held: int | None
) -> tuple[NDArray[np.float32], NDArray[np.int8], NDArray[np.float32]]:
    """Evidence, label and weight of what was weighed outside a fold."""
    rows, label, weight = [], [], []
    for part, evidenced in zip((gold, inserted), weighed, strict=True):
        use = part.segment_fold[evidenced.chosen] != (-1 if held is None else held)
        stands_for = np.where(evidenced.suspicious, 1, PLAIN).astype(np.float32)
        rows.append(evidenced.rows[use])
        label.append(part.label[evidenced.chosen][use])
        weight.append((part.weight[evidenced.chosen] * stands_for)[use])
    return np.concatenate(rows), np.concatenate(label), np.concatenate(weight)


def _kinds(
    rows: NDArray[np.float32], label: NDArray[np.int8], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Weights of the evidence for each kind, by multinomial logistic regression on boilerplate segments."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    use = label > 0
    scaler = StandardScaler().fit(rows[use])
    model = LogisticRegression(C=0.3, max_iter=2000).fit(scaler.transform(rows[use]), label[use], weight[use])
    out = np.full((rows.shape[1] + 1, len(KINDS)), -50.0, np.float64)
    at = model.classes_.astype(np.int64) - 1
    scaled = model.coef_.T / scaler.scale_[:, None]
    out[:-1] = 0
    out[:-1, at] = scaled
    out[-1, at] = model.intercept_ - scaler.mean_ @ scaled
    return out.astype(np.float32)


def _decide(
    trees: Trees,
    kinds: NDArray[np.float32],
    sums: NDArray[np.float32],
    gold: Labelled,
    scored: NDArray[np.bool_],
) -> Decision:
    """Calibrate out-of-fold sums and note the thresholds."""
    from sklearn.linear_model import LogisticRegression

    use = scored & (gold.label >= 0)
    size = gold.read.size[use].astype(np.float64)
    positive = gold.label[use] > 0
    z, weighed = sums[use].astype(np.float64), np.isfinite(sums[use])
    scaling = LogisticRegression(C=1e6).fit(z[weighed, None], positive[weighed], sample_weight=size[weighed])
    slope, offset = round(float(scaling.coef_[0, 0]), 4), round(float(scaling.intercept_[0]), 4)
    p = 1 / (1 + np.exp(-np.clip(slope * z + offset, -40, 40)))
    grid = np.round(np.arange(0.05, 0.96, 0.01), 2)
    hit = np.array([size[(p >= t) & positive].sum() for t in grid])
    false = np.array([size[(p >= t) & ~positive].sum() for t in grid])
    f1 = 2 * hit / (hit + false + size[positive].sum())
    smooth = np.convolve(
        np.pad(f1, 3, mode="edge"), np.ones(7) / 7, "valid"
    )  # the peak of a plateau, not of noise
    thresholds = {"best": float(grid[int(np.argmax(smooth))])}
    for loss in LOSSES:
        within = np.flatnonzero(false / size[~positive].sum() <= loss)
        thresholds[str(loss)] = float(grid[within[0]]) if len(within) else 0.99
    return Decision(trees, slope, offset, kinds, thresholds)


def train(*, folds: int = 3, seed: int = 0) -> SegmentModel:
    """Train on everything; calibrate on what cross-validation held out."""
    gold, first = load_gold(folds=folds, seed=seed)
    inserted = load_inserted(gold, folds=folds, seed=seed)
    markup = markup_weights(load_pages(folds=folds, seed=seed), gold, seed)
    result = cross_validate(gold, inserted, markup, folds=folds, seed=seed)
    known = gold.label >= 0
    parts = [(p, ngram_matrix(p.read.buffer, p.read.segments)) for p in (gold, inserted)]
    weights, bias = _learn(parts, None, seed)
    kinds = _kinds(*_rows_outside(gold, inserted, result.alone_rows, None))
    decided = [
        _decide(_trees(*_rows_outside(gold, inserted, weighed, None), seed), kinds, sums, gold, first)
        for weighed, sums in ((result.fitted_rows, result.fitted), (result.alone_rows, result.alone))
    ]
    return SegmentModel(
        together(weights, bias, markup),
        decided[0],
        decided[1],
        {
            "description": "Boilerplate in flattened news: hashed 1–3-grams, boosted trees over evidence, seven kinds.",
            "intended_use": "News articles as text; English first, other languages by templates and layout.",
            "data": {
                "gold": "toolkit.datasets.gold('boilerplate'): ours, CC0, on allsides articles (Apache-2.0 repository)",
                "passages": "data/training/passages.jsonl: ours, CC0, set into gold articles",
                "languages": "sample corpus (ours, CC0), fundus pages (MIT)",
                "markup": "page sets wcxb (CC BY 4.0), aed (Apache-2.0), fundus (MIT), labelled by their own markup",
            },
            "documents": len(np.unique(gold.document[known])),
            "segments": int(known.sum()),
            "folds": folds,
            "seed": seed,
            "figures": "docs/boilerplate.md",
            "limits": "Uncredited captions in mid-text and bare headlines of other stories are often missed.",
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
