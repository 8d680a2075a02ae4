"""The paper's numerical verification (section 3.2, Figures 1, 2, 5 to 9), with error bounds.

The full proxy (eq. 4, C1 = C2 = C3 = 1) is minimised at every token budget by brute
force over the grid of the paper's footnote 3, and again in the continuum. Power laws of
T are fitted to both optima and compared with the theorems' exponents.

Window. The theorems hold where r = 1/(alpha**1.5 * K) << 1 (large horizon) and, if alpha
is tuned, alpha << 1. A budget T counts if, at the continuous optimum of the full proxy,

* r <= SMALL, and alpha <= SMALL where alpha is tuned;
* every tuned variable is at least a decade inside its axis; for b that means past the
  critical token budget, where the best b leaves 1.

No exponent enters this rule.

Tolerance. If log x is displaced from a straight line in log T by at most d(T), then the
least-squares slope is wrong by at most sum(|u| d)/sum(u**2), u = log T - mean(log T).

* Continuum: the terms that the theorems drop displace log x, to first order, by at most
  2 (r + alpha), alpha only where tuned. The largest coefficients are 1 of r for b in
  Theorem 1; 2 of r and 3/4 of alpha in Theorem 2; in Theorem 3, where r = alpha to
  leading order, 7/6 of alpha for b.
* Grid: besides, some configuration lies within half a step of the continuous optimum
  along every axis, so the winner's risk exceeds the optimum's by a factor of at most
  1 + rise. To second order the winner then lies in an ellipsoid given by the Hessian H
  of R/R* in the logs, and log x is displaced by at most sqrt(2 rise c.H**-1.c), with c
  the direction of x.

Both depend on the bound and the grid's spacing, not on what the search finds.

Along (alpha, b, eta) -> (t*alpha, t*b, t*eta) the leading terms do not change. When all
three are tuned, H is nearly singular there, the ellipsoid is decades long, and a grid
cannot resolve the three exponents: this is the oscillation of Figure 9. It does resolve
the ratios alpha/b and eta/b, which Theorem 3 predicts as well (eq. 8 with b = b_T).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._validate import count
from ._version import __version__
from .bound import Bound
from .grid import GridArgmin, grid_argmin
from .theorems import theorem3

Array = NDArray[np.float64]
Laws = Mapping[int, Mapping[str, Fraction]]

BOUND = Bound.proxy()
RANGES = {"eta": (-15, 4), "alpha": (-10, 0), "b": (0, 15), "T": (2, 22)}  # decades, footnote 3
SMALL = 0.01  # what << 1 means
FEWEST = 5  # budgets in a window worth fitting a line to

# Exponents of T by theorem (eq. 7, 8, 9).
LAWS: Laws = {
    1: {"b": Fraction(1, 2), "eta": Fraction(-1, 4), "risk": Fraction(-1, 4)},
    2: {"alpha": Fraction(-1, 2), "eta": Fraction(-3, 4), "risk": Fraction(-1, 4)},
    3: {
        "b": Fraction(1, 6),
        "eta": Fraction(-7, 12),
        "alpha": Fraction(-1, 3),
        "alpha/b": Fraction(-1, 2),
        "eta/b": Fraction(-3, 4),
        "risk": Fraction(-1, 4),
    },
}

# The five terms of eq. 4 are products of powers of (alpha, b, eta).
_VARIABLES = ("alpha", "b", "eta")
_POWERS = np.array([[0, 1, -1], [-1, 0.5, 0], [0.5, -0.5, 0], [0, 0, 1], [-1, 0, 1]])


@dataclass(frozen=True)
class Setting:
    """One of the paper's figures: which theorem, and the value of the variable it fixes."""

    theorem: int
    figure: int
    fixed: Mapping[str, float]

    @property
    def tuned(self) -> tuple[str, ...]:
        """The variables minimised over, in the order (alpha, b, eta)."""
        return tuple(name for name in _VARIABLES if name not in self.fixed)

    @property
    def label(self) -> str:
        """For example "alpha=0.001", or "all tuned"."""
        return ", ".join(f"{k}={v:g}" for k, v in self.fixed.items()) or "all tuned"


SETTINGS = (
    Setting(1, 1, {"alpha": 1e-3}),
    Setting(1, 5, {"alpha": 0.066}),
    Setting(1, 6, {"alpha": 1e-4}),
    Setting(2, 2, {"b": 1072.0}),
    Setting(2, 7, {"b": 32.0}),
    Setting(2, 8, {"b": 35111.0}),
    Setting(3, 9, {}),
)


