"""The core's formulas and loops for Numba: the second copy, operation by operation.

Each section repeats one file of cpp, in its order and under its names; what is
computed, and why, stands there. tests/test_parity.py holds the two together, bit
for bit. Bits are int64 here, where C++ has uint64_t: Numba turns a mixture of
int64 and uint64 into float64.

All of it is one file because Numba's cache watches the file of the function it
compiled, and not the files of the functions that one calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .numba_intrinsics import bits_of, fma, from_bits

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Function = TypeVar("Function", bound=Callable[..., Any])

# Without fastmath LLVM neither contracts a*b + c nor reorders it. With Python's
# error model a division would test for zero, and the loop could not vectorise.
OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": False}


def formula(function: Function) -> Function:
    """What HPLAWS_HD is to C++: inlined, so that loops over it vectorise."""
    return njit(**OPTIONS, forceinline=True)(function)  # type: ignore[no-any-return]


def part(function: Function) -> Function:
    """A part of a kernel that LLVM inlines as it sees fit."""
    return njit(**OPTIONS)(function)  # type: ignore[no-any-return]


def kernel(function: Function) -> Function:
    """Called from Python: compiled at its first call, and kept on disk where possible.

    A kernel returns nothing. Numba makes a result with Python code, which is where a
    waiting Ctrl-C would be raised, and then be turned into a SystemError.
    """
    try:
        return njit(**OPTIONS, cache=True)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # neither the package's nor the user's directory can be written
        return njit(**OPTIONS)(function)  # type: ignore[no-any-return]


DBL_MAX = float(np.finfo(np.float64).max)
DBL_MIN = float(np.finfo(np.float64).tiny)
INT64_MAX = int(np.iinfo(np.int64).max)

# ---- exact.hpp ---------------------------------------------------------------------


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
    return rounded if x * y.hi <= DBL_MAX else math.inf


@formula
def product_of_pairs(x: Pair, y: Pair) -> float:
    rounded = fma(x.hi, y.hi, fma(x.hi, y.lo, x.lo * y.hi))
    return rounded if x.hi * y.hi <= DBL_MAX else math.inf


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


# ---- power.hpp ---------------------------------------------------------------------

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
    s = split(b)
    upper = s.significand > 1.4142135623730951
    m = 0.5 * s.significand if upper else s.significand
    exponent = s.exponent + 1.0 if upper else s.exponent
    mantissa = log_of_mantissa(m)
    scale = two_product(exponent, LN2_HI)
    sum = two_sum(scale.hi, mantissa.hi)
    log_lo = sum.lo + (scale.lo + (mantissa.lo + exponent * LN2_LO))
    y = two_product(-q, sum.hi)
    return exponential(Pair(y.hi, fma(-q, log_lo, y.lo)))


# ---- bound.hpp ---------------------------------------------------------------------


class Coefficients(NamedTuple):
    descent: float
    noise: float
    drift: float
    lag: float
    burn_in: float
    init_error: float
    q: float


class BatchTerms(NamedTuple):
    noise: float
    start: float


class MomentumTerms(NamedTuple):
    sqrt_alpha: float
    inverse: Pair
    smooth: float


class BudgetTerms(NamedTuple):
    ratio: float
    descent: float
    start: Pair


@formula
def sum_once(x: float, y: Pair) -> float:
    s = two_sum(x, y.hi)
    rounded = s.hi + (s.lo + y.lo)
    return rounded if s.hi <= DBL_MAX else math.inf


@formula
def batch_terms(c: Coefficients, b: float) -> BatchTerms:
    noise = product_pair(c.noise, inverse_power(b, c.q))
    return BatchTerms(noise.hi + noise.lo, sum_once(c.init_error, product_pair(c.burn_in, noise)))


@formula
def momentum_terms(c: Coefficients, alpha: float) -> MomentumTerms:
    inverse = reciprocal(alpha)
    return MomentumTerms(math.sqrt(alpha), inverse, sum_once(c.drift, product_pair(c.lag, inverse)))


@formula
def budget_terms(c: Coefficients, start: float, b: float, inverse_T: Pair) -> BudgetTerms:
    ratio = product_pair(b, inverse_T)
    return BudgetTerms(ratio.hi, product(c.descent, ratio), product_pair(start, ratio))


@formula
def inverse_rate(eta: float) -> float:
    return reciprocal(eta).hi


@formula
def burn_in_term(start: Pair, inverse_alpha: Pair) -> float:
    return product_of_pairs(start, inverse_alpha)


@formula
def noise_term(noise: float, sqrt_alpha: float, burn_in: float) -> float:
    return fma(noise, sqrt_alpha, burn_in)


@formula
def rate_term(D: float, inverse_eta: float, smooth_eta: float) -> float:
    return fma(D, inverse_eta, smooth_eta)


@formula
def assemble(D: float, inverse_eta: float, smooth_eta: float, N: float) -> float:
    return rate_term(D, inverse_eta, smooth_eta) + N


@formula
def positive_finite(x: float) -> bool:
    return (x > 0.0) & (x <= DBL_MAX)


@formula
def in_domain(eta: float, alpha: float, b: float, T: float) -> bool:
    return (
        positive_finite(eta)
        & (alpha > 0.0)
        & (alpha <= 1.0)
        & positive_finite(b)
        & positive_finite(T)
    )


@formula
def value(c: Coefficients, eta: float, alpha: float, b: float, T: float) -> float:
    batch = batch_terms(c, b)
    momentum = momentum_terms(c, alpha)
    budget = budget_terms(c, batch.start, b, reciprocal(T))
    burn_in = burn_in_term(budget.start, momentum.inverse)
    N = noise_term(batch.noise, momentum.sqrt_alpha, burn_in)
    return assemble(budget.descent, inverse_rate(eta), momentum.smooth * eta, N)


@formula
def risk(c: Coefficients, eta: float, alpha: float, b: float, T: float) -> float:
    R = value(c, eta, alpha, b, T)
    return R if in_domain(eta, alpha, b, T) else math.nan


# ---- cubic.hpp ---------------------------------------------------------------------


@formula
def crude_power_two_thirds(r: float) -> float:
    bits = from_bits((bits_of(r) >> 20) | 0x4330000000000000) - 2.0**52
    power = bits * (2.0 / 3.0) + 2.0**32 * 340.85
    return from_bits(bits_of(power + 2.0**52) << 20)


@formula
def root_guess(p: float, r: float) -> float:
    return math.sqrt(p + crude_power_two_thirds(r))


@formula
def halley_step(y: float, p: float, r: float) -> float:
    square = y * y
    value = fma(square - p, y, -r)
    slope = fma(3.0, square, -p)
    return y - value * slope / fma(slope, slope, -3.0 * y * value)


@formula
def positive_cubic_root(a: float, b: float, c: float) -> float:
    valid = positive_finite(a) & (b >= 0.0) & (b <= DBL_MAX) & positive_finite(c)
    sa = split(a)
    sb = split(b)
    sc = split(c)

    from_b = nearest_integer((sb.exponent - sa.exponent) * 0.5)
    from_c = nearest_integer((sc.exponent - sa.exponent) * (1.0 / 3.0))
    k = from_b if from_b > from_c else from_c

    eb = sb.exponent - sa.exponent - 2.0 * k
    ec = sc.exponent - sa.exponent - 3.0 * k
    A = sa.significand
    scaled_b = sb.significand * power_of_two(eb if eb > -300.0 else -300.0)
    B = scaled_b if b > 0.0 else 0.0
    C = sc.significand * power_of_two(ec if ec > -300.0 else -300.0)

    inverse = 1.0 / A
    p = B * inverse
    r = C * inverse
    y = root_guess(p, r)
    y = halley_step(y, p, r)
    y = halley_step(y, p, r)

    square = two_product(y, y)
    cube = two_product(A, square.hi)
    difference = fast_two_sum(cube.hi, -B)
    difference_lo = difference.lo + fma(A, square.lo, cube.lo)
    value = two_product(difference.hi, y)
    residual = (value.hi - C) + fma(difference_lo, y, value.lo)
    y = y - residual / fma(3.0, cube.hi, -B)

    half = nearest_integer(k * 0.5)
    x = y * power_of_two(half) * power_of_two(k - half)
    return x if valid else math.nan


class RealRoots(NamedTuple):
    r0: float
    r1: float
    r2: float


@formula
def ascending(x: float, y: float, z: float) -> RealRoots:
    a = y if y < x else x
    b = x if y < x else y
    c = z if z < b else b
    d = b if z < b else z
    return RealRoots(c if c < a else a, a if c < a else c, d)


@formula
def decoupled(exponent: float) -> float:
    return -128.0 - exponent if exponent < -128.0 else 0.0


@formula
def exponent_or_none(x: float, s: Split) -> float:
    return -100000.0 if x == 0.0 else s.exponent


@formula
def inner_coefficient(s: Split, exponent: float) -> float:
    return s.significand * power_of_two(exponent) if exponent >= -256.0 else 0.0


@formula
def unscale(y: float, k: float, up: float, down: float) -> float:
    size = math.fabs(y)
    e = k + (up if size > 2.0**64 else 0.0) - (down if size < 2.0**-64 else 0.0)
    e = 3000.0 if e > 3000.0 else e
    e = -3000.0 if e < -3000.0 else e
    third = nearest_integer(e * (1.0 / 3.0))
    return y * power_of_two(third) * power_of_two(third) * power_of_two(e - third - third)


class TwoRoots(NamedTuple):
    first: float
    second: float


@part
def quadratic_from_discriminant(a: float, h: Pair, c: Pair, discriminant: Pair) -> TwoRoots:
    leading = Pair(a, 0.0)
    if not (discriminant.hi > 0.0):
        y = -divide(h, leading).hi
        return TwoRoots(y, y)
    s = square_root(discriminant)
    q = negate(add(h, negate(s) if h.hi < 0.0 else s))
    return TwoRoots(divide(q, leading).hi, divide(c, q).hi)


@part
def quadratic_roots(a: float, b: float, c: float) -> TwoRoots:
    if a == 0.0:
        return TwoRoots(math.nan if b == 0.0 else 0.0 - c / b, math.nan)
    if c == 0.0:
        x = 0.0 - b / a
        return TwoRoots(x if x < 0.0 else 0.0, 0.0 if x < 0.0 else x)
    sa = split(a)
    sb = split(b)
    sc = split(c)
    k = nearest_integer((sc.exponent - sa.exponent) * 0.5)
    ea = sa.exponent + 2.0 * k
    eb = exponent_or_none(b, sb) + k
    ec = sc.exponent
    outer = ea if ea > ec else ec
    top = eb if eb > outer else outer
    up = decoupled(ea - top)
    down = decoupled(ec - top)
    A = sa.significand * power_of_two(ea - top + up)
    h = 0.5 * inner_coefficient(sb, eb - top)
    C = sc.significand * power_of_two(ec - top + down)

    discriminant = add(two_product(h, h), negate(two_product(A, C)))
    if discriminant.hi < 0.0:
        return TwoRoots(math.nan, math.nan)
    y = quadratic_from_discriminant(A, Pair(h, 0.0), Pair(C, 0.0), discriminant)
    x0 = unscale(y.first, k, up, down)
    x1 = unscale(y.second, k, up, down)
    return TwoRoots(x0 if x0 < x1 else x1, x1 if x0 < x1 else x0)


@formula
def product_difference(x: float, y: float, n: float, z: float, w: float) -> Pair:
    return add(two_product(x, y), negate(multiply(two_product(z, w), n)))


@part
def refine_root(a: float, b: float, c: float, d: float, x: float) -> Pair:
    step = 0.0
    for _ in range(12):
        ax = two_product(a, x)
        q1 = add(ax, Pair(b, 0.0))
        q2 = add(multiply(q1, x), Pair(c, 0.0))
        value = add(multiply(q2, x), Pair(d, 0.0))
        slope = fma(ax.hi + q1.hi, x, q2.hi)
        step = 0.0 if slope == 0.0 else value.hi / slope
        if math.fabs(step) <= 2.0**-51 * math.fabs(x):
            break
        x = x - step
        step = 0.0
    return two_sum(x, -step)


UU = 2.0**-106


@part
def cubic_roots(a: float, b: float, c: float, d: float) -> RealRoots:
    nan = math.nan
    if not (is_finite(a) & is_finite(b) & is_finite(c) & is_finite(d)):
        return RealRoots(nan, nan, nan)
    if a == 0.0:
        if b == 0.0 and c == 0.0:
            return RealRoots(nan, nan, nan)
        x = quadratic_roots(b, c, d)
        return RealRoots(x.first, x.second, nan)
    if d == 0.0:
        x = quadratic_roots(a, b, c)
        if x.first != x.first:
            return RealRoots(0.0, nan, nan)
        return ascending(x.first, x.second, 0.0)

    sa = split(a)
    sb = split(b)
    sc = split(c)
    sd = split(d)
    e3 = sa.exponent
    e2 = exponent_or_none(b, sb)
    e1 = exponent_or_none(c, sc)
    e0 = sd.exponent
    height = 2.0 * (e1 + e2)
    k = e1 - e2
    if 2.0 * (e0 + e3) > height:
        height = 2.0 * (e0 + e3)
        k = nearest_integer((e0 - e3) * (1.0 / 3.0))
    if e0 + 3.0 * e2 > height:
        height = e0 + 3.0 * e2
        k = nearest_integer((e0 - e2) * 0.5)
    if 3.0 * e1 + e3 > height:
        k = nearest_integer((e1 - e3) * 0.5)
    f3 = e3 + 3.0 * k
    f2 = e2 + 2.0 * k
    f1 = e1 + k
    outer = f3 if f3 > e0 else e0
    inner = f2 if f2 > f1 else f1
    top = outer if outer > inner else inner
    up = decoupled(f3 - top)
    down = decoupled(e0 - top)
    A = sa.significand * power_of_two(f3 - top + up)
    B = inner_coefficient(sb, f2 - top)
    C = inner_coefficient(sc, f1 - top)
    D = sd.significand * power_of_two(e0 - top + down)

    P = product_difference(B, B, 3.0, A, C)
    Q = product_difference(B, C, 9.0, A, D)
    R = product_difference(C, C, 3.0, B, D)
    error_p = 8.0 * UU * (B * B + 3.0 * math.fabs(A * C))
    error_q = 8.0 * UU * (math.fabs(B * C) + 9.0 * math.fabs(A * D))
    error_r = 8.0 * UU * (C * C + 3.0 * math.fabs(B * D))
    pr = multiply_pairs(P, R)
    four_pr = Pair(4.0 * pr.hi, 4.0 * pr.lo)
    discriminant = add(four_pr, negate(multiply_pairs(Q, Q)))
    p = math.fabs(P.hi)
    q = math.fabs(Q.hi)
    r = math.fabs(R.hi)
    margin = 1.001 * (
        4.0 * (p * error_r + r * error_p + error_p * error_r)
        + (2.0 * q + error_q) * error_q
        + 12.0 * UU * (4.0 * p * r + q * q)
    )

    if not (math.fabs(discriminant.hi) > margin):
        if p <= error_p:
            triple = -divide(Pair(B, 0.0), two_product(3.0, A)).hi
            x0 = unscale(triple, k, up, down)
            return RealRoots(x0, x0, x0)
        twice = divide(negate(Q), Pair(2.0 * P.hi, 2.0 * P.lo))
        single = divide(divide(Pair(-D, 0.0), multiply(twice, A)), twice)
        x0 = unscale(twice.hi, k, up, down)
        return ascending(x0, x0, unscale(single.hi, k, up, down))

    G = 2.0 * B * P.hi - 3.0 * A * Q.hi
    g = G / (27.0 * A * A * A)
    m = P.hi / (3.0 * A * A)
    side = -1.0 if g < 0.0 else 1.0
    size = math.fabs(g)
    t = root_guess(m if m > 0.0 else 0.0, size)
    for _ in range(5):
        square = t * t
        t = fma(2.0 * t, square, size) / fma(3.0, square, -m)
    y = refine_root(A, B, C, D, -B / (3.0 * A) - side * t)
    isolated = unscale(y.hi, k, up, down)
    if discriminant.hi < 0.0:
        return RealRoots(isolated, nan, nan)

    if math.fabs(A * y.hi) * y.hi * y.hi > math.fabs(D):
        constant = divide(Pair(-D, 0.0), y)
        linear = divide(add(constant, Pair(-C, 0.0)), y)
    else:
        linear = add(multiply(y, A), Pair(B, 0.0))
        constant = add(multiply_pairs(linear, y), Pair(C, 0.0))
    h = Pair(0.5 * linear.hi, 0.5 * linear.lo)
    rest = add(multiply_pairs(h, h), negate(multiply(constant, A)))
    x = quadratic_from_discriminant(A, h, constant, rest)
    return ascending(isolated, unscale(x.first, k, up, down), unscale(x.second, k, up, down))


# ---- theorems.hpp ------------------------------------------------------------------


class StationaryPoint(NamedTuple):
    eta: float
    alpha: float
    b: float
    K: float
    T: float
    risk: float


@formula
def stationary_point(
    c: Coefficients, valid: bool, eta: float, alpha: float, b: float, K: float, T: float
) -> StationaryPoint:
    exists = (
        valid & positive_finite(eta) & positive_finite(b) & positive_finite(K) & positive_finite(T)
    )
    R = value(c, eta, alpha, b, T)
    return StationaryPoint(
        eta if exists else math.nan,
        alpha if exists else math.nan,
        b if exists else math.nan,
        K if exists else math.nan,
        T if positive_finite(T) else math.nan,
        R if exists else math.nan,
    )


@formula
def is_momentum(alpha: float) -> bool:
    return (alpha > 0.0) & (alpha <= 1.0)


@formula
def best_rate(descent: float, smooth: float, b: float, T: float) -> float:
    return math.sqrt(descent / smooth) * math.sqrt(b / T)


@formula
def smoothness(c: Coefficients, alpha: float) -> float:
    return c.drift + c.lag / alpha


@formula
def without_burn_in(c: Coefficients, drift: float) -> Coefficients:
    return Coefficients(c.descent, c.noise, drift, c.lag, 0.0, c.init_error, c.q)


@formula
def theorem1(bound: Coefficients, alpha: float, T: float) -> StationaryPoint:
    c = without_burn_in(bound, bound.drift)
    S = smoothness(c, alpha)
    g = c.q * c.noise * math.sqrt(alpha) * (math.sqrt(T / c.descent) / math.sqrt(S))
    b = g
    if c.q != 0.5:
        power = inverse_power(1.0 / g, 1.0 / (c.q + 0.5))
        b = power.hi + power.lo if positive_finite(g) else g
    eta = best_rate(c.descent, S, b, T)
    return stationary_point(c, is_momentum(alpha), eta, alpha, b, T / b, T)


@formula
def theorem1_steps(bound: Coefficients, alpha: float, K: float, b: float) -> StationaryPoint:
    c = without_burn_in(bound, bound.drift)
    eta = math.sqrt(c.descent / smoothness(c, alpha)) / math.sqrt(K)
    return stationary_point(c, is_momentum(alpha), eta, alpha, b, K, b * K)


@formula
def theorem2(bound: Coefficients, b: float, T: float) -> StationaryPoint:
    c = without_burn_in(bound, 0.0)
    size = inverse_power(b, c.q)
    noise = c.noise * size.hi
    alpha = 2.0 * math.sqrt(c.descent) * math.sqrt(c.lag) * math.sqrt(b / T) / noise
    eta = best_rate(c.descent, c.lag / alpha, b, T)
    return stationary_point(c, True, eta, alpha, b, T / b, T)


@formula
def best_batch_and_rate(c: Coefficients, alpha: float, T: float) -> StationaryPoint:
    S = smoothness(c, alpha)
    slope = 2.0 * math.sqrt(c.descent / T) * math.sqrt(S) + c.burn_in * c.noise / alpha / T
    b = c.noise * math.sqrt(alpha) / slope
    return stationary_point(c, True, best_rate(c.descent, S, b, T), alpha, b, T / b, T)


class MomentumCubic(NamedTuple):
    p: float
    r: float


@formula
def momentum_cubic(c: Coefficients, T: float) -> MomentumCubic:
    s = 0.5 * c.burn_in * c.noise / (math.sqrt(c.descent) * math.sqrt(T))
    p = s * (s / c.drift)
    return MomentumCubic(p, p * (c.lag / c.drift))


@formula
def theorem3(c: Coefficients, T: float) -> StationaryPoint:
    m = momentum_cubic(c, T)
    alpha = positive_cubic_root(1.0, m.p, m.r) if m.r > 0.0 else math.sqrt(m.p)
    return best_batch_and_rate(c, alpha, T)


@formula
def theorem3_asymptotic(c: Coefficients, T: float, order: float) -> StationaryPoint:
    m = momentum_cubic(c, T)
    alpha = positive_cubic_root(1.0, 0.0, m.r)
    if order == 1.0:
        alpha += m.p / (3.0 * alpha)
    return best_batch_and_rate(c, alpha, T)


# ---- argmin.hpp --------------------------------------------------------------------


class Winner(NamedTuple):
    risk: float
    row: int  # alpha * n_b + b
    eta: int


@formula
def precedes(risk: float, row: int, other_risk: float, other_row: int) -> bool:
    return risk < other_risk or (risk == other_risk and row < other_row)


@formula
def winner_precedes(x: Winner, y: Winner) -> bool:
    return x.risk < y.risk or (
        x.risk == y.risk and (x.row < y.row or (x.row == y.row and x.eta < y.eta))
    )


# ---- pruned.hpp --------------------------------------------------------------------


class SortedAxis(NamedTuple):
    value: Floats
    position: Ints


class PrunedSearch(NamedTuple):
    """No arrays: taking one out of a tuple counts a reference, in memory all threads share."""

    bound: Coefficients
    row_stride: int
    budget: float
    budget_is_steps: bool
    inverse_T: Pair
    smallest_eta: float
    largest_eta: float


class Row(NamedTuple):
    D: float
    S: float
    N: float
    value: float
    slope_x: float
    slope_y: float


class Slice(NamedTuple):
    momentum: MomentumTerms
    rising: int
    left: Row
    right: Row
    bound: float
    slope: float


MARGIN = 2.0**-36


@formula
def low(v: float) -> float:
    return v * (1.0 - MARGIN)


@part
def make_row(s: PrunedSearch, m: MomentumTerms, b: float) -> Row:
    batch = batch_terms(s.bound, b)
    inverse_T = reciprocal(b * s.budget) if s.budget_is_steps else s.inverse_T
    t = budget_terms(s.bound, batch.start, b, inverse_T)
    burn_in = burn_in_term(t.start, m.inverse)
    D = t.descent
    S = m.smooth
    N = noise_term(batch.noise, m.sqrt_alpha, burn_in)

    eta = math.sqrt(D) / math.sqrt(S)
    eta = eta if eta > s.smallest_eta else s.smallest_eta  # also takes 0/0
    eta = eta if eta < s.largest_eta else s.largest_eta
    descent = D / eta
    smooth = S * eta
    floor = batch.noise * m.sqrt_alpha
    noisy_start = s.bound.burn_in * batch.noise * (t.ratio * m.inverse.hi)
    value = (descent + smooth) + N
    slope_x = (s.bound.drift * eta - smooth) + (0.5 * floor - burn_in)
    slope_y = -s.bound.q * (noisy_start + floor)
    if not s.budget_is_steps:
        slope_y += descent + burn_in
    return Row(D, S, N, value, slope_x, slope_y)


class Probe(NamedTuple):
    """first_rising() between two looks; Numba caches no function that takes a function."""

    lo: int
    hi: int
    at: int  # where to look next
    step: int  # 0 once the search bisects


@formula
def first_probe(n: int, hint: int) -> Probe:
    return Probe(0, n, hint if hint < n else n - 1, 1)


@formula
def next_probe(p: Probe, n: int, rises: bool) -> Probe:
    lo = p.lo if rises else p.at + 1
    hi = p.at if rises else p.hi
    if p.step == 0 or hi - lo <= p.step or (lo > 0 and hi < n):
        return Probe(lo, hi, lo + (hi - lo) // 2, 0)
    return Probe(lo, hi, p.at - p.step if rises else p.at + p.step, 2 * p.step)


@formula
def visit_row(
    row: Row, row_index: int, eta: Floats, eta_at: Ints, hint: Ints, best: Winner
) -> Winner:
    centre = math.sqrt(row.D) / math.sqrt(row.S)
    probe = first_probe(eta.size, hint[2])
    while probe.lo < probe.hi:
        probe = next_probe(probe, eta.size, eta[probe.at] >= centre)
    start = probe.lo
    hint[2] = start
    for direction in range(2):
        i = start if direction == 0 else start - 1
        while i >= 0 and i < eta.size:
            value = eta[i]
            rate = rate_term(row.D, inverse_rate(value), row.S * value)
            candidate = Winner(rate + row.N, row_index, eta_at[i])
            if winner_precedes(candidate, best):
                best = candidate
            if low(rate) + row.N > best.risk:
                break
            i += 1 if direction == 0 else -1
    return best


@formula
def make_slice(s: PrunedSearch, alpha: float, b: Floats, hint: Ints) -> Slice:
    momentum = momentum_terms(s.bound, alpha)
    left = right = Row(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    probe = first_probe(b.size, hint[1])
    while probe.lo < probe.hi:
        row = make_row(s, momentum, b[probe.at])
        rises = row.slope_y >= 0.0
        if rises:
            right = row
        else:
            left = row
        probe = next_probe(probe, b.size, rises)
    rising = probe.lo
    hint[1] = rising
    if rising == 0 or rising == b.size:
        end = right if rising == 0 else left
        return Slice(momentum, rising, left, right, low(end.value), end.slope_x)
    b1 = b[rising - 1]
    b2 = b[rising]
    w = right.slope_y / (right.slope_y - left.slope_y)
    v = 1.0 - w
    gap = (b2 - b1) / (math.sqrt(b1) * math.sqrt(b2))
    bound = (w * low(left.value) + v * low(right.value)) + w * left.slope_y * gap
    slope = w * left.slope_x + v * right.slope_x
    return Slice(momentum, rising, left, right, bound, slope)


@formula
def visit_slice(
    s: PrunedSearch, slice: Slice, first_row: int, b: Floats, b_at: Ints, eta: Floats,
    eta_at: Ints, hint: Ints, best: Winner,
) -> Winner:  # fmt: skip
    for direction in range(2):
        up = direction == 0
        row = slice.right if up else slice.left
        j = slice.rising if up else slice.rising - 1
        while j >= 0 and j < b.size:
            climbs = row.slope_y >= 0.0 if up else row.slope_y <= 0.0
            if not (low(row.value) > best.risk):
                best = visit_row(row, first_row + b_at[j], eta, eta_at, hint, best)
            elif climbs:
                break
            j += 1 if up else -1
            if j >= 0 and j < b.size:
                row = make_row(s, slice.momentum, b[j])
    return best


@formula
def normal(x: float) -> bool:
    return x >= 2.0**-960 and x <= 2.0**960


@part
def pruning_applies(
    c: Coefficients, eta: Floats, alpha: Floats, b: Floats, budget: float, budget_is_steps: bool
) -> bool:
    has_noise = c.noise > 0.0
    has_smooth = c.drift > 0.0 or c.lag > 0.0
    has_start = c.init_error > 0.0 or (c.burn_in > 0.0 and has_noise)
    good = True
    for corner in range(8):
        rate = eta[corner & 1]
        size = b[corner >> 2]
        m = momentum_terms(c, alpha[(corner >> 1) & 1])
        batch = batch_terms(c, size)
        T = size * budget if budget_is_steps else budget
        t = budget_terms(c, batch.start, size, reciprocal(T))
        good = good and normal(rate) and normal(size) and normal(T)
        good = good and normal(t.ratio) and normal(m.inverse.hi)
        if c.descent > 0.0:
            good = good and normal(t.descent) and normal(t.descent * inverse_rate(rate))
        if has_smooth:
            good = good and normal(m.smooth) and normal(m.smooth * rate)
        if has_noise:
            good = good and normal(batch.noise) and normal(batch.noise * m.sqrt_alpha)
        if has_start:
            good = good and normal(batch.start) and normal(t.start.hi)
            good = good and normal(burn_in_term(t.start, m.inverse))
    return good


@formula
def pruned_argmin(
    s: PrunedSearch, alpha: Floats, alpha_at: Ints, b: Floats, b_at: Ints, eta: Floats,
    eta_at: Ints, hint: Ints,
) -> Winner:  # fmt: skip
    best = Winner(math.inf, INT64_MAX, INT64_MAX)
    n = alpha.size
    if n == 1 and b.size == 1:
        row = make_row(s, momentum_terms(s.bound, alpha[0]), b[0])
        return visit_row(row, alpha_at[0] * s.row_stride + b_at[0], eta, eta_at, hint, best)
    probe = first_probe(n, hint[0])
    while probe.lo < probe.hi:
        rises = make_slice(s, alpha[probe.at], b, hint).slope >= 0.0
        probe = next_probe(probe, n, rises)
    start = probe.lo
    hint[0] = start
    for direction in range(2):
        up = direction == 0
        i = start if up else start - 1
        while i >= 0 and i < n:
            slice = make_slice(s, alpha[i], b, hint)
            if not (slice.bound > best.risk):
                first_row = alpha_at[i] * s.row_stride
                best = visit_slice(s, slice, first_row, b, b_at, eta, eta_at, hint, best)
            elif slice.slope >= 0.0 if up else slice.slope <= 0.0:
                break
            i += 1 if up else -1
    return best


@formula
def coefficients(bounds: Floats, i: int) -> Coefficients:
    return Coefficients(
        bounds[i, 0], bounds[i, 1], bounds[i, 2], bounds[i, 3], bounds[i, 4], bounds[i, 5],
        bounds[i, 6],
    )  # fmt: skip


class Grid(NamedTuple):
    """The request: axes in the caller's order, problem p = bound p // m at budget p % m."""

    bounds: Floats  # (n, 7)
    budget: Floats  # (m,)
    budget_is_steps: bool
    alpha: Floats
    b: Floats
    eta: Floats
    inverse_eta: Floats
    keep_alpha: bool
    keep_b: bool
    keep_eta: bool


