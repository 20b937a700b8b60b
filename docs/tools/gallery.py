"""The gallery: one of each figure, drawn from made-up numbers, on a page with its alternative text.

``python -m docs.tools.gallery`` draws it again; the same bytes each time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd

from toolkit import plots
from toolkit.notebook import RC

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEAD = """\
# Gallery of figures

One of each figure of `toolkit.plots`, from made-up numbers, at the width of a page. Every function takes a DataFrame
and returns matplotlib Axes, so that anything can still be changed: `ax.set_title(...)`. The columns wanted are in its
docstring: `help(toolkit.plots.removed)`.

- `python -m docs.tools.gallery` draws this page again, the same bytes each time.
- `ax.get_label()` is the figure in words, for a screen reader or a caption; with `%load_ext toolkit.notebook` the
  stored SVG has it as its title.
- Colours are those of Okabe and Ito; hatches, markers and numbers say the same without colour.
- For a single column set `plt.rcParams["figure.figsize"] = (3.5, 3)`: labels are shortened, nothing is cut off.
- `ax.figure.savefig("figure.svg")`, with `plt.rcParams["svg.fonttype"] = "none"`, keeps text as text.
"""

Example = tuple[Callable[..., "Axes"], pd.DataFrame, dict[str, Any]]


def examples() -> dict[str, Example]:
    """Return name → function, frame, options: one of each figure."""
    months = pd.date_range("2031-01-01", periods=24, freq="MS")
    houses = ["harbourpost.example", "thepepper.example", "quillmouthgazette.example", "nrbnews.example"]
    random = np.random.default_rng(0)
    probability = random.beta(3, 1.4, 400)
    forecasts = pd.DataFrame({"probability": probability, "correct": random.random(400) < probability**1.2})
    kinds = {
        "appeal": 30,
        "promo": 52,
        "related": 71,
        "caption": 44,
        "byline": 18,
        "notice": 25,
        "interface": 12,
    }
    shares = pd.DataFrame(
        [(h, k, n * (i + 1), 4000, 40 - 7 * i) for i, h in enumerate(houses) for k, n in kinds.items()],
        columns=["publisher", "kind", "characters", "of", "documents"],
    )
    spans = pd.DataFrame(
        {
            "score": [0.62] * 14 + [0.86] * 40 + [0.93] * 60 + [0.97] * 110 + [0.995] * 420,
            "evidence": ["model"] * 80 + ["template"] * 564,
        }
    )
    asked = [0.1, 0.12, 0.1, 0.14, 0.11, 0.13, 0.3, 0.12]
    quarters = pd.date_range("2031-01-01", periods=8, freq="QS")
    prevalence = pd.DataFrame(
        [
            (when, series, 42, share, max(0, share - 0.09), min(1, share + 0.11))
            for series, values in (
                ("appeal", asked),
                ("promo", [0.4, 0.42, 0.39, 0.41, 0.45, 0.44, 0.4, 0.38]),
            )
            for when, share in zip(quarters, values, strict=True)
        ],
        columns=["period", "series", "documents", "share", "low", "high"],
    )
    templates = pd.DataFrame(
        [
            ("Morning Tide, newsletter", "promo", 31, "2031-01-06", "2031-12-02"),
            ("The Early Boat, newsletter", "promo", 28, "2032-01-04", "2032-12-28"),
            ("election appeal", "appeal", 12, "2032-08-20", "2032-10-14"),
        ],
        columns=["label", "kind", "documents", "first_seen", "last_seen"],
    )
    flips = pd.DataFrame(
        [
            ("insertion", "before cleaning", 200, 0.21, 0.16, 0.27),
            ("insertion", "after cleaning", 200, 0.02, 0.008, 0.05),
        ],
        columns=["by", "group", "documents", "share", "low", "high"],
    )
    methods = pd.DataFrame(
        [
            ("repeated lines", "precision", 0.80, 0.70, 0.89), ("repeated lines", "recall", 0.36, 0.31, 0.41),
            ("line rules", "precision", 0.26, 0.22, 0.30), ("line rules", "recall", 0.59, 0.54, 0.64),
            ("remover", "precision", 0.95, 0.92, 0.97), ("remover", "recall", 0.73, 0.68, 0.78),
        ],
        columns=["label", "series", "value", "low", "high"],
    )  # fmt: skip
    exchange = pd.DataFrame(
        [[9, 4, 0, 2], [1, 0, 3, 0]],
        index=pd.Index(["meridianwire.example", "nrbnews.example"], name="ran it first"),
        columns=pd.Index(houses, name="ran it later"),
    )
    learning = pd.DataFrame(
        [
            (n, metric, value - gap, value - gap - 0.06, value - gap + 0.06)
            for metric, value in (("accuracy", 0.84), ("macro F1", 0.76))
            for n, gap in ((50, 0.3), (100, 0.18), (200, 0.08), (400, 0.0))
        ],
        columns=["documents", "metric", "value", "low", "high"],
    )
    sizes = pd.DataFrame(
        {
            "group": np.repeat(houses, [60, 50, 40, 30]),
            "words": np.concatenate(
                [
                    random.lognormal(m, 0.5, n).astype(int)
                    for m, n in ((6, 60), (5.2, 50), (5.8, 40), (6.4, 30))
                ]
            ),
        }
    )
    subjects = pd.DataFrame({"name": ["politics", "sport", "environment"], "documents": [29, 25, 20]})
    counts = pd.DataFrame({"month": months, "documents": random.integers(8, 19, 24)})
    election = {"2032-10-14": "election"}
    told = {"xlabel": "share of characters (%; bars: 95 % intervals)", "percent": True}
    return {
        "removed": (plots.removed, shares, {}),
        "certainty": (plots.certainty, spans, {}),
        "prevalence": (plots.prevalence, prevalence, {"marks": election}),
        "lifetimes": (plots.lifetimes, templates, {"marks": election}),
        "months": (plots.months, counts, {}),
        "lengths": (plots.lengths, sizes, {}),
        "topics": (plots.topics, subjects, {}),
        "reliability": (plots.reliability, forecasts, {}),
        "coverage": (plots.coverage, forecasts, {}),
        "learning": (plots.learning, learning, {}),
        "flips": (plots.flips, flips, {}),
        "estimates": (plots.estimates, methods, told),
        "matrix": (plots.matrix, exchange, {"label": "articles"}),
    }  # fmt: skip


def svg(ax: Axes) -> str:
    """Return the figure that holds ``ax`` as SVG: text as text, no date, its title the alternative text."""
    from matplotlib.figure import Figure

    holder = ax.get_figure(root=True)
    assert isinstance(holder, Figure)
    out = StringIO()
    holder.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Title": ax.get_label()})
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def write(folder: Path) -> None:
    """Write ``gallery.md`` and the SVGs of ``gallery/`` into ``folder``."""
    from matplotlib import pyplot as plt

    drawings = folder / "gallery"
    drawings.mkdir(parents=True, exist_ok=True)
    page = [HEAD]
    for name, (draw, frame, options) in examples().items():
        ax = draw(frame, **options)
        (drawings / f"{name}.svg").write_text(svg(ax), "utf-8")
        plt.close(ax.get_figure(root=True))
        summary = (draw.__doc__ or "").splitlines()[0]
        alt = str(ax.get_label()).replace("[", "(").replace("]", ")")
        page.append(f"## `{name}`\n\n{summary}\n\n![{alt}](gallery/{name}.svg)\n")
    (folder / "gallery.md").write_text("\n".join(page), "utf-8")


if __name__ == "__main__":
    mpl.use("agg")
    mpl.rcParams.update(RC)
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
