"""UTF-8 text of many documents in one buffer, and what its kernels share: characters, their classes, hashes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from toolkit.kernels import njit

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int64]

NO_WIDTH = "\u200b\u2060\ufeff"
"""Marks that take no room and stand between words or beside them: a gap that may break, one that may not, and the byte
order mark."""

OTHER, LOWER, UPPER, DIGIT, SPACE, BREAK, STOP, CLOSER, OPENER, BULLET, WIDE_STOP = range(11)


def _code_point_classes() -> NDArray[np.uint8]:
    table = np.zeros(0x10000, np.uint8)
    for code in range(0x10000):
        char = chr(code)
        if char.islower() or char in "ªº":
            table[code] = LOWER
        elif char.isupper() or char.istitle():
            table[code] = UPPER
        elif char.isalpha():
            table[code] = OTHER
        elif char.isdecimal():
            table[code] = DIGIT
        elif char in "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029":
            table[code] = BREAK
        elif char.isspace() or char in NO_WIDTH:
            table[code] = SPACE
    marks = {
        STOP: ".!?…", CLOSER: "\"'”’)]»）」』】》", OPENER: "“‘«([„¿¡（「『【《", BULLET: "•▪►▶●■|·◆★→",
        WIDE_STOP: "。！？",
    }  # fmt: skip
    for kind, chars in marks.items():
        table[[ord(char) for char in chars]] = kind
    return table


CLASSES = _code_point_classes()  # of each code point below 2^16

SEPARATOR, WORD, ALONE, IGNORED = 0, 1, 2, 3

# Thai, Lao, Tibetan, Burmese, Khmer, kana, Han
_ALONE_RANGES = (
    (0x0E00, 0x0EFF), (0x0F00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF),
    (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0xFF66, 0xFF9F),
)  # fmt: skip
_IGNORED = (0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF)


@cache
def character_tables() -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Return what each character of the Basic Multilingual Plane is (uint8), and its lower-case form (uint16).

    Categories are those of Unicode 3.2, which every Python carries, so that a model reads a text alike under
    every version; characters that are newer count as letters.
    """
    kinds = np.zeros(1 << 16, np.uint8)
    folds = np.arange(1 << 16, dtype=np.uint16)
    for code in range(1 << 16):
        category = unicodedata.ucd_3_2_0.category(chr(code))
        if category[0] in "LMN" or category == "Cn":
            kinds[code] = WORD
        if category == "Lu" and len(lower := chr(code).lower()) == 1:
            folds[code] = ord(lower)
    for first, last in _ALONE_RANGES:
        kinds[first : last + 1][kinds[first : last + 1] == WORD] = ALONE
    kinds[list(_IGNORED)] = IGNORED
    return kinds, folds


FNV, PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)


def fnv(values: Iterable[int]) -> int:
    """Hash bytes or code points as the kernels do (FNV-1a, 64 bits)."""
    hashed = int(FNV)
    for value in values:
        hashed = ((hashed ^ value) * int(PRIME)) & 0xFFFFFFFFFFFFFFFF
    return hashed


@dataclass(frozen=True)
class Buffer:
    """UTF-8 text of many documents, laid end to end: document ``i`` is ``data[offsets[i]:offsets[i + 1]]``."""

    data: Bytes
    offsets: Offsets

    @classmethod
    def of(cls, texts: pd.Series[Any] | pa.Array | list[str]) -> Buffer:
        """View texts as one buffer; Arrow-backed input with one chunk is not copied.

        ValueError: a text holds a lone surrogate, which UTF-8 cannot store.
        """
        try:
            array = pa.array(texts, type=pa.large_string())
        except (UnicodeEncodeError, pa.ArrowInvalid) as error:
            msg = f"text cannot be stored as UTF-8 ({error}); drop lone surrogates with errors='replace'"
            raise ValueError(msg) from error
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        _, offsets, data = array.buffers()
        ends, raw = np.zeros(1, np.int64), np.zeros(0, np.uint8)
        if len(array):
            ends = np.frombuffer(offsets, np.int64, len(array) + 1, array.offset * 8)
        if data is not None and data.size:
            raw = np.frombuffer(data, np.uint8)
        return cls(raw, ends)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def text(self, start: int, end: int) -> str:
        """Decode bytes ``start:end``."""
        return bytes(self.data[start:end]).decode("utf-8")

    def portions(self, size: int) -> Iterator[tuple[int, Buffer]]:
        """Cut between documents every ``size`` bytes or so; each with the number of its first document."""
        edges = np.searchsorted(self.offsets, np.arange(self.offsets[0], self.offsets[-1], size))
        edges = np.unique(np.r_[0, edges.clip(0, len(self)), len(self)])
        for a, b in pairwise(edges.tolist() if len(self) else [0, 0]):
            yield a, Buffer(self.data, self.offsets[a : b + 1])

    def strings(self) -> pa.Array:
        """View the documents as an Arrow array of strings; nothing is copied."""
        offsets, data = pa.py_buffer(self.offsets), pa.py_buffer(self.data)
        return pa.LargeStringArray.from_buffers(len(self), offsets, data)


@njit(cache=True, nogil=True)
def letter(data, i):  # type: ignore[no-untyped-def]
    """Code point at byte i and its length in bytes; the buffer is valid UTF-8."""
    byte = np.int64(data[i])
    width = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
    code = byte if width == 1 else byte & (0x7F >> width)
    for k in range(1, width):
        code = (code << 6) | (np.int64(data[i + k]) & 0x3F)
    return code, width


@njit(cache=True, nogil=True)
def decode(data, i, hi):  # type: ignore[no-untyped-def]
    """As :func:`letter`, with the last code point of the tables for all that are beyond them."""
    code, width = letter(data, i)
    return min(code, 0xFFFF), width


@njit(cache=True, nogil=True)
def spread(x):  # type: ignore[no-untyped-def]
    """Spread 64-bit hashes whose low bits are alike: the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(cache=True, nogil=True)
def position(ordered, value):  # type: ignore[no-untyped-def]
    """Place of a value in a sorted array, -1 for none; ``np.searchsorted`` takes a second to compile in kernels."""
    lo = 0
    hi = len(ordered)
    while lo < hi:
        middle = (lo + hi) >> 1
        if ordered[middle] < value:
            lo = middle + 1
        else:
            hi = middle
    return lo if lo < len(ordered) and ordered[lo] == value else -1


@njit(cache=True, nogil=True)
def among(ordered, value):  # type: ignore[no-untyped-def]
    """Whether a sorted array holds a value."""
    return position(ordered, value) >= 0
