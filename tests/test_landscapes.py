"""Figures 4, 10 and 11: the reduced risk, the curves over it, and how they are drawn."""

import numpy as np
import pytest

from hplaws.landscapes import PLANES, landscape, near_optimal_batch

SHARE = 0.99
ALPHA = np.logspace(-10, 0, 4001)


def tuned_risk(plane, K, b):
    """Eq. 4 with C1 = C2 = C3 = 1, the best eta of the range in closed form, and the best
    alpha of a fine axis where it is tuned."""
    K, b = np.asarray(K)[..., None], np.asarray(b)[..., None]
    alpha = ALPHA if plane.alpha is None else np.array([plane.alpha])
    smoothness = 1 + 1 / alpha
    eta = np.clip(1 / np.sqrt(smoothness * K), *plane.eta)
    risk = 1 / (eta * K) + (1 / (alpha * K) + np.sqrt(alpha)) / np.sqrt(b) + eta * smoothness
    return risk.min(axis=-1)


def steps(plane, budget, b):
    return budget if plane.budget == "K" else budget / b


by_plane = pytest.mark.parametrize(
    "shown",
    [pytest.param(plane, id=f"fig{plane.figure}-{i}") for i, plane in enumerate(PLANES)],
    indirect=True,
)


@pytest.fixture(scope="module")
def computed():
    return {}


@pytest.fixture
def shown(request, computed):
    plane = request.param
    if plane not in computed:
        computed[plane] = landscape(plane)
    return computed[plane]


def test_planes_have_the_ranges_of_the_captions():
    assert {(p.figure, p.eta) for p in PLANES} == {
        (4, (1e-15, 1e4)),
        (10, (1.7e-6, 1.0)),
        (11, (1e-15, 1e4)),
        (11, (1.07e-7, 1.0)),
    }
    assert [p.alpha is None for p in PLANES if p.figure == 11] == [True, False, True]


@by_plane
def test_risk_is_the_best_of_the_plane(shown):
    budget, b = shown.budget[::7, None], shown.b[None, ::7]
    K = steps(shown.plane, budget, b)
    found, expected = shown.risk[::7, ::7], tuned_risk(shown.plane, *np.broadcast_arrays(K, b))
    assert np.array_equal(np.isnan(found), K * np.ones_like(b) < 1)
    ratio = (found / expected)[~np.isnan(found)]
    # The oracle's own alpha axis is a grid: half a step of it costs 1e-5.
    assert ratio.min() > 1 - (1e-5 if shown.plane.alpha is None else 1e-13)
    assert ratio.max() < 1 + 1e-3


@by_plane
def test_eta_is_at_its_limit_beyond_the_best_eta_of_the_bound(shown):
    if shown.plane.alpha is None:
        assert shown.eta_at_limit.any() == (shown.plane.eta[0] > 1e-15)
        return
    K = steps(shown.plane, shown.budget[:, None], shown.b[None, :])
    K = np.broadcast_to(K, shown.risk.shape)
    last = 1 / ((1 + 1 / shown.plane.alpha) * shown.plane.eta[0] ** 2)
    limited, free = last * 1.05 < K, last > K * 1.05
    assert shown.eta_at_limit[limited].all()
    assert not shown.eta_at_limit[free].any()


@by_plane
def test_curves_are_where_the_tuned_risk_has_their_level(shown):
    plane = shown.plane
    inside = shown.risk[~np.isnan(shown.risk)]
    levels = [curve.level for curve in shown.curves]
    powers = [float(f"1e{n}") for n in range(-8, 8)]
    assert levels == [x for x in powers if inside.min() <= x <= inside.max()]
    for curve in shown.curves:
        K = steps(plane, curve.budget, curve.b)
        assert np.all(K > 1 - 1e-12)
        assert np.all(np.diff(K) >= -1e-12 * K[1:])
        off = tuned_risk(plane, K, curve.b) / curve.level - 1
        assert np.abs(off).max() < (1e-3 if plane.alpha is None else 1e-9)


@by_plane
def test_curves_cover_the_part_of_the_panel_where_eta_is_free(shown):
    """Wherever the risk crosses a level between neighbours in b, the curve passes there."""
    for curve in shown.curves:
        below = shown.risk <= curve.level
        for i in range(0, shown.budget.size, 9):
            free = ~shown.eta_at_limit[i]
            crossed = np.flatnonzero((below[i, 1:] != below[i, :-1]) & free[1:] & free[:-1])
            for j in crossed:
                near = np.hypot(
                    np.log(curve.budget / shown.budget[i]), np.log(curve.b / shown.b[j])
                )
                assert np.isnan(shown.risk[i, j : j + 2]).any() or near.min() < 0.25


