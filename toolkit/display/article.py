"""How a cleaned article shows itself: what was removed struck through, coloured and named by its kind."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from toolkit.display.colours import LIGHT, ONLY_HERE, STANDING, VERDICTS, Theme
from toolkit.display.text import PLAIN, escaped, percent, shortened, visible

BOX = (
    "font-family:Georgia,'DejaVu Serif',serif;font-size:15px;line-height:1.6;max-width:{wide}em;color:{text};"
    "background-color:{ground};border:1px solid {line};border-radius:4px;padding:0.8em 1.2em;margin:0.6em 0"
)
_TAG = (
    "color:{on_ink};background-color:{ink};font-family:'DejaVu Sans',Verdana,sans-serif;font-size:11px;"
    "line-height:1.3;padding:0 0.4em;border-radius:3px;margin-right:0.3em"
)
_DEL = "color:{ink};background-color:{tint};text-decoration:{line}"
_CITED = 48  # characters of a removed passage that stand beside its evidence
FOOT = "color:{faint};font-family:'DejaVu Sans',Verdana,sans-serif;font-size:12px;margin:0.6em 0 0 0"


def styled(style: str, theme: Theme, **more: Any) -> str:
    """Return a style with the colours of a theme."""
    return style.format(**{"wide": 46, **theme._asdict(), **more})


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
        One row a removed span: ``start``, ``end`` (code points, half-open), ``kind`` and, if known, ``score``,
        ``evidence``, ``template_id``. In any order; a ValueError says where one lies outside the text or overlaps.
    title : str, optional
        Shown above the text.
    context : int, optional
        Show only this many characters on each side of the ends of a span; default all.
    theme : Theme, default LIGHT
    find : sequence of str
        Words to highlight.
    after : str, optional
        A clean text to show beside it.
    verdict : str, optional
        What the document is, where it is no article.

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
    theme: Theme = LIGHT
    find: tuple[str, ...] = ()
    after: str | None = None
    verdict: str | None = None

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
        gone = self.spans[~self.spans["kind"].isin(STANDING)]
        return int((gone["end"] - gone["start"]).sum())

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
        total, kinds = len(self.text), self.spans["kind"]
        lengths = (self.spans["end"] - self.spans["start"]).groupby(kinds).sum()
        if len(kinds) and kinds.isin(VERDICTS).all():
            account = (
                ", ".join(f"{verdict} {lengths.get(verdict, 0):,}" for verdict in VERDICTS) + " characters"
            )
        elif ONLY_HERE in lengths:
            account = f"{lengths[ONLY_HERE]:,} of {total:,} characters stand only here (underlined)"
        elif self.removed:
            account = f"{self.removed:,} of {total:,} characters removed ({percent(self.removed / total)})"
        else:
            account = f"nothing removed of {total:,} characters"
        return (
            account
            if self.verdict in (None, "article")
            else f"{account}; no article: {visible(self.verdict)}"
        )

    def _marked(self, text: str, left: str, right: str) -> str:
        """Return a text with the words of ``find`` between two marks."""
        if not self.find:
            return text
        longest_first = map(re.escape, sorted(self.find, key=len, reverse=True))
        words = rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)"
        return re.sub(words, lambda found: f"{left}{found[0]}{right}", text, flags=re.IGNORECASE)

    def __repr__(self) -> str:
        title = f"{visible(self.title)}\n\n" if self.title else ""
        pieces = ((self._marked(p.text, "»", "«"), p.kind) for p in self._shown())
        body = "".join(text if kind is None else f"[{visible(kind)}: {text}]" for text, kind in pieces)
        after = "" if self.after is None else f"\n— clean:\n{self._marked(visible(self.after), '»', '«')}"
        return f"{title}{body}{after}\n— {self._account()}"

    def _html(self, piece: Piece) -> str:
        if not self.find:
            return piece_html(piece, self.theme)
        left, right = f'<mark style="color:inherit;background-color:{self.theme.mark}">', "</mark>"
        # marks are set in the text and turned into tags after it is escaped
        plain = piece.text.replace("\ue000", "\ufffd").replace("\ue001", "\ufffd")
        marked = piece_html(piece._replace(text=self._marked(plain, "\ue000", "\ue001")), self.theme)
        return marked.replace("\ue000", left).replace("\ue001", right)

    def _repr_html_(self) -> str:
        title = (
            f'<p style="font-size:18px;margin:0 0 0.5em 0"><b>{escaped(self.title)}</b></p>'
            if self.title
            else ""
        )
        body, wide = "".join(map(self._html, self._shown())), 46
        if self.after is None:
            shown = f'<p style="margin:0">{body}</p>'
        else:
            column, wide = "flex:1 1 20em;margin:0;min-width:0;overflow-wrap:break-word", 94
            clean = self._html(Piece(visible(self.after), None, ""))
            shown = (
                f'<section style="display:flex;flex-wrap:wrap;gap:2em"><p style="{column}">{body}</p>'
                f'<p style="{column}">{clean}</p></section>'
            )
        foot = f'<p style="{styled(FOOT, self.theme)}">{self._account()}</p>{self._reasons()}'
        return f'<article {PLAIN} style="{styled(BOX, self.theme, wide=wide)}">{title}{shown}{foot}</article>'

    def save(self, path: str | Path) -> Path:
        """Write the article as a page of HTML, see :meth:`toolkit.display.Articles.save`."""
        from toolkit.display.gallery import Articles

        return Articles([self]).save(path)

    def _reasons(self) -> str:
        """The evidence of each removed passage as a list that opens, for who has no mouse to hover with."""
        removed = [piece for piece in self._shown() if piece.kind not in {None, ONLY_HERE}]
        if not removed:
            return ""
        rows = (
            f"<li>{escaped(piece.reason)}: “{escaped(' '.join(shortened(piece.text, _CITED, 0).split()))}”</li>"
            for piece in removed
        )
        return (
            f'<details style="{styled(FOOT, self.theme)}"><summary style="cursor:pointer">'
            "why: evidence of each passage</summary>"
            f'<ol style="margin:0.3em 0;padding-left:2em">{"".join(rows)}</ol></details>'
        )


def _reason(row: dict[Any, Any]) -> str:
    words = {"score": "probability {:.2f}", "evidence": "evidence: {}", "template_id": "template {}"}
    known = [form.format(row[name]) for name, form in words.items() if pd.notna(row.get(name))]
    return ", ".join([str(row["kind"]), *known])


def piece_html(piece: Piece, theme: Theme = LIGHT) -> str:
    """Return a piece as HTML: struck through, coloured and named if it has a kind."""
    if piece.kind is None:
        return escaped(piece.text)
    colours = theme.of(piece.kind)
    # of two compared texts all marked passages are of one kind: the line under them says it
    tag = f'<small style="{styled(_TAG, theme, ink=colours.ink)}">{escaped(piece.kind)}</small>'
    tag = "" if piece.kind == ONLY_HERE else tag
    name, line = ("u", "underline") if piece.kind in STANDING else ("del", "line-through")
    style = _DEL.format(ink=colours.ink, tint=colours.tint, line=line)
    reason = html.escape(visible(piece.reason))
    return f'{tag}<{name} title="{reason}" style="{style}">{escaped(piece.text)}</{name}>'


def telling(documents: pd.DataFrame, spans: pd.DataFrame, top: int = 5) -> list[str]:
    """Return ids of documents that show cleaning well: most kinds removed, and short; publishers take turns.

    Parameters
    ----------
    documents : DataFrame
        ``doc_id``, ``publisher``, ``length`` (of the text in code points), in any order.
    spans : DataFrame
        ``doc_id, start, end, kind``.
    top : int, default 5
        How many at most. Documents that lose three fifths or more are left out.
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
