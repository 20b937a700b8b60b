"""What a segment looks like: one numba pass that makes its fingerprints, its n-grams and its shape.

The same pass serves training (n-gram indices for scikit-learn) and prediction (a sum of weights on the fly),
so the two cannot differ.
"""

# ruff: noqa: ANN001, ANN201, ANN202  (numba kernels infer their types)

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from toolkit.segments import CLASSES, Buffer, Segments

BUCKETS = 1 << 17
"""Rows of the hashed n-gram weight table."""

FINGERPRINTS = ("exact", "fuzzy", "lead2", "lead4", "trail2", "trail4", "names")
"""Columns of the fingerprint array.

``exact``: all words, case and spacing folded. ``fuzzy``: digits masked, runs of capitalised words collapsed,
so that ``Follow Ann Lee on Twitter`` and ``Follow Bo Dahl on Twitter`` agree. ``lead2`` … ``trail4``: the first
or last two or four words, digits masked; 0 where the segment is hardly longer than that. ``names``: minimum
hash over the capitalised words inside the segment, one bottom-1 sample for telling stories apart.
"""

SHAPE = (
    "tokens",
    "words",
    "capitalised",
    "shouted",
    "digits",
    "marks",
    "quotes",
    "bytes",
    "first_class",
    "last_class",
)
"""Columns of the shape array: token counts, bytes, and character classes of the first and last character."""

_MAX_TOKENS = 96
_PER_TOKEN = 5
_ROOM = _MAX_TOKENS * _PER_TOKEN + 8


def _fold_table() -> NDArray[np.uint16]:
    table = np.arange(0x10000, dtype=np.uint16)
    for code in range(0x10000):
        lower = chr(code).lower()
        if len(lower) == 1 and ord(lower) < 0x10000:
            table[code] = ord(lower)
    table[ord("’")] = table[ord("‘")] = ord("'")
    table[ord("“")] = table[ord("”")] = ord('"')
    return table


FOLD = _fold_table()

_M1 = np.uint64(0x9E3779B97F4A7C15)
_M2 = np.uint64(0xBF58476D1CE4E5B9)


@njit(cache=True, nogil=True, inline="always")
def mix(a, b):  # type: ignore[no-untyped-def]
    """Combine two 64-bit hashes (the finaliser of splitmix64)."""
    z = (a ^ (b * _M1)) + _M1
    z = (z ^ (z >> np.uint64(30))) * _M2
    return z ^ (z >> np.uint64(29))


@njit(cache=True, nogil=True)
def scan(data, a, b, joint, classes, fold, index, prints, shape):  # type: ignore[no-untyped-def]
    """Read segment ``data[a:b]`` once; fill its n-gram buckets, fingerprints and shape; return how many buckets."""
    mask = np.uint64(BUCKETS - 1)
    exact = np.uint64(1)
    fuzzy = np.uint64(2)
    lead2 = np.uint64(0)
    lead4 = np.uint64(0)
    names = np.uint64(0xFFFFFFFFFFFFFFFF)
    w0 = np.uint64(0)
    w1 = np.uint64(0)
    w2 = np.uint64(0)
    w3 = np.uint64(0)
    previous = mix(np.uint64(joint), np.uint64(77))
    before = np.uint64(0)
    masked = np.uint64(5)
    masked2 = np.uint64(5)
    in_name = False
    n = 0
    tokens = 0
    for k in range(len(shape)):
        shape[k] = 0
    i = a
    first = True
    kind = np.uint8(0)
    while i < b:
        c = data[i]
        if c < 0x80:
            code = np.int64(c)
            size = 1
        elif c < 0xE0:
            code = ((np.int64(c) & 0x1F) << 6) | (np.int64(data[i + 1]) & 0x3F)
            size = 2
        elif c < 0xF0:
            code = ((np.int64(c) & 0x0F) << 12) | ((np.int64(data[i + 1]) & 0x3F) << 6)
            code |= np.int64(data[i + 2]) & 0x3F
            size = 3
        else:
            code = np.int64(0xFFFF)
            size = 4
        kind = classes[code]
        if first:
            shape[8] = kind
            first = False
        if kind == 4 or kind == 5:  # white space
            i += size
            continue
        upper = kind == 2
        if kind == 1 or kind == 2 or kind == 3 or (kind == 0 and code >= 0xAA):
            value = np.uint64(fold[code])
            plain = mix(value, np.uint64(11))
            digit = kind == 3
            h = np.uint64(48) if digit else value
            h = mix(h, np.uint64(11))
            length = 1
            uppers = 1 if upper else 0
            wide = code >= 0x2E80
            i += size
            while i < b and not wide:
                c = data[i]
                if c < 0x80:
                    code = np.int64(c)
                    size = 1
                elif c < 0xE0:
                    code = ((np.int64(c) & 0x1F) << 6) | (np.int64(data[i + 1]) & 0x3F)
                    size = 2
                elif c < 0xF0:
                    code = ((np.int64(c) & 0x0F) << 12) | ((np.int64(data[i + 1]) & 0x3F) << 6)
                    code |= np.int64(data[i + 2]) & 0x3F
                    size = 3
                else:
                    code = np.int64(0xFFFF)
                    size = 4
                k2 = classes[code]
                if (
                    k2 == 1
                    or k2 == 2
                    or k2 == 3
                    or (k2 == 0 and 0xAA <= code < 0x2E80 and code != 0x2013 and code != 0x2014)
                ):
                    value = np.uint64(fold[code])
                    plain = mix(plain, value)
                    if k2 == 3:
                        digit = True
                        value = np.uint64(48)
                    h = mix(h, value)
                    length += 1
                    if k2 == 2:
                        uppers += 1
                    i += size
                else:
                    break
            shape[1] += 1
            if digit:
                shape[4] += 1
            capital = upper
            if capital:
                shape[2] += 1
                if uppers == length and length > 1:
                    shape[3] += 1
        else:
            value = np.uint64(fold[code])
            h = mix(value, np.uint64(13))
            plain = h
            capital = False
            shape[5] += 1
            if value == 34:
                shape[6] += 1
            i += size
        exact = mix(exact, plain)
        name = capital and tokens > 0
        if name:
            names = min(names, mix(h, np.uint64(53)))
        if not (name and in_name):
            fuzzy = mix(fuzzy, np.uint64(99) if name else h)
        w0 = w1
        w1 = w2
        w2 = w3
        w3 = h
        if tokens == 1:
            lead2 = mix(w2, w3)
        elif tokens == 3:
            lead4 = mix(mix(w0, w1), mix(w2, w3))
        in_name = name
        if tokens < _MAX_TOKENS:
            shown = np.uint64(99) if name else h
            index[n] = mix(h, np.uint64(17)) & mask
            index[n + 1] = mix(previous, mix(h, np.uint64(19))) & mask
            index[n + 2] = mix(mix(before, previous), mix(h, np.uint64(23))) & mask
            index[n + 3] = mix(masked, mix(shown, np.uint64(29))) & mask
            index[n + 4] = mix(mix(masked2, masked), mix(shown, np.uint64(31))) & mask
            n += _PER_TOKEN
            masked2 = masked
            masked = shown
        before = previous
        previous = h
        tokens += 1
    # how it ends, and what kind of break stands before it
    index[n] = mix(previous, np.uint64(37)) & mask
    index[n + 1] = mix(before, mix(previous, np.uint64(41))) & mask
    index[n + 2] = mix(np.uint64(min(tokens, 12)), mix(np.uint64(joint), np.uint64(43))) & mask
    n += 3
    shape[0] = tokens
    shape[7] = b - a
    shape[9] = kind
    prints[0] = exact
    prints[1] = fuzzy
    prints[2] = lead2 if tokens >= 4 else 0
    prints[3] = lead4 if tokens >= 6 else 0
    prints[4] = mix(mix(w2, w3), np.uint64(59)) if tokens >= 4 else 0
    prints[5] = mix(mix(mix(w0, w1), mix(w2, w3)), np.uint64(59)) if tokens >= 6 else 0
    prints[6] = names
    return n


