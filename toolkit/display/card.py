"""Cards: a template, and a corpus, on a few lines."""

from __future__ import annotations

from typing import Any

import pandas as pd

from toolkit.display.article import BOX, FOOT, Piece, piece_html, styled
from toolkit.display.colours import LIGHT
from toolkit.display.text import PLAIN, escaped, shortened, visible

LONGEST = 600
"""Characters of an example shown."""


class Card:
    """A heading, lines of name and value, and maybe a passage struck through."""

    def __init__(self, heading: str, lines: dict[str, str], passage: Piece | None = None) -> None:
        self.heading, self.lines, self.passage = heading, lines, passage

    def __repr__(self) -> str:
        width = max(map(len, self.lines))
        told = [f"{name:<{width}}  {visible(value)}" for name, value in self.lines.items()]
        if self.passage:
            told.append(f"[{visible(self.passage.kind or '')}: {self.passage.text}]")
        return "\n".join([visible(self.heading), *told])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left;vertical-align:top;padding:0 1em 0 0;font-weight:normal;'
            f'color:#555555;background-color:#ffffff">{escaped(name)}</th><td style="text-align:left;'
            f'color:#1a1a1a;background-color:#ffffff">{escaped(value)}</td></tr>'
            for name, value in self.lines.items()
        )
        passage = f'<p style="margin:0.5em 0 0 0">{piece_html(self.passage)}</p>' if self.passage else ""
        return (
            f'<article {PLAIN} style="{styled(BOX, LIGHT)}"><b>{escaped(self.heading)}</b>'
            f'<table style="{styled(FOOT, LIGHT)};border:none">{rows}</table>{passage}</article>'
        )


class TemplateCard(Card):
    """A template: whose it is, how often it stands where, and one example struck through.

    Parameters
    ----------
    template : Series
        A row of ``BoilerplateRemover.templates_``.

    Examples
    --------
    >>> row = {"template_id": "0a", "publisher": "x.example", "kind": "promo", "documents": 1234,
    ...        "first_seen": pd.Timestamp("2031-01-02"), "last_seen": pd.NaT, "example": "Follow us."}
    >>> TemplateCard(pd.Series(row))
    Template 0a
    publisher  x.example
    documents  1,234
    seen       2031-01-02 to unknown
    [promo: Follow us.]
    """

    def __init__(self, template: pd.Series[Any]) -> None:
        lines = {
            "publisher": _or_unknown(template["publisher"]),
            "documents": f"{template['documents']:,}",
            "seen": f"{_day(template['first_seen'])} to {_day(template['last_seen'])}",
        }
        if "characters" in template:
            lines["removed"] = f"{template['characters']:,} characters"
        kind = str(template["kind"])
        example = visible(shortened(str(template["example"]), LONGEST // 2, LONGEST // 2))
        super().__init__(f"Template {template['template_id']}", lines, Piece(example, kind, kind))


class CorpusCard(Card):
    """A corpus: how much, whose, when, in which languages, and what could not be read.

    Parameters
    ----------
    corpus : DataFrame
        As :func:`toolkit.load` returns it.

    Examples
    --------
    >>> import toolkit
    >>> print(repr(CorpusCard(toolkit.datasets.load("sample"))).splitlines()[0])
    Corpus of 332 documents
    """

    def __init__(self, corpus: pd.DataFrame) -> None:
        length = corpus["text"].str.len()
        lines = {"characters": f"{int(length.sum()):,}"}
        if len(corpus):
            lines["median length"] = f"{length.median():,.0f} characters"
        lines["publishers"] = _most(corpus["publisher"])
        lines["languages"] = _most(corpus["lang"])
        published = corpus["published"]
        lines["published"] = f"{_day(published.min())} to {_day(published.max())}"
        if published.isna().any():
            lines["published"] += f", {int(published.isna().sum()):,} undated"
        # read back from Parquet it is the plain mapping that was written
        lines["quarantine"] = f"{(corpus.attrs.get('quarantine') or {}).get('rows', 0):,} records"
        super().__init__(f"Corpus of {len(corpus):,} documents", lines)


def _or_unknown(value: Any) -> str:
    return "unknown" if pd.isna(value) else str(value)


def _day(moment: Any) -> str:
    return "unknown" if pd.isna(moment) else f"{moment:%Y-%m-%d}"


def _most(column: pd.Series[Any], top: int = 5) -> str:
    """How many different values, and the most frequent of them."""
    counts = column.value_counts().rename_axis("name").reset_index()
    counts = counts.sort_values(["count", "name"], ascending=[False, True])
    named = [f"{shortened(str(name), 40, 0)} {n:,}" for name, n in counts.head(top).to_numpy(object)]
    more = [f"{len(counts) - top:,} more"] if len(counts) > top else []
    missing = [f"unknown {int(column.isna().sum()):,}"] if column.isna().any() else []
    return f"{len(counts):,}: {', '.join(named + more + missing)}" if len(column) else "0"
