"""Do loading and ``run`` stay in bounded memory, and what do they cost? ``python -m benchmarks.streaming``.

Writes the sample corpus over and over, with other ids and a changed first word, as a CSV of so many rows and as a
JSONL.gz of the wanted size (uncompressed). Each is read in processes of their own: through
:func:`toolkit.iter_batches`, with and without the detection of languages, and by what people read such a file with
in any case (``pandas.read_csv`` in chunks; ``gzip`` and ``json``). Then ``news-toolkit run`` works on varied copies
of the articles of ``allsides`` (or the sample), with and without the detection, by turns. ``--record`` stores the
figures, ``--against REV`` measures the loading of another commit beside this one's.

With ``--run`` it lets ``run`` work on such copies alone and prints time and memory of all of it; sizes to be
compared are given one after the other: ``--run --gigabytes 1 10``.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import memory, recorded
from benchmarks.kills import articles
from benchmarks.speed.copies import Copies
from benchmarks.speed.growth import run_time
from benchmarks.speed.timing import watch
from toolkit import datasets

ROOT = Path(__file__).parents[1]
TURNS = 3
"""Runs with and without the detection of languages, by turns."""

_PREPARE = (
    "import io; from toolkit.loading import iter_batches\n"
    'next(iter_batches(io.StringIO(\'{"text": "It rained on the old port all day."}\\n\')))'
)
OURS = {
    "toolkit": (_PREPARE, "iter_batches(path)"),
    "toolkit, languages not detected": (_PREPARE, "iter_batches(path, detect_language=False)"),
}
FLOORS = {
    ".csv": {"pandas.read_csv in chunks": ("import pandas", "pandas.read_csv(path, chunksize=10_000)")},
    ".gz": {"gzip and json": ("import gzip", "(json.loads(line).keys() for line in gzip.open(path))")},
}
"""Way of reading → what is made ready for it, and an expression whose items are counted as one batch each."""

_PEAK = Path(memory.__file__).read_text("utf-8")
"""Read, not imported: another version of the project may have no such module."""

_CHILD = """
import json, sys, time
path = sys.argv[1]
{prepare}
before, started = peak(), time.process_time()
items = sum(1 for _ in {work})
print(json.dumps([time.process_time() - started, before, peak()]))
"""


def records() -> Iterator[dict[str, Any]]:
    """Yield the articles of the sample without end, each with an id of its own and another first word."""
    corpus = datasets.load("sample")[["text", "title", "url", "publisher"]].to_dict("records")
    for number in count():
        article = corpus[number % len(corpus)]
        yield {**article, "id": f"d{number}", "text": f"{number} {article['text']}"}


def write_lines(path: Path, size: int) -> int:
    """Write about ``size`` bytes of JSON lines to a gzip file; return how many, uncompressed."""
    written = 0
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as out:
        for record in records():
            if written >= size:
                return written
            line = json.dumps(record, ensure_ascii=False) + "\n"
            out.write(line)
            written += len(line.encode())
    return written


def write_rows(path: Path, rows: int) -> int:
    """Write a CSV of so many rows; return its bytes."""
    with path.open("w", newline="", encoding="utf-8") as out:
        table = csv.DictWriter(out, ["id", "text", "title", "url", "publisher"])
        table.writeheader()
        table.writerows(record for _, record in zip(range(rows), records(), strict=False))
    return path.stat().st_size


def read(path: Path, size: int, name: str, package: Path | None = None) -> list[dict[str, Any]]:
    """Read a file in each way, in a process of its own; return speed and memory as rows of a table of figures.

    ``package`` is a folder with another version of the package, for which only its own ways are measured.
    """
    ways = OURS if package else {**OURS, **FLOORS[path.suffix]}
    environment = {**os.environ, "PYTHONPATH": str(package or ROOT), "OMP_NUM_THREADS": "1"}
    rows = []
    for way, (prepare, work) in ways.items():
        code = _PEAK + _CHILD.format(prepare=prepare, work=work)
        command = [sys.executable, "-c", code, str(path)]
        folder = package or ROOT  # Python looks there first
        done = subprocess.run(
            command, env=environment, cwd=folder, check=True, capture_output=True, text=True
        )
        seconds, before, peak = json.loads(done.stdout)
        found = {
            "MB/s": size / 1e6 / seconds,
            "peak memory, MiB": peak >> 20,
            "of it while reading, MiB": (peak - before) >> 20,
        }
        label = f"{name}: {way}" + (f", at {package.name}" if package else "")
        rows += [{"label": label, "series": series, "value": round(v, 1)} for series, v in found.items()]
        print(label, {series: round(v, 1) for series, v in found.items()}, flush=True)
    return rows


def reading(rows: int, gigabytes: float, against: str | None) -> pd.DataFrame:
    """Measure reading of a CSV and of a JSONL.gz, here and at another commit."""
    figures: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, _commit(against) as package:
        table, lines = Path(folder, "corpus.csv"), Path(folder, "corpus.jsonl.gz")
        sizes = [write_rows(table, rows), write_lines(lines, int(gigabytes * 1e9))]
        names = [f"{rows:,} rows of CSV", f"{gigabytes:g} GB of JSON lines, gzipped"]
        for path, size, name in zip((table, lines), sizes, names, strict=True):
            figures += read(path, size, name)
            figures += read(path, size, name, package) if package else []
    return pd.DataFrame(figures).assign(low=np.nan, high=np.nan)


def languages(megabytes: float) -> pd.DataFrame:
    """Measure which share of the processor time of a whole run the detection of languages takes."""
    seconds: dict[str, list[float]] = {"--detect-language": [], "--no-detect-language": []}
    with tempfile.TemporaryDirectory() as folder:
        shard, *_ = Copies(articles()).write(Path(folder), int(megabytes * 1e6))
        for turn in range(-1, TURNS):
            for option, spent in seconds.items():
                out = str(Path(folder, f"{turn}{option}"))
                command = [sys.executable, "-m", "toolkit.cli", "run", str(shard.path), "-o", out, option]
                cpu = watch(command, {"PYTHONPATH": str(ROOT)}).cpu
                if turn >= 0:  # the first runs may compile kernels
                    spent.append(cpu)
    told, untold = seconds.values()
    shares = [1 - without / found for found, without in zip(told, untold, strict=True)]
    rows = [
        {"label": "run", "series": "seconds", "value": statistics.median(told), "low": min(told), "high": max(told)},
        {"label": "run, languages not detected", "series": "seconds", "value": statistics.median(untold),
         "low": min(untold), "high": max(untold)},
        {"label": "run", "series": "share of languages", "value": 1 - sum(untold) / sum(told),
         "low": min(shares), "high": max(shares)},
    ]  # fmt: skip
    return pd.DataFrame(rows)


@contextmanager
def _commit(revision: str | None) -> Iterator[Path | None]:
    """Give a folder with the package at another commit, for as long as it is measured."""
    if revision is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, revision)
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--detach", str(place), revision], check=True, capture_output=True)
        try:
            yield place
        finally:
            subprocess.run([*git, "remove", "--force", str(place)], check=True, capture_output=True)


def whole_run(gigabytes: Sequence[float], jobs: int) -> None:
    """Measure ``news-toolkit run`` on so many 10⁹ bytes of text, each size by itself."""
    with tempfile.TemporaryDirectory() as folder:
        shards = Copies(articles()).write(Path(folder), int(max(gigabytes) * 1e9))
        for size in gigabytes:
            row = run_time(shards, size, jobs)
            print(
                f"{row['gigabytes']:.2f} GB, {row['documents']:,} documents, {jobs} jobs: "
                f"{row['speed']:.1f} MB/s, peak memory {row['peak'] / 2**20:.0f} MiB"
            )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streaming", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="of the CSV")
    parser.add_argument(
        "--gigabytes", type=float, nargs="+", default=[2.0], help="of the JSON lines, or of the runs"
    )
    parser.add_argument(
        "--megabytes", type=float, default=40.0, help="of text, of the run with and without languages"
    )
    parser.add_argument("--record", action="store_true", help="store the figures in data/benchmarks")
    parser.add_argument("--against", metavar="REV", help="another commit, measured beside this one")
    parser.add_argument("--run", action="store_true", help="everything, not only loading")
    parser.add_argument("--jobs", type=int, default=1, help="of the run")
    asked = parser.parse_args()
    if asked.run:
        whole_run(asked.gigabytes, asked.jobs)
        return
    tables = {
        "reading": reading(asked.rows, asked.gigabytes[0], asked.against),
        "languages": languages(asked.megabytes),
    }
    for name, figures in tables.items():
        print(figures.to_string())
        if asked.record:
            command = f"python -m benchmarks.streaming --rows {asked.rows} --gigabytes {asked.gigabytes[0]:g}"
            recorded.record("streaming", name, figures, split="copies of the sample; allsides for run", command=command
                            + f" --megabytes {asked.megabytes:g} --record"
                            + (f" --against {asked.against}" if asked.against else ""))  # fmt: skip


if __name__ == "__main__":
    main()
