"""Decide what is removed: give each segment a probability and a kind, then choose for each text as a whole.

A segment that the model is unsure of is removed if the segments beside it are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.blocks import FAR, FLOOR, UNHEARD, blocks
from toolkit.boilerplate.borders import borders
from toolkit.boilerplate.evidence import COLUMNS, evidence, evident, suspicious
from toolkit.boilerplate.features import FINGERPRINTS, mix_all
from toolkit.boilerplate.model import SURE, Decision, Scale, SegmentModel
from toolkit.boilerplate.proposals import HOPELESS, NONE, SILENT, best_path, propose
from toolkit.boilerplate.reading import GROUP_OF, GROUPS, LAYOUTS, PAGE, SHORT, About, Reading, layouts
from toolkit.boilerplate.repetition import REPEATED, Seen, alike, doubted_single
from toolkit.boilerplate.scoring import KINDS, read_segments
from toolkit.boilerplate.templates import Lookup
from toolkit.buffer import Buffer
from toolkit.kernels import njit
from toolkit.segments import LINE, SENTENCE, Segments, cut

APPEAL, INTERFACE = KINDS.index("appeal"), KINDS.index("interface")

KNOWN = tuple(f"[+{10**digits} chars]" for digits in range(6))
"""Boilerplate whoever the publisher is, compared with digits masked: NewsAPI ends a text that it cuts with this."""

# the same, compared word for word: transcripts of broadcasts note with these what was shown
MARKS = "(COMMERCIAL BREAK)|(BEGIN VIDEOTAPE)|(END VIDEOTAPE)|(BEGIN VIDEO CLIP)|(END VIDEO CLIP)".split("|")

UNSUPPORTED = -1.5
"""Upper bound of the first decision's log odds for a segment that it alone takes for an appeal: whether such a segment
is one, the second decision says."""

SURELY = 0.1
"""A segment whose own words give article text a probability below this counts as an appeal even if only the first
decision says so (``Support our journalism.``)."""

HINT, SLIGHT = 0.05, 0.03
"""The scout of the network reads texts with a segment whose words give an appeal at least the first probability; or the
second, if they give article text less than :data:`ARTICLE`."""

QUIET = -2.5
"""The second decision looks around segments that the scout gives log odds above this; texts without one the reader need
not read."""

ABROAD = 0.4  # log odds by which a block must be surer in another language: there are fewer to learn from
FAINT = 0.05  # from this probability on a segment has a kind of its own; if removed, others take their neighbour's

_DOCS, _OPENED = (COLUMNS.index("exact_docs"), COLUMNS.index("fuzzy_docs")), COLUMNS.index("lead2_docs")
_FUZZY = FINGERPRINTS.index("fuzzy")
_PUBLISHER_DOCS = COLUMNS.index("publisher_docs")
_ALONE = len(COLUMNS) - len(REPEATED)

Thresholds = Callable[[Scale], NDArray[np.float64]]  # gives the threshold of each layout


@dataclass(frozen=True)
class Weighed:
    """What is to be done with each segment: its ``kind`` (in ``KINDS``, -1 where nothing hints at boilerplate).

    ``score`` is the probability of boilerplate, at least the threshold where neighbours decided; ``template`` the key
    of the template, 0 for none; ``evident`` marks what goes for its repetition alone. ``full_layout``, one a document,
    is an index into ``LAYOUTS + UNLIKE``.
    """

    remove: NDArray[np.bool_]
    kind: NDArray[np.int64]
    score: NDArray[np.float32]
    template: NDArray[np.uint64]
    full_layout: NDArray[np.int8]
    seen: Seen
    evident: NDArray[np.bool_]


def weigh(
    read: Reading, lookup: Lookup | None, model: SegmentModel, thresholds: Thresholds, outside: NDArray[np.bool_]
) -> Weighed:  # fmt: skip
    """Decide which segments are removed; ``lookup`` is None where no corpus was fitted.

    The *first decision* gives each segment a probability; the best path through the text chooses what is removed. The
    *second decision* removes appeals as blocks. A segment that only the first takes for one is kept: letters and
    editorials sound like appeals. From texts marked ``outside``, and layouts in ``UNLIKE``, only what is as sure as an
    evidently repeated passage is removed.
    """
    segments = read.segments
    owner = np.repeat(np.arange(len(outside)), np.diff(segments.bounds))
    layout, full_layout = layouts(read.buffer, segments, read.shapes)
    unheard = full_layout >= len(LAYOUTS)
    outside = outside | unheard
    seen = Seen.of(read, lookup)
    doubted = suspicious(read, seen)
    at, rows = np.flatnonzero(doubted), evidence(read, lookup, seen, doubted)
    if lookup is not None:  # every line of captions opens alike (``>>``): that makes none a template
        rows[unheard[owner[at]], _OPENED] = 0
    row_layout, row_outside = layout[owner[at]], outside[owner[at]]
    single = np.ascontiguousarray(rows[:, :_ALONE]) if lookup is not None else rows
    sums = model.alone.sums(single, row_layout)
    texts = hinting(read, owner) & ~outside
    network, of_text = model.appeals.network, (read, read.buffer, segments, read.echoes, read.pieces)
    heard = near(network.say("scout", *of_text, texts)[:, 0] > QUIET, segments.bounds, owner)
    on_page, hinted = row_layout == PAGE, heard[at]
    around = np.zeros((len(at), 0), np.float32)
    if (on_page | hinted).any():
        wanted, all_sums = np.zeros(len(doubted), bool), np.full(len(doubted), FLOOR, np.float32)
        wanted[at[on_page | hinted]] = True
        all_sums[at] = sums
        texts[:] = False
        texts[owner[at[hinted]]] = True
        heard &= texts[owner]
        says = network.say("reader", *of_text, texts)
        around = blocks(read, all_sums, wanted, says)
    if on_page.any():
        pages = model.pages.predict(np.ascontiguousarray(around[on_page[on_page | hinted], :UNHEARD]))
        sums[on_page] = (sums[on_page] + pages) / 2
    score = model.alone.scale.probability(sums, row_layout)
    decision = model.alone if lookup is None else model.fitted
    least = _least(decision, thresholds, row_layout, row_outside)
    odds = log_odds(score) - log_odds(_least(model.alone, thresholds, row_layout, row_outside))
    if lookup is not None:
        odds -= doubted_single(rows[:, _PUBLISHER_DOCS])
        odds = np.maximum(odds, log_odds(decision.probability(rows, row_layout)) - log_odds(least))
        score = probability(odds + log_odds(least))
    known = np.isin(read.prints[at, _FUZZY], known_everywhere()[0])
    known |= np.isin(read.prints[at, 0], known_everywhere()[1])
    given_away = evident(rows) | known
    kind = np.full(len(at), -1, np.int64)
    likely = (score >= FAINT) | given_away
    kind[likely] = decision.kind(rows[likely])
    kind[known] = INTERFACE

    z, asked = (np.full(len(doubted), -MOST) for _ in range(2))
    second = np.zeros(len(doubted), np.float32)
    if hinted.any():
        asks = np.full(len(doubted), NONE, np.float32)
        here = np.ascontiguousarray(around[hinted[on_page | hinted]])
        asks[at[hinted]] = model.appeals.trees.predict(here, SILENT)
        proposed = propose(read, asks, all_sums, says)
        beside = borders(read, proposed, asks, all_sums, says, heard)
        opens, closes = (trees.predict(beside.rows) for trees in (model.appeals.opens, model.appeals.closes))
        told = beside.joined(proposed, opens, closes)
        asks = proposed.worth(model.appeals.proposals.predict(told, HOPELESS), len(asks))
        some, scale = asks > NONE, model.appeals.scale
        second[some] = scale.probability(asks[some], layout[owner[some]])
        asked[some] = log_odds(second[some]) - log_odds(thresholds(scale)[layout[owner[some]]])
        asked -= abroad(read.about)[owner]
    repeats = rows[:, _DOCS[0]] > 0 if lookup is not None else np.zeros(len(at), bool)
    odds = unsupported(odds, kind, repeats | (read.words[at, 0] < SURELY))
    odds[given_away] = MOST
    z[at] = odds
    asking = asked > 0
    remove = stretches(z, segments, layout) | asking
    appeals = asking[at] & (asked[at] > odds)
    kind[appeals] = APPEAL
    out = np.zeros(len(doubted), np.float32)
    out[at] = np.where(appeals, second[at], score)
    kinds = np.full(len(doubted), -1, np.int64)
    kinds[at] = kind
    _spread(remove, kinds, owner)
    low = remove[at] & (out[at] < least)
    out[at[low]] = least[low].astype(np.float32)
    sure = np.zeros(len(doubted), bool)
    sure[at] = given_away
    of_document = _least(decision, thresholds, layout, outside).astype(np.float32)
    outright = (read.words[:, 0] < SURELY) & ~outside[owner]
    join(read, seen, sure, remove, kinds, out, of_document, asking, outright)
    template = np.zeros(len(doubted), np.uint64)
    if lookup is not None:
        template[at] = template_keys(read, at, rows)
    return Weighed(remove, kinds, out, template, full_layout, seen, sure & ~unheard[owner])


@lru_cache(maxsize=1)
def known_everywhere() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Fuzzy fingerprints of :data:`KNOWN`, exact ones of :data:`MARKS`."""
    known, marks = Buffer.of(KNOWN), Buffer.of(MARKS)
    return read_segments(known, cut(known)).prints[:, _FUZZY], read_segments(marks, cut(marks)).prints[:, 0]


