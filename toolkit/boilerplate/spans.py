"""Spans: from decisions about segments to byte ranges, through rounds of cleaning, to rows of code points.

Between what is kept, white space is mended.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.boilerplate.scoring import KINDS
from toolkit.buffer import CLASSES, Buffer, among, decode
from toolkit.errors import CorpusError
from toolkit.kernels import njit
from toolkit.segments import Segments

SPAN_COLUMNS = ("doc_id", "start", "end", "kind", "score", "evidence", "template_id")
TWICE = "twice"  # what stands in the text before; found only where it is asked for, and not by the model
ALL_KINDS = (*KINDS, TWICE)
EVIDENCE = ("model", "template", "rule")  # what a span rests on


@dataclass(frozen=True)
class Cuts:
    """Ranges of ``Buffer.data`` to be removed, one a row, sorted by document and place, disjoint.

    ``kind`` and ``evidence`` are places in :data:`ALL_KINDS` and :data:`EVIDENCE`; ``template`` is 0 for the words.
    """

    document: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    kind: NDArray[np.int64]
    score: NDArray[np.float64]
    evidence: NDArray[np.int64]
    template: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.start)

    def take(self, rows: NDArray[Any]) -> Cuts:
        """Keep some cuts."""
        return Cuts(*(getattr(self, f.name)[rows] for f in fields(self)))

    @classmethod
    def of(
        cls, segments: Segments, remove: NDArray[np.bool_], kind: NDArray[np.int64], score: NDArray[np.float32],
        template: NDArray[np.uint64], ruled: NDArray[np.bool_],
    ) -> Cuts:  # fmt: skip
        """Join neighbouring removed segments of one kind."""
        chosen = np.flatnonzero(remove)
        document = segments.owner(chosen)
        new = np.ones(len(chosen), bool)
        new[1:] = (np.diff(chosen) != 1) | (np.diff(document) != 0) | (np.diff(kind[chosen]) != 0)
        starts = np.flatnonzero(new)
        stops = np.append(starts, len(chosen))[1:]
        size = (segments.end - segments.start)[chosen]
        total = np.add.reduceat(size, starts)
        mean = np.add.reduceat(size * score[chosen].astype(np.float64), starts) / total
        keyed = template[chosen] != 0
        repeated = np.add.reduceat(size * keyed, starts) * 2 >= total
        rule = np.logical_or.reduceat(ruled[chosen], starts)
        largest = np.lexsort((-np.arange(len(chosen)), size * keyed, np.cumsum(new)))[stops - 1]
        evidence = np.where(rule, 2, np.where(repeated, 1, 0))
        named = np.where(evidence > 0, template[chosen[largest]], np.uint64(0))
        return cls(
            document[starts], segments.start[chosen[starts]], segments.end[chosen[stops - 1]], kind[chosen[starts]],
            mean, evidence, named,
        )  # fmt: skip

    @classmethod
    def together(cls, parts: list[Cuts]) -> Cuts:
        """Lay cuts end to end."""
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))

    def mended(self, buffer: Buffer, documents: NDArray[np.int64]) -> Mended:
        """Clean some documents, in ascending order.

        White space on either side of a cut goes; what takes its place is the wider of the two breaks, if there was
        one; else a new line where the cut was glued to the end of a sentence; else a space.
        """
        cuts = self.take(np.isin(self.document, documents)) if len(documents) < len(buffer) else self
        # the first cut of each document; behind the last, the number of cuts
        edges = np.append(np.searchsorted(cuts.document, documents), len(cuts))
        room = int((buffer.offsets[documents + 1] - buffer.offsets[documents]).sum())
        out, offsets = np.empty(room, np.uint8), np.zeros(len(edges), np.int64)
        source, place, size = (np.empty(len(cuts) + len(documents), np.int64) for _ in range(3))
        k = _mend(
            buffer.data, buffer.offsets, documents, edges, cuts.start, cuts.end, CLASSES, _ENDS, out, offsets, source,
            place, size,
        )  # fmt: skip
        return Mended(Buffer(out[: offsets[-1]], offsets), source[:k], place[:k], size[:k])

    def joined(self, other: Cuts, buffer: Buffer) -> Cuts:
        """Return both sets of cuts, those of one kind with only white space between them made one."""
        both = Cuts.together([self, other])
        both = both.take(np.lexsort((both.start, both.document)))
        keep, rests_on = np.ones(len(both), bool), np.arange(len(both))
        end, score = both.end.copy(), both.score.copy()
        _join(buffer.data, both.document, both.start, end, both.kind, score, rests_on, CLASSES, keep)
        kept, rests = both.take(keep), both.take(rests_on[keep])
        return replace(
            kept, end=end[keep], score=score[keep], evidence=rests.evidence, template=rests.template
        )

    def carried_back(self, mended: Mended, documents: NDArray[np.int64]) -> Cuts:
        """Return cuts of clean texts as cuts of the original ones; what spans an earlier cut falls into pieces."""
        place, size = mended.place, mended.size
        first = np.searchsorted(place + size, self.start, side="right")
        last = np.searchsorted(place, self.end, side="left")
        count = last - first
        rows = np.repeat(np.arange(len(self)), count)
        piece = np.repeat(first + count - np.cumsum(count), count) + np.arange(len(rows))
        parts = self.take(rows)
        a = np.maximum(parts.start - place[piece], 0) + mended.source[piece]
        b = np.minimum(parts.end - place[piece], size[piece]) + mended.source[piece]
        return replace(parts, document=documents[parts.document], start=a, end=b)


@njit(cache=True, nogil=True)
def _join(data, document, start, end, kind, score, size, classes, keep):  # type: ignore[no-untyped-def]
    """Fold each cut into the one before where one kind goes on over white space; unmark it in ``keep``."""
    at = 0
    for i in range(1, len(start)):
        same = document[i] == document[at] and kind[i] == kind[at]
        if same and _skip_blank(data, end[at], start[i], classes) >= start[i]:
            keep[i] = False
            a, b = end[at] - start[at], end[i] - start[i]
            score[at] = (score[at] * a + score[i] * b) / (a + b)
            end[at] = end[i]
            if b > a:
                size[at] = i  # the larger part says what the span rests on
        else:
            at = i


@njit(cache=True, nogil=True)
def _places(data, offsets, document, given, of_bytes, out):  # type: ignore[no-untyped-def]
    """Code point at each byte of a document, in ascending order; or byte of each code point.

    A code point beyond its end, or below the one before, has -1.
    """
    at = np.int64(0)
    count = 0
    now = np.int64(-1)
    for i in range(len(given)):
        if document[i] != now:
            now = document[i]
            at = offsets[now]
            count = 0
        stop = given[i] if of_bytes else offsets[now + 1]
        while at < stop and (of_bytes or count < given[i]):
            at += 1
            while at < offsets[now + 1] and data[at] & 0xC0 == 0x80:
                at += 1
            count += 1
        if of_bytes:
            out[i] = count
        else:
            out[i] = at if count == given[i] else -1


def span_table(corpus: pd.DataFrame, buffer: Buffer, cuts: Cuts) -> pd.DataFrame:
    """Return cuts as a spans frame, columns :data:`SPAN_COLUMNS`."""
    both = np.empty((len(cuts), 2), np.int64)
    places = np.column_stack([cuts.start, cuts.end]).ravel()
    _places(buffer.data, buffer.offsets, np.repeat(cuts.document, 2), places, True, both.reshape(-1))
    unique, which = np.unique(cuts.template, return_inverse=True)
    name = pd.Series(np.array([f"{t:016x}" for t in unique], object)[which], dtype="str")
    return pd.DataFrame({
        "doc_id": corpus["doc_id"].take(cuts.document).array, "start": both[:, 0], "end": both[:, 1],
        "kind": pd.array(np.array(ALL_KINDS, object)[cuts.kind], dtype="str"), "score": cuts.score,
        "evidence": pd.array(np.array(EVIDENCE, object)[cuts.evidence], dtype="str"),
        "template_id": name.mask(cuts.template == 0).array,
    })  # fmt: skip


def cuts_of(corpus: pd.DataFrame, buffer: Buffer, spans: pd.DataFrame) -> Cuts:
    """Return spans as cuts, without those of documents that are not in the corpus; CorpusError if one cannot be."""
    at = pd.Index(corpus["doc_id"]).get_indexer(spans["doc_id"])
    known = np.flatnonzero(at >= 0)
    document = at[known].astype(np.int64)
    points = spans[["start", "end"]].to_numpy(np.int64)[known]
    order = np.lexsort((points[:, 0], document))
    document, points, rows = document[order], points[order], spans.iloc[known[order]]
    places = np.empty((len(points), 2), np.int64)
    _places(buffer.data, buffer.offsets, np.repeat(document, 2), points.ravel(), False, places.reshape(-1))
    wrong = (places < 0).any(axis=1) | (points[:, 0] >= points[:, 1])
    if wrong.any():
        bad = int(wrong.argmax())
        length = len(corpus["text"].iloc[document[bad]])
        name, place = rows["doc_id"].iloc[bad], f"{points[bad, 0]}–{points[bad, 1]}"
        fault = f"span {place} does not fit its text of {length} characters or overlaps another"
        raise CorpusError(f"document {name!r}: {fault}; find spans anew")
    template = rows["template_id"].fillna("0").map(lambda name: int(name, 16)).to_numpy(np.uint64)
    kind = pd.Index(ALL_KINDS).get_indexer(rows["kind"]).astype(np.int64)
    basis = pd.Index(EVIDENCE).get_indexer(rows["evidence"]).astype(np.int64)
    score = rows["score"].to_numpy(np.float64)
    return Cuts(document, places[:, 0].copy(), places[:, 1].copy(), kind, score, basis, template)


def template_table(corpus: pd.DataFrame, spans: pd.DataFrame) -> pd.DataFrame:
    """Sum up the templates that ``spans`` of ``corpus`` rest on, most documents first.

    ``kind`` is the most frequent, ``characters`` are those removed in all, ``example`` has at most 300.
    """
    about = corpus[["doc_id", "publisher", "published", "text"]]
    rows = spans[spans["template_id"].notna()].merge(about, on="doc_id", how="left")
    places = zip(rows["text"], rows["start"], rows["end"], strict=True)
    rows["example"] = [text[start : min(end, start + 300)] for text, start, end in places]
    rows["characters"] = rows["end"] - rows["start"]
    table = rows.groupby("template_id").agg(
        publisher=("publisher", "first"), documents=("doc_id", "nunique"), first_seen=("published", "min"),
        last_seen=("published", "max"), characters=("characters", "sum"), example=("example", "min"),
    )  # fmt: skip
    table.insert(1, "kind", commonest_kinds(rows, "template_id").reindex(table.index))
    order = {"by": ["documents", "template_id"], "ascending": [False, True]}
    return table.reset_index().sort_values(**order, ignore_index=True)


def commonest_kinds(table: pd.DataFrame, by: str) -> pd.Series[str]:
    """Return the most frequent ``kind`` of each group that has one; of equally frequent ones the first by name."""
    counts = table.groupby([by, "kind"]).size().rename("n").reset_index()
    counts = counts.sort_values([by, "n", "kind"], ascending=[True, False, True])
    return counts.drop_duplicates(by).set_index(by)["kind"]


_ENDS = np.array(sorted(ord(c) for c in ".!?…。！？:;\"'”’)]»"), np.int64)
_SPACE, _BREAK = int(CLASSES[ord(" ")]), int(CLASSES[ord("\n")])


@dataclass(frozen=True)
class Mended:
    """Clean texts, and where each piece of them came from.

    ``source`` and ``place`` are the first byte of each kept piece in the original buffer and in ``buffer``, ``size``
    its bytes.
    """

    buffer: Buffer
    source: NDArray[np.int64]
    place: NDArray[np.int64]
    size: NDArray[np.int64]


@njit(cache=True, nogil=True)
def _before(data, lo, i):  # type: ignore[no-untyped-def]
    """Start of the character that ends at byte ``i``."""
    i -= 1
    while i > lo and data[i] & 0xC0 == 0x80:
        i -= 1
    return i


@njit(cache=True, nogil=True)
def _skip_blank(data, i, hi, classes):  # type: ignore[no-untyped-def]
    while i < hi:
        code, size = decode(data, i, hi)
        if classes[code] != _SPACE and classes[code] != _BREAK:
            break
        i += size
    return i


@njit(cache=True, nogil=True)
def _trim_blank(data, lo, i, classes):  # type: ignore[no-untyped-def]
    while i > lo:
        k = _before(data, lo, i)
        code, _ = decode(data, k, i)
        if classes[code] != _SPACE and classes[code] != _BREAK:
            break
        i = k
    return i


@njit(cache=True, nogil=True)
def _lines(data, a, b):  # type: ignore[no-untyped-def]
    n = 0
    for i in range(a, b):
        n += data[i] == 10
    return n


@njit(cache=True, nogil=True)
def _gap(data, left, right, classes, ends, out, at):  # type: ignore[no-untyped-def]
    """Write the white space that stands between pieces ending at ``left`` and starting at ``right``."""
    a = _skip_blank(data, left, right, classes)
    b = _trim_blank(data, left, right, classes)
    before, after = _lines(data, left, a), _lines(data, b, right)
    if before > 0 or after > 0:
        start, stop = (left, a) if before >= after else (b, right)
        for i in range(start, stop):
            out[at] = data[i]
            at += 1
        return at
    code, _ = decode(data, _before(data, np.int64(0), left), left)
    glued = a == left or b == right
    new_line = _lines(data, left, right) > 0 or (glued and among(ends, code))
    out[at] = 10 if new_line else 32
    return at + 1


@njit(cache=True, nogil=True)
def _mend(  # type: ignore[no-untyped-def]
    data, offsets, documents, cut_bounds, start, end, classes, ends, out, out_offsets, source, place, size
):  # fmt: skip
    """Write the clean texts, their offsets and their pieces; return the number of pieces."""
    at = np.int64(0)
    pieces = 0
    for j in range(len(documents)):
        lo, hi = offsets[documents[j]], offsets[documents[j] + 1]
        a = lo
        last = np.int64(-1)
        for c in range(cut_bounds[j], cut_bounds[j + 1] + 1):
            final = c == cut_bounds[j + 1]
            b = hi if final else start[c]
            first = a if a == lo and c == cut_bounds[j] else _skip_blank(data, a, b, classes)
            stop = b if final else _trim_blank(data, first, b, classes)
            if first < stop:
                if last >= 0:
                    at = _gap(data, last, first, classes, ends, out, at)
                source[pieces] = first
                place[pieces] = at
                size[pieces] = stop - first
                for i in range(first, stop):
                    out[at] = data[i]
                    at += 1
                pieces += 1
                last = stop
            if not final:
                a = end[c]
        out_offsets[j + 1] = at
    return pieces
