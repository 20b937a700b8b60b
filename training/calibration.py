"""From sums of trees to probabilities, and the threshold of each layout that keeps a promised loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.model import Scale
from toolkit.boilerplate.reading import LAYOUTS, PARAGRAPHS
from toolkit.boilerplate.stretches import stretches
from toolkit.boilerplate.weighing import abroad, unsupported
from training.labelled import Labelled

LOSSES = (0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005)
"""Shares of article characters lost for which the card keeps thresholds."""

TIMES = {
    "paragraphs": 0.85, "lines": 0.85, "page": 13.0, "one_line": 2.0, "glued": 2.0, "lower_case": 2.0, "short": 2.0,
}  # fmt: skip
"""How many times the loss that is asked for is allowed in a layout: .15 % becomes 2 % of a whole page. In paragraphs,
lines and pages a part is left for the rules of :func:`toolkit.boilerplate.stretches.join` and for cleaning again,
neither of which is run here."""

BORROWED = ("capitals", "short")
"""Layouts of which there is too little gold: they take the scale of paragraphs, and without a source its threshold too;
or, where :func:`calibrate` is to be strict, the threshold of a third of the loss."""

FAINT = 0.02
"""Probability below which no threshold goes."""


@dataclass(frozen=True)
class Scored:
    """Out-of-fold results on the segments of one part.

    Attributes
    ----------
    part : Labelled
    documents : ndarray of bool, shape (n_documents,)
        Which of them are scored.
    sums : ndarray of float32, shape (n_segments,)
        Of the trees of the first decision.
    kind : ndarray of int64
    asks : ndarray of float32
        What the block is worth that a segment is part of, to the trees that look for appeals.
    asks_outright : ndarray of bool
        Segments that need no support; see :func:`toolkit.boilerplate.weighing.unsupported`.
    single : Scored, optional
        The same without an index, which counts beside it.
    doubt : ndarray of float64
        By how much it must be surer; see :func:`toolkit.boilerplate.repetition.doubted_single`.
    """

    part: Labelled
    documents: NDArray[np.bool_]
    sums: NDArray[np.float32]
    kind: NDArray[np.int64]
    asks: NDArray[np.float32]
    asks_outright: NDArray[np.bool_]
    single: Scored | None = None
    doubt: float | NDArray[np.float64] = 0.0


def _counts(scored: Scored, removed: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """Bytes hit, falsely removed, missed, and of article text."""
    part = scored.part
    use = (part.label >= 0) & part.of(scored.documents)
    size, marked = part.read.size.astype(np.float64), part.marked
    hit = float(marked[use & removed].sum())
    false = float((size - marked)[use & removed].sum())
    return hit, false, float(marked[use & ~removed].sum()), float((size - marked)[use].sum())


def platt(
    sums: NDArray[np.float32], positive: NDArray[np.bool_], weight: NDArray[np.float64]
) -> tuple[float, float]:
    """Slope and offset of the log odds."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e6).fit(sums[:, None].astype(np.float64), positive, sample_weight=weight)
    return round(float(model.coef_[0, 0]), 4), round(float(model.intercept_[0]), 4)


def calibrate(
    sources: dict[str, list[Scored]],
    appeals: Scale,
    strict: tuple[str, ...],
    alone: Scale | None = None,
    bounds: dict[str, tuple[float, list[Scored]]] | None = None,
) -> Scale:
    """Scale of the first decision, each layout's thresholds with the second decision's at the same loss.

    Parameters
    ----------
    sources : dict of str to list of Scored
        Layout → what its thresholds are measured on.
    appeals : Scale
    strict : tuple of str
        Those of :data:`BORROWED` that lose a third.
    alone : Scale, optional
        Of the decision without an index, where the sources have one.
    bounds : dict of str to tuple of float and list of Scored, optional
        Layout → how many times the loss that is asked for is allowed in other texts too.
    """
    n = len(LAYOUTS)
    slope, offset = np.ones(n), np.zeros(n)
    for layout, scored in sources.items():
        if layout in BORROWED:
            continue
        z, y, w = [], [], []
        for s in scored:
            use = (s.part.label >= 0) & s.part.of(s.documents) & (s.sums > -9)
            z.append(s.sums[use])
            y.append(s.part.label[use] > 0)
            w.append(s.part.read.size[use].astype(np.float64))
        at = LAYOUTS.index(layout)
        slope[at], offset[at] = platt(np.concatenate(z), np.concatenate(y), np.concatenate(w))
    for at in map(LAYOUTS.index, BORROWED):
        slope[at], offset[at] = slope[PARAGRAPHS], offset[PARAGRAPHS]
    thresholds: dict[str, NDArray[np.float64]] = {}
    for loss in ("best", *map(str, LOSSES)):
        values = np.full(n, 0.5)
        for layout, scored in sources.items():
            at = LAYOUTS.index(layout)
            asked = appeals.thresholds[loss][at]

            def removed(
                s: Scored, t: float, at: int = at, asked: float = asked, loss: str = loss
            ) -> NDArray[np.bool_]:
                first = slope[at] * s.sums.astype(np.float64) + offset[at] - _logit(t)
                if alone is not None and s.single is not None:
                    sums, least = s.single.sums.astype(np.float64), alone.thresholds[loss][at]
                    single = alone.slope[at] * sums + alone.offset[at] - _logit(least) - s.doubt
                    first = np.maximum(first, single)
                first = unsupported(first, s.kind, s.asks_outright)
                segments = s.part.read.segments
                return stretches(first, segments, s.part.layout) | _asking(s, appeals, at, asked)

            if loss == "best":
                values[at] = _best(scored, removed)
            else:
                groups = [(TIMES[layout], scored), *([bounds[layout]] if bounds and layout in bounds else [])]
                values[at] = max(_least(group, removed, float(loss) * times) for times, group in groups)
        for layout in set(BORROWED) - set(sources):
            values[LAYOUTS.index(layout)] = values[PARAGRAPHS]
        thresholds[loss] = values
    _be_strict(thresholds, strict)
    return Scale(slope, offset, thresholds)


