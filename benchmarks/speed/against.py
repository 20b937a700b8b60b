"""Is this checkout faster than another one? ``python -m benchmarks.speed.against OTHER [--megabytes 24] [--rounds 5]``.

Both checkouts work on the same text, in turns and in processes of their own, so that other load of the machine meets
both. Prints the CPU seconds (median, user and system), new / old, the largest peak of memory, and whether the spans
and the results of ``run`` are the same to the byte.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.kills import articles
from benchmarks.speed.copies import Copies

_CODE = """
import sys
sys.path.insert(0, sys.argv[1])
child = {"__name__": "child"}
for path in sys.argv[2:4]:
    exec(open(path).read(), child)
"""


def _measured(folder: Path, peak: Callable[[], int]) -> dict[str, Any]:
    """Do the work with the toolkit that is imported; return CPU seconds by task, peak memory and digests."""
    from toolkit import BoilerplateRemover, pipeline

    corpus = pd.read_parquet(folder / "corpus.parquet")
    remover, fitted = BoilerplateRemover(), BoilerplateRemover().fit(corpus.head(200))
    scratch = tempfile.TemporaryDirectory()
    out = Path(scratch.name, "out")
    tasks: dict[str, Callable[[], Any]] = {
        "spans": lambda: remover.spans(corpus),
        "count": lambda: BoilerplateRemover().partial_fit(corpus),
        "fit": lambda: fitted.fit(corpus),
        "spans, fitted": lambda: fitted.spans(corpus),
        "run, two jobs": lambda: pipeline.run(sorted(folder.glob("*.gz")), out, n_jobs=2, progress=False),
    }
    cpu, made = {}, {}
    with scratch:
        pipeline.run(sorted(folder.glob("*.gz"))[:1], Path(scratch.name, "warm"), rows=100)
        for task, work in tasks.items():
            started = time.process_time()
            made[task] = work()
            cpu[task] = time.process_time() - started
        files = [path.read_bytes() for path in sorted(out.glob("*.parquet"))]
    table = made["spans, fitted"]
    digest = hashlib.sha256(table.to_csv().encode() + b"".join(files))
    return {"cpu": cpu, "peak": peak() >> 20, "digest": digest.hexdigest()}


def main() -> None:
    """Command line."""
    from benchmarks import memory  # here, because the other checkout may have no such module

    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.against", description=__doc__)
    parser.add_argument("other", type=Path, help="folder of the other checkout")
    parser.add_argument("--megabytes", type=float, default=24.0)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {"old": [], "new": []}
    with tempfile.TemporaryDirectory() as name:
        copies = Copies(articles())
        copies.write(Path(name), int(asked.megabytes * 1e6), int(asked.megabytes * 5e5))
        copies.corpus(int(asked.megabytes * 1e6)).to_parquet(Path(name, "corpus.parquet"))
        for _ in range(asked.rounds):
            for which, checkout in (("old", asked.other), ("new", Path.cwd())):
                command = [sys.executable, "-c", _CODE, str(checkout), memory.__file__, __file__, name]
                plain = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
                done = subprocess.run(
                    command, cwd=name, env=plain, stdout=subprocess.PIPE, text=True, check=True
                )
                found[which].append(json.loads(done.stdout))
    for task in found["new"][0]["cpu"]:
        old, new = (statistics.median(run["cpu"][task] for run in found[which]) for which in ("old", "new"))
        print(f"{task:<16} {old:7.2f} s {new:7.2f} s  {new / old:.2f}")
    old, new = (max(run["peak"] for run in found[which]) for which in ("old", "new"))
    print(f"{'peak memory':<16} {old:5d} MiB {new:5d} MiB {new / old:.2f}")
    same = len({run["digest"] for runs in found.values() for run in runs}) == 1
    print("results: the same to the byte" if same else "results: DIFFERENT")


if __name__ == "child":
    print(json.dumps(_measured(Path(sys.argv[4]), globals()["peak"])))
elif __name__ == "__main__":
    main()
