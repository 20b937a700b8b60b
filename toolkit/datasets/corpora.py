"""Registered corpora as the DataFrames that the rest of the package works on."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

import pandas as pd
from dateutil import parser as dates

from toolkit.corpus import make_corpus
from toolkit.datasets.registry import Dataset, find
from toolkit.datasets.store import Record, packed_path, records
from toolkit.errors import CorpusError

_ISO_639_1 = {
    "amh": "am", "arb": "ar", "ben": "bn", "cat": "ca", "ces": "cs", "dan": "da", "deu": "de", "ell": "el",
    "eng": "en", "fin": "fi", "fra": "fr", "hau": "ha", "heb": "he", "hin": "hi", "hrv": "hr", "hun": "hu",
    "ibo": "ig", "ind": "id", "ita": "it", "jpn": "ja", "kor": "ko", "lin": "ln", "lug": "lg", "nld": "nl",
    "nob": "nb", "orm": "om", "pol": "pl", "por": "pt", "ron": "ro", "run": "rn", "rus": "ru", "slv": "sl",
    "sna": "sn", "som": "so", "spa": "es", "srp": "sr", "swa": "sw", "swe": "sv", "swh": "sw", "tir": "ti",
    "tur": "tr", "ukr": "uk", "vie": "vi", "xho": "xh", "yor": "yo", "zho": "zh",
}  # fmt: skip


def load(name: str, *, text: Literal["extracted", "gold"] = "extracted") -> pd.DataFrame:
    """Load a registered corpus from the data folder; nothing is fetched.

    Parameters
    ----------
    name : str
        Registered name, see :func:`toolkit.datasets.list`.
    text : {"extracted", "gold"}
        For page sets: the text that our HTML reader finds (seconds to minutes), or the gold text that comes
        with the set (at once). Other sets have only one text.

    Returns
    -------
    DataFrame
        A corpus (:mod:`toolkit.corpus`). ``publisher`` is the host of ``url`` without ``www.``. Further
        columns: ``topic`` (allsides), ``label, split`` (label sets), ``repo, commit, path, licence,
        use`` (modern; ``use`` is ``train``, or ``develop``: to be measured on, never learned from, and
        ``publisher`` is what the source says). A label set's document without a text has its headline for
        text. Pages that yield no text are in :func:`toolkit.quarantine`.

    Raises
    ------
    CorpusError
        Unknown name, or the corpus is not in the data folder.

    Examples
    --------
    >>> corpus = load("sample")
    >>> bool((corpus["text"].str.len() > 0).all())
    True
    """
    entry = find(name)
    if text not in ("extracted", "gold"):
        msg = f"{name}: text={text!r} is unknown; use 'extracted' or 'gold'"
        raise CorpusError(msg)
    quarantine: list[dict[str, str]] = []
    extract = entry.kind == "pages" and text == "extracted"
    rows = list(_extracted(entry, quarantine) if extract else gold_rows(name))
    return make_corpus(rows, pd.DataFrame(quarantine) if quarantine else None)


def gold_rows(name: str, wanted: Container[str] | None = None) -> Iterator[Record]:
    """Yield a corpus row for each record, a page with its gold text; only the ``wanted`` ids if given."""
    entry = find(name)
    make, key = _MAKERS[name if name == "sample" else entry.kind]
    file = packed_path(entry).name
    for number, record in enumerate(records(name), 1):
        if wanted is None or record[key] in wanted:
            yield {**make(record), "source": f"{file}#{number}"}


def host(url: str | None) -> str | None:
    """Return the host name of a URL without ``www.``, or None.

    Examples
    --------
    >>> host("https://www.bbc.co.uk/news/1"), host("m.example.org"), host("")
    ('bbc.co.uk', 'm.example.org', None)
    """
    if not url:
        return None
    url = url.strip().lower()
    return (urlsplit(url if "//" in url else f"//{url}").hostname or "").removeprefix("www.") or None


def _date(value: str | None) -> Any:
    """Read a date; a handful of upstream dates are nonsense such as ``0000-00-00``: missing."""
    if not value:
        return None
    try:
        return pd.Timestamp(dates.parse(value, default=pd.Timestamp("1970-01-01").to_pydatetime()))
    except (ValueError, OverflowError):
        return None


def _article(record: Record) -> Record:
    return {
        "doc_id": record["ID"],
        "text": record["content_original"],
        "title": record["title"] or None,
        "url": record["url"] or None,
        "publisher": host(record["url"]) or host(record["source_url"]),
        "lang": "en",
        "published": _date(record["date"]),
        "authors": record["authors"] or None,
        "topic": record["topic"] or None,
    }


_DAY_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_NO_DAY = re.compile(r"\d{4}(-\d\d/\d\d)?")  # a year, or two months: '2018-10/11'


def _collected(record: Record) -> Record:
    """Make a row of a collection; its sources write the day before the month, or plus signs for spaces."""
    date = record["date"] or ""
    if day := _DAY_FIRST.match(date):
        date = f"{day[3]}-{day[2]:0>2}-{day[1]:0>2}"
    elif date.count("+") > 1:
        date = date.replace("+", " ")
    return {
        "doc_id": record["id"],
        "text": record["text"],
        **{name: record[name] or None for name in ("title", "url", "publisher", "lang")},
        "published": None if _NO_DAY.fullmatch(date) else _date(date),
        **{name: record[name] for name in ("repo", "commit", "path", "licence", "use")},
    }


def _label(record: Record) -> Record:
    language = (record.get("lang") or "").split("_")[0]
    title, url = record.get("title") or None, record.get("url") or None
    return {
        "doc_id": record["id"],
        "text": record.get("text") or title or "",
        "title": title,
        "url": url,
        "publisher": host(url) if url and "//" in url else None,
        "lang": _ISO_639_1.get(language, language) or None,
        "label": record.get("label"),
        "split": record.get("split"),
    }


def _page_gold(record: Record) -> Record:
    return {
        "doc_id": record["id"],
        "text": record["gold"],
        "url": record["url"],
        "publisher": record["publisher"],
        "lang": record["lang"],
    }


_MAKERS: dict[str, tuple[Callable[[Record], Record], str]] = {
    "articles": (_article, "ID"),
    "collection": (_collected, "id"),
    "labels": (_label, "id"),
    "pages": (_page_gold, "id"),
    "sample": (dict, "doc_id"),
}


def _extracted(entry: Dataset, quarantine: list[dict[str, str]]) -> Iterator[Record]:
    from tqdm import tqdm

    from toolkit.loading.pages import read_page

    file = packed_path(entry).name
    for number, record in enumerate(tqdm(records(entry.name), entry.name, entry.documents, disable=None), 1):
        page = read_page(record["html"], url=record["url"])
        place = f"{file}#{number}"
        if not isinstance(page["text"], str):
            reason = page["text"].reason
            quarantine.append({"source": place, "reason": reason, "excerpt": record["html"][:200]})
            continue
        known = {name: record[name] for name in ("publisher", "url", "lang") if record[name]}
        yield {**page, **known, "doc_id": record["id"], "source": place}
