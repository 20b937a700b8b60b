"""What a segment shares with the rest of its article: the words and names that the story uses elsewhere.

A teaser names people the story never mentions; a caption names them again; furniture shares nothing, but it often names
the outlet.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.boilerplate.features import NAME, PART
from toolkit.boilerplate.scoring import read_segments
from toolkit.buffer import Buffer, character_tables, decode
from toolkit.fields import publisher_of
from toolkit.kernels import njit
from toolkit.segments import Segments

ECHOES = ("words_known", "names_known", "names_new", "in_title", "title_known")
"""Columns: share of the segment's terms, and of its names, that stand in another segment of the article; how many
names do not (logarithm); share of its terms that stand in the title; share of the title's terms that stand in the
segment. The first segment stands in for a title that is not known. -1 where there is nothing to count."""

_LETTERS = 400  # most letters of a segment that are compared with a publisher's name
_NAME = 40  # most letters of such a name
_EAST = 0x2E80  # from this code point on, each letter counts as a word
_HANGUL = (0xAC00, 0xD7A3)  # syllables, which are not parted into their letters


@dataclass(frozen=True)
class Titles:
    """Titles of documents, to be compared with what their texts say.

    ``prints`` has the exact fingerprint of each, 0 where there is no title; ``counts`` its number of terms;
    ``terms`` the terms, one title after the other; its bytes are ``data[start:stop]``.
    """

    prints: NDArray[np.uint64]
    counts: NDArray[np.int64]
    terms: NDArray[np.uint32]
    data: NDArray[np.uint8]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]

    @classmethod
    def of(cls, titles: pd.Series[Any]) -> Titles:
        """Read a column of titles, which may be missing."""
        buffer = Buffer.of(titles.fillna("").str.strip())
        read = read_segments(buffer, Segments.whole(buffer))
        known = np.diff(buffer.offsets) > 0
        counts = read.shapes[:, PART.terms].astype(np.int64)
        prints = np.where(known, read.prints[:, 0], np.uint64(0))
        return cls(prints, counts, read.terms, buffer.data, buffer.offsets[:-1], buffer.offsets[1:])

    def take(self, rows: NDArray[np.int64]) -> Titles:
        """Keep some titles, in the order given."""
        starts, counts = (np.cumsum(self.counts) - self.counts)[rows], self.counts[rows]
        at = np.repeat(starts + counts - np.cumsum(counts), counts) + np.arange(int(counts.sum()))
        return Titles(self.prints[rows], counts, self.terms[at], self.data, self.start[rows], self.stop[rows])


@njit(cache=True, nogil=True)
def slot(keys, term):  # type: ignore[no-untyped-def]
    """Place of a term in an open-addressing table of a power of two, or of the free place for it."""
    mask = len(keys) - 1
    i = (np.int64(term) * 0x9E3779B1 >> 7) & mask
    while keys[i] != 0 and keys[i] != term:
        i = (i + 1) & mask
    return i


@njit(cache=True, nogil=True)
def _echo(terms, counts, bounds, title_terms, title_counts, out):  # type: ignore[no-untyped-def]
    at = title_at = 0
    for d in range(len(bounds) - 1):
        lo, hi = bounds[d], bounds[d + 1]
        size, total = 256, title_counts[d] + counts[lo:hi].sum()
        while size < 2 * total:
            size *= 2
        table = np.zeros(size, np.uint32)
        where, title = np.empty(size, np.int32), np.empty(size, np.int32)
        in_title = 0
        # without a title the first segment stands in for it: there it is, more often than not
        known = title_counts[d] > 0
        first = title_at if known else at
        for t in range(first, first + (title_counts[d] if known else counts[lo] if lo < hi else 0)):
            term = (title_terms[t] if known else terms[t]) & ~np.uint32(NAME) | np.uint32(2)
            i = slot(table, term)
            if table[i] == 0:
                table[i] = term
                where[i] = -1
                title[i] = 0  # the last segment that was counted for this term of the title
                in_title += 1
        title_at += title_counts[d]
        start = at
        for s in range(lo, hi):
            for t in range(at, at + counts[s]):
                term = terms[t] & ~np.uint32(NAME) | np.uint32(2)
                i = slot(table, term)
                if table[i] == 0:
                    table[i] = term
                    where[i] = s
                    title[i] = -1
                elif where[i] == -1:
                    where[i] = s
                elif where[i] != s:
                    where[i] = -2  # in several segments
            at += counts[s]
        at = start
        for s in range(lo, hi):
            words = words_known = names = names_known = shared = covered = 0
            for t in range(at, at + counts[s]):
                i = slot(table, terms[t] & ~np.uint32(NAME) | np.uint32(2))
                known = where[i] == -2
                words += 1
                words_known += known
                if terms[t] & np.uint32(NAME):
                    names += 1
                    names_known += known
                if title[i] >= 0:
                    shared += 1
                    if title[i] != s + 1:
                        title[i] = s + 1
                        covered += 1
            at += counts[s]
            out[s, 0] = words_known / words if words else -1.0
            out[s, 1] = names_known / names if names else -1.0
            out[s, 2] = np.log1p(np.float32(names - names_known)) if names else -1.0
            out[s, 3] = shared / words if words and in_title else -1.0
            out[s, 4] = covered / in_title if in_title else -1.0


def echoes(
    segments: Segments, shapes: NDArray[np.int32], terms: NDArray[np.uint32], titles: Titles
) -> NDArray[np.float32]:
    """Compare each segment with the rest of its document and with its title; columns :data:`ECHOES`.

    ``shapes`` and ``terms`` are as :func:`toolkit.boilerplate.scoring.read_segments` makes them.
    """
    out = np.empty((len(segments), len(ECHOES)), np.float32)
    counts = np.ascontiguousarray(shapes[:, PART.terms])
    _echo(terms, counts, segments.bounds, titles.terms, titles.counts, out)
    return out


@dataclass(frozen=True)
class Outlets:
    """Names of publishers, to be looked for in texts: of document ``i`` ``codes[start[i]:stop[i]]``, letters alone."""

    codes: NDArray[np.uint16]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]

    @classmethod
    def of(cls, publishers: pd.Series[Any]) -> Outlets:
        """Read a column of publishers, which may be missing; of a host the name before its suffix counts."""
        number, unique = pd.factorize(publishers.fillna(""), use_na_sentinel=False)
        names = [_letters(str(name)) for name in unique]
        size = np.array([len(name) for name in names], np.int64)
        stop = np.cumsum(size)
        codes = np.frombuffer("".join(names).encode("utf-16-le"), np.uint16)
        return cls(codes, (stop - size)[number], stop[number])

    def take(self, rows: NDArray[np.int64]) -> Outlets:
        """Keep those of some documents, in the order given."""
        return Outlets(self.codes, self.start[rows], self.stop[rows])

    def named(self, buffer: Buffer, segments: Segments, wanted: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return with what share of its letters each wanted segment names its publisher (``| Nová republika``)."""
        at = np.flatnonzero(wanted)
        owner, out = segments.owner(at), np.zeros(len(at), np.float32)
        _named(
            buffer.data, segments.start[at], segments.end[at], self.codes, self.start[owner], self.stop[owner],
            _plain_letters(), out,
        )  # fmt: skip
        return out


