"""Read the segments of documents: what their words sound like, their shape, their broken characters."""

from __future__ import annotations

import unicodedata

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from toolkit.buffer import FNV, PRIME, Buffer, decode
from toolkit.kernels import njit
from toolkit.segments import Segments

SOUNDS = ("story", "wall", "error", "listing", "furniture", "gate")
"""What a segment can sound like. ``story``: article text; ``wall``: a login, a question about cookies or a check in
place of the text; ``error``: a failure of the site; ``listing``: a headline, link or menu; ``furniture``: other
boilerplate; ``gate``: the offer to subscribe after the beginning of an article."""

SHAPE = ("characters", "letters", "digits", "symbols", "words", "longest", "sentence", "end")
"""Columns of the shape array: characters but white space, letters (a sign of Chinese or Japanese counts as three of
both), digits, marks of computer code, words (two such signs are one), letters of the longest word, whether the segment
reads like a sentence, and whether it ends in a sentence's mark (1), in an ellipsis (2) or in none (0)."""

BITS = 17  # n-grams fall into 2**BITS buckets
MOST = 64  # words of a segment that are read, from its start
STEM = 5  # letters that stand for a word in all its inflected forms
# for echoes: bytes of a document that are read, least bytes of a longer word, least distance in words of a repetition
READ, LONGER, APART = 8192, 5, 6
ROOM = 3 * MOST + 2
SIGN = 3  # characters that a sign of Chinese or Japanese counts for: so many of another script say as much
# classes of characters: words consist of the last three; 0 is any other mark
_SPACE, _STOP, _CLOSER, _CODE, LETTER, DIGIT, WIDE = range(1, 8)


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


KINDS, LOWER = _tables()
_M1, _M2, _M3 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFT = np.uint64(64 - BITS)


@njit(cache=True, nogil=True)
def scan(data, a, b, kinds, lower, index, shape):  # type: ignore[no-untyped-def]
    """Read segment ``data[a:b]``; fill its buckets and its shape; return the number of buckets."""
    shape[:] = 0
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
        if kind < LETTER:
            if kind != _SPACE:
                shape[0] += 1
                shape[3] += kind == _CODE
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
                shape[2] += 1
                value = np.uint64(48)
            else:
                shape[1] += SIGN if kind == WIDE else 1
            h = (h ^ value) * PRIME
            length += 1
            if length <= STEM:
                stem = h
            i += size
            if i >= b or kind == WIDE:
                break
            code, size = decode(data, i, b)
            after = kinds[code]
            if after < LETTER or after == WIDE:
                break
            kind = after
        last = kind
        shape[0] += SIGN if kind == WIDE else length
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
    shape[4] = words
    shape[7] = 0 if last != _STOP else (2 if stops >= 3 else 1)
    shape[6] = words >= 5 and (shape[7] > 0 or words >= 14) and 4 * shape[3] < shape[1]
    return n


@njit(cache=True, nogil=True)
def _score(data, start, end, kinds, lower, table, scale, bias, sounds, shapes):  # type: ignore[no-untyped-def]
    """Fill how segments sound, and their shapes."""
    index = np.empty(ROOM, np.uint32)
    many = table.shape[1]
    for s in range(len(start)):
        n = scan(data, start[s], end[s], kinds, lower, index, shapes[s])
        share = np.float32(1.0 / np.sqrt(np.float32(max(n, 1))))
        top = np.float32(-1e30)
        for c in range(many):  # column by column, so that each sum stays in a register
            weight = np.int64(0)
            for j in range(n):
                weight += table[index[j], c]
            sounds[s, c] = np.float32(weight) * scale[c] * share + bias[c]
            top = max(top, sounds[s, c])
        total = np.float32(0.0)
        for c in range(many):
            sounds[s, c] = np.exp(sounds[s, c] - top)
            total += sounds[s, c]
        sounds[s] /= total


@njit(cache=True, nogil=True)
def read_words(data, a, b, kinds, lower, words, begin, stop):  # type: ignore[no-untyped-def]
    """Fill the hash, start and end of each word of ``data[a:b]``, a wide sign being one; return their number."""
    n = 0
    i = a
    while i < b:
        code, size = decode(data, i, b)
        kind = kinds[code]
        if kind < LETTER:
            i += size
            continue
        h = FNV
        begin[n] = i
        while True:
            h = (h ^ np.uint64(lower[code])) * PRIME
            i += size
            if i >= b or kind == WIDE:
                break
            code, size = decode(data, i, b)
            kind = kinds[code]
            if kind < LETTER or kind == WIDE:
                break
        words[n] = h
        stop[n] = i
        n += 1
    return n


