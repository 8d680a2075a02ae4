"""theorem1 to theorem3 against the paper's formulas in 50-digit arithmetic, and those
formulas against a minimisation that knows none of them."""

import dataclasses
import itertools
import math

import numpy as np
import pytest

import hplaws
import reference
from hplaws import Bound, theorem1, theorem2, theorem3, theorem3_asymptotic
from reference import mp

POINT = ("eta", "alpha", "b", "K", "T", "risk")
TOLERANCE = 1e-13


def log_uniform(rng, low, high, size=None):
    return 10 ** rng.uniform(low, high, size)


def random_bounds(rng, size, **fields):
    """Every coefficient over ten decades."""
    names = ("descent", "noise", "drift", "lag", "burn_in")
    return Bound(**({name: log_uniform(rng, -5, 5, size) for name in names} | fields))


def assert_close(best, bounds, points, tolerance=TOLERANCE):
    """best, element for element, against (eta, alpha, b, T) in 50 digits and each bound's R
    there."""
    worst = 0.0
    for i, (bound, (eta, alpha, b, T)) in enumerate(zip(bounds, points, strict=True)):
        T = mp.mpf(T)
        exact = (eta, alpha, b, T / b, T, reference.risk(bound, eta, alpha, b, T))
        for name, value in zip(POINT, exact, strict=True):
            worst = max(worst, reference.relative_error(float(getattr(best, name)[i]), value))
        feasible = bool(alpha <= 1 and 1 <= b <= T)
        assert best.feasible[i] == feasible
    print(f"largest relative error: {worst:.2e}")
    assert worst <= tolerance


# ---- the oracles: formulas against a minimisation ---------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_formulas_are_the_minimisers(seed):
    rng = np.random.default_rng(seed)
    bound = Bound(*log_uniform(rng, -2, 2, 4), burn_in=float(log_uniform(rng, -1, 1)))
    general = bound.with_noise_exponent(float(rng.uniform(0.1, 1)))
    T, alpha, b = log_uniform(rng, 3, 12), rng.uniform(0.01, 1), log_uniform(rng, 0, 4)
    for formula, minimum in (
        (
            reference.theorem1(general, alpha, T),
            reference.minimise(general.large_horizon(), T, alpha=alpha),
        ),
        (reference.theorem2(general, b, T), reference.minimise(general.leading(), T, b=b)),
        (reference.theorem3(bound, T), reference.minimise(bound, T)),
    ):
        for x, y in zip(formula, minimum, strict=True):
            assert abs(x / y - 1) < mp.mpf(10) ** -30


# ---- the solvers against the formulas ------------------------------------------------------


@pytest.mark.parametrize("q", ["half", "any"])
def test_theorem1_for_a_token_budget(backend, q):
    rng = np.random.default_rng(10)
    size = 600
    exponent = 0.5 if q == "half" else 1 - rng.random(size)
    bound = random_bounds(rng, size, q=exponent)
    alpha, T = np.minimum(1, log_uniform(rng, -10, 1, size)), log_uniform(rng, 2, 22, size)
    best = theorem1(bound, alpha=alpha, T=T, backend=backend)
    singles = list(reference.bounds(bound))
    points = [
        (*reference.theorem1(single, a, t), t)
        for single, a, t in zip(singles, alpha, T, strict=True)
    ]
    assert_close(best, [s.large_horizon() for s in singles], points)


def test_theorem1_for_steps_and_batch_size(backend):
    rng = np.random.default_rng(11)
    size = 600
    bound = random_bounds(rng, size, q=rng.choice([0.5, 1.0, 0.3], size))
    alpha = np.minimum(1, log_uniform(rng, -10, 1, size))
    K, b = np.rint(log_uniform(rng, 0, 7, size)), np.rint(log_uniform(rng, 0, 7, size))
    best = theorem1(bound, alpha=alpha, K=K, b=b, backend=backend)
    assert np.array_equal(best.K, K)
    assert np.array_equal(best.T, b * K)  # exact: both below 2**24
    singles = list(reference.bounds(bound))
    points = []
    for single, a, steps, size_ in zip(singles, alpha, K, b, strict=True):
        S = mp.mpf(single.drift) + mp.mpf(single.lag) / mp.mpf(a)
        points.append(
            (mp.sqrt(single.descent / (S * steps)), mp.mpf(a), mp.mpf(size_), size_ * steps)
        )
    assert_close(best, [s.large_horizon() for s in singles], points)


@pytest.mark.parametrize("q", ["half", "any"])
def test_theorem2(backend, q):
    rng = np.random.default_rng(12)
    size = 600
    exponent = 0.5 if q == "half" else 1 - rng.random(size)
    bound = random_bounds(rng, size, q=exponent)
    b, T = log_uniform(rng, 0, 10, size), log_uniform(rng, 2, 22, size)
    best = theorem2(bound, b=b, T=T, backend=backend)
    singles = list(reference.bounds(bound))
    points = [
        (*reference.theorem2(single, x, t), t) for single, x, t in zip(singles, b, T, strict=True)
    ]
    assert_close(best, [s.leading() for s in singles], points)


