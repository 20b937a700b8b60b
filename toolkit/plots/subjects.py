"""What articles are about: documents by topic, and the words that spoke for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.display import visible
from toolkit.plots.canvas import (
    BLUE,
    VERMILLION,
    across,
    at_ends,
    axes,
    described,
    legend,
    listed,
    need,
    rows,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def topics(topics: pd.DataFrame | pd.Series[Any], *, ax: Axes | None = None) -> Axes:
    """Draw how many documents have each topic.

    Parameters
    ----------
    topics : DataFrame or Series
        Long form as ``TopicClassifier.topics`` returns it (``doc_id``, ``topic``, ``name``), already counted
        (``name``, ``documents``), or the names that ``predict(..., names=True)`` returns. A document with two
        topics counts for both.
    ax : matplotlib Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib Axes
        One bar a topic, the most frequent first, its count at its end.
    """
    if isinstance(topics, pd.Series):
        counts = topics.value_counts().rename_axis("name")
    elif "documents" in topics.columns:
        need(topics, ("name", "documents"), "topics")
        counts = topics.set_index("name")["documents"]
    else:
        need(topics, ("doc_id", "name"), "topics")
        counts = topics.groupby("name")["doc_id"].nunique()
    table = counts.rename("n").reset_index().sort_values(["n", "name"], ascending=[False, True])
    ax = axes(ax, 0.9 + 0.27 * len(table))
    ax.barh(range(len(table)), table["n"], height=0.72, color=BLUE)
    rows(ax, table["name"])
    ax.set_xlim(0, max(1, int(table["n"].max()) if len(table) else 1))
    across(ax, "documents (one may have several topics)")
    shown = [f"{n:,}" for n in table["n"]]
    at_ends(ax, table["n"], shown)
    return described(ax, "Bars: documents by topic. " + listed(zip(table["name"], shown, strict=True)))


def words(weights: pd.DataFrame, *, top: int = 8, towards: str = "the topic", ax: Axes | None = None) -> Axes:
    """Draw the words that spoke most for and against a topic.

    Parameters
    ----------
    weights : DataFrame
        ``word`` and ``weight`` (its contribution to the topic's score, in log-odds); where a column
        ``removed`` (bool) is there, words of removed text are marked.
    top : int, default 8
        How many words, by absolute weight.
    towards : str, default "the topic"
        What positive weights speak for, for the label of the axis.
    ax : matplotlib Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib Axes
        Bars to the right speak for the topic, to the left against it.
    """
    need(weights, ("word", "weight"), "weights")
    order = weights["weight"].abs().sort_values(ascending=False, kind="stable").index[:top]
    chosen = weights.loc[order]
    gone = chosen["removed"].to_numpy(bool) if "removed" in chosen else np.zeros(len(chosen), bool)
    ax = axes(ax, 0.9 + 0.27 * len(chosen))
    places = np.arange(len(chosen))
    for mask, colour, hatch, label in (
        (~gone, BLUE, "", "in the story"),
        (gone, VERMILLION, "//", "in removed text"),
    ):
        if mask.any():
            ax.barh(
                places[mask], chosen["weight"].to_numpy()[mask], height=0.72, color=colour, hatch=hatch,
                edgecolor="white", label=label,
            )  # fmt: skip
    rows(ax, chosen["word"])
    ax.axvline(0, color="black", linewidth=0.8)
    across(ax, f"weight (log-odds); to the right: for {visible(towards)}")
    if gone.any():
        legend(ax)
    shown = [
        f"{weight:+.2f}{' in removed text' if out else ''}"
        for weight, out in zip(chosen["weight"], gone, strict=True)
    ]
    return described(
        ax, f"Bars: what words did for {visible(towards)}. " + listed(zip(chosen["word"], shown, strict=True))
    )
