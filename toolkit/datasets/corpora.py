"""Registered corpora as the DataFrames that the rest of the package works on."""

from __future__ import annotations

import re
from typing import Any, Literal

import pandas as pd

from toolkit import loading
from toolkit.corpus import make_corpus
from toolkit.datasets.registry import Dataset, find, packed_path, present, records
from toolkit.dates import parse_date
from toolkit.errors import CorpusError
from toolkit.fields import registrable_domain
from toolkit.language import codes

COLUMNS: dict[str, dict[str, str]] = {
    "allsides": {"topic": "topic"},
    "collection": {name: name for name in ("repo", "commit", "path", "licence", "use", "date")},
    "pages": {"publisher": "url"},
}
"""Name or kind of corpus → the ``columns`` of :func:`toolkit.load`."""

_DAY_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_NO_DAY = re.compile(r"\d{4}(-\d\d/\d\d)?")  # a year, or two months: '2018-10/11'


def load(name: str, *, text: Literal["extracted", "gold"] = "extracted") -> pd.DataFrame:
    """Load a registered corpus (see :func:`toolkit.datasets.list`) from the data folder; nothing is fetched.

    ``text`` matters for page sets only: what our HTML reader finds (``extracted``: seconds to minutes), or the gold
    text that comes with the set (at once). The result is a corpus (:mod:`toolkit.corpus`) with further columns
    ``topic`` (allsides), ``label, split`` (label sets), ``repo, commit, path, licence, use`` (modern; ``use`` is
    ``train``, or ``develop``: to be measured on, never learned from). A label set's document without a text has its
    headline for text. Pages that yield no text are in :func:`toolkit.quarantine`. CorpusError: the name is unknown, or
    the corpus is not in the data folder, or damaged.

    Examples
    --------
    >>> load("sample")["lang"].value_counts().idxmax()
    'en'
    """
    entry = find(name)
    if text not in ("extracted", "gold"):
        raise CorpusError(f"{name}: text={text!r} is unknown; use 'extracted' or 'gold'")
    if entry.kind == "labels" or (entry.kind == "pages" and text == "gold"):
        return _own_text(entry)
    columns = COLUMNS.get(name) or COLUMNS.get(entry.kind, {})
    corpus = loading.load(present(entry), columns=columns, detect_language=False)
    if entry.kind == "articles":
        corpus["lang"] = corpus["lang"].fillna(entry.languages[0])
    if entry.kind == "collection":
        corpus["published"] = _days(corpus.pop("date"))
    return corpus


def _own_text(entry: Dataset) -> pd.DataFrame:
    """Return label sets, and page sets with their gold text: a row a record, for no page is read."""
    labels = ("label", "split") if entry.kind == "labels" else ()
    file = packed_path(entry).name
    corpus = make_corpus(
        {
            "doc_id": row["id"], "text": row.get("gold") or row.get("text") or row.get("title") or "",
            "title": row.get("title") or None, "url": row.get("url") or None, "lang": row.get("lang"),
            "publisher": registrable_domain(row.get("url")), "source": f"{file}#{number}",
            **{name: row.get(name) for name in labels},
        }
        for number, row in enumerate(records(entry.name), 1)
    )  # fmt: skip
    corpus["lang"] = codes(corpus["lang"])
    return corpus


def _days(written: pd.Series[Any]) -> pd.Series[Any]:
    """Read the dates of a collection; its sources write the day before the month, or plus signs for spaces."""

    def read(date: Any) -> int | None:
        if not isinstance(date, str) or _NO_DAY.fullmatch(date):
            return None
        if day := _DAY_FIRST.match(date):
            date = f"{day[3]}-{day[2]:0>2}-{day[1]:0>2}"
        return parse_date(date.replace("+", " ") if date.count("+") > 1 else date)

    moments = pd.array([read(date) for date in written], dtype="Int64")
    return pd.Series(moments, index=written.index).astype("datetime64[us, UTC]")
