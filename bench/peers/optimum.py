"""Peers of `optimum`: (eta, alpha, b) for each T, in a box."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from peers.common import Contender

try:
    import cvxpy
except ImportError:
    cvxpy = None
try:
    from scipy.optimize import minimize
except ImportError:
    minimize = None


def posynomial(c: Any) -> tuple[Any, Any]:
    """The sizes of R's terms, and their powers of (eta, alpha, b, T)."""
    descent, noise, drift, lag, burn_in, init_error, q = c
    terms = (
        (descent, (-1.0, 0.0, 1.0, -1.0)),
        (noise * burn_in, (0.0, -1.0, 1.0 - q, -1.0)),
        (noise, (0.0, 0.5, -q, 0.0)),
        (init_error, (0.0, -1.0, 1.0, -1.0)),
        (drift, (1.0, 0.0, 0.0, 0.0)),
        (lag, (1.0, -1.0, 0.0, 0.0)),
    )
    sizes, powers = zip(*(term for term in terms if term[0] > 0.0), strict=True)
    return np.array(sizes), np.array(powers)


def limits(box: Any, T: Any) -> dict[str, tuple[Any, Any]]:
    """The pairs that `hplaws.optimum` fills in for those that `box` leaves out."""
    return {"eta": (0.0, math.inf), "alpha": (0.0, 1.0), "b": (1.0, T), **box}


def _log_risk(x: Any, log_sizes: Any, powers: Any) -> tuple[float, Any]:
    """log R and its gradient at x = log(eta, alpha, b)."""
    exponents = log_sizes + powers @ x
    largest = exponents.max()
    terms = np.exp(exponents - largest)
    total = terms.sum()
    return largest + math.log(total), terms @ powers / total


def _slsqp(start: Any, arguments: Any, ends: Any) -> Any:
    options = {"ftol": 1e-10}
    return minimize(_log_risk, start, arguments, "SLSQP", jac=True, bounds=ends, options=options).x


def _lbfgsb(start: Any, arguments: Any, ends: Any) -> Any:
    """Again from where it stopped until that gains nothing: one call may report success
    far from the optimum, with a gradient of 0.3."""
    options = {"ftol": 1e-12, "gtol": 1e-8}
    x, least = start, math.inf
    while True:
        found = minimize(
            _log_risk, x, arguments, "L-BFGS-B", jac=True, bounds=ends, options=options
        )
        if not found.fun < least - 1e-9:
            return found.x
        x, least = found.x, found.fun


def _scipy(minimiser: Callable[..., Any]) -> Callable[..., Any]:
    def optimum(c: Any, T: Any, box: Any) -> Any:
        """log R: convex in the logs, and of one scale whatever T is."""
        sizes, powers = posynomial(c)
        start = np.log([1e-3, 0.1, 100.0])
        found = np.empty((T.size, 3))
        for k, budget in enumerate(T):
            log_sizes = np.log(sizes) + powers[:, 3] * math.log(budget)
            with np.errstate(divide="ignore"):
                ends = np.log([*limits(box, budget).values()])
            found[k] = np.exp(minimiser(start, (log_sizes, powers[:, :3]), ends))
        return found.T

    return optimum


def optimum_cvxpy(c: Any, T: Any, box: Any) -> Any:
    """A geometric programme, compiled once for all T, which is its parameter."""
    budget = cvxpy.Parameter(pos=True)
    variables = [cvxpy.Variable(pos=True) for _ in range(3)]
    risk = sum(
        size * cvxpy.prod([v**p for v, p in zip((*variables, budget), power, strict=True) if p])
        for size, power in zip(*posynomial(c), strict=True)
    )
    inside = []
    for variable, (low, high) in zip(variables, limits(box, budget).values(), strict=True):
        inside += [variable >= low] if low > 0.0 else []
        inside += [variable <= high] if high is not math.inf else []
    problem = cvxpy.Problem(cvxpy.Minimize(risk), inside)
    found = np.empty((T.size, 3))
    for k, budget.value in enumerate(T):
        problem.solve(gp=True)
        found[k] = [variable.value for variable in variables]
    return found.T


OPTIMUM_PEERS = (
    Contender("SciPy, L-BFGS-B", "scipy", _scipy(_lbfgsb), limit=20),
    Contender("SciPy, SLSQP", "scipy", _scipy(_slsqp), limit=20),
    Contender("cvxpy, geometric programme", "cvxpy", optimum_cvxpy, limit=20),
)
