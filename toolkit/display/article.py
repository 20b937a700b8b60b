"""Articles with what was removed struck through and named: alone or several, against gold, before beside after."""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from toolkit.display.colours import BOX, FOOT, LIGHT, ONLY_HERE, STANDING, VERDICTS, Theme, themed
from toolkit.display.text import PLAIN, escaped, percent, shortened, visible
from toolkit.errors import CorpusError, OutputError
from toolkit.tables import beside, is_cleaned, verdicts_of

WORD = r"(\w+|[^\w\s])\s*"
PAGE = 20  # articles on a page where nobody says which

_TAG = (
    "color:{on_ink};background-color:{ink};font-family:'DejaVu Sans',Verdana,sans-serif;font-size:11px;"
    "line-height:1.3;padding:0 0.4em;border-radius:3px;margin-right:0.3em"
)
_COLUMN = "flex:1 1 20em;margin:0;min-width:0;overflow-wrap:break-word"
_CITED = 48  # characters of a removed passage that stand beside its evidence


class Piece(NamedTuple):
    """A stretch of the text: kept (``kind`` is None) or removed, with the reason in words."""

    text: str
    kind: str | None
    reason: str


@dataclass(frozen=True, repr=False)
class CleanedArticle:
    r"""One article with what was removed from it; a notebook shows it struck through.

    ``spans`` has a row a removed span of ``text``, in any order: ``start``, ``end`` (code points, half-open), ``kind``
    and, if known, ``score``, ``evidence``, ``template_id``; a ValueError says where one lies outside the text or
    overlaps. ``after`` is a clean text to show beside it, ``verdict`` says what is no article. The others are as for
    :func:`show`.

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
                place = f"[{start}, {end}) does not fit a text of {len(self.text)} characters after {edge}"
                raise ValueError(f"spans: {place}; pass the spans of this very text")
            edge = end

    @property
    def removed(self) -> int:
        """Characters removed (code points)."""
        gone = self.spans[~self.spans["kind"].isin(STANDING)]
        return int((gone["end"] - gone["start"]).sum())

    def pieces(self) -> Iterator[Piece]:
        """Yield the text in order, kept and removed pieces in turn; together they are the text."""
        at, size = 0, len(self.text)
        for row in [*self.spans.to_dict("records"), {"start": size, "end": size, "kind": None}]:
            if row["start"] > at:
                yield Piece(self.text[at : row["start"]], None, "")
            if row["kind"] is not None:
                yield Piece(self.text[row["start"] : row["end"]], str(row["kind"]), _reason(row))
            at = row["end"]

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
            account = ", ".join(f"{name} {lengths.get(name, 0):,}" for name in VERDICTS) + " characters"
        elif ONLY_HERE in lengths:
            account = f"{lengths[ONLY_HERE]:,} of {total:,} characters stand only here (underlined)"
        elif self.removed:
            account = f"{self.removed:,} of {total:,} characters removed ({percent(self.removed / total)})"
        else:
            account = f"nothing removed of {total:,} characters"
        if self.verdict in (None, "article"):
            return account
        return f"{account}; no article: {visible(self.verdict)}"

    def _marked(self, text: str, mark: str, shown: Callable[[str], str] = str) -> str:
        """Return a text as ``shown``, each of the words of ``find`` in a mark such as ``"»{}«"``."""
        if not self.find:
            return shown(text)
        longest_first = map(re.escape, sorted(self.find, key=len, reverse=True))
        parts = re.split(rf"(?<!\w)({'|'.join(longest_first)})(?!\w)", text, flags=re.IGNORECASE)
        return "".join(mark.format(shown(part)) if n % 2 else shown(part) for n, part in enumerate(parts))

    def __repr__(self) -> str:
        title = f"{visible(self.title)}\n\n" if self.title else ""
        pieces = ((self._marked(p.text, "»{}«"), p.kind) for p in self._shown())
        body = "".join(text if kind is None else f"[{visible(kind)}: {text}]" for text, kind in pieces)
        after = "" if self.after is None else f"\n— clean:\n{self._marked(visible(self.after), '»{}«')}"
        return f"{title}{body}{after}\n— {self._account()}"

    def _html(self, piece: Piece) -> str:
        """Return a piece as HTML: struck through, coloured and named if it has a kind."""
        mark = f'<mark style="color:inherit;background-color:{self.theme.mark}">{{}}</mark>'
        text = self._marked(piece.text, mark, escaped)
        if piece.kind is None:
            return text
        colours = self.theme.of(piece.kind)
        # of two compared texts all marked passages are of one kind: the line under them says it
        tag = f'<small style="{self.theme.style(_TAG, ink=colours.ink)}">{escaped(piece.kind)}</small>'
        tag = "" if piece.kind == ONLY_HERE else tag
        name, line = ("u", "underline") if piece.kind in STANDING else ("del", "line-through")
        style = f"color:{colours.ink};background-color:{colours.tint};text-decoration:{line}"
        return f'{tag}<{name} title="{html.escape(piece.reason)}" style="{style}">{text}</{name}>'

    def _repr_html_(self) -> str:
        style = "font-size:18px;margin:0 0 0.5em 0"
        title = f'<p style="{style}"><b>{escaped(self.title)}</b></p>' if self.title else ""
        body, wide = "".join(map(self._html, self._shown())), 46
        shown = f'<p style="margin:0">{body}</p>'
        if self.after is not None:
            clean, wide = self._html(Piece(visible(self.after), None, "")), 94
            columns = "".join(f'<p style="{_COLUMN}">{text}</p>' for text in (body, clean))
            shown = f'<section style="display:flex;flex-wrap:wrap;gap:2em">{columns}</section>'
        foot = f'<p style="{self.theme.style(FOOT)}">{self._account()}</p>{self._reasons()}'
        return f'<article {PLAIN} style="{self.theme.style(BOX, wide=wide)}">{title}{shown}{foot}</article>'

    def save(self, path: str | Path) -> Path:
        """Write the article as a page of HTML, see :meth:`Articles.save`."""
        return Articles([self]).save(path)

    def _reasons(self) -> str:
        """The evidence of each removed passage as a list that opens, for who has no mouse to hover with."""
        rows = ""
        for piece in self._shown():
            if piece.kind not in {None, ONLY_HERE}:
                cited = " ".join(shortened(piece.text, _CITED, 0).split())
                rows += f"<li>{escaped(piece.reason)}: “{escaped(cited)}”</li>"
        if not rows:
            return ""
        return (
            f'<details style="{self.theme.style(FOOT)}"><summary style="cursor:pointer">why: evidence of each '
            f'passage</summary><ol style="margin:0.3em 0;padding-left:2em">{rows}</ol></details>'
        )


def _reason(row: dict[Any, Any]) -> str:
    words = {"score": "probability {:.2f}", "evidence": "evidence: {}", "template_id": "template {}"}
    known = [form.format(row[name]) for name, form in words.items() if pd.notna(row.get(name))]
    return ", ".join([str(row["kind"]), *known])


def telling(documents: pd.DataFrame, spans: pd.DataFrame, top: int = 5) -> list[str]:
    """Return up to ``top`` ids of documents that show cleaning well: most kinds removed, and short.

    Publishers take turns; documents that lose three fifths or more are left out. ``documents`` has ``doc_id``,
    ``publisher`` and ``length`` (of the text in code points), in any order.
    """
    sized = spans.assign(characters=spans["end"] - spans["start"])
    table = sized.groupby("doc_id").agg(kinds=("kind", "nunique"), characters=("characters", "sum"))
    table = table.reset_index().merge(documents[["doc_id", "publisher", "length"]], on="doc_id")
    table = table[table["characters"] < 0.6 * table["length"]]
    table = table.sort_values(["kinds", "length", "doc_id"], ascending=[False, True, True])
    turn = table.groupby("publisher", dropna=False).cumcount()
    chosen = table["doc_id"][turn.sort_values(kind="stable").index]
    return [str(doc_id) for doc_id in chosen.head(top)]


def show(
    corpus: pd.DataFrame, spans: pd.DataFrame | None = None, doc_id: str | Iterable[str] | None = None, *,
    context: int | None = None, gold: pd.DataFrame | None = None, side_by_side: bool = False,
    find: str | Iterable[str] = (), theme: str = "light", colours: Mapping[str, str] | None = None,
) -> CleanedArticle | Articles:  # fmt: skip
    """Show articles with what was removed struck through: one, or several below each other.

    A notebook shows the result; its ``.save("page.html")`` writes it as a page. ``spans`` are as
    ``BoilerplateRemover.spans`` returns them; without them, what ``clean_text`` lacks is struck through.

    Parameters
    ----------
    doc_id : str or iterable of str, optional
        Which document, or which several; default the first 20.
    context : int, optional
        Characters to show on each side of the ends of a span; default all.
    gold : DataFrame, optional
        The right spans: what was found is then ``right`` or ``wrongly taken``, and what was not ``missed``.
    side_by_side : bool, default False
        The clean text beside the one as loaded.
    find : str or iterable of str, optional
        Words to highlight, whatever their case.
    theme, colours : {"light", "dark"}, mapping
        Kind → colour (``#rrggbb``) in place of the usual one of the theme.

    Examples
    --------
    >>> corpus = pd.DataFrame({"doc_id": ["a"], "text": ["Share Rain fell."]})
    >>> spans = pd.DataFrame({"doc_id": ["a"], "start": [0], "end": [6], "kind": ["interface"]})
    >>> show(corpus, spans, "a", find="rain")
    [interface: Share ]»Rain« fell.
    — 6 of 16 characters removed (37.5 %)
    """
    wrong = ""
    table = isinstance(corpus, pd.DataFrame)
    if isinstance(corpus, str) or (table and spans is None and not is_cleaned(corpus)):
        wrong = "neither spans nor clean_text; show(toolkit.clean(corpus)), or pass remover.spans(corpus)"
    elif spans is not None and not isinstance(spans, pd.DataFrame):
        wrong = f"{spans!r} is no table of spans; to choose a document, show(corpus, doc_id={spans!r})"
    elif gold is not None and not isinstance(gold, pd.DataFrame):
        wrong = "gold is no table of spans; pass such as toolkit.datasets.gold('sample').spans"
    elif not table:
        wrong = f"a {type(corpus).__name__} is no corpus; for one row, corpus.iloc[[0]]"
    if wrong:
        raise CorpusError(f"show: {wrong}")
    verdicts_of(corpus)
    ids = corpus["doc_id"].astype("str") if "doc_id" in corpus else None
    spans = None if spans is None else beside("spans", spans, ["start", "end", "kind"], ids)
    gold = None if gold is None else beside("gold", gold, ["start", "end", "kind"], ids)
    look, wanted = themed(theme, colours), [find] if isinstance(find, str) else find
    words = tuple(word for word in wanted if word.strip())
    several = doc_id is None or (isinstance(doc_id, Iterable) and not isinstance(doc_id, str))
    named = None if doc_id is None else [*map(str, doc_id if several else [doc_id])]
    rows = _by_id(corpus, named)
    shown = []
    for name in rows.index[:PAGE] if named is None else named:
        row = rows.loc[name]
        text, title, clean = str(row["text"]), row.get("title"), row.get("clean_text")
        found = _lacking(text, str(clean)) if spans is None else spans[spans["doc_id"] == name]
        after = str(clean) if pd.notna(clean) else _kept(text, found)
        shown.append(CleanedArticle(
            text, found if gold is None else compared(found, gold[gold["doc_id"] == name]),
            title=str(title) if pd.notna(title) and not text.startswith(str(title)) else None,
            context=context, theme=look, find=words, after=after if side_by_side else None,
            verdict=None if pd.isna(row.get("verdict")) else str(row["verdict"]),
        ))  # fmt: skip
    if not several:
        return shown[0]
    some = doc_id is None and len(shown) < len(corpus)
    return Articles(shown, note=f"{len(shown):,} of {len(corpus):,} documents" if some else "")


def compare(corpus: pd.DataFrame, one: str, other: str, *, theme: str = "light") -> Articles:
    """Show two articles side by side, what only one of them has marked: wire copy, or versions of one article.

    ``one`` and ``other`` are the ``doc_id`` of two documents, such as two of a group of :func:`toolkit.duplicates`.
    ``clean_text`` is compared where it is there, so that what the sites added does not count.
    """
    both = [str(one), str(other)]
    rows = _by_id(corpus, both).loc[both].to_dict("records")
    column = "clean_text" if is_cleaned(corpus) else "text"
    texts = [str(row[column]) for row in rows]
    shown = []
    for row, text, against in zip(rows, texts, reversed(texts), strict=True):
        heading = [str(row[column]) for column in ("publisher", "title") if pd.notna(row.get(column))]
        spans = _lacking(text, against).assign(kind=ONLY_HERE)
        shown.append(CleanedArticle(text, spans, ": ".join(heading) or None, theme=themed(theme)))
    return Articles(shown, beside=True)


def _by_id(corpus: pd.DataFrame, wanted: Iterable[str] | None) -> pd.DataFrame:
    """Return the documents by id, which is a text as in spans, and refuse one that is not there."""
    if lacking := {"doc_id", "text"} - set(corpus):
        mend = "show what toolkit.load or toolkit.clean returned"
        raise CorpusError(f"corpus: no column {min(lacking)!r}; {mend}")
    rows = corpus.assign(doc_id=corpus["doc_id"].astype("str")).drop_duplicates("doc_id")
    rows = rows.set_index("doc_id", drop=False)
    if unknown := [name for name in wanted or () if name not in rows.index]:
        first = next(iter(rows.index), None)
        raise KeyError(f"corpus: no document {unknown[0]!r}; take one of corpus['doc_id'], such as {first!r}")
    return rows


_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Articles</title><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"></head>
<body style="background-color:{ground};color:{text};max-width:96em;margin:0 auto;padding:1em">
{articles}
</body></html>
"""


class Articles(list[CleanedArticle]):
    """Several articles, shown one below the other, or ``beside`` each other where there is room; ``note`` above."""

    def __init__(self, articles: Iterable[CleanedArticle] = (), note: str = "", beside: bool = False) -> None:
        super().__init__(articles)
        self.note, self.beside = note, beside

    def __repr__(self) -> str:
        return "\n\n".join([*([self.note] if self.note else []), *map(repr, self)])

    def _repr_html_(self) -> str:
        head = f"<p>{escaped(self.note)}</p>" if self.note else ""
        shown = [article._repr_html_() for article in self]
        if not self.beside:
            return head + "".join(shown)
        parts = "".join(f'<div style="flex:1 1 18em;min-width:0">{each}</div>' for each in shown)
        return f'{head}<section style="display:flex;flex-wrap:wrap;gap:1em">{parts}</section>'

    def save(self, path: str | Path) -> Path:
        """Write the articles as a page of HTML, ``….html``: one file, without scripts or anything from the network."""
        path, theme = Path(path), self[0].theme if self else LIGHT
        if path.suffix.lower() not in {".html", ".htm"}:
            raise OutputError(f"{path}: a page is an HTML file; name it {path.with_suffix('.html').name}")
        path.write_text(theme.style(_PAGE, articles=self._repr_html_()), "utf-8")
        return path


def compared(found: pd.DataFrame, gold: pd.DataFrame) -> pd.DataFrame:
    """Return spans of one text by what they are against gold, as ``kind`` one of :data:`VERDICTS`."""
    edges = sorted({*found["start"], *found["end"], *gold["start"], *gold["end"]})
    rows = []
    for start, end in pairwise(edges):
        taken, right = (
            next((str(r["kind"]) for r in side.to_dict("records") if r["start"] <= start < r["end"]), None)
            for side in (found, gold)
        )
        if taken or right:
            verdict = VERDICTS[0 if taken and right else 1 if taken else 2]
            note = f"found {taken or 'nothing'}, gold {right or 'nothing'}"
            rows.append((int(start), int(end), verdict, note))
    return pd.DataFrame(rows, columns=["start", "end", "kind", "evidence"])


def _lacking(text: str, clean: str) -> pd.DataFrame:
    """Return as spans what a clean text lacks, by comparing words and marks."""
    words = list(re.finditer(WORD, text))
    before, after = [word[1] for word in words], re.findall(WORD, clean)
    steps = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    gone = [(a, b) for tag, a, b, _, _ in steps if tag in {"delete", "replace"}]
    rows = [(words[a].start(), words[b - 1].end(), "removed") for a, b in gone]
    return pd.DataFrame(rows, columns=["start", "end", "kind"])


def _kept(text: str, spans: pd.DataFrame) -> str:
    return "".join(p.text for p in CleanedArticle(text, spans).pieces() if p.kind is None).strip()
