"""Where a block may begin or end: what stands on either side of each of its borders.

The first and the last sentence of an appeal are often plain ones. Its borders are told by both sides together: on one
the story goes on, and what stands on the other has nothing to do with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.blocks import BLOCKS, FLOOR, blocks
from toolkit.boilerplate.network import SAYS
from toolkit.boilerplate.proposals import NONE, Proposals
from toolkit.boilerplate.reading import Reading

Ints = NDArray[np.int64]

BESIDE = (
    "appeal", "head", "bytes", "joint", "joint_after", "words_known-4", "words_known+4",
    *(f"{signal}{side}{reach}" for signal in ("appeal", "keep") for reach in (1, 2) for side in "-+"),
    "appeal_best-", "appeal_best+", "asks_best-", "appeal_line", "appeal_line_best",
    "line_bytes", "line_segments", "line_place",
    *SAYS, *(f"inside{side}{reach}" for reach in (1, 2, 4) for side in "-+"),
    "inside_best-", "inside_best+", "inside_line", "inside_line-",
)  # fmt: skip
"""Columns of ``BLOCKS`` that are told of the segments on either side."""

BORDERS = ("left_asks", "right_asks", *(f"{side}_{name}" for side in ("left", "right") for name in BESIDE))
"""Names of the columns. ``asks``: the sum of the second decision's trees. A side without a segment that was heard, at
the ends of a text above all, has ``NONE`` everywhere."""

_TAKEN = np.array([BLOCKS.index(name) for name in BESIDE])


@dataclass(frozen=True)
class Borders:
    """Borders of proposed blocks, each once.

    ``document`` (int64), and ``left`` and ``right``, the segments on either side, -1 for none; ``rows`` (float32) are
    the columns of :data:`BORDERS`; ``first`` and ``end`` (int64) the borders at which each proposal begins and ends.
    """

    document: Ints
    left: Ints
    right: Ints
    rows: NDArray[np.float32]
    first: Ints
    end: Ints

    def joined(
        self, proposed: Proposals, opens: NDArray[np.float32], closes: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Rows of the proposals, and behind them what the trees say of the borders at either end (``EDGED``)."""
        told = opens[self.first], closes[self.end], closes[self.first], opens[self.end]
        return np.hstack([proposed.rows, np.stack(told, axis=1)])


def borders(
    read: Reading, proposed: Proposals, asks: NDArray[np.float32], sums: NDArray[np.float32],
    says: NDArray[np.float32], heard: NDArray[np.bool_],
) -> Borders:  # fmt: skip
    """Describe the borders of the proposals.

    ``asks``, ``sums`` and ``says`` are as for :func:`toolkit.boilerplate.proposals.propose`. ``heard`` (a bool a
    segment) marks the segments near what the network takes for an appeal; of others nothing is told.
    """
    bounds, count = read.segments.bounds, len(read.size)
    document = np.searchsorted(bounds, proposed.first, side="right") - 1
    own = document * (count + 1)
    keys, of = np.unique(np.concatenate([own + proposed.first, own + proposed.end]), return_inverse=True)
    document, at = keys // (count + 1), keys % (count + 1)
    heard = np.append(heard, False)
    left = np.where((at > bounds[document]) & heard[at - 1], at - 1, -1)
    right = np.where((at < bounds[document + 1]) & heard[at], at, -1)
    wanted = np.zeros(count, bool)
    for side in (left, right):
        wanted[side[side >= 0]] = True
    around = blocks(read, np.maximum(sums, FLOOR), wanted, says)[:, _TAKEN]
    around = np.vstack([around, np.full((1, len(BESIDE)), NONE, np.float32)])
    place = np.append(np.cumsum(wanted) - 1, len(around) - 1)  # -1, no segment, is the last row
    told = np.append(np.maximum(asks, np.float32(NONE)), np.float32(NONE))
    rows = np.hstack([told[left][:, None], told[right][:, None], around[place[left]], around[place[right]]])
    return Borders(document, left, right, rows, of[: len(proposed.first)], of[len(proposed.first) :])
