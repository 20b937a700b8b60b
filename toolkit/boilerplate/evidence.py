"""Everything that speaks for or against a segment, as one row of numbers.

Columns come from four sources: the segment's words (class logits), its neighbours, its shape and place in
the document, and what the template index has counted of it.
"""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from toolkit.boilerplate.features import mix
from toolkit.boilerplate.templates import CONTRASTED, WINDOWS, TemplateIndex, find
from toolkit.segments import Segments

KINDS = ("appeal", "promo", "related", "caption", "byline", "notice", "interface")
"""Kinds of boilerplate, in the order of the model's classes; class 0 is article text."""

CLASSES = len(KINDS) + 1
OWN = tuple(f"{by}_{k}" for by in ("gold", "markup") for k in ("keep", *KINDS))
AROUND = (
    *(f"boilerplate@{k:+d}" for k in (-3, -2, -1, 1, 2, 3)),
    "markup@-1",
    "markup@+1",
    "caption@-1", "caption@+1", "related@-1", "related@+1",
    "paragraph_mean", "paragraph_before", "paragraph_after", "document_mean",
)  # fmt: skip
PLACE = (
    "tokens", "capitalised", "shouted", "digits", "marks", "quotes", "first_class", "last_class", "joint",
    "joint_after",
    "from_start", "from_end", "relative", "segments", "paragraph_bytes", "paragraph_segments", "in_paragraph",
    "within", "is_title", "tokens@-1", "tokens@+1", "last_class@-1", "capitalised@-1", "capitalised@+1",
)  # fmt: skip
REPEATED = (
    *(f"{w}_{c}" for w in WINDOWS[:-1] for c in ("docs", "rate", "score")),
    *(f"{w}_lift" for w in CONTRASTED),
    "exact_span", "exact_stories", "fuzzy_span", "fuzzy_stories", "exact_elsewhere", "exact_publishers", "titled",
    "exact_docs@-1", "exact_docs@+1", "fuzzy_docs@-1", "fuzzy_docs@+1", "repeated_share", "publisher_docs",
)  # fmt: skip
COLUMNS = (*OWN, *AROUND, *PLACE, *REPEATED)
"""Names of the evidence columns."""

_AT_PLACE = len(OWN) + len(AROUND)
_AT_REPEATED = _AT_PLACE + len(PLACE)
_CONTRAST = np.array([w in CONTRASTED for w in WINDOWS[:-1]])


@njit(cache=True, nogil=True)
def _popcount(x):  # type: ignore[no-untyped-def]
    n = 0
    while x:
        x &= x - np.uint64(1)
        n += 1
    return n


@njit(cache=True, nogil=True)
def _probabilities(logits, out):  # type: ignore[no-untyped-def]
    for s in range(logits.shape[0]):
        top = logits[s, 0]
        for k in range(1, logits.shape[1]):
            top = max(top, logits[s, k])
        total = np.float32(0.0)
        for k in range(logits.shape[1]):
            out[s, k] = np.exp(logits[s, k] - top)
            total += out[s, k]
        for k in range(logits.shape[1]):
            out[s, k] /= total


