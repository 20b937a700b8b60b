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

COLUMNS = ("doc_id", "text", "title", "url", "publisher", "authors", "lang", "source", "published")
"""Columns of every corpus, in order. More columns may follow; they are carried along untouched."""

QUARANTINE_COLUMNS = ("source", "reason", "excerpt")
"""Columns of :func:`quarantine`: place, what was wrong, the first characters of it."""

PUBLISHED_DTYPE = "datetime64[us, UTC]"

# scheme, user and port are left out; mailto: and javascript: have no host
_AUTHORITY = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://|//|(?![a-z][a-z0-9+.-]*:(?!\d)))(?:[^/@?#\s]*@)?([^/:?#\s]+)", re.I
)

CorpusLike: TypeAlias = "pd.DataFrame | pd.Series[Any] | Iterable[str]"


class Quarantine(dict[str, Any]):
    """What ``corpus.attrs["quarantine"]`` holds: JSON of what could not be read, which answers like its frame.

    pandas writes ``attrs`` as JSON (``to_parquet``, ``to_feather``), compares them (``concat``, ``merge``) and
    copies them with every operation; a DataFrame in there makes the first two fail. Here the JSON is
    ``{"rows": …, "records": […]}`` with the first :data:`KEPT` records, since Parquet refuses metadata of
    100 MB, and everything a DataFrame can be asked for is asked of the whole frame.

    Examples
    --------
    >>> made = Quarantine(pd.DataFrame({"source": ["a.txt"], "reason": ["empty file"], "excerpt": [""]}))
    >>> len(made), made["reason"].tolist(), made.get("rows")
    (1, ['empty file'], 1)
    """

    KEPT = 1_000

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        super().__init__(rows=len(frame), records=frame.head(self.KEPT).to_dict("records"))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "frame":
            raise AttributeError(name)
        return getattr(self.frame, name)

    def __getitem__(self, key: Any) -> Any:
        return self.frame[key]

    def __len__(self) -> int:
        return len(self.frame)

    def __iter__(self) -> Any:
        return iter(self.frame)

    def __repr__(self) -> str:
        return repr(self.frame)

    def __eq__(self, other: object) -> bool:
        return self.frame.equals(other.frame) if isinstance(other, Quarantine) else super().__eq__(other)

    __hash__ = None

    def __deepcopy__(self, memo: Any) -> Quarantine:
        return self

    def __reduce__(self) -> Any:
        return Quarantine, (self.frame,)

    def keys(self) -> Any:
        """Return the names of the columns."""
        return self.frame.keys()

    @property
    def values(self) -> Any:
        """The cells."""
        return self.frame.values

    def copy(self) -> Any:
        """Return a copy of the frame."""
        return self.frame.copy()


def quarantine(corpus: pd.DataFrame) -> pd.DataFrame:
    r"""Return what could not be read when this corpus was loaded.

    Parameters
    ----------
    corpus : DataFrame
        As :func:`toolkit.load` gave it, or what pandas made of it, or read back from Parquet or Feather
        (whose files keep the first 1,000 records and the number of all).

    Returns
    -------
    DataFrame
        Columns :data:`QUARANTINE_COLUMNS`; no rows where everything could be read.

    Raises
    ------
    CorpusError
        The frame carries no quarantine: it was not loaded, or frames of different ones were joined, where
        pandas drops it.

    Examples
    --------
    >>> import io
    >>> from toolkit import load
    >>> quarantine(load(io.StringIO('{"text": "It rained."}\n{"text": 5}\n')))[["source", "reason"]].values.tolist()
    [['stream#2', 'text is a number, not a string']]
    """
    held = corpus.attrs.get("quarantine")
    if isinstance(held, Quarantine):
        return held.frame
    if not isinstance(held, dict) or not isinstance(held.get("records"), list):
        msg = (
            "this frame carries no quarantine (pandas drops it where frames with different ones are joined); "
            "pass what toolkit.load gave"
        )
        raise CorpusError(msg)
    rows = [tuple(record.get(name) for name in QUARANTINE_COLUMNS) for record in held["records"]]
    if (more := int(held.get("rows", 0)) - len(rows)) > 0:
        rows.append(("", f"{more:,} more records, which the file's metadata do not hold", ""))
    return pd.DataFrame(rows, columns=list(QUARANTINE_COLUMNS), dtype="str")


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
    rejected = (
        pd.DataFrame(columns=list(QUARANTINE_COLUMNS), dtype="str") if quarantine is None else quarantine
    )
    frame.attrs["quarantine"] = Quarantine(rejected)
    return frame


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
