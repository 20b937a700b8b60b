"""Figures with their intervals: shares that flip, and estimates side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.plots.canvas import (
    BLUE,
    GREY,
    SERIES,
    across,
    at_ends,
    axes,
    described,
    legend,
    listed,
    names,
    need,
    plain_log,
    rows,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def flips(rates: pd.DataFrame, *, by: str | None = None, top: int = 12, ax: Axes | None = None) -> Axes:
    """Draw the share of documents whose topic changed, with intervals.

    Parameters
    ----------
    rates : DataFrame
        As :func:`toolkit.audit` or :func:`toolkit.contamination.flip_rates` returns it: ``by``, ``group``,
        ``documents``, ``share``, ``low``, ``high``.
    by : str, optional
        Only the rows of this value of ``by``, such as ``"publisher"``; default all rows.
    top : int, default 12
        How many rows, the first of the frame.
    ax : matplotlib Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib Axes
        One row a group: the share with its interval, and n, the number of documents.
    """
    need(rates, ("by", "group", "documents", "share", "low", "high"), "rates")
    chosen = rates if by is None else rates[rates["by"] == by]
    chosen = chosen[chosen["documents"] > 0].head(top)
    share, low, high = (100 * chosen[name].to_numpy(float) for name in ("share", "low", "high"))
    ax = axes(ax, 0.9 + 0.3 * len(chosen))
    ax.errorbar(
        share, range(len(chosen)), xerr=np.clip([share - low, high - share], 0, None), fmt="o", color=BLUE,
        ecolor=GREY, capsize=3,
        clip_on=False,
    )  # fmt: skip
    labels = chosen["group"].mask(chosen["by"] == "all", "all documents")
    rows(ax, labels)
    ax.tick_params(axis="y", pad=7)  # a point at 0 must not touch the name of its row
    ax.set_xlim(0, max(1.0, float(high.max(initial=0.0))))
    across(ax, "documents whose leading topic changed (%; bars: 95 % intervals)")
    shown = [f"{value:.1f} %" for value in share]
    at_ends(ax, high, [f"{value}, n={n:,}" for value, n in zip(shown, chosen["documents"], strict=True)])
    return described(
        ax,
        "Points with intervals: share of documents whose leading topic changed. "
        + listed(zip(labels, shown, strict=True)),
    )


def estimates(
    table: pd.DataFrame,
    *,
    xlabel: str,
    percent: bool = False,
    log: bool = False,
    reference: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw estimates with their intervals, one row a label.

    Parameters
    ----------
    table : DataFrame
        ``label``, ``value``, ``low``, ``high``; where a column ``series`` is there, each label has a point a
        series; where a column ``n`` is there, it stands at the end of the row. An interval may be missing.
    xlabel : str
        What is estimated, and its unit.
    percent : bool, default False
        Values are shares, drawn as per cent.
    log : bool, default False
        Logarithmic axis, for ratios.
    reference : float, optional
        A value to compare with, drawn as a vertical line.
    ax : matplotlib Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib Axes
        Rows in the order of the frame; series are told apart by colour, marker and a legend.
    """
    need(table, ("label", "value", "low", "high"), "table")
    labels = list(dict.fromkeys(table["label"]))
    series = list(dict.fromkeys(table["series"])) if "series" in table else [""]
    scale = 100 if percent else 1
    ax = axes(ax, 1.0 + (0.16 + 0.17 * len(series)) * len(labels) + 0.25 * (len(series) > 1))
    furthest = np.full(len(labels), -np.inf)
    shown = []
    for number, name in enumerate(series):
        colour, marker, _, _ = SERIES[number % len(SERIES)]
        part = table if "series" not in table else table[table["series"] == name]
        places = np.array([labels.index(label) for label in part["label"]], int)
        value, low, high = (scale * part[column].to_numpy(float) for column in ("value", "low", "high"))
        low, high = np.where(np.isnan(low), value, low), np.where(np.isnan(high), value, high)
        shift = 0.0 if len(series) == 1 else 0.44 * (number / (len(series) - 1) - 0.5)
        ax.errorbar(
            value, places + shift, xerr=np.clip([value - low, high - value], 0, None), fmt=marker,
            color=colour, ecolor=colour, elinewidth=1.0, capsize=2.5, markersize=5,
            clip_on=False,
            label=names([name])[0] if name else None,
        )  # fmt: skip
        np.maximum.at(furthest, places, high)
        shown += [
            (f"{label} {name}".strip(), _percent(v, percent))
            for label, v in zip(part["label"], value, strict=True)
        ]
    if log:
        ax.set_xscale("log")
        plain_log(ax)
    elif len(table) and float(np.nanmin(table[["value", "low"]])) >= 0:
        ax.set_xlim(0, max(float(furthest.max()), reference or 0.0) * 1.03)
    if reference is not None:
        ax.axvline(reference, color="black", linewidth=0.9, linestyle=(0, (2, 2)))
    rows(ax, labels)
    ax.grid(axis="x", color="#dddddd", linewidth=0.6)
    ax.set_axisbelow(True)
    across(ax, xlabel)
    if len(series) > 1:
        legend(ax)
    if len(series) == 1 or "n" in table:
        ends = [text for _, text in shown] if len(series) == 1 else [""] * len(labels)
        if "n" in table:
            sizes = table.drop_duplicates("label")["n"]
            ends = [f"{text}, n={n:,}".removeprefix(", ") for text, n in zip(ends, sizes, strict=True)]
        at_ends(ax, furthest, ends)
    return described(ax, f"Points with intervals: {xlabel}. {listed(shown)}")


def _percent(value: float, percent: bool) -> str:
    return f"{value:.1f} %" if percent else f"{value:,.3g}"
