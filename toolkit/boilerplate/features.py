"""What a segment looks like: one numba pass that makes its fingerprints, its n-grams and its shape.

The same pass serves training (n-gram indices for scikit-learn) and prediction (a sum of weights on the fly),
so the two cannot differ.
"""

# ruff: noqa: ANN001, ANN201, ANN202  (numba kernels infer their types)

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray

from toolkit.segments import CLASSES, FNV, PRIME, Buffer, Segments, decode

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
    "terms",
)
"""Columns of the shape array: token counts, bytes, character classes of the first and last character, and the
number of terms: words of at least four letters."""

WINDOWS = (
    *(f"head_{k}" for k in range(1, 8)),
    *(f"tail_{k}" for k in range(1, 8)),
    "most",
    *(f"markup_{w}" for w in ("head", "tail", "most")),
)
"""Columns of the window array: how far the first eight tokens, the last eight, and the best eight speak for a class
rather than for article text; in a long segment the cue is often nowhere else."""

NAME = 1
"""Lowest bit of a term: set where the word is capitalised inside its segment."""

_MAX_TOKENS = 96
_PER_TOKEN = 5
_WINDOW = 8
_ROOM = _MAX_TOKENS * _PER_TOKEN + 8
_TERM = 4


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
_M3 = np.uint64(0x94D049BB133111EB)
_M4 = np.uint64(0xD6E8FEB86659FD93)
_M5 = np.uint64(0xA0761D6478BD642F)
_M6 = np.uint64(0xE7037ED1A0B428DB)
_NAMED = np.uint64(0x8BB84B93962EACC9)
_SHIFT = np.uint64(64 - 17)


@njit(cache=True, nogil=True, inline="always")
def mix(a, b):  # type: ignore[no-untyped-def]
    """Combine two 64-bit hashes (the finaliser of splitmix64)."""
    z = (a ^ (b * _M1)) + _M1
    z = (z ^ (z >> np.uint64(30))) * _M2
    return z ^ (z >> np.uint64(29))


@njit(cache=True, nogil=True, inline="always")
def _in_word(kind, code):  # type: ignore[no-untyped-def]
    return (1 <= kind <= 3) or (kind == 0 and 0xAA <= code < 0x2E80 and code != 0x2013 and code != 0x2014)


@njit(cache=True, nogil=True)
def scan(data, a, b, joint, classes, fold, index, prints, shape, terms):  # type: ignore[no-untyped-def]
    """Read segment ``data[a:b]`` once; fill its n-gram buckets, fingerprints, shape and terms.

    Returns the number of buckets.
    """
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
    n_terms = 0
    tokens = 0
    words = 0
    capitals = 0
    shouted = 0
    digits = 0
    quotes = 0
    i = a
    kind = np.uint8(0)
    opening = np.uint8(255)
    while i < b:
        code, size = decode(data, i, b)
        kind = classes[code]
        if opening == 255:
            opening = kind
        if kind == 4 or kind == 5:  # white space
            i += size
            continue
        value = np.uint64(fold[code])
        capital = False
        if _in_word(kind, code) or (kind == 0 and code >= 0xAA):
            capital = kind == 2
            wide = code >= 0x2E80
            uppers = 0
            length = 0
            h = FNV
            numerals = FNV
            digit = False
            while True:
                if kind == 3:  # digits look alike to the model, not to the exact fingerprint
                    digit = True
                    numerals = (numerals ^ value) * PRIME
                    value = np.uint64(48)
                elif kind == 2:
                    uppers += 1
                h = (h ^ value) * PRIME
                length += 1
                i += size
                if i >= b or wide:
                    break
                code, size = decode(data, i, b)
                after = classes[code]
                if not _in_word(after, code):
                    break
                kind = after
                value = np.uint64(fold[code])
            h = (h ^ (h >> np.uint64(32))) * _M4
            plain = h
            words += 1
            if digit:
                plain = mix(h, numerals)
                digits += 1
            elif length >= _TERM:
                terms[n_terms] = np.uint32(h >> np.uint64(32)) & ~np.uint32(1) | np.uint32(
                    capital and tokens > 0
                )
                n_terms += 1
            if capital:
                capitals += 1
                if uppers == length and length > 1:
                    shouted += 1
        else:
            h = mix(value, np.uint64(13))
            plain = h
            if value == 34:
                quotes += 1
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
        # a long segment is represented by its first 88 and its last 8 tokens
        slot = tokens if tokens < _MAX_TOKENS else _MAX_TOKENS - _WINDOW + tokens % _WINDOW
        n = slot * _PER_TOKEN
        shown = _NAMED if name else h * _M6
        one = previous * _M3
        two = one ^ before * _M5
        index[n] = (h * _M1) >> _SHIFT
        index[n + 1] = ((h ^ one) * _M2) >> _SHIFT
        index[n + 2] = ((h ^ two) * _M4) >> _SHIFT
        index[n + 3] = ((shown ^ masked * _M3) * _M1) >> _SHIFT
        index[n + 4] = ((shown ^ masked * _M3 ^ masked2 * _M5) * _M2) >> _SHIFT
        masked2 = masked
        masked = shown
        before = previous
        previous = h
        tokens += 1
    # how it ends, and what kind of break stands before it
    n = min(tokens, _MAX_TOKENS) * _PER_TOKEN
    index[n] = mix(previous, np.uint64(37)) >> _SHIFT
    index[n + 1] = mix(before, mix(previous, np.uint64(41))) >> _SHIFT
    index[n + 2] = mix(np.uint64(min(tokens, 12)), mix(np.uint64(joint), np.uint64(43))) >> _SHIFT
    shape[0] = tokens
    shape[1] = words
    shape[2] = capitals
    shape[3] = shouted
    shape[4] = digits
    shape[5] = tokens - words
    shape[6] = quotes
    shape[7] = b - a
    shape[8] = opening
    shape[9] = kind
    shape[10] = n_terms
    prints[0] = exact
    prints[1] = fuzzy
    prints[2] = lead2 if tokens >= 4 else 0
    prints[3] = lead4 if tokens >= 6 else 0
    prints[4] = mix(mix(w2, w3), np.uint64(59)) if tokens >= 4 else 0
    prints[5] = mix(mix(mix(w0, w1), mix(w2, w3)), np.uint64(59)) if tokens >= 6 else 0
    prints[6] = names
    return n + 3


