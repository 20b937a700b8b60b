"""Sixteen classes at a time: the two steps of scoring that numba cannot be made to do in vector registers."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16
"""Classes in a row of the weight table, two tables of eight."""

_I32, _I64 = ir.IntType(32), ir.IntType(64)
_BYTES, _WORDS, _LONGS, _FLOATS = (
    ir.VectorType(lane, LANES) for lane in (ir.IntType(8), ir.IntType(16), _I32, ir.FloatType())
)


def _pointer(context: Any, builder: Any, signature: Any, arguments: Any, at: int, kind: ir.Type) -> Any:
    array = cgutils.create_struct_proxy(signature.args[at])(context, builder, arguments[at])
    return builder.bitcast(array.data, kind.as_pointer())


def _shuffled(builder: Any, vector: Any, order: list[int]) -> Any:
    chosen = ir.Constant(ir.VectorType(_I32, LANES), order)
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), chosen)


def _everywhere(builder: Any, value: Any, kind: ir.Type) -> Any:
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(_I32, 0))
    return _shuffled(builder, first, [0] * LANES)


@intrinsic
def add_rows(typing: Any, table: Any, index: Any, first: Any, last: Any, scale: Any, out: Any) -> Any:
    """Add the rows ``index[first:last]`` of a table of bytes, lane by lane.

    ``out[k] = (sum of table[index[i], k] - 128) * scale[k]``. The sums are whole numbers of at most 16 bits, which
    hold 257 rows; C-contiguous ``table`` (n, 16) uint8, ``index`` uint32, ``scale`` and ``out`` (16,) float32.
    """

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = (_BYTES, _I32, None, None, _FLOATS, _FLOATS)
        rows, indices, begin, end, scales, sums = (
            arguments[at] if kind is None else _pointer(context, builder, signature, arguments, at, kind)
            for at, kind in enumerate(kinds)
        )
        total = cgutils.alloca_once_value(builder, ir.Constant(_WORDS, [0] * LANES))
        with cgutils.for_range_slice(builder, begin, end, ir.Constant(_I64, 1), _I64) as (i, _):
            row = builder.zext(builder.load(builder.gep(indices, [i])), _I64)
            weights = builder.load(builder.gep(rows, [row]), align=1)
            builder.store(builder.add(builder.load(total), builder.zext(weights, _WORDS)), total)
        count = builder.trunc(builder.sub(end, begin), _I32)
        bias = _everywhere(builder, builder.mul(count, ir.Constant(_I32, 128)), _LONGS)
        whole = builder.sub(builder.zext(builder.load(total), _LONGS), bias)
        scaled = builder.fmul(builder.sitofp(whole, _FLOATS), builder.load(scales, align=4))
        builder.store(scaled, sums, align=4)
        return context.get_dummy_value()

    return types.void(table, index, types.int64, types.int64, scale, out), build


@intrinsic
def margins(typing: Any, chunk: Any, older: Any, scale: Any, out: Any) -> Any:
    """Say how far two chunks together speak for each class rather than for the first of its table.

    ``out[k] = (chunk[k] + older[k] - chunk[0] - older[0]) * scale`` for the first eight lanes, and so with lane 8
    for the others; lanes 0 and 8, where that is nothing, hold the largest of their table's seven. All (16,) float32.
    """

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        new, old, result = (_pointer(context, builder, signature, arguments, at, _FLOATS) for at in (0, 1, 3))
        both = builder.fadd(builder.load(new, align=4), builder.load(old, align=4))
        kept = _shuffled(builder, both, [0] * 8 + [8] * 8)
        margin = builder.fmul(builder.fsub(both, kept), _everywhere(builder, arguments[2], _FLOATS))
        best = _shuffled(builder, margin, [1, *range(1, 8), 9, *range(9, 16)])
        for step in (4, 2, 1):
            other = _shuffled(builder, best, [lane ^ step for lane in range(LANES)])
            best = builder.select(builder.fcmp_ordered(">", other, best), other, best)
        mask = ir.Constant(ir.VectorType(ir.IntType(1), LANES), [lane % 8 == 0 for lane in range(LANES)])
        builder.store(builder.select(mask, best, margin), result, align=4)
        return context.get_dummy_value()

    return types.void(chunk, older, types.float32, out), build


@intrinsic
def prefetch(typing: Any, table: Any, row: Any) -> Any:
    """Ask for a row of the table of bytes, which the processor then has when :func:`add_rows` comes to it."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _pointer(context, builder, signature, arguments, 0, _BYTES)
        place = builder.bitcast(
            builder.gep(rows, [builder.zext(arguments[1], _I64)]), ir.IntType(8).as_pointer()
        )
        kind = ir.FunctionType(ir.VoidType(), [place.type, _I32, _I32, _I32])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        builder.call(function, [place, *(ir.Constant(_I32, value) for value in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(table, row), build
