"""JSON Lines: whole blocks by Arrow where that gives the same result as Python's json."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.json as pj

from toolkit import fields
from toolkit.loading import jsonfiles
from toolkit.loading.mapping import Options, Rows
from toolkit.loading.quarantine import Limits, Unreadable
from toolkit.loading.readers.driver import ROWS_OF_COLUMNS, Archive, Record, foreseen
from toolkit.loading.streams import CHUNK, is_utf8

BLOCK = 4 << 20  # bytes of whole lines read at a time


def json_lines(archive: Archive) -> Iterator[Rows]:
    """JSON Lines, one record a line."""
    reader = _Reader(archive.options)
    for block in _blocks(archive):
        if isinstance(block, Unreadable):
            yield Rows({}, 1, {0: block})
        elif (rows := reader.by_arrow(block)) is not None:
            yield rows
        else:
            for first in range(0, len(block), ROWS_OF_COLUMNS):
                yield _by_line(block[first : first + ROWS_OF_COLUMNS], archive.options.limits)


def _blocks(archive: Archive) -> Iterator[list[bytes] | Unreadable]:
    """Yield lines that are not blank, a block at a time, and the reason in place of a line that is too long.

    Where the stream is damaged, the last whole lines come first; the error then carries the rest.
    """
    stream = archive.utf8(expected=True)
    file = io.BufferedReader(stream, CHUNK)
    lines: list[bytes] = []
    held = 0
    while line := file.readline(archive.limit + 1):
        if len(line) > archive.limit:
            yield lines
            yield archive.too_large("record", line)
            lines, held = [], 0
            while line and not line.endswith(b"\n"):
                line = file.readline(CHUNK)
        elif line.strip():
            lines.append(line)
            held += len(line)
        if held >= BLOCK:
            yield lines
            lines, held = [], 0
    cut_off = stream.failure is not None and lines and not lines[-1].endswith(b"\n")
    rest = lines.pop() if cut_off else b""
    yield lines
    if stream.failure is not None:
        raise Unreadable(str(stream.failure), rest)


def _by_line(lines: list[bytes], limits: Limits) -> Rows:
    found: list[Record | Unreadable | None] = []
    for line in lines:
        try:
            with foreseen():
                found.append(_record(line, limits))
        except Unreadable as failure:
            found.append(Unreadable(str(failure), line))
    return Rows.of(found, lines)


def _record(line: bytes, limits: Limits) -> Record:
    deep = Unreadable(f"JSON nested deeper than {limits.json_depth}")
    try:
        value = json.loads(line.decode("utf-8"), object_pairs_hook=jsonfiles.object_of)
    except UnicodeDecodeError as error:
        where = f"byte 0x{line[error.start]:02x} at {error.start}"
        raise Unreadable(f"not valid UTF-8: {where}; pass encoding= if the file is in another") from None
    except RecursionError:
        raise deep from None
    except ValueError as error:
        raise Unreadable(f"not valid JSON: {error}") from None
    if _brackets(line) > limits.json_depth and jsonfiles.depth(value) > limits.json_depth:
        raise deep
    if not isinstance(value, dict):
        raise Unreadable("a JSON line must hold an object")
    if not fields.candidates("text", value) and (name := jsonfiles.wrapper(value)):
        # a reply of a news API
        mend = f"write one a line: jq -c '.[\"{name}\"][]'"
        raise Unreadable(f"holds {len(value[name])} records under {name!r}, not one; {mend}")
    return jsonfiles.unwrap(value)


class _Reader:
    """Reads block after block by Arrow, remembering which fields have been strings so far."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._kinds: dict[str, pa.DataType] | None = None

    def by_arrow(self, lines: list[bytes]) -> Rows | None:
        """Return the records of some lines, or None where Python's json might read them otherwise."""
        # Arrow takes several objects on one line, an object over several lines, dates for timestamps, and walks
        # nested values by recursion; Python's json is the judge, so such blocks are left to it
        whole = all(line.startswith(b"{") and line.rstrip(b"\r\n").endswith(b"}") for line in lines)
        if not whole or max(map(_brackets, lines), default=0) > self._options.limits.json_depth:
            return None
        block = b"".join(lines)
        if not block or b"\0" in block or not is_utf8(block):
            return None
        for _ in range(4):
            table = self._parse(block)
            if table is None or table.num_rows != len(lines) or _is_nested(table, block):
                return None
            # a field that is null throughout and one that is absent look the same once it has a type
            kinds = self._kinds or {}
            empty = {name for name in kinds if table[name].null_count == len(lines)}
            typed = {field.name for field in table.schema if not pa.types.is_null(field.type)}
            late = set(filter(self._options.wants, typed - set(kinds)))
            if not empty and not late:
                # one block gives one chunk; combining chunks fails for lists of nothing but null
                columns = {name: table[name].chunk(0) for name in table.column_names}
                return Rows(columns, table.num_rows, raw=lines.__getitem__)
            self._kinds = {name: kind for name, kind in kinds.items() if name not in empty}
            for name in sorted(late):  # of the kind of the first value that the field has
                values = (json.loads(line).get(name) for line in lines)
                self._kinds[name] = _kind(next((value for value in values if value is not None), None))
        return None

    def _parse(self, block: bytes) -> pa.Table | None:
        try:
            if self._kinds is None:
                first = json.loads(block[: block.index(b"\n")])
                self._kinds = {
                    name: _kind(value) for name, value in first.items() if self._options.wants(name)
                }
            schema = pa.schema(list(self._kinds.items()))
            how = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="infer")
            whole = pj.ReadOptions(use_threads=False, block_size=len(block) + 1)
            return pj.read_json(pa.BufferReader(block), read_options=whole, parse_options=how)
        except (pa.ArrowException, ValueError, RecursionError):
            return None


def _is_nested(table: pa.Table, block: bytes) -> bool:
    """Whether a record may have to be unwrapped, or a text stripped of the mark of a news API."""
    objects = {f.name for f in table.schema if pa.types.is_struct(f.type)}
    lists = [f for f in table.schema if pa.types.is_list(f.type)]
    lists_of_objects = {f.name for f in lists if pa.types.is_struct(f.type.value_type)}
    return (
        any(fields.markup_kind(name) or name in jsonfiles.KEYS for name in table.column_names)
        or bool(objects & jsonfiles.NESTED or lists_of_objects & jsonfiles.WRAPPERS)
        or ("source" in objects and b" chars]" in block)
    )


def _kind(value: Any) -> pa.DataType:
    """Return the Arrow type under which a field's values come through unchanged."""
    if isinstance(value, list) and all(isinstance(inner, str) for inner in value):
        return pa.list_(pa.string())
    return pa.int64() if isinstance(value, int) and not isinstance(value, bool) else pa.string()


def _brackets(line: bytes) -> int:
    """Return the opening brackets on a line: a bound on its depth."""
    return line.count(b"[") + line.count(b"{")
