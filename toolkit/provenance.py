"""Provenance: what a result was made of and where: input digests, versions, models, the machine."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from toolkit import __version__
from toolkit.loading.sources import find_sources

_LIBRARIES = ("numpy", "pandas", "pyarrow", "scikit-learn", "numba", "trafilatura")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digests(inputs: Sequence[str | Path]) -> list[dict[str, Any]]:
    """Return what the inputs are, file by file in the order of loading.

    Parameters
    ----------
    inputs : sequence of path
        As :func:`toolkit.load` takes them.

    Returns
    -------
    list of dict
        ``name`` (as in the ``source`` column, without the machine's folders), ``bytes`` and ``sha256``;
        the last two are None where the file cannot be opened, which the quarantine then tells.

    Raises
    ------
    FileNotFoundError
        An input does not exist.
    """
    return [_described(source.label, source.path) for source in find_sources(list(inputs))]


def _described(name: str, path: Path | None) -> dict[str, Any]:
    try:
        if path is not None and path.is_file():
            return {"name": name, "bytes": path.stat().st_size, "sha256": sha256(path)}
    except OSError:
        pass
    return {"name": name, "bytes": None, "sha256": None}


def _as_seen(place: str | Path, folder: Path) -> str:
    try:
        return str(place) if place == "-" else Path(os.path.relpath(place, folder)).as_posix()
    except ValueError:  # another drive of Windows
        return str(Path(place).absolute())


def versions() -> dict[str, str]:
    """Return the versions of the package, of Python and of the libraries that results depend on."""
    found = {name: metadata.version(name) for name in _LIBRARIES}
    return {"news-toolkit": __version__, "python": platform.python_version(), **found}


def models() -> dict[str, str]:
    """Return the SHA-256 of every shipped model file, by name."""
    folder = Path(__file__).parent / "models"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files}


def environment(started: datetime, inputs: Sequence[str | Path], folder: Path) -> dict[str, Any]:
    """Return what differs from run to run: the command, places of the inputs, the times, the machine.

    The places are as seen from ``folder``, so that results and inputs can be moved together and name no home.
    """
    return {
        "inputs": [_as_seen(place, folder) for place in inputs],
        "command": shlex.join(sys.argv),
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "platform": platform.platform(),
    }
