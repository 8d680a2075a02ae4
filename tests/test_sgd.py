"""SGDBound (App. B.6): eq. 42, its optimum, and what the cap eta <= 1/L does to it."""

import dataclasses
import math

import numpy as np
import pytest

from hplaws.sgd import SGDBound, SGDOptimum
from reference import mp, relative_error

FIELDS = ("delta0", "L", "sigma")
POINT = ("eta", "b", "K", "T", "risk")


def log_uniform(rng, low, high, size=None):
    return 10 ** rng.uniform(low, high, size)


def random_bound(rng, *shape):
    return SGDBound(*log_uniform(rng, -4, 4, (3, *shape)))


def exact_risk(delta0, L, sigma, eta, b, T):
    delta0, L, sigma, eta, b, T = map(mp.mpf, (delta0, L, sigma, eta, b, T))
    return delta0 * b / (eta * T) + L * eta * sigma**2 / b


def minimise(f, low, high):
    """The minimum of f, convex in log x, on [low, high]: ternary search in 50 digits."""
    low, high = mp.log(low), mp.log(high)
    for _ in range(200):
        left, right = (2 * low + high) / 3, (low + 2 * high) / 3
        if f(mp.exp(left)) < f(mp.exp(right)):
            high = right
        else:
            low = left
    return mp.exp(low), f(mp.exp(low))


# ---- eq. 42 ------------------------------------------------------------------------


def test_risk_by_hand():
    # 6*8/(0.5*96) + 2*0.5*16/8 = 1 + 2
    bound = SGDBound(delta0=6, L=2, sigma=4)
    assert bound.risk(0.5, 8, T=96) == 3.0
    assert bound.risk(0.5, 8, K=12) == 3.0
    assert SGDBound(6, 0, 4).risk(0.5, 8, T=96) == 1.0
    assert SGDBound(0, 2, 4).risk(0.5, 8, T=96) == 2.0


def test_risk_against_50_digits():
    rng = np.random.default_rng(0)
    size = 500
    bound = random_bound(rng, size)
    eta, b, T = (log_uniform(rng, *ends, size) for ends in ((-12, 3), (0, 9), (2, 22)))
    computed = bound.risk(eta, b, T=T)
    fields = [getattr(bound, name) for name in FIELDS]
    for R, *point in zip(computed, *fields, eta, b, T, strict=True):
        assert relative_error(R, exact_risk(*point)) < 1e-15
    assert bound.risk(eta, b, K=T).tobytes() == bound.risk(eta, b, T=b * T).tobytes()


# ---- the optimum -------------------------------------------------------------------


def test_optimum_by_hand():
    # eta = (10/3) sqrt(4/3600) = 1/9; R = 2*3*sqrt(4/3600) = 0.2
    bound = SGDBound(delta0=4, L=1, sigma=3)
    best = bound.optimum(3600, 10)
    assert best.eta == pytest.approx(1 / 9, rel=1e-15)
    assert best.risk == pytest.approx(0.2, rel=1e-15)
    assert (best.b, best.K, best.T, best.capped) == (10.0, 360.0, 3600.0, False)
    # b_crit = 3 sqrt(3600/4) = 90; at twice that eta = 1 and R = 4*180/3600 + 9/180
    capped = bound.optimum(3600, 180)
    assert (capped.eta, capped.K, capped.capped) == (1.0, 20.0, True)
    assert capped.risk == pytest.approx(0.25, rel=1e-15)


@pytest.mark.parametrize("seed", range(12))
def test_optimum_is_the_numerical_minimum(seed):
    rng = np.random.default_rng(seed)
    delta0, L, sigma = log_uniform(rng, -2, 2, 3)
    T, b = log_uniform(rng, 2, 12), log_uniform(rng, 0, 9)
    best = SGDBound(delta0, L, sigma).optimum(T, b)
    eta, risk = minimise(
        lambda eta: exact_risk(delta0, L, sigma, eta, b, T), mp.mpf(10) ** -30, 1 / mp.mpf(L)
    )
    assert relative_error(best.eta, eta) < 1e-15
    assert relative_error(best.risk, risk) < 1e-14
    assert best.capped == (abs(eta * mp.mpf(L) - 1) < 1e-30)


