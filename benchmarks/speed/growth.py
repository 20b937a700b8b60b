"""Cost as the text, the threads and the processes grow: the command ``news-toolkit run``, and spans in threads."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.speed.copies import Shard
from benchmarks.speed.timing import size, watch
from toolkit.boilerplate import BoilerplateRemover
from toolkit.topics import TopicClassifier

_COMMAND = (sys.executable, "-m", "toolkit.cli", "run")
_CHUNKS = 4  # for each thread, so that none waits long for the slowest


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_time(shards: Sequence[Shard], gigabytes: float, jobs: int) -> dict[str, Any]:
    """Run the command over files: JSONL.gz in, Parquet and the report out.

    Parameters
    ----------
    shards : sequence of Shard
        As :meth:`benchmarks.speed.copies.Copies.write` made them; the first are read, as many whole
        files as come nearest to ``gigabytes``.
    gigabytes : float
        Bytes of text, in 10⁹.
    jobs : int
        Processes.

    Returns
    -------
    dict
        ``gigabytes, documents, jobs, wall, cpu`` (seconds), ``parquet`` (seconds until all tables were whole,
        before the report), ``peak`` (bytes of memory of all its processes together; pages that they share
        count for each), ``speed`` (megabytes of text a second of ``parquet``).

    Raises
    ------
    RuntimeError
        The command failed.
    """
    ends = np.cumsum([shard.text for shard in shards])
    taken = shards[: 1 + int(np.argmin(np.abs(ends - gigabytes * 1e9)))]
    text = sum(shard.text for shard in taken)
    with tempfile.TemporaryDirectory(dir=shards[0].path.parent) as folder:
        inputs = [str(shard.path) for shard in taken]
        started = time.time()
        watched = watch([*_COMMAND, *inputs, "-o", folder, "--jobs", str(jobs)])
        # run.json is written last of the results, and the report after it
        parquet = (Path(folder) / "run.json").stat().st_mtime - started
    return {
        "gigabytes": text / 1e9,
        "documents": sum(shard.documents for shard in taken),
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
