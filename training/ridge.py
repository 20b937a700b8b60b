"""The learner of the shipped model: kernel ridge regression that borrows from unlabelled and foreign labels.

A few thousand labelled documents against a quarter of a million buckets: the dual form is small and exact.
Two documents are alike if they share words, and if they lie alike along directions that other news taught:
where it varies most (latent semantic analysis, Deerwester et al. 1990), and what tells apart labels of other
schemes (slugs and rubrics). Directions are linear in the words, so all folds into one weight matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_matrix
from sklearn.utils.extmath import randomized_svd

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Directions:
    """A linear view of documents.

    Parameters
    ----------
    columns : int array, length c
        Buckets that take part.
    matrix : float array, shape (c, rank)
    offset : float array, length rank
        The place of a document is ``features[columns] @ matrix - offset``.
    """

    columns: NDArray[np.int64]
    matrix: Floats
    offset: Floats

    def project(self, features: csr_matrix) -> Floats:
        """Return the place of each document, shape (documents, rank)."""
        return np.asarray(features[:, self.columns] @ self.matrix - self.offset)

    def scaled(self, features: csr_matrix, strength: float, *, standard: bool) -> Directions:
        """Return the directions so that the mean squared length of the given documents is ``strength``.

        Parameters
        ----------
        features : csr_matrix
        strength : float
        standard : bool
            First give each direction mean 0 and variance 1.
        """
        places = self.project(features)
        offset, spread = np.zeros(places.shape[1]), np.ones(places.shape[1])
        if standard:
            offset, spread = places.mean(axis=0), np.maximum(places.std(axis=0), 1e-9)
        length = np.sqrt((((places - offset) / spread) ** 2).sum() / (strength * len(places)))
        return Directions(
            self.columns, self.matrix / spread / length, (self.offset + offset) / spread / length
        )


def semantic_directions(
    features: csr_matrix, *, rank: int, power: float, at_least: int = 8, seed: int = 0
) -> Directions:
    """Find the directions in which documents vary most.

    Parameters
    ----------
    features : csr_matrix, shape (documents, buckets)
        Rows of unit length.
    rank : int
        Number of directions.
    power : float
        Each direction is divided by its singular value to this power: 0 keeps the variance, 1 evens it out.
    at_least : int, default 8
        Documents a bucket must occur in.
    seed : int, default 0
        Of the randomised algorithm (Halko et al. 2011).
    """
    columns = np.flatnonzero(np.bincount(features.indices, minlength=features.shape[1]) >= at_least)
    narrow = features[:, columns]
    _, values, vectors = randomized_svd(narrow, rank, n_iter=2, random_state=seed)
    return Directions(columns, np.asarray(vectors.T * (values[0] / values) ** power, float), np.zeros(rank))


def label_directions(
    features: csr_matrix,
    labels: NDArray[np.object_],
    *,
    penalty: float,
    at_least: int = 15,
    iterations: int = 15,
) -> Directions:
    """Find the directions that tell labels apart: ridge regression of each label's indicator.

    Parameters
    ----------
    features : csr_matrix, shape (documents, buckets)
    labels : array of str, length documents
        Labels of fewer than ``at_least`` documents get no direction.
    penalty : float
    at_least : int, default 15
    iterations : int, default 15
        Of conjugate gradients, all labels at once.
    """
    _, which = np.unique(labels.astype(str), return_inverse=True)
    kept = np.flatnonzero(np.bincount(which) >= at_least)
    columns = np.unique(features.indices).astype(np.int64)
    narrow = features[:, columns]
    indicator = (which[:, None] == kept).astype(np.float32)
    found = np.zeros((len(columns), len(kept)), np.float32)
    rest = narrow.T @ (indicator - indicator.mean(axis=0))
    search, norm = rest.copy(), (rest**2).sum(axis=0)
    for _ in range(iterations):
        step = narrow.T @ (narrow @ search) + np.float32(penalty) * search
        length = norm / np.maximum((search * step).sum(axis=0), 1e-12)
        found += length * search
        rest -= length * step
        previous, norm = norm, (rest**2).sum(axis=0)
        search = rest + norm / np.maximum(previous, 1e-12) * search
    return Directions(columns, found.astype(float), np.zeros(len(kept)))


@dataclass(frozen=True, eq=False)
class Similarity:
    """How alike documents are: shared words, and places along directions; about 1 for one and the same."""

    directions: Sequence[Directions]
    total: float

    def kernel(self, features: csr_matrix) -> Floats:
        """Return the similarity of every two documents, shape (documents, documents)."""
        found = np.asarray((features @ features.T).todense(), dtype=np.float64)
        for part in self.directions:
            places = part.project(features)
            found += places @ places.T
        return found / self.total

    def fold(self, features: csr_matrix, dual: Floats, shift: Floats) -> tuple[Floats, Floats]:
        """Turn a dual solution into weights of the buckets, shape (buckets, topics), and their bias."""
        weights, bias = np.asarray(features.T @ dual), shift * self.total
        for part in self.directions:
            pull = part.project(features).T @ dual
            weights[part.columns] += part.matrix @ pull
            bias = bias - part.offset @ pull
        return weights / self.total, bias / self.total


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
