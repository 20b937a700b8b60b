"""Propose whole blocks that may be appeals, and describe each.

The second decision sums up each segment by itself, and a path over its sums often misses the first or the last sentence
of an appeal. So paths at many thresholds propose blocks, and each is weighed as a whole: how it sounds, how the rest of
the text sounds, and what stands at its edges.
"""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.blocks import CEILING, FLOOR
from toolkit.boilerplate.reading import Reading
from toolkit.kernels import njit
from toolkit.segments import LINE, PARAGRAPH

Ints = NDArray[np.int64]

SILENT = -3.5
"""A segment whose sum over the second decision's first trees is below this asks for nothing: the other trees are left
out, and it counts as :data:`FLOOR`."""

DOUBTS = (-2.5, -1.5, -0.5, 0.5, 1.5, 2.5)
"""Sums of the second decision's trees from which a segment counts for a block. A path is laid at each."""

COSTS = ((2.0, 1.0), (1.0, 0.5))
"""Costs of such a path, two a doubt: of beginning or ending a block within a line, and at the start of one."""

LEAST, LARGEST = -4.0, 6.0
"""Bounds of one segment's weight on it, so that one doubtful sentence does not split an appeal."""

HOPELESS = -4.0
"""A block whose sum over the first trees is below this is no appeal: the other trees are not asked. Of 20,000 blocks of
invented texts, those that ended above .5 had begun at -3.6 or more."""

MOVED, LONGEST = 2, 40
"""Each edge of a block is also moved by up to so many segments, and to that of its paragraph; and the most segments of
a block."""

SIGNALS = ("asks", "sum", "keep", "appeal", "inside")
"""What is averaged: the sums of the second and of the first decision; by the words, the log probability of article
text, and the log odds of an appeal against it; what the network says."""

EDGES = {"first": 0, "second": 1, "before": -1, "last": -1, "last_but_one": -2, "after": 0}
"""Segments at the edges whose ``asks`` are told: steps from the first segment, or from the end, of the block."""

PROPOSALS = (
    *SIGNALS, *(f"{signal}_rest" for signal in SIGNALS), "share_asking", "asks_least", "asks_most", "asks_outside",
    *(f"asks_{edge}" for edge in EDGES), "joint", "joint_after", "bytes", "text_bytes", "share", "segments",
    "from_start", "asks_paragraph-", "asks_paragraph+", "paragraph-", "paragraph+", "share_paragraph",
)  # fmt: skip
"""Names of the columns. ``rest``: mean over the text outside the block. ``share_asking``: share of its segments above
zero. ``least``, ``most``: of a segment inside, ``outside``: largest of one outside. ``joint``: how its first segment,
``joint_after``: how the next one after it, is joined to what stands before. ``share``: of the text's bytes.
``paragraph-``: how many segments of its first paragraph stand before it, ``paragraph+``: of its last after it, and the
mean of what these ask; ``share_paragraph``: its share of the bytes of its paragraphs."""

EDGED = (*PROPOSALS, "opens", "closes", "closes_before", "opens_after")
"""The same, and sums of the trees over borders (:mod:`toolkit.boilerplate.borders`): whether an appeal begins at the
block's first border and ends at its last, and whether one ends at the first and begins at the last."""

NONE = -9.0
"""Stands for what is not there: a segment outside the text, a sum that no trees gave."""

_MOVES = np.indices((2 * MOVED + 1,) * 2).reshape(2, -1) - MOVED
_STEP = 256  # signals are summed as integers, so that no order or batch matters
_WEIGHT = 400  # a segment counts by its bytes, at most so many


@njit(cache=True, nogil=True)
def _path(z, bounds, joint, costs, out):  # type: ignore[no-untyped-def]
    stays = np.empty((len(z), 2), np.bool_)
    for d in range(len(bounds) - 1):
        lo, hi = bounds[d], bounds[d + 1]
        kept, removed = 0.0, 0.0  # sums of the best ways to keep, and to remove, the segment before
        for s in range(lo, hi):
            cost = costs[d, 1] if joint[s] <= LINE else costs[d, 0]
            stays[s, 0] = kept >= removed - cost or s == lo
            stays[s, 1] = removed >= kept - cost and s > lo
            kept, removed = (
                kept if stays[s, 0] else removed - cost,
                (removed if stays[s, 1] else kept - cost) + z[s],
            )
        gone = removed > kept
        for s in range(hi - 1, lo - 1, -1):
            out[s] = gone
            gone = gone == stays[s, int(gone)]


