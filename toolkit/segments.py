"""Segments: cut the texts of a buffer into lines and sentences; return their byte offsets.

A *segment* is the smallest piece that the remover keeps or removes: a line, a sentence, or a part of a line
between two *glued joints*, places where flattening a page lost the space between two sentences
(``difference.Russian``, ``.”He``). Offsets are bytes in one contiguous Arrow buffer; only the table of spans
counts in code points.
"""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
from toolkit.cues import (
    counts_the_rest,
    ends_credit,
    ends_share_bar,
    is_abbreviation,
    is_name,
    opens_furniture,
)
from toolkit.kernels import njit

FIRST, PARAGRAPH, LINE, SENTENCE, GLUED, INLINE = 0, 1, 2, 3, 4, 5
"""The joint of a segment: it is the first of its document, or stands behind an empty line, a line break, a space, a
space that was lost, or before a bullet."""

_PLAIN = np.zeros(256, np.bool_)
"""Bytes at which no segment can end, whatever their neighbours: a … z, digits, spaces and other ASCII."""
_PLAIN[:128] = np.isin(CLASSES[:128], (LOWER, OTHER, DIGIT))
_PLAIN[32] = True


_LONG = 1200
"""Bytes from which on a line has lost its breaks; only in such lines are the next two looked for."""

_BEGINNING = 400
"""Bytes of a text without a capital from which it counts as lower case."""


@dataclass(frozen=True)
class Segments:
    """Segments of a :class:`Buffer`, in reading order; those of document ``i`` are ``bounds[i]:bounds[i + 1]``.

    ``start`` and ``end`` are byte offsets into ``Buffer.data``, without the white space around; ``joint`` says what
    separates a segment from the one before it in its document.
    """

    start: Offsets
    end: Offsets
    joint: Bytes
    bounds: Offsets

    def __len__(self) -> int:
        return len(self.start)


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
def _close(starts, ends, joints, n, begin, end, joint):  # type: ignore[no-untyped-def]
    starts[n], ends[n], joints[n] = begin, end, joint
    return n + 1


