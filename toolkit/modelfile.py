"""Models: their parameters, as scikit-learn takes them, and their files, which run nothing when they are read.

A model is plain arrays (``.npz``) and a card (``.json``) of one name. The card says what the arrays are and holds their
SHA-256, so that the two cannot come from different saves.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from inspect import signature
from math import prod
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import ModelError

# numpy reads this header by compiling it; numbers in rows and columns need no more than a pattern
_HEADER = re.compile(
    rb"\{'descr': '([<|][biuf][1248])', 'fortran_order': (False|True), "
    rb"'shape': \(((?:\d{1,18}, )*(?:\d{1,18},?)?)\), \} *\n"
)
_LONGEST_HEADER = 1 << 12
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError)
_MAGIC = b"\x93NUMPY\x01\x00"
_LARGEST_CARD = 4 << 20


class Estimator:
    """Parameters by name, as scikit-learn's ``clone``, ``Pipeline`` and searches use them: those of ``__init__``.

    Scikit-learn, which takes a second to import, is asked only for the tags of its mixin ``_mixin``.
    """

    _mixin = "TransformerMixin"

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters."""
        return {name: getattr(self, name) for name in signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Self:
        """Change parameters."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                msg = f"{name}: no parameter of {type(self).__name__}; there are {', '.join(known)}"
                raise ValueError(msg)
            setattr(self, name, value)
        return self

    def set_output(self, *, transform: str | None = None) -> Self:
        """Do nothing: what comes out is a pandas object already."""
        return self

    def __repr__(self) -> str:
        given = signature(type(self)).parameters
        changed = [f"{n}={v!r}" for n, v in self.get_params().items() if v is not given[n].default]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_tags__(self) -> Any:
        from sklearn import base

        return type("Tagged", (getattr(base, self._mixin), base.BaseEstimator), {})().__sklearn_tags__()


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return an ``.npz`` of arrays of plain numbers; the same arrays give the same bytes, in whatever order."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(arrays):
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            raw = io.BytesIO()
            np.lib.format.write_array(raw, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            archive.writestr(entry, raw.getvalue())
    return out.getvalue()


def write_model(stem: str | Path, arrays: Mapping[str, NDArray[Any]], card: Mapping[str, Any]) -> None:
    """Write arrays of plain numbers as ``stem.npz`` and their card as ``stem.json``; the same model, the same bytes.

    ``card["format"]`` names what the arrays are; ``sha256``, of the arrays file, is added.
    """
    raw = pack(arrays)
    closed = {**card, "sha256": hashlib.sha256(raw).hexdigest()}
    text = json.dumps(closed, indent=1, ensure_ascii=False, sort_keys=True)
    _beside(stem, ".npz").write_bytes(raw)
    _beside(stem, ".json").write_text(text + "\n", "utf-8")


def read_model(
    stem: str | Path, format: str, largest: int | Callable[[dict[str, Any]], int]
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays and the card that :func:`write_model` wrote, or raise ModelError.

    The card must name ``format``. ``largest``, or what it returns for the card, bounds the bytes of the arrays.
    """
    place, beside = _beside(stem, ".npz"), _beside(stem, ".json")
    try:
        card = json.loads(_content(beside, _LARGEST_CARD))
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        msg = f"{beside}: cannot be read ({reason}); a model is two files, .npz and .json of one name"
        raise ModelError(msg) from error
    if not isinstance(card, dict) or card.get("format") != format:
        found = str(card.get("format"))[:40] if isinstance(card, dict) else "missing"
        msg = f"{beside}: its format is {found!r}, not {format!r}; save or train the model with this version"
        raise ModelError(msg)
    try:
        most = largest(card) if callable(largest) else largest
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{beside}: not a whole card ({str(error)[:80]}); take both files of one save"
        raise ModelError(msg) from error
    try:
        raw = _content(place, most)
        if hashlib.sha256(raw).hexdigest() != card.get("sha256"):
            raise ModelError("its SHA-256 is not the one in its card")
        return read_arrays(raw, most), card
    except (OSError, ModelError) as error:
        raise ModelError(f"{place}: {error}; take both files of one save") from error


def _beside(stem: str | Path, suffix: str) -> Path:
    stem = Path(stem)
    return stem.with_name((stem.stem if stem.suffix in {".npz", ".json"} else stem.name) + suffix)


def _content(path: Path, most: int) -> bytes:
    """Return the bytes of a plain file, which a device or a pipe is not, if they are no more than ``most``."""
    if not path.is_file():
        raise OSError("no such file")
    with path.open("rb") as file:
        raw = file.read(most + 1)
    if len(raw) > most:
        raise ModelError(f"holds more than {most} bytes")
    return raw


def read_arrays(raw: bytes, largest: int) -> dict[str, NDArray[Any]]:
    """Return the arrays that ``np.savez`` wrote; nothing is unpacked beyond ``largest`` bytes in all.

    ModelError: damage, or anything but plain numbers in version 1.0 of the format of ``numpy.lib.format``.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            names = [member.filename.removesuffix(".npy") for member in members]
            if size > largest:
                raise ValueError(f"unpacks to {size} bytes, more than {largest}")
            if len(set(names)) < len(names):
                raise ValueError("holds two arrays of one name")
            return {name: _array(name, archive.read(each)) for name, each in zip(names, members, strict=True)}
    except _DAMAGE as error:
        raise ModelError(f"damaged archive of arrays: {str(error)[:120]}") from error


def sound_array(
    arrays: Mapping[str, NDArray[Any]], name: str, kind: Any, *shapes: tuple[int, ...]
) -> NDArray[Any]:
    """Return an array of a model; ValueError unless it is finite, of that type and of one of these shapes."""
    found = arrays[name]
    if found.dtype != kind or found.shape not in shapes or not np.isfinite(found).all():
        raise ValueError(f"{name} is {found.dtype}{found.shape}, or holds what is no number")
    return found


def _array(name: str, member: bytes) -> NDArray[Any]:
    length = int.from_bytes(member[len(_MAGIC) : len(_MAGIC) + 2], "little")
    body = len(_MAGIC) + 2 + length
    found = _HEADER.match(member[:body], len(_MAGIC) + 2)
    if not member.startswith(_MAGIC) or length > _LONGEST_HEADER or found is None or found.end() != body:
        raise ValueError(f"{name[:40]!r} is no array of plain numbers")
    kind = np.dtype(found.group(1).decode("ascii"))
    shape = tuple(int(number) for number in found.group(3).replace(b",", b" ").split())
    if prod(shape) * kind.itemsize != len(member) - body:
        raise ValueError(f"{name[:40]!r}: {len(member) - body} bytes do not fill {kind} {shape}")
    order = "F" if found.group(2) == b"True" else "C"
    # copied, for numba compiles a kernel anew for arrays that cannot be written
    return np.frombuffer(member, kind, offset=body).reshape(shape, order=order).copy("K")  # type: ignore[call-overload]
