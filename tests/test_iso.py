"""iso_risk: every point of the curve has the level's risk, in 50 digits and by hplaws.risk."""

import numpy as np
import pytest

import hplaws
import reference
from hplaws import Bound
from hplaws.iso import IsoRisk, iso_risk
from reference import mp, relative_error

SIZE = 300


def tuned_risk(bound, alpha, b, K):
    """R at eta = sqrt(descent/(S K)), S = drift + lag/alpha."""
    alpha, b, K = mp.mpf(alpha), mp.mpf(b), mp.mpf(K)
    eta = mp.sqrt(bound.descent / ((mp.mpf(bound.drift) + bound.lag / alpha) * K))
    return reference.risk(bound, eta, alpha, b, b * K)


def random_problem(seed, **fields):
    """Bounds over ten decades, with momenta and numbers of steps."""
    rng = np.random.default_rng(seed)
    names = ("descent", "noise", "drift", "lag", "burn_in", "init_error")
    fields = {name: 10 ** rng.uniform(-5, 5, SIZE) for name in names} | fields
    bound = Bound(**{"q": rng.uniform(0.15, 1, SIZE)} | fields)
    margin = 1 + 10 ** rng.uniform(-6, 4, SIZE)  # level/limit, down to the asymptotes
    return bound, 10 ** rng.uniform(-6, 0, SIZE), 10 ** rng.uniform(0, 9, SIZE), margin


def elements(bound, *arrays):
    return zip(reference.bounds(bound), *(a.tolist() for a in arrays), strict=True)


# ---- by hand ----------------------------------------------------------------------------


def test_hand_computed():
    """descent S = 1, so the risk is 2/sqrt(K) + (4/(alpha K) + sqrt(alpha))/sqrt(b)
    + 1/(alpha K), at alpha = 1/4: 2/8 + (16/64 + 1/2)/2 + 4/64 = 11/16 at K = 64, b = 4."""
    bound = Bound(1.0, 1.0, 0.5, 0.125, burn_in=4.0, init_error=1.0)
    assert iso_risk(bound, 0.6875, alpha=0.25, K=64).b == 4.0
    curve = iso_risk(bound, 0.6875, alpha=0.25, b=4)
    np.testing.assert_allclose(curve.K, 64.0, rtol=1e-15)
    assert curve.b == 4.0
    assert curve.b_min == pytest.approx((0.5 / 0.6875) ** 2, rel=1e-15)
    # 4 x^2 + 2 x - 11/16 = 0 for x = 1/sqrt(K_min)
    x = (-2 + 15**0.5) / 8
    assert curve.K_min == pytest.approx(x**-2, rel=1e-14)


def test_the_papers_asymptotes():
    """K_min = (C_det/c)**2, b_min = (C_floor/c)**2 (App. D)."""
    delta0, L, rho, sigma, alpha, level = 2.0, 3.0, 1.5, 0.7, 0.1, 0.05
    curve = iso_risk(Bound.nonconvex(delta0, L, rho, sigma), level, alpha=alpha, K=1e9)
    det = 2 * (delta0 * L * (3.5 + 2 / alpha)) ** 0.5
    assert curve.K_min == pytest.approx((det / level) ** 2, rel=1e-14)
    assert curve.b_min == pytest.approx((2 * rho * sigma / level) ** 2 * alpha, rel=1e-14)


# ---- in 50 digits -----------------------------------------------------------------------

FIELDS = [{}, {"init_error": 0.0, "q": 0.5}, {"burn_in": 0.0}, {"lag": 0.0}, {"drift": 0.0}]


