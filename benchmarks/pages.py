"""Pages: a sample of a page set, read in several ways, beside its gold text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import pandas as pd

from benchmarks.extractors import SETTINGS, publisher_of
from toolkit import datasets
from toolkit.corpus import make_corpus
from toolkit.datasets.registry import find
from toolkit.datasets.store import Record
from toolkit.loading.pages import read_page


def spread(name: str, pages: int) -> Iterator[Record]:
    """Yield about so many records of a page set, spread evenly over it; the same ones each time."""
    step = max(1, find(name).documents // pages)
    return islice(datasets.records(name), 0, None, step)


def read(records: Iterable[Record], settings: Iterable[str] = ("as loaded",)) -> dict[str, pd.DataFrame]:
    """Read pages with trafilatura, once a setting.

    Parameters
    ----------
    records : iterable of dict
        ``id, url, publisher, lang, html, gold``.
    settings : iterable of str, default ("as loaded",)
        Names in :data:`benchmarks.extractors.SETTINGS`.

    Returns
    -------
    dict of str to DataFrame
        Setting → corpus with a column ``gold``; a page in which nothing was found has an empty text.

    Examples
    --------
    >>> said = ("The council met on Monday and closed the harbour.", "Pilots had asked for it since the storm.")
    >>> html = "<article>" + "".join(f"<p>{sentence} So said the mayor.</p>" for sentence in said) + "</article>"
    >>> page = {"id": "1", "url": None, "publisher": None, "html": html, "gold": "The"}
    >>> read([page])["as loaded"]["text"].item()[:11]
    'The council'
    """
    chosen = list(settings)
    rows: dict[str, list[Record]] = {name: [] for name in chosen}
    for record in records:
        about = {"doc_id": record["id"], "publisher": publisher_of(record), "gold": record["gold"]}
        for name in chosen:
            page = read_page(record["html"], record["url"], extraction=SETTINGS[name])
            text = page["text"] if isinstance(page["text"], str) else ""
            rows[name].append({**page, **about, "text": text})
    return {name: make_corpus(found) for name, found in rows.items()}
