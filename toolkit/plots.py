"""Figures. Each function takes a DataFrame and returns the Axes it drew on.

Colours are those of Okabe and Ito, told apart in print by hatches and labels; every figure names its units
and its n, and is laid out to be read at the width of a journal column.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.display import OTHER, PALETTE, visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, VERMILLION, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#999999"
_LONGEST = 44
_TEN_YEARS, _STRAY = 120, 0.005  # months; share of the documents at each end


def _axes(ax: Axes | None, height: float | None = None) -> Axes:
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt

    size = None if height is None else (float(plt.rcParams["figure.figsize"][0]), height)
    return plt.subplots(figsize=size, layout="constrained")[1]


def _names(values: Sequence[Any] | pd.Index[Any]) -> list[str]:
    """Labels that are safe in SVG, short enough for a column, never read as mathematics."""
    texts = [" ".join(visible(str(value)).split()) for value in values]
    return [text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…" for text in texts]


def _rows(ax: Axes, names: Sequence[str]) -> None:
    ax.set_yticks(range(len(names)), names)
    for label in ax.get_yticklabels():
        label.set_parse_math(False)
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)


def _need(frame: pd.DataFrame, names: Sequence[str], what: str) -> None:
    missing = [name for name in names if name not in frame.columns]
    if missing:
        found = ", ".join(map(repr, map(str, frame.columns)))
        msg = f"{what}: no column {missing[0]!r}; found {found}; pass a frame with {', '.join(names)}"
        raise ValueError(msg)


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
    """
    _need(shares, ("publisher", "kind", "characters", "of", "documents"), "shares")
    sizes = shares.groupby("publisher")[["of", "documents"]].first()
    sizes = sizes.reset_index().sort_values(["documents", "publisher"], ascending=[False, True])
    chosen = sizes.head(top).set_index("publisher")
    table = shares.pivot_table(index="publisher", columns="kind", values="characters", aggfunc="sum")
    table = 100 * table.reindex(chosen.index).fillna(0).div(chosen["of"].clip(lower=1), axis=0)
    kinds = [k for k in PALETTE if k in table] + [str(k) for k in table if k not in PALETTE]
    ax = _axes(ax, 1.3 + 0.3 * len(table))
    left = np.zeros(len(table))
    for kind in kinds:
        colours = PALETTE.get(kind, OTHER)
        width = table[kind].to_numpy()
        ax.barh(
            range(len(table)), width, left=left, height=0.72, label=_names([kind])[0], color=colours.fill,
            hatch=colours.hatch, edgecolor="white", linewidth=0.6,
        )  # fmt: skip
        left = left + width
    for row, (total, documents) in enumerate(zip(left, chosen["documents"], strict=True)):
        ax.annotate(
            f"{total:.1f} %  n={documents:,}",
            (total, row),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
        )
    _rows(ax, _names(table.index))
    ax.set_xlim(0, max(1.0, float(left.max(initial=0.0))) * 1.32)
    ax.set_xlabel("characters removed (% of the publisher's text)")
    if kinds:
        ax.legend(ncols=4, loc="lower left", bbox_to_anchor=(0, 1.0), frameon=False, borderaxespad=0.2)
    return ax