@pytest.mark.parametrize("fields", FIELDS)
def test_batch_size_for_given_steps(fields):
    """The limit is the risk without noise; there and far above it, the point found has the
    level's risk."""
    bound, alpha, K, margin = random_problem(1, **fields)
    quiet = Bound(
        **{f: getattr(bound, f) for f in ("descent", "drift", "lag", "init_error")}, noise=0
    )
    limit = [float(tuned_risk(c, a, 1, k)) for c, a, k in elements(quiet, alpha, K)]
    level = limit * margin
    curve = iso_risk(bound, level, alpha=alpha, K=K)
    assert np.array_equal(curve.K, K)
    for single, a, k, c, b, K_min in elements(bound, alpha, K, level, curve.b, curve.K_min):
        assert relative_error(float(tuned_risk(single, a, b, k)), mp.mpf(c)) < 1e-14
        assert relative_error(K_min, least_steps(single, a, c)) < 1e-14
    below = iso_risk(bound, np.array(limit) * 0.999999, alpha=alpha, K=K)
    assert np.isnan(below.b).all()
    assert np.array_equal(below.K, K)


def least_steps(bound, alpha, level):
    """K where the risk without noise is the level, by bisection in log K."""
    quiet = Bound(bound.descent, 0.0, bound.drift, bound.lag, 0.0, bound.init_error)
    excess = lambda x: mp.log(tuned_risk(quiet, alpha, 1, mp.exp(x)) / level)  # noqa: E731
    return mp.exp(mp.findroot(excess, (-100, 100), solver="anderson", tol=1e-40))


@pytest.mark.parametrize("fields", FIELDS)
def test_steps_for_given_batch_size(fields):
    bound, alpha, b, margin = random_problem(2, **fields)
    limit = [
        float(mp.mpf(c.noise) * mp.mpf(x) ** -mp.mpf(c.q) * mp.sqrt(a))
        for c, a, x in elements(bound, alpha, b)
    ]
    level = limit * margin
    curve = iso_risk(bound, level, alpha=alpha, b=b)
    assert np.array_equal(curve.b, b)
    for single, a, x, c, K, b_min in elements(bound, alpha, b, level, curve.K, curve.b_min):
        assert relative_error(float(tuned_risk(single, a, x, K)), mp.mpf(c)) < 2e-15
        power = mp.mpf(single.noise) * mp.sqrt(a) / mp.mpf(c)
        assert relative_error(b_min, power ** (1 / mp.mpf(single.q))) < 1e-13
    below = iso_risk(bound, np.array(limit) * 0.999999, alpha=alpha, b=b)
    assert np.isnan(below.K).all()


def test_nothing_cancels_in_the_quadratic():
    """Burn-in a billion times smaller, and larger, than the descent term: with C = 0.75,
    A x^2 + 2 x - C = 0 for x = 1/sqrt(K), where the schoolbook root loses every digit."""
    for burn_in in (1e-30, 1e-18, 1e-9, 1.0, 1e9, 1e30):
        bound = Bound(1.0, 0.25, 0.0, 1.0, burn_in=4 * burn_in)
        K = iso_risk(bound, 1.0, alpha=1.0, b=1.0).K
        A = mp.mpf(4 * burn_in) / 4
        x = (mp.sqrt(1 + A * mp.mpf("0.75")) - 1) / A
        assert relative_error(K, x**-2) < 1e-15


def test_no_spurious_overflow():
    """All coefficients and the level scaled alike leave the curve where it is."""
    unit = iso_risk(Bound(1.0, 1.0, 1.0, 1.0), 1.0, alpha=1e-8, b=1.0)
    for scale in (2.0**-700, 2.0**700):
        scaled = iso_risk(Bound(scale, scale, scale, scale), scale, alpha=1e-8, b=1.0)
        assert scaled == unit


# ---- by risk itself ---------------------------------------------------------------------


def test_risk_on_the_curve_is_the_level():
    bound = Bound.nonconvex([[1.0], [5.0]], 0.3, 1.1, [[2.0], [0.4]])
    K = np.logspace(5, 9, 40)
    curve = iso_risk(bound, 0.1, alpha=0.05, K=K)
    assert curve.b.shape == curve.K.shape == curve.K_min.shape == curve.b_min.shape == (2, 40)
    eta = np.sqrt(bound.descent / ((bound.drift + bound.lag / 0.05) * K))
    np.testing.assert_allclose(hplaws.risk(bound, eta, 0.05, curve.b, K=K), 0.1, rtol=1e-14)
    back = iso_risk(bound, 0.1, alpha=0.05, b=curve.b)
    np.testing.assert_allclose(back.K, curve.K, rtol=1e-10)  # at large K, b hardly depends on it


