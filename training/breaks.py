"""Learn where new lines began in texts that have lost their line breaks: from texts whose breaks are known."""

from __future__ import annotations

import string
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from toolkit.boilerplate.breaks import BITS, FEATURES, BreakWeights, places
from toolkit.boilerplate.wrapping import unwrapped
from toolkit.buffer import Buffer
from toolkit.segments import cut
from training.labelled import Labelled

LEARNED_FROM = ("gold", "modern", "scraped")
"""Parts whose texts have breaks."""

LINES = 3
"""Texts with fewer lines are left out."""

LIKELY = 0.35
"""Probability from which on a line is taken to have begun: two pieces of one sentence are often judged alike."""

UNSEEN = string.whitespace + "\u00a0\u2009\u200b\u2028\u3000\ufeff"
"""What may stand around a line and cannot be seen."""

FREE = 0.3
"""How freely weights part from nought (``C`` of :class:`sklearn.linear_model.LogisticRegression`)."""


def _without(texts: Iterable[str]) -> tuple[Buffer, NDArray[np.int64]]:
    """Join the lines of each text by spaces; return the texts, and the bytes at which lines began.

    Breaks within sentences, of texts that were wrapped, are none.
    """
    joined, began, before = [], [], 0
    for text in unwrapped(Buffer.of(list(texts))).strings().to_pylist():
        lines = [line for line in (line.strip(UNSEEN) for line in text.split("\n")) if line]
        if len(lines) >= LINES:
            size = np.array([len(line.encode()) + 1 for line in lines])
            began.append(before + np.cumsum(size)[:-1])
            before += int(size.sum()) - 1
            joined.append(" ".join(lines))
    return Buffer.of(joined), np.concatenate([*began, np.empty(0, np.int64)])


def learn_breaks(parts: list[Labelled], held: int | None) -> BreakWeights:
    """Learn from the texts outside a fold that may be learned from."""
    from sklearn.linear_model import LogisticRegression

    rows, wanted = [], []
    for part in parts:
        if part.name in LEARNED_FROM:
            learned = np.bincount(part.document, part.trees, len(part.corpus)) > 0
            learned &= part.corpus["fold"].to_numpy() != (-1 if held is None else held)
            buffer, began = _without(part.corpus["text"][learned])
            found, buckets = places(buffer, cut(buffer))
            pointers = np.arange(0, buckets.size + 1, FEATURES)
            ones = np.ones(buckets.size, np.float32)
            rows.append(csr_matrix((ones, buckets.ravel(), pointers), (len(found), 1 << BITS)))
            wanted.append(np.isin(found, began))
    model = LogisticRegression(C=FREE, solver="liblinear").fit(
        vstack(rows, format="csr"), np.concatenate(wanted)
    )
    scale = np.float32(np.abs(model.coef_).max() / 127)
    table = np.rint(model.coef_[0] / scale).astype(np.int8)
    bias = np.float32(model.intercept_[0] - np.log(LIKELY / (1 - LIKELY)))
    return BreakWeights(table, np.array([scale, bias]))
