"""The verdict model: plain arrays and a card, from evidence to the probability of each verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.buffer import Buffer
from toolkit.errors import ModelError
from toolkit.models import read_model, write_model
from toolkit.segments import Segments, cut
from toolkit.trees import Trees
from toolkit.verdict.evidence import AT, COLUMNS, weigh
from toolkit.verdict.reading import BITS, SOUNDS, damage, echoes, sounds

FORMAT = "news-toolkit verdict model 1"
SHIPPED = Path(__file__).parent.parent / "models" / "verdict"
LEARNED = ("article", "stub", "wall", "error", "index", "garbled")
"""Verdicts that are learned; ``twice`` is counted, ``empty`` is seen."""

_LARGEST = 4 << 20
_TABLES = {
    "table": ("int8", (1 << BITS, len(SOUNDS))), "scale": ("float32", (len(SOUNDS),)),
    "bias": ("float32", (len(SOUNDS),)), "calibration": ("float64", (len(LEARNED) + 1,)),
}  # fmt: skip


@dataclass(frozen=True)
class VerdictModel:
    """How segments sound, and what documents of such segments are.

    ``table`` (int8, shape (2**BITS, 6)), ``scale`` and ``bias`` (float32) tell how segments sound
    (:func:`toolkit.verdict.reading.sounds`); ``trees`` give one sum a verdict of :data:`LEARNED`; ``calibration``
    (float64) is a factor of all sums, then what is added to each; the softmax of that is the probability.
    """

    table: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]
    trees: tuple[Trees, ...]
    calibration: NDArray[np.float64]
    card: dict[str, Any] = field(default_factory=dict)

    def rows(self, buffer: Buffer, titles: Buffer) -> NDArray[np.float32]:
        """Return the evidence of each document; titles may be empty."""
        segments = cut(buffer)
        heard, shapes = sounds(buffer, segments, self.table, self.scale, self.bias)
        starts, ends = titles.offsets[:-1].copy(), titles.offsets[1:].copy()
        whole = Segments(starts, ends, np.zeros(len(titles), np.uint8), np.arange(len(titles) + 1))
        named, _ = sounds(titles, whole, self.table, self.scale, self.bias)
        named[titles.offsets[1:] == titles.offsets[:-1]] = 0
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

    def save(self, stem: str | Path) -> None:
        """Write ``stem.npz`` and ``stem.json``."""
        arrays: dict[str, Any] = {name: getattr(self, name) for name in _TABLES}
        for name, trees in zip(LEARNED, self.trees, strict=True):
            arrays |= trees.arrays(name)
        about = {
            "format": FORMAT,
            "verdicts": list(LEARNED),
            "columns": list(COLUMNS),
            "sounds": list(SOUNDS),
        }
        write_model(stem, arrays, {**self.card, **about})

    @classmethod
    def load(cls, stem: str | Path = SHIPPED) -> VerdictModel:
        """Read a model, or say in a ``ModelError`` what is wrong with its files; nothing in them is run."""
        arrays, card = read_model(stem, FORMAT, _LARGEST)
        try:
            known = card["columns"] == list(COLUMNS) and card["verdicts"] == list(LEARNED)
            for name, (kind, shape) in _TABLES.items():
                table = arrays[name]
                known &= table.dtype.name == kind and table.shape == shape and bool(np.isfinite(table).all())
            if not known:
                msg = "its tables are those of another version"
                raise ValueError(msg)
            trees = tuple(Trees.read(arrays, name, len(COLUMNS)) for name in LEARNED)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            msg = f"{stem}: not a verdict model ({error}); take the one that was shipped"
            raise ModelError(msg) from error
        return cls(**{name: arrays[name] for name in _TABLES}, trees=trees, card=card)


@cache
def shipped_model() -> VerdictModel:
    """Return the model that ships with the package, read once a process."""
    return VerdictModel.load()
