"""Inputs: the files that a job reads, on this machine or on any file system that fsspec knows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from toolkit.jobs.storage import far, fsspec_core, is_local
from toolkit.loading.sources import Source, find_sources


@dataclass(frozen=True)
class Input:
    """An input file. Label and fault are those of a Source; ``options`` are for fsspec, None on this machine."""

    label: str
    path: str
    options: Mapping[str, Any] | None = None
    fault: str | None = None

    def open(self) -> Any:
        """Open the file for reading."""
        if self.options is None:
            return Path(self.path).open("rb")
        return fsspec_core().open(self.path, "rb", **self.options)

    @contextmanager
    def source(self) -> Iterator[Source]:
        """Yield the file in the form that the readers take."""
        if self.options is None:
            yield Source(self.label, Path(self.path).name, path=Path(self.path), fault=self.fault)
            return
        with self.open() as file:
            yield Source(self.label, PurePosixPath(self.path).name, file=file)


def digest(item: Input) -> dict[str, Any]:
    """Return ``name``, ``bytes`` and ``sha256`` of an input file; the last two are None if it cannot be read."""
    found, size = hashlib.sha256(), 0
    with suppress(OSError):
        if item.options is not None or Path(item.path).is_file():  # opening a pipe would wait for ever
            with item.open() as file:
                while piece := file.read(1 << 20):
                    found.update(piece)
                    size += len(piece)
            return {"name": item.label, "bytes": size, "sha256": found.hexdigest()}
    return {"name": item.label, "bytes": None, "sha256": None}


def found_in(given: Sequence[str | Path], options: Mapping[str, Any]) -> list[Input]:
    """Return the input files, those of this machine first, by path; FileNotFoundError if a place has none."""
    near, found = [], {}
    for item in map(str, given):
        if not far(item):
            near.append(item)
            continue
        system, path = fsspec_core().url_to_fs(item, **options)
        if is_local(system):
            near.append(path)
            continue
        magic = fsspec_core().has_magic(path)
        files = system.glob(path) if magic else system.find(path) if system.exists(path) else []
        if not files:
            raise FileNotFoundError(f"{item}: {'matches no file' if magic else 'no such file or folder'}")
        fixed = path[: min(path.find(c) for c in "*?[" if c in path)] if magic else path
        root = fixed if not magic and files != [path] else fixed.rpartition("/")[0]
        for file in files:
            if not system.isdir(file):
                label = str(PurePosixPath(file).relative_to(root or "/")) if root else file.lstrip("/")
                found[file] = Input(label, system.unstrip_protocol(file), dict(options))
    return near_inputs(near) + [found[file] for file in sorted(found, key=lambda f: PurePosixPath(f).parts)]


def near_inputs(given: Sequence[str | Path]) -> list[Input]:
    """Return the input files of this machine, as :func:`toolkit.load` finds them."""
    sources = find_sources(list(given)) if given else []
    return [Input(s.label, str(s.path), fault=s.fault) for s in sources]
