"""Parquet, Feather and Arrow files, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from toolkit import fields
from toolkit.loading.mapping import Block, numbered
from toolkit.loading.options import Options
from toolkit.loading.quarantine import Rejected, Unreadable, printable
from toolkit.loading.streams import Stream

ROWS = 2_000
"""Records read at a time."""

_LARGEST_HEADER = 100 << 20


def read(stream: Stream, label: str, options: Options) -> Iterator[Block | Rejected]:
    """Parquet, Feather 2 and Arrow files.

    Known by: content, `.parquet`, `.feather`, `.arrow`, `.ipc`
    Read as: batch by batch, only the columns that a corpus can use; dictionary, binary and list columns too
    Fields: those of [Fields](#fields)
    Bad input: `cannot be read as a columnar file` where it is truncated; `column 'text' holds int64, no text`;
    `column 'title' is not valid UTF-8` for a record
    """
    file = stream.seekable()
    number = 0
    batches = _batches(file, options)
    while True:
        try:
            batch = next(batches, None)
            checked = [] if batch is None else list(_checked(batch, label, number + 1))
        except (pa.ArrowException, OSError, ValueError, KeyError) as error:
            place = f"{label}#{number + 1}" if number else label
            yield Rejected(
                place, f"cannot be read as a columnar file: {_first_line(error)}; what follows is lost"
            )
            return
        if batch is None:
            break
        stream.budget.spend(batch.nbytes)
        yield from checked
        number += batch.num_rows
    if not number:
        yield Rejected(label, "no records: the file holds a schema only")


def _batches(file: Any, options: Options) -> Iterator[pa.RecordBatch]:
    start = file.read(8)
    file.seek(0)
    if start.startswith(b"PAR1"):
        parquet = pq.ParquetFile(
            file, thrift_string_size_limit=_LARGEST_HEADER, thrift_container_size_limit=_LARGEST_HEADER
        )
        wanted: list[str] | None = [name for name in parquet.schema_arrow.names if _wanted(name, options)]
        if not fields.candidates("text", wanted or [], options.columns):
            wanted = None  # all of them, to say what was found instead
        else:
            _check_kind(parquet.schema_arrow, options)
        yield from parquet.iter_batches(batch_size=ROWS, columns=wanted, use_threads=False)
    elif start.startswith(b"ARROW1"):
        reader = pa.ipc.open_file(file)
        _check_kind(reader.schema, options)
        for i in range(reader.num_record_batches):
            yield from _sliced(reader.get_batch(i))
    elif start.startswith(b"FEA1"):
        msg = "Feather version 1; write it again with a current pyarrow"
        raise ValueError(msg)
    else:
        stream = pa.ipc.open_stream(file)
        _check_kind(stream.schema, options)
        for batch in stream:
            yield from _sliced(batch)


def _check_kind(schema: pa.Schema, options: Options) -> None:
    kinds = {
        name: schema.field(name).type for name in fields.candidates("text", schema.names, options.columns)
    }
    numbers = {n: k for n, k in kinds.items() if pa.types.is_primitive(k)}
    if numbers and len(numbers) == len(kinds):
        name, kind = next(iter(numbers.items()))
        msg = f'column {name!r} holds {kind}, no text; pass columns={{"text": …}} with the one that does'
        raise Unreadable(msg)


def _sliced(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    batch.validate(full=False)
    for start in range(0, batch.num_rows, ROWS):
        yield batch.slice(start, ROWS)


def _wanted(name: str, options: Options) -> bool:
    told = {fields.squash(value) for value in options.columns.values()}
    return fields.is_known(name) or fields.is_markup(name) or fields.squash(name) in told


def _checked(batch: pa.RecordBatch, label: str, first: int) -> Iterator[Block | Rejected]:
    """Yield the batch without the records whose strings are not UTF-8."""
    places = numbered(label, first, batch.num_rows)
    columns: dict[str, Any] = {}
    bad: dict[int, tuple[str, bytes]] = {}
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        columns[name] = _decoded(name, values, bad)
    for row, (name, value) in sorted(bad.items()):
        yield Rejected(places[row].as_py(), f"column {name!r} is not valid UTF-8", printable(value))
    if bad:
        good = pa.array([row not in bad for row in range(batch.num_rows)])
        places = places.filter(good)
        columns = {name: values.filter(good) for name, values in columns.items()}
    yield Block(columns, places)


_AS_BYTES = {
    pa.string(): pa.binary(),
    pa.large_string(): pa.large_binary(),
    pa.string_view(): pa.binary_view(),
}


def _decoded(name: str, values: pa.Array, bad: dict[int, tuple[str, bytes]]) -> pa.Array:
    kind = values.type
    if pa.types.is_dictionary(kind):
        # made anew, which looks whether every index is inside
        inside = pa.DictionaryArray.from_arrays(values.indices, values.dictionary)
        return _decoded(name, inside.cast(kind.value_type), bad)
    if isinstance(kind, pa.ExtensionType):
        return _decoded(name, values.storage, bad)
    textual = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)
    if not textual and not binary:
        values.validate(full=True)
        return values
    raw = values.view(_AS_BYTES[kind]) if textual else values
    raw.validate(full=True)  # an offset outside the buffers would be followed into other memory
    try:
        strings = values.cast(pa.large_string())
        strings.validate(full=True)
    except (pa.ArrowException, UnicodeDecodeError):
        decoded: list[str | None] = []
        for row, value in enumerate(raw.to_pylist()):
            try:
                decoded.append(None if value is None else value.decode("utf-8"))
            except UnicodeDecodeError:
                bad.setdefault(row, (name, value[:800]))
                decoded.append(None)
        return pa.array(decoded, pa.large_string())
    return strings


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0] or type(error).__name__