@formula
def bound_of(grid: Grid, problem: int) -> Coefficients:
    return coefficients(grid.bounds, problem // grid.budget.size)


@formula
def budget_of(grid: Grid, problem: int) -> float:
    return grid.budget[problem % grid.budget.size]  # type: ignore[no-any-return]


@kernel
def find_unprunable(
    grid: Grid, alpha: Floats, b: Floats, eta: Floats, budget: Floats, refused: Bools
) -> None:
    """Which problems pruning_applies() refuses; each axis by its two ends."""
    m = grid.budget.size
    for i in range(grid.bounds.shape[0]):
        c = coefficients(grid.bounds, i)
        steps = grid.budget_is_steps
        refused[i * m : (i + 1) * m] = False
        # R's factors are monotone in the budget too: if its ends are fine, all are.
        if pruning_applies(c, eta, alpha, b, budget[0], steps) and pruning_applies(
            c, eta, alpha, b, budget[1], steps
        ):
            continue
        for t in range(m):
            refused[i * m + t] = not pruning_applies(c, eta, alpha, b, grid.budget[t], steps)


@kernel
def search_cells(
    grid: Grid, alpha: SortedAxis, b: SortedAxis, eta: SortedAxis, refused: Bools, first: int,
    risk: Floats, row: Ints, eta_index: Ints,
) -> None:  # fmt: skip
    """Winners of consecutive cells from `first` on; kept axes are not sorted.

    Cells of refused problems are left as they were.
    """
    hint = np.zeros(3, np.int64)
    n_alpha = alpha.value.size if grid.keep_alpha else 1
    n_b = b.value.size if grid.keep_b else 1
    n_eta = eta.value.size if grid.keep_eta else 1
    for at in range(risk.size):
        rest = first + at
        k = rest % n_eta
        rest //= n_eta
        j = rest % n_b
        rest //= n_b
        i = rest % n_alpha
        problem = rest // n_alpha
        if refused[problem]:
            continue
        budget = budget_of(grid, problem)
        # A kept axis is one value long.
        i_end = i + 1 if grid.keep_alpha else alpha.value.size
        j_end = j + 1 if grid.keep_b else b.value.size
        k_end = k + 1 if grid.keep_eta else eta.value.size
        search = PrunedSearch(
            bound_of(grid, problem),
            grid.b.size,
            budget,
            grid.budget_is_steps,
            reciprocal(budget),
            eta.value[k],
            eta.value[k_end - 1],
        )
        winner = pruned_argmin(
            search,
            alpha.value[i:i_end],
            alpha.position[i:i_end],
            b.value[j:j_end],
            b.position[j:j_end],
            eta.value[k:k_end],
            eta.position[k:k_end],
            hint,
        )
        risk[at] = winner.risk
        row[at] = winner.row
        eta_index[at] = winner.eta


# ---- kernels.cpp, dense ------------------------------------------------------------

ROWS = 256  # a pass over them and as many rates stays within half of a 32 KiB L1 cache
RATES = 1024
TILE = 8  # rates to one load and store of a row's minimum
CHUNK = 64


class Block(NamedTuple):
    """Half-open index ranges on the axes."""

    alpha0: int
    alpha1: int
    b0: int
    b1: int
    eta0: int
    eta1: int


class BatchColumns(NamedTuple):
    noise: Floats
    start: Floats


@part
def batch_columns(c: Coefficients, b: Floats) -> BatchColumns:
    columns = BatchColumns(np.empty(b.size), np.empty(b.size))
    for j in range(b.size):
        terms = batch_terms(c, b[j])
        columns.noise[j] = terms.noise
        columns.start[j] = terms.start
    return columns


class RowTerms(NamedTuple):
    D: float
    start: Pair


@formula
def row_terms(grid: Grid, c: Coefficients, budget: float, start: float, b: float) -> RowTerms:
    T = b * budget if grid.budget_is_steps else budget
    t = budget_terms(c, start, b, reciprocal(T))
    return RowTerms(t.descent, t.start)


@formula
def lower_rows(D: Floats, least: Floats, inverse_eta: Floats, smooth_eta: Floats) -> None:
    whole = inverse_eta.size // TILE * TILE
    for k in range(0, whole, TILE):
        x = inverse_eta[k : k + TILE]
        y = smooth_eta[k : k + TILE]
        for j in range(D.size):
            m = least[j]
            for u in range(TILE):
                rate = rate_term(D[j], x[u], y[u])
                m = rate if rate < m else m
            least[j] = m
    for k in range(whole, inverse_eta.size):
        for j in range(D.size):
            rate = rate_term(D[j], inverse_eta[k], smooth_eta[k])
            least[j] = rate if rate < least[j] else least[j]


@part
def dense_over_eta(
    grid: Grid, c: Coefficients, budget: float, block: Block, batch: BatchColumns,
    risk: Floats, row: Ints,
) -> None:  # fmt: skip
    rows_at_once = min(ROWS, block.b1 - block.b0)
    D_rows = np.empty(rows_at_once)
    start_hi = np.empty(rows_at_once)
    start_lo = np.empty(rows_at_once)
    R_rows = np.empty(rows_at_once)
    smooth_eta = np.empty(min(RATES, block.eta1 - block.eta0))
    kept_b = block.b1 - block.b0 if grid.keep_b else 1
    for j0 in range(block.b0, block.b1, ROWS):
        rows = min(ROWS, block.b1 - j0)
        noise = batch.noise[j0 - block.b0 : j0 - block.b0 + rows]
        start = batch.start[j0 - block.b0 : j0 - block.b0 + rows]
        D = D_rows[:rows]
        R = R_rows[:rows]
        for j in range(rows):
            t = row_terms(grid, c, budget, start[j], grid.b[j0 + j])
            D[j] = t.D
            start_hi[j] = t.start.hi
            start_lo[j] = t.start.lo
        for i in range(block.alpha0, block.alpha1):
            m = momentum_terms(c, grid.alpha[i])
            R[:] = math.inf
            for k0 in range(block.eta0, block.eta1, RATES):
                rates = min(RATES, block.eta1 - k0)
                for k in range(rates):
                    smooth_eta[k] = m.smooth * grid.eta[k0 + k]
                lower_rows(D, R, grid.inverse_eta[k0 : k0 + rates], smooth_eta[:rates])
            for j in range(rows):
                burn_in = burn_in_term(Pair(start_hi[j], start_lo[j]), m.inverse)
                R[j] += noise_term(noise[j], m.sqrt_alpha, burn_in)
            cell = (i - block.alpha0 if grid.keep_alpha else 0) * kept_b
            first = i * grid.b.size + j0
            if grid.keep_b:
                cell += j0 - block.b0
                for j in range(rows):
                    if precedes(R[j], first + j, risk[cell + j], row[cell + j]):
                        risk[cell + j] = R[j]
                        row[cell + j] = first + j
                continue
            least = R[0]
            for j in range(1, rows):
                least = R[j] if R[j] < least else least
            if not (least <= risk[cell]):
                continue
            j = 0
            while R[j] != least:
                j += 1
            if precedes(least, first + j, risk[cell], row[cell]):
                risk[cell] = least
                row[cell] = first + j


@part
def dense_along_eta(
    grid: Grid, c: Coefficients, budget: float, block: Block, batch: BatchColumns,
    risk: Floats, row: Ints,
) -> None:  # fmt: skip
    n_eta = block.eta1 - block.eta0
    eta = grid.eta[block.eta0 : block.eta1]
    inverse_eta = grid.inverse_eta[block.eta0 : block.eta1]
    smooth_eta = np.empty(n_eta)
    kept_b = block.b1 - block.b0 if grid.keep_b else 1
    for i in range(block.alpha0, block.alpha1):
        m = momentum_terms(c, grid.alpha[i])
        for k in range(n_eta):
            smooth_eta[k] = m.smooth * eta[k]
        for j in range(block.b0, block.b1):
            local = j - block.b0
            t = row_terms(grid, c, budget, batch.start[local], grid.b[j])
            N = noise_term(batch.noise[local], m.sqrt_alpha, burn_in_term(t.start, m.inverse))
            here = i * grid.b.size + j
            cell = (i - block.alpha0 if grid.keep_alpha else 0) * kept_b
            cell += local if grid.keep_b else 0
            to = risk[cell * n_eta : (cell + 1) * n_eta]
            to_row = row[cell * n_eta : (cell + 1) * n_eta]
            for k in range(n_eta):
                R = assemble(t.D, inverse_eta[k], smooth_eta[k], N)
                wins = precedes(R, here, to[k], to_row[k])
                to[k] = R if wins else to[k]
                to_row[k] = here if wins else to_row[k]


@kernel
def dense_block(grid: Grid, problems: Ints, block: Block, risk: Floats, row: Ints) -> None:
    """Lower (risk, row), of shape (problems, cells of the block), to the block's minima."""
    last_bound = -1
    batch = BatchColumns(np.empty(0), np.empty(0))
    for p in range(problems.size):
        problem = problems[p]
        c = bound_of(grid, problem)
        bound = problem // grid.budget.size
        if bound != last_bound:
            batch = batch_columns(c, grid.b[block.b0 : block.b1])
            last_bound = bound
        budget = budget_of(grid, problem)
        if grid.keep_eta:
            dense_along_eta(grid, c, budget, block, batch, risk[p], row[p])
        else:
            dense_over_eta(grid, c, budget, block, batch, risk[p], row[p])


@kernel
def find_eta(grid: Grid, problem: Ints, row: Ints, risk: Floats, found: Ints) -> None:
    """Smallest eta index at which each row (alpha, b) of its problem attains its risk."""
    for at in range(row.size):
        c = bound_of(grid, problem[at])
        m = momentum_terms(c, grid.alpha[row[at] // grid.b.size])
        b = grid.b[row[at] % grid.b.size]
        batch = batch_terms(c, b)
        t = row_terms(grid, c, budget_of(grid, problem[at]), batch.start, b)
        N = noise_term(batch.noise, m.sqrt_alpha, burn_in_term(t.start, m.inverse))
        k = 0
        # Whole chunks are tested without a branch, so that the test vectorises.
        while k + CHUNK <= grid.eta.size:
            hits = 0
            for u in range(k, k + CHUNK):
                hits += assemble(t.D, grid.inverse_eta[u], m.smooth * grid.eta[u], N) == risk[at]
            if hits:
                break
            k += CHUNK
        while (
            k + 1 < grid.eta.size
            and assemble(t.D, grid.inverse_eta[k], m.smooth * grid.eta[k], N) != risk[at]
        ):
            k += 1
        found[at] = k


@kernel
def inverse_rates(eta: Floats, inverse: Floats) -> None:
    for k in range(eta.size):
        inverse[k] = inverse_rate(eta[k])


# ---- kernels.cpp, element-wise -----------------------------------------------------

Operands = tuple[Floats, ...]


@formula
def coefficients_at(inputs: Operands, k: int) -> Coefficients:
    return Coefficients(
        inputs[0][k], inputs[1][k], inputs[2][k], inputs[3][k], inputs[4][k], inputs[5][k],
        inputs[6][k],
    )  # fmt: skip


@kernel
def risk_loop(inputs: Operands, outputs: Operands) -> None:
    eta, alpha, b, T = inputs[7], inputs[8], inputs[9], inputs[10]
    R = outputs[0]
    for k in range(R.size):
        R[k] = risk(coefficients_at(inputs, k), eta[k], alpha[k], b[k], T[k])


@kernel
def positive_cubic_root_loop(inputs: Operands, outputs: Operands) -> None:
    a, b, c = inputs[0], inputs[1], inputs[2]
    x = outputs[0]
    for k in range(x.size):
        x[k] = positive_cubic_root(a[k], b[k], c[k])


@kernel
def cubic_roots_loop(inputs: Operands, outputs: Operands) -> None:
    for k in range(outputs[0].size):
        x = cubic_roots(inputs[0][k], inputs[1][k], inputs[2][k], inputs[3][k])
        outputs[0][k] = x.r0
        outputs[1][k] = x.r1
        outputs[2][k] = x.r2


@formula
def put(p: StationaryPoint, outputs: Operands, k: int) -> None:
    outputs[0][k] = p.eta
    outputs[1][k] = p.alpha
    outputs[2][k] = p.b
    outputs[3][k] = p.K
    outputs[4][k] = p.T
    outputs[5][k] = p.risk


@kernel
def theorem1_tokens_loop(inputs: Operands, outputs: Operands) -> None:
    for k in range(outputs[0].size):
        put(theorem1(coefficients_at(inputs, k), inputs[7][k], inputs[8][k]), outputs, k)


@kernel
def theorem1_steps_loop(inputs: Operands, outputs: Operands) -> None:
    for k in range(outputs[0].size):
        c = coefficients_at(inputs, k)
        put(theorem1_steps(c, inputs[7][k], inputs[8][k], inputs[9][k]), outputs, k)


@kernel
def theorem2_loop(inputs: Operands, outputs: Operands) -> None:
    for k in range(outputs[0].size):
        put(theorem2(coefficients_at(inputs, k), inputs[7][k], inputs[8][k]), outputs, k)


@kernel
def theorem3_loop(inputs: Operands, outputs: Operands) -> None:
    for k in range(outputs[0].size):
        put(theorem3(coefficients_at(inputs, k), inputs[7][k]), outputs, k)


@kernel
def theorem3_asymptotic_loop(inputs: Operands, outputs: Operands) -> None:
    for k in range(outputs[0].size):
        c = coefficients_at(inputs, k)
        put(theorem3_asymptotic(c, inputs[7][k], inputs[8][k]), outputs, k)
