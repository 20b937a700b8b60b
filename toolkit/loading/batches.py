"""Batches: read input into one corpus (:func:`load`), or batch by batch (:func:`iter_batches`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from toolkit.corpus import Quarantine
from toolkit.errors import LoadError
from toolkit.loading.faults import kinds_of
from toolkit.loading.formats import Part, read_source
from toolkit.loading.identities import Identities
from toolkit.loading.limits import Limits
from toolkit.loading.mapping import schema
from toolkit.loading.options import Options
from toolkit.loading.quarantine import Rejected, quarantine_frame, unread
from toolkit.loading.sources import Paths, Source, find_sources

MOST_REJECTED = 100_000
"""Most rejected records in a batch, so that a file with only such records does not fill the memory."""


def load(
    paths: Paths,
    *,
    columns: Mapping[str, str] | None = None,
    strict: bool = False,
    encoding: str | None = None,
    detect_language: bool = True,
    repair: bool | Iterable[str] = False,
    limits: Limits | None = None,
) -> pd.DataFrame:
    r"""Read news of any common format into one corpus.

    Parameters
    ----------
    paths : path, open file or iterable of these
        A file, a glob, a folder (with its subfolders), an archive (zip or tar, also compressed), an open binary
        or text file, or ``"-"`` for standard input. ``docs/formats.md`` lists the formats.
    columns : mapping, optional
        Column of the corpus → field of the source, for fields whose names are not recognised:
        ``{"text": "body2"}``. Any other key adds a column of strings: ``{"label": "topic"}``.
    strict : bool, default False
        Raise for the first record that cannot be read, instead of putting it into the quarantine.
    encoding : str, optional
        Encoding of text formats. Default: detected by byte order mark, UTF-8, the declaration in HTML, then
        statistics.
    detect_language : bool, default True
        Fill missing ``lang`` where :func:`toolkit.language.languages` recognises the language.
    repair : bool or iterable of str, default False
        Faults of text and title to repair: names from ``toolkit.loading.faults.FAULTS``, or True for all. By
        default the text is not changed.
    limits : Limits, optional
        Limits on memory, size and nesting of the input; the defaults suit files of unknown origin.

    Returns
    -------
    DataFrame
        Columns ``toolkit.corpus.COLUMNS`` and those added by ``columns``. Documents are sorted by path and then
        keep the order of the file. :func:`toolkit.quarantine` returns what could not be read: ``source``,
        ``reason``, ``excerpt``. An id that occurs again becomes ``id~2``, ``id~3`` …

    Raises
    ------
    FileNotFoundError
        A path does not exist or a glob matches nothing.
    LoadError
        With ``strict=True``, for the first record that cannot be read.

    Examples
    --------
    >>> import io, toolkit
    >>> corpus = load(io.StringIO('{"ID": "a", "body": "It rained."}\nno JSON\n'))
    >>> corpus[["doc_id", "text", "source"]].to_dict("records")
    [{'doc_id': 'a', 'text': 'It rained.', 'source': 'stream#1'}]
    >>> toolkit.quarantine(corpus)["source"].tolist()
    ['stream#2']
    """
    options = _options(columns, encoding, detect_language, limits, repair)
    tables, rejected = [schema(options).empty_table()], []
    for table, bad in _parts(find_sources(paths), options, strict=strict):
        if table is not None:
            tables.append(table)
        rejected += bad
    return _frame(pa.concat_tables(tables), rejected)


def iter_batches(
    paths: Paths,
    *,
    rows: int = 10_000,
    columns: Mapping[str, str] | None = None,
    strict: bool = False,
    encoding: str | None = None,
    detect_language: bool = True,
    repair: bool | Iterable[str] = False,
    limits: Limits | None = None,
) -> Iterator[pd.DataFrame]:
    r"""Read input as :func:`load` does, one batch at a time; memory use does not grow with the input.

    Parameters
    ----------
    paths, columns, strict, encoding, detect_language, repair, limits
        As in :func:`load`.
    rows : int, default 10_000
        Documents per batch; the last batch may have fewer.

    Yields
    ------
    DataFrame
        A corpus as from :func:`load`; the batches together are the corpus that :func:`load` returns, whatever
        ``rows`` is. The quarantine of a batch has the records that were rejected since the batch before. A batch
        without rows comes at the end, if only rejected records are left or there is no document at all, and
        after 100,000 rejected records in a row.

    Raises
    ------
    FileNotFoundError, LoadError
        As in :func:`load`; FileNotFoundError is raised by the call itself, not by the first batch.

    Examples
    --------
    >>> import io
    >>> file = io.StringIO('{"text": "one"}\n{"text": "two"}\n{"text": "three"}\n')
    >>> [len(batch) for batch in iter_batches(file, rows=2)]
    [2, 1]
    """
    if rows < 1:
        msg = f"iter_batches: rows={rows}; give 1 or more"
        raise ValueError(msg)
    options = _options(columns, encoding, detect_language, limits, repair)
    parts = _parts(find_sources(paths), options, strict=strict)
    return (_frame(table, rejected) for table, rejected in batched(parts, rows, options))


def _options(
    columns: Mapping[str, str] | None,
    encoding: str | None,
    detect_language: bool,
    limits: Limits | None,
    repair: bool | Iterable[str],
) -> Options:
    return Options(dict(columns or {}), encoding, detect_language, kinds_of(repair), limits or Limits())


def records(sources: Iterable[Source], options: Options, *, strict: bool) -> Iterator[Part]:
    """Yield the documents, ids as they stand in the files, and the rejected records; with ``strict`` raise."""
    for source in sources:
        for table, rejected in read_source(source, options):
            lost = [row for row in rejected if unread([row.reason])] if strict else []
            if lost:
                place, reason, excerpt = lost[0]
                msg = f"{place}: {reason}" + (f" ({excerpt[:60]})" if excerpt else "")
                raise LoadError(msg)
            yield table, rejected


def _parts(sources: list[Source], options: Options, *, strict: bool) -> Iterator[Part]:
    identities = Identities()
    for table, rejected in records(sources, options, strict=strict):
        if table is not None and table.num_rows:
            table = table.set_column(0, "doc_id", identities.distinct(table["doc_id"].combine_chunks()))
        yield table, rejected


def batched(parts: Iterable[Part], rows: int, options: Options) -> Iterator[tuple[pa.Table, list[Rejected]]]:
    """Yield the documents in tables of ``rows``, each with the records rejected since the one before."""
    held, rejected = schema(options).empty_table(), list[Rejected]()
    delivered = False
    for table, bad in parts:
        rejected += bad
        if table is None or not table.num_rows:
            if len(rejected) >= MOST_REJECTED:
                yield schema(options).empty_table(), rejected
                rejected, delivered = [], True
            continue
        held = pa.concat_tables([held, table]) if held.num_rows else table
        while held.num_rows >= rows:
            yield held.slice(0, rows).combine_chunks(), rejected
            held, rejected, delivered = held.slice(rows), [], True
    if held.num_rows or rejected or not delivered:
        yield held.combine_chunks(), rejected


def _frame(table: pa.Table, rejected: list[Rejected]) -> pd.DataFrame:
    frame: Any = table.combine_chunks().to_pandas()
    frame.attrs["quarantine"] = Quarantine(quarantine_frame(rejected))
    return frame
