"""Products of matrices of small integers. The sums are whole numbers, so that every way to add them up gives the same.

Newer processors multiply four pairs of bytes and add the products to a sum in one instruction (AVX-512 VNNI, AVX-VNNI).
Neither numpy nor numba uses it by itself. Elsewhere numpy multiplies floats, which hold these sums exactly.
"""

# ruff: noqa: ANN001, ANN202  (numba kernels infer their types)

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numpy.typing import NDArray

from toolkit.boilerplate.vectors import I32, I64, array, everywhere, place
from toolkit.kernels import cgutils, chosen_processor, intrinsic, njit, types

Bytes, Floats = NDArray[np.int8], NDArray[np.float32]

GROUP = 4  # pairs that one instruction multiplies for a sum
_ROWS, _VECTORS = 4, 2  # of sums that are added up together: they fit the registers
_AT_ONCE = 1 << 18  # products of floats: OpenBLAS does so many on one thread, and more threads only wait


def _sums() -> int:
    """How many sums one instruction adds to; 0 if the processor has none such, or numba compiles for another one."""
    has = {} if chosen_processor() else binding.get_host_cpu_features()
    return 16 if has.get("avx512vnni") else 8 if has.get("avxvnni") else 0


SUMS = _sums()
_COLUMNS = _VECTORS * max(SUMS, 1)


@dataclass(frozen=True, eq=False)
class Matrix:
    """Integers of a byte to multiply rows with: ``weights`` (float32, inputs by outputs; inputs filled up to groups).

    ``packed`` (int8) holds them as the instruction reads them, columns in pairs of vectors; ``begin`` (int32) is what
    each sum starts from, since the instruction multiplies numbers without a sign: 128 is added to each input.
    """

    weights: Floats
    packed: Bytes
    begin: NDArray[np.int32]

    @classmethod
    def of(cls, weights: Bytes) -> Matrix:
        """Prepare weights (int8, inputs by outputs); rows of nought fill up the last group of inputs."""
        whole = np.pad(weights, ((0, -len(weights) % GROUP), (0, 0)))
        wide = np.pad(whole, ((0, 0), (0, -whole.shape[1] % _COLUMNS)))
        packed = wide.reshape(len(wide) // GROUP, GROUP, -1, _COLUMNS).transpose(2, 0, 3, 1)
        begin = -128 * wide.sum(axis=0, dtype=np.int32)
        return cls(whole.astype(np.float32), np.ascontiguousarray(packed), begin.reshape(-1, _COLUMNS))


def product(rows: Bytes, matrix: Matrix) -> Floats:
    """Multiply rows (int8) by a matrix; shape (n_rows, outputs).

    >>> product(np.array([[1, -2]], np.int8), Matrix.of(np.array([[3, 0], [4, 127]], np.int8)))
    array([[  -5., -254.]], dtype=float32)
    """
    left, right = matrix.weights.shape
    if rows.shape[1] < left:
        rows = np.pad(rows, ((0, 0), (0, left - rows.shape[1])))
    if SUMS:
        out = np.empty((len(rows), matrix.begin.size), np.float32)
        _multiply(rows, matrix.packed, matrix.begin, out)
        return out[:, :right]
    some = max(_AT_ONCE // matrix.weights.size, 1)
    whole = len(rows) - len(rows) % some
    floats, out = rows.astype(np.float32), np.empty((len(rows), right), np.float32)
    np.matmul(
        floats[:whole].reshape(-1, some, left), matrix.weights, out=out[:whole].reshape(-1, some, right)
    )
    np.matmul(floats[whole:], matrix.weights, out=out[whole:])
    return out


_LONGS, _FLOATS = (ir.VectorType(kind, max(SUMS, 1)) for kind in (I32, ir.FloatType()))


@intrinsic
def _tile(typing: Any, rows: Any, row: Any, packed: Any, begin: Any, out: Any, column: Any) -> Any:
    """Enter the sums of :data:`_ROWS` rows from ``row`` on, in the pair of vectors that begins with ``column``.

    ``packed`` (groups, columns, 4) and ``begin`` (columns,) belong to the pair. Beyond the last row, this is repeated.
    """

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def pointer(base: Any, index: Any, ahead: int, kind: ir.Type) -> Any:
            return place(builder, base, builder.add(index, I64(ahead)), kind)

        given, weights, starts, result = (
            array(context, builder, signature, arguments, at) for at in (0, 2, 3, 4)
        )
        n, inputs = cgutils.unpack_tuple(builder, given.shape)
        groups, outputs = builder.extract_value(weights.shape, 0), builder.extract_value(result.shape, 1)
        numbers = [builder.add(arguments[1], I64(ahead)) for ahead in range(_ROWS)]
        numbers = [builder.select(builder.icmp_signed("<", x, n), x, builder.sub(n, I64(1))) for x in numbers]
        kind, name = ir.FunctionType(_LONGS, [_LONGS] * 3), f"llvm.x86.avx512.vpdpbusd.{32 * SUMS}"
        add = cgutils.get_or_insert_function(builder.module, kind, name)
        ahead = [vector * SUMS for vector in range(_VECTORS)]
        first = [builder.load(pointer(starts.data, I64(0), some, _LONGS), align=4) for some in ahead]
        sums = [[cgutils.alloca_once_value(builder, each) for each in first] for _ in numbers]
        with cgutils.for_range(builder, groups) as loop:
            begins = builder.mul(loop.index, I64(_COLUMNS * GROUP))
            pair = [
                builder.load(pointer(weights.data, begins, GROUP * some, _LONGS), align=1) for some in ahead
            ]
            for number, mine in zip(numbers, sums, strict=True):
                begins = builder.add(builder.mul(number, inputs), builder.mul(loop.index, I64(GROUP)))
                four = builder.load(pointer(given.data, begins, 0, I32), align=1)
                unsigned = everywhere(builder, builder.xor(four, I32(0x80808080)), _LONGS)
                for total, vector in zip(mine, pair, strict=True):
                    builder.store(builder.call(add, [builder.load(total), unsigned, vector]), total)
        for number, mine in zip(numbers, sums, strict=True):
            begins = builder.add(builder.mul(number, outputs), arguments[5])
            for total, some in zip(mine, ahead, strict=True):
                floats = builder.sitofp(builder.load(total), _FLOATS)
                builder.store(floats, pointer(result.data, begins, some, _FLOATS), align=4)
        return context.get_dummy_value()

    return types.void(rows, types.int64, packed, begin, out, types.int64), build


@njit(cache=True, nogil=True)
def _multiply(rows, packed, begin, out):  # type: ignore[no-untyped-def]
    for row in range(0, len(rows), _ROWS):
        for pair in range(len(packed)):
            _tile(rows, row, packed[pair], begin[pair], out, pair * _COLUMNS)
