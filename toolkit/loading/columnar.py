"""Parquet, Feather and Arrow files, batch by batch."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from toolkit import fields
from toolkit.files import FOOTER, column_chunks
from toolkit.loading.jsonfiles import flattened
from toolkit.loading.mapping import Options, Rows
from toolkit.loading.quarantine import Unreadable
from toolkit.loading.readers.driver import ROWS_OF_COLUMNS, Archive
from toolkit.loading.streams import Budget

BATCH = 32 << 20  # bytes that a batch may come to, where a dictionary makes few bytes many
ROW = 64  # bytes that a row counts at least: rows of nothing fill the quarantine
_LARGEST_HEADER = 100 << 20
_CONTINUES = b"\xff" * 4  # how a message of an Arrow stream begins; its end mark has the length 0 after it
_TEXTS = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary(), pa.string_view(): pa.binary_view()}
_BYTES = frozenset(_TEXTS.values())


def columnar(archive: Archive) -> Iterator[Rows]:
    """Parquet, Feather 2 and Arrow files."""
    budget = archive.stream.budget
    try:
        for batch in _batches(archive.stream.as_file(), archive.options, budget):
            yield _checked(batch, budget)
    except (pa.ArrowException, OSError, ValueError, KeyError, struct.error) as error:
        first = str(error).strip().split("\n", 1)[0] or type(error).__name__
        raise Unreadable(f"cannot be read as a columnar file: {first}; what follows is lost") from None


def _batches(file: Any, options: Options, budget: Budget) -> Iterator[pa.RecordBatch]:
    start = file.read(8)
    file.seek(0)
    if start.startswith(b"FEA1"):
        raise ValueError("Feather version 1; write it again with a current pyarrow")
    if start.startswith(b"PAR1"):
        parquet = pq.ParquetFile(file, **FOOTER)
        names = parquet.schema_arrow.names
        wanted: list[str] | None = [name for name in names if options.wants(name)]
        if not fields.candidates("text", wanted or [], options.columns):
            wanted = None  # all of them, to say what was found instead
        else:
            _check_kind(parquet.schema_arrow, options)
        budget.afford(ROW * parquet.metadata.num_rows)
        for group in range(parquet.num_row_groups):
            rows = _rows_of_group(file, parquet, group, wanted, budget)
            yield from parquet.iter_batches(rows, row_groups=[group], columns=wanted, use_threads=False)
        return
    # an Arrow file is a stream between two marks; read as one, only messages whose sizes were looked at are unpacked
    begin = 8 if start.startswith(b"ARROW1") else 0
    budget.afford(sum(_sizes_of_messages(file, begin)))
    file.seek(begin)
    stream = pa.ipc.open_stream(file)
    _check_kind(stream.schema, options)
    for batch in stream:
        batch.validate(full=False)
        for first in range(0, batch.num_rows, ROWS_OF_COLUMNS):
            yield batch.slice(first, ROWS_OF_COLUMNS)
    _check_end(file, begin)


def _check_end(file: Any, begin: int) -> None:
    """Refuse an Arrow stream without an end mark or with bytes behind it, and an Arrow file without its footer."""
    place = file.tell()
    rest = file.seek(0, 2) - place
    file.seek(max(place - 8, 0))
    if not begin and file.read(8) != _CONTINUES + bytes(4):
        raise ValueError("no end mark, so perhaps cut off")
    if begin:
        file.seek(max(place, place + rest - 10))
        footer, mark = struct.unpack("<i6s", file.read(10).ljust(10, b"\0"))
        if mark != b"ARROW1":
            raise ValueError("cut off or followed by other bytes: no footer at its end")
        rest -= footer + 10
    if rest:
        raise ValueError(f"{abs(rest)} bytes stand behind its end mark")


def _rows_of_group(file: Any, parquet: Any, group: int, wanted: list[str] | None, budget: Budget) -> int:
    """Return how many rows of a row group may be read at a time, or refuse it by what its metadata announce.

    A dictionary holds a value once that stands in every row: 322 bytes can say 1.5 GB.
    """
    about, stated = parquet.metadata.row_group(group), column_chunks(parquet, group)
    columns = [(parquet.schema.column(i), chunk) for i, chunk in enumerate(stated)]
    read = [each for each in columns if wanted is None or each[0].path.split(".")[0] in wanted]
    sizes = [size for _, chunk in read for size in (chunk.total_uncompressed_size, chunk.num_values)]
    budget.afford(max([about.num_rows, *sizes]))
    rows = ROWS_OF_COLUMNS
    for leaf, chunk in read:
        if not chunk.has_dictionary_page or leaf.physical_type != "BYTE_ARRAY":
            continue
        values = -(-chunk.num_values // max(about.num_rows, 1))
        coded = pq.ParquetFile(file, read_dictionary=[leaf.path], **FOOTER)
        first = next(coded.iter_batches(1, row_groups=[group], columns=[leaf.path], use_threads=False), None)
        column = pa.nulls(0) if first is None else first.column(0)
        while not pa.types.is_dictionary(column.type) and hasattr(column, "flatten"):
            column = column.flatten() if pa.types.is_list(column.type) else column.flatten()[0]
        if pa.types.is_dictionary(column.type):
            largest = values * (pc.max(pc.binary_length(column.dictionary)).as_py() or 0)
            if largest > BATCH:
                budget.afford(largest)
            rows = max(1, min(rows, BATCH // max(largest, 1)))
    return rows


def _sizes_of_messages(file: Any, start: int) -> Iterator[int]:
    """Yield what each message of an Arrow file (IPC format) unpacks to, from its metadata."""
    end = file.seek(0, 2)
    file.seek(start)
    while len(head := file.read(8)) == 8:
        if not head.startswith(_CONTINUES):
            raise ValueError("damaged, or written before Arrow 0.15; write it again with a current pyarrow")
        (size,) = struct.unpack("<i", head[4:])
        if not 0 < size <= _LARGEST_HEADER:
            return
        data = file.read(size)
        body = file.tell()
        message = _Table(data, 0)
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


class _Table:
    """A table of a flatbuffer: its fields by number (flatbuffers.dev, 'FlatBuffer internals')."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at + self._read("<I", at)
        self._fields = self.at - self._read("<i", self.at)

    def _read(self, kind: str, at: int) -> int:
        return int(struct.unpack_from(kind, self.data, at)[0])

    def place(self, field: int) -> int | None:
        """Return where a field stands, or None where it has its default."""
        inside = 4 + 2 * field < self._read("<H", self._fields)
        offset = self._read("<H", self._fields + 4 + 2 * field) if inside else 0
        return self.at + offset if offset else None

    def number(self, field: int, kind: str) -> int:
        place = self.place(field)
        return 0 if place is None else self._read(kind, place)

    def table(self, field: int) -> _Table | None:
        place = self.place(field)
        return None if place is None else _Table(self.data, place)

    def pairs(self, field: int) -> list[tuple[int, int]]:
        """Return a vector of structs of two 64-bit numbers."""
        if (place := self.place(field)) is None:
            return []
        vector = place + self._read("<I", place)
        count = self._read("<I", vector)
        inside = 16 * count <= len(self.data)
        return list(struct.iter_unpack("<qq", self.data[vector + 4 :][: 16 * count])) if inside else []


