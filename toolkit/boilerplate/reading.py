"""A corpus as the remover sees it: cut, fingerprinted and, with a model, scored by its words; and text layouts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.boilerplate.breaks import count_lines
from toolkit.boilerplate.counts import NO_DAY
from toolkit.boilerplate.echoes import Outlets, Titles, echoes
from toolkit.boilerplate.features import PART
from toolkit.boilerplate.network import MEANINGS
from toolkit.boilerplate.scoring import SegmentReading, WordWeights, read_segments
from toolkit.boilerplate.spans import Mended
from toolkit.boilerplate.templates import mark_slots, publisher_hash
from toolkit.boilerplate.wrapping import unwrapped
from toolkit.buffer import LOWER, UPPER, Buffer
from toolkit.kernels import njit
from toolkit.language import languages, scripts
from toolkit.segments import LINE, PARAGRAPH, Segments, cut


@dataclass(frozen=True)
class About:
    """What is known of each document besides its text.

    ``publishers`` are hashes; ``days`` are since 1970-01-01, :data:`toolkit.boilerplate.counts.NO_DAY` for none;
    ``languages`` are ISO 639-1, empty where it cannot be told; ``given`` marks those that the corpus gives.
    """

    publishers: NDArray[np.uint64]
    titles: Titles
    outlets: Outlets
    days: NDArray[np.int32]
    languages: NDArray[np.str_]
    given: NDArray[np.bool_]

    @classmethod
    def of(cls, corpus: pd.DataFrame) -> About:
        """Read the columns ``publisher``, ``title``, ``published`` and ``lang`` of a corpus."""
        days = corpus["published"].dt.tz_convert(None).to_numpy().astype("datetime64[D]")
        day = np.where(np.isnat(days), NO_DAY, days.astype(np.int64)).astype(np.int32)
        publishers = publisher_hash(corpus["publisher"])
        language = corpus["lang"].str.lower()
        language = language.where(language.str.fullmatch("[a-z]{2}(?:[-_].*)?")).str.slice(0, 2)
        given = language.notna().to_numpy()
        told = language.fillna("").to_numpy(dtype=str)
        told = np.where(given, told, _told(corpus["text"], given))
        outlets = Outlets.of(corpus["publisher"])
        return cls(publishers, Titles.of(corpus["title"]), outlets, day, told, given)

    def take(self, rows: NDArray[np.int64]) -> About:
        """Keep some documents, in the order given."""
        titles, outlets = self.titles.take(rows), self.outlets.take(rows)
        days, languages, given = self.days[rows], self.languages[rows], self.given[rows]
        return About(self.publishers[rows], titles, outlets, days, languages, given)

    def of_texts(self, buffer: Buffer) -> About:
        """Tell the languages anew that the corpus does not give: of what is left of the texts."""
        if self.given.all():
            return self
        texts = buffer.strings().to_pandas()
        return replace(self, languages=np.where(self.given, self.languages, _told(texts, self.given)))


def _told(texts: pd.Series[Any], given: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Tell the language of each text from its words, ``?`` for a script that is not Latin; none where it is given."""
    out = np.full(len(texts), "", "U3")
    missing = ~given
    for tell in (languages, lambda some: scripts(some).map({"Latn": ""}, na_action=None).fillna("?")):
        if missing.any():
            told = pd.Series(tell(texts[missing]), dtype="str")
            out[missing] = told.fillna("").to_numpy(dtype=str)
            missing[missing] = told.isna().to_numpy()
    return out


