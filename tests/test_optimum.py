"""The boxed optimum against a 40-digit nested bisection, KKT conditions and brute force."""

from __future__ import annotations

import itertools
from functools import cache

import mpmath as mp
import numpy as np
import pytest

import hplaws
from hplaws import Bound, optimum

DIGITS = 40


class Terms:
    """R and its log-derivatives in DIGITS digits, straight from the posynomial."""

    def __init__(self, bound: Bound, T: float) -> None:
        names = ("descent", "noise", "drift", "lag", "burn_in", "init_error", "q")
        fields = {name: mp.mpf(float(getattr(bound, name))) for name in names}
        self.c, self.T = fields, mp.mpf(T)

    def terms(self, eta: mp.mpf, alpha: mp.mpf, b: mp.mpf) -> list[tuple[mp.mpf, tuple]]:
        """Each term with its exponents of (eta, alpha, b)."""
        c, T, q, half = self.c, self.T, self.c["q"], mp.mpf(1) / 2
        return [
            (c["descent"] * b / (eta * T), (-1, 0, 1)),
            (c["noise"] * c["burn_in"] * b ** (1 - q) / (alpha * T), (0, -1, 1 - q)),
            (c["noise"] * b**-q * mp.sqrt(alpha), (0, half, -q)),
            (c["init_error"] * b / (alpha * T), (0, -1, 1)),
            (c["drift"] * eta, (1, 0, 0)),
            (c["lag"] * eta / alpha, (1, -1, 0)),
        ]

    def risk(self, *point: mp.mpf) -> mp.mpf:
        return mp.fsum(t for t, _ in self.terms(*point))

    def slope(self, axis: int, *point: mp.mpf) -> mp.mpf:
        return mp.fsum(t * powers[axis] for t, powers in self.terms(*point))


def bisect(slope, low: mp.mpf, high: mp.mpf) -> mp.mpf:
    """Where a function that increases with v > 0 changes sign, or the end nearest to it."""
    if low == high or slope(low) >= 0:
        return low
    if slope(high) <= 0:
        return high
    for _ in range(150):
        middle = mp.sqrt(low * high)
        low, high = (low, middle) if slope(middle) > 0 else (middle, high)
    return low


@cache
def least_risk(seed: int) -> mp.mpf:
    """Of a random problem: eta in closed form, b and alpha by bisection of the envelope's slope."""
    bound, T, box = random_problem(seed)
    with mp.workdps(DIGITS):
        R = Terms(bound, T)
        (e0, e1), (a0, a1), (b0, b1) = [(mp.mpf(lo), mp.mpf(hi)) for lo, hi in box]

        def best_eta(alpha: mp.mpf, b: mp.mpf) -> mp.mpf:
            pull = R.c["descent"] * b / R.T
            push = R.c["drift"] + R.c["lag"] / alpha
            free = mp.sqrt(pull / push) if push else e1
            return min(max(free, e0), e1)

        def best_b(alpha: mp.mpf) -> mp.mpf:
            return bisect(lambda b: R.slope(2, best_eta(alpha, b), alpha, b), b0, b1)

        def slope_alpha(alpha: mp.mpf) -> mp.mpf:
            b = best_b(alpha)
            return R.slope(1, best_eta(alpha, b), alpha, b)

        alpha = bisect(slope_alpha, a0, a1)
        b = best_b(alpha)
        return R.risk(best_eta(alpha, b), alpha, b)


def random_problem(seed: int) -> tuple[Bound, float, list[tuple[float, float]]]:
    rng = np.random.default_rng(seed)

    def coefficient() -> float:
        return float(rng.choice([0.0, 1.0, 10 ** rng.uniform(-4, 4)], p=[0.12, 0.2, 0.68]))

    bound = Bound(
        *(coefficient() for _ in range(4)),
        burn_in=rng.choice([0.0, 1.0, 0.3]),
        init_error=rng.choice([0.0, 10 ** rng.uniform(-3, 3)]),
        q=rng.choice([0.5, 0.5, 0.5, 1.0, rng.uniform(0.05, 1)]),
    )
    # Any two limits, which mostly bind; or wide ones, between which the optimum mostly lies.
    ranges, wide = np.array([(-18, 2), (-10, 0), (0, 10)]), rng.random(3) < 0.6
    box = [tuple(float(10**x) for x in np.sort(rng.uniform(*r, 2))) for r in ranges]
    for axis, fixed in enumerate(rng.random(3) < 0.1):
        if wide[axis]:
            box[axis] = tuple(float(10.0**x) for x in ranges[axis])
        if fixed:
            box[axis] = (box[axis][0], box[axis][0])
    return bound, float(10 ** rng.uniform(0, 24)), box


