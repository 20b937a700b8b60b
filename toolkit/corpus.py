"""What a corpus is: a pandas DataFrame with one row a document and the columns named here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from toolkit.errors import CorpusError

COLUMNS = ("doc_id", "text", "title", "url", "publisher", "lang", "source", "published")
"""Columns of every corpus, in order. More columns may follow; they are carried along untouched."""

QUARANTINE_COLUMNS = ("source", "reason", "excerpt")
"""Columns of ``corpus.attrs["quarantine"]``: place, what was wrong, the first characters of it."""

PUBLISHED_DTYPE = "datetime64[us, UTC]"

# scheme, user and port are left out; mailto: and javascript: have no host
_AUTHORITY = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://|//|(?![a-z][a-z0-9+.-]*:(?!\d)))(?:[^/@?#\s]*@)?([^/:?#\s]+)", re.I
)

CorpusLike: TypeAlias = "pd.DataFrame | pd.Series[Any] | Iterable[str]"


class Quarantine(pd.DataFrame):
    """The DataFrame of what could not be read, columns :data:`QUARANTINE_COLUMNS`.

    pandas compares the ``attrs`` of frames that it concatenates or merges, and plain DataFrames in there
    make it fail; two quarantines compare to a single truth value.

    Examples
    --------
    >>> batches = [make_corpus([{"text": "one"}]), make_corpus([{"text": "two"}])]
    >>> len(pd.concat(batches))
    2
    """

    @property
    def _constructor(self) -> type[Quarantine]:
        return Quarantine

    def __eq__(self, other: object) -> Any:
        return self.equals(other) if isinstance(other, Quarantine) else super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]


def document_id(source: str, text: str) -> str:
    """Return a stable 16-digit hexadecimal id for a document that brings none of its own.

    Parameters
    ----------
    source : str
        Where the text came from, as in the ``source`` column.
    text : str
        The text as loaded.

    Examples
    --------
    >>> document_id("a.txt", "One story.")
    '7f9fb4e99431814e'
    """
    raw = source.encode("utf-8", "surrogatepass") + b"\0" + text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(raw, digest_size=8).hexdigest()


def registrable_domain(url: str | None) -> str | None:
    """Return the registrable domain of a URL or host name, or None if it has none.

    The public suffix list that ships with ``tld`` is used; nothing is fetched.

    Examples
    --------
    >>> registrable_domain("https://www.bbc.co.uk/news/1")
    'bbc.co.uk'
    >>> registrable_domain("not a url") is None
    True
    """
    if not isinstance(url, str):
        return None
    found = _AUTHORITY.match(url.strip())
    return None if found is None else _domain_of_host(found.group(1).lower())


@lru_cache(maxsize=1 << 16)
def _domain_of_host(host: str) -> str | None:
    from tld import get_fld

    # looked up by host, and remembered: a corpus has thousands of URLs a publisher
    found = get_fld(f"http://{host}", fail_silently=True)
    return found if isinstance(found, str) else None


def make_corpus(records: Iterable[Mapping[str, Any]], quarantine: pd.DataFrame | None = None) -> pd.DataFrame:
    """Build a corpus from records that already use the column names of :data:`COLUMNS`.

    Missing fields become missing values, a missing ``doc_id`` becomes :func:`document_id`. Keys beyond
    :data:`COLUMNS` become further columns.

    Parameters
    ----------
    records : iterable of mapping
        Each with at least ``text`` (str).
    quarantine : DataFrame, optional
        Columns :data:`QUARANTINE_COLUMNS`; stored in ``corpus.attrs["quarantine"]``.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS` (``str``; ``published`` ``datetime64[us, UTC]``), RangeIndex.
    """
    rows = list(records)
    extra = list(dict.fromkeys(key for row in rows for key in row if key not in COLUMNS))
    frame = pd.DataFrame({name: [row.get(name) for row in rows] for name in (*COLUMNS, *extra)})
    for name in COLUMNS[:-1]:
        frame[name] = frame[name].astype("str")
    frame["published"] = pd.to_datetime(frame["published"], utc=True, format="ISO8601").astype(
        PUBLISHED_DTYPE
    )
    unnamed = frame["doc_id"].isna()
    if unnamed.any():
        places = frame["source"].fillna("")
        frame.loc[unnamed, "doc_id"] = [
            document_id(s, t) for s, t in zip(places[unnamed], frame.loc[unnamed, "text"], strict=True)
        ]
    frame.attrs["quarantine"] = empty_quarantine() if quarantine is None else Quarantine(quarantine)
    return frame


def empty_quarantine() -> pd.DataFrame:
    """Return a quarantine with no rows."""
    return Quarantine({name: pd.Series([], dtype="str") for name in QUARANTINE_COLUMNS})


def as_corpus(documents: CorpusLike) -> pd.DataFrame:
    """Return ``documents`` as a valid corpus, adding the columns it lacks.

    Parameters
    ----------
    documents : DataFrame, Series of str or iterable of str
        A DataFrame needs a ``text`` column. A Series gives its index as ``doc_id``; a list gives its
        positions (``"0"``, ``"1"``, …); neither has publishers.

    Returns
    -------
    DataFrame
        A new frame (text buffers shared, not copied), index and row order of the input.

    Raises
    ------
    CorpusError
        A text is missing or not a string, ``doc_id`` is missing or not unique, or there is no ``text``.

    Examples
    --------
    >>> as_corpus(["One story."])[["doc_id", "text"]].to_dict("records")
    [{'doc_id': '0', 'text': 'One story.'}]
    """
    if isinstance(documents, str):
        msg = "a single string is not a corpus; pass a list: [text]"
        raise CorpusError(msg)
    if isinstance(documents, pd.DataFrame):
        frame = documents.copy(deep=False)
        frame.attrs = dict(documents.attrs)
    else:
        series = documents if isinstance(documents, pd.Series) else pd.Series(list(documents), dtype=object)
        frame = pd.DataFrame({"doc_id": series.index.map(str), "text": series.array}, index=series.index)
    if "text" not in frame.columns:
        found = ", ".join(repr(str(name)) for name in frame.columns)
        msg = f"corpus: no text column; found {found}; rename the one that holds the articles to 'text'"
        raise CorpusError(msg)
    _check_texts(frame["text"])
    if "doc_id" not in frame.columns:
        frame["doc_id"] = frame.index.map(str)
    for name in COLUMNS[:-1]:
        if name not in frame.columns:
            frame[name] = pd.Series(np.nan, index=frame.index, dtype="str")
        elif frame[name].dtype != "str":
            frame[name] = frame[name].astype("str")
    if "published" not in frame.columns:
        frame["published"] = pd.Series(pd.NaT, index=frame.index, dtype=PUBLISHED_DTYPE)
    elif str(frame["published"].dtype) != PUBLISHED_DTYPE:
        frame["published"] = pd.to_datetime(frame["published"], utc=True).astype(PUBLISHED_DTYPE)
    _check_ids(frame["doc_id"])
    return frame


def _check_texts(text: pd.Series[Any]) -> None:
    if text.isna().any():
        where = text.index[text.isna().to_numpy()][0]
        msg = f"corpus: row {where!r} has no text; drop it, or give it an empty string"
        raise CorpusError(msg)
    if text.dtype != "str":
        kinds = [(i, type(v)) for i, v in text.items() if not isinstance(v, str)]
        if kinds:
            msg = f"corpus: row {kinds[0][0]!r} holds {kinds[0][1].__name__}, not text; convert it with str()"
            raise CorpusError(msg)


def _check_ids(doc_id: pd.Series[Any]) -> None:
    if doc_id.isna().any():
        where = doc_id.index[doc_id.isna().to_numpy()][0]
        msg = f"corpus: row {where!r} has no doc_id; give each document its own"
        raise CorpusError(msg)
    if not doc_id.is_unique:
        value = doc_id[doc_id.duplicated()].iloc[0]
        msg = f"corpus: doc_id {value!r} stands more than once; drop the duplicates or number them"
        raise CorpusError(msg)
