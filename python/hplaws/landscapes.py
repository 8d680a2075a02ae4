"""The best achievable risk over (K or T) x batch size: the paper's Figures 4, 10 and 11.

Each landscape is a grid reduction of the full proxy (eq. 4, C1 = C2 = C3 = 1) over eta, and
over alpha where it is tuned. Three things are laid over it:

* the exact curves of constant risk (App. D, `iso_risk`), which know nothing of the grid;
* the near-optimal batch: at each budget, the smallest b whose risk is at most 1/SHARE
  times the smallest risk of any b up to the 1e15 of footnote 3 (SHARE = 99 %; performance
  is 1/risk);
* where the best eta is the smallest of its range. Beyond, the range and not the bound
  shapes the landscape, and `iso_risk`, which tunes eta freely, is left out. The upper end
  never binds: with K >= 1 the best eta is below 1.

The paper gives the ranges of eta, but neither the other axes nor alpha: here alpha takes
the values of Figures 1, 5 and 6. For Figure 11 the caption has alpha fixed throughout, the
text has it tuned in the outer panels and eta free in the left one, which is what stands here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .grid import grid_argmin
from .iso import iso_risk
from .verification import BOUND, RANGES, Array

SHARE = 0.99  # of the best performance: near-optimal
POINTS = 200  # on each axis of the plane

# In the logs no second derivative of R exceeds R: half a step off the best along every axis
# costs less than 1e-3 of the risk, which is small beside 1 - SHARE.
_ETA_POINTS = 2000
_ALPHA_POINTS = 800
_BATCH_POINTS = 2000


@dataclass(frozen=True)
class Plane:
    """One panel: what is fixed, what is tuned, and the axes.

    Attributes
    ----------
    figure : the paper's number
    alpha : the momentum update, or None where it is tuned (over the range of footnote 3)
    eta : the range of the learning rate
    budget : "K" or "T"
    decades : of the budget and of b
    """

    figure: int
    alpha: float | None
    eta: tuple[float, float]
    budget: str
    decades: tuple[tuple[float, float], tuple[float, float]]


FREE = (10.0 ** RANGES["eta"][0], 10.0 ** RANGES["eta"][1])

PLANES = (
    Plane(4, 1e-3, FREE, "K", ((0, 12), (0, 8))),
    Plane(10, 1e-4, (1.7e-6, 1.0), "T", ((2, 22), (0, 10))),
    Plane(10, 1e-3, (1.7e-6, 1.0), "T", ((2, 22), (0, 10))),
    Plane(10, 0.066, (1.7e-6, 1.0), "T", ((2, 22), (0, 10))),
    Plane(11, None, FREE, "K", ((0, 14), (0, 10))),
    Plane(11, 1e-3, (1.07e-7, 1.0), "K", ((0, 14), (0, 10))),
    Plane(11, None, (1.07e-7, 1.0), "K", ((0, 14), (0, 10))),
)


@dataclass(frozen=True)
class IsoCurve:
    """A level and the points at which it is reached, in order along the curve.

    `K_min` and `b_min` are its asymptotes (App. D); no alpha on the axis goes beyond them.
    """

    level: float
    budget: Array
    b: Array
    K_min: float
    b_min: float


@dataclass(frozen=True)
class Landscape:
    """One panel, computed.

    Attributes
    ----------
    plane : Plane
    budget, b : the axes, shapes (n,) and (m,)
    risk : the best risk, shape (n, m); NaN where b > T
    eta_at_limit : where the best eta is the smallest of its range, shape (n, m)
    near_optimal : the near-optimal batch (see the module's docstring), shape (n,); NaN
        where it is beyond the axis
    curves : one for each power of ten that the risk passes through
    """

    plane: Plane
    budget: Array
    b: Array
    risk: Array
    eta_at_limit: NDArray[np.bool_]
    near_optimal: Array
    curves: tuple[IsoCurve, ...]


def landscape(plane: Plane, points: int = POINTS) -> Landscape:
    """Reduce the grid of one panel, `points` values on each of its two axes."""
    budget, b = (np.logspace(*decades, points) for decades in plane.decades)
    eta = np.geomspace(*plane.eta, _ETA_POINTS)
    alpha = (
        np.logspace(*RANGES["alpha"], _ALPHA_POINTS)
        if plane.alpha is None
        else np.array([plane.alpha])
    )
    axis: dict[str, Any] = {plane.budget: budget}
    tuned = grid_argmin(BOUND, eta, alpha, b, **axis, over=("alpha", "eta"))
    best = grid_argmin(BOUND, eta, alpha, np.logspace(*RANGES["b"], _BATCH_POINTS), **axis)
    risk = np.where(tuned.K >= 1, tuned.risk, np.nan)
    low, high = np.log10([np.nanmin(risk), np.nanmax(risk)])
    powers = range(math.ceil(low), math.floor(high) + 1)
    return Landscape(
        plane,
        budget,
        b,
        risk,
        (tuned.index["eta"] == 0) & (tuned.K >= 1),
        near_optimal_batch(b, risk, best.risk),
        tuple(_iso_curve(plane, 10.0**power, alpha, b) for power in powers),
    )


def near_optimal_batch(b: Array, risk: Array, best: Array) -> Array:
    """The smallest b with SHARE of the best performance, by budget; NaN where there is none.

    Parameters
    ----------
    b : ascending, shape (m,)
    risk : by budget and batch size, shape (n, m); NaN where there is none
    best : the risk to compare with, shape (n,)

    Examples
    --------
    >>> near_optimal_batch(np.array([1.0, 2.0, 4.0]), np.array([[2.0, 1.01, 1.0]]), np.ones(1))
    array([2.])
    """
    enough = risk <= best[:, None] / SHARE
    return np.where(enough.any(axis=1), b[np.argmax(enough, axis=1)], np.nan)


def _iso_curve(plane: Plane, level: float, alpha: Array, b: Array) -> IsoCurve:
    """The curve of one level with eta, and alpha on its axis, tuned.

    A level is reached with alpha tuned wherever it is with some alpha: the curve is the
    lower envelope of those at fixed alpha. It is flat at one end and steep at the other,
    so it is sampled along both variables.
    """
    K = np.logspace(0, plane.decades[0][1], 4 * b.size)
    b = np.logspace(*plane.decades[1], 4 * b.size)
    momenta = alpha[:, None]
    along_K = iso_risk(BOUND, level, alpha=momenta, K=K)
    along_b = iso_risk(BOUND, level, alpha=momenta, b=b)
    at_K, at_b = (np.where(np.isnan(x), np.inf, x) for x in (along_K.b, along_b.K))
    K = np.concatenate([K, at_b.min(axis=0)])
    b = np.concatenate([at_K.min(axis=0), b])
    momentum = alpha[np.concatenate([at_K.argmin(axis=0), at_b.argmin(axis=0)])]
    eta = np.sqrt(BOUND.descent / ((BOUND.drift + BOUND.lag / momentum) * K))
    kept = np.isfinite(K * b) & (K >= 1) & (eta >= plane.eta[0])
    order = np.argsort(K[kept])
    K, b = K[kept][order], b[kept][order]
    return IsoCurve(
        level,
        K if plane.budget == "K" else K * b,
        b,
        float(along_K.K_min.min()),
        float(along_K.b_min.min()),
    )