@pytest.mark.parametrize("seed", range(24))
def test_risk_is_the_least_in_the_box(backend: str, seed: int) -> None:
    bound, T, (eta, alpha, b) = random_problem(seed)
    found = optimum(bound, T, eta=eta, alpha=alpha, b=b, backend=backend)
    least = least_risk(seed)
    for value, (low, high) in zip((found.eta, found.alpha, found.b), (eta, alpha, b), strict=True):
        assert low <= value <= high
    assert found.feasible == (found.b <= T)
    assert abs(found.risk - least) <= 1e-13 * least


@pytest.mark.parametrize("seed", range(200, 400))
def test_first_order_conditions(backend: str, seed: int) -> None:
    """Karush-Kuhn-Tucker: no slope inside, and outward slopes at the limits that bind."""
    bound, T, box = random_problem(seed)
    found = optimum(bound, T, eta=box[0], alpha=box[1], b=box[2], backend=backend)
    with mp.workdps(DIGITS):
        R = Terms(bound, T)
        point = [mp.mpf(x) for x in (found.eta, found.alpha, found.b)]
        risk = R.risk(*point)
        for axis, name in enumerate(("eta", "alpha", "b")):
            slope, binding = R.slope(axis, *point), found.active[name]
            # The slope that remains costs slope^2/curvature in risk, so 1e-6 of it nothing.
            tolerance = mp.mpf(1e-6) * risk
            if binding == 0:
                assert abs(slope) <= tolerance, name
            elif binding == -1:
                assert slope >= -tolerance, name
                assert point[axis] == box[axis][0], name
            elif binding == 1:
                assert slope <= tolerance, name
                assert point[axis] == box[axis][1], name
            else:
                assert binding == 2, name
                assert box[axis][0] == box[axis][1], name


def test_without_limits_it_is_theorem_3(backend: str) -> None:
    bound, T = Bound.nonconvex(1, 2, 1, 3), np.logspace(6, 24, 50)
    free, exact = optimum(bound, T, backend=backend), hplaws.theorem3(bound, T=T, backend=backend)
    np.testing.assert_array_equal(free.alpha, exact.alpha)
    np.testing.assert_array_equal(free.risk, exact.risk)
    assert all((limits == 0).all() for limits in free.active.values())


def test_fixed_momentum_and_horizon_is_theorem_1(backend: str) -> None:
    bound = Bound.proxy().large_horizon()
    boxed = optimum(bound, 1e12, alpha=0.01, backend=backend)
    exact = hplaws.theorem1(bound, alpha=0.01, T=1e12, backend=backend)
    assert boxed.active == {"eta": 0, "alpha": 2, "b": 0}
    np.testing.assert_allclose(
        [boxed.eta, boxed.b, boxed.risk], [exact.eta, exact.b, exact.risk], 1e-13
    )


def test_fixed_batch_and_leading_bound_is_theorem_2(backend: str) -> None:
    bound = Bound.proxy().leading()
    boxed = optimum(bound, 1e12, b=64.0, backend=backend)
    exact = hplaws.theorem2(bound, b=64.0, T=1e12, backend=backend)
    np.testing.assert_allclose(
        [boxed.eta, boxed.alpha, boxed.risk], [exact.eta, exact.alpha, exact.risk], 1e-9
    )
    assert abs(boxed.risk - exact.risk) <= 1e-14 * exact.risk


