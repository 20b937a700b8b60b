"""Features of a text: hashed word 1–2-grams, counted by one kernel over Arrow's UTF-8 buffers.

Words are runs of letters and digits, lower-cased; in scripts without spaces (Han, kana, Thai, Lao, Khmer,
Burmese, Tibetan) each character is a word, so that word pairs are character bigrams. Each word and each pair
of neighbouring words falls into one of ``2**bits`` buckets. Training reads the buckets as a sparse matrix
(:func:`matrix`), prediction sums the weights of a linear model over them on the fly (:func:`decide`). Both go
through :func:`_count`, so they cannot differ.
"""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types and take their arrays one by one)
from __future__ import annotations

import unicodedata
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray
from pyarrow import compute
from scipy.sparse import csr_matrix

Buffers: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.int64]]

_SEED = np.uint64(0x9E3779B97F4A7C15)
_STEP = np.uint64(0xFF51AFD7ED558CCD)
_MIX = np.uint64(0xC4CEB9FE1A85EC53)
_PAIR = np.uint64(0xD6E8FEB86659FD93)
_SHIFT = np.uint64(32)

SEPARATOR, WORD, ALONE, IGNORED = 0, 1, 2, 3
_ALONE_RANGES = (
    (0x0E00, 0x0EFF), (0x0F00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF),
    (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0xFF66, 0xFF9F),
)  # fmt: skip
_IGNORED = (0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF)
_TF_CAP = 256
_TF = np.concatenate([[0.0], 1.0 + np.log(np.arange(1, _TF_CAP))]).astype(np.float32)


@dataclass(frozen=True)
class FeatureSpace:
    """What is read of a document and how finely it is hashed.

    Parameters
    ----------
    bits : int, default 18
        Base-2 logarithm of the number of buckets.
    lead : int, default 4096
        Bytes of the text that are read: news says first what it is about. A word that the limit cuts is left
        out.
    title_weight : int, default 2
        How many times a word of the title counts; 0 reads no titles.
    """

    bits: int = 18
    lead: int = 4096
    title_weight: int = 2

    def __post_init__(self) -> None:
        if not (8 <= self.bits <= 24 and 0 < self.lead <= 1 << 24 and 0 <= self.title_weight <= 16):
            msg = f"{self}: bits must be 8–24, lead 1–16777216 bytes, title_weight 0–16"
            raise ValueError(msg)

    @property
    def size(self) -> int:
        """Number of buckets."""
        return 1 << self.bits

    def card(self) -> dict[str, int]:
        """Return the parameters as JSON-ready values."""
        return asdict(self)


def text_buffers(texts: pd.Series[Any]) -> Buffers:
    """Return the UTF-8 bytes of a column and the offsets at which its values begin.

    Missing values read as empty. Nothing is copied where the column is one Arrow chunk already.

    Parameters
    ----------
    texts : Series of str, length n

    Returns
    -------
    data : uint8 array
    offsets : int64 array, length n + 1
    """
    array: Any = pa.array(texts, pa.large_string(), from_pandas=True)
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], pa.large_string())
    if array.null_count:
        array = compute.fill_null(array, "")
    _, places, raw = array.buffers()
    if not len(array):
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    offsets = np.frombuffer(places, np.int64, len(array) + 1, array.offset * 8)
    data = np.frombuffer(raw, np.uint8) if raw is not None and raw.size else np.empty(0, np.uint8)
    return data, offsets


