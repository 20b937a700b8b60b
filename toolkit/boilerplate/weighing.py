"""From a reading to what goes: a probability and a kind for each segment, then one decision over each text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.blocks import FAR, FLOOR, blocks
from toolkit.boilerplate.evidence import COLUMNS, KINDS, evidence, evident, suspicious
from toolkit.boilerplate.features import FINGERPRINTS, mix_all
from toolkit.boilerplate.layouts import LAYOUTS, PAGE, layouts
from toolkit.boilerplate.model import HOPELESS, SURE, Decision, Scale, SegmentModel
from toolkit.boilerplate.paths import MOST, appeal_blocks, join, stretches
from toolkit.boilerplate.reading import Reading
from toolkit.boilerplate.repetition import REPEATED, Seen, doubted_single
from toolkit.boilerplate.scoring import read_segments
from toolkit.boilerplate.templates import Lookup
from toolkit.buffer import Buffer
from toolkit.segments import cut

APPEAL, INTERFACE = KINDS.index("appeal"), KINDS.index("interface")

KNOWN = tuple(f"[+{10**digits} chars]" for digits in range(6))
"""Boilerplate of every publisher, digits masked: with this, NewsAPI cuts a text off."""

MARKS = (
    "(COMMERCIAL BREAK)", "(BEGIN VIDEOTAPE)", "(END VIDEOTAPE)", "(BEGIN VIDEO CLIP)", "(END VIDEO CLIP)"
)  # fmt: skip
"""The same word for word: with these, transcripts of broadcasts note what was shown."""

UNSUPPORTED = -1.5
"""Log odds, at most, of a segment that only the first decision takes for an appeal: that is for the second to say."""

SURELY = 0.03
"""Probability of article text, by its own words, below which a segment needs no support: ``Support our journalism.``"""

HINT = 0.05
"""Least probability by words that a segment appeals, for the second decision to look at those around it."""

FAINT = 0.05
"""Probability from which on a segment has a kind of its own; one that goes with its neighbours takes theirs."""

_DOCS, _OPENED = (COLUMNS.index("exact_docs"), COLUMNS.index("fuzzy_docs")), COLUMNS.index("lead2_docs")
_FUZZY = FINGERPRINTS.index("fuzzy")
_PUBLISHER_DOCS = COLUMNS.index("publisher_docs")
_ALONE = len(COLUMNS) - len(REPEATED)

Thresholds = Callable[[Scale], NDArray[np.float64]]
"""Gives the threshold of each layout."""


@dataclass(frozen=True)
class Weighed:
    """What is to be done with each segment.

    ``kind`` is an index into ``KINDS``, -1 where nothing speaks for boilerplate; ``score`` the probability, at least the
    threshold where a segment goes with its neighbours; ``template`` a key, 0 for none; ``layout``, a document each,
    an index into ``LAYOUTS + UNLIKE``; ``evident`` marks what repetition alone gives away.
    """

    remove: NDArray[np.bool_]
    kind: NDArray[np.int64]
    score: NDArray[np.float32]
    template: NDArray[np.uint64]
    layout: NDArray[np.int8]
    seen: Seen
    evident: NDArray[np.bool_]


def weigh(
    read: Reading, lookup: Lookup | None, model: SegmentModel, thresholds: Thresholds, outside: NDArray[np.bool_]
) -> Weighed:  # fmt: skip
    """Decide over each segment of texts as they stand; ``lookup`` is None where no corpus was fitted.

    The first decision weighs each segment, and the best path through the text says what goes. The second looks for
    appeals and takes them as blocks. What the first alone takes for an appeal stays: letters and editorials sound like
    one. Of texts marked ``outside``, and in the layouts ``UNLIKE``, only what is as sure as a template goes.
    """
    segments = read.segments
    owner = np.repeat(np.arange(len(outside)), np.diff(segments.bounds))
    layout, told = layouts(read.buffer, segments, read.shapes)
    unheard = told >= len(LAYOUTS)
    outside = outside | unheard
    seen = Seen.of(read, lookup)
    doubted = suspicious(read, seen)
    at, rows = np.flatnonzero(doubted), evidence(read, lookup, seen, doubted)
    if lookup is not None:  # all lines of captions open alike, and none is a template for that
        rows[unheard[owner[at]], _OPENED] = 0
    laid, foreign = layout[owner[at]], outside[owner[at]]
    single = np.ascontiguousarray(rows[:, :_ALONE]) if lookup is not None else rows
    sums = model.alone.sums(single, laid)
    on_page, hinted = laid == PAGE, _appealing(read, owner)[at] & ~foreign
    around = np.zeros((len(at), 0), np.float32)
    if (on_page | hinted).any():
        wanted, all_sums = np.zeros(len(doubted), bool), np.full(len(doubted), FLOOR, np.float32)
        wanted[at[on_page | hinted]] = True
        all_sums[at] = sums
        around = blocks(read, all_sums, wanted)
    if on_page.any():
        pages = model.pages.predict(np.ascontiguousarray(around[on_page[on_page | hinted]]))
        sums[on_page] = (sums[on_page] + pages) / 2
    score = model.alone.scale.probability(sums, laid)
    decision = model.alone if lookup is None else model.fitted
    least = _least(decision, thresholds, laid, foreign)
    odds = log_odds(score) - log_odds(_least(model.alone, thresholds, laid, foreign))
    if lookup is not None:
        odds -= doubted_single(rows[:, _PUBLISHER_DOCS])
        odds = np.maximum(odds, log_odds(decision.probability(rows, laid)) - log_odds(least))
        score = probability(odds + log_odds(least))
    known = np.isin(read.prints[at, _FUZZY], known_everywhere()[0])
    known |= np.isin(read.prints[at, 0], known_everywhere()[1])
    given_away = evident(rows) | known
    kind = np.full(len(at), -1, np.int64)
    likely = (score >= FAINT) | given_away
    kind[likely] = decision.kind(rows[likely])
    kind[known] = INTERFACE

    second, more = np.zeros(len(at), np.float32), np.full(len(at), -MOST)
    if hinted.any():
        scale = model.appeals.scale
        asks = model.appeals.trees.predict(np.ascontiguousarray(around[hinted[on_page | hinted]]), HOPELESS)
        second[hinted] = scale.probability(asks, laid[hinted])
        more[hinted] = log_odds(second[hinted]) - log_odds(thresholds(scale)[laid[hinted]])
    repeats = rows[:, _DOCS[0]] > 0 if lookup is not None else np.zeros(len(at), bool)
    odds = unsupported(odds, kind, repeats | (read.words[at, 0] < SURELY))
    odds[given_away] = MOST
    z, asked = (np.full(len(doubted), -MOST) for _ in range(2))
    z[at], asked[at] = odds, more
    asking = appeal_blocks(asked, segments, layout)
    remove = stretches(z, segments, layout) | asking
    appeals = asking[at] & (more > odds)
    kind[appeals] = APPEAL
    out = np.zeros(len(doubted), np.float32)
    out[at] = np.where(appeals, second, score)
    kinds = np.full(len(doubted), -1, np.int64)
    kinds[at] = kind
    _spread(remove, kinds, owner)
    low = remove[at] & (out[at] < least)
    out[at[low]] = least[low].astype(np.float32)
    sure = np.zeros(len(doubted), bool)
    sure[at] = given_away
    of_document = _least(decision, thresholds, layout, outside).astype(np.float32)
    join(read, seen, sure, remove, kinds, out, of_document, asking)
    template = np.zeros(len(doubted), np.uint64)
    if lookup is not None:
        exact, fuzzy = rows[:, _DOCS[0]] > 0, rows[:, _DOCS[1]] > 0
        template[at] = np.where(exact, keys(read, at, 0), np.where(fuzzy, keys(read, at, 1), np.uint64(0)))
    return Weighed(remove, kinds, out, template, told, seen, sure & ~unheard[owner])


@lru_cache(maxsize=1)
def known_everywhere() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Fuzzy fingerprints of :data:`KNOWN`, exact ones of :data:`MARKS`."""
    known, marks = Buffer.of(KNOWN), Buffer.of(MARKS)
    return read_segments(known, cut(known)).prints[:, _FUZZY], read_segments(marks, cut(marks)).prints[:, 0]


