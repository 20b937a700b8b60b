"""Spans: from decisions about segments to character ranges, and from ranges to clean text."""

# ruff: noqa: ANN001, ANN201  (numba kernels infer their types)

from __future__ import annotations

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray

from toolkit.boilerplate.evidence import KINDS
from toolkit.segments import Buffer, Segments

SPAN_COLUMNS = ("doc_id", "start", "end", "kind", "score", "evidence", "template_id")
"""Columns of a spans frame."""

_ENDS = ".!?…。！？:;\"'”’)]»"


def empty_spans() -> pd.DataFrame:
    """Return a spans frame with no rows and the right dtypes."""
    dtypes = ("str", "int64", "int64", "str", "float64", "str", "str")
    return pd.DataFrame({n: pd.Series([], dtype=t) for n, t in zip(SPAN_COLUMNS, dtypes, strict=True)})


@njit(cache=True, nogil=True)
def code_points(data, base, positions, out):  # type: ignore[no-untyped-def]
    """Number of code points in ``data[base:p]`` for each p of the sorted byte positions."""
    at = base
    count = 0
    for i in range(len(positions)):
        while at < positions[i]:
            if data[at] & 0xC0 != 0x80:
                count += 1
            at += 1
        out[i] = count


_APPEAL = KINDS.index("appeal")
_LEAST, _EDGE, _REACH = 0.3, 0.4, 4


def fill_appeals(
    bounds: NDArray[np.int64], kind: NDArray[np.int64], score: NDArray[np.float32], threshold: float
) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Join the sentences of an appeal to one passage.

    An appeal speaks of the news it sells, so its middle sentences sound like an article; what stands between two
    sentences that ask belongs to it. Sentences with a score of at least .3 that look like an appeal, at most
    four segments apart, make a passage if one of them is beyond doubt; it starts and ends with one of .4.

    Parameters
    ----------
    bounds : ndarray of int64, shape (n_documents + 1,)
    kind, score : ndarray, shape (n_segments,)
    threshold : float
        Least score of the surest sentence.

    Returns
    -------
    inside : ndarray of bool, shape (n_segments,)
    score : ndarray of float32, shape (n_segments,)
        Raised inside a passage to the mean of the sentences that ask.
    """
    inside, raised = np.zeros(len(score), bool), score.copy()
    asks = np.flatnonzero((kind == _APPEAL) & (score >= _LEAST))
    document = np.searchsorted(bounds, asks, side="right")
    breaks = np.flatnonzero((np.diff(asks) > _REACH) | (np.diff(document) > 0)) + 1
    for group in np.split(asks, breaks):
        edges = np.flatnonzero(score[group] >= _EDGE)
        group = group[edges[0] : edges[-1] + 1] if len(edges) else group[:0]
        if len(group) > 1 and score[group].max() >= threshold:
            passage = slice(group[0], group[-1] + 1)
            inside[passage] = True
            raised[passage] = np.maximum(raised[passage], score[group].mean())
    return inside, raised


def assemble(
    buffer: Buffer,
    segments: Segments,
    remove: NDArray[np.bool_],
    kind: NDArray[np.int64],
    score: NDArray[np.float32],
    template: NDArray[np.uint64],
    ruled: NDArray[np.bool_],
) -> dict[int, list[Row]]:
    """Join neighbouring removed segments of one kind; return spans in code points by document position."""
    chosen = np.flatnonzero(remove)
    if not len(chosen):
        return {}
    document = np.repeat(np.arange(len(buffer)), np.diff(segments.bounds))[chosen]
    new = np.ones(len(chosen), bool)
    new[1:] = (
        (chosen[1:] != chosen[:-1] + 1)
        | (document[1:] != document[:-1])
        | (kind[chosen[1:]] != kind[chosen[:-1]])
    )
    starts = np.flatnonzero(new)
    stops = np.r_[starts[1:], len(chosen)]
    size = (segments.end - segments.start)[chosen].astype(np.float64)
    total = np.add.reduceat(size, starts)
    mean = np.add.reduceat(size * score[chosen].astype(np.float64), starts) / total
    repeated = np.add.reduceat(size * (template[chosen] != 0), starts) * 2 >= total
    rule = np.logical_or.reduceat(ruled[chosen], starts)
    edges = np.column_stack([segments.start[chosen[starts]], segments.end[chosen[stops - 1]]])
    found: dict[int, list[Row]] = {}
    for i, a in enumerate(starts):
        d = int(document[a])
        evidence = "rule" if rule[i] else "template" if repeated[i] else "model"
        name = None
        if evidence != "model":
            known = [k for k in range(a, stops[i]) if template[chosen[k]] != 0]
            name = f"{int(template[chosen[max(known, key=lambda k: size[k])]]):016x}"
        row = (int(edges[i, 0]), int(edges[i, 1]), KINDS[kind[chosen[a]]], float(mean[i]), evidence, name)
        found.setdefault(d, []).append(row)
    for d, rows in found.items():
        flat = np.array([edge for row in rows for edge in row[:2]], np.int64)
        out = np.empty(len(flat), np.int64)
        code_points(buffer.data, buffer.offsets[d], flat, out)
        found[d] = [(int(a), int(b), *row[2:]) for a, b, row in zip(out[::2], out[1::2], rows, strict=True)]
    return found


Row = tuple[int, int, str, float, str, str | None]


class Pieces:
    """A text, what was cut out of it, and what is left."""

    def __init__(self, text: str, cuts: list[Row] | None = None) -> None:
        self.text = text
        self.cuts: list[Row] = cuts or []
        """start, end, kind, score, evidence, template_id; sorted, disjoint."""

    def cut_out(self, rows: list[Row]) -> None:
        """Add spans found in :meth:`clean`'s text; cuts of one kind with only white space between are joined."""
        fresh: list[Row] = []
        here = 0
        for a, b, gap in self._kept():
            size = b - a
            for start, end, *rest in rows:
                if start < here + size and end > here:
                    fresh.append((a + max(start - here, 0), a + min(end - here, size), *rest))  # type: ignore[arg-type]
            here += size + len(gap)
        joined: list[Row] = []
        for row in sorted([*self.cuts, *fresh]):
            last = joined[-1] if joined else None
            if last and last[2] == row[2] and not self.text[last[1] : row[0]].strip():
                a, b = last[1] - last[0], row[1] - row[0]
                score = (last[3] * a + row[3] * b) / (a + b)
                joined[-1] = (last[0], row[1], last[2], score, *(last if a >= b else row)[4:])
            else:
                joined.append(row)
        self.cuts = joined

    def clean(self) -> str:
        """The text left, white space around each cut mended."""
        return "".join(self.text[a:b] + gap for a, b, gap in self._kept())

    def _kept(self) -> list[tuple[int, int, str]]:
        """Kept ranges without the white space at cuts, each with the gap that follows it."""
        edges = [0, *(edge for cut in self.cuts for edge in cut[:2]), len(self.text)]
        ranges = []
        for a, b in zip(edges[::2], edges[1::2], strict=True):
            if a > 0:
                a = b - len(self.text[a:b].lstrip())
            if b < len(self.text):
                b = a + len(self.text[a:b].rstrip())
            if a < b:
                ranges.append((a, b))
        following: list[int | None] = [a for a, _ in ranges[1:]]
        following += [None] * bool(ranges)
        return [
            (a, b, "" if after is None else self._gap(b, after))
            for (a, b), after in zip(ranges, following, strict=True)
        ]

    def _gap(self, left: int, right: int) -> str:
        """White space to stand between two kept pieces that end and start here."""
        region = self.text[left:right]
        before = region[: len(region) - len(region.lstrip())]
        after = region[len(region.rstrip()) :]
        wider = max(before, after, key=lambda blank: blank.count("\n"))
        if "\n" in wider:
            return wider
        glued = not before or not after
        return "\n" if "\n" in region or (glued and self.text[left - 1] in _ENDS) else " "


