"""Storage: the files of a folder, on this machine or on any file system that fsspec knows, each written whole."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from toolkit.files import sha256, sweep, whole, write_rows


@dataclass(frozen=True)
class Files:
    """Files of a folder that the driver and all workers reach: a path, or a URL of fsspec with its options.

    ``local`` is the folder as a path, if it is on a file system of this machine.
    """

    folder: str
    options: Mapping[str, Any] = field(default_factory=dict)
    local: str | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        local: str | None = self.folder
        if far(self.folder) or self.options:
            system, root = fsspec_core().url_to_fs(self.folder, **self.options)
            local = root if is_local(system) else None
        object.__setattr__(self, "local", local)
        object.__setattr__(self, "folder", local or self.folder)

    def path(self, name: str) -> str:
        """Return the place of a file."""
        if self.local is not None:
            return str(Path(self.local, name))
        first, chained, rest = self.folder.partition("::")  # fsspec chains file systems: zip://…::s3://…
        return f"{first}/{name}{chained}{rest}"

    def _at(self, name: str) -> tuple[Any, str]:
        return fsspec_core().url_to_fs(self.path(name), **self.options)

    def has(self, name: str) -> bool:
        """Return whether a file is there."""
        if self.local is not None:
            return Path(self.local, name).exists()
        system, path = self._at(name)
        return bool(system.exists(path))

    def open(self, name: str) -> Any:
        """Open a file for reading."""
        if self.local is not None:
            return Path(self.local, name).open("rb")
        system, path = self._at(name)
        return system.open(path, "rb")

    def read(self, name: str) -> bytes:
        """Return the bytes of a file."""
        with self.open(name) as file:
            return bytes(file.read())

    def write(self, name: str, data: bytes) -> None:
        """Write a file, whole or not at all."""
        with self.made(name) as path:
            path.write_bytes(data)

    def write_rows(self, name: str, tables: Iterable[pa.Table]) -> tuple[int, str]:
        """Write tables to a file as :func:`toolkit.files.write_rows` does; return its rows and its SHA-256."""
        if self.local is not None:
            path = Path(self.local, name)
            sweep(path)
            return write_rows(tables, path), sha256(path)
        with self.made(name) as path:
            return write_rows(tables, path), sha256(path)

    @contextmanager
    def made(self, name: str) -> Iterator[Path]:
        """Yield a local path; what the block writes there becomes the file, completely or not at all."""
        if self.local is not None:
            with whole(Path(self.local, name)) as path:
                yield path
            return
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, Path(name).name)
            yield path
            system, place = self._at(name)
            system.makedirs(place.rpartition("/")[0], exist_ok=True)
            system.put_file(str(path), place)

    def discard(self, name: str, *, recursive: bool = False) -> None:
        """Remove a file, or a folder with all that is in it, if it is there."""
        if self.local is not None and not recursive:
            sweep(Path(self.local, name))
            Path(self.local, name).unlink(missing_ok=True)
            return
        system, path = self._at(name)
        if system.exists(path):
            system.rm(path, recursive=recursive)

    @contextmanager
    def near(self, name: str) -> Iterator[Path]:
        """Yield a local path to a file, which may be a temporary copy."""
        if self.local is not None:
            yield Path(self.local, name)
            return
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, name)
            copy.write_bytes(self.read(name))
            yield copy


def far(place: str) -> bool:
    """Return whether a place is a URL of fsspec and not a path."""
    return "://" in place


def parent_of(output: str | Path) -> tuple[str, str]:
    """Return the folder of a path or URL, and the name in it."""
    if not far(str(output)):
        return str(Path(output).parent), Path(output).name
    folder, _, name = str(output).rpartition("/")
    return folder, name


def is_local(system: Any) -> bool:
    """Return whether a file system of fsspec is the one of this machine."""
    return "file" in ((system.protocol,) if isinstance(system.protocol, str) else system.protocol)


def fsspec_core() -> Any:
    """Return ``fsspec.core``."""
    from fsspec import core  # type: ignore[import-untyped]  # only what goes to a cluster needs it

    return core
