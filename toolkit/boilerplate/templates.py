"""What the corpus repeats: a mergeable count of segment fingerprints by publisher."""

# ruff: noqa: ANN001, ANN201, ANN202  (numba kernels infer their types)

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numba import njit
from numpy.typing import NDArray

from toolkit.boilerplate.features import FINGERPRINTS, mix
from toolkit.segments import Segments

FORMAT = "news-toolkit template index 2"
WINDOWS = (*FINGERPRINTS[:6], "title")
"""What is counted for each publisher: whole segments, fuzzy segments, first and last words, and titles."""
CONTRASTED = ("exact", "lead2", "lead4", "trail2", "trail4")
"""Windows that are counted over all publishers too, to tell house style from plain English."""

_FIELDS = ("docs", "occurrences", "score", "first", "last", "stories")
NO_DAY = np.int32(2**31 - 1)
"""Stands for 'no date' in ``first``; its negative in ``last``."""


@dataclass(frozen=True)
class Counts:
    """Counts for sorted 64-bit keys, one row a key.

    Attributes
    ----------
    key : ndarray of uint64, sorted, unique
    docs : ndarray of int32
        Documents with the key.
    occurrences : ndarray of int32
    score : ndarray of int64
        Sum over occurrences of the segment model's boilerplate probability, in 1/256; whole numbers, so that
        the order of addition cannot matter. Titles count -1 each.
    first, last : ndarray of int32
        Days since 1970-01-01 of the first and last dated document.
    stories : ndarray of uint64
        Linear-counting bitmap [1]_ of the story each document tells (for contrasted keys: of its publisher).

    References
    ----------
    .. [1] Whang, Vander-Zanden, Taylor: A linear-time probabilistic counting algorithm for database
       applications. ACM TODS 15 (1990).
    """

    key: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    docs: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    occurrences: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    score: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    first: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    last: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    stories: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))

    def __len__(self) -> int:
        return len(self.key)


def _grouped(key: NDArray[np.uint64], columns: dict[str, NDArray[Any]]) -> Counts:
    """Add up rows with equal keys."""
    if not len(key):
        return Counts()
    order = np.argsort(key, kind="stable")
    key = key[order]
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    reduce = {"first": np.minimum, "last": np.maximum, "stories": np.bitwise_or}
    empty = Counts()
    added = {
        n: reduce.get(n, np.add)
        .reduceat(columns[n][order], starts)
        .astype(getattr(empty, n).dtype, copy=False)
        for n in _FIELDS
    }
    return Counts(key[starts], **added)


@njit(cache=True, nogil=True)
def _keys(prints, titles, bounds, publishers, windows, contrasted, score, days, out, value):  # type: ignore[no-untyped-def]
    """Write one row a segment and window: key, document, score; and the story mark of each document."""
    n = 0
    for d in range(len(bounds) - 1):
        story = np.uint64(0xFFFFFFFFFFFFFFFF)
        for s in range(bounds[d], bounds[d + 1]):
            story = min(story, prints[s, 6])
        for s in range(bounds[d], bounds[d + 1]):
            for w in range(windows):
                h = prints[s, w]
                if h == 0:
                    continue
                out[n] = mix(mix(h, np.uint64(w + 1)), publishers[d])
                value[n, 0] = d
                value[n, 1] = score[s]
                value[n, 2] = np.int64(story & np.uint64(63))
                n += 1
                if contrasted[w]:
                    out[n] = mix(mix(h, np.uint64(w + 1)), np.uint64(1))
                    value[n, 0] = d
                    value[n, 1] = score[s]
                    value[n, 2] = np.int64(publishers[d] & np.uint64(63))
                    n += 1
        if titles[d] != 0:
            out[n] = mix(mix(titles[d], np.uint64(windows + 1)), publishers[d])
            value[n, 0] = d
            value[n, 1] = -1
            value[n, 2] = np.int64(story & np.uint64(63))
            n += 1
    return n


@njit(cache=True, nogil=True)
def _fill(slots, rows, keys):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(slots) - 1)
    for i in range(len(keys)):
        j = mix(keys[i], np.uint64(7)) & mask
        while rows[j] >= 0:
            j = (j + np.uint64(1)) & mask
        slots[j] = keys[i]
        rows[j] = i


@njit(cache=True, nogil=True, inline="always")
def find(slots, rows, key):  # type: ignore[no-untyped-def]
    """Row of ``key`` in the counts behind an open-addressing table, or -1."""
    mask = np.uint64(len(slots) - 1)
    j = mix(key, np.uint64(7)) & mask
    while rows[j] >= 0:
        if slots[j] == key:
            return rows[j]
        j = (j + np.uint64(1)) & mask
    return np.int64(-1)


