"""One decision over a whole text: segments are removed in stretches, and doubtful ones beside them go too."""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.evidence import KINDS
from toolkit.boilerplate.layouts import GROUP_OF, GROUPS, SHORT
from toolkit.boilerplate.reading import Reading
from toolkit.boilerplate.repetition import Seen, alike
from toolkit.kernels import njit
from toolkit.segments import LINE, SENTENCE, Segments

MOST = 4.0
"""Largest weight of one segment, in log odds: none outvotes a whole stretch."""

SWITCH = {"laid_out": (1.0, 0.5), "run_together": (0.5, 0.25), "page": (0.0, 0.0)}
"""What it costs to begin or to end a removal, in log odds: within a line, and at the start of one. Of six pairs tried
in cross-validation, these had the highest F1 at the same loss (docs/boilerplate.md); on whole pages none helps."""

ASKING = {"laid_out": (4.0, 2.0), "run_together": (2.0, 1.0), "page": (4.0, 2.0)}
"""The same for the decision that looks for appeals: these are found as blocks, or not at all."""

LEAST, LARGEST = -4.0, 6.0
"""Bounds of one segment's weight there: a doubtful sentence does not part an appeal."""

BESIDE = 2
"""Segments beside a block of an appeal that may belong to it."""

GAP, DOUBTED = 300, 0.04
"""Most bytes of kept text between removed pieces of a line that go with them, and the least score of each segment of
it, as a share of the threshold. In cross-validation over publishers: 16 such segments boilerplate, 1 not."""

LONGEST, CONTINUES = 1200, 0.13
"""Most bytes of a line in which the sentence after a removed caption, teaser or promotion goes with it, and its least
score, as a share of the threshold. In cross-validation: 34 such segments boilerplate, 4 not."""

SHORT_BYTES, ARTICLE = 1500, 0.9
"""In a text of fewer bytes, a sentence stays that its own words take for article text with such a probability: what
stands around it is then mostly furniture, and says little. What the second decision takes for an appeal goes."""

_COSTS = np.array([SWITCH[name] for name in GROUPS])[GROUP_OF]
_COSTS[SHORT] = 0  # a few sentences are no stretches
_ASKING = np.array([ASKING[name] for name in GROUPS])[GROUP_OF]
_CONTINUED = np.array([kind in ("caption", "related", "promo") for kind in KINDS])


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
    """Mark the segments to be removed: the best path through each document (Viterbi 1967).

    A path keeps or removes each segment and pays :data:`SWITCH` where it changes. So a doubtful sentence goes with
    the two sure ones that it stands between, and a single weak one stays. ``z`` (float64, a segment each) are the log
    odds, less those of the threshold; ``layout`` is an int8 a document.
    """
    out = np.empty(len(z), np.bool_)
    _path(np.clip(z, -MOST, MOST), segments.bounds, segments.joint, layout, _COSTS, out)
    return out


def appeal_blocks(z: NDArray[np.float64], segments: Segments, layout: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Mark the segments that are removed as parts of appeals; ``z`` and ``layout`` as in :func:`stretches`.

    The best path at the costs :data:`ASKING` finds blocks; what stands within :data:`BESIDE` segments of a block
    joins it at the usual costs.
    """
    out = np.empty(len(z), np.bool_)
    _path(np.clip(z, LEAST, LARGEST), segments.bounds, segments.joint, layout, _ASKING, out)
    if not out.any():
        return out
    beside = np.convolve(out, np.ones(2 * BESIDE + 1), "same") > 0
    return out | stretches(np.where(out, MOST, np.where(beside, z, -MOST)), segments, layout)


@njit(cache=True, nogil=True)
def _one_kind(bounds, start, end, others, evident, kind):  # type: ignore[no-untyped-def]
    """Give all of a passage that other articles repeat the kind of most of its bytes."""
    size = np.empty(len(KINDS), np.int64)
    for d in range(len(bounds) - 1):
        a = bounds[d]
        while a < bounds[d + 1]:
            b = a + 1
            while b < bounds[d + 1] and evident[a] and evident[b] and alike(others[b], others[b - 1]):
                b += 1
            size[:] = 0
            for s in range(a, b):
                if kind[s] >= 0:
                    size[kind[s]] += end[s] - start[s]
            for s in range(a, b):
                if b > a + 1:
                    kind[s] = size.argmax()
            a = b


@njit(cache=True, nogil=True)
def _join(bounds, joint, start, end, words, repeated, threshold, continued, remove, kind, score):  # type: ignore[no-untyped-def]
    for d in range(len(bounds) - 1):
        lo, hi = bounds[d], bounds[d + 1]
        a = lo
        while a < hi:
            b = a + 1
            while b < hi and joint[b] > LINE:
                b += 1
            last = -1  # the last removed segment of the line
            for s in range(a, b):
                if remove[s]:
                    closed = 0 <= last < s - 1 and start[s] - end[last] <= GAP
                    for k in range(last + 1, s):
                        closed &= score[k] >= DOUBTED * threshold[d]
                    if closed:
                        for k in range(last + 1, s):
                            remove[k], kind[k], score[k] = True, kind[last], max(score[k], threshold[d])
                    last = s
                elif (
                    s > a
                    and remove[s - 1]
                    and joint[s] == SENTENCE  # what is glued to it is another piece of the page
                    and continued[kind[s - 1]]
                    and score[s] >= CONTINUES * threshold[d]
                    and end[b - 1] - start[a] <= LONGEST
                ):
                    remove[s], kind[s], score[s] = True, kind[s - 1], max(score[s], threshold[d])
                    last = s
            a = b
        if hi > lo and end[hi - 1] - start[lo] < SHORT_BYTES:
            for s in range(lo, hi):
                remove[s] &= repeated[s] or words[s, 0] < ARTICLE


def join(
    read: Reading, seen: Seen, evident: NDArray[np.bool_], remove: NDArray[np.bool_], kind: NDArray[np.int64],
    score: NDArray[np.float32], threshold: NDArray[np.float32], asking: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Let doubtful segments go with the removed ones of their line, and article sentences of short texts stay.

    A passage that repetition gives away is made one kind. Nothing is joined over a sentence that is beyond doubt.
    Changed in place are ``remove``, ``kind`` and ``score``, a segment each; what is joined has the kind of the
    segment before it and at least the threshold's score. ``threshold`` is a float32 a document, ``evident`` and
    ``asking`` mark the segments that repetition gives away and that the second decision takes for an appeal.
    """
    segments, repeated = read.segments, seen.others.any(axis=1) | asking | evident
    if evident.any():
        _one_kind(segments.bounds, segments.start, segments.end, seen.others[:, 0], evident, kind)
    _join(
        segments.bounds, segments.joint, segments.start, segments.end, read.words, repeated, threshold, _CONTINUED,
        remove, kind, score,
    )  # fmt: skip