def template_table(corpus: pd.DataFrame, spans: pd.DataFrame) -> pd.DataFrame:
    """Sum up the templates that ``spans`` of ``corpus`` rest on.

    Returns
    -------
    DataFrame
        ``template_id``, ``publisher``, ``kind`` (the most frequent), ``documents`` (int64), ``first_seen``,
        ``last_seen`` (``datetime64[us, UTC]``), ``characters`` (int64, removed in all), ``example`` (str, at
        most 300 characters); most documents first.
    """
    rows = spans[spans["template_id"].notna()].merge(
        corpus[["doc_id", "publisher", "published", "text"]], on="doc_id", how="left"
    )
    rows["example"] = [
        t[a : min(b, a + 300)] for t, a, b in zip(rows["text"], rows["start"], rows["end"], strict=True)
    ]
    rows["characters"] = rows["end"] - rows["start"]
    kinds = rows.groupby(["template_id", "kind"]).size().rename("n").reset_index()
    kinds = kinds.sort_values(["template_id", "n", "kind"], ascending=[True, False, True])
    kind = kinds.drop_duplicates("template_id").set_index("template_id")["kind"]
    table = rows.groupby("template_id").agg(
        publisher=("publisher", "first"),
        documents=("doc_id", "nunique"),
        first_seen=("published", "min"),
        last_seen=("published", "max"),
        characters=("characters", "sum"),
        example=("example", "min"),
    )
    table.insert(1, "kind", kind.reindex(table.index))
    table = table.reset_index().sort_values(["documents", "template_id"], ascending=[False, True])
    return table.reset_index(drop=True)
