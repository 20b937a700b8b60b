"""Which proposed blocks are appeals: what the trees over proposals learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from toolkit.trees import Trees
from training.boosting import learn_trees, together

if TYPE_CHECKING:
    from training.part import Part

TREES = 300
"""Trees of each of the two sets over proposals."""

ALIKE = 0.3
"""A block is alike an appeal if what both hold is more than this share of what one or the other holds."""

LOOKALIKE = 2
"""How often a proposal in an article that speaks like an appeal counts."""


def truth(part: Part) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Mark the proposals that are a whole appeal and no more, and those that are alike the appeals of their text."""
    appeal, size = part.of.label == 1, part.read.size.astype(np.int64)
    proposed, bounds = part.proposed, part.read.segments.bounds
    first, end = proposed.first, proposed.end
    document = part.of.document[first]
    low, high = bounds[document], bounds[document + 1]
    total, held = np.r_[0, np.cumsum(size)], np.r_[0, np.cumsum(size * appeal)]
    block, hit = total[end] - total[first], held[end] - held[first]
    after = np.append(appeal, False)
    goes_on = ((first > low) & after[first - 1]) | ((end < high) & after[end])
    either = held[high] - held[low] + block - hit
    return (hit == block) & ~goes_on, hit > ALIKE * either


def learn_proposals(parts: list[Part], held: int | None, seed: int) -> Trees:
    """Trees over proposals: the log odds that a block is a whole appeal, and those that it is alike one, summed."""
    rows, whole, alike, weight = [], [], [], []
    for part in parts:
        if part.of.name == "pages":
            continue
        document = part.of.document[part.proposed.first]
        learned = np.bincount(part.of.document, part.of.trees, len(part.of.corpus)) > 0
        fold = part.of.fold[part.proposed.first]
        use = learned[document] & (fold != (-1 if held is None else held))
        exact, near = truth(part)
        rows.append(part.proposed.rows[use])
        whole.append(exact[use])
        alike.append(near[use])
        weight.append(np.full(use.sum(), LOOKALIKE if part.of.name.startswith("like") else 1, np.float32))
    table, times = np.concatenate(rows), np.concatenate(weight)
    return together(
        *(learn_trees(table, np.concatenate(wanted), times, seed, TREES) for wanted in (whole, alike))
    )
