"""From the segments of a document to one row of evidence."""

# ruff: noqa: ANN001, ANN201  (numba kernels infer their types)

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

from toolkit.kernels import njit
from toolkit.verdict.reading import SHAPE, SOUNDS

COLUMNS = (
    *(f"share_{name}" for name in SOUNDS),
    *(f"most_{name}" for name in SOUNDS),
    *(f"title_{name}" for name in SOUNDS),
    "size", "segments", "line", "sentences", "story", "story_before", "story_after", "wall_last", "wall_first",
    "gate_last", "gate_first", "wall_size", "error_size", "listing_size", "cut", "headlines", "letters", "digits",
    "symbols", "longest", "damage", "full", "words", "lead", "even", "numbered", "short", "final", "echoes", "named",
)  # fmt: skip
"""Columns of the evidence.

``share_*``: of the characters, weighed by probability. ``most_*``: of the segment that sounds most so. ``title_*``: of
the title, 0 without one. ``size``, ``segments``, ``line``: logarithms of characters, segments, characters a segment.
``sentences``: share of characters in segments that read like sentences; ``story``: logarithm of their characters that
sound like a story, ``story_before`` and ``story_after``: on either side of the segment that sounds most like a gate.
``*_last``, ``*_first``: among the three last, and first, segments. ``*_size``: logarithms of characters. ``cut``:
how the text before the gate ends (0 a sentence, 1 no mark, 3 an ellipsis). ``headlines``: share of short segments
without a mark at their end. ``letters``, ``digits``, ``symbols``: shares of characters. ``longest``: logarithm of the
longest word. ``damage``: broken characters a word. ``full``: share of characters in segments of twelve words or more.
``words``: words a segment. ``lead``: logarithm of the characters before the gate that sound like none.
``even``: how alike the segments are in length. ``numbered``: share of segments with a figure. ``short``: of segments
of at most three words. ``final``: how the last segment ends. ``echoes``, ``named``: see
:func:`toolkit.verdict.reading.echoes`."""


def _places(names: tuple[str, ...]) -> Any:
    """Return the number of each name, as an attribute that kernels may read."""
    return namedtuple("Places", names)(*range(len(names)))


SOUND, PART, AT = _places(SOUNDS), _places(SHAPE), _places(COLUMNS)
_MANY = len(SOUNDS)
_ENDS = 3
_LONG = 12


@njit(cache=True, nogil=True)
def weigh(bounds, sounds, shapes, out):  # type: ignore[no-untyped-def]
    """Fill what the segments tell of each document: those of document ``d`` are ``bounds[d]:bounds[d + 1]``."""
    for d in range(len(bounds) - 1):
        lo = bounds[d]
        hi = bounds[d + 1]
        row = out[d]
        total = np.float32(0.0)
        squares = np.float32(0.0)
        gate = np.float32(-1.0)
        at = lo
        for s in range(lo, hi):
            n = np.float32(shapes[s, PART.characters])
            total += n
            squares += n * n
            row[AT.numbered] += shapes[s, PART.digits] > 0
            row[AT.short] += shapes[s, PART.words] <= 3
            row[AT.words] += shapes[s, PART.words]
            row[AT.longest] = max(row[AT.longest], shapes[s, PART.longest])
            row[AT.letters] += shapes[s, PART.letters]
            row[AT.digits] += shapes[s, PART.digits]
            row[AT.symbols] += shapes[s, PART.symbols]
            for c in range(_MANY):
                row[c] += n * sounds[s, c]
                row[_MANY + c] = max(row[_MANY + c], sounds[s, c])
            if shapes[s, PART.words] >= _LONG:
                row[AT.full] += n
            if shapes[s, PART.sentence]:
                row[AT.sentences] += n
                row[AT.story] += n * sounds[s, SOUND.story]
            elif shapes[s, PART.end] == 0 and 2 <= shapes[s, PART.words] <= 14:
                row[AT.headlines] += 1
            if sounds[s, SOUND.gate] > gate:
                gate = sounds[s, SOUND.gate]
                at = s
        for s in range(lo, hi):
            if s < at:
                row[AT.lead] += shapes[s, PART.characters] * (
                    1 - sounds[s, SOUND.wall] - sounds[s, SOUND.error] - sounds[s, SOUND.gate]
                )
            if shapes[s, PART.sentence] and s != at:
                row[AT.story_before if s < at else AT.story_after] += (
                    shapes[s, PART.characters] * sounds[s, SOUND.story]
                )
            if s >= hi - _ENDS:
                row[AT.wall_last] = max(row[AT.wall_last], sounds[s, SOUND.wall])
                row[AT.gate_last] = max(row[AT.gate_last], sounds[s, SOUND.gate])
            if s < lo + _ENDS:
                row[AT.wall_first] = max(row[AT.wall_first], sounds[s, SOUND.wall])
                row[AT.gate_first] = max(row[AT.gate_first], sounds[s, SOUND.gate])
        if hi > lo:
            row[AT.final] = shapes[hi - 1, PART.end]
        if at > lo and shapes[at - 1, PART.end] != 1:
            row[AT.cut] = 1 + shapes[at - 1, PART.end]
        size = max(total, np.float32(1.0))
        many = np.float32(max(1, hi - lo))
        for c in range(3):
            row[AT.wall_size + c] = np.log1p(row[SOUND.wall + c])
        for c in range(_MANY):
            row[c] /= size
        row[AT.size] = np.log1p(total)
        row[AT.segments] = np.log1p(np.float32(hi - lo))
        row[AT.line] = np.log1p(total / many)
        row[AT.longest] = np.log1p(row[AT.longest])
        row[AT.even] = total * total / max(many * squares, np.float32(1.0))
        for c in (AT.headlines, AT.numbered, AT.short):
            row[c] /= many
        row[AT.damage] /= max(row[AT.words], np.float32(1.0))
        row[AT.words] /= many
        for c in (AT.sentences, AT.letters, AT.digits, AT.symbols, AT.full):
            row[c] /= size
        for c in (AT.story, AT.story_before, AT.story_after, AT.lead):
            row[c] = np.log1p(row[c])
