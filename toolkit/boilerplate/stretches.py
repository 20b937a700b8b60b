"""Which segments go together: the best path through each text, and rules for single lines and short texts."""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.proposals import best_path
from toolkit.boilerplate.reading import GROUP_OF, GROUPS, SHORT, Reading
from toolkit.boilerplate.repetition import Seen, alike
from toolkit.boilerplate.scoring import KINDS
from toolkit.kernels import njit
from toolkit.segments import LINE, SENTENCE, Segments

MOST = 4.0  # largest weight of one segment, in log odds: none outvotes a whole stretch

SWITCH = {"laid_out": (1.0, 0.5), "run_together": (0.5, 0.25), "page": (0.0, 0.0)}
"""Cost of beginning or ending a removal, in log odds: within a line, and at the start of one. Of six pairs tried in
cross-validation, these had the highest F1 at the same loss (docs/boilerplate.md). On whole pages no cost helps."""

GAP, DOUBTED = 300, 0.1
"""Kept text between two removed pieces of one line is removed too if it has at most :data:`GAP` bytes and each of its
segments scores at least :data:`DOUBTED` times the threshold. In cross-validation over publishers, with .04 times it,
16 such segments were boilerplate and 1 was not; but invented pages without line breaks lost a third more."""

LONGEST, CONTINUES = 1200, 0.13
"""The sentence after a removed caption, teaser or promotion is removed too if their line has at most :data:`LONGEST`
bytes and the sentence scores at least :data:`CONTINUES` times the threshold. In cross-validation, 34 such segments
were boilerplate and 4 were not."""

HALF = 0.5
"""A segment beside a removed one goes too if its own words give article text a probability under ``SURELY`` and it
scores at least :data:`HALF` times the threshold (``Donate now.``). In cross-validation, of such segments with any score
36 were boilerplate and 3 were not."""

SHORT_BYTES, ARTICLE, LONE = 1500, 0.9, 0.01
"""A text under :data:`SHORT_BYTES` keeps each sentence whose own words give article text at least the probability
:data:`ARTICLE`: around it stands mostly boilerplate, so its neighbours say little. A text of one segment, such as a
headline, goes only if its words give article text less than :data:`LONE`. Repeated passages and the appeals of the
second decision are removed all the same."""

_COSTS = np.array([SWITCH[name] for name in GROUPS])[GROUP_OF]
_COSTS[SHORT] = 0  # in a text of a few sentences each is judged by itself
_CONTINUED = np.array([kind in ("caption", "related", "promo") for kind in KINDS])


def stretches(z: NDArray[np.float64], segments: Segments, layout: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Mark the segments to be removed: the best path through each document, which pays :data:`SWITCH` to change.

    So a doubtful sentence between two sure ones is removed, and a single weak one is kept. ``z`` (float64, a segment
    each) are the log odds less those of the threshold; ``layout`` is an int8 a document.
    """
    return np.asarray(best_path(z.clip(-MOST, MOST), segments.bounds, segments.joint, _COSTS[layout]))


def _one_kind(
    segments: Segments, others: NDArray[np.int32], evident: NDArray[np.bool_], kind: NDArray[np.int64]
) -> None:
    """Give all segments of a passage that other articles repeat one kind: that of most of its bytes."""
    goes_on = np.zeros(len(kind) + 1, bool)
    goes_on[1:-1] = evident[1:] & evident[:-1] & alike(others[1:], others[:-1])
    goes_on[segments.bounds] = False
    passage, known = np.cumsum(~goes_on[:-1]) - 1, kind >= 0
    size = np.zeros((passage[-1] + 1, len(KINDS)), np.int64)
    np.add.at(size, (passage[known], kind[known]), (segments.end - segments.start)[known])
    several = goes_on[:-1] | goes_on[1:]
    kind[several] = size[passage[several]].argmax(axis=1)


@njit(cache=True, nogil=True)
def _join(bounds, joint, start, end, words, outright, repeated, threshold, continued, remove, kind, score):  # type: ignore[no-untyped-def]
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
                    if closed:
                        for k in range(last + 1, s):
                            closed &= score[k] >= DOUBTED * threshold[d]
                    if closed:
                        for k in range(last + 1, s):
                            remove[k], kind[k], score[k] = True, kind[last], max(score[k], threshold[d])
                    last = s
                elif (
                    s > a
                    and remove[s - 1]
                    and joint[s] == SENTENCE  # text glued to the removed segment is another piece of the page
                    and continued[kind[s - 1]]
                    and score[s] >= CONTINUES * threshold[d]
                    and end[b - 1] - start[a] <= LONGEST
                ):
                    remove[s], kind[s], score[s] = True, kind[s - 1], max(score[s], threshold[d])
                    last = s
            a = b
        for s in range(lo, hi):
            beside = s - 1 if s > lo and remove[s - 1] else s + 1 if s + 1 < hi and remove[s + 1] else s
            if not remove[s] and beside != s and outright[s] and score[s] >= HALF * threshold[d]:
                remove[s], kind[s], score[s] = True, kind[beside], max(score[s], threshold[d])
        if hi == lo + 1:
            remove[lo] &= repeated[lo] or words[lo, 0] < LONE
        if hi > lo and end[hi - 1] - start[lo] < SHORT_BYTES:
            for s in range(lo, hi):
                remove[s] &= repeated[s] or words[s, 0] < ARTICLE


def join(
    read: Reading, seen: Seen, evident: NDArray[np.bool_], remove: NDArray[np.bool_], kind: NDArray[np.int64],
    score: NDArray[np.float32], threshold: NDArray[np.float32], asking: NDArray[np.bool_],
    outright: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Remove doubtful segments with the removed ones of their line, and keep article sentences of short texts.

    Changes ``remove``, ``kind`` and ``score`` in place: a segment removed here gets the kind of the removed one before
    it, and at least the threshold (float32, one a document) as its score. An evidently repeated passage gets one kind.
    ``evident`` marks the segments removed for their repetition alone, ``asking`` those that the second decision takes
    for an appeal, ``outright`` those whose words alone leave no doubt.
    """
    segments, repeated = read.segments, seen.others.any(axis=1) | asking | evident
    if evident.any():
        _one_kind(segments, seen.others[:, 0], evident, kind)
    _join(
        segments.bounds, segments.joint, segments.start, segments.end, read.words, outright, repeated, threshold,
        _CONTINUED, remove, kind, score,
    )  # fmt: skip
