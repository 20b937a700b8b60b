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
    for step, border in ((1, end), (-1, start)):
        beside = _beside(read, lookup, sure, mixed, step)
        places, tokens, prints, number = _candidates(read, beside, step)
        owner = np.searchsorted(segments.bounds, beside, side="right") - 1
        publisher, most = read.about.publishers[owner], seen.others[beside - step, 0]
        theirs = np.flatnonzero(_theirs(lookup, prints[:, 0], 0, publisher[number], most[number]))
        last = np.full(len(beside), -1)
        np.maximum.at(last, number[theirs], theirs)
        if step == 1:
            four, two = (
                _theirs(lookup, read.prints[beside, window], window, publisher, most)
                for window in map(FINGERPRINTS.index, ("lead4", "lead2"))
            )
            bounds = np.searchsorted(number, np.arange(len(beside) + 1))
            for n in np.flatnonzero((last < 0) & (four | two)):
                own = slice(bounds[n], bounds[n + 1])
                last[n] = _capital(
                    read, places[own], segments.end[beside[n]], tokens[own], four[n], own.start
                )
        found = last >= 0
        border[beside[found] - step], remove[beside[found]] = places[last[found]], False
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
    read: Reading, beside: NDArray[np.int64], step: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint64], NDArray[np.int64]]:
    """Places in segments where the template may end or begin, in each segment the nearest first.

    Returns them with the tokens and fingerprints up to there, and the numbers of their segments in ``beside``.
    """
    starts, stops = read.segments.start[beside], read.segments.end[beside]
    found: list[int] = []
    number: list[int] = []
    for n, (a, b) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True)):
        near = slice(a, min(a + REACH, b)) if step == 1 else slice(max(b - REACH, a), b)
        raw = read.buffer.data[near].tobytes()
        text = raw.decode("utf-8", "surrogateescape")
        borders = [match.start() if step == 1 else match.end() for match in _BORDER.finditer(text)]
        if len(text) != len(raw):
            borders = [len(text[:p].encode("utf-8", "surrogateescape")) for p in borders]
        places = [near.start + p for p in borders[::step] if a < near.start + p < b]
        found += places
        number += [n] * len(places)
    at, which = np.array(found, np.int64), np.array(number, np.int64)
    some = (starts[which], at) if step == 1 else (at, stops[which])
    few = Segments(*some, np.zeros(len(at), np.uint8), np.array([0, len(at)], np.int64))
    shown = read_segments(read.buffer, few)
    return at, shown.shapes[:, _TOKENS], shown.prints, which


def _capital(
    read: Reading, places: NDArray[np.int64], end: int, tokens: NDArray[np.int32], four: bool, first: int
) -> int:
    """Which of the places, the ``first`` on, is the first with a capital after four words, else after two or three.

    -1 for none.
    """
    raw = read.buffer.data
    capital = np.array([_begins(raw[p : min(p + 16, end)].tobytes()) for p in places], bool)
    fits = np.flatnonzero(capital & ((tokens >= 4) if four else (tokens >= 2) & (tokens < 4)))
    if not len(fits):
        return -1
    return int(first + (fits[0] if four else fits[np.argmax(tokens[fits])]))


def _begins(raw: bytes) -> bool:
    """Whether a sentence can begin here: with a capital letter, after marks of quotation."""
    match = _STARTS.match(raw.decode("utf-8", "ignore"))
    return match is not None and match.group()[-1].isupper()
