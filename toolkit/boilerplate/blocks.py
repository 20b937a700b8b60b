"""Describe what stands around a segment, as evidence that it belongs to an appeal.

Most sentences of an appeal ask for nothing: they praise the outlet and tell of its work. Such a sentence is recognised
by its neighbours: one of them asks for something, and together they share few words and names with the rest of the
text and sound unlike it.
"""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.echoes import slot
from toolkit.boilerplate.features import NAME, SHAPE
from toolkit.boilerplate.reading import Reading
from toolkit.boilerplate.scoring import WINDOWS
from toolkit.kernels import njit
from toolkit.segments import SENTENCE

REACHES = (1, 2, 4, 8, 12)
"""Numbers of segments before, and after, over which the signals are averaged."""

FAR, BEYOND = 12, 8
"""The strongest signal is looked for within :data:`FAR` segments. Text more than :data:`BEYOND` segments away counts as
the rest of the story."""

SIGNALS = ("sum", "appeal", "keep")
"""Signals that are averaged: the sum of the first decision's trees; by the segment's words, the log odds of an appeal
against article text; by its words, the log probability of article text."""

BLOCKS = (
    *SIGNALS, "head", "tail",
    *(f"{signal}{side}{reach}" for signal in SIGNALS for reach in REACHES for side in "-+"),
    *(f"{signal}_{part}" for signal in SIGNALS for part in ("document", "outside")),
    *(f"{signal}_{what}{side}" for signal in ("sum", "appeal", "asks") for side in "-+" for what in ("best", "at")),
    *(f"{what}_known{reach}" for reach in (0, 2, 4) for what in ("words", "names")),
    "words_known-4", "words_known+4", "words_known_document",
    "bytes", "from_start", "from_end", "segments", "joint", "joint_after", "quotes", "capitalised",
    *(f"{signal}_line{side}" for signal in SIGNALS for side in ("", "-", "+")),
    *(f"{signal}_line_best" for signal in ("sum", "appeal", "asks")),
    "words_known_line", "names_known_line", "line_bytes", "line_segments", "line_place",
)  # fmt: skip
"""Names of the columns. ``head`` and ``tail``: how much the first and the last words sound like an appeal; ``asks`` is
the larger of the two. ``-`` and ``+``: over the segments before and after. ``document``: mean over the whole text;
``outside``: over segments farther than :data:`FAR`. ``best`` and ``at``: the largest value within :data:`FAR` and its
distance. ``known``: share of words or names that also stand more than :data:`BEYOND` segments away. ``line``: over the
segment's line (a glued joint also ends a line here); ``line-`` and ``line+``: over the lines before and after."""

FLOOR, CEILING = -6.0, 6.0
_NONE = -9.0
_AT_OWN = len(SIGNALS)
_AT_MEANS = BLOCKS.index(f"{SIGNALS[0]}-{REACHES[0]}")
_AT_WHOLE = BLOCKS.index(f"{SIGNALS[0]}_document")
_AT_BEST = BLOCKS.index("sum_best-")
_AT_KNOWN = BLOCKS.index("words_known0")
_AT_PLACE = BLOCKS.index("bytes")
_AT_LINE = BLOCKS.index("sum_line")
_TOKENS_WORDS, _CAPITALISED, _QUOTES, _BYTES, _TERMS = (
    SHAPE.index(name) for name in ("words", "capitalised", "quotes", "bytes", "terms")
)
_HEAD, _TAIL = WINDOWS.index("head_1"), WINDOWS.index("tail_1")
_KEEP, _APPEAL = 0, 1
_REACHES = np.array(REACHES)
_KNOWN = np.array([0, 2, 4])


@njit(cache=True, nogil=True)
def _known(terms, at, shapes, lo, hi, counts):  # type: ignore[no-untyped-def]
    """Count the words and names up to each segment, and those of them that also stand far away (running sums)."""
    total = 0
    for s in range(lo, hi):
        total += shapes[s, _TERMS]
    size = 256
    while size < 2 * total:
        size *= 2
    keys = np.zeros(size, np.uint32)
    first = np.empty(size, np.int64)
    last = np.empty(size, np.int64)
    t = at
    for s in range(lo, hi):
        for _ in range(shapes[s, _TERMS]):
            term = terms[t] & ~np.uint32(NAME) | np.uint32(2)
            i = slot(keys, term)
            if keys[i] == 0:
                keys[i] = term
                first[i] = s
            last[i] = s
            t += 1
    t = at
    for s in range(lo, hi):
        for k in range(4):
            counts[s - lo + 1, k] = counts[s - lo, k]
        for _ in range(shapes[s, _TERMS]):
            term = terms[t] & ~np.uint32(NAME) | np.uint32(2)
            i = slot(keys, term)
            known = first[i] < s - BEYOND or last[i] > s + BEYOND
            counts[s - lo + 1, 0] += 1
            counts[s - lo + 1, 1] += known
            if terms[t] & np.uint32(NAME):
                counts[s - lo + 1, 2] += 1
                counts[s - lo + 1, 3] += known
            t += 1


@njit(cache=True, nogil=True)
def _share(counts, a, b, k):  # type: ignore[no-untyped-def]
    return (counts[b, k + 1] - counts[a, k + 1] + 0.5) / (counts[b, k] - counts[a, k] + 1.0)


@njit(cache=True, nogil=True)
def _lines(joint, lo, hi):  # type: ignore[no-untyped-def]
    """Return the first segment of each line, the end of the text last, and the line of each segment.

    A glued joint or a bullet also begins a line here.
    """
    first = np.empty(hi - lo + 1, np.int64)
    of = np.empty(hi - lo, np.int64)
    n = 0
    for s in range(lo, hi):
        if s == lo or joint[s] != SENTENCE:
            first[n] = s - lo
            n += 1
        of[s - lo] = n - 1
    first[n] = hi - lo
    return first[: n + 1], of