@dataclass(frozen=True)
class Reading(SegmentReading):
    """A buffer of documents, cut and read in one pass; ``echoes`` (float32) has the columns ``ECHOES``.

    ``pieces`` (int32) are sums of word pieces, filled in where they are needed (:mod:`toolkit.boilerplate.network`).
    """

    buffer: Buffer
    segments: Segments
    about: About
    echoes: NDArray[np.float32]
    pieces: NDArray[np.int32]

    @classmethod
    def of(
        cls, buffer: Buffer, about: About, words: WordWeights | None = None,
        before: tuple[Reading, Mended] | None = None, *, cutter: Callable[[Buffer], Segments] = cut,
        windowed: bool = True,
    ) -> Reading:  # fmt: skip
        """Cut and read a buffer; without weights nothing is scored, and no windows are where none are wanted.

        ``cutter`` cuts the texts: with a model :meth:`toolkit.boilerplate.breaks.BreakWeights.cut`.
        ``before`` is an earlier reading of the texts and what was then removed, where ``buffer`` is what was left:
        segments that have not changed since are not read again.
        """
        flat = unwrapped(buffer)
        segments = cutter(flat)
        known = before and (_unchanged(segments, before[0].segments, before[1]), before[0])
        read = read_segments(flat, segments, words, known, windowed=windowed)
        shared = echoes(segments, read.shapes, read.terms, about.titles)
        mark_slots(flat, segments, read, shared, about.titles)
        by = buffer.offsets[0] - flat.offsets[0]
        segments = replace(segments, start=segments.start + by, end=segments.end + by)
        pieces = np.full((len(read.windows), MEANINGS + 1), -1, np.int32)
        if known is not None:
            same = known[0] >= 0
            pieces[same] = known[1].pieces[known[0][same]]
        return cls(**vars(read), buffer=buffer, segments=segments, about=about, echoes=shared, pieces=pieces)

    @property
    def size(self) -> NDArray[np.int32]:
        """Bytes of each segment; shape (n_segments,)."""
        return np.ascontiguousarray(self.shapes[:, PART.bytes])

    @cached_property
    def layouts(self) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """Layout of each document as an index into :data:`LAYOUTS`, and the same into ``LAYOUTS + UNLIKE``."""
        of, (out, told) = self.segments, np.empty((2, len(self.buffer)), np.int8)
        _layouts(self.buffer.data, of.start, of.end, self.shapes, of.joint, of.bounds, out, told)
        return out, told


def _unchanged(segments: Segments, earlier: Segments, mended: Mended) -> NDArray[np.int64]:
    """Place of each segment of mended texts among the segments of the original ones, -1 if it is new."""
    piece = np.searchsorted(mended.place, segments.start, side="right") - 1
    inside = segments.end <= mended.place[piece] + mended.size[piece]
    moved = mended.source[piece] - mended.place[piece]
    start, end = segments.start + moved, segments.end + moved
    at = np.searchsorted(earlier.start, start).clip(max=len(earlier) - 1)
    same = inside & (earlier.start[at] == start) & (earlier.end[at] == end)
    return np.where(same & (earlier.joint[at] == segments.joint), at, -1)


LAYOUTS = ("paragraphs", "lines", "page", "one_line", "glued", "lower_case", "capitals", "short")
"""Layouts of a text, each with thresholds of its own. ``paragraphs``: blank lines between paragraphs, as newspaper3k
leaves them. ``lines``: one break between paragraphs, as trafilatura and most archives do. ``page``: many short lines,
the text of a whole page. ``one_line``: no line breaks. ``glued``: no line breaks, and no space where one was.
``lower_case``, ``capitals``: letters of one case. ``short``: under 600 bytes."""

PARAGRAPHS, LINES, PAGE, ONE_LINE, GLUED_LINE, LOWER_CASE, CAPITALS, SHORT = range(len(LAYOUTS))

# layouts that share trees: segments stand in lines, in one long line, or among a page's menus
GROUPS = ("laid_out", "run_together", "page")
GROUP_OF = np.array([0, 0, 2, 1, 1, 0, 0, 0])  # of each layout

LEAST_LINES, SHORT_LINES = 30, 0.55
"""A page has at least :data:`LEAST_LINES` lines, and :data:`SHORT_LINES` is the least share of them under
:data:`toolkit.boilerplate.breaks.SHORT_LINE` bytes. With these and the numbers there, a trial recognised 289 of 293
pages and 314 of 314 copies without line breaks, and mistook 24 of 956 articles."""

SHORT_TEXT = 600

UNLIKE = ("captions", "transcript", "column")
"""Texts unlike all that the model learned from, of which only the surest boilerplate is removed. In order: lines open
with ``>>``; lines open with a speaker (``VENN, HOST:``); sentences run over narrow lines, as in a scanned column."""

