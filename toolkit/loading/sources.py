"""From what the caller names (paths, globs, folders, open files) to the files to be read, in order."""

from __future__ import annotations

import errno
import glob
import io
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

import pandas as pd

from toolkit.loading.limits import Budget, Limits
from toolkit.loading.quarantine import printable
from toolkit.loading.streams import Counted, Stream

Paths: TypeAlias = (
    "str | os.PathLike[str] | IO[bytes] | IO[str] | Iterable[str | os.PathLike[str] | IO[bytes] | IO[str]]"
)


@dataclass(slots=True)
class Source:
    """One file to be read.

    Attributes
    ----------
    label : str
        As the ``source`` column shows it, without the record number.
    name : str
        File name, for its extension.
    path : Path or None
        Where it is, or None for an open file.
    file : IO or None
        The open file, or None for a path.
    fault : str or None
        Why it is not opened, though it lies in a folder that was given.
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

    A file that is named twice is read once. Pipes, devices and links out of the folder that it was found in
    are sources with a ``fault``. Hidden files and folders (``.git``, ``.DS_Store``) inside a
    folder are passed over, links to folders are not followed.

    Raises
    ------
    FileNotFoundError
        A path does not exist, a glob matches nothing, or a folder holds no file.
    TypeError
        Something else than paths and open files was given.
    """
    found: dict[Path, str] = {}
    faults: dict[Path, str | None] = {}
    streams: list[Source] = []
    if hasattr(paths, "to_pandas") or isinstance(paths, (pd.DataFrame, pd.Series, Mapping)):
        msg = (
            f"load: a {type(paths).__name__} is no place; a table with a column of texts is a corpus already: "
            "give it to toolkit.clean"
        )
        raise TypeError(msg)
    for item in [paths] if _is_single(paths) else list(paths):  # type: ignore[arg-type]
        if isinstance(item, str) and item == "-":
            file = sys.stdin
            streams.append(Source("stdin", "stdin", file=getattr(file, "buffer", file)))
        elif hasattr(item, "read"):
            name = _stream_name(item)
            streams.append(Source(name, name, file=item))
        elif isinstance(item, (str, os.PathLike)):
            if not os.fspath(item):
                msg = "load: '' is no path; give a file, a glob or a folder ('.' is the one you are in)"
                raise FileNotFoundError(msg)
            for path, label, root in _expand(os.fspath(item)):
                found.setdefault(path, label)
                # what is named by itself is read, whatever it is
                faults[path] = None if root is None else faults.get(path, _fault(path, root))
        else:
            kind = type(item).__name__
            msg = f"load: {item!r} is {kind}; give a path, a glob, a folder, an open file or a list of these"
            raise TypeError(msg)
    ordered = sorted(found.items(), key=lambda pair: pair[0].parts)
    sources = [
        Source(label, path.name, path=path, fault=faults[path]) for path, label in _distinct(ordered)
    ] + streams
    _number_streams(sources)
    return sources


def _is_single(paths: Any) -> bool:
    return isinstance(paths, (str, os.PathLike)) or hasattr(paths, "read") or not isinstance(paths, Iterable)


def _stream_name(file: Any) -> str:
    name = getattr(file, "name", None)
    return (
        printable(Path(name).name, 255)
        if isinstance(name, str) and not isinstance(file, io.StringIO)
        else "stream"
    )


def _expand(text: str) -> Iterator[tuple[Path, str, Path | None]]:
    """Yield the files behind one path or pattern, each with its label and the folder that it was found in."""
    path = Path(text)
    if path.is_dir():
        files = list(_walk(path))
        if not files:
            msg = f"{text}: no files in this folder"
            raise FileNotFoundError(msg)
        for file in files:
            yield _absolute(file), _label(file, path), path
    elif path.exists() or path.is_symlink():
        yield _absolute(path), _label(path, path.parent), None
    elif glob.has_magic(text):
        matches = [Path(match) for match in sorted(glob.glob(text, recursive=True))]  # noqa: PTH207 - absolute patterns
        files = [file for match in matches for file in (_walk(match) if match.is_dir() else [match])]
        if not files:
            msg = f"{text}: matches no file"
            raise FileNotFoundError(msg)
        fixed = Path(*list(_fixed_parts(path)))
        for file in files:
            yield _absolute(file), _label(file, fixed), fixed
    elif "://" in text:
        msg = f"{text}: loading does not use the network; download the file and pass its path"
        raise FileNotFoundError(msg)
    else:
        msg = f"{text}: no such file or folder"
        raise FileNotFoundError(msg)


def _walk(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(where, name)


def _fault(path: Path, root: Path) -> str | None:
    """Return why a file found in a folder is not opened: it would block the reader, or lies elsewhere."""
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            return "a link that leads out of the folder; not followed; pass its own path to read it"
        return (
            None
            if stat.S_ISREG(path.stat().st_mode)
            else "a pipe or device; not read; pass its own path to read it"
        )
    except (OSError, RuntimeError):
        return None  # opening it gives the reason


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links and change names


def _label(path: Path, root: Path) -> str:
    relative = os.path.relpath(path, root) if path != root else path.name
    return printable(Path(relative).as_posix(), 4096)


def _fixed_parts(pattern: Path) -> Iterator[str]:
    for part in pattern.parts[:-1]:
        if glob.has_magic(part):
            return
        yield part


def _distinct(files: list[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """Lengthen the labels that several files share by the folders in which they differ."""
    labels: dict[str, list[Path]] = {}
    for path, label in files:
        labels.setdefault(label, []).append(path)
    roots = {
        label: Path(os.path.commonpath([path.parent for path in same]))
        for label, same in labels.items()
        if len(same) > 1
    }
    return [(path, _label(path, roots[label]) if label in roots else label) for path, label in files]


def _number_streams(sources: list[Source]) -> None:
    seen: dict[str, int] = {}
    for source in sources:
        seen[source.label] = seen.get(source.label, 0) + 1
        if seen[source.label] > 1:
            source.label = f"{source.label}~{seen[source.label]}"
