"""Text made safe to show, alone, in a table or on a card: in a terminal, in HTML, in a notebook."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from toolkit.display.colours import BOX, FOOT, LIGHT

PLAIN = 'class="tex2jax_ignore mathjax_ignore" dir="auto"'
"""Attributes of an element that shows text: JupyterLab's MathJax would set what stands between two prices as
mathematics, and text to be read from the right stays in its box."""

# What no reader should get unseen: C0 and C1 controls (a terminal obeys ANSI escapes), the characters that
# reorder the text around them (Unicode's Bidi_Control), lone surrogates and non-characters.
_HOSTILE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def visible(text: str) -> str:
    r"""Return ``text`` with control, bidirectional and invalid characters made visible and harmless.

    Line breaks and tabs stay. Joiners stay too: Persian, Hindi and emoji need them.

    Examples
    --------
    >>> visible("red \x1b[31m, back\u202ewards")
    'red ␛[31m, back⟨U+202E⟩wards'
    """
    return _HOSTILE.sub(_symbol, text.replace("\r\n", "\n").replace("\r", "\n"))


def _symbol(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"


def escaped(text: str) -> str:
    """Return ``text`` as HTML that shows it as it is: :func:`visible`, markup escaped, lines broken."""
    return html.escape(visible(text)).replace("\n", "<br>")


def shortened(text: str, head: int, tail: int) -> str:
    """Keep about the first ``head`` and the last ``tail`` characters, cut between words."""
    if len(text) <= head + tail + 10:
        return text
    first, last = text[:head], text[len(text) - tail :] if tail else ""
    first = first[: first.rfind(" ")] if " " in first[1:] else first
    last = last[last.find(" ") + 1 :] if " " in last[:-1] else last
    return f"{first} […] {last}"


def one_line(text: str, longest: int | None = None) -> str:
    """Return :func:`visible` text in one line, of at most ``longest`` characters with an ellipsis for the rest."""
    text = " ".join(visible(text).split())
    return text if longest is None or len(text) <= longest else text[: longest - 1] + "…"


def percent(share: float, digits: int = 1) -> str:
    """Return a share in per cent, as tables and figures write it: ``0.25`` as ``25.0 %``."""
    return f"{100 * share:.{digits}f} %"


def _decimals(values: pd.Series[Any]) -> int | None:
    """Return after how many decimals four digits of each number end, for a column of numbers of about one size."""
    numbers = [abs(value) for value in values if isinstance(value, float) and np.isfinite(value)]
    some = [number for number in numbers if number > 0]
    if some and (min(some) < 0.001 or max(some) >= 100 or max(some) > 100 * min(some)):
        return None
    return max((len(f"{number:.4g}".partition(".")[2]) for number in numbers), default=None)


class Table:
    """A small DataFrame that shows itself for reading: no index, text to the left, numbers grouped, a caption above.

    Columns of fractions named by ``percent`` are shown as per cent, ``low`` and ``high`` beside the first of them as
    its interval.

    Examples
    --------
    >>> Table(pd.DataFrame({"kind": ["promo"], "characters": [12345], "share": [0.25]}))
    kind   characters   share
    promo      12,345  25.0 %
    """

    def __init__(
        self, frame: pd.DataFrame, *, percent: Sequence[str] = ("share",), caption: str = ""
    ) -> None:
        if {percent[0], "low", "high"} <= set(frame.columns):
            pairs = zip(frame["low"], frame["high"], strict=True)
            ends = ["" if pd.isna(a) else f"{100 * a:.1f}–{100 * b:.1f} %" for a, b in pairs]
            frame = frame.drop(columns=["low", "high"])
            frame.insert(list(frame).index(percent[0]) + 1, "95 % interval", ends)
        self.frame, self.percent, self.caption = frame, percent, caption

    def _cell(self, name: str, value: Any, decimals: int | None) -> str:
        if pd.isna(value):
            return ""
        if name in self.percent:
            return percent(value)
        if isinstance(value, (bool, np.bool_)):
            return "yes" if value else "no"
        if isinstance(value, (int, np.integer)):
            return f"{value:,}"
        if isinstance(value, float):
            return f"{value:,.4g}" if decimals is None else f"{value:.{decimals}f}"
        return visible(str(value))

    def _columns(self) -> Iterator[tuple[list[str], bool]]:
        """Yield the cells of each column, its name first, and whether they stand to the right, as numbers do."""
        numbers = {"95 % interval", *self.frame.select_dtypes("number")}
        for name in self.frame:
            decimals = _decimals(self.frame[name])
            cells = [self._cell(str(name), value, decimals) for value in self.frame[name]]
            yield [visible(str(name)), *cells], name in numbers

    def __repr__(self) -> str:
        columns = []
        for cells, right in self._columns():
            lines = [cell.replace("\n", " ") for cell in cells]
            width = max(map(len, lines))
            columns.append([line.rjust(width) if right else line.ljust(width) for line in lines])
        head = [self.caption] if self.caption else []
        return "\n".join([*head, *("  ".join(row).rstrip() for row in zip(*columns, strict=True))])

    def _repr_html_(self) -> str:
        columns = []
        for cells, right in self._columns():
            style = f"text-align:{'right;white-space:nowrap' if right else 'left'};vertical-align:top"
            tags = ["th", *["td"] * (len(cells) - 1)]
            boxes = zip(tags, map(escaped, cells), strict=True)
            columns.append([f'<{tag} style="{style}">{cell}</{tag}>' for tag, cell in boxes])
        head, *body = [f"<tr>{''.join(row)}</tr>" for row in zip(*columns, strict=True)] or ["<tr></tr>"]
        table = f"<thead>{head}</thead><tbody>{''.join(body)}</tbody>"
        table = f'<table class="dataframe tex2jax_ignore mathjax_ignore">{table}</table>'
        caption = f"<figcaption {PLAIN}>{escaped(self.caption)}</figcaption>"
        return f'<figure class="table">{caption}{table}</figure>' if self.caption else table


class Card:
    """A heading, and lines of name and value."""

    def __init__(self, heading: str, lines: dict[str, str]) -> None:
        self.heading, self.lines = heading, lines

    def __repr__(self) -> str:
        width = max(map(len, self.lines))
        rows = [f"{name:<{width}}  {visible(value)}" for name, value in self.lines.items()]
        return "\n".join([visible(self.heading), *rows])

    def _repr_html_(self) -> str:
        cell = "background-color:{ground};text-align:left;vertical-align:top;"
        name = LIGHT.style(cell + "color:{faint};padding:0 1em 0 0;font-weight:normal")
        value = LIGHT.style(cell + "color:{text};padding:0")
        rows = "".join(
            f'<tr><th scope="row" style="{name}">{escaped(what)}</th><td style="{value}">{escaped(words)}</td></tr>'
            for what, words in self.lines.items()
        )
        return (
            f'<article {PLAIN} style="{LIGHT.style(BOX)}"><b>{escaped(self.heading)}</b>'
            f'<table style="{LIGHT.style(FOOT)};border:none">{rows}</table></article>'
        )
