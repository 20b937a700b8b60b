"""Counts and shares as bars, boxes and cells: what was removed, when, how long articles are, what they are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.display import OTHER, PALETTE
from toolkit.plots import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CERTAINTY = (0.5, 0.8, 0.9, 0.95, 0.99)  # edges of the classes of probability
_PERCENTILES = (5, 25, 50, 75, 95)
# steps of a power of ten that may be labelled; the first for which there is room are
_TICKS = ((1, 1.5, 2, 3, 4, 5, 7), (1, 2, 3, 5), (1, 2, 5), (1, 3))
_TEN_YEARS, _STRAY = 120, 0.005  # months; share of the documents at each end
_DARK = 0.55


def removed(shares: pd.DataFrame, *, top: int = 12, ax: Axes | None = None) -> Axes:
    """Draw the share of each publisher's characters that was removed, by kind, as stacked bars.

    One row a publisher, the largest share first; at its end the total in per cent and n, the number of documents.
    The ``top`` publishers with most documents are drawn. ``shares`` are as :func:`toolkit.census.removed` counts them.
    """
    columns = ("publisher", "kind", "characters", "of", "documents")
    canvas.need(shares, columns, "shares", "toolkit.census.removed(corpus, spans)")
    sizes = shares.groupby("publisher")[["of", "documents"]].first()
    sizes = sizes.sort_values("documents", ascending=False, kind="stable").head(top)
    table = shares.pivot_table(index="publisher", columns="kind", values="characters", aggfunc="sum")
    table = 100 * table.reindex(sizes.index).fillna(0).div(sizes["of"].clip(lower=1), axis=0)
    table = table.loc[table.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    kinds = [k for k in PALETTE if k in table] + [str(k) for k in table if k not in PALETTE]
    ax = canvas.axes(ax, 1.3 + 0.3 * len(table))
    colours = [PALETTE.get(kind, OTHER) for kind in kinds]
    total = _stacked(ax, table[kinds], [(c.fill, c.hatch) for c in colours], kinds)
    shown = [f"{share:.1f} %" for share in total]
    xlabel = "characters removed (% of the publisher's text)"
    canvas.rows(ax, table.index, xlabel, total, shown, sizes["documents"][table.index])
    text = "Stacked bars: characters removed, per cent of each publisher's text, by kind"
    return canvas.described(ax, f"{text} ({', '.join(kinds)}).", zip(table.index, shown, strict=True))


def certainty(spans: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how sure the remover was of what it removed: spans by probability, and by what spoke for them.

    A bar a class of probability, stacked by evidence; at its end the number of spans and their share. Of ``spans``, as
    ``BoilerplateRemover.spans`` returns them, ``score`` (probability) and ``evidence`` are read.
    """
    canvas.need(spans, ("score", "evidence"), "spans", "BoilerplateRemover().fit(corpus).spans(corpus)")
    between = [f"{a:g} to {b:g}" for a, b in pairwise(CERTAINTY)]
    labels = [f"under {CERTAINTY[0]:g}", *between, f"{CERTAINTY[-1]:g} and more"]
    classes = np.searchsorted(CERTAINTY, spans["score"].to_numpy(float), side="right")
    present = [k for k in range(len(labels)) if k > 0 or (classes == 0).any()]
    shown = [labels[k] for k in present]
    counts = pd.crosstab(classes, spans["evidence"].to_numpy()).reindex(present, fill_value=0)
    counts = counts[counts.sum().sort_values(ascending=False, kind="stable").index]
    ax = canvas.axes(ax, 1.2 + 0.34 * len(counts))
    styles = [(colour, hatch) for colour, _, _, hatch in map(canvas.series, range(counts.shape[1]))]
    total = _stacked(ax, counts, styles, [f"evidence: {name}" for name in counts])
    ax.set_ylabel("probability")
    shares = [f"{100 * n / max(1, len(spans)):.1f} %" for n in total]
    ends = [f"{n:,.0f} ({share})" for n, share in zip(total, shares, strict=True)]
    canvas.rows(ax, shown, f"spans removed (n={len(spans):,})", total, ends)
    text = f"Bars: {len(spans):,} removed spans by the probability that they are boilerplate."
    return canvas.described(ax, text, zip(shown, shares, strict=True))


def _stacked(
    ax: Axes, table: pd.DataFrame, styles: Iterable[tuple[str, str]], labels: Iterable[str]
) -> np.ndarray[Any, Any]:
    """Draw each column as bars on the bars of those before it, by (colour, hatch); return where the bars end."""
    left = np.zeros(len(table))
    for (_, width), (colour, hatch), label in zip(table.items(), styles, labels, strict=True):
        canvas.bars(ax, range(len(table)), width.to_numpy(), colour, hatch, label, left=left)
        left = left + width.to_numpy()
    ax.set_xlim(0, max(1.0, float(np.max(left, initial=0.0))))
    return left


