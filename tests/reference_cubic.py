"""Slow, obvious roots of cubics, to test the fast ones against.

Counting is done in exact rational arithmetic, values by bracketing in mpmath
at 500 bits, which leaves far more than 60 digits after any cancellation that
four doubles can cause.
"""

import functools
import math
from fractions import Fraction
from itertools import pairwise

import mpmath

PRECISION = 500


@functools.cache
def positive_root(a, b, c):
    """The positive root of a x^3 - b x - c; Newton from above is monotone."""
    with mpmath.workprec(PRECISION):
        p, r = mpmath.mpf(b) / mpmath.mpf(a), mpmath.mpf(c) / mpmath.mpf(a)
        x = mpmath.sqrt(p) + mpmath.cbrt(r)
        while True:
            step = (x**3 - p * x - r) / (3 * x**2 - p)
            x -= step
            if abs(step) <= x * mpmath.mpf(2) ** -250:
                return x


def discriminant(a, b, c, d):
    """Exact, as a Fraction."""
    a, b, c, d = map(Fraction, (a, b, c, d))
    return 18 * a * b * c * d - 4 * b**3 * d + b**2 * c**2 - 4 * a * c**3 - 27 * a**2 * d**2


def discriminant_relative(a, b, c, d):
    """|discriminant| over the sum of its terms' absolute values, as a float."""
    a, b, c, d = map(Fraction, (a, b, c, d))
    terms = (18 * a * b * c * d, 4 * b**3 * d, b**2 * c**2, 4 * a * c**3, 27 * a**2 * d**2)
    total = sum(map(abs, terms))
    return float(abs(discriminant(a, b, c, d)) / total) if total else 0.0


def _mpf(x):
    x = Fraction(x)
    return mpmath.mpf(x.numerator) / mpmath.mpf(x.denominator)


def _root_between(f, slope, lo, hi):
    """The root of f in [lo, hi], lo and hi of one sign and f of two.

    Newton where it stays inside and halves the bracket's width, else bisection.
    """
    negative_at_lo = f(lo) < 0
    sign = -1 if hi <= 0 else 1
    step = hi - lo
    x = hi
    while abs(step) > abs(x) * mpmath.mpf(2) ** -250:
        gradient = slope(x)
        newton = x - f(x) / gradient if gradient else hi
        if lo < newton < hi and abs(newton - x) < abs(step) / 2:
            x, step = newton, newton - x
        else:
            # Halve the ratio while that is large, so that 1e-300 is found as
            # fast as 1.
            small, large = sorted((abs(lo), abs(hi)))
            x = sign * mpmath.sqrt(small * large) if large > 2 * small else (lo + hi) / 2
            step = hi - lo
        value = f(x)
        if value == 0:
            return x
        if (value < 0) == negative_at_lo:
            lo = x
        else:
            hi = x
    return x


@functools.cache
def real_roots(a, b, c, d):
    """All real roots with multiplicity, a tuple of ascending mpf; () for a constant."""
    coefficients = [Fraction(x) for x in (a, b, c, d)]
    with mpmath.workprec(PRECISION):
        zeros = 0
        while coefficients and coefficients[0] == 0:
            coefficients.pop(0)
        if not coefficients:
            return ()
        while coefficients[-1] == 0:
            coefficients.pop()
            zeros += 1
        roots = [mpmath.mpf(0)] * zeros
        degree = len(coefficients) - 1
        if degree == 1:
            roots.append(-_mpf(coefficients[1] / coefficients[0]))
        elif degree == 2:
            a, b, c = coefficients
            delta = b * b - 4 * a * c
            if delta >= 0:
                q = -(_mpf(b) + (-1 if b < 0 else 1) * mpmath.sqrt(_mpf(delta))) / 2
                roots += [q / _mpf(a), _mpf(c) / q]
        elif degree == 3:
            roots += _cubic(*coefficients)
        return tuple(sorted(roots))


def _cubic(a, b, c, d):
    delta = discriminant(a, b, c, d)
    hessian = b * b - 3 * a * c
    if delta == 0:
        if hessian == 0:
            return [_mpf(-b / (3 * a))] * 3
        twice = (9 * a * d - b * c) / (2 * hessian)
        return [_mpf(twice), _mpf(twice), _mpf(-b / a - 2 * twice)]
    A, B, C, D = map(_mpf, (a, b, c, d))

    def f(x):
        return ((A * x + B) * x + C) * x + D

    def slope(x):
        return (3 * A * x + 2 * B) * x + C

    # Cauchy's bound, for the roots and for their inverses.
    outer = 2 * max(1, abs(B / A), abs(C / A), abs(D / A))
    inner = 1 / (2 * max(1, abs(C / D), abs(B / D), abs(A / D)))
    cuts = [-outer, -inner, inner, outer]
    if delta > 0:
        # The extrema separate the three roots.
        q = -(B + (-1 if b < 0 else 1) * mpmath.sqrt(_mpf(hessian)))
        cuts += [q / (3 * A), C / q]
    cuts.sort()
    roots = [
        _root_between(f, slope, lo, hi)
        for lo, hi in pairwise(cuts)
        if f(lo) * f(hi) < 0 and lo * hi > 0
    ]
    assert len(roots) == (3 if delta > 0 else 1)
    return roots


@functools.cache
def condition_number(a, b, c, d, x):
    """Relative change of the root x per relative change of the coefficients,
    componentwise: (|a x^3| + |b x^2| + |c x| + |d|) / |x f'(x)|. 1 for a zero
    root, inf for a multiple one."""
    if x == 0:
        return mpmath.mpf(1)
    with mpmath.workprec(PRECISION):
        a, b, c, d = (mpmath.mpf(v) for v in (a, b, c, d))
        slope = abs(x * ((3 * a * x + 2 * b) * x + c))
        total = abs(a * x**3) + abs(b * x**2) + abs(c * x) + abs(d)
        return total / slope if slope > total * mpmath.mpf(2) ** -240 else mpmath.inf


def ulp_error(value, exact):
    """|value - exact| in units of the last place of exact.

    The unit is the spacing of doubles at exact, 2^-1074 for subnormals and
    zero. A value of infinity is right (0) where exact rounds to it, a wrong
    infinity or NaN is inf ulp away.
    """
    value = float(value)
    if math.isnan(value):
        return math.inf
    with mpmath.workprec(PRECISION):
        overflow = mpmath.mpf(2) ** 1024 - mpmath.mpf(2) ** 970
        if math.isinf(value):
            return 0.0 if abs(exact) >= overflow and (exact > 0) == (value > 0) else math.inf
        exponent = mpmath.frexp(exact)[1] if exact else -10000
        unit = mpmath.mpf(2) ** max(exponent - 53, -1074)
        return float(abs(mpmath.mpf(value) - exact) / unit)