@dataclass(frozen=True)
class Sweep:
    """The optima of one setting at every token budget.

    Attributes
    ----------
    setting : Setting
    axes : "eta", "alpha", "b" (length 1 where fixed) and "T", shape (n,) each
    grid : the winners of method="dense", shape (T,)
    identical : whether method="pruned" gave the same bits and the same indices
    continuous : "alpha", "b", "eta", "risk" of the full proxy's minimiser over the tuned
        variables > 0, shape (T,)
    window : bool, shape (T,): the budgets fitted
    """

    setting: Setting
    axes: Mapping[str, Array]
    grid: GridArgmin
    identical: bool
    continuous: Mapping[str, Array]
    window: NDArray[np.bool_]


@dataclass(frozen=True)
class Fit:
    """A least-squares line through (log10 T, log10 x): its slope and standard error."""

    slope: float
    stderr: float


@dataclass(frozen=True)
class Comparison:
    """One exponent of one setting: theory, grid, continuum.

    Fits and tolerances are None where the window holds fewer than FEWEST budgets.
    """

    setting: Setting
    quantity: str
    exponent: Fraction
    grid: Fit | None = None
    grid_tolerance: float | None = None
    continuous: Fit | None = None
    continuous_tolerance: float | None = None

    @property
    def verdict(self) -> str:
        """One of "agrees", "disagrees", "too short" (the window)."""
        if self.grid is None or self.continuous is None:
            return "too short"
        agrees = _within(self.grid, self.exponent, self.grid_tolerance) and _within(
            self.continuous, self.exponent, self.continuous_tolerance
        )
        return "agrees" if agrees else "disagrees"

    @property
    def grid_resolves(self) -> bool:
        """Whether the grid can tell the exponent from zero."""
        return self.grid_tolerance is not None and self.grid_tolerance < abs(self.exponent)


@dataclass(frozen=True)
class Verification:
    """What `verify` found."""

    points: int
    sweeps: tuple[Sweep, ...]
    comparisons: tuple[Comparison, ...]
    seconds: float

    @property
    def configs(self) -> int:
        """Configurations covered by each of the two methods."""
        return sum(sweep.grid.configs for sweep in self.sweeps)

    @property
    def identical(self) -> bool:
        """Whether dense and pruned agree bit for bit in every sweep."""
        return all(sweep.identical for sweep in self.sweeps)

    @property
    def passed(self) -> bool:
        """Whether every comparison agrees, and dense with pruned."""
        return self.identical and all(c.verdict == "agrees" for c in self.comparisons)

    def to_dict(self) -> dict[str, Any]:
        """Everything, as plain numbers, strings, lists and dicts for strict JSON."""
        return {
            "version": __version__,
            "passed": self.passed,
            "points": self.points,
            "configurations_per_method": self.configs,
            "dense_equals_pruned": self.identical,
            "seconds": self.seconds,
            "backend": self.sweeps[0].grid.backend,
            "small": SMALL,
            "settings": [self._setting_dict(sweep) for sweep in self.sweeps],
        }

    def _setting_dict(self, sweep: Sweep) -> dict[str, Any]:
        winners = {name: getattr(sweep.grid, name).tolist() for name in (*_VARIABLES, "risk")}
        return {
            "theorem": sweep.setting.theorem,
            "figure": sweep.setting.figure,
            "fixed": dict(sweep.setting.fixed),
            "configurations_per_method": sweep.grid.configs,
            "dense_equals_pruned": sweep.identical,
            "comparisons": [
                {
                    "quantity": c.quantity,
                    "exponent": str(c.exponent),
                    "exponent_value": float(c.exponent),
                    "grid": c.grid and vars(c.grid),
                    "grid_tolerance": c.grid_tolerance,
                    "grid_resolves": c.grid_resolves,
                    "continuous": c.continuous and vars(c.continuous),
                    "continuous_tolerance": c.continuous_tolerance,
                    "verdict": c.verdict,
                }
                for c in self.comparisons
                if c.setting == sweep.setting
            ],
            "T": sweep.axes["T"].tolist(),
            "window": sweep.window.tolist(),
            "grid": {**winners, "at_edge": sweep.grid.at_edge.tolist()},
            "continuous": {name: x.tolist() for name, x in sweep.continuous.items()},
        }


