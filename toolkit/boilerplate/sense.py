"""Whether words are those of appeals, by a table of word pieces that knows more words than our labels hold.

The table is learned from the word vectors of a multilingual encoder (``training.sense``): a word that no label holds
weighs as much as the words that it is like. A segment, what stands around it and the rest of the text are weighed
apart, for ``support`` tells little where the whole story speaks of it.
"""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.buffer import Buffer
from toolkit.kernels import njit
from toolkit.segments import Segments
from toolkit.topics.features import NO_WORDS, FeatureSpace, Lexicon, listed, reader, workspace

SENSES = ("own", "around", "rest")
"""What a piece weighs in the segment, in the :data:`NEAR` segments on either side, and more than :data:`FAR` away."""

NEAR, FAR, FEWEST = 4, 12, 3
"""Reaches in segments; and the least number of pieces by which a segment's sum is divided: one word tells little."""

SPACE = FeatureSpace(title_weight=0, pieces=True)
"""How a segment is cut into pieces: no more than its first 4,096 bytes."""


@njit(cache=True, nogil=True)
def _weigh(data, start, end, bounds, wanted, reading, weights, scale, bias, out):  # type: ignore[no-untyped-def]
    work = workspace(reading)
    _, (pieces, _, _), _, _ = work
    for d in range(len(bounds) - 1):
        if not wanted[d]:
            continue
        lo, n = bounds[d], bounds[d + 1] - bounds[d]
        sums = np.zeros((n + 1, 4), np.int64)  # up to each segment: of the three weights, and of pieces
        for i in range(n):
            found = listed(data, start[lo + i], end[lo + i], reading, work)
            for k in range(3):
                sums[i + 1, k] = sums[i, k]
                for j in range(found):
                    sums[i + 1, k] += weights[pieces[j], k]
            sums[i + 1, 3] = sums[i, 3] + found
        for i in range(n):
            near, near_end = max(i - NEAR, 0), min(i + NEAR + 1, n)
            far, far_end = max(i - FAR, 0), min(i + FAR + 1, n)
            own = sums[i + 1] - sums[i]
            around = sums[near_end] - sums[near] - own
            rest = sums[n] - sums[far_end] + sums[far]
            out[lo + i, 0] = own[0] * scale[0] / max(own[3], FEWEST) + bias
            out[lo + i, 1] = around[1] * scale[1] / max(around[3], 1)
            out[lo + i, 2] = rest[2] * scale[2] / max(rest[3], 1)


@dataclass(frozen=True, eq=False)
class Sense:
    """Weights of word pieces: log odds of an appeal, a byte each.

    ``lexicon`` lists the pieces; ``weights`` (int8, a row a piece) have the columns :data:`SENSES`, in steps of
    ``scale`` (float32); ``bias`` belongs to the first.
    """

    lexicon: Lexicon
    weights: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: float

    @classmethod
    def of(cls, keys: NDArray[np.uint32], weights: NDArray[np.floating], bias: float) -> Sense:
        """Round weights to a byte each, column by column."""
        scale = (np.abs(weights).max(axis=0) / 127).astype(np.float32)
        steps = np.rint(weights / scale).astype(np.int8)
        return cls(Lexicon(keys, NO_WORDS.alike), steps, scale, float(np.float32(bias)))

    @cached_property
    def _reading(self) -> tuple[Any, ...]:
        return reader(SPACE, self.lexicon)

    def weigh(self, buffer: Buffer, segments: Segments, wanted: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return the three means of each segment of the wanted documents; 0 for the others."""
        out = np.zeros((len(segments), len(SENSES)), np.float32)
        _weigh(
            buffer.data, segments.start, segments.end, segments.bounds, wanted, self._reading, self.weights,
            self.scale, self.bias, out,
        )  # fmt: skip
        return out
