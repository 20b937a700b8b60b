"""Features of a text: hashed words and word pairs, or listed word pieces, counted by one kernel over UTF-8 buffers.

Words are runs of letters and digits, lower-cased; in scripts without spaces each character is one. Each word and each
pair of neighbours falls into one of ``2**bits`` buckets; or a word is cut into the longest pieces that a
:class:`Lexicon` lists, each with a bucket of its own. Training (:func:`matrix`) and prediction (:func:`decide`, a sum
of weights on the fly) both go through :func:`_count`, so they cannot differ.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from toolkit.buffer import ALONE, IGNORED, SEPARATOR, WORD, Buffer, character_tables, letter
from toolkit.errors import ModelError
from toolkit.kernels import njit

Texts: TypeAlias = "pd.Series[Any]"  # a column of texts, or of titles; some may be missing
Places: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

# of a word, of what stands inside one, of each character, of the end
SEED, INSIDE = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xA0761D6478BD642F)
STEP, MIX = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_PAIR = np.uint64(0xD6E8FEB86659FD93)
_SHIFT = np.uint64(32)
_ALIKE_SLOTS, _ALIKE_SHIFT = 1 << 12, np.uint64(52)
_ALIKE = np.uint64(0xC2B2AE3D27D4EB4F)
ALIKE_KEY = np.uint32(_ALIKE >> _SHIFT)  # of the one word that alike words are read as
_LONGEST = 16
_TAIL = 4  # bytes: shorter ends of words are endings, and are passed over

_TF = np.concatenate([[0.0], 1.0 + np.log(np.arange(1, 256))]).astype(np.float32)


@dataclass(frozen=True)
class FeatureSpace:
    """What is read of a document: its first ``lead`` bytes, hashed into ``2**bits`` buckets.

    A word that the limit cuts is left out; one of the title counts ``title_weight`` times. Words that a
    :class:`Lexicon` does not list are cut into ``pieces`` that it lists, or passed over.
    """

    bits: int = 18
    lead: int = 4096
    title_weight: int = 2
    pieces: bool = False

    def __post_init__(self) -> None:
        if not (8 <= self.bits <= 24 and 0 < self.lead <= 1 << 24 and 0 <= self.title_weight <= 16):
            raise ValueError(f"{self}: bits must be 8–24, lead 1–16777216 bytes, title_weight 0–16")

    @property
    def size(self) -> int:
        """Number of buckets."""
        return 1 << self.bits


@dataclass(frozen=True, eq=False)
class Lexicon:
    """Words that a model treats in a way of their own: ``keys`` of word pieces, if any, are the buckets, in this order.

    Words of ``alike`` are read as one and the same word, such as names of countries. Both ascend.
    """

    keys: NDArray[np.uint32]
    alike: NDArray[np.uint64]

    def __post_init__(self) -> None:
        for name, kind in (("keys", "uint32"), ("alike", "uint64")):
            found = getattr(self, name)
            if found.dtype != kind or found.ndim != 1 or (found[1:] <= found[:-1]).any():
                raise ModelError(f"lexicon: {name} are {found.dtype} {found.shape}, not ascending {kind}")
        if 2 * len(self.alike) > _ALIKE_SLOTS or (self.alike == 0).any():
            most = _ALIKE_SLOTS // 2
            raise ModelError(f"lexicon: {len(self.alike)} alike words, above {most}, or one is 0")

    @cached_property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """Keys, the first row of each upper half of a key, and the table of ``alike``, for the kernels."""
        first = np.searchsorted(self.keys, np.arange(1 << 16, dtype=np.uint32) << np.uint32(16))
        first = np.append(first, len(self.keys)).astype(np.int32)
        table = np.zeros(_ALIKE_SLOTS, np.uint64)
        for key in self.alike:
            place = int(key >> _ALIKE_SHIFT)
            while table[place]:
                place = (place + 1) % _ALIKE_SLOTS
            table[place] = key
        return self.keys, first, table


NO_WORDS = Lexicon(np.empty(0, np.uint32), np.empty(0, np.uint64))  # of a model that hashes all words

# Kernels pass these two on as tuples. Named tuples would read better, but numba's cache names their class, and fails
# instead of compiling anew where another version of the package has it no more:
# reading: (bits, lead, title_weight, pieces), (kinds, folds), (keys, first, alike)
# work: (hashes, begins, ends) of words, (rows, starts, stops) of buckets, counts, touched


@njit(nogil=True, cache=True)
def _known(h, alike):  # type: ignore[no-untyped-def]
    place = h >> _ALIKE_SHIFT
    while alike[place]:
        if alike[place] == h:
            return _ALIKE
        place = (place + np.uint64(1)) % np.uint64(_ALIKE_SLOTS)
    return h


@njit(nogil=True, cache=True)
def _stir(h, code):  # type: ignore[no-untyped-def]
    h = (h ^ np.uint64(code)) * STEP
    return h ^ (h >> _SHIFT)


@njit(nogil=True, cache=True)
def _put(values, begins, ends, n, value, begin, end):  # type: ignore[no-untyped-def]
    values[n], begins[n], ends[n] = value, begin, end
    return n + 1


@njit(nogil=True, cache=True)
def _tokens(data, start, stop, cut, tables, alike, words):  # type: ignore[no-untyped-def]
    """Write hash, begin and end of each word of ``data[start:stop]``; return how many there are."""
    kinds, folds = tables
    hashes, begins, ends = words
    n = np.int64(0)
    h = SEED
    begin = np.int64(-1)
    i = start
    while i < stop:
        code, width = letter(data, i)
        if i + width > stop:
            break
        if code < 0x10000:
            kind = kinds[code]
            code = np.int64(folds[code])
        else:
            # beyond the plane of the tables: ideographs stand alone, pictographs separate
            kind = ALONE if 0x20000 <= code < 0x40000 else SEPARATOR if 0x1F000 <= code < 0x20000 else WORD
        if kind == WORD:
            if begin < 0:
                begin = i
                h = SEED
            h = _stir(h, code)
        elif kind != IGNORED:
            if begin >= 0:
                n = _put(hashes, begins, ends, n, _known(h * MIX, alike), begin, i)
                begin = np.int64(-1)
            if kind == ALONE:
                n = _put(hashes, begins, ends, n, _stir(SEED, code) * MIX, i, i + width)
        i += width
    if begin >= 0 and not cut:
        n = _put(hashes, begins, ends, n, _known(h * MIX, alike), begin, i)
    return n


@njit(nogil=True, cache=True)
def _row(h, keys, first):  # type: ignore[no-untyped-def]
    key = np.uint32(h >> _SHIFT)
    half = key >> np.uint32(16)
    for row in range(first[half], first[half + 1]):
        if keys[row] == key:
            return row
    return -1


@njit(nogil=True, cache=True)
def _piece(data, start, stop, seed, tables, keys, first, prefixes, ends):  # type: ignore[no-untyped-def]
    """Return the row of the longest listed piece at ``start``, else -1, and where the next one begins."""
    kinds, folds = tables
    h = seed
    i, letters = start, 0
    while i < stop and letters < _LONGEST:
        code, width = letter(data, i)
        i += width
        if code < 0x10000:
            if kinds[code] == IGNORED:
                continue
            code = np.int64(folds[code])
        h = _stir(h, code)
        prefixes[letters], ends[letters] = h, i
        letters += 1
    for last in range(letters - 1, -1, -1):
        row = _row(prefixes[last] * MIX, keys, first)
        if row >= 0:
            return row, ends[last]
    return -1, ends[0] if letters else stop


@njit(nogil=True, cache=True)
def _cut(data, n, reading, work):  # type: ignore[no-untyped-def]
    """Find ``n`` words in the list, or cut them into listed pieces; write row, begin and end of each; count them."""
    (_, _, _, cuts), tables, (keys, first, _) = reading
    (hashes, begins, ends), (rows, starts, stops), _, _ = work
    prefixes, places = np.empty(_LONGEST, np.uint64), np.empty(_LONGEST, np.int64)
    m = np.int64(0)  # not a plain 0, for which numba would compile another _put
    j = 0
    while j < n:
        start, stop = begins[j], ends[j]
        whole = _row(hashes[j], keys, first)
        single = True
        j += 1
        while j < n and begins[j] == stop:  # scripts without spaces: one run
            stop = ends[j]
            single = False
            j += 1
        if single and whole >= 0:  # most words are listed
            m = _put(rows, starts, stops, m, whole, start, stop)
            continue
        if not cuts or 0x30 <= data[start] <= 0x39:  # numbers tell nothing of a topic
            continue
        seed = SEED
        while start < stop:
            row, after = _piece(data, start, stop, seed, tables, keys, first, prefixes, places)
            if row < 0 and seed == SEED:
                seed = INSIDE
                continue
            if row >= 0:
                m = _put(rows, starts, stops, m, row, start, after)
            start, seed = after, INSIDE
            if single and stop - start < _TAIL:
                break
    return m


@njit(nogil=True, cache=True)
def listed(data, start, stop, reading, work):  # type: ignore[no-untyped-def]
    """Write bucket, begin and end of each piece, or of each word and word pair; return how many there are."""
    (bits, lead, _, _), tables, (keys, _, alike) = reading
    words, (rows, starts, stops), _, _ = work
    last = min(stop, start + lead)
    n = _tokens(data, start, last, last < stop, tables, alike, words)
    if len(keys):
        return _cut(data, n, reading, work)
    hashes, begins, ends = words
    shift = np.uint64(64 - bits)
    m = np.int64(0)  # not a plain 0, for which numba would compile another _put
    for j in range(n):
        m = _put(rows, starts, stops, m, np.int32(hashes[j] >> shift), begins[j], ends[j])
        if j > 0:
            h = (hashes[j - 1] * _PAIR) ^ hashes[j]
            h = (h ^ (h >> _SHIFT)) * MIX
            h = (h ^ (h >> _SHIFT)) * _PAIR
            m = _put(rows, starts, stops, m, np.int32(h >> shift), begins[j - 1], ends[j])
    return m


@njit(nogil=True, cache=True)
def _add(buckets, weight, counts, touched, m):  # type: ignore[no-untyped-def]
    """Count buckets; list those that are new behind the ``m`` in ``touched``; return how many there are now."""
    for bucket in buckets:
        # whether a bucket is new cannot be foretold: no branch, or the processor guesses wrong every other time
        count = np.int64(counts[bucket])
        touched[m] = bucket
        counts[bucket] = min(count + weight, 255)
        m += count == 0
    return m


@njit(nogil=True, cache=True)
def _count(title, title_offsets, data, offsets, d, reading, work):  # type: ignore[no-untyped-def]
    """Count the buckets of document ``d``; list them in order of appearance in ``touched``; return how many."""
    (_, _, title_weight, _), _, _ = reading
    _, (rows, _, _), counts, touched = work
    m = np.int64(0)
    if title_weight > 0:
        n = listed(title, title_offsets[d], title_offsets[d + 1], reading, work)
        m = _add(rows[:n], np.int64(title_weight), counts, touched, m)
    n = listed(data, offsets[d], offsets[d + 1], reading, work)
    return _add(rows[:n], np.int64(1), counts, touched, m)


@njit(nogil=True, cache=True)
def workspace(reading):  # type: ignore[no-untyped-def]
    """Return the arrays that :func:`listed` works with; the second holds what it found."""
    (bits, lead, _, _), _, (keys, _, _) = reading
    most = lead + 2
    words = np.empty(most, np.uint64), np.empty(most, np.int64), np.empty(most, np.int64)
    found = np.empty(most, np.int32), np.empty(most, np.int64), np.empty(most, np.int64)
    counts = np.zeros(len(keys) if len(keys) else 1 << bits, np.uint8)
    return words, found, counts, np.empty(2 * most, np.int32)


@njit(nogil=True, cache=True)
def _matrix(title, title_offsets, data, offsets, reading, tf):  # type: ignore[no-untyped-def]
    work = workspace(reading)
    _, _, counts, touched = work
    rows = [(touched[:0].copy(), tf[:0].copy())]  # numba learns from it what the list holds
    for d in range(len(offsets) - 1):
        buckets = touched[: _count(title, title_offsets, data, offsets, d, reading, work)].copy()
        rows.append((buckets, tf[counts[buckets]]))
        counts[buckets] = 0
    return rows


@njit(nogil=True, cache=True)
def _decide(title, title_offsets, data, offsets, reading, tf, idf, weights, scale):  # type: ignore[no-untyped-def]
    work = workspace(reading)
    _, _, counts, touched = work
    n = len(offsets) - 1
    topics = weights.shape[1]
    scores = np.empty((n, topics), np.float32)
    known = np.empty(n, np.int64)
    total = np.empty(topics, np.float32)
    for d in range(n):
        m = _count(title, title_offsets, data, offsets, d, reading, work)
        total[:] = 0
        square = np.float32(0)
        known[d] = m
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
            scores[d, k] = total[k] / length * scale[k]
    return scores, known


@njit(nogil=True, cache=True)
def _occurrences(data, reading):  # type: ignore[no-untyped-def]
    work = workspace(reading)
    m = listed(data, 0, len(data), reading, work)
    _, (rows, begins, ends), _, _ = work
    return rows[:m].astype(np.int64), np.stack((begins[:m], ends[:m]), axis=1)


def _inputs(texts: Texts, titles: Texts | None) -> tuple[Any, ...]:
    above = Buffer.of((texts.str[:0] if titles is None else titles).fillna(""))
    read = Buffer.of(texts.fillna(""))
    return above.data, above.offsets, read.data, read.offsets


def reader(space: FeatureSpace, lexicon: Lexicon) -> tuple[Any, ...]:
    """Return what the kernels need to know of a space and a lexicon."""
    return astuple(space), character_tables(), lexicon.arrays


def matrix(
    texts: Texts, titles: Texts | None, space: FeatureSpace, lexicon: Lexicon = NO_WORDS
) -> csr_matrix:
    """Return sublinear term frequencies, ``1 + ln(count)``, of each document's buckets, float32, indices sorted."""
    rows = _matrix(*_inputs(texts, titles), reader(space, lexicon), _TF)
    indices, values = (np.concatenate(part) for part in zip(*rows, strict=True))
    indptr = np.cumsum([len(row[0]) for row in rows])
    found = csr_matrix((values, indices, indptr), shape=(len(texts), len(lexicon.keys) or space.size))
    found.sort_indices()
    return found


