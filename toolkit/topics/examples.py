"""Examples to learn from: labels as a matrix, and folds that keep groups whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, KFold


def memberships(y: Iterable[Any], documents: int) -> tuple[tuple[Any, ...], NDArray[np.bool_], bool]:
    """Return the classes of labels, which document is in which, and whether each has just one.

    Raises
    ------
    ValueError
        Labels do not match the documents, one is missing, or there are fewer than two.
    """
    given = list(y)
    if len(given) != documents:
        msg = f"fit: {len(given)} labels for {documents} documents; give one entry a document"
        raise ValueError(msg)
    multi = any(isinstance(label, (set, frozenset, list, tuple)) for label in given)
    sets = [set(label) if multi else {label} for label in given]
    for place, labels in enumerate(sets):
        if any(pd.isna(label) for label in labels):
            msg = f"fit: document {place} has a missing label; drop it, or give an empty set"
            raise ValueError(msg)
    plain = [{x.item() if isinstance(x, np.generic) else x for x in labels} for labels in sets]
    classes = tuple(sorted(set().union(*plain)))
    if len(classes) < 2 - multi:
        msg = f"fit: {len(classes)} different labels; at least two are needed"
        raise ValueError(msg)
    place_of = {label: place for place, label in enumerate(classes)}
    member = np.zeros((documents, len(classes)), bool)
    for row, labels in enumerate(plain):
        member[row, [place_of[label] for label in labels]] = True
    return classes, member, not multi


def groups_of(corpus: pd.DataFrame, groups: Iterable[Any] | None, folds: int) -> NDArray[Any] | None:
    """Return the group of each document: those given, else publishers where each has one and there are enough."""
    if groups is not None:
        return np.asarray(list(groups))
    publisher = corpus["publisher"]
    if publisher.isna().any() or publisher.nunique() < 2 * folds:
        return None
    return publisher.to_numpy(dtype=object)


def folds_of(
    documents: int, folds: int, groups: NDArray[Any] | None
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return pairs of documents to learn from and to calibrate on; no group straddles a pair."""
    if groups is not None and len(np.unique(groups)) >= folds:
        return list(GroupKFold(folds, shuffle=True, random_state=0).split(np.empty(documents), groups=groups))
    return list(KFold(min(folds, documents), shuffle=True, random_state=0).split(np.empty(documents)))
