"""Cost as the text, the threads and the processes grow: the command ``news-toolkit run``, and spans in threads."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from toolkit.boilerplate import BoilerplateRemover
from toolkit.evaluation.speed.copies import Shard
from toolkit.evaluation.speed.timing import size, watch
from toolkit.topics import TopicClassifier

_COMMAND = (sys.executable, "-m", "toolkit.cli", "run")
_CHUNKS = 4  # for each thread, so that none waits long for the slowest


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def takes_jobs() -> bool:
    """Return whether ``news-toolkit run`` has an option ``--jobs``."""
    shown = subprocess.run([*_COMMAND, "--help"], capture_output=True, text=True, check=True).stdout
    return "--jobs" in shown


def run_times(
    shards: Sequence[Shard],
    gigabytes: Sequence[float],
    jobs: Sequence[int],
    *,
    say: Callable[[str], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Run the command over more and more of the files: JSONL.gz in, Parquet and the report out.

    Parameters
    ----------
    shards : sequence of Shard
        As :meth:`toolkit.evaluation.speed.copies.Copies.write` made them.
    gigabytes : sequence of float
        Bytes of text to read, in 10⁹; as many whole files as come nearest.
    jobs : sequence of int
        Each size is run with so many processes; 1 where the command has no ``--jobs``.

    Returns
    -------
    list of dict
        ``gigabytes, documents, jobs, wall, cpu`` (seconds), ``parquet`` (seconds until all tables were whole,
        before the report), ``peak`` (bytes of memory of all its processes together; pages that they share
        count for each), ``speed`` (megabytes of text a second of ``parquet``).
    """
    available = takes_jobs()
    rows = []
    ends = np.cumsum([shard.text for shard in shards])
    for wanted in sorted(gigabytes):
        taken = shards[: 1 + int(np.abs(ends - wanted * 1e9).argmin())]
        for number in sorted(jobs) if available else [1]:
            say(f"run over {wanted:g} GB, {number} jobs")
            rows.append(_run(taken, number, available))
    return rows


def _run(shards: Sequence[Shard], jobs: int, available: bool) -> dict[str, Any]:
    text = sum(shard.text for shard in shards)
    with tempfile.TemporaryDirectory(dir=shards[0].path.parent) as folder:
        option = ["--jobs", str(jobs)] if available else []
        inputs = [str(shard.path) for shard in shards]
        started = time.time()
        watched = watch([*_COMMAND, *inputs, "-o", folder, *option])
        # run.json is written last of the results, and the report after it
        parquet = (Path(folder) / "run.json").stat().st_mtime - started
    return {
        "gigabytes": text / 1e9,
        "documents": sum(shard.documents for shard in shards),
        "jobs": jobs,
        "wall": watched.wall,
        "cpu": watched.cpu,
        "parquet": parquet,
        "peak": watched.peak,
        "speed": text / 1e6 / parquet,
    }


def thread_times(corpus: pd.DataFrame, threads: Sequence[int], *, repeats: int = 3) -> list[dict[str, Any]]:
    """Find spans and topics of one corpus in threads, to see whether the kernels let go of Python's lock.

    Returns
    -------
    list of dict
        ``task`` (``spans``, ``topics``), ``threads``, ``wall`` (seconds, fastest), ``speed`` (megabytes of
        text a second).
    """
    remover, classifier = BoilerplateRemover(), TopicClassifier()
    text = size(corpus) / 1e6
    tasks: dict[str, Callable[[pd.DataFrame], object]] = {
        "spans": remover.spans,
        "topics": classifier.topics,
    }
    rows = []
    pieces = np.array_split(np.arange(len(corpus)), max(threads) * _CHUNKS)
    chunks = [corpus.iloc[rows_] for rows_ in pieces if len(rows_)]
    for task, work in tasks.items():
        work(chunks[0])
        for number in threads:
            seconds = []
            for _ in range(repeats):
                with ThreadPoolExecutor(number) as pool:
                    started = time.perf_counter()
                    list(pool.map(work, chunks))
                    seconds.append(time.perf_counter() - started)
            fastest = min(seconds)
            rows.append({"task": task, "threads": number, "wall": fastest, "speed": text / fastest})
    return rows
