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
from toolkit.topics.features import FeatureSpace, decide

FORMAT = "news-toolkit topics 1"
SHIPPED = Path(__file__).parent.parent / "models" / "topics.npz"
"""The model that ships with the package; its card stands beside it."""

_LARGEST_CARD = 16 * 2**20
_SLACK = 1 << 16
"""Bytes of headers and packing beside the numbers in a file of arrays."""

_ARRAYS = ("weights", "scale", "bias", "idf", "also", "thresholds")


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
    weights : int8 or float32 array, shape (space.size, n)
    scale, bias : float32 arrays, length n
        ``score = (features @ weights) * scale + bias``; calibrated log-odds.
    idf : float32 array, length space.size
    also : float32 array, shape (n, 2)
        Slope and intercept per topic of the chance to be listed beside another leading topic; used by
        ``"leading"``.
    thresholds : float32 array, length n
        From this probability on a topic is listed.
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
    card: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.classes)
        shapes = {
            "weights": (self.space.size, n), "scale": (n,), "bias": (n,), "idf": (self.space.size,),
            "also": (n, 2), "thresholds": (n,),
        }  # fmt: skip
        for name, shape in shapes.items():
            found = getattr(self, name)
            if found.shape != shape or found.dtype not in (np.dtype(np.int8), np.dtype(np.float32)):
                msg = f"{name}: {found.dtype} {found.shape} instead of {shape}; save the model anew"
                raise ModelError(msg)
            if not np.isfinite(found).all():
                msg = f"{name}: holds infinities or no numbers; save the model anew"
                raise ModelError(msg)
        if self.kind not in ("single", "leading", "multi"):
            msg = f"kind {self.kind!r}: must be single, leading or multi; save the model anew"
            raise ModelError(msg)

    def scores(self, texts: pd.Series[Any], titles: pd.Series[Any] | None) -> NDArray[np.float32]:
        """Return the log-odds of each topic, float32, shape (documents, topics)."""
        scores = decide(texts, titles, self.space, self.idf, *self._padded)
        return scores[:, : len(self.classes)]

    @cached_property
    def _padded(self) -> tuple[NDArray[Any], NDArray[np.float32], NDArray[np.float32]]:
        """Weights, scale and bias with columns of nought: whole vectors of the processor sum faster."""
        n, lanes = len(self.classes), 32 // self.weights.dtype.itemsize
        gap = -n % lanes
        wide = np.pad(self.weights, ((0, 0), (0, gap)))
        return wide, np.pad(self.scale, (0, gap)), np.pad(self.bias, (0, gap))

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
            return np.asarray(expit(wide))
        share = np.asarray(softmax(wide, axis=1)) if len(wide) else wide
        if self.kind == "single" or not len(wide):
            return share
        return listed(share, self.also.astype(np.float64))

    def save(self, path: str | Path) -> None:
        """Write the arrays as ``path`` (``.npz``), the card beside it (``.json``); same model, same bytes."""
        path = _npz(path)
        with path.open("wb") as file:
            np.savez_compressed(file, **{name: getattr(self, name) for name in _ARRAYS})
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
            msg = f"{path}: cannot be read ({_told(error)}); a model is two files, .npz and .json of one name"
            raise ModelError(msg) from error
        if not isinstance(described, dict) or described.get("format") != FORMAT:
            place = path.with_suffix(".json")
            msg = f"{place}: not a topic model of format {FORMAT!r}; save it with this version"
            raise ModelError(msg)
        try:
            space = FeatureSpace(**described["features"])
            classes = tuple(described["classes"])
            largest = space.size * 4 * (len(classes) + 1) + 20 * len(classes) + _SLACK
        except (KeyError, TypeError, ValueError) as error:
            msg = f"{path}: not a whole topic model ({_told(error)}); take both files from the same save"
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
            _check_classes(classes)
            return cls(classes, space, described["kind"], **arrays, card=dict(described["card"]))
        except (KeyError, TypeError, ValueError) as error:
            msg = f"{path}: not a whole topic model ({_told(error)}); take both files from the same save"
            raise ModelError(msg) from error


def _check_classes(classes: tuple[Any, ...]) -> None:
    texts = all(isinstance(value, str) for value in classes)
    numbers = all(isinstance(value, int | float) for value in classes)
    if not classes or not (texts or numbers) or list(classes) != sorted(set(classes)):
        msg = "topics are strings or numbers, each once, ascending"
        raise ModelError(msg)


def _told(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


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
    figures = np.minimum(expit(odds * also[:, 0] + also[:, 1]), np.nextafter(top, 0)[:, None])
    figures[rows, lead] = top
    return np.asarray(figures)


@cache
def shipped_model() -> TopicModel:
    """Return the model that ships with the package, read once."""
    return TopicModel.load(SHIPPED)


def _npz(path: str | Path) -> Path:
    path = Path(path)
    return path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
