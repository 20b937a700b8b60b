"""How a cleaned article shows itself: what was removed struck through, coloured and named by its kind."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from toolkit.display.colours import OTHER, PALETTE
from toolkit.display.text import PLAIN, escaped, shortened, visible

BOX = (
    "font-family:Georgia,'DejaVu Serif',serif;font-size:15px;line-height:1.6;max-width:46em;color:#1a1a1a;"
    "background-color:#ffffff;border:1px solid #d0d0d0;border-radius:4px;padding:0.8em 1.2em;margin:0.6em 0"
)
_TAG = (
    "color:#ffffff;background-color:{ink};font-family:'DejaVu Sans',Verdana,sans-serif;font-size:11px;"
    "line-height:1.3;padding:0 0.4em;border-radius:3px;margin-right:0.3em"
)
_DEL = "color:{ink};background-color:{tint};text-decoration:line-through"
_CITED = 48
"""Characters of a removed passage that stand beside its evidence."""

FOOT = "color:#555555;font-family:'DejaVu Sans',Verdana,sans-serif;font-size:12px;margin:0.6em 0 0 0"


class Piece(NamedTuple):
    """A stretch of the text: kept (``kind`` is None) or removed, with the reason in words."""

    text: str
    kind: str | None
    reason: str


@dataclass(frozen=True, repr=False)
class CleanedArticle:
    r"""One article with what was removed from it; a notebook shows it struck through.

    Parameters
    ----------
    text : str
        The text as loaded.
    spans : DataFrame
        One row a removed span: ``start``, ``end`` (code points, half-open), ``kind`` and, if known,
        ``score``, ``evidence``, ``template_id``. Rows in any order; they must not overlap.
    title : str, optional
        Shown above the text.
    context : int, optional
        Show only this many characters on each side of the ends of a span; default all.

    Raises
    ------
    ValueError
        A span lies outside the text or overlaps another.

    Examples
    --------
    >>> spans = pd.DataFrame({"start": [12], "end": [24], "kind": ["appeal"]})
    >>> CleanedArticle("It rained.\n\nDonate now.\nIt stopped.", spans)
    It rained.
    <BLANKLINE>
    [appeal: Donate now.
    ]It stopped.
    — 12 of 35 characters removed (34.3 %)
    """

    text: str
    spans: pd.DataFrame
    title: str | None = None
    context: int | None = None

    def __post_init__(self) -> None:
        ordered = self.spans.sort_values("start", kind="stable", ignore_index=True)
        object.__setattr__(self, "spans", ordered)
        edge = 0
        for start, end in zip(ordered["start"], ordered["end"], strict=True):
            if not edge <= start <= end <= len(self.text):
                msg = (
                    f"spans: [{start}, {end}) does not fit a text of {len(self.text)} characters after "
                    f"{edge}; pass the spans of this very text"
                )
                raise ValueError(msg)
            edge = end

    @property
    def removed(self) -> int:
        """Characters removed (code points)."""
        return int((self.spans["end"] - self.spans["start"]).sum())

    def pieces(self) -> Iterator[Piece]:
        """Yield the text in order, kept and removed pieces in turn; together they are the text."""
        at = 0
        for row in self.spans.to_dict("records"):
            if row["start"] > at:
                yield Piece(self.text[at : row["start"]], None, "")
            yield Piece(self.text[row["start"] : row["end"]], str(row["kind"]), _reason(row))
            at = row["end"]
        if at < len(self.text):
            yield Piece(self.text[at:], None, "")

    def _shown(self) -> Iterator[Piece]:
        """Pieces with long passages shortened to ``context``, every character harmless."""
        pieces = list(self.pieces())
        for number, piece in enumerate(pieces):
            text = piece.text
            if self.context is not None:
                kept = piece.kind is None
                head = 0 if kept and number == 0 else self.context
                tail = 0 if kept and number + 1 == len(pieces) else self.context
                text = shortened(text, head or 2 * self.context * (tail == 0), tail)
            yield Piece(visible(text), piece.kind, visible(piece.reason))

    def _account(self) -> str:
        total = len(self.text)
        if not self.removed:
            return f"nothing removed of {total:,} characters"
        return f"{self.removed:,} of {total:,} characters removed ({self.removed / total:.1%})".replace(
            "%", " %"
        )

    def __repr__(self) -> str:
        title = f"{visible(self.title)}\n\n" if self.title else ""
        body = "".join(p.text if p.kind is None else f"[{visible(p.kind)}: {p.text}]" for p in self._shown())
        return f"{title}{body}\n— {self._account()}"

    def _repr_html_(self) -> str:
        parts = [f'<article {PLAIN} style="{BOX}">']
        if self.title:
            parts.append(f'<p style="font-size:18px;margin:0 0 0.5em 0"><b>{escaped(self.title)}</b></p>')
        parts.append('<p style="margin:0">')
        parts.extend(piece_html(piece) for piece in self._shown())
        parts.append(f'</p><p style="{FOOT}">{self._account()}</p>{self._reasons()}</article>')
        return "".join(parts)

    def _reasons(self) -> str:
        """The evidence of each removed passage as a list that opens, for who has no mouse to hover with."""
        removed = [piece for piece in self._shown() if piece.kind is not None]
        if not removed:
            return ""
        rows = (
            f"<li>{escaped(piece.reason)}: “{escaped(' '.join(shortened(piece.text, _CITED, 0).split()))}”</li>"
            for piece in removed
        )
        return (
            f'<details style="{FOOT}"><summary style="cursor:pointer">why: evidence of each passage</summary>'
            f'<ol style="margin:0.3em 0;padding-left:2em">{"".join(rows)}</ol></details>'
        )


def _reason(row: dict[Any, Any]) -> str:
    words = [str(row["kind"])]
    if pd.notna(row.get("score")):
        words.append(f"probability {row['score']:.2f}")
    if pd.notna(row.get("evidence")):
        words.append(f"evidence: {row['evidence']}")
    if pd.notna(row.get("template_id")):
        words.append(f"template {row['template_id']}")
    return ", ".join(words)


def piece_html(piece: Piece) -> str:
    """Return a piece as HTML: struck through, coloured and named if it has a kind."""
    if piece.kind is None:
        return escaped(piece.text)
    colours = PALETTE.get(piece.kind, OTHER)
    tag = f'<small style="{_TAG.format(ink=colours.ink)}">{escaped(piece.kind)}</small>'
    style = _DEL.format(ink=colours.ink, tint=colours.tint)
    reason = html.escape(visible(piece.reason))
    return f'{tag}<del title="{reason}" style="{style}">{escaped(piece.text)}</del>'


def show(
    corpus: pd.DataFrame, spans: pd.DataFrame, doc_id: str, *, context: int | None = None
) -> CleanedArticle:
    """Return document ``doc_id`` of ``corpus`` with its ``spans`` struck through.

    Parameters
    ----------
    corpus : DataFrame
        With ``doc_id`` and ``text``; ``title`` is shown if there.
    spans : DataFrame
        As ``BoilerplateRemover.spans`` returns it; other documents' rows are left out.
    doc_id : str
        Which document.
    context : int, optional
        Characters to show on each side of the ends of a span; default all.

    Raises
    ------
    KeyError
        The corpus has no such document.

    Examples
    --------
    >>> corpus = pd.DataFrame({"doc_id": ["a"], "text": ["Share Rain fell."]})
    >>> spans = pd.DataFrame({"doc_id": ["a"], "start": [0], "end": [6], "kind": ["interface"]})
    >>> show(corpus, spans, "a")
    [interface: Share ]Rain fell.
    — 6 of 16 characters removed (37.5 %)
    """
    rows = corpus[corpus["doc_id"] == doc_id]
    if rows.empty:
        first = next(iter(corpus["doc_id"]), None)
        msg = f"corpus: no document {doc_id!r}; take one of corpus['doc_id'], such as {first!r}"
        raise KeyError(msg)
    row = rows.iloc[0]
    title = row.get("title")
    return CleanedArticle(
        str(row["text"]),
        spans[spans["doc_id"] == doc_id],
        title=str(title) if pd.notna(title) and not str(row["text"]).startswith(str(title)) else None,
        context=context,
    )


class Articles(list[CleanedArticle]):
    """Several articles, shown one below the other."""

    def __repr__(self) -> str:
        return "\n\n".join(map(repr, self))

    def _repr_html_(self) -> str:
        return "".join(article._repr_html_() for article in self)


def telling(documents: pd.DataFrame, spans: pd.DataFrame, top: int = 5) -> list[str]:
    """Return ids of documents that show cleaning well: most kinds removed, and short.

    Parameters
    ----------
    documents : DataFrame
        ``doc_id``, ``publisher``, ``length`` (of the text in code points).
    spans : DataFrame
        ``doc_id, start, end, kind``.
    top : int, default 5
        How many at most. Publishers take turns. Documents that lose three fifths or more are left out.

    Returns
    -------
    list of str
        The same for the same frames, whatever their order.
    """
    sized = spans.assign(characters=spans["end"] - spans["start"])
    table = sized.groupby("doc_id").agg(kinds=("kind", "nunique"), characters=("characters", "sum"))
    table = table.join(documents.set_index("doc_id")[["publisher", "length"]], how="inner").reset_index()
    table = table[table["characters"] < 0.6 * table["length"]]
    order, ascending = ["kinds", "length", "doc_id"], [False, True, True]
    table = table.sort_values(order, ascending=ascending)
    table["turn"] = table.groupby("publisher", dropna=False).cumcount()
    table = table.sort_values(["turn", *order], ascending=[True, *ascending])
    return [str(doc_id) for doc_id in table["doc_id"].head(top)]
