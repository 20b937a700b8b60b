"""Texts wrapped at a width, as e-mail, text archives and exports leave them: their lines end where no word fits.

A line break between the words of a sentence would cut it. Where a whole text was wrapped, such breaks are read as
spaces; other breaks end a line as before. A space is as long as a break, so all offsets stay.
"""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

import numpy as np

from toolkit.buffer import Buffer
from toolkit.kernels import njit

NARROWEST, WIDEST = 50, 120
"""Widths in code points of a wrapped text's longest line, of those before a single break: a headline may be longer.
Narrower are scanned columns and captions."""

FEWEST, FORCED, LONGEST = 3, 0.6, 30
"""A text was wrapped if at least so many of its single line breaks, and at least so large a share of them, were forced:
the next word had made the line longer than the longest one. They must be at least as many as the lines over
:data:`WIDEST`. What has over :data:`LONGEST` code points is no word."""

_BREAK, _RETURN, _SPACE = 10, 13, 32


@njit(cache=True, nogil=True)
def _letters(data, a, b):  # type: ignore[no-untyped-def]
    """Count code points."""
    n = 0
    for i in range(a, b):
        n += data[i] & 0xC0 != 0x80
    return n


@njit(cache=True, nogil=True)
def _forced(data, lo, hi, width, forced):  # type: ignore[no-untyped-def]
    """Enter the line breaks of a text that were forced; return how many single ones there are, and how many forced."""
    single = n = 0
    line = lo
    for i in range(lo, hi):
        if data[i] != _BREAK:
            continue
        start, line = line, i + 1
        empty = i == start or (i == start + 1 and data[start] == _RETURN)
        if empty or line >= hi or data[line] <= _SPACE:
            continue  # beside a blank or an indented line, or at the end
        word = line
        while word < hi and data[word] > _SPACE:
            word += 1
        single += 1
        letters = _letters(data, line, word)
        if letters <= LONGEST and _letters(data, start, i) + 1 + letters > width:
            forced[n] = i
            n += 1
    return single, n


@njit(cache=True, nogil=True)
def _wrapped(data, offsets, forced):  # type: ignore[no-untyped-def]
    """Enter the forced breaks of the texts that were wrapped; return how many there are."""
    found = 0
    for d in range(len(offsets) - 1):
        lo, hi = offsets[d], offsets[d + 1]
        width = long = 0
        line = lo
        for i in range(lo, hi + 1):
            if i == hi or data[i] == _BREAK:
                letters = _letters(data, line, min(i, line + 4 * WIDEST + 4))
                if i + 1 < hi and data[i + 1] > _SPACE:
                    width = max(width, letters)
                long += letters > WIDEST
                line = i + 1
                if width > WIDEST:
                    break
        if NARROWEST <= width <= WIDEST:
            single, n = _forced(data, lo, hi, width, forced[found:])
            if n >= max(FEWEST, long) and n >= FORCED * single:
                found += n
    return found


def unwrapped(buffer: Buffer) -> Buffer:
    """Return these texts alone with spaces for the breaks that wrapping put there; or the buffer, if it put none."""
    first, last = buffer.offsets[[0, -1]]
    forced = np.empty(np.count_nonzero(buffer.data[first:last] == _BREAK), np.int64)
    found = _wrapped(buffer.data, buffer.offsets, forced)
    if not found:
        return buffer
    data = buffer.data[first:last].copy()  # of these texts alone: a corpus is read in many portions
    at = forced[:found] - first
    data[at] = _SPACE
    before = at[(at > 0) & (data[at - 1] == _RETURN)] - 1  # Windows ends a line with two characters
    data[before] = _SPACE
    return Buffer(data, buffer.offsets - first)
