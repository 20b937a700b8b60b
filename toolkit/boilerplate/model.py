"""What boilerplate sounds like: the shipped segment model, as plain arrays and a JSON card."""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.breaks import BreakWeights
from toolkit.boilerplate.evidence import ALONE, CLASSES, COLUMNS, evident
from toolkit.boilerplate.features import BUCKETS
from toolkit.boilerplate.network import INPUTS, Network
from toolkit.boilerplate.proposals import PROPOSALS
from toolkit.boilerplate.reading import GROUP_OF, GROUPS, LAYOUTS
from toolkit.boilerplate.scoring import KINDS, WordWeights
from toolkit.errors import ModelError
from toolkit.kernels import njit
from toolkit.modelfile import pack, read_model, sound_array, write_model
from toolkit.trees import Trees

FORMAT = "news-toolkit segment model 15"
SHIPPED = Path(__file__).parent.parent / "models" / "boilerplate"
"""Stem of the shipped model: ``.npz`` holds arrays, ``.json`` the card."""

NAMED = {"kinds": KINDS, "columns": COLUMNS, "inputs": INPUTS, "proposals": PROPOSALS}
"""Names of kinds and of columns of evidence, as the card keeps them."""

LARGEST = 8 * 2**20
"""Most bytes of the arrays, packed or unpacked."""

HOPELESS = -2.5
"""A segment whose sum over the first trees is below this counts as article text; the other trees are not asked."""

SURE = 4.0
"""Sum that stands for a probability of about .98: the lower bound of the interval where 106 of 106 were right."""


@njit(cache=True, nogil=True)
def _likeliest(rows, weights, out):  # type: ignore[no-untyped-def]
    """Enter the column of each row's largest sum.

    A product by a library would add up in another order on each machine, and its threads, once woken, wait busily.
    """
    sums = np.empty(weights.shape[1])
    for i in range(len(rows)):
        sums[:] = weights[-1]
        for j in range(len(weights) - 1):
            for k in range(len(sums)):
                sums[k] += np.float64(rows[i, j]) * weights[j, k]
        out[i] = sums.argmax()


@dataclass(frozen=True)
class Scale:
    """From the sum of trees to a calibrated probability, layout by layout: Platt's scaling (1999), in float64.

    ``thresholds`` are probabilities from which a segment is removed: ``best`` has the highest F1 in cross-validation, a
    number such as ``"0.0015"`` loses at most that share of article characters.
    """

    slope: NDArray[np.float64]
    offset: NDArray[np.float64]
    thresholds: dict[str, NDArray[np.float64]]

    def probability(self, sums: NDArray[np.float32], layout: NDArray[np.int8]) -> NDArray[np.float32]:
        """Probability that belongs to each sum of a text in a layout; float32."""
        z = self.slope[layout] * sums.astype(np.float64) + self.offset[layout]
        return (1.0 / (1.0 + np.exp(-np.clip(z, -40, 40)))).astype(np.float32)


@dataclass(frozen=True)
class Decision:
    """From evidence to a calibrated probability.

    ``trees`` are over the evidence columns, for each of :data:`toolkit.boilerplate.reading.GROUPS`; ``kinds``
    (float32, n_columns + 1 by 7) are weights of the evidence for each kind, the constant last.
    """

    trees: tuple[Trees, ...]
    scale: Scale
    kinds: NDArray[np.float32]

    def kind(self, rows: NDArray[np.float32]) -> NDArray[np.int64]:
        """Most likely kind of each row, should it be boilerplate; shape (n_rows,)."""
        out = np.empty(len(rows), np.int64)
        _likeliest(rows, self.kinds, out)
        return out

    def sums(self, rows: NDArray[np.float32], layout: NDArray[np.int8]) -> NDArray[np.float32]:
        """Sum of the trees for each row, at least :data:`SURE` where repetition leaves no doubt; shape (n_rows,)."""
        out = np.empty(len(rows), np.float32)
        group = GROUP_OF[layout]
        for number, trees in enumerate(self.trees):
            mine = group == number
            if mine.any():
                out[mine] = trees.predict(rows[mine], HOPELESS)
        return np.maximum(out, np.where(evident(rows), SURE, -np.inf).astype(np.float32))


@dataclass(frozen=True)
class Appeals:
    """The second decision: which blocks are appeals (:mod:`toolkit.boilerplate.proposals`).

    The thresholds of its ``scale`` are bounded by articles that speak like appeals and are none.
    """

    proposals: Trees
    scale: Scale


