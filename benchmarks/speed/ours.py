"""Our rows, and the ceilings: what one pass over the text costs at least."""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)
from __future__ import annotations

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray

from benchmarks.speed.timing import Entry, Work
from toolkit.boilerplate import BoilerplateRemover
from toolkit.buffer import Buffer
from toolkit.loading.pages import read_page
from toolkit.segments import cut
from toolkit.topics import TopicClassifier

SPANS, CORPUS, TOPICS, PAGES = "spans, each document alone", "count, then spans", "topics", "pages to text"


@njit(cache=True, nogil=True)
def _sum(data):  # type: ignore[no-untyped-def]
    total = np.uint64(0)
    for byte in data:
        total += byte
    return total


def _summed(corpus: pd.DataFrame) -> Work:
    data = _bytes(corpus)
    return lambda: _sum(data)


def _copied(corpus: pd.DataFrame) -> Work:
    data = _bytes(corpus)
    target = np.empty_like(data)
    return lambda: np.copyto(target, data)


def _cut(corpus: pd.DataFrame) -> Work:
    return lambda: cut(Buffer.of(corpus["text"]))


def _bytes(corpus: pd.DataFrame) -> NDArray[np.uint8]:
    buffer = Buffer.of(corpus["text"])
    return buffer.data[buffer.offsets[0] : buffer.offsets[-1]].copy()


def _spans(corpus: pd.DataFrame) -> Work:
    remover = BoilerplateRemover()
    return lambda: remover.spans(corpus)


def _fitted(corpus: pd.DataFrame) -> Work:
    remover = BoilerplateRemover().partial_fit(corpus)
    return lambda: remover.spans(corpus)


def _counted(corpus: pd.DataFrame) -> Work:
    return lambda: BoilerplateRemover().partial_fit(corpus)


def _fit(corpus: pd.DataFrame) -> Work:
    return lambda: BoilerplateRemover().fit(corpus)


def _both(corpus: pd.DataFrame) -> Work:
    return lambda: BoilerplateRemover().partial_fit(corpus).spans(corpus)


def _transform(corpus: pd.DataFrame) -> Work:
    remover = BoilerplateRemover()
    spans = remover.spans(corpus)
    return lambda: remover.transform(corpus, spans=spans)


def _topics(corpus: pd.DataFrame) -> Work:
    classifier = TopicClassifier()
    return lambda: classifier.topics(corpus)


def _pages(pages: pd.DataFrame) -> Work:
    htmls = pages["html"].tolist()
    return lambda: [read_page(html) for html in htmls]


CEILINGS = (
    Entry("sum of the bytes (numba)", "ceiling", _summed, note="one pass that reads"),
    Entry("copy of the bytes (numpy)", "ceiling", _copied, note="one pass that reads and writes"),
    Entry("cut into segments", "ceiling", _cut, ours=True, note="our first step alone"),
)
"""What no method can outrun."""

OURS = (
    Entry(SPANS, "boilerplate", _spans, ours=True, note="BoilerplateRemover().spans(corpus)"),
    Entry("count what repeats", "boilerplate", _counted, ours=True, note="partial_fit(corpus)"),
    Entry("spans, fitted", "boilerplate", _fitted, ours=True, note="spans(corpus) after partial_fit"),
    Entry(CORPUS, "boilerplate", _both, ours=True, note="partial_fit(corpus).spans(corpus)"),
    Entry("fit", "boilerplate", _fit, ours=True, note="fit(corpus): counts, and makes templates_"),
    Entry(
        "clean text of given spans", "boilerplate", _transform, ours=True, note="transform(corpus, spans=…)"
    ),
    Entry(TOPICS, "topics", _topics, ours=True, note="TopicClassifier().topics(corpus), 17 topics"),
)

OUR_PAGES = Entry(
    PAGES, "pages", _pages, ours=True, note="as toolkit.load reads a page: trafilatura, date, title"
)
