"""Recorded figures: tables of ``data/benchmarks/*.json``, and the pages of ``docs/`` that show them.

Measuring takes minutes and the development data. A notebook or a page that quotes a figure reads it here, so that a
figure has one home. ``python -m benchmarks.recorded`` writes the tables of the pages again.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parents[1] / "data" / "benchmarks"
DOCS = Path(__file__).parents[1] / "docs"
COLUMNS = ("label", "series", "value", "low", "high")
_TABLE = re.compile(r"(<!-- recorded: (\w+) (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def record(name: str, table: str, figures: pd.DataFrame, **about: object) -> None:
    """Store a table of figures in ``data/benchmarks/<name>.json`` and leave its other tables as they are.

    Parameters
    ----------
    name, table : str
        Such as ``"boilerplate"``, ``"methods"``.
    figures : DataFrame
        ``label`` (row of the table), ``series`` (its column), ``value``, ``low``, ``high`` (95 % interval, or missing).
    **about : str, int or float
        How they were measured: ``command``, ``split``, ``seed``, ``date``, ``gold`` (a digest).
    """
    path = FOLDER / f"{name}.json"
    tables = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    rows = figures[list(COLUMNS)].astype(object).where(figures[list(COLUMNS)].notna(), None)
    tables[table] = {**about, "rows": rows.to_dict("records")}
    path.write_text(json.dumps(tables, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")


def recorded(name: str, table: str) -> pd.DataFrame:
    """Return a stored table of figures: ``label``, ``series``, ``value``, ``low``, ``high``.

    Raises
    ------
    ValueError
        Nothing of this name was stored; the message names what is there.

    Examples
    --------
    >>> recorded("boilerplate", "methods")["series"].unique()[:2].tolist()
    ['precision', 'recall']
    """
    path = FOLDER / f"{name}.json"
    tables = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    if table not in tables:
        msg = f"data/benchmarks/{name}.json: no table {table!r}; there are {sorted(tables)}"
        raise ValueError(msg)
    return pd.DataFrame(tables[table]["rows"], columns=list(COLUMNS))


def ratios() -> pd.DataFrame:
    """Return how much faster each task is than its peers, as ``make bench`` stored it.

    Returns
    -------
    DataFrame
        ``label`` (task and peer), ``value`` (megabytes per second of processor time, ours over the peer's, in the
        same run), ``low``, ``high`` (missing: a run has no interval), in the order measured.
    """
    rows = pd.DataFrame(json.loads((FOLDER / "speed.json").read_text("utf-8"))["rows"])
    rows = rows[rows["ratio"].notna()].reset_index(drop=True)
    labels = rows["task"] + ": " + rows["name"]
    return pd.DataFrame(
        {"label": labels, "value": rows["ratio"].astype(float), "low": np.nan, "high": np.nan}
    )


def markdown(figures: pd.DataFrame) -> str:
    """Lay out figures as a table of Markdown, a row a label and a column a series.

    Examples
    --------
    >>> row = {"label": "ours", "series": "F1", "value": 0.9, "low": 0.88, "high": 0.92}
    >>> print(markdown(pd.DataFrame([row])))
    | | F1 |
    |---|---|
    | ours | .900 [.880, .920] |
    """
    series = figures["series"].drop_duplicates().tolist()
    lines = ["| | " + " | ".join(series) + " |", "|---" * (len(series) + 1) + "|"]
    for label in figures["label"].drop_duplicates():
        cells = figures[figures["label"] == label].set_index("series")
        shown = [_cell(cells.loc[name]) if name in cells.index else "" for name in series]
        lines.append(f"| {label} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def page(text: str) -> str:
    """Return a page of documentation with its recorded tables as they are stored now.

    A table stands between ``<!-- recorded: NAME TABLE -->`` and ``<!-- end -->``.
    """
    return _TABLE.sub(lambda m: f"{m[1]}{markdown(recorded(m[2], m[3]))}\n{m[4]}", text)


def main() -> None:
    """Write the recorded tables of every page of ``docs/`` again."""
    for path in sorted(DOCS.glob("*.md")):
        path.write_text(page(path.read_text("utf-8")), "utf-8")


def _cell(row: pd.Series) -> str:
    if pd.isna(row["low"]):
        return _number(row["value"])
    return f"{_number(row['value'])} [{_number(row['low'])}, {_number(row['high'])}]"


def _number(value: float) -> str:
    """Three digits after the point, without the zero before it; a whole number as it is, also in a table of counts."""
    if pd.isna(value):
        return ""
    if isinstance(value, int | np.integer) or (value == int(value) and abs(value) > 1):
        return f"{int(value):,}"
    return re.sub(r"^(-?)0\.", r"\1.", f"{value:.3f}" if abs(value) >= 0.01 else f"{value:.4f}")


if __name__ == "__main__":
    main()
