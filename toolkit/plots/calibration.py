"""How far probabilities can be relied on, what abstaining buys, and what more labels would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.census import rate
from toolkit.plots.canvas import (
    BLUE,
    GREY,
    SERIES,
    VERMILLION,
    across,
    axes,
    described,
    legend,
    listed,
    names,
    need,
    open_frame,
    title,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def reliability(forecasts: pd.DataFrame, *, bins: int = 10, ax: Axes | None = None) -> Axes:
    """Draw observed frequency against predicted probability, in bins of equal width.

    Parameters
    ----------
    forecasts : DataFrame
        ``probability`` (float in [0, 1]) and ``correct`` (bool), one row a forecast.
    bins : int, default 10
        How many bins.
    ax : matplotlib Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib Axes
        A point a bin with its 95 % interval (Wilson 1927) and the forecasts in it, the diagonal, and the
        expected calibration error (Naeini, Cooper and Hauskrecht 2015: mean gap of the bins, weighted by
        their size).
    """
    need(forecasts, ("probability", "correct"), "forecasts")
    table = _binned(forecasts, bins)
    gap = (table["n"] * (table["correct"] - table["probability"]).abs()).sum()
    error = float(gap / max(1, table["n"].sum()))
    ax = axes(ax, 3.6)
    ax.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="perfectly calibrated")
    ax.plot(table["probability"], table["correct"], color=BLUE, marker="o", linewidth=1.5, label="observed")
    ends = np.clip([table["correct"] - table["low"], table["high"] - table["correct"]], 0, None)
    ax.errorbar(
        table["probability"], table["correct"], yerr=ends, fmt="none", ecolor=BLUE, elinewidth=0.9, capsize=2
    )
    for row in table.itertuples():
        # below a point at the foot of the figure n would be taken for a number of the axis
        ax.annotate(
            f"{row.n:,}", (row.probability, row.correct), xytext=(5, -11 if row.correct > 0.06 else 4),
            textcoords="offset points", fontsize="small",
        )  # fmt: skip
    ax.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share that was right")
    across(ax, "predicted probability (numbers: n; bars: 95 % intervals)")
    title(ax, f"calibration error {error:.3f}, n={len(forecasts):,}")
    ax.legend(frameon=False, loc="upper left", fontsize="small")
    open_frame(ax)
    points = [(f"at {row.probability:.2f}", f"{row.correct:.2f} right") for row in table.itertuples()]
    return described(
        ax,
        f"Points: share of forecasts that was right against the predicted probability, {len(forecasts):,} "
        f"forecasts, calibration error {error:.3f}. {listed(points)}",
    )


def _binned(forecasts: pd.DataFrame, bins: int) -> pd.DataFrame:
    number = np.minimum((forecasts["probability"].to_numpy(float) * bins).astype(int), bins - 1)
    groups = forecasts.astype({"correct": float}).groupby(number)
    table = groups[["probability", "correct"]].mean().assign(n=groups.size())
    ends = [rate(round(row.correct * row.n), row.n) for row in table.itertuples()]
    return table.assign(low=[end["low"] for end in ends], high=[end["high"] for end in ends])


def coverage(forecasts: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw accuracy of the surest forecasts against the share of documents they cover.

    Parameters
    ----------
    forecasts : DataFrame
        ``probability`` (float) and ``correct`` (bool), one row a document.
    ax : matplotlib Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib Axes
        The curve (El-Yaniv and Wiener 2010), marked at coverage 70 % and 100 %. Forecasts of equal
        probability enter together, so their order does not matter.
    """
    need(forecasts, ("probability", "correct"), "forecasts")
    groups = forecasts.groupby("probability")["correct"].agg(["sum", "size"]).sort_index(ascending=False)
    covered = groups["size"].cumsum()
    accuracy = groups["sum"].cumsum() / covered
    share = 100 * covered / max(1, len(forecasts))
    ax = axes(ax, 3.2)
    ax.plot(share, 100 * accuracy, color=BLUE, drawstyle="steps-post")
    shown = []
    for mark in (70, 100):
        reached = np.flatnonzero(share.to_numpy() >= mark - 1e-9)
        if len(reached):
            y = 100 * float(accuracy.iloc[reached[0]])
            ax.plot([mark], [y], marker="o", color=VERMILLION)
            # the curve falls, so it is below and to the left of it that nothing is drawn
            below = y > 12
            ax.annotate(
                f"{y:.1f} %", (mark, y), xytext=(-4, -6 if below else 7), textcoords="offset points",
                ha="right", va="top" if below else "baseline",
            )  # fmt: skip
            shown.append((f"at {mark} % of the documents", f"{y:.1f} %"))
    ax.set(xlim=(0, 102), ylim=(0, 103), ylabel="right (% of answered)")
    across(ax, "documents answered (% of all, surest first)")
    title(ax, f"n={len(forecasts):,}")
    open_frame(ax)
    return described(
        ax, f"Line: accuracy of the surest of {len(forecasts):,} documents. Right {listed(shown)}"
    )


def learning(curve: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw what more labels bring: scores of a classifier against the documents it was trained on.

    Parameters
    ----------
    curve : DataFrame
        ``documents`` (trained on), ``metric``, ``value``, ``low``, ``high``, as in
        :class:`toolkit.evaluation.TopicReport`.
    ax : matplotlib Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib Axes
        A line a metric with its intervals.
    """
    need(curve, ("documents", "metric", "value", "low", "high"), "curve")
    ax = axes(ax, 3.2)
    shown = []
    for number, (name, part) in enumerate(curve.groupby("metric", sort=False)):
        colour, marker, line, _ = SERIES[number % len(SERIES)]
        part = part.sort_values("documents")
        # metrics of one size stand side by side, so that their intervals can be told apart
        at = part["documents"] * (1 + 0.015 * number)
        ax.errorbar(
            at, part["value"], color=colour, marker=marker, linestyle=line, linewidth=1.5,
            yerr=np.clip([part["value"] - part["low"], part["high"] - part["value"]], 0, None),
            elinewidth=0.9, capsize=2, label=names([name])[0],
        )  # fmt: skip
        shown.append((name, f"from {part['value'].iloc[0]:.2f} to {part['value'].iloc[-1]:.2f}"))
    sizes = sorted(set(curve["documents"]))
    ax.set_xticks(sizes, [f"{n:,}" for n in sizes])
    ax.set(ylabel="score (0 to 1)", ylim=(0, 1.02))
    across(ax, "documents trained on (bars: 95 % intervals)")
    legend(ax)
    open_frame(ax)
    span = f"{sizes[0]:,} to {sizes[-1]:,}" if sizes else "no"
    return described(ax, f"Lines: scores against {span} training documents. {listed(shown)}")
