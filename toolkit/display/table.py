"""Tables and cards: a small DataFrame, or lines of name and value, shown for reading."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from toolkit.display.colours import BOX, FOOT, LIGHT
from toolkit.display.text import PLAIN, escaped, percent, visible


class Table:
    """A small DataFrame that shows itself for reading: no index, text to the left, numbers grouped.

    Parameters
    ----------
    frame : DataFrame
        Shown whole, with ``caption`` above.
    percent : sequence of str, default ("share",)
        Columns of fractions to show as per cent. ``low`` and ``high`` beside the first of them are its interval.

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

    def _cell(self, name: str, value: Any) -> str:
        if pd.isna(value):
            return ""
        if name in self.percent:
            return percent(value)
        if isinstance(value, (bool, np.bool_)):
            return "yes" if value else "no"
        if isinstance(value, (int, np.integer)):
            return f"{value:,}"
        return f"{value:,.4g}" if isinstance(value, float) else visible(str(value))

    def _cells(self) -> list[list[str]]:
        return [[self._cell(str(name), value) for value in self.frame[name]] for name in self.frame]

    def _left(self) -> list[bool]:
        numbers = self.frame.select_dtypes("number")
        return [name != "95 % interval" and name not in numbers for name in self.frame]

    def __repr__(self) -> str:
        columns = []
        for name, cells, left in zip(self.frame, self._cells(), self._left(), strict=True):
            lines = [visible(str(name)), *(cell.replace("\n", " ") for cell in cells)]
            width = max(map(len, lines))
            columns.append([line.ljust(width) if left else line.rjust(width) for line in lines])
        head = [self.caption] if self.caption else []
        return "\n".join([*head, *("  ".join(row).rstrip() for row in zip(*columns, strict=True))])

    def _repr_html_(self) -> str:
        def row(tag: str, cells: Iterable[str]) -> str:
            sides = ["left" if left else "right;white-space:nowrap" for left in self._left()]
            style = '<{0} style="text-align:{1};vertical-align:top">{2}</{0}>'.format
            boxes = [style(tag, side, escaped(cell)) for side, cell in zip(sides, cells, strict=True)]
            return f"<tr>{''.join(boxes)}</tr>"

        head = row("th", map(str, self.frame))
        body = "".join(row("td", cells) for cells in zip(*self._cells(), strict=True))
        table = f"<thead>{head}</thead><tbody>{body}</tbody>"
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
        name = LIGHT.style("color:{faint};background-color:{ground}")
        name += ";text-align:left;vertical-align:top;padding:0 1em 0 0;font-weight:normal"
        value = LIGHT.style("color:{text};background-color:{ground};text-align:left")
        rows = "".join(
            f'<tr><th scope="row" style="{name}">{escaped(what)}</th><td style="{value}">{escaped(words)}</td></tr>'
            for what, words in self.lines.items()
        )
        return (
            f'<article {PLAIN} style="{LIGHT.style(BOX)}"><b>{escaped(self.heading)}</b>'
            f'<table style="{LIGHT.style(FOOT)};border:none">{rows}</table></article>'
        )
