"""Files: written whole or not at all, never over an input; tables as Parquet, CSV or JSON lines; what is shipped."""

from __future__ import annotations

import glob
import gzip
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from csv import QUOTE_NONNUMERIC
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from toolkit.errors import OutputError, UsageError

# rows of a Parquet row group in results; fixed, so that bytes do not depend on the batch size
ROW_GROUP = 8192
# bytes of a footer that are read
FOOTER = {"thrift_string_size_limit": 100 << 20, "thrift_container_size_limit": 100 << 20}
DAMAGE = (pa.ArrowException, OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What a damaged file, or one of another kind, may raise when it is read."""
# a file of any size that cannot be read: a lookup in C raises KeyError, for of an error in Python pyarrow would format
# the traceback, which compiles the source line
_NOTHING = SimpleNamespace(read={}.__getitem__, seek=lambda *_: 0, tell=lambda: 1 << 62, closed=False)
ENDINGS = (".parquet", ".csv", ".csv.gz", ".jsonl", ".jsonl.gz")  # of the files that write_rows writes


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; if the block succeeds, rename that file to ``path`` in one step."""
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
    for left in path.parent.glob(f".{glob.escape(path.stem)}.*.tmp{glob.escape(path.suffix)}"):
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
    """Return ``path`` if :func:`write_rows` can write it, else raise OutputError; called before the work begins."""
    path = Path(path)
    if not path.name.endswith(ENDINGS):
        raise OutputError(f"{path}: unknown ending; use {', '.join(ENDINGS)}")
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; give the name of a file")
    return path


def column_chunks(file: parquet.ParquetFile, group: int) -> list[Any]:
    """Return what a row group of a Parquet file states of each of its columns; ValueError if a footer is damaged.

    Asked for a column that is left out or contradicts itself, pyarrow ends the process; reading it, it raises. So
    reading is begun first, on a file that gives nothing.
    """
    about = file.metadata.row_group(group)
    if about.num_columns != len(file.schema):
        msg = f"damaged: row group {group} has {about.num_columns} columns, the schema {len(file.schema)}"
        raise ValueError(msg)
    begun = parquet.ParquetFile(_NOTHING, metadata=file.metadata)
    for column in range(about.num_columns):
        try:
            next(begun.reader.iter_batches(1, [group], column_indices=[column], use_threads=False), None)
        except KeyError as error:
            # Arrow keeps the error for good; its traceback would keep the variables of every caller
            error.__traceback__ = None
            if type(error) is not KeyError:  # one of pyarrow's own
                raise
            # else the pages were asked for: the column is sound
    return [about.column(column) for column in range(about.num_columns)]


def parquet_file(path: str | Path) -> parquet.ParquetFile:
    """Open a Parquet file that may be a stranger's; raise some of :data:`DAMAGE` if its footer is damaged."""
    file = parquet.ParquetFile(path, **FOOTER)
    for group in range(file.num_row_groups):
        column_chunks(file, group)
    return file


def table_of(frame: pd.DataFrame) -> pa.Table:
    """Return a frame as the Arrow table that is written of it."""
    frame = frame.copy(deep=False)
    frame.attrs = {}  # the quarantine is a table of its own
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)


def write_rows(tables: Iterable[pa.Table], path: Path) -> int:
    """Write tables of one schema, at least one, in the format of the ending of ``path``; return the number of rows.

    The bytes of the file depend only on the rows, not on how they were split into tables.
    """
    name = file_of_rows(path).name.removesuffix(".gz")
    with whole(path) as temporary:
        if not name.endswith(".parquet"):
            how = {"csv": name.endswith(".csv"), "packed": name != path.name}
            return _write_text(_groups(tables), temporary, **how)
        rows, writer = 0, None
        with ExitStack() as stack:
            for table in _groups(tables):
                if writer is None:
                    writer = parquet.ParquetWriter(temporary, table.schema, compression="zstd")
                    stack.enter_context(writer)
                writer.write_table(table, row_group_size=ROW_GROUP)
                rows += table.num_rows
                del table  # or it would be held while the next one is made
        return rows


