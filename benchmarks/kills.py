"""Is a run that was killed the same as one that was not? ``python -m benchmarks.kills [--kills 20]``.

Writes copies of the articles of ``allsides`` (of the sample where that is not there), lets ``news-toolkit run``
work on them undisturbed, then again with SIGKILLs at random moments, starting it anew after each, and compares
the results: bytes, documents lost, documents doubled. Prints one line of JSON; the exit code is 1 if they differ.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.speed.copies import Copies
from toolkit import datasets
from toolkit.errors import CorpusError
from toolkit.files import sha256

FILES = 4
"""Input files."""

_COMMAND = (
    "import sys; from toolkit import pipeline; pipeline.run(sys.argv[1], sys.argv[2], rows=int(sys.argv[3]), "
)
"""``news-toolkit run`` without the report, which is no part of the results."""


def articles() -> pd.DataFrame:
    """Return the corpus to be copied."""
    try:
        return datasets.load("allsides")
    except CorpusError:
        return datasets.load("sample")


def write(folder: Path, corpus: pd.DataFrame, documents: int) -> None:
    """Write so many copies of the articles of a corpus as JSONL.gz files."""
    folder.mkdir()
    records = Copies(corpus).records()
    each = -(-documents // FILES)
    for number in range(FILES):
        with gzip.open(folder / f"{number}.jsonl.gz", "wt", encoding="utf-8", compresslevel=1) as out:
            for record in islice(records, min(each, documents - number * each)):
                out.write(json.dumps(record, ensure_ascii=False) + "\n")


def trial(
    inputs: Path,
    folder: Path,
    *,
    kills: int = 20,
    rows: int = 10_000,
    jobs: int = 1,
    seed: int = 0,
    longest: float = 0.25,
) -> dict[str, Any]:
    """Run once undisturbed and once killed again and again.

    Parameters
    ----------
    inputs, folder : Path
        What is run on, and an empty place for the results.
    kills : int, default 20
        SIGKILLs in all. If a run is done before they are spent, its results are compared and another begins.
    rows, jobs : int
        Of the run.
    seed : int, default 0
        Of the moments.
    longest : float, default 0.25
        A run is killed after at most this share of the time that it takes undisturbed.

    Returns
    -------
    dict
        ``documents`` (in), ``kept``, ``lost``, ``doubled``, ``kills``, ``runs`` (compared), ``same_bytes``,
        ``seconds`` (undisturbed), ``seconds_killed`` (all attempts together), ``longest_delay``.
    """
    began = time.perf_counter()
    if _attempt(inputs, folder / "undisturbed", rows, jobs, None):
        msg = f"{inputs}: the undisturbed run failed; see its message above"
        raise RuntimeError(msg)
    seconds = time.perf_counter() - began
    expected = results(folder / "undisturbed")
    draw, spent, began = random.Random(seed), 0, time.perf_counter()
    compared: list[dict[str, Any]] = []
    while spent < kills or not compared:
        delay = draw.uniform(0, longest * seconds) if spent < kills else None
        code = _attempt(inputs, folder / "killed", rows, jobs, delay)
        if code is None:
            spent += 1
        elif code:
            msg = f"{inputs}: a run after {spent} kills ended with exit code {code}; see its message above"
            raise RuntimeError(msg)
        else:
            compared.append(results(folder / "killed"))
            shutil.rmtree(folder / "killed")
    ids, wanted = compared[-1].pop("ids"), expected.pop("ids")
    same = all({k: v for k, v in found.items() if k != "ids"} == expected for found in compared)
    return {
        "documents": expected["counts"]["in"],
        "kept": len(ids),
        "lost": len(set(wanted) - set(ids)),
        "doubled": len(ids) - len(set(ids)),
        "kills": spent,
        "runs": len(compared),
        "same_bytes": same,
        "seconds": round(seconds, 1),
        "seconds_killed": round(time.perf_counter() - began, 1),
        "longest_delay": round(longest * seconds, 1),
    }


def results(folder: Path) -> dict[str, Any]:
    """Return what two runs must have in common: the digest of each result, the record, the ids."""
    record = json.loads((folder / "run.json").read_text("utf-8"))
    del record["environment"]
    files = {path.name: sha256(path) for path in sorted(folder.iterdir()) if path.name != "run.json"}
    ids = pd.read_parquet(folder / "cleaned.parquet", columns=["doc_id"])["doc_id"].tolist()
    return {"files": files, **record, "ids": ids}


def _attempt(inputs: Path, output: Path, rows: int, jobs: int, delay: float | None) -> int | None:
    """Run in a process of its own; return its exit code, None if it was killed after ``delay`` seconds."""
    code = f"{_COMMAND}n_jobs={jobs})"
    with subprocess.Popen([sys.executable, "-c", code, str(inputs), str(output), str(rows)]) as process:
        try:
            return process.wait(delay)
        except subprocess.TimeoutExpired:
            process.kill()
            return None


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__)
    parser.add_argument("--documents", type=int, default=200_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "in", articles(), asked.documents)
        found = trial(
            folder / "in", folder, kills=asked.kills, rows=asked.rows, jobs=asked.jobs, seed=asked.seed
        )
    print(json.dumps(found))
    if not found["same_bytes"] or found["lost"] or found["doubled"] or found["kept"] != asked.documents:
        sys.exit(1)


if __name__ == "__main__":
    main()