def test_asymptotes_are_the_paper_s():
    (plane,) = (p for p in PLANES if p.figure == 4)
    shown = landscape(plane)
    assert shown.curves
    for curve in shown.curves:
        det, floor = 2 * np.sqrt(1 + 1 / plane.alpha), np.sqrt(plane.alpha)
        assert curve.K_min == pytest.approx((det / curve.level) ** 2, rel=1e-12)
        assert curve.b_min == pytest.approx((floor / curve.level) ** 2, rel=1e-12)
        assert np.all((curve.budget > curve.K_min) & (curve.b > curve.b_min))


# ---- the near-optimal batch ----


@by_plane
def test_near_optimal_batch_is_the_smallest_with_its_share(shown):
    """Against an axis four times finer, without a grid in eta."""
    fine = np.logspace(0, 15, 1201)
    step = np.log(shown.b[1] / shown.b[0])
    for i in range(0, shown.budget.size, 11):
        K = steps(shown.plane, shown.budget[i], fine)
        risk = tuned_risk(shown.plane, np.broadcast_to(K, fine.shape), fine)
        risk = np.where(K >= 1, risk, np.inf)
        smallest = fine[risk <= risk.min() / SHARE][0]
        if smallest > 1.2 * shown.b[-1]:
            assert np.isnan(shown.near_optimal[i])
        elif smallest < shown.b[-1] / 1.2:
            # The grids are off by up to 1e-3 of the risk, a tenth of the share.
            assert abs(np.log(shown.near_optimal[i] / smallest)) < step + 0.15


def test_near_optimal_batch_grows_as_the_root_of_the_budget_until_eta_is_limited():
    """Section D's trend, and its saturation in the left panel."""
    left, _, right = (landscape(p) for p in PLANES if p.figure == 10)
    growing = (right.budget > 1e6) & (right.budget < 1e17)
    slope = np.polyfit(np.log(right.budget[growing]), np.log(right.near_optimal[growing]), 1)[0]
    assert slope == pytest.approx(0.5, abs=0.005)
    late = left.near_optimal[left.budget > 1e18]
    assert late.max() / late.min() < 1.3


def test_near_optimal_batch_by_hand():
    risk = np.array([[2.0, 1.5, 1.0 / SHARE, 1.0], [3.0, 2.0, 1.5, 1.2], [1.0, 2.0, 3.0, np.nan]])
    found = near_optimal_batch(np.array([1.0, 2.0, 4.0, 8.0]), risk, np.ones(3))
    np.testing.assert_array_equal(found, [4.0, np.nan, 1.0])


# ---- the figures ----


@pytest.mark.parametrize("number", [4, 10, 11])
def test_figure_has_its_panels_and_nothing_overlaps(number):
    pytest.importorskip("matplotlib")
    from hplaws.contours import draw_panels

    planes = [plane for plane in PLANES if plane.figure == number]
    figure = draw_panels([landscape(plane) for plane in planes])
    figure.draw_without_rendering()
    *panels, bar = figure.axes
    assert len(panels) == len(planes)
    assert bar.get_ylabel() == "best risk"
    budget = "token budget $T$ (tokens)" if number == 10 else "steps $K$"
    assert {panel.get_xlabel() for panel in panels} == {budget}
    for panel, plane in zip(panels, planes, strict=True):
        title = panel.get_title(loc="left")
        assert (r"\alpha$ tuned" in title) == (plane.alpha is None)
        assert ("freely" in title) == (plane.eta[1] > 1)
        texts = [text.get_window_extent() for text in panel.texts]
        assert len(texts) >= 4
        for i, box in enumerate(texts):
            assert panel.bbox.x0 <= box.x0
            assert box.x1 <= panel.bbox.x1
            assert not any(box.overlaps(other) for other in texts[:i])
    (legend,) = figure.legends
    assert {t.get_text() for t in legend.get_texts()} >= {
        "contour of the grid",
        "exact curve of constant risk",
        "smallest batch with 99% of the best performance",
    }
    boxes = [axes.get_tightbbox() for axes in figure.axes] + [legend.get_window_extent()]
    for i, box in enumerate(boxes):
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0
        assert not any(box.overlaps(other) for other in boxes[:i])
