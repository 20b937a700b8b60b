"""Batches: read input into one corpus (:func:`load`), or batch by batch (:func:`iter_batches`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from toolkit.corpus import Quarantine
from toolkit.errors import LoadError
from toolkit.loading.faults import kinds_of
from toolkit.loading.formats import read_source
from toolkit.loading.mapping import Options, schema
from toolkit.loading.quarantine import Limits, Rejected, quarantine_frame, unread
from toolkit.loading.readers.driver import Part
from toolkit.loading.sources import Paths, Source, find_sources

Hashes = npt.NDArray[np.uint64]

KEPT = ("clean_text",)  # columns that cleaning added, kept if the file is a stored corpus
MOST_REJECTED = 100_000  # rejected records in a batch: a file of nothing else does not fill the memory


def load(
    paths: Paths, *, columns: Mapping[str, str] | None = None, strict: bool = False, encoding: str | None = None,
    detect_language: bool = True, repair: bool | Iterable[str] = False, limits: Limits | None = None,
) -> pd.DataFrame:  # fmt: skip
    r"""Read news of any common format into one corpus.

    It has the columns ``toolkit.corpus.COLUMNS`` and those added by ``columns``; of a cleaned corpus that was stored
    also ``clean_text``. Documents are sorted by path, then in the order of the file; an id that occurs again becomes
    ``id~2``. :func:`toolkit.quarantine` returns what could not be read: ``source``, ``reason``, ``excerpt``.

    Parameters
    ----------
    paths : path, open file or iterable of these
        A file, a glob, a folder (with all below it), an archive, or ``"-"`` for standard input, in the formats of
        ``docs/formats.md``. FileNotFoundError if nothing is there.
    columns : mapping, optional
        Column of the corpus → field of the source, where its name is not recognised: ``{"text": "body2"}``. Any
        other key adds a column of strings: ``{"label": "topic"}``.
    strict : bool, default False
        Raise :class:`LoadError` for the first record that cannot be read.
    encoding : str, optional
        Encoding of text formats, else detected.
    detect_language : bool, default True
        Fill missing ``lang`` where :func:`toolkit.language.languages` recognises the language.
    repair : bool or iterable of str, default False
        Faults of text and title to repair: names from ``toolkit.loading.faults.FAULTS``, or True for all.
    limits : Limits, optional
        On memory, size and nesting; the defaults suit files of unknown origin.

    Examples
    --------
    >>> import io, toolkit
    >>> corpus = load(io.StringIO('{"ID": "a", "body": "It rained."}\nno JSON\n'))
    >>> corpus[["doc_id", "text", "source"]].to_dict("records")
    [{'doc_id': 'a', 'text': 'It rained.', 'source': 'stream#1'}]
    >>> toolkit.quarantine(corpus)["source"].tolist()
    ['stream#2']
    """
    options = _options(columns, encoding, detect_language, repair, limits)
    parts = list(_parts(find_sources(paths), options, strict=strict))
    tables = [schema(options).empty_table(), *(table for table, _ in parts if table is not None)]
    return _frame(pa.concat_tables(tables), [row for _, rejected in parts for row in rejected], options)


def iter_batches(
    paths: Paths, *, rows: int = 10_000, columns: Mapping[str, str] | None = None, strict: bool = False,
    encoding: str | None = None, detect_language: bool = True, repair: bool | Iterable[str] = False,
    limits: Limits | None = None,
) -> Iterator[pd.DataFrame]:  # fmt: skip
    r"""Read input as :func:`load` does, one batch at a time; memory use does not grow with the input.

    Each batch is a corpus of ``rows`` documents (the last may have fewer) with the records rejected since the batch
    before; together they are what :func:`load` returns, whose other parameters they share. A batch without rows comes
    at the end if only rejected records are left or there is no document at all, and after each 100,000 of them.

    Examples
    --------
    >>> import io
    >>> file = io.StringIO('{"text": "one"}\n{"text": "two"}\n{"text": "three"}\n')
    >>> [len(batch) for batch in iter_batches(file, rows=2)]
    [2, 1]
    """
    if rows < 1:
        raise ValueError(f"iter_batches: rows={rows}; give 1 or more")
    options = _options(columns, encoding, detect_language, repair, limits)
    parts = _parts(find_sources(paths), options, strict=strict)
    return (_frame(table, rejected, options) for table, rejected in batched(parts, rows, options))


def _options(columns: Any, encoding: str | None, detect: bool, repair: Any, limits: Limits | None) -> Options:
    kept = tuple(name for name in KEPT if name not in (columns or {}))
    return Options(dict(columns or {}), encoding, detect, kinds_of(repair), kept, limits or Limits())


def records(sources: Iterable[Source], options: Options, *, strict: bool) -> Iterator[Part]:
    """Yield documents (ids not yet made unique) and rejected records; ``strict`` raises for the first of these."""
    for source in sources:
        for table, rejected in read_source(source, options):
            for place, reason, excerpt in rejected if strict else ():
                if unread([reason]):
                    raise LoadError(f"{place}: {reason}" + (f" ({excerpt[:60]})" if excerpt else ""))
            yield table, rejected


def _parts(sources: list[Source], options: Options, *, strict: bool) -> Iterator[Part]:
    identities = Identities()
    for table, rejected in records(sources, options, strict=strict):
        if table is not None and table.num_rows:
            table = table.set_column(0, "doc_id", identities.distinct(table["doc_id"].combine_chunks()))
        yield table, rejected


def batched(parts: Iterable[Part], rows: int, options: Options) -> Iterator[tuple[pa.Table, list[Rejected]]]:
    """Yield the documents in tables of ``rows``, each with the records rejected since the one before."""
    held, rejected, delivered = schema(options).empty_table(), list[Rejected](), False
    for table, bad in parts:
        rejected += bad
        if table is not None and table.num_rows:
            held = pa.concat_tables([held, table]) if held.num_rows else table
        while held.num_rows >= rows:
            yield held.slice(0, rows).combine_chunks(), rejected
            held, rejected, delivered = held.slice(rows), [], True
        if len(rejected) >= MOST_REJECTED:
            yield schema(options).empty_table(), rejected
            rejected, delivered = [], True
    if held.num_rows or rejected or not delivered:
        yield held.combine_chunks(), rejected


def _frame(table: pa.Table, rejected: list[Rejected], options: Options) -> pd.DataFrame:
    unused = [name for name in options.kept if table[name].null_count == table.num_rows]
    frame: Any = table.drop_columns(unused).combine_chunks().to_pandas()
    frame.attrs["quarantine"] = Quarantine(quarantine_frame(rejected))
    return frame


class Identities:
    """Makes document ids unique: remembers a 64-bit hash of each id, and a counter of each id that came again.

    Of two ids with one hash the second is numbered needlessly; the chance of a pair is 0.03 % among 100 million ids.
    """

    def __init__(self) -> None:
        self._runs: list[Hashes] = []
        self._counts: dict[str, int] = {}

    def distinct(self, ids: pa.Array) -> pa.Array:
        """Return the ids with ``~2``, ``~3`` … after each that has been seen before."""
        names = ids.to_pylist()
        hashes = _hashes(names)
        if not self._seen(hashes).any() and len(np.unique(hashes)) == len(hashes):
            self._remember(hashes)
            return ids
        new: set[int] = set()
        for i, name in enumerate(names):
            unique, value = name, int(hashes[i])
            while value in new or self._seen(np.array([value], np.uint64))[0]:
                self._counts[name] = self._counts.get(name, 1) + 1
                unique = f"{name}~{self._counts[name]}"
                value = int(_hashes([unique])[0])
            new.add(value)
            names[i] = unique
        self._remember(np.fromiter(new, np.uint64, len(new)))
        return pa.array(names, ids.type)

    def _seen(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        found = np.zeros(len(hashes), bool)
        for run in self._runs:
            places = np.minimum(np.searchsorted(run, hashes), len(run) - 1)
            found |= run[places] == hashes
        return found

    def _remember(self, hashes: Hashes) -> None:
        run = np.sort(hashes)
        # a run is merged with those up to twice its size, so that there are never more than log2(n) runs to search
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]), kind="stable")
        if len(run):
            self._runs.append(run)


def _hashes(names: list[str]) -> Hashes:
    return np.asarray(pd.util.hash_array(np.array(names, dtype=object), categorize=False), np.uint64)