_SPEAKER, _SPOKEN, _NARROW, _BROKEN = 60, 1 / 3, 80, 0.4
"""Most bytes of a speaker's name; share of lines that have one; mean bytes of a column's line; share of its lines that
begin with a small letter."""


@njit(cache=True, nogil=True)
def _speaks(data, a, b):  # type: ignore[no-untyped-def]
    """Whether a line opens with a name in capitals and a colon, and goes on."""
    letters = 0
    for i in range(a, min(a + _SPEAKER, b)):
        c = data[i]
        if c == 58:  # a colon
            return letters > 1 and i + 1 < b and data[i + 1] == 32
        if 65 <= c <= 90:
            letters += 1
        elif not (c == 32 or 39 <= c <= 46 or c >= 0x80):  # ' ( ) , - . and letters with accents
            return False
    return False


@njit(cache=True, nogil=True)
def _layouts(data, start, end, shapes, joint, bounds, out, told):  # type: ignore[no-untyped-def]
    for d in range(len(bounds) - 1):
        lo, hi = bounds[d], bounds[d + 1]
        words = capitalised = shouted = lower = cased = marked = spoken = small = broken = blank = 0
        lines, short_lines, total, lost, glued = count_lines(start, end, joint, lo, hi)
        for s in range(lo, hi):
            blank += joint[s] == PARAGRAPH
            broken += joint[s] == LINE
            if joint[s] <= LINE:  # a line begins; so does the first segment
                marked += data[start[s]] == 62 and end[s] > start[s] + 2 and data[start[s] + 1] == 62  # >>
                spoken += _speaks(data, start[s], end[hi - 1])
                small += shapes[s, PART.first_class] == LOWER
            words += shapes[s, PART.words]
            capitalised += shapes[s, PART.capitalised]
            shouted += shapes[s, PART.shouted]
            lower += shapes[s, PART.first_class] == LOWER
            cased += shapes[s, PART.first_class] == LOWER or shapes[s, PART.first_class] == UPPER
        if hi == lo:
            out[d] = SHORT
        elif 2 * shouted > words:
            out[d] = CAPITALS
        elif 100 * capitalised <= words and 2 * lower > cased and 5 * cased > 3 * (hi - lo):
            out[d] = LOWER_CASE
        elif lines >= LEAST_LINES and short_lines >= SHORT_LINES * lines:
            out[d] = PAGE
        elif lost:
            out[d] = GLUED_LINE if glued else ONE_LINE
        elif total < SHORT_TEXT:
            out[d] = SHORT
        elif blank >= broken:
            out[d] = PARAGRAPHS
        else:
            out[d] = LINES
        told[d] = out[d]
        narrow = hi > lo and end[hi - 1] - start[lo] < _NARROW * lines
        if lines >= 3 and 2 * marked > lines:
            told[d] = len(LAYOUTS)
        elif lines >= 3 and spoken >= max(2, _SPOKEN * lines):
            told[d] = len(LAYOUTS) + 1
        elif lines >= 8 and narrow and small >= _BROKEN * lines and out[d] != LOWER_CASE:
            told[d] = len(LAYOUTS) + 2


def unpromised(about: About, layout: NDArray[np.int8], promised: dict[str, Any]) -> dict[str, Any]:
    """Count the documents for whose language, layout or date no loss is promised; ``layout`` is the fuller one."""
    promised = {"languages": (), "layouts": (), "until": "2020-12-31"} | promised
    last = np.datetime64(promised["until"], "D").astype(np.int64)
    late = (about.days != NO_DAY) & (about.days > last)
    other_language = np.isin(about.languages, [*promised["languages"], ""], invert=True)
    other_layout = np.isin(layout, [LAYOUTS.index(name) for name in promised["layouts"]], invert=True)
    names = np.array(LAYOUTS + UNLIKE)[layout[other_layout]]
    return {
        "outside": int((other_language | other_layout | late).sum()),
        "outside_dates": int(late.sum()),
        "outside_languages": dict(sorted(Counter(about.languages[other_language].tolist()).items())),
        "outside_layouts": dict(sorted(Counter(names.tolist()).items())),
    }
