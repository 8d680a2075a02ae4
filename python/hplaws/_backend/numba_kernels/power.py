"""power.hpp for Numba: b^-q with the same bits everywhere."""

from __future__ import annotations

import math

from .config import formula
from .exact import (
    DBL_MAX,
    Pair,
    fast_two_sum,
    fma,
    nearest_integer,
    power_of_two,
    reciprocal,
    split,
    two_product,
    two_sum,
)

LN2_HI = float.fromhex("0x1.62e42fefa39efp-1")
LN2_LO = float.fromhex("0x1.abc9e3b39803fp-56")
INVERSE_LN2 = float.fromhex("0x1.71547652b82fep0")


@formula
def log_of_mantissa(m: float) -> Pair:
    f = m - 1.0
    g = two_sum(m, 1.0)
    z = f / g.hi
    z_lo = (fma(-z, g.hi, f) - z * g.lo) / g.hi
    w = z * z
    t = 1.0 / 25
    t = fma(t, w, 1.0 / 23)
    t = fma(t, w, 1.0 / 21)
    t = fma(t, w, 1.0 / 19)
    t = fma(t, w, 1.0 / 17)
    t = fma(t, w, 1.0 / 15)
    t = fma(t, w, 1.0 / 13)
    t = fma(t, w, 1.0 / 11)
    t = fma(t, w, 1.0 / 9)
    t = fma(t, w, 1.0 / 7)
    t = fma(t, w, 1.0 / 5)
    t = fma(t, w, 1.0 / 3)
    t = t * w
    return fast_two_sum(2.0 * z, 2.0 * fma(z, t, z_lo))


@formula
def logarithm(x: float) -> Pair:
    s = split(x)
    upper = s.significand > 1.4142135623730951
    m = 0.5 * s.significand if upper else s.significand
    exponent = s.exponent + 1.0 if upper else s.exponent
    mantissa = log_of_mantissa(m)
    scale = two_product(exponent, LN2_HI)
    sum = two_sum(scale.hi, mantissa.hi)
    return Pair(sum.hi, sum.lo + (scale.lo + (mantissa.lo + exponent * LN2_LO)))


@formula
def exponential(y: Pair) -> Pair:
    n = nearest_integer(y.hi * INVERSE_LN2)
    shift = two_product(n, LN2_HI)
    f = two_sum(y.hi - shift.hi, y.lo - shift.lo - n * LN2_LO)
    t = 1.0 / 1307674368000.0
    t = fma(t, f.hi, 1.0 / 87178291200.0)
    t = fma(t, f.hi, 1.0 / 6227020800.0)
    t = fma(t, f.hi, 1.0 / 479001600.0)
    t = fma(t, f.hi, 1.0 / 39916800.0)
    t = fma(t, f.hi, 1.0 / 3628800.0)
    t = fma(t, f.hi, 1.0 / 362880.0)
    t = fma(t, f.hi, 1.0 / 40320.0)
    t = fma(t, f.hi, 1.0 / 5040.0)
    t = fma(t, f.hi, 1.0 / 720.0)
    t = fma(t, f.hi, 1.0 / 120.0)
    t = fma(t, f.hi, 1.0 / 24.0)
    t = fma(t, f.hi, 1.0 / 6.0)
    square = two_product(f.hi, f.hi)
    cube = square.hi * f.hi * t
    one = two_sum(1.0, f.hi)
    half = fast_two_sum(one.hi, 0.5 * square.hi)
    slope = half.hi + cube
    rest = (one.lo + half.lo) + (0.5 * square.lo + cube) + f.lo * slope
    e = fast_two_sum(half.hi, rest)
    k = 2046.0 if n > 2046.0 else n
    k = -2044.0 if k < -2044.0 else k
    half_k = nearest_integer(0.5 * k)
    s1 = power_of_two(half_k)
    s2 = power_of_two(k - half_k)
    hi = e.hi * s1 * s2
    return Pair(hi, e.lo * s1 * s2 if hi <= DBL_MAX else 0.0)


@formula
def inverse_root(b: float) -> Pair:
    y = 1.0 / math.sqrt(b)
    h = two_product(b, y)
    defect = fma(-h.hi, y, 1.0) - h.lo * y
    return Pair(y, 0.5 * y * defect)


@formula
def inverse_power(b: float, q: float) -> Pair:
    if q == 0.5:
        return inverse_root(b)
    if q == 1.0:
        return reciprocal(b)
    log_b = logarithm(b)
    y = two_product(-q, log_b.hi)
    return exponential(Pair(y.hi, fma(-q, log_b.lo, y.lo)))
