"""What is left of a text when parts are cut out: kept pieces, and the white space mended between them."""

# ruff: noqa: ANN001, ANN201, ANN202  (numba kernels infer their types)

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from toolkit.buffer import CLASSES, Buffer, among, decode
from toolkit.kernels import njit

_ENDS = np.array(sorted(ord(c) for c in ".!?…。！？:;\"'”’)]»"), np.int64)
_SPACE, _BREAK = int(CLASSES[ord(" ")]), int(CLASSES[ord("\n")])


@dataclass(frozen=True)
class Mended:
    """Clean texts, and where each piece of them came from.

    ``source`` and ``place`` are the first byte of each kept piece in the original buffer and in ``buffer``, ``size``
    its bytes; pieces of document ``i`` are ``bounds[i]:bounds[i + 1]``. All int64.
    """

    buffer: Buffer
    source: NDArray[np.int64]
    place: NDArray[np.int64]
    size: NDArray[np.int64]
    bounds: NDArray[np.int64]

    def texts(self, index: pd.Index) -> pd.Series[str]:
        """Return the texts as an Arrow-backed column."""
        offsets, data = pa.py_buffer(self.buffer.offsets), pa.py_buffer(self.buffer.data)
        array = pa.LargeStringArray.from_buffers(len(self.buffer), offsets, data)
        return pd.Series(array, index=index, dtype="str")


@njit(cache=True, nogil=True)
def _before(data, lo, i):  # type: ignore[no-untyped-def]
    """Start of the character that ends at byte ``i``."""
    i -= 1
    while i > lo and data[i] & 0xC0 == 0x80:
        i -= 1
    return i


@njit(cache=True, nogil=True)
def _skip_blank(data, i, hi, classes):  # type: ignore[no-untyped-def]
    while i < hi:
        code, size = decode(data, i, hi)
        if classes[code] != _SPACE and classes[code] != _BREAK:
            break
        i += size
    return i


@njit(cache=True, nogil=True)
def _trim_blank(data, lo, i, classes):  # type: ignore[no-untyped-def]
    while i > lo:
        k = _before(data, lo, i)
        code, _ = decode(data, k, i)
        if classes[code] != _SPACE and classes[code] != _BREAK:
            break
        i = k
    return i


@njit(cache=True, nogil=True)
def only_blank(data, a, b, classes):  # type: ignore[no-untyped-def]
    """Whether bytes ``a:b`` hold white space alone."""
    return _skip_blank(data, a, b, classes) >= b


@njit(cache=True, nogil=True)
def _lines(data, a, b):  # type: ignore[no-untyped-def]
    n = 0
    for i in range(a, b):
        n += data[i] == 10
    return n


@njit(cache=True, nogil=True)
def _gap(data, left, right, classes, ends, out, at):  # type: ignore[no-untyped-def]
    """Write the white space that stands between pieces ending at ``left`` and starting at ``right``."""
    a = _skip_blank(data, left, right, classes)
    b = _trim_blank(data, left, right, classes)
    before, after = _lines(data, left, a), _lines(data, b, right)
    if before > 0 or after > 0:
        start, stop = (left, a) if before >= after else (b, right)
        for i in range(start, stop):
            out[at] = data[i]
            at += 1
        return at
    code, _ = decode(data, _before(data, np.int64(0), left), left)
    glued = a == left or b == right
    new_line = _lines(data, left, right) > 0 or (glued and among(ends, code))
    out[at] = 10 if new_line else 32
    return at + 1


@njit(cache=True, nogil=True)
def _mend(  # type: ignore[no-untyped-def]
    data, offsets, documents, cut_bounds, start, end, classes, ends, out, out_offsets, source, place, size, bounds
):  # fmt: skip
    at = np.int64(0)
    pieces = 0
    for j in range(len(documents)):
        lo, hi = offsets[documents[j]], offsets[documents[j] + 1]
        a = lo
        last = np.int64(-1)
        for c in range(cut_bounds[j], cut_bounds[j + 1] + 1):
            final = c == cut_bounds[j + 1]
            b = hi if final else start[c]
            first = a if a == lo and c == cut_bounds[j] else _skip_blank(data, a, b, classes)
            stop = b if final else _trim_blank(data, first, b, classes)
            if first < stop:
                if last >= 0:
                    at = _gap(data, last, first, classes, ends, out, at)
                source[pieces] = first
                place[pieces] = at
                size[pieces] = stop - first
                for i in range(first, stop):
                    out[at] = data[i]
                    at += 1
                pieces += 1
                last = stop
            if not final:
                a = end[c]
        bounds[j + 1] = pieces
        out_offsets[j + 1] = at
    return at


def mend(
    buffer: Buffer, documents: NDArray[np.int64], cut_bounds: NDArray[np.int64], start: NDArray[np.int64],
    end: NDArray[np.int64],
) -> Mended:  # fmt: skip
    """Cut byte ranges out of some documents, given in order.

    White space on either side of a cut goes; what takes its place is the wider of the two breaks, if there was
    one; else a new line where the cut was glued to the end of a sentence; else a space. Cuts of the i-th chosen
    document are ``cut_bounds[i]:cut_bounds[i + 1]``, sorted and disjoint.
    """
    n, pieces = len(documents), len(start) + len(documents)
    room = int((buffer.offsets[documents + 1] - buffer.offsets[documents]).sum())
    out, offsets = np.empty(room, np.uint8), np.zeros(n + 1, np.int64)
    source, place, size = (np.empty(pieces, np.int64) for _ in range(3))
    bounds = np.zeros(n + 1, np.int64)
    used = _mend(
        buffer.data, buffer.offsets, documents, cut_bounds, start, end, CLASSES, _ENDS, out, offsets, source, place,
        size, bounds,
    )  # fmt: skip
    k = bounds[-1]
    return Mended(Buffer(out[:used], offsets), source[:k], place[:k], size[:k], bounds)
