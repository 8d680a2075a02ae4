"""The same answers by other means: what a reader would otherwise have written.

`c` is (descent, noise, drift, lag, burn_in, init_error, q). Each peer is written the way
its users write it, with the obvious care (no mesh larger than it must be, no work inside
a loop that belongs outside), and none of our structure. Where a package is missing,
conftest.py skips its peers and says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

try:
    import cvxpy
except ImportError:
    cvxpy = None
try:
    import numba
except ImportError:
    numba = None
try:
    import numexpr
except ImportError:
    numexpr = None
try:
    from scipy.optimize import minimize
except ImportError:
    minimize = None

prange = numba.prange if numba else range


def jit(**options: Any) -> Callable[[Any], Any]:
    return numba.njit(**options) if numba else lambda function: function


@dataclass(frozen=True)
class Contender:
    """One contender, ours or theirs.

    `call` does the work and needs `package`; `limit` is the most units of work that one
    call is given; `threads`, where set, is what HPLAWS_NUM_THREADS is set to.
    """

    name: str
    package: str
    call: Callable[..., Any]
    limit: float = math.inf
    threads: int | None = None

    def __str__(self) -> str:
        return self.name


def ours(function: Callable[..., Any]) -> tuple[Contender, ...]:
    """A function of ours on every thread, on one, and on the Numba backend."""
    return (
        Contender("hplaws", "hplaws", function),
        Contender("hplaws, 1 thread", "hplaws", function, threads=1),
        Contender("hplaws, Numba backend", "numba", lambda *xs: function(*xs, backend="numba")),
    )


# ---- risk ----------------------------------------------------------------------

RISK = (
    "descent*b/(eta*T) + noise*b**-q*(burn_in*b/(alpha*T) + sqrt(alpha))"
    " + init_error*b/(alpha*T) + eta*(drift + lag/alpha)"
)


def risk_numpy(c: Any, eta: Any, alpha: Any, b: Any, T: Any, out: Any) -> Any:
    descent, noise, drift, lag, burn_in, init_error, q = c
    out[...] = (
        descent * b / (eta * T)
        + noise * b**-q * (burn_in * b / (alpha * T) + np.sqrt(alpha))
        + init_error * b / (alpha * T)
        + eta * (drift + lag / alpha)
    )


def risk_numexpr(c: Any, eta: Any, alpha: Any, b: Any, T: Any, out: Any) -> Any:
    names = ("descent", "noise", "drift", "lag", "burn_in", "init_error", "q")
    values = dict(zip(names, c, strict=True), eta=eta, alpha=alpha, b=b, T=T)
    numexpr.evaluate(RISK, local_dict=values, global_dict={}, out=out)


@jit()
def _risk_loop(c: Any, eta: Any, alpha: Any, b: Any, T: Any, out: Any) -> None:
    descent, noise, drift, lag, burn_in, init_error, q = c
    for k in range(out.size):
        out[k] = (
            descent * b[k] / (eta[k] * T[k])
            + noise * b[k] ** -q * (burn_in * b[k] / (alpha[k] * T[k]) + math.sqrt(alpha[k]))
            + init_error * b[k] / (alpha[k] * T[k])
            + eta[k] * (drift + lag / alpha[k])
        )


@jit(parallel=True, fastmath=True)
def _risk_hoisted(c: Any, eta: Any, alpha: Any, b: Any, T: Any, out: Any) -> None:
    descent, noise, drift, lag, burn_in, init_error, _ = c  # q = 1/2, by hand
    for k in prange(out.size):
        inverse, ratio, decay = 1.0 / alpha[k], b[k] / T[k], noise / math.sqrt(b[k])
        out[k] = (
            descent * ratio / eta[k]
            + decay * math.sqrt(alpha[k])
            + (burn_in * decay + init_error) * ratio * inverse
            + eta[k] * (drift + lag * inverse)
        )


RISK_PEERS = (
    Contender("NumPy", "numpy", risk_numpy),
    Contender("numexpr", "numexpr", risk_numexpr),
    Contender("Numba, loop", "numba", _risk_loop),
    Contender("Numba, by hand", "numba", _risk_hoisted),
)

RISK_MESH_PEERS = RISK_PEERS[:2]


# ---- argmin over a grid: (risk, flat index over alpha, b, eta) for each T --------


def argmin_numpy(c: Any, eta: Any, alpha: Any, b: Any, T: Any) -> tuple[Any, Any]:
    descent, noise, drift, lag, burn_in, init_error, q = c
    a, b = alpha[:, None, None], b[:, None]
    risk, flat = np.empty(T.size), np.empty(T.size, np.int64)
    for t, budget in enumerate(T):
        # Broadcasting keeps all but the last two sums off the full mesh.
        floor = noise * b**-q * (burn_in * b / (a * budget) + np.sqrt(a))
        mesh = (floor + init_error * b / (a * budget)) + (
            descent * b / (eta * budget) + eta * (drift + lag / a)
        )
        flat[t] = mesh.argmin()
        risk[t] = mesh.ravel()[flat[t]]
    return risk, flat


def argmin_numexpr(c: Any, eta: Any, alpha: Any, b: Any, T: Any) -> tuple[Any, Any]:
    mesh = np.empty((alpha.size, b.size, eta.size))
    risk, flat = np.empty(T.size), np.empty(T.size, np.int64)
    for t, budget in enumerate(T):
        risk_numexpr(c, eta, alpha[:, None, None], b[:, None], budget, mesh)
        flat[t] = mesh.argmin()
        risk[t] = mesh.ravel()[flat[t]]
    return risk, flat


@jit()
def _argmin_loops(c: Any, eta: Any, alpha: Any, b: Any, T: Any) -> tuple[Any, Any]:
    descent, noise, drift, lag, burn_in, init_error, q = c
    risk, flat = np.full(T.size, np.inf), np.zeros(T.size, np.int64)
    for t in range(T.size):
        for i in range(alpha.size):
            for j in range(b.size):
                for k in range(eta.size):
                    value = (
                        descent * b[j] / (eta[k] * T[t])
                        + noise
                        * b[j] ** -q
                        * (burn_in * b[j] / (alpha[i] * T[t]) + math.sqrt(alpha[i]))
                        + init_error * b[j] / (alpha[i] * T[t])
                        + eta[k] * (drift + lag / alpha[i])
                    )
                    if value < risk[t]:
                        risk[t] = value
                        flat[t] = (i * b.size + j) * eta.size + k
    return risk, flat


@jit(parallel=True, fastmath=True)
def _argmin_hoisted(c: Any, eta: Any, alpha: Any, b: Any, T: Any) -> tuple[Any, Any]:
    descent, noise, drift, lag, burn_in, init_error, q = c
    inverse_eta, decay = 1.0 / eta, noise * b**-q
    least, where = np.empty((T.size, alpha.size)), np.empty((T.size, alpha.size), np.int64)
    for row in prange(T.size * alpha.size):
        t, i = row // alpha.size, row % alpha.size
        smooth_eta = (drift + lag / alpha[i]) * eta
        root, best, best_j = math.sqrt(alpha[i]), np.inf, 0
        for j in range(b.size):
            ratio = b[j] / T[t]
            D = descent * ratio
            # The value alone: a loop that also kept the index would not vectorise.
            low = np.inf
            for k in range(eta.size):
                low = min(low, D * inverse_eta[k] + smooth_eta[k])
            value = low + decay[j] * root + (burn_in * decay[j] + init_error) * ratio / alpha[i]
            if value < best:
                best, best_j = value, j
        D = descent * b[best_j] / T[t]
        low, best_k = np.inf, 0
        for k in range(eta.size):
            value = D * inverse_eta[k] + smooth_eta[k]
            if value < low:
                low, best_k = value, k
        least[t, i] = best
        where[t, i] = (i * b.size + best_j) * eta.size + best_k
    risk, flat = np.empty(T.size), np.empty(T.size, np.int64)
    for t in range(T.size):
        i = np.argmin(least[t])
        risk[t], flat[t] = least[t, i], where[t, i]
    return risk, flat


@jit(parallel=True, fastmath=True)
def _argmin_closed_eta(c: Any, eta: Any, alpha: Any, b: Any, T: Any) -> tuple[Any, Any]:
    """For each (T, alpha, b) the two neighbours of the best eta, on a sorted axis."""
    descent, noise, drift, lag, burn_in, init_error, q = c
    decay = noise * b**-q
    least, where = np.empty((T.size, alpha.size)), np.empty((T.size, alpha.size), np.int64)
    for row in prange(T.size * alpha.size):
        t, i = row // alpha.size, row % alpha.size
        smooth, root, best, at = drift + lag / alpha[i], math.sqrt(alpha[i]), np.inf, 0
        k = eta.size - 1
        # The best eta grows with b: walking b downwards, k only moves down.
        for j in range(b.size - 1, -1, -1):
            ratio = b[j] / T[t]
            D = descent * ratio
            while k > 0 and smooth * eta[k] * eta[k] > D:
                k -= 1
            floor = decay[j] * root + (burn_in * decay[j] + init_error) * ratio / alpha[i]
            for near in range(k, min(k + 2, eta.size)):
                value = D / eta[near] + smooth * eta[near] + floor
                if value < best:
                    best, at = value, (i * b.size + j) * eta.size + near
        least[t, i], where[t, i] = best, at
    risk, flat = np.empty(T.size), np.empty(T.size, np.int64)
    for t in range(T.size):
        i = np.argmin(least[t])
        risk[t], flat[t] = least[t, i], where[t, i]
    return risk, flat


# Limits: about a second a call.
ARGMIN_PEERS = (
    Contender("NumPy", "numpy", argmin_numpy, limit=1e8),
    Contender("numexpr", "numexpr", argmin_numexpr, limit=1e8),
    Contender("Numba, loop nest", "numba", _argmin_loops, limit=1e8),
    Contender("Numba, by hand", "numba", _argmin_hoisted, limit=2e9),
)

ARGMIN_PRUNED_PEERS = (
    Contender("Numba, eta in closed form", "numba", _argmin_closed_eta, limit=2e10),
)


# ---- a x^3 - b x - c = 0, its positive root --------------------------------------


def positive_root_numpy_roots(a: Any, b: Any, c: Any) -> Any:
    return np.array(
        [np.roots((p, 0.0, -q, -r)).real.max() for p, q, r in zip(a, b, c, strict=True)]
    )


def companion(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Eigenvalues of the companion matrices of a x^3 + b x^2 + c x + d, all in one call."""
    matrix = np.zeros((*np.shape(a), 3, 3))
    matrix[..., 0, :] = -np.stack([b, c, d], axis=-1) / a[..., None]
    matrix[..., 1, 0] = matrix[..., 2, 1] = 1.0
    return np.linalg.eigvals(matrix)


