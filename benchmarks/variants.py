"""What lost line breaks cost: gold articles as they are, with every line break a space, and glued.

Both forms of an article are scored by models that never saw its publisher.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.crossvalidation import THRESHOLD
from toolkit.boilerplate.evidence import CLASSES
from toolkit.boilerplate.model import SegmentModel
from training.boilerplate import cross_validate
from training.labelled import Labelled
from training.material import load_gold, load_inserted

VARIANTS = {"line breaks made spaces": "/0", "glued, no separator": "/1"}
"""Ending of the ``doc_id`` of such copies among what :func:`training.material.load_inserted` adds."""


def variants_table(*, folds: int = 3, seed: int = 0) -> pd.DataFrame:
    """F1 over segments, weighed by their bytes, of articles as they are and without their line breaks.

    Returns
    -------
    DataFrame
        Index: variant and mode; columns ``articles``, ``as they are``, ``without breaks``.
    """
    gold, first = load_gold(folds=folds, seed=seed)
    added = load_inserted(gold, folds=folds, seed=seed)
    found = cross_validate(gold, added, SegmentModel.load().words.half(CLASSES), folds=folds, seed=seed)
    names, copies = _documents(gold), _documents(added)
    scored = set(names[first])
    rows = {}
    for variant, ending in VARIANTS.items():
        originals = {
            name.removesuffix(ending) for name in np.unique(copies) if name.endswith(ending)
        } & scored
        here = np.isin(names, sorted(originals)) & (gold.label >= 0)
        there = np.isin(copies, [name + ending for name in sorted(originals)]) & (added.label >= 0)
        for mode, sums, other in (
            ("with fit", found.fitted, found.inserted_fitted),
            ("single documents", found.alone, found.inserted_alone),
        ):
            rows[variant, mode] = {
                "articles": len(originals),
                "as they are": _f1(gold, sums, here),
                "without breaks": _f1(added, other, there),
            }
    return pd.DataFrame.from_dict(rows, orient="index")


def _documents(part: Labelled) -> NDArray[np.str_]:
    return part.corpus["doc_id"].to_numpy(dtype=str)[part.document]


def _f1(part: Labelled, sums: NDArray[np.float32], chosen: NDArray[np.bool_]) -> float:
    size, true = part.read.size[chosen].astype(np.float64), part.label[chosen] > 0
    hit = sums[chosen] >= np.log(THRESHOLD / (1 - THRESHOLD))
    return float(2 * size[hit & true].sum() / (size[hit].sum() + size[true].sum()))
