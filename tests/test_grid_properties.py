"""Properties that hold for every bound and every grid, on inputs chosen to be awkward."""

import itertools
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import hplaws
import reference
from hplaws import Bound, grid_argmin, risk

SMALLEST, LARGEST = float(np.nextafter(0.0, 1.0)), float(np.finfo(float).max)
AXES = ("alpha", "b", "eta")
COEFFICIENTS = ("descent", "noise", "drift", "lag", "burn_in", "init_error")
# Two values of risk, each within 4 ulp of the exact one.
ROUNDING = 8 * 2.0**-52

ordinary = st.floats(-3, 3).map(lambda x: 10**x)
shares = st.floats(-3, 0).map(lambda x: 10**x)
exponents = st.one_of(st.sampled_from([0.5, 1.0, 1 / 3]), st.floats(0.01, 1.0))
extreme = st.sampled_from([SMALLEST, 1e-310, 1e-300, 1e-150, 1e150, 1e300, LARGEST])
any_magnitude = st.one_of(ordinary, extreme, st.floats(-323, 308).map(lambda x: 10**x))


def bounds(coefficients):
    """A zero among the coefficients is as likely as anything else."""
    return st.builds(
        Bound, **{name: st.one_of(st.just(0.0), coefficients) for name in COEFFICIENTS}, q=exponents
    )


