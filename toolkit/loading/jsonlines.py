"""JSON Lines: blocks of whole lines, read by Arrow where that gives the same result as Python's json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.json as pj

from toolkit import fields
from toolkit.loading import shapes
from toolkit.loading.encodings import SAMPLE, as_utf8, line_encoding
from toolkit.loading.limits import Limits
from toolkit.loading.mapping import Block, numbered
from toolkit.loading.options import Options
from toolkit.loading.quarantine import Rejected, Unreadable, printable
from toolkit.loading.streams import Stream

BLOCK = 4 << 20
"""Bytes of whole lines read at a time."""


class Oversized(bytes):
    """The beginning of a line longer than a record may be; the rest of the line has been passed over."""


def read(stream: Stream, label: str, options: Options) -> Iterator[Block | Rejected]:
    """JSON Lines, one record a line.

    Known by: `.jsonl`, `.ndjson`, `.jl`, or an object on each line
    Read as: one record a line; blank lines are not counted
    Fields: those of [Fields](#fields), also nested as in JSON
    Bad input: one row a line: `not valid JSON: …`, `not valid UTF-8: byte 0xe9 at 12`, `a JSON line must hold an
    object`, `lone surrogate`, `JSON nested deeper than 100`, `record larger than 64 MiB`, `empty text`
    """
    limits = options.limits
    encoding = options.encoding or line_encoding(stream.peek(SAMPLE), utf8_expected=True)
    reader = _Reader(label, options)
    lines = line_blocks(as_utf8(stream, encoding), limits)
    while True:
        try:
            block = next(lines)
        except StopIteration:
            if not reader.count:
                yield Rejected(label, "no records: blank lines only")
            return
        except Unreadable as failure:
            yield Rejected(f"{label}#{reader.count + 1}", str(failure), failure.excerpt)
            return
        if isinstance(block, Oversized):
            reader.count += 1
            reason = f"record larger than {limits.record_bytes / 2**20:.3g} MiB; raise Limits.record_bytes"
            yield Rejected(f"{label}#{reader.count}", reason, printable(bytes(block)))
        else:
            yield from reader.read(block)


def line_blocks(stream: Stream, limits: Limits) -> Iterator[bytes]:
    """Yield blocks of whole lines; a line that is too long comes alone, cut, as :class:`Oversized`.

    Where the stream is damaged, the last whole lines come first; the error then carries the rest.
    """
    held = b""
    while True:
        try:
            piece = stream.read(BLOCK)
        except Unreadable as failure:
            if held and loads(held, limits)[1] is None:
                yield held
                held = b""
            raise Unreadable(str(failure), printable(held)) from None
        if not piece:
            if held:
                yield held
            return
        cut = piece.rfind(b"\n") + 1
        if cut:
            if len(held) + piece.find(b"\n") > limits.record_bytes:
                start = piece.find(b"\n") + 1
                yield Oversized(held[:800])
                held, piece, cut = b"", piece[start:], cut - start
            if cut:
                yield held + piece[:cut]
            held = piece[cut:]
        else:
            held += piece
        if len(held) > limits.record_bytes:
            yield Oversized(held[:800])
            held = _pass_line(stream)


def _pass_line(stream: Stream) -> bytes:
    """Read on to the end of the line; return what was read beyond it."""
    while piece := stream.read(BLOCK):
        cut = piece.find(b"\n") + 1
        if cut:
            return piece[cut:]
    return b""


def loads(line: bytes, limits: Limits) -> tuple[Any, str | None]:
    """Return the value of one line and None, or None and the reason why it has none."""
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        byte = line[error.start]
        return (
            None,
            f"not valid UTF-8: byte 0x{byte:02x} at {error.start}; pass encoding= if the file is in another",
        )
    except RecursionError:
        return None, f"JSON nested deeper than {limits.json_depth}"
    except ValueError as error:
        return None, f"not valid JSON: {error}"
    if line.count(b"[") + line.count(b"{") > limits.json_depth and depth(value) > limits.json_depth:
        return None, f"JSON nested deeper than {limits.json_depth}"
    return value, None


def depth(value: Any) -> int:
    """Return how many brackets enclose the innermost value.

    Examples
    --------
    >>> depth({"a": [1, [2]]})
    3
    """
    level, layer = 0, [value]
    while layer := [v for v in layer if isinstance(v, (dict, list))]:
        level += 1
        layer = [inner for v in layer for inner in (v.values() if isinstance(v, dict) else v)]
    return level


class _Reader:
    """Reads block after block, remembering which fields have been strings so far."""

    def __init__(self, label: str, options: Options) -> None:
        self.label = label
        self.options = options
        self.count = 0
        self._kinds: dict[str, pa.DataType] | None = None

    def read(self, block: bytes) -> Iterator[Block | Rejected]:
        table = self._by_arrow(block)
        if table is not None:
            # one block gives one chunk; combining chunks fails for lists of nothing but null
            columns = {name: table[name].chunk(0) for name in table.column_names}
            lines = cache(lambda: block.split(b"\n"))
            yield Block(
                columns, numbered(self.label, self.count + 1, table.num_rows), lambda row: lines()[row]
            )
            self.count += table.num_rows
            return
        yield from self._by_line(block)

    def _by_line(self, block: bytes) -> Iterator[Block | Rejected]:
        records, places, lines = [], [], []
        for line in block.split(b"\n"):
            if not line.strip():
                continue
            self.count += 1
            place = f"{self.label}#{self.count}"
            value, reason = loads(line, self.options.limits)
            if reason is None:
                reason = "a JSON line must hold an object" if not isinstance(value, dict) else _several(value)
            if reason is None:
                records.append(shapes.unwrap(value))
                places.append(place)
                lines.append(line)
            else:
                yield Rejected(place, reason, printable(line))
        if records:
            yield Block.of_records(records, places, lines.__getitem__)

    def _wanted(self, name: str) -> bool:
        return fields.is_known(name) or any(
            fields.squash(name) == fields.squash(told) for told in self.options.columns.values()
        )

    def _by_arrow(self, block: bytes) -> pa.Table | None:
        """Return the block as Arrow reads it, or None where Python's json might read it otherwise.

        Arrow takes several objects on one line, an object over several lines, dates for timestamps, and
        walks nested values by recursion; Python's json is the judge, so such blocks are left to it.
        """
        block = block.rstrip(b"\r\n") + b"\n"
        lines = block.count(b"\n")
        joints = block.count(b"}\n{") or block.count(b"}\r\n{")
        if joints + 1 != lines or not block.startswith(b"{") or b"\0" in block:
            return None
        if _most_brackets(block) > self.options.limits.json_depth:
            return None
        if not _is_utf8(block):
            return None
        for _ in range(4):
            table = self._parse(block)
            if table is None or table.num_rows != lines:
                return None
            if any(fields.is_markup(n) or n in shapes.KEYS for n in table.column_names):
                return None
            nested = {f.name for f in table.schema if pa.types.is_struct(f.type)}
            if nested & shapes.NESTED or ("source" in nested and b" chars]" in block):
                return None
            if any(f.name in shapes.WRAPPERS and _holds_objects(f.type) for f in table.schema):
                return None
            # a field that is null throughout and one that is absent look the same once it has a type
            empty = {name for name in self._kinds or {} if table[name].null_count == lines}
            typed = {f.name for f in table.schema if self._wanted(f.name) and not pa.types.is_null(f.type)}
            late = typed - set(self._kinds or {})
            if not empty and not late:
                return table
            self._kinds = {name: kind for name, kind in (self._kinds or {}).items() if name not in empty}
            self._kinds |= {name: _kind_in(block, name) for name in sorted(late)}
        return None

    def _parse(self, block: bytes) -> pa.Table | None:
        if self._kinds is None:
            try:
                first = json.loads(block[: block.index(b"\n")])
            except (ValueError, RecursionError):
                return None
            self._kinds = {name: _kind(value) for name, value in first.items() if self._wanted(name)}
        try:
            table = pj.read_json(
                pa.BufferReader(block),
                read_options=pj.ReadOptions(use_threads=False, block_size=len(block) + 1),
                parse_options=pj.ParseOptions(
                    explicit_schema=pa.schema(list(self._kinds.items())), unexpected_field_behavior="infer"
                ),
            )
        except (pa.ArrowException, UnicodeDecodeError):
            return None
        return table


def _holds_objects(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) and pa.types.is_struct(kind.value_type)


def _several(value: dict[str, Any]) -> str | None:
    """Return why an object is no record but a list of them, such as a reply of a news API, or None."""
    if fields.candidates("text", value):
        return None
    name = shapes.wrapper(value)
    if name is None:
        return None
    return f"holds {len(value[name])} records under {name!r}, not one; write one a line: jq -c '.{name}[]'"


def _is_utf8(block: bytes) -> bool:
    """Whether the bytes are UTF-8, by Arrow, which makes no string of them to find out."""
    ends = np.array([0, len(block)], np.int64)
    text = pa.Array.from_buffers(pa.large_string(), 1, [None, pa.py_buffer(ends), pa.py_buffer(block)])
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _kind(value: Any) -> pa.DataType:
    """Return the Arrow type under which a field's values come through unchanged."""
    if isinstance(value, list) and all(isinstance(inner, str) for inner in value):
        return pa.list_(pa.string())
    return pa.int64() if isinstance(value, int) and not isinstance(value, bool) else pa.string()


def _kind_in(block: bytes, name: str) -> pa.DataType:
    """Return the kind of the first value that a field has in a block."""
    values = (json.loads(line).get(name) for line in block.splitlines())
    return _kind(next((value for value in values if value is not None), None))


def _most_brackets(block: bytes) -> int:
    """Return the largest number of opening brackets on one line: a bound on its depth."""
    codes = np.frombuffer(block, np.uint8)
    openers = np.flatnonzero((codes == ord("[")) | (codes == ord("{")))
    ends = np.flatnonzero(codes == ord("\n"))
    return int(np.max(np.bincount(np.searchsorted(ends, openers)), initial=0))
