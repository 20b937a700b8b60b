"""One pass over the segments of documents: what their words sound like, how they are laid out, what is broken."""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from toolkit.buffer import FNV, PRIME, Buffer, decode
from toolkit.segments import Segments

SOUNDS = ("story", "wall", "error", "listing", "furniture")
"""What a segment can sound like: article text; a login, an offer or a check in place of the text; a failure of the
site; a headline, link or menu; other boilerplate."""

SHAPE = ("characters", "letters", "words", "digits", "symbols", "longest", "sentence", "end")
"""Columns of the shape array: characters but white space, letters, words (two signs of Chinese or Japanese are one),
digits, marks of computer code, letters of the longest word, whether the segment reads like a sentence, and whether it
ends in a sentence's mark (1), in an ellipsis (2) or in none (0)."""

BITS = 17
"""N-grams fall into ``2**BITS`` buckets."""

MOST = 64
"""Words of a segment that are read, from its start."""

STEM = 5
"""Letters that stand for a word in all its inflected forms."""

_ROOM = 3 * MOST + 2
_MARK, LETTER, DIGIT, _SPACE, _STOP, _CLOSER, _CODE, WIDE = range(8)


def _tables() -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Class and lower case of each code point below 2^16."""
    kinds, lower = np.zeros(0x10000, np.uint8), np.arange(0x10000, dtype=np.uint16)
    for code in range(0x10000):
        char = chr(code)
        group = unicodedata.category(char)
        if group[0] in "LM":
            wide = 0x2E80 <= code < 0xAC00 or 0xF900 <= code < 0xFB00
            kinds[code] = WIDE if wide else LETTER
            if len(char.lower()) == 1:
                lower[code] = ord(char.lower())
        elif group == "Nd":
            kinds[code] = DIGIT
        elif char.isspace():
            kinds[code] = _SPACE
    for chars, kind in ((".!?…。！？؟।", _STOP), ("\"'”’)]»」』", _CLOSER), ("{}[<>=;_\\#@~^|*+$`&/", _CODE)):
        for char in chars:
            kinds[ord(char)] = kind
    return kinds, lower


def _bytes_of_cp1252() -> NDArray[np.uint8]:
    """Byte of each code point below 2^14 in Windows-1252, where it is above 0x7F, else 0."""
    table = np.zeros(0x4000, np.uint8)
    for byte in range(0x80, 0x100):
        table[byte] = byte
        char = bytes([byte]).decode("cp1252", "ignore")
        if char:
            table[ord(char)] = byte
    return table


KINDS, LOWER = _tables()
_CP1252 = _bytes_of_cp1252()
_M1, _M2, _M3 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFT = np.uint64(64 - BITS)


@njit(cache=True, nogil=True)
def _scan(data, a, b, kinds, lower, index, shape):  # type: ignore[no-untyped-def]
    """Read segment ``data[a:b]``; fill its buckets and its shape; return the number of buckets."""
    for k in range(len(shape)):
        shape[k] = 0
    previous = np.uint64(7)
    before = np.uint64(9)
    n = 0
    words = 0
    wides = 0
    last = np.uint8(0)
    stops = 0
    i = a
    while i < b:
        code, size = decode(data, i, b)
        kind = kinds[code]
        if kind != LETTER and kind != DIGIT and kind != WIDE:
            if kind != _SPACE:
                shape[0] += 1
                shape[4] += kind == _CODE
                if kind == _STOP:
                    stops = stops + 1 if last == _STOP else 1
                    stops = 3 if code == 0x2026 else stops
                if kind != _CLOSER:
                    last = kind
            i += size
            continue
        h = FNV
        stem = FNV
        length = 0
        while True:
            value = np.uint64(lower[code])
            if kind == DIGIT:
                shape[3] += 1
                value = np.uint64(48)
            else:
                shape[1] += 1
            h = (h ^ value) * PRIME
            length += 1
            if length <= STEM:
                stem = h
            i += size
            if i >= b or kind == WIDE:
                break
            code, size = decode(data, i, b)
            after = kinds[code]
            if after != LETTER and after != DIGIT:
                break
            kind = after
        last = kind
        shape[0] += length
        shape[5] = max(shape[5], length)
        words += 1
        wides += kind == WIDE
        if words > MOST:
            continue
        h = (h ^ (h >> np.uint64(31))) * _M1
        index[n] = h >> _SHIFT
        index[n + 1] = ((h ^ previous * _M3) * _M2) >> _SHIFT
        n += 2
        if kind == WIDE:
            index[n] = ((h ^ previous * _M3 ^ before * _M1) * _M3) >> _SHIFT
            n += 1
        elif length > STEM:
            index[n] = (((stem ^ (stem >> np.uint64(29))) * _M2 ^ _M3) * _M1) >> _SHIFT
            n += 1
        before = previous
        previous = h
    if 0 < words <= MOST:
        index[n] = ((previous ^ _M2) * _M3) >> _SHIFT  # the last word
        n += 1
    words += (wides + 1) // 2 - wides
    shape[2] = words
    shape[7] = 0 if last != _STOP else (2 if stops >= 3 else 1)
    shape[6] = words >= 5 and (shape[7] > 0 or words >= 14) and 4 * shape[4] < shape[1]
    return n


@njit(cache=True, nogil=True)
def _collect(data, start, end, kinds, lower, out, pointers, shapes):  # type: ignore[no-untyped-def]
    index = np.empty(_ROOM, np.uint32)
    total = 0
    for s in range(len(start)):
        n = _scan(data, start[s], end[s], kinds, lower, index, shapes[s])
        for j in range(n):
            out[total + j] = index[j]
        total += n
        pointers[s + 1] = total
    return total


@njit(cache=True, nogil=True)
def _score(data, start, end, kinds, lower, table, scale, bias, sounds, shapes):  # type: ignore[no-untyped-def]
    index = np.empty(_ROOM, np.uint32)
    many = table.shape[1]
    for s in range(len(start)):
        n = _scan(data, start[s], end[s], kinds, lower, index, shapes[s])
        for c in range(many):
            sounds[s, c] = 0.0
        for j in range(n):
            for c in range(many):
                sounds[s, c] += np.float32(table[index[j], c])
        share = np.float32(1.0 / np.sqrt(np.float32(max(n, 1))))
        top = np.float32(-1e30)
        for c in range(many):
            sounds[s, c] = sounds[s, c] * scale[c] * share + bias[c]
            top = max(top, sounds[s, c])
        total = np.float32(0.0)
        for c in range(many):
            sounds[s, c] = np.exp(sounds[s, c] - top)
            total += sounds[s, c]
        for c in range(many):
            sounds[s, c] /= total


@njit(cache=True, nogil=True)
def _damage(data, offsets, kinds, cp1252, out):  # type: ignore[no-untyped-def]
    """Count in each document what broken encoding leaves: see :func:`damage`."""
    for d in range(len(offsets) - 1):
        found = 0
        i = offsets[d]
        hi = offsets[d + 1]
        previous = np.int64(32)
        missing = 0  # continuation bytes that a lead byte still asks for
        while i < hi:
            if data[i] < 0x80:
                code = np.int64(data[i])
                size = 1
                if code < 32 and not (9 <= code <= 13):
                    found += 1
            else:
                code, size = decode(data, i, hi)
                if code == 0xFFFD or (0x7F < code < 0xA0 and cp1252[code] == 0):
                    found += 1
                byte = cp1252[code] if code < 0x4000 else np.uint8(0)
                if missing > 0 and 0x80 <= byte < 0xC0:
                    missing -= 1
                    found += missing == 0
                elif 0xC2 <= byte < 0xE0:
                    missing = 1
                elif 0xE0 <= byte < 0xF0:
                    missing = 2
                else:
                    missing = 0
                # Cyrillic read byte by byte; Latin-2 read as Latin-1: a sign between two letters
                strange = (
                    0xA0 <= code < 0xC0
                    or 0x400 <= code < 0x410
                    or 0x450 <= code < 0x492
                    or 0x2010 <= code < 0x2123
                )
                if (previous == 0x420 or previous == 0x421) and strange:
                    found += 1
                elif 0xA1 <= code < 0xC0 and code != 0xAA and code != 0xAD and code != 0xB7 and code != 0xBA:
                    letter = previous < 0x10000 and kinds[previous] == LETTER
                    if letter and missing == 0 and i + size < hi:
                        after, _ = decode(data, i + size, hi)
                        found += kinds[after] == LETTER
            if size == 1:
                missing = 0
            previous = code
            i += size
        out[d] = found


def damage(buffer: Buffer) -> NDArray[np.int64]:
    """Count in each document the characters that broken encoding leaves; shape (n_documents,).

    Replacement and control characters, sequences that are UTF-8 read as Windows-1252 or Windows-1251, and signs
    such as ``³`` between letters, which are Latin-2 read as Latin-1.

    Examples
    --------
    >>> damage(Buffer.of(["Größe, 'señor', £5", "grÃ¶n", "ni\\ufffdo", "Przysz³o"])).tolist()
    [0, 2, 1, 1]
    """
    out = np.zeros(len(buffer), np.int64)
    _damage(buffer.data, buffer.offsets, KINDS, _CP1252, out)
    return out


def ngrams(buffer: Buffer, segments: Segments) -> Any:
    """Return the n-grams of segments for training, as :func:`sounds` weighs them: a ``scipy.sparse.csr_array``."""
    from scipy.sparse import csr_array

    n = len(segments)
    out, pointers = np.empty(n * _ROOM, np.uint32), np.zeros(n + 1, np.int64)
    shapes = np.empty((n, len(SHAPE)), np.int32)
    total = _collect(buffer.data, segments.start, segments.end, KINDS, LOWER, out, pointers, shapes)
    counts = np.diff(pointers)
    values = np.repeat((1.0 / np.sqrt(np.maximum(counts, 1))).astype(np.float32), counts)
    return csr_array((values, out[:total].astype(np.int32), pointers), shape=(n, 1 << BITS))


def sounds(
    buffer: Buffer,
    segments: Segments,
    table: NDArray[np.int8],
    scale: NDArray[np.float32],
    bias: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Read segments.

    Parameters
    ----------
    table : ndarray of int8, shape (2**BITS, 5)
        Weight of each n-gram for each of :data:`SOUNDS`, in steps of ``scale``.
    scale, bias : ndarray of float32, shape (5,)

    Returns
    -------
    ndarray of float32, shape (n_segments, 5)
        Probability of each of :data:`SOUNDS`.
    ndarray of int32, shape (n_segments, 8)
        Columns :data:`SHAPE`.
    """
    n = len(segments)
    heard, shapes = np.empty((n, len(SOUNDS)), np.float32), np.empty((n, len(SHAPE)), np.int32)
    _score(
        buffer.data, segments.start, segments.end, KINDS, LOWER, table, scale, bias, heard, shapes,
    )  # fmt: skip
    return heard, shapes


@njit(cache=True, nogil=True)
def _prose(data, offsets, least, out):  # type: ignore[no-untyped-def]
    for d in range(len(offsets) - 1):
        lo = offsets[d]
        hi = min(offsets[d + 1], lo + 2 * least)
        out[d] = False
        if offsets[d + 1] - lo < least:
            continue
        stops = 0
        breaks = 0
        marks = 0
        for i in range(lo, hi):
            b = data[i]
            if b == 10:
                breaks += 1
            elif b == 46 or b == 0xE3:  # a full stop; 。 begins so
                stops += 1
            elif b == 123 or b == 125 or b == 60 or (b == 0xC3 and i + 1 < hi and data[i + 1] == 0x83):
                marks += 1
        n = hi - lo
        out[d] = stops * 400 >= n and breaks * 60 <= n and marks * 100 <= n


def prose(buffer: Buffer, least: int) -> NDArray[np.bool_]:
    """Whether each document is at least so many bytes long and begins in long lines of sentences; cheap."""
    out = np.zeros(len(buffer), np.bool_)
    _prose(buffer.data, buffer.offsets, least, out)
    return out
