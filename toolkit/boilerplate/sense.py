"""What words mean, by a table of word pieces that knows more words than our labels hold.

The table is made from the word vectors of a multilingual encoder (``training.sense``): a word that no label holds
counts as much as the words that it is like. It answers two questions. Are these words those of appeals? A segment,
what stands around it and the rest of the text are weighed apart, for ``support`` tells little where the whole story
speaks of it. And does a segment tell of the same as the text around it? An appeal tells another story than its article.
"""

# ruff: noqa: ANN001, ANN201, ANN202  (numba kernels infer their types)

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.scoring import LANES, add_rows
from toolkit.buffer import Buffer
from toolkit.kernels import njit
from toolkit.segments import SENTENCE, Segments
from toolkit.topics.features import NO_WORDS, FeatureSpace, Lexicon, listed, reader, workspace

SENSES = ("own", "around", "rest")
"""What a piece weighs in the segment, in the :data:`NEAR` segments on either side, and more than :data:`FAR` away."""

LIKENESS = (
    "line", "own", "near", "wide", "edge", "turn", "before_earlier", "own_earlier", "own_later", "earlier_later"
)  # fmt: skip
"""Cosines between the stories of two parts of a text, :data:`NO_STORY` where a part has no words. A *block* is the
segment and up to :data:`NEAR` segments on either side; *before* and *after* are its parts before and after that.

``line``, ``near``, ``wide``: the segment's line, the block, and a block twice as wide, each with all text outside it.
``own``: the segment with all text outside its block. ``edge``: before with the segment and the next ones. ``turn``:
before with after. ``before_earlier``: before with all text earlier than the block. ``own_earlier``, ``own_later``: the
segment with all text before it, and with all text after it. ``earlier_later``: all text before it with all after it."""

STORY = 12
"""Numbers that say what story a piece belongs to: they differ between articles and are alike within one."""

NO_STORY = -2.0
FINE, MOST = 4, 24
"""Steps that a standard deviation of the story has, and the most steps."""

NEAR, FAR, FEWEST = 4, 12, 3
"""Reaches in segments; and the least number of pieces by which a segment's sum is divided: one word tells little."""

_FIRST, _ALL = len(SENSES), len(SENSES) + STORY  # column of the story's first number, and number of columns
_AT_ONCE = 256  # pieces that are summed up at once
_UNITS = np.ones(LANES, np.float32)  # sums are whole numbers

SPACE = FeatureSpace(title_weight=0, pieces=True)
"""How a segment is cut into pieces: no more than its first 4,096 bytes."""


@njit(cache=True, nogil=True)
def lines(joint, lo, hi):  # type: ignore[no-untyped-def]
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
def _alike(sums, a, b, c, d, less):  # type: ignore[no-untyped-def]
    """Cosine of the stories of segments ``a:b`` and ``c:d``; with ``less``, of ``a:b`` and all but ``c:d``."""
    product, one, other = 0.0, 0.0, 0.0
    for k in range(_FIRST, _ALL):
        x, y = sums[b, k] - sums[a, k], sums[d, k] - sums[c, k]
        if less:
            y = sums[len(sums) - 1, k] - y
        product += x * y
        one += x * x
        other += y * y
    return product / np.sqrt(one * other) if one > 0 and other > 0 else NO_STORY


@njit(cache=True, nogil=True)
def _likeness(sums, a, b, i, r):  # type: ignore[no-untyped-def]
    """Enter the cosines of a segment, whose line is ``a:b``."""
    n = len(sums) - 1
    p, q = max(i - NEAR, 0), min(i + NEAR + 1, n)
    wide, wide_end = max(i - 2 * NEAR, 0), min(i + 2 * NEAR + 1, n)
    # no plain numbers: numba would compile another _alike for each
    zero, other, rest = np.int64(0), np.int64(0), np.int64(1)
    r[0] = _alike(sums, a, b, a, b, rest)
    r[1] = _alike(sums, i, i + 1, p, q, rest)
    r[2] = _alike(sums, p, q, p, q, rest)
    r[3] = _alike(sums, wide, wide_end, wide, wide_end, rest)
    r[4] = _alike(sums, p, i, i, min(i + NEAR, n), other)
    r[5] = _alike(sums, p, i, i + 1, q, other)
    r[6] = _alike(sums, p, i, zero, p, other)
    r[7] = _alike(sums, i, i + 1, zero, i, other)
    r[8] = _alike(sums, i, i + 1, i + 1, n, other)
    r[9] = _alike(sums, zero, i, i + 1, n, other)


