"""Decide what is removed: give each segment a probability and a kind, then choose for each text as a whole.

A segment that the model is unsure of is removed if the segments beside it are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.evidence import ALONE, AT, evidence, evident, suspicious
from toolkit.boilerplate.features import FINGERPRINTS
from toolkit.boilerplate.model import SURE, Decision, Scale, SegmentModel
from toolkit.boilerplate.network import SAYS
from toolkit.boilerplate.proposals import HOPELESS, NONE, propose
from toolkit.boilerplate.reading import LAYOUTS, PAGE, SHORT, About, Reading
from toolkit.boilerplate.repetition import Seen, doubted_single
from toolkit.boilerplate.scoring import KINDS, PLEA, read_segments
from toolkit.boilerplate.stretches import ARTICLE, MOST, join, stretches
from toolkit.boilerplate.templates import Lookup, window_keys
from toolkit.buffer import Buffer
from toolkit.segments import cut

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

CONFIRMED = 4.0
"""So does one that the network gives log odds of boilerplate above this. In cross-validation, such segments were .04 of
the bytes of marked appeals, and at most .02 % of invented articles that speak like appeals."""

HINT = 0.35
"""A text may hold an appeal if the words of a segment give one at least this probability: so they do in 98 % of the
texts with an appeal in cross-validation, and in 30 % of the marked articles."""

DOUBT, SHARE = -1.0, 0.75
"""The network reads texts with a segment whose sum over the trees is above the first number, pages, and texts that may
hold an appeal. Of what it says of boilerplate, the second is added to the sum."""

ASIDE, ASIDE_SHORT = -7.0, -3.0
"""A block is no appeal if it holds a segment whose words give article text at least :data:`ARTICLE` and the log odds
of an appeal, by network and words, sum to less than this: nothing is joined across an article sentence. The second
number holds in short texts."""

ABROAD = 0.5  # log odds by which a block must be surer in another language: there are fewer to learn from
FAINT = 0.05  # from this probability on a segment has a kind of its own; if removed, others take their neighbour's

_FUZZY = FINGERPRINTS.index("fuzzy")
_INSIDE, _BOILERPLATE = SAYS.index("inside"), SAYS.index("boilerplate")

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
    *second decision* removes appeals as blocks. A segment that only the first takes for one is kept, unless its own
    words or the network leave no doubt: letters and editorials sound like appeals. From texts marked ``outside``, and
    layouts in ``UNLIKE``, only what is as sure as an evidently repeated passage is removed; the network does not read
    these layouts.
    """
    segments = read.segments
    owner = np.repeat(np.arange(len(outside)), np.diff(segments.bounds))
    layout, full_layout = read.layouts
    unheard = full_layout >= len(LAYOUTS)
    outside = outside | unheard
    seen = Seen.of(read, lookup)
    doubted = suspicious(read, seen)
    at, rows = np.flatnonzero(doubted), evidence(read, lookup, seen, doubted)
    if lookup is not None:  # every line of captions opens alike (``>>``): that makes none a template
        rows[unheard[owner[at]], AT.lead2_docs] = 0
    single = np.ascontiguousarray(rows[:, :ALONE])
    sums = np.full(len(doubted), NONE, np.float32)
    sums[at] = model.alone.sums(single, layout[owner[at]])
    hinted = hinting(read, owner)
    texts = in_doubt(sums, hinted, layout, owner) & ~unheard
    says = model.network.say(read, read.buffer, segments, read.echoes, read.pieces, texts)
    said = np.where(texts[owner[at], None], says[at], np.float32(0))
    score, odds, least = _first(
        rows, sums[at], said, model, lookup, thresholds, layout[owner[at]], outside[owner[at]]
    )
    known = np.isin(read.prints[at, _FUZZY], known_everywhere()[0])
    known |= np.isin(read.prints[at, 0], known_everywhere()[1])
    given_away = evident(rows) | known
    kind = np.full(len(at), -1, np.int64)
    likely = (score >= FAINT) | given_away
    decision = model.alone if lookup is None else model.fitted
    kind[likely] = decision.kind(rows[likely])
    kind[known] = INTERFACE
    supported = (read.words[at, 0] < SURELY) | (said[:, _BOILERPLATE] > CONFIRMED)
    if lookup is not None:
        supported |= rows[:, AT.exact_docs] > 0
    by_itself = np.zeros(
        len(doubted), bool
    )  # what the first decision removes, were it not for the rules below
    by_itself[at] = odds > 0
    odds = unsupported(odds, kind, supported)
    odds[given_away] = MOST
    second, asked = _second(read, sums, says, by_itself, hinted & ~outside, model, thresholds, layout, owner)

    z = np.full(len(doubted), -MOST)
    z[at] = odds
    remove = stretches(z, segments, layout) | (asked > 0)
    appeals = (asked[at] > 0) & (asked[at] > odds)
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
    join(read, seen, sure, remove, kinds, out, of_document, asked > 0, outright)
    template = np.zeros(len(doubted), np.uint64)
    if lookup is not None:
        template[at] = template_keys(read, at, rows)
    return Weighed(remove, kinds, out, template, full_layout, seen, sure & ~unheard[owner])


