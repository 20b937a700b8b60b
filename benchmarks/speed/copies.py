"""Text of any size to measure speed on: articles over and over, each copy with other words, names and numbers.

A copy that only repeated an article would flatter whatever remembers or removes repeated text. So each copy of an
article shuffles its sentences and puts other words of the same length, drawn as often as the corpus has
them, for a third of the words and half of the names, other digits for all digits. What a publisher repeats (the
templates) stays as it is, for real corpora repeat it. No copy is longer or shorter than its article by a byte.
"""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)
from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray

from toolkit.buffer import Buffer, spread
from toolkit.corpus import make_corpus
from toolkit.segments import cut

SHARD = 100_000_000
"""Bytes of text in a file."""

REPEATED = 3
"""A segment that stands in so many articles of a publisher is a template and stays."""

_SHORTEST, _LONGEST = 4, 15
_LETTERS = re.compile(r"\b(?:[a-z]{4,15}|[A-Z][a-z]{3,14})\b")
_DRAWN_FROM = 2_000  # articles that lend their words
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Shard:
    """A file of copies: where it lies, its bytes of text (not of JSON) and its documents."""

    path: Path
    text: int
    documents: int


@njit(cache=True, nogil=True)
def _salt(seed, number, article):  # type: ignore[no-untyped-def]
    return spread(spread(spread(seed + _MIX) + number + _MIX) + article + _MIX)


@njit(cache=True, nogil=True)
def _vary(data, start, end, salt, words, first, number, out, n):  # type: ignore[no-untyped-def]
    """Write ``data[start:end]`` at ``out[n:]`` with other words, names and digits; return the new end."""
    i = start
    while i < end:
        j = i
        plain, capitals, h = True, 0, salt
        while j < end and (data[j] >= 128 or 65 <= data[j] <= 90 or 97 <= data[j] <= 122):
            plain = plain and data[j] < 128
            capitals += data[j] <= 90
            h = (h ^ np.uint64(data[j])) * np.uint64(0x100000001B3)
            j += 1
        length = j - i
        if length == 0:
            digit = 48 <= data[i] <= 57
            leading = n == 0 or not 48 <= out[n - 1] <= 57
            pick = spread(salt ^ np.uint64(i))
            out[n] = 48 + (1 + pick % np.uint64(9) if leading else pick % np.uint64(10)) if digit else data[i]
            n += 1
            i += 1
            continue
        h = spread(h)
        name = 1 if data[i] <= 90 else 0
        other = plain and capitals == name and _SHORTEST <= length <= _LONGEST and number[name, length] > 0
        if other and h % np.uint64(3 - name) == 0:
            pick = np.int64((h >> np.uint64(8)) % np.uint64(number[name, length]))
            source = first[name, length] + pick * length
            for k in range(length):
                out[n + k] = words[source + k]
        else:
            for k in range(length):
                out[n + k] = data[i + k]
        n += length
        i = j
    return n


@njit(cache=True, nogil=True)
def _write(data, bounds, start, end, fixed, salt, words, first, number, out):  # type: ignore[no-untyped-def]
    """Write a copy of one document, its segments that are not fixed in another order, gaps in their places."""
    order = np.arange(len(start))
    free = np.flatnonzero(~fixed)
    state = salt
    for k in range(len(free) - 1, 0, -1):
        state = state + _MIX
        other = np.int64(spread(state) % np.uint64(k + 1))
        order[free[k]], order[free[other]] = order[free[other]], order[free[k]]
    n, at = 0, bounds[0]
    for k in range(len(start)):
        gap = start[k] - at
        out[n : n + gap] = data[at : start[k]]
        n += gap
        piece = order[k]
        if fixed[piece]:
            size = end[piece] - start[piece]
            out[n : n + size] = data[start[piece] : end[piece]]
            n += size
        else:
            n = _vary(data, start[piece], end[piece], salt, words, first, number, out, n)
        at = end[k]
    out[n : n + bounds[1] - at] = data[at : bounds[1]]
    return n + bounds[1] - at


