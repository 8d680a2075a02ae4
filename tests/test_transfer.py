"""transfer against Tables 2 and 3 by hand, in 50 digits, and against the theorems' optima."""

import dataclasses
import warnings

import numpy as np
import pytest

import hplaws
from hplaws import Bound, theorem1, theorem2, theorem3
from hplaws.transfer import ClampWarning, Transfer, transfer
from reference import mp, relative_error

TUNED = {"eta": 0.5, "alpha": 0.25, "b": 64.0, "T": 1024.0}
BOUND = Bound(2.0, 3.0, 0.7, 1.9)


# ---- the tables, by hand ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("regime", "factor", "eta", "alpha", "b"),
    [
        ("A", 16, 0.5 / 4, 0.25, 64),
        ("B", 16, 0.5 / 8, 0.25 / 4, 64),
        ("C", 16, 0.5 / 2, 0.25, 64 * 4),
        ("D", 4096, 0.5 / 128, 0.25 / 16, 64 * 4),
        ("SGD", 16, 0.5 / 4, 0.25, 64),
    ],
)
def test_table_2(regime, factor, eta, alpha, b):
    new = transfer(TUNED, 1024.0 * factor, regime=regime)
    expected = (eta, alpha, b, 1024 * factor / b, 1024 * factor)
    assert dataclasses.astuple(new)[:5] == pytest.approx(expected, rel=1e-15)
    assert new.clamped is False
    assert all(type(x) is float for x in dataclasses.astuple(new)[:5])


@pytest.mark.parametrize(
    ("regime", "eta", "alpha"),
    [("A", 0.5 * 2 / 4, 0.25), ("B", 0.5 * 4 / 8, 0.25 * 4 / 4), ("SGD", 0.5 * 4 / 4, 0.25)],
)
def test_table_3(regime, eta, alpha):
    new = transfer(TUNED, 1024.0 * 16, regime=regime, b1=256)
    assert (new.eta, new.alpha, new.b, new.K) == (eta, alpha, 256, 64)


def test_regime_a_is_the_default():
    assert transfer(TUNED, 4096.0) == transfer(TUNED, 4096.0, regime="A")


@pytest.mark.parametrize(
    ("regime", "powers"),
    [("B", ("-3/4", "-1/2", 0)), ("C", ("-1/4", 0, "1/2")), ("D", ("-7/12", "-1/3", "1/6"))],
)
def test_powers_over_wide_ranges(regime, powers):
    rng = np.random.default_rng(1)
    T0 = 10 ** rng.uniform(2, 12, 200)
    T1 = T0 * 10 ** rng.uniform(0, 12, 200)
    new = transfer({"eta": 1e-3, "alpha": 0.9, "b": 7.0, "T": T0}, T1, regime=regime)
    for name, start, power in zip(("eta", "alpha", "b"), (1e-3, 0.9, 7.0), powers, strict=True):
        computed = np.broadcast_to(getattr(new, name), 200)
        for x, t0, t1 in zip(computed, T0, T1, strict=True):
            exact = mp.mpf(start) * (mp.mpf(t1) / mp.mpf(t0)) ** mp.mpf(mp.mpmathify(power))
            assert relative_error(x, exact) < 1e-14


# ---- the optimum at T0 is carried to the optimum at T1 ----------------------------------


def assert_same_point(new, best, rel):
    for name in ("eta", "alpha", "b", "K", "T"):
        assert getattr(new, name) == pytest.approx(getattr(best, name), rel=rel)


def test_regime_a_carries_theorem_1_at_a_new_batch_size():
    new = transfer(theorem1(BOUND, alpha=0.3, K=1e4, b=8), 1e9, regime="A", b1=96)
    assert_same_point(new, theorem1(BOUND, alpha=0.3, K=1e9 / 96, b=96), 1e-14)


def test_regime_b_carries_theorem_2_at_a_new_batch_size():
    new = transfer(theorem2(BOUND, b=8, T=1e6), 1e9, regime="B", b1=96)
    assert_same_point(new, theorem2(BOUND, b=96, T=1e9), 1e-14)


def test_regime_c_carries_theorem_1():
    new = transfer(theorem1(BOUND, alpha=0.3, T=1e6), 1e9, regime="C")
    assert_same_point(new, theorem1(BOUND, alpha=0.3, T=1e9), 1e-14)


def test_regime_d_carries_theorem_3_for_large_budgets():
    new = transfer(theorem3(BOUND, T=1e24), 1e27, regime="D")
    assert_same_point(new, theorem3(BOUND, T=1e27), 1e-7)


def test_sgd_follows_its_bound():
    """delta0 b/(eta T) + L eta sigma**2/b is least at eta = b sqrt(delta0/(L sigma**2 T))."""
    new = transfer({"eta": 5 * (2 / 3e6) ** 0.5, "b": 5, "T": 1e6}, 1e8, regime="SGD", b1=40)
    assert new.eta == pytest.approx(40 * (2 / 3e8) ** 0.5, rel=1e-14)
    assert new.alpha == 1.0


# ---- clamping ---------------------------------------------------------------------------


def test_clamped_momentum_keeps_the_learning_rate_optimal():
    """At alpha = 1 the leading bound is least at eta = sqrt(descent b/(lag T)), which the
    table's own power (T0/T1)**(3/4) misses."""
    tuned = theorem2(BOUND, b=8, T=1e6)
    with pytest.warns(ClampWarning, match=r"^alpha clamped to 1; eta follows from the clamped"):
        new = transfer(tuned, 1.0, regime="B")
    assert new.alpha == 1.0
    assert (new.alpha_clamped, new.b_clamped, new.clamped) == (True, False, True)
    assert new.eta == pytest.approx((2.0 * 8 / 1.9) ** 0.5, rel=1e-14)