@dataclass(frozen=True)
class SegmentModel:
    """The stages of the model.

    ``words`` weigh hashed n-grams for article text and the seven kinds; ``breaks`` say where lost line breaks were;
    ``fitted`` and ``alone`` decide with a template index over the corpus and without; ``network`` reads a text as a
    whole; ``appeals`` weighs blocks. ``card``: data, licences, figures, limits.
    """

    words: WordWeights
    breaks: BreakWeights
    fitted: Decision
    alone: Decision
    network: Network
    appeals: Appeals
    card: dict[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of the arrays file, in hexadecimal."""
        return hashlib.sha256(pack(self._arrays())).hexdigest()

    @property
    def languages(self) -> frozenset[str]:
        """Languages that it has learned article text and boilerplate of."""
        return frozenset(self.card.get("languages", ()))

    def _arrays(self) -> dict[str, NDArray[Any]]:
        words = self.words
        arrays: dict[str, Any] = {"words": words.table, "words_scale": words.scale, "words_bias": words.bias}
        arrays |= self.breaks.arrays()
        for name, decision in (("fitted", self.fitted), ("alone", self.alone)):
            arrays[f"{name}_kinds"] = decision.kinds
            for group, trees in zip(GROUPS, decision.trees, strict=True):
                arrays |= trees.arrays(f"{name}.{group}")
        for name, scale in self._scales().items():
            arrays[f"{name}_scale"] = np.stack([scale.slope, scale.offset])
        return arrays | self.appeals.proposals.arrays("appeals") | self.network.arrays()

    def _scales(self) -> dict[str, Scale]:
        return {"fitted": self.fitted.scale, "alone": self.alone.scale, "appeals": self.appeals.scale}

    def save(self, stem: str | Path) -> None:
        """Write ``stem.npz`` and ``stem.json``; the same model gives the same bytes."""
        card: dict[str, Any] = {name: list(values) for name, values in NAMED.items()}
        card["thresholds"] = {
            name: {loss: dict(zip(LAYOUTS, t.tolist(), strict=True)) for loss, t in scale.thresholds.items()}
            for name, scale in self._scales().items()
        }
        write_model(stem, self._arrays(), self.card | card | {"format": FORMAT})

    @classmethod
    def load(cls, stem: str | Path = SHIPPED) -> SegmentModel:
        """Read a model; nothing in the files is executed.

        ModelError: a file is missing, lacks a part, was changed, is of another version, or is too large.
        """
        arrays, card = read_model(stem, FORMAT, LARGEST)
        if any(card.get(name) != list(values) for name, values in NAMED.items()):
            raise ModelError(f"{stem}: evidence columns differ from this version's; train the model again")
        try:
            return cls(
                _words(arrays),
                BreakWeights.read(arrays),
                _decision(arrays, card, "fitted", len(COLUMNS)),
                _decision(arrays, card, "alone", ALONE),
                Network.read(arrays),
                Appeals(Trees.read(arrays, "appeals", len(PROPOSALS)), _scale(arrays, card, "appeals")),
                card,
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            said = " ".join(f"{type(error).__name__}: {error}".split())[:120]
            msg = f"{stem}: not a segment model ({said}); take the one that was shipped"
            raise ModelError(msg) from error


def _words(arrays: dict[str, NDArray[Any]]) -> WordWeights:
    table = sound_array(arrays, "words", np.uint8, (BUCKETS, 2 * CLASSES))
    scale, bias = (
        sound_array(arrays, name, np.float32, (2 * CLASSES,)) for name in ("words_scale", "words_bias")
    )
    return WordWeights(np.ascontiguousarray(table), scale, bias)


def _scale(arrays: dict[str, NDArray[Any]], card: dict[str, Any], name: str) -> Scale:
    scale = sound_array(arrays, f"{name}_scale", np.float64, (2, len(LAYOUTS)))
    thresholds = {
        str(loss): np.array([float(values[layout]) for layout in LAYOUTS])
        for loss, values in card["thresholds"][name].items()
    }
    losses = [float(loss) for loss in thresholds if loss != "best"]
    sound = all(((values > 0) & (values < 1)).all() for values in thresholds.values())
    if not losses or len(losses) == len(thresholds) or not all(0 <= x <= 1 for x in losses) or not sound:
        msg = f"{name}: thresholds are {str(card['thresholds'][name])[:80]}; train the model again"
        raise ValueError(msg)
    return Scale(scale[0], scale[1], thresholds)


def _decision(arrays: dict[str, NDArray[Any]], card: dict[str, Any], name: str, columns: int) -> Decision:
    possible = [(rows, len(KINDS)) for rows in range(1, columns + 2)]
    kinds = sound_array(arrays, f"{name}_kinds", np.float32, *possible)
    trees = tuple(Trees.read(arrays, f"{name}.{group}", columns) for group in GROUPS)
    return Decision(trees, _scale(arrays, card, name), kinds)


@lru_cache(maxsize=1)
def shipped_model() -> SegmentModel:
    """Load the shipped segment model once a process."""
    return SegmentModel.load()