@njit(cache=True, nogil=True, inline="always")
def _unpack(sums, count, scale, out):  # type: ignore[no-untyped-def]
    """Read sixteen sums out of four words of four lanes; take off the bias of each addend."""
    bias = np.float32(128 * count)
    for word in range(2):
        for lane in range(8):
            packed = sums[2 * word + (lane & 1)] >> np.uint64(16 * (lane >> 1))
            out[8 * word + lane] = (np.float32(packed & np.uint64(0xFFFF)) - bias) * scale[8 * word + lane]


@njit(cache=True, nogil=True)
def _weigh(chunk, older, scale, windows, first, last):  # type: ignore[no-untyped-def]
    """Enter the window made of two chunks of tokens into a segment's row."""
    for table in range(2):
        at = 8 * table
        keep = chunk[at] + older[at]
        best = np.float32(-1e30)
        for k in range(1, 8):
            margin = (chunk[at + k] + older[at + k] - keep) * scale
            best = max(best, margin)
            if table == 0:
                if first:
                    windows[k - 1] = margin
                if last:
                    windows[6 + k] = margin
        if table == 0:
            windows[14] = best if first else max(windows[14], best)
        else:
            if first:
                windows[15] = best
            if last:
                windows[16] = best
            windows[17] = best if first else max(windows[17], best)


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
    data,
    start,
    end,
    joint,
    classes,
    fold,
    table,
    scales,
    bias,
    same,
    old_words,
    old_windows,
    old_prints,
    old_shapes,
    old_terms,
    old_at,
    logits,
    windows,
    prints,
    shapes,
    terms,
):
    index = np.empty(_ROOM, np.uint32)
    step = _WINDOW // 2 * _PER_TOKEN
    sums = np.empty(4, np.uint64)
    chunk = np.empty(16, np.float32)
    older = np.empty(16, np.float32)
    even = np.uint64(0x00FF00FF00FF00FF)
    eight = np.uint64(8)
    at = 0
    for s in range(len(start)):
        if len(same) and same[s] >= 0:
            old = same[s]
            logits[s] = old_words[old]
            windows[s] = old_windows[old]
            prints[s] = old_prints[old]
            shapes[s] = old_shapes[old]
            for t in range(shapes[s, 10]):
                terms[at + t] = old_terms[old_at[old] + t]
            at += shapes[s, 10]
            continue
        n = scan(data, start[s], end[s], joint[s], classes, fold, index, prints[s], shapes[s], terms[at:])
        at += shapes[s, 10]
        for k in range(16):
            logits[s, k] = 0.0
            older[k] = 0.0
        j = 0
        while j < n:
            stop = min(j + step, n)
            if n - stop < step // 2:
                stop = n
            a = np.uint64(0)
            b = np.uint64(0)
            c = np.uint64(0)
            d = np.uint64(0)
            for i in range(j, stop):
                x = table[index[i], 0]
                y = table[index[i], 1]
                a += x & even
                b += (x >> eight) & even
                c += y & even
                d += (y >> eight) & even
            sums[0] = a
            sums[1] = b
            sums[2] = c
            sums[3] = d
            _unpack(sums, stop - j, scales, chunk)
            scale = np.float32(1.0 / np.sqrt(np.float32(stop - max(j - step, 0))))
            if j > 0 or stop == n:
                _weigh(chunk, older, scale, windows[s], j <= step, stop == n)
            for k in range(16):
                logits[s, k] += chunk[k]
                older[k] = chunk[k]
            j = stop
        scale = np.float32(1.0 / np.sqrt(np.float32(n)))
        for k in range(16):
            logits[s, k] = logits[s, k] * scale + bias[k]
        softmax(logits[s])
    return at


