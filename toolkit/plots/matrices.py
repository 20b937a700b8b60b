"""Two sides of a count or share: who runs whose story, which topics a source has, what is taken for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.plots.canvas import across, axes, characters, described, listed, names, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DARK = 0.55
_TURNED: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}


def matrix(
    table: pd.DataFrame, *, label: str = "documents", percent: bool = False, ax: Axes | None = None
) -> Axes:
    """Draw a table of counts or shares as shaded cells, each with its number.

    Parameters
    ----------
    table : DataFrame
        Numbers; the names of index and columns label the sides. Missing cells stay blank, as do zeros.
    label : str, default "documents"
        What a cell holds.
    percent : bool, default False
        Cells are shares, written as whole per cent.
    ax : matplotlib Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib Axes
        Rows and columns in the order of the frame; the darkest cell is the largest.

    Raises
    ------
    ValueError
        The table has no rows or no columns.
    """
    if table.empty:
        msg = "table: no cells to draw; pass a frame with numbers, such as a crosstab"
        raise ValueError(msg)
    values = table.to_numpy(float) * (100 if percent else 1)
    longest = max(len(name) for name in names(table.columns, 30))
    ax = axes(ax, 0.9 + 0.06 * longest + 0.31 * len(table))
    filled = np.nan_to_num(values)
    top = max(float(filled.max()), 1e-9)
    ax.imshow(filled, cmap="Blues", vmin=0, vmax=top * 1.15, aspect="auto")
    size = "small" if characters(ax) / len(table.columns) > 5 else "x-small"
    for (row, column), value in np.ndenumerate(values):
        if value and not np.isnan(value):
            text = f"{value:.0f}" if percent or float(value).is_integer() else f"{value:.2f}"
            colour = "white" if value > _DARK * top * 1.15 else "black"
            ax.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)
    # short names stand upright where they fit side by side
    turn = {} if longest * len(table.columns) < 0.6 * characters(ax) else _TURNED
    ax.set_xticks(range(len(table.columns)), names(table.columns, 30), **turn)
    room = max(12, round(0.35 * characters(ax)))
    ax.set_yticks(range(len(table)), names(table.index, min(34, room)))
    plain([*ax.get_xticklabels(), *ax.get_yticklabels()])
    ax.tick_params(length=0, labelsize="small")
    ax.spines[:].set_visible(False)
    ax.set_xticks(np.arange(len(table.columns) + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(len(table) + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="#eeeeee", linewidth=0.8)
    ax.tick_params(which="minor", length=0)
    across(ax, _side(table.columns.name))
    ax.set_ylabel(_side(table.index.name), parse_math=False)
    ax.set_title(
        f"cells: {label}{' (%)' if percent else ''}", loc="left", fontsize="medium", parse_math=False
    )
    rows, columns = np.unravel_index(np.argsort(-filled, axis=None, kind="stable"), filled.shape)
    largest = [
        (f"{table.index[r]} and {table.columns[c]}", f"{filled[r, c]:.0f}{' %' if percent else ''}")
        for r, c in zip(rows, columns, strict=True)
        if filled[r, c] > 0
    ]
    return described(
        ax,
        f"Shaded table of {len(table)} rows ({_side(table.index.name)}) and {len(table.columns)} columns "
        f"({_side(table.columns.name)}), cells: {label}. Largest: {listed(largest[:6])}",
    )


def _side(name: object) -> str:
    return "" if name is None else str(name)
