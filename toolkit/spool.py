"""Spool: the intermediate files of a job (numbered Parquet parts), complete or absent, so a killed job can continue."""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from csv import QUOTE_NONNUMERIC
from glob import escape
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from toolkit.errors import OutputError, SpoolError

ROW_GROUP = 8192
"""Rows of a Parquet row group in results; fixed, so that their bytes do not depend on the batch size."""


ENDINGS = (".parquet", ".csv", ".csv.gz", ".jsonl", ".jsonl.gz")
"""File name endings that :func:`write_rows` accepts; they choose the format."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; if the block succeeds, rename that file to ``path`` in one step.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole(Path(folder) / "a.txt") as name:
    ...         _ = name.write_text("all of it")
    ...     (Path(folder) / "a.txt").read_text()
    'all of it'
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    except OSError as error:
        if error.filename is None or os.fspath(error.filename) == str(temporary):
            error.filename = str(path)  # Arrow gives no name; the temporary one means nothing
        raise
    finally:
        with suppress(OSError):  # an error here must not hide the first one
            temporary.unlink(missing_ok=True)


def sweep(path: Path) -> None:
    """Remove the temporary files of ``path`` that killed processes left; the caller must hold the job's lock."""
    for left in path.parent.glob(f".{escape(path.stem)}.*.tmp{escape(path.suffix)}"):
        left.unlink(missing_ok=True)


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
    """A folder with the parts of one job and notes on its progress.

    Parameters
    ----------
    folder : Path
        Created if missing, removed by :meth:`close`. Parts of a job with another ``key`` are deleted first.
    key : mapping
        Everything that the parts depend on: digests of inputs, parameters, versions. JSON values.

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
        """Save values (JSON) that must survive a kill."""
        self.notes.update(notes)
        write_json(self._manifest, {"key": self._digest, "notes": self.notes})

    def path(self, kind: str, number: int) -> Path:
        """Return the path of a part."""
        return self.folder / f"{kind}-{number:06d}.parquet"

    def has(self, kind: str, number: int) -> bool:
        """Return whether a part exists; parts are always complete."""
        return self.path(kind, number).is_file()

    def write(self, kind: str, number: int, table: pa.Table) -> None:
        """Write a part, completely or not at all."""
        with whole(self.path(kind, number)) as temporary:
            parquet.write_table(table, temporary, compression="lz4", use_dictionary=False)

    def read(self, kind: str, number: int) -> pa.Table:
        """Read a part; raise SpoolError if it is damaged or missing."""
        path = self.path(kind, number)
        try:
            return parquet.read_table(path)
        except (OSError, pa.ArrowInvalid) as error:
            if getattr(error, "errno", None) not in {None, errno.ENOENT}:
                raise
            msg = f"{path}: this part of an interrupted run is damaged; remove {self.folder} and run again"
            raise SpoolError(msg) from None

    def tables(self, kind: str, count: int) -> Iterator[pa.Table]:
        """Yield the first ``count`` parts, cast to the schema of the first."""
        if count:
            schema = parquet.read_schema(self.path(kind, 0))
            yield from (self.read(kind, number).cast(schema) for number in range(count))

    def close(self) -> None:
        """Remove the folder."""
        os.close(self._lock)
        shutil.rmtree(self.folder, ignore_errors=True)  # the results are there, or a worse error is raised

    def release(self) -> None:
        """Release the lock and keep the parts for the next run."""
        os.close(self._lock)


def _locked(folder: Path) -> int:
    number = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        import fcntl
    except ImportError:  # Windows
        return number
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        msg = f"{folder.parent}: another run is writing there; wait for it or choose another output"
        raise SpoolError(msg) from None
    except OSError:  # a file system without locks, as on some clusters: better unlocked than not at all
        pass
    return number


def file_of_rows(path: str | Path) -> Path:
    """Return ``path`` if :func:`write_rows` can write it; call this before the work begins.

    Raises
    ------
    OutputError
        Its ending is none of :data:`ENDINGS`, or it is a folder.
    """
    path = Path(path)
    if not path.name.endswith(ENDINGS):
        msg = f"{path}: unknown ending; use {', '.join(ENDINGS)}"
        raise OutputError(msg)
    if path.is_dir():
        msg = f"{path}: is a folder; give the name of a file"
        raise OutputError(msg)
    return path


def write_rows(tables: Iterable[pa.Table], path: Path) -> int:
    """Write tables of one schema to a file, completely or not at all; return the number of rows.

    Parameters
    ----------
    tables : iterable of Table
        At least one, which may be empty.
    path : Path
        Its ending chooses the format: ``.parquet``, ``.csv``, ``.jsonl``, the last two also with ``.gz``.
        The bytes of the file depend only on the rows, not on how they were split into tables.

    Raises
    ------
    SpoolError
        The ending is another one, or ``path`` is a folder.
    """
    name = file_of_rows(path).name.removesuffix(".gz")
    with whole(path) as temporary:
        if path.name.endswith(".parquet"):
            return _write_parquet(_groups(tables), temporary)
        return _write_text(_groups(tables), temporary, csv=name.endswith(".csv"), packed=name != path.name)


def _groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield the rows in tables of :data:`ROW_GROUP` rows, each of one chunk; yield at least one table."""
    held: pa.Table | None = None
    started = False
    for table in tables:
        held = table if held is None else pa.concat_tables([held, table])
        while held.num_rows >= ROW_GROUP:
            started = True
            # Parquet tests its page limits at the ends of chunks, so chunks would change the bytes of the file
            yield held.slice(0, ROW_GROUP).combine_chunks()
            held = held.slice(ROW_GROUP)
    if held is not None and (held.num_rows or not started):
        yield held.combine_chunks()


def _write_parquet(groups: Iterator[pa.Table], temporary: Path) -> int:
    first = next(groups)
    with parquet.ParquetWriter(temporary, first.schema, compression="zstd") as writer:
        rows = 0
        for table in chain([first], groups):
            writer.write_table(table, row_group_size=ROW_GROUP)
            rows += table.num_rows
    return rows


def _write_text(groups: Iterator[pa.Table], temporary: Path, *, csv: bool, packed: bool) -> int:
    rows = 0
    with temporary.open("wb") as raw, ExitStack() as stack:
        out: Any = stack.enter_context(gzip.GzipFile("", "wb", 6, raw, mtime=0)) if packed else raw
        for table in groups:
            frame = table.to_pandas()
            if csv:
                # without quotes, other readers would take a carriage return in a text for the end of the row
                text = frame.to_csv(
                    index=False, header=not rows, lineterminator="\n", quoting=QUOTE_NONNUMERIC
                )
            else:
                text = frame.to_json(orient="records", lines=True, force_ascii=False, date_format="iso")
            out.write(text.encode("utf-8"))
            rows += len(frame)
    return rows