def _letters(name: str) -> str:
    """Return the letters of a publisher's name without marks, or nothing where there are too few to be told."""
    name = publisher_of(name)
    if re.fullmatch(r"[\w-]+(?:\.[\w-]+)+", name):
        name = name.partition(".")[0]
    table, codes = _plain_letters(), name.lower().removeprefix("the ").encode("utf-16-le", "replace")
    plain = table[np.frombuffer(codes, np.uint16)]
    letters = plain[plain > 1][:_NAME].astype(np.uint16).tobytes().decode("utf-16-le", "ignore")
    return letters if len(letters) >= (3 if letters.isascii() else 2) else ""


@cache
def _plain_letters() -> NDArray[np.uint16]:
    """Return each character's letter in lower case and without marks; 1 for a mark, 0 for what is no letter or digit.

    By Unicode 3.2, which every Python carries.
    """
    known, (_, folds) = unicodedata.ucd_3_2_0, character_tables()
    out = np.zeros(1 << 16, np.uint16)
    for code in range(1 << 16):
        low = chr(int(folds[code]))
        plain = low if _HANGUL[0] <= code <= _HANGUL[1] else known.normalize("NFKD", low)[0]
        if known.category(plain)[0] in "LN" and ord(plain) < 1 << 16:
            out[code] = ord(plain)
        elif known.combining(plain):
            out[code] = 1
    return out


@njit(cache=True, nogil=True)
def _named(data, starts, ends, codes, name_starts, name_stops, table, out):  # type: ignore[no-untyped-def]
    read, opens = np.empty(_LETTERS + 1, np.uint16), np.empty(_LETTERS + 1, np.bool_)
    for s in range(len(starts)):
        name = codes[name_starts[s] : name_stops[s]]
        if len(name) == 0:
            continue
        n, i, fresh = 0, starts[s], True
        while i < ends[s] and n < _LETTERS:
            code, size = decode(data, i, ends[s])
            i += size
            east = code >= _EAST
            if table[code] == 0:
                fresh = True
            elif table[code] > 1:
                read[n], opens[n] = table[code], fresh or east
                fresh = east
                n += 1
        opens[n] = True
        letters = at = 0
        while at + len(name) <= n:
            here = opens[at] and opens[at + len(name)]
            k = 0
            while here and k < len(name):
                here = read[at + k] == name[k]
                k += 1
            letters += len(name) * here
            at += len(name) if here else 1
        out[s] = letters / max(n, 1)
