"""Files: written whole or not at all, and tables written as Parquet, CSV or JSON lines."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from csv import QUOTE_NONNUMERIC
from glob import escape
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from toolkit.errors import OutputError

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
    # two processes, on two machines perhaps, may write the same part at once
    temporary = path.with_name(f".{path.stem}.{uuid4().hex}.tmp{path.suffix}")
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


def table_of(frame: pd.DataFrame) -> pa.Table:
    """Return a frame as the Arrow table that is written of it."""
    frame = frame.copy(deep=False)
    frame.attrs = {}  # the quarantine is a table of its own
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)


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
    OutputError
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
