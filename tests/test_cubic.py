"""positive_cubic_root and cubic_roots against slow roots in exact arithmetic."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import hplaws
import reference_cubic as reference
from hplaws import _backend

LARGEST = np.finfo(float).max
SMALLEST = np.nextafter(0.0, 1.0)
DERANDOMISED = settings(max_examples=100, deadline=None, derandomize=True)
# Below this multiple of its own terms a discriminant is allowed to count as
# zero: a few hundred roundings of double-double arithmetic.
WITHIN_ROUNDING = 2.0**-93

# In ulp: half of the digits of any root, however badly conditioned, and one rounding
# of those whose condition is less than that.
ANY_CONDITION = 2.0**26
ROUNDED_ONCE = 0.51


def generator():
    return np.random.default_rng(20240229)


def log_uniform(rng, low, high, size, signs=False):
    x = 10 ** rng.uniform(low, high, size)
    return x * rng.choice([-1.0, 1.0], size) if signs else x


# ---- positive_cubic_root ----


def positive_inputs(kind):
    rng = generator()
    n = 200
    if kind == "1e-60 to 1e60":
        return [log_uniform(rng, -60, 60, n) for _ in range(3)]
    if kind == "of order 1":
        return [log_uniform(rng, -1, 1, n) for _ in range(3)]
    if kind == "b = 0":
        return log_uniform(rng, -60, 60, n), np.zeros(n), log_uniform(rng, -60, 60, n)
    if kind == "whole range":
        return [log_uniform(rng, -307, 308, n) for _ in range(3)]
    if kind == "all terms alike":
        s = log_uniform(rng, -90, 90, n)
        return np.ones(n), log_uniform(rng, -1.5, 1.5, n) * s**2, s**3
    if kind == "subnormal":
        return [rng.integers(1, 2**50, n) * SMALLEST for _ in range(3)]
    if kind == "subnormal b, c":
        return log_uniform(rng, 290, 308, n), *(rng.integers(1, 9, n) * SMALLEST for _ in range(2))
    raise ValueError(kind)


@pytest.mark.parametrize(
    "kind",
    [
        "1e-60 to 1e60",
        "of order 1",
        "b = 0",
        "whole range",
        "all terms alike",
        "subnormal",
        "subnormal b, c",
    ],
)
def test_positive_root_within_an_ulp(backend, kind):
    a, b, c = positive_inputs(kind)
    x = hplaws.positive_cubic_root(a, b, c, backend=backend)
    errors = [
        reference.ulp_error(v, reference.positive_root(*abc))
        for v, *abc in zip(x, a, b, c, strict=True)
    ]
    assert max(errors) <= 0.51


@pytest.mark.parametrize(
    "abc",
    [
        (LARGEST, LARGEST, LARGEST),
        (SMALLEST, SMALLEST, SMALLEST),
        (LARGEST, SMALLEST, SMALLEST),
        (SMALLEST, SMALLEST, LARGEST),
        (SMALLEST, 0.0, LARGEST),
        (LARGEST, 0.0, SMALLEST),
        (1.0, LARGEST, SMALLEST),
        (LARGEST, LARGEST, SMALLEST),
        (1.0, SMALLEST, 1.0),
        (np.finfo(float).tiny, 1.0, 1.0),
    ],
)
def test_positive_root_at_the_ends_of_the_range(backend, abc):
    x = hplaws.positive_cubic_root(*abc, backend=backend)
    assert reference.ulp_error(x, reference.positive_root(*abc)) <= 0.51


def test_positive_root_beyond_the_largest_double_is_infinite(backend):
    assert reference.positive_root(SMALLEST, LARGEST, 1.0) > LARGEST
    assert hplaws.positive_cubic_root(SMALLEST, LARGEST, 1.0, backend=backend) == math.inf


def test_positive_root_of_integer_cubics_is_exact(backend):
    x = np.arange(1.0, 200.0)[:, None]
    b = np.arange(0.0, 50.0)
    c = x**3 - b * x
    got = hplaws.positive_cubic_root(1.0, b, np.where(c > 0, c, np.nan), backend=backend)
    expected = np.where(c > 0, np.broadcast_to(x, c.shape), np.nan)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_positive_root_outside_its_domain_is_nan(backend, bad, position):
    abc = [1.0, 1.0, 1.0]
    abc[position] = bad
    assert math.isnan(hplaws.positive_cubic_root(*abc, backend=backend))


def test_positive_root_needs_a_and_c_positive(backend):
    assert math.isnan(hplaws.positive_cubic_root(0.0, 1.0, 1.0, backend=backend))
    assert math.isnan(hplaws.positive_cubic_root(1.0, 1.0, 0.0, backend=backend))


def test_positive_root_nan_stays_in_its_element(backend):
    a = np.array([1.0, np.nan, 1.0, -1.0, 8.0])
    got = hplaws.positive_cubic_root(a, 0.0, 1.0, backend=backend)
    np.testing.assert_array_equal(got, [1.0, np.nan, 1.0, np.nan, 0.5])


def test_positive_root_shapes(backend):
    assert isinstance(hplaws.positive_cubic_root(1.0, 0.0, 8.0, backend=backend), float)
    assert hplaws.positive_cubic_root(np.ones((3, 1)), np.ones(4), 1.0, backend=backend).shape == (
        3,
        4,
    )
    assert hplaws.positive_cubic_root(np.ones(0), 1.0, 1.0, backend=backend).shape == (0,)


@given(
    st.floats(1e-60, 1e60),
    st.floats(0, 1e60),
    st.floats(1e-60, 1e60),
    st.integers(-40, 40),
    st.integers(-40, 40),
)
@DERANDOMISED
def test_positive_root_scales_by_powers_of_two_exactly(a, b, c, i, j):
    """x -> x 2^i in the variable and 2^j in the equation change no digit."""
    for backend in ("native", "numba"):
        try:
            x = hplaws.positive_cubic_root(a, b, c, backend=backend)
        except hplaws.BackendError:
            continue
        scaled = hplaws.positive_cubic_root(
            math.ldexp(a, j - 3 * i), math.ldexp(b, j - i), math.ldexp(c, j), backend=backend
        )
        assert scaled == math.ldexp(x, i)


# ---- cubic_roots ----


def check(coefficients, got):
    """Count, order and padding; each root rounded once, but for the ill-conditioned."""
    coefficients = [float(v) for v in coefficients]
    got = [float(v) for v in got]
    count = sum(not math.isnan(v) for v in got)
    assert all(map(math.isnan, got[count:])), (coefficients, got)
    assert got[:count] == sorted(got[:count]), (coefficients, got)
    exact = reference.real_roots(*coefficients)
    if count != len(exact):
        assert reference.discriminant_relative(*coefficients) < WITHIN_ROUNDING, (
            coefficients,
            got,
            exact,
        )
        return
    for value, x in zip(got[:count], exact, strict=True):
        benign = reference.condition_number(*coefficients, x) < ANY_CONDITION
        allowed = ROUNDED_ONCE if benign else ANY_CONDITION
        assert reference.ulp_error(value, x) <= allowed, (
            coefficients,
            got,
            [float(v) for v in exact],
        )


def check_all(backend, rows):
    rows = np.array(rows, float)
    got = hplaws.cubic_roots(*rows.T, backend=backend)
    assert got.shape == (len(rows), 3)
    for row, roots in zip(rows, got, strict=True):
        check(row, roots)


def expand(a, x, y, z):
    """Coefficients of a (X-x)(X-y)(X-z), each rounded once."""
    a, x, y, z = map(Fraction, map(float, (a, x, y, z)))
    return [float(v) for v in (a, -a * (x + y + z), a * (x * y + y * z + z * x), -a * x * y * z)]


# Inputs on which other solvers are known to fail, by where they were reported.
REPORTED = {
    "boostorg/math 747, leading coefficient 1e-20": (1e-20, 1, -3, 2),
    "boostorg/math 747, coefficients of 1e20": (1, -1e20, 3e20, -2e20),
    "boostorg/math 757, one real root": (1, 3, 4, 2),
    "boostorg/math 757, close pair": (1, 10000, 200, 1),
    "opencv 5623, x^3": (1, 0, 0, 0),
    "opencv 5650, x^3 - x^2": (1, -1, 0, 0),
    "opencv 19526": (3, 3, 1, 1),
    "opencv 27323, double root broken by a": (2e-13, 1, -2, 1),
    "opencv 27323, after its fix": (
        0.000000000000227373675443232059,
        84.5276,
        -2.79124,
        -0.1575821794716176,
    ),
    "opencv 28057": (2.27373675443232e-13, 84.5523809523809, -2.79279008706411, -0.156732355948886),
    "Imath 86": (36.1182938, -37.4285049, 0.0, 12.6194038),
    "vorot/roots 6": (
        -0.000000000000000040410628481035,
        0.0126298310280606,
        -0.100896606408756,
        0.0689539597036461,
    ),
    "genesis-world 254": (1, 0, 0, 1),
    "kurbo 198": (-20.0, 30.0, 0.0, -5.0),
    # The resolvent of x^4 + A x^3 + B x^2 + C x + D, through which quartic
    # solvers fail: y^3 - B y^2 + (AC - 4D) y + (4BD - A^2 D - C^2).
    "kornia 4346, resolvent of x^4 + 2x^3 - 16": (1, 0, 64, 64),
    "kornia 4346, resolvent of x^4 + 1e-6x + 1": (1, 0, -4, -1e-12),
    "kornia 4346, biquadratic x^4 - 5x^2 + 4": (1, 5, -16, -80),
    "kornia 4474, near double": (
        1,
        -14.01,
        4 * 20.02 - 4 * 25.05,
        4 * 14.01 * 25.05 - 16 * 25.05 - 20.02**2,
    ),
    "fqs 4, resolvent of 2, 2.001, 2.002, 2.003": (
        1,
        -24.036,
        8.006 * 32.072 - 4 * 16.048,
        4 * 24.036 * 16.048 - 8.006**2 * 16.048 - 32.072**2,
    ),
    "fqs 4, three of its roots": tuple(expand(1, 2.001, 2.002, 2.003)),
    "fqs 2, three of its roots": tuple(expand(-6.531972647421809, 0.5, 0.5, -0.5)),
    "fqs 5, resolvent of x^4/10 - 1": (1, 0, 40, 0),
    "fqs 1, the first four coefficients": (
        0.002401,
        -0.008925317977280052,
        0.009300185690512571,
        -0.0018690559771812293,
    ),
    "fqs 1, the last four coefficients": (
        -0.11310361300182059,
        0.2613098019282549,
        -0.003289237724549378,
        -4.336808689942018e-19,
    ),
}


@pytest.mark.parametrize("name", REPORTED)
def test_inputs_that_break_others(backend, name):
    check(REPORTED[name], hplaws.cubic_roots(*REPORTED[name], backend=backend))


def coefficients_of(kind):
    rng = generator()
    n = 100

    def signed(low, high):
        return log_uniform(rng, low, high, n, signs=True)

    def tiny():
        return rng.integers(1, 2**30, n) * SMALLEST * rng.choice([-1, 1], n)

    def from_roots(a, x, y, z):
        return [expand(*row) for row in zip(a, x, y, z, strict=True)]

    if kind == "1e-60 to 1e60":
        return np.stack([signed(-60, 60) for _ in range(4)], 1)
    if kind == "normal":
        return rng.normal(size=(n, 4))
    if kind == "whole range":
        return np.stack([signed(-307, 308) for _ in range(4)], 1)
    if kind == "roots from 1e-20 to 1e20":
        return from_roots(*(signed(-20, 20) for _ in range(4)))
    if kind == "roots from 1e-70 to 1e70":
        return from_roots(*(signed(-70, 70) for _ in range(4)))
    if kind == "nearly double":
        x = signed(-3, 3)
        return from_roots(signed(-3, 3), x, x * (1 + log_uniform(rng, -16, -1, n)), signed(-3, 3))
    if kind == "nearly double, third far":
        x = signed(-3, 3)
        return from_roots(
            signed(-3, 3), x, x * (1 + log_uniform(rng, -16, -1, n)), x * signed(-30, 30)
        )
    if kind == "nearly triple":
        x = signed(-1, 1)
        return from_roots(signed(-1, 1), x, x * (1 + signed(-9, -1)), x * (1 + signed(-9, -1)))
    if kind in ("double, one ulp off", "triple, one ulp off"):
        x = rng.integers(-50, 50, n)
        y = x if kind.startswith("triple") else rng.integers(-50, 50, n)
        return np.array(from_roots(np.ones(n), x, x, y)) * (
            1 + rng.integers(-2, 3, (n, 4)) * 2.0**-52
        )
    if kind == "zeros among wide coefficients":
        rows = np.stack([signed(-60, 60) for _ in range(4)], 1)
        rows[rng.random(rows.shape) < 0.35] = 0.0
        return rows
    if kind == "subnormal":
        return np.stack([tiny() for _ in range(4)], 1)
    if kind == "huge":
        return np.stack([signed(300, 308) for _ in range(4)], 1)
    if kind == "subnormal a":
        return np.stack([tiny(), *(signed(-20, 20) for _ in range(3))], 1)
    if kind == "subnormal d":
        return np.stack([*(signed(-20, 20) for _ in range(3)), tiny()], 1)
    if kind == "tiny a beside a double root":
        x = rng.integers(1, 1000, n)
        return np.stack([signed(-27, -5), np.ones(n), -2.0 * x, 1.0 * x * x], 1)
    if kind == "sizes about 2^-100 and 2^100":
        return rng.choice([-1.0, 1.0], (n, 4)) * 2.0 ** (
            rng.choice([-100, 0, 100], (n, 4)) + rng.uniform(-1, 1, (n, 4))
        )
    if kind == "roots apart by 2^-10 to 2^-20":
        x = signed(-2, 2)
        return from_roots(
            signed(-2, 2), x, x * (1 + 2.0 ** rng.uniform(-20, -10, n)), signed(-2, 2)
        )
    if kind == "nearly symmetric":
        return np.stack([signed(-3, 3), np.zeros(n), signed(-3, 3), signed(-20, 0)], 1)
    raise ValueError(kind)


@pytest.mark.parametrize(
    "kind",
    [
        "1e-60 to 1e60",
        "normal",
        "whole range",
        "roots from 1e-20 to 1e20",
        "roots from 1e-70 to 1e70",
        "nearly double",
        "nearly double, third far",
        "nearly triple",
        "double, one ulp off",
        "triple, one ulp off",
        "zeros among wide coefficients",
        "subnormal",
        "huge",
        "subnormal a",
        "subnormal d",
        "tiny a beside a double root",
        "sizes about 2^-100 and 2^100",
        "roots apart by 2^-10 to 2^-20",
        "nearly symmetric",
    ],
)
def test_every_kind_of_cubic(backend, kind):
    check_all(backend, coefficients_of(kind))


def test_every_sign_pattern_of_small_coefficients(backend):
    check_all(backend, list(itertools.product([-2, -1, 0, 1], repeat=4)))


def test_exactly_representable_multiple_roots(backend):
    """Integers times powers of two have exact coefficients, so the roots are
    known, and must come out exactly, repetitions included."""
    rng = generator()
    n = 3000
    x, y = rng.integers(-2000, 2000, (2, n)).astype(float)
    unit, lead = 2.0 ** rng.integers(-60, 61, (2, n))
    for third in (y, x):
        got = hplaws.cubic_roots(
            lead,
            -lead * unit * (2 * x + third),
            lead * unit**2 * (x * x + 2 * x * third),
            -lead * unit**3 * x * x * third,
            backend=backend,
        )
        np.testing.assert_array_equal(
            got, np.sort(np.stack([x, x, third], 1), axis=1) * unit[:, None]
        )


@pytest.mark.parametrize("third", [-3.0, 2.0, 2.0**30, 2.0**-30])
def test_exactly_representable_close_roots(backend, third):
    """1 and 1 + gap and a third: all coefficients are exact, so three roots are
    to be found down to gaps that the condition number lets nobody resolve."""
    gaps = 2.0 ** -np.arange(1, 46 if third in (-3.0, 2.0) else 20)
    rows = [expand(1.0, 1.0, 1.0 + gap, third) for gap in gaps]
    got = hplaws.cubic_roots(*np.array(rows).T, backend=backend)
    exact = np.sort(
        np.stack([np.ones_like(gaps), 1.0 + gaps, np.full_like(gaps, third)], 1), axis=1
    )
    np.testing.assert_array_equal(got, exact)


@pytest.mark.parametrize("third", [-3.0, 2.0, 1.5])
def test_nearly_real_pair_is_not_counted(backend, third):
    """((x - 1)^2 + h^2) (x - third), exact coefficients, one real root."""
    h2 = 4.0 ** -np.arange(1, 25)
    got = hplaws.cubic_roots(
        1.0, -2.0 - third, 1.0 + h2 + 2.0 * third, -third * (1.0 + h2), backend=backend
    )
    np.testing.assert_array_equal(
        got, np.stack([np.full_like(h2, third), *[np.full_like(h2, np.nan)] * 2], 1)
    )


def test_triple_root_that_is_no_double(backend):
    """(3x + 1)^3: -1/3, rounded once."""
    assert list(hplaws.cubic_roots(27.0, 27.0, 9.0, 1.0, backend=backend)) == [-1 / 3] * 3


@pytest.mark.parametrize(
    ("coefficients", "roots"),
    [
        ((0, 1, -3, 2), [1, 2]),
        ((0, 1, -2, 1), [1, 1]),
        ((0, 1, 0, 1), []),
        ((0, 0, 2, 1), [-0.5]),
        ((0, 0, 0, 1), []),
        ((0, 0, 0, 0), []),
        ((0, 0, 3, 0), [0]),
        ((0, 3, 0, 0), [0, 0]),
        ((3, 0, 0, 0), [0, 0, 0]),
        ((1, -3, 2, 0), [0, 1, 2]),
        ((1, 0, 1, 0), [0]),
        ((1, 0, -1, 0), [-1, 0, 1]),
        ((-1, 0, 0, 8), [2]),
    ],
)
def test_degenerate_coefficients(backend, coefficients, roots):
    got = hplaws.cubic_roots(*map(float, coefficients), backend=backend)
    np.testing.assert_array_equal(got, roots + [math.nan] * (3 - len(roots)))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("position", range(4))
def test_not_finite_coefficient_gives_nan(backend, bad, position):
    rows = np.ones((3, 4))
    rows[1, position] = bad
    got = hplaws.cubic_roots(*rows.T, backend=backend)
    np.testing.assert_array_equal(
        got, [[-1, math.nan, math.nan], [math.nan] * 3, [-1, math.nan, math.nan]]
    )


def test_root_beyond_the_largest_double_is_infinite(backend):
    got = hplaws.cubic_roots(SMALLEST, 1.0, -3.0, 2.0, backend=backend)
    np.testing.assert_array_equal(got, [-math.inf, 1.0, 2.0])


def test_three_scales_at_once(backend):
    row = expand(1.0, 1e-20, 1.0, 1e20)
    got = hplaws.cubic_roots(*row, backend=backend)
    for value, x in zip(got, reference.real_roots(*row), strict=True):
        assert reference.ulp_error(value, x) <= 0.51


def test_cubic_roots_shapes(backend):
    assert hplaws.cubic_roots(1.0, 0.0, 0.0, -1.0, backend=backend).shape == (3,)
    assert hplaws.cubic_roots(np.ones((2, 1)), np.ones(5), 0, 1, backend=backend).shape == (2, 5, 3)
    assert hplaws.cubic_roots(np.ones(0), 1.0, 1.0, 1.0, backend=backend).shape == (0, 3)


@pytest.mark.skipif(
    set(_backend.available()) < {"native", "numba"}, reason="needs both backends to compare"
)
@pytest.mark.parametrize(
    "kind", ["1e-60 to 1e60", "nearly double", "nearly triple", "subnormal", "huge"]
)
def test_the_backends_agree_bit_for_bit(kind):
    rows = np.array(coefficients_of(kind), float).T
    for solve, inputs in (
        (hplaws.cubic_roots, rows),
        (hplaws.positive_cubic_root, np.abs(rows[:3])),
    ):
        ours, theirs = (solve(*inputs, backend=name) for name in ("native", "numba"))
        np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(np.signbit(ours[ours == 0]), np.signbit(theirs[theirs == 0]))


coefficient = st.one_of(
    st.integers(-30, 30).map(float),
    st.floats(-1e60, 1e60, allow_subnormal=True),
    st.builds(lambda m, e: math.ldexp(m, e), st.integers(-9, 9), st.integers(-200, 200)),
)


@given(coefficient, coefficient, coefficient, coefficient)
@example(1.0, -4.0, 5.0, -2.0)
@example(1.0, -9.0, 27.0, -27.0)
@DERANDOMISED
def test_any_cubic(a, b, c, d):
    for backend in ("native", "numba"):
        try:
            got = hplaws.cubic_roots(a, b, c, d, backend=backend)
            mirrored = hplaws.cubic_roots(-a, b, -c, d, backend=backend)
        except hplaws.BackendError:
            continue
        check((a, b, c, d), got)
        # x -> -x turns the roots around.
        count = int(np.isfinite(got).sum())
        assert int(np.isfinite(mirrored).sum()) == count