def test_no_rate_does_better_on_the_curve():
    curve = iso_risk(Bound.proxy(), 0.1, alpha=0.05, K=1e5)
    eta = np.logspace(-8, 0, 20001)
    least = hplaws.risk(Bound.proxy(), eta, 0.05, curve.b, K=1e5).min()
    assert 0.1 <= least < 0.1 * (1 + 1e-6)


def test_asymptotes():
    bound, level, alpha = Bound(1.0, 2.0, 3.0, 4.0, init_error=5.0, q=0.7), 0.3, 0.2
    curve = iso_risk(bound, level, alpha=alpha, K=[1e20])
    assert iso_risk(bound, level, alpha=alpha, K=1e30).b == pytest.approx(curve.b_min[0], rel=1e-12)
    far = iso_risk(bound, level, alpha=alpha, b=1e30)
    np.testing.assert_allclose(far.K, curve.K_min[0], rtol=1e-12)
    for side, reached in ((1 - 1e-9, False), (1 + 1e-9, True)):
        assert np.isfinite(iso_risk(bound, level, alpha=alpha, K=curve.K_min * side).b) == reached
        assert np.isfinite(iso_risk(bound, level, alpha=alpha, b=curve.b_min * side).K) == reached


# ---- arguments --------------------------------------------------------------------------


def test_scalars_in_floats_out():
    curve = iso_risk(Bound.proxy(), 1, alpha=1, K=1000)
    assert isinstance(curve, IsoRisk)
    assert all(type(x) is float for x in (curve.K, curve.b, curve.K_min, curve.b_min))


def test_where_nothing_is_left_to_solve_for():
    quiet = Bound(1.0, 0.0, 1.0, 1.0)
    curve = iso_risk(quiet, 0.5, alpha=1.0, K=1e4)
    assert np.isnan(curve.b)
    assert curve.b_min == 0.0
    assert iso_risk(quiet, 0.5, alpha=1.0, b=7.0).K == curve.K_min == pytest.approx(32, rel=1e-15)
    still = iso_risk(Bound(0.0, 1.0, 1.0, 1.0, burn_in=0.0), 0.5, alpha=1.0, b=100)
    assert np.isnan(still.K)
    assert still.K_min == 0.0


def test_out_of_domain_elements_are_nan_and_silent():
    bad = [np.nan, np.inf, -1.0, 0.0]
    curve = iso_risk(Bound.proxy(), bad, alpha=0.1, K=1e6)
    assert np.isnan([curve.b, curve.K_min, curve.b_min]).all()
    assert (curve.K == 1e6).sum() == 0
    curve = iso_risk(Bound.proxy(), 1.0, alpha=[*bad, 1.5], b=1e6)
    assert np.isnan([curve.K, curve.K_min, curve.b_min]).all()
    for name in ("K", "b"):
        curve = iso_risk(Bound.proxy(), 1.0, alpha=0.1, **{name: bad})
        assert np.isnan([curve.b, curve.K]).all()
        assert np.isfinite([curve.b_min, curve.K_min]).all()
    assert iso_risk(Bound.proxy(), [], alpha=0.1, K=1.0).b.shape == (0,)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"alpha": 0.1}, ValueError, "exactly one of K and b must be given, got neither"),
        ({"alpha": 0.1, "K": 1, "b": 1}, ValueError, "exactly one of K and b .*, got both"),
        ({"alpha": 1j, "K": 1}, TypeError, "alpha must be real numbers"),
        ({"alpha": [0.1, 0.2], "K": [1, 2, 3]}, ValueError, r"alpha \(2,\), K \(3,\)"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        iso_risk(Bound.proxy(), 1.0, **arguments)
