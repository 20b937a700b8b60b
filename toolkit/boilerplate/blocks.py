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
from toolkit.boilerplate.features import NAME, PART
from toolkit.boilerplate.network import SAYS
from toolkit.boilerplate.reading import Reading
from toolkit.boilerplate.scoring import WINDOWS
from toolkit.kernels import njit, places
from toolkit.segments import SENTENCE

REACHES = (1, 2, 4, 8, 12)
"""Numbers of segments before, and after, over which the signals are averaged."""

FAR, BEYOND = 12, 8
"""The strongest signal is looked for within :data:`FAR` segments. Text more than :data:`BEYOND` segments away counts as
the rest of the story."""

SIGNALS = ("sum", "appeal", "keep")
"""Signals that are averaged: the sum of the first decision's trees; by the segment's words, the log odds of an appeal
against article text; by its words, the log probability of article text."""

HEARD = ("inside", "boilerplate")
"""Columns of the network (:data:`toolkit.boilerplate.network.SAYS`) that are averaged too."""

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
    *SAYS, *(f"{signal}{side}{reach}" for signal in HEARD for reach in REACHES for side in "-+"),
    *(f"{signal}_{part}" for signal in HEARD for part in ("document", "outside")),
    *(f"{signal}_{what}{side}" for signal in HEARD for side in "-+" for what in ("best", "at")),
    *(f"{signal}_line{part}" for signal in HEARD for part in ("", "-", "+", "_best")),
)  # fmt: skip
"""Names of the columns. ``head`` and ``tail``: how much the first and the last words sound like an appeal; ``asks`` is
the larger of the two. ``-`` and ``+``: over the segments before and after. ``document``: mean over the whole text;
``outside``: over segments farther than :data:`FAR`. ``best`` and ``at``: the largest value within :data:`FAR` and its
distance. ``known``: share of words or names that also stand more than :data:`BEYOND` segments away. ``line``: over the
segment's line (a glued joint also ends a line here); ``line-`` and ``line+``: over the lines before and after."""

FLOOR, CEILING = -6.0, 6.0
_NONE = -9.0
AT = places(BLOCKS)
_HEARD = np.array([SAYS.index(name) for name in HEARD])
_HEAD, _TAIL = WINDOWS.index("head_1"), WINDOWS.index("tail_1")
_KEEP, _APPEAL = 0, 1
_SIZE = 3  # row of the weight among the running sums
_REACHES = np.array(REACHES)
_KNOWN = np.array([0, 2, 4])


@njit(cache=True, nogil=True)
def _lines(joint, lo, hi):  # type: ignore[no-untyped-def]
    """Return the first segment of each line, the end of the text last, and the line of each segment.

    A segment begins a line unless a sentence stands before it in its line: a glued joint also begins one here.
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
def _known(terms, at, shapes, lo, hi, counts):  # type: ignore[no-untyped-def]
    """Count the words and names up to each segment, and those of them that also stand far away (running sums)."""
    total = 0
    for s in range(lo, hi):
        total += shapes[s, PART.terms]
    size = 256
    while size < 2 * total:
        size *= 2
    keys = np.zeros(size, np.uint32)
    first = np.empty(size, np.int64)
    last = np.empty(size, np.int64)
    t = at
    for s in range(lo, hi):
        for _ in range(shapes[s, PART.terms]):
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
        for _ in range(shapes[s, PART.terms]):
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
def _mean(total, k, a, b):  # type: ignore[no-untyped-def]
    return (total[k, b] - total[k, a]) / (total[_SIZE, b] - total[_SIZE, a]) if b > a else _NONE


@njit(cache=True, nogil=True)
def _line(total, k, before, first, last, behind, r, j):  # type: ignore[no-untyped-def]
    """Enter the means of a signal over a segment's line and over the lines before and after."""
    r[j] = (total[k, last] - total[k, first]) / max(total[_SIZE, last] - total[_SIZE, first], 1e-9)
    r[j + 1] = _mean(total, k, before, first)
    r[j + 2] = _mean(total, k, last, behind)


@njit(cache=True, nogil=True)
def _means(total, k, i, n, r, sides, whole):  # type: ignore[no-untyped-def]
    """Enter the means of a signal on either side of a segment, over the text, and over what is far away."""
    j = sides
    for reach in _REACHES:
        p, q = max(i - reach, 0), min(i + 1 + reach, n)
        r[j] = (total[k, i] - total[k, p]) / max(total[_SIZE, i] - total[_SIZE, p], 1e-9)
        r[j + 1] = (total[k, q] - total[k, i + 1]) / max(total[_SIZE, q] - total[_SIZE, i + 1], 1e-9)
        j += 2
    a, b = max(i - FAR, 0), min(i + FAR + 1, n)
    rest = total[_SIZE, n] - total[_SIZE, b] + total[_SIZE, a]
    r[whole] = total[k, n] / max(total[_SIZE, n], 1.0)
    r[whole + 1] = (total[k, n] - total[k, b] + total[k, a]) / rest if rest > 0 else _NONE


@njit(cache=True, nogil=True)
def _strongest(signal, i, n, r, j):  # type: ignore[no-untyped-def]
    """Enter the largest value of a signal before a segment, how far away it is, and the same behind."""
    for side in (-1, 1):
        best, distance = _NONE, FAR + 1
        for step in range(1, FAR + 1):
            q = i + side * step
            if q < 0 or q >= n:
                break
            if signal[q] > best:
                best, distance = signal[q], step
        r[j] = best
        r[j + 1] = distance
        j += 2


