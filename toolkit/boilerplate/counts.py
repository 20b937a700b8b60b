"""Counts for sorted keys: of a batch of segments, added up, and cut down to what was seen most."""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from toolkit.boilerplate.features import mix

PORTION = 1 << 16
"""Segments counted at a time, some 60 MB."""
_ROW = (np.uint64, np.int32, np.int16, np.uint64)
"""Types of a row to be added up: key, document, score, story."""
_FIRST_BYTE = np.uint64(56)

_DOUBTFUL = 128
"""Least probability of boilerplate by its words, in 1/256, of a sentence that is not asked for its story's names."""

FIELDS = ("docs", "occurrences", "score", "first", "last", "stories")
"""What is counted for a key."""
NO_DAY = np.int32(2**31 - 1)
"""Stands for 'no date' in ``first``; its negative in ``last``."""


@dataclass(frozen=True)
class Counts:
    """Counts for sorted 64-bit keys, one row a key.

    Attributes
    ----------
    key : ndarray of uint64, sorted, unique
    docs : ndarray of int32
        Documents with the key.
    occurrences : ndarray of int32
    score : ndarray of int64
        Sum over occurrences of the segment model's boilerplate probability, in 1/256; whole numbers, so that
        the order of addition cannot matter. Titles count -1 each.
    first, last : ndarray of int32
        Days since 1970-01-01 of the first and last dated document.
    stories : ndarray of uint64
        Linear-counting bitmap [1]_ of the story each document tells (for contrasted keys: of its publisher).

    References
    ----------
    .. [1] Whang, Vander-Zanden, Taylor: A linear-time probabilistic counting algorithm for database
       applications. ACM TODS 15 (1990).
    """

    key: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    docs: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    occurrences: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    score: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    first: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    last: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    stories: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))

    def __len__(self) -> int:
        return len(self.key)

    @property
    def columns(self) -> tuple[NDArray[Any], ...]:
        """The arrays, ``key`` first."""
        return (self.key, *(getattr(self, name) for name in FIELDS))

    def take(self, rows: Any) -> Counts:
        """Keep some rows: a slice, a mask or ascending places."""
        return Counts(*(column[rows] for column in self.columns))

    def __add__(self, other: Counts) -> Counts:
        """Return the counts of both."""
        if not (len(self) and len(other)):
            return self if len(self) else other
        out = _room(len(self) + len(other))
        n = _merge(self.columns, other.columns, out)
        return Counts(*(column[:n] for column in out))

    def most_seen(self, capacity: int, bound: int = 0) -> tuple[Counts, int]:
        """Drop keys of as few documents as it takes for ``capacity`` keys to be left.

        A title counts as one document more: also the title of a single article tells a link to it.

        Returns
        -------
        Counts
            The keys of more than ``bound`` documents.
        bound : int
            The smallest, not below the one given, that leaves at most ``capacity`` keys.
        """
        kept, weight = self, self.docs + (self.score < 0)
        if bound:
            kept, weight = kept.take(weight > bound), weight[weight > bound]
        while len(kept) > capacity:
            bound += 1
            kept, weight = kept.take(weight > bound), weight[weight > bound]
        return kept, bound


def _room(rows: int) -> tuple[NDArray[Any], ...]:
    return tuple(np.empty(rows, column.dtype) for column in Counts().columns)


def total(parts: Iterable[Counts]) -> Counts:
    """Return the sum of counts, adding like to like in size, as binary digits are carried."""
    held: list[Counts] = []
    for part in parts:
        while held and len(held[-1]) <= 2 * len(part):
            part = held.pop() + part
        held.append(part)
    return reduce(add, reversed(held), Counts())


def end_to_end(parts: Sequence[Counts]) -> Counts:
    """Return counts laid end to end; the keys of each are above those of the one before."""
    return Counts(*map(np.concatenate, zip(*(part.columns for part in [Counts(), *parts]), strict=True)))


def _grouped(key: NDArray[np.uint64], columns: dict[str, NDArray[Any]]) -> Counts:
    """Add up rows with equal keys."""
    if not len(key):
        return Counts()
    order = np.argsort(key, kind="stable")
    key = key[order]
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    added_by = {"first": np.minimum, "last": np.maximum, "stories": np.bitwise_or}
    empty = Counts()
    added = {
        n: added_by.get(n, np.add)
        .reduceat(columns[n][order], starts)
        .astype(getattr(empty, n).dtype, copy=False)
        for n in FIELDS
    }
    return Counts(key[starts], **added)


