"""Measure every runner on every set: ``python -m benchmarks.flat``.

Writes ``data/benchmarks/flat.json`` and ``docs/flat.md``. Needs the development data. All figures but speed and date
are the same each time. Takes two minutes on a free core. Our own rows are only measured on texts that the model did not
learn from: with ``--folds FOLDER``, where ``python -m training.boilerplate --folds FOLDER`` put the models of its
cross-validation, each text is read by the one that never saw its publisher.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.flat.runners import RUNNERS, hand_over
from benchmarks.flat.sets import FlatSet, held_out, sets
from toolkit import __version__
from toolkit.evaluation import span_counts, span_scores
from toolkit.pipeline import warm
from toolkit.record import models

ROOT = Path(__file__).parents[2]
FIGURES = {"f1": "F1", "precision": "precision", "recall": "recall", "article_lost": "article lost"}
SHOWN = ("allsides", "modern", "pages, whole page", "pages, one line")
START, END = "<!-- flat: made by python -m benchmarks.flat -->", "<!-- end -->"


def measure(flat: FlatSet, names: list[str], draws: int) -> tuple[dict[str, Any], dict[str, float]]:
    """Return figures with intervals of each runner on a set, and its seconds."""
    table, seconds = {}, {}
    for name in names:
        begun = time.process_time()
        try:
            found = RUNNERS[name].find(flat)
        except ModuleNotFoundError as error:
            print(f"flat: {name} is left out: {error.name} is not installed")
            continue
        if found is None:
            continue
        seconds[name] = time.process_time() - begun
        gold = flat.gold.assign(kind="interface")
        counts = span_counts(flat.corpus, gold, found.assign(kind="interface"))
        scores = span_scores(counts, draws=draws).loc[list(FIGURES), ["value", "low", "high"]]
        table[name] = {
            figure: [None if pd.isna(value) else round(float(value), 4) for value in row]
            for figure, row in zip(scores.index, scores.to_numpy(), strict=True)
        }
    return table, seconds


def page(record: dict[str, Any]) -> str:
    """Lay the tables out as Markdown."""
    out = []
    for name, flat in record["sets"].items():
        seen = f"; ours: {flat['ours']}" if flat["ours"] else ""
        out += ["", f"### {name}", f"{flat['documents']} documents; {flat['note']}{seen}.", ""]
        out += ["| method | " + " | ".join(FIGURES.values()) + " |", "|---" * (len(FIGURES) + 1) + "|"]
        for runner, figures in flat["figures"].items():
            cells = [
                "–" if value is None else f"{value:.3f} [{low:.3f}, {high:.3f}]"
                for value, low, high in (figures[figure] for figure in FIGURES)
            ]
            out.append(f"| {runner} | " + " | ".join(cells) + " |")
    out += ["", "### Speed, size, licence", "", "| method | MB/s | size | licence |", "|---|---|---|---|"]
    for runner, speed in record["speed"].items():
        out.append(f"| {runner} | {speed:.2f} | {RUNNERS[runner].size} | {RUNNERS[runner].licence} |")
    absent = [name for name in RUNNERS if name not in record["speed"]]
    out += [
        "",
        f"Measured {record['date']}, news-toolkit {record['version']}, megabytes per second of processor time.",
    ]
    if absent:
        out.append(f"Not measured: {', '.join(absent)} (no recorded output, or not installed).")
    return "\n".join(out)


def summary(record: dict[str, Any]) -> str:
    """Lay out F1 and article lost of each method on the sets of :data:`SHOWN`, for the README."""
    shown = {name: flat for name, flat in record["sets"].items() if name in SHOWN}
    out = ["| method | " + " | ".join(shown) + " |", "|---" * (len(shown) + 1) + "|"]
    for runner in record["speed"]:
        found = [flat["figures"].get(runner) for flat in shown.values()]
        cells = [f"{f['f1'][0]:.3f}, {f['article_lost'][0]:.2%}" if f else "–" for f in found]
        out.append(f"| {runner} | " + " | ".join(cells) + " |")
    return "\n".join(out)


def between(path: Path, made: str) -> None:
    """Write what was made between the marks of a page; a new page begins as a copy of ours."""
    head, rest = (path if path.exists() else ROOT / "docs" / "flat.md").read_text("utf-8").split(START)
    path.write_text(f"{head}{START}\n{made}\n\n{END}{rest.split(END)[1]}", "utf-8")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flat", description=__doc__)
    parser.add_argument("runners", nargs="*", help=f"default all: {', '.join(RUNNERS)}")
    parser.add_argument("--folds", type=Path, help="folder of the models of cross-validation")
    parser.add_argument("--documents", type=int, default=120, help="most documents of a set")
    parser.add_argument("--pages", type=int, default=75, help="pages")
    parser.add_argument("--draws", type=int, default=200, help="of the bootstrap over documents")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "data" / "benchmarks" / "flat.json")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs" / "flat.md")
    parser.add_argument(
        "--lines", type=Path, help="measure nothing, but write all lines, for a method elsewhere"
    )
    options = parser.parse_args()
    if options.lines:
        hand_over(sets(options.documents, options.pages), options.lines)
        return
    names = options.runners or list(RUNNERS)
    if unknown := set(names) - set(RUNNERS):
        parser.error(f"no runner named {', '.join(sorted(unknown))}; there are: {', '.join(RUNNERS)}")
    record: dict[str, Any] = {
        "command": "python -m benchmarks.flat", "date": f"{datetime.now(UTC):%Y-%m-%d}", "version": __version__,
        "models": models(), "seed": 0, "draws": options.draws, "sets": {}, "speed": {},
    }  # fmt: skip
    total: dict[str, list[float]] = {}
    warm()  # kernels are compiled outside of what is timed
    for flat in sets(options.documents, options.pages):
        if options.folds and flat.learned:
            flat = held_out(flat, options.folds)
        ours = "cross-validated, publishers never seen" if flat.held_out else "learned from, not scored"
        figures, seconds = measure(flat, names, options.draws)
        size = float(flat.corpus["text"].str.encode("utf-8").str.len().sum())
        for name, spent in seconds.items():
            total.setdefault(name, [0.0, 0.0])
            total[name][0] += size
            total[name][1] += spent
        record["sets"][flat.name] = {
            "documents": len(flat.corpus), "ours": ours if flat.learned else "", "note": flat.note, "figures": figures,
        }  # fmt: skip
        print(f"flat: {flat.name}, {len(flat.corpus)} documents")
    record["speed"] = {name: round(size / 1e6 / spent, 2) for name, (size, spent) in total.items()}
    options.output.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", "utf-8")
    between(options.docs, page(record))
    if options.docs.parent == ROOT / "docs":
        between(ROOT / "README.md", summary(record))


if __name__ == "__main__":
    main()
