"""Shingles: overlapping sequences of words, by which documents are compared (kernels of :mod:`toolkit.duplication`)."""

from __future__ import annotations

import string

import numpy as np
from numpy.typing import NDArray

from toolkit.buffer import FNV, PRIME, spread
from toolkit.kernels import njit

Hashes = NDArray[np.uint64]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SHINGLE = 5  # words: shorter ones match by chance (quotations, set phrases), longer ones miss light edits
WINDOW = 16  # two documents are compared only if they are at most this many places apart in a posting list

_WORD, _GAP, _IDEOGRAPH = 1, 0, 2

_FOLDED = np.zeros(256, np.uint8)  # letters and digits of ASCII, in lower case; 0 for other bytes
for _byte in string.ascii_letters + string.digits:
    _FOLDED[ord(_byte)] = ord(_byte.lower())


@njit(cache=True, nogil=True)
def shingles_of(
    data: NDArray[np.uint8], offsets: Ints, wanted: NDArray[np.bool_]
) -> tuple[Hashes, Ints, Hashes]:
    """Return the shingles of each wanted document in the order of its text, where each document's end, and hashes.

    A hash is over a document's words, without white space and punctuation. What is behind the last shingle is free.
    """
    out = np.empty(int(offsets[-1] - offsets[0]) // 2 + 1, np.uint64)
    ends = np.zeros(len(offsets), np.int64)
    whole = np.zeros(len(wanted), np.uint64)
    leading = PRIME ** np.uint64(SHINGLE - 1)
    n = 0
    for d in range(len(wanted)):
        if wanted[d]:
            words = _words(data, offsets[d], offsets[d + 1])
            whole[d] = len(words)
            rolled = np.uint64(0)
            for i in range(len(words)):
                whole[d] += spread(words[i] + np.uint64(i) * np.uint64(0x9E3779B97F4A7C15))
                rolled = rolled * PRIME + words[i]
                if i >= SHINGLE - 1:
                    out[n] = spread(rolled)
                    n += 1
                    rolled -= leading * words[i - SHINGLE + 1]
        ends[d + 1] = n
    return out, ends, whole


@njit(cache=True, nogil=True)
def keep(shingles: Hashes, ends: Ints, again: Hashes, others: NDArray[np.int32]) -> int:
    """Keep the distinct shingles that may come again, in place; count the others; return how many are kept."""
    n = begin = 0
    for d in range(len(ends) - 1):
        end = ends[d + 1]
        before, left_out = np.uint64(0), 0
        for i in range(begin, end):
            shingle = shingles[i]
            if i > begin and shingle == before:
                continue
            before = shingle
            if _is_marked(shingle, again):
                shingles[n] = shingle
                n += 1
            else:
                left_out += 1
        others[d] = left_out
        begin, ends[d + 1] = end, n
    return n


@njit(cache=True, nogil=True)
def mark(hashes: Hashes, once: Hashes, again: Hashes) -> None:
    """Set a bit for each hash that comes, and in the second table where its bit was set before."""
    last = np.uint64(len(once) - 1)
    for one in hashes:
        word, bit = (one >> np.uint64(6)) & last, np.uint64(1) << (one & np.uint64(63))
        again[word] |= once[word] & bit
        once[word] |= bit


@njit(cache=True, nogil=True)
def _is_marked(one: np.uint64, table: Hashes) -> bool:
    word = table[(one >> np.uint64(6)) & np.uint64(len(table) - 1)]
    return (word >> (one & np.uint64(63))) & np.uint64(1) != 0


@njit(cache=True, nogil=True)
def marked(hashes: Hashes, table: Hashes) -> NDArray[np.bool_]:
    """Whether the bit of each hash is set in a table that :func:`mark` filled."""
    out = np.empty(len(hashes), np.bool_)
    for i in range(len(hashes)):
        out[i] = _is_marked(hashes[i], table)
    return out


@njit(cache=True, nogil=True)
def keyed(
    shingles: Hashes, bounds: Ints, salt: Hashes, parts: np.uint64, part: np.uint64
) -> tuple[Ints, Hashes]:
    """Return the places of one part of the shingles, and keys that differ between publishers; ``salt`` is by document.

    Equal keys are in the same part.
    """
    # only what is written takes memory
    at, keys = np.empty(len(shingles), np.int64), np.empty(len(shingles), np.uint64)
    n = 0
    for d in range(len(bounds) - 1):
        for i in range(bounds[d], bounds[d + 1]):
            if shingles[i] % parts == part:
                at[n], keys[n] = i, spread(shingles[i] ^ salt[d])
                n += 1
    return at[:n], keys[:n]


@njit(cache=True, nogil=True)
def _words(data: NDArray[np.uint8], i: int, stop: int) -> Hashes:
    """Return a hash of every word of a document, ASCII letters in lower case."""
    out = np.empty((stop - i) // 2 + 1, np.uint64)
    n = 0
    value = FNV
    while i < stop:
        b = data[i]
        if _FOLDED[b]:
            value = (value ^ np.uint64(_FOLDED[b])) * PRIME
            i += 1
            continue
        size, kind = 1, _GAP
        if b >= 0xF0:
            size = 4
        elif b >= 0xE3:
            size, kind = 3, _IDEOGRAPH
        elif b >= 0xE0:
            size, kind = 3, _GAP if b == 0xE2 else _WORD
        elif b >= 0xC0:
            size, kind = 2, _GAP if b == 0xC2 else _WORD
        if kind != _WORD and value != FNV:
            out[n] = value
            n += 1
            value = FNV
        if kind != _GAP:
            for j in range(i, i + size):
                value = (value ^ np.uint64(data[j])) * PRIME
        if kind == _IDEOGRAPH:
            out[n] = value
            n += 1
            value = FNV
        i += size
    if value != FNV:
        out[n] = value
        n += 1
    return out[:n]


@njit(cache=True, nogil=True)
def postings(ranked: Hashes, owner: Ints, documents: int, lo: int, hi: int, packed: Ints) -> int:
    """Propose pairs that are close together in a posting list and whose first document is one of ``lo:hi``."""
    n = 0
    a = 0
    while a < len(ranked):
        b = a + 1
        while b < len(ranked) and ranked[b] == ranked[a]:
            b += 1
        for i in range(a, b):
            for j in range(i + 1, min(b, i + 1 + WINDOW)):
                first = min(owner[i], owner[j])
                if lo <= first < hi:
                    packed[n] = first * documents + max(owner[i], owner[j])
                    n += 1
        a = b
    return n


@njit(cache=True, nogil=True)
def contained(
    shingles: Hashes, bounds: Ints, others: NDArray[np.int32], holders: NDArray[np.int32],
    compared: NDArray[np.bool_], pairs: Ints,
) -> Floats:  # fmt: skip
    """Return the similarity of each pair."""
    totals = others.astype(np.float64)
    for d in range(len(compared)):
        if compared[d]:
            for i in range(bounds[d], bounds[d + 1]):
                totals[d] += 1.0 / holders[i]
    out = np.zeros(len(pairs))
    for p in range(len(pairs)):
        x, y = pairs[p, 0], pairs[p, 1]
        i, j = bounds[x], bounds[y]
        left = right = 0.0
        while i < bounds[x + 1] and j < bounds[y + 1]:
            if shingles[i] == shingles[j]:
                left += 1.0 / holders[i]
                right += 1.0 / holders[j]
                i += 1
                j += 1
            elif shingles[i] < shingles[j]:
                i += 1
            else:
                j += 1
        if totals[x] > 0 and totals[y] > 0:  # else a document has fewer words than a shingle
            out[p] = max(left / totals[x], right / totals[y])
    return out
