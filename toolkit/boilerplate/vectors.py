"""Parts of LLVM code for vectors that fill a register of the processor; numba by itself seldom makes them."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from toolkit.kernels import cgutils

I8, I16, I32, I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))


def array(context: Any, builder: Any, signature: Any, arguments: Any, at: int) -> Any:
    """Return the numpy array that is an argument: its ``data``, ``shape``, ``strides``."""
    return cgutils.create_struct_proxy(signature.args[at])(context, builder, arguments[at])


def place(builder: Any, base: Any, index: Any, kind: ir.Type) -> Any:
    """Return a pointer to a value of a kind that begins at an element of an array's ``data``."""
    return builder.bitcast(builder.gep(base, [index]), kind.as_pointer())


def shuffled(builder: Any, vector: Any, order: list[int]) -> Any:
    """Put the elements of a vector into another order."""
    chosen = ir.Constant(ir.VectorType(I32, len(order)), order)
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), chosen)


def everywhere(builder: Any, value: Any, kind: ir.VectorType) -> Any:
    """Return a vector of one value."""
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(I32, 0))
    return shuffled(builder, first, [0] * kind.count)