@pytest.mark.parametrize("seed", range(500, 530))
@pytest.mark.parametrize("multiple", [1.0, 8.0, 7.5])
def test_batch_multiple_is_the_best_of_all_multiples(
    backend: str, seed: int, multiple: float
) -> None:
    bound, T, (eta, alpha, _) = random_problem(seed)
    limits = (3.0, 200.0)
    found = optimum(
        bound, T, eta=eta, alpha=alpha, b=limits, batch_multiple=multiple, backend=backend
    )
    counts = np.arange(np.ceil(limits[0] / multiple), np.floor(limits[1] / multiple) + 1)
    each = optimum(bound, T, eta=eta, alpha=alpha, b=counts * multiple, backend=backend)
    assert found.risk == each.risk.min() or abs(found.risk / each.risk.min() - 1) < 4e-16
    assert (found.b / multiple) in counts


def tuned_risk(bound: Bound, alpha: np.ndarray, b: np.ndarray, T: np.ndarray) -> np.ndarray:
    """R at given alpha and b with the best eta, which has a closed form (eq. 12)."""
    with np.errstate(all="ignore"):
        eta = np.sqrt(bound.descent * b / T / (bound.drift + bound.lag / alpha))
    return hplaws.risk(bound, eta, alpha, b, T=T)


@pytest.mark.parametrize("limits", [(1.0, 1e24), (1e-30, 1e30), (1e-100, 1e100)])
def test_no_better_batch_in_a_wide_box(backend: str, limits: tuple[float, float]) -> None:
    """The scalar equation for b, q other than 1/2, has its root anywhere."""
    rng, n = np.random.default_rng(8), 3000
    bound = Bound(
        *(10 ** rng.uniform(-6, 6, n) * (rng.random(n) > 0.15) for _ in range(4)),
        burn_in=rng.choice([0.0, 1.0, 0.1], n),
        init_error=10 ** rng.uniform(-6, 6, n) * (rng.random(n) > 0.3),
        q=rng.uniform(0.02, 1, n),
    )
    T = 10 ** rng.uniform(0, 24, n)
    found = optimum(bound, T, b=limits, backend=backend)
    inside = (found.alpha > 0) & (found.eta > 0) & np.isfinite(found.eta)
    for decades in (-3, -1, -0.1, -0.01, 0.01, 0.1, 1, 3):
        other = tuned_risk(bound, found.alpha, np.clip(found.b * 10**decades, *limits), T)
        assert (found.risk <= other * (1 + 1e-14))[inside & np.isfinite(other)].all()


@pytest.mark.parametrize("offset", [0.0, 1e-9, 1e-6, -1e-6, 1e-3, -1e-3])
def test_limits_near_the_free_optimum(backend: str, offset: float) -> None:
    """G'' jumps where a limit begins to bind, close to where Newton's method ends."""
    rng, n = np.random.default_rng(5), 2000
    bound = Bound(
        *(10 ** rng.uniform(-3, 3, n) for _ in range(4)),
        init_error=10 ** rng.uniform(-3, 3, n),
        q=rng.uniform(0.1, 1, n),
    )
    T = 10 ** rng.uniform(2, 20, n)
    free = optimum(bound, T, b=(1e-30, 1e60), backend=backend)
    capped = optimum(bound, T, b=(free.b * (1 + offset), 1e60), backend=backend)
    for step in (-1e-2, -1e-4, -1e-5, -1e-6, 1e-6, 1e-5, 1e-4, 1e-2):
        other = optimum(
            bound,
            T,
            alpha=np.minimum(capped.alpha * (1 + step), 1.0),
            b=(free.b * (1 + offset), 1e60),
        )
        assert (capped.risk <= other.risk * (1 + 1e-14)).all()


def test_multiples_respect_limits_that_are_a_rounding_away(backend: str) -> None:
    rng = np.random.default_rng(1)
    m, count = 10 ** rng.uniform(0, 1, 4000), rng.integers(2, 10**6, 4000)
    cap = np.nextafter(m * count, 0.0)
    growing = Bound(descent=0, noise=1, drift=1, lag=1, burn_in=0)  # the largest b is the best
    found = optimum(growing, 1e12, b=(m / 2, cap), batch_multiple=m, backend=backend)
    assert (found.b <= cap).all()
    assert (found.b >= cap - 1.001 * m).all()
    assert (found.active["b"] == 1).all()


