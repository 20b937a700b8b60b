"""Counts: in how many documents each key occurs. Counts can be added, and cut down to the most frequent keys.

A *key* is a 64-bit hash of a publisher and of a *window* of a segment: the whole segment, the segment with digits
and names masked, or its first or last words. *Contrasted* windows also have a key over all publishers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.features import mix
from toolkit.kernels import njit

PORTION = 1 << 18  # segments counted at a time; they take some 200 MB
# types of the columns before counting: key, document, score, bit of the story; a row is one occurrence of a key
_ROW = (np.uint64, np.int32, np.int16, np.uint8)
_DOUBTFUL = 128  # sentences of this probability of boilerplate (in 1/256) are not used to identify the story

FIELDS = ("docs", "occurrences", "score", "first", "last", "stories")  # the counts of a key
# how they are added up where not as numbers
_ADD: dict[str, np.ufunc] = {"first": np.minimum, "last": np.maximum, "stories": np.bitwise_or}
NO_DAY = np.int32(2**31 - 1)  # means 'no date' in ``first``; its negative means the same in ``last``


@dataclass(frozen=True)
class Counts:
    """Counts for sorted, unique 64-bit keys, one row per key.

    ``score`` sums the probability of boilerplate by words, in 1/256; a title counts -1. ``stories`` is a bitmap of
    linear counting (Whang et al., ACM TODS 15, 1990) of the stories that the documents tell; of a key over all
    publishers, it counts these.
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
        return tuple(vars(self).values())

    def take(self, rows: Any) -> Counts:
        """Return some rows, given as a slice, a mask or ascending row numbers."""
        return Counts(*(column[rows] for column in self.columns))

    def documents(self, keys: NDArray[np.uint64], missing: int = 0) -> NDArray[np.int32]:
        """Documents of each key, in any order; ``missing`` for a key that is not there."""
        if not len(self):
            return np.full(len(keys), missing, np.int32)
        at = np.searchsorted(self.key, keys).clip(0, len(self) - 1)
        return np.where(self.key[at] == keys, self.docs[at], missing).astype(np.int32)

    def __add__(self, other: Counts) -> Counts:
        return total([self, other])

    def most_seen(self, capacity: int, bound: int = 0) -> tuple[Counts, int]:
        """Return the keys of more than ``bound`` documents, and the bound, raised until ``capacity`` keys fit.

        A title counts as one document more, because the title of even a single article reveals links to it.
        """
        weight = self.docs + (self.score < 0)
        while int((weight > bound).sum()) > capacity:
            bound += 1
        return (self.take(weight > bound) if bound else self), bound


def end_to_end(parts: Iterable[Counts]) -> Counts:
    """Concatenate counts; they are in order if all keys of a part are larger than those of the part before."""
    return Counts(*map(np.concatenate, zip(*(part.columns for part in [Counts(), *parts]), strict=True)))


def total(parts: Iterable[Counts]) -> Counts:
    """Return the sum of counts."""
    filled = [part for part in parts if len(part)]
    if len(filled) <= 1:
        return filled[0] if filled else Counts()
    rows = end_to_end(filled)
    rows = rows.take(np.argsort(rows.key))
    start = np.flatnonzero(np.r_[True, rows.key[1:] != rows.key[:-1]])
    if len(start) == len(rows):
        return rows
    named = zip(FIELDS, rows.columns[1:], strict=True)
    sums = (_ADD.get(name, np.add).reduceat(each, start, dtype=each.dtype) for name, each in named)
    return Counts(rows.key[start], *sums)


@njit(cache=True, nogil=True)
def _stories(prints, score, lo, hi):  # type: ignore[no-untyped-def]
    """Find the smallest hash of a name before and after each segment of a document.

    That hash identifies the story. Only sentences that do not look like boilerplate are used, if there are any.
    """
    none = np.uint64(0xFFFFFFFFFFFFFFFF)
    before, after = np.empty(hi - lo + 1, np.uint64), np.empty(hi - lo + 1, np.uint64)
    sentences = False
    for s in range(lo, hi):
        sentences |= prints[s, 3] != 0 and score[s] < _DOUBTFUL
    before[0] = after[hi - lo] = none
    for s in range(lo, hi):
        used = not sentences or (prints[s, 3] != 0 and score[s] < _DOUBTFUL)
        after[s - lo] = prints[s, 6] if used else none
        before[s - lo + 1] = min(before[s - lo], after[s - lo])
    for i in range(hi - lo - 1, -1, -1):
        after[i] = min(after[i], after[i + 1])
    return before, after


