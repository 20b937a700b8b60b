"""Parts of LLVM code for vectors of the processor, which numba by itself seldom uses."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from toolkit.kernels import cgutils

I8, I16, I32, I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))


def array(context: Any, builder: Any, signature: Any, arguments: Any, at: int) -> Any:
    """Return the numpy array that is an argument: its ``data``, ``shape``, ``strides``."""
    return cgutils.create_struct_proxy(signature.args[at])(context, builder, arguments[at])


def pointer(builder: Any, base: Any, kind: ir.Type, offset: Any = None) -> Any:
    """Return a pointer to a value of a kind at the beginning of an array's ``data``, or so many elements on."""
    return builder.bitcast(base if offset is None else builder.gep(base, [offset]), kind.as_pointer())


def shuffled(builder: Any, vector: Any, order: list[int]) -> Any:
    """Put the elements of a vector into another order."""
    chosen = ir.Constant(ir.VectorType(I32, len(order)), order)
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), chosen)


def everywhere(builder: Any, value: Any, kind: ir.VectorType) -> Any:
    """Return a vector of one value."""
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(I32, 0))
    return shuffled(builder, first, [0] * kind.count)
