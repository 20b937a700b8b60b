"""What the words of a segment say: class probabilities by its n-grams, over all of it and over its best words."""

# ruff: noqa: ANN001, ANN201, ANN202  (numba kernels infer their types)

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.features import (
    FINGERPRINTS,
    FOLD,
    PER_TOKEN,
    ROOM,
    SHAPE,
    TERM,
    WINDOW,
    scan,
)
from toolkit.boilerplate.lanes import LANES, add_rows, margins, prefetch
from toolkit.buffer import CLASSES, Buffer
from toolkit.kernels import njit
from toolkit.segments import Segments

WINDOWS = (
    *(f"head_{k}" for k in range(1, 8)),
    *(f"tail_{k}" for k in range(1, 8)),
    "most",
    *(f"markup_{w}" for w in ("head", "tail", "most")),
)
"""Columns of the window array: how far the first eight tokens, the last eight, and the best eight speak for a class
rather than for article text; in a long segment the cue is often nowhere else."""


@njit(cache=True, nogil=True)
def _weigh(margin, windows, first, last):  # type: ignore[no-untyped-def]
    """Enter a window's margins into a segment's row."""
    for k in range(1, 8):
        if first:
            windows[k - 1] = margin[k]
        if last:
            windows[6 + k] = margin[k]
    if first:
        windows[14] = margin[0]
        windows[15] = margin[8]
        windows[17] = margin[8]
    if last:
        windows[16] = margin[8]
    windows[14] = max(windows[14], margin[0])
    windows[17] = max(windows[17], margin[8])


@njit(cache=True, nogil=True)
def softmax(row):  # type: ignore[no-untyped-def]
    """Turn the logits of each table of eight classes into probabilities, in place."""
    for at in range(0, len(row), 8):
        top = row[at]
        for k in range(1, 8):
            top = max(top, row[at + k])
        total = np.float32(0.0)
        for k in range(8):
            row[at + k] = np.exp(row[at + k] - top)
            total += row[at + k]
        for k in range(8):
            row[at + k] /= total


@njit(cache=True, nogil=True)
def _score(  # type: ignore[no-untyped-def]
    data, start, end, joint, classes, fold, table, scales, bias, same, old_words, old_windows, old_prints, old_shapes,
    old_terms, old_at, logits, windows, prints, shapes, terms
):  # fmt: skip
    index = np.empty(ROOM, np.uint32)
    step = WINDOW // 2 * PER_TOKEN
    chunk = np.empty(LANES, np.float32)
    older = np.empty(LANES, np.float32)
    margin = np.empty(LANES, np.float32)
    at = 0
    for s in range(len(start)):
        if len(same) and same[s] >= 0:
            old = same[s]
            for k in range(LANES):  # a loop compiles in a tenth of the time that a slice takes
                logits[s, k] = old_words[old, k]
            for k in range(old_windows.shape[1]):
                windows[s, k] = old_windows[old, k]
            for k in range(old_prints.shape[1]):
                prints[s, k] = old_prints[old, k]
            for k in range(old_shapes.shape[1]):
                shapes[s, k] = old_shapes[old, k]
            for t in range(shapes[s, 10]):
                terms[at + t] = old_terms[old_at[old] + t]
            at += shapes[s, 10]
            continue
        n = scan(data, start[s], end[s], joint[s], classes, fold, index, prints[s], shapes[s], terms[at:])
        at += shapes[s, 10]
        if not len(table):  # no weights: nothing is scored
            continue
        for j in range(n):
            prefetch(table, index[j])
        for k in range(16):
            logits[s, k] = 0.0
            older[k] = 0.0
        j = 0
        while j < n:
            stop = min(j + step, n)
            if n - stop < step // 2:
                stop = n
            add_rows(table, index, j, stop, scales, chunk)
            scale = np.float32(1.0 / np.sqrt(np.float32(stop - max(j - step, 0))))
            if j > 0 or stop == n:
                margins(chunk, older, scale, margin)
                _weigh(margin, windows[s], j <= step, stop == n)
            for k in range(16):
                logits[s, k] += chunk[k]
                older[k] = chunk[k]
            j = stop
        scale = np.float32(1.0 / np.sqrt(np.float32(n)))
        for k in range(16):
            logits[s, k] = logits[s, k] * scale + bias[k]
        softmax(logits[s])
    return at


