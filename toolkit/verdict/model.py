"""The verdict model: it sums up the segments of a document as one row of evidence, and judges the row."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.buffer import Buffer
from toolkit.errors import ModelError
from toolkit.kernels import njit, places
from toolkit.modelfile import read_model, sound_array
from toolkit.segments import Segments, cut
from toolkit.trees import Trees
from toolkit.verdict.reading import BITS, SHAPE, SOUNDS, damage, echoes, sounds

FORMAT = "news-toolkit verdict model 1"
SHIPPED = Path(__file__).parent.parent / "models" / "verdict"
# verdicts that the model learned; ``twice`` and ``empty`` follow from counts
LEARNED = ("article", "stub", "wall", "error", "index", "garbled")

_LARGEST = 4 << 20
TABLES = {
    "table": ("int8", (1 << BITS, len(SOUNDS))), "scale": ("float32", (len(SOUNDS),)),
    "bias": ("float32", (len(SOUNDS),)), "calibration": ("float64", (len(LEARNED) + 1,)),
}  # fmt: skip
COLUMNS = (
    *(f"share_{name}" for name in SOUNDS),
    *(f"most_{name}" for name in SOUNDS),
    *(f"title_{name}" for name in SOUNDS),
    "size", "segments", "line", "sentences", "story", "story_before", "story_after", "wall_last", "wall_first",
    "gate_last", "gate_first", "wall_size", "error_size", "listing_size", "cut", "headlines", "letters", "digits",
    "symbols", "longest", "damage", "full", "words", "lead", "even", "numbered", "short", "final", "echoes", "named",
)  # fmt: skip
"""Columns of the evidence.

