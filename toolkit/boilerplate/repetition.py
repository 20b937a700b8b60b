"""Repetition: count in how many other articles a segment, its variants and its edges occur; give columns of evidence.

A *window* is a part or variant of a segment that the template index counts: the whole segment (``exact``), the
segment with digits and names masked (``fuzzy``), its first or last words. Each has a hash, its *print*.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.features import FINGERPRINTS, PART
from toolkit.boilerplate.reading import Reading
from toolkit.boilerplate.scoring import read_segments
from toolkit.boilerplate.templates import CONTRASTED, UNNAMED, WINDOWS, Lookup, find_window, window_keys
from toolkit.kernels import njit, places
from toolkit.segments import Segments

REPEATED = (
    *(f"{w}_{c}" for w in WINDOWS[:-1] for c in ("docs", "rate", "score")),
    *(f"{w}_lift" for w in CONTRASTED),
    *(f"{w}_{c}" for w in WINDOWS[:-1] for c in ("span", "stories")), "exact_elsewhere", "exact_publishers", "titled",
    "exact_docs@-1", "exact_docs@+1", "fuzzy_docs@-1", "fuzzy_docs@+1", "repeated_share", "publisher_docs",
)  # fmt: skip
"""Names of the columns of evidence that this module fills."""

COPIES, VERSIONS, FURNITURE = 3, 20, 0.1
"""Other documents that hold most of a text are copies of it up to the first number; up to the second they are versions
of a story, if at most the third share of what they have in common sounds like boilerplate, or if it is much of the
article."""

SENTENCE, LIKELY = 60, 0.9
"""A segment of so many bytes, whose words give article text more than the second number, is likely article text."""

SHARED, SHARED_SEGMENTS, PART_OF = 200, 3, 3
"""Others hold much of an article if they share at least so many bytes of its likely article text, in at least so many
segments, and these are at least that part (a third) of it."""

FEW = 20  # of a publisher with at most this many articles, a lack of repetition says nothing
MANY, DOUBT = 300, 2.0  # counted articles from which its templates are known; log odds (doubted_single)
EVIDENT = 8  # a passage of so many words, in so many other articles, is removed for its repetition alone
UNEVEN = 0.1  # neighbouring segments are parts of one passage if their articles differ by at most this share

_AT = places(REPEATED)
_CONTRAST = np.array([w in CONTRASTED for w in WINDOWS[:-1]])


def alike(docs: NDArray[Any], beside: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether segments and their neighbours stand in about equally many articles, as parts of a passage do."""
    return np.asarray(np.abs(docs - beside) <= UNEVEN * docs)


@njit(cache=True, nogil=True)
def likely_article(words, shapes, s):  # type: ignore[no-untyped-def]
    """Return whether a segment is likely article text, by its size and its own words."""
    return words[s, 0] > LIKELY and shapes[s, PART.bytes] >= SENTENCE


@njit(cache=True, nogil=True)
def _half(below, most, total):  # type: ignore[no-untyped-def]
    """The least number of others, up to ``most``, in which at least half of the bytes stand or fewer; 0 for none."""
    reached = 0
    for k in range(most + 1):
        reached += below[k]
        if 2 * reached >= total:
            return k
    return 0


@njit(cache=True, nogil=True)
def _popcount(x):  # type: ignore[no-untyped-def]
    n = 0
    while x:
        x &= x - np.uint64(1)
        n += 1
    return n


