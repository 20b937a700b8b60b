"""Propose whole blocks that may be appeals, and describe each.

The network says of each segment whether it belongs to an appeal, and a path over what it says often misses the first or
the last sentence of one. So paths at many thresholds propose blocks, and each is weighed as a whole: how it sounds, how
the rest of the text sounds, what it shares with it, and what stands at its edges.
"""

# ruff: noqa: ANN001, ANN201  (numba kernels infer their types)

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.echoes import ECHOES
from toolkit.boilerplate.network import SAYS
from toolkit.boilerplate.reading import Reading
from toolkit.boilerplate.scoring import PLEA, SPOT
from toolkit.kernels import njit
from toolkit.segments import LINE, PARAGRAPH

Ints = NDArray[np.int64]

DOUBTS = (-2.5, -1.5, -0.5, 0.5, 1.5, 2.5)
"""Log odds of an appeal from which a segment counts for a block. A path is laid at each."""

COSTS = ((2.0, 1.0), (1.0, 0.5))
"""Costs of such a path, two a doubt: of beginning or ending a block within a line, and at the start of one."""

LEAST, LARGEST = -4.0, 6.0
"""Bounds of one segment's weight on it, so that one doubtful sentence does not split an appeal."""

HOPELESS = -4.0
"""A block whose sum over the first trees is below this is no appeal: the other trees are not asked. Of 20,000 blocks of
invented texts, those that ended above .5 had begun at -3.6 or more."""

WHOLE = 3.0
"""Least sum over the trees of a longer block; with the shipped model a probability of .79."""

MOVED, LONGEST = 2, 40
"""Each edge of a block is also moved by up to so many segments, and to that of its paragraph; and the most segments of
a block."""

SIGNALS = ("inside", "boilerplate", "sum", "keep", "appeal", "plea", "asks", *ECHOES)
"""What is averaged: what the network says of appeals and of all boilerplate; the sum of the first decision's trees; by
the words, the log probability of article text, the log odds of an appeal against it, those by the words of all
passages, and those of its first or last words, whichever are larger; the echoes."""

PEAKS = ("inside", "begins", "ends", "boilerplate", "appeal", "plea", "asks")
"""Of what the largest of a segment is told too."""

EDGES = {"first": 0, "second": 1, "before": -1, "last": -1, "last_but_one": -2, "after": 0}
"""Segments at the edges: steps from the first segment, or from the end, of the block."""

BESIDE = {
    "begins": ("first", "after"), "ends": ("last", "before"), "boilerplate": ("before", "after"),
    "head": ("first", "after"), "tail": ("last", "before"),
}  # fmt: skip
"""What is told of some of them beside ``inside``, which is told of all: by the network, whether an appeal begins or
ends with them, and whether they are boilerplate; how much their first or last words sound like an appeal."""

PROPOSALS = (
    *SIGNALS, *(f"{signal}_rest" for signal in SIGNALS), "share_inside", "inside_least",
    *(f"{signal}_most" for signal in PEAKS), "inside_outside",
    *(f"inside_{edge}" for edge in EDGES), *(f"{name}_{edge}" for name, edges in BESIDE.items() for edge in edges),
    "joint", "joint_after", "bytes", "text_bytes", "share", "segments", "from_start",
    "inside_paragraph-", "inside_paragraph+", "paragraph-", "paragraph+", "share_paragraph",
)  # fmt: skip
"""Names of the columns. ``rest``: mean over the text outside the block. ``share_inside``: share of its segments above
zero. ``least``, ``most``: of a segment of the block, ``outside``: largest of one outside. ``joint``: how its first
segment, ``joint_after``: how the next one after it, is joined to what stands before. ``share``: of the text's bytes.
``paragraph-``: how many segments of its first paragraph stand before it, ``paragraph+``: of its last after it, and the
mean of what is said of these; ``share_paragraph``: its share of the bytes of its paragraphs."""

NONE, BOUND = -9.0, 6.0
"""Stands for what is not there: a segment outside the text, no block. What is said is cut off at ±:data:`BOUND`."""

_MOVES = np.indices((2 * MOVED + 1,) * 2).reshape(2, -1) - MOVED
_STEP = 256  # signals are summed as integers, so that no order or batch matters
_WEIGHT = 400  # a segment counts by its bytes, at most so many
_NOTHING = int(NONE) * _STEP


@njit(cache=True, nogil=True)
def best_path(z, bounds, joint, costs):  # type: ignore[no-untyped-def]
    """Mark the segments that the best path through each text removes (Viterbi 1967).

    A path gains ``z`` (float64, a segment each) where it removes, and pays ``costs`` (float64, two a text: within a
    line, and at the start of one) where it begins or ends a removal. ``bounds`` and ``joint``: as in ``Segments``.
    """
    out = np.empty(len(z), np.bool_)
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
    return out


