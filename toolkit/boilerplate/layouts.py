"""How a text is laid out: it decides which trees weigh its segments, and how sure a removal must be."""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.features import SHAPE
from toolkit.buffer import LOWER, UPPER, Buffer
from toolkit.kernels import njit
from toolkit.segments import GLUED, LINE, PARAGRAPH, Segments

LAYOUTS = ("paragraphs", "lines", "page", "one_line", "glued", "lower_case", "capitals", "short")
"""Layouts of a text, each with thresholds of its own. ``paragraphs``: blank lines between paragraphs, as newspaper3k
leaves them. ``lines``: one break between paragraphs, as trafilatura and most archives do. ``page``: many short lines,
the text of a whole page. ``one_line``: no line breaks. ``glued``: no line breaks, and no space where one was.
``lower_case``, ``capitals``: letters of one case. ``short``: under 600 bytes."""

PARAGRAPHS, LINES, PAGE, ONE_LINE, GLUED_LINE, LOWER_CASE, CAPITALS, SHORT = range(len(LAYOUTS))

GROUPS = ("laid_out", "run_together", "page")
"""Layouts that share trees: segments stand in lines, in one long line, or among a page's menus."""

GROUP_OF = np.array([0, 0, 2, 1, 1, 0, 0, 0])
"""Index into :data:`GROUPS` of each layout."""

LEAST_LINES, SHORT_LINE, SHORT_LINES = 30, 50, 0.55
"""A page has at least so many lines, and such a share of them under so many bytes. With these three numbers and the
next, 289 of 293 pages and 314 of 314 copies without line breaks were told in a trial; 24 of 956 articles were not."""

LONG_LINE, FEW_LINES, LEAST_BYTES = 1200, 2, 400
"""Text has lost its line breaks where half of it stands in lines over so many bytes, or where it has at most so many
lines and at least so many bytes."""

SHORT_TEXT = 600
GLUED_SHARE = 0.25
"""Share of the joints within lines that are glued, from which a text without line breaks counts as glued."""

UNLIKE = ("captions", "transcript", "column")
"""Texts unlike all that the model learned from, in which only the surest furniture goes: lines that open with ``>>``;
lines that open with a speaker (``VENN, HOST:``); sentences broken over narrow lines, as a scanner reads a column."""

_SPEAKER, _SPOKEN, _NARROW, _BROKEN = 60, 1 / 3, 80, 0.4
"""Most bytes of a speaker's name; share of lines that have one; mean bytes of a column's line; share of its lines that
begin with a small letter."""

_WORDS, _CAPITALISED, _SHOUTED, _BYTES, _FIRST = (
    SHAPE.index(name) for name in ("words", "capitalised", "shouted", "bytes", "first_class")
)


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
        total = words = capitalised = shouted = lower = cased = marked = spoken = small = 0
        lines = short_lines = in_long = broken = blank = glued = inner = line = 0
        for s in range(lo, hi):
            if s > lo and joint[s] <= LINE:
                blank += joint[s] == PARAGRAPH
                broken += joint[s] == LINE
                lines += 1
                short_lines += line < SHORT_LINE
                in_long += line if line > LONG_LINE else 0
                line = 0
            elif s > lo:
                inner += 1
                glued += joint[s] == GLUED
            if s == lo or joint[s] <= LINE:
                marked += data[start[s]] == 62 and end[s] > start[s] + 2 and data[start[s] + 1] == 62  # >>
                spoken += _speaks(data, start[s], end[hi - 1])
                small += shapes[s, _FIRST] == LOWER
            size = shapes[s, _BYTES]
            line += size
            total += size
            words += shapes[s, _WORDS]
            capitalised += shapes[s, _CAPITALISED]
            shouted += shapes[s, _SHOUTED]
            lower += shapes[s, _FIRST] == LOWER
            cased += shapes[s, _FIRST] == LOWER or shapes[s, _FIRST] == UPPER
        if hi > lo:
            lines += 1
            short_lines += line < SHORT_LINE
            in_long += line if line > LONG_LINE else 0
        if hi == lo:
            out[d] = SHORT
        elif 2 * shouted > words:
            out[d] = CAPITALS
        elif 100 * capitalised <= words and 2 * lower > cased and 5 * cased > 3 * (hi - lo):
            out[d] = LOWER_CASE
        elif lines >= LEAST_LINES and short_lines >= SHORT_LINES * lines:
            out[d] = PAGE
        elif 2 * in_long > total or (lines <= FEW_LINES and total >= LEAST_BYTES):
            out[d] = GLUED_LINE if glued > GLUED_SHARE * max(inner, 1) else ONE_LINE
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


def layouts(
    buffer: Buffer, segments: Segments, shapes: NDArray[np.int32]
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Layout of each document as an index into :data:`LAYOUTS`, and the same into ``LAYOUTS + UNLIKE``.

    ``shapes`` (int32) are a row of ``SHAPE`` a segment.
    """
    out, told = (np.empty(len(segments.bounds) - 1, np.int8) for _ in range(2))
    _layouts(buffer.data, segments.start, segments.end, shapes, segments.joint, segments.bounds, out, told)
    return out, told
