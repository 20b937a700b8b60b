"""Files of a job on any file system that fsspec knows, each written whole, and the inputs found there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

import fsspec  # type: ignore[import-untyped]
import pyarrow as pa
from pyarrow import parquet

from toolkit.loading.sources import Source, find_sources


@dataclass(frozen=True)
class Files:
    """Files of a folder that the driver and all workers reach, each written whole."""

    folder: str
    options: Mapping[str, Any] = field(default_factory=dict)
    local: str | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        system, root = fsspec.core.url_to_fs(self.folder, **self.options)
        local = root if "file" in _protocols(system) else None
        object.__setattr__(self, "local", local)
        object.__setattr__(self, "folder", local or self.folder)  # workers may stand in other folders

    def path(self, name: str) -> str:
        """Return the place of a file."""
        first, chained, rest = self.folder.partition("::")  # fsspec chains file systems: zip://…::s3://…
        return f"{first}/{name}{chained}{rest}"

    def _at(self, name: str) -> tuple[Any, str]:
        return fsspec.core.url_to_fs(self.path(name), **self.options)

    def has(self, name: str) -> bool:
        """Whether a file is there, whole."""
        system, path = self._at(name)
        return bool(system.exists(path))

    def open(self, name: str) -> Any:
        """Open a file for reading."""
        system, path = self._at(name)
        return system.open(path, "rb")

    def read(self, name: str) -> bytes:
        """Return the bytes of a file."""
        with self.open(name) as file:
            return bytes(file.read())

    def write(self, name: str, data: bytes) -> None:
        """Write a file, whole or not at all."""
        if self.local is None:
            system, path = self._at(name)
            system.makedirs(path.rpartition("/")[0], exist_ok=True)
            system.pipe_file(path, data)
            return
        place = Path(self.local, name)
        place.parent.mkdir(parents=True, exist_ok=True)
        # a worker that was given up may still write the same part; both write the same bytes
        temporary = place.with_name(f".{name}.{uuid4().hex}.tmp")
        temporary.write_bytes(data)
        temporary.replace(place)

    def put(self, name: str, path: Path) -> None:
        """Write a copy of a file of this machine."""
        system, place = self._at(name)
        system.put_file(str(path), place)

    def discard(self, name: str, *, recursive: bool = False) -> None:
        """Remove a file, or a folder with all that is in it."""
        system, path = self._at(name)
        if system.exists(path):
            system.rm(path, recursive=recursive)

    def table(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """Read a part."""
        with self.open(f"{name}.parquet") as file:
            return parquet.read_table(file, columns=columns)

    def write_table(self, name: str, table: pa.Table) -> None:
        """Write a part."""
        out = pa.BufferOutputStream()
        parquet.write_table(table, out, compression="lz4", use_dictionary=False)
        self.write(f"{name}.parquet", out.getvalue().to_pybytes())

    @contextmanager
    def near(self, name: str) -> Iterator[Path]:
        """Give a file as one of this machine."""
        if self.local is not None:
            yield Path(self.local, name)
            return
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, name)
            copy.write_bytes(self.read(name))
            yield copy


def _protocols(system: Any) -> tuple[str, ...]:
    return (system.protocol,) if isinstance(system.protocol, str) else tuple(system.protocol)


@dataclass(frozen=True)
class Input:
    """An input file: as :func:`toolkit.load` labels it, and where it is."""

    label: str
    path: str
    options: Mapping[str, Any] | None = None  # None: a file of this machine

    def open(self) -> Any:
        """Open the file for reading."""
        return fsspec.open(self.path, "rb", **(self.options or {}))

    @contextmanager
    def source(self) -> Iterator[Source]:
        """Give the file as the readers take it."""
        name = PurePosixPath(self.path).name
        if self.options is None:
            yield Source(self.label, Path(self.path).name, path=Path(self.path))
            return
        with self.open() as file:
            yield Source(self.label, name, file=file)


def found_in(given: Sequence[str | Path], options: Mapping[str, Any]) -> list[Input]:
    """Return the input files, sorted by path."""
    near, far = [], {}
    for item in map(str, given):
        system, path = fsspec.core.url_to_fs(item, **options)
        if "file" in _protocols(system):
            near.append(path if "://" in item else item)
            continue
        magic = fsspec.core.has_magic(path)
        found = system.glob(path) if magic else system.find(path) if system.exists(path) else []
        if not found:
            msg = f"{item}: {'matches no file' if magic else 'no such file or folder'}"
            raise FileNotFoundError(msg)
        fixed = path[: min(path.find(c) for c in "*?[" if c in path)] if magic else path
        root = fixed if not magic and found != [path] else fixed.rpartition("/")[0]
        for file in found:
            if not system.isdir(file):
                label = str(PurePosixPath(file).relative_to(root or "/")) if root else file.lstrip("/")
                far[file] = Input(label, system.unstrip_protocol(file), dict(options))
    here = [Input(s.label, str(s.path)) for s in (find_sources(near) if near else [])]
    return here + [far[file] for file in sorted(far, key=lambda file: PurePosixPath(file).parts)]


def parent_of(output: str | Path) -> tuple[str, str]:
    """Return the folder of a path or URL, and the name in it."""
    folder, _, name = str(output).rpartition("/")
    return folder or ".", name
