"""Tally: the counts of one part of a corpus in a file; any number of them add up to one bounded index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from toolkit.boilerplate.counts import FIELDS, Counts, end_to_end, total
from toolkit.boilerplate.templates import CAPACITY, TemplateIndex

BUCKETS = 256
"""A tally keeps its keys by their first byte, so that all keys of a range are read without the rest."""

ROWS = 2_000_000
"""Rows added up at a time, some 200 MB."""

_SCHEMA = pa.schema(
    [
        (n, pa.from_numpy_dtype(column.dtype))
        for n, column in zip(("key", *FIELDS), Counts().columns, strict=True)
    ]
)

Opener = Callable[[], Any]
"""Opens a tally: what it returns is a binary file that can seek, and a context manager."""


def write_tally(index: TemplateIndex, out: Any) -> None:
    """Write the counts of an index that nothing was dropped from, as an Arrow file of 257 record batches.

    Parameters
    ----------
    index : TemplateIndex
    out : binary file or path
        Batch ``i`` gets the keys whose first byte is ``i``, the last one the documents of each publisher.

    Raises
    ------
    ValueError
        The index was too small for what it counted.
    """
    if index.lost:
        msg = f"tally: the index dropped keys of up to {index.lost} documents; count with a larger capacity"
        raise ValueError(msg)
    edges = np.searchsorted(index.counts.key >> np.uint64(56), np.arange(BUCKETS + 1))
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_file(out, _SCHEMA, options=options) as writer:
        for a, b in pairwise(edges):
            writer.write_batch(_batch(index.counts.take(slice(a, b))))
        writer.write_batch(_batch(index.documents))


def ranges(rows: int) -> list[range]:
    """Return the ranges of buckets to be added up one at a time, for so many rows in all tallies."""
    edges = np.linspace(0, BUCKETS, min(max(-(-rows // ROWS), 1), BUCKETS) + 1).astype(int).tolist()
    return [range(a, b) for a, b in pairwise(edges)]


def added_up(tallies: Sequence[Opener], buckets: range, capacity: int, bound: int = 0) -> tuple[Counts, int]:
    """Add up some buckets of all tallies; return them as :meth:`Counts.most_seen` does."""
    return total(_read(opened, buckets) for opened in tallies).most_seen(capacity, bound)


def pooled(
    tallies: Sequence[Opener], sums: Iterable[tuple[Counts, int]], capacity: int = CAPACITY, bound: int = 0
) -> TemplateIndex:
    """Make an index of the keys that were seen in most documents, each with its exact count.

    However many tallies there are, memory holds the index and one range of keys. The result depends on the
    documents only, not on how they were parted or in which order: it holds the keys of more than ``n``
    documents (a title counting as one more), for the smallest ``n`` that leaves ``capacity`` keys or fewer.

    Parameters
    ----------
    tallies : sequence of callable
        Each opens a file that :func:`write_tally` wrote.
    sums : iterable of (Counts, int)
        What :func:`added_up` gave for each of the :func:`ranges`, in order, with the same limits.
    capacity : int
        Of the index.
    bound : int, default 0
        Least ``n``; 1 leaves out keys of one document, which tell nothing if no documents are to be added.

    Returns
    -------
    TemplateIndex
        ``lost`` is ``n``.

    Examples
    --------
    >>> pooled([], [added_up([], buckets, 1000) for buckets in ranges(0)]).lost
    0
    """
    parts: list[Counts] = []
    for part, least in sums:
        parts.append(part)
        bound = max(bound, least)
        if sum(map(len, parts)) > capacity:
            part, bound = end_to_end(parts).most_seen(capacity, bound)
            parts = [part]
    counts, bound = end_to_end(parts).most_seen(capacity, bound)
    documents = total(_read(opened, [BUCKETS]) for opened in tallies)
    return TemplateIndex(capacity, counts, documents, bound)


def _batch(counts: Counts) -> pa.RecordBatch:
    return pa.record_batch([pa.array(column) for column in counts.columns], schema=_SCHEMA)


def _read(opened: Opener, buckets: Iterable[int]) -> Counts:
    with opened() as file:
        reader = pa.ipc.open_file(file)
        batches = [reader.get_batch(bucket) for bucket in buckets]
    table = pa.Table.from_batches(batches, _SCHEMA)
    return Counts(*(column.to_numpy() for column in table.columns))