@njit(cache=True, nogil=True)
def _score(data, start, end, joint, classes, fold, weights, logits, prints, shapes):  # type: ignore[no-untyped-def]
    index = np.empty(_ROOM, np.uint32)
    width = weights.shape[1]
    for s in range(len(start)):
        n = scan(data, start[s], end[s], joint[s], classes, fold, index, prints[s], shapes[s])
        scale = np.float32(1.0 / np.sqrt(np.float32(n)))
        for k in range(width):
            logits[s, k] = 0.0
        for j in range(n):
            row = weights[index[j]]
            for k in range(width):
                logits[s, k] += np.float32(row[k])
        for k in range(width):
            logits[s, k] *= scale


@njit(cache=True, nogil=True)
def _collect(data, start, end, joint, classes, fold, pointers, out, prints, shapes):  # type: ignore[no-untyped-def]
    index = np.empty(_ROOM, np.uint32)
    total = 0
    pointers[0] = 0
    for s in range(len(start)):
        n = scan(data, start[s], end[s], joint[s], classes, fold, index, prints[s], shapes[s])
        for j in range(n):
            out[total + j] = index[j]
        total += n
        pointers[s + 1] = total
    return total


def score_segments(
    buffer: Buffer, segments: Segments, weights: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.uint64], NDArray[np.int32]]:
    """Sum n-gram weights over each segment.

    Parameters
    ----------
    weights : ndarray of float32, shape (BUCKETS, n_classes)

    Returns
    -------
    logits : ndarray of float32, shape (n_segments, n_classes)
        Sum of the weights of the segment's n-grams over the square root of their number.
    prints : ndarray of uint64, shape (n_segments, 7)
        Columns :data:`FINGERPRINTS`.
    shapes : ndarray of int32, shape (n_segments, 10)
        Columns :data:`SHAPE`.
    """
    n = len(segments)
    logits = np.empty((n, weights.shape[1]), np.float32)
    prints, shapes = np.empty((n, len(FINGERPRINTS)), np.uint64), np.empty((n, len(SHAPE)), np.int32)
    _score(
        buffer.data,
        segments.start,
        segments.end,
        segments.joint,
        CLASSES,
        FOLD,
        weights,
        logits,
        prints,
        shapes,
    )
    return logits, prints, shapes


def ngram_matrix(buffer: Buffer, segments: Segments) -> Any:
    """Return the same n-grams as a ``scipy.sparse.csr_array`` for training, each row scaled as in prediction."""
    from scipy.sparse import csr_array

    n = len(segments)
    pointers = np.empty(n + 1, np.int64)
    length = int((segments.end - segments.start).sum())
    out = np.empty(min(length * _PER_TOKEN, n * _ROOM) + n * 8, np.uint32)
    prints, shapes = np.empty((n, len(FINGERPRINTS)), np.uint64), np.empty((n, len(SHAPE)), np.int32)
    total = _collect(
        buffer.data,
        segments.start,
        segments.end,
        segments.joint,
        CLASSES,
        FOLD,
        pointers,
        out,
        prints,
        shapes,
    )
    counts = np.diff(pointers)
    values = np.repeat((1.0 / np.sqrt(counts)).astype(np.float32), counts)
    return csr_array((values, out[:total].astype(np.int32), pointers.astype(np.int32)), shape=(n, BUCKETS))
