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
_FLOOR = """
import gzip, json, sys
import pyarrow as pa
from pyarrow import parquet
writer, rows = None, []
def flush():
    global writer
    table = pa.Table.from_pylist(rows)
    writer = writer or parquet.ParquetWriter(sys.argv[1], table.schema, compression="zstd")
    writer.write_table(table)
    rows.clear()
for path in sys.argv[2:]:
    for line in gzip.open(path, "rb"):
        rows.append(json.loads(line))
        if len(rows) == 8192:
            flush()
flush()
writer.close()
"""
"""The floor: the same files read and written as Parquet, in one process, and nothing done to the text."""

_CHUNKS = 4  # for each thread, so that none waits long for the slowest


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_time(shards: Sequence[Shard], gigabytes: float, jobs: int) -> dict[str, Any]:
    """Run the command over files, JSONL.gz in, Parquet out, without and with the report, and the floor beside it.

    Of the shards that :meth:`benchmarks.speed.copies.Copies.write` made the first are read, as many as come nearest to
    ``gigabytes`` (10⁹ bytes of text). RuntimeError: a command failed.

    Returns ``gigabytes, documents, jobs``; ``wall, cpu`` (seconds) and ``peak`` (bytes of all its processes together;
    pages that they share count for each) of the run with the report; ``bare_cpu, bare_peak`` of the one without;
    ``parquet`` (seconds until its tables were whole); ``floor_wall, floor_cpu``; ``speed`` (megabytes of text a second
    of ``parquet``).
    """
    ends = np.cumsum([shard.text for shard in shards])
    taken = shards[: 1 + int(np.argmin(np.abs(ends - gigabytes * 1e9)))]
    text = sum(shard.text for shard in taken)
    with tempfile.TemporaryDirectory(dir=shards[0].path.parent) as folder:
        inputs = [str(shard.path) for shard in taken]
        floor = watch([sys.executable, "-c", _FLOOR, str(Path(folder, "floor.parquet")), *inputs])
        command = [*_COMMAND, *inputs, "--jobs", str(jobs), "-o"]
        started = time.time()
        bare = watch([*command, str(Path(folder, "bare")), "--no-report"])
        parquet = Path(folder, "bare", "run.json").stat().st_mtime - started  # written last
        full = watch([*command, str(Path(folder, "full"))])
    return {
        "gigabytes": text / 1e9,
        "documents": sum(shard.documents for shard in taken),
        "jobs": jobs,
        "wall": full.wall,
        "cpu": full.cpu,
        "peak": full.peak,
        "bare_cpu": bare.cpu,
        "bare_peak": bare.peak,
        "parquet": parquet,
        "floor_wall": floor.wall,
        "floor_cpu": floor.cpu,
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
