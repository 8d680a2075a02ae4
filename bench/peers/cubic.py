"""Peers of the cubic solvers, and of `theorem3` which stands on them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from peers import boost
from peers.common import Contender, jax_jit, jit, jnp, on_device, prange

try:
    from scipy.optimize.elementwise import find_root
except ImportError:
    find_root = None

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


def newton_jax(a: Any, b: Any, c: Any) -> Any:
    """From at most 1.52 times the root, six steps. Under XLA this takes three quarters of the
    time of Viete's formula."""
    p, q = b / a, c / a
    x = jnp.sqrt(p) + jnp.cbrt(q)
    for _ in range(6):
        x = (2.0 * x**3 + q) / (3.0 * x**2 - p)
    return x


def positive_root_scipy(a: Any, b: Any, c: Any) -> Any:
    """Chandrupatla's bracketing method, all cubics in one call."""
    low = np.sqrt(b / a)
    ends = low, low + np.cbrt(c / a)
    return find_root(lambda x, a, b, c: (a * x * x - b) * x - c, ends, args=(a, b, c)).x


POSITIVE_ROOT_PEERS = (
    Contender("NumPy, Viete", "numpy", positive_root_numpy),
    Contender("Numba, Viete", "numba", _positive_root_viete),
    Contender("JAX, Newton", "jax", jax_jit()(newton_jax), prepare=on_device),
    Contender("Boost", "numpy", boost.positive_root),
    Contender("SciPy, find_root", "scipy.optimize.elementwise", positive_root_scipy, limit=1e4),
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


@jax_jit()
def _roots_jax(a: Any, b: Any, c: Any, d: Any) -> Any:
    """The same by whole arrays: both branches everywhere, then a choice."""
    p, q, r = b / a, c / a, d / a
    shift, Q = p / 3.0, (p * p - 3.0 * q) / 9.0
    R = (p * (2.0 * p * p - 9.0 * q) + 27.0 * r) / 54.0
    three = R * R < Q * Q * Q
    third, scale = jnp.arccos(R / jnp.sqrt(Q * Q * Q)) / 3.0, -2.0 * jnp.sqrt(Q)
    turn = 2.0 * jnp.pi / 3.0
    u = -jnp.copysign(jnp.cbrt(jnp.abs(R) + jnp.sqrt(R * R - Q * Q * Q)), R)
    one = u + jnp.where(u == 0.0, 0.0, Q / u)
    low = jnp.where(three, scale * jnp.cos(third), one) - shift
    mid = jnp.where(three, scale * jnp.cos(third - turn) - shift, jnp.nan)
    high = jnp.where(three, scale * jnp.cos(third + turn) - shift, jnp.nan)
    return jnp.stack([low, mid, high], axis=-1)


def roots_scipy(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Cauchy's bound and the turning points bracket each root there is."""
    reach = 1.0 + np.abs([b, c, d]).max(axis=0) / np.abs(a)
    spread = np.sqrt(np.maximum(b * b - 3.0 * a * c, 0.0)) / np.abs(3.0 * a)
    middle = -b / (3.0 * a)
    ends = np.stack([-reach, middle - spread, middle + spread, reach])
    found = find_root(
        lambda x, a, b, c, d: ((a * x + b) * x + c) * x + d,
        (ends[:-1], ends[1:]),
        args=(a, b, c, d),
    )
    return np.sort(np.where(found.success, found.x, np.nan), axis=0).T


ROOTS_PEERS = (
    Contender("Numba, Cardano", "numba", _roots_cardano),
    Contender("JAX, Cardano", "jax", _roots_jax, prepare=on_device),
    Contender("Boost", "numpy", boost.cubic_roots),
    Contender("SciPy, find_root", "scipy.optimize.elementwise", roots_scipy, limit=1e4),
    Contender("eigvals, batched", "numpy", roots_companion, limit=1e4),
    Contender("numpy.roots", "numpy", roots_numpy_roots, limit=1e4),
)


# ---- Theorem 3: (eta, alpha, b) for each T ----------------------------------------


def theorem3(xp: Any, positive_root: Any, c: Any, T: Any) -> tuple[Any, Any, Any]:
    """Eq. 20 for alpha; b and eta where the bound's derivatives in them vanish."""
    descent, noise, drift, lag, burn_in, *_ = c
    start = (burn_in * noise) ** 2
    alpha = positive_root(4.0 * descent * T * drift**2, start * drift, start * lag)
    smooth = drift + lag / alpha
    rising = 2.0 * xp.sqrt(descent * smooth / T) + noise * burn_in / (alpha * T)
    b = noise * xp.sqrt(alpha) / rising
    return xp.sqrt(descent * b / (smooth * T)), alpha, b


def theorem3_numpy(c: Any, T: Any) -> tuple[Any, Any, Any]:
    return theorem3(np, positive_root_numpy, c, T)


@jax_jit(static_argnums=0)
def _theorem3_jax(c: Any, T: Any) -> tuple[Any, Any, Any]:
    return theorem3(jnp, newton_jax, c, T)


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
    Contender("JAX, Newton", "jax", _theorem3_jax, prepare=on_device),
)