def lengths(sizes: pd.DataFrame, *, top: int = 16, ax: Axes | None = None) -> Axes:
    """Draw how long the articles of each group are.

    A box a group on a logarithmic axis: median, quartiles, and whiskers at the 5th and 95th percentile; at its end the
    median and n. The ``top`` groups with most documents are drawn. ``sizes`` has a row a document: ``group`` (such as
    its publisher or language) and ``words`` (int), as :func:`toolkit.census.lengths` counts them.
    """
    canvas.need(sizes, ("group", "words"), "sizes", "toolkit.census.lengths(corpus)")
    groups = sizes.assign(words=sizes["words"].clip(lower=1)).groupby("group")["words"]
    chosen = groups.size().sort_values(ascending=False, kind="stable").head(top)
    found = np.array([np.percentile(groups.get_group(name), _PERCENTILES) for name in chosen.index])
    found = found.reshape(-1, len(_PERCENTILES))
    ax = canvas.axes(ax, 0.9 + 0.3 * len(chosen))
    places = np.arange(len(chosen))
    ax.hlines(places, found[:, 0], found[:, 4], color=canvas.ink()[0], linewidth=0.9)
    ax.barh(places, found[:, 3] - found[:, 1], left=found[:, 1], height=0.6, color=canvas.BLUE, alpha=0.55)
    ax.plot(found[:, 2], places, "|", color=canvas.ink()[0], markersize=13, markeredgewidth=2)
    ax.set_xscale("log")
    ax.set_xlim(*((found[:, 0].min() * 0.9, found[:, 4].max() * 1.05) if len(found) else (1, 1000)))
    ax.tick_params(axis="x", which="both", labelsize="small")
    shown = [f"{median:,.0f} words" for median in found[:, 2]]
    xlabel = "words (log scale; box: middle half, line: middle nine tenths)"
    canvas.rows(ax, chosen.index, xlabel, found[:, 4], shown, chosen)
    _label_decades(ax)
    return canvas.described(ax, "Boxes: length of articles. Median", zip(chosen.index, shown, strict=True))


def _label_decades(ax: Axes) -> None:
    """Label as many steps of each power of ten as there is room for."""
    from matplotlib.ticker import LogLocator

    low, high = ax.get_xlim()
    decades = float(np.log10(high / low))
    fits = (steps for steps in _TICKS if len(steps) * decades * 7 < canvas.room(ax))
    ax.xaxis.set_major_locator(LogLocator(subs=next(fits, (1,))))
    ax.minorticks_off()
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def topics(topics: pd.DataFrame | pd.Series[Any], *, ax: Axes | None = None) -> Axes:
    """Draw how many documents have each topic, a bar a topic, the most frequent first.

    ``topics`` are as ``TopicClassifier.topics`` returns them (``doc_id``, ``topic``, ``name``), already counted
    (``name``, ``documents``), or the names of ``predict(..., names=True)``. A document with two topics counts for both.
    """
    if isinstance(topics, pd.Series):
        counts = topics.value_counts()
    else:
        counted = isinstance(topics, pd.DataFrame) and "documents" in topics
        columns = ("name", "documents") if counted else ("doc_id", "name")
        canvas.need(topics, columns, "topics", "toolkit.TopicClassifier().topics(corpus)")
        groups = topics.groupby("name")
        counts = groups["documents"].sum() if counted else groups["doc_id"].nunique()
    counts = counts.sort_index().sort_values(ascending=False, kind="stable")
    ax = canvas.axes(ax, 0.9 + 0.27 * len(counts))
    ax.barh(range(len(counts)), counts, height=0.72, color=canvas.BLUE)
    ax.set_xlim(0, max(1, int(counts.max()) if len(counts) else 1))
    shown = [f"{n:,}" for n in counts]
    canvas.rows(ax, counts.index, "documents (one may have several topics)", counts, shown)
    return canvas.described(ax, "Bars: documents by topic.", zip(counts.index, shown, strict=True))