@cache
def character_tables() -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Return what each character of the Basic Multilingual Plane is, and its lower-case form.

    Categories are those of Unicode 3.2, which every Python carries, so that a model reads a text alike under
    every version; characters that are newer count as letters.

    Returns
    -------
    kinds : uint8 array, length 65,536
        ``SEPARATOR``, ``WORD``, ``ALONE`` or ``IGNORED``.
    folds : uint16 array, length 65,536
    """
    kinds = np.zeros(1 << 16, np.uint8)
    folds = np.arange(1 << 16, dtype=np.uint16)
    for code in range(1 << 16):
        category = unicodedata.ucd_3_2_0.category(chr(code))
        if category[0] in "LMN" or category == "Cn":
            kinds[code] = WORD
        if category == "Lu" and len(lower := chr(code).lower()) == 1:
            folds[code] = ord(lower)
    for first, last in _ALONE_RANGES:
        kinds[first : last + 1][kinds[first : last + 1] == WORD] = ALONE
    kinds[list(_IGNORED)] = IGNORED
    return kinds, folds


@njit(nogil=True, cache=True)
def _tokens(data, start, stop, cut, kinds, folds, hashes, begins, ends, n):  # type: ignore[no-untyped-def]
    """Write hash, begin and end of each word of ``data[start:stop]`` from row ``n``; return the next row."""
    h = _SEED
    begin = np.int64(-1)
    i = start
    while i < stop:
        byte = np.int64(data[i])
        width = 1
        code = byte
        if byte >= 0x80:
            width = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            if i + width > stop:
                break
            code = byte & (0x7F >> width)
            for k in range(1, width):
                code = (code << 6) | (np.int64(data[i + k]) & 0x3F)
        if code < 0x10000:
            kind = kinds[code]
            code = np.int64(folds[code])
        else:
            # beyond the plane of the tables: ideographs stand alone, pictographs separate
            kind = ALONE if 0x20000 <= code < 0x40000 else SEPARATOR if 0x1F000 <= code < 0x20000 else WORD
        if kind == WORD:
            if begin < 0:
                begin = i
                h = _SEED
            h = (h ^ np.uint64(code)) * _STEP
            h ^= h >> _SHIFT
        elif kind != IGNORED:
            if begin >= 0:
                hashes[n] = h * _MIX
                begins[n] = begin
                ends[n] = i
                n += 1
                begin = np.int64(-1)
            if kind == ALONE:
                alone = (_SEED ^ np.uint64(code)) * _STEP
                hashes[n] = (alone ^ (alone >> _SHIFT)) * _MIX
                begins[n] = i
                ends[n] = i + width
                n += 1
        i += width
    if begin >= 0 and not cut:
        hashes[n] = h * _MIX
        begins[n] = begin
        ends[n] = i
        n += 1
    return n


@njit(nogil=True, cache=True)
def _pair(left, right):  # type: ignore[no-untyped-def]
    h = (left * _PAIR) ^ right
    h = (h ^ (h >> _SHIFT)) * _MIX
    return (h ^ (h >> _SHIFT)) * _PAIR


@njit(nogil=True, cache=True)
def _add(bucket, weight, counts, touched, m):  # type: ignore[no-untyped-def]
    # whether a bucket is new cannot be foretold: no branch, or the processor guesses wrong every other time
    count = np.int64(counts[bucket])
    touched[m] = bucket
    counts[bucket] = min(count + weight, 255)
    return m + (count == 0)


@njit(nogil=True, cache=True)
def _count(title, title_start, title_stop, data, start, stop, reading, work):  # type: ignore[no-untyped-def]
    """Count the buckets of one document; list them in order of appearance in ``touched``."""
    bits, lead, title_weight, kinds, folds = reading
    hashes, begins, ends, counts, touched = work
    shift = np.uint64(64 - bits)
    m = np.int64(0)
    once = np.int64(1)
    if title_weight > 0:
        last = min(title_stop, title_start + lead)
        n = _tokens(title, title_start, last, last < title_stop, kinds, folds, hashes, begins, ends, 0)
        for j in range(n):
            m = _add(np.int64(hashes[j] >> shift), title_weight, counts, touched, m)
            if j:
                pair = np.int64(_pair(hashes[j - 1], hashes[j]) >> shift)
                m = _add(pair, title_weight, counts, touched, m)
    last = min(stop, start + lead)
    n = _tokens(data, start, last, last < stop, kinds, folds, hashes, begins, ends, 0)
    for j in range(n):
        m = _add(np.int64(hashes[j] >> shift), once, counts, touched, m)
        if j:
            m = _add(np.int64(_pair(hashes[j - 1], hashes[j]) >> shift), once, counts, touched, m)
    return m


@njit(nogil=True, cache=True)
def _scratch(bits, lead):  # type: ignore[no-untyped-def]
    rows = lead // 2 + 2
    return (
        np.empty(rows, np.uint64),
        np.empty(rows, np.int64),
        np.empty(rows, np.int64),
        np.zeros(1 << bits, np.uint8),
        np.empty(4 * rows, np.int32),
    )


@njit(nogil=True, cache=True)
def _matrix(title, title_offsets, data, offsets, reading, tf):  # type: ignore[no-untyped-def]
    work = _scratch(reading[0], reading[1])
    counts, touched = work[3], work[4]
    n = len(offsets) - 1
    indptr = np.zeros(n + 1, np.int64)
    indices = np.empty(1 << 16, np.int32)
    values = np.empty(1 << 16, np.float32)
    for d in range(n):
        m = _count(
            title, title_offsets[d], title_offsets[d + 1], data, offsets[d], offsets[d + 1], reading, work
        )
        base = indptr[d]
        if base + m > len(indices):
            room = max(2 * len(indices), base + m)
            wider, longer = np.empty(room, np.int32), np.empty(room, np.float32)
            wider[:base] = indices[:base]
            longer[:base] = values[:base]
            indices, values = wider, longer
        for j in range(m):
            bucket = touched[j]
            indices[base + j] = bucket
            values[base + j] = tf[counts[bucket]]
            counts[bucket] = 0
        indptr[d + 1] = base + m
    return indptr, indices[: indptr[n]], values[: indptr[n]]


@njit(nogil=True, cache=True)
def _decide(title, title_offsets, data, offsets, reading, tf, idf, weights, scale, bias):  # type: ignore[no-untyped-def]
    work = _scratch(reading[0], reading[1])
    counts, touched = work[3], work[4]
    n = len(offsets) - 1
    topics = weights.shape[1]
    scores = np.empty((n, topics), np.float32)
    total = np.empty(topics, np.float32)
    for d in range(n):
        m = _count(
            title, title_offsets[d], title_offsets[d + 1], data, offsets[d], offsets[d + 1], reading, work
        )
        total[:] = 0
        square = np.float32(0)
        for j in range(m):
            bucket = touched[j]
            value = tf[counts[bucket]] * idf[bucket]
            counts[bucket] = 0
            square += value * value
            row = weights[bucket]
            for k in range(topics):
                total[k] += value * np.float32(row[k])
        length = np.sqrt(square) if square > 0 else np.float32(1)
        for k in range(topics):
            scores[d, k] = total[k] / length * scale[k] + bias[k]
    return scores


@njit(nogil=True, cache=True)
def _occurrences(data, bits, lead, kinds, folds):  # type: ignore[no-untyped-def]
    hashes, begins, ends, _, _ = _scratch(bits, lead)
    shift = np.uint64(64 - bits)
    last = min(len(data), lead)
    n = _tokens(data, 0, last, last < len(data), kinds, folds, hashes, begins, ends, 0)
    buckets = np.empty(max(0, 2 * n - 1), np.int64)
    spans = np.empty((len(buckets), 2), np.int64)
    m = 0
    for j in range(n):
        buckets[m] = np.int64(hashes[j] >> shift)
        spans[m] = begins[j], ends[j]
        m += 1
        if j:
            buckets[m] = np.int64(_pair(hashes[j - 1], hashes[j]) >> shift)
            spans[m] = begins[j - 1], ends[j]
            m += 1
    return buckets, spans


def _inputs(texts: pd.Series[Any], titles: pd.Series[Any] | None) -> tuple[Any, ...]:
    data, offsets = text_buffers(texts)
    if titles is None:
        return np.empty(0, np.uint8), np.zeros(len(texts) + 1, np.int64), data, offsets
    return *text_buffers(titles), data, offsets


def _reading(space: FeatureSpace) -> tuple[Any, ...]:
    return space.bits, space.lead, space.title_weight, *character_tables()


def matrix(texts: pd.Series[Any], titles: pd.Series[Any] | None, space: FeatureSpace) -> csr_matrix:
    """Return sublinear term frequencies, ``1 + ln(count)``, of each document's buckets.

    Parameters
    ----------
    texts : Series of str, length n
    titles : Series of str, length n, optional
        Missing values read as empty.
    space : FeatureSpace

    Returns
    -------
    csr_matrix of float32, shape (n, 2**bits)
        Indices sorted.

    Examples
    --------
    >>> matrix(pd.Series(["Rain, rain; go away"]), None, FeatureSpace()).getnnz()
    6
    """
    indptr, indices, values = _matrix(*_inputs(texts, titles), _reading(space), _TF)
    found = csr_matrix((values, indices, indptr), shape=(len(texts), space.size))
    found.sort_indices()
    return found


def decide(
    texts: pd.Series[Any],
    titles: pd.Series[Any] | None,
    space: FeatureSpace,
    idf: NDArray[np.float32],
    weights: NDArray[Any],
    scale: NDArray[np.float32],
    bias: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return the scores of a linear model for each document, without building its features.

    Parameters
    ----------
    texts, titles, space
        As in :func:`matrix`.
    idf : float32 array, length 2**bits
        Multiplies the term frequencies, before each document is scaled to unit length.
    weights : int8 or float32 array, shape (2**bits, topics)
    scale, bias : float32 arrays, length topics
        ``score = (features @ weights) * scale + bias``.

    Returns
    -------
    float32 array, shape (n, topics)
        The same bytes whatever the order and number of the documents.
    """
    return _decide(*_inputs(texts, titles), _reading(space), _TF, idf, weights, scale, bias)


def occurrences(text: str, space: FeatureSpace) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the bucket and the place of each word and word pair that is read of a text.

    Returns
    -------
    buckets : int64 array, length m
    spans : int64 array, shape (m, 2)
        First byte and the byte after the last, in the UTF-8 form of ``text``.
    """
    kinds, folds = character_tables()
    data = np.frombuffer(text.encode("utf-8"), np.uint8)
    return _occurrences(data, space.bits, space.lead, kinds, folds)
