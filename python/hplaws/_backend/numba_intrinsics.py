"""What exact.hpp takes from the processor and Numba does not offer: fma and bit casts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic


def _fma(context: Any, a: Any, b: Any, c: Any) -> Any:
    # llvm.fma rounds once wherever it runs; llvm.fmuladd, and a*b + c under
    # fastmath, would leave that to the target.
    return types.float64(a, b, c), lambda context, builder, signature, args: builder.fma(*args)


def _bits_of(context: Any, x: Any) -> Any:
    return types.int64(x), lambda context, builder, signature, args: builder.bitcast(
        args[0], ir.IntType(64)
    )


def _from_bits(context: Any, u: Any) -> Any:
    return types.float64(u), lambda context, builder, signature, args: builder.bitcast(
        args[0], ir.DoubleType()
    )


fma: Callable[[float, float, float], float] = intrinsic(_fma)
bits_of: Callable[[float], int] = intrinsic(_bits_of)
from_bits: Callable[[int], float] = intrinsic(_from_bits)
