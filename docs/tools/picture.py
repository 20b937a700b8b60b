"""A cleaned article as a picture: SVG for a README or a slide, where HTML cannot go.

``python -m docs.tools.picture > docs/struck.svg`` draws an article of the sample corpus.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator
from html import escape
from typing import NamedTuple, cast

from toolkit.display import OTHER, PALETTE, CleanedArticle, visible

COLUMNS = 84
LONGEST = 1_600
MOST_LINES = 16  # a whole page with its menus would be taller than a screen
_SIZE, _ADVANCE, _LEADING = 13.0, 7.8, 20.0
_LEFT, _TOP = 104.0, 34.0
_MONO = "'DejaVu Sans Mono',Menlo,Consolas,monospace"


class _Run(NamedTuple):
    column: int
    text: str
    kind: str | None
    first: bool  # the run begins a removed span: its kind goes into the margin


def _width(text: str) -> int:
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def _words(article: CleanedArticle) -> Iterator[tuple[str, str | None, bool]]:
    """Yield words with the white space after them, line breaks as words of their own."""
    for piece in article.pieces():
        first = True
        for number, line in enumerate(visible(piece.text).split("\n")):
            if number:
                yield "\n", piece.kind, False
            for word in line.replace("\t", " ").split(" "):
                if word:
                    yield word, piece.kind, first
                    first = False
                yield " ", piece.kind, False


def _lines(article: CleanedArticle) -> Iterator[list[_Run]]:
    runs: list[_Run] = []
    column = 0
    for word, kind, first in _words(article):
        if word == "\n" or (word != " " and column and column + _width(word) > COLUMNS):
            if runs:
                yield runs
            runs, column = [], 0
        if word == "\n" or (word == " " and (not column or runs[-1].text.endswith(" "))):
            continue
        if runs and runs[-1].kind == kind and not first:
            runs[-1] = runs[-1]._replace(text=runs[-1].text + word)
        else:
            runs.append(_Run(column, word, kind, first))
        column += _width(word)
    if runs:
        yield runs


def svg(article: CleanedArticle) -> str:
    """Return the article as an SVG picture, removed text struck through, its kind in the margin.

    Parameters
    ----------
    article : CleanedArticle
        What to draw. Lines are wrapped at 84 characters.

    Returns
    -------
    str
        A whole SVG 1.1 document without scripts, links or fonts; the same article gives the same bytes.

    Examples
    --------
    >>> import pandas as pd
    >>> spans = pd.DataFrame({"start": [0], "end": [6], "kind": ["interface"]})
    >>> svg(CleanedArticle("Share Rain fell.", spans)).startswith("<svg ")
    True
    """
    body: list[str] = []
    y = _TOP
    if article.title:
        title = escape(visible(article.title))
        body.append(f'<text x="{_LEFT:g}" y="{y:g}" font-weight="bold" font-size="15">{title}</text>')
        y += 1.5 * _LEADING
    waiting: list[str] = []  # kinds yet to be named; a line has room for one name
    for runs in _lines(article):
        waiting.extend(run.kind for run in runs if run.first and run.kind is not None)
        if waiting:
            body.append(_label(waiting.pop(0), y))
        for run in runs:
            body.extend(_drawn(run, y))
        y += _LEADING
    y += 0.5 * _LEADING
    body.append(f'<text x="{_LEFT:g}" y="{y:g}" font-size="12" fill="#555555">{article._account()}</text>')
    width, height = _LEFT + _ADVANCE * COLUMNS + 26, y + 18
    label = escape(f"An article with its boilerplate struck through: {article._account()}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img" aria-label="{label}" font-family="{_MONO}" font-size="{_SIZE:g}" '
        'fill="#1a1a1a">\n'
        f'<rect x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="6" fill="#ffffff" '
        'stroke="#d0d0d0"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _label(kind: str, y: float) -> str:
    ink = PALETTE.get(kind, OTHER).ink
    style = f'text-anchor="end" font-size="12" font-weight="bold" fill="{ink}"'
    return f'<text x="{_LEFT - 12:g}" y="{y:g}" {style}>{escape(visible(kind))}</text>'


def _drawn(run: _Run, y: float) -> Iterator[str]:
    text = run.text.rstrip(" ")
    if not text:
        return
    x, length = _LEFT + _ADVANCE * run.column, _ADVANCE * _width(text)
    colour = ""
    if run.kind is not None:
        colours = PALETTE.get(run.kind, OTHER)
        colour = f' fill="{colours.ink}"'
        yield f'<rect x="{x - 2:g}" y="{y - 14:g}" width="{length + 4:g}" height="19" fill="{colours.tint}"/>'
    yield (
        f'<text x="{x:g}" y="{y:g}" textLength="{length:g}" lengthAdjust="spacingAndGlyphs" '
        f'xml:space="preserve"{colour}>{escape(text)}</text>'
    )
    if run.kind is not None:
        yield (
            f'<line x1="{x:g}" y1="{y - 4:g}" x2="{x + length:g}" y2="{y - 4:g}" stroke="{colours.ink}" '
            'stroke-width="1.2"/>'
        )


def main() -> None:
    """Write the picture of the README to standard output."""
    from toolkit import datasets
    from toolkit.boilerplate import BoilerplateRemover
    from toolkit.display import show, telling

    corpus = datasets.load("sample")
    spans = BoilerplateRemover().fit(corpus).spans(corpus)
    documents = corpus.assign(length=corpus["text"].str.len())
    short = documents[(documents["length"] < LONGEST) & (documents["text"].str.count("\n") < MOST_LINES)]
    article = show(corpus, spans, telling(short, spans, top=1)[0])
    sys.stdout.write(svg(cast("CleanedArticle", article)))


if __name__ == "__main__":
    main()