@njit(cache=True, nogil=True)
def _mean(total, k, a, b):  # type: ignore[no-untyped-def]
    return (total[k, b] - total[k, a]) / (total[3, b] - total[3, a]) if b > a else _NONE


@njit(cache=True, nogil=True)
def _blocks(sums, words, windows, shapes, terms, joint, bounds, wanted, out):  # type: ignore[no-untyped-def]
    row = 0
    at = 0
    for d in range(len(bounds) - 1):
        lo, hi = bounds[d], bounds[d + 1]
        n = hi - lo
        some = False
        n_terms = 0
        for s in range(lo, hi):
            some |= wanted[s]
            n_terms += shapes[s, _TERMS]
        if not some:
            at += n_terms
            continue
        signal = np.empty((4, n))  # the signals, and how much the first or last words ask
        total = np.zeros((4, n + 1))  # running sums: the signals, and the weight
        for s in range(lo, hi):
            i = s - lo
            keep = np.log(words[s, _KEEP] + 1e-4)
            signal[0, i] = min(max(sums[s], FLOOR), CEILING)
            signal[1, i] = np.log(words[s, _APPEAL] + 1e-4) - keep
            signal[2, i] = keep
            signal[3, i] = max(windows[s, _HEAD], windows[s, _TAIL])
            weight = min(shapes[s, _BYTES], 400)
            total[3, i + 1] = total[3, i] + weight
            for k in range(3):
                total[k, i + 1] = total[k, i] + signal[k, i] * weight
        first, line = _lines(joint, lo, hi)
        counts = np.zeros((n + 1, 4))
        _known(terms, at, shapes, lo, hi, counts)
        at += n_terms
        for s in range(lo, hi):
            if not wanted[s]:
                continue
            i = s - lo
            r = out[row]
            row += 1
            for k in range(3):
                r[k] = signal[k, i]
            r[_AT_OWN] = windows[s, _HEAD]
            r[_AT_OWN + 1] = windows[s, _TAIL]
            j = _AT_MEANS
            w = _AT_WHOLE
            a, b = max(i - FAR, 0), min(i + FAR + 1, n)
            for k in range(3):
                for reach in _REACHES:
                    p, q = max(i - reach, 0), min(i + 1 + reach, n)
                    r[j] = (total[k, i] - total[k, p]) / max(total[3, i] - total[3, p], 1e-9)
                    r[j + 1] = (total[k, q] - total[k, i + 1]) / max(total[3, q] - total[3, i + 1], 1e-9)
                    j += 2
                r[w] = total[k, n] / max(total[3, n], 1.0)
                rest = total[3, n] - total[3, b] + total[3, a]
                r[w + 1] = (total[k, n] - total[k, b] + total[k, a]) / rest if rest > 0 else _NONE
                w += 2
            j = _AT_BEST
            for k in (0, 1, 3):
                for side in (-1, 1):
                    best, distance = _NONE, FAR + 1
                    for step in range(1, FAR + 1):
                        q = i + side * step
                        if q < 0 or q >= n:
                            break
                        if signal[k, q] > best:
                            best, distance = signal[k, q], step
                    r[j] = best
                    r[j + 1] = distance
                    j += 2
            j = _AT_KNOWN
            for reach in _KNOWN:
                p, q = max(i - reach, 0), min(i + 1 + reach, n)
                r[j] = _share(counts, p, q, 0)
                r[j + 1] = _share(counts, p, q, 2)
                j += 2
            r[j] = _share(counts, max(i - 4, 0), i, 0)
            r[j + 1] = _share(counts, i + 1, min(i + 5, n), 0)
            r[j + 2] = _share(counts, 0, n, 0)
            j = _AT_PLACE
            r[j] = np.log1p(np.float32(shapes[s, _BYTES]))
            r[j + 1] = i
            r[j + 2] = n - 1 - i
            r[j + 3] = np.log1p(np.float32(n))
            r[j + 4] = joint[s]
            r[j + 5] = joint[s + 1] if i + 1 < n else 0
            r[j + 6] = shapes[s, _QUOTES]
            r[j + 7] = shapes[s, _CAPITALISED] / max(shapes[s, _TOKENS_WORDS], 1)
            j = _AT_LINE
            p, q = first[line[i]], first[line[i] + 1]
            before = first[line[i] - 1] if line[i] > 0 else p
            behind = first[line[i] + 2] if line[i] + 2 < len(first) else q
            for k in range(3):
                r[j] = (total[k, q] - total[k, p]) / max(total[3, q] - total[3, p], 1e-9)
                r[j + 1] = _mean(total, k, before, p)
                r[j + 2] = _mean(total, k, q, behind)
                j += 3
            for k in (0, 1, 3):
                r[j] = signal[k, p:q].max()
                j += 1
            r[j] = _share(counts, p, q, 0)
            r[j + 1] = _share(counts, p, q, 2)
            r[j + 2] = np.log1p(np.float32(total[3, q] - total[3, p]))
            r[j + 3] = q - p
            r[j + 4] = i - p


def blocks(read: Reading, sums: NDArray[np.float32], wanted: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return one row of evidence (float32) for each wanted segment; the columns are :data:`BLOCKS`.

    ``sums`` (float32, a segment each) are the sums of the first decision's trees, :data:`FLOOR` for segments that
    the trees did not weigh.
    """
    out = np.empty((int(wanted.sum()), len(BLOCKS)), np.float32)
    _blocks(
        sums, read.words, read.windows, read.shapes, read.terms, read.segments.joint, read.segments.bounds,
        wanted, out,
    )  # fmt: skip
    return out
