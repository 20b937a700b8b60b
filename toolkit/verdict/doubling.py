"""Find passages that stand twice in one document, word for word."""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.buffer import FNV, PRIME, Buffer
from toolkit.corpus import CorpusLike, as_corpus
from toolkit.kernels import njit
from toolkit.segments import Segments
from toolkit.verdict.reading import KINDS, LOWER, read_words

SHINGLE = 8  # a word is repeated if it is one of this many words in a row that stood in the text before
RUN = 16  # least words of a repeated passage
GAP = 3  # most words in a row, inside a repeated passage, that are not repeated


@njit(cache=True, nogil=True)
def _repeats(data, offsets, kinds, lower, share, owner, start, end):  # type: ignore[no-untyped-def]
    """Fill the share of repeated words of each document, and the repeated passages; return the number of passages."""
    found = 0
    longest = np.diff(offsets).max() if len(offsets) > 1 else 0
    words = np.empty(longest + 1, np.uint64)
    begin = np.empty(longest + 1, np.int64)
    stop = np.empty(longest + 1, np.int64)
    table = np.zeros(1, np.int32)
    for d in range(len(offsets) - 1):
        n = read_words(data, offsets[d], offsets[d + 1], kinds, lower, words, begin, stop)
        share[d] = 0.0
        if n < SHINGLE + RUN:
            continue
        room = 64
        while room < 2 * n:
            room *= 2
        if len(table) < room:
            table = np.empty(room, np.int32)
        table[:room] = -1
        mask = np.uint64(room - 1)
        covered = np.zeros(n, np.uint8)
        for k in range(n - SHINGLE + 1):
            h = FNV
            for j in range(k, k + SHINGLE):
                h = (h ^ words[j]) * PRIME
                h ^= h >> np.uint64(29)
            slot = h & mask
            while table[slot] >= 0:
                first = table[slot]
                for j in range(SHINGLE):
                    if words[first + j] != words[k + j]:
                        break
                else:
                    break
                slot = (slot + np.uint64(1)) & mask
            if table[slot] < 0:
                table[slot] = k
            elif table[slot] + SHINGLE <= k:
                covered[k : k + SHINGLE] = 1
        k = 0
        repeated = 0
        while k < n:
            if not covered[k]:
                k += 1
                continue
            last = k
            j = k
            while j < n and j - last <= GAP:
                if covered[j]:
                    last = j
                j += 1
            if last + 1 - k >= RUN:
                repeated += last + 1 - k
                if found < len(start):
                    owner[found] = d
                    start[found] = begin[k]
                    end[found] = stop[last]
                found += 1
            k = last + 1
        share[d] = repeated / n
    return found


def repeated(buffer: Buffer) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the share of each document's words that are in repeated passages, and these (document, start, end).

    ``start`` and ``end`` are bytes of the buffer; the passages are in reading order.
    """
    share = np.zeros(len(buffer))
    room = len(buffer.data) // (2 * RUN) + 1
    passages = np.empty((3, room), np.int64)
    n = _repeats(buffer.data, buffer.offsets, KINDS, LOWER, share, *passages)
    return share, passages[:, :n].T.copy()


def inside_passages(segments: Segments, passages: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether nine tenths of each segment lie in one of the passages that :func:`repeated` found."""
    found = np.zeros(len(segments), np.bool_)
    if len(passages):
        at = (np.searchsorted(passages[:, 1], segments.start, side="right") - 1).clip(0)
        for near in (at, (at + 1).clip(max=len(passages) - 1)):
            _, start, end = passages[near].T
            shared = np.minimum(segments.end, end) - np.maximum(segments.start, start)
            found |= 10 * shared >= 9 * (segments.end - segments.start)
    return found


def doubled(documents: CorpusLike) -> pd.DataFrame:
    """Return a span for each passage that repeats an earlier one of its document.

    The columns are those of :meth:`toolkit.BoilerplateRemover.spans`, ``kind`` is ``twice``. The first
    occurrence of a passage has no span.

    >>> story = "The council met on Monday and voted by nine to four to close the harbour for the whole winter. "
    >>> spans = doubled([story + story])
    >>> spans[["start", "end"]].values.tolist() == [[len(story), 2 * len(story) - 1]]
    True
    """
    corpus = as_corpus(documents)
    buffer = Buffer.of(corpus["text"])
    _, passages = repeated(buffer)
    rows = []
    ids = corpus["doc_id"].tolist()
    for document, start, end in passages.tolist():
        lo, hi = int(buffer.offsets[document]), int(buffer.offsets[document + 1])
        while end < hi and chr(buffer.data[end]) in ".!?\"')":  # the marks that close the passage
            end += 1
        at = len(buffer.text(lo, start))
        rows.append((ids[document], at, at + len(buffer.text(start, end)), "twice", 1.0, "rule", None))
    names = ("doc_id", "start", "end", "kind", "score", "evidence", "template_id")
    types: dict[str, Any] = {"start": "int64", "end": "int64", "score": "float64"}
    return pd.DataFrame(rows, columns=list(names)).astype({name: types.get(name, "str") for name in names})