@dataclass(frozen=True)
class Proposals:
    """Blocks: segments ``first`` up to ``end`` (int64), sorted, and a row of :data:`PROPOSALS` (float32) of each."""

    first: Ints
    end: Ints
    rows: NDArray[np.float32]

    def hold(self, marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether each block holds a marked segment."""
        count = np.r_[0, np.cumsum(marked)]
        return np.asarray(count[self.end] > count[self.first])

    def worth(
        self, score: NDArray[np.float32], segments: int, by_itself: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float32]:
        """Return for each segment the score of the block that it is part of, :data:`NONE` for no block.

        Of blocks that overlap, the one with the highest score counts; of equal ones, the first. A longer block around
        it raises the scores of its segments to its own, if that is :data:`WHOLE` or more, and if it begins and ends
        where the best one does or with a segment that the first decision removes ``by_itself`` (a bool each): the
        heading of an appeal, behind which a paragraph speaks of the world.
        """
        out, taken, best = np.full(segments, NONE, np.float32), bytearray(segments), []
        order = np.argsort(-score, kind="stable")
        for k, a, b in zip(order, self.first[order].tolist(), self.end[order].tolist(), strict=True):
            if not any(taken[a:b]):
                taken[a:b] = b"\1" * (b - a)
                out[a:b] = score[k]
                best.append((a, b))
        if by_itself is not None:
            best.sort()
            for k in order[score[order] >= WHOLE].tolist():
                x, y = int(self.first[k]), int(self.end[k])
                for a, b in best[bisect_left(best, (x,)) : bisect_left(best, (y,))]:
                    if b <= y and (x == a or by_itself[x]) and (y == b or by_itself[y - 1]):
                        out[x:y] = np.maximum(out[x:y], score[k])
        return out


def propose(
    read: Reading, sums: NDArray[np.float32], says: NDArray[np.float32], hinted: NDArray[np.bool_]
) -> Proposals:
    """Propose blocks in the texts that are ``hinted`` at (a bool each).

    ``sums`` (float32, a segment each) are those of the first decision's trees, and ``says`` what ``Network.say`` gives.
    """
    size = np.diff(read.segments.bounds)
    some = np.zeros(len(size), bool)  # texts in which something asks
    some[np.repeat(np.arange(len(size)), size)[says[:, 0] >= DOUBTS[0]]] = True
    some &= hinted
    if not some.any():
        none = np.empty(0, np.int64)
        return Proposals(none, none, np.empty((0, len(PROPOSALS)), np.float32))
    at = np.flatnonzero(np.repeat(some, size))
    texts = _Texts.of(np.r_[0, np.cumsum(size[some])], read.segments.joint[at])
    signals = _signals(read, at, sums, says)
    first, end = _edges(signals["inside"] / _STEP, texts)
    rows = _described(signals, read.size[at].astype(np.int64), texts, first, end)
    return Proposals(at[first], at[end - 1] + 1, rows)


@dataclass(frozen=True)
class _Texts:
    """Texts one behind the other: their ``bounds``, how segments are joined, whose they are; where paragraphs open."""

    bounds: Ints
    joint: NDArray[np.uint8]
    owner: Ints
    paragraphs: Ints

    @classmethod
    def of(cls, bounds: Ints, joint: NDArray[np.uint8]) -> _Texts:
        opens = joint <= PARAGRAPH
        opens[bounds[:-1]] = True
        owner = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
        return cls(bounds, joint, owner, np.append(np.flatnonzero(opens), len(joint)))

    def paragraphs_of(self, first: Ints, end: Ints) -> tuple[Ints, Ints]:
        """Where the first paragraph of each block begins, and where its last ends."""
        begin = self.paragraphs[np.searchsorted(self.paragraphs, first, side="right") - 1]
        return begin, self.paragraphs[np.searchsorted(self.paragraphs, end)]


def _signals(
    read: Reading, at: Ints, sums: NDArray[np.float32], says: NDArray[np.float32]
) -> dict[str, Ints]:
    """Return what is known of the segments ``at``, in steps."""
    keep, appeal = np.log(read.words[at, :2].astype(np.float64) + 1e-4).T
    head, tail = read.windows[at, SPOT.head_1], read.windows[at, SPOT.tail_1]
    found = dict(zip(SAYS, says[at].T, strict=True)) | dict(zip(ECHOES, read.echoes[at].T, strict=True))
    plea = read.words[at, PLEA].astype(np.float64).clip(1e-4, 1 - 1e-4)
    found |= {
        "plea": np.log(plea / (1 - plea)),
        "sum": sums[at],
        "head": head,
        "tail": tail,
        "asks": np.maximum(head, tail),
    }
    out = {name: np.clip(value, -BOUND, BOUND) for name, value in found.items()}
    out |= {"keep": keep, "appeal": appeal - keep}
    return {name: np.rint(value.astype(np.float64) * _STEP).astype(np.int64) for name, value in out.items()}


def _edges(inside: NDArray[np.float64], texts: _Texts) -> tuple[Ints, Ints]:
    """First segment and end of each block that the paths find, edges moved."""
    n, bounds, owner = len(inside), texts.bounds, texts.owner
    costs = [np.tile(pair, (len(bounds) - 1, 1)) for pair in COSTS]
    z = [(inside - doubt).clip(LEAST, LARGEST) for doubt in DOUBTS]
    gone = np.stack([best_path(each, bounds, texts.joint, pair) for each in z for pair in costs])
    opens = np.zeros(n, bool)
    opens[bounds[:-1]] = True
    begins, ends = gone.copy(), gone.copy()
    begins[:, 1:] &= ~gone[:, :-1] | opens[1:]
    ends[:, :-1] &= ~gone[:, 1:] | opens[1:]
    known = np.unique(begins.nonzero()[1] * n + ends.nonzero()[1])
    first, end = known // n, known % n + 1
    begin, finish = texts.paragraphs_of(first, end)
    low, high = (bounds[owner[first] + side][:, None] for side in (0, 1))  # of the text
    firsts = np.column_stack([first[:, None] + _MOVES[0], begin, first, begin])
    ends = np.column_stack([end[:, None] + _MOVES[1], end, finish, finish])
    sound = (firsts >= low) & (ends <= high) & (firsts < ends) & (ends - firsts <= LONGEST)
    moved = np.unique(firsts[sound] * (n + 1) + ends[sound])
    return moved // (n + 1), moved % (n + 1)


def _described(
    signals: dict[str, Ints], length: Ints, texts: _Texts, first: Ints, end: Ints
) -> NDArray[np.float32]:
    inside, owner = signals["inside"], texts.owner
    begin, finish = texts.paragraphs_of(first, end)
    low, high = texts.bounds[owner[first]], texts.bounds[owner[first] + 1]
    weight = np.minimum(length, _WEIGHT)
    table = np.stack([*(signals[name] * weight for name in SIGNALS), weight, length, inside > 0])
    total = np.concatenate([np.zeros((len(table), 1), np.int64), table.cumsum(axis=1)], axis=1)
    within, whole = total[:, end] - total[:, first], total[:, high] - total[:, low]
    rest = whole - within
    known, sized = len(SIGNALS), len(SIGNALS) + 1  # rows of the weight and of the bytes
    means = within[:known] / (within[known] * _STEP)
    means_rest = np.where(rest[known] > 0, rest[:known] / (rest[known] * _STEP).clip(1), NONE)
    between = np.stack([first, end], axis=1).ravel()

    def reduced(way: np.ufunc, name: str) -> NDArray[np.float64]:
        return np.asarray(way.reduceat(np.append(signals[name], _NOTHING), between)[::2] / _STEP)

    def edge(name: str, of: str) -> NDArray[np.float64]:
        place = (first if of in ("first", "second", "before") else end) + EDGES[of]
        there = (
            (low <= place) & (place < high) & ((first <= place) & (place < end) | (of in ("before", "after")))
        )
        return np.where(there, np.append(signals[name], _NOTHING)[np.where(there, place, -1)] / _STEP, NONE)

    def said(a: Ints, b: Ints) -> NDArray[np.float64]:
        some = total[:, b] - total[:, a]
        return np.where(b > a, some[0] / (some[known] * _STEP).clip(1), NONE)

    joints = np.append(texts.joint.astype(np.int64), -1)
    columns = [
        *means, *means_rest, within[-1] / (end - first), reduced(np.minimum, "inside"),
        *(reduced(np.maximum, name) for name in PEAKS),
        _outside(inside, owner, first, end, low, high) / _STEP, *(edge("inside", of) for of in EDGES),
        *(edge(name, of) for name, edges in BESIDE.items() for of in edges),
        np.where(first == low, -1, joints[first]), np.where(end == high, -1, joints[end]),
        within[sized], whole[sized], within[sized] / whole[sized], end - first, np.minimum(first - low, 20),
        said(begin, first), said(end, finish), first - begin, finish - end,
        within[sized] / (total[sized, finish] - total[sized, begin]),
    ]  # fmt: skip
    return np.stack(columns, axis=1).astype(np.float32)


def _outside(steps: Ints, owner: Ints, first: Ints, end: Ints, low: Ints, high: Ints) -> Ints:
    """Largest value outside each block, in its text."""
    apart = owner * (1 << 20)  # keeps texts apart
    before = np.maximum.accumulate(steps + apart) - apart
    behind = np.append(np.maximum.accumulate((steps - apart)[::-1])[::-1] + apart, _NOTHING)
    return np.maximum(
        np.where(first > low, before[first - 1], _NOTHING), np.where(end < high, behind[end], _NOTHING)
    )
