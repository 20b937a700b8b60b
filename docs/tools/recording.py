"""Recording of notebooks, ``make notebooks``, and what a strict comparison of their outputs does not see."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.preprocessors import ExecutePreprocessor

from toolkit.notebook import KERNEL, QUIET, normalise

OPAQUE = {"image/png", "image/jpeg", "image/gif", "application/pdf", "application/javascript"}
"""Outputs that a comparison of text passes over."""


def record(path: Path) -> None:
    """Run a notebook from its own folder and store its outputs; recording again gives the same bytes.

    Where a cell fails, the file stays as it was.
    """
    os.environ.update(QUIET)
    book = nbformat.read(path, as_version=4)
    runner = ExecutePreprocessor(
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        timeout=600,
        startup_timeout=600,  # a busy machine takes its time
        extra_arguments=KERNEL,
    )
    runner.preprocess(book, {"metadata": {"path": str(path.parent)}})
    normalise(book)
    path.write_text(nbformat.writes(book) + "\n", "utf-8")


def problems(book: Any) -> list[str]:
    """Return what a strict comparison of outputs (nbval) does not see in a recorded notebook, a line each.

    Cells not run once, in order (nbval passes over those without a number); pictures that are not SVG (it does not
    compare them); formulas left as code in a figure's words; widgets (a reader sees an error in place of one, since it
    needs its kernel).
    """
    cells = [cell for cell in book.cells if cell.cell_type == "code"]
    counts, found = [cell.execution_count for cell in cells], []
    if counts != list(range(1, len(cells) + 1)):
        found.append(f"cells are numbered {counts}: record the notebook again")
    if "widgets" in book.metadata:
        found.append("the notebook stores the state of widgets: save it without")
    for number, cell in enumerate(cells, 1):
        kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
        for kind in sorted(kinds):
            if kind in OPAQUE:
                found.append(f"cell {number}: {kind} is not compared: draw SVG")
            elif "widget" in kind:
                found.append(f"cell {number}: a stored widget shows an error: record the notebook again")
        drawn = "".join(output.get("data", {}).get("image/svg+xml", "") for output in cell.outputs)
        if re.search(r"\$[^$<>]*\\[a-z]+[^$<>]*\$", drawn):
            found.append(f"cell {number}: a formula stands in the figure as code: write it as text")
    return found


if __name__ == "__main__":
    for name in sys.argv[1:]:
        record(Path(name))
