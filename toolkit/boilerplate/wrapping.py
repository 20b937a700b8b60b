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
"""Widths in code points, or in bytes, of a wrapped text's longest line, of those before a single break. Narrower are scanned columns
and captions."""

FEWEST, FORCED, LONGEST, HEADS = 3, 0.6, 30, 3
"""A text was wrapped if at least so many of its single line breaks, and at least so large a share of them, were forced:
the next word had made the line longer than the longest one. They must be at least as many as the lines over
:data:`WIDEST`, such as a line of rights. What has over :data:`LONGEST` code points is no word. Less than :data:`HEADS`
lines at the top, such as a headline, may be longer than the others and count as none of them."""

_BREAK, _RETURN, _SPACE = 10, 13, 32


@njit(cache=True, nogil=True)
def _letters(data, a, b, in_bytes):  # type: ignore[no-untyped-def]
    """Count code points, or bytes."""
    if in_bytes:
        return b - a
    n = 0
    for i in range(a, b):
        n += data[i] & 0xC0 != 0x80
    return n


@njit(cache=True, nogil=True)
def _forced(data, lo, hi, width, in_bytes, forced):  # type: ignore[no-untyped-def]
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
        letters = _letters(data, line, word, in_bytes)
        before = _letters(data, start, min(i, start + 4 * WIDEST + 4), in_bytes)
        if letters <= LONGEST and before <= width < before + 1 + letters:
            forced[n] = i
            n += 1
    return single, n


@njit(cache=True, nogil=True)
def _widths(data, lo, hi, in_bytes, widths, heads):  # type: ignore[no-untyped-def]
    """Enter the longest line behind the first 0, 1, … lines, and where these end; return how many lines are too long."""
    widths[:], heads[:] = 0, hi
    heads[0] = line = lo
    long = lines = 0
    for i in range(lo, hi + 1):
        if i == hi or data[i] == _BREAK:
            letters = _letters(data, line, min(i, line + 4 * WIDEST + 4), in_bytes)
            long += letters > WIDEST
            if letters <= WIDEST and i + 1 < hi and data[i + 1] > _SPACE:
                widths[: lines + 1] = np.maximum(widths[: lines + 1], letters)
            lines += 1
            line = i + 1
            if lines < HEADS:
                heads[lines] = line
    return long


@njit(cache=True, nogil=True)
def _wrapped(data, offsets, forced):  # type: ignore[no-untyped-def]
    """Enter the forced breaks of the texts that were wrapped; return how many there are."""
    found = 0
    widths, heads = np.zeros(HEADS, np.int64), np.zeros(HEADS, np.int64)
    for d in range(len(offsets) - 1):
        lo, hi = offsets[d], offsets[d + 1]
        most = width = 0
        body, by_bytes = lo, False
        for in_bytes in (False, True):
            long = _widths(data, lo, hi, in_bytes, widths, heads)
            for k in range(HEADS):
                if NARROWEST <= widths[k] <= WIDEST:
                    single, n = _forced(data, heads[k], hi, widths[k], in_bytes, forced[found:])
                    if n > most and n >= max(FEWEST, long) and n >= FORCED * single:
                        most, width, body, by_bytes = n, widths[k], heads[k], in_bytes
        if most > 0:
            found += _forced(data, body, hi, width, by_bytes, forced[found:])[1]
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
