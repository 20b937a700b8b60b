"""Figures with their intervals: how far probabilities hold, what more labels bring, shares by period, estimates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.census import shares
from toolkit.errors import wants
from toolkit.plots import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def reliability(forecasts: pd.DataFrame, *, bins: int = 10, ax: Axes | None = None) -> Axes:
    """Draw observed frequency against predicted probability, in bins of equal width.

    A point a bin with its 95 % interval (Wilson 1927) and the forecasts in it, the diagonal, and the expected
    calibration error (mean gap of the bins, weighted by size: Naeini, Cooper and Hauskrecht 2015). ``forecasts`` has a
    row each: ``probability`` (float in [0, 1]) and ``correct`` (bool).
    """
    _check(forecasts)
    number = np.minimum((forecasts["probability"].to_numpy(float) * bins).astype(int), bins - 1)
    table = shares(forecasts.assign(bin=number), "correct", by="bin").rename(columns={"value": "correct"})
    table["probability"] = forecasts["probability"].astype(float).groupby(number).mean().to_numpy()
    gap = (table["n"] * (table["correct"] - table["probability"]).abs()).sum()
    error = gap / max(1, len(forecasts))
    ax = canvas.axes(ax, 3.6)
    ax.plot([0, 1], [0, 1], color=canvas.GREY, linestyle="--", linewidth=1, label="perfectly calibrated")
    x, y = table["probability"], table["correct"]
    ax.plot(x, y, color=canvas.BLUE, marker="o", linewidth=1.5, label="observed")
    ends = canvas.whiskers(y, table["low"], table["high"])
    ax.errorbar(x, y, yerr=ends, fmt="none", ecolor=canvas.BLUE, elinewidth=0.9, capsize=2)
    for row in table.itertuples():
        # below a point at the foot of the figure n would be taken for a number of the axis
        ax.annotate(
            f"{row.n:,}", (row.probability, row.correct), xytext=(5, -11 if row.correct > 0.06 else 4),
            textcoords="offset points", fontsize="small",
        )  # fmt: skip
    ax.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share that was right")
    canvas.across(ax, "predicted probability (numbers: n; bars: 95 % intervals)")
    canvas.title(ax, f"calibration error {error:.3f}, n={len(forecasts):,}")
    ax.legend(frameon=False, loc="upper left", fontsize="small")
    points = [(f"at {row.probability:.2f}", f"{row.correct:.2f} right") for row in table.itertuples()]
    text = f"predicted probability, {len(forecasts):,} forecasts, calibration error {error:.3f}."
    return canvas.described(ax, f"Points: share of forecasts that was right against the {text}", points)


def _check(forecasts: pd.DataFrame) -> None:
    """Refuse forecasts that cannot be drawn: a probability or an answer is missing, or a probability is none."""
    columns = ["probability", "correct"]
    canvas.need(forecasts, columns, "forecasts")
    for name, missing in forecasts[columns].isna().sum().items():
        if missing:
            fault = f"forecasts: {name} is missing in {missing:,} of {len(forecasts):,} rows"
            raise ValueError(f"{fault}; leave them out: forecasts.dropna(subset={columns})")
    if len(wrong := forecasts.loc[~forecasts["probability"].astype(float).between(0, 1), "probability"]):
        raise ValueError(f"forecasts: probability {wrong.iloc[0]:g} is not in [0, 1]; divide per cent by 100")


def coverage(forecasts: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw accuracy of the surest forecasts against the share of documents they cover.

    The curve (El-Yaniv and Wiener 2010), marked at coverage 70 % and 100 %. Forecasts of equal probability enter
    together, so their order does not matter. ``forecasts`` are as for :func:`reliability`.
    """
    _check(forecasts)
    groups = forecasts.groupby("probability")["correct"].agg(["sum", "size"]).sort_index(ascending=False)
    covered = groups["size"].cumsum()
    accuracy = groups["sum"].cumsum() / covered
    share = 100 * covered / max(1, len(forecasts))
    ax = canvas.axes(ax, 3.2)
    ax.plot(share, 100 * accuracy, color=canvas.BLUE, drawstyle="steps-post")
    shown = []
    for mark in (70, 100):
        reached = np.flatnonzero(share.to_numpy() >= mark - 1e-9)
        if len(reached):
            y = 100 * float(accuracy.iloc[reached[0]])
            ax.plot([mark], [y], marker="o", color=canvas.VERMILLION)
            # the curve falls, so it is below and to the left of it that nothing is drawn
            below = y > 12
            ax.annotate(
                f"{y:.1f} %", (mark, y), xytext=(-4, -6 if below else 7), textcoords="offset points",
                ha="right", va="top" if below else "baseline",
            )  # fmt: skip
            shown.append((f"at {mark} % of the documents", f"{y:.1f} %"))
    ax.set(xlim=(0, 102), ylim=(0, 103), ylabel="right (% of answered)")
    canvas.across(ax, "documents answered (% of all, surest first)")
    canvas.title(ax, f"n={len(forecasts):,}")
    return canvas.described(ax, f"Line: accuracy of the surest of {len(forecasts):,} documents. Right", shown)