@njit(cache=True, nogil=True)
def _stories(prints, score, lo, hi, before, after):  # type: ignore[no-untyped-def]
    """Take the least hash of names before and after each place of a document, from what sounds like its story.

    Names count where they stand in sentences that their words do not give away, if there are any.
    """
    none = np.uint64(0xFFFFFFFFFFFFFFFF)
    sentences = False
    for s in range(lo, hi):
        sentences |= prints[s, 3] != 0 and score[s] < _DOUBTFUL
    before[0] = after[hi - lo] = none
    for s in range(lo, hi):
        told = not sentences or (prints[s, 3] != 0 and score[s] < _DOUBTFUL)
        after[s - lo] = prints[s, 6] if told else none
        before[s - lo + 1] = min(before[s - lo], after[s - lo])
    for i in range(hi - lo - 1, -1, -1):
        after[i] = min(after[i], after[i + 1])


@njit(cache=True, nogil=True)
def _rows(prints, titles, bounds, publishers, contrasted, score, keys, document, scores, marks):  # type: ignore[no-untyped-def]
    """Write one row a segment and window, and one a title; return their number.

    A long appeal brings names of its own, the same in all articles that carry it. So a segment takes the mark of
    the story from the text away from it, beyond a quarter of the document on either side.
    """
    n, windows = 0, len(contrasted)
    one = np.uint64(1)
    longest = 0
    for d in range(len(bounds) - 1):
        longest = max(longest, bounds[d + 1] - bounds[d])
    before, after = np.empty(longest + 1, np.uint64), np.empty(longest + 1, np.uint64)
    for d in range(len(bounds) - 1):
        lo, size = bounds[d], bounds[d + 1] - bounds[d]
        _stories(prints, score, lo, bounds[d + 1], before, after)
        by = one << (publishers[d] & np.uint64(63))
        for i in range(size):
            s = lo + i
            story = min(before[max(i - size // 4, 0)], after[min(i + size // 4 + 1, size)])
            told = one << (story & np.uint64(63))
            for w in range(windows):
                h = prints[s, w]
                if h == 0:
                    continue
                h = mix(h, np.uint64(w + 1))
                keys[n], document[n], scores[n], marks[n] = mix(h, publishers[d]), d, score[s], told
                n += 1
                if contrasted[w]:
                    keys[n], document[n], scores[n], marks[n] = mix(h, one), d, score[s], by
                    n += 1
        if titles[d] != 0:
            key = mix(mix(titles[d], np.uint64(windows + 1)), publishers[d])
            keys[n], document[n], scores[n], marks[n] = key, d, -1, one << (before[size] & np.uint64(63))
            n += 1
    return n


@njit(cache=True, nogil=True)
def _by_first_byte(rows, n, edges, out):  # type: ignore[no-untyped-def]
    """Lay rows out by the first byte of their keys, in the order in which they came."""
    keys, document, scores, marks = rows
    key, doc, score, mark = out
    edges[:] = 0
    for i in range(n):
        edges[np.int64(keys[i] >> _FIRST_BYTE) + 1] += 1
    for b in range(256):
        edges[b + 1] += edges[b]
    at = edges.copy()
    for i in range(n):
        b = np.int64(keys[i] >> _FIRST_BYTE)
        j = at[b]
        at[b] = j + 1
        key[j], doc[j], score[j], mark[j] = keys[i], document[i], scores[i], marks[i]


@njit(cache=True, nogil=True)
def _pack(key, begin, mask, out):  # type: ignore[no-untyped-def]
    """Put the bits after the first byte of each key above its row's place: numbers sort faster than places do."""
    for i in range(len(out)):
        out[i] = ((key[begin + i] << np.uint64(8)) & ~mask) | np.uint64(i)


@njit(cache=True, nogil=True)
def _unpack(packed, mask, key, begin, out):  # type: ignore[no-untyped-def]
    """Enter the places of sorted rows; return whether these are in the order of their keys, ties as they came."""
    for i in range(len(packed)):
        out[i] = begin + np.int64(packed[i] & mask)
        if i and key[out[i]] < key[out[i - 1]]:
            return False
    return True


@njit(cache=True, nogil=True)
def _add_up(order, rows, days, begin, sums):  # type: ignore[no-untyped-def]
    """Add up rows in the order of their keys, and within a key of their documents, from a row of the sums on."""
    key, document, score, mark = rows
    keys, docs, occurrences, scores, first, last, stories = sums
    n = begin - 1
    now = np.int32(-1)
    for at in order:
        if n < begin or keys[n] != key[at]:
            n += 1
            keys[n], docs[n], occurrences[n], scores[n], stories[n] = key[at], 0, 0, 0, 0
            first[n], last[n] = NO_DAY, -NO_DAY
            now = np.int32(-1)
        if document[at] != now:
            now = document[at]
            docs[n] += 1
            if days[now] != NO_DAY:
                first[n], last[n] = min(first[n], days[now]), max(last[n], days[now])
        occurrences[n] += 1
        scores[n] += score[at]
        stories[n] |= mark[at]
    return n + 1


@njit(cache=True, nogil=True)
def _merge(a, b, out):  # type: ignore[no-untyped-def]
    """Merge two sorted sets of counts; return the number of rows written."""
    key_a, docs_a, occurrences_a, score_a, first_a, last_a, stories_a = a
    key_b, docs_b, occurrences_b, score_b, first_b, last_b, stories_b = b
    key, docs, occurrences, score, first, last, stories = out
    i = j = n = 0
    while i < len(key_a) and j < len(key_b):
        if key_b[j] < key_a[i]:
            key[n], docs[n], occurrences[n], score[n] = key_b[j], docs_b[j], occurrences_b[j], score_b[j]
            first[n], last[n], stories[n] = first_b[j], last_b[j], stories_b[j]
            j += 1
        else:
            key[n], docs[n], occurrences[n], score[n] = key_a[i], docs_a[i], occurrences_a[i], score_a[i]
            first[n], last[n], stories[n] = first_a[i], last_a[i], stories_a[i]
            if key_a[i] == key_b[j]:
                docs[n] += docs_b[j]
                occurrences[n] += occurrences_b[j]
                score[n] += score_b[j]
                first[n], last[n] = min(first[n], first_b[j]), max(last[n], last_b[j])
                stories[n] |= stories_b[j]
                j += 1
            i += 1
        n += 1
    for i in range(i, len(key_a)):  # noqa: B020 - goes on where the loop above ended
        key[n], docs[n], occurrences[n], score[n] = key_a[i], docs_a[i], occurrences_a[i], score_a[i]
        first[n], last[n], stories[n] = first_a[i], last_a[i], stories_a[i]
        n += 1
    for j in range(j, len(key_b)):  # noqa: B020
        key[n], docs[n], occurrences[n], score[n] = key_b[j], docs_b[j], occurrences_b[j], score_b[j]
        first[n], last[n], stories[n] = first_b[j], last_b[j], stories_b[j]
        n += 1
    return n


def count_segments(
    prints: NDArray[np.uint64],
    titles: NDArray[np.uint64],
    bounds: NDArray[np.int64],
    publishers: NDArray[np.uint64],
    contrasted: NDArray[np.bool_],
    score: NDArray[np.int64],
    days: NDArray[np.int32],
) -> Counts:
    """Count each window of each segment for its publisher, the contrasted ones for all too, and the titles.

    Parameters
    ----------
    prints : ndarray of uint64, shape (n_segments, at least n_windows)
    titles : ndarray of uint64, shape (n_documents,)
        0 for none.
    bounds : ndarray of int64, shape (n_documents + 1,)
        Segments of document ``d`` are ``bounds[d]:bounds[d + 1]``.
    publishers : ndarray of uint64, shape (n_documents,)
    contrasted : ndarray of bool, shape (n_windows,)
    score : ndarray of int64, shape (n_segments,)
    days : ndarray of int32, shape (n_documents,)
    """
    edges = np.searchsorted(bounds, np.arange(0, bounds[-1], PORTION))
    parts = []
    for a, b in pairwise(np.unique(np.r_[0, edges, len(titles)]).tolist()):
        room = int(bounds[b] - bounds[a]) * (len(contrasted) + int(contrasted.sum())) + b - a
        rows, laid = (tuple(np.empty(room, kind) for kind in _ROW) for _ in range(2))
        n = _rows(prints, titles[a:b], bounds[a : b + 1], publishers[a:b], contrasted, score, *rows)
        parts.append(_summed(rows, n, laid, days[a:b]))
    return total(parts)


def _summed(
    rows: tuple[NDArray[Any], ...], n: int, laid: tuple[NDArray[Any], ...], days: NDArray[np.int32]
) -> Counts:
    """Sort rows by the first byte of their keys, then each of the 256 parts, in the processor's cache; add up."""
    edges = np.empty(257, np.int64)
    _by_first_byte(rows, n, edges, laid)
    sums, written = _room(n), 0
    mask = np.uint64((1 << int(np.diff(edges).max(initial=1)).bit_length()) - 1)
    for a, b in pairwise(edges.tolist()):
        packed, order = np.empty(b - a, np.uint64), np.empty(b - a, np.int64)
        _pack(laid[0], a, mask, packed)
        packed.sort()
        if not _unpack(packed, mask, laid[0], a, order):  # keys that agree in all bits that were sorted
            order = np.argsort(laid[0][a:b], kind="stable") + a
        written = _add_up(order, laid, days, written, sums)
    return Counts(*(column[:written].copy() for column in sums))


def count_documents(publishers: NDArray[np.uint64], days: NDArray[np.int32]) -> Counts:
    """Count the documents of each publisher, and of all of them under key 1."""
    key = np.concatenate([publishers, np.ones(len(publishers), np.uint64)])
    day = np.concatenate([days, days])
    one = np.ones(len(key), np.int32)
    return _grouped(
        key,
        {
            "docs": one,
            "occurrences": one,
            "score": np.zeros(len(key), np.int64),
            "first": day,
            "last": np.where(day == NO_DAY, -NO_DAY, day).astype(np.int32),
            "stories": np.zeros(len(key), np.uint64),
        },
    )
