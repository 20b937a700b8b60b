"""The register of public corpora, read from ``registry.json``: source, licence, digest, citation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import pandas as pd

from toolkit.errors import UnknownNameError


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
    languages : tuple of str
        ISO 639 codes.
    commit : str or None
        Pinned revision of the source; None where the source has none.
    size : int or None
        Bytes of the packed copy or of the download; None where nobody has measured it.
    use : str
        ``train``, ``develop``, ``benchmark``, ``demonstrate``, ``test``: what this project uses it for.
    file, layout : str
        Where it lies inside the data folder; which reader fits the files at the source.
    digest, upstream_digest : str or None
        :func:`toolkit.datasets.content_digest` of the packed copy, and of the set at the source. None: not
        measured; the first ``fetch`` then writes it down beside the data.
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
        msg = f"datasets: no corpus called {name!r}; registered are {', '.join(entries)}"
        raise UnknownNameError(msg)
    return entries[name]


def table() -> pd.DataFrame:
    """List the registered corpora.

    Returns
    -------
    DataFrame
        One row a corpus, indexed by ``name``: ``title, kind, documents`` (int), ``languages`` (joined by
        spaces), ``licence, source, commit, size`` (bytes), ``use, here`` (bool: can be loaded now),
        ``citation``.

    Examples
    --------
    >>> import toolkit.datasets
    >>> toolkit.datasets.list().loc["sample", "licence"]
    'CC0-1.0'
    """
    from toolkit.datasets.store import packed_path

    entries = registry().values()
    frame = pd.DataFrame([vars(entry) for entry in entries]).set_index("name")
    frame["languages"] = frame["languages"].str.join(" ")
    frame["here"] = [packed_path(entry).is_file() for entry in entries]
    frame = frame.rename(columns={"homepage": "source"}).astype({"size": "Int64"})
    return frame[_LISTED.split()]