def test_both_cases_occur_in_the_minimisation():
    capped = set()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        delta0, L, sigma = log_uniform(rng, -2, 2, 3)
        best = SGDBound(delta0, L, sigma).optimum(log_uniform(rng, 2, 12), log_uniform(rng, 0, 9))
        capped.add(best.capped)
    assert capped == {True, False}


def test_any_two_of_budget_batch_and_steps():
    bound = SGDBound(2, 3, 5)
    by_tokens = bound.optimum(T=4096, b=16)
    assert bound.optimum(b=16, K=256) == by_tokens
    assert bound.optimum(T=4096, K=256) == by_tokens


def test_below_the_cap_the_risk_does_not_depend_on_the_batch():
    rng = np.random.default_rng(1)
    bound = random_bound(rng, 200, 1)
    T = log_uniform(rng, 2, 20, (200, 1))
    b = bound.critical_batch(T) * np.logspace(-6, -1e-9, 50)
    best = bound.optimum(T, b)
    assert not best.capped.any()
    floor = 2 * bound.sigma * np.sqrt(bound.delta0 * bound.L / T)
    np.testing.assert_allclose(best.risk, np.broadcast_to(floor, b.shape), rtol=1e-14)


def test_beyond_the_critical_batch_the_risk_grows():
    rng = np.random.default_rng(2)
    bound = random_bound(rng, 200, 1)
    T = log_uniform(rng, 2, 20, (200, 1))
    x = np.logspace(1e-9, 6, 50)
    best = bound.optimum(T, bound.critical_batch(T) * x)
    assert best.capped.all()
    assert (best.eta == bound.eta_max).all()
    assert (np.diff(best.risk, axis=1) > 0).all()
    floor = 2 * bound.sigma * np.sqrt(bound.delta0 * bound.L / T)
    expected = np.broadcast_to((x + 1 / x) / 2, best.risk.shape)
    np.testing.assert_allclose(best.risk / floor, expected, rtol=1e-13)


def test_at_fixed_steps_a_larger_batch_always_helps():
    bound, K = SGDBound(delta0=4, L=2, sigma=3), 100.0
    b = np.logspace(-3, 8, 200)
    best = bound.optimum(b=b, K=K)
    assert (np.diff(best.risk) < 0).all()
    assert best.capped.tolist() == (b > bound.critical_batch(K=K)).tolist()
    assert bound.critical_batch(K=K) == pytest.approx(9 * 100 / 8)
    assert best.risk[-1] == pytest.approx(4 * 2 / K, rel=2e-6)


def test_critical_batch_by_tokens_and_by_steps_agree():
    rng = np.random.default_rng(3)
    bound = random_bound(rng, 300)
    T = log_uniform(rng, 2, 20, 300)
    b = bound.critical_batch(T)
    np.testing.assert_allclose(bound.critical_batch(K=T / b), b, rtol=1e-14)
    fields = [getattr(bound, name) for name in FIELDS]
    for size, *values in zip(b, *fields, T, strict=True):
        delta0, L, sigma, tokens = map(mp.mpf, values)
        exact = sigma * mp.sqrt(tokens / (delta0 * L))
        assert relative_error(size, exact) < 1e-15


# ---- zero coefficients -------------------------------------------------------------


def test_without_noise_the_cap_is_the_optimum():
    bound = SGDBound(delta0=4, L=2, sigma=0)
    best = bound.optimum(T=100, b=10)
    assert (best.eta, best.risk, best.capped) == (0.5, 0.8, True)
    assert bound.critical_batch(T=100) == bound.critical_batch(K=100) == 0.0


@pytest.mark.parametrize("zero", ["delta0", "L"])
def test_without_a_best_rate_nan(zero):
    bound = dataclasses.replace(SGDBound(4, 2, [0, 3]), **{zero: 0})
    best = bound.optimum(T=100, b=10)
    assert all(np.isnan(getattr(best, name)).all() for name in POINT)
    assert not best.capped.any()
    assert (bound.critical_batch(T=100) == np.inf).all()
    assert (bound.critical_batch(K=100) == np.inf).all()
    assert SGDBound(4, 0, 3).eta_max == math.inf


# ---- manners -----------------------------------------------------------------------


