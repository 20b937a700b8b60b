"""What was removed: how much of each publisher's text, and how sure the remover was."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.display import OTHER, PALETTE
from toolkit.plots.canvas import SERIES, across, at_ends, axes, described, legend, listed, names, need, rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CERTAINTY = (0.5, 0.8, 0.9, 0.95, 0.99)
"""Edges of the classes of probability that :func:`certainty` counts."""


def removed(shares: pd.DataFrame, *, top: int = 12, ax: Axes | None = None) -> Axes:
    """Draw the share of each publisher's characters that was removed, by kind, as stacked bars.

    Parameters
    ----------
    shares : DataFrame
        One row a publisher and kind: ``publisher``, ``kind``, ``characters`` (removed), ``of`` (all
        characters of the publisher) and ``documents`` (of the publisher).
    top : int, default 12
        How many publishers, those with most documents first.
    ax : matplotlib Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib Axes
        One row a publisher; at its end the total in per cent and n, the number of documents.

    See Also
    --------
    toolkit.census.removed : counts it.
    """
    need(
        shares,
        ("publisher", "kind", "characters", "of", "documents"),
        "shares",
        "toolkit.census.removed(corpus, spans)",
    )
    sizes = shares.groupby("publisher")[["of", "documents"]].first()
    sizes = sizes.reset_index().sort_values(["documents", "publisher"], ascending=[False, True])
    chosen = sizes.head(top).set_index("publisher")
    table = shares.pivot_table(index="publisher", columns="kind", values="characters", aggfunc="sum")
    table = 100 * table.reindex(chosen.index).fillna(0).div(chosen["of"].clip(lower=1), axis=0)
    kinds = [k for k in PALETTE if k in table] + [str(k) for k in table if k not in PALETTE]
    ax = axes(ax, 1.3 + 0.3 * len(table))
    left = np.zeros(len(table))
    for kind in kinds:
        colours = PALETTE.get(kind, OTHER)
        width = table[kind].to_numpy()
        ax.barh(
            range(len(table)), width, left=left, height=0.72, label=names([kind])[0], color=colours.fill,
            hatch=colours.hatch, edgecolor="white", linewidth=0.6,
        )  # fmt: skip
        left = left + width
    rows(ax, table.index)
    ax.set_xlim(0, max(1.0, float(np.max(left, initial=0.0))))
    across(ax, "characters removed (% of the publisher's text)")
    legend(ax)
    shown = [f"{total:.1f} %" for total in left]
    ends = [f"{share}, n={n:,}" for share, n in zip(shown, chosen["documents"], strict=True)]
    at_ends(ax, left, ends)
    return described(
        ax,
        f"Stacked bars: characters removed, per cent of each publisher's text, by kind ({', '.join(kinds)}). "
        + listed(zip(chosen.index, shown, strict=True)),
    )


def certainty(spans: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how sure the remover was of what it removed: spans by probability, and by what spoke for them.

    Parameters
    ----------
    spans : DataFrame
        As ``BoilerplateRemover.spans`` returns it: ``score`` (probability) and ``evidence``.
    ax : matplotlib Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib Axes
        A bar a class of probability, stacked by evidence; at its end the number of spans and their share.
    """
    need(spans, ("score", "evidence"), "spans")
    edges = np.array(CERTAINTY)
    classes = np.searchsorted(edges, spans["score"].to_numpy(float), side="right")
    labels = [
        f"under {edges[0]:g}",
        *(f"{a:g} to {b:g}" for a, b in pairwise(edges)),
        f"{edges[-1]:g} and more",
    ]
    present = [k for k in range(len(labels)) if k > 0 or (classes == 0).any()]
    counts = pd.crosstab(classes, spans["evidence"].to_numpy()).reindex(present, fill_value=0)
    counts = counts[counts.sum().sort_values(ascending=False, kind="stable").index]
    ax = axes(ax, 1.2 + 0.34 * len(counts))
    left = np.zeros(len(counts))
    for number, (name, values) in enumerate(counts.items()):
        colour, _, _, hatch = SERIES[number % len(SERIES)]
        ax.barh(
            range(len(counts)), values, left=left, height=0.72, color=colour, hatch=hatch, edgecolor="white",
            linewidth=0.6, label=f"evidence: {names([name])[0]}",
        )  # fmt: skip
        left = left + values.to_numpy()
    rows(ax, [labels[k] for k in present])
    ax.set_ylabel("probability")
    across(ax, f"spans removed (n={len(spans):,})")
    ax.set_xlim(0, max(1.0, float(np.max(left, initial=0.0))))
    legend(ax)
    shares = [f"{100 * n / max(1, len(spans)):.1f} %" for n in left]
    at_ends(ax, left, [f"{n:,.0f} ({share})" for n, share in zip(left, shares, strict=True)])
    return described(
        ax,
        f"Bars: {len(spans):,} removed spans by the probability that they are boilerplate. "
        + listed(zip((labels[k] for k in present), shares, strict=True)),
    )
