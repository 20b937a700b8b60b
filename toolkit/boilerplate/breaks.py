"""Lost line breaks: find where new lines began in a text that has lost them, by the words on either side.

Where the lines of a page were joined by spaces, a headline, a link or a byline has no mark at its end, and runs into
the sentence behind it. Weights of hashed features, learned on texts whose breaks are known (:mod:`training.breaks`),
say before which words a line began; segments end there too.
"""

# ruff: noqa: ANN001, ANN201, ANN202  (numba kernels infer their types)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.buffer import (
    BREAK,
    CLASSES,
    DIGIT,
    IGNORED,
    LOWER,
    PRIME,
    SEPARATOR,
    SPACE,
    UPPER,
    Buffer,
    character_tables,
    decode,
)
from toolkit.kernels import njit
from toolkit.modelfile import sound_array
from toolkit.segments import GLUED, INLINE, LINE, Segments, cut

BITS = 17
"""Features fall into 2**BITS buckets."""

FEATURES = 23
"""Features of a place between two words."""

LONG_LINE, FEW_LINES, LEAST_BYTES = 1200, 2, 400
"""A text has lost its line breaks if half of it stands in lines over :data:`LONG_LINE` bytes, or if it has at most
:data:`FEW_LINES` lines and at least :data:`LEAST_BYTES` bytes."""

GLUED_SHARE = 0.25
"""Share of the joints within lines that are glued, above which a text without line breaks counts as glued: there, a
line began where a space is missing."""

SHORT_LINE = 50
"""Bytes under which a line is short; see :data:`toolkit.boilerplate.reading.SHORT_LINES`."""

_MOST = 4096  # words of a segment that are read; behind them it is not cut again
_LETTERS, _SIGNS = 14, 8  # of a word that its hash holds, and of its shape
_NEAR = 6  # words on either side whose capitals are counted
_FAR = 12  # words to the ends of a segment that are told apart
_MARK = 1 << 20  # above every code point
_BEGINS, _ENDS = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)  # beyond the ends of a segment
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_HALF, _SHIFT = np.uint64(32), np.uint64(64 - BITS)


