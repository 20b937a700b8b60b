"""The canvas of every figure: colours, labels that are safe and fit, room for what stands at the end of a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from toolkit.display import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, VERMILLION, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#999999"

SERIES: tuple[tuple[str, str, Any, str], ...] = (
    (BLUE, "o", "-", ""), (VERMILLION, "s", "--", "//"), (GREEN, "^", ":", ".."), (ORANGE, "D", "-.", "xx"),
    ("#CC79A7", "v", (0, (8, 2)), "\\\\"), ("#56B4E9", "P", (0, (1, 3)), "--"),
    ("#666666", "X", (0, (5, 1, 1, 1, 1, 1)), "oo"),
)  # fmt: skip
"""Colour, marker, line and hatch of the first, second, … series, one for each kind: told apart without colour."""

_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 600, 1200)  # months from tick to tick


def series(number: int) -> tuple[str, str, Any, str]:
    """Return colour, marker, line and hatch of a series; after the last it begins again."""
    return SERIES[number % len(SERIES)]


def axes(ax: Axes | None, height: float) -> Axes:
    """Return ``ax``, or the Axes of a new figure of the usual width and ``height`` inches, open at top and right."""
    from matplotlib import pyplot as plt

    if ax is None:
        size = (float(plt.rcParams["figure.figsize"][0]), height)
        ax = plt.subplots(figsize=size, layout="constrained")[1]
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def ink() -> tuple[Any, Any]:
    """Return the colours of text and of the ground on which it stands, in the style in use, light or dark."""
    from matplotlib import rcParams

    return rcParams["text.color"], rcParams["axes.facecolor"]


def figure(ax: Axes) -> Figure:
    """Return the whole figure that holds ``ax``."""
    return cast("Figure", ax.get_figure(root=True))


def characters(ax: Axes) -> int:
    """Return about how many characters of the usual size fit across the part of the figure that is the axes' own."""
    from matplotlib import rcParams

    whole, spec = figure(ax), ax.get_subplotspec()
    part = cast("Figure", ax.get_figure())  # its subfigure
    margins, box = whole.subplotpars, spec.get_position(part) if spec else ax.get_position()
    share = box.width / (margins.right - margins.left) * part.bbox.width / whole.bbox.width
    width = whole.get_figwidth() * min(1.0, round(share, 6))
    return max(12, int(width * 72 / (0.52 * float(rcParams["font.size"]))))


