"""Spool: the intermediate files of a job, with their digests, so that a killed job can continue."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from toolkit.errors import OutputError, SpoolError
from toolkit.jobs.storage import Files

NOTE = ".json"
"""Ending of a *note*, a file with what a task returned. Its presence shows that the task is done."""

MANIFEST = "manifest.json"  # says which job the parts in a folder are of


@dataclass(frozen=True)
class Spool:
    """The intermediate files of a job, each whole or absent. A task returns their digests, and reading checks them."""

    files: Files

    def once(self, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return the note of a task; if there is none, do the task and note what it returns."""
        found = self.note(name)
        return self.noted(name, make()) if found is None else found

    def noted(self, name: str, value: dict[str, Any]) -> dict[str, Any]:
        """Write the note of a task that is done; return it."""
        self.files.write(name + NOTE, json.dumps(value).encode())
        return value

    def note(self, name: str) -> dict[str, Any] | None:
        """Return the note of a task that is done."""
        if not self.files.has(name + NOTE):
            return None
        try:
            return dict(json.loads(self.files.read(name + NOTE)))
        except (ValueError, TypeError):
            raise self._damaged(name + NOTE) from None

    def keep(self, name: str, data: bytes) -> str:
        """Write a file; return its SHA-256."""
        self.files.write(name, data)
        return hashlib.sha256(data).hexdigest()

    def read(self, name: str, digest: str) -> bytes:
        """Return the bytes of a file; SpoolError if it is missing or has another SHA-256."""
        try:
            data = self.files.read(name)
        except OSError as error:
            if error.errno not in {None, errno.ENOENT}:
                raise
            raise self._damaged(name) from None
        if hashlib.sha256(data).hexdigest() != digest:
            raise self._damaged(name)
        return data

    def _damaged(self, name: str) -> SpoolError:
        mend = f"remove {self.files.folder} and run again"
        return SpoolError(f"{self.files.path(name)}: this part of an interrupted run is damaged; {mend}")

    def write(self, kind: str, name: str, table: pa.Table) -> dict[str, Any]:
        """Write the table of a part; return its rows and its SHA-256."""
        out = pa.BufferOutputStream()
        parquet.write_table(table, out, compression="lz4", use_dictionary=False)
        digest = self.keep(f"{kind}-{name}.parquet", out.getvalue().to_pybytes())
        return {"rows": table.num_rows, "sha256": digest}

    def table(self, kind: str, part: Mapping[str, Any], columns: list[str] | None = None) -> pa.Table:
        """Read the table of a part; ``part[kind]`` is what :meth:`write` returned."""
        data = self.read(f"{kind}-{part['name']}.parquet", part[kind]["sha256"])
        # read_table reads on threads of Arrow, which may let go of the bytes when Python has ended, and abort
        return parquet.ParquetFile(pa.BufferReader(data)).read(columns, use_threads=False)

    def tables(
        self, kind: str, parts: Iterable[Mapping[str, Any]], onto: str | None = None
    ) -> Iterator[pa.Table]:
        """Yield the tables of the parts in the schema of the first; the kind ``onto`` has the other columns."""
        schema = None
        for part in parts:
            table = self.table(kind, part)
            if onto is not None:
                both = (self.table(onto, part), table)
                table = pa.table({name: each[name] for each in both for name in each.column_names})
            schema = schema or table.schema
            yield table.cast(schema)


def claim(folder: Path, key: str) -> int:
    """Lock a folder for the job with this key, and empty it of other jobs; return the lock, for ``os.close``."""
    if folder.is_symlink():
        raise SpoolError(f"{folder}: is a link, and parts are never written elsewhere; remove it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError:  # as in /proc
        raise OutputError(f"{folder.parent}: no folder can be made there; choose another place") from None
    lock = _locked(folder)
    try:
        _emptied(folder, key)
    except BaseException:
        os.close(lock)
        raise
    return lock


def _emptied(folder: Path, key: str) -> None:
    manifest = folder / MANIFEST
    try:
        same = json.loads(manifest.read_text("utf-8"))["key"] == key
    except (OSError, ValueError, KeyError, TypeError):
        same = False
    if not same:
        for entry in folder.iterdir():
            if entry.name != "lock":
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        Files(str(folder)).write(manifest.name, json.dumps({"key": key}).encode())


def _locked(folder: Path) -> int:
    number = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        import fcntl
    except ImportError:  # Windows
        return number
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(number), (folder / "lock").stat()):
            raise BlockingIOError  # a run that ended meanwhile took the file away, and the next one has another
    except (BlockingIOError, FileNotFoundError):
        os.close(number)
        msg = f"{folder.parent}: another run is writing there; wait for it or choose another output"
        raise SpoolError(msg) from None
    except OSError:  # a file system without locks, as on some clusters: better unlocked than not at all
        pass
    return number
