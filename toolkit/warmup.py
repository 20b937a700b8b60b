"""Warming up: compile and cache the numba kernels, so that the first real call is as fast as the next."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path


def is_warm() -> bool:
    """Tell whether the kernels of this version lie in numba's cache, compiled on this machine.

    Examples
    --------
    >>> warm()[:13], is_warm()
    ('kernels ready', True)
    """
    from toolkit.boilerplate.scoring import KERNEL

    return any(Path(KERNEL.stats.cache_path).glob(f"scoring.{KERNEL.__name__}-*.nbi"))


def warm() -> str:
    """Run over two sentences, which compiles every kernel of a run or loads it from its cache; say how long it took.

    Examples
    --------
    >>> warm().startswith("kernels ready after ")
    True
    """
    from toolkit import pipeline

    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "two.jsonl")
        text = "The council met on Monday.Sign up for our newsletter. It met again on the day after that."
        path.write_text(
            "".join(json.dumps({"text": f"{n} {text}", "url": f"a.b/{n}"}) + "\n" for n in (1, 2))
        )
        pipeline.run(path, Path(folder, "out"), rows=1)
    return f"kernels ready after {time.perf_counter() - begun:.1f} s"
