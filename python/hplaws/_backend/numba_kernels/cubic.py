"""cubic.hpp for Numba: the positive root, and every real root, of a cubic."""

from __future__ import annotations

import math
from typing import NamedTuple

from .config import formula, part
from .exact import (
    DBL_MAX,
    Pair,
    Split,
    add,
    bits_of,
    divide,
    fast_two_sum,
    fma,
    from_bits,
    is_finite,
    multiply,
    multiply_pairs,
    nearest_integer,
    negate,
    power_of_two,
    split,
    square_root,
    two_product,
    two_sum,
)


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
    valid = (a > 0.0) & (a <= DBL_MAX) & (b >= 0.0) & (b <= DBL_MAX) & (c > 0.0) & (c <= DBL_MAX)
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


@formula
def cube_root(x: float) -> float:
    y = positive_cubic_root(1.0, 0.0, x)
    return x if (x == 0.0) | (x > DBL_MAX) else y


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
def careful_roots(a: float, b: float, c: float, d: float) -> RealRoots:
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


@formula
def polished_root(a: float, b: float, c: float, d: float, x: float) -> float:
    ax = two_product(a, x)
    q1 = two_sum(ax.hi, b)
    q1x = two_product(q1.hi, x)
    q2 = two_sum(q1x.hi, c)
    q2x = two_product(q2.hi, x)
    lost = fma(ax.lo + q1.lo, x, q1x.lo + q2.lo)
    value = (q2x.hi + d) + fma(lost, x, q2x.lo)
    step = value / fma(ax.hi + q1.hi, x, q2.hi)
    return x - step if math.fabs(step) <= 2.0**-41 * math.fabs(x) else math.nan


@formula
def is_moderate(x: float) -> bool:
    return (math.fabs(x) >= 2.0**-100) & (math.fabs(x) <= 2.0**100)


class IsolatedGuess(NamedTuple):
    y: float
    delta: float


@formula
def isolated_guess(a: float, b: float, c: float, d: float) -> IsolatedGuess:
    moderate = (
        is_moderate(a)
        & (is_moderate(b) | (b == 0.0))
        & (is_moderate(c) | (c == 0.0))
        & is_moderate(d)
    )
    ac = 3.0 * (a * c)
    ad = 9.0 * (a * d)
    bd = 3.0 * (b * d)
    P = fma(b, b, -ac)
    Q = fma(b, c, -ad)
    R = fma(c, c, -bd)
    delta = fma(4.0 * P, R, -(Q * Q))
    q = math.fabs(b * c) + math.fabs(ad)
    S = fma(4.0 * fma(b, b, math.fabs(ac)), fma(c, c, math.fabs(bd)), q * q)
    apart = math.fabs(delta) > 2.0**-32 * S

    G = fma(2.0 * b, P, -3.0 * a * Q)
    p = 3.0 * P
    r = math.fabs(G)
    crude = crude_power_two_thirds(r)
    square = p + crude if p > 0.0 else fma(p, p, 1.2 * crude * crude)
    w = (square if p > 0.0 else r) / math.sqrt(square)
    w = halley_step(w, p, r)
    w = halley_step(w, p, r)
    x = ((w if G < 0.0 else -w) - b) / (3.0 * a)
    ax = a * x
    q1 = ax + b
    q2 = fma(q1, x, c)
    x = x - fma(q2, x, d) / fma(ax + q1, x, q2)
    return IsolatedGuess(x if moderate & apart else math.nan, delta)


@formula
def separate_roots(a: float, b: float, c: float, d: float, guess: IsolatedGuess) -> RealRoots:
    y = guess.y
    inverse_y = 1.0 / y
    bottom = -d * inverse_y
    top = fma(a, y, b)
    larger = math.fabs(a * y) * y * y > math.fabs(d)
    h = 0.5 * ((bottom - c) * inverse_y if larger else top)
    constant = bottom if larger else fma(top, y, c)
    s = math.sqrt(fma(h, h, -a * constant))
    q = s - h if h < 0.0 else -h - s
    inverse = 1.0 / (a * q)
    isolated = polished_root(a, b, c, d, y)
    x = ascending(
        isolated,
        polished_root(a, b, c, d, q * q * inverse),
        polished_root(a, b, c, d, a * constant * inverse),
    )
    gap = 2.0**-40 * math.fabs(x.r1)
    least = x.r0 if (x.r1 - x.r0 > gap) & (x.r2 - x.r1 > gap) else math.nan
    three = guess.delta > 0.0
    return RealRoots(
        least if three else isolated, x.r1 if three else math.nan, x.r2 if three else math.nan
    )
