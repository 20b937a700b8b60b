"""Spool: numbered Parquet parts of a job, each written whole, so that a killed job continues."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

ROW_GROUP = 8192
"""Rows of a row group in results; fixed, so that the batch size leaves no trace in them."""


class SpoolError(RuntimeError):
    """The folder of the job cannot be used; the message says why and what to do."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path``; when the block ends well, it becomes ``path`` in one step.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole(Path(folder) / "a.txt") as name:
    ...         _ = name.write_text("all of it")
    ...     (Path(folder) / "a.txt").read_text()
    'all of it'
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":  # Windows opens no folders
        return
    number = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write ``value`` as indented UTF-8 JSON, whole or not at all."""
    with whole(path) as temporary:
        temporary.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", "utf-8")


class Spool:
    """Parts of a job in a folder of their own, and notes about what is done.

    Parameters
    ----------
    folder : Path
        Made if missing, removed by :meth:`close`. If it holds parts of a job with another ``key``, they are
        deleted first.
    key : mapping
        What the parts depend on: digests of inputs, parameters, versions. JSON values.

    Raises
    ------
    SpoolError
        The folder is a link, or another process works in it.
    """

    def __init__(self, folder: Path, key: Mapping[str, Any]) -> None:
        if folder.is_symlink():
            msg = f"{folder}: is a link, and parts are never written elsewhere; remove it"
            raise SpoolError(msg)
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(folder)
        text = json.dumps(key, sort_keys=True, ensure_ascii=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        self._manifest = folder / "manifest.json"
        self.notes: dict[str, Any] = self._found(digest)
        self.resumed = bool(self.notes)
        if not self.resumed:
            for entry in folder.iterdir():
                if entry.name != "lock":
                    shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        self._digest = digest

    def _found(self, digest: str) -> dict[str, Any]:
        try:
            manifest = json.loads(self._manifest.read_text("utf-8"))
            return dict(manifest["notes"]) if manifest["key"] == digest else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def note(self, **notes: Any) -> None:
        """Remember values (JSON) across a kill."""
        self.notes.update(notes)
        write_json(self._manifest, {"key": self._digest, "notes": self.notes})

    def path(self, kind: str, number: int) -> Path:
        """Return the file of a part."""
        return self.folder / f"{kind}-{number:06d}.parquet"

    def has(self, kind: str, number: int) -> bool:
        """Whether a part is there, whole."""
        return self.path(kind, number).is_file()

    def write(self, kind: str, number: int, table: pa.Table) -> None:
        """Write a part, whole or not at all."""
        with whole(self.path(kind, number)) as temporary:
            parquet.write_table(table, temporary, compression="lz4", use_dictionary=False)

    def read(self, kind: str, number: int) -> pa.Table:
        """Read a part."""
        return parquet.read_table(self.path(kind, number))

    def tables(self, kind: str, count: int) -> Iterator[pa.Table]:
        """Yield the first ``count`` parts, all with one schema: the columns of all, extra ones by name."""
        schema = _common([parquet.read_schema(self.path(kind, n)) for n in range(count)])
        for number in range(count):
            table = self.read(kind, number)
            yield pa.Table.from_arrays([_column(table, field) for field in schema], schema=schema)

    def close(self) -> None:
        """Remove the folder."""
        os.close(self._lock)
        shutil.rmtree(self.folder)

    def release(self) -> None:
        """Leave the parts for the next run and let go of the folder."""
        os.close(self._lock)


def _locked(folder: Path) -> int:
    number = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        import fcntl
    except ImportError:  # Windows
        return number
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(number)
        msg = f"{folder.parent}: another run is writing there; wait for it or choose another output"
        raise SpoolError(msg) from None
    return number


def _common(schemas: list[pa.Schema]) -> pa.Schema:
    """Columns that every part has, in their order, then the others by name; types that differ become text."""
    shared = [name for name in schemas[0].names if all(name in schema.names for schema in schemas)]
    others = sorted({name for schema in schemas for name in schema.names} - set(shared))
    fields = []
    for name in shared + others:
        types = {schema.field(name).type for schema in schemas if name in schema.names}
        types.discard(pa.null())
        fields.append(pa.field(name, types.pop() if len(types) == 1 else pa.large_string()))
    return pa.schema(fields)


def _column(table: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    if field.name not in table.column_names:
        return pa.chunked_array([pa.nulls(table.num_rows, field.type)])
    return table[field.name].cast(field.type)


def write_parquet(tables: Iterable[pa.Table], path: Path) -> int:
    """Write tables of one schema to a Parquet file in row groups of :data:`ROW_GROUP`; return the rows.

    The bytes depend on the rows only, not on how they were cut into tables.
    """
    rows, held = 0, None
    writer: parquet.ParquetWriter | None = None
    with whole(path) as temporary:
        for table in tables:
            if writer is None:
                writer = parquet.ParquetWriter(temporary, table.schema, compression="zstd")
            held = table if held is None else pa.concat_tables([held, table])
            while held.num_rows >= ROW_GROUP:
                # one chunk a group: page limits are tested at chunk ends
                writer.write_table(held.slice(0, ROW_GROUP).combine_chunks(), row_group_size=ROW_GROUP)
                rows, held = rows + ROW_GROUP, held.slice(ROW_GROUP)
        if writer is None:
            msg = "write_parquet: no table, so no schema; pass at least an empty one"
            raise ValueError(msg)
        if held is not None and held.num_rows:
            writer.write_table(held.combine_chunks(), row_group_size=ROW_GROUP)
            rows += held.num_rows
        writer.close()
    return rows
