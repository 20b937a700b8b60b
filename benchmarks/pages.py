"""Pages: a sample of a page set, read in several ways, beside its gold text.

``python -m benchmarks.pages`` measures how fast pages are read, beside trafilatura alone, and records it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import recorded
from benchmarks.extractors import SETTINGS, publisher_of
from toolkit import datasets
from toolkit.corpus import make_corpus
from toolkit.datasets.registry import Record, find
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


def speeds(records: list[Record]) -> dict[str, float]:
    """Return megabytes of HTML per second of processor time, by method, each page by all of them in turn."""
    from trafilatura import extract

    methods: dict[str, Callable[[Record], Any]] = {
        "toolkit.load, with metadata": lambda page: read_page(page["html"], page["url"]),
        "trafilatura, text only": lambda page: extract(page["html"]),
        "trafilatura fast, text only": lambda page: extract(page["html"], fast=True),
        "trafilatura, with metadata": lambda page: extract(
            page["html"], url=page["url"], with_metadata=True, output_format="json"
        ),
    }
    seconds = dict.fromkeys(methods, 0.0)
    for method in methods.values():
        method(records[0])
    names = list(methods)
    for number, page in enumerate(records):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            started = time.process_time()
            methods[name](page)
            seconds[name] += time.process_time() - started
    size = sum(len(page["html"].encode()) for page in records) / 1e6
    return {name: size / spent for name, spent in seconds.items()}


def main(pages: int = 60) -> None:
    """Measure on about so many pages of each set."""
    found = speeds([page for name in ("wcxb", "aed", "fundus") for page in spread(name, pages)])
    rows = [{"label": name, "series": "MB/s", "value": round(value, 2)} for name, value in found.items()]
    print(pd.DataFrame(rows).to_string())
    recorded.record("pages", "speed", pd.DataFrame(rows).assign(low=np.nan, high=np.nan),
           command="python -m benchmarks.pages", split=f"about {pages} pages each of wcxb, aed and fundus")  # fmt: skip


if __name__ == "__main__":
    main()
