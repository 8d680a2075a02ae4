"""Peers of `grid_argmin`: (risk, flat index over alpha, b, eta) for each T."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from peers.common import Contender, jax, jax_jit, jit, jnp, on_device, prange
from peers.risk import formula, mesh_numexpr, risk_numexpr

try:
    from scipy.optimize import brute
except ImportError:
    brute = None


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


def argmin_numexpr(
    c: Any, eta: Any, alpha: Any, b: Any, T: Any, evaluate: Any = mesh_numexpr
) -> tuple[Any, Any]:
    mesh = np.empty((alpha.size, b.size, eta.size))
    risk, flat = np.empty(T.size), np.empty(T.size, np.int64)
    for t, budget in enumerate(T):
        evaluate(c, eta, alpha[:, None, None], b[:, None], budget, mesh)
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


# XLA fuses each search into its loop: none of them ever has a mesh in memory.
@jax_jit(static_argnums=0)
def _argmin_jax_as_written(c: Any, eta: Any, alpha: Any, b: Any, T: Any) -> tuple[Any, Any]:
    def search(budget: Any) -> tuple[Any, Any]:
        mesh = formula(jnp, c, eta, alpha[:, None, None], b[:, None], budget).ravel()
        flat = mesh.argmin()
        return mesh[flat], flat

    return jax.vmap(search)(T)


@jax_jit(static_argnums=0)
def _argmin_jax(c: Any, eta: Any, alpha: Any, b: Any, T: Any) -> tuple[Any, Any]:
    """What eta does not change is added to the minimum over eta. XLA vectorises a minimum,
    but no argmin: the index comes from the winning row."""
    descent, noise, drift, lag, burn_in, init_error, q = c
    decay, smooth = noise * b**-q, (drift + lag / alpha)[:, None]

    def search(budget: Any) -> tuple[Any, Any]:
        ratio = b / budget
        D = descent * ratio
        least = (D[:, None] / eta + smooth[:, None] * eta).min(axis=2)
        least += decay * jnp.sqrt(alpha)[:, None]
        least += (burn_in * decay + init_error) * ratio / alpha[:, None]
        row = least.argmin()
        i, j = row // b.size, row % b.size
        k = (D[j] / eta + smooth[i] * eta).argmin()
        return least[i, j], row * eta.size + k

    return jax.vmap(search)(T)


@jax_jit(static_argnums=0)
def _argmin_jax_hoisted(c: Any, eta: Any, alpha: Any, b: Any, T: Any) -> tuple[Any, Any]:
    """The smallest value of each (alpha, b) so far, while eta goes by."""
    descent, noise, drift, lag, burn_in, init_error, q = c
    decay, smooth, rates = noise * b**-q, (drift + lag / alpha)[:, None], (eta, 1.0 / eta)

    def search(budget: Any) -> tuple[Any, Any]:
        ratio = b / budget
        D = descent * ratio

        def lower(least: Any, rate: Any) -> tuple[Any, None]:
            return jnp.minimum(least, D * rate[1] + smooth * rate[0]), None

        least, _ = jax.lax.scan(lower, jnp.full((alpha.size, b.size), jnp.inf), rates)
        least += decay * jnp.sqrt(alpha)[:, None]
        least += (burn_in * decay + init_error) * ratio / alpha[:, None]
        row = least.argmin()
        i, j = row // b.size, row % b.size
        k = (D[j] * rates[1] + smooth[i] * rates[0]).argmin()
        return least[i, j], row * eta.size + k

    return jax.lax.map(search, T)


def argmin_brute(c: Any, eta: Any, alpha: Any, b: Any, T: Any) -> tuple[Any, Any]:
    """SciPy's grid search: one Python call for each configuration."""
    positions = tuple(slice(0, axis.size, 1) for axis in (alpha, b, eta))
    rates, momenta, batches = eta.tolist(), alpha.tolist(), b.tolist()
    risk, flat = np.empty(T.size), np.empty(T.size, np.int64)
    for t, budget in enumerate(T.tolist()):

        def at(ijk: Any, budget: float = budget) -> float:
            i, j, k = ijk
            return formula(math, c, rates[k], momenta[i], batches[j], budget)

        _, risk[t], _, mesh = brute(at, positions, full_output=True, finish=None)
        flat[t] = mesh.argmin()
    return risk, flat


# Limits: about a second a call.
ARGMIN_PEERS = (
    Contender("NumPy", "numpy", argmin_numpy, limit=1e8),
    Contender("numexpr", "numexpr", argmin_numexpr, limit=1e8),
    Contender(
        "numexpr, as written", "numexpr", partial(argmin_numexpr, evaluate=risk_numexpr), limit=1e8
    ),
    Contender("SciPy, brute", "scipy", argmin_brute, limit=1e5),
    Contender("Numba, loop nest", "numba", _argmin_loops, limit=1e8),
    Contender("Numba, by hand", "numba", _argmin_hoisted, limit=2e9),
    Contender("JAX, as written", "jax", _argmin_jax_as_written, limit=1e8, prepare=on_device),
    Contender("JAX", "jax", _argmin_jax, limit=1e9, prepare=on_device),
    Contender("JAX, by hand", "jax", _argmin_jax_hoisted, limit=2e9, prepare=on_device),
)

ARGMIN_PRUNED_PEERS = (
    Contender("Numba, eta in closed form", "numba", _argmin_closed_eta, limit=2e10),
)
