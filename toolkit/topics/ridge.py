"""The learner of the shipped model: kernel ridge regression that borrows from unlabelled news.

A few thousand labelled documents against a quarter of a million buckets: the dual form is small and exact.
Words that unlabelled news uses alike are drawn together by latent semantic analysis (Deerwester et al. 1990):
the kernel of two documents is ``x·y + strength · (xV)·(yV)/spread``, V being the right singular vectors of the
unlabelled documents. Everything stays linear in the words, so the result folds into one weight matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_matrix
from sklearn.utils.extmath import randomized_svd

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Semantics:
    """Directions of meaning found in unlabelled documents.

    Parameters
    ----------
    columns : int array
        Buckets that take part.
    directions : float array, shape (columns, rank)
        Singular vectors, each multiplied by its share in the kernel.
    """

    columns: NDArray[np.int64]
    directions: Floats

    def project(self, features: csr_matrix) -> Floats:
        """Return the place of each document, shape (documents, rank)."""
        return np.asarray(features[:, self.columns] @ self.directions)


def find_semantics(
    features: csr_matrix, *, rank: int, power: float, strength: float, at_least: int = 8, seed: int = 0
) -> Semantics:
    """Find the directions in which documents vary most.

    Parameters
    ----------
    features : csr_matrix, shape (documents, buckets)
        Rows of unit length.
    rank : int
        Number of directions.
    power : float
        Each direction is divided by its singular value to this power: 0 keeps the variance, 1 evens it out.
    strength : float
        Mean squared length of a projected document, against 1 for its words.
    at_least : int, default 8
        Documents a bucket must occur in.
    seed : int, default 0
        Of the randomised algorithm (Halko et al. 2011).
    """
    columns = np.flatnonzero(np.bincount(features.indices, minlength=features.shape[1]) >= at_least)
    narrow = features[:, columns]
    _, values, vectors = randomized_svd(narrow, rank, n_iter=2, random_state=seed)
    directions = vectors.T * (values[0] / values) ** power
    spread = float((np.asarray(narrow @ directions) ** 2).sum() / features.shape[0])
    return Semantics(columns, np.asarray(directions * np.sqrt(strength / spread), dtype=np.float64))


def kernel(features: csr_matrix, semantics: Semantics | None) -> Floats:
    """Return the similarity of every two documents, shape (documents, documents)."""
    words = np.asarray((features @ features.T).todense(), dtype=np.float64)
    if semantics is None:
        return words
    meaning = semantics.project(features)
    return np.asarray(words + meaning @ meaning.T)


def solve(similarity: Floats, targets: Floats, weight: Floats, penalty: float) -> tuple[Floats, Floats]:
    """Solve weighted kernel ridge regression.

    Returns
    -------
    dual : float array, shape (documents, topics)
    shift : float array, length topics
        The prediction for documents with similarities ``s`` is ``s @ dual + shift``.
    """
    shift = np.average(targets, axis=0, weights=weight)
    regularised = similarity + np.diag(penalty / weight)
    return np.asarray(cho_solve(cho_factor(regularised), targets - shift)), np.asarray(shift)


def fold(features: csr_matrix, semantics: Semantics | None, dual: Floats) -> Floats:
    """Turn a dual solution into weights of the buckets, shape (buckets, topics)."""
    weights = np.asarray(features.T @ dual)
    if semantics is not None:
        meaning = semantics.directions.T @ weights[semantics.columns]
        weights[semantics.columns] += semantics.directions @ meaning
    return weights