@njit(cache=True, nogil=True)
def _seen(prints, shapes, words, bounds, publishers, rows, keys, docs, out, copies):  # type: ignore[no-untyped-def]
    """Count the other documents of the publisher that contain each segment, exactly and fuzzily.

    If most of a document is also in one to three others, these are copies of it: crawled again, or slightly
    edited. If what they have in common sounds like an article, or is much of one, there may be more: versions of a
    story that goes on, or saves of a page with other teasers each time. Copies are no sign of a template, so they are
    not counted.
    """
    below, likely = np.zeros(VERSIONS + 1, np.int64), np.zeros(VERSIONS + 1, np.int64)
    for d in range(len(bounds) - 1):
        below[:] = likely[:] = 0
        total = article = common = sounds = sentences = 0
        for s in range(bounds[d], bounds[d + 1]):
            for w in range(2):
                r = find_window(rows, keys, prints[s, w], w, publishers[d])
                out[s, w] = max(docs[r] - 1, 0) if r >= 0 else 0
            size = shapes[s, PART.bytes]
            sure = size * likely_article(words, shapes, s)
            total += size
            article += sure
            if out[s, 0] <= VERSIONS:
                below[out[s, 0]] += size
                likely[out[s, 0]] += sure
                sentences += sure > 0 and out[s, 0] > 0
            if out[s, 0] > 0:
                common += size
                sounds += size * (words[s, 0] < 0.5)
        copies[d] = _half(below, VERSIONS if sounds <= FURNITURE * common else COPIES, total)
        likely[0] = 0
        shared = likely.sum()
        if shared >= SHARED and sentences >= SHARED_SEGMENTS and PART_OF * shared >= article:
            copies[d] = max(copies[d], _half(likely, VERSIONS, shared))
        if copies[d] > 0:
            for s in range(bounds[d], bounds[d + 1]):
                for w in range(2):
                    out[s, w] = max(out[s, w] - copies[d], 0)


@njit(cache=True, nogil=True)
def _repeated(  # type: ignore[no-untyped-def]
    prints, shapes, bounds, publishers, pub_docs, known, all_docs, seen, copies, rows, counts, wanted, out, begin
):  # fmt: skip
    """Fill the columns REPEATED, still 0, of the wanted segments, from column ``begin``.

    Counts exclude the document itself.
    """
    keys, docs, occurrences, score, first, last, stories = counts
    at_row = 0
    for d in range(len(bounds) - 1):
        lo, hi = bounds[d], bounds[d + 1]
        size = np.float32(pub_docs[d])
        others = np.float32(max(all_docs - pub_docs[d], 0))
        share = 0.0
        weight = 0.0
        for s in range(lo, hi):
            w7 = min(shapes[s, PART.bytes], 400)
            weight += w7
            if seen[s, 0] > 0:
                share += w7
        share = share / max(weight, 1.0)
        for s in range(lo, hi):
            if not wanted[s]:
                continue
            row = out[at_row, begin:]
            at_row += 1
            lift = _AT.exact_lift
            for w in range(len(_CONTRAST)):
                r = find_window(rows, keys, prints[s, w], w, publishers[d])
                here = max(docs[r] - 1 - copies[d], 0) if r >= 0 else 0
                at, span = 3 * w, _AT.exact_span + 2 * w
                row[at + 2] = -1
                if here > 0:
                    row[at] = np.log1p(np.float32(here))
                    row[at + 1] = here / max(size, np.float32(1.0))
                    if occurrences[r] > 1:
                        row[at + 2] = np.float32(score[r]) / np.float32(occurrences[r]) / np.float32(256.0)
                    row[span] = np.log1p(np.float32(max(last[r] - first[r], 0)))
                    row[span + 1] = _popcount(stories[r]) / np.float32(min(here + 1, 64))
                if not _CONTRAST[w]:
                    continue
                g = find_window(rows, keys, prints[s, w], w, np.uint64(1))
                elsewhere = max(docs[g] - here - 1 - copies[d], 0) if g >= 0 else 0
                if here > 0:
                    row[lift] = np.log((here + np.float32(0.1)) / (size + np.float32(1.0))) - np.log(
                        (elsewhere + np.float32(0.1)) / (others + np.float32(1.0))
                    )
                lift += 1
                if w == 0 and g >= 0:
                    row[_AT.exact_elsewhere] = np.log1p(np.float32(elsewhere))
                    row[_AT.exact_publishers] = np.log1p(np.float32(max(_popcount(stories[g]) - 1, 0)))
            t = find_window(rows, keys, prints[s, 0], len(_CONTRAST), publishers[d])
            if t >= 0:
                row[_AT.titled] = np.log1p(np.float32(docs[t]))
            for w in range(2):
                at = _AT.exact_docs_before1 + 2 * w
                row[at] = np.log1p(np.float32(seen[s - 1, w])) if s > lo else np.float32(-1.0)
                row[at + 1] = np.log1p(np.float32(seen[s + 1, w])) if s + 1 < hi else np.float32(-1.0)
            row[_AT.repeated_share] = share
            row[_AT.publisher_docs] = np.log1p(np.float32(known[d]))


