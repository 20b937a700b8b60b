"""What the words of a segment say: class probabilities by its n-grams, over all of it and over its best words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir
from numpy.typing import NDArray

from toolkit.boilerplate.features import (
    FINGERPRINTS,
    FOLD,
    PART,
    PER_TOKEN,
    ROOM,
    SHAPE,
    TERM,
    WINDOW,
    scan,
)
from toolkit.boilerplate.labels import label_table
from toolkit.boilerplate.vectors import I8, I16, I32, I64, array, everywhere, pointer, shuffled
from toolkit.buffer import CLASSES, Buffer
from toolkit.kernels import cgutils, intrinsic, njit, places, types
from toolkit.segments import Segments

WINDOWS = (
    *(f"head_{k}" for k in range(1, 8)), *(f"tail_{k}" for k in range(1, 8)), "most", "markup_head", "markup_tail",
    "markup_most",
)  # fmt: skip
"""Columns of the window array: the log odds of a class against article text, by the first eight tokens, the last eight,
and the best eight. In a long segment the cue often stands nowhere else."""

KINDS = ("appeal", "promo", "related", "caption", "byline", "notice", "interface")
"""Kinds of boilerplate, in the order of the model's classes; class 0 is article text."""

SPOT = places(WINDOWS)
LANES, PLEA = 16, 9
"""Weights in a row: two tables of eight classes. No page's markup names appeals; so their lane of its table, ``PLEA``,
holds other weights, which speak for an appeal rather than anything else: learned on all invented passages and articles
and on the marked texts, with a scale of their own. One vector register holds a row; numba does not use it by itself, so
:func:`add_rows` and :func:`margins` are written as LLVM code."""

_BYTES, _WORDS, _LONGS, _FLOATS = (ir.VectorType(kind, LANES) for kind in (I8, I16, I32, ir.FloatType()))


@intrinsic
def add_rows(typing: Any, table: Any, index: Any, first: Any, last: Any, scale: Any, out: Any) -> Any:
    """Add the rows ``index[first:last]`` of a table of bytes: ``out[k] = sum(table[index[i], k] - 128) * scale[k]``.

    Sums have 16 bits, which hold 257 rows. ``table`` is uint8 (n, 16), ``index`` uint32, the others float32 (16,).
    """

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given, kinds = (context, builder, signature, arguments), (_BYTES, I32, None, None, _FLOATS, _FLOATS)
        rows, indices, begin, end, scales, sums = (
            arguments[at] if kind is None else pointer(builder, array(*given, at).data, kind)
            for at, kind in enumerate(kinds)
        )
        total = cgutils.alloca_once_value(builder, ir.Constant(_WORDS, [0] * LANES))
        with cgutils.for_range_slice(builder, begin, end, ir.Constant(I64, 1), I64) as (i, _):
            row = builder.zext(builder.load(builder.gep(indices, [i])), I64)
            weights = builder.load(builder.gep(rows, [row]), align=1)
            builder.store(builder.add(builder.load(total), builder.zext(weights, _WORDS)), total)
        count = builder.trunc(builder.sub(end, begin), I32)
        bias = everywhere(builder, builder.mul(count, ir.Constant(I32, 128)), _LONGS)
        whole = builder.sub(builder.zext(builder.load(total), _LONGS), bias)
        scaled = builder.fmul(builder.sitofp(whole, _FLOATS), builder.load(scales, align=4))
        builder.store(scaled, sums, align=4)
        return context.get_dummy_value()

    return types.void(table, index, types.int64, types.int64, scale, out), build


@intrinsic
def margins(typing: Any, chunk: Any, older: Any, scale: Any, out: Any) -> Any:
    """Say how far two chunks together speak for each class rather than for the first of its table.

    ``out[k] = (chunk[k] + older[k] - chunk[0] - older[0]) * scale`` for the first eight lanes, and so with lane 8
    for the others; lanes 0 and 8, where that is nothing, hold the largest of their table's, :data:`PLEA` left out. All
    (16,) float32.
    """

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given = context, builder, signature, arguments
        new, old, result = (pointer(builder, array(*given, at).data, _FLOATS) for at in (0, 1, 3))
        both = builder.fadd(builder.load(new, align=4), builder.load(old, align=4))
        kept = shuffled(builder, both, [0] * 8 + [8] * 8)
        margin = builder.fmul(builder.fsub(both, kept), everywhere(builder, arguments[2], _FLOATS))
        best = shuffled(builder, margin, [1, *range(1, 8), 10, 10, *range(10, 16)])
        for step in (4, 2, 1):
            other = shuffled(builder, best, [lane ^ step for lane in range(LANES)])
            best = builder.select(builder.fcmp_ordered(">", other, best), other, best)
        mask = ir.Constant(ir.VectorType(ir.IntType(1), LANES), [lane % 8 == 0 for lane in range(LANES)])
        builder.store(builder.select(mask, best, margin), result, align=4)
        return context.get_dummy_value()

    return types.void(chunk, older, types.float32, out), build