def calibrate_appeals(sources: dict[str, list[tuple[float, list[Scored]]]], learned: list[Scored]) -> Scale:
    """Scale of the second decision: its thresholds are bounded by articles that speak like appeals.

    Parameters
    ----------
    sources : dict of str to list of tuple of float and list of Scored
        Layout → the share that may be lost, at a loss of .15 %, of each of some groups of such articles in it.
    learned : list of Scored
        What its probability is measured on.
    """
    n = len(LAYOUTS)
    z, y, w = [], [], []
    for s in learned:
        use = (s.part.trees > 0) & (s.asks > -9)
        z.append(s.asks[use])
        y.append(s.part.label[use] == 1)
        w.append(s.part.trees[use].astype(np.float64))
    slope, offset = platt(np.concatenate(z), np.concatenate(y), np.concatenate(w))
    thresholds: dict[str, NDArray[np.float64]] = {}
    scale = Scale(np.full(n, slope), np.full(n, offset), thresholds)
    for loss in ("best", *map(str, LOSSES)):
        times = 1 if loss == "best" else min(float(loss) / 0.0015, 2.0)
        values = np.full(n, 0.5)
        for layout, groups in sources.items():

            def removed(s: Scored, t: float, at: int = LAYOUTS.index(layout)) -> NDArray[np.bool_]:
                return _asking(s, scale, at, t)

            values[LAYOUTS.index(layout)] = max(
                _least(group, removed, times * share) for share, group in groups
            )
        for layout in set(LAYOUTS) - set(sources):
            values[LAYOUTS.index(layout)] = values[LAYOUTS.index("paragraphs")]
        thresholds[loss] = values
    return scale


def _asking(s: Scored, appeals: Scale, at: int, threshold: float) -> NDArray[np.bool_]:
    """What the second decision removes in a layout."""
    odds = appeals.slope[at] * s.asks.astype(np.float64) + appeals.offset[at]
    return np.asarray(odds - abroad(s.part.read.about)[s.part.document] > _logit(threshold))


def _be_strict(thresholds: dict[str, NDArray[np.float64]], layouts: tuple[str, ...]) -> None:
    """Give layouts the threshold of paragraphs at a third of the loss."""
    for at in map(LAYOUTS.index, layouts):
        for loss in LOSSES:
            third = max((x for x in LOSSES if x <= loss / 3), default=LOSSES[0])
            thresholds[str(loss)][at] = thresholds[str(third)][PARAGRAPHS]


def _logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


Removed = Callable[[Scored, float], NDArray[np.bool_]]


def _least(scored: list[Scored], removed: Removed, allowed: float) -> float:
    """The lowest threshold that loses no more than is allowed, to two digits."""
    grid = np.asarray(np.round([*np.arange(FAINT, 0.96, 0.01), 0.97, 0.98, 0.985, 0.99, 0.995], 3))
    low, high = 0, len(grid) - 1
    while low < high:
        middle = (low + high) // 2
        totals = np.array([_counts(s, removed(s, float(grid[middle]))) for s in scored]).sum(axis=0)
        if totals[1] <= allowed * totals[3]:
            high = middle
        else:
            low = middle + 1
    return float(grid[low])


def _best(scored: list[Scored], removed: Removed) -> float:
    """The threshold of the highest F1, over a coarse grid whose neighbours are averaged: a plateau's middle."""
    grid = np.round(np.arange(0.05, 0.96, 0.05), 2)
    f1 = []
    for t in grid:
        counts = np.array([_counts(s, removed(s, float(t))) for s in scored])
        hit, false, missed, _ = counts.sum(axis=0)
        f1.append(2 * hit / max(2 * hit + false + missed, 1.0))
    smooth = np.convolve(np.pad(f1, 1, mode="edge"), np.ones(3) / 3, "valid")
    return float(grid[int(np.argmax(smooth))])
