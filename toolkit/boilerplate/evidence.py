"""Everything that speaks for or against a segment, as one row of numbers.

Columns come from four sources: the segment's words (class logits), its neighbours, its shape and place in
the document, and what the template index has counted of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.echoes import ECHOES
from toolkit.boilerplate.features import PART, mix_all
from toolkit.boilerplate.reading import PAGE, Reading
from toolkit.boilerplate.repetition import EVIDENT, REPEATED, UNEVEN, Seen, alike, likely_article, repeated
from toolkit.boilerplate.scoring import KINDS
from toolkit.boilerplate.scoring import WINDOWS as SPOTS
from toolkit.boilerplate.templates import Lookup
from toolkit.kernels import njit, places
from toolkit.segments import LINE

CLASSES = len(KINDS) + 1
OWN = (*(f"gold_{k}" for k in ("keep", *KINDS)), "markup_keep", "plea", *(f"markup_{k}" for k in KINDS[1:]))
AROUND = (
    *(f"boilerplate@{k:+d}" for k in (-3, -2, -1, 1, 2, 3)), "markup@-1", "markup@+1", "caption@-1", "caption@+1",
    "related@-1", "related@+1", "paragraph_mean", "paragraph_before", "paragraph_after", "document_mean",
    "earlier_in_paragraph", "later_in_paragraph",
)  # fmt: skip
PLACE = (
    "tokens", "capitalised", "shouted", "digits", "marks", "quotes", "first_class", "last_class", "joint",
    "joint_after", "from_start", "from_end", "relative", "segments", "paragraph_bytes", "paragraph_segments",
    "in_paragraph", "within", "is_title", "tokens@-1", "tokens@+1", "last_class@-1", "capitalised@-1",
    "capitalised@+1", "label", "label@-1", "label@+1",
)  # fmt: skip
BODY = ("body", "off_body", "likely", "likely_before")
"""On whole pages, and 0 elsewhere: the logarithm of what the article's body is worth (:func:`_body`), by how many
segments a segment stands before it (less than 0) or behind it, the logarithm of the bytes that are likely article text,
and the share of them before the segment."""

COLUMNS = (*OWN, *AROUND, *PLACE, *BODY, "outlet", *SPOTS, *ECHOES, *REPEATED)

ALONE = len(COLUMNS) - len(REPEATED)  # the first so many columns need no index
AT = places(COLUMNS)
# of a publisher with few articles a passage is removed for its repetition alone if this share of them, and at least
# this many others, hold it, and if it opens or ends the article or half of its words sound like boilerplate
NEARLY_ALL, SEVERAL = 0.75, 3
SOUNDS = 0.5  # a line whose words give article text a probability below this sounds like boilerplate
PLEADS = 0.35  # and one whose words give an appeal one above this, like an appeal

# columns of the probabilities by words: article text and appeal by marked texts, article text by pages' markup
KEEP, APPEAL, MARKED_KEEP = AT.gold_keep, AT.gold_appeal, AT.markup_keep
_RELATED, _CAPTION = AT.gold_related, AT.gold_caption

# probabilities of article text below which a segment is weighed: by either table, and of a neighbour
_WIDE = np.array([0.997, 0.97, 0.7], np.float32)
_NARROW = np.array([0.98, 0.9, 0.6], np.float32)
_GIANT = 100  # mean bytes of a token over which a segment is data and stays (training weighs it all the same)
_LESS, _FAR = 60.0, 60  # see _body, and the most of off_body
_HINT = 0.2  # probability that some segment of a text appeals, from which on more of it is weighed


@njit(cache=True, nogil=True)
def _mean(p, shapes, a, b):  # type: ignore[no-untyped-def]
    """Mean probability of boilerplate of segments ``a:b``, each weighed by its bytes, 400 at most."""
    total = 0.0
    weight = 0.0
    for s in range(a, b):
        w = min(shapes[s, PART.bytes], 400)
        total += (1.0 - p[s, KEEP]) * w
        weight += w
    return total / max(weight, 1.0)


@njit(cache=True, nogil=True)
def _body(p, shapes, lo, hi):  # type: ignore[no-untyped-def]
    """Find the body of a page's article: the stretch of segments with the largest sum.

    A segment that is likely article text counts its bytes, 400 at most; any other counts less than nothing. Pasternack
    and Roth (2009) find articles so among the tokens of a page. Returns its ends, its sum, and the sum of all that is
    likely.
    """
    first = last = begin = lo
    most = now = likely = 0.0
    for s in range(lo, hi):
        if now <= 0.0:
            now, begin = 0.0, s
        if likely_article(p, shapes, s):
            now += min(shapes[s, PART.bytes], 400)
            likely += min(shapes[s, PART.bytes], 400)
        else:
            now -= _LESS
        if now > most:
            most, first, last = now, begin, s + 1
    return first, last, most, likely


@njit(cache=True, nogil=True)
def _local(p, shapes, prints, joint, bounds, titles, pages, wanted, out):  # type: ignore[no-untyped-def]
    """Columns OWN, AROUND, PLACE and BODY of the wanted segments, row by row."""
    n_rows = 0
    later = np.empty(len(p), np.float32)
    for d in range(len(bounds) - 1):
        lo, hi = bounds[d], bounds[d + 1]
        if not wanted[lo:hi].any():
            continue
        mean = _mean(p, shapes, lo, hi)
        body, end, worth, likely = _body(p, shapes, lo, hi) if pages[d] else (lo, lo, 0.0, 0.0)
        passed = 0.0
        before_mean = np.float32(0.0)
        a = lo
        previous = n_rows  # first row of the paragraph before
        while a < hi:  # paragraph by paragraph
            b = a + 1
            while b < hi and joint[b] > 2:
                b += 1
            here = np.float32(_mean(p, shapes, a, b))
            size, most = 0, np.float32(-1.0)
            for s in range(b - 1, a - 1, -1):
                size += shapes[s, PART.bytes]
                later[s] = most
                most = max(most, np.float32(1.0) - p[s, KEEP])
            for r in range(previous, n_rows):
                out[r, AT.paragraph_after] = here
            previous = n_rows
            earlier = np.float32(-1.0)
            for s in range(a, b):
                if wanted[s]:
                    _row(p, shapes, joint, lo, hi, s, out[n_rows])
                    row = out[n_rows]
                    n_rows += 1
                    row[AT.paragraph_mean] = here
                    row[AT.paragraph_before] = before_mean
                    row[AT.paragraph_after] = -1.0
                    row[AT.document_mean] = mean
                    row[AT.earlier_in_paragraph] = earlier
                    row[AT.later_in_paragraph] = later[s]
                    row[AT.paragraph_bytes] = np.log1p(np.float32(size))
                    row[AT.paragraph_segments] = np.log1p(np.float32(b - a))
                    row[AT.in_paragraph] = min(s - a, 10)
                    row[AT.is_title] = 1.0 if titles[d] != 0 and prints[s, 0] == titles[d] else 0.0
                    if pages[d]:
                        row[AT.body], row[AT.likely] = np.log1p(worth), np.log1p(likely)
                        off = s - body if s < body else s - end + 1 if s >= end else 0
                        row[AT.off_body] = min(max(off, -_FAR), _FAR)
                        row[AT.likely_before] = passed / max(likely, 1.0)
                if pages[d] and likely_article(p, shapes, s):
                    passed += min(shapes[s, PART.bytes], 400)
                earlier = max(earlier, np.float32(1.0) - p[s, KEEP])
            before_mean = here
            a = b


@njit(cache=True, nogil=True)
def _row(p, shapes, joint, lo, hi, s, row):  # type: ignore[no-untyped-def]
    """What a segment is by itself and beside its neighbours."""
    n = hi - lo
    none = np.float32(-1.0)
    for k in range(len(OWN)):
        row[k] = np.log(p[s, k] + np.float32(1e-4))
    j = AT.boilerplate_before3
    for step in (-3, -2, -1, 1, 2, 3):
        q = s + step
        row[j] = np.float32(1.0) - p[q, KEEP] if lo <= q < hi else none
        j += 1
    for step in (-1, 1):  # the columns of the two neighbours stand side by side
        q, after = s + step, step > 0
        here = lo <= q < hi
        words = np.float32(max(shapes[q, PART.words], 1)) if here else np.float32(1.0)
        row[AT.markup_before1 + after] = np.float32(1.0) - p[q, MARKED_KEEP] if here else none
        row[AT.caption_before1 + after] = p[q, _CAPTION] if here else none
        row[AT.related_before1 + after] = p[q, _RELATED] if here else none
        row[AT.tokens_before1 + after] = np.log1p(np.float32(shapes[q, PART.tokens])) if here else none
        row[AT.capitalised_before1 + after] = shapes[q, PART.capitalised] / words if here else none
        row[AT.label_before1 + after] = shapes[q, PART.label] if here else none
    row[AT.last_class_before1] = shapes[s - 1, PART.last_class] if s > lo else none
    tokens = np.float32(max(shapes[s, PART.tokens], 1))
    words = np.float32(max(shapes[s, PART.words], 1))
    row[AT.tokens] = np.log1p(np.float32(shapes[s, PART.tokens]))
    row[AT.capitalised] = shapes[s, PART.capitalised] / words
    row[AT.shouted] = shapes[s, PART.shouted] / words
    row[AT.digits] = shapes[s, PART.digits] / tokens
    row[AT.marks] = shapes[s, PART.marks] / tokens
    row[AT.quotes] = min(shapes[s, PART.quotes], 4)
    row[AT.first_class] = shapes[s, PART.first_class]
    row[AT.last_class] = shapes[s, PART.last_class]
    row[AT.label] = shapes[s, PART.label]
    row[AT.joint] = joint[s]
    row[AT.joint_after] = joint[s + 1] if s + 1 < hi else 0
    row[AT.from_start] = min(s - lo, 30)
    row[AT.from_end] = min(hi - 1 - s, 30)
    row[AT.relative] = np.float32(s - lo) / np.float32(max(n - 1, 1))
    row[AT.segments] = np.log1p(np.float32(n))


def suspicious(read: Reading, seen: Seen, *, everywhere: bool = False) -> NDArray[np.bool_]:
    """Mark the segments worth weighing: by their words or label, by a neighbour's, or because they repeat.

    The others, three in five, count as article text; in cross-validation they held .3 % of what would be removed. The
    bounds are wider in a text that seems to hold an appeal, and in training, which asks for ``everywhere``.
    """
    keep, size = read.words[:, KEEP], np.diff(read.segments.bounds)
    owner = np.repeat(np.arange(len(size)), size)
    wide = np.full(len(size), everywhere)
    wide[owner[read.words[:, APPEAL] >= _HINT]] = True
    own, marked, beside = np.where(wide[owner], _WIDE[:, None], _NARROW[:, None])
    labelled = read.shapes[:, PART.label] > 0
    out = (keep < own) | (read.words[:, MARKED_KEEP] < marked) | (seen.others > 0).any(axis=1) | labelled
    near, together = (keep < beside) | labelled, owner[1:] == owner[:-1]
    out[1:] |= near[:-1] & together
    out[:-1] |= near[1:] & together
    return out if everywhere else out & (read.size / _GIANT <= read.shapes[:, PART.tokens])


@njit(cache=True, nogil=True)
def _mark_beside(docs, before, many, out):  # type: ignore[no-untyped-def]
    """Mark what stands beside marked rows: a signature, or a first line, glued to other text in some articles."""
    for step in (1, -1):
        for k in range(1, len(docs)):
            i = k if step == 1 else len(docs) - 1 - k
            beside = before[i] == docs[i - 1] if step == 1 else before[i + 1] == docs[i]
            out[i] |= out[i - step] and many[i] and beside and docs[i] - docs[i - step] <= UNEVEN * docs[i]


def evident(rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Mark the rows of :func:`evidence` that are boilerplate for their repetition alone, whatever their words.

    These are, first, neighbouring segments of at least :data:`EVIDENT` words, each word for word in as many other
    articles (or in :data:`SEVERAL`, if these are :data:`NEARLY_ALL`, and the passage opens or ends the article or half
    of its words sound like boilerplate or an appeal), mostly in different stories; second, segments
    beside these in about as many articles; third, lines that sound like boilerplate and open with two words with
    which nearly all articles open a line (``Mehr zum Thema – …``). The trees have seen too few appeals that read like
    prose to be as sure. Without an index nothing is evident.
    """
    out = np.zeros(len(rows), bool)
    if rows.shape[1] == len(COLUMNS):
        counts = (AT.tokens, AT.exact_docs, AT.exact_docs_before1, AT.lead2_docs)
        tokens, docs, before, opened = (np.expm1(rows[:, at]).round().astype(np.float64) for at in counts)
        sounds = (rows[:, AT.gold_keep] < np.log(SOUNDS)) | (rows[:, AT.plea] > np.log(PLEADS))
        edge = (rows[:, AT.from_start] == 0) | (rows[:, AT.from_end] == 0)
        many = (docs >= EVIDENT) | ((docs >= SEVERAL) & (rows[:, AT.exact_rate] >= NEARLY_ALL))
        known = many & (rows[:, AT.exact_stories] >= 0.5)
        goes_on = known[1:] & known[:-1] & alike(docs, before)[1:]
        passage = np.cumsum(np.append(True, ~goes_on)[: len(rows)])
        total, heard, at_edge = (
            np.bincount(passage, each)[passage] for each in (tokens, tokens * sounds, edge)
        )
        out = known & (total >= EVIDENT) & ((docs >= EVIDENT) | (at_edge > 0) | (2 * heard >= total))
        _mark_beside(docs, before, many, out)
        begins, ends = rows[:, AT.joint] <= LINE, rows[:, AT.joint_after] <= LINE
        opens = (
            begins & (opened >= SEVERAL) & (rows[:, AT.lead2_rate] >= NEARLY_ALL) & (rows[:, AT.lead2_stories] >= 0.5)
            & (rows[:, AT.gold_keep] < np.log(SOUNDS))
        )  # fmt: skip
        out |= opens & ends
        # a line of two: 'More: Win in the 91. minute'
        two = np.flatnonzero((opens & ~ends)[:-1] & (~begins & ends)[1:])
        out[two] = out[two + 1] = True
    return out


