"""What the corpus repeats: a mergeable count of segment fingerprints by publisher."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from toolkit.boilerplate.counts import Counts, count_documents, count_segments, end_to_end
from toolkit.boilerplate.echoes import ECHOES, Titles
from toolkit.boilerplate.features import FINGERPRINTS, PART, mix, mix_all
from toolkit.boilerplate.scoring import SegmentReading, read_segments
from toolkit.buffer import Buffer
from toolkit.errors import ModelError
from toolkit.files import DAMAGE, parquet_file
from toolkit.kernels import njit
from toolkit.segments import Segments

FORMAT = "news-toolkit template index 5"
# counted for each publisher: whole segments, fuzzy segments, first and last words, and titles
WINDOWS = (*FINGERPRINTS[:6], "title")
# counted over all publishers too, to tell house style from plain English
CONTRASTED = ("exact", "lead2", "lead4", "trail2", "trail4")
UNNAMED = np.uint64(0x186DA64456263A46)  # key of a missing publisher (publisher_hash)
CAPACITY = 8_000_000  # keys of an index: 320 MB, and 67 MB more while it is asked

_LEAST_TITLE, _LEAST_WORDS = 3, 3  # words of a title that makes a slot, and of what stands around it
# a row's bytes in a file: its key is a hash, and sorted hashes pack no tighter until there are billions
_LEAST_BYTES = 4


@njit(cache=True, nogil=True)
def _fill(rows, keys):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(rows) - 1)
    for i in range(len(keys)):
        j = mix(keys[i], np.uint64(7)) & mask
        while rows[j] >= 0:
            j = (j + np.uint64(1)) & mask
        rows[j] = i


@njit(cache=True, nogil=True)
def find_window(rows, keys, print, window, publisher):  # type: ignore[no-untyped-def]
    """Row of a fingerprint among the keys of a publisher, or -1; the fingerprint 0 stands for none.

    ``rows`` is an open-addressing table over the keys.
    """
    key = mix(mix(print, np.uint64(window + 1)), publisher)
    mask = np.uint64(len(rows) - 1)
    j = mix(key, np.uint64(7)) & mask
    while print != 0 and rows[j] >= 0:
        if keys[rows[j]] == key:
            return np.int64(rows[j])
        j = (j + np.uint64(1)) & mask
    return np.int64(-1)


def window_keys(
    prints: NDArray[np.uint64], window: int, publishers: NDArray[np.uint64] | np.uint64
) -> NDArray[np.uint64]:
    """Keys under which an index counts fingerprints; ``window`` is the place of theirs in :data:`WINDOWS`."""
    return mix_all(mix_all(prints, np.uint64(window + 1)), publishers)


def mark_slots(
    buffer: Buffer, segments: Segments, read: SegmentReading, shared: NDArray[np.float32], titles: Titles
) -> None:
    """Give 'The post {title} appeared first on The Harbour Post' one fingerprint ``exact``, whatever the title.

    It is that of what stands around it, numbers and names masked; without a title the first segment stands in for it.
    ``shared`` are the ``echoes`` of the same titles.
    """
    owner = segments.owner(np.arange(len(segments)))
    untitled = (titles.stop <= titles.start)[owner]
    first = segments.bounds[:-1][owner]
    size = segments.end - segments.start
    longer = size > np.where(untitled, size[first], (titles.stop - titles.start)[owner])
    pieces = []
    known = shared[:, ECHOES.index("title_known")] > 0.99
    for s in np.flatnonzero(known & longer).tolist():
        d, opening = owner[s], slice(segments.start[first[s]], segments.end[first[s]])
        title = buffer.data[opening] if untitled[s] else titles.data[titles.start[d] : titles.stop[d]]
        a, b = int(segments.start[s]), int(segments.end[s])
        at = buffer.data[a:b].tobytes().find(title.tobytes())
        if at >= 0 and len(title.tobytes().split()) >= _LEAST_TITLE:
            pieces.append((s, a, a + at, a + at + len(title), b))
    if not pieces:
        return
    found = np.array(pieces, np.int64)
    halves = Segments(
        found[:, [1, 3]].ravel(), found[:, [2, 4]].ravel(), np.zeros(2 * len(found), np.uint8),
        np.array([0, 2 * len(found)], np.int64),
    )  # fmt: skip
    around = read_segments(buffer, halves)
    slotted = around.shapes[:, PART.words].reshape(-1, 2).sum(axis=1) >= _LEAST_WORDS
    half = around.prints[:, FINGERPRINTS.index("fuzzy")].reshape(-1, 2)
    read.prints[found[slotted, 0], FINGERPRINTS.index("exact")] = mix_all(half[:, 0], half[:, 1])[slotted]


def publisher_hash(names: pd.Series[Any]) -> NDArray[np.uint64]:
    """64-bit hash of each publisher's name; a missing publisher is a publisher of its own."""
    from pandas.util import hash_array

    codes, unique = pd.factorize(names.fillna(""), use_na_sentinel=False)
    hashed = hash_array(np.asarray(unique, object), categorize=False) | np.uint64(2)
    return np.asarray(hashed, np.uint64)[codes]


@dataclass(frozen=True)
class Lookup:
    """A template index ready to be asked.

    ``counts`` are of titles, and of keys that two or more documents hold; ``publishers`` counts the documents of each,
    and under key 1 of all.
    ``rows`` is an open-addressing table over ``counts.key``, for :func:`find_window`.
    """

    counts: Counts
    publishers: Counts
    rows: NDArray[np.int32]