def verify(points: int = 100, laws: Laws = LAWS) -> Verification:
    """The paper's numerical verification.

    Parameters
    ----------
    points : values on each axis of the grid, at least 2 (the paper: 100, which makes 1e8
        configurations where all variables are tuned)
    laws : the exponents to test, by theorem and quantity

    Returns
    -------
    Verification

    Raises
    ------
    TypeError, ValueError : `points` is not a whole number >= 2

    Examples
    --------
    >>> result = verify(points=40)
    >>> result.passed, result.identical
    (True, True)
    >>> first = result.comparisons[0]
    >>> first.setting.label, first.quantity, first.exponent, round(first.continuous.slope, 3)
    ('alpha=0.001', 'b', Fraction(1, 2), 0.5)
    """
    if count("points", points) < 2:
        raise ValueError(f"points must be at least 2, got {points!r}")
    start = time.perf_counter()
    sweeps = tuple(_sweep(setting, points) for setting in SETTINGS)
    comparisons = tuple(
        _compare(sweep, quantity, exponent)
        for sweep in sweeps
        for quantity, exponent in laws[sweep.setting.theorem].items()
    )
    return Verification(points, sweeps, comparisons, time.perf_counter() - start)


def fit_power_law(T: ArrayLike, x: ArrayLike) -> Fit:
    """The exponent of x ~ T**slope by least squares in the logs, n >= 3 points of T, x > 0.

    The standard error is that of independent residuals of one size.

    >>> fit_power_law([1e2, 1e4, 1e6], [3e1, 3e2, 3e3]).slope
    0.5
    """
    u, v = np.log10(T), np.log10(x)
    u, v = u - u.mean(), v - v.mean()
    slope = (u @ v) / (u @ u)
    residual = v - slope * u
    return Fit(float(slope), float(np.sqrt((residual @ residual) / (u.size - 2) / (u @ u))))


def _sweep(setting: Setting, points: int) -> Sweep:
    axes = {name: np.logspace(*decades, points) for name, decades in RANGES.items()}
    axes |= {name: np.array([value]) for name, value in setting.fixed.items()}
    dense, pruned = (
        grid_argmin(BOUND, axes["eta"], axes["alpha"], axes["b"], axes["T"], method=method)
        for method in ("dense", "pruned")
    )
    continuous = _continuous_optimum(setting, axes["T"])
    return Sweep(
        setting,
        axes,
        dense,
        _identical(dense, pruned),
        continuous,
        _window(setting, axes, continuous),
    )


def _identical(one: GridArgmin, other: GridArgmin) -> bool:
    return one.risk.tobytes() == other.risk.tobytes() and all(
        np.array_equal(one.index[name], other.index[name]) for name in one.index
    )


def _continuous_optimum(setting: Setting, T: Array) -> dict[str, Array]:
    """The full proxy's minimiser over the tuned variables > 0, unconstrained otherwise.

    Worked out here from eq. 12, 13 and 16, apart from the solvers, so that a fault of
    theirs and of the search cannot hide each other.
    """
    if setting.theorem == 1:
        alpha = np.full_like(T, setting.fixed["alpha"])
        slope = 2 * np.sqrt(BOUND.descent * _smoothness(alpha) / T) + BOUND.noise / (alpha * T)
        b = BOUND.noise * np.sqrt(alpha) / slope  # eq. 16
    elif setting.theorem == 2:
        b = np.full_like(T, setting.fixed["b"])
        alpha = _best_momentum(b, T)
    else:
        best = theorem3(BOUND, T=T)
        alpha, b = best.alpha, best.b
    eta = np.sqrt(BOUND.descent * b / (T * _smoothness(alpha)))  # eq. 12
    return {"alpha": alpha, "b": b, "eta": eta, "risk": _terms(alpha, b, eta, T).sum(axis=-1)}


def _smoothness(alpha: Array) -> Any:
    return BOUND.drift + BOUND.lag / alpha