@dataclass(frozen=True)
class BreakWeights:
    """Weights of the features: a line began where they and a constant sum to more than 0.

    ``table`` (int8) has one a bucket, ``scale`` (float32, two) what 1 in it counts for, and the constant.
    """

    table: NDArray[np.int8]
    scale: NDArray[np.float32]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What a model file holds of them."""
        return {"breaks": self.table, "breaks_scale": self.scale}

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[Any]]) -> BreakWeights:
        """Return the weights of a model file; what cannot be some is a ValueError."""
        table = np.ascontiguousarray(sound_array(arrays, "breaks", np.int8, (1 << BITS,)))
        return cls(table, sound_array(arrays, "breaks_scale", np.float32, (2,)))

    def cut(self, buffer: Buffer) -> Segments:
        """Cut every document into segments; where it has lost its line breaks, also where these were."""
        segments = cut(buffer)
        return restored(buffer, segments, self, unbroken(segments))


@njit(cache=True, nogil=True)
def _mixed(a, b):  # type: ignore[no-untyped-def]
    h = (a ^ (b * _M1)) * _M2
    return h ^ (h >> _HALF)


@njit(cache=True, nogil=True)
def _read(data, a, b, tables, words):  # type: ignore[no-untyped-def]
    """Enter the words of ``data[a:b]``; return their number.

    ``words``: begin, end, hash of the lower-case letters, of the last three of them, of the shape, of its beginning;
    the class of the first character; the last character; how many words so far begin with a capital.
    """
    classes, kinds, folds = tables
    begins, stops, cores, tails, shapes, briefs, firsts, lasts, capitals = words
    n = 0
    i = a
    while i < b and n < _MOST:
        code, size = decode(data, i, b)
        if classes[code] == SPACE or classes[code] == BREAK:
            i += size
            continue
        begin = i
        first = np.int64(-1)
        h = core = shape = brief = _BEGINS
        one = two = three = np.uint64(0)
        letters = signs = run = 0
        sign = before = np.int64(-1)
        while classes[code] != SPACE and classes[code] != BREAK:
            if kinds[code] != IGNORED:
                kind = classes[code]
                inside = kinds[code] != SEPARATOR
                if first < 0:
                    first = kind
                if kind == UPPER or kind == LOWER or kind == DIGIT:
                    sign = _MARK + kind
                else:
                    sign = _MARK if inside else code
                run = run + 1 if sign == before else 1
                before = sign
                if signs < _SIGNS and run <= (2 if kind != DIGIT else 5):
                    shape = _mixed(shape, np.uint64(sign))
                    signs += 1
                    if signs == 3:
                        brief = shape
                if (inside or letters > 0) and letters < _LETTERS:
                    h = (h ^ np.uint64(folds[code])) * PRIME
                    letters += 1
                    if inside:
                        core = h
                if inside:
                    one, two, three = two, three, np.uint64(folds[code])
                lasts[n] = code
            i += size
            if i >= b:
                break
            code, size = decode(data, i, b)
        if first < 0:  # nothing that can be seen
            if n > 0:
                stops[n - 1] = i
            continue
        begins[n], stops[n], firsts[n] = begin, i, first
        cores[n] = core if letters > 0 else shape  # of what has no letters, the signs
        tails[n] = _mixed(_mixed(one, two), three)
        shapes[n] = shape
        briefs[n] = brief if signs >= 3 else shape
        capitals[n + 1] = capitals[n] + (firsts[n] == UPPER)
        n += 1
    return n


@njit(cache=True, nogil=True)
def _at(values, k, n):  # type: ignore[no-untyped-def]
    return _BEGINS if k < 0 else _ENDS if k >= n else values[k]


@njit(cache=True, nogil=True)
def _put(row, k, a, b):  # type: ignore[no-untyped-def]
    h = _mixed(_mixed(a, np.uint64(k + 1)), b) * PRIME
    row[k] = h >> _SHIFT


@njit(cache=True, nogil=True)
def _describe(words, i, n, row):  # type: ignore[no-untyped-def]
    """Enter the buckets of the place before word i of n."""
    _, _, cores, tails, shapes, briefs, firsts, lasts, capitals = words
    none = np.uint64(0)
    l1, r1 = _at(cores, i - 1, n), _at(cores, i, n)
    s1, t1 = _at(shapes, i - 1, n), _at(shapes, i, n)
    after = np.uint64(firsts[i + 1]) if i + 1 < n else np.uint64(99)
    _put(row, 0, l1, none)
    _put(row, 1, r1, none)
    _put(row, 2, _at(cores, i - 2, n), none)
    _put(row, 3, _at(cores, i + 1, n), none)
    _put(row, 4, l1, r1)
    _put(row, 5, _at(cores, i - 2, n), l1)
    _put(row, 6, r1, _at(cores, i + 1, n))
    _put(row, 7, s1, none)
    _put(row, 8, t1, none)
    _put(row, 9, s1, t1)
    _put(row, 10, _mixed(_at(shapes, i - 2, n), s1), t1)
    _put(row, 11, _mixed(s1, t1), _at(shapes, i + 1, n))
    around = none
    for k in range(i - 3, i + 3):
        around = _mixed(around, _at(briefs, k, n))
    _put(row, 12, around, none)
    _put(row, 13, np.uint64(lasts[i - 1]), none)
    _put(row, 14, np.uint64(lasts[i - 1]), np.uint64(firsts[i]))
    _put(row, 15, np.uint64(min(i, _FAR)), none)
    _put(row, 16, np.uint64(min(n - i, _FAR)), none)
    _put(row, 17, tails[i - 1], none)
    _put(row, 18, tails[i], after)
    near = min(i, _NEAR)
    left = capitals[i] - capitals[i - near]
    right = capitals[min(i + _NEAR, n)] - capitals[i]
    _put(row, 19, np.uint64(near), np.uint64(left))
    _put(row, 20, np.uint64(right), none)
    _put(row, 21, np.uint64(left * 7 // near), np.uint64(right))
    _put(row, 22, np.uint64(capitals[i] * 5 // i), none)


@njit(cache=True, nogil=True)
def _room():  # type: ignore[no-untyped-def]
    """Arrays for the words of a segment."""
    h, at = np.empty((4, _MOST), np.uint64), np.empty((3, _MOST), np.int64)
    firsts, capitals = np.empty(_MOST, np.uint8), np.zeros(_MOST + 1, np.int64)
    return at[0], at[1], h[0], h[1], h[2], h[3], firsts, at[2], capitals


@njit(cache=True, nogil=True)
def _describe_all(data, start, end, tables, rows, places):  # type: ignore[no-untyped-def]
    """Describe every word, but the first of a segment, that does not begin with a small letter; return how many."""
    words = _room()
    found = 0
    for s in range(len(start)):
        n = _read(data, start[s], end[s], tables, words)
        for i in range(1, n):
            if words[6][i] != LOWER:
                if len(rows):
                    _describe(words, i, n, rows[found])
                    places[found] = words[0][i]
                found += 1
    return found


@njit(cache=True, nogil=True)
def _restore(data, segments, texts, tables, table, scale, out):  # type: ignore[no-untyped-def]
    """Write the segments, cut where a line began in the marked texts; return how many there are."""
    start, end, joint, bounds = segments
    starts, ends, joints, edges = out
    words = _room()
    row = np.empty(FEATURES, np.int32)
    m = 0
    edges[0] = 0
    for d in range(len(bounds) - 1):
        for s in range(bounds[d], bounds[d + 1]):
            starts[m], joints[m] = start[s], joint[s]
            n = _read(data, start[s], end[s], tables, words) if texts[d] else 0
            for i in range(1, n):
                if words[6][i] == LOWER:
                    continue
                _describe(words, i, n, row)
                total = 0
                for k in range(FEATURES):
                    total += table[row[k]]
                if np.float32(total) * scale[0] + scale[1] > 0:
                    ends[m] = words[1][i - 1]
                    m += 1
                    starts[m], joints[m] = words[0][i], INLINE
            ends[m] = end[s]
            m += 1
        edges[d + 1] = m
    return m


@njit(cache=True, nogil=True)
def count_lines(start, end, joint, lo, hi):  # type: ignore[no-untyped-def]
    """Measure the text of the segments ``lo:hi``, however its lines are cut.

    Return its lines, those under :data:`SHORT_LINE` bytes, the bytes in its lines, whether it has lost its line
    breaks, and whether it has lost the spaces with them.
    """
    lines = short = total = in_long = glued = inner = 0
    first = lo
    for s in range(lo, hi):
        inner += joint[s] > LINE
        glued += joint[s] == GLUED
        if s + 1 == hi or joint[s + 1] <= LINE:  # the line ends
            size = end[s] - start[first]
            first = s + 1
            lines += 1
            short += size < SHORT_LINE
            total += size
            in_long += size if size > LONG_LINE else 0
    lost = 2 * in_long > total or (lines <= FEW_LINES and total >= LEAST_BYTES)
    return lines, short, total, lost, glued > GLUED_SHARE * max(inner, 1)


@njit(cache=True, nogil=True)
def _mark_unbroken(start, end, joint, bounds, out):  # type: ignore[no-untyped-def]
    for d in range(len(out)):
        _, _, _, lost, run_together = count_lines(start, end, joint, bounds[d], bounds[d + 1])
        out[d] = lost and not run_together


def _tables() -> tuple[NDArray[Any], ...]:
    return CLASSES, *character_tables()


def places(buffer: Buffer, segments: Segments) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the bytes at which a line may have begun within a segment, and the buckets of their :data:`FEATURES`."""
    args = buffer.data, segments.start, segments.end, _tables()
    n = _describe_all(*args, np.empty((0, FEATURES), np.int32), np.empty(0, np.int64))
    rows, found = np.empty((n, FEATURES), np.int32), np.empty(n, np.int64)
    if n:
        _describe_all(*args, rows, found)
    return found, rows


def unbroken(segments: Segments) -> NDArray[np.bool_]:
    """Mark the texts that have lost their line breaks, and not the spaces between lines with them."""
    out = np.empty(len(segments.bounds) - 1, np.bool_)
    _mark_unbroken(segments.start, segments.end, segments.joint, segments.bounds, out)
    return out


def restored(buffer: Buffer, segments: Segments, weights: BreakWeights, texts: NDArray[np.bool_]) -> Segments:
    """Cut segments where a line began, in some texts (a bool each)."""
    if not texts.any():
        return segments
    sizes = (segments.end - segments.start)[np.repeat(texts, np.diff(segments.bounds))]
    room = len(segments) + int(np.minimum(sizes // 2, _MOST).sum())
    start, end, joint = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.uint8)
    bounds = np.empty_like(segments.bounds)
    given = segments.start, segments.end, segments.joint, segments.bounds
    n = _restore(
        buffer.data, given, texts, _tables(), weights.table, weights.scale, (start, end, joint, bounds)
    )
    return Segments(start[:n].copy(), end[:n].copy(), joint[:n].copy(), bounds)
