"""The paper's numerical verification: its oracles, its error bounds, its power to fail."""

import dataclasses
import json
from fractions import Fraction

import numpy as np
import pytest

import hplaws
from hplaws import verification
from hplaws.verification import LAWS, SETTINGS, fit_power_law, verify


def naive_risk(eta, alpha, b, T):
    """Eq. 4 with C1 = C2 = C3 = 1."""
    return b / (eta * T) + (b + alpha**1.5 * T) / (np.sqrt(b) * alpha * T) + eta * (1 + 1 / alpha)


@pytest.fixture(scope="module")
def result():
    return verify()


by_setting = pytest.mark.parametrize(
    "which", range(len(SETTINGS)), ids=lambda i: f"fig{SETTINGS[i].figure}"
)


def changed(theorem, quantity, by):
    """LAWS with one exponent moved."""
    laws = {number: dict(law) for number, law in LAWS.items()}
    laws[theorem][quantity] += by
    return laws


# ---- the fit ----


def test_fit_is_numpy_polyfit():
    rng = np.random.default_rng(5)
    T = np.logspace(3, 11, 40)
    x = 7.0 * T**-0.3 * np.exp(rng.normal(0, 0.2, T.size))
    coefficients, covariance = np.polyfit(np.log10(T), np.log10(x), 1, cov=True)
    fit = fit_power_law(T, x)
    assert fit.slope == pytest.approx(coefficients[0], rel=1e-12)
    assert fit.stderr == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-12)


def test_fit_of_an_exact_power_has_no_error():
    T = np.logspace(2, 22, 9)
    fit = fit_power_law(T, 3.0 * T**-0.75)
    assert fit.slope == pytest.approx(-0.75, abs=1e-13)
    assert fit.stderr < 1e-13


# ---- the two optima ----


def test_the_grid_is_the_paper_s_and_its_winners_are_the_mesh_s():
    result = verify(points=12)
    eta, alpha, b = np.logspace(-15, 4, 12), np.logspace(-10, 0, 12), np.logspace(0, 15, 12)
    T = np.logspace(2, 22, 12)[:, None, None, None]
    for sweep in result.sweeps:
        fixed = sweep.setting.fixed
        mesh = naive_risk(
            eta,
            np.array(fixed.get("alpha", alpha)).reshape(-1, 1, 1),
            np.array(fixed.get("b", b)).reshape(-1, 1),
            T,
        )
        np.testing.assert_allclose(sweep.grid.risk, mesh.min(axis=(1, 2, 3)), rtol=1e-14)


def test_configurations_are_counted(result):
    assert result.configs == 100**4 + 6 * 100**3


@by_setting
def test_continuous_optimum_is_stationary_and_below_the_grid(result, which):
    sweep = result.sweeps[which]
    T, best = sweep.axes["T"], sweep.continuous
    point = {name: best[name] for name in ("eta", "alpha", "b")}
    for name, value in sweep.setting.fixed.items():
        np.testing.assert_array_equal(point[name], value)
    np.testing.assert_allclose(best["risk"], naive_risk(**point, T=T), rtol=1e-14)
    h = 1e-3
    for name in sweep.setting.tuned:
        up, down = (naive_risk(**{**point, name: point[name] * np.exp(s)}, T=T) for s in (h, -h))
        # Third derivatives in the logs are at most R: h**2/6 of it remains.
        np.testing.assert_array_less(np.abs(up - down) / (2 * h), h**2 * best["risk"])
    assert np.all(best["risk"] <= sweep.grid.risk * (1 + 1e-15))


# ---- the window and the tolerances ----


@by_setting
def test_window_is_one_interval_where_the_assumptions_hold(result, which):
    sweep = result.sweeps[which]
    counted = np.flatnonzero(sweep.window)
    assert np.all(np.diff(counted) == 1)
    assert np.ptp(np.log10(sweep.axes["T"][counted])) > 8
    inside = {name: x[counted] for name, x in sweep.continuous.items()}
    K = sweep.axes["T"][counted] / inside["b"]
    assert np.all(inside["alpha"] ** 1.5 * K >= 100)
    if sweep.setting.theorem != 1:
        assert np.all(inside["alpha"] <= 0.01)
    if sweep.setting.theorem != 2:
        assert np.all(inside["b"] >= 10)
    if sweep.setting.theorem != 3:  # there the grid's b may stray to 1
        assert not sweep.grid.at_edge[counted].any()


def test_window_starts_with_the_large_horizon():
    # At alpha = 1 the best b passes 10 before the burn-in term is below 1 % of the noise.
    sweep = verification._sweep(verification.Setting(1, 0, {"alpha": 1.0}), points=400)
    horizon = sweep.axes["T"] / sweep.continuous["b"]
    first = np.flatnonzero(sweep.window)[0]
    assert sweep.continuous["b"][first - 1] > 10
    assert horizon[first - 1] < 100 <= horizon[first]


@by_setting
def test_the_theorem_s_powers_hold_within_the_stated_drift(result, which):
    sweep = result.sweeps[which]
    far = verification._continuous_optimum(sweep.setting, np.array([1e60]))
    drift = verification._drift(sweep)[sweep.window]
    T = sweep.axes["T"][sweep.window]
    for quantity, exponent in LAWS[sweep.setting.theorem].items():
        law = verification.values_of(far, quantity) * (T / 1e60) ** float(exponent)
        found = verification.values_of(sweep.continuous, quantity)[sweep.window]
        # What the constant at 1e60 itself is off is far smaller than the window's drift.
        np.testing.assert_array_less(np.abs(np.log10(found / law)), drift + 1e-12)


