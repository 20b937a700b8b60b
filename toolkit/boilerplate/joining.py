"""Joining: what stands beside removed segments of its line, and what must not go with them."""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.evidence import KINDS
from toolkit.boilerplate.reading import Reading
from toolkit.boilerplate.repetition import Seen, alike
from toolkit.kernels import njit
from toolkit.segments import LINE, SENTENCE

GAP, DOUBTED = 300, 0.04
"""Most bytes of kept text between removed pieces of a line that go with them, and the least score of each segment of
it, as a share of the threshold. In cross-validation over publishers: 16 such segments boilerplate, 1 not."""

LONGEST, CONTINUES = 1200, 0.13
"""Most bytes of a line in which the sentence after a removed caption, teaser or promotion goes with it, and its least
score, as a share of the threshold. In cross-validation: 34 such segments boilerplate, 4 not."""

SHORT, ARTICLE = 1500, 0.9
"""In a text of fewer bytes, a sentence stays that its own words take for article text with such a probability: what
stands around it is then mostly furniture, and says little. What the second decision takes for an appeal goes."""

_CONTINUED = np.array([kind in ("caption", "related", "promo") for kind in KINDS])


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
        if hi > lo and end[hi - 1] - start[lo] < SHORT:
            for s in range(lo, hi):
                remove[s] &= repeated[s] or words[s, 0] < ARTICLE


def join(
    read: Reading, seen: Seen, evident: NDArray[np.bool_], remove: NDArray[np.bool_], kind: NDArray[np.int64],
    score: NDArray[np.float32], threshold: NDArray[np.float32], asking: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Let doubtful segments go with the removed ones of their line, and article sentences of short texts stay.

    A passage that repetition gives away is made one kind.

    Nothing is joined over a sentence that is beyond doubt.

    Parameters
    ----------
    evident : ndarray of bool, shape (n_segments,)
        As :func:`toolkit.boilerplate.evidence.evident` marks them.
    remove, kind, score : ndarray, shape (n_segments,)
        Changed in place; what is joined has the kind of the segment before it and at least the threshold's score.
    threshold : ndarray of float32, shape (n_documents,)
    asking : ndarray of bool, shape (n_segments,)
        What the second decision takes for an appeal.
    """
    segments, repeated = read.segments, seen.others.any(axis=1) | asking | evident
    if evident.any():
        _one_kind(segments.bounds, segments.start, segments.end, seen.others[:, 0], evident, kind)
    _join(
        segments.bounds, segments.joint, segments.start, segments.end, read.words, repeated,
        threshold, _CONTINUED, remove, kind, score,
    )  # fmt: skip