def test_scalars_give_floats_and_arrays_broadcast():
    bound = SGDBound(4, 1, 3)
    assert type(bound.risk(0.1, 2, T=10)) is type(bound.eta_max) is float
    assert type(bound.critical_batch(10)) is type(bound.critical_batch(K=10)) is float
    best = bound.optimum(10, 2)
    assert all(type(getattr(best, name)) is float for name in POINT)
    assert type(best.capped) is bool
    with pytest.raises(dataclasses.FrozenInstanceError):
        best.eta = 1.0

    many = SGDBound([4, 5, 6], 1, 3)
    T = np.array([[100.0], [1000.0]])
    grid = many.optimum(T, 2)
    assert many.critical_batch(T).shape == many.risk(0.1, 2, T=T).shape == (2, 3)
    for i, j in np.ndindex(2, 3):
        one = SGDBound(4 + j, 1, 3)
        single = one.optimum(T[i, 0], 2)
        for name in (*POINT, "capped"):
            assert getattr(grid, name).shape == (2, 3)
            assert getattr(grid, name)[i, j] == getattr(single, name)
        assert many.critical_batch(T)[i, j] == one.critical_batch(T[i, 0])
        assert many.risk(0.1, 2, T=T)[i, j] == one.risk(0.1, 2, T=T[i, 0])
    assert many.optimum(np.empty((0, 1)), 2).risk.shape == (0, 3)


def test_outside_the_domain_is_nan_in_that_element_alone():
    bound = SGDBound(4, 1, 3)
    bad = np.array([2.0, 0.0, -1.0, np.nan, np.inf, -np.inf, 3.0])
    for result in (
        bound.risk(bad, 2, T=10), bound.risk(0.1, bad, T=10), bound.risk(0.1, 2, T=bad),
        bound.risk(0.1, bad, K=10), bound.risk(0.1, 2, K=bad),
        bound.critical_batch(bad), bound.critical_batch(K=bad),
        *(getattr(bound.optimum(bad, 2), name) for name in POINT),
        *(getattr(bound.optimum(10, bad), name) for name in POINT),
        *(getattr(bound.optimum(b=2, K=bad), name) for name in POINT),
        *(getattr(bound.optimum(T=10, K=bad), name) for name in POINT),
    ):  # fmt: skip
        assert np.isfinite(result[[0, -1]]).all()
        assert np.isnan(result[1:-1]).all()
    assert bound.optimum(10, bad).capped[1:-1].tolist() == [False] * 5


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_bad_coefficients_are_named(field, value):
    good = dict.fromkeys(FIELDS, 1.0)
    with pytest.raises(ValueError, match=rf"^{field} must be a finite number >= 0, got {value}$"):
        SGDBound(**(good | {field: value}))
    with pytest.raises(ValueError, match=rf"^{field}\[1\] must be .* got {value}$"):
        SGDBound(**(good | {field: [1.0, value]}))


def test_wrong_combinations_of_arguments():
    bound = SGDBound(1, 1, 1)
    for budget in ({}, {"T": 1, "K": 1}):
        with pytest.raises(ValueError, match=r"^exactly one of T and K must be given"):
            bound.risk(1, 1, **budget)
        with pytest.raises(ValueError, match=r"^exactly one of T and K must be given"):
            bound.critical_batch(**budget)
    for given, got in (({}, "none"), ({"b": 1}, "b"), ({"T": 1, "b": 1, "K": 1}, "all three")):
        with pytest.raises(ValueError, match=f"^two of T, b and K must be given, got {got}$"):
            bound.optimum(**given)
    with pytest.raises(ValueError, match=r"^the arguments do not broadcast together: .*T \(3,\)"):
        SGDBound([1, 2], 1, 1).optimum([1, 2, 3], 1)
    with pytest.raises(TypeError, match=r"^b must be real numbers"):
        bound.risk(1, 1j, T=1)


def test_frozen_and_compared_by_value():
    bound = SGDBound(1, [2, 3], 4)
    assert bound == SGDBound(1.0, np.array([2, 3]), 4)
    assert hash(bound) == hash(SGDBound(1.0, np.array([2, 3]), 4))
    assert bound != SGDBound(1, [2, 4], 4)
    assert bound != "bound"
    assert bound.shape == (2,)
    assert SGDBound(1, 1, 1).optimum(4, 1) == SGDOptimum(0.5, 1.0, 4.0, 4.0, 1.0, False)
    with pytest.raises(dataclasses.FrozenInstanceError):
        bound.L = 1.0
    with pytest.raises(ValueError, match="read-only"):
        bound.L[0] = 1.0