@njit(cache=True, nogil=True)
def _weigh(data, start, end, joint, bounds, wanted, reading, table, units, scale, bias, known, out):  # type: ignore[no-untyped-def]
    work = workspace(reading)
    _, (pieces, _, _), _, _ = work
    some = np.empty(LANES, np.float32)
    for d in range(len(bounds) - 1):
        lo, hi = bounds[d], bounds[d + 1]
        n = hi - lo
        if not wanted[lo:hi].any():
            continue
        sums = np.zeros((n + 1, _ALL))  # up to each segment; of integers, so that no order matters
        count = np.zeros(n + 1, np.int64)
        for i in range(n):
            own = known[lo + i]
            if own[_ALL] < 0:
                found = listed(data, start[lo + i], end[lo + i], reading, work)
                own[:] = 0
                for j in range(0, found, _AT_ONCE):
                    add_rows(table, pieces, j, min(j + _AT_ONCE, found), units, some)
                    for k in range(_ALL):
                        own[k] += np.int32(some[k])
                own[_ALL] = found
            for k in range(_ALL):
                sums[i + 1, k] = sums[i, k] + own[k]
            count[i + 1] = count[i] + own[_ALL]
        first, line = lines(joint, lo, hi)
        for i in range(n):
            near, near_end = max(i - NEAR, 0), min(i + NEAR + 1, n)
            far, far_end = max(i - FAR, 0), min(i + FAR + 1, n)
            size = count[i + 1] - count[i]
            around = sums[near_end, 1] - sums[near, 1] - sums[i + 1, 1] + sums[i, 1]
            rest = sums[n, 2] - sums[far_end, 2] + sums[far, 2]
            r = out[lo + i]
            r[0] = (sums[i + 1, 0] - sums[i, 0]) * scale[0] / max(size, FEWEST) + bias
            r[1] = around * scale[1] / max(count[near_end] - count[near] - size, 1)
            r[2] = rest * scale[2] / max(count[n] - count[far_end] + count[far], 1)
            if wanted[lo + i]:
                _likeness(sums, first[line[i]], first[line[i] + 1], i, r[_FIRST:])


@dataclass(frozen=True, eq=False)
class Sense:
    """What word pieces mean, a byte a number.

    ``lexicon`` lists the pieces. ``weights`` (int8, a row a piece) first hold the log odds of an appeal, columns
    :data:`SENSES` in steps of ``scale`` (float32; ``bias`` belongs to the first), then the :data:`STORY` numbers.
    """

    lexicon: Lexicon
    weights: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: float

    @classmethod
    def of(
        cls, keys: NDArray[np.uint32], odds: NDArray[np.floating], bias: float, story: NDArray[np.floating]
    ) -> Sense:
        """Round the log odds to a byte each, column by column, and the story to steps of a quarter of its deviation."""
        scale = (np.abs(odds).max(axis=0) / 127).astype(np.float32)
        steps = np.hstack([np.rint(odds / scale), np.rint(story / story.std() * FINE).clip(-MOST, MOST)])
        return cls(Lexicon(keys, NO_WORDS.alike), steps.astype(np.int8), scale, float(np.float32(bias)))

    @cached_property
    def _reading(self) -> tuple[Any, ...]:
        return reader(SPACE, self.lexicon)

    @cached_property
    def _table(self) -> NDArray[np.uint8]:
        table = np.full((len(self.weights), LANES), 128, np.uint8)
        table[:, :_ALL] = self.weights.view(np.uint8) ^ 128
        return table

    def weigh(
        self, buffer: Buffer, segments: Segments, wanted: NDArray[np.bool_],
        known: NDArray[np.int32] | None = None,
    ) -> NDArray[np.float32]:  # fmt: skip
        """Return :data:`SENSES` and :data:`LIKENESS` of the wanted segments (a bool each).

        Other segments of the same documents have the first alone; of other documents, zeros. ``known`` is filled
        in: for each segment the sums of its pieces and, last, their number, which is -1 where they are not yet known.
        """
        if known is None:
            known = np.full((len(segments), LANES), -1, np.int32)
        out = np.zeros((len(segments), len(SENSES) + len(LIKENESS)), np.float32)
        _weigh(
            buffer.data, segments.start, segments.end, segments.joint, segments.bounds, wanted, self._reading,
            self._table, _UNITS, self.scale, self.bias, known, out,
        )  # fmt: skip
        return out
