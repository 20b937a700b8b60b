"""Parquet, Feather and Arrow files, batch by batch."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from toolkit import fields
from toolkit.loading.limits import Budget
from toolkit.loading.mapping import Block, numbered
from toolkit.loading.options import Options
from toolkit.loading.quarantine import Rejected, Unreadable, printable
from toolkit.loading.streams import Stream

ROWS = 2_000
"""Records read at a time."""

BATCH = 32 << 20
"""Bytes that a batch may come to, where a dictionary makes few bytes many."""

ROW = 64
"""Bytes that a row counts at least: rows of nothing fill the quarantine."""

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
    batches = _batches(file, options, stream.budget)
    while True:
        try:
            batch = next(batches, None)
            checked = [] if batch is None else list(_checked(batch, label, number + 1, stream.budget))
        except (pa.ArrowException, OSError, ValueError, KeyError, struct.error) as error:
            place = f"{label}#{number + 1}" if number else label
            yield Rejected(
                place, f"cannot be read as a columnar file: {_first_line(error)}; what follows is lost"
            )
            return
        if batch is None:
            break
        yield from checked
        number += batch.num_rows
    if not number:
        yield Rejected(label, "no records: the file holds a schema only")


def _batches(file: Any, options: Options, budget: Budget) -> Iterator[pa.RecordBatch]:
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
        budget.afford(ROW * parquet.metadata.num_rows)
        for group in range(parquet.num_row_groups):
            rows = _rows_of_group(file, parquet, group, wanted, budget)
            yield from parquet.iter_batches(rows, row_groups=[group], columns=wanted, use_threads=False)
    elif start.startswith(b"ARROW1"):
        budget.afford(sum(_sizes_of_messages(file, 8)))
        file.seek(0)
        reader = pa.ipc.open_file(file)
        _check_kind(reader.schema, options)
        for i in range(reader.num_record_batches):
            yield from _sliced(reader.get_batch(i))
    elif start.startswith(b"FEA1"):
        msg = "Feather version 1; write it again with a current pyarrow"
        raise ValueError(msg)
    else:
        budget.afford(sum(_sizes_of_messages(file, 0)))
        file.seek(0)
        stream = pa.ipc.open_stream(file)
        _check_kind(stream.schema, options)
        for batch in stream:
            yield from _sliced(batch)


def _rows_of_group(file: Any, parquet: Any, group: int, wanted: list[str] | None, budget: Budget) -> int:
    """Return how many rows of a row group may be read at a time, or refuse it by what its metadata announce.

    A dictionary holds a value once that stands in every row: 322 bytes can say 1.5 GB.
    """
    about = parquet.metadata.row_group(group)
    if about.num_columns != len(parquet.schema):  # pyarrow ends the process where it looks such a column up
        msg = f"damaged: row group {group} has {about.num_columns} columns, the schema {len(parquet.schema)}"
        raise ValueError(msg)
    leaves = [parquet.schema.column(i) for i in range(about.num_columns)]
    read = [i for i, leaf in enumerate(leaves) if wanted is None or leaf.path.split(".")[0] in wanted]
    chunks = [about.column(i) for i in read]
    sizes = [size for chunk in chunks for size in (chunk.total_uncompressed_size, chunk.num_values)]
    budget.afford(max([about.num_rows, *sizes]))
    rows = ROWS
    for leaf, chunk in zip((leaves[i] for i in read), chunks, strict=True):
        if not chunk.has_dictionary_page or leaf.physical_type != "BYTE_ARRAY":
            continue
        values = -(-chunk.num_values // max(about.num_rows, 1))
        coded = pq.ParquetFile(
            file, read_dictionary=[leaf.path], thrift_string_size_limit=_LARGEST_HEADER,
            thrift_container_size_limit=_LARGEST_HEADER,
        )  # fmt: skip
        first = next(coded.iter_batches(1, row_groups=[group], columns=[leaf.path], use_threads=False), None)
        column = None if first is None else first.column(0)
        while column is not None and not pa.types.is_dictionary(column.type) and hasattr(column, "flatten"):
            column = column.flatten() if pa.types.is_list(column.type) else column.flatten()[0]
        if column is None or not pa.types.is_dictionary(column.type):
            continue
        longest = pc.max(pc.binary_length(column.dictionary)).as_py() or 0
        if longest * values > BATCH:
            budget.afford(longest * values)
        rows = max(1, min(rows, BATCH // max(longest * values, 1)))
    return rows


def _sizes_of_messages(file: Any, start: int) -> Iterator[int]:
    """Yield what each message of an Arrow file (IPC format) unpacks to, from its metadata."""
    end = file.seek(0, 2)
    file.seek(start)
    while len(head := file.read(8)) == 8:
        mark, size = struct.unpack("<Ii", head)
        if mark != 0xFFFFFFFF:  # as written before Arrow 0.15
            size = mark
            file.seek(-4, 1)
        if not 0 < size <= _LARGEST_HEADER:
            return
        data = file.read(size)
        body = file.tell()
        message = _Table(data, _u32(data, 0))
        kind, batch = message.number(1, "<B"), message.table(2)
        if kind == 2 and batch is not None:  # a dictionary
            batch = batch.table(1)
        if kind in {2, 3} and batch is not None:
            packed = batch.place(3) is not None
            total = ROW * batch.number(0, "<q")
            for offset, length in batch.pairs(2):
                if packed and length >= 8:
                    file.seek(body + offset)
                    length = max(length, *struct.unpack("<q", file.read(8).ljust(8, b"\0")))
                total += length
            yield total
        after = body + message.number(3, "<q")
        if not body <= after <= end:
            return
        file.seek(after)


def _u32(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", data, at)[0])


class _Table:
    """A table of a flatbuffer: its fields by number (flatbuffers.dev, 'FlatBuffer internals')."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at
        self._fields = at - struct.unpack_from("<i", data, at)[0]

    def place(self, field: int) -> int | None:
        """Return where a field stands, or None where it has its default."""
        (size,) = struct.unpack_from("<H", self.data, self._fields)
        if 4 + 2 * field >= size:
            return None
        (offset,) = struct.unpack_from("<H", self.data, self._fields + 4 + 2 * field)
        return self.at + offset if offset else None

    def number(self, field: int, kind: str) -> int:
        place = self.place(field)
        return 0 if place is None else int(struct.unpack_from(kind, self.data, place)[0])

    def table(self, field: int) -> _Table | None:
        place = self.place(field)
        return None if place is None else _Table(self.data, place + _u32(self.data, place))

    def pairs(self, field: int) -> list[tuple[int, int]]:
        """Return a vector of structs of two 64-bit numbers."""
        place = self.place(field)
        if place is None:
            return []
        vector = place + _u32(self.data, place)
        count = _u32(self.data, vector)
        numbers = (
            struct.unpack_from(f"<{2 * count}q", self.data, vector + 4)
            if 16 * count <= len(self.data)
            else ()
        )
        return list(zip(numbers[::2], numbers[1::2], strict=True))