def test_theorem3(backend):
    rng = np.random.default_rng(13)
    size = 800
    bound = random_bounds(rng, size)
    T = log_uniform(rng, 2, 22, size)
    best = theorem3(bound, T=T, backend=backend)
    singles = list(reference.bounds(bound))
    points = [(*reference.theorem3(single, t), t) for single, t in zip(singles, T, strict=True)]
    assert 0.1 < np.mean(best.alpha > 1) < 0.9  # both sides of the cubic's turning point
    assert_close(best, singles, points)


def test_theorem3_without_lag(backend):
    """The cubic loses its constant: alpha = burn_in noise / (2 sqrt(descent T drift))."""
    best = theorem3(Bound(1.0, 4.0, 0.25, 0.0), T=1e6, backend=backend)
    assert best.alpha == pytest.approx(4e-3, rel=1e-15)
    gradient_free = reference.minimise(Bound(1.0, 4.0, 0.25, 0.0), 1e6)
    assert best.b == pytest.approx(float(gradient_free[2]), rel=TOLERANCE)
    assert best.eta == pytest.approx(float(gradient_free[0]), rel=TOLERANCE)


@pytest.mark.parametrize("order", [0, 1])
def test_theorem3_asymptotic(backend, order):
    rng = np.random.default_rng(14)
    size = 600
    bound = random_bounds(rng, size)
    T = log_uniform(rng, 2, 22, size)
    best = theorem3_asymptotic(bound, T=T, order=order, backend=backend)
    singles = list(reference.bounds(bound))
    points = [
        (*reference.theorem3_asymptotic(single, t, order), t)
        for single, t in zip(singles, T, strict=True)
    ]
    assert_close(best, singles, points)


def test_paper_constants_of_theorem3(backend):
    """Eq. 20 and 22 as printed, for the non-convex bound: the general cubic is theirs."""
    delta0, L, rho, sigma, T = 2.0, 3.0, 5.0, 0.7, 1e9
    bound = Bound.nonconvex(delta0, L, rho, sigma)
    alpha = theorem3(bound, T=T, backend=backend).alpha
    square = (rho * sigma) ** 2
    cubic = [3.5**2 * delta0 * L * T * alpha**3, -3.5 * square * alpha, -2 * square]
    assert abs(math.fsum(cubic)) < 1e-14 * cubic[0]
    leading = 2 / 7 ** (2 / 3) * (rho * sigma) ** (2 / 3) / (delta0 * L) ** (1 / 3) * T ** (-1 / 3)
    best = theorem3_asymptotic(bound, T=T, backend=backend)
    assert best.alpha == pytest.approx(leading, rel=1e-14)


# ---- they are minima of risk ---------------------------------------------------------------


def neighbours(best, names):
    """Factors around 1 in every direction of `names`."""
    steps = [x for x in itertools.product((-1, 0, 1), repeat=len(names)) if any(x)]
    for size in (1e-1, 1e-3):
        for step in steps:
            moves = {
                n: getattr(best, n) * (1 + size) ** k for n, k in zip(names, step, strict=True)
            }
            yield {n: getattr(best, n) for n in ("eta", "alpha", "b")} | moves


def test_no_neighbour_has_a_smaller_risk(backend):
    rng = np.random.default_rng(15)
    for _ in range(20):
        bound = Bound(*log_uniform(rng, -1, 1, 4))
        T, alpha, b = log_uniform(rng, 5, 14), rng.uniform(0.05, 0.9), log_uniform(rng, 0, 2)
        for best, about, names in (
            (
                theorem1(bound, alpha=alpha, T=T, backend=backend),
                bound.large_horizon(),
                ("eta", "b"),
            ),
            (theorem2(bound, b=b, T=T, backend=backend), bound.leading(), ("eta", "alpha")),
            (theorem3(bound, T=T, backend=backend), bound, ("eta", "alpha", "b")),
        ):
            if best.alpha > 0.85:
                continue  # neighbours would leave the domain of risk
            here = hplaws.risk(about, best.eta, best.alpha, best.b, T=T, backend=backend)
            assert here == best.risk
            for point in neighbours(best, names):
                assert hplaws.risk(about, **point, T=T, backend=backend) > here


