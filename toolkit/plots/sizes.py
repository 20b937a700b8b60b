"""How long articles are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.plots.canvas import BLUE, across, at_ends, axes, described, listed, need, room, rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ENDS = (5, 25, 50, 75, 95)
_SUBS = ((1, 1.5, 2, 3, 4, 5, 7), (1, 2, 3, 5), (1, 2, 5), (1, 3))


def lengths(sizes: pd.DataFrame, *, top: int = 16, ax: Axes | None = None) -> Axes:
    """Draw how long the articles of each group are.

    Parameters
    ----------
    sizes : DataFrame
        One row a document: ``group`` (such as its publisher or language) and ``words`` (int).
    top : int, default 16
        How many groups, those with most documents first.
    ax : matplotlib Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib Axes
        A box a group on a logarithmic axis: median, quartiles, and whiskers at the 5th and 95th percentile;
        at its end the median and n.
    """
    need(sizes, ("group", "words"), "sizes", "toolkit.census.lengths(corpus)")
    groups = sizes.assign(words=sizes["words"].clip(lower=1)).groupby("group")["words"]
    order = groups.size().rename("n").reset_index().sort_values(["n", "group"], ascending=[False, True])
    chosen = order["group"].head(top).tolist()
    found = np.array([np.percentile(groups.get_group(name), _ENDS) for name in chosen]).reshape(-1, 5)
    ax = axes(ax, 0.9 + 0.3 * len(chosen))
    places = np.arange(len(chosen))
    ax.hlines(places, found[:, 0], found[:, 4], color="black", linewidth=0.9)
    ax.barh(places, found[:, 3] - found[:, 1], left=found[:, 1], height=0.6, color=BLUE, alpha=0.55)
    ax.plot(
        found[:, 2], places, linestyle="none", marker="|", color="black", markersize=13, markeredgewidth=2
    )
    rows(ax, chosen)
    ax.set_xscale("log")
    ax.set_xlim(*((found[:, 0].min() * 0.9, found[:, 4].max() * 1.05) if chosen else (1, 1000)))
    ax.tick_params(axis="x", which="both", labelsize="small")
    across(ax, "words (log scale; box: middle half, line: middle nine tenths)")
    shown = [f"{median:,.0f} words" for median in found[:, 2]]
    ends = [f"{m}, n={len(groups.get_group(name)):,}" for m, name in zip(shown, chosen, strict=True)]
    at_ends(ax, found[:, 4], ends)
    _ticks(ax)
    return described(ax, "Boxes: length of articles. Median " + listed(zip(chosen, shown, strict=True)))


def _ticks(ax: Axes) -> None:
    """Label as many steps of each power of ten as there is room for."""
    from matplotlib.ticker import LogLocator, NullLocator

    low, high = ax.get_xlim()
    decades = float(np.log10(high / low))
    fits = (subs for subs in _SUBS if len(subs) * decades * 7 < room(ax))
    ax.xaxis.set_major_locator(LogLocator(subs=next(fits, (1,))))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