def unsupported(
    odds: NDArray[np.float64], kind: NDArray[np.int64], supported: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the log odds of the first decision, low where only it takes a segment for an appeal.

    That is one which neither repeats nor asks outright (``supported``); what is an appeal is for the second to say.
    """
    return np.where((kind == APPEAL) & ~supported, np.minimum(odds, UNSUPPORTED), odds)


def log_odds(p: NDArray[np.floating]) -> NDArray[np.float64]:
    """Logarithm of p / (1 - p), within ±14."""
    p = np.asarray(p, np.float64).clip(1e-6, 1 - 1e-6)
    return np.asarray(np.log(p / (1 - p)))


def probability(odds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Probability that belongs to log odds; float32."""
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def _least(
    decision: Decision, thresholds: Thresholds, layout: NDArray[np.int8], foreign: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Threshold of each row; of foreign texts, at least the probability of a passage that is evidently repeated."""
    least = thresholds(decision.scale)[layout]
    sure = decision.scale.probability(np.full(len(layout), SURE, np.float32), layout) - 1e-6
    return np.where(foreign, np.maximum(least, sure), least)


def _appealing(read: Reading, owner: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the segments near one that appeals, by its words."""
    hints = np.r_[0, np.cumsum(read.words[:, 1 + APPEAL] >= HINT)]
    bounds, at = read.segments.bounds, np.arange(len(owner))
    first = np.maximum(at - FAR, bounds[owner])
    last = np.minimum(at + FAR + 1, bounds[owner + 1])
    return np.asarray(hints[last] > hints[first])


def _spread(remove: NDArray[np.bool_], kind: NDArray[np.int64], owner: NDArray[np.int64]) -> None:
    """Give removed segments that were never doubted the kind of the one before, or of the one behind."""
    for s in np.flatnonzero(remove & (kind < 0)).tolist():
        if s > 0 and remove[s - 1] and owner[s - 1] == owner[s]:
            kind[s] = kind[s - 1]
    for s in np.flatnonzero(remove & (kind < 0))[::-1].tolist():
        if s + 1 < len(kind) and remove[s + 1] and owner[s + 1] == owner[s]:
            kind[s] = kind[s + 1]


def keys(read: Reading, segments: NDArray[np.int64], window: int) -> NDArray[np.uint64]:
    """Keys in the index of some segments, for the window in that column."""
    owner = np.searchsorted(read.segments.bounds, segments, side="right") - 1
    one = np.full(len(segments), window + 1, np.uint64)
    return mix_all(mix_all(read.prints[segments, window], one), read.about.publishers[owner])