@dataclass(frozen=True)
class Seen:
    """In how many other documents of the publisher the segments of a reading occur.

    ``others`` (int32, shape (n_segments, 2)) counts those that contain it exactly and fuzzily, without copies of its
    own document; ``copies`` (int32) has the copies of each document, 0 to :data:`VERSIONS`.
    """

    others: NDArray[np.int32]
    copies: NDArray[np.int32]

    @classmethod
    def of(cls, read: Reading, lookup: Lookup | None) -> Seen:
        """Look up every segment; without an index all counts are 0."""
        out, copies = np.zeros((len(read.segments), 2), np.int32), np.zeros(len(read.buffer), np.int32)
        if lookup is not None:
            _seen(
                read.prints, read.shapes, read.words, read.segments.bounds, read.about.publishers,
                lookup.rows, lookup.counts.key, lookup.counts.docs, out, copies,
            )  # fmt: skip
        return cls(out, copies)


def repeated(
    read: Reading, lookup: Lookup, seen: Seen, wanted: NDArray[np.bool_], out: NDArray[np.float32], begin: int
) -> None:
    """Fill the columns :data:`REPEATED` of the wanted segments in ``out`` (float32), starting at its column ``begin``.

    ``seen`` was made with the same index.
    """
    everywhere = lookup.publishers.documents(np.ones(1, np.uint64))[0]
    counted = lookup.publishers.documents(read.about.publishers)
    # texts without a publisher may be of any: that a passage stands in no other says nothing, however many they are
    known = np.where(read.about.publishers == UNNAMED, np.minimum(counted, FEW), counted)
    _repeated(
        read.prints, read.shapes, read.segments.bounds, read.about.publishers, counted, known, everywhere,
        seen.others, seen.copies, lookup.rows, lookup.counts.columns, wanted, out, begin,
    )  # fmt: skip


def doubted_single(publisher_docs: NDArray[np.floating]) -> NDArray[np.float64]:
    """By how much, in log odds, the decision without an index must be surer to count beside one with it.

    The more articles of a publisher were counted, the more a lack of repetition says: from nothing at :data:`FEW` to
    :data:`DOUBT` at :data:`MANY`. ``publisher_docs`` is the logarithm of one more than the counted articles.
    """
    counted = np.log(np.expm1(publisher_docs.astype(np.float64)).clip(FEW) / FEW) / np.log(MANY / FEW)
    return np.asarray(DOUBT * counted.clip(0, 1))


REACH = 240  # bytes of a segment in which an edge is looked for
SOME = 2  # other articles that begin or end a segment with the same two words, for it to be looked into
_ANY = 2**30

_BORDER = re.compile(
    r"\s+(?=\S)|(?<=[^\W_])(?=[^\w\s])|(?<=[^\w\s])(?=[\"“„«(\[])|(?<=\S)(?=[A-ZÀ-ÖØ-ÞΑ-ΩА-Я][a-zß-öø-ÿα-ωа-я])"
)
_STARTS = re.compile(r"\s*[\"'“„«(\[]*\w")  # how a sentence can begin, if the letter is a capital


def extended(
    read: Reading, lookup: Lookup, seen: Seen, evident: NDArray[np.bool_], remove: NDArray[np.bool_]
) -> Segments:
    """Return segments in which evident templates reach into the text beside them; kept segments may overlap them.

    Without line breaks, a headline or signature of an appeal shares a segment with the sentence beside it. What of that
    stands elsewhere as a segment, in as many articles or fewer, is the template's; else a beginning of two or four
    words repeated so, up to the next capital. The rest stays (``remove`` is changed) until the next round.
    """
    segments = read.segments
    start, end = segments.start.copy(), segments.end.copy()
    sure = np.asarray(evident & remove)
    mixed = ~sure & (~remove | ~seen.others.any(axis=1))
    for step, border in ((1, end), (-1, start)):
        beside = _beside(read, lookup, sure, mixed, step)
        places, tokens, prints, number = _candidates(read, beside, step)
        owner = segments.owner(beside)
        publisher, most = read.about.publishers[owner], seen.others[beside - step, 0]
        theirs = np.flatnonzero(_theirs(lookup, prints[:, 0], 0, publisher[number], most[number]))
        last = np.full(len(beside), -1)
        np.maximum.at(last, number[theirs], theirs)
        if step == 1:
            leads = map(FINGERPRINTS.index, ("lead4", "lead2"))
            four, two = (_theirs(lookup, read.prints[beside, w], w, publisher, most) for w in leads)
            bounds = np.searchsorted(number, np.arange(len(beside) + 1))
            for n in np.flatnonzero((last < 0) & (four | two)):
                own, stop = slice(bounds[n], bounds[n + 1]), segments.end[beside[n]]
                last[n] = _capital(read, places[own], stop, tokens[own], four[n], own.start)
        found = last >= 0
        border[beside[found] - step], remove[beside[found]] = places[last[found]], False
    return replace(segments, start=start, end=end)