def test_clamped_batch_size_keeps_the_learning_rate_optimal():
    tuned = theorem1(BOUND, alpha=0.3, T=1e6)
    with pytest.warns(ClampWarning, match=r"^b clamped to 1; "):
        new = transfer(tuned, 4.0, regime="C")
    assert (new.b, new.K, new.alpha_clamped, new.b_clamped) == (1.0, 4.0, False, True)
    assert_same_point(new, theorem1(BOUND, alpha=0.3, K=4, b=1), 1e-14)


def test_regime_d_with_clamped_batch_size_is_regime_b_at_one():
    tuned = {"eta": 1e-3, "alpha": 1e-4, "b": 2.0, "T": 1e9}
    with pytest.warns(ClampWarning, match="b clamped"):
        new = transfer(tuned, 1e6, regime="D")
    assert new == dataclasses.replace(transfer(tuned, 1e6, regime="B", b1=1), b_clamped=True)


def test_given_batch_size_below_one_is_clamped():
    with pytest.warns(ClampWarning, match="b clamped"):
        new = transfer(TUNED, 1024.0, b1=0.25)
    assert new.b == 1.0
    assert new.eta == 0.5 / 8


def test_clamping_in_arrays():
    T1 = np.array([[16.0], [1024.0]])
    with pytest.warns(ClampWarning, match=r"^alpha clamped to 1 in 2 of 6 cases") as caught:
        new = transfer(TUNED, T1, regime="B", b1=[8, 64, 256])
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert new.alpha_clamped.tolist() == [[False, True, True], [False, False, False]]
    assert new.b_clamped.shape == new.clamped.shape == new.eta.shape == new.T.shape == (2, 3)
    assert not new.b_clamped.any()
    assert (new.alpha[new.alpha_clamped] == 1).all()


def test_reaching_a_limit_is_not_clamping():
    new = transfer(TUNED, 64.0, regime="B")  # alpha = 0.25*sqrt(1024/64) = 1
    assert (new.alpha, new.clamped) == (1.0, False)


def test_the_warning_is_a_class_of_its_own():
    assert issubclass(ClampWarning, UserWarning)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ClampWarning)
        transfer(TUNED, 1.0, regime="B")


# ---- arguments --------------------------------------------------------------------------


def test_steps_stand_in_for_the_budget():
    by_steps = {"eta": 0.5, "alpha": 0.25, "b": 64, "K": 16}
    assert transfer(by_steps, 4096, regime="C") == transfer(TUNED, 4096, regime="C")


def test_transfers_chain():
    for regime in "ABCD":
        twice = transfer(transfer(TUNED, 1e5, regime=regime), 1e7, regime=regime)
        assert_same_point(twice, transfer(TUNED, 1e7, regime=regime), 1e-14)


def test_a_grid_search_is_an_optimum():
    found = hplaws.grid_argmin(BOUND, np.logspace(-6, 0, 61), 0.3, np.logspace(0, 4, 41), T=1e6)
    new = transfer(found, 1e8, regime="C")
    assert isinstance(new, Transfer)
    assert new.b == pytest.approx(10 * found.b, rel=1e-14)


def test_out_of_domain_elements_are_nan_and_silent():
    bad = [np.nan, np.inf, 0.0, -1.0]
    for name in TUNED:
        new = transfer(TUNED | {name: [*bad, 1.0]}, 64.0)
        assert np.isnan(new.eta[:4]).all()
        assert np.isfinite(new.eta[4])
        assert not new.clamped[:4].any()
    assert np.isnan(transfer(TUNED | {"alpha": 1.5}, 64.0, regime="B").eta)
    assert np.isnan(transfer(TUNED, bad).K).all()
    assert np.isnan(transfer(TUNED, 64.0, b1=bad).eta).all()
    assert transfer(TUNED, []).eta.shape == (0,)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: transfer(TUNED, 1.0, regime="E"),
            ValueError,
            r"regime must be one of 'A', 'B', 'C', 'D', 'SGD', got 'E'",
        ),
        (
            lambda: transfer(TUNED, 1.0, regime="C", b1=8),
            ValueError,
            r"regime 'C' chooses the batch size itself, got b1=8; .* use regime 'A' or 'B'",
        ),
        (
            lambda: transfer({"eta": 1.0, "b": 2.0, "T": 3.0}, 1.0),
            ValueError,
            r"optimum must have .*; alpha is not in \['T', 'b', 'eta'\]",
        ),
        (
            lambda: transfer({"eta": 1.0, "b": 2.0, "alpha": 0.5}, 1.0),
            ValueError,
            r"optimum must have .*; T or K is not in \['alpha', 'b', 'eta'\]",
        ),
        (lambda: transfer(3.0, 1.0), ValueError, r"eta is not in float"),
        (lambda: transfer(TUNED, 1j), TypeError, r"T1 must be real numbers"),
        (lambda: transfer(TUNED | {"b": "x"}, 1.0), TypeError, r"b must be real numbers"),
        (
            lambda: transfer(TUNED | {"b": [1, 2]}, [1, 2, 3]),
            ValueError,
            r"do not broadcast together: b \(2,\), T1 \(3,\)",
        ),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()