def test_no_grid_point_beats_theorem3(backend):
    T = np.logspace(5, 15, 5)
    best = theorem3(Bound.proxy(), T=T, backend=backend)
    for t, risk, alpha, b, eta in zip(T, best.risk, best.alpha, best.b, best.eta, strict=True):
        fine = np.linspace(-0.5, 0.5, 101)
        found = hplaws.grid_argmin(
            Bound.proxy(), eta * np.exp(fine), alpha * np.exp(fine), b * np.exp(fine), T=t,
            backend=backend,
        )  # fmt: skip
        assert found.risk.item() >= risk * (1 - 1e-15)
        assert {axis: where.item() for axis, where in found.index.items()} == {
            "alpha": 50, "b": 50, "eta": 50
        }  # fmt: skip


# ---- the asymptotic order --------------------------------------------------------------------


def test_the_asymptotic_errors_have_the_right_order(backend):
    """alpha T**(1/3) = u0 + u1 e + u2 e**2 + u3 e**3 + ..., e = T**(-1/3), put into
    A u**3 - C = B u e gives u1 = B/(3 A u0), u2 = 0 and u3 = -u1**3/(3 u0**2). So order 0
    errs by u1/u0 e and order 1, since u2 vanishes, by u3/u0 e**3 relative."""
    bound = Bound.nonconvex(2.0, 0.5, 1.0, 3.0)
    T = np.logspace(6, 12, 13)
    exact = theorem3(bound, T=T, backend=backend)
    A = 4 * bound.descent * bound.drift**2
    B, C = bound.noise**2 * bound.drift, bound.noise**2 * bound.lag
    u0 = (C / A) ** (1 / 3)
    u1 = B / (3 * A * u0)
    e = T ** (-1 / 3)
    for order, leading in ((0, -u1 / u0 * e), (1, (u1 / u0) ** 3 / 3 * e**3)):
        best = theorem3_asymptotic(bound, T=T, order=order, backend=backend)
        error = best.alpha / exact.alpha - 1
        resolved = np.abs(leading) > 1e-11  # elsewhere rounding is all there is
        assert resolved.sum() >= 5
        ratio = (error / leading)[resolved]
        assert np.all(np.abs(ratio - 1) < 20 * e[resolved] + 1e-4)
        # The error of the batch size inherits the order.
        slope = np.polyfit(np.log(T[resolved]), np.log(np.abs(best.b / exact.b - 1)[resolved]), 1)[
            0
        ]
        assert slope == pytest.approx(-1 / 3 if order == 0 else -1, abs=0.05)


# ---- results and domains ---------------------------------------------------------------------

SOLVERS = {
    "theorem1": (theorem1, {"alpha": 0.5, "T": 1e4}),
    "theorem1 with K, b": (theorem1, {"alpha": 0.5, "K": 1e3, "b": 10.0}),
    "theorem2": (theorem2, {"b": 10.0, "T": 1e4}),
    "theorem3": (theorem3, {"T": 1e4}),
    "theorem3_asymptotic": (theorem3_asymptotic, {"T": 1e4}),
}
EVERY_SOLVER = pytest.mark.parametrize(("solver", "arguments"), SOLVERS.values(), ids=SOLVERS)


@EVERY_SOLVER
def test_scalars_give_floats_and_arrays_broadcast(backend, solver, arguments):
    single = solver(Bound.proxy(), **arguments, backend=backend)
    assert all(type(getattr(single, name)) is float for name in POINT)
    assert type(single.feasible) is bool
    assert dataclasses.is_dataclass(single)
    with pytest.raises(dataclasses.FrozenInstanceError):
        single.eta = 1.0

    bound = Bound([1.0, 2.0, 3.0], 1, 1, 1)
    name, value = next(reversed(arguments.items()))
    many = solver(bound, **(arguments | {name: np.array([[value], [2 * value]])}), backend=backend)
    for i, j in itertools.product(range(2), range(3)):
        one = solver(
            Bound(j + 1.0, 1, 1, 1), **(arguments | {name: (i + 1) * value}), backend=backend
        )
        for field in (*POINT, "feasible"):
            assert getattr(many, field).shape == (2, 3)
            assert getattr(many, field)[i, j] == getattr(one, field)
    empty = solver(bound, **(arguments | {name: np.empty((4, 0, 1))}), backend=backend)
    assert empty.risk.shape == (4, 0, 3)
    integers = solver(Bound.proxy(), **(arguments | {name: int(value)}), backend=backend)
    assert integers == single


@EVERY_SOLVER
def test_outside_the_domain_is_nan_in_that_element_alone(backend, solver, arguments):
    for name in arguments:
        bad = [0.0, -1.0, np.nan, np.inf, -np.inf] + ([1.5] if name == "alpha" else [])
        values = np.array([arguments[name], *bad, arguments[name]])
        best = solver(Bound.proxy(), **(arguments | {name: values}), backend=backend)
        for field in ("eta", "alpha", "b", "risk"):
            assert np.isfinite(getattr(best, field)[[0, -1]]).all()
            assert np.isnan(getattr(best, field)[1:-1]).all(), (name, field)
        assert not best.feasible[1:-1].any()


