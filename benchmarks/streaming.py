"""Do loading and ``run`` stay in bounded memory? ``python -m benchmarks.streaming [--gigabytes 2] [--run]``.

Writes the sample corpus over and over, with other ids and a changed first word, as one JSONL.gz of the wanted
size (uncompressed), reads it through :func:`toolkit.iter_batches` and prints documents, seconds and the peak
memory of the process. With ``--run`` it lets ``news-toolkit run`` work on varied copies of the articles of
``allsides`` (or the sample) instead, as the bench does, and prints the same of all of it; sizes to be compared
are given one after the other: ``--run --gigabytes 1 10``.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.kills import articles
from benchmarks.speed.copies import Copies
from benchmarks.speed.growth import run_time
from toolkit import datasets
from toolkit.loading import iter_batches


def write(path: Path, size: int) -> int:
    """Write about ``size`` bytes of JSON lines to a gzip file; return the number of documents."""
    corpus = datasets.load("sample")
    articles = corpus[["text", "title", "url", "publisher"]].to_dict("records")
    written = documents = 0
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as out:
        while written < size:
            article = articles[documents % len(articles)]
            text = f"{documents} {article['text']}"
            line = json.dumps({**article, "id": f"d{documents}", "text": text}, ensure_ascii=False) + "\n"
            out.write(line)
            written += len(line.encode())
            documents += 1
    return documents


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streaming", description=__doc__)
    parser.add_argument("--gigabytes", type=float, nargs="+", default=[2.0])
    parser.add_argument("--run", action="store_true", help="everything, not only loading")
    parser.add_argument("--jobs", type=int, default=1, help="of the run")
    asked = parser.parse_args()
    if asked.run:
        whole_run(asked.gigabytes, asked.jobs)
    else:
        for gigabytes in asked.gigabytes:
            load(gigabytes)


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


def load(gigabytes: float) -> None:
    """Measure loading of so many 10⁹ bytes of JSON lines."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus.jsonl.gz"
        documents = write(path, int(gigabytes * 1e9))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        read = sum(len(batch) for batch in iter_batches(path))
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"documents {read:,} of {documents:,}; {gigabytes * 1000 / seconds:.0f} MB/s of JSON lines")
    print(f"peak memory {peak / 1024:.0f} MiB, {(peak - before) / 1024:.0f} MiB of it while reading")


if __name__ == "__main__":
    main()
