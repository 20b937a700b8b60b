"""Show: articles of a corpus with what was removed, alone or on a page, against gold, before beside after."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TypedDict, Unpack, overload

import pandas as pd

from toolkit.display.article import CleanedArticle
from toolkit.display.colours import LIGHT, ONLY_HERE, THEMES, VERDICTS, Theme
from toolkit.display.text import escaped
from toolkit.errors import CorpusError, OutputError

WORD = r"(\w+|[^\w\s])\s*"
PAGE = 20  # articles on a page where nobody says which


class Options(TypedDict, total=False):
    """How :func:`show` shows, beside what."""

    context: int | None
    gold: pd.DataFrame | None
    side_by_side: bool
    find: str | Iterable[str]
    theme: str
    colours: Mapping[str, str] | None


@overload
def show(
    corpus: pd.DataFrame, spans: pd.DataFrame | None, doc_id: str, **options: Unpack[Options]
) -> CleanedArticle: ...
@overload
def show(
    corpus: pd.DataFrame,
    spans: pd.DataFrame | None = ...,
    doc_id: Iterable[str] | None = ...,
    **options: Unpack[Options],
) -> Articles: ...
def show(
    corpus: pd.DataFrame,
    spans: pd.DataFrame | None = None,
    doc_id: str | Iterable[str] | None = None,
    *,
    context: int | None = None,
    gold: pd.DataFrame | None = None,
    side_by_side: bool = False,
    find: str | Iterable[str] = (),
    theme: str = "light",
    colours: Mapping[str, str] | None = None,
) -> CleanedArticle | Articles:
    """Show articles with what was removed struck through.

    Parameters
    ----------
    corpus : DataFrame
        With ``doc_id`` and ``text``; ``title`` is shown if there.
    spans : DataFrame, optional
        As ``BoilerplateRemover.spans`` returns it. Without it, what ``clean_text`` lacks is struck through.
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
    theme : {"light", "dark"}, default "light"
    colours : mapping, optional
        Kind → colour (``#rrggbb``) in place of the usual one.

    Returns
    -------
    CleanedArticle or Articles
        One, or several below each other. A notebook shows them; ``.save("page.html")`` writes them as a page.

    Examples
    --------
    >>> corpus = pd.DataFrame({"doc_id": ["a"], "text": ["Share Rain fell."]})
    >>> spans = pd.DataFrame({"doc_id": ["a"], "start": [0], "end": [6], "kind": ["interface"]})
    >>> show(corpus, spans, "a")
    [interface: Share ]Rain fell.
    — 6 of 16 characters removed (37.5 %)
    >>> show(corpus, spans.iloc[:0], "a", gold=spans, find="rain")
    [missed: Share ]»Rain« fell.
    — right 0, wrongly taken 0, missed 6 characters
    """
    if isinstance(corpus, str) or (spans is None and "clean_text" not in corpus):
        msg = "show: neither spans nor clean_text; show(toolkit.clean(corpus)), or pass remover.spans(corpus)"
        raise CorpusError(msg)
    if spans is not None and not isinstance(spans, pd.DataFrame):
        msg = f"show: {spans!r} is no table of spans; to choose a document, show(corpus, doc_id={spans!r})"
        raise CorpusError(msg)
    look = _look(theme, colours)
    words = (find,) if isinstance(find, str) else tuple(find)
    one = isinstance(doc_id, str) or not isinstance(doc_id, Iterable)
    named = None if doc_id is None else [str(doc_id)] if one else list(doc_id)
    if not isinstance(corpus, pd.DataFrame):
        msg = f"show: a {type(corpus).__name__} is no corpus; for one row, corpus.iloc[[0]]"
        raise CorpusError(msg)
    rows = _by_id(corpus, named)
    wanted = list(rows.index[:PAGE]) if named is None else named
    shown = []
    for name in wanted:
        row = rows.loc[name]
        text, title, clean = str(row["text"]), row.get("title"), row.get("clean_text")
        found = _lacking(text, str(clean)) if spans is None else spans[spans["doc_id"] == name]
        shown.append(
            CleanedArticle(
                text,
                found if gold is None else compared(found, gold[gold["doc_id"] == name]),
                title=str(title) if pd.notna(title) and not text.startswith(str(title)) else None,
                context=context,
                theme=look,
                find=words,
                after=(str(clean) if pd.notna(clean) else _kept(text, found)) if side_by_side else None,
                verdict=None if pd.isna(row.get("verdict")) else str(row["verdict"]),
            )
        )
    if isinstance(doc_id, str):
        return shown[0]
    some = doc_id is None and len(shown) < len(corpus)
    return Articles(shown, note=f"{len(shown):,} of {len(corpus):,} documents" if some else "")


def compare(corpus: pd.DataFrame, one: str, other: str, *, theme: str = "light") -> Articles:
    """Show two articles side by side, what only one of them has marked: wire copy, or versions of one article.

    Parameters
    ----------
    corpus : DataFrame
        With ``doc_id`` and ``text``; ``clean_text`` is compared where it is there, so that what the sites added does
        not count.
    one, other : str
        Two documents, such as two of a group of :func:`toolkit.duplicates`.
    theme : {"light", "dark"}, default "light"

    Examples
    --------
    >>> corpus = pd.DataFrame({"doc_id": ["a", "b"], "text": ["Rain fell all day.", "Rain fell on Monday."]})
    >>> compare(corpus, "a", "b")
    Rain fell [only here: all day].
    — 7 of 18 characters stand only here (underlined)
    <BLANKLINE>
    Rain fell [only here: on Monday].
    — 9 of 20 characters stand only here (underlined)
    """
    found = _by_id(corpus, [one, other])
    rows = [found.loc[name] for name in (one, other)]
    texts = [str(row["clean_text"] if pd.notna(row.get("clean_text")) else row["text"]) for row in rows]
    shown = []
    for row, text, against in zip(rows, texts, reversed(texts), strict=True):
        heading = [str(row[column]) for column in ("publisher", "title") if pd.notna(row.get(column))]
        spans = _lacking(text, against).assign(kind=ONLY_HERE)
        shown.append(CleanedArticle(text, spans, ": ".join(heading) or None, theme=_look(theme, None)))
    return Articles(shown, beside=True)


def _by_id(corpus: pd.DataFrame, wanted: Iterable[str] | None) -> pd.DataFrame:
    """Return the documents by id, and refuse one that is not there."""
    rows = corpus.drop_duplicates("doc_id").set_index("doc_id", drop=False)
    for name in wanted or ():
        if name not in rows.index:
            first = next(iter(corpus["doc_id"]), None)
            msg = f"corpus: no document {name!r}; take one of corpus['doc_id'], such as {first!r}"
            raise KeyError(msg)
    return rows


class Articles(list[CleanedArticle]):
    """Several articles, shown one below the other, or ``beside`` each other where there is room; ``note`` above."""

    def __init__(
        self, articles: Iterable[CleanedArticle] = (), note: str = "", *, beside: bool = False
    ) -> None:
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
            msg = f"{path}: a page is an HTML file; name it {path.with_suffix('.html').name}"
            raise OutputError(msg)
        policy = "default-src 'none'; style-src 'unsafe-inline'"
        path.write_text(
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Articles</title>'
            f'<meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" '
            f'content="{policy}"></head>\n<body style="background-color:{theme.ground};color:{theme.text};'
            f'max-width:96em;margin:0 auto;padding:1em">\n{self._repr_html_()}\n</body></html>\n',
            "utf-8",
        )
        return path


def _look(theme: str, colours: Mapping[str, str] | None) -> Theme:
    if theme not in THEMES:
        msg = f"theme={theme!r}: 'light' or 'dark' is wanted"
        raise ValueError(msg)
    for kind, colour in (colours or {}).items():
        if not re.fullmatch("#[0-9a-fA-F]{6}", colour):
            msg = f"colours={{{kind!r}: {colour!r}}}: a colour such as #0072b2 is wanted"
            raise ValueError(msg)
    return THEMES[theme].with_colours(colours or {})


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
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    rows = [
        (words[a].start(), words[b - 1].end(), "removed")
        for tag, a, b, _, _ in matcher.get_opcodes()
        if tag in {"delete", "replace"} and b > a
    ]
    return pd.DataFrame(rows, columns=["start", "end", "kind"])


def _kept(text: str, spans: pd.DataFrame) -> str:
    return "".join(p.text for p in CleanedArticle(text, spans).pieces() if p.kind is None)
