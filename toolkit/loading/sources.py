"""From what the caller names (paths, globs, folders, open files) to the files to be read, in order."""

from __future__ import annotations

import errno
import glob
import io
import itertools
import os
import stat
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

import pandas as pd

from toolkit.loading.options import Limits
from toolkit.loading.quarantine import printable
from toolkit.loading.streams import Budget, Counted, Stream

Paths: TypeAlias = (
    "str | os.PathLike[str] | IO[bytes] | IO[str] | Iterable[str | os.PathLike[str] | IO[bytes] | IO[str]]"
)

LONGEST_NAME, LONGEST_PATH = 255, 4095  # bytes of the name of a file and of a path on the systems of today

_SYSTEM = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


@dataclass(slots=True)
class Source:
    """One file to be read: its label in the column ``source``, its name for the extension, and a path or an open file.

    ``fault`` says why it is not opened, though it lies in a folder that was given.
    """

    label: str
    name: str
    path: Path | None = None
    file: Any = None
    fault: str | None = None

    def open(self, limits: Limits) -> Stream:
        """Return the file's bytes; raise ``OSError`` where it cannot be opened."""
        if self.path is None:
            budget = Budget(limits)
            return Stream(Counted(self.file, budget), budget)
        if self.fault is not None:
            raise OSError(errno.EPERM, self.fault)
        file = self.path.open("rb")
        self.file = file
        state = os.fstat(file.fileno())
        regular = stat.S_ISREG(state.st_mode)
        budget = Budget(limits, state.st_size if regular else None)
        return Stream(Counted(file, budget), budget, seekable=file if regular else None)

    def close(self) -> None:
        """Close the file if it was opened here."""
        if self.path is not None and self.file is not None:
            self.file.close()
            self.file = None


def find_sources(paths: Paths) -> list[Source]:
    """Return the files behind ``paths``: those with a path sorted by it, then open files as given.

    A file that is named twice is read once. Files inside a folder that are :func:`hidden` are passed over, links to
    folders are not followed; pipes, devices and links out of the folder are sources with a ``fault``. Raises
    FileNotFoundError where nothing is found, TypeError for something else than paths and open files.
    """
    found: dict[Path, Source] = {}
    streams: list[Source] = []
    if hasattr(paths, "to_pandas") or isinstance(paths, (pd.DataFrame, pd.Series, Mapping)):
        mend = "a table with a column of texts is a corpus already: give it to toolkit.clean"
        raise TypeError(f"load: a {type(paths).__name__} is no place; {mend}")
    several = isinstance(paths, Iterable) and not isinstance(paths, (str, os.PathLike))
    for item in list(paths) if several and not hasattr(paths, "read") else [paths]:  # type: ignore[arg-type]
        if isinstance(item, str) and item == "-":
            streams.append(Source("stdin", "stdin", file=getattr(sys.stdin, "buffer", sys.stdin)))
        elif hasattr(item, "read"):
            given = None if isinstance(item, io.StringIO) else getattr(item, "name", None)
            name = printable(Path(given).name, 255) if isinstance(given, str) else "stream"
            streams.append(Source(name, name, file=item))
        elif isinstance(item, (str, os.PathLike)):
            for path, label, root in _expand(os.fspath(item)):
                fault = None if root is None else _fault(path, root)
                source = found.setdefault(path, Source(label, path.name, path=path, fault=fault))
                if root is None:  # what is named by itself is read, whatever it is
                    source.fault = None
        else:
            mend = "give a path, a glob, a folder, an open file or a list of these"
            raise TypeError(f"load: {item!r} is {type(item).__name__}; {mend}")
    files = [found[path] for path in sorted(found, key=lambda path: path.parts)]
    folders: dict[str, list[Path]] = {}
    for path, source in found.items():
        folders.setdefault(source.label, []).append(path.parent)
    for path, source in found.items():
        if len(same := folders[source.label]) > 1:  # told apart by the folders in which they differ
            source.label = _label(path, Path(os.path.commonpath(same)))
    seen: Counter[str] = Counter()
    for source in (sources := files + streams):
        seen[source.label] += 1
        if seen[source.label] > 1:
            source.label = f"{source.label}~{seen[source.label]}"
    return sources


def _expand(text: str) -> Iterator[tuple[Path, str, Path | None]]:
    """Yield the files behind one path or pattern, each with its label and the folder that it was found in."""
    if reason := _no_path(text):
        raise FileNotFoundError(f"load: {reason}")
    path = Path(text)
    root: Path | None = path
    files, none = list[Path](), "no such file or folder"
    if path.is_dir():
        files, none = list(_walk(path)), "no files in this folder"
    elif path.exists() or path.is_symlink():
        files, root = [path], None
    elif glob.has_magic(text):
        matches = [Path(match) for match in sorted(glob.glob(text, recursive=True))]  # noqa: PTH207 - absolute patterns
        files = [file for match in matches for file in (_walk(match) if match.is_dir() else [match])]
        root = Path(*itertools.takewhile(lambda part: not glob.has_magic(part), path.parts[:-1]))
        none = "matches no file"
    elif "://" in text:
        none = "loading does not use the network; download the file and pass its path"
    if not files:
        raise FileNotFoundError(f"{text}: {none}")
    for file in files:
        # abspath, since resolve() would follow links and change names
        yield Path(os.path.abspath(file)), _label(file, root or path.parent), root  # noqa: PTH100


def _no_path(text: str) -> str | None:
    """Return why a string cannot be a path, or None: an empty one, or a text given in place of a file."""
    if not text:
        return "'' is no path; give a file, a glob or a folder ('.' is the one you are in)"
    if os.path.lexists(text):
        return None
    longest = max(len(part.encode("utf-8", "replace")) for part in Path(text).parts)
    mend = "toolkit.show and toolkit.clean take texts, load takes files: write it to one first"
    is_text = "\n" in text or longest > LONGEST_NAME or len(text) > LONGEST_PATH
    return f"{printable(text, 40)!r}… looks like a text, not a path; {mend}" if is_text else None


def hidden(name: str) -> bool:
    """Whether a file is one of the system's or of an open office program, or lies in a folder that is hidden."""
    parts = name.replace("\\", "/").split("/")
    system = _SYSTEM.intersection(part.lower() for part in parts)
    return bool(system) or any(part.startswith((".", "~$")) and part not in {".", ".."} for part in parts)


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder, and the folders that cannot be looked into or are links that lead out."""
    closed: list[OSError] = []
    for where, folders, files in os.walk(folder, onerror=closed.append):
        folders[:] = sorted(name for name in folders if not hidden(name))
        links = [name for name in folders if Path(where, name).is_symlink()]
        out = [name for name in links if not Path(where, name).resolve().is_relative_to(folder.resolve())]
        yield from (Path(where, name) for name in sorted([*files, *out]) if not hidden(name))
    yield from (Path(error.filename) for error in closed)


def _fault(path: Path, root: Path) -> str | None:
    """Return why a file found in a folder is not opened: it would block the reader, or lies elsewhere."""
    try:
        if path.is_symlink() and (path.is_dir() or not path.resolve().is_relative_to(root.resolve())):
            return "a link that leads out of the folder; not followed; pass its own path to read it"
        mode = path.stat().st_mode
        plain = stat.S_ISREG(mode) or stat.S_ISDIR(mode)
        return None if plain else "a pipe or device; not read; pass its own path to read it"
    except (OSError, RuntimeError):
        return None  # opening it gives the reason


def _label(path: Path, root: Path) -> str:
    relative = os.path.relpath(path, root) if path != root else path.name
    return printable(Path(relative).as_posix(), 4096)
