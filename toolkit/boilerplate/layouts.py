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
def _layouts(shapes, joint, bounds, out):  # type: ignore[no-untyped-def]
    for d in range(len(bounds) - 1):
        lo, hi = bounds[d], bounds[d + 1]
        total = words = capitalised = shouted = lower = cased = 0
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
        elif not (
            c == 32 or 39 <= c <= 46 or c >= 0x80
        ):  # a space, marks such as ' ( ) , - . and other letters
            return False
    return False


@njit(cache=True, nogil=True)
def _unlike(data, start, end, joint, bounds, first_class, layout, out):  # type: ignore[no-untyped-def]
    for d in range(len(bounds) - 1):
        lo, hi = bounds[d], bounds[d + 1]
        lines = marked = spoken = small = 0
        for s in range(lo, hi):
            if s > lo and joint[s] > LINE:
                continue
            a = start[s]
            lines += 1
            marked += data[a] == 62 and end[s] > a + 2 and data[a + 1] == 62
            spoken += _speaks(data, a, end[hi - 1])
            small += first_class[s] == LOWER
        if lines >= 3 and 2 * marked > lines:
            out[d] = len(LAYOUTS)
        elif lines >= 3 and spoken >= max(2, _SPOKEN * lines):
            out[d] = len(LAYOUTS) + 1
        elif (
            lines >= 8
            and small >= _BROKEN * lines
            and end[hi - 1] - start[lo] < _NARROW * lines
            and layout[d] != LOWER_CASE
        ):
            out[d] = len(LAYOUTS) + 2
        else:
            out[d] = layout[d]


def unlike(
    buffer: Buffer, segments: Segments, shapes: NDArray[np.int32], layout: NDArray[np.int8]
) -> NDArray[np.int8]:
    """Layout of each document, or past the end of :data:`LAYOUTS` its place among :data:`UNLIKE`."""
    out = np.empty(len(layout), np.int8)
    first = np.ascontiguousarray(shapes[:, _FIRST])
    _unlike(buffer.data, segments.start, segments.end, segments.joint, segments.bounds, first, layout, out)
    return out


def layouts(segments: Segments, shapes: NDArray[np.int32]) -> NDArray[np.int8]:
    """Layout of each document, as an index into :data:`LAYOUTS`; ``shapes`` are a row of ``SHAPE`` a segment."""
    out = np.empty(len(segments.bounds) - 1, np.int8)
    _layouts(shapes, segments.joint, segments.bounds, out)
    return out
