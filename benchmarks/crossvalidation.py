"""The gold, scored by models that never saw its publishers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.boilerplate.evidence import CLASSES
from toolkit.boilerplate.model import SegmentModel
from toolkit.boilerplate.spans import assemble, fill_appeals, span_table
from toolkit.evaluation.baselines import BASELINES
from toolkit.evaluation.spans import span_counts, span_scores
from training.boilerplate import cross_validate
from training.labelled import Labelled
from training.material import load_gold, load_inserted

THRESHOLD = 0.75
"""Trees' probability from which a segment is removed: near .15 % of article characters lost, as the remover's default.

One number for all folds and both modes, chosen once on the same gold."""


def held_out_spans(
    *, folds: int = 3, seed: int = 0, only: tuple[int, ...] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, pd.DataFrame]]:
    """Spans that publisher-grouped cross-validation finds in the visible gold.

    Parameters
    ----------
    only : tuple of int, optional
        Folds to score; default all.

    Returns
    -------
    corpus : DataFrame
        The scored gold articles.
    gold : DataFrame
        Their gold spans.
    found : dict of str to DataFrame
        ``with fit`` and ``single documents`` → spans.
    """
    from toolkit import datasets

    labelled, first = load_gold(folds=folds, seed=seed)
    markup = SegmentModel.load().words.half(CLASSES)  # learned without the gold's publishers
    inserted = load_inserted(labelled, folds=folds, seed=seed)
    result = cross_validate(labelled, inserted, markup, folds=folds, seed=seed, only=only)
    chosen = first if only is None else first & np.isin(labelled.segment_fold, only)
    documents = np.unique(labelled.document[chosen])
    corpus = labelled.corpus.iloc[documents].reset_index(drop=True)
    found = {
        "with fit": _spans(labelled, chosen, result.fitted, result.fitted_kind),
        "single documents": _spans(labelled, chosen, result.alone, result.alone_kind),
    }
    gold = datasets.gold("boilerplate").spans
    return corpus, gold[gold["doc_id"].isin(set(corpus["doc_id"]))], found


def _spans(
    gold: Labelled, chosen: NDArray[np.bool_], sums: NDArray[np.float32], kind: NDArray[np.int64]
) -> pd.DataFrame:
    score = (1 / (1 + np.exp(-np.clip(sums, -40, 40)))).astype(np.float32)
    inside, score = fill_appeals(gold.read.segments.bounds, kind, score, THRESHOLD)
    remove = chosen & ((score >= THRESHOLD) | inside)
    kind = np.where(inside, 0, kind)
    nothing = np.zeros(len(sums), np.uint64)
    cuts = assemble(gold.read.segments, remove, kind, score, nothing, nothing > 0)
    return span_table(gold.corpus, gold.read.buffer, cuts)


def boilerplate_table(*, folds: int = 3, seed: int = 0, draws: int = 1000) -> pd.DataFrame:
    """The table of EVALUATION, part 1: baselines and the remover on the visible gold.

    Returns
    -------
    DataFrame
        Index: method; columns: figure → value, low, high (shares in [0, 1]; 95 % intervals by bootstrap over
        documents).
    """
    from toolkit import datasets

    corpus, gold, found = held_out_spans(folds=folds, seed=seed)
    everything = datasets.load("allsides")
    methods = {name: rule(everything) for name, rule in BASELINES.items()} | found
    tables = {
        name: span_scores(span_counts(corpus, gold, spans), draws=draws, seed=seed)
        for name, spans in methods.items()
    }
    flat = {
        name: {(f, c): table.loc[f, c] for f in table.index for c in table.columns}
        for name, table in tables.items()
    }
    return pd.DataFrame.from_dict(flat, orient="index")