def axes(values, size):
    """In any order, with repeats: up to `size` draws from a pool of fewer values."""
    pools = st.lists(values, min_size=1, max_size=max(1, size // 2), unique=True)
    return pools.flatmap(lambda pool: st.lists(st.sampled_from(pool), min_size=1, max_size=size))


subsets = st.sampled_from([s for n in (1, 2, 3) for s in itertools.combinations(AXES, n)])


# ---- the exactness law ------------------------------------------------------------------


def assert_exact(backend, bound, grid, over, threads):
    least, index = reference.mesh_argmin(bound, **grid, over=over, backend=backend)
    for method in ("dense", "pruned"):
        best = grid_argmin(
            bound, **grid, over=over, method=method, backend=backend, threads=threads
        )
        assert best.risk.tobytes() == least.tobytes()
        for axis in over:
            assert np.array_equal(best.index[axis], index[axis])


@given(
    bound=bounds(any_magnitude),
    eta=axes(any_magnitude, 6),
    alpha=axes(any_magnitude.map(lambda x: min(x, 1 / x, 1.0)), 6),
    b=axes(any_magnitude, 6),
    T=axes(any_magnitude, 3),
    over=subsets,
    threads=st.integers(1, 2),
)
def test_exactness_for_any_magnitudes(backend, bound, eta, alpha, b, T, over, threads):
    grid = {"eta": eta, "alpha": alpha, "b": b, "T": T}
    assert_exact(backend, bound, grid, over, threads)


@given(
    bound=bounds(ordinary),
    eta=axes(ordinary, 12),
    alpha=axes(shares, 12),
    b=axes(ordinary, 12),
    budget=axes(st.floats(0, 12).map(lambda x: 10**x), 3),
    steps=st.booleans(),
    over=subsets,
)
def test_exactness_for_ordinary_magnitudes(backend, bound, eta, alpha, b, budget, steps, over):
    grid = {"eta": eta, "alpha": alpha, "b": b, "K" if steps else "T": budget}
    assert_exact(backend, bound, grid, over, 1)


@given(
    bound=bounds(st.integers(-3, 3).map(lambda k: 2.0**k)),
    eta=axes(st.integers(-6, 3).map(lambda k: 2.0**k), 10),
    alpha=axes(st.integers(-6, 0).map(lambda k: 4.0**k), 10),
    b=axes(st.integers(0, 6).map(lambda k: 4.0**k), 10),
    K=axes(st.integers(0, 12).map(lambda k: 2.0**k), 3),
    over=subsets,
)
def test_exactness_among_many_ties(backend, bound, eta, alpha, b, K, over):
    """Powers of two: R is often exact, and the same in several places."""
    assert_exact(backend, bound, {"eta": eta, "alpha": alpha, "b": b, "K": K}, over, 1)


@given(
    bound=bounds(ordinary),
    scale=st.integers(-1070, 1010),
    eta=axes(ordinary, 8),
    alpha=axes(shares, 8),
    b=axes(ordinary, 8),
    T=axes(ordinary, 3),
)
def test_exactness_at_every_scale(backend, bound, scale, eta, alpha, b, T):
    """Coefficients from subnormal to nearly infinite, passing the magnitudes at which
    pruning gives way."""
    scaled = Bound(
        *(math.ldexp(getattr(bound, name), scale) for name in COEFFICIENTS[:4]),
        burn_in=bound.burn_in,
        init_error=math.ldexp(bound.init_error, scale),
        q=bound.q,
    )
    assert_exact(backend, scaled, {"eta": eta, "alpha": alpha, "b": b, "T": T}, AXES, 1)


@given(
    bound=bounds(ordinary),
    eta=axes(ordinary, 8),
    alpha=axes(shares, 8),
    b=axes(ordinary, 8),
    more=ordinary,
)
def test_a_longer_axis_cannot_raise_the_minimum(backend, bound, eta, alpha, b, more):
    least = grid_argmin(bound, eta, alpha, b, T=1e3, backend=backend).risk
    assert grid_argmin(bound, [*eta, more], alpha, b, T=1e3, backend=backend).risk <= least
    assert grid_argmin(bound, eta, alpha, [more, *b], T=1e3, backend=backend).risk <= least


# ---- laws of R ---------------------------------------------------------------------------

points = st.fixed_dictionaries(
    {"eta": ordinary, "alpha": shares, "b": ordinary, "T": st.floats(0, 12).map(lambda x: 10**x)}
)
powers_of_two = st.integers(-20, 20).map(lambda k: 2.0**k)


def scaled(bound, **factors):
    """The bound with some fields multiplied."""
    fields = {name: getattr(bound, name) for name in (*COEFFICIENTS, "q")}
    return Bound(**{name: x * factors.get(name, 1.0) for name, x in fields.items()})


@given(bound=bounds(ordinary), point=points, s=powers_of_two)
def test_r_is_linear_in_its_coefficients(backend, bound, point, s):
    larger = scaled(bound, descent=s, noise=s, drift=s, lag=s, init_error=s)
    assert risk(larger, **point, backend=backend) == s * risk(bound, **point, backend=backend)


@given(bound=bounds(ordinary), point=points, s=powers_of_two)
def test_descent_and_budget_scale_together(backend, bound, point, s):
    """T enters as descent/T, burn_in/T and init_error/T alone."""
    larger = scaled(bound, descent=s, burn_in=s, init_error=s)
    here = risk(bound, **point, backend=backend)
    assert risk(larger, **(point | {"T": s * point["T"]}), backend=backend) == here


@given(bound=bounds(ordinary), point=points, s=powers_of_two)
def test_rate_rescales_descent_and_smoothness(backend, bound, point, s):
    moved = scaled(bound, descent=s, drift=1 / s, lag=1 / s)
    here = risk(bound, **point, backend=backend)
    assert risk(moved, **(point | {"eta": s * point["eta"]}), backend=backend) == here


@given(bound=bounds(ordinary), point=points, k=st.integers(0, 20))
def test_momentum_rescales_the_rest(backend, bound, point, k):
    """alpha/4: sqrt(alpha) halves, 1/alpha grows fourfold."""
    moved = scaled(bound, noise=2.0**k, burn_in=2.0 ** (-3 * k), init_error=4.0**-k, lag=4.0**-k)
    here = risk(bound, **point, backend=backend)
    assert risk(moved, **(point | {"alpha": point["alpha"] * 4.0**-k}), backend=backend) == here


@given(bound=bounds(ordinary), point=points, s=ordinary)
def test_batch_size_and_budget_scale_together(backend, bound, point, s):
    """At fixed K = T/b the batch size enters as noise b**-q alone."""
    moved = scaled(bound, noise=s**bound.q)
    there = risk(moved, **(point | {"b": s * point["b"], "T": s * point["T"]}), backend=backend)
    here = risk(bound, **point, backend=backend)
    assert abs(there - here) <= 2 * ROUNDING * here


@given(bound=bounds(ordinary), point=points, s=st.floats(1, 1e3), data=st.data())
def test_r_rises_with_every_coefficient(backend, bound, point, s, data):
    name = data.draw(st.sampled_from(COEFFICIENTS))
    here = risk(bound, **point, backend=backend)
    there = risk(scaled(bound, **{name: s}), **point, backend=backend)
    assert there >= here * (1 - ROUNDING)
    if getattr(bound, name) == 0:
        assert there == here


@given(bound=bounds(ordinary), point=points, s=st.floats(1, 1e3))
def test_r_falls_with_the_budget(backend, bound, point, s):
    here = risk(bound, **point, backend=backend)
    there = risk(bound, **(point | {"T": s * point["T"]}), backend=backend)
    assert here * (1 + ROUNDING) >= there >= here / s * (1 - ROUNDING)


@given(bound=bounds(ordinary), point=points, s=st.floats(1, 1e3))
def test_r_falls_with_the_batch_size_at_fixed_steps(backend, bound, point, s):
    steps = {name: x for name, x in point.items() if name != "T"} | {"K": point["T"]}
    here = risk(bound, **steps, backend=backend)
    assert risk(bound, **(steps | {"b": s * steps["b"]}), backend=backend) <= here * (1 + ROUNDING)


@given(bound=bounds(ordinary), point=points, q=exponents)
def test_r_falls_with_the_noise_exponent(backend, bound, point, q):
    """For b >= 1, and rises for b <= 1."""
    values = [
        risk(bound.with_noise_exponent(x), **point, backend=backend)
        for x in sorted((q, bound.q), reverse=point["b"] < 1)
    ]
    assert values[1] <= values[0] * (1 + ROUNDING)


@given(bound=bounds(ordinary), one=points, other=points)
def test_r_is_convex_in_the_logs(backend, bound, one, other):
    """What pruning stands on, T included: at the midpoint R is at most the mean."""
    middle = {name: math.sqrt(one[name] * other[name]) for name in one}
    ends = (hplaws.risk(bound, **point, backend=backend) for point in (one, other))
    assert risk(bound, **middle, backend=backend) <= sum(ends) / 2 * (1 + 2 * ROUNDING)
