"""Segments with a class for each, to learn from and to score by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.boilerplate.evidence import KINDS
from toolkit.boilerplate.reading import About, Reading
from toolkit.buffer import Buffer


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
        size = np.minimum(self.read.size, 400)
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
    read = Reading.of(Buffer.of(corpus["text"]), About.of(corpus))
    label = label_segments(corpus, read, spans, known)
    return Labelled(corpus, label, read, fold_of(corpus["publisher"], folds, seed))