def positive_root_companion(a: Any, b: Any, c: Any) -> Any:
    return companion(a, np.zeros_like(a), -b, -c).real.max(axis=-1)


def positive_root_numpy(a: Any, b: Any, c: Any) -> Any:
    """Viete's formula: cosh for one real root, cos for three."""
    scale = 2.0 * np.sqrt(b / (3.0 * a))
    ratio = 1.5 * c / b * np.sqrt(3.0 * a / b)
    with np.errstate(invalid="ignore"):
        one, three = np.cosh(np.arccosh(ratio) / 3.0), np.cos(np.arccos(ratio) / 3.0)
    return scale * np.where(ratio > 1.0, one, three)


@jit(fastmath=True)
def _viete(a: float, b: float, c: float) -> float:
    scale = 2.0 * math.sqrt(b / (3.0 * a))
    ratio = 1.5 * c / b * math.sqrt(3.0 * a / b)
    if ratio > 1.0:
        return scale * math.cosh(math.acosh(ratio) / 3.0)
    return scale * math.cos(math.acos(ratio) / 3.0)


@jit(parallel=True, fastmath=True)
def _positive_root_viete(a: Any, b: Any, c: Any) -> Any:
    x = np.empty(a.size)
    for k in prange(a.size):
        x[k] = _viete(a[k], b[k], c[k])
    return x