def _check_kind(schema: pa.Schema, options: Options) -> None:
    for name in schema.names:
        if _wanted(name, options) and _repeats_inside(schema.field(name).type):
            msg = f"column {name!r} holds {schema.field(name).type}, whose size cannot be told beforehand; not read"
            raise Unreadable(msg)
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


def _repeats_inside(kind: pa.DataType, inside: bool = False) -> bool:
    """Whether a type holds run ends, or dictionaries below its surface."""
    if pa.types.is_run_end_encoded(kind) or (inside and pa.types.is_dictionary(kind)):
        return True
    if isinstance(kind, pa.ExtensionType):
        return _repeats_inside(kind.storage_type, inside)
    return any(_repeats_inside(kind.field(i).type, True) for i in range(kind.num_fields))


def _wanted(name: str, options: Options) -> bool:
    told = {fields.squash(value) for value in options.columns.values()}
    return fields.is_known(name) or fields.is_markup(name) or fields.squash(name) in told


def _checked(batch: pa.RecordBatch, label: str, first: int, budget: Budget) -> Iterator[Block | Rejected]:
    """Yield the batch without the records whose strings are not UTF-8."""
    places = numbered(label, first, batch.num_rows)
    columns: dict[str, Any] = {}
    bad: dict[int, tuple[str, bytes]] = {}
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        columns[name] = _decoded(name, values, bad, budget)
        budget.spend(columns[name].nbytes)
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


def _decoded(name: str, values: pa.Array, bad: dict[int, tuple[str, bytes]], budget: Budget) -> pa.Array:
    kind = values.type
    if pa.types.is_dictionary(kind):
        # made anew, which looks whether every index is inside
        inside = pa.DictionaryArray.from_arrays(values.indices, values.dictionary)
        if _AS_BYTES.keys() & {kind.value_type} or pa.types.is_binary(kind.value_type):
            lengths = pc.cast(pc.binary_length(values.dictionary), pa.int64())
            budget.afford(pc.sum(lengths.take(values.indices)).as_py() or 0)
        return _decoded(name, inside.cast(kind.value_type), bad, budget)
    if isinstance(kind, pa.ExtensionType):
        return _decoded(name, values.storage, bad, budget)
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