def _groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield the rows in tables of :data:`ROW_GROUP` rows, each of one chunk; yield at least one table."""
    held: pa.Table | None = None
    started = False
    for table in tables:
        held = table if held is None else pa.concat_tables([held, table])
        while held.num_rows >= ROW_GROUP:
            started = True
            columns, held = held.slice(0, ROW_GROUP).columns, held.slice(ROW_GROUP)
            yield _one_chunk(columns, held.schema)
    if held is not None and (held.num_rows or not started):
        yield _one_chunk(held.columns, held.schema)


def _one_chunk(columns: list[pa.ChunkedArray], schema: pa.Schema) -> pa.Table:
    """Return a table of one chunk, for Parquet tests its page limits at the ends of chunks; ``columns`` is emptied."""
    columns.reverse()  # a column is let go as soon as it is copied, or all would be in memory twice
    return pa.Table.from_arrays([columns.pop().combine_chunks() for _ in range(len(columns))], schema=schema)


def _write_text(groups: Iterator[pa.Table], temporary: Path, *, csv: bool, packed: bool) -> int:
    rows = 0
    with temporary.open("wb") as raw, ExitStack() as stack:
        out: Any = stack.enter_context(gzip.GzipFile("", "wb", 6, raw, mtime=0)) if packed else raw
        for table in groups:
            frame = table.to_pandas()
            if csv:  # in quotes, for other readers take a carriage return in a text for the end of the row
                quoted = {"lineterminator": "\n", "quoting": QUOTE_NONNUMERIC}
                text = frame.to_csv(index=False, header=not rows, **quoted)
            else:
                text = frame.to_json(orient="records", lines=True, force_ascii=False, date_format="iso")
            out.write(text.encode("utf-8"))
            rows += len(frame)
    return rows


def shipped(name: str) -> Path:
    """Return the path of a file or folder that ships with the package, such as ``"taxonomy.json"`` or ``"sample"``."""
    for root in (Path(__file__).parent, Path(__file__).parents[1]):  # the wheel, the checkout
        if (root / "data" / name).exists():
            return root / "data" / name
    raise FileNotFoundError(f"{name}: not among the files that ship with news-toolkit; reinstall the package")


def word_lists(name: str) -> dict[str, list[str]]:
    """Return the words of a text file that ships with the package: ``name: words`` in a line, or in several."""
    found: dict[str, list[str]] = {}
    for line in shipped(name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            key, _, words = line.partition(": ")
            found.setdefault(key, []).extend(words.split())
    return found


def text_digest(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def placed(place: str | os.PathLike[str]) -> str | Path:
    """Return a place as a person names it, with their home for ``~``; an empty one is a FileNotFoundError."""
    if not os.fspath(place):
        raise FileNotFoundError("'' is no path; give a file, a glob or a folder ('.' is the one you are in)")
    own = str(place) == "~" or str(place).startswith(("~/", f"~{os.sep}"))  # ~old.csv is a file
    found = os.path.expanduser(place) if own else os.fspath(place)  # noqa: PTH111 - leaves URLs as they are
    return found if isinstance(place, str) else Path(found)


def listed(inputs: Iterable[str | Path] | str | Path) -> list[str | Path]:
    """Return one input or several as a list of places."""
    return [placed(each) for each in ([inputs] if isinstance(inputs, (str, Path)) else inputs)]


def refuse_overwriting(inputs: Sequence[str | Path | None], *outputs: str | Path | None) -> None:
    """Refuse outputs that are inputs, would be read as inputs the next time, or are one file: UsageError.

    ``inputs`` are files, folders and patterns, as :func:`toolkit.load` takes them; links are followed.
    """
    taken: set[Path] = set()
    for output in (output for output in outputs if output is not None):
        place = _real(output)
        if place in taken:
            raise UsageError(f"{output}: is the place of two results; give each its own")
        taken.add(place)
        parts = [place, *place.parents]
        for item in (str(item) for item in inputs if item is not None and str(item) != "-"):
            real, pattern = _real(item), glob.has_magic(item) and not Path(item).exists()
            found = glob.glob(item, recursive=True) if pattern else [item]  # noqa: PTH207
            if real == place or any(_same(path, place) for path in found):
                raise UsageError(f"{output}: is read as input; give the output another place")
            if (real in parts and real.is_dir()) or (pattern and any(_fits(part, item) for part in parts)):
                mend = f"give it a place that {item} leaves out"
                raise UsageError(f"{output}: would be read as input the next time; {mend}")


def _real(path: str | Path) -> Path:
    return Path(os.path.normcase(os.path.realpath(path)))


def _same(path: str, place: Path) -> bool:
    try:
        return Path(path).samefile(place)  # hard links too
    except OSError:
        return False


def _fits(place: Path, pattern: str) -> bool:
    """Whether a pattern would find the place, once it is there."""
    wanted = Path(os.path.abspath(pattern)).parts  # noqa: PTH100
    fixed = next(n for n, part in enumerate(wanted) if glob.has_magic(part))
    wanted = (*_real(Path(*wanted[:fixed])).parts, *wanted[fixed:])
    if "**" in wanted:
        return fnmatch(str(place), str(Path(*wanted)).replace(f"**{os.sep}", "*"))
    return len(wanted) == len(place.parts) and all(map(fnmatch, place.parts, wanted))