@njit(cache=True, nogil=True)
def _cut(data, lo, hi, classes, plain, starts, ends, joints, n):  # type: ignore[no-untyped-def]
    """Cut document ``data[lo:hi]``; write segments from index n on, return the next free index."""
    first = n
    joint = np.uint8(FIRST)
    begin = np.int64(-1)
    last = lo  # end of the last byte that is not white space
    before = np.uint8(BREAK)  # class of the character before i
    before2 = np.uint8(BREAK)
    breaks = 0
    long = _is_long(data, lo, hi)
    small = _lacks_capitals(data, lo, hi)
    i = lo
    while i < hi:
        byte = data[i]
        if plain[byte] and byte != 32:  # a fast path for words; the code below would give the same result
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
        if byte == 32:
            i += 1
            before2 = before
            before = np.uint8(SPACE)
            continue
        kind, size = _class_at(data, i, hi, classes)
        if kind == BREAK:
            if begin >= 0:
                n = _close(starts, ends, joints, n, begin, last, joint)
                begin = -1
                breaks = 0
                joint = np.uint8(LINE)
            if data[i] != 13 or i + 1 >= hi or data[i + 1] != 10:
                breaks += 1
            if n > first and breaks >= 2:
                joint = np.uint8(PARAGRAPH)
            long = _is_long(data, i + size, hi)
        elif kind == UPPER:
            if begin >= 0:
                parted = np.uint8(FIRST)
                if before2 != SPACE and before2 != BREAK:
                    camel_case = before == LOWER and not is_name(data, begin, hi, i)
                    closed = before == CLOSER and before2 != UPPER and data[i - 1] != 39 and data[i - 1] != 34
                    parted = np.uint8(GLUED if camel_case or closed else FIRST)
                if (
                    parted == FIRST
                    and before == SPACE
                    and (
                        ends_share_bar(data, begin, last)
                        or (long and (ends_credit(data, begin, last, i, hi) or opens_furniture(data, i, hi)))
                    )
                ):
                    parted = np.uint8(INLINE)
                if parted != FIRST:
                    n = _close(starts, ends, joints, n, begin, last, joint)
                    begin, joint, before = i, parted, np.uint8(BREAK)
        elif kind == BULLET:
            if begin >= 0 and (before == SPACE or size > 1):
                n = _close(starts, ends, joints, n, begin, last, joint)
                joint = np.uint8(INLINE)
                begin = -1
                before = np.uint8(BREAK)
        elif kind == STOP or kind == WIDE_STOP:
            if begin < 0:
                begin = i
            dot = data[i] == 46
            at = i
            run = 0
            j = i
            closed = False
            k2 = kind
            while j < hi:  # go to the end of the run of full stops and closing quotes or brackets
                k2, s2 = _class_at(data, j, hi, classes)
                if k2 == STOP or k2 == WIDE_STOP:
                    run += 1
                elif k2 == CLOSER:
                    if closed and data[j] in (34, 39):  # a second straight quote opens the next sentence
                        break
                    closed = True
                else:
                    break
                j += s2
            last = j
            k2, s2 = _class_at(data, j, hi, classes)
            cut = np.uint8(255)
            if kind == WIDE_STOP and k2 != BREAK:
                cut = np.uint8(SENTENCE)
            elif k2 == SPACE:
                k = j
                k3 = k2
                while k < hi and k3 == SPACE:
                    k += s2
                    k3, s2 = _class_at(data, k, hi, classes)
                starter = k3 == UPPER or k3 == DIGIT or k3 == OPENER or k3 == CLOSER or k3 == BULLET
                starter = starter or (small and k3 == LOWER)
                if not starter and k < hi and k3 == OTHER:
                    starter = data[k] >= 0xD0 or data[k] in (64, 35, 45, 42)  # another script, @ # - *
                    starter = starter or data[k] == 0xE2
                if starter and not (dot and run == 1 and not closed and is_abbreviation(data, begin, at)):
                    cut = np.uint8(SENTENCE)
            elif small and k2 == LOWER:
                if (closed and before == LOWER) or (
                    dot and run == 1 and _stands_between_words(data, begin, at, hi)
                ):
                    cut = np.uint8(GLUED)
            elif (k2 == UPPER or k2 == OPENER) and (
                closed or before == LOWER or (run == 1 and before == DIGIT)
            ):
                address = False
                if dot and run == 1 and not closed:
                    a = at
                    while a > begin and data[a - 1] > 32:
                        a -= 1
                        if data[a] in (47, 64) or (
                            data[a] == 46 and a > begin and data[a - 1] != 46 and a < at - 1
                        ):
                            address = True
                            break
                    if at - a == 3 and data[a] == 119 and data[a + 1] == 119 and data[a + 2] == 119:
                        address = True
                    address = address or is_abbreviation(data, begin, at)
                if not address:
                    cut = np.uint8(GLUED)
            if cut != 255:
                n = _close(starts, ends, joints, n, begin, j, joint)
                begin = -1
                joint = cut
                before = np.uint8(BREAK)
                before2 = np.uint8(BREAK)
            else:
                before2 = before
                before = np.uint8(CLOSER) if closed else kind
                if closed:
                    before2 = np.uint8(STOP)
            i = j
            continue
        elif begin >= 0 and data[i] == 91 and counts_the_rest(data, i, hi):
            n = _close(starts, ends, joints, n, begin, last, joint)
            begin = -1
            joint = np.uint8(INLINE)
        blank = kind == SPACE or kind == BREAK
        if begin < 0 and not blank:
            begin = i
        i += size
        if not blank:
            last = i
        before2 = before
        before = kind
    if begin >= 0:
        n = _close(starts, ends, joints, n, begin, last, joint)
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
    """Cut every document of ``buffer`` into segments.

    Examples
    --------
    >>> buffer = Buffer.of(["It makes all the difference.Russian President spoke."])
    >>> s = cut(buffer)
    >>> [buffer.text(a, b) for a, b in zip(s.start, s.end)]
    ['It makes all the difference.', 'Russian President spoke.']
    """
    # no two segments start less than two bytes apart
    room = int(buffer.offsets[-1] - buffer.offsets[0]) // 2 + len(buffer) + 1
    start, end = np.empty(room, np.int64), np.empty(room, np.int64)
    joint, bounds = np.empty(room, np.uint8), np.empty(len(buffer) + 1, np.int64)
    n = _cut_all(buffer.data, buffer.offsets, CLASSES, _PLAIN, start, end, joint, bounds)
    return Segments(start[:n].copy(), end[:n].copy(), joint[:n].copy(), bounds)