def unsupported(
    odds: NDArray[np.float64], kind: NDArray[np.int64], supported: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the log odds of the first decision, lowered to :data:`UNSUPPORTED` for appeals without support.

    A segment is ``supported`` if it repeats or asks outright. Only the second decision may remove other appeals.
    """
    return np.where((kind == APPEAL) & ~supported, np.minimum(odds, UNSUPPORTED), odds)


def abroad(about: About) -> NDArray[np.float64]:
    """By how much the second decision must be surer in each text; a text whose language cannot be told is English."""
    return np.where(np.isin(about.languages, ["en", ""]), 0.0, ABROAD)


def log_odds(p: NDArray[np.floating]) -> NDArray[np.float64]:
    """Logarithm of p / (1 - p), within ±14."""
    p = np.asarray(p, np.float64).clip(1e-6, 1 - 1e-6)
    return np.asarray(np.log(p / (1 - p)))


def probability(odds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Inverse of :func:`log_odds`: the probability; float32."""
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def _least(
    decision: Decision, thresholds: Thresholds, layout: NDArray[np.int8], outside: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Threshold of each row. In a text outside it is at least the probability of an evidently repeated passage."""
    least = thresholds(decision.scale)[layout]
    sure = decision.scale.probability(np.full(len(layout), SURE, np.float32), layout) - 1e-6
    return np.where(outside, np.maximum(least, sure), least)


def hinting(read: Reading, owner: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the texts of which some words may be an appeal's."""
    keep, appeal = read.words[:, 0], read.words[:, 1 + APPEAL]
    out = np.zeros(len(read.segments.bounds) - 1, bool)
    out[owner[(appeal >= HINT) | ((appeal >= SLIGHT) & (keep < ARTICLE))]] = True
    return out


def near(marked: NDArray[np.bool_], bounds: NDArray[np.int64], owner: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the segments within :data:`FAR` of a marked one of their text."""
    count, at = np.r_[0, np.cumsum(marked)], np.arange(len(owner))
    first, last = np.maximum(at - FAR, bounds[owner]), np.minimum(at + FAR + 1, bounds[owner + 1])
    return np.asarray(count[last] > count[first])


def _spread(remove: NDArray[np.bool_], kind: NDArray[np.int64], owner: NDArray[np.int64]) -> None:
    """Give removed segments without a kind that of the removed segment before them, or else after them."""
    for step in (-1, 1):
        for s in np.flatnonzero(remove & (kind < 0))[::-step].tolist():
            if 0 <= s + step < len(kind) and remove[s + step] and owner[s + step] == owner[s]:
                kind[s] = kind[s + step]


def keys(read: Reading, segments: NDArray[np.int64], window: int) -> NDArray[np.uint64]:
    """Keys under which the index holds some segments; ``window`` is a column of their fingerprints."""
    owner = read.segments.owner(segments)
    one = np.full(len(segments), window + 1, np.uint64)
    return mix_all(mix_all(read.prints[segments, window], one), read.about.publishers[owner])


def template_keys(
    read: Reading, segments: NDArray[np.int64], rows: NDArray[np.float32]
) -> NDArray[np.uint64]:
    """Key of the template that each segment is of, by its row of evidence; 0 for none."""
    out = np.zeros(len(segments), np.uint64)
    for window in (1, 0):  # word for word outweighs with digits and names masked
        found = rows[:, _DOCS[window]] > 0
        out[found] = keys(read, segments[found], window)
    return out


MOST = 4.0  # largest weight of one segment, in log odds: none outvotes a whole stretch

SWITCH = {"laid_out": (1.0, 0.5), "run_together": (0.5, 0.25), "page": (0.0, 0.0)}
"""Cost of beginning or ending a removal, in log odds: within a line, and at the start of one. Of six pairs tried in
cross-validation, these had the highest F1 at the same loss (docs/boilerplate.md). On whole pages no cost helps."""

GAP, DOUBTED = 300, 0.04
"""Kept text between two removed pieces of one line is removed too if it has at most :data:`GAP` bytes and each of its
segments scores at least :data:`DOUBTED` times the threshold. In cross-validation over publishers, 16 such segments
were boilerplate and 1 was not."""

LONGEST, CONTINUES = 1200, 0.13
"""The sentence after a removed caption, teaser or promotion is removed too if their line has at most :data:`LONGEST`
bytes and the sentence scores at least :data:`CONTINUES` times the threshold. In cross-validation, 34 such segments
were boilerplate and 4 were not."""

HALF = 0.5
"""A segment beside a removed one goes too if its own words give article text a probability under :data:`SURELY` and it
scores at least :data:`HALF` times the threshold (``Donate now.``). In cross-validation, of such segments with any score
36 were boilerplate and 3 were not."""

SHORT_BYTES, ARTICLE = 1500, 0.9
"""A text under :data:`SHORT_BYTES` keeps each sentence whose own words give article text at least the probability
:data:`ARTICLE`: around it stands mostly boilerplate, so its neighbours say little. Repeated passages and the appeals
of the second decision are removed all the same."""

_COSTS = np.array([SWITCH[name] for name in GROUPS])[GROUP_OF]
_COSTS[SHORT] = 0  # in a text of a few sentences each is judged by itself
_CONTINUED = np.array([kind in ("caption", "related", "promo") for kind in KINDS])


def stretches(z: NDArray[np.float64], segments: Segments, layout: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Mark the segments to be removed: the best path through each document, which pays :data:`SWITCH` to change.

    So a doubtful sentence between two sure ones is removed, and a single weak one is kept. ``z`` (float64, a segment
    each) are the log odds less those of the threshold; ``layout`` is an int8 a document.
    """
    return best_path(np.clip(z, -MOST, MOST), segments.bounds, segments.joint, _COSTS[layout])


@njit(cache=True, nogil=True)
def _one_kind(bounds, start, end, others, evident, kind):  # type: ignore[no-untyped-def]
    """Give all segments of a passage that other articles repeat one kind: that of most of its bytes."""
    size = np.empty(len(KINDS), np.int64)
    for d in range(len(bounds) - 1):
        a = bounds[d]
        while a < bounds[d + 1]:
            b = a + 1
            while b < bounds[d + 1] and evident[a] and evident[b] and alike(others[b], others[b - 1]):
                b += 1
            size[:] = 0
            for s in range(a, b):
                if kind[s] >= 0:
                    size[kind[s]] += end[s] - start[s]
            for s in range(a, b):
                if b > a + 1:
                    kind[s] = size.argmax()
            a = b


@njit(cache=True, nogil=True)
def _join(bounds, joint, start, end, words, outright, repeated, threshold, continued, remove, kind, score):  # type: ignore[no-untyped-def]
    for d in range(len(bounds) - 1):
        lo, hi = bounds[d], bounds[d + 1]
        a = lo
        while a < hi:
            b = a + 1
            while b < hi and joint[b] > LINE:
                b += 1
            last = -1  # the last removed segment of the line
            for s in range(a, b):
                if remove[s]:
                    closed = 0 <= last < s - 1 and start[s] - end[last] <= GAP
                    if closed:
                        for k in range(last + 1, s):
                            closed &= score[k] >= DOUBTED * threshold[d]
                    if closed:
                        for k in range(last + 1, s):
                            remove[k], kind[k], score[k] = True, kind[last], max(score[k], threshold[d])
                    last = s
                elif (
                    s > a
                    and remove[s - 1]
                    and joint[s] == SENTENCE  # text glued to the removed segment is another piece of the page
                    and continued[kind[s - 1]]
                    and score[s] >= CONTINUES * threshold[d]
                    and end[b - 1] - start[a] <= LONGEST
                ):
                    remove[s], kind[s], score[s] = True, kind[s - 1], max(score[s], threshold[d])
                    last = s
            a = b
        for s in range(lo, hi):
            beside = s - 1 if s > lo and remove[s - 1] else s + 1 if s + 1 < hi and remove[s + 1] else s
            if not remove[s] and beside != s and outright[s] and score[s] >= HALF * threshold[d]:
                remove[s], kind[s], score[s] = True, kind[beside], max(score[s], threshold[d])
        if hi > lo and end[hi - 1] - start[lo] < SHORT_BYTES:
            for s in range(lo, hi):
                remove[s] &= repeated[s] or words[s, 0] < ARTICLE


def join(
    read: Reading, seen: Seen, evident: NDArray[np.bool_], remove: NDArray[np.bool_], kind: NDArray[np.int64],
    score: NDArray[np.float32], threshold: NDArray[np.float32], asking: NDArray[np.bool_],
    outright: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Remove doubtful segments with the removed ones of their line, and keep article sentences of short texts.

    Changes ``remove``, ``kind`` and ``score`` in place: a segment removed here gets the kind of the removed one before
    it, and at least the threshold (float32, one a document) as its score. An evidently repeated passage gets one kind.
    ``evident`` marks the segments removed for their repetition alone, ``asking`` those that the second decision takes
    for an appeal, ``outright`` those whose words alone leave no doubt.
    """
    segments, repeated = read.segments, seen.others.any(axis=1) | asking | evident
    if evident.any():
        _one_kind(segments.bounds, segments.start, segments.end, seen.others[:, 0], evident, kind)
    _join(
        segments.bounds, segments.joint, segments.start, segments.end, read.words, outright, repeated, threshold,
        _CONTINUED, remove, kind, score,
    )  # fmt: skip
