"""The IPython extension that makes a notebook give the same bytes every time.

``%load_ext toolkit.notebook`` in the first cell. After it, figures are SVG with neither dates nor random ids, numbers
print with four decimals, estimators print as text, and a warning stops the cell.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

# environment and arguments of every kernel that records or checks a notebook; on standard error it says only errors
# (Dask warns of a busy machine, late event loops and long garbage collections; that would fail the notebook)
QUIET = {
    "TQDM_DISABLE": "1",
    "PYTHONHASHSEED": "0",
    "DASK_LOGGING": '{"distributed": "error", "distributed.client": "error", "distributed.gc": "error"}',
}
KERNEL = ["--IPKernelApp.log_level=40"]

SEAL = "news-toolkit-cells"
"""Name in the metadata of a report's notebook: the digest of its cells, by which an edited one is known."""

PRINT_FIGURE: dict[str, Any] = {"bbox_inches": None, "metadata": {"Date": None, "Creator": None}}
RC = {
    "svg.hashsalt": "news-toolkit", "svg.fonttype": "none", "font.family": ["DejaVu Sans", "sans-serif"],
    "font.size": 10.0, "text.parse_math": False, "figure.constrained_layout.use": True,
    "figure.figsize": (7.0, 3.6), "figure.dpi": 72.0,
}  # fmt: skip
PANDAS = {
    "display.precision": 4, "display.width": 100, "display.max_columns": 20, "display.max_colwidth": 60,
    "display.html.use_mathjax": False,  # news is full of dollars
}  # fmt: skip


def load_ipython_extension(shell: Any) -> None:
    """Set up the kernel behind ``shell``; IPython calls this for ``%load_ext toolkit.notebook``.

    Its inline backend and displays, matplotlib's rcParams, pandas' options and the warning filters of the process are
    changed. Loading it twice changes nothing more.
    """
    import matplotlib as mpl
    import pandas as pd

    # formats are set as a trait: set_matplotlib_formats, called before pyplot is imported, is undone when pyplot is
    # (measured with matplotlib-inline 0.2)
    from matplotlib_inline.config import InlineBackend

    backend = InlineBackend.instance(parent=shell)
    backend.rc = {**backend.rc, **RC}
    with warnings.catch_warnings():  # its observers are of an old style that traitlets warns of
        warnings.simplefilter("ignore", DeprecationWarning)
        # none of its own, which would win over drawn() and leave the figure without its words
        backend.figure_formats = set()
        backend.print_figure_kwargs = PRINT_FIGURE
    bundles = shell.display_formatter.mimebundle_formatter
    bundles.for_type_by_name("matplotlib.figure", "Figure", drawn)
    # by name, or the report, which shows no estimator, would import scikit-learn for half a second
    bundles.for_type_by_name("sklearn.base", "BaseEstimator", lambda model: ({"text/plain": repr(model)}, {}))
    pages = shell.display_formatter.formatters["text/html"]
    pages.for_type_by_name("sklearn.base", "BaseEstimator", lambda _: None)
    mpl.rcParams.update(RC)
    for name, value in PANDAS.items():
        pd.set_option(name, value)
    warnings.filterwarnings("error")
    # the kernel's own event loop, sockets and shutdown warn; they are not the notebook's code
    own = r"(zmq|tornado|jupyter_client|ipykernel|traitlets|asyncio)(\.|$)"
    warnings.filterwarnings("ignore", module=own)
    warnings.filterwarnings("ignore", category=ResourceWarning)
    # SVG keeps text as text: the reader's fonts draw what DejaVu Sans lacks
    warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
    # studies compare texts as loaded and as cleaned
    warnings.filterwarnings("ignore", message="these texts were never cleaned")


def drawn(figure: Any) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return a figure as a notebook stores it: data and metadata by MIME type; nothing for one without Axes.

    It is SVG. The labels of its Axes, which :mod:`toolkit.plots` sets, are its title, ``alt`` and plain text.
    """
    from IPython.core.pylabtools import print_figure

    words = " ".join(ax.get_label() for ax in figure.axes if ax.get_label()) or repr(figure)
    options = {**PRINT_FIGURE, "metadata": {**PRINT_FIGURE["metadata"], "Title": words}}
    svg = print_figure(figure, "svg", **options)
    if svg is None:
        return {}, {}
    return {"image/svg+xml": svg, "text/plain": words}, {"image/svg+xml": {"alt": words}}


@contextmanager
def isolated() -> Iterator[dict[str, Any]]:
    """Give ``cwd`` (an empty folder) and ``env`` of a kernel that imports and reads nothing from a folder of data.

    Python puts no working folder on its path, and takes no relative entry of ``PYTHONPATH``; IPython's profile is new.
    """
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    kept = [path for path in paths if Path(path).is_absolute()]
    if any(path and path not in kept for path in paths):
        kept.append(str(Path(__file__).parents[1]))  # it may have been found by a relative entry
    with TemporaryDirectory(prefix="news-toolkit-") as folder:
        empty = Path(folder, "empty")
        empty.mkdir()
        env = os.environ | QUIET | {"PYTHONSAFEPATH": "1", "IPYTHONDIR": str(Path(folder, "ipython"))}
        env.pop("PYTHONSTARTUP", None)
        env["PYTHONPATH"] = os.pathsep.join(kept)
        yield {"cwd": str(empty), "env": env}


def normalise(book: Any) -> None:
    """Take out of a recorded notebook what differs between machines and runs.

    The kernel is plain ``python3``, cells keep their tags alone; of a widget, which needs its kernel, its words stay.
    """
    from nbformat import from_dict

    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    language = {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"}
    book.metadata = from_dict({"kernelspec": kernel, "language_info": language})
    for cell in book.cells:
        cell.metadata = from_dict({k: v for k, v in cell.metadata.items() if k == "tags" and v})
        for output in cell.get("outputs", ()):
            for kind in [kind for kind in output.get("data", {}) if "widget" in kind]:
                del output["data"][kind]


def digest_of_cells(book: Any) -> str:
    """Return the SHA-256 of what was written in the cells of a notebook, whatever they printed."""
    written = ["".join(cell["source"]) for cell in book["cells"]]
    return hashlib.sha256(json.dumps(written).encode("ascii")).hexdigest()


def keep_edited(path: Path) -> None:
    """Rename a notebook of a report that somebody has edited, and say so, before another takes its place."""
    if not path.is_file():
        return
    try:
        book = json.loads(data := path.read_bytes())
        edited = book["metadata"].get(SEAL) != digest_of_cells(book)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        edited = True
    if edited:
        kept = path.with_name(f"{path.stem}.edited-{hashlib.sha256(data).hexdigest()[:8]}.ipynb")
        path.rename(kept)
        print(f"{path}: was edited, so it is kept as {kept.name}", file=sys.stderr, flush=True)
