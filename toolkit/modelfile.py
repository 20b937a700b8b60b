"""Arrays: the plain numbers in a ``.npz``, read without running, and without believing, anything in it."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import ArraysError

# numpy reads this header by compiling it; numbers in rows and columns need no more than a pattern
_HEADER = re.compile(
    rb"\{'descr': '([<|][biuf][1248])', 'fortran_order': (False|True), 'shape': \(((?:\d{1,18}(?:, )?,?)*)\), \} *\n"
)
_LONGEST_HEADER = 1 << 12
_MAGIC = b"\x93NUMPY\x01\x00"


def read_arrays(raw: bytes, largest: int) -> dict[str, NDArray[Any]]:
    """Return the arrays that ``np.savez`` wrote.

    Parameters
    ----------
    raw : bytes
        The ``.npz``.
    largest : int
        Bytes that all members together may unpack to; nothing is unpacked beyond it.

    Raises
    ------
    ArraysError
        The archive is damaged, unpacks to more, or holds anything else than plain numbers (version 1.0 of
        numpy's format [1]_): objects, structures, or a shape that its bytes do not fill.

    References
    ----------
    .. [1] numpy.lib.format, "The .npy and .npz file formats".

    Examples
    --------
    >>> out = io.BytesIO()
    >>> np.savez(out, weights=np.eye(2, dtype=np.float32))
    >>> read_arrays(out.getvalue(), largest=1000)["weights"].tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            if size > largest:
                msg = f"unpacks to {size} bytes, more than {largest}"
                raise ArraysError(msg)
            names = [member.filename.removesuffix(".npy") for member in members]
            if len(set(names)) < len(names):
                msg = "holds two arrays of one name"
                raise ArraysError(msg)
            return {
                name: _array(name, archive.read(member)) for name, member in zip(names, members, strict=True)
            }
    except ArraysError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,
    ) as error:
        msg = f"damaged archive of arrays: {str(error)[:80]}"
        raise ArraysError(msg) from error


def _array(name: str, member: bytes) -> NDArray[Any]:
    found = _HEADER.match(member, len(_MAGIC) + 2)
    length = int.from_bytes(member[len(_MAGIC) : len(_MAGIC) + 2], "little")
    body = len(_MAGIC) + 2 + length
    if not member.startswith(_MAGIC) or length > _LONGEST_HEADER or found is None or found.end() != body:
        msg = f"{name[:40]!r} is no array of plain numbers"
        raise ArraysError(msg)
    kind = np.dtype(found.group(1).decode("ascii"))
    shape = tuple(int(number) for number in found.group(3).replace(b",", b" ").split())
    if prod(shape) * kind.itemsize != len(member) - body:
        msg = f"{name[:40]!r}: {len(member) - body} bytes do not fill {kind} {shape}"
        raise ArraysError(msg)
    order = "F" if found.group(2) == b"True" else "C"
    # copied, for numba compiles a kernel anew for arrays that cannot be written
    return np.frombuffer(member, kind, offset=body).reshape(shape, order=order).copy("K")  # type: ignore[call-overload]