@njit(cache=True, nogil=True)
def _rows(prints, titles, bounds, publishers, contrasted, score, keys, document, scores, marks):  # type: ignore[no-untyped-def]
    """Write one row for each segment and window and one for each title; return the number of rows.

    A long appeal contains names of its own, the same in all articles that carry it. So the story of a segment is
    identified by the text at a distance from it, more than a quarter of the document before or after.
    """
    n, windows = 0, len(contrasted)
    one = np.uint64(1)
    for d in range(len(bounds) - 1):
        lo, size = bounds[d], bounds[d + 1] - bounds[d]
        before, after = _stories(prints, score, lo, bounds[d + 1])
        by = publishers[d] & np.uint64(63)
        for i in range(size):
            s = lo + i
            story = min(before[max(i - size // 4, 0)], after[min(i + size // 4 + 1, size)])
            story = story & np.uint64(63)
            for w in range(windows):
                h = prints[s, w]
                if h == 0:
                    continue
                h = mix(h, np.uint64(w + 1))
                keys[n], document[n], scores[n], marks[n] = mix(h, publishers[d]), d, score[s], story
                n += 1
                if contrasted[w]:
                    keys[n], document[n], scores[n], marks[n] = mix(h, one), d, score[s], by
                    n += 1
        if titles[d] != 0:
            key = mix(mix(titles[d], np.uint64(windows + 1)), publishers[d])
            keys[n], document[n], scores[n], marks[n] = key, d, -1, before[size] & np.uint64(63)
            n += 1
    return n


@njit(cache=True, nogil=True)
def _add_up(order, rows, days, sums):  # type: ignore[no-untyped-def]
    """Add up rows in an order by key and document; return the number of sums, or -1 if that is not their order."""
    key, document, score, mark = rows
    keys, docs, occurrences, scores, first, last, stories = sums
    n = -1
    now = np.int32(-1)
    for at in order:
        if n < 0 or keys[n] != key[at]:
            if n >= 0 and keys[n] > key[at]:
                return -1
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
        stories[n] |= np.uint64(1) << np.uint64(mark[at])
    return n + 1


def count_segments(
    prints: NDArray[np.uint64], titles: NDArray[np.uint64], bounds: NDArray[np.int64], publishers: NDArray[np.uint64],
    contrasted: NDArray[np.bool_], score: NDArray[np.int64], days: NDArray[np.int32],
) -> Counts:  # fmt: skip
    """Count each window of each segment and each title by publisher, contrasted windows also over all publishers.

    ``score`` is in 1/256. All else is as for :meth:`toolkit.boilerplate.templates.TemplateIndex._add`.
    """
    edges = np.searchsorted(bounds, np.arange(0, bounds[-1], PORTION))
    parts = []
    for a, b in pairwise(np.unique(np.r_[0, edges, len(titles)]).tolist()):
        room = int(bounds[b] - bounds[a]) * (len(contrasted) + int(contrasted.sum())) + b - a
        rows = tuple(np.empty(room, kind) for kind in _ROW)
        n = _rows(prints, titles[a:b], bounds[a : b + 1], publishers[a:b], contrasted, score, *rows)
        parts.append(_summed(tuple(column[:n] for column in rows), days[a:b]))
    return total(parts)


def _summed(rows: tuple[NDArray[Any], ...], days: NDArray[np.int32]) -> Counts:
    """Sort rows by the first byte of their keys, then each of the 256 parts (which fit the cache), and add up."""
    byte = (rows[0] >> np.uint64(56)).astype(np.uint8)
    order = np.argsort(byte, kind="stable")
    rows = tuple(column[order] for column in rows)
    key = rows[0]
    # the rest of the key and the row number in one integer: sorting integers is faster than argsort
    mask = np.uint64((1 << len(key).bit_length()) - 1)
    packed = (key << np.uint64(8)) & ~mask | np.arange(len(key), dtype=np.uint64)
    for part in np.split(packed, np.bincount(byte, minlength=256).cumsum()):
        part.sort()
    sums = tuple(np.empty(len(key), column.dtype) for column in Counts().columns)
    written = _add_up((packed & mask).view(np.int64), rows, days, sums)
    if written < 0:  # different keys may agree in all packed bits
        written = _add_up(np.argsort(key, kind="stable"), rows, days, sums)
    for column in sums:  # in place; a copy would take as much memory again
        column.resize(written, refcheck=False)
    return Counts(*sums)


def count_documents(publishers: NDArray[np.uint64], days: NDArray[np.int32]) -> Counts:
    """Count the documents of each publisher, and of all publishers together under key 1."""
    n = len(publishers)
    key, document = np.r_[publishers, np.ones(n, np.uint64)], np.tile(np.arange(n, dtype=np.int32), 2)
    rows = (key, document, np.zeros(2 * n, np.int16), np.zeros(2 * n, np.uint8))
    counts = _summed(rows, days)
    return replace(counts, stories=np.zeros_like(counts.stories))
