"""The register of public corpora (``registry.json``), and the data folder where their packed copies lie."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.errors import CorpusError, UnknownNameError
from toolkit.files import shipped

Record = dict[str, Any]

SETTING = "NEWS_TOOLKIT_DATA"
"""Environment variable that names the data folder."""


@dataclass(frozen=True)
class Download:
    """One file to fetch: its address and, where the source publishes one, its ``algorithm:hash``."""

    url: str
    hash: str | None


@dataclass(frozen=True)
class Dataset:
    """One registered corpus: what it is, under which terms, where from, and how to cite it.

    Attributes
    ----------
    kind : str
        ``articles`` (texts), ``collection`` (texts of many sources, each row with its own licence), ``pages``
        (HTML with the gold text) or ``labels`` (texts with one label).
    documents, upstream_documents : int
        In the packed copy, or in the whole set where there is none; in the set at the source if that differs.
    commit, size : str or None, int or None
        Pinned revision of the source; bytes of the packed copy or of the download, where known.
    use : str
        ``train``, ``develop``, ``benchmark``, ``demonstrate``, ``test``: what this project uses it for.
    file, layout : str
        Where it lies inside the data folder; which reader fits the files at the source.
    digest, upstream_digest : str or None
        :func:`toolkit.datasets.content_digest` of the packed copy, and of the set at the source, where measured.
    downloads : tuple of Download
        Files that make up the set; none where it ships with the package or cannot be fetched.
    """

    name: str
    title: str
    kind: str
    documents: int
    upstream_documents: int | None
    languages: tuple[str, ...]
    licence: str
    homepage: str
    commit: str | None
    size: int | None
    use: str
    file: str
    layout: str
    digest: str | None
    upstream_digest: str | None
    downloads: tuple[Download, ...]
    citation: str


_LISTED = "title kind documents languages licence source commit size use here citation"


@cache
def registry() -> dict[str, Dataset]:
    """Return every registered corpus by name."""
    raw = resources.files("toolkit.datasets").joinpath("registry.json").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = json.loads(raw)
    for row in rows:
        row["languages"] = tuple(row["languages"])
        row["downloads"] = tuple(Download(**item) for item in row["downloads"])
    return {row["name"]: Dataset(**row) for row in rows}


def find(name: str) -> Dataset:
    """Return the entry called ``name``; an UnknownNameError lists what there is."""
    entries = registry()
    if name not in entries:
        raise UnknownNameError(f"datasets: no corpus called {name!r}; registered are {', '.join(entries)}")
    return entries[name]


def table() -> pd.DataFrame:
    """List the registered corpora, one row each, by ``name``.

    Columns: ``title, kind, documents`` (int), ``languages`` (joined by spaces), ``licence, source, commit, size``
    (bytes), ``use, here`` (bool: can be loaded now), ``citation``.

    Examples
    --------
    >>> import toolkit.datasets
    >>> toolkit.datasets.list().loc["sample", "licence"]
    'CC0-1.0'
    """
    entries = registry().values()
    frame = pd.DataFrame([vars(entry) for entry in entries]).set_index("name")
    frame["languages"] = frame["languages"].str.join(" ")
    frame["here"] = [packed_path(entry).is_file() for entry in entries]
    frame = frame.rename(columns={"homepage": "source"}).astype({"size": "Int64"})
    return frame[_LISTED.split()]


def folder() -> Path:
    """Return the data folder: ``NEWS_TOOLKIT_DATA``, else the platform's own place for user data."""
    if chosen := os.environ.get(SETTING):
        return Path(chosen).expanduser()
    from platformdirs import user_data_path

    return user_data_path("news-toolkit")


def packed_path(entry: Dataset) -> Path:
    """Return where the records of a corpus lie, whether they are there or not."""
    if entry.name == "sample":
        return shipped("sample") / "articles.jsonl.gz"
    return folder() / entry.file


def present(entry: Dataset) -> Path:
    """Return the packed copy of a corpus, or raise CorpusError where it is not there."""
    path = packed_path(entry)
    if not path.is_file():
        fetched = f"with a network run toolkit.datasets.fetch({entry.name!r}), or " if entry.downloads else ""
        mend = f"{fetched}put the packed copy at {path}, or set {SETTING}"
        raise CorpusError(f"{entry.name}: not in the data folder {folder()}; {mend}")
    return path


def records(name: str) -> Iterator[Record]:
    """Yield the raw records of a corpus (a registered name), one mapping a document, in file order.

    ``allsides``: ``ID, url, source, source_url, date, title, authors, topic, content_original``; ``gum``: ``id, title,
    url, date, text``; ``modern``: ``id, publisher, url, lang, title, date, text, repo, commit, path, licence, use``;
    page sets: ``id, publisher, url, lang, html, gold``; label sets: ``id, lang, title, text, label, split``;
    ``sample``: the columns of a corpus. A corpus that is damaged or not in the data folder is a CorpusError.

    Examples
    --------
    >>> sorted(next(records("sample")))
    ['authors', 'doc_id', 'lang', 'published', 'publisher', 'text', 'title', 'url']
    """
    return read_records(present(find(name)))


def read_records(path: Path) -> Iterator[Record]:
    """Yield the records of a packed file; where it is damaged, a CorpusError says near which."""
    number = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):  # noqa: B007  (the number is for the error message)
                yield json.loads(line)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        mend = "delete it and fetch the corpus again"
        raise CorpusError(f"{path}: damaged near record {number} ({error}); {mend}") from error


def record_digest(record: Record) -> bytes:
    """Return the SHA-256 of one record as canonical JSON: sorted keys, no spaces, UTF-8."""
    raw = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(raw.encode("utf-8", "surrogatepass")).digest()


def content_digest(items: Iterable[Record]) -> str:
    """Return the SHA-256 of the sorted digests of records; neither their order nor their packing matters.

    Examples
    --------
    >>> a, b = {"id": "1", "text": "x"}, {"text": "y", "id": "2"}
    >>> content_digest([a, b]) == content_digest([b, dict(reversed(a.items()))])
    True
    """
    return hashlib.sha256(b"".join(sorted(map(record_digest, items)))).hexdigest()


def write_records(path: Path, items: Iterable[Record]) -> int:
    """Write records as gzipped JSON Lines, the same bytes for the same records; return how many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
        for count, item in enumerate(items, 1):  # noqa: B007  (the last number is the result)
            out.write(json.dumps(item, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")
    return count
