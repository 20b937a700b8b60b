"""A corpus as the remover sees it: cut, fingerprinted and, with a model, scored by its words."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.boilerplate.counts import NO_DAY
from toolkit.boilerplate.echoes import Titles, echoes
from toolkit.boilerplate.features import SHAPE
from toolkit.boilerplate.mending import Mended
from toolkit.boilerplate.scoring import SegmentReading, WordWeights, read_segments
from toolkit.boilerplate.templates import mark_slots, publisher_hash
from toolkit.buffer import Buffer
from toolkit.language import languages, scripts
from toolkit.segments import Segments, cut


@dataclass(frozen=True)
class About:
    """What is known of each document besides its text.

    ``publishers`` are hashes; ``days`` are since 1970-01-01, :data:`toolkit.boilerplate.counts.NO_DAY` for none;
    ``languages`` are ISO 639-1, empty where it cannot be told.
    """

    publishers: NDArray[np.uint64]
    titles: Titles
    days: NDArray[np.int32]
    languages: NDArray[np.str_]

    @classmethod
    def of(cls, corpus: pd.DataFrame) -> About:
        """Read the columns ``publisher``, ``title``, ``published`` and ``lang`` of a corpus."""
        days = corpus["published"].dt.tz_convert(None).to_numpy().astype("datetime64[D]")
        missing = np.isnat(days)
        day = np.where(missing, NO_DAY, np.where(missing, 0, days.astype(np.int64))).astype(np.int32)
        publishers = publisher_hash(corpus["publisher"])
        return cls(publishers, Titles.of(corpus["title"]), day, _languages(corpus))

    def take(self, documents: NDArray[np.int64]) -> About:
        """Keep some documents, in the order given."""
        return About(
            self.publishers[documents], self.titles.take(documents), self.days[documents],
            self.languages[documents],
        )  # fmt: skip


def _languages(corpus: pd.DataFrame) -> NDArray[np.str_]:
    """Language of each document, as the corpus says or as its text tells; ``?`` in a script that is not Latin."""
    given = corpus["lang"].str.lower()
    told = given.where(given.str.fullmatch("[a-z]{2}(?:[-_].*)?")).str.slice(0, 2)
    for tell in (languages, lambda texts: scripts(texts).map({"Latn": ""}, na_action=None).fillna("?")):
        missing = told.isna().to_numpy()
        if missing.any():
            told = told.mask(missing, pd.Series(tell(corpus["text"][missing]), dtype="str"))
    return told.fillna("").to_numpy(dtype=str)


@dataclass(frozen=True)
class Reading:
    """A buffer of documents, cut and read in one pass."""

    buffer: Buffer
    segments: Segments
    about: About
    read: SegmentReading
    echoes: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        buffer: Buffer,
        about: About,
        words: WordWeights | None = None,
        before: tuple[Reading, Mended] | None = None,
    ) -> Reading:
        """Cut and read a buffer; without weights nothing is scored.

        ``before`` is the reading of the texts that ``buffer`` is what is left of: segments that stand in it
        unchanged are not read again.
        """
        segments = cut(buffer)
        known = None
        if before is not None:
            earlier, mended = before
            known = _unchanged(segments, earlier.segments, mended), earlier.read
        read = read_segments(buffer, segments, words, known)
        shared = echoes(segments, read.shapes, read.terms, about.titles)
        mark_slots(buffer, segments, read, shared, about.titles)
        return cls(buffer, segments, about, read, shared)

    def scored(self, words: NDArray[np.float32], windows: NDArray[np.float32]) -> Reading:
        """The same segments with other scores."""
        return replace(self, read=replace(self.read, words=words, windows=windows))

    @property
    def prints(self) -> NDArray[np.uint64]:
        """Fingerprints; see :class:`toolkit.boilerplate.scoring.SegmentReading` for this and the next."""
        return self.read.prints

    @property
    def shapes(self) -> NDArray[np.int32]:
        """Counts and classes of characters."""
        return self.read.shapes

    @property
    def words(self) -> NDArray[np.float32]:
        """Class probabilities by the segment's words."""
        return self.read.words

    @property
    def windows(self) -> NDArray[np.float32]:
        """What the first, the last and the best words say."""
        return self.read.windows

    @property
    def size(self) -> NDArray[np.int32]:
        """Bytes of each segment; shape (n_segments,)."""
        return np.ascontiguousarray(self.shapes[:, SHAPE.index("bytes")])


def _unchanged(segments: Segments, earlier: Segments, mended: Mended) -> NDArray[np.int64]:
    """Place of each segment of mended texts among the segments of the original ones, -1 if it is new."""
    if not len(mended.place):
        return np.full(len(segments), -1, np.int64)
    piece = np.searchsorted(mended.place, segments.start, side="right") - 1
    inside = segments.end <= mended.place[piece] + mended.size[piece]
    moved = mended.source[piece] - mended.place[piece]
    at = np.searchsorted(earlier.start, segments.start + moved).clip(0, max(len(earlier) - 1, 0))
    same = inside & (earlier.start[at] == segments.start + moved) & (earlier.end[at] == segments.end + moved)
    return np.where(same & (earlier.joint[at] == segments.joint), at, -1).astype(np.int64)