@EVERY_SOLVER
@pytest.mark.parametrize("zero", ["descent", "noise", "drift", "lag", "burn_in"])
def test_degenerate_bounds_have_no_made_up_optimum(backend, solver, arguments, zero):
    """Where the formula divides by a zero coefficient, or its point is at 0 or infinity, NaN;
    elsewhere the zero does not matter."""
    bound = dataclasses.replace(Bound.proxy(), **{zero: 0.0})
    best = solver(bound, **arguments, backend=backend)
    needed = {
        theorem1: {"descent", "noise"} if "T" in arguments else {"descent"},
        theorem2: {"descent", "noise", "lag"},
        theorem3: {"descent", "noise", "drift", "burn_in"},
        theorem3_asymptotic: {"descent", "noise", "drift", "lag", "burn_in"},
    }[solver]
    assert math.isnan(best.risk) == math.isnan(best.eta) == (zero in needed)
    assert best.feasible == (zero not in needed)


def test_all_zero_bound(backend):
    for solver, arguments in SOLVERS.values():
        best = solver(Bound(0, 0, 0, 0), **arguments, backend=backend)
        assert math.isnan(best.eta)
        assert math.isnan(best.risk)
        assert best.feasible is False


def test_feasible(backend):
    # Theorem 1 for the proxy at alpha = 1 has b = sqrt(T/8): below 1 for T < 8.
    assert theorem1(Bound.proxy(), alpha=1.0, T=7.9, backend=backend).feasible is False
    assert theorem1(Bound.proxy(), alpha=1.0, T=8.1, backend=backend).feasible is True
    # Theorem 2: alpha = 2 sqrt(b/T) sqrt(b) = 2 b/sqrt(T): above 1 for T < 4 b**2.
    assert theorem2(Bound.proxy(), b=10.0, T=399.0, backend=backend).feasible is False
    assert theorem2(Bound.proxy(), b=10.0, T=401.0, backend=backend).feasible is True
    assert theorem2(Bound.proxy(), b=0.5, T=401.0, backend=backend).feasible is False
    # K and b are the caller's: b may exceed T = b*K.
    assert theorem1(Bound.proxy(), alpha=1.0, K=0.5, b=8.0, backend=backend).feasible is False
    beyond = theorem3(Bound.proxy(C2=100.0), T=10.0, backend=backend)
    assert beyond.alpha > 1
    assert beyond.feasible is False
    exact = reference.risk(Bound.proxy(C2=100.0), beyond.eta, beyond.alpha, beyond.b, beyond.T)
    assert reference.ulp_error(beyond.risk, exact) <= 4


@pytest.mark.parametrize("solver", SOLVERS)
def test_bounds_outside_a_theorem_are_refused(solver):
    function, arguments = SOLVERS[solver]
    name = function.__name__.removesuffix("_asymptotic")
    with pytest.raises(ValueError, match=rf"^{name} .*init_error = 0 .*got init_error = 2\.0$"):
        function(Bound.proxy().unmatched_init([0.0, 2.0]), **arguments)
    general = Bound.proxy().with_noise_exponent(0.25)
    if name == "theorem3":
        with pytest.raises(ValueError, match=r"^theorem3 .*q = 0\.5 .*got q = 0\.25$"):
            function(general, **arguments)
    else:
        assert function(general, **arguments).risk > 0


def test_arguments_of_theorem1():
    for arguments in (
        {}, {"K": 1.0}, {"b": 1.0}, {"T": 1.0, "K": 1.0}, {"T": 1.0, "b": 1.0},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"^theorem1 takes either T, or K and b; got"):
            theorem1(Bound.proxy(), alpha=0.5, **arguments)


@pytest.mark.parametrize("order", [2, -1, 0.5, True, "1", None])
def test_order_of_the_asymptotic(order):
    with pytest.raises(ValueError, match=r"^order must be 0 or 1, got"):
        theorem3_asymptotic(Bound.proxy(), T=1e6, order=order)


@EVERY_SOLVER
def test_what_is_not_real_is_a_type_error(solver, arguments):
    for name, value in itertools.product(arguments, (1j, "1", np.array([1.0], object))):
        with pytest.raises(TypeError, match=rf"^{name} must be real numbers"):
            solver(Bound.proxy(), **(arguments | {name: value}))


def test_integer_budget_beyond_64_bits(backend):
    assert theorem3(Bound.proxy(), T=10**22, backend=backend) == theorem3(
        Bound.proxy(), T=1e22, backend=backend
    )


def test_results_compare_by_value():
    one, same, other = (theorem3(Bound.proxy(), T=[1e3, T, np.nan]) for T in (1e4, 1e4, 1e5))
    assert one == same
    assert one != other
    assert one != "anything else"
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)
