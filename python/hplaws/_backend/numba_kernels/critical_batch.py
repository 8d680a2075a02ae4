"""critical_batch.hpp for Numba: 2x2 stability spectra."""

from __future__ import annotations

import math
from typing import NamedTuple

from .bound import positive_finite
from .config import formula
from .exact import (
    Pair,
    add,
    divide,
    fma,
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


class Spectrum(NamedTuple):
    re1: float
    im1: float
    re2: float
    im2: float


@formula
def scale(x: Pair, e: float) -> Pair:
    s = power_of_two(e if e > -1000.0 else -1000.0)
    return Pair(x.hi * s, x.lo * s)


@formula
def unscale(y: float, e: float) -> float:
    third = nearest_integer(e * (1.0 / 3.0))
    return y * power_of_two(third) * power_of_two(third) * power_of_two(e - third - third)


@formula
def stability_spectrum(eta: float, f: float, h: float, r: float) -> Spectrum:
    valid = positive_finite(eta) and positive_finite(r) and is_finite(f) and is_finite(h)
    se = split(eta)
    sf = split(f)
    sh = split(h)
    sr = split(r)
    significand_f = 0.0 if f == 0.0 else sf.significand
    significand_h = 0.0 if h == 0.0 else sh.significand

    exponent_a = -4000.0 if f == 0.0 else se.exponent + sf.exponent
    exponent_c = -4000.0 if f == 0.0 else sr.exponent + sf.exponent
    exponent_g = -4000.0 if h == 0.0 else se.exponent + 2.0 * sh.exponent
    larger = exponent_a if exponent_a > exponent_c else exponent_c
    k = nearest_integer(larger if larger > 0.5 * exponent_g else 0.5 * exponent_g)

    a = scale(two_product(se.significand, significand_f), exponent_a - k)
    c = scale(two_product(sr.significand, significand_f), exponent_c - k)
    square_h = two_product(significand_h, significand_h)
    g = scale(multiply(square_h, se.significand), exponent_g - 2.0 * k)

    difference = add(a, negate(c))
    square = multiply_pairs(difference, difference)
    discriminant = add(square, Pair(-4.0 * g.hi, -4.0 * g.lo))
    real = discriminant.hi >= 0.0
    positive_root = square_root(discriminant if real else negate(discriminant))
    twin = discriminant.hi == 0.0
    root = Pair(0.0 if twin else positive_root.hi, 0.0 if twin else positive_root.lo)

    total = add(a, c)
    far = add(total, negate(root) if total.hi < 0.0 else root)
    near = divide(add(multiply_pairs(a, c), g), far)
    x = unscale(-0.5 * far.hi, k)
    y = 0.0 if far.hi == 0.0 else unscale(-2.0 * near.hi, k)

    half_sum = two_sum(0.5 * eta, 0.5 * r)
    re = 0.0 - fma(half_sum.hi, f, half_sum.lo * f)
    im = unscale(0.5 * root.hi, k)

    if not valid:
        return Spectrum(math.nan, math.nan, math.nan, math.nan)
    if real:
        return Spectrum((y if y < x else x) + 0.0, 0.0, (x if y < x else y) + 0.0, 0.0)
    return Spectrum(re, -im, re, im)