KERNEL = _score
"""The kernel that takes longest to compile but one, and runs whenever text is cleaned."""


@dataclass(frozen=True)
class WordWeights:
    """N-gram weights of two tables of eight classes, a byte each: steps of ``scale``, plus 128.

    ``table`` is uint8 of shape (BUCKETS, 16), ``scale`` and ``bias`` float32 of shape (16,). So the table takes 2
    MiB, near the processor, and sixteen weights fit one vector register.
    """

    table: NDArray[np.uint8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]

    @classmethod
    def of(cls, weights: NDArray[np.float32], bias: NDArray[np.float32]) -> WordWeights:
        """Round weights of shape (BUCKETS, 16) to a byte each, class by class."""
        scale = (np.abs(weights).max(axis=0) / 127).astype(np.float32)
        scale[scale == 0] = 1
        steps = np.rint(weights / scale) + 128
        return cls(np.ascontiguousarray(steps.astype(np.uint8)), scale, bias.astype(np.float32))

    def half(self, first: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Weights of shape (BUCKETS, 8) and biases of the table that starts at a class."""
        chosen = slice(first, first + 8)
        steps = self.table[:, chosen].astype(np.float32) - 128
        return steps * self.scale[chosen], self.bias[chosen]


_NO_WEIGHTS = WordWeights(np.empty((0, 16), np.uint8), np.zeros(16, np.float32), np.zeros(16, np.float32))


@dataclass(frozen=True)
class SegmentReading:
    """What one pass over the segments gives; one row a segment but for ``terms``.

    ``prints`` (uint64) has the columns :data:`FINGERPRINTS`, ``shapes`` (int32) the columns :data:`SHAPE`.
    ``terms`` (uint32) are hashes of the segments' terms, one segment after the other, lowest bit :data:`NAME`.
    ``words`` (float32, 16 columns) is the probability of each class in either table: softmax over the sum of the
    weights of the segment's n-grams, divided by the square root of their number, plus the bias. ``windows``
    (float32) has the columns :data:`WINDOWS`. The last two have no rows where there are no weights.
    """

    prints: NDArray[np.uint64]
    shapes: NDArray[np.int32]
    terms: NDArray[np.uint32]
    words: NDArray[np.float32]
    windows: NDArray[np.float32]


def read_segments(
    buffer: Buffer,
    segments: Segments,
    words: WordWeights | None = None,
    known: tuple[NDArray[np.int64], SegmentReading] | None = None,
) -> SegmentReading:
    """Fingerprint each segment and, given weights, score it by its words.

    ``known`` is, for each segment, its place in an earlier reading by the same weights that held it, -1 if none
    did; and that reading.
    """
    n = len(segments)
    prints, shapes = np.empty((n, len(FINGERPRINTS)), np.uint64), np.empty((n, len(SHAPE)), np.int32)
    terms = np.empty(int((segments.end - segments.start).sum()) // TERM + 1, np.uint32)
    scored = n if words is not None else 0
    given, windows = np.empty((scored, 16), np.float32), np.empty((scored, len(WINDOWS)), np.float32)
    words = _NO_WEIGHTS if words is None else words
    none = SegmentReading(prints[:0], shapes[:0], terms[:0], given[:0], windows[:0])
    same, old = (np.empty(0, np.int64), none) if known is None else known
    counts = old.shapes[:, SHAPE.index("terms")].astype(np.int64)
    used = _score(
        buffer.data, segments.start, segments.end, segments.joint, CLASSES, FOLD, words.table, words.scale,
        words.bias, same, old.words, old.windows, old.prints, old.shapes, old.terms, np.cumsum(counts) - counts,
        given, windows, prints, shapes, terms,
    )  # fmt: skip
    return SegmentReading(prints, shapes, terms[:used], given, windows)
