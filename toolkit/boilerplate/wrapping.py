"""Line breaks within sentences: of texts wrapped at a width, and where a page's links were set on lines of their own.

E-mail, text archives and exports end lines where no word fits; ``get_text("\\n")`` begins one at each element. A line
break between the words of a sentence would cut it, so it is read as a space; other breaks end a line as before. A space
is as long as a break, so all offsets stay.
"""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

import numpy as np

from toolkit.buffer import CLASSES, LOWER, OTHER, STOP, UPPER, WIDE_STOP, Buffer, decode
from toolkit.kernels import njit

NARROWEST, WIDEST = 50, 120
"""Widths of a wrapped text's longest line, of those before a single break, in code points or in bytes. Narrower ones
are scanned columns and captions."""

FEWEST, FORCED, LONGEST, HEADS = 3, 0.6, 30, 3
"""A text was wrapped if at least so many of its single line breaks, and at least so large a share of them, were forced:
the next word had made the line longer than the longest one. They must be at least as many as the lines over
:data:`WIDEST`, such as a line of rights. What has over :data:`LONGEST` code points is no word. Less than :data:`HEADS`
lines at the top, such as a headline, may be longer than the others and count as none of them."""

SENTENCE, CLAUSE, CAPITALS, LINKING = 60, 40, 4, 4
"""A line that begins with a small letter goes on with the sentence of the line before, if both have at least so many
bytes together; so does a line behind one of at least so many bytes that ends with a comma. One line of so many in the
whole text must begin with a capital: menus, and texts in lower case, look alike. A line leads to a link if it ends with
a word of at most so many bytes (*of*, *der*); headlines seldom do. If it ends with any other small letter, or in
Chinese or Japanese, it may lead to one: it does if a mark stands behind the link (``, said``)."""

COMMA, LEADS, MAY_LEAD = 3, 2, 1
"""How a line may lead to the next one; whatever :data:`LEADS` does, :data:`COMMA` does too."""

_BREAK, _RETURN, _SPACE, _WIDE = 10, 13, 32, 0xE3


@njit(cache=True, nogil=True)
def _letters(data, a, b, in_bytes):  # type: ignore[no-untyped-def]
    """Count code points, or bytes; of what is too long for a line in any case, only the bytes."""
    if in_bytes or b - a > 4 * WIDEST:
        return b - a
    n = 0
    for i in range(a, b):
        n += data[i] & 0xC0 != 0x80
    return n


@njit(cache=True, nogil=True)
def _forced(data, lo, hi, ends, width, in_bytes, forced):  # type: ignore[no-untyped-def]
    """Enter the line breaks of a text, at ``ends``, that were forced; return how many single and how many forced."""
    single = n = 0
    line = lo
    for i in ends:
        start, line = line, i + 1
        empty = i == start or (i == start + 1 and data[start] == _RETURN)
        if empty or line >= hi or data[line] <= _SPACE:
            continue  # beside a blank or an indented line, or at the end
        word = line
        while word < hi and data[word] > _SPACE:
            word += 1
        single += 1
        letters = _letters(data, line, word, in_bytes)
        if letters <= LONGEST and _letters(data, start, i, in_bytes) in range(width - letters, width + 1):
            forced[n] = i
            n += 1
    return single, n


@njit(cache=True, nogil=True)
def _widths(data, lo, hi, ends, in_bytes, widths):  # type: ignore[no-untyped-def]
    """Enter the longest line behind the first 0, 1, … lines; count longer lines, and single breaks."""
    widths[:] = 0
    long = single = 0
    line = lo
    for k in range(len(ends) + 1):
        i = ends[k] if k < len(ends) else hi
        letters = _letters(data, line, i, in_bytes)
        long += letters > WIDEST
        if letters <= WIDEST and i + 1 < hi and data[i + 1] > _SPACE:
            single += 1
            widths[: k + 1] = np.maximum(widths[: k + 1], letters)
        line = i + 1
    return long, single


@njit(cache=True, nogil=True)
def _wrapped(data, lo, hi, ends, forced):  # type: ignore[no-untyped-def]
    """Enter the forced breaks of a text, if it was wrapped; return how many there are."""
    most = width = head = 0
    by_bytes = False
    widths = np.zeros(HEADS, np.int64)
    for in_bytes in (False, True):
        long, single = _widths(data, lo, hi, ends, in_bytes, widths)
        if single < max(FEWEST, long):
            continue
        for k in range(min(HEADS, len(ends))):
            if NARROWEST <= widths[k] <= WIDEST:
                begin = ends[k - 1] + 1 if k > 0 else lo
                single, n = _forced(data, begin, hi, ends[k:], widths[k], in_bytes, forced)
                if n > most and n >= max(FEWEST, long) and n >= FORCED * single:
                    most, width, head, by_bytes = n, widths[k], k, in_bytes
    if most > 0:
        begin = ends[head - 1] + 1 if head > 0 else lo
        _forced(data, begin, hi, ends[head:], width, by_bytes, forced)
    return most