def _best_momentum(b: Array, T: Array) -> Array:
    """argmin over alpha > 0 of eq. 13 at fixed b, by bisection of its slope in log alpha."""
    low, high = np.full_like(T, -100.0), np.full_like(T, 100.0)
    for _ in range(64):  # 200 * 2**-64 is below the spacing of doubles
        middle = 0.5 * (low + high)
        alpha = np.exp(middle)
        rate = np.sqrt(BOUND.descent * b / (T * _smoothness(alpha))) * BOUND.lag / alpha
        burn_in = BOUND.noise * np.sqrt(b) / (alpha * T)
        rising = 0.5 * BOUND.noise * np.sqrt(alpha / b) > rate + burn_in
        low, high = np.where(rising, low, middle), np.where(rising, middle, high)
    return np.exp(0.5 * (low + high))


def _terms(alpha: Array, b: Array, eta: Array, T: Array) -> Array:
    """The five terms of eq. 4 in the order of _POWERS, shape (T, 5)."""
    size = BOUND.noise / np.sqrt(b)
    descent, burn_in = BOUND.descent * b / (eta * T), size * b / (alpha * T)
    floor, drift, lag = size * np.sqrt(alpha), BOUND.drift * eta, BOUND.lag * eta / alpha
    return np.stack([descent, burn_in, floor, drift, lag], axis=-1)


def _window(
    setting: Setting, axes: Mapping[str, Array], at: Mapping[str, Array]
) -> NDArray[np.bool_]:
    """The budgets where the theorem's assumptions hold (see the module's docstring)."""
    window: NDArray[np.bool_] = at["alpha"] ** 1.5 * (axes["T"] / at["b"]) >= 1 / SMALL
    if "alpha" in setting.tuned:
        window &= at["alpha"] <= SMALL
    for name in setting.tuned:
        window &= (at[name] >= 10 * axes[name][0]) & (at[name] <= axes[name][-1] / 10)
    return window


def _compare(sweep: Sweep, quantity: str, exponent: Fraction) -> Comparison:
    window = sweep.window
    if np.count_nonzero(window) < FEWEST:
        return Comparison(sweep.setting, quantity, exponent)
    T = sweep.axes["T"][window]
    u = np.log10(T) - np.log10(T).mean()
    drift = float(np.abs(u) @ _drift(sweep)[window] / (u @ u))
    quantisation = float(np.abs(u) @ _quantisation(sweep, quantity)[window] / (u @ u))
    return Comparison(
        sweep.setting,
        quantity,
        exponent,
        fit_power_law(T, values_of(vars(sweep.grid), quantity)[window]),
        drift + quantisation,
        fit_power_law(T, values_of(sweep.continuous, quantity)[window]),
        drift,
    )


def _within(fit: Fit, exponent: Fraction, tolerance: float | None) -> bool:
    return tolerance is not None and abs(fit.slope - exponent) <= tolerance


def values_of(values: Mapping[str, Any], quantity: str) -> Array:
    """A variable, or a ratio of two such as "alpha/b"."""
    numerator, _, denominator = quantity.partition("/")
    result: Array = values[numerator]
    return result / values[denominator] if denominator else result


def _drift(sweep: Sweep) -> Array:
    """Decades by which the continuous optimum can be off a power law, shape (T,)."""
    alpha, b = sweep.continuous["alpha"], sweep.continuous["b"]
    small = b / (alpha**1.5 * sweep.axes["T"])
    if "alpha" in sweep.setting.tuned:
        small = small + alpha
    return np.asarray(2 * small / np.log(10))


def _quantisation(sweep: Sweep, quantity: str) -> Array:
    """Decades by which the grid's winner can be off the continuous optimum, shape (T,)."""
    names, at = sweep.setting.tuned, sweep.continuous
    powers = _POWERS[:, [_VARIABLES.index(name) for name in names]]
    shares = _terms(at["alpha"], at["b"], at["eta"], sweep.axes["T"]) / at["risk"][:, None]
    hessian = np.einsum("tk,ki,kj->tij", shares, powers, powers)
    axes = [np.log(sweep.axes[name]) for name in names]
    half_step = np.array([0.5 * (axis[1] - axis[0]) for axis in axes])
    rise = 0.5 * np.einsum("i,tij,j->t", half_step, np.abs(hessian), half_step)
    if quantity == "risk":
        return np.asarray(np.log10(1 + rise))
    numerator, _, denominator = quantity.partition("/")
    c = np.array([float(name == numerator) - float(name == denominator) for name in names])
    return np.asarray(np.sqrt(2 * rise * (np.linalg.inv(hessian) @ c @ c)) / np.log(10))