def months(counts: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw documents by month of publication.

    Parameters
    ----------
    counts : DataFrame
        ``month`` (``datetime64``, first of the month; missing for undated) and ``documents`` (int).
    ax : matplotlib Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib Axes
        A bar a month, months without documents shown as gaps; the title counts the undated.
    """
    _need(counts, ("month", "documents"), "counts")
    dated = counts[counts["month"].notna()]
    undated = int(counts.loc[counts["month"].isna(), "documents"].sum())
    ax = _axes(ax, 2.6)
    title = f"n={int(dated['documents'].sum()):,} dated, {undated:,} undated"
    if not dated.empty:
        stamps = pd.to_datetime(dated["month"], utc=True).dt.tz_localize(None)
        table = dated["documents"].groupby((stamps.dt.year * 12 + stamps.dt.month - 1).to_numpy()).sum()
        shown = _without_strays(table)
        if len(shown) < len(table):
            title += f", {int(table.sum() - shown.sum()):,} before or after the months shown"
        first, last = int(shown.index.min()), int(shown.index.max())
        ax.bar(shown.index - first, shown, width=0.9, color=BLUE)
        step = max(1, -(-(last - first + 1) // 8))
        ticks = range(first, last + 1, step)
        ax.set_xticks([t - first for t in ticks], [f"{t // 12}-{t % 12 + 1:02d}" for t in ticks])
    ax.set_ylabel("documents")
    ax.set_xlabel("month of publication")
    ax.set_title(title, loc="left", fontsize="medium")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _without_strays(table: pd.Series[Any]) -> pd.Series[Any]:
    """Leave out single wrong dates (year 1) where they would stretch the axis beyond ten years."""
    if table.index[-1] - table.index[0] <= _TEN_YEARS:
        return table
    below = table.cumsum() / table.sum()
    return table[(below > _STRAY) & (below - table / table.sum() < 1 - _STRAY)]


def topics(topics: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how many documents have each topic.

    Parameters
    ----------
    topics : DataFrame
        Long form as ``TopicClassifier.topics`` returns it (``doc_id``, ``topic``, ``name``), or already
        counted (``name``, ``documents``). A document with two topics counts for both.
    ax : matplotlib Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    matplotlib Axes
        One bar a topic, the most frequent first, its count at its end.
    """
    if "documents" in topics.columns:
        _need(topics, ("name", "documents"), "topics")
        counts = topics.set_index("name")["documents"]
    else:
        _need(topics, ("doc_id", "name"), "topics")
        counts = topics.groupby("name")["doc_id"].nunique()
    table = counts.rename("n").reset_index().sort_values(["n", "name"], ascending=[False, True])
    ax = _axes(ax, 0.9 + 0.27 * len(table))
    bars = ax.barh(range(len(table)), table["n"], height=0.72, color=BLUE)
    ax.bar_label(bars, [f"{n:,}" for n in table["n"]], padding=3)
    _rows(ax, _names(table["name"].tolist()))
    ax.margins(x=0.12)
    ax.set_xlabel("documents (one may have several topics)")
    return ax


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
        Points sized by the forecasts in a bin, the diagonal, and the expected calibration error (Naeini,
        Cooper and Hauskrecht 2015: mean gap of the bins, weighted by their size).
    """
    _need(forecasts, ("probability", "correct"), "forecasts")
    table = _binned(forecasts, bins)
    error = float(
        (table["n"] * (table["correct"] - table["probability"]).abs()).sum() / max(1, table["n"].sum())
    )
    ax = _axes(ax, 3.6)
    ax.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="perfectly calibrated")
    ax.plot(table["probability"], table["correct"], color=BLUE, marker="o", linewidth=1.5, label="observed")
    for row in table.itertuples():
        ax.annotate(f"{row.n:,}", (row.probability, row.correct), xytext=(5, -11), textcoords="offset points")
    ax.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="predicted probability", ylabel="share that was right")
    ax.set_title(f"calibration error {error:.3f}, n={len(forecasts):,}", loc="left", fontsize="medium")
    ax.legend(frameon=False, loc="upper left")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _binned(forecasts: pd.DataFrame, bins: int) -> pd.DataFrame:
    number = np.minimum((forecasts["probability"].to_numpy(float) * bins).astype(int), bins - 1)
    groups = forecasts.astype({"correct": float}).groupby(number)
    return groups[["probability", "correct"]].mean().assign(n=groups.size())


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
    _need(forecasts, ("probability", "correct"), "forecasts")
    groups = forecasts.groupby("probability")["correct"].agg(["sum", "size"]).sort_index(ascending=False)
    covered = groups["size"].cumsum()
    accuracy = groups["sum"].cumsum() / covered
    share = 100 * covered / max(1, len(forecasts))
    ax = _axes(ax, 3.2)
    ax.plot(share, 100 * accuracy, color=BLUE, drawstyle="steps-post")
    for mark in (70, 100):
        reached = np.flatnonzero(share.to_numpy() >= mark - 1e-9)
        if len(reached):
            y = 100 * float(accuracy.iloc[reached[0]])
            ax.plot([mark], [y], marker="o", color=VERMILLION)
            ax.annotate(f"{y:.1f} %", (mark, y), xytext=(-4, 7), textcoords="offset points", ha="right")
    ax.set(
        xlim=(0, 102), xlabel="documents answered (% of all, surest first)", ylabel="right (% of answered)"
    )
    ax.set_title(f"n={len(forecasts):,}", loc="left", fontsize="medium")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


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
    _need(rates, ("by", "group", "documents", "share", "low", "high"), "rates")
    chosen = rates if by is None else rates[rates["by"] == by]
    chosen = chosen[chosen["documents"] > 0].head(top)
    share, low, high = (100 * chosen[name].to_numpy(float) for name in ("share", "low", "high"))
    ax = _axes(ax, 0.9 + 0.3 * len(chosen))
    ax.errorbar(
        share,
        range(len(chosen)),
        xerr=np.clip([share - low, high - share], 0, None),
        fmt="o",
        color=BLUE,
        ecolor=GREY,
        capsize=3,
    )
    for row, (end, documents) in enumerate(zip(high, chosen["documents"], strict=True)):
        label = f"{share[row]:.1f} %  n={documents:,}"
        ax.annotate(label, (end, row), xytext=(6, 0), textcoords="offset points", va="center")
    _rows(ax, _names(chosen["group"].tolist()))
    ax.set_xlim(0, max(1.0, float(high.max(initial=0.0))) * 1.4)
    ax.set_xlabel("documents whose leading topic changed (%; bars: 95 % intervals)")
    return ax


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
    _need(weights, ("word", "weight"), "weights")
    order = weights["weight"].abs().sort_values(ascending=False, kind="stable").index[:top]
    chosen = weights.loc[order]
    gone = chosen["removed"].to_numpy(bool) if "removed" in chosen else np.zeros(len(chosen), bool)
    ax = _axes(ax, 0.9 + 0.27 * len(chosen))
    rows = np.arange(len(chosen))
    for mask, colour, hatch, label in (
        (~gone, BLUE, "", "in the story"),
        (gone, VERMILLION, "//", "in removed text"),
    ):
        if mask.any():
            ax.barh(
                rows[mask], chosen["weight"].to_numpy()[mask], height=0.72, color=colour, hatch=hatch,
                edgecolor="white", label=label,
            )  # fmt: skip
    _rows(ax, _names(chosen["word"].tolist()))
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_xlabel(f"weight (log-odds); to the right: for {visible(towards)}", parse_math=False)
    if gone.any():
        ax.legend(frameon=False, loc="lower right")
    return ax