def _words(texts: pd.Series[Any]) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Lay the words of texts end to end, names apart, by length; return them, where each length begins, how many."""
    found: dict[tuple[int, int], list[str]] = {}
    for text in texts.iloc[:_DRAWN_FROM]:
        for word in _LETTERS.findall(text):
            found.setdefault((int(word[0].isupper()), len(word)), []).append(word)
    first, number = np.zeros((2, _LONGEST + 1), np.int64), np.zeros((2, _LONGEST + 1), np.int64)
    laid: list[bytes] = []
    size = 0
    for (name, length), group in sorted(found.items()):
        first[name, length], number[name, length] = size, len(group)
        laid.append("".join(group).encode())
        size += len(laid[-1])
    return np.frombuffer(b"".join(laid) or b"\0", np.uint8), first, number


class Copies:
    """Copies of the articles of a corpus, without end, the same for the same seed.

    Parameters
    ----------
    corpus : DataFrame
        Columns of :mod:`toolkit.corpus`.
    seed : int, default 0

    Examples
    --------
    >>> from itertools import islice
    >>> from toolkit.corpus import make_corpus
    >>> text = "The council met on Monday. Adela Thorne, 41, spoke for ten minutes."
    >>> copies = Copies(make_corpus([{"doc_id": "a", "text": text}]))
    >>> first, second = islice(copies.records(), 2)
    >>> first["id"], second["id"], len(first["text"]) == len(text), first["text"] != second["text"]
    ('0-a', '1-a', True, True)
    """

    def __init__(self, corpus: pd.DataFrame, seed: int = 0) -> None:
        buffer = Buffer.of(corpus["text"])
        segments = cut(buffer)
        self._data, self._offsets = buffer.data, buffer.offsets
        self._start, self._end, self._bounds = segments.start, segments.end, segments.bounds
        self._fixed = _repeated(buffer, segments.start, segments.end, segments.bounds, corpus["publisher"])
        self._drawn = _words(corpus["text"])
        self._out = np.empty(int(np.diff(buffer.offsets).max(initial=0)), np.uint8)
        about = pd.DataFrame({"id": corpus["doc_id"], "date": corpus["published"].dt.strftime("%Y-%m-%d")})
        about[["url", "publisher", "title"]] = corpus[["url", "publisher", "title"]]
        self._about = about.astype(object).where(about.notna(), None).to_dict("records")
        self.seed = seed

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield records with ``id, date, url, publisher, title, text``, all articles before any comes again."""
        for number in count():
            for article in np.random.default_rng((self.seed, number)).permutation(len(self._about)):
                about = self._about[article]
                address = about["url"] and f"{about['url']}#{number}"
                text = self._text(int(article), number)
                yield {**about, "id": f"{number}-{about['id']}", "url": address, "text": text}

    def _text(self, article: int, number: int) -> str:
        a, b = self._bounds[article : article + 2]
        salt = np.uint64(_salt(np.uint64(self.seed), np.uint64(number), np.uint64(article)))
        size = _write(
            self._data, self._offsets[article : article + 2], self._start[a:b], self._end[a:b],
            self._fixed[a:b], salt, *self._drawn, self._out,
        )  # fmt: skip
        return bytes(self._out[:size]).decode("utf-8")

    def corpus(self, size: int) -> pd.DataFrame:
        """Return the first copies as a corpus, as many as hold ``size`` bytes of text."""
        return make_corpus(
            {**{k: v for k, v in r.items() if k not in ("id", "date")}, "doc_id": r["id"],
             "published": None if r["date"] is None else pd.Timestamp(r["date"])}
            for r in self._within(size)
        )  # fmt: skip

    def write(self, folder: Path, size: int, shard: int = SHARD) -> list[Shard]:
        """Write the first copies as ``part-00000.jsonl.gz`` and so on, each of ``shard`` bytes of text."""
        folder.mkdir(parents=True, exist_ok=True)
        records = self._within(size)
        written: list[Shard] = []
        pending = next(records, None)
        while pending is not None:
            path = folder / f"part-{len(written):05d}.jsonl.gz"
            text = documents = 0
            with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as out:
                while pending is not None and text < shard:
                    out.write(json.dumps(pending, ensure_ascii=False) + "\n")
                    text += len(pending["text"].encode())
                    documents += 1
                    pending = next(records, None)
            written.append(Shard(path, text, documents))
        return written

    def _within(self, size: int) -> Iterator[dict[str, Any]]:
        done = 0
        for record in self.records():
            if done >= size:
                return
            done += len(record["text"].encode())
            yield record


def _repeated(
    buffer: Buffer,
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    bounds: NDArray[np.int64],
    publishers: pd.Series[Any],
) -> NDArray[np.bool_]:
    """Return which segments stand in several articles of their publisher."""
    raw = buffer.data.tobytes()
    pieces = [raw[a:b] for a, b in zip(start, end, strict=True)]
    documents: Counter[tuple[Any, bytes]] = Counter()
    names = publishers.astype(object).where(publishers.notna(), None).tolist()
    for d, name in enumerate(names):
        documents.update({(name, piece) for piece in pieces[bounds[d] : bounds[d + 1]]})
    owner = np.repeat(np.arange(len(names)), np.diff(bounds))
    return np.fromiter(
        (documents[names[d], piece] >= REPEATED for d, piece in zip(owner, pieces, strict=True)),
        bool,
        len(pieces),
    )