@njit(cache=True, nogil=True)
def _echo(data, a, b, kinds, lower, room, seen, at, learn):  # type: ignore[no-untyped-def]
    """Share of the longer words that stood at least :data:`APART` words before; -1 without longer words.

    With ``learn`` the words are remembered; without it they are only looked up, at any distance.
    """
    words, begin, stop = room
    n = read_words(data, a, b, kinds, lower, words, begin, stop)
    mask = np.uint64(len(seen) - 1)
    long = 0
    again = 0
    for k in range(n):
        h = words[k]
        if stop[k] - begin[k] < LONGER:
            if k == 0 or data[begin[k]] < 0xE3 or begin[k] != stop[k - 1]:
                continue
            h ^= words[k - 1] * PRIME  # two signs of Chinese or Japanese
        long += 1
        slot = (h ^ h >> np.uint64(32)) & mask
        while seen[slot] != 0 and seen[slot] != h:
            slot = (slot + np.uint64(1)) & mask
        again += seen[slot] == h and (not learn or k - at[slot] >= APART)
        if learn:
            seen[slot] = h
            at[slot] = k
    return again / long if long else -1.0


@njit(cache=True, nogil=True)
def _echoes(data, offsets, titles, named, kinds, lower, out):  # type: ignore[no-untyped-def]
    room = np.empty(READ, np.uint64), np.empty(READ, np.int64), np.empty(READ, np.int64)
    seen = np.empty(2 * READ, np.uint64)
    at = np.empty(2 * READ, np.int64)
    no, yes = np.int64(0), np.int64(1)  # for each of False and True numba would compile an _echo
    for d in range(len(offsets) - 1):
        seen[:] = 0
        a = offsets[d]
        out[d, 0] = _echo(data, a, min(offsets[d + 1], a + READ), kinds, lower, room, seen, at, yes)
        a = named[d]
        out[d, 1] = _echo(titles, a, min(named[d + 1], a + READ), kinds, lower, room, seen, at, no)


def echoes(buffer: Buffer, titles: Buffer) -> NDArray[np.float32]:
    """Return the share of longer words that repeat an earlier one, and that of the title's words in the document.

    An article comes back to its subject, a list of links does not. float32, shape (n_documents, 2), -1 without such.
    """
    out = np.empty((len(buffer), 2), np.float32)
    _echoes(buffer.data, buffer.offsets, titles.data, titles.offsets, KINDS, LOWER, out)
    return out


_NEXT = r"\x{80}-\x{BF}€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_DAMAGE = (
    r"[\x00-\x08\x0e-\x1f\x{FFFD}]"  # control and replacement characters
    rf"|[Â-ß][{_NEXT}]|[à-ï][{_NEXT}][{_NEXT}]"  # UTF-8 read as Windows-1252
    r"|[РС][\x{A0}-\x{BF}Ѐ-Џѐ-ѓѕјљ-џ‐-™]"  # as Windows-1251
    r"|[\x{81}\x{8D}\x{8F}\x{90}\x{9D}]"
    r"|\pL[¡-©«¬®-¶¸¹»-¿]\pL"  # Latin-2 read as Latin-1
)


def damage(buffer: Buffer) -> NDArray[np.int64]:
    """Count the traces of a wrong encoding in each document (:data:`_DAMAGE`); shape (n_documents,).

    >>> damage(Buffer.of(["Größe, 'señor', £5", "grÃ¶n", "ni\\ufffdo", "Przysz³o"])).tolist()
    [0, 1, 1, 1]
    """
    return np.asarray(pc.count_substring_regex(buffer.strings(), _DAMAGE), np.int64)


def sounds(
    buffer: Buffer, segments: Segments, words: tuple[NDArray[np.int8], NDArray[np.float32], NDArray[np.float32]]
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:  # fmt: skip
    """Return the probability of each of :data:`SOUNDS` of each segment, and its :data:`SHAPE`.

    ``words``: the weight of each n-gram for each sound, shape (2**BITS, sounds), in units of the sound's scale; the
    scales; and a constant that is added for each sound.
    """
    heard = np.empty((len(segments), len(SOUNDS)), np.float32)
    shapes = np.empty((len(segments), len(SHAPE)), np.int32)
    _score(buffer.data, segments.start, segments.end, KINDS, LOWER, *words, heard, shapes)
    return heard, shapes