Sounds are those of :data:`toolkit.verdict.reading.SOUNDS`. ``share_*``: share of the characters that sound so, weighed
by probability. ``most_*``: the largest probability of any segment. ``title_*``: that of the title, 0 without one.
``size``, ``segments``, ``line``: logarithms of characters, segments, characters a segment.
``sentences``: share of characters in segments that read like sentences; ``story``: logarithm of their characters that
sound like a story, ``story_before`` and ``story_after``: on either side of the segment that sounds most like a gate.
``*_last``, ``*_first``: among the three last, and first, segments. ``*_size``: logarithms of characters. ``cut``:
how the text before the gate ends (0 a sentence, 1 no mark, 3 an ellipsis). ``headlines``: share of short segments
without a mark at their end. ``letters``, ``digits``, ``symbols``: shares of characters. ``longest``: logarithm of the
longest word. ``damage``: broken characters a word. ``full``: share of characters in segments of twelve words or more.
``words``: words a segment. ``lead``: logarithm of the characters before the gate that sound like none.
``even``: how alike the segments are in length. ``numbered``: share of segments with a figure. ``short``: of segments
of at most three words. ``final``: how the last segment ends. ``echoes``, ``named``: see
:func:`toolkit.verdict.reading.echoes`."""


SOUND, PART, AT = places(SOUNDS), places(SHAPE), places(COLUMNS)
_MANY = len(SOUNDS)
_ENDS = 3
_LONG = 12


@njit(cache=True, nogil=True)
def weigh(bounds, sounds, shapes, out):  # type: ignore[no-untyped-def]
    """Fill one row of evidence for each document ``d`` from its segments ``bounds[d]:bounds[d + 1]``."""
    for d in range(len(bounds) - 1):
        lo = bounds[d]
        hi = bounds[d + 1]
        row = out[d]
        total = np.float32(0.0)
        squares = np.float32(0.0)
        at_gate = lo
        for s in range(lo, hi):
            n = np.float32(shapes[s, PART.characters])
            total += n
            squares += n * n
            row[AT.numbered] += shapes[s, PART.digits] > 0
            row[AT.short] += shapes[s, PART.words] <= 3
            row[AT.words] += shapes[s, PART.words]
            row[AT.longest] = max(row[AT.longest], shapes[s, PART.longest])
            for c in range(3):
                row[AT.letters + c] += shapes[s, PART.letters + c]
            for c in range(_MANY):
                row[c] += n * sounds[s, c]
                row[_MANY + c] = max(row[_MANY + c], sounds[s, c])
            if shapes[s, PART.words] >= _LONG:
                row[AT.full] += n
            if shapes[s, PART.sentence]:
                row[AT.sentences] += n
                row[AT.story] += n * sounds[s, SOUND.story]
            elif shapes[s, PART.end] == 0 and 2 <= shapes[s, PART.words] <= 14:
                row[AT.headlines] += 1
            if sounds[s, SOUND.gate] > sounds[at_gate, SOUND.gate]:
                at_gate = s
        for s in range(lo, hi):
            size = shapes[s, PART.characters]
            if s < at_gate:
                calm = 1 - sounds[s, SOUND.wall] - sounds[s, SOUND.error] - sounds[s, SOUND.gate]
                row[AT.lead] += size * calm
            if shapes[s, PART.sentence] and s != at_gate:
                row[AT.story_before if s < at_gate else AT.story_after] += size * sounds[s, SOUND.story]
            if s >= hi - _ENDS:
                row[AT.wall_last] = max(row[AT.wall_last], sounds[s, SOUND.wall])
                row[AT.gate_last] = max(row[AT.gate_last], sounds[s, SOUND.gate])
            if s < lo + _ENDS:
                row[AT.wall_first] = max(row[AT.wall_first], sounds[s, SOUND.wall])
                row[AT.gate_first] = max(row[AT.gate_first], sounds[s, SOUND.gate])
        if hi > lo:
            row[AT.final] = shapes[hi - 1, PART.end]
        if at_gate > lo and shapes[at_gate - 1, PART.end] != 1:
            row[AT.cut] = 1 + shapes[at_gate - 1, PART.end]
        whole = max(total, np.float32(1.0))
        segments = np.float32(max(1, hi - lo))
        for c in range(3):
            row[AT.wall_size + c] = np.log1p(row[SOUND.wall + c])
        for c in range(_MANY):
            row[c] /= whole
        row[AT.size] = np.log1p(total)
        row[AT.segments] = np.log1p(np.float32(hi - lo))
        row[AT.line] = np.log1p(total / segments)
        row[AT.longest] = np.log1p(row[AT.longest])
        row[AT.even] = total * total / max(segments * squares, np.float32(1.0))
        for c in (AT.headlines, AT.numbered, AT.short):
            row[c] /= segments
        row[AT.damage] /= max(row[AT.words], np.float32(1.0))
        row[AT.words] /= segments
        for c in (AT.sentences, AT.letters, AT.digits, AT.symbols, AT.full):
            row[c] /= whole
        for c in (AT.story, AT.story_before, AT.story_after, AT.lead):
            row[c] = np.log1p(row[c])


@dataclass(frozen=True)
class VerdictModel:
    """The weights that give each segment its sounds, and the trees that judge documents by them.

    ``table``, ``scale`` and ``bias`` are the weights (:func:`toolkit.verdict.reading.sounds`). ``trees`` give a sum for
    each of :data:`LEARNED`; ``calibration`` (float64) is a factor for all sums, then a constant for each.
    """

    table: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]
    trees: tuple[Trees, ...]
    calibration: NDArray[np.float64]
    card: dict[str, Any] = field(default_factory=dict)

    def rows(self, buffer: Buffer, titles: Buffer) -> NDArray[np.float32]:
        """Return the evidence of each document; titles may be empty."""
        words, segments = (self.table, self.scale, self.bias), cut(buffer)
        heard, shapes = sounds(buffer, segments, words)
        named, _ = sounds(titles, Segments.whole(titles), words)
        named[np.diff(titles.offsets) == 0] = 0
        out = np.zeros((len(buffer), len(COLUMNS)), np.float32)
        out[:, AT.title_story : AT.size] = named
        out[:, AT.damage] = damage(buffer)
        out[:, AT.echoes :] = echoes(buffer, titles)
        weigh(segments.bounds, heard, shapes, out)
        return out

    def sums(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Log-odds of each of :data:`LEARNED`, up to a constant a row; shape (n_documents, 6)."""
        sums = np.column_stack([trees.predict(rows) for trees in self.trees]).astype(np.float64)
        return np.asarray(sums * self.calibration[0] + self.calibration[1:])

    @classmethod
    def load(cls, stem: str | Path = SHIPPED) -> VerdictModel:
        """Read a model, or say in a ``ModelError`` what is wrong with its files; nothing in them is run."""
        arrays, card = read_model(stem, FORMAT, _LARGEST)
        try:
            if card["columns"] != list(COLUMNS) or card["verdicts"] != list(LEARNED):
                raise ValueError("its tables are those of another version")
            tables = {name: sound_array(arrays, name, *wanted) for name, wanted in TABLES.items()}
            trees = tuple(Trees.read(arrays, name, len(COLUMNS)) for name in LEARNED)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            msg = f"{stem}: not a verdict model ({error}); take the one that was shipped"
            raise ModelError(msg) from error
        return cls(**tables, trees=trees, card=card)


shipped_model = cache(VerdictModel.load)
"""Read the model that ships with the package, once a process."""