def _beside(
    read: Reading, lookup: Lookup, sure: NDArray[np.bool_], mixed: NDArray[np.bool_], step: int
) -> NDArray[np.int64]:
    """Segments next to an evident one of their document, whose first or last two words stand elsewhere too."""
    at = np.flatnonzero(sure[:-1] & mixed[1:]) + 1 if step == 1 else np.flatnonzero(sure[1:] & mixed[:-1])
    owner = read.segments.owner(at)
    same = owner == read.segments.owner(at - step)
    at, owner = at[same], owner[same]
    window = FINGERPRINTS.index("lead2" if step == 1 else "trail2")
    return at[_theirs(lookup, read.prints[at, window], window, read.about.publishers[owner], _ANY, SOME)]


def _theirs(
    lookup: Lookup, prints: NDArray[np.uint64], window: int, publisher: NDArray[np.uint64] | np.uint64,
    most: NDArray[np.int32] | int, least: int = EVIDENT,
) -> NDArray[np.bool_]:  # fmt: skip
    """Whether fingerprints are counted in at least ``least`` documents, and in hardly more than a template."""
    counted = lookup.counts.documents(window_keys(prints, window, publisher), 1)
    docs = np.where(prints != 0, counted - 1, 0)
    return np.asarray((docs >= least) & (docs - most <= UNEVEN * docs))


def _candidates(
    read: Reading, beside: NDArray[np.int64], step: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint64], NDArray[np.int64]]:
    """Places in segments where the template may end or begin, in each segment the nearest first.

    Returns them with the tokens and fingerprints up to there, and the numbers of their segments in ``beside``.
    """
    starts, stops = read.segments.start[beside], read.segments.end[beside]
    found: list[tuple[int, int]] = []
    for n, (a, b) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True)):
        near = slice(a, min(a + REACH, b)) if step == 1 else slice(max(b - REACH, a), b)
        text = read.buffer.data[near].tobytes().decode("utf-8", "surrogateescape")
        borders = [match.start() if step == 1 else match.end() for match in _BORDER.finditer(text)]
        ends = [near.start + len(text[:p].encode("utf-8", "surrogateescape")) for p in borders[::step]]
        found += [(n, end) for end in ends if a < end < b]
    which, at = np.array(found, np.int64).reshape(-1, 2).T.copy()
    some = (starts[which], at) if step == 1 else (at, stops[which])
    few = Segments(*some, np.zeros(len(at), np.uint8), np.array([0, len(at)], np.int64))
    shown = read_segments(read.buffer, few)
    return at, shown.shapes[:, PART.tokens], shown.prints, which


def _capital(
    read: Reading, places: NDArray[np.int64], end: int, tokens: NDArray[np.int32], four: bool, first: int
) -> int:
    """Which place, the ``first`` on, is the first with a capital after four words, else two or three; -1 for none."""
    raw = read.buffer.data
    begins = (_STARTS.match(raw[p : min(p + 16, end)].tobytes().decode("utf-8", "ignore")) for p in places)
    capital = np.array([found is not None and found.group()[-1].isupper() for found in begins], bool)
    fits = np.flatnonzero(capital & ((tokens >= 4) if four else (tokens >= 2) & (tokens < 4)))
    if not len(fits):
        return -1
    return int(first + (fits[0] if four else fits[np.argmax(tokens[fits])]))