@njit(cache=True, nogil=True)
def _read(data, start, end, joint, classes, fold, prints, shapes, terms):  # type: ignore[no-untyped-def]
    index = np.empty(_ROOM, np.uint32)
    at = 0
    for s in range(len(start)):
        scan(data, start[s], end[s], joint[s], classes, fold, index, prints[s], shapes[s], terms[at:])
        at += shapes[s, 10]
    return at


@njit(cache=True, nogil=True)
def _collect(data, start, end, joint, classes, fold, pointers, out, prints, shapes):  # type: ignore[no-untyped-def]
    index = np.empty(_ROOM, np.uint32)
    total = 0
    pointers[0] = 0
    longest = 0
    for s in range(len(start)):
        longest = max(longest, end[s] - start[s])
    terms = np.empty(longest // _TERM + 1, np.uint32)
    for s in range(len(start)):
        n = scan(data, start[s], end[s], joint[s], classes, fold, index, prints[s], shapes[s], terms)
        for j in range(n):
            out[total + j] = index[j]
        total += n
        pointers[s + 1] = total
    return total


@dataclass(frozen=True)
class WordWeights:
    """N-gram weights of two tables of eight classes, a byte each.

    Attributes
    ----------
    table : ndarray of uint8, shape (BUCKETS, 16)
        Weight in steps of ``scale``, plus 128.
    scale, bias : ndarray of float32, shape (16,)

    Notes
    -----
    A byte a weight keeps the table at 2 MiB, near the processor; sixteen of them are added at once as lanes of
    four machine words.
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


@dataclass(frozen=True)
class SegmentReading:
    """What one pass over the segments gives.

    Attributes
    ----------
    prints : ndarray of uint64, shape (n_segments, 7)
        Columns :data:`FINGERPRINTS`.
    shapes : ndarray of int32, shape (n_segments, 11)
        Columns :data:`SHAPE`.
    terms : ndarray of uint32, shape (n_terms,)
        Hashes of the segments' terms, one segment after the other; lowest bit :data:`NAME`.
    words : ndarray of float32, shape (n_segments, 16) or (0, 16)
        Probability of each class in either table: softmax over the sum of the weights of the segment's n-grams,
        divided by the square root of their number, plus the bias; empty without weights.
    windows : ndarray of float32, shape (n_segments, 18) or (0, 18)
        Columns :data:`WINDOWS`.
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

    Parameters
    ----------
    known : (ndarray of int64, SegmentReading), optional
        For each segment its place in an earlier reading by the same weights that held it, -1 if none did.
    """
    n = len(segments)
    prints, shapes = np.empty((n, len(FINGERPRINTS)), np.uint64), np.empty((n, len(SHAPE)), np.int32)
    terms = np.empty(int((segments.end - segments.start).sum()) // _TERM + 1, np.uint32)
    text = (buffer.data, segments.start, segments.end, segments.joint, CLASSES, FOLD)
    scored = n if words is not None else 0
    given, windows = np.empty((scored, 16), np.float32), np.empty((scored, len(WINDOWS)), np.float32)
    if words is None:
        used = _read(*text, prints, shapes, terms)
    else:
        none = SegmentReading(prints[:0], shapes[:0], terms[:0], given[:0], windows[:0])
        same, old = (np.empty(0, np.int64), none) if known is None else known
        counts = old.shapes[:, SHAPE.index("terms")].astype(np.int64)
        used = _score(
            *text, words.table.view(np.uint64), words.scale, words.bias, same, old.words, old.windows, old.prints,
            old.shapes, old.terms, np.cumsum(counts) - counts, given, windows, prints, shapes, terms,
        )  # fmt: skip
    return SegmentReading(prints, shapes, terms[:used], given, windows)


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


@dataclass(frozen=True)
class Titles:
    """Titles of documents, to be compared with what their texts say.

    Attributes
    ----------
    prints : ndarray of uint64, shape (n_documents,)
        Exact fingerprint, 0 where there is no title.
    counts : ndarray of int64, shape (n_documents,)
        Number of terms of each title.
    terms : ndarray of uint32
        The terms, one title after the other.
    """

    prints: NDArray[np.uint64]
    counts: NDArray[np.int64]
    terms: NDArray[np.uint32]

    @classmethod
    def of(cls, titles: pd.Series[Any]) -> Titles:
        """Read a column of titles, which may be missing."""
        buffer = Buffer.of(titles.fillna("").str.strip())
        n = len(buffer)
        whole = Segments(buffer.offsets[:-1], buffer.offsets[1:], np.zeros(n, np.uint8), np.arange(n + 1))
        read = read_segments(buffer, whole)
        known = np.diff(buffer.offsets) > 0
        counts = read.shapes[:, SHAPE.index("terms")].astype(np.int64)
        return cls(np.where(known, read.prints[:, 0], np.uint64(0)), counts, read.terms)

    def take(self, documents: NDArray[np.int64]) -> Titles:
        """Keep some titles, in the order given."""
        starts = np.cumsum(self.counts) - self.counts
        counts = self.counts[documents]
        within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        return Titles(
            self.prints[documents], counts, self.terms[np.repeat(starts[documents], counts) + within]
        )
