"""Peers of `risk`. Each returns `out`, filled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from peers.common import Contender, jax_jit, jit, jnp, on_device, prange

try:
    import numexpr
except ImportError:
    numexpr = None

RISK = (
    "descent*b/(eta*T) + noise*b**-q*(burn_in*b/(alpha*T) + sqrt(alpha))"
    " + init_error*b/(alpha*T) + eta*(drift + lag/alpha)"
)


def formula(xp: Any, c: Any, eta: Any, alpha: Any, b: Any, T: Any) -> Any:
    """R as the paper writes it, by the array library `xp`."""
    descent, noise, drift, lag, burn_in, init_error, q = c
    return (
        descent * b / (eta * T)
        + noise * b**-q * (burn_in * b / (alpha * T) + xp.sqrt(alpha))
        + init_error * b / (alpha * T)
        + eta * (drift + lag / alpha)
    )


def risk_numpy(c: Any, eta: Any, alpha: Any, b: Any, T: Any, out: Any) -> Any:
    out[...] = formula(np, c, eta, alpha, b, T)
    return out


def risk_numexpr(c: Any, eta: Any, alpha: Any, b: Any, T: Any, out: Any) -> Any:
    names = ("descent", "noise", "drift", "lag", "burn_in", "init_error", "q")
    values = dict(zip(names, c, strict=True), eta=eta, alpha=alpha, b=b, T=T)
    return numexpr.evaluate(RISK, local_dict=values, global_dict={}, out=out)


def mesh_numexpr(c: Any, eta: Any, alpha: Any, b: Any, T: Any, out: Any) -> Any:
    """On axes that broadcast: only the sums of small arrays are left for the whole mesh."""
    descent, noise, drift, lag, burn_in, init_error, q = c
    start = (noise * b**-q * burn_in + init_error) * b / (alpha * T)
    values = {
        "level": start + noise * b**-q * np.sqrt(alpha),
        "falling": descent * b / (eta * T),
        "rising": eta * (drift + lag / alpha),
    }
    return numexpr.evaluate(
        "level + (falling + rising)", local_dict=values, global_dict={}, out=out
    )


@jit()
def _risk_loop(c: Any, eta: Any, alpha: Any, b: Any, T: Any, out: Any) -> Any:
    descent, noise, drift, lag, burn_in, init_error, q = c
    for k in range(out.size):
        out[k] = (
            descent * b[k] / (eta[k] * T[k])
            + noise * b[k] ** -q * (burn_in * b[k] / (alpha[k] * T[k]) + math.sqrt(alpha[k]))
            + init_error * b[k] / (alpha[k] * T[k])
            + eta[k] * (drift + lag / alpha[k])
        )
    return out


@jit(parallel=True, fastmath=True)
def _risk_hoisted(c: Any, eta: Any, alpha: Any, b: Any, T: Any, out: Any) -> Any:
    descent, noise, drift, lag, burn_in, init_error, _ = c  # q = 1/2, by hand
    for k in prange(out.size):
        inverse, ratio, decay = 1.0 / alpha[k], b[k] / T[k], noise / math.sqrt(b[k])
        out[k] = (
            descent * ratio / eta[k]
            + decay * math.sqrt(alpha[k])
            + (burn_in * decay + init_error) * ratio * inverse
            + eta[k] * (drift + lag * inverse)
        )
    return out


@jit(parallel=True, fastmath=True)
def _mesh_hoisted(c: Any, eta: Any, alpha: Any, b: Any, T: Any, out: Any) -> Any:
    """Row by row along eta."""
    descent, noise, drift, lag, burn_in, init_error, _ = c  # q = 1/2, by hand
    inverse_eta, momenta, batches = 1.0 / eta, alpha.ravel(), b.ravel()
    for row in prange(momenta.size * batches.size):
        i, j = row // batches.size, row % batches.size
        inverse, ratio = 1.0 / momenta[i], batches[j] / T
        decay = noise / math.sqrt(batches[j])
        level = decay * math.sqrt(momenta[i]) + (burn_in * decay + init_error) * ratio * inverse
        D, S = descent * ratio, drift + lag * inverse
        for k in range(eta.size):
            out[i, j, k] = D * inverse_eta[k] + S * eta[k] + level
    return out


# The buffer of `out` is given to the result: fresh pages would take most of the time.
@jax_jit(static_argnums=0, donate_argnums=5, keep_unused=True)
def _risk_jax(c: Any, eta: Any, alpha: Any, b: Any, T: Any, out: Any) -> Any:
    return formula(jnp, c, eta, alpha, b, T)


@jax_jit(static_argnums=0, donate_argnums=5, keep_unused=True)
def _risk_jax_hoisted(c: Any, eta: Any, alpha: Any, b: Any, T: Any, out: Any) -> Any:
    descent, noise, drift, lag, burn_in, init_error, _ = c  # q = 1/2, by hand
    inverse, ratio, decay = 1.0 / alpha, b / T, noise / jnp.sqrt(b)
    return (
        descent * ratio / eta
        + decay * jnp.sqrt(alpha)
        + (burn_in * decay + init_error) * ratio * inverse
        + eta * (drift + lag * inverse)
    )


def _with_buffer(arguments: Any) -> Any:
    """`out` in a list, where the last result's buffer waits for the next call."""
    arguments = on_device(arguments)
    return {**arguments, "out": [arguments["out"]]}


def _recycling(function: Any) -> Any:
    def call(c: Any, eta: Any, alpha: Any, b: Any, T: Any, out: Any) -> Any:
        out[0] = function(c, eta, alpha, b, T, out[0])
        return out[0]

    return call


_JAX = (
    Contender("JAX", "jax", _recycling(_risk_jax), prepare=_with_buffer),
    Contender("JAX, by hand", "jax", _recycling(_risk_jax_hoisted), prepare=_with_buffer),
)

RISK_PEERS = (
    Contender("NumPy", "numpy", risk_numpy),
    Contender("numexpr", "numexpr", risk_numexpr),
    Contender("Numba, loop", "numba", _risk_loop),
    Contender("Numba, by hand", "numba", _risk_hoisted),
    *_JAX,
)

RISK_MESH_PEERS = (
    Contender("NumPy", "numpy", risk_numpy),
    Contender("numexpr", "numexpr", mesh_numexpr),
    Contender("Numba, by hand", "numba", _mesh_hoisted),
    *_JAX,
)