def learning(curve: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw what more labels bring: scores of a classifier against the documents it was trained on.

    A line a metric with its intervals. Columns of ``curve``, as in :class:`toolkit.evaluation.TopicReport`:
    ``documents`` (trained on), ``metric``, ``value``, ``low``, ``high``.
    """
    canvas.need(curve, ("documents", "metric", "value", "low", "high"), "curve")
    ax = canvas.axes(ax, 3.2)
    shown = []
    for number, (name, part) in enumerate(curve.groupby("metric", sort=False)):
        part = part.sort_values("documents")
        # metrics of one size stand side by side, so that their intervals can be told apart
        at = part["documents"] * (1 + 0.015 * number)
        canvas.line(ax, number, name, at, part["value"], part["low"], part["high"])
        shown.append((name, f"from {part['value'].iloc[0]:.2f} to {part['value'].iloc[-1]:.2f}"))
    sizes = sorted(set(curve["documents"]))
    ax.set_xticks(sizes, [f"{n:,}" for n in sizes])
    ax.set(ylabel="score (0 to 1)", ylim=(0, 1.02))
    canvas.across(ax, "documents trained on (bars: 95 % intervals)")
    canvas.legend(ax)
    span = f"{sizes[0]:,} to {sizes[-1]:,}" if sizes else "no"
    return canvas.described(ax, f"Lines: scores against {span} training documents.", shown)


def flips(rates: pd.DataFrame, *, by: str | None = None, top: int = 12, ax: Axes | None = None) -> Axes:
    """Draw the share of documents whose topic changed, with intervals.

    One row a group: the share with its interval, and n, the number of documents. The first ``top`` rows are drawn;
    with ``by``, such as ``"publisher"``, only rows of that sort. ``rates`` are as :func:`toolkit.audit` or
    :func:`toolkit.contamination.flip_rates` returns them.
    """
    canvas.need(rates, ("by", "group", "documents", "share", "low", "high"), "rates", "toolkit.audit(corpus)")
    chosen = rates if by is None else rates[rates["by"] == by]
    chosen = chosen[chosen["documents"] > 0].head(top)
    table = chosen.rename(columns={"group": "label", "share": "value", "documents": "n"})
    table["label"] = table["label"].mask(table["by"] == "all", "all documents")
    ax = canvas.axes(ax, 0.9 + 0.3 * len(table))
    ax.tick_params(axis="y", pad=7)  # a point at 0 must not touch the name of its row
    xlabel = "documents whose leading topic changed (%; bars: 95 % intervals)"
    return estimates(table, xlabel=xlabel, percent=True, ax=ax)


def prevalence(
    rates: pd.DataFrame, *, marks: Mapping[str, str] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw which share of the documents of each period holds something, such as an appeal.

    A line a series with its intervals; the label of the axis has n, the fewest and most documents of a period.
    ``rates`` are as :func:`toolkit.census.prevalence` or :func:`toolkit.census.mentions` counts them. ``marks`` are
    days with the name of what happened, drawn as vertical lines: ``{"2032-10-14": "election"}``.
    """
    columns = ("period", "series", "documents", "share", "low", "high")
    canvas.need(rates, columns, "rates", "toolkit.census.prevalence(corpus, spans)")
    shown = rates[rates["documents"] > 0].assign(period=canvas.stamps(rates["period"]))
    series = list(dict.fromkeys(shown["series"]))
    starts = shown["period"].drop_duplicates().sort_values()
    half = starts.diff().median() / 2 if len(starts) > 1 else pd.Timedelta(0)
    ax = canvas.axes(ax, 3.0)
    ranges = []
    for number, name in enumerate(series):
        part = shown[shown["series"] == name].sort_values("period")
        share, low, high = (100 * part[column].to_numpy(float) for column in ("share", "low", "high"))
        # in the middle of its period; series stand side by side, so that their intervals can be told apart
        at = part["period"] + half + pd.Timedelta(days=4 * number - 2 * (len(series) - 1))
        canvas.line(ax, number, name, at.to_numpy(), share, low, high, markersize=5)
        ranges.append((name, f"from {share.min():.0f} to {share.max():.0f} %"))
    canvas.marked(ax, marks)
    canvas.dates(ax)
    ax.set_ylim(0, min(100, max(1.0, float(100 * shown["high"].max() if len(shown) else 1)) * 1.05))
    ax.set_ylabel("documents (% of the period)")
    n = sorted(set(shown["documents"]))
    sizes = f" (n={n[0]:,}{f' to {n[-1]:,}' * (len(n) > 1)} each; bars: 95 % intervals)" if n else ""
    canvas.across(ax, f"period of publication{sizes}")
    if len(series) > 1:
        canvas.legend(ax)
    text = f"Lines: share of the documents of each period, {canvas.in_words(ranges)}"
    if marks:
        text += "; marked: " + ", ".join(f"{name} on {day}" for day, name in marks.items())
    return canvas.described(ax, text)


@wants("xlabel")
def estimates(
    table: pd.DataFrame, *, xlabel: str, percent: bool = False, log: bool = False, reference: float | None = None,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw estimates with their intervals, one row a label, in the order of the frame.

    Columns of ``table``: ``label``, ``value``, ``low``, ``high`` (an interval may be missing), perhaps ``series`` (each
    label has a point a series then) and ``n`` (at the end of the row). ``xlabel`` says what is estimated, and its unit.
    With ``percent``, values are shares; with ``log``, the axis is logarithmic, for ratios. ``reference`` is a value to
    compare with, drawn as a vertical line. A row without a value is drawn as ``missing``. ValueError: a label stands
    twice in one of several series, or a row has 0 or less where the axis is logarithmic.
    """
    columns = ("label", "value", "low", "high")
    canvas.need(table, columns, "table", "toolkit.census.shares(frame, column, by=…)")
    series = list(dict.fromkeys(table["series"])) if "series" in table else [""]
    alone = len(series) == 1  # then each row of the frame has a row of the figure
    if not alone and (twice := table.duplicated(["label", "series"])).any():
        label, name = table.loc[twice, ["label", "series"]].iloc[0]
        fault = f"table: {label!r} stands twice in the series {name!r}"
        raise ValueError(f"{fault}; give each row a label of its own")
    if log and (wrong := (table[[*columns[1:]]] <= 0).any(axis=1)).any():
        first = table.loc[wrong, "label"].iloc[0]
        fault = f"table: {first!r} reaches 0 or less, which log=True has no place for"
        raise ValueError(f"{fault}; leave out either")
    labels = list(table["label"]) if alone else list(dict.fromkeys(table["label"]))
    scale = 100 if percent else 1
    ax = canvas.axes(ax, 1.0 + (0.16 + 0.17 * len(series)) * len(labels) + 0.25 * (len(series) > 1))
    furthest = np.full(len(labels), -np.inf)
    shown = []
    for number, name in enumerate(series):
        colour, marker, _, _ = canvas.series(number)
        part = table if "series" not in table else table[table["series"] == name]
        places = np.arange(len(part)) if alone else np.array([*map(labels.index, part["label"])], int)
        value, low, high = (scale * part[column].to_numpy(float) for column in ("value", "low", "high"))
        low, high = np.where(np.isnan(low), value, low), np.where(np.isnan(high), value, high)
        shift = 0.0 if alone else 0.44 * (number / (len(series) - 1) - 0.5)
        ax.errorbar(
            value, places + shift, xerr=canvas.whiskers(value, low, high), fmt=marker, color=colour, ecolor=colour,
            elinewidth=1.0, capsize=2.5, markersize=5, clip_on=False,
            label=canvas.names([name])[0] if name else None,
        )  # fmt: skip
        np.fmax.at(furthest, places, high)
        texts = ["missing" if np.isnan(v) else f"{v:.1f} %" if percent else f"{v:,.3g}" for v in value]
        shown += [(f"{label} {name}".strip(), v) for label, v in zip(part["label"], texts, strict=True)]
    if log:
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.4g}")  # as numbers, not as mathematics
        ax.xaxis.set_minor_formatter("")
    elif len(table) and not (table[["value", "low"]] < 0).any(axis=None):
        ax.set_xlim(0, max(float(furthest.max()), reference or 0.0) * 1.03 or 1)
    if reference is not None:
        ax.axvline(reference, color=canvas.ink()[0], linewidth=0.9, linestyle=(0, (2, 2)))
    ax.grid(axis="x", color="#dddddd", linewidth=0.6)
    ax.set_axisbelow(True)
    furthest = np.where(np.isfinite(furthest), furthest, ax.get_xlim()[0])
    sizes = (table if alone else table.drop_duplicates("label"))["n"] if "n" in table else None
    ends = [text for _, text in shown] if alone else [""] * len(labels)
    canvas.rows(ax, labels, xlabel, furthest, ends, sizes)
    return canvas.described(ax, f"Points with intervals: {xlabel}.", shown)
