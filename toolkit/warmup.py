"""Warming up: compile and cache the numba kernels, so that the first real call is as fast as the next."""

from __future__ import annotations

import time


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
