"""Segments: cut the texts of a buffer into lines and sentences; return their byte offsets.

A *segment* is the smallest piece that the remover keeps or removes: a line, a sentence, or a part of a line between two
*glued joints*, where flattening a page lost the space between two sentences (``difference.Russian``, ``.”He``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toolkit import cues
from toolkit.buffer import (
    BREAK,
    BULLET,
    CLASSES,
    CLOSER,
    DIGIT,
    LOWER,
    OPENER,
    OTHER,
    SPACE,
    STOP,
    UPPER,
    WIDE_STOP,
    Buffer,
    Bytes,
    Offsets,
    decode,
)
from toolkit.kernels import njit

FIRST, PARAGRAPH, LINE, SENTENCE, GLUED, INLINE = 0, 1, 2, 3, 4, 5
"""The joint of a segment: it is the first of its document, or stands behind an empty line, a line break, a space, a
space that was lost, or before a bullet."""

# bytes at which no segment can end, whatever their neighbours: a … z, digits, spaces and other ASCII
_PLAIN = np.zeros(256, np.bool_)
_PLAIN[:128] = np.isin(CLASSES[:128], (LOWER, OTHER, DIGIT))
_PLAIN[32] = True

_LONG = 1200  # bytes from which on a line has lost its breaks; credits and furniture are looked for only in such lines
_WIDE = 0xE3  # first byte of kana, Han, hangul and full-width marks, or more
_RUN_ON = 400  # bytes of a first line from which on it has lost its breaks
_HEAD = 500  # bytes of a text in which a date and a time may end what stood above it
_SITE = 60  # most bytes of the site's name and address with which a title ends
_SUFFIX = 10  # most bytes of the last part of that address
_BEGINNING = 400  # bytes of a text without a capital from which it counts as lower case


@dataclass(frozen=True)
class Segments:
    """Segments of a :class:`Buffer`, in reading order; those of document ``i`` are ``bounds[i]:bounds[i + 1]``.

    ``start``, ``end``: bytes of ``Buffer.data``, without white space; ``joint``: what separates it from the one before.
    """

    start: Offsets
    end: Offsets
    joint: Bytes
    bounds: Offsets

    def __len__(self) -> int:
        return len(self.start)

    def owner(self, at: Offsets) -> Offsets:
        """Return the document of each of the segments ``at``."""
        return np.searchsorted(self.bounds, at, side="right") - 1

    @classmethod
    def whole(cls, buffer: Buffer) -> Segments:
        """Take each document of a buffer for one segment."""
        n = len(buffer)
        start, end = buffer.offsets[:-1].copy(), buffer.offsets[1:].copy()  # kernels want arrays of their own
        return cls(start, end, np.zeros(n, np.uint8), np.arange(n + 1))


@njit(cache=True, nogil=True)
def _class_at(data, i, hi, classes):  # type: ignore[no-untyped-def]
    if i >= hi:
        return np.uint8(BREAK), 0
    code, size = decode(data, i, hi)
    return classes[code], size


@njit(cache=True, nogil=True)
def _is_long(data, i, hi):  # type: ignore[no-untyped-def]
    """Whether the line that begins at ``i`` has lost its breaks."""
    if hi - i < _LONG:
        return False
    j = i
    while j < i + _LONG and data[j] != 10:
        j += 1
    return j == i + _LONG


@njit(cache=True, nogil=True)
def _runs_on(data, lo, hi):  # type: ignore[no-untyped-def]
    """Whether the first line of a text is so long that what stood above its first sentence may stand in it."""
    i = lo
    while i < hi and i < lo + _RUN_ON and data[i] != 10:
        i += 1
    return i == lo + _RUN_ON


@njit(cache=True, nogil=True)
def _follows_stamp(data, begin, last, i, hi, kind):  # type: ignore[no-untyped-def]
    """Whether a text may begin at ``i`` (a capital, a quote, Chinese), behind a date and a time of day."""
    opens = kind == UPPER or kind == OPENER or (kind == OTHER and data[i] >= _WIDE)
    return opens and begin >= 0 and cues.ends_stamp(data, begin, last, i, hi)


@njit(cache=True, nogil=True)
def _lacks_capitals(data, lo, hi):  # type: ignore[no-untyped-def]
    """Whether a text is in lower case, by its first letters: its sentences begin with small ones then."""
    letters = 0
    for i in range(lo, min(lo + _BEGINNING, hi)):
        if 65 <= data[i] <= 90:
            return False
        letters += 97 <= data[i] <= 122
    return 4 * letters > min(_BEGINNING, hi - lo)


@njit(cache=True, nogil=True)
def _stands_between_words(data, lo, at, hi):  # type: ignore[no-untyped-def]
    """Whether the full stop at ``at`` glues two words of four letters or more: no address, no abbreviation."""
    i = at
    while i > lo and at - i < 4 and 97 <= data[i - 1] <= 122:
        i -= 1
    j = at + 1
    while j < hi and j - at < 5 and 97 <= data[j] <= 122:
        j += 1
    return at - i == 4 and j - at == 5


@njit(cache=True, nogil=True)
def _is_address(data, lo, at):  # type: ignore[no-untyped-def]
    """Whether the word before the full stop at ``at`` is www, or holds a slash, an at sign or another full stop."""
    i = at
    while i > lo and data[i - 1] > 32:
        i -= 1
        stop = data[i] == 46 and i > lo and data[i - 1] != 46 and i < at - 1
        if stop or data[i] in (47, 64):
            return True
    return at - i == 3 and data[i] == 119 and data[i + 1] == 119 and data[i + 2] == 119


@njit(cache=True, nogil=True)
def _begins_sentence(data, i, hi, small, classes):  # type: ignore[no-untyped-def]
    """Whether what stands behind the spaces at ``i`` can begin a sentence."""
    kind, size = _class_at(data, i, hi, classes)
    while kind == SPACE:
        i += size
        kind, size = _class_at(data, i, hi, classes)
    if kind == OTHER:
        return data[i] >= 0xD0 or data[i] in (64, 35, 45, 42)  # another script, @ # - *
    starts = kind == UPPER or kind == DIGIT or kind == OPENER or kind == CLOSER or kind == BULLET
    return starts or (small and kind == LOWER)


# the three below are met at every full stop and capital: without inlining, cutting takes a tenth longer
@njit(cache=True, nogil=True, inline="always")
def _end_of_stops(data, i, hi, classes):  # type: ignore[no-untyped-def]
    """End of a run of full stops and closing quotes or brackets, how many stops are in it, and whether one closes."""
    run = 0
    closed = False
    while i < hi:
        kind, size = _class_at(data, i, hi, classes)
        if kind == STOP or kind == WIDE_STOP:
            run += 1
        elif kind == CLOSER:
            if closed and data[i] in (34, 39):  # a second straight quote opens the next sentence
                break
            closed = True
        else:
            break
        i += size
    return i, run, closed


@njit(cache=True, nogil=True, inline="always")
def _joint_after(data, begin, at, end, hi, run, closed, before, small, classes):  # type: ignore[no-untyped-def]
    """Joint behind the full stops from ``at`` to ``end``, or FIRST where the segment goes on."""
    after, _ = _class_at(data, end, hi, classes)
    alone = data[at] == 46 and run == 1 and not closed  # so that it may belong to an abbreviation or address
    if after == SPACE:
        if _begins_sentence(data, end, hi, small, classes):
            short = alone and (cues.is_abbreviation(data, begin, at) or cues.is_ordinal(data, begin, at, hi))
            return FIRST if short else SENTENCE
    elif small and after == LOWER:
        if (closed and before == LOWER) or (alone and _stands_between_words(data, begin, at, hi)):
            return GLUED
    elif after == UPPER or after == OPENER:
        if alone and (_is_address(data, begin, at) or cues.is_abbreviation(data, begin, at)):
            return FIRST
        if closed or before == LOWER or (run == 1 and before == DIGIT):
            return GLUED
    return FIRST


@njit(cache=True, nogil=True, inline="always")
def _joint_before(data, lo, begin, last, i, hi, before, before2, long):  # type: ignore[no-untyped-def]
    """Joint before the capital at ``i``, or FIRST where the segment goes on."""
    if before2 != SPACE and before2 != BREAK:
        camel_case = before == LOWER and not cues.is_name(data, lo, begin, hi, i)
        closed = before == CLOSER and before2 != UPPER and data[i - 1] != 39 and data[i - 1] != 34
        if closed and data[i - 1] >= 0x80 and data[i - 3] >= _WIDE:  # `（上海）ABC` is one name
            closed = False
        if camel_case or closed or (before == DIGIT and cues.ends_date(data, begin, i, hi)):
            return GLUED
    if before == SPACE:
        if cues.ends_share_bar(data, begin, last):
            return INLINE
        if long and (cues.ends_credit(data, begin, last, i, hi) or cues.opens_furniture(data, i, hi)):
            return INLINE
    return FIRST


@njit(cache=True, nogil=True)
def _ends_bracket(data, begin, i, after, hi):  # type: ignore[no-untyped-def]
    """Whether ``i`` closes the bracket that opens the segment, and Chinese or Japanese follows without a space.

    Such a bracket (`（来源：晨报）昨日…`) is a piece of its own.
    """
    opens = data[begin] == 40 or (data[begin] == 0xEF and data[begin + 1] == 0xBC and data[begin + 2] == 0x88)
    closes = data[i] == 41 or (data[i] == 0xEF and data[i + 1] == 0xBC and data[i + 2] == 0x89)
    return opens and closes and after < hi and data[after] >= _WIDE and after - begin <= cues.BRACKET


@njit(cache=True, nogil=True)
def _site_at(data, lo, hi):  # type: ignore[no-untyped-def]
    """Where the name of a site begins with whose address a title ends (`… - ekolist.cz`), or -1."""
    i = hi
    while i > lo and 97 <= data[i - 1] | 32 <= 122:
        i -= 1
    stop = i - 1
    if not 2 <= hi - i <= _SUFFIX or stop - 2 < lo or data[stop] != 46:
        return -1
    if not 97 <= data[stop - 1] | 32 <= 122:  # a number
        return -1
    while i > lo and data[i - 1] > 32:
        i -= 1
        if data[i] in (47, 64):  # / @
            return -1
    for k in range(i - 2, max(lo + 8, hi - _SITE), -1):
        if data[k + 1] == 32 and data[k] in (45, 47, 0x93, 0x94):  # - / and the last bytes of dashes
            dash = k if data[k] < 0x80 else k - 2
            if data[dash - 1] == 32 and (dash == k or (data[dash] == 0xE2 and data[k - 1] == 0x80)):
                return dash
    return -1


@njit(cache=True, nogil=True)
def _write(starts, ends, joints, n, begin, end, joint):  # type: ignore[no-untyped-def]
    starts[n], ends[n], joints[n] = begin, end, joint
    return n + 1


@njit(cache=True, nogil=True)
def _close(data, classes, starts, ends, joints, n, begin, end, joint):  # type: ignore[no-untyped-def]
    """Write a segment; if it holds credits in Chinese or Japanese, write these and what stands between them."""
    if data[begin] < 0xE2 and data[end - 1] < 0x80 and data[end - 1] != 41:
        return _write(starts, ends, joints, n, begin, end, joint)
    i = begin
    opens = joint <= LINE
    while i < end:
        stop = cues.ends_credit_line(data, i, end, classes) if opens else -1
        if stop < 0 and (data[i] == 40 or data[i] == 0xEF or data[i] == 0xE3):
            stop = cues.ends_credit_bracket(data, i, end, classes)
        if stop < 0:
            opens = False
            i += 1
            continue
        if i > begin:
            last = cues.end_of_words(data, begin, i, classes)
            n = _write(starts, ends, joints, n, begin, last, joint)
            joint = GLUED if last == i else SENTENCE
        n = _write(starts, ends, joints, n, i, stop, joint)
        begin = i = cues.end_of_spaces(data, stop, end, classes)
        joint = GLUED if begin == stop else SENTENCE
    return _write(starts, ends, joints, n, begin, end, joint) if begin < end else n


@njit(cache=True, nogil=True)
def _cut(data, lo, hi, classes, plain, starts, ends, joints, n):  # type: ignore[no-untyped-def]
    """Cut document ``data[lo:hi]``; write segments from index n on, return the next free index."""
    first = n
    joint = np.int64(FIRST)
    begin = np.int64(-1)
    last = lo  # end of the last byte that is not white space
    before = np.uint8(BREAK)  # class of the character before i
    before2 = np.uint8(BREAK)
    breaks = 0
    long = _is_long(data, lo, hi)
    small = _lacks_capitals(data, lo, hi)
    head = lo + _HEAD if _runs_on(data, lo, hi) else lo
    i = lo
    while i < hi:
        if plain[data[i]] and data[i] != 32:  # words; the code below would give the same
            if begin < 0:
                begin = i
            j = i + 1
            while j < hi and plain[data[j]]:
                j += 1
            before2 = before if j == i + 1 else classes[data[j - 2]]
            before = classes[data[j - 1]]
            last = j
            while data[last - 1] == 32:
                last -= 1
            i = j
            continue
        kind, size = _class_at(data, i, hi, classes)
        if kind == STOP or kind == WIDE_STOP:
            if begin < 0:
                begin = i
            last, run, closed = _end_of_stops(data, i, hi, classes)
            if kind == WIDE_STOP and _class_at(data, last, hi, classes)[0] != BREAK:
                cut = SENTENCE
            else:
                cut = _joint_after(data, begin, i, last, hi, run, closed, before, small, classes)
            if cut != FIRST:
                n = _close(data, classes, starts, ends, joints, n, begin, last, joint)
                begin = np.int64(-1)
                joint = cut
                before = np.uint8(BREAK)
                before2 = np.uint8(BREAK)
            else:
                before2 = np.uint8(STOP) if closed else before
                before = np.uint8(CLOSER) if closed else kind
            i = last
            continue
        if kind == BREAK:
            if begin >= 0:
                site = _site_at(data, begin, last) if n == first else -1
                if site > 0:
                    end = cues.end_of_words(data, begin, site, classes)
                    n = _close(data, classes, starts, ends, joints, n, begin, end, joint)
                    begin, joint = site, INLINE
                n = _close(data, classes, starts, ends, joints, n, begin, last, joint)
                begin = np.int64(-1)
                breaks = 0
                joint = LINE
            if data[i] != 13 or i + 1 >= hi or data[i + 1] != 10:
                breaks += 1
            if n > first and breaks >= 2:
                joint = PARAGRAPH
            long = _is_long(data, i + size, hi)
        elif i < head and before == SPACE and _follows_stamp(data, begin, last, i, hi, kind):
            n = _close(data, classes, starts, ends, joints, n, begin, last, joint)
            begin, joint, before = i, INLINE, np.uint8(BREAK)
        elif kind == UPPER and begin >= 0:
            parted = _joint_before(data, lo, begin, last, i, hi, before, before2, long)
            if parted != FIRST:
                n = _close(data, classes, starts, ends, joints, n, begin, last, joint)
                begin, joint, before = i, parted, np.uint8(BREAK)
        elif begin >= 0 and (
            (kind == BULLET and (before == SPACE or size > 1))
            or (data[i] == 91 and cues.counts_the_rest(data, i, hi))
        ):
            n = _close(data, classes, starts, ends, joints, n, begin, last, joint)
            begin, joint, before = np.int64(-1), INLINE, np.uint8(BREAK)
        elif kind == CLOSER and begin >= 0 and _ends_bracket(data, begin, i, i + size, hi):
            n = _close(data, classes, starts, ends, joints, n, begin, i + size, joint)
            i += size
            begin, joint, before, before2 = np.int64(-1), GLUED, np.uint8(BREAK), np.uint8(BREAK)
            last = i
            continue
        if kind != SPACE and kind != BREAK:
            begin = i if begin < 0 else begin
            last = i + size
        i += size
        before2 = before
        before = kind
    if begin >= 0:
        n = _close(data, classes, starts, ends, joints, n, begin, last, joint)
    return n


@njit(cache=True, nogil=True)
def _cut_all(data, offsets, classes, plain, starts, ends, joints, bounds):  # type: ignore[no-untyped-def]
    n = np.int64(0)
    bounds[0] = 0
    for d in range(len(offsets) - 1):
        n = _cut(data, offsets[d], offsets[d + 1], classes, plain, starts, ends, joints, n)
        bounds[d + 1] = n
    return n


def cut(buffer: Buffer) -> Segments:
    """Cut every document of ``buffer`` into segments."""
    # no two segments start less than two bytes apart
    room = int(buffer.offsets[-1] - buffer.offsets[0]) // 2 + len(buffer) + 1
    start, end = np.empty(room, np.int64), np.empty(room, np.int64)
    joint, bounds = np.empty(room, np.uint8), np.empty(len(buffer) + 1, np.int64)
    n = _cut_all(buffer.data, buffer.offsets, CLASSES, _PLAIN, start, end, joint, bounds)
    return Segments(start[:n].copy(), end[:n].copy(), joint[:n].copy(), bounds)
