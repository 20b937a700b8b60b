"""Segments with a class for each, to learn from and to score by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.boilerplate.breaks import BreakWeights, restored, unbroken
from toolkit.boilerplate.reading import About, Reading
from toolkit.boilerplate.scoring import KINDS
from toolkit.buffer import Buffer
from toolkit.segments import Segments, cut


@dataclass(frozen=True)
class Labelled:
    """Documents cut into segments with a class for each: 0 article text, 1… kinds, -1 unknown.

    Attributes
    ----------
    name : str
    corpus : DataFrame
        The corpus columns and ``fold``.
    spans : DataFrame
        What is boilerplate: doc_id, start, end (code points), kind.
    read : Reading
    label : ndarray of int8, shape (n_segments,)
    marked : ndarray of int64, shape (n_segments,)
        Bytes of the segment that are boilerplate.
    words, trees : ndarray of float32, shape (n_segments,)
        Weight in learning the n-grams and the trees; 0 where nothing is learned from the segment.
    """

    name: str
    corpus: pd.DataFrame
    spans: pd.DataFrame
    read: Reading
    label: NDArray[np.int8]
    marked: NDArray[np.int64]
    words: NDArray[np.float32]
    trees: NDArray[np.float32]
    document: NDArray[np.int64] = field(init=False)
    layout: NDArray[np.int8] = field(init=False)

    def __post_init__(self) -> None:
        bounds = self.read.segments.bounds
        object.__setattr__(self, "document", np.repeat(np.arange(len(self.corpus)), np.diff(bounds)))
        object.__setattr__(self, "layout", self.read.layouts[0])

    @property
    def fold(self) -> NDArray[np.int64]:
        """Cross-validation fold of each segment, the same for all documents of a publisher."""
        return self.corpus["fold"].to_numpy(np.int64)[self.document]

    def of(self, documents: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Mark the segments of some documents."""
        return np.asarray(documents)[self.document]


def places(buffer: Buffer, document: int) -> NDArray[np.int64]:
    """Return the byte of the buffer at which each code point of a document begins, and its end."""
    first, last = buffer.offsets[document : document + 2]
    begins = np.flatnonzero(buffer.data[first:last] & 0xC0 != 0x80)
    return np.append(begins, last - first) + first


def _emphasis(read: Reading) -> NDArray[np.float64]:
    """Long segments count more, as they do in the metric."""
    return np.asarray(np.sqrt(np.minimum(read.size, 400) / 60).clip(0.5, 3))


def without_labels(part: Labelled, spans: pd.DataFrame) -> Labelled:
    """Return the part without the labels of segments that stand by more than half in one of the spans."""
    label, at = part.label.copy(), {doc_id: i for i, doc_id in enumerate(part.corpus["doc_id"])}
    for doc_id, a, b in spans.loc[spans["doc_id"].isin(at), ["doc_id", "start", "end"]].itertuples(
        index=False
    ):
        place = places(part.read.buffer, at[doc_id])
        mine = slice(*part.read.segments.bounds[at[doc_id] : at[doc_id] + 2])
        start, end = part.read.segments.start[mine], part.read.segments.end[mine]
        covered = np.minimum(end, place[b]) - np.maximum(start, place[a])
        label[mine][2 * covered > end - start] = -1
    return replace(part, label=label)


def recut(part: Labelled, breaks: list[BreakWeights]) -> Labelled:
    """Cut a part as the remover will: also where lost line breaks were, by the weights of each text's fold.

    What is learned from a piece follows from what was learned from the whole segment.
    """
    fold = part.corpus["fold"].to_numpy()

    def restore(buffer: Buffer) -> Segments:
        segments = cut(buffer)
        lost = unbroken(segments)
        for held, weights in enumerate(breaks):
            segments = restored(buffer, segments, weights, lost & (fold == held))
        return segments

    again = labelled(part.name, part.corpus, part.spans, cutter=restore)
    if len(again.label) == len(part.label):
        return part
    whole = np.searchsorted(part.read.segments.start, again.read.segments.start, side="right") - 1
    unknown = part.label[whole] < 0
    label, marked = np.where(unknown, np.int8(-1), again.label), np.where(unknown, 0, again.marked)
    times = _emphasis(again.read) / _emphasis(part.read)[whole] * (label >= 0)
    words, trees = ((of[whole] * times).astype(np.float32) for of in (part.words, part.trees))
    return replace(again, label=label, marked=marked, words=words, trees=trees)


def labelled(
    name: str,
    corpus: pd.DataFrame,
    spans: pd.DataFrame,
    *,
    words: float | NDArray[np.float64] = 1.0,
    trees: float | NDArray[np.float64] = 1.0,
    known: NDArray[np.bool_] | None = None,
    cutter: Callable[[Buffer], Segments] = cut,
) -> Labelled:
    """Cut a corpus and label its segments by the span that covers more than half of each.

    Parameters
    ----------
    spans : DataFrame
        doc_id, start, end (code points), kind; a kind outside :data:`KINDS` gives class -1.
    words, trees : float or ndarray of float, shape (n_documents,)
        Weight of the documents in learning.
    known : ndarray of bool, shape (n_documents,), optional
        Which documents were annotated; segments of the others get -1. Default all.
    cutter : callable
        Cuts a buffer into segments.
    """
    corpus = corpus.reset_index(drop=True)
    read = Reading.of(Buffer.of(corpus["text"]), About.of(corpus), cutter=cutter)
    segments, buffer = read.segments, read.buffer
    label, marked = np.zeros(len(segments), np.int8), np.zeros(len(segments), np.int64)
    at = {doc_id: i for i, doc_id in enumerate(corpus["doc_id"])}
    for doc_id, mine in spans.groupby("doc_id", sort=False):
        if doc_id not in at:
            continue
        d = at[doc_id]
        place = places(buffer, d)
        lo, hi = segments.bounds[d], segments.bounds[d + 1]
        start, end = segments.start[lo:hi], segments.end[lo:hi]
        for a, b, kind in mine[["start", "end", "kind"]].itertuples(index=False):
            first = np.searchsorted(end, place[a], side="right")
            last = np.searchsorted(start, place[b], side="left")
            here = np.arange(first, max(first, last))
            covered = np.minimum(end[here], place[b]) - np.maximum(start[here], place[a])
            most = covered * 2 > end[here] - start[here]
            if kind in KINDS:
                marked[lo + here] += covered
            label[lo + here[most]] = 1 + KINDS.index(kind) if kind in KINDS else -1
    document = np.repeat(np.arange(len(corpus)), np.diff(segments.bounds))
    if known is not None:
        label[~known[document]] = -1
    marked = np.minimum(np.where(label < 0, 0, marked), read.size)
    weights = [
        (_emphasis(read) * np.broadcast_to(w, len(corpus))[document] * (label >= 0)).astype(np.float32)
        for w in (words, trees)
    ]
    return Labelled(name, corpus, spans, read, label, marked, weights[0], weights[1])