@njit(cache=True, nogil=True)
def _blocks(sums, words, windows, shapes, terms, joint, bounds, wanted, says, out):  # type: ignore[no-untyped-def]
    row = 0
    # no plain numbers: numba would compile what they are passed to once more for each
    at, of_words, of_names = np.int64(0), np.int64(0), np.int64(2)
    for d in range(len(bounds) - 1):
        lo, hi = bounds[d], bounds[d + 1]
        n = hi - lo
        some = False
        n_terms = 0
        for s in range(lo, hi):
            some |= wanted[s]
            n_terms += shapes[s, PART.terms]
        if not some:
            at += n_terms
            continue
        signal = np.empty((6, n))  # the signals, how much the first or last words ask, and the network's
        total = np.zeros((6, n + 1))  # running sums: the signals, the weight, and the network's
        for s in range(lo, hi):
            i = s - lo
            keep = np.log(words[s, _KEEP] + 1e-4)
            signal[0, i] = min(max(sums[s], FLOOR), CEILING)
            signal[1, i] = np.log(words[s, _APPEAL] + 1e-4) - keep
            signal[2, i] = keep
            signal[3, i] = max(windows[s, _HEAD], windows[s, _TAIL])
            for k in range(2):
                signal[4 + k, i] = min(max(says[s, _HEARD[k]], FLOOR), CEILING)
            weight = min(shapes[s, PART.bytes], 400)
            for k in range(6):
                total[k, i + 1] = total[k, i] + (weight if k == _SIZE else signal[k, i] * weight)
        first, line = _lines(joint, lo, hi)
        best = np.full((6, len(first) - 1), -np.inf)  # the largest value of each signal in each line
        for i in range(n):
            for k in range(6):
                best[k, line[i]] = max(best[k, line[i]], signal[k, i])
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
            r[AT.head] = windows[s, _HEAD]
            r[AT.tail] = windows[s, _TAIL]
            for k in range(3):
                _means(total, k, i, n, r, AT.sum_before1 + 2 * len(REACHES) * k, AT.sum_document + 2 * k)
            _strongest(signal[0], i, n, r, AT.sum_best_before)
            _strongest(signal[1], i, n, r, AT.appeal_best_before)
            _strongest(signal[3], i, n, r, AT.asks_best_before)
            j = AT.words_known0
            for reach in _KNOWN:
                p, q = max(i - reach, 0), min(i + 1 + reach, n)
                r[j] = _share(counts, p, q, of_words)
                r[j + 1] = _share(counts, p, q, of_names)
                j += 2
            r[AT.words_known_before4] = _share(counts, max(i - 4, 0), i, of_words)
            r[AT.words_known_after4] = _share(counts, i + 1, min(i + 5, n), of_words)
            r[AT.words_known_document] = _share(counts, np.int64(0), n, of_words)
            r[AT.bytes] = np.log1p(np.float32(shapes[s, PART.bytes]))
            r[AT.from_start] = i
            r[AT.from_end] = n - 1 - i
            r[AT.segments] = np.log1p(np.float32(n))
            r[AT.joint] = joint[s]
            r[AT.joint_after] = joint[s + 1] if i + 1 < n else 0
            r[AT.quotes] = shapes[s, PART.quotes]
            r[AT.capitalised] = shapes[s, PART.capitalised] / max(shapes[s, PART.words], 1)
            j = AT.sum_line
            p, q = first[line[i]], first[line[i] + 1]
            before = first[line[i] - 1] if line[i] > 0 else p
            behind = first[line[i] + 2] if line[i] + 2 < len(first) else q
            for k in range(3):
                _line(total, k, before, p, q, behind, r, j)
                j += 3
            for k in (0, 1, 3):
                r[j] = best[k, line[i]]
                j += 1
            for k in range(len(SAYS)):
                r[AT.inside + k] = says[s, k]
            for k in range(2):
                _means(
                    total,
                    4 + k,
                    i,
                    n,
                    r,
                    AT.inside_before1 + 2 * len(REACHES) * k,
                    AT.inside_document + 2 * k,
                )
                _strongest(signal[4 + k], i, n, r, AT.inside_best_before + 4 * k)
                _line(total, 4 + k, before, p, q, behind, r, AT.inside_line + 4 * k)
                r[AT.inside_line_best + 4 * k] = best[4 + k, line[i]]
            r[AT.words_known_line] = _share(counts, p, q, of_words)
            r[AT.names_known_line] = _share(counts, p, q, of_names)
            r[AT.line_bytes] = np.log1p(np.float32(total[_SIZE, q] - total[_SIZE, p]))
            r[AT.line_segments] = q - p
            r[AT.line_place] = i - p


def blocks(
    read: Reading, sums: NDArray[np.float32], wanted: NDArray[np.bool_], says: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return one row of evidence (float32) for each wanted segment; the columns are :data:`BLOCKS`.

    ``sums`` (float32, a segment each) are the sums of the first decision's trees, :data:`FLOOR` for segments that
    the trees did not weigh; ``says`` (float32) is what ``Network.say`` gives.
    """
    out = np.empty((int(wanted.sum()), len(BLOCKS)), np.float32)
    _blocks(
        sums, read.words, read.windows, read.shapes, read.terms, read.segments.joint, read.segments.bounds,
        wanted, says, out,
    )  # fmt: skip
    return out