@njit(cache=True, nogil=True)
def _weigh(margin, windows, first, last):  # type: ignore[no-untyped-def]
    if first:
        _copy(margin[1:8], windows[SPOT.head_1 :])
        windows[SPOT.most] = margin[0]
        windows[SPOT.markup_head] = windows[SPOT.markup_most] = margin[8]
    if last:
        _copy(margin[1:8], windows[SPOT.tail_1 :])
        windows[SPOT.markup_tail] = margin[8]
    windows[SPOT.most] = max(windows[SPOT.most], margin[0])
    windows[SPOT.markup_most] = max(windows[SPOT.markup_most], margin[8])


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
def _copy(row, out):  # type: ignore[no-untyped-def]
    for k in range(len(row)):  # a loop compiles in a tenth of the time that an assignment of slices takes
        out[k] = row[k]


@njit(cache=True, nogil=True)
def _score(  # type: ignore[no-untyped-def]
    data, start, end, joint, classes, fold, labels, table, scales, bias, same, old_words, old_windows, old_prints,
    old_shapes, old_terms, old_at, logits, windows, prints, shapes, terms
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
            _copy(old_words[old], logits[s])
            _copy(old_windows[old], windows[s])
            _copy(old_prints[old], prints[s])
            _copy(old_shapes[old], shapes[s])
            _copy(old_terms[old_at[old] : old_at[old] + shapes[s, PART.terms]], terms[at:])
            at += shapes[s, PART.terms]
            continue
        n = scan(
            data, start[s], end[s], joint[s], classes, fold, labels, index, prints[s], shapes[s], terms[at:]
        )
        at += shapes[s, PART.terms]
        if not len(table):  # no weights: nothing is scored
            continue
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
            if len(windows) and (j > 0 or stop == n):
                margins(chunk, older, scale, margin)
                _weigh(margin, windows[s], j <= step, stop == n)
            for k in range(16):
                logits[s, k] += chunk[k]
                older[k] = chunk[k]
            j = stop
        scale = np.float32(1.0 / np.sqrt(np.float32(n)))
        for k in range(16):
            logits[s, k] = logits[s, k] * scale + bias[k]
        plea = logits[s, PLEA]
        logits[s, PLEA] = -np.inf
        softmax(logits[s])
        logits[s, PLEA] = np.float32(1.0) / (np.float32(1.0) + np.exp(-plea))
    return at


KERNEL = _score  # nearly the longest to compile, and run whenever text is cleaned


@dataclass(frozen=True)
class WordWeights:
    """N-gram weights of two tables of eight classes, and of appeals, a byte each: steps of ``scale``, plus 128.

    ``table`` is uint8 of shape (BUCKETS, 16), ``scale`` and ``bias`` float32 of shape (16,). So the table takes 2
    MiB, near the processor, and sixteen weights fit one vector register.
    """

    table: NDArray[np.uint8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]


_NO_WEIGHTS = WordWeights(np.empty((0, 16), np.uint8), np.zeros(16, np.float32), np.zeros(16, np.float32))


@dataclass(frozen=True)
class SegmentReading:
    """What one pass over the segments gives; one row a segment but for ``terms``.

    ``prints`` have the columns :data:`FINGERPRINTS`, ``shapes`` :data:`SHAPE`, ``windows`` :data:`WINDOWS`. ``terms``
    are hashes of the segments' terms, one segment after the other, lowest bit :data:`NAME`. ``words`` (16 columns) is
    the probability of each class in either table, and of an appeal at :data:`PLEA`. ``words`` and ``windows`` have no
    rows where they are not asked for.
    """

    prints: NDArray[np.uint64]
    shapes: NDArray[np.int32]
    terms: NDArray[np.uint32]
    words: NDArray[np.float32]
    windows: NDArray[np.float32]


def read_segments(
    buffer: Buffer, segments: Segments, words: WordWeights | None = None,
    known: tuple[NDArray[np.int64], SegmentReading] | None = None, *, windowed: bool = True,
) -> SegmentReading:  # fmt: skip
    """Fingerprint each segment and, given weights, score it by its words and, where ``windowed``, by its best ones.

    ``known``: each segment's place in an earlier reading by the same weights, -1 if it held none; and that reading.
    """
    n = len(segments)
    prints, shapes = np.empty((n, len(FINGERPRINTS)), np.uint64), np.empty((n, len(SHAPE)), np.int32)
    terms = np.empty(int((segments.end - segments.start).sum()) // TERM + 1, np.uint32)
    scored = n if words is not None else 0
    given = np.empty((scored, 16), np.float32)
    windows = np.empty((scored if windowed else 0, len(WINDOWS)), np.float32)
    words = _NO_WEIGHTS if words is None else words
    none = SegmentReading(prints[:0], shapes[:0], terms[:0], given[:0], windows[:0])
    same, old = (np.empty(0, np.int64), none) if known is None else known
    counts = old.shapes[:, PART.terms].astype(np.int64)
    used = _score(
        buffer.data, segments.start, segments.end, segments.joint, CLASSES, FOLD, label_table(), words.table,
        words.scale, words.bias, same, old.words, old.windows, old.prints, old.shapes, old.terms,
        np.cumsum(counts) - counts, given, windows, prints, shapes, terms,
    )  # fmt: skip
    return SegmentReading(prints, shapes, terms[:used], given, windows)