def _check_kind(schema: pa.Schema, options: Options) -> None:
    """Refuse a column whose size is unknown before it is read, and a column of texts that holds only numbers."""
    for name in schema.names:
        if fields.is_known(name) and schema.names.count(name) > 1:
            raise Unreadable(f"two columns are called {name!r}: rename the one that is not to be read")
    kinds = dict(zip(schema.names, schema.types, strict=True))
    for name, kind in kinds.items():
        if options.wants(name) and _repeats_inside(kind):
            raise Unreadable(f"column {name!r} holds {kind}, which can grow without bound; not read")
    texts = fields.candidates("text", schema.names, options.columns)
    if texts and all(pa.types.is_primitive(kinds[name]) for name in texts):
        mend = 'pass columns={"text": …} with the one that does'
        raise Unreadable(f"column {texts[0]!r} holds {kinds[texts[0]]}, no text; {mend}")


def _repeats_inside(kind: pa.DataType, inside: bool = False) -> bool:
    """Whether a type holds run ends, or dictionaries below its surface."""
    if pa.types.is_run_end_encoded(kind) or (inside and pa.types.is_dictionary(kind)):
        return True
    if isinstance(kind, pa.ExtensionType):
        return _repeats_inside(kind.storage_type, inside)
    return any(_repeats_inside(kind.field(i).type, True) for i in range(kind.num_fields))


def _checked(batch: pa.RecordBatch, budget: Budget) -> Rows:
    """Return the batch without the records whose strings are not UTF-8."""
    columns: dict[str, Any] = {}
    bad: dict[int, Unreadable | None] = {}
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        columns[name] = _decoded(name, values, bad, budget)
        budget.spend(columns[name].nbytes)
    if bad:
        good = pa.array([row not in bad for row in range(batch.num_rows)])
        columns = {name: values.filter(good) for name, values in columns.items()}
    return Rows(flattened(columns), batch.num_rows, bad)


def _decoded(name: str, values: pa.Array, bad: dict[int, Unreadable | None], budget: Budget) -> pa.Array:
    """Return a column with its strings checked; note the records whose value is none."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        # made anew, which looks whether every index is inside
        inside = pa.DictionaryArray.from_arrays(values.indices, values.dictionary)
        if kind.value_type in _TEXTS or kind.value_type in _BYTES:
            lengths = pc.cast(pc.binary_length(values.dictionary), pa.int64())
            budget.afford(pc.sum(lengths.take(values.indices)).as_py() or 0)
        return _decoded(name, inside.cast(kind.value_type), bad, budget)
    if isinstance(kind, pa.ExtensionType):
        return _decoded(name, values.storage, bad, budget)
    if kind not in _TEXTS and kind not in _BYTES:
        values.validate(full=True)
        return values
    raw = values.view(_TEXTS[kind]) if kind in _TEXTS else values
    raw.validate(full=True)  # an offset outside the buffers would be followed into other memory
    try:
        strings = values.cast(pa.large_string())
        strings.validate(full=True)
        return strings
    except (pa.ArrowException, UnicodeDecodeError):
        decoded: list[str | None] = []
        for row, value in enumerate(raw.to_pylist()):
            try:
                decoded.append(None if value is None else value.decode("utf-8"))
            except UnicodeDecodeError:
                bad.setdefault(row, Unreadable(f"column {name!r} is not valid UTF-8", value))
                decoded.append(None)
        return pa.array(decoded, pa.large_string())
