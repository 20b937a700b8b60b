"""The learner of the shipped models: kernel ridge regression that borrows the meaning of words.

A few thousand labelled documents against a hundred thousand words: the dual form is small and exact. Two documents
are alike if they share words, and if they lie alike along directions, such as the dimensions of word vectors.
Directions are linear in the words, so all folds into one weight matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_matrix

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Similarity:
    """How alike documents are: shared words, and places along directions; about 1 for one and the same.

    The place of a document is ``features @ matrix - offset``, of length rank.
    """

    matrix: Floats | NDArray[np.float32]
    offset: Floats
    total: float

    @classmethod
    def of(cls, features: csr_matrix, matrix: NDArray[np.float32], strength: float) -> Similarity:
        """Scale directions so that the given documents have mean 0 and mean squared length ``strength``.

        With strength 0 documents are alike by their words alone.
        """
        places = np.asarray(features @ matrix)
        offset = places.mean(axis=0)
        spread = ((places - offset) ** 2).sum()
        length = np.sqrt(spread / (strength * len(places))) if strength else np.inf
        return cls(matrix / length, offset / length, 1.0 + strength)

    def _places(self, features: csr_matrix) -> Floats:
        return np.asarray(features @ self.matrix - self.offset)

    def kernel(self, features: csr_matrix, lexical: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return the similarity of every two documents, shape (documents, documents).

        ``lexical`` documents are also alike for the words that they share.
        """
        found = (features @ features.T).toarray().astype(np.float32)
        found *= lexical[:, None] & lexical
        places = self._places(features).astype(np.float32)
        found += places @ places.T
        found /= np.float32(self.total)
        return np.asarray(found)

    def fold(self, features: csr_matrix, dual: Floats, lexical: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Turn a dual solution into weights of the words: by the directions, and by the words themselves."""
        meaning = self.matrix @ (self._places(features).T @ dual)
        words = np.asarray(features.T @ (dual * lexical[:, None]))
        return meaning / self.total, words / self.total


def solve(
    similarity: NDArray[np.float32], targets: Floats, weight: Floats, penalty: float
) -> tuple[Floats, Floats]:
    """Solve weighted kernel ridge regression; return dual (documents, topics) and shift (topics).

    The prediction for documents with similarities ``s`` is ``s @ dual + shift``.
    """
    shift = np.average(targets, axis=0, weights=weight)
    regularised = similarity.copy()
    regularised[np.diag_indices(len(weight))] += (penalty / weight).astype(np.float32)
    factor = cho_factor(regularised, overwrite_a=True, check_finite=False)
    dual = cho_solve(factor, (targets - shift).astype(np.float32))
    return np.asarray(dual, np.float64), np.asarray(shift)


def linear(places: NDArray[np.float32], targets: Floats, weight: Floats, penalty: float) -> Floats:
    """Solve weighted ridge regression on documents' places, which are centred and scaled to mean square 1.

    Return the weights of the places as they come, and in the last row a constant: shape (dimensions + 1, topics).
    """
    wide = places.astype(np.float64)
    centre = wide.mean(axis=0)
    size = np.sqrt(((wide - centre) ** 2).sum(axis=1).mean())
    scaled = (wide - centre) / size
    heavy = scaled * weight[:, None]
    goal = targets - np.average(targets, axis=0, weights=weight)
    found = cho_solve(cho_factor(heavy.T @ scaled + penalty * np.eye(scaled.shape[1])), heavy.T @ goal) / size
    return np.asarray(np.vstack([found, -centre @ found]))