def decide(
    texts: Texts, titles: Texts | None, space: FeatureSpace, idf: NDArray[np.float32], weights: NDArray[Any],
    scale: NDArray[np.float32], lexicon: Lexicon = NO_WORDS,
) -> tuple[NDArray[np.float32], Places]:  # fmt: skip
    """Return ``(features @ weights) * scale`` of each document, and how many different buckets it fills.

    ``idf`` multiplies the term frequencies before each document is scaled to unit length; ``weights`` are int8 or
    float32, shape (buckets, topics). No matrix is built.
    """
    return _decide(*_inputs(texts, titles), reader(space, lexicon), _TF, idf, weights, scale)


def occurrences(text: str, space: FeatureSpace, lexicon: Lexicon = NO_WORDS) -> tuple[Places, Places]:
    """Return the bucket of each word and word pair that is read of a text, and its bytes in UTF-8, shape (m, 2)."""
    return _occurrences(np.frombuffer(text.encode("utf-8"), np.uint8), reader(space, lexicon))


def unit_rows(features: Any) -> csr_matrix:
    """Scale each row to length one; empty rows stay empty."""
    length = np.sqrt(np.asarray(features.multiply(features).sum(axis=1)).ravel())
    return csr_matrix(diags(1 / np.where(length > 0, length, 1)) @ features)
