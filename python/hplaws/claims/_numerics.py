"""What the checks share: a minimiser, fits, comparisons, and problems to try things on.

The minimiser sees nothing but values of `hplaws.risk`: none of the solvers under audit, and
no derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..bound import Bound, risk

Array = NDArray[np.float64]
Range = tuple[ArrayLike, ArrayLike]

# Each stage keeps the two neighbours of the best of _POINTS: a fifth of the range. After
# 13 stages 100 nats are down to 1e-7, about what values in double precision resolve.
_POINTS = 11
_STAGES = 13

# Wide enough for every budget tried.
RATES: Range = (1e-35, 1e10)
UPDATES: Range = (1e-25, 1.0)
BATCHES: Range = (1e-10, 1e30)


def minimise(
    f: Callable[..., Array], *ranges: Range, shape: tuple[int, ...] = ()
) -> tuple[Array, ...]:
    """Minimises f over positive variables in whose logarithms it is convex.

    One variable after another: at each point tried for the first, the others are minimised.

    Parameters
    ----------
    f : of as many arrays as there are ranges; it is called with arrays (..., *shape)
    ranges : (low, high) for each variable, of a shape that broadcasts to `shape`
    shape : how many problems are solved at once

    Returns
    -------
    The variables' values at the minimum, and then the minimum; each of shape `shape`
    """
    first, *others = ranges
    low, high = (np.broadcast_to(np.log(end), shape) for end in first)
    steps = np.linspace(0.0, 1.0, _POINTS).reshape(-1, *(1 for _ in shape))
    for _ in range(_STAGES):
        x = low + (high - low) * steps
        tried = np.exp(x)
        found: tuple[Array, ...]
        if others:
            found = minimise(lambda *rest: f(tried, *rest), *others, shape=x.shape)  # noqa: B023
        else:
            found = (np.broadcast_to(f(tried), x.shape),)
        best = found[-1].argmin(axis=0)[None]
        low, high = (
            np.take_along_axis(x, np.clip(best + side, 0, _POINTS - 1), 0)[0] for side in (-1, 1)
        )
    return tuple(np.take_along_axis(values, best, 0)[0] for values in (tried, *found))


class Tuned(NamedTuple):
    """A minimiser of a bound over the variables that were free."""

    eta: Array
    alpha: Array
    b: Array
    risk: Array


def tuned(
    bound: Bound,
    *,
    eta: Any = RATES,
    alpha: Any = UPDATES,
    b: Any = BATCHES,
    T: ArrayLike | None = None,
    K: ArrayLike | None = None,
) -> Tuned:
    """The bound's minimum over those of eta, alpha and b that are given as a range (a tuple)."""
    given = {"b": b, "alpha": alpha, "eta": eta}
    ranges = {name: value for name, value in given.items() if isinstance(value, tuple)}
    fixed: dict[str, Any] = {
        name: np.asarray(value) for name, value in given.items() if name not in ranges
    }
    ends = [np.shape(end) for limits in ranges.values() for end in limits]
    budget = np.asarray(T if K is None else K).shape
    shape = np.broadcast_shapes(
        bound.shape, budget, *ends, *(value.shape for value in fixed.values())
    )

    def value(*variables: Array) -> Array:
        free: dict[str, Any] = dict(zip(ranges, variables, strict=True))
        result: Array = risk(bound, T=T, K=K, **fixed, **free)
        return result

    *point, best = minimise(value, *ranges.values(), shape=shape)
    found = {name: np.broadcast_to(x, shape) for name, x in fixed.items()}
    return Tuned(**found, **dict(zip(ranges, point, strict=True)), risk=best)


def power_law(y: ArrayLike, *x: ArrayLike) -> Array:
    """The exponents of the x in y ~ x1**p1 * x2**p2 * ..., by least squares in the logs."""
    columns = np.broadcast_arrays(y, *x)
    logs = np.log(np.stack([column.ravel() for column in columns], axis=-1))
    logs -= logs.mean(axis=0)
    exponents: Array = np.linalg.lstsq(logs[:, 1:], logs[:, 0], rcond=None)[0]
    return exponents


def gap(measured: ArrayLike, stated: ArrayLike) -> float:
    """The largest relative deviation from what is stated."""
    return float(np.max(np.abs(np.asarray(measured) / np.asarray(stated) - 1)))


def spread(values: ArrayLike) -> float:
    """How far from constant: largest over smallest, less 1."""
    values = np.asarray(values)
    return float(values.max() / values.min() - 1)


def show(numbers: ArrayLike) -> str:
    """Numbers for people: four digits, comma-separated."""
    return ", ".join(f"{x:.4g}" for x in np.ravel(numbers))


class Problems(NamedTuple):
    """Random constants and settings, arrays of one shape."""

    C1: Array
    C2: Array
    C3: Array
    alpha: Array
    b: Array
    K: Array

    @property
    def T(self) -> Array:
        """The token budgets, b*K."""
        return self.b * self.K

    @property
    def bound(self) -> Bound:
        """The proxies of eq. 4."""
        return Bound.proxy(self.C1, self.C2, self.C3)


def problems(count: int = 8) -> Problems:
    """The same ones at every call."""
    decades = [(-2, 2), (-2, 2), (-2, 2), (-3, 0), (0, 4), (3, 7)]
    rng = np.random.default_rng(20260316)
    return Problems(*(10.0 ** rng.uniform(*ends, size=count) for ends in decades))


def nonconvex_problems(count: int = 8) -> tuple[Array, Array, Array, Array]:
    """delta0, L, rho >= 1 and sigma, the same ones at every call."""
    rng = np.random.default_rng(20260317)
    decades = [(-2, 2), (-2, 2), (0, 1), (-1, 1)]
    delta0, L, rho, sigma = (10.0 ** rng.uniform(*ends, size=count) for ends in decades)
    return delta0, L, rho, sigma


def sgd_risk(delta0: Any, L: Any, sigma: Any, eta: Any, b: Any, K: Any) -> Array:
    """The bound on SGD's squared gradient norm (eq. 42)."""
    return np.asarray(delta0 / (eta * K) + L * eta * sigma**2 / b)
