"""A small DataFrame, shown for reading."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from toolkit.display.text import PLAIN, escaped, visible


class Table:
    """A small DataFrame that shows itself for reading: no index, text to the left, numbers grouped.

    Parameters
    ----------
    frame : DataFrame
        Shown whole.
    percent : sequence of str, default ("share",)
        Columns of fractions to show as per cent. ``low`` and ``high`` beside the first of them are its interval.
    caption : str, optional
        A line above the table.

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
            ends = [
                "" if pd.isna(a) else f"{100 * a:.1f}–{100 * b:.1f} %"
                for a, b in zip(frame["low"], frame["high"], strict=True)
            ]
            frame = frame.drop(columns=["low", "high"])
            frame.insert(list(frame).index(percent[0]) + 1, "95 % interval", ends)
        self.frame = frame
        self.percent = percent
        self.caption = caption

    def _cell(self, name: str, value: Any) -> str:
        if pd.isna(value):
            return ""
        if name in self.percent:
            return f"{100 * value:.1f} %"
        if isinstance(value, (bool, np.bool_)):
            return "yes" if value else "no"
        if isinstance(value, (int, np.integer)):
            return f"{value:,}"
        return f"{value:,.4g}" if isinstance(value, float) else visible(str(value))

    def _cells(self) -> list[list[str]]:
        return [[self._cell(str(name), value) for value in self.frame[name]] for name in self.frame]

    def _left(self) -> list[bool]:
        return [
            name != "95 % interval" and not pd.api.types.is_numeric_dtype(self.frame[name])
            for name in self.frame
        ]

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
            made = (
                f'<{tag} style="text-align:{side};vertical-align:top">{escaped(cell)}</{tag}>'
                for side, cell in zip(sides, cells, strict=True)
            )
            return f"<tr>{''.join(made)}</tr>"

        head = row("th", map(str, self.frame))
        body = "".join(row("td", cells) for cells in zip(*self._cells(), strict=True))
        table = (
            '<table class="dataframe tex2jax_ignore mathjax_ignore">'
            f"<thead>{head}</thead><tbody>{body}</tbody></table>"
        )
        if not self.caption:
            return table
        return (
            f'<figure class="table"><figcaption {PLAIN}>{escaped(self.caption)}</figcaption>{table}</figure>'
        )