def matrix(
    table: pd.DataFrame, *, label: str = "documents", percent: bool = False, ax: Axes | None = None
) -> Axes:
    """Draw a table of counts or shares as shaded cells, each with its number; the darkest is the largest.

    The names of its index and columns label the sides. Missing cells stay blank, as do zeros. ``label`` says what a
    cell holds; with ``percent``, cells are shares, written as whole per cent.
    """
    canvas.need(table, (), "table")
    if table.empty:
        raise ValueError("table: no cells to draw; pass a frame with numbers, such as a crosstab")
    down, along = (str(axis.name or "") for axis in (table.index, table.columns))
    values = table.to_numpy(float) * (100 if percent else 1)
    columns = canvas.names(table.columns, 30)
    longest = max(map(len, columns))
    ax = canvas.axes(ax, 0.9 + 0.06 * longest + 0.31 * len(table))
    filled = np.nan_to_num(values)
    top = max(float(filled.max()), 1e-9)
    ax.imshow(filled, cmap="Blues", vmin=0, vmax=top * 1.15, aspect="auto")
    size = "small" if canvas.characters(ax) / len(columns) > 5 else "x-small"
    for (row, column), value in np.ndenumerate(values):
        if value and not np.isnan(value):
            text = f"{value:.0f}" if percent or float(value).is_integer() else f"{value:.2f}"
            colour = "white" if value > _DARK * top * 1.15 else "black"
            ax.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)
    # short names stand upright where they fit side by side
    turned: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    turn = {} if longest * len(columns) < 0.6 * canvas.characters(ax) else turned
    ax.set_xticks(range(len(columns)), columns, parse_math=False, **turn)
    longest = min(34, max(12, round(0.35 * canvas.characters(ax))))
    ax.set_yticks(range(len(table)), canvas.names(table.index, longest), parse_math=False)
    ax.tick_params(length=0, labelsize="small")
    ax.spines[:].set_visible(False)
    ax.set_xticks(np.arange(len(columns) + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(len(table) + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="#eeeeee", linewidth=0.8)
    ax.tick_params(which="minor", length=0)
    canvas.across(ax, along)
    ax.set_ylabel(down, parse_math=False)
    canvas.title(ax, f"cells: {label}{' (%)' if percent else ''}")
    cells = pd.Series(filled.ravel(), [f"{row} and {column}" for row in table.index for column in table])
    largest = cells[cells > 0].sort_values(ascending=False, kind="stable").head(6)
    written = [f"{value:.0f}{' %' if percent else ''}" for value in largest]
    sides = f"{len(table)} rows ({down}) and {len(columns)} columns ({along})"
    text = f"Shaded table of {sides}, cells: {label}. Largest:"
    return canvas.described(ax, text, zip(largest.index, written, strict=True))


def months(counts: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw documents by month of publication, as :func:`toolkit.census.months` counts them.

    A bar a month, months without documents shown as gaps; the title counts the undated.
    """
    canvas.need(counts, ("month", "documents"), "counts", "toolkit.census.months(corpus)")
    table = counts["documents"].groupby(canvas.stamps(counts["month"]).dt.to_period("M")).sum()
    undated = int(counts.loc[counts["month"].isna(), "documents"].sum())
    ax = canvas.axes(ax, 2.6)
    text = f"n={int(table.sum()):,} dated, {undated:,} undated"
    alt = f"Bars: documents by month of publication, {text}"
    if len(table):
        shown = _without_strays(table)
        if len(shown) < len(table):
            text += f", {int(table.sum() - shown.sum()):,} before or after the months shown"
        every = pd.period_range(shown.index[0], shown.index[-1], freq="M")
        ax.bar(every.get_indexer(shown.index), shown, width=0.9, color=canvas.BLUE)
        wide = 12 if len(canvas.figure(ax).axes) == 1 else 18  # the labels of other axes take room too
        step = max(1, -(-len(every) // max(1, round(canvas.characters(ax) / wide))))
        ax.set_xticks(range(0, len(every), step), every[::step].astype(str))
        alt += f", {every[0]} to {every[-1]}; from {shown.min():,} to {shown.max():,} a month"
    ax.locator_params(axis="y", integer=True)
    ax.set_ylabel("documents")
    canvas.across(ax, "month of publication")
    canvas.title(ax, text)
    return canvas.described(ax, alt)


def _without_strays(table: pd.Series[Any]) -> pd.Series[Any]:
    """Leave out single wrong dates (year 1) where they would stretch the axis beyond ten years."""
    if (table.index[-1] - table.index[0]).n <= _TEN_YEARS:
        return table
    below = table.cumsum() / table.sum()
    return table[(below > _STRAY) & (below - table / table.sum() < 1 - _STRAY)]


def lifetimes(
    templates: pd.DataFrame, *, top: int = 14, marks: Mapping[str, str] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw from when to when each template was seen: a bar from the first to the last document that holds it.

    The first ``top`` rows with dates are drawn, n at their ends. ``templates`` are as in
    ``BoilerplateRemover.templates_`` (``kind``, ``documents``, ``first_seen``, ``last_seen``), with a column ``label``:
    what to call each. ``marks`` is as for :func:`prevalence`.
    """
    from matplotlib.dates import date2num

    canvas.need(templates, ("label", "kind", "documents", "first_seen", "last_seen"), "templates")
    chosen = templates.dropna(subset=["first_seen", "last_seen"]).head(top)
    ax = canvas.axes(ax, 1.2 + 0.3 * len(chosen))
    first, last = (canvas.stamps(chosen[name]) for name in ("first_seen", "last_seen"))
    for kind in dict.fromkeys(chosen["kind"]):
        colours = PALETTE.get(str(kind), OTHER)
        here = np.flatnonzero((chosen["kind"] == kind).to_numpy())
        # a template of a single day is drawn as a day
        days = np.maximum((last - first).dt.days.to_numpy()[here], 1)
        width = pd.to_timedelta(days, unit="D")
        canvas.bars(ax, here, width, colours.fill, colours.hatch, kind, left=first.iloc[here], height=0.6)
    canvas.marked(ax, marks)
    ends, shown = date2num(last) if len(chosen) else [], [f"n={n:,}" for n in chosen["documents"]]
    canvas.rows(ax, chosen["label"], "first to last day seen (n: documents)", ends, shown)
    canvas.dates(ax)
    spells = [f"{a:%Y-%m} to {b:%Y-%m}" for a, b in zip(first, last, strict=True)]
    text = "Bars: from when to when each template was seen."
    return canvas.described(ax, text, zip(chosen["label"], spells, strict=True))
