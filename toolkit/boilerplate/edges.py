"""Edges of templates: where a repeated passage is glued to an article with no border that the cutter could see."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.evidence import EVIDENT
from toolkit.boilerplate.features import FINGERPRINTS, SHAPE, mix_all
from toolkit.boilerplate.reading import Reading
from toolkit.boilerplate.repetition import UNEVEN, Seen
from toolkit.boilerplate.scoring import read_segments
from toolkit.boilerplate.templates import Lookup
from toolkit.segments import Segments

REACH = 240
"""Bytes of a segment in which an edge is looked for."""

SOME = 2
"""Other articles that begin or end a segment with the same two words, for it to be looked into."""
_ANY = 2**30

_TOKENS = SHAPE.index("tokens")
_BORDER = re.compile(
    r"\s+(?=\S)|(?<=[^\W_])(?=[^\w\s])|(?<=[^\w\s])(?=[\"“„«(\[])|(?<=\S)(?=[A-ZÀ-ÖØ-ÞΑ-ΩА-Я][a-zß-öø-ÿα-ωа-я])"
)
_STARTS = re.compile(r"\s*[\"'“„«(\[]*\w")


def extended(
    read: Reading, lookup: Lookup, seen: Seen, evident: NDArray[np.bool_], remove: NDArray[np.bool_]
) -> Segments:
    """Move the borders of evident templates into the text beside them, as far as it is theirs.

    A headline or a signature of an appeal has no full stop; where the line breaks are gone, it makes one segment with
    the sentence after it or before it. What of that segment stands elsewhere as a segment of its own, in as many
    articles as the template or fewer, is the template's. Failing that, so is the beginning of a segment whose first
    two or four words are repeated so, up to the next word with a capital. Of a segment that is shared so, the rest
    stays (``remove`` is changed): what it is by itself, the next round of cleaning says.

    Returns the segments with other starts and ends of removed ones; those that are kept may overlap them.
    """
    segments = read.segments
    start, end = segments.start.copy(), segments.end.copy()
    sure = np.asarray(evident & remove)
    mixed = ~sure & (~remove | ~seen.others.any(axis=1))
    for step in (1, -1):
        for s in _beside(read, lookup, sure, mixed, step):
            places, tokens, prints = _candidates(read, s, step)
            if not len(places):
                continue
            owner = np.searchsorted(segments.bounds, s, side="right") - 1
            publisher, most = read.about.publishers[owner], int(seen.others[s - step, 0])
            theirs = np.flatnonzero(_theirs(lookup, prints[:, 0], 0, publisher, most))
            place: np.int64 | None = places[theirs[-1]] if len(theirs) else None
            if place is None and step == 1:
                place = _capital(read, lookup, s, places, tokens, publisher, most)
            if place is not None:
                (end if step == 1 else start)[s - step], remove[s] = place, False
    return replace(segments, start=start, end=end)


def _beside(
    read: Reading, lookup: Lookup, sure: NDArray[np.bool_], mixed: NDArray[np.bool_], step: int
) -> NDArray[np.int64]:
    """Segments next to an evident one of their document, whose first or last two words stand elsewhere too."""
    at = np.flatnonzero(sure[:-1] & mixed[1:]) + 1 if step == 1 else np.flatnonzero(sure[1:] & mixed[:-1])
    owner = np.searchsorted(read.segments.bounds, at, side="right") - 1
    same = owner == np.searchsorted(read.segments.bounds, at - step, side="right") - 1
    at, owner = at[same], owner[same]
    window = FINGERPRINTS.index("lead2" if step == 1 else "trail2")
    return at[_theirs(lookup, read.prints[at, window], window, read.about.publishers[owner], _ANY, SOME)]


def _theirs(
    lookup: Lookup, prints: NDArray[np.uint64], window: int, publisher: NDArray[np.uint64] | np.uint64,
    most: NDArray[np.int32] | int, least: int = EVIDENT,
) -> NDArray[np.bool_]:  # fmt: skip
    """Whether fingerprints are counted in as many documents as a template, or fewer, but enough."""
    keys = mix_all(
        mix_all(prints, np.full(len(prints), window + 1, np.uint64)), np.broadcast_to(publisher, len(prints))
    )
    if not len(lookup.counts):
        return np.zeros(len(keys), bool)
    at = np.searchsorted(lookup.counts.key, keys).clip(0, len(lookup.counts) - 1)
    docs = np.where((lookup.counts.key[at] == keys) & (prints != 0), lookup.counts.docs[at] - 1, 0)
    return np.asarray((docs >= least) & (docs - most <= UNEVEN * docs))


def _candidates(
    read: Reading, s: int, step: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint64]]:
    """Places in a segment where the template may end or begin, nearest first; tokens and fingerprints up to there."""
    a, b = int(read.segments.start[s]), int(read.segments.end[s])
    near = slice(a, min(a + REACH, b)) if step == 1 else slice(max(b - REACH, a), b)
    raw = read.buffer.data[near].tobytes()
    text = raw.decode("utf-8", "surrogateescape")
    borders = (match.start() if step == 1 else match.end() for match in _BORDER.finditer(text))
    places = [near.start + len(text[:p].encode("utf-8", "surrogateescape")) for p in borders]
    places = [p for p in places if a < p < b]
    n = len(places)
    ends = np.array(places, np.int64)
    starts, stops = (np.full(n, a), ends) if step == 1 else (ends[::-1].copy(), np.full(n, b))
    few = Segments(starts, stops, np.zeros(n, np.uint8), np.array([0, n], np.int64))
    found = read_segments(read.buffer, few)
    return (starts if step == -1 else stops), found.shapes[:, _TOKENS], found.prints


def _capital(
    read: Reading, lookup: Lookup, s: int, places: NDArray[np.int64], tokens: NDArray[np.int32], publisher: np.uint64,
    most: int,
) -> np.int64 | None:  # fmt: skip
    """Place of the first capital after the first four words if these are the template's, else after two or three."""
    end = int(read.segments.end[s])
    raw = read.buffer.data
    capital = np.array([_begins(raw[p : min(p + 16, end)].tobytes()) for p in places], bool)
    window = FINGERPRINTS.index("lead4")
    if _theirs(lookup, read.prints[s : s + 1, window], window, publisher, most)[0]:
        fits = np.flatnonzero(capital & (tokens >= 4))
        return places[fits[0]] if len(fits) else None
    window = FINGERPRINTS.index("lead2")
    if not _theirs(lookup, read.prints[s : s + 1, window], window, publisher, most)[0]:
        return None
    fits = np.flatnonzero(capital & (tokens >= 2) & (tokens < 4))
    return places[int(fits[np.argmax(tokens[fits])])] if len(fits) else None


def _begins(raw: bytes) -> bool:
    """Whether a sentence can begin here: with a capital letter, after marks of quotation."""
    match = _STARTS.match(raw.decode("utf-8", "ignore"))
    return match is not None and match.group()[-1].isupper()