def test_no_upper_limit_for_the_batch(backend: str) -> None:
    bound, T = Bound.proxy(), 1e9
    found = optimum(bound, T, b=(1, np.inf), backend=backend)
    assert found.b == hplaws.theorem3(bound, T=T, backend=backend).b


def test_no_multiple_in_the_box(backend: str) -> None:
    found = optimum(Bound.proxy(), 1e9, b=(9.0, 15.0), batch_multiple=8, backend=backend)
    assert not found.feasible
    assert np.isnan([found.eta, found.alpha, found.b, found.risk]).all()


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        # descent = 0: the learning rate goes to 0, and with it the smoothness terms.
        (Bound(0, 1, 1, 1), {"eta": 0.0}),
        # drift = lag = 0: the learning rate is free to go to infinity.
        (Bound(1, 1, 0, 0), {"eta": np.inf}),
        # Nothing holds alpha up: lag = burn_in = init_error = 0.
        (Bound(1, 1, 1, 0, burn_in=0), {"alpha": 0.0, "b": 1.0}),
        # No noise: the largest alpha and the smallest batch.
        (Bound(1, 0, 1, 1), {"alpha": 1.0, "b": 1.0}),
    ],
)
def test_open_limits_give_the_infimum(backend: str, bound: Bound, expected: dict) -> None:
    found = optimum(bound, 1e6, backend=backend)
    for name, value in expected.items():
        assert getattr(found, name) == value
    eta = 1e-200 if found.eta == 0 else 1e200 if np.isinf(found.eta) else found.eta
    alpha = max(found.alpha, 1e-30)
    near = hplaws.risk(bound, eta, alpha, found.b, T=1e6, backend=backend)
    assert abs(found.risk - near) <= 1e-12 * max(near, 1e-3)


def test_limits_broadcast_with_bounds_and_budgets(backend: str) -> None:
    bound = Bound(descent=np.array([1.0, 2.0, 3.0]), noise=1, drift=1, lag=1)
    T, caps = np.logspace(6, 12, 4)[:, None], np.array([16.0, 64.0])[:, None, None]
    found = optimum(bound, T, b=(1, caps), backend=backend)
    assert found.risk.shape == found.active["b"].shape == (2, 4, 3)
    for i, j, k in itertools.product(range(2), range(4), range(3)):
        one = optimum(
            Bound(bound.descent[k], 1, 1, 1), T[j, 0], b=(1, caps[i, 0, 0]), backend=backend
        )
        assert (one.risk, one.eta) == (found.risk[i, j, k], found.eta[i, j, k])


def test_bad_elements_give_nan(backend: str) -> None:
    T = np.array([1e6, -1.0, np.nan, np.inf, 0.5])
    found = optimum(Bound.proxy(), T, backend=backend)
    np.testing.assert_array_equal(found.feasible, [True, False, False, False, False])
    crossed = optimum(Bound.proxy(), 1e6, b=(np.array([4.0, 32.0]), 16.0), backend=backend)
    np.testing.assert_array_equal(crossed.feasible, [True, False])
    assert optimum(Bound.proxy(), [], backend=backend).risk.shape == (0,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alpha": 1.5}, r"alpha limits must be in \[0, 1\], got 1.5"),
        ({"alpha": (0.1, 2)}, r"alpha limits must be in \[0, 1\], got \(0.1, 2\)"),
        ({"eta": (-1, 1)}, r"eta limits must be at least 0, got \(-1, 1\)"),
        ({"b": 0}, "b limits must be positive, got 0"),
        ({"b": (64, 8)}, r"b: the lower limit exceeds the upper one in \(64, 8\)"),
        ({"eta": (1, 2, 3)}, r"eta must be a value or a pair \(lower, upper\)"),
        ({"batch_multiple": 0}, "batch_multiple must be positive and finite, got 0.0"),
    ],
)
def test_bad_arguments_are_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        optimum(Bound.proxy(), 1e9, **arguments)


def test_results_of_different_shapes_are_different():
    one, two = optimum(Bound.proxy(), 1e9), optimum(Bound.proxy(), [1e9, 1e9])
    assert one != two
    assert two != one
    assert optimum(Bound.proxy(), -1.0) != optimum(Bound.proxy(), [-1.0, -1.0])
