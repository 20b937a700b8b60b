"""One decision over a whole text: segments are removed in stretches, not one by one."""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.layouts import GROUP_OF, GROUPS, SHORT
from toolkit.kernels import njit
from toolkit.segments import LINE, Segments

MOST = 4.0
"""Largest weight of one segment, in log odds: none outvotes a whole stretch."""

SWITCH = {"laid_out": (1.0, 0.5), "run_together": (0.5, 0.25), "page": (0.0, 0.0)}
"""What it costs to begin or to end a removal, in log odds: within a line, and at the start of one.

Of six pairs tried in cross-validation, these had the highest F1 at the same loss (docs/boilerplate.md); on whole pages
none helps.
"""

ASKING = {"laid_out": (4.0, 2.0), "run_together": (2.0, 1.0), "page": (4.0, 2.0)}
"""The same for the decision that looks for appeals: these are found as blocks, or not at all."""

LEAST, LARGEST = -4.0, 6.0
"""Bounds of one segment's weight there: a doubtful sentence does not part an appeal."""

BESIDE = 2
"""Segments beside a block of an appeal that may belong to it."""

_COSTS = np.array([SWITCH[name] for name in GROUPS])[GROUP_OF]
_COSTS[SHORT] = 0  # a few sentences are no stretches
_ASKING = np.array([ASKING[name] for name in GROUPS])[GROUP_OF]


@njit(cache=True, nogil=True)
def _path(z, bounds, joint, layout, costs, out):  # type: ignore[no-untyped-def]
    stays = np.empty((len(z), 2), np.bool_)
    for d in range(len(bounds) - 1):
        lo, hi = bounds[d], bounds[d + 1]
        kept, removed = 0.0, 0.0  # sums of the best ways to keep, and to remove, the segment before
        for s in range(lo, hi):
            cost = costs[layout[d], 1] if joint[s] <= LINE else costs[layout[d], 0]
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


def stretches(z: NDArray[np.float64], segments: Segments, layout: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Mark the segments to be removed: the best path through each document (Viterbi [1]_).

    A path keeps or removes each segment and pays :data:`SWITCH` where it changes. So a doubtful sentence goes
    with the two sure ones that it stands between, and a single weak one stays.

    Parameters
    ----------
    z : ndarray of float64, shape (n_segments,)
        Log odds of each segment, less those of its threshold.
    segments : Segments
    layout : ndarray of int8, shape (n_documents,)
        As :func:`toolkit.boilerplate.layouts.layouts` tells them.

    References
    ----------
    .. [1] Viterbi: Error bounds for convolutional codes and an asymptotically optimum decoding algorithm (1967).

    Examples
    --------
    >>> from toolkit.buffer import Buffer
    >>> from toolkit.segments import cut
    >>> segments = cut(Buffer.of(["Give. We print the truth. Give now. It rained. It was dry."]))
    >>> stretches(np.array([3.0, -0.5, 3.0, -2.0, 0.6]), segments, np.array([0], np.int8)).tolist()
    [True, True, True, False, False]
    """
    out = np.empty(len(z), np.bool_)
    _path(np.clip(z, -MOST, MOST), segments.bounds, segments.joint, layout, _COSTS, out)
    return out


def appeal_blocks(z: NDArray[np.float64], segments: Segments, layout: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Mark the segments that are removed as parts of appeals.

    The best path at the costs :data:`ASKING` finds blocks; what stands within :data:`BESIDE` segments of a block joins
    it at the usual costs.

    Parameters
    ----------
    z : ndarray of float64, shape (n_segments,)
        Log odds of each segment that it belongs to an appeal, less those of the threshold.
    segments : Segments
    layout : ndarray of int8, shape (n_documents,)
    """
    out = np.empty(len(z), np.bool_)
    _path(np.clip(z, LEAST, LARGEST), segments.bounds, segments.joint, layout, _ASKING, out)
    if not out.any():
        return out
    beside = np.convolve(out, np.ones(2 * BESIDE + 1), "same") > 0
    return out | stretches(np.where(out, MOST, np.where(beside, z, -MOST)), segments, layout)
