"""A corpus as the remover sees it: cut, fingerprinted and, with a model, scored by its words."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.boilerplate.echoes import echoes
from toolkit.boilerplate.features import SHAPE, Titles, WordWeights, read_segments
from toolkit.boilerplate.templates import NO_DAY, publisher_hash
from toolkit.segments import Buffer, Segments, cut


@dataclass(frozen=True)
class About:
    """What is known of each document besides its text.

    Attributes
    ----------
    publishers : ndarray of uint64, shape (n_documents,)
    titles : Titles
    days : ndarray of int32, shape (n_documents,)
        Days since 1970-01-01, :data:`toolkit.boilerplate.templates.NO_DAY` for none.
    """

    publishers: NDArray[np.uint64]
    titles: Titles
    days: NDArray[np.int32]

    @classmethod
    def of(cls, corpus: pd.DataFrame) -> About:
        """Read the columns ``publisher``, ``title`` and ``published`` of a corpus."""
        days = corpus["published"].dt.tz_convert(None).to_numpy().astype("datetime64[D]")
        missing = np.isnat(days)
        day = np.where(missing, NO_DAY, np.where(missing, 0, days.astype(np.int64))).astype(np.int32)
        return cls(publisher_hash(corpus["publisher"]), Titles.of(corpus["title"]), day)

    def take(self, documents: NDArray[np.int64]) -> About:
        """Keep some documents, in the order given."""
        return About(self.publishers[documents], self.titles.take(documents), self.days[documents])


@dataclass(frozen=True)
class Reading:
    """A buffer of documents, cut and read in one pass.

    Attributes
    ----------
    buffer : Buffer
    segments : Segments
    about : About
    prints, shapes : ndarray, shape (n_segments, …)
        Columns :data:`toolkit.boilerplate.features.FINGERPRINTS` and ``SHAPE``.
    words : ndarray of float32, shape (n_segments, 16) or (0, 16)
        Class probabilities by the segment's words: eight learned from gold, eight from pages' markup.
    windows : ndarray of float32, shape (n_segments, 18) or (0, 18)
    echoes : ndarray of float32, shape (n_segments, 5)
    """

    buffer: Buffer
    segments: Segments
    about: About
    prints: NDArray[np.uint64]
    shapes: NDArray[np.int32]
    words: NDArray[np.float32]
    windows: NDArray[np.float32]
    echoes: NDArray[np.float32]

    @classmethod
    def of(cls, buffer: Buffer, about: About, words: WordWeights | None = None) -> Reading:
        """Cut and read a buffer; without weights nothing is scored."""
        segments = cut(buffer)
        read = read_segments(buffer, segments, words)
        shared = echoes(segments, read.shapes, read.terms, about.titles)
        return cls(buffer, segments, about, read.prints, read.shapes, read.words, read.windows, shared)

    def scored(self, words: NDArray[np.float32], windows: NDArray[np.float32]) -> Reading:
        """The same segments with other scores."""
        return replace(self, words=words, windows=windows)

    @property
    def size(self) -> NDArray[np.int32]:
        """Bytes of each segment; shape (n_segments,)."""
        return np.ascontiguousarray(self.shapes[:, SHAPE.index("bytes")])