def publisher_hash(names: pd.Series[Any]) -> NDArray[np.uint64]:
    """64-bit hash of each publisher's name; a missing publisher is a publisher of its own."""
    from pandas.util import hash_array

    codes, unique = pd.factorize(names.fillna(""), use_na_sentinel=False)
    hashed = hash_array(np.asarray(unique, object), categorize=False) | np.uint64(2)
    return np.asarray(hashed, np.uint64)[codes]


@dataclass(frozen=True)
class Lookup:
    """A template index ready to be asked.

    Attributes
    ----------
    counts : Counts
        Of titles, and of the keys that at least two documents hold; a key of one document tells that document
        nothing.
    publishers : Counts
        Documents of each publisher.
    slots : ndarray of uint64
        Open-addressing table over ``counts.key``, for :func:`find`.
    rows : ndarray of int64
    """

    counts: Counts
    publishers: Counts
    slots: NDArray[np.uint64]
    rows: NDArray[np.int64]

    def documents(self, publishers: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Documents counted of each publisher; shape (n,)."""
        if not len(self.publishers):
            return np.zeros(len(publishers), np.int32)
        at = np.searchsorted(self.publishers.key, publishers).clip(0, len(self.publishers) - 1)
        return np.where(self.publishers.key[at] == publishers, self.publishers.docs[at], 0).astype(np.int32)

    @property
    def everywhere(self) -> int:
        """Documents counted of all publishers."""
        return int(self.publishers.docs[self.publishers.key == 1].sum())


@dataclass
class TemplateIndex:
    """A summary of what each publisher repeats; adding documents and merging commute.

    Parameters
    ----------
    capacity : int, default 8_000_000
        Most keys kept (about 40 bytes each). Beyond it the keys seen in fewest documents go first and
        ``lost`` says how often a dropped key may have been seen; up to it every count is exact.

    Attributes
    ----------
    counts : Counts
    documents : Counts
        One row a publisher (key: its hash); ``docs`` counts its documents. Key 1 stands for all of them.
    about : dict
        What :meth:`save` was given to keep with the index.
    """

    capacity: int = 8_000_000
    counts: Counts = field(default_factory=Counts)
    documents: Counts = field(default_factory=Counts)
    lost: int = 0
    about: dict[str, Any] = field(default_factory=dict)

    def partial_fit(
        self,
        segments: Segments,
        prints: NDArray[np.uint64],
        titles: NDArray[np.uint64],
        publishers: NDArray[np.uint64],
        days: NDArray[np.int32],
        score: NDArray[np.float32],
    ) -> TemplateIndex:
        """Count a batch of documents.

        Parameters
        ----------
        prints : ndarray of uint64, shape (n_segments, 7)
            As made by :func:`toolkit.boilerplate.scoring.read_segments`.
        titles : ndarray of uint64, shape (n_documents,)
            Exact fingerprint of each title, 0 for none.
        publishers : ndarray of uint64, shape (n_documents,)
        days : ndarray of int32, shape (n_documents,)
            Days since 1970-01-01, :data:`NO_DAY` for none.
        score : ndarray of float32, shape (n_segments,)
            Boilerplate probability of each segment by its words alone.
        """
        windows = len(WINDOWS) - 1
        contrasted = np.array([w in CONTRASTED for w in WINDOWS[:-1]])
        room = len(segments) * (windows + int(contrasted.sum())) + len(titles)
        key, value = np.empty(room, np.uint64), np.empty((room, 3), np.int64)
        quantised = np.rint(score * 256).astype(np.int64)
        n = _keys(
            prints, titles, segments.bounds, publishers, windows, contrasted, quantised, days, key, value
        )
        key, value = key[:n], value[:n]
        order = np.lexsort((value[:, 0], key))
        key, value = key[order], value[order]
        fresh = (
            np.r_[True, (key[1:] != key[:-1]) | (value[1:, 0] != value[:-1, 0])] if n else np.empty(0, bool)
        )
        day = days[value[:, 0]]
        batch = _grouped(
            key,
            {
                "docs": fresh.astype(np.int32),
                "occurrences": np.ones(n, np.int32),
                "score": value[:, 1],
                "first": day,
                "last": np.where(day == NO_DAY, -NO_DAY, day).astype(np.int32),
                "stories": np.left_shift(np.uint64(1), value[:, 2].astype(np.uint64)),
            },
        )
        self.counts = _sum(self.counts, batch)
        self.documents = _sum(self.documents, _document_counts(publishers, days))
        self._trim()
        return self

    def merge(self, other: TemplateIndex) -> TemplateIndex:
        """Return an index that has counted the documents of both."""
        merged = TemplateIndex(
            max(self.capacity, other.capacity),
            _sum(self.counts, other.counts),
            _sum(self.documents, other.documents),
            self.lost + other.lost,
        )
        merged._trim()
        return merged

    def _trim(self) -> None:
        bound = 0
        while len(self.counts) > self.capacity:
            bound += 1
            keep = self.counts.docs > bound
            self.counts = Counts(self.counts.key[keep], **{n: getattr(self.counts, n)[keep] for n in _FIELDS})
        self.lost += bound

    def lookup(self) -> Lookup:
        """Return what is needed to look segments up: titles, and the keys that several documents hold."""
        several = (self.counts.docs > 1) | (self.counts.score < 0)
        counts = Counts(self.counts.key[several], **{n: getattr(self.counts, n)[several] for n in _FIELDS})
        size = 1 << max(4, int(2 * len(counts)).bit_length())
        slots, rows = np.zeros(size, np.uint64), np.full(size, -1, np.int64)
        _fill(slots, rows, counts.key)
        return Lookup(counts, self.documents, slots, rows)

    def save(self, path: str | Path, about: dict[str, Any] | None = None) -> None:
        """Write the index as one Parquet file, with what else there is to say of it."""
        parts = [self.counts, self.documents]
        columns: dict[str, Any] = {"part": np.repeat(np.arange(2, dtype=np.uint8), [len(p) for p in parts])}
        for name in ("key", *_FIELDS):
            columns[name] = np.concatenate([getattr(p, name) for p in parts])
        said = {"format": FORMAT, "capacity": self.capacity, "lost": self.lost, "about": about or self.about}
        table = pa.table(columns).replace_schema_metadata({"news-toolkit": json.dumps(said)})
        pq.write_table(table, path, compression="zstd")

    @classmethod
    def load(cls, path: str | Path) -> TemplateIndex:
        """Read an index that :meth:`save` wrote.

        Raises
        ------
        ValueError
            The file is not such an index, or a column of it is missing, of another type or unsorted.
        """
        try:
            table = pq.read_table(path)
            about = json.loads((table.schema.metadata or {}).get(b"news-toolkit", b"{}"))
            if about.get("format") != FORMAT:
                msg = f"{path}: format is {about.get('format')!r}, not {FORMAT!r}; fit the remover again and save it"
                raise ValueError(msg)
            part = table["part"].to_numpy()
            read = []
            for value in (0, 1):
                columns = {n: table[n].to_numpy()[part == value] for n in ("key", *_FIELDS)}
                types = {n: getattr(Counts(), n).dtype for n in columns}
                if any(columns[n].dtype != types[n] for n in columns) or np.any(np.diff(columns["key"]) == 0):
                    msg = f"{path}: columns are not those of a template index; fit the remover again and save it"
                    raise ValueError(msg)
                if np.any(columns["key"][1:] < columns["key"][:-1]):
                    msg = f"{path}: keys are out of order; the file was changed, fit the remover again"
                    raise ValueError(msg)
                read.append(Counts(**columns))
            return cls(
                int(about["capacity"]), read[0], read[1], int(about["lost"]), dict(about.get("about", {}))
            )
        except (pa.ArrowException, KeyError, UnicodeDecodeError) as error:
            msg = f"{path}: not a template index ({str(error).splitlines()[0][:80]}); fit the remover again and save it"
            raise ValueError(msg) from error


def _document_counts(publishers: NDArray[np.uint64], days: NDArray[np.int32]) -> Counts:
    key = np.concatenate([publishers, np.ones(len(publishers), np.uint64)])
    day = np.concatenate([days, days])
    one = np.ones(len(key), np.int32)
    return _grouped(
        key,
        {
            "docs": one,
            "occurrences": one,
            "score": np.zeros(len(key), np.int64),
            "first": day,
            "last": np.where(day == NO_DAY, -NO_DAY, day).astype(np.int32),
            "stories": np.zeros(len(key), np.uint64),
        },
    )


def _sum(a: Counts, b: Counts) -> Counts:
    key = np.concatenate([a.key, b.key])
    return _grouped(key, {n: np.concatenate([getattr(a, n), getattr(b, n)]) for n in _FIELDS})
