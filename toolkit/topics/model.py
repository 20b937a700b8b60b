"""The trained model: arrays and a card, read and written without running any code."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit, softmax

from toolkit.errors import ModelError
from toolkit.modelfile import read_arrays
from toolkit.topics.features import NO_WORDS, FeatureSpace, Lexicon, decide

FORMAT = "news-toolkit topics 2"
SHIPPED = Path(__file__).parent.parent / "models" / "topics.npz"
"""The model that ships with the package; its card stands beside it."""

LANGUAGES = SHIPPED.with_name("topics_languages.npz")
"""The model of languages other than English that ships with the package."""

_BELOW = 0.8
_LARGEST_CARD = 16 * 2**20
_SLACK = 1 << 16
"""Bytes of headers and packing beside the numbers in a file of arrays."""

_ARRAYS = ("weights", "scale", "bias", "idf", "also", "thresholds", "curve")
_LEXICON = ("keys", "alike")


@dataclass(frozen=True, eq=False)
class TopicModel:
    """A linear model over hashed words with its calibration.

    Parameters
    ----------
    classes : tuple
        The topics, n of them, str or int, ascending.
    space : FeatureSpace
    kind : {"single", "leading", "multi"}
        How scores become probabilities, see :meth:`probabilities`.
    weights : int8 or float32 array, shape (rows, n)
        A row for each key of the lexicon, else for each of ``space.size`` buckets.
    scale, bias : float32 arrays, length n
        ``score = (features @ weights) * scale * slope + bias``; calibrated log-odds; for the slope see ``curve``.
    idf : float32 array, length rows
    also : float32 array, shape (n, 2)
        Slope and intercept per topic of the chance to be listed beside another leading topic; used by
        ``"leading"``.
    thresholds : float32 array, length n
        From this probability on a topic is listed.
    curve : float32 array, length 2, default zeros
        Short texts tell less: scores before the bias are multiplied by ``exp(curve[0] + curve[1] * ln(1 + m))``,
        m being the number of different known words.
    lexicon : Lexicon, default none
        The words of a model that lists them; without, words and word pairs are hashed.
    card : dict
        What the model is, what it was trained on, its figures and limits; JSON.
    """

    classes: tuple[Any, ...]
    space: FeatureSpace
    kind: str
    weights: NDArray[Any]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]
    idf: NDArray[np.float32]
    also: NDArray[np.float32]
    thresholds: NDArray[np.float32]
    curve: NDArray[np.float32] = field(default_factory=lambda: np.zeros(2, np.float32))
    lexicon: Lexicon = NO_WORDS
    card: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n, rows = len(self.classes), len(self.lexicon.keys) or self.space.size
        shapes = {
            "weights": (rows, n), "scale": (n,), "bias": (n,), "idf": (rows,), "also": (n, 2), "thresholds": (n,),
            "curve": (2,),
        }  # fmt: skip
        for name, shape in shapes.items():
            found = getattr(self, name)
            if found.shape != shape or found.dtype not in (np.dtype(np.int8), np.dtype(np.float32)):
                msg = f"{name}: {found.dtype} {found.shape} instead of {shape}; save the model anew"
                raise ModelError(msg)
            if not np.isfinite(found).all():
                msg = f"{name}: holds infinities or no numbers; save the model anew"
                raise ModelError(msg)
        if (wrong := self.lexicon.fault()) is not None:
            msg = f"lexicon: {wrong}; save the model anew"
            raise ModelError(msg)
        if self.kind not in ("single", "leading", "multi"):
            msg = f"kind {self.kind!r}: must be single, leading or multi; save the model anew"
            raise ModelError(msg)

    def scores(self, texts: pd.Series[Any], titles: pd.Series[Any] | None) -> NDArray[np.float32]:
        """Return the log-odds of each topic, float32, shape (documents, topics)."""
        return self.read(texts, titles)[0]

    def read(
        self, texts: pd.Series[Any], titles: pd.Series[Any] | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return the log-odds of each topic, and how many different known words each document has."""
        scores, known = decide(texts, titles, self.space, self.idf, *self._padded, self.lexicon)
        slope = self.slope(known).astype(np.float32)
        return scores[:, : len(self.classes)] * slope[:, None] + self.bias, known

    def slope(self, known: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what the scores of documents with so many known words are multiplied by."""
        first, second = self.curve.astype(np.float64)
        # exp and log differ in the last digit between processors; results must not
        return np.asarray(np.round(np.exp(first + second * np.log1p(known)), 6))

    @cached_property
    def _padded(self) -> tuple[NDArray[Any], NDArray[np.float32]]:
        """Weights and scale with columns of nought: whole vectors of the processor sum faster."""
        n, lanes = len(self.classes), 32 // self.weights.dtype.itemsize
        gap = -n % lanes
        return np.pad(self.weights, ((0, 0), (0, gap))), np.pad(self.scale, (0, gap))

    def probabilities(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Turn scores into probabilities, shape (documents, topics).

        ``"single"``: each document has one topic; the probabilities of a row sum to one.
        ``"multi"``: each topic has a probability of its own.
        ``"leading"``: a document has one leading topic and may have others. The figure of the likeliest
        leading topic is the chance that it is the leading one; every other figure is the chance that the
        topic is listed at all, and never above the first.
        """
        wide = scores.astype(np.float64)
        if self.kind == "multi":
            return steady(expit(wide))
        share = np.asarray(softmax(wide, axis=1)) if len(wide) else wide
        if self.kind == "single" or not len(wide):
            return steady(share)
        return steady(listed(share, self.also.astype(np.float64)))

    def save(self, path: str | Path) -> None:
        """Write the arrays as ``path`` (``.npz``), the card beside it (``.json``); same model, same bytes."""
        path = _npz(path)
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        arrays |= {name: getattr(self.lexicon, name) for name in _LEXICON}
        with path.open("wb") as file:
            np.savez_compressed(file, **arrays)
        described = {
            "format": FORMAT,
            "arrays": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "classes": list(self.classes),
            "kind": self.kind,
            "features": self.space.card(),
        }
        text = json.dumps(described | {"card": self.card}, ensure_ascii=False, indent=1)
        path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> TopicModel:
        """Read what :meth:`save` wrote; nothing in the files is run.

        Raises
        ------
        ModelError
            A file is missing, is not a topic model, is larger than one has to be, or was changed since it was
            saved.
        """
        path = _npz(path)
        try:
            sizes = [path.with_suffix(".json").stat().st_size, path.stat().st_size]
            described = (
                json.loads(path.with_suffix(".json").read_bytes()) if sizes[0] <= _LARGEST_CARD else None
            )
        except (OSError, ValueError, RecursionError) as error:
            msg = f"{path}: cannot be read ({_one_line(error)}); a model is two files, .npz and .json of one name"
            raise ModelError(msg) from error
        if not isinstance(described, dict) or described.get("format") != FORMAT:
            place = path.with_suffix(".json")
            msg = f"{place}: not a topic model of format {FORMAT!r}; save it with this version"
            raise ModelError(msg)
        try:
            space = FeatureSpace(**described["features"])
            classes = tuple(described["classes"])
            largest = space.size * 4 * (len(classes) + 2) + 20 * len(classes) + _SLACK
        except (KeyError, TypeError, ValueError) as error:
            msg = f"{path}: not a whole topic model ({_one_line(error)}); take both files from the same save"
            raise ModelError(msg) from error
        if sizes[1] > largest:
            msg = (
                f"{path}: {sizes[1]} bytes is more than its card tells of; take both files from the same save"
            )
            raise ModelError(msg)
        raw = path.read_bytes()
        if hashlib.sha256(raw).hexdigest() != described.get("sha256"):
            msg = f"{path}: its SHA-256 is not the one in its card; take both files from the same save"
            raise ModelError(msg)
        try:
            found = read_arrays(raw, largest)
            arrays = {name: found[name] for name in _ARRAYS}
            lexicon = Lexicon(*(found[name] for name in _LEXICON))
            _check_classes(classes)
            card = dict(described["card"])
            return cls(classes, space, described["kind"], **arrays, lexicon=lexicon, card=card)
        except (KeyError, TypeError, ValueError) as error:
            msg = f"{path}: not a whole topic model ({_one_line(error)}); take both files from the same save"
            raise ModelError(msg) from error


def _check_classes(classes: tuple[Any, ...]) -> None:
    texts = all(isinstance(value, str) for value in classes)
    numbers = all(isinstance(value, int | float) for value in classes)
    if not classes or not (texts or numbers) or list(classes) != sorted(set(classes)):
        msg = "topics are strings or numbers, each once, ascending"
        raise ModelError(msg)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def steady(values: Any) -> NDArray[np.float64]:
    """Return values to the precision of float32: exp and log differ in the last digits between processors."""
    return np.asarray(values, np.float32).astype(np.float64)


def listed(share: NDArray[np.float64], also: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the figures of kind ``"leading"`` from each topic's chance to lead.

    Parameters
    ----------
    share : float array, shape (documents, topics)
        Chances to be the leading topic; rows sum to one.
    also : float array, shape (topics, 2)
        Slope and intercept of the log-odds of being listed at all, given the log-odds of leading.
    """
    lead = share.argmax(axis=1)
    rows = np.arange(len(share))
    top = share[rows, lead]
    odds = logit(np.clip(share, 1e-9, 1 - 1e-9))
    figures = np.asarray(expit(odds * also[:, 0] + also[:, 1]))
    figures[rows, lead] = 0.0
    # where others would come out above the first, all are lowered alike: cut off, they would lose their order
    figures *= np.minimum(1.0, _BELOW * top / np.maximum(figures.max(axis=1), 1e-12))[:, None]
    figures[rows, lead] = top
    return np.asarray(figures)


@cache
def shipped_model(path: Path = SHIPPED) -> TopicModel:
    """Return a model that ships with the package, read once."""
    return TopicModel.load(path)


def _npz(path: str | Path) -> Path:
    path = Path(path)
    return path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