def lay_out(ax: Axes) -> None:
    """Make room for the labels, once, in a figure of the caller's that has no layout; it gets none for later."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    whole = figure(ax)
    if whole.get_layout_engine() is None and ax.get_subplotspec():
        ConstrainedLayoutEngine().execute(whole)


def room(ax: Axes) -> int:
    """Return about how many characters fit beside the labels of the rows, which are set before."""
    taken = max((len(label.get_text()) for label in ax.get_yticklabels()), default=0)
    return max(10, characters(ax) - taken - 4)


def names(values: Iterable[Any], longest: int = 44) -> list[str]:
    """Return labels that are safe in SVG and no longer than ``longest`` characters."""
    return [one_line(str(value), longest) for value in values]


def rows(
    ax: Axes, values: Iterable[Any], across_text: str, ends: Iterable[float] = (), texts: Iterable[str] = (),
    n: Iterable[int] | None = None,
) -> None:  # fmt: skip
    """Finish a horizontal figure: names of the rows, the first on top, and of the axis, legend, texts at the ends.

    Names get less than half of the width; ``n`` stands behind the texts.
    """
    labels = names(values, min(44, max(12, round(0.45 * characters(ax)))))
    ax.set_yticks(range(len(labels)), labels, parse_math=False)  # two prices are not mathematics
    ax.set_ylim(max(len(labels), 1) - 0.45, -0.55)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    across(ax, across_text)
    legend(ax)
    if n is not None:
        texts = [f"{text}, n={size:,}".removeprefix(", ") for text, size in zip(texts, n, strict=True)]
    _at_ends(ax, ends, texts)


def need(frame: pd.DataFrame, columns: Sequence[str], what: str, made_by: str = "") -> None:
    """Refuse what is no frame or lacks one of ``columns``; the message names the call that makes them."""
    mend = f"pass a frame with {', '.join(columns)}" if columns else "pass a DataFrame"
    mend += f", as {made_by} makes it" if made_by else ""
    if not isinstance(frame, pd.DataFrame):
        raise ValueError(f"{what}: {type(frame).__name__} is no DataFrame; {mend}")
    if missing := [name for name in columns if name not in frame.columns]:
        found = ", ".join(map(repr, map(str, frame.columns))) or "no column"
        raise ValueError(f"{what}: no column {missing[0]!r}; found {found}; {mend}")


def bars(ax: Axes, at: Any, width: Any, colour: str, hatch: str, label: Any, **more: Any) -> None:
    """Draw horizontal bars that a hatch tells apart as well as a colour."""
    look: dict[str, Any] = {"height": 0.72, "linewidth": 0.6, "edgecolor": "white"} | more
    ax.barh(at, width, color=colour, hatch=hatch, label=names([label])[0], **look)


def whiskers(value: Any, low: Any, high: Any) -> Any:
    """Return the lengths below and above the values that matplotlib wants, for intervals from low to high."""
    return np.clip([value - low, high - value], 0, None)


def line(ax: Axes, number: int, name: Any, at: Any, value: Any, low: Any, high: Any, **more: Any) -> None:
    """Draw a series, the ``number``-th of the figure, as a line with its intervals."""
    colour, marker, style, _ = series(number)
    ax.errorbar(
        at, value, yerr=whiskers(value, low, high), color=colour, marker=marker, linestyle=style, linewidth=1.5,
        elinewidth=0.9, capsize=2, label=names([name])[0], **more,
    )  # fmt: skip


def _at_ends(ax: Axes, ends: Iterable[float], labels: Iterable[str]) -> None:
    """Write a label at the end of each row, and widen the axis until all of them fit."""
    box = {"facecolor": ink()[1], "edgecolor": "none", "pad": 0.5}
    look: dict[str, Any] = {"xytext": (5, 0), "textcoords": "offset points", "va": "center", "bbox": box}
    look |= {"fontsize": "small", "parse_math": False}
    rows = enumerate(zip(ends, labels, strict=True))
    placed = [(float(end), ax.annotate(label, (end, row), **look)) for row, (end, label) in rows if label]
    if not placed:
        return
    whole = figure(ax)
    lay_out(ax)
    whole.draw_without_rendering()
    room = ax.get_window_extent().width
    gap = 8 * whole.dpi / 72
    scale = ax.get_xaxis().get_transform()
    start, stop, *at_ends = scale.transform([*ax.get_xlim(), *(end for end, _ in placed)]).tolist()
    for at, (_, text) in zip(at_ends, placed, strict=True):
        taken = min(text.get_window_extent().width + gap, 0.75 * room)
        stop = max(stop, start + (at - start) * room / (room - taken))
    ax.set_xlim(right=float(scale.inverted().transform([stop])[0]))


def legend(ax: Axes) -> None:
    """Set the legend above the axes, in as many columns as there is room."""
    handles, labels = ax.get_legend_handles_labels()
    if not handles:
        return
    whole = figure(ax)
    longest = max(map(len, labels)) + 8
    columns = max(1, min(len(handles), characters(ax) // longest))
    look: dict[str, Any] = {"ncols": columns, "frameon": False, "fontsize": "small"}
    if len(whole.axes) == 1:
        found = whole.legend(handles, labels, loc="outside upper left", **look)
    else:
        found = ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), **look)
    for text in found.get_texts():
        text.set_parse_math(False)


def across(ax: Axes, text: str) -> None:
    """Name the horizontal axis, in lines that fit what the labels of the rows leave of the figure."""
    ax.set_xlabel(fill(text, max(20, round(0.9 * room(ax)))), parse_math=False)


def title(ax: Axes, text: str) -> None:
    """Set the title at the left, in lines that fit the figure."""
    text = fill(text, round(0.85 * characters(ax)))
    ax.set_title(text, loc="left", fontsize="medium", parse_math=False)


def described(ax: Axes, text: str, pairs: Iterable[tuple[Any, str]] = ()) -> Axes:
    """Give the finished figure its alternative text: what is drawn, and what it shows, in words and named values."""
    ax.set_label(one_line(f"{text} {in_words(pairs)}"))
    lay_out(ax)
    return ax


def in_words(pairs: Iterable[tuple[Any, str]], most: int = 12) -> str:
    """Say named values in words."""
    shown = [f"{' '.join(str(name).split())} {value}" for name, value in pairs]
    more = f", and {len(shown) - most} more" if len(shown) > most else ""
    return ", ".join(shown[:most]) + more


def stamps(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return days (``datetime64``) in UTC without a zone, as matplotlib draws them."""
    return pd.to_datetime(values, utc=True).dt.tz_localize(None)


def marked(ax: Axes, marks: Mapping[str, str] | None) -> None:
    """Draw a vertical line at each marked day, its name above the axes."""
    for day, text in (marks or {}).items():
        at = pd.Timestamp(day)
        ax.axvline(at, color=ink()[0], linewidth=0.9, linestyle=(0, (2, 2)))
        ax.annotate(
            text, (at, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 2), textcoords="offset points",
            ha="center", va="bottom", fontsize="small", parse_math=False,
        )  # fmt: skip


def dates(ax: Axes) -> None:
    """Tick months or years, as many as there is room for; days where all is within two months."""
    from matplotlib.dates import AutoDateLocator, DateFormatter, MonthLocator, YearLocator

    low, high = ax.get_xlim()
    months, most = (high - low) / 30.44, max(2, room(ax) // 13)
    step = next((step for step in _STEPS if months <= step * most), _STEPS[-1])
    ticks: Any = MonthLocator(bymonth=range(1, 13, step)) if step < 12 else YearLocator(step // 12)
    if months < 2:
        ticks = AutoDateLocator(minticks=2, maxticks=most)
    ax.xaxis.set_major_locator(ticks)
    ax.xaxis.set_major_formatter(DateFormatter("%Y-%m-%d" if months < 2 else "%Y-%m"))