POSITIVE_ROOT_PEERS = (
    Contender("NumPy, Viete", "numpy", positive_root_numpy),
    Contender("Numba, Viete", "numba", _positive_root_viete),
    Contender("eigvals, batched", "numpy", positive_root_companion, limit=1e4),
    Contender("numpy.roots", "numpy", positive_root_numpy_roots, limit=1e4),
)


# ---- all real roots --------------------------------------------------------------


def real_roots(z: Any) -> Any:
    """Ascending real roots of each row, NaN-padded, from complex ones."""
    x = np.where(np.abs(z.imag) <= 1e-7 * np.abs(z), z.real, np.nan)
    return np.sort(x, axis=-1)


def roots_numpy_roots(a: Any, b: Any, c: Any, d: Any) -> Any:
    return real_roots(np.array([np.roots(p) for p in zip(a, b, c, d, strict=True)]))


def roots_companion(a: Any, b: Any, c: Any, d: Any) -> Any:
    return real_roots(companion(a, b, c, d))


@jit(parallel=True, fastmath=True)
def _roots_cardano(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Cardano and Viete, as in the textbooks."""
    x = np.empty((a.size, 3))
    for k in prange(a.size):
        p, q, r = b[k] / a[k], c[k] / a[k], d[k] / a[k]
        shift, Q = p / 3.0, (p * p - 3.0 * q) / 9.0
        R = (p * (2.0 * p * p - 9.0 * q) + 27.0 * r) / 54.0
        if R * R < Q * Q * Q:
            third, scale = math.acos(R / math.sqrt(Q * Q * Q)) / 3.0, -2.0 * math.sqrt(Q)
            turn = 2.0 * math.pi / 3.0
            x[k, 0] = scale * math.cos(third) - shift
            x[k, 1] = scale * math.cos(third - turn) - shift
            x[k, 2] = scale * math.cos(third + turn) - shift
        else:
            u = -math.copysign((abs(R) + math.sqrt(R * R - Q * Q * Q)) ** (1.0 / 3.0), R)
            x[k, 0] = u + (Q / u if u != 0.0 else 0.0) - shift
            x[k, 1] = x[k, 2] = np.nan
    return x


ROOTS_PEERS = (
    Contender("Numba, Cardano", "numba", _roots_cardano),
    Contender("eigvals, batched", "numpy", roots_companion, limit=1e4),
    Contender("numpy.roots", "numpy", roots_numpy_roots, limit=1e4),
)


# ---- Theorem 3: (eta, alpha, b) for each T ----------------------------------------


def theorem3_numpy(c: Any, T: Any) -> tuple[Any, Any, Any]:
    """Eq. 20 for alpha; b and eta where the bound's derivatives in them vanish."""
    descent, noise, drift, lag, burn_in, *_ = c
    start = (burn_in * noise) ** 2
    alpha = positive_root_numpy(4.0 * descent * T * drift**2, start * drift, start * lag)
    smooth = drift + lag / alpha
    rising = 2.0 * np.sqrt(descent * smooth / T) + noise * burn_in / (alpha * T)
    b = noise * np.sqrt(alpha) / rising
    return np.sqrt(descent * b / (smooth * T)), alpha, b


@jit(parallel=True, fastmath=True)
def _theorem3_viete(c: Any, T: Any) -> tuple[Any, Any, Any]:
    descent, noise, drift, lag, burn_in, _, _ = c
    start = (burn_in * noise) ** 2
    eta, alpha, b = np.empty(T.size), np.empty(T.size), np.empty(T.size)
    for k in prange(T.size):
        alpha[k] = _viete(4.0 * descent * T[k] * drift**2, start * drift, start * lag)
        smooth = drift + lag / alpha[k]
        rising = 2.0 * math.sqrt(descent * smooth / T[k]) + noise * burn_in / (alpha[k] * T[k])
        b[k] = noise * math.sqrt(alpha[k]) / rising
        eta[k] = math.sqrt(descent * b[k] / (smooth * T[k]))
    return eta, alpha, b


THEOREM3_PEERS = (
    Contender("NumPy, Viete", "numpy", theorem3_numpy),
    Contender("Numba, Viete", "numba", _theorem3_viete),
)


# ---- the optimum in a box: (eta, alpha, b) for each T -------------------------------


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