@pytest.mark.parametrize("points", [30, 100])
@by_setting
def test_winners_lie_within_the_stated_quantisation(points, which):
    sweep = verify(points).sweeps[which]
    for quantity in LAWS[sweep.setting.theorem]:
        found = verification.values_of(vars(sweep.grid), quantity)
        best = verification.values_of(sweep.continuous, quantity)
        off = np.abs(np.log10(found / best))[sweep.window]
        allowed = verification._quantisation(sweep, quantity)[sweep.window]
        np.testing.assert_array_less(off, allowed)


def test_the_grid_resolves_all_but_the_flat_direction(result):
    vague = {(c.setting.theorem, c.quantity) for c in result.comparisons if not c.grid_resolves}
    assert vague == {(3, "b"), (3, "eta"), (3, "alpha")}


def test_a_tenfold_finer_grid_is_about_tenfold_more_accurate(result):
    coarse = verify(points=10 + 1)
    for wide, narrow in zip(coarse.comparisons, result.comparisons, strict=True):
        if wide.grid_tolerance is not None and wide.quantity != "risk":
            ratio = (wide.grid_tolerance - wide.continuous_tolerance) / (
                narrow.grid_tolerance - narrow.continuous_tolerance
            )
            assert 6 < ratio < 15


# ---- the verdict ----


def test_the_paper_s_exponents_pass(result):
    assert result.passed
    assert result.identical
    assert {c.verdict for c in result.comparisons} == {"agrees"}
    assert len(result.comparisons) == 3 * 3 + 3 * 3 + 6


@pytest.mark.parametrize(("theorem", "quantity"), [(t, q) for t, law in LAWS.items() for q in law])
def test_a_wrong_exponent_fails(theorem, quantity):
    result = verify(points=40, laws=changed(theorem, quantity, Fraction(1, 100)))
    wrong = {
        (c.setting.theorem, c.quantity) for c in result.comparisons if c.verdict == "disagrees"
    }
    assert wrong == {(theorem, quantity)}
    assert not result.passed


def test_the_grid_alone_sees_a_wrong_exponent(result):
    for c in result.comparisons:
        wrong = dataclasses.replace(
            c, exponent=c.exponent + Fraction(1, 10), continuous_tolerance=1.0
        )
        assert wrong.verdict == ("disagrees" if c.grid_resolves else "agrees")


def test_few_points_widen_the_tolerance_and_too_few_fail():
    assert verify(points=20).passed
    short = verify(points=5)
    assert not short.passed
    assert {c.verdict for c in short.comparisons} == {"too short"}


@pytest.mark.parametrize("field", ["risk", "index"])
def test_pruned_that_differs_in_one_bit_fails(monkeypatch, field):
    def grid_argmin(bound, eta, alpha, b, T, method):
        found = hplaws.grid_argmin(bound, eta, alpha, b, T, method=method)
        if method == "pruned" and alpha.size > 1:
            (found.risk if field == "risk" else found.index["eta"]).view(np.int64)[3] += 1
        return found

    monkeypatch.setattr(verification, "grid_argmin", grid_argmin)
    result = verify(points=20)
    assert [s.identical for s in result.sweeps] == [True] * 3 + [False] * 4
    assert {c.verdict for c in result.comparisons} == {"agrees"}
    assert not result.passed


@pytest.mark.parametrize("points", [0, 1, -3])
def test_points_out_of_range(points):
    with pytest.raises(ValueError, match=f"points must be at least .*{points}"):
        verify(points=points)


@pytest.mark.parametrize("points", [10.0, "10", True])
def test_points_of_a_wrong_type(points):
    with pytest.raises(TypeError, match="points must be a whole number"):
        verify(points=points)


@pytest.mark.parametrize("points", [5, 30])
def test_to_dict_is_strict_json(points):
    result = verify(points)
    back = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert back["passed"] is result.passed
    assert sum(len(s["comparisons"]) for s in back["settings"]) == len(result.comparisons)
    first = back["settings"][0]
    assert first["fixed"] == {"alpha": 1e-3}
    assert first["grid"]["risk"] == result.sweeps[0].grid.risk.tolist()


# ---- the figures ----


@pytest.fixture(scope="module")
def figures():
    pytest.importorskip("matplotlib")
    from hplaws import figures

    return figures


@by_setting
def test_figure_has_the_paper_s_panels_and_nothing_overlaps(figures, result, which):
    sweep = result.sweeps[which]
    exponents = LAWS[sweep.setting.theorem]
    figure = figures.draw_sweep(sweep, exponents)
    figure.draw_without_rendering()
    tuned = {1: ["batch size", "learning rate"], 2: ["momentum update", "learning rate"]}.get(
        sweep.setting.theorem, ["batch size", "learning rate", "momentum update"]
    )
    panels = figure.axes
    assert [panel.get_ylabel() for panel in panels[: len(tuned)]] == ["risk"] * len(tuned)
    for panel, name in zip(panels[len(tuned) :], tuned, strict=True):
        assert panel.get_ylabel().startswith(name)
    assert all("(tokens)" in panel.get_xlabel() for panel in panels)
    slopes = [text.get_text() for panel in panels for text in panel.texts]
    assert slopes[: len(tuned)] == ["$T^{-1/4}$"] * len(tuned)
    assert slopes[len(tuned) :] == [
        f"$T^{{{exponent}}}$" for exponent in list(exponents.values())[: len(tuned)]
    ]

    (legend,) = figure.legends
    assert {t.get_text() for t in legend.get_texts()} >= {
        "best on the grid",
        "best in the continuum",
        "slope of the theorem",
        "fit window",
    }
    boxes = [panel.get_tightbbox() for panel in panels] + [legend.get_window_extent()]
    for i, box in enumerate(boxes):
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_a_figure_can_be_drawn_without_a_window(figures):
    sweep = verify(points=2).sweeps[0]
    figures.draw_sweep(sweep, LAWS[1]).draw_without_rendering()
