"""Figures as recorded: the tables of ``docs/`` that ``python -m benchmarks`` printed, read back.

They took minutes and the development data to measure; a notebook that quotes them reads them here.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.speed.results import read
from toolkit.shipped import shipped

_DOCS = Path(__file__).parents[1] / "docs"
_CELL = re.compile(r"^\+?(-?[\d.]+) \[\+?(-?[\d.]+), \+?(-?[\d.]+)\]$")


def recorded(page: str, heading: str) -> pd.DataFrame:
    """Return a table of estimates from a page of the documentation.

    Parameters
    ----------
    page : str
        Name of a page in ``docs/``, such as ``"boilerplate"``.
    heading : str
        How the first line of the table begins, such as ``"| method | precision"``.

    Returns
    -------
    DataFrame
        Long form: ``label`` (first cell of a row), ``series`` (head of the column), ``value``, ``low``,
        ``high``. Cells that are no estimate with an interval are left out.

    Raises
    ------
    FileNotFoundError
        The checkout has no such page: the package was installed without the documentation.
    ValueError
        The page has no such table.

    Examples
    --------
    >>> recorded("boilerplate", "| method | precision")["series"].unique()[:2].tolist()
    ['precision', 'recall']
    """
    lines = (_DOCS / f"{page}.md").read_text("utf-8").splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith(heading)]
    if not starts:
        msg = f"docs/{page}.md: no table that begins with {heading!r}; name the head of one that is there"
        raise ValueError(msg)
    head, *body = (_cells(line) for line in _block(lines[starts[0] :]))
    rows = []
    for cells in body:
        for series, cell in zip(head[1:], cells[1:], strict=True):
            if found := _CELL.match(cell):
                rows.append((cells[0], series, *map(float, found.groups())))
    return pd.DataFrame(rows, columns=["label", "series", "value", "low", "high"])


def ratios() -> pd.DataFrame:
    """Return how much faster each task is than its peers, as ``make bench`` stored it.

    Returns
    -------
    DataFrame
        ``label`` (task and peer), ``value`` (megabytes per second of processor time, ours over the peer's, in the
        same run), ``low``, ``high`` (missing: a run has no interval), in the order measured. Empty where
        nothing was measured yet.
    """
    try:
        found = read(shipped("sample").parent / "benchmarks")
    except FileNotFoundError:
        found = {"rows": []}
    rows = [
        {"label": f"{row['task']}: {row['name']}", "value": row["ratio"], "low": np.nan, "high": np.nan}
        for row in found["rows"]
        if row["ratio"] is not None
    ]
    return pd.DataFrame(rows, columns=["label", "value", "low", "high"])


def _block(lines: list[str]) -> list[str]:
    end = next((number for number, line in enumerate(lines) if not line.startswith("|")), len(lines))
    return [line for line in lines[:end] if not line.startswith("|--")]


def _cells(line: str) -> list[str]:
    return [cell.strip().strip("*") for cell in line.strip("|").split("|")]
