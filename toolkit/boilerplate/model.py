"""What boilerplate sounds like: the shipped segment model, as plain arrays and a JSON card."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.boilerplate.evidence import CLASSES, COLUMNS, KINDS, evident
from toolkit.boilerplate.features import BUCKETS
from toolkit.boilerplate.repetition import REPEATED
from toolkit.boilerplate.scoring import WordWeights
from toolkit.modelfile import read_arrays
from toolkit.trees import Trees

FORMAT = "news-toolkit segment model 2"
SHIPPED = Path(__file__).parent.parent / "models" / "boilerplate"
"""Stem of the shipped model: ``.npz`` holds arrays, ``.json`` the card."""

_LARGEST = 64 * 2**20
_PLAIN = {
    "feature": np.int16,
    "threshold": np.float32,
    "left": np.int32,
    "right": np.int32,
    "roots": np.int32,
}
"""Types of the trees' arrays; a kernel compiled for others would read them as something else."""

HOPELESS = -2.5
"""Sum of the first trees below which a segment is left for article text."""


SURE = 4.0
"""Sum that stands for a probability of about .98: the lower bound that 106 of 106 allow."""


@dataclass(frozen=True)
class Decision:
    """From evidence to a calibrated probability.

    Attributes
    ----------
    trees : Trees
        Boosted trees over the evidence columns.
    slope, offset : float
        Platt scaling [1]_ of the trees' sum.
    kinds : ndarray of float32, shape (n_columns + 1, 7)
        Weights of the evidence for each kind, the constant last.
    thresholds : dict of str to float
        ``best``: highest F1 in cross-validation; a number such as ``"0.0015"``: the lowest threshold that
        loses at most that share of article characters.

    References
    ----------
    .. [1] Platt: Probabilistic outputs for support vector machines (1999).
    """

    trees: Trees
    slope: float
    offset: float
    kinds: NDArray[np.float32]
    thresholds: dict[str, float]

    def kind(self, rows: NDArray[np.float32]) -> NDArray[np.int64]:
        """Most likely kind of each row, should it be boilerplate; shape (n_rows,)."""
        columns = len(self.kinds) - 1
        return np.asarray((rows[:, :columns] @ self.kinds[:-1] + self.kinds[-1]).argmax(axis=1))

    def sums(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Sum of the trees for each row, at least :data:`SURE` where repetition leaves no doubt; shape (n_rows,)."""
        return np.maximum(
            self.trees.predict(rows, HOPELESS), np.where(evident(rows), SURE, -np.inf).astype(np.float32)
        )

    def probability(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability of boilerplate of each row; shape (n_rows,), float32."""
        z = self.sums(rows).astype(np.float64)
        return (1.0 / (1.0 + np.exp(-np.clip(self.slope * z + self.offset, -40, 40)))).astype(np.float32)


@dataclass(frozen=True)
class SegmentModel:
    """The two stages of the model.

    Attributes
    ----------
    words : WordWeights
        Of hashed n-grams for article text and the seven kinds, learned from gold and from pages' markup.
    fitted, alone : Decision
        With a template index over the corpus, and without.
    card : dict
        Data, licences, figures, limits; see ``toolkit/models/boilerplate.json``.
    """

    words: WordWeights
    fitted: Decision
    alone: Decision
    card: dict[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of the arrays file, in hexadecimal."""
        return hashlib.sha256(self._arrays()).hexdigest()

    def _arrays(self) -> bytes:
        arrays: dict[str, Any] = {
            "words": self.words.table,
            "words_scale": self.words.scale,
            "words_bias": self.words.bias,
        }
        for name, decision in (("fitted", self.fitted), ("alone", self.alone)):
            for part in fields(Trees):
                arrays[f"{name}_{part.name}"] = np.asarray(getattr(decision.trees, part.name))
            arrays[f"{name}_kinds"] = decision.kinds
            arrays[f"{name}_scaling"] = np.array([decision.slope, decision.offset])
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name in sorted(arrays):
                entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                raw = io.BytesIO()
                np.lib.format.write_array(raw, np.ascontiguousarray(arrays[name]), allow_pickle=False)
                archive.writestr(entry, raw.getvalue())
        return out.getvalue()

    def save(self, stem: str | Path) -> None:
        """Write ``stem.npz`` and ``stem.json``; the same model gives the same bytes."""
        raw = self._arrays()
        about = {
            "format": FORMAT,
            "kinds": list(KINDS),
            "columns": list(COLUMNS),
            "sha256": hashlib.sha256(raw).hexdigest(),
            "thresholds": {"fitted": self.fitted.thresholds, "alone": self.alone.thresholds},
            **{
                k: v
                for k, v in self.card.items()
                if k not in ("format", "kinds", "columns", "sha256", "thresholds")
            },
        }
        Path(stem).with_suffix(".npz").write_bytes(raw)
        Path(stem).with_suffix(".json").write_text(
            json.dumps(about, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8"
        )

    @classmethod
    def load(cls, stem: str | Path = SHIPPED) -> SegmentModel:
        """Read a model; nothing in the files is executed.

        Raises
        ------
        ValueError
            A file is missing a part, was changed, is of another version, or is larger than 64 MiB, packed or
            unpacked.
        FileNotFoundError
            There is no such model.
        """
        arrays_path, card_path = Path(stem).with_suffix(".npz"), Path(stem).with_suffix(".json")
        for path in (arrays_path, card_path):
            if path.stat().st_size > _LARGEST:
                msg = f"{path}: {path.stat().st_size} bytes is more than a model has; take the one that was shipped"
                raise ValueError(msg)
        try:
            card = json.loads(card_path.read_text(encoding="utf-8"))
            told, columns, kinds, digest = (card.get(k) for k in ("format", "columns", "kinds", "sha256"))
        except (ValueError, AttributeError, RecursionError) as error:
            msg = f"{card_path}: not a segment model ({_told(error)}); take the one that was shipped"
            raise ValueError(msg) from error
        if told != FORMAT:
            msg = f"{card_path}: format is {str(told)[:40]!r}, not {FORMAT!r}; train the model again"
            raise ValueError(msg)
        if columns != list(COLUMNS) or kinds != list(KINDS):
            msg = f"{card_path}: evidence columns differ from this version's; train the model again"
            raise ValueError(msg)
        raw = arrays_path.read_bytes()
        if hashlib.sha256(raw).hexdigest() != digest:
            msg = f"{arrays_path}: digest differs from its card; the file was changed, take the shipped one"
            raise ValueError(msg)
        try:
            arrays = read_arrays(raw, _LARGEST)
            return cls(
                _words(arrays), _decision(arrays, card, "fitted"), _decision(arrays, card, "alone"), card,
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            msg = f"{stem}: not a segment model ({_told(error)}); take the one that was shipped"
            raise ValueError(msg) from error


def _words(arrays: dict[str, NDArray[Any]]) -> WordWeights:
    table, scale, bias = (arrays[name] for name in ("words", "words_scale", "words_bias"))
    sound = table.shape == (BUCKETS, 2 * CLASSES) and table.dtype == np.uint8
    for values in (scale, bias):
        sound &= (
            values.shape == (2 * CLASSES,) and values.dtype == np.float32 and bool(np.isfinite(values).all())
        )
    if not sound:
        msg = f"words are {table.dtype}{table.shape}; train the model again"
        raise ValueError(msg)
    return WordWeights(np.ascontiguousarray(table), scale, bias)


def _decision(arrays: dict[str, NDArray[Any]], card: dict[str, Any], name: str) -> Decision:
    parts: dict[str, Any] = {part.name: arrays[f"{name}_{part.name}"] for part in fields(Trees)}
    scaling, baseline = arrays[f"{name}_scaling"], parts["baseline"]
    plain = all(parts[part].dtype == kind and parts[part].ndim == 1 for part, kind in _PLAIN.items())
    if (
        not plain
        or baseline.size != 1
        or scaling.shape != (2,)
        or not np.isfinite([*scaling, *baseline.ravel()]).all()
    ):
        msg = f"{name}: the arrays are not those of trees; take the one that was shipped"
        raise ValueError(msg)
    parts["baseline"] = float(baseline.ravel()[0])
    trees = Trees(**parts)
    trees.check(len(COLUMNS) if name == "fitted" else len(COLUMNS) - len(REPEATED))
    kinds = arrays[f"{name}_kinds"]
    if (
        kinds.dtype != np.float32
        or kinds.ndim != 2
        or kinds.shape[1] != len(KINDS)
        or not 1 <= len(kinds) <= len(COLUMNS) + 1
        or not np.isfinite(kinds).all()
    ):
        msg = f"{name}: weights of kinds are {kinds.dtype}{kinds.shape}; train the model again"
        raise ValueError(msg)
    thresholds = {str(k): float(v) for k, v in card["thresholds"][name].items()}
    losses = [float(loss) for loss in thresholds if loss != "best"]
    if (
        not losses
        or len(losses) == len(thresholds)
        or not all(0 <= v <= 1 for v in (*losses, *thresholds.values()))
    ):
        msg = f"{name}: thresholds are {thresholds}; train the model again"
        raise ValueError(msg)
    slope, offset = scaling.tolist()
    return Decision(trees, slope, offset, kinds, thresholds)


def _told(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:120]


LOADED: dict[str, SegmentModel] = {}
"""The model that every remover uses, once it is loaded, as ``shipped``; evaluation puts others in its place."""


def shipped_model() -> SegmentModel:
    """Load the shipped segment model once a process."""
    if "shipped" not in LOADED:
        LOADED["shipped"] = SegmentModel.load()
    return LOADED["shipped"]
