"""Document ids, made unique as they pass by, in bounded memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

Hashes = npt.NDArray[np.uint64]


class Identities:
    """Remembers every id by a 64-bit hash: 8 bytes an id, and a counter for each id seen again.

    Two ids of one hash would number the second needlessly; among 100 million ids the chance of any
    such pair is 0.03 %.

    Examples
    --------
    >>> ids = Identities()
    >>> ids.distinct(pa.array(["a", "b", "a", "a"])).to_pylist()
    ['a', 'b', 'a~2', 'a~3']
    >>> ids.distinct(pa.array(["a~2", "c"])).to_pylist()
    ['a~2~2', 'c']
    """

    def __init__(self) -> None:
        self._runs: list[Hashes] = []
        self._counts: dict[str, int] = {}

    def distinct(self, ids: pa.Array) -> pa.Array:
        """Return the ids with ``~2``, ``~3`` … after each that has been seen before."""
        names = ids.to_pylist()
        hashes = _hashes(names)
        if not self._seen(hashes).any() and len(np.unique(hashes)) == len(hashes):
            self._remember(hashes)
            return ids
        new: set[int] = set()
        for i, name in enumerate(names):
            unique, value = name, int(hashes[i])
            while value in new or self._seen(np.array([value], np.uint64))[0]:
                self._counts[name] = self._counts.get(name, 1) + 1
                unique = f"{name}~{self._counts[name]}"
                value = int(_hashes([unique])[0])
            new.add(value)
            names[i] = unique
        self._remember(np.fromiter(new, np.uint64, len(new)))
        return pa.array(names, ids.type)

    def _seen(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        found = np.zeros(len(hashes), bool)
        for run in self._runs:
            places = np.minimum(np.searchsorted(run, hashes), len(run) - 1)
            found |= run[places] == hashes
        return found

    def _remember(self, hashes: Hashes) -> None:
        run = np.sort(hashes)
        # merged like binary digits, so that there are never more than log2(n) runs to look into
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]), kind="stable")
        if len(run):
            self._runs.append(run)


def _hashes(names: list[str]) -> Hashes:
    hashes: Hashes = pd.util.hash_array(np.array(names, dtype=object), categorize=False)
    return hashes
