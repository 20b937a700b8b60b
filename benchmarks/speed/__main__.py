"""Measure speed beside named peers: ``python -m benchmarks.speed [--sizes .1 1] [-o data/benchmarks]``.

Prints the tables and writes ``speed.json``; ``--table`` prints them again, ``--docs FILE`` puts them into a document.
Peers that are not installed (``data/benchmarks/peers.lock``) are told and left out.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.speed import growth, peers, profiling, results
from benchmarks.speed.copies import SHARD, Copies, Shard
from benchmarks.speed.ours import CEILINGS, OUR_PAGES, OURS
from benchmarks.speed.timing import measure, one_core, with_ratios
from toolkit import datasets
from toolkit.errors import CorpusError

TRAINED_ON = 2_500
"""Documents of the topic gold that peers are trained on."""

PAGES = 40
"""Pages of each set."""


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument(
        "--gigabytes", type=float, default=1.0, help="text that run reads with each number of jobs; default 1"
    )
    parser.add_argument(
        "--sizes",
        type=float,
        nargs="*",
        default=[0.1, 1.0],
        help="GB of text for cost as size grows, with all jobs; default .1 1",
    )
    parser.add_argument(
        "--megabytes", type=float, default=32.0, help="text in memory for the rows beside peers; default 32"
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, default=Path("data/benchmarks"))
    parser.add_argument("--table", action="store_true", help="print the tables of what was measured, and end")
    parser.add_argument("--docs", type=Path, help="put the tables into this document, between its marks")
    options = parser.parse_args(arguments)  # fmt: skip
    if not options.table:
        bench(options)
    found = results.read(options.output)
    print(results.tables(found))
    if options.docs:
        options.docs.write_text(results.fill(options.docs.read_text("utf-8"), found), "utf-8")


def bench(options: argparse.Namespace) -> None:
    """Measure everything, and write what there is after each part, so that a bench that is killed is not lost.

    Parameters
    ----------
    options : Namespace
        ``gigabytes, sizes, megabytes, repeats, seed, output`` as of the command line.
    """
    name, articles = _articles()
    labelled = _labelled(options.seed)
    measured: dict[str, Any] = {
        "machine": results.machine(peers.peer_versions()),
        "settings": {
            "text": name,
            "seed": options.seed,
            "portion": options.megabytes,
            "repeats": options.repeats,
            "labels": len(labelled.texts),
        },
        "rows": [],
        "threads": [],
        "runs": [],
        "profile": {},
    }
    _say(f"text: copies of {name}, {len(articles):,} articles; peers train on {len(labelled.texts):,} labels")
    found, measured["missing"] = peers.entries(labelled)
    pages, lacking = _pages()
    measured["missing"] += lacking
    for row in measured["missing"]:
        _say(row["reason"])
    copies = Copies(articles, options.seed)
    portion = copies.corpus(int(options.megabytes * 1e6))
    with one_core():
        on_text = [entry for entry in found if entry.task != "pages"]
        timed = measure([*CEILINGS, *OURS, *on_text], portion, repeats=options.repeats, say=_say)
        if pages is not None:
            on_pages = [OUR_PAGES, *(entry for entry in found if entry.task == "pages")]
            timed += measure(on_pages, pages, repeats=options.repeats, column="html", say=_say)
    measured["rows"] = with_ratios([row.record() for row in timed])
    results.write(measured, options.output)
    numbers = sorted({1, growth.cores()})
    measured["profile"] = profiling.profiles(portion)
    measured["threads"] = growth.thread_times(portion, numbers, repeats=options.repeats)
    results.write(measured, options.output)
    sizes = sorted({*options.sizes, options.gigabytes} - {0.0})
    if not sizes:
        return
    with tempfile.TemporaryDirectory() as folder:
        _say(f"writing {sizes[-1]:g} GB of text as JSONL.gz")
        shards = copies.write(Path(folder), int(sizes[-1] * 1e9), min(SHARD, int(sizes[0] * 1e9)))
        for size in sizes:
            for jobs in numbers if size == options.gigabytes else numbers[-1:]:
                _run(measured, shards, size, jobs)
                results.write(measured, options.output)


def _run(measured: dict[str, Any], shards: list[Shard], gigabytes: float, jobs: int) -> None:
    name = f"run over {gigabytes:g} GB, jobs: {jobs}"
    _say(name)
    try:
        measured["runs"].append(growth.run_time(shards, gigabytes, jobs))
    except RuntimeError as error:
        measured["missing"].append({"name": name, "reason": f"{name}: left out, {error}"})


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _articles() -> tuple[str, pd.DataFrame]:
    try:
        return "allsides", datasets.load("allsides")
    except CorpusError:
        return "sample", datasets.load("sample")


def _labelled(seed: int) -> peers.Labelled:
    """Return labelled texts for peers that must be trained: the topic gold, or that of the sample."""
    gold = datasets.gold("topics")
    if gold.corpus.empty:
        gold = datasets.gold("sample")
    topics = gold.topics.dropna(subset=["primary"])
    topics = topics.sample(min(TRAINED_ON, len(topics)), random_state=seed)
    texts = gold.corpus.set_index("doc_id")["text"].loc[topics["doc_id"]]
    return peers.Labelled(texts.tolist(), topics["primary"].to_numpy(dtype=str))


def _pages() -> tuple[pd.DataFrame | None, list[dict[str, str]]]:
    rows: list[dict[str, Any]] = []
    for name in ("wcxb", "aed", "fundus"):
        try:
            records = datasets.records(name)
            rows += [record for _, record in zip(range(PAGES), records, strict=False)]
        except CorpusError:
            continue
    if rows:
        return pd.DataFrame(rows), []
    reason = f"pages to text: left out, no page set in the data folder; set {datasets.registry.SETTING}"
    return None, [{"name": "pages to text", "reason": reason}]


if __name__ == "__main__":
    main()
