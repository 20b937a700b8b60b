"""Confidence intervals by bootstrap over documents."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Metric = Callable[[NDArray[np.int64]], float]
"""A figure computed from rows of the data, given by number; a row may come more than once."""

Metrics = Callable[[NDArray[np.int64]], NDArray[np.float64]]
"""Several figures at once."""


def bootstrap(
    metric: Metric,
    documents: int,
    *,
    groups: NDArray[np.generic] | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the interval of one metric, as :func:`bootstrap_all` does.

    >>> right = np.array([True] * 80 + [False] * 20)
    >>> bootstrap(lambda rows: float(right[rows].mean()), 100)
    (0.72, 0.88)
    """
    low, high = bootstrap_all(
        lambda rows: np.array([metric(rows)]), documents, groups=groups, draws=draws, seed=seed
    )
    return float(low[0]), float(high[0])


def bootstrap_all(
    metrics: Metrics,
    documents: int,
    *,
    groups: NDArray[np.generic] | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the 95 % percentile bootstrap intervals (Efron 1979) of several metrics from the same draws of rows.

    Where ``groups`` has one entry a document, whole groups are drawn, such as publishers, whose documents are alike.
    An end is NaN where every draw gave NaN, or there is nothing to draw from.
    """
    random = np.random.default_rng(seed)
    if not documents:
        drawn = [np.full(len(metrics(np.arange(0))), np.nan)]
    elif groups is None:
        drawn = [metrics(random.integers(0, documents, documents)) for _ in range(draws)]
    else:
        _, which = np.unique(groups, return_inverse=True)
        order = np.argsort(which, kind="stable")
        rows = np.split(order, np.cumsum(np.bincount(which))[:-1])
        drawn = [
            metrics(np.concatenate([rows[g] for g in random.integers(0, len(rows), len(rows))]))
            for _ in range(draws)
        ]
    table = np.array(drawn)
    low, high = np.full(table.shape[1], np.nan), np.full(table.shape[1], np.nan)
    known = ~np.isnan(table).all(axis=0)
    if known.any():  # numpy refuses a table without columns
        low[known], high[known] = np.nanquantile(table[:, known], [0.025, 0.975], axis=0)
    return low, high
