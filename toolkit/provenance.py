"""Provenance: what a result was made of and where: input digests, versions, models, the machine."""

from __future__ import annotations

import glob
import hashlib
import os
import platform
import shlex
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path
from typing import Any

from toolkit import __version__
from toolkit.errors import UsageError
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
        the last two are None where the file cannot be opened; the quarantine then says so.

    Raises
    ------
    FileNotFoundError
        An input does not exist.
    """
    return [_described(source.label, source.path) for source in find_sources(list(inputs))]


def listed(inputs: Iterable[str | Path] | str | Path) -> list[str | Path]:
    """Return one input or several as a list."""
    return [inputs] if isinstance(inputs, (str, Path)) else list(inputs)


def refuse_overwriting(inputs: Sequence[str | Path | None], *outputs: str | Path | None) -> None:
    """Refuse outputs that are inputs, that would be read as inputs the next time, or that are one file.

    Parameters
    ----------
    inputs : sequence of path or None
        As :func:`toolkit.load` takes them, and other files that are read.
    *outputs : path or None
        Files and folders to be written; None is left out. Links and relative paths are followed.

    Raises
    ------
    UsageError
        Nothing has been read or written by then.

    Examples
    --------
    >>> refuse_overwriting(["news/a.jsonl"], "news/a.jsonl")
    Traceback (most recent call last):
    toolkit.errors.UsageError: news/a.jsonl: is read as input; give the output another place
    """
    taken: dict[Path, str | Path] = {}
    for output in (output for output in outputs if output is not None):
        place = _real(output)
        if place in taken:
            msg = f"{output}: is the place of two results; give each its own"
            raise UsageError(msg)
        taken[place] = output
        for item in (str(item) for item in inputs if item is not None):
            if item == "-":
                continue
            real = _real(item)
            parts = [place, *place.parents]
            if real == place or any(_same(found, place) for found in _matches(item)):
                msg = f"{output}: is read as input; give the output another place"
                raise UsageError(msg)
            if (real in parts and real.is_dir()) or any(_fits(part, item) for part in parts):
                msg = (
                    f"{output}: would be read as input the next time; give it a place that {item} leaves out"
                )
                raise UsageError(msg)


def _real(path: str | Path) -> Path:
    return Path(os.path.normcase(os.path.realpath(path)))


def _same(path: str, place: Path) -> bool:
    try:
        return Path(path).samefile(place)  # hard links too
    except OSError:
        return False


def _matches(item: str) -> list[str]:
    return glob.glob(item, recursive=True) if glob.has_magic(item) and not os.path.exists(item) else [item]  # noqa: PTH110, PTH207


def _fits(place: Path, pattern: str) -> bool:
    """Whether a glob would find the place, once it is there."""
    if not glob.has_magic(pattern) or os.path.exists(pattern):  # noqa: PTH110
        return False
    wanted = Path(os.path.abspath(pattern)).parts  # noqa: PTH100
    fixed = next(n for n, part in enumerate(wanted) if glob.has_magic(part))
    wanted = (*_real(Path(*wanted[:fixed])).parts, *wanted[fixed:])
    if "**" in wanted:
        return fnmatch(str(place), str(Path(*wanted)).replace(f"**{os.sep}", "*"))
    return len(wanted) == len(place.parts) and all(map(fnmatch, place.parts, wanted))


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
