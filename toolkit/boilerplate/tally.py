"""Tally: the counts of one part of a corpus in a file; any number of them add up to one bounded index.

A file holds three tables of fixed-width rows: keys that stand in one document, once, as most do (15 bytes each); all
other keys; the documents of each publisher. The first two are in order of their keys, and the file begins with the
places where each pair of first bytes begins, so that all keys of a range are read without the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.counts import NO_DAY, Counts, end_to_end, total
from toolkit.boilerplate.templates import CAPACITY, TemplateIndex
from toolkit.shingles import mark, marked

BUCKETS = 1 << 16  # keys are kept by their first two bytes
ROWS = 2_000_000  # rows added up at a time, some 200 MB

_ONCE = np.dtype([("key", "<u8"), ("score", "<i2"), ("day", "<i4"), ("story", "u1")])
_ROW = np.dtype([(name, column.dtype.newbyteorder("<")) for name, column in vars(Counts()).items()])
_PLACES = np.dtype("<i8")
_HEAD = (BUCKETS + 1) * 2 * _PLACES.itemsize

Opener = Callable[[], Any]  # opens a tally: a binary file that can seek, and a context manager


def write_tally(index: TemplateIndex, out: Any) -> None:
    """Write the counts of an index to a binary file; ValueError if the index was too small for what it counted."""
    if index.lost:
        msg = f"tally: the index dropped keys of up to {index.lost} documents; count with a larger capacity"
        raise ValueError(msg)
    counts = index.counts
    single = (counts.docs == 1) & (counts.occurrences == 1)
    keys, others = counts.key[single], counts.take(~single)
    story = np.log2(counts.stories[single].astype(np.float64))  # one bit is set
    once = np.rec.fromarrays([keys, counts.score[single], counts.first[single], story], _ONCE)
    first = np.arange(BUCKETS, dtype=np.uint64) << np.uint64(48)
    places = [np.append(np.searchsorted(each, first), len(each)) for each in (keys, others.key)]
    rows = (np.rec.fromarrays(part.columns, _ROW) for part in (others, index.documents))
    for array in (np.stack(places, axis=1).astype(_PLACES), once, *rows):
        out.write(array)


def ranges(rows: int) -> list[range]:
    """Return the ranges of buckets to be added up one at a time, for so many rows in all tallies."""
    edges = np.linspace(0, BUCKETS, min(max(-(-rows // ROWS), 1), BUCKETS) + 1).astype(int).tolist()
    return [range(a, b) for a, b in pairwise(edges)]


def added_up(tallies: Sequence[Opener], buckets: range, capacity: int, bound: int = 0) -> tuple[Counts, int]:
    """Add up some buckets of all tallies; return them as :meth:`Counts.most_seen` does."""
    parts = [rows for opened in tallies for rows in _read(opened, buckets)]
    return total(map(_counts, _without_rare(parts, bound) if bound else parts)).most_seen(capacity, bound)


def _without_rare(parts: list[NDArray[Any]], bound: int) -> Iterator[NDArray[Any]]:
    """Leave out most keys of few documents that are in one part alone: they are not worth adding up."""
    size = max(6, sum(map(len, parts)).bit_length() + 3)  # a key in eight meets another by chance, and stays
    once, twice = np.zeros((2, 1 << size - 6), np.uint64)
    keys = [np.ascontiguousarray(rows["key"]) for rows in parts]
    for some in keys:
        mark(some, once, twice)
    for rows, some in zip(parts, keys, strict=True):
        docs = 1 if rows.dtype == _ONCE else rows["docs"]
        yield rows[marked(some, twice) | (docs + (rows["score"] < 0) > bound)]


def pooled(
    tallies: Sequence[Opener], sums: Iterable[tuple[Counts, int]], capacity: int = CAPACITY, bound: int = 0
) -> TemplateIndex:
    """Make an index of the keys that were seen in most documents, each with its exact count.

    ``sums`` are what :func:`added_up` gave for each of the :func:`ranges`, in order, with the same limits. Memory holds
    the index and one range of keys, and only the documents decide: kept are the keys of more than ``n`` documents (a
    title counting as one more), for the smallest ``n``, at least ``bound``, that leaves ``capacity`` keys or fewer; its
    ``lost`` is ``n``. A bound of 1 leaves out keys of one document, useless if no documents are to be added.
    """
    parts: list[Counts] = []
    for part, least in sums:
        parts.append(part)
        bound = max(bound, least)
        if sum(map(len, parts)) > capacity:
            part, bound = end_to_end(parts).most_seen(capacity, bound)
            parts = [part]
    counts, bound = end_to_end(parts).most_seen(capacity, bound)
    return TemplateIndex(capacity, counts, total(map(_documents, tallies)), bound)


def _counts(rows: NDArray[Any]) -> Counts:
    """Return the counts of rows of either table."""
    columns: dict[str, Any] = {name: rows[name] for name in rows.dtype.names or ()}
    if rows.dtype == _ONCE:
        day, columns["docs"] = columns.pop("day"), np.ones(len(rows))
        columns["occurrences"], columns["first"] = columns["docs"], day
        columns["last"] = np.where(day == NO_DAY, -NO_DAY, day)
        columns["stories"] = np.uint64(1) << columns.pop("story").astype(np.uint64)
    return Counts(**{n: columns[n].astype(_ROW[n].newbyteorder("=")) for n in _ROW.names or ()})


def _table(file: Any, kind: np.dtype[Any], start: int, rows: int) -> NDArray[Any]:
    file.seek(start)
    return np.frombuffer(file.read(rows * kind.itemsize), kind)


def _read(opened: Opener, buckets: range) -> tuple[NDArray[Any], NDArray[Any]]:
    """Read the keys of some buckets: those that stand once, and the others."""
    with opened() as file:
        pair, wanted = 2 * _PLACES.itemsize, (buckets.start, buckets.stop, BUCKETS)
        (a, c), (b, d), (n, _) = (_table(file, _PLACES, at * pair, 2).tolist() for at in wanted)
        once = _table(file, _ONCE, _HEAD + a * _ONCE.itemsize, b - a)
        return once, _table(file, _ROW, _HEAD + n * _ONCE.itemsize + c * _ROW.itemsize, d - c)


def _documents(opened: Opener) -> Counts:
    with opened() as file:
        once, others = _table(file, _PLACES, BUCKETS * 2 * _PLACES.itemsize, 2).tolist()
        file.seek(_HEAD + once * _ONCE.itemsize + others * _ROW.itemsize)
        return _counts(np.frombuffer(file.read(), _ROW))