def _first(
    rows: NDArray[np.float32], sums: NDArray[np.float32], said: NDArray[np.float32], model: SegmentModel,
    lookup: Lookup | None, thresholds: Thresholds, layout: NDArray[np.int8], outside: NDArray[np.bool_],
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Return each row's probability of boilerplate, its log odds less those of the threshold, and the threshold."""
    least = _least(model.alone, thresholds, layout, outside)
    score = model.alone.scale.probability(add_network(sums, said), layout)
    odds = log_odds(score) - log_odds(least)
    if lookup is None:
        return score, odds, least
    odds -= doubted_single(rows[:, AT.publisher_docs])
    fitted = model.fitted
    both = add_network(fitted.sums(rows, layout), said, rows[:, AT.exact_docs] > 0)
    least = _least(fitted, thresholds, layout, outside)
    odds = np.maximum(odds, log_odds(fitted.scale.probability(both, layout)) - log_odds(least))
    surest = odds + log_odds(least)
    return np.asarray(1 / (1 + np.exp(-surest)), np.float32), odds, least


def _second(
    read: Reading, sums: NDArray[np.float32], says: NDArray[np.float32], by_itself: NDArray[np.bool_],
    hinted: NDArray[np.bool_], model: SegmentModel, thresholds: Thresholds, layout: NDArray[np.int8],
    owner: NDArray[np.int64],
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:  # fmt: skip
    """Return each segment's probability to be part of an appeal, and its log odds less those of the threshold."""
    proposed, scale = propose(read, sums, says, hinted), model.appeals.scale
    score = model.appeals.proposals.predict(proposed.rows, HOPELESS)
    least = np.where(layout == SHORT, ASIDE_SHORT, ASIDE)[owner]
    told = says[:, _INSIDE] + log_odds(read.words[:, PLEA])
    score[proposed.hold((read.words[:, 0] >= ARTICLE) & (told < least))] = NONE
    worth = proposed.worth(score, len(sums), by_itself)
    second, asked, some = np.zeros(len(sums), np.float32), np.full(len(sums), -MOST), worth > NONE
    of = owner[some]
    second[some] = scale.probability(worth[some], layout[of])
    asked[some] = log_odds(second[some]) - log_odds(thresholds(scale)[layout[of]]) - abroad(read.about)[of]
    return second, asked


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


def _least(
    decision: Decision, thresholds: Thresholds, layout: NDArray[np.int8], outside: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Threshold of each row. In a text outside it is at least the probability of an evidently repeated passage."""
    least = thresholds(decision.scale)[layout]
    sure = decision.scale.probability(np.full(len(layout), SURE, np.float32), layout) - 1e-6
    return np.where(outside, np.maximum(least, sure), least)


def hinting(read: Reading, owner: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the texts of which some words may be an appeal's."""
    out = np.zeros(len(read.segments.bounds) - 1, bool)
    out[owner[read.words[:, PLEA] >= HINT]] = True
    return out


def in_doubt(
    sums: NDArray[np.float32], hinted: NDArray[np.bool_], layout: NDArray[np.int8], owner: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Mark the texts that the network reads: pages, those ``hinted`` at, and those with a segment in doubt."""
    out = hinted | (layout == PAGE)
    out[owner[sums > DOUBT]] = True
    return out


def add_network(
    sums: NDArray[np.float32], says: NDArray[np.float32], repeats: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Add to the sums of trees (float32) what the network says of boilerplate, :data:`SHARE` of it.

    What ``repeats`` is never less likely for it, since the network reads one text only.
    """
    share = SHARE * says[:, _BOILERPLATE]
    if repeats is not None:
        share[repeats] = np.maximum(share[repeats], 0)
    return np.asarray(sums + share, np.float32)


def _spread(remove: NDArray[np.bool_], kind: NDArray[np.int64], owner: NDArray[np.int64]) -> None:
    """Give removed segments without a kind that of the removed segment before them, or else after them."""
    for step in (-1, 1):
        for s in np.flatnonzero(remove & (kind < 0))[::-step].tolist():
            if 0 <= s + step < len(kind) and remove[s + step] and owner[s + step] == owner[s]:
                kind[s] = kind[s + step]


def template_keys(
    read: Reading, segments: NDArray[np.int64], rows: NDArray[np.float32]
) -> NDArray[np.uint64]:
    """Key of the template that each segment is of, by its row of evidence; 0 for none."""
    publishers = read.about.publishers[read.segments.owner(segments)]
    out = np.zeros(len(segments), np.uint64)
    # word for word outweighs with digits and names masked
    for window, docs in ((_FUZZY, AT.fuzzy_docs), (0, AT.exact_docs)):
        keys = window_keys(read.prints[segments, window], window, publishers)
        out = np.where(rows[:, docs] > 0, keys, out)
    return out
