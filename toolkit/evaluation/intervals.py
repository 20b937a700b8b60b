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
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of a metric (Efron 1979).

    Parameters
    ----------
    metric : callable
        Takes an int array of row numbers, returns a float.
    documents : int
        Number of rows.
    groups : array, length documents, optional
        Draw whole groups, such as publishers, whose documents are alike.
    level : float, default 0.95
    draws : int, default 1000
    seed : int, default 0

    Returns
    -------
    low, high : float
        NaN if there is nothing to draw from.

    Examples
    --------
    >>> right = np.array([True] * 80 + [False] * 20)
    >>> bootstrap(lambda rows: float(right[rows].mean()), 100)
    (0.72, 0.88)
    """
    if documents == 0:
        return float("nan"), float("nan")
    low, high = bootstrap_all(
        lambda rows: np.array([metric(rows)]),
        documents,
        groups=groups,
        level=level,
        draws=draws,
        seed=seed,
    )
    return float(low[0]), float(high[0])


def bootstrap_all(
    metrics: Metrics,
    documents: int,
    *,
    groups: NDArray[np.generic] | None = None,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the intervals of several metrics from the same draws; parameters as :func:`bootstrap`.

    Returns
    -------
    low, high : float arrays
        One entry a metric; NaN where every draw gave NaN.
    """
    random = np.random.default_rng(seed)
    if groups is None:
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
        low[known], high[known] = np.nanquantile(table[:, known], [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high
