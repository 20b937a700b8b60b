"""What does a corpus of any size need? ``python -m benchmarks.scale [--gigabytes 1 36]``.

Counts one batch of varied copies of articles, as a run does, and from that reckons for each size: batches, keys,
ranges of keys, small reads, bytes of disk and the state of the driver. Then it adds up one range of that size from
simulated tallies, and prints how long that takes and how much memory. The simulated tallies share keys more often than
those of articles do, so the time is an upper bound.
"""

from __future__ import annotations

import argparse
import io
import time
import tracemalloc
from functools import partial
from itertools import cycle, islice

import numpy as np

from benchmarks.kills import articles
from benchmarks.speed.copies import Copies
from toolkit.boilerplate.counts import NO_DAY, Counts
from toolkit.boilerplate.tally import BUCKETS, added_up, ranges, write_tally
from toolkit.boilerplate.templates import CAPACITY, TemplateIndex
from toolkit.jobs.parts import tally_of
from toolkit.pipeline import ROWS

DISTINCT = 16
"""Simulated tallies that differ; more are these again."""


def simulated(keys: int, seed: int) -> bytes:
    """Return a tally of so many random keys, as if each stood in one document."""
    random = np.random.default_rng(seed)
    key = np.unique(random.integers(0, 2**64, keys, np.uint64))
    one, none = np.ones(len(key), np.int32), np.full(len(key), NO_DAY)
    story = np.uint64(1) << random.integers(0, 64, len(key), np.uint64)
    counts = Counts(key, one, one, one.astype(np.int64), none, -none, story)
    out = io.BytesIO()
    write_tally(TemplateIndex(2**62, counts), out)
    return out.getvalue()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--gigabytes", type=float, nargs="+", default=[1.0, 36.0])
    asked = parser.parse_args()
    batch = Copies(articles()).corpus(20_000_000).head(ROWS)
    text = int(batch["text"].str.encode("utf-8").str.len().sum())
    out = io.BytesIO()
    index = tally_of(batch)
    write_tally(index, out)
    keys, size = len(index.counts), len(out.getvalue())
    print(
        f"a batch of {len(batch):,} documents: {text / 1e6:.1f} MB of text, {keys:,} keys, {size / 1e6:.1f} MB of tally"
    )
    tallies = [partial(io.BytesIO, simulated(keys, seed)) for seed in range(DISTINCT)]
    print(
        "GB of text | batches | keys | ranges | small reads | GB of tallies | MB of ids | s a range | MB a range"
    )
    for gigabytes in asked.gigabytes:
        batches = round(gigabytes * 1e9 / text)
        cut = ranges(batches * keys)
        tracemalloc.start()
        began = time.process_time()
        added_up(list(islice(cycle(tallies), batches)), cut[0], CAPACITY, bound=1)
        seconds, peak = time.process_time() - began, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        cells = (
            f"{gigabytes:,.0f}", f"{batches:,}", f"{batches * keys:.1e}",
            f"{len(cut):,} of {BUCKETS // len(cut)} buckets",
            f"{5 * batches * len(cut):.1e}", f"{batches * size / 1e9:,.0f}", f"{8 * batches * ROWS / 1e6:,.0f}",
            f"{seconds:.1f}", f"{peak / 1e6:,.0f}",
        )  # fmt: skip
        print(" | ".join(cells))


if __name__ == "__main__":
    main()