def evidence(
    read: Reading, lookup: Lookup | None, seen: Seen, wanted: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return one row of evidence (float32) for each wanted segment; the columns are :data:`COLUMNS`.

    Without a fitted index (``lookup``) the columns :data:`REPEATED` are left out. ``seen`` comes from the same index.
    """
    width = ALONE if lookup is None else len(COLUMNS)
    out = np.zeros((int(wanted.sum()), width), np.float32)
    bounds = read.segments.bounds
    titles = read.about.titles.prints
    joint, pages = read.segments.joint, read.layouts[0] == PAGE
    _local(read.words, read.shapes, read.prints, joint, bounds, titles, pages, wanted, out)
    owner = np.repeat(np.arange(len(bounds) - 1, dtype=np.uint64), np.diff(bounds))
    keys = mix_all(read.prints[:, 0], owner)
    own, ordered = keys[wanted], np.sort(keys)
    times = np.searchsorted(ordered, own, "right") - np.searchsorted(ordered, own)
    out[:, AT.within] = np.minimum(times - 1, 10)  # the same segment elsewhere in its document
    out[:, AT.outlet] = read.about.outlets.named(read.buffer, read.segments, wanted)
    out[:, AT.head_1 : AT.words_known] = read.windows[wanted]
    out[:, AT.words_known : ALONE] = read.echoes[wanted]
    if lookup is not None:
        repeated(read, lookup, seen, wanted, out, ALONE)
        out[out[:, AT.is_title] != 0, AT.titled] = 0
    return out
