"""Boosted trees as plain arrays, read by a numba kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.kernels import njit

FIRST = 30  # trees after which hopeless rows are left
BLOCK = 128  # rows that go through all trees before the next
ABREAST = 8  # rows that go down a tree at a time; divides BLOCK

KINDS = {"feature": "int16", "threshold": "float32", "left": "int32", "right": "int32", "roots": "int32"}


@dataclass(frozen=True)
class Trees:
    """A sum of regression trees, and the ``baseline`` that is added to it; ``left, right, roots`` are nodes.

    ``feature`` is the column tested at a node, -1 at a leaf. A row goes left if its value is at most ``threshold``,
    which at a leaf is the leaf's value.
    """

    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    roots: NDArray[np.int32]
    baseline: float

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """Return what a model file holds of these trees: each part by ``<name>_<part>``."""
        return {f"{name}_{part.name}": np.asarray(getattr(self, part.name)) for part in fields(self)}

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[Any]], name: str, columns: int) -> Trees:
        """Return the trees of a model file, whose rows have so many columns; what cannot be trees is a ValueError."""
        parts: dict[str, Any] = {part.name: arrays[f"{name}_{part.name}"] for part in fields(cls)}
        plain = all(parts[part].dtype == kind and parts[part].ndim == 1 for part, kind in KINDS.items())
        if not plain or parts["baseline"].size != 1 or not np.isfinite(parts["baseline"]).all():
            raise ValueError(f"{name}: the arrays are not those of trees")
        trees = cls(**parts | {"baseline": float(parts["baseline"].item())})
        trees.check(columns)
        return trees

    def check(self, columns: int) -> None:
        """Raise ValueError unless every path stays inside the arrays and ends."""
        n = len(self.feature)
        inner = np.flatnonzero(self.feature >= 0)
        sound = (
            n == len(self.threshold) == len(self.left) == len(self.right)
            and (self.feature < columns).all()
            and all(((inner < below[inner]) & (below[inner] < n)).all() for below in (self.left, self.right))
            and ((self.roots >= 0) & (self.roots < n)).all()
            and np.isfinite(self.threshold).all()
        )
        if not sound:
            msg = "the trees point outside themselves; the file was changed, take the one that was shipped"
            raise ValueError(msg)

    def predict(self, rows: NDArray[np.float32], stop: float = -np.inf) -> NDArray[np.float32]:
        """Sum of the trees' leaves for each row, of the first :data:`FIRST` alone where that is below ``stop``."""
        nodes, depths = self._packed
        out = np.empty(len(rows), np.float32)
        values, baseline, least = nodes.view(np.float32), np.float64(self.baseline), np.float64(stop)
        _predict(nodes, values, self.roots, depths, baseline, rows, least, out)
        return out

    @cached_property
    def _packed(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The nodes, a row each, and the depth of each tree."""
        inner = self.feature >= 0
        here = np.arange(len(self.feature), dtype=np.int32)
        nodes = np.empty((len(self.feature), 4), np.int32)  # a node on one line of the cache
        nodes[:, 0] = np.where(inner, self.feature, 0)
        nodes[:, 1] = self.threshold.view(np.int32)
        nodes[:, 2], nodes[:, 3] = np.where(inner, (self.right, self.left), here)
        return nodes, _depths(self.feature, self.left, self.right, self.roots)


@njit(cache=True, nogil=True)
def _depths(feature, left, right, roots):  # type: ignore[no-untyped-def]
    """Longest path of each tree."""
    below = np.zeros(len(feature), np.int32)
    for n in range(len(feature) - 1, -1, -1):  # children stand after their parents
        if feature[n] >= 0:
            below[n] = 1 + max(below[left[n]], below[right[n]])
    return below[roots]


@njit(cache=True, nogil=True)
def _predict(nodes, values, roots, depths, baseline, rows, stop, out):  # type: ignore[no-untyped-def]
    """Walk :data:`ABREAST` rows down a tree at a time, always to its full depth; leaves lead to themselves.

    One row after the other waits for memory at each node, and the processor cannot guess where a path ends.
    """
    total = np.empty(BLOCK + ABREAST, np.float64)
    who = np.empty(BLOCK + ABREAST, np.uint64)
    at = np.empty(ABREAST, np.uint64)
    for lo in range(0, len(rows), BLOCK):
        left = min(BLOCK, len(rows) - lo)
        for k in range(BLOCK + ABREAST):
            total[k] = baseline
            who[k] = np.uint64(lo + (k if k < left else 0))
        for t in range(len(roots)):
            if t == FIRST:
                going = 0
                for k in range(left):
                    if total[k] < stop:
                        out[who[k]] = np.float32(total[k])
                    else:
                        total[going] = total[k]
                        who[going] = who[k]
                        going += 1
                left = going
            for k in range(0, left, ABREAST):
                for w in range(ABREAST):
                    at[w] = np.uint64(roots[t])
                for _ in range(depths[t]):
                    for w in range(ABREAST):
                        n = at[w]
                        low = rows[who[k + w], np.uint64(nodes[n, 0])] <= values[n, 1]
                        at[w] = np.uint64(nodes[n, np.uint64(2) + np.uint64(low)])
                for w in range(ABREAST):
                    total[k + w] += np.float64(values[at[w], 1])
        for k in range(left):
            out[who[k]] = np.float32(total[k])
