"""Products of matrices of small integers. The sums are whole numbers below 2^24, so every way to add them up is exact.

Newer processors multiply four pairs of bytes and add the products to a sum in one instruction (AVX-512 VNNI, AVX-VNNI).
Neither numpy nor numba uses it by itself. Elsewhere numpy multiplies floats.
"""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir
from numpy.typing import NDArray

from toolkit.boilerplate.vectors import I32, I64, array, everywhere, pointer
from toolkit.kernels import cgutils, compiled_for, intrinsic, njit, types

Bytes = NDArray[np.int8]
Floats = NDArray[np.float32]


def lanes_of(features: Collection[str]) -> int:
    """How many sums one instruction of a processor with these features adds to; 0 if it has none such."""
    return 16 if "avx512vnni" in features else 8 if "avxvnni" in features else 0


LANES = lanes_of(compiled_for())
"""The same for this processor."""

LARGEST = 1 << 24
"""What float32 counts up to without a gap."""

_GROUP = 4  # pairs of bytes that are multiplied for a sum
_ROWS = 4  # of sums that are added up together
_COLUMNS = 2 * max(LANES, 1)  # and columns: two vectors a row, so that all fit the registers
_AT_ONCE = 1 << 18  # products of floats: OpenBLAS does so many on one thread, and more threads only wait


@dataclass(frozen=True, eq=False)
class Matrix:
    """Integers of a byte to multiply rows with, as this processor wants them.

    ``shape``: inputs and outputs. With the instruction, ``weights`` (int8) are of shape (blocks, groups, columns, 4),
    and ``begin`` (int32, blocks by columns) is what each sum starts from: as it multiplies numbers without a sign, 128
    is added to each input. Without it they are float32, inputs by outputs.
    """

    shape: tuple[int, int]
    weights: NDArray[Any]
    begin: NDArray[np.int32]

    @classmethod
    def of(cls, weights: Bytes) -> Matrix:
        """Prepare weights (int8, inputs by outputs, at least one of each); ValueError if a sum may pass LARGEST."""
        inputs, outputs = weights.shape
        if 128 * int(np.abs(weights.astype(np.int64)).sum(axis=0).max()) >= LARGEST:
            raise ValueError(f"sums of {inputs} products may pass {LARGEST}")
        if not LANES:
            return cls((inputs, outputs), weights.astype(np.float32), np.empty((0, 0), np.int32))
        wide = np.pad(weights, ((0, -inputs % _GROUP), (0, -outputs % _COLUMNS)))
        packed = wide.reshape(len(wide) // _GROUP, _GROUP, -1, _COLUMNS).transpose(2, 0, 3, 1)
        begin = -128 * wide.sum(axis=0, dtype=np.int32)
        return cls((inputs, outputs), np.ascontiguousarray(packed), begin.reshape(-1, _COLUMNS))


def product(rows: Bytes, matrix: Matrix) -> Floats:
    """Multiply rows (int8) by a matrix; shape (n_rows, outputs).

    >>> product(np.array([[1, -2]], np.int8), Matrix.of(np.array([[3, 0], [4, 127]], np.int8)))
    array([[  -5., -254.]], dtype=float32)
    """
    inputs, outputs = matrix.shape
    if rows.shape[1] != inputs or rows.dtype != np.int8:
        raise ValueError(f"rows are {rows.dtype}{rows.shape}, not int8 with {inputs} columns")
    if matrix.begin.size:
        filled = np.zeros((len(rows), matrix.weights.shape[1] * _GROUP), np.int8)
        filled[:, :inputs] = rows
        out = np.empty((len(rows), matrix.begin.size), np.float32)
        _multiply(filled, matrix.weights, matrix.begin, out)
        return out[:, :outputs]
    some = max(_AT_ONCE // matrix.weights.size, 1)
    whole = len(rows) - len(rows) % some
    floats, out = rows.astype(np.float32, order="C"), np.empty((len(rows), outputs), np.float32)
    blocks = floats[:whole].reshape(-1, some, inputs)
    np.matmul(blocks, matrix.weights, out=out[:whole].reshape(-1, some, outputs))
    np.matmul(floats[whole:], matrix.weights, out=out[whole:])
    return out


_LONGS, _FLOATS = (ir.VectorType(kind, max(LANES, 1)) for kind in (I32, ir.FloatType()))


@intrinsic
def _tile(typing: Any, rows: Any, row: Any, packed: Any, begin: Any, out: Any, column: Any) -> Any:
    """Enter the sums of :data:`_ROWS` rows, from ``row`` on, and :data:`_COLUMNS` columns, from ``column`` on.

    ``packed`` (groups, columns, 4) and ``begin`` (columns,) are those of the block. Where no row is left, the last one
    is written again.
    """

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def at(base: Any, offset: Any, more: int, kind: ir.Type) -> Any:
            return pointer(builder, base, kind, builder.add(offset, I64(more)))

        given, weights, starts, result = (
            array(context, builder, signature, arguments, place) for place in (0, 2, 3, 4)
        )
        n, inputs = cgutils.unpack_tuple(builder, given.shape)
        groups, outputs = builder.extract_value(weights.shape, 0), builder.extract_value(result.shape, 1)
        numbers = [builder.add(arguments[1], I64(more)) for more in range(_ROWS)]
        numbers = [builder.select(builder.icmp_signed("<", x, n), x, builder.sub(n, I64(1))) for x in numbers]
        # LLVM from 22 on wants vectors of bytes, and turns this older form into it
        kind, name = ir.FunctionType(_LONGS, [_LONGS] * 3), f"llvm.x86.avx512.vpdpbusd.{32 * LANES}"
        add = cgutils.get_or_insert_function(builder.module, kind, name)
        vectors = range(0, _COLUMNS, LANES)
        first = [builder.load(at(starts.data, I64(0), v, _LONGS), align=4) for v in vectors]
        sums = [[cgutils.alloca_once_value(builder, each) for each in first] for _ in numbers]
        with cgutils.for_range(builder, groups) as loop:
            offset = builder.mul(loop.index, I64(_COLUMNS * _GROUP))
            loaded = [builder.load(at(weights.data, offset, _GROUP * v, _LONGS), align=1) for v in vectors]
            for number, mine in zip(numbers, sums, strict=True):
                offset = builder.add(builder.mul(number, inputs), builder.mul(loop.index, I64(_GROUP)))
                four = builder.load(at(given.data, offset, 0, I32), align=1)
                unsigned = everywhere(builder, builder.xor(four, I32(0x80808080)), _LONGS)
                for total, vector in zip(mine, loaded, strict=True):
                    builder.store(builder.call(add, [builder.load(total), unsigned, vector]), total)
        for number, mine in zip(numbers, sums, strict=True):
            offset = builder.add(builder.mul(number, outputs), arguments[5])
            for total, v in zip(mine, vectors, strict=True):
                floats = builder.sitofp(builder.load(total), _FLOATS)
                builder.store(floats, at(result.data, offset, v, _FLOATS), align=4)
        return context.get_dummy_value()

    return types.void(rows, types.int64, packed, begin, out, types.int64), build


@njit(cache=True, nogil=True)
def _multiply(rows, packed, begin, out):  # type: ignore[no-untyped-def]
    for row in range(0, len(rows), _ROWS):
        for block in range(len(packed)):
            _tile(rows, row, packed[block], begin[block], out, block * _COLUMNS)
