"""Line breaks within sentences: of texts wrapped at a width, and where a page's links were set on lines of their own.

E-mail, text archives and exports end lines where no word fits; ``get_text("\\n")`` begins one at each element. A line
break between the words of a sentence would cut it, so it is read as a space; other breaks end a line as before. A space
is as long as a break, so all offsets stay.
"""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

import numpy as np

from toolkit.buffer import CLASSES, LOWER, STOP, UPPER, WIDE_STOP, Buffer, decode
from toolkit.kernels import njit

NARROWEST, WIDEST = 50, 120
"""Widths in code points, or in bytes, of a wrapped text's longest line, of those before a single break. Narrower are scanned columns
and captions."""

FEWEST, FORCED, LONGEST, HEADS = 3, 0.6, 30, 3
"""A text was wrapped if at least so many of its single line breaks, and at least so large a share of them, were forced:
the next word had made the line longer than the longest one. They must be at least as many as the lines over
:data:`WIDEST`, such as a line of rights. What has over :data:`LONGEST` code points is no word. Less than :data:`HEADS`
lines at the top, such as a headline, may be longer than the others and count as none of them."""

SENTENCE, CAPITALS, LINKING = 60, 4, 4
"""A line that begins with a small letter goes on with the sentence of the line before, if both have at least so many bytes,
and if in the whole text one line of so many begins with a capital: menus and texts in lower case look alike. A line leads
to a link if it ends with a comma or a word of at most so many bytes, as *of* or *der*; a headline seldom does."""

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


@njit(cache=True, nogil=True)
def _ends(data, line, i, hi, classes):  # type: ignore[no-untyped-def]
    """Whether a sentence ends before the break at ``i`` of the line, and whether a link may follow."""
    stop = i - 1 if i - 1 > line and data[i - 1] == _RETURN else i
    i = stop - 1
    while i > line and data[i] & 0xC0 == 0x80:
        i -= 1
    kind = classes[decode(data, i, hi)[0]]
    word = i
    while word > line and data[word - 1] > _SPACE and stop - word <= LINKING:
        word -= 1
    short = stop - word <= LINKING and classes[decode(data, word, hi)[0]] == LOWER
    return kind == STOP or kind == WIDE_STOP or data[i] in (58, 59), short or data[i] == 44


@njit(cache=True, nogil=True)
def _within_sentences(data, lo, hi, classes, breaks):  # type: ignore[no-untyped-def]
    """Enter the line breaks within sentences; return how many there are.

    Before such a break no sentence ends. Behind it, or behind the line that a link stands on, a line begins with a small
    letter or a mark (``, said``).
    """
    n = 0
    begin = line = lo  # where the sentence and the line begin
    held = np.int64(-1)  # the break before a line that may be a link
    for i in range(lo, hi):
        if data[i] != _BREAK:
            continue
        if i == line or (i == line + 1 and data[line] == _RETURN) or i + 1 >= hi or data[i + 1] <= _SPACE:
            held = np.int64(-1)
            begin = line = i + 1
            continue
        ends, open_end = _ends(data, line, i, hi, classes)
        first = data[i + 1]
        kind = classes[decode(data, i + 1, hi)[0]]
        alone = i + 2 == hi or data[i + 2] <= _SPACE
        marked = first in (41, 44) or (first == 46 and alone)
        stop = i + 1
        while stop < hi and data[stop] != _BREAK:
            stop += 1
        if not ends and (marked or (kind == LOWER and stop - begin >= SENTENCE)):
            if held >= 0:
                breaks[n] = held
                n += 1
            breaks[n] = i
            n += 1
            held = np.int64(-1)
        elif open_end:
            begin, held = (begin if held < 0 else line), i
        else:
            begin, held = i + 1, np.int64(-1)
        line = i + 1
    return n


@njit(cache=True, nogil=True)
def _links(data, offsets, classes, breaks):  # type: ignore[no-untyped-def]
    """Enter the breaks within sentences of all texts that have capitals; return how many there are."""
    found = 0
    for d in range(len(offsets) - 1):
        lo, hi = offsets[d], offsets[d + 1]
        capitals = lines = 0
        for i in range(lo, hi):
            if i == lo or data[i - 1] == _BREAK:
                lines += 1
                capitals += classes[decode(data, i, hi)[0]] == UPPER
        if lines > 1 and CAPITALS * capitals >= lines:
            found += _within_sentences(data, lo, hi, classes, breaks[found:])
    return found


def unwrapped(buffer: Buffer) -> Buffer:
    """Return these texts alone with spaces for the line breaks within sentences; or the buffer, if there are none."""
    first, last = buffer.offsets[[0, -1]]
    wrapped = np.empty(np.count_nonzero(buffer.data[first:last] == _BREAK), np.int64)
    linked = np.empty_like(wrapped)
    found = _wrapped(buffer.data, buffer.offsets, wrapped)
    some = _links(buffer.data, buffer.offsets, CLASSES, linked)
    at = np.union1d(wrapped[:found], linked[:some]) - first
    if not len(at):
        return buffer
    data = buffer.data[first:last].copy()  # of these texts alone: a corpus is read in many portions
    data[at] = _SPACE
    before = at[(at > 0) & (data[at - 1] == _RETURN)] - 1  # Windows ends a line with two characters
    data[before] = _SPACE
    return Buffer(data, buffer.offsets - first)
