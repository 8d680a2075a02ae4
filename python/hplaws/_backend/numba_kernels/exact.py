"""exact.hpp for Numba: error-free transformations, on fma and bit casts made in LLVM."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from .config import formula

DBL_MAX = float(np.finfo(np.float64).max)
DBL_MIN = float(np.finfo(np.float64).tiny)


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


class Pair(NamedTuple):
    hi: float
    lo: float


@formula
def is_finite(x: float) -> bool:
    return x - x == 0.0


@formula
def nearest_integer(x: float) -> float:
    return (x + 1.5 * 2.0**52) - 1.5 * 2.0**52


@formula
def power_of_two(e: float) -> float:
    return from_bits(bits_of(e + (2.0**52 + 1023.0)) << 52)


class Split(NamedTuple):
    significand: float
    exponent: float


SIGN_AND_FRACTION = ~0x7FF0000000000000


@formula
def split(x: float) -> Split:
    tiny = math.fabs(x) < DBL_MIN
    u = bits_of(x * 2.0**64 if tiny else x)
    field = from_bits(((u >> 52) & 0x7FF) | 0x4330000000000000) - 2.0**52
    return Split(
        from_bits((u & SIGN_AND_FRACTION) | 0x3FF0000000000000),
        field - (1023.0 + 64.0 if tiny else 1023.0),
    )


@formula
def two_sum(a: float, b: float) -> Pair:
    s = a + b
    t = s - a
    return Pair(s, (a - (s - t)) + (b - t))


@formula
def fast_two_sum(a: float, b: float) -> Pair:
    s = a + b
    return Pair(s, b - (s - a))


@formula
def two_product(a: float, b: float) -> Pair:
    p = a * b
    return Pair(p, fma(a, b, -p))


@formula
def reciprocal(x: float) -> Pair:
    r = 1.0 / x
    lo = fma(-r, x, 1.0) * r
    fits = r <= DBL_MAX
    return Pair(r if fits else DBL_MAX, lo if fits else 0.0)


@formula
def product(x: float, y: Pair) -> float:
    rounded = fma(x, y.hi, x * y.lo)
    return rounded if rounded >= -DBL_MAX else math.inf


@formula
def product_of_pairs(x: Pair, y: Pair) -> float:
    rounded = fma(x.hi, y.hi, fma(x.hi, y.lo, x.lo * y.hi))
    return rounded if rounded >= -DBL_MAX else math.inf


@formula
def product_pair(x: float, y: Pair) -> Pair:
    p = x * y.hi
    lo = fma(x, y.lo, fma(x, y.hi, -p))
    fits = p <= DBL_MAX
    return Pair(p if fits else math.inf, lo if fits else 0.0)


@formula
def add(x: Pair, y: Pair) -> Pair:
    s = two_sum(x.hi, y.hi)
    t = two_sum(x.lo, y.lo)
    v = fast_two_sum(s.hi, s.lo + t.hi)
    return fast_two_sum(v.hi, v.lo + t.lo)


@formula
def negate(x: Pair) -> Pair:
    return Pair(-x.hi, -x.lo)


@formula
def multiply(x: Pair, y: float) -> Pair:
    p = two_product(x.hi, y)
    return fast_two_sum(p.hi, fma(x.lo, y, p.lo))


@formula
def multiply_pairs(x: Pair, y: Pair) -> Pair:
    p = two_product(x.hi, y.hi)
    return fast_two_sum(p.hi, fma(x.hi, y.lo, fma(x.lo, y.hi, p.lo)))


@formula
def divide(x: Pair, y: Pair) -> Pair:
    q = x.hi / y.hi
    remainder = fma(-q, y.hi, x.hi) + (x.lo - q * y.lo)
    return fast_two_sum(q, remainder / y.hi)


@formula
def square_root(x: Pair) -> Pair:
    s = math.sqrt(x.hi)
    return fast_two_sum(s, (fma(-s, s, x.hi) + x.lo) / (s + s))
