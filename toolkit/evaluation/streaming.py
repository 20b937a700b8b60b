"""Does loading stay in bounded memory? ``python -m toolkit.evaluation.streaming [--gigabytes 2]``.

Writes the sample corpus over and over, with other ids and a changed first word, as one JSONL.gz of the wanted
size (uncompressed), reads it through :func:`toolkit.iter_batches` and prints documents, seconds and the peak
memory of the process.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import tempfile
import time
from pathlib import Path

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
    parser = argparse.ArgumentParser(prog="python -m toolkit.evaluation.streaming", description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus.jsonl.gz"
        documents = write(path, int(arguments.gigabytes * 1e9))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        read = sum(len(batch) for batch in iter_batches(path))
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"documents {read:,} of {documents:,}; {arguments.gigabytes * 1000 / seconds:.0f} MB/s of JSON lines"
    )
    print(f"peak memory {peak / 1024:.0f} MiB, {(peak - before) / 1024:.0f} MiB of it while reading")


if __name__ == "__main__":
    main()