@dataclass
class TemplateIndex:
    """A summary of what each publisher repeats; adding documents and merging commute.

    Up to ``capacity`` keys (40 bytes each in memory) every count is exact; beyond it the keys of the fewest documents
    go first. ``counts`` are those of the keys; ``documents`` has a row a publisher (key: its hash; 1: all of them).
    Every count is at least the true one less ``lost``, and a key that is not there was in at most ``lost`` documents;
    it is 0 as long as ``capacity`` was enough. ``about`` is what :meth:`save` was given to keep with the index.

    Documents that are counted at once leave the same keys in whatever order they come. An index that is filled batch by
    batch, or merged, beyond its capacity drops keys before it has seen everything: what is left then depends on the
    order, within the bound of ``lost`` (lossy counting: Manku, Motwani, VLDB 2002).
    """

    capacity: int = CAPACITY
    counts: Counts = field(default_factory=Counts)
    documents: Counts = field(default_factory=Counts)
    lost: int = 0
    about: dict[str, Any] = field(default_factory=dict)

    def _add(
        self, bounds: NDArray[np.int64], prints: NDArray[np.uint64], titles: NDArray[np.uint64],
        publishers: NDArray[np.uint64], days: NDArray[np.int32], score: NDArray[np.float32],
    ) -> None:  # fmt: skip
        """Count a batch of documents; segments of document ``i`` are ``bounds[i]:bounds[i + 1]``.

        ``titles`` are exact fingerprints (0 for none), ``days`` since 1970-01-01 (``NO_DAY`` for none), ``score`` the
        probability of boilerplate of each segment by its words alone.
        """
        contrasted = np.array([w in CONTRASTED for w in WINDOWS[:-1]])
        quantised = np.rint(score * 256).astype(np.int64)
        self.counts += count_segments(prints, titles, bounds, publishers, contrasted, quantised, days)
        self.documents += count_documents(publishers, days)
        self._trim()

    def merge(self, other: TemplateIndex) -> TemplateIndex:
        """Return an index that has counted the documents of both."""
        counts, documents = self.counts + other.counts, self.documents + other.documents
        merged = TemplateIndex(max(self.capacity, other.capacity), counts, documents, self.lost + other.lost)
        merged._trim()
        return merged

    def _trim(self) -> None:
        self.counts, bound = self.counts.most_seen(self.capacity)
        self.lost += bound

    def lookup(self) -> Lookup:
        """Return what is needed to look segments up: titles, and the keys that several documents hold."""
        several = (self.counts.docs > 1) | (self.counts.score < 0)
        counts = self.counts if several.all() else self.counts.take(several)
        rows = np.full(1 << max(4, int(2 * len(counts)).bit_length()), -1, np.int32)
        _fill(rows, counts.key)
        return Lookup(counts, self.documents, rows)

    def save(self, path: str | Path, about: dict[str, Any] | None = None) -> None:
        """Write the index as one Parquet file, with what else there is to say of it."""
        parts = [self.counts, self.documents]
        columns = {"part": np.repeat(np.arange(2, dtype=np.uint8), [len(p) for p in parts])}
        columns |= vars(end_to_end(parts))
        said = {"format": FORMAT, "capacity": self.capacity, "lost": self.lost, "about": about or self.about}
        said["sha256"] = _digest(said, parts)
        table = pa.table(columns).replace_schema_metadata({"news-toolkit": json.dumps(said)})
        pq.write_table(table, path, compression="zstd")

    @classmethod
    def load(cls, path: str | Path) -> TemplateIndex:
        """Read an index that :meth:`save` wrote; ModelError if the file is another, was cut off or changed."""
        try:
            with parquet_file(path) as file:
                said = json.loads((file.schema_arrow.metadata or {}).get(b"news-toolkit", b"{}"))
                form = str(said.get("format"))[:40]
                _want(form == FORMAT, f"format is {form!r}, not {FORMAT!r}")
                types = {name: pa.from_numpy_dtype(column.dtype) for name, column in vars(Counts()).items()}
                found, rows = {f.name: f.type for f in file.schema_arrow}, file.metadata.num_rows
                _want(found == {"part": pa.uint8(), **types}, "columns are not those of a template index")
                room = Path(path).stat().st_size
                _want(rows * _LEAST_BYTES <= room, f"{rows} rows do not fit into this file")
                part = file.read(["part"])["part"].to_numpy()
                split = []
                for name in types:  # one at a time, or all would be in memory twice
                    column = file.read([name])[name].to_numpy()
                    split.append([column[part == value] for value in (0, 1)])
            parts = [Counts(*columns) for columns in zip(*split, strict=True)]
            own = _digest({k: v for k, v in said.items() if k != "sha256"}, parts)
            _want(said.get("sha256") == own, "its SHA-256 is not the one it was saved with")
            _want(all(np.all(p.key[1:] > p.key[:-1]) for p in parts), "keys are out of order")
            return cls(int(said["capacity"]), parts[0], parts[1], int(said["lost"]), dict(said["about"]))
        except FileNotFoundError:
            raise
        except DAMAGE as error:
            reason = " ".join(str(error).split())[:120] or type(error).__name__
            mend = "fit the remover again and save it"
            raise ModelError(f"{path}: not a template index ({reason}); {mend}") from error


def _want(holds: bool | np.bool_, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)


def _digest(said: dict[str, Any], parts: list[Counts]) -> str:
    """SHA-256 over what an index says of itself and its numbers, whatever Parquet makes of them."""
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    for part in parts:
        for column in part.columns:
            digest.update(np.ascontiguousarray(column).data)
    return digest.hexdigest()
