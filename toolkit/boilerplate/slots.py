"""Slots: a sentence that carries the title of its article is the same template in every article."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.echoes import ECHOES, Titles
from toolkit.boilerplate.features import FINGERPRINTS, SHAPE, mix_all
from toolkit.boilerplate.scoring import SegmentReading, read_segments
from toolkit.buffer import Buffer
from toolkit.segments import Segments

_LEAST_TITLE, _LEAST_WORDS = 3, 3
"""Words of a title that makes a slot, and of what stands around it."""

_KNOWN = ECHOES.index("title_known")
_EXACT, _FUZZY, _WORDS = FINGERPRINTS.index("exact"), FINGERPRINTS.index("fuzzy"), SHAPE.index("words")


def mark_slots(
    buffer: Buffer, segments: Segments, read: SegmentReading, shared: NDArray[np.float32], titles: Titles
) -> None:
    """Give 'The post {title} appeared first on The Harbour Post' one exact fingerprint, whatever the title.

    The fingerprint is that of what stands before the title and after it, numbers and names masked. Where an
    article has no title, its first segment stands in for it.

    Parameters
    ----------
    read : SegmentReading
        Its column ``exact`` of ``prints`` is changed in place.
    shared : ndarray of float32, shape (n_segments, len(ECHOES))
        As :func:`toolkit.boilerplate.echoes.echoes` makes it for the same titles.
    """
    owner = np.searchsorted(segments.bounds, np.arange(len(segments)), side="right") - 1
    untitled = (titles.stop <= titles.start)[owner]
    first = segments.bounds[:-1][owner]
    beginning = np.arange(len(segments)) == first
    longer = segments.end - segments.start > np.where(
        untitled, segments.end[first] - segments.start[first], (titles.stop - titles.start)[owner]
    )
    pieces = []
    for s in np.flatnonzero((shared[:, _KNOWN] > 0.99) & longer & ~(untitled & beginning)).tolist():
        d = owner[s]
        if untitled[s]:
            title = buffer.data[segments.start[first[s]] : segments.end[first[s]]].tobytes()
        else:
            title = titles.data[titles.start[d] : titles.stop[d]].tobytes()
        a, b = int(segments.start[s]), int(segments.end[s])
        at = buffer.data[a:b].tobytes().find(title)
        if at >= 0 and len(title.split()) >= _LEAST_TITLE:
            pieces.append((s, a, a + at, a + at + len(title), b))
    if not pieces:
        return
    found = np.array(pieces, np.int64)
    halves = Segments(
        found[:, [1, 3]].ravel(), found[:, [2, 4]].ravel(), np.zeros(2 * len(found), np.uint8),
        np.array([0, 2 * len(found)], np.int64),
    )  # fmt: skip
    around = read_segments(buffer, halves)
    slotted = around.shapes[:, _WORDS].reshape(-1, 2).sum(axis=1) >= _LEAST_WORDS
    half = around.prints[:, _FUZZY].reshape(-1, 2)
    read.prints[found[slotted, 0], _EXACT] = mix_all(half[:, 0], half[:, 1])[slotted]
