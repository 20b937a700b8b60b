"""What changes with time: documents a month, kinds of boilerplate by period, templates that come and go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.display import OTHER, PALETTE
from toolkit.plots import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TEN_YEARS, _STRAY = 120, 0.005  # months; share of the documents at each end
_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 600, 1200)  # months from tick to tick


def months(counts: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw documents by month of publication.

    A bar a month, months without documents shown as gaps; the title counts the undated.

    Parameters
    ----------
    counts : DataFrame
        ``month`` (``datetime64``, first of the month; missing for undated) and ``documents`` (int), as
        :func:`toolkit.census.months` counts them.
    """
    canvas.need(counts, ("month", "documents"), "counts", "toolkit.census.months(corpus)")
    dated = counts[counts["month"].notna()]
    undated = int(counts.loc[counts["month"].isna(), "documents"].sum())
    ax = canvas.axes(ax, 2.6)
    text = f"n={int(dated['documents'].sum()):,} dated, {undated:,} undated"
    alt = f"Bars: documents by month of publication, {text}"
    if not dated.empty:
        stamps = _stamps(dated["month"])
        table = dated["documents"].groupby((stamps.dt.year * 12 + stamps.dt.month - 1).to_numpy()).sum()
        shown = _without_strays(table)
        if len(shown) < len(table):
            text += f", {int(table.sum() - shown.sum()):,} before or after the months shown"
        first, last = int(shown.index.min()), int(shown.index.max())
        ax.bar(shown.index - first, shown, width=0.9, color=canvas.BLUE)
        step = max(1, -(-(last - first + 1) // round(canvas.characters(ax) / 12)))
        ticks = range(first, last + 1, step)
        ax.set_xticks([t - first for t in ticks], [_month(t) for t in ticks])
        alt += f", {_month(first)} to {_month(last)}; from {shown.min():,} to {shown.max():,} a month"
    ax.locator_params(axis="y", integer=True)
    ax.set_ylabel("documents")
    canvas.across(ax, "month of publication")
    canvas.title(ax, text)
    canvas.open_frame(ax)
    return canvas.described(ax, alt)


def _month(number: int) -> str:
    return f"{number // 12}-{number % 12 + 1:02d}"


def _without_strays(table: pd.Series[Any]) -> pd.Series[Any]:
    """Leave out single wrong dates (year 1) where they would stretch the axis beyond ten years."""
    if table.index[-1] - table.index[0] <= _TEN_YEARS:
        return table
    below = table.cumsum() / table.sum()
    return table[(below > _STRAY) & (below - table / table.sum() < 1 - _STRAY)]


def _stamps(values: pd.Series[Any]) -> pd.Series[Any]:
    return pd.to_datetime(values, utc=True).dt.tz_localize(None)


def _marked(ax: Axes, marks: Mapping[str, str] | None) -> None:
    """Draw a vertical line at each marked day, its name above the axes."""
    for day, text in (marks or {}).items():
        at = pd.Timestamp(day)
        ax.axvline(at, color="black", linewidth=0.9, linestyle=(0, (2, 2)))
        ax.annotate(
            text, (at, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 2), textcoords="offset points",
            ha="center", va="bottom", fontsize="small", parse_math=False,
        )  # fmt: skip


def _dates(ax: Axes) -> None:
    """Tick months or years, as many as there is room for; days where all is within two months."""
    from matplotlib.dates import AutoDateLocator, DateFormatter, MonthLocator, YearLocator

    low, high = ax.get_xlim()
    most = max(2, canvas.room(ax) // 13)
    months = (high - low) / 30.44
    if months < 2:
        ax.xaxis.set_major_locator(AutoDateLocator(minticks=2, maxticks=most))
        ax.xaxis.set_major_formatter(DateFormatter("%Y-%m-%d"))
        return
    step = next((step for step in _STEPS if months <= step * most), _STEPS[-1])
    ticks = MonthLocator(bymonth=range(1, 13, step)) if step < 12 else YearLocator(step // 12)
    ax.xaxis.set_major_locator(ticks)
    ax.xaxis.set_major_formatter(DateFormatter("%Y-%m"))


def prevalence(
    rates: pd.DataFrame, *, marks: Mapping[str, str] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw which share of the documents of each period holds something, such as an appeal.

    A line a series with its intervals; the label of the axis has n, the fewest and most documents of
    a period.

    Parameters
    ----------
    rates : DataFrame
        One row a period and series: ``period`` (``datetime64``, its first day), ``series`` (str),
        ``documents`` (of the period), ``share``, ``low``, ``high``, as :func:`toolkit.census.prevalence` or
        :func:`toolkit.census.mentions` counts them.
    marks : mapping of str to str, optional
        Day → name of what happened, drawn as a vertical line: ``{"2032-10-14": "election"}``.
    """
    columns = ("period", "series", "documents", "share", "low", "high")
    canvas.need(rates, columns, "rates", "toolkit.census.prevalence(corpus, spans)")
    shown = rates[rates["documents"] > 0].assign(period=_stamps(rates["period"]))
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
    _marked(ax, marks)
    _dates(ax)
    ax.set_ylim(0, min(100, max(1.0, float(100 * shown["high"].max() if len(shown) else 1)) * 1.05))
    ax.set_ylabel("documents (% of the period)")
    n = sorted(set(shown["documents"]))
    sizes = f" (n={n[0]:,}{f' to {n[-1]:,}' * (len(n) > 1)} each; bars: 95 % intervals)" if n else ""
    canvas.across(ax, f"period of publication{sizes}")
    if len(series) > 1:
        canvas.legend(ax)
    canvas.open_frame(ax)
    days = ", ".join(f"{text} on {day}" for day, text in (marks or {}).items())
    marked = f"; marked: {days}" if days else ""
    text = f"Lines: share of the documents of each period, {canvas.listed(ranges)}{marked}"
    return canvas.described(ax, text)


def lifetimes(
    templates: pd.DataFrame, *, top: int = 14, marks: Mapping[str, str] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw from when to when each template was seen.

    A bar a template, from the first to the last document that holds it; at its end n, their number.

    Parameters
    ----------
    templates : DataFrame
        ``label`` (what to call it), ``kind``, ``documents``, ``first_seen`` and ``last_seen``, as in
        ``BoilerplateRemover.templates_`` with a column ``label``.
    top : int, default 14
        How many rows, the first of the frame.
    marks : mapping of str to str, optional
        As for :func:`prevalence`.
    """
    from matplotlib.dates import date2num

    canvas.need(templates, ("label", "kind", "documents", "first_seen", "last_seen"), "templates")
    chosen = templates.head(top)
    ax = canvas.axes(ax, 1.2 + 0.3 * len(chosen))
    first, last = (_stamps(chosen[name]) for name in ("first_seen", "last_seen"))
    for kind in dict.fromkeys(chosen["kind"]):
        colours = PALETTE.get(str(kind), OTHER)
        here = np.flatnonzero((chosen["kind"] == kind).to_numpy())
        # a template of a single day is drawn as a day
        days = np.maximum((last - first).dt.days.to_numpy()[here], 1)
        ax.barh(
            here, pd.to_timedelta(days, unit="D"), left=first.iloc[here], height=0.6, color=colours.fill,
            hatch=colours.hatch, edgecolor="white", linewidth=0.6, label=canvas.names([kind])[0],
        )  # fmt: skip
    canvas.rows(ax, chosen["label"])
    canvas.across(ax, "first to last day seen (n: documents)")
    _marked(ax, marks)
    canvas.legend(ax)
    canvas.at_ends(ax, date2num(last) if len(chosen) else [], [f"n={n:,}" for n in chosen["documents"]])
    _dates(ax)
    spells = [f"{a:%Y-%m} to {b:%Y-%m}" for a, b in zip(first, last, strict=True)]
    text = "Bars: from when to when each template was seen."
    return canvas.described(ax, text, zip(chosen["label"], spells, strict=True))