def best_path(
    z: NDArray[np.float64], bounds: NDArray[np.int64], joint: NDArray[np.uint8], costs: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Mark the segments that the best path through each text removes (Viterbi 1967).

    A path gains ``z`` (float64, a segment each) where it removes, and pays ``costs`` (float64, two a text: within a
    line, and at the start of one) where it begins or ends a removal. ``bounds`` and ``joint``: as in ``Segments``.
    """
    out = np.empty(len(z), np.bool_)
    _path(z, bounds, joint, costs, out)
    return out


@dataclass(frozen=True)
class Proposals:
    """Blocks: segments ``first`` up to ``end`` (int64), sorted, and a row of :data:`PROPOSALS` (float32) of each."""

    first: Ints
    end: Ints
    rows: NDArray[np.float32]

    def worth(self, score: NDArray[np.float32], segments: int) -> NDArray[np.float32]:
        """Return for each segment the score of the block that it is part of, :data:`NONE` for no block.

        Of blocks that overlap, the one with the highest score counts; of equal ones, the first.
        """
        out, taken = np.full(segments, NONE, np.float32), bytearray(segments)
        order = np.argsort(-score, kind="stable")
        for k, a, b in zip(order, self.first[order].tolist(), self.end[order].tolist(), strict=True):
            if not any(taken[a:b]):
                taken[a:b] = b"\1" * (b - a)
                out[a:b] = score[k]
        return out


def _edges(
    asks: NDArray[np.float64], bounds: Ints, joint: NDArray[np.uint8], owner: Ints, paragraphs: Ints
) -> tuple[Ints, Ints]:
    """First segment and end of each block that the paths find, edges moved; ``paragraphs`` open with these segments."""
    n, costs = len(asks), [np.tile(pair, (len(bounds) - 1, 1)) for pair in COSTS]
    z = [(asks - doubt).clip(LEAST, LARGEST) for doubt in DOUBTS]
    inside = np.stack([best_path(each, bounds, joint, pair) for each in z for pair in costs])
    opens = np.zeros(n, bool)
    opens[bounds[:-1]] = True
    begins, ends = inside.copy(), inside.copy()
    begins[:, 1:] &= ~inside[:, :-1] | opens[1:]
    ends[:, :-1] &= ~inside[:, 1:] | opens[1:]
    known = np.unique(begins.nonzero()[1] * n + ends.nonzero()[1])
    first, end = known // n, known % n + 1
    begin, finish = _paragraphs(first, end, paragraphs)
    first, end = (
        np.concatenate([(first[:, None] + _MOVES[0]).ravel(), begin, first, begin]),
        np.concatenate([(end[:, None] + _MOVES[1]).ravel(), end, finish, finish]),
    )
    of = np.concatenate([np.repeat(owner[known // n], len(_MOVES[0])), *[owner[known // n]] * 3])
    sound = (first >= bounds[of]) & (end <= bounds[of + 1]) & (first < end) & (end - first <= LONGEST)
    moved = np.unique(first[sound] * (n + 1) + end[sound])
    return moved // (n + 1), moved % (n + 1)


def _paragraphs(first: Ints, end: Ints, paragraphs: Ints) -> tuple[Ints, Ints]:
    """Where the first paragraph of each block begins, and where its last ends."""
    begin = paragraphs[np.searchsorted(paragraphs, first, side="right") - 1]
    return begin, paragraphs[np.searchsorted(paragraphs, end)]


def propose(
    read: Reading, asks: NDArray[np.float32], sums: NDArray[np.float32], says: NDArray[np.float32]
) -> Proposals:
    """Propose blocks in all texts.

    ``asks`` and ``sums`` (float32, a segment each) are the sums of the second and of the first decision's trees,
    :data:`NONE` or less for none; ``says`` are what ``Network.say`` gives.
    """
    size = np.diff(read.segments.bounds)
    some = np.zeros(len(size), bool)  # texts in which something asks
    some[np.repeat(np.arange(len(size)), size)[asks >= DOUBTS[0]]] = True
    if not some.any():
        none = np.empty(0, np.int64)
        return Proposals(none, none, np.empty((0, len(PROPOSALS)), np.float32))
    at = np.flatnonzero(np.repeat(some, size))
    bounds = np.r_[0, np.cumsum(size[some])]
    owner = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    joint, length = read.segments.joint[at], read.size[at].astype(np.int64)
    keep, appeal = np.log(read.words[at, :2].astype(np.float64) + 1e-4).T
    signals = np.stack([asks[at], sums[at], keep, appeal - keep, says[at, 0]], axis=1)
    signals[signals[:, 0] < SILENT, 0] = FLOOR
    signals[:, [0, 1, 4]] = signals[:, [0, 1, 4]].clip(FLOOR, CEILING)
    opens = joint <= PARAGRAPH
    opens[bounds[:-1]] = True
    paragraphs = np.append(np.flatnonzero(opens), len(joint))
    first, end = _edges(signals[:, 0], bounds, joint, owner, paragraphs)
    begin, finish = _paragraphs(first, end, paragraphs)
    low, high = bounds[owner[first]], bounds[owner[first] + 1]
    steps = np.rint(signals * _STEP).astype(np.int64)
    told = steps[:, 0]
    weight = np.minimum(length, _WEIGHT)[:, None]
    total = np.hstack([steps * weight, weight, length[:, None], told[:, None] > 0]).cumsum(axis=0)
    total = np.concatenate([np.zeros((1, total.shape[1]), np.int64), total])
    inside, whole = total[end] - total[first], total[high] - total[low]
    rest = whole - inside
    means = inside[:, :5] / (inside[:, 5:6] * _STEP)
    means_rest = np.where(rest[:, 5:6] > 0, rest[:, :5] / (rest[:, 5:6] * _STEP).clip(1), NONE)
    padded = np.append(told, int(NONE) * _STEP)
    between = np.stack([first, end], axis=1).ravel()
    least, most = (way.reduceat(padded, between)[::2] for way in (np.minimum, np.maximum))
    edges = []
    for name, step in EDGES.items():
        place = (first if name in ("first", "second", "before") else end) + step
        inner = (first <= place) & (place < end) | (name in ("before", "after"))
        edges.append(np.where(inner & (low <= place) & (place < high), padded[place], int(NONE) * _STEP))
    joints = np.append(joint.astype(np.int64), -1)

    def asked(a: Ints, b: Ints) -> NDArray[np.float64]:
        some = (total[b] - total[a])[:, [0, 5]]
        return np.where(b > a, some[:, 0] / (some[:, 1] * _STEP).clip(1), NONE)

    columns = [
        *means.T, *means_rest.T, inside[:, 7] / (end - first),
        *(values / _STEP for values in (least, most, _outside(told, owner, first, end, low, high), *edges)),
        np.where(first == low, -1, joints[first]), np.where(end == high, -1, joints[end]),
        inside[:, 6], whole[:, 6], inside[:, 6] / whole[:, 6], end - first,
        np.minimum(first - low, 20), asked(begin, first), asked(end, finish), first - begin, finish - end,
        inside[:, 6] / (total[finish] - total[begin])[:, 6],
    ]  # fmt: skip
    return Proposals(at[first], at[end - 1] + 1, np.stack(columns, axis=1).astype(np.float32))


def _outside(steps: Ints, owner: Ints, first: Ints, end: Ints, low: Ints, high: Ints) -> Ints:
    """Largest value outside each block, in its text."""
    none = int(NONE) * _STEP
    apart = owner * (1 << 20)  # keeps texts apart
    before = np.maximum.accumulate(steps + apart) - apart
    behind = np.append(np.maximum.accumulate((steps - apart)[::-1])[::-1] + apart, none)
    return np.maximum(np.where(first > low, before[first - 1], none), np.where(end < high, behind[end], none))