def probabilities(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Softmax over the classes of each table, row by row; shape (n, 8 t) for t tables."""
    out = np.empty_like(logits)
    for at in range(0, logits.shape[1], CLASSES):
        _probabilities(logits[:, at : at + CLASSES], out[:, at : at + CLASSES])
    return out


@njit(cache=True, nogil=True)
def _local(p, shapes, prints, joint, bounds, titles, out):  # type: ignore[no-untyped-def]
    """Columns OWN, AROUND and PLACE."""
    for d in range(len(bounds) - 1):
        lo, hi = bounds[d], bounds[d + 1]
        n = hi - lo
        if n == 0:
            continue
        order = np.argsort(prints[lo:hi, 0])
        total = 0.0
        weight = 0.0
        for s in range(lo, hi):
            w = min(shapes[s, 7], 400)
            total += (1.0 - p[s, 0]) * w
            weight += w
        mean = total / max(weight, 1.0)
        before_mean = 0.0
        a = lo
        previous_row = -1
        while a < hi:  # paragraph by paragraph
            b = a + 1
            while b < hi and joint[b] > 2:
                b += 1
            size = 0
            t = 0.0
            w = 0.0
            for s in range(a, b):
                size += shapes[s, 7]
                ws = min(shapes[s, 7], 400)
                t += (1.0 - p[s, 0]) * ws
                w += ws
            here = t / max(w, 1.0)
            for s in range(a, b):
                row = out[s]
                for k in range(p.shape[1]):
                    row[k] = np.log(p[s, k] + np.float32(1e-4))
                j = p.shape[1]
                for step in (-3, -2, -1, 1, 2, 3):
                    q = s + step
                    row[j] = 1.0 - p[q, 0] if lo <= q < hi else -1.0
                    j += 1
                for step in (-1, 1):
                    q = s + step
                    row[j] = 1.0 - p[q, 8] if lo <= q < hi else -1.0
                    j += 1
                for k in (4, 3):
                    row[j] = p[s - 1, k] if s > lo else -1.0
                    row[j + 1] = p[s + 1, k] if s + 1 < hi else -1.0
                    j += 2
                row[j] = here
                row[j + 1] = before_mean
                row[j + 2] = -1.0
                row[j + 3] = mean
                j += 4
                tokens = max(shapes[s, 0], 1)
                words = max(shapes[s, 1], 1)
                row[j] = np.log1p(np.float32(shapes[s, 0]))
                row[j + 1] = shapes[s, 2] / words
                row[j + 2] = shapes[s, 3] / words
                row[j + 3] = shapes[s, 4] / tokens
                row[j + 4] = shapes[s, 5] / tokens
                row[j + 5] = min(shapes[s, 6], 4)
                row[j + 6] = shapes[s, 8]
                row[j + 7] = shapes[s, 9]
                row[j + 8] = joint[s]
                row[j + 9] = joint[s + 1] if s + 1 < hi else 0
                row[j + 10] = min(s - lo, 30)
                row[j + 11] = min(hi - 1 - s, 30)
                row[j + 12] = (s - lo) / max(n - 1, 1)
                row[j + 13] = np.log1p(np.float32(n))
                row[j + 14] = np.log1p(np.float32(size))
                row[j + 15] = np.log1p(np.float32(b - a))
                row[j + 16] = min(s - a, 10)
                row[j + 17] = 0
                row[j + 18] = 1.0 if titles[d] != 0 and prints[s, 0] == titles[d] else 0.0
                row[j + 19] = np.log1p(np.float32(shapes[s - 1, 0])) if s > lo else -1.0
                row[j + 20] = np.log1p(np.float32(shapes[s + 1, 0])) if s + 1 < hi else -1.0
                row[j + 21] = shapes[s - 1, 9] if s > lo else -1.0
                row[j + 22] = shapes[s - 1, 2] / max(shapes[s - 1, 1], 1) if s > lo else -1.0
                row[j + 23] = shapes[s + 1, 2] / max(shapes[s + 1, 1], 1) if s + 1 < hi else -1.0
            if previous_row >= 0:
                for s in range(previous_row, a):
                    out[s, _AFTER] = here
            before_mean = here
            previous_row = a
            a = b
        i = 0
        while i < n:  # the same segment several times in one document
            k = i + 1
            while k < n and prints[lo + order[k], 0] == prints[lo + order[i], 0]:
                k += 1
            for r in range(i, k):
                out[lo + order[r], _WITHIN] = min(k - i - 1, 10)
            i = k


_AFTER = len(OWN) + AROUND.index("paragraph_after")
_WITHIN = _AT_PLACE + PLACE.index("within")


@njit(cache=True, nogil=True)
def _repeated(  # type: ignore[no-untyped-def]
    prints, shapes, bounds, publishers, pub_docs, all_docs, contrast, slots, rows, docs, occurrences, score, first,
    last, stories, out
):  # fmt: skip
    """Columns REPEATED; counts exclude the document itself."""
    windows = len(contrast)
    at_lift = _AT_REPEATED + 3 * windows
    n_lift = 0
    for w in range(windows):
        n_lift += contrast[w]
    rest = at_lift + n_lift
    for d in range(len(bounds) - 1):
        lo, hi = bounds[d], bounds[d + 1]
        size = np.float32(pub_docs[d])
        others = np.float32(max(all_docs - pub_docs[d], 0))
        share = 0.0
        weight = 0.0
        for s in range(lo, hi):
            row = out[s]
            lift = at_lift
            for w in range(windows):
                h = prints[s, w]
                at = _AT_REPEATED + 3 * w
                here = 0
                row[at] = 0
                row[at + 1] = 0
                row[at + 2] = -1
                r = np.int64(-1)
                if h != 0:
                    r = find(slots, rows, mix(mix(h, np.uint64(w + 1)), publishers[d]))
                    if r >= 0:
                        here = max(docs[r] - 1, 0)
                        row[at] = np.log1p(np.float32(here))
                        row[at + 1] = here / max(size, np.float32(1.0))
                        if occurrences[r] > 1:
                            row[at + 2] = (
                                np.float32(score[r]) / np.float32(occurrences[r]) / np.float32(256.0)
                            )
                if w < 2:
                    row[rest + 2 * w] = 0
                    row[rest + 2 * w + 1] = 0
                    if r >= 0 and here > 0:
                        row[rest + 2 * w] = np.log1p(np.float32(max(last[r] - first[r], 0)))
                        row[rest + 2 * w + 1] = _popcount(stories[r]) / np.float32(min(here + 1, 64))
                if contrast[w]:
                    row[lift] = 0
                    elsewhere = 0
                    spread = 0
                    if h != 0:
                        g = find(slots, rows, mix(mix(h, np.uint64(w + 1)), np.uint64(1)))
                        if g >= 0:
                            elsewhere = max(docs[g] - here - 1, 0)
                            spread = max(_popcount(stories[g]) - 1, 0)
                        if here > 0:
                            row[lift] = np.log((here + np.float32(0.1)) / (size + np.float32(1.0))) - np.log(
                                (elsewhere + np.float32(0.1)) / (others + np.float32(1.0))
                            )
                    if w == 0:
                        row[rest + 4] = np.log1p(np.float32(elsewhere))
                        row[rest + 5] = np.log1p(np.float32(spread))
                    lift += 1
            t = find(slots, rows, mix(mix(prints[s, 0], np.uint64(windows + 1)), publishers[d]))
            row[rest + 6] = 0
            if t >= 0 and row[_TITLE] == 0:
                row[rest + 6] = np.log1p(np.float32(docs[t]))
            w7 = min(shapes[s, 7], 400)
            weight += w7
            if row[_AT_REPEATED] > 0:
                share += w7
        for s in range(lo, hi):
            row = out[s]
            row[rest + 7] = out[s - 1, _AT_REPEATED] if s > lo else -1.0
            row[rest + 8] = out[s + 1, _AT_REPEATED] if s + 1 < hi else -1.0
            row[rest + 9] = out[s - 1, _AT_REPEATED + 3] if s > lo else -1.0
            row[rest + 10] = out[s + 1, _AT_REPEATED + 3] if s + 1 < hi else -1.0
            row[rest + 11] = share / max(weight, 1.0)
            row[rest + 12] = np.log1p(size)


_TITLE = _AT_PLACE + PLACE.index("is_title")


def evidence(
    segments: Segments,
    p: NDArray[np.float32],
    shapes: NDArray[np.int32],
    prints: NDArray[np.uint64],
    titles: NDArray[np.uint64],
    publishers: NDArray[np.uint64],
    index: TemplateIndex | None,
    table: tuple[NDArray[np.uint64], NDArray[np.int64]] | None,
) -> NDArray[np.float32]:
    """Return one row of evidence a segment.

    Parameters
    ----------
    p : ndarray of float32, shape (n_segments, 16)
        Class probabilities by the segment's words: eight learned from gold, eight from pages' markup; columns
        0 and 8 are article text.
    index, table
        A fitted index and its look-up table; None where no corpus was fitted: the columns
        :data:`REPEATED` are then 0.

    Returns
    -------
    ndarray of float32, shape (n_segments, len(COLUMNS))
    """
    out = np.zeros((len(segments), len(COLUMNS)), np.float32)
    _local(p, shapes, prints, segments.joint, segments.bounds, titles, out)
    if index is not None and table is not None:
        sizes = index.documents
        at = np.searchsorted(sizes.key, publishers).clip(0, max(len(sizes) - 1, 0))
        known = (sizes.key[at] == publishers) if len(sizes) else np.zeros(len(publishers), bool)
        pub_docs = np.where(known, sizes.docs[at], 0) if len(sizes) else np.zeros(len(publishers), np.int32)
        everywhere = int(sizes.docs[sizes.key == 1].sum())
        c = index.counts
        _repeated(
            prints, shapes, segments.bounds, publishers, pub_docs, everywhere, _CONTRAST, *table,
            c.docs, c.occurrences, c.score, c.first, c.last, c.stories, out,
        )  # fmt: skip
    return out


_GOLD, _MARKUP = COLUMNS.index("gold_keep"), COLUMNS.index("markup_keep")
_NEAR = COLUMNS.index("boilerplate@-1"), COLUMNS.index("boilerplate@+1")
_DOCS = COLUMNS.index("exact_docs"), COLUMNS.index("fuzzy_docs")


def suspicious(rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Mark the rows worth weighing: by their words, by a neighbour's words, or because they repeat.

    The others, five in eight, are article text: in cross-validation they held .05 % of what the trees would
    remove.
    """
    return (
        (rows[:, _GOLD] < np.log(np.float32(0.997)))
        | (rows[:, _MARKUP] < np.log(np.float32(0.97)))
        | (rows[:, _NEAR[0]] > 0.3)
        | (rows[:, _NEAR[1]] > 0.3)
        | (rows[:, _DOCS[0]] > 0)
        | (rows[:, _DOCS[1]] > 0)
    )
