"""Tables and cards: a small DataFrame, or lines of name and value, shown for reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

    def _columns(self) -> Iterator[tuple[list[str], bool]]:
        """Yield the cells of each column, its name first, and whether they stand to the right, as numbers do."""
        numbers = {"95 % interval", *self.frame.select_dtypes("number")}
        for name in self.frame:
            cells = [self._cell(str(name), value) for value in self.frame[name]]
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
            box = '<{{0}} style="text-align:{};vertical-align:top">{{1}}</{{0}}>'
            box = box.format("right;white-space:nowrap" if right else "left")
            tags = ["th", *["td"] * (len(cells) - 1)]
            columns.append([box.format(tag, escaped(cell)) for tag, cell in zip(tags, cells, strict=True)])
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
