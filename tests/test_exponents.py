"""The powers of T against slopes of the theorems' optima, and the constants of Corollary 1
against derivatives of the tuned risk in 50 digits."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

import hplaws
import reference
from hplaws import Bound, theorem1, theorem2, theorem3
from hplaws.empirical import EMPIRICAL_LAWS
from hplaws.exponents import (
    batch_sensitivity,
    critical_token_budget,
    effective_exponent,
    exponents,
    max_budget,
    momentum_gap,
    noise_floor,
    path_rate,
    rate_exponents,
)
from reference import mp, relative_error

BOUND = Bound(2.0, 3.0, 0.7, 1.9)
NAN_INF = [math.nan, math.inf, -math.inf]


def slopes(solve, low=1e100, high=1e110):
    """Powers of T between two budgets so large that lower orders have vanished."""
    first, last = solve(low), solve(high)
    names = ("b", "eta", "alpha", "K", "risk")
    return [math.log(getattr(last, n) / getattr(first, n)) / math.log(high / low) for n in names]


# ---- exponents --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("regime", "solve"),
    [
        ("A", lambda T: theorem1(BOUND, alpha=0.1, K=T / 32, b=32)),
        ("B", lambda T: theorem2(BOUND, b=32, T=T)),
        ("C", lambda T: theorem1(BOUND, alpha=0.1, T=T)),
        ("D", lambda T: theorem3(BOUND, T=T)),
    ],
)
def test_exponents_are_the_optimas_slopes(regime, solve):
    assert [float(x) for x in exponents(regime)] == pytest.approx(slopes(solve), abs=1e-10)


def test_sgd_exponents():
    """2 sqrt(delta0 L sigma**2/T) at eta = b sqrt(delta0/(L sigma**2 T)) (B.6)."""
    powers, half = exponents("SGD"), Fraction(1, 2)
    assert powers == (0, -half, 0, 1, -half)


def test_exponents_are_exact_and_consistent():
    for regime in ("A", "B", "C", "D", "SGD"):
        powers = exponents(regime)
        assert all(type(x) is Fraction for x in powers)
        assert powers.b + powers.K == 1
    assert exponents("D").eta == Fraction(-7, 12)
    for regime in "BCD":
        b, eta, alpha, _, risk = map(float, exponents(regime))
        assert rate_exponents(b, -alpha, -eta).minimum == pytest.approx(-risk, abs=1e-15)


# ---- eq. 31, Corollary 2 ----------------------------------------------------------------


def test_rate_exponents_are_the_terms_slopes():
    bound, low, high = Bound(1.0, 1.0, 1.0, 1.0), mp.mpf(10) ** 20, mp.mpf(10) ** 30
    order = [0, 1, 2, 4, 5]  # reference.terms without init_error
    for beta, gamma, delta in itertools.product((0.0, 0.375, 1.0), (0.0, 0.25, 1.5), (-0.5, 0.75)):
        rates = rate_exponents(beta, gamma, delta)
        size = []
        for T in (low, high):
            point = (T**-delta, T**-gamma, T**beta)
            size.append(
                [
                    c * mp.fprod(x**k for x, k in zip(point, powers, strict=True))
                    for c, powers in reference.terms(bound, T)
                ]
            )
        for rate, k in zip(rates[:5], order, strict=True):
            assert rate == pytest.approx(float(-mp.log10(size[1][k] / size[0][k]) / 10), abs=1e-15)
        assert rates.minimum == min(rates[:5])


def test_rate_exponents_broadcast():
    rates = rate_exponents([[0.0], [1.0]], [0.0, 0.5, np.nan], 0.25)
    assert all(x.shape == (2, 3) for x in rates)
    assert rates.r4[0].tolist()[:2] == [0.25, 0.25]
    assert np.isnan([x[:, 2] for x in rates]).all()
    assert np.isnan(rate_exponents([-1e-9, 1.1, *NAN_INF], 0.0, 0.0).r4).all()
    assert np.isnan(rate_exponents(0.5, NAN_INF, 0.0).minimum).all()
    assert np.isnan(rate_exponents(0.5, 0.0, NAN_INF).minimum).all()
    assert type(rate_exponents(0, 0, 0).minimum) is float


def test_path_rate_is_the_best_of_all_schedules():
    powers = np.arange(0, 97) / 64
    for phi in np.arange(33) / 32:
        found = rate_exponents(phi, powers[:, None], powers).minimum.max()
        assert path_rate(phi) == found


def test_path_rate():
    assert path_rate(0.75) == 0.125  # eq. 40 by hand
    assert path_rate([0, 0.5, 1]).tolist() == [0.25, 0.25, 0.0]
    assert np.isnan(path_rate([-1e-9, 1 + 1e-9, *NAN_INF])).all()
    assert path_rate([]).shape == (0,)


# ---- eq. 45, eq. 47 to 49 ---------------------------------------------------------------


@pytest.mark.parametrize("q", [0.2, 1 / 3, 0.5, 0.8, 1.0])
def test_batch_sensitivity_is_the_slope_in_b(q):
    best = theorem2(BOUND.with_noise_exponent(q), b=[1.0, 1e6], T=1e40)
    assert batch_sensitivity(q) == pytest.approx(
        math.log(best.risk[1] / best.risk[0], 1e6), abs=1e-13
    )


def test_batch_sensitivity_domain():
    assert batch_sensitivity(1) == -0.25
    assert np.isnan(batch_sensitivity([0.0, -1.0, 1.1, *NAN_INF])).all()


@pytest.mark.parametrize("p", [0.0, 0.25, 0.5])
def test_effective_exponent_is_the_slope_of_theorem_2(p):
    path = slopes(lambda T: theorem2(BOUND, b=T**p, T=T))
    assert effective_exponent(p, 0.25, 0.75) == pytest.approx(path[1], abs=1e-10)
    assert effective_exponent(p, 0.25, 0.75) == pytest.approx(p - 0.75, abs=1e-15)


@pytest.mark.parametrize("p", [0.0, 0.25, 0.9])
def test_effective_exponent_is_the_slope_of_theorem_1(p):
    path = slopes(lambda T: theorem1(BOUND, alpha=0.3, K=T ** (1 - p), b=T**p))
    assert effective_exponent(p, 0.0, 0.5) == pytest.approx(path[1], abs=1e-10)


def test_effective_exponent_domain():
    assert effective_exponent(0.8225, 0.25, 0.75) == pytest.approx(0.0725, abs=1e-15)
    assert effective_exponent(0.75, 0.25, 0.75) == 0.0  # eq. 48: the sign turns at p = 3/4
    assert np.isnan(effective_exponent([-0.1, 1.1, *NAN_INF], 1.0, 1.0)).all()
    assert np.isnan(effective_exponent(0.5, [-1.0, *NAN_INF], 1.0)).all()
    assert np.isnan(effective_exponent(0.5, 1.0, [-1.0, *NAN_INF])).all()
    assert effective_exponent([[0.5]], [1, 2, 3], 1).shape == (1, 3)


# ---- Corollary 1 ------------------------------------------------------------------------


@pytest.mark.parametrize("bound", [Bound.proxy(2, 3, 5), Bound.nonconvex(2, 3, 1.5, 0.7)])
@pytest.mark.parametrize("alpha", [1e-3, 0.1, 1.0])
def test_momentum_gap_is_the_limit_of_the_ratio(bound, alpha):
    T = 1e80
    ratio = theorem1(bound, alpha=alpha, T=T).risk / theorem3(bound, T=T).risk
    assert momentum_gap(alpha, bound) == pytest.approx(ratio, rel=1e-13)


def test_momentum_gap():
    assert momentum_gap(1.0) == pytest.approx(2**0.25, rel=1e-15)
    assert momentum_gap(1.0, Bound.nonconvex(1, 1, 1, 1)) == pytest.approx(2.75**0.25, rel=1e-15)
    assert np.isnan(momentum_gap([0.0, -1.0, 1.1, *NAN_INF])).all()
    gaps = momentum_gap(0.5, Bound(1.0, 1.0, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]))
    np.testing.assert_array_equal(gaps, [math.inf, 1.0, math.nan])


def tuned_risk(bound, alpha, b, T):
    S = mp.mpf(bound.drift) + mp.mpf(bound.lag) / mp.mpf(alpha)
    eta = mp.sqrt(mp.mpf(bound.descent) * b / (S * T))
    return reference.risk(bound, eta, alpha, b, T)


def test_noise_floor_is_the_limit_of_the_tuned_risk():
    rng = np.random.default_rng(3)
    bound = Bound(*10 ** rng.uniform(-5, 5, (6, 100)), q=1 - rng.random(100))
    alpha, b = 10 ** rng.uniform(-10, 0, 100), 10 ** rng.uniform(0, 10, 100)
    floor = noise_floor(bound, alpha, b)
    for single, a, x, found in zip(reference.bounds(bound), alpha, b, floor, strict=True):
        limit = tuned_risk(single, mp.mpf(a), mp.mpf(x), mp.mpf(10) ** 200)
        assert relative_error(found, limit) < 1e-14


def test_noise_floor_by_hand_and_domain():
    assert noise_floor(Bound(1.0, 3.0, 1.0, 1.0), alpha=0.25, b_max=36) == 0.25
    assert noise_floor(Bound([1.0, 2.0], 3.0, 1.0, 1.0), 0.25, 36).tolist() == [0.25, 0.25]
    assert np.isnan(noise_floor(BOUND, [0.0, 1.5, *NAN_INF], 1.0)).all()
    assert np.isnan(noise_floor(BOUND, 1.0, [0.0, -1.0, *NAN_INF])).all()


# ---- the budget at which a batch size is best -------------------------------------------


def slope_parts(bound, alpha, b, T):
    """The terms of d tuned_risk/d log b, the last of them alone negative."""
    d, n, drift, lag, burn_in, init, q, alpha, b, T = (
        mp.mpf(x)
        for x in (bound.descent, bound.noise, bound.drift, bound.lag, bound.burn_in,
                  bound.init_error, bound.q, alpha, b, T)
    )  # fmt: skip
    return [
        mp.sqrt(d * (drift + lag / alpha) * b / T),
        (1 - q) * n * burn_in * b ** (1 - q) / (alpha * T),
        init * b / (alpha * T),
        -q * n * mp.sqrt(alpha) * b**-q,
    ]


def slope_in_b(bound, alpha, b, T):
    """Their sum, over that of their magnitudes."""
    parts = slope_parts(bound, alpha, b, T)
    return mp.fsum(parts) / mp.fsum(map(abs, parts))


def test_slope_parts_are_the_derivative():
    bound = Bound(2.0, 3.0, 0.7, 1.9, burn_in=1.3, init_error=0.4, q=0.3)
    alpha, T = mp.mpf("0.2"), mp.mpf(10) ** 5
    numeric = mp.diff(lambda x: tuned_risk(bound, alpha, mp.exp(x), T), mp.log(7))
    assert abs(mp.fsum(slope_parts(bound, alpha, 7, T)) / numeric - 1) < mp.mpf(10) ** -20


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"q": 0.5, "init_error": 0.0},
        {"q": 1.0},
        {"burn_in": 0.0, "init_error": 0.0},
        {"descent": 0.0},
        {"lag": 0.0},
    ],
)
def test_budgets_at_fixed_momentum(fields):
    """At T the slope of the tuned risk in b vanishes, at b = 1 and at b_max."""
    rng = np.random.default_rng(4)
    size = 200
    names = ("descent", "noise", "drift", "lag", "burn_in", "init_error")
    drawn = {name: 10 ** rng.uniform(-5, 5, size) for name in names}
    bound = Bound(**drawn | {"q": rng.uniform(0.05, 1, size)} | fields)
    alpha, b_max = 10 ** rng.uniform(-8, 0, size), 10 ** rng.uniform(-1, 9, size)
    critical = critical_token_budget(bound, alpha)
    capped = max_budget(bound, b_max, "C", alpha=alpha)
    for single, a, b, T1, T2 in zip(
        reference.bounds(bound), alpha, b_max, critical, capped, strict=True
    ):
        assert abs(slope_in_b(single, a, 1.0, T1)) < 1e-14
        assert abs(slope_in_b(single, a, b, T2)) < 1e-14
        assert slope_in_b(single, a, b, 1.001 * T2) < 0  # beyond T a larger b is better


def test_critical_token_budget_against_theorem_1():
    bound = BOUND.large_horizon()
    T = critical_token_budget(bound, 0.25)
    np.testing.assert_allclose(T, 4 * 2 * (0.7 + 1.9 / 0.25) / (9 * 0.25), rtol=1e-15)
    assert theorem1(bound, alpha=0.25, T=T).b == pytest.approx(1.0, rel=1e-14)


@pytest.mark.parametrize("q", [0.3, 0.5, 0.9])
def test_critical_token_budget_against_a_grid(q):
    bound = Bound(2.0, 3.0, 0.7, 1.9, init_error=0.4, q=q)
    critical = critical_token_budget(bound, 0.05)
    eta = np.logspace(-1.5, 1.5, 2001) * math.sqrt(2.0 / ((0.7 + 1.9 / 0.05) * critical))
    found = hplaws.grid_argmin(
        bound, eta, 0.05, np.logspace(0, 1, 41), T=critical * np.array([0.9, 0.99, 1.2, 1.5])
    )
    assert found.index["b"][:2].tolist() == [0, 0]
    assert (found.index["b"][2:] > 0).all()


def test_the_papers_figure_1():
    """alpha = 1e-3, C1 = C2 = C3 = 1: y^2 - 2 h y - g = 0 with h = sqrt(1001/alpha), g =
    alpha^(-3/2), y = sqrt(T)."""
    h, g = (1001 / 1e-3) ** 0.5, 1e-3**-1.5
    expected = (h + (h * h + g) ** 0.5) ** 2
    assert critical_token_budget(Bound.proxy(), 1e-3) == pytest.approx(expected, rel=1e-14)


def test_critical_token_budget_degenerate_and_domain():
    bound = Bound([1.0, 0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 1.0, 1.0], 1.0, 1.0,
                  burn_in=0.0, init_error=[0.0, 1.0, 0.0, 0.0, 0.0])  # fmt: skip
    T = critical_token_budget(bound, 1.0)
    np.testing.assert_allclose(T, [math.inf, math.inf, math.nan, 0.0, 8.0], rtol=1e-15)
    assert np.isnan(critical_token_budget(BOUND, [0.0, 1.1, *NAN_INF])).all()
    assert type(critical_token_budget(BOUND, 1)) is float
    assert critical_token_budget(BOUND, []).shape == (0,)


@pytest.mark.parametrize("fields", [{}, {"lag": 0.0}])
def test_max_budget_with_tuned_momentum(fields):
    """Minimising the whole bound at that budget gives b_max; where the best alpha would
    exceed 1, minimising at alpha = 1 does."""
    rng = np.random.default_rng(5)
    size = 60
    names = ("descent", "noise", "drift", "lag", "burn_in")
    bound = Bound(**{name: 10 ** rng.uniform(-5, 5, size) for name in names} | fields)
    b_max = 10 ** rng.uniform(-1, 9, size)
    sides = set()
    for single, b, T in zip(
        reference.bounds(bound), b_max, max_budget(bound, b_max, "D"), strict=True
    ):
        assert math.isfinite(T)
        _, alpha, best = reference.theorem3(single, T)
        sides.add(bool(alpha > 1))
        if alpha > 1:
            assert abs(slope_in_b(single, 1.0, b, T)) < 1e-14
        else:
            assert relative_error(b, best) < 1e-14
    assert len(sides) == 2


def test_max_budget_by_independent_minimisation():
    bound = Bound(2.0, 3.0, 0.7, 1.9, burn_in=1.4)
    assert reference.minimise(bound, max_budget(bound, 50.0, "D"))[2] == pytest.approx(
        50, rel=1e-13
    )
    T = max_budget(bound, 50.0, "C", alpha=0.25)
    assert reference.minimise(bound, T, alpha=0.25)[2] == pytest.approx(50, rel=1e-13)


def test_max_budget_grows_as_the_paper_says():
    for regime, power in (("C", 2), ("D", 6)):
        low, high = max_budget(BOUND, [1e12, 1e15], regime)
        assert math.log10(high / low) / 3 == pytest.approx(power, abs=1e-5)


def test_max_budget_edges():
    assert max_budget(BOUND, 9.0, "C") == max_budget(BOUND, 9.0, "C", alpha=1.0)
    assert max_budget(BOUND, 9.0, "C") < max_budget(BOUND, 9.0, "C", alpha=0.9)
    assert max_budget(BOUND, 1.0, "C", alpha=0.2) == critical_token_budget(BOUND, 0.2)
    no_drift = Bound(2.0, 3.0, 0.0, 1.9)  # nothing holds alpha below 1
    assert max_budget(no_drift, 9.0, "D") == max_budget(no_drift, 9.0, "C", alpha=1.0)
    for field in ("descent", "noise", "burn_in"):
        zero = Bound(**{"descent": 1, "noise": 1, "drift": 1, "lag": 1} | {field: 0})
        assert math.isnan(max_budget(zero, 9.0, "D"))
    assert np.isnan(max_budget(BOUND, [0.0, -1.0, *NAN_INF], "D")).all()
    assert np.isnan(max_budget(BOUND, 2.0, "C", alpha=[0.0, 1.5, *NAN_INF])).all()
    assert max_budget(BOUND, [], "D").shape == (0,)
    assert type(max_budget(BOUND, 4, "D")) is float


# ---- arguments, Table 1 -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: exponents("E"), ValueError, "regime must be one of 'A', .*, got 'E'"),
        (lambda: exponents(1), ValueError, "regime must be one of .*, got 1"),
        (lambda: max_budget(BOUND, 1, "B"), ValueError, "regime must be one of 'C', 'D', got 'B'"),
        (
            lambda: max_budget(BOUND, 1, "D", alpha=0.1),
            ValueError,
            "alpha is tuned in regime 'D' and cannot be given, got 0.1",
        ),
        (
            lambda: max_budget(BOUND.with_noise_exponent(0.3), 1, "D"),
            ValueError,
            "max_budget in regime 'D' holds for q = 0.5 alone, got q = 0.3",
        ),
        (
            lambda: max_budget(BOUND.unmatched_init(2), 1, "D"),
            ValueError,
            "max_budget in regime 'D' holds for init_error = 0 alone, got init_error = 2.0",
        ),
        (
            lambda: momentum_gap(1, BOUND.with_noise_exponent(1)),
            ValueError,
            "momentum_gap holds for q = 0.5 alone, got q = 1.0",
        ),
        (lambda: path_rate(1j), TypeError, "phi must be real numbers"),
        (lambda: batch_sensitivity("x"), TypeError, "q must be real numbers"),
        (lambda: rate_exponents([1, 2], [1, 2, 3], 1), ValueError, r"beta \(2,\), gamma \(3,\)"),
        (lambda: effective_exponent(0.5, "x", 1), TypeError, "kappa must be real numbers"),
        (lambda: noise_floor(BOUND, 1j, 1), TypeError, "alpha must be real numbers"),
        (lambda: critical_token_budget(BOUND, None), TypeError, "alpha must be real numbers"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_table_1():
    rows = {law.study: law for law in EMPIRICAL_LAWS}
    assert [(law.b, law.eta, law.optimizer) for law in EMPIRICAL_LAWS] == [
        (0.3271, -0.1250, "AdamW"),
        (0.571, 0.307, "AdamW"),
        (0.8225, 0.2806, "LaProp"),
        (0.45, -0.28, "Scion"),
    ]
    assert [law.study for law in EMPIRICAL_LAWS if law.eta_model_size] == ["StepLaw"]
    assert rows["StepLaw"].eta_model_size == -0.713
    assert (rows["Filatov et al."].b_error, rows["Filatov et al."].eta_error) == (0.07, 0.07)
    # eta proportional to b**0.3412 (C.3), b to T**0.8225
    assert rows["von Rütte et al."].eta == pytest.approx(0.3412 * 0.8225, abs=1e-4)
    assert all(law.source for law in EMPIRICAL_LAWS)
