"""Warming up: compile and cache the numba kernels, so that the first real call is as fast as the next."""

from __future__ import annotations

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
    """Clean and classify one sentence, which compiles every kernel or loads it from its cache.

    Returns
    -------
    str
        How long it took, in words.

    Examples
    --------
    >>> warm().startswith("kernels ready after ")
    True
    """
    from toolkit.boilerplate import BoilerplateRemover
    from toolkit.corpus import as_corpus
    from toolkit.topics import TopicClassifier

    begun = time.perf_counter()
    corpus = as_corpus(["The council met on Monday.Sign up for our newsletter."])
    TopicClassifier().topics(BoilerplateRemover().fit(corpus).transform(corpus))
    return f"kernels ready after {time.perf_counter() - begun:.1f} s"