@njit(cache=True, nogil=True)
def _ends(data, line, i, hi, classes):  # type: ignore[no-untyped-def]
    """Whether a sentence ends before the break at ``i`` of the line, and whether the line leads to a link, or may."""
    stop = i
    i -= 1
    while i > line and data[i] & 0xC0 == 0x80:
        i -= 1
    kind = classes[decode(data, i, hi)[0]]
    word = i
    while word > line and data[word - 1] > _SPACE and stop - word <= LINKING:
        word -= 1
    if kind == STOP or kind == WIDE_STOP or data[i] in (58, 59):
        return True, 0
    if data[i] == 44 or decode(data, i, hi)[0] in (0x3001, 0xFF0C):
        return False, COMMA if stop - line >= CLAUSE else LEADS
    if stop - word <= LINKING and classes[decode(data, word, hi)[0]] == LOWER:
        return False, LEADS
    small = kind == LOWER or (kind == OTHER and data[i] >= _WIDE)
    return False, MAY_LEAD if small else 0


@njit(cache=True, nogil=True)
def _marked(data, i, hi):  # type: ignore[no-untyped-def]
    """Whether a mark stands at ``i`` with which no sentence begins: a comma, a closing bracket, a full stop alone."""
    if data[i] == 46:
        return i + 1 == hi or data[i + 1] <= _SPACE
    code = decode(data, i, hi)[0]
    return code in (0x29, 0x2C, 0x3001, 0x3002, 0xFF09, 0xFF0C)


@njit(cache=True, nogil=True)
def _habits(data, lo, hi, ends, classes):  # type: ignore[no-untyped-def]
    """Count the lines of a text that begin with a capital or a wide letter, behind one space, and end with a space."""
    capitals = int(classes[decode(data, lo, hi)[0]] == UPPER) if lo < hi else 0
    leading = trailing = 0
    for i in ends:
        stop = i - (i > lo and data[i - 1] == _RETURN)
        trailing += stop > lo and data[stop - 1] == _SPACE
        at = i + 1 + (i + 1 < hi and data[i + 1] == _SPACE)
        leading += at > i + 1
        capitals += at < hi and (classes[decode(data, at, hi)[0]] == UPPER or data[at] >= _WIDE)
    return capitals, leading, trailing


@njit(cache=True, nogil=True)
def _linked(data, lo, hi, ends, classes, breaks):  # type: ignore[no-untyped-def]
    """Enter the line breaks of a text within sentences, if it has capitals; return how many there are.

    Before such a break no sentence ends. Besides, a space stands beside it that is no habit of the text; or a comma
    before it; or behind it, or behind the line that a link stands on, a line begins with a small letter or a mark
    (``, said``).
    """
    capitals, leading, trailing = _habits(data, lo, hi, ends, classes)
    if CAPITALS * capitals <= len(ends):
        return 0
    by_lead, by_trail = 0 < 2 * leading < len(ends), 0 < 2 * trailing < len(ends)
    n = 0
    begin = line = lo  # where the sentence and the line begin
    held = np.int64(-1)  # the break before a line that may be a link
    held_lead = 0
    for k in range(len(ends)):
        i = ends[k]
        at = i + 1 + (by_lead and i + 2 < hi and data[i + 1] == _SPACE)
        stop = i - (i > line and data[i - 1] == _RETURN)
        trails = by_trail and stop > line and data[stop - 1] == _SPACE
        if stop - trails <= line or at >= hi or data[at] <= _SPACE:  # beside a blank line, or at the end
            held = np.int64(-1)
            begin = line = i + 1
            continue
        over, lead = _ends(data, line, stop - trails, hi, classes)
        sure = at > i + 1 or _marked(data, at, hi)
        small = classes[decode(data, at, hi)[0]] == LOWER
        stop = ends[k + 1] if k + 1 < len(ends) else hi
        if not over and (sure or trails or ((small or lead == COMMA) and stop - begin >= SENTENCE)):
            if held >= 0 and (sure or held_lead >= LEADS):
                breaks[n] = held
                n += 1
            breaks[n] = i
            n += 1
            held = np.int64(-1)
        elif lead and not by_lead and not by_trail:  # where spaces tell, a link has one before it
            begin, held, held_lead = (begin if held < 0 else line), i, lead
        else:
            begin, held = i + 1, np.int64(-1)
        line = i + 1
    return n


@njit(cache=True, nogil=True)
def _within_sentences(data, offsets, ends, classes, found):  # type: ignore[no-untyped-def]
    """Enter the line breaks (``ends``: all there are) that stand within sentences; return how many there are."""
    a = n = 0
    for d in range(len(offsets) - 1):
        lo, hi = offsets[d], offsets[d + 1]
        b = a
        while b < len(ends) and ends[b] < hi:
            b += 1
        n += _wrapped(data, lo, hi, ends[a:b], found[n:])
        n += _linked(data, lo, hi, ends[a:b], classes, found[n:])
        a = b
    return n


def unwrapped(buffer: Buffer) -> Buffer:
    """Return these texts alone with spaces for the line breaks within sentences; or the buffer, if there are none."""
    first, last = buffer.offsets[[0, -1]]
    ends = np.flatnonzero(buffer.data[first:last] == _BREAK) + first
    found = np.empty(2 * len(ends), np.int64)  # some for two reasons
    some = _within_sentences(buffer.data, buffer.offsets, ends, CLASSES, found)
    at = np.unique(found[:some]) - first
    if not len(at):
        return buffer
    data = buffer.data[first:last].copy()  # of these texts alone: a corpus is read in many portions
    data[at] = _SPACE
    before = at[(at > 0) & (data[at - 1] == _RETURN)] - 1  # Windows ends a line with two characters
    data[before] = _SPACE
    return Buffer(data, buffer.offsets - first)
