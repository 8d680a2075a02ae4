"""The same answers on a GPU by other means, each as one who knows the library writes it.

Everything that depends on fewer axes is worked out once, and the smallest value of each
row of the grid is found before its index, so that the compilers fuse the mesh away. None
of our structure beyond that. q = 1/2, written as a square root.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cupy
import numpy as np

jax: Any = None
torch: Any = None
if importlib.util.find_spec("jax"):
    import jax
    import jax.dlpack

    jax.config.update("jax_enable_x64", True)
if importlib.util.find_spec("torch"):
    import torch


@dataclass(frozen=True)
class Library:
    """`arrays` makes its own device arrays of NumPy's, `share` of CuPy's without a copy;
    `numpy` makes NumPy's of its own."""

    module: Any
    arrays: Callable[[Any], Any]
    share: Callable[[Any], Any]
    numpy: Callable[[Any], Any]


LIBRARIES = {
    "cupy": Library(cupy, cupy.asarray, lambda a: a, cupy.asnumpy),
    "jax": Library(
        jax, lambda a: jax.device_put(a), lambda a: jax.dlpack.from_dlpack(a), np.asarray
    ),
    "torch": Library(
        torch,
        lambda a: torch.asarray(a, device="cuda"),
        lambda a: torch.from_dlpack(a),
        lambda a: a.cpu().numpy(),
    ),
}


@dataclass(frozen=True)
class Peer:
    """`call` takes and returns the library's arrays; it may return before these are there
    only if their values are due on CuPy's current stream."""

    name: str
    package: str
    call: Callable[..., Any]

    @property
    def library(self) -> Library:
        return LIBRARIES[self.package]


def jax_jit(function: Callable[..., Any]) -> Callable[..., Any]:
    compiled = functools.cache(lambda: jax.jit(function, static_argnums=0))
    return lambda *arguments: jax.block_until_ready(compiled()(*arguments))


def torch_compile(function: Callable[..., Any]) -> Callable[..., Any]:
    compiled = functools.cache(lambda: torch.compile(function, dynamic=False))

    def call(*arguments: Any) -> Any:
        found = compiled()(*arguments)
        torch.cuda.synchronize()
        return found

    return call


# ---- risk at scattered points ------------------------------------------------------------


def _risk(sqrt: Callable[[Any], Any], c: Any, eta: Any, alpha: Any, b: Any, T: Any) -> Any:
    descent, noise, drift, lag, burn_in, init_error, _ = c
    ratio, inverse, decay = b / T, 1.0 / alpha, noise / sqrt(b)
    return (
        descent * ratio / eta
        + decay * sqrt(alpha)
        + (burn_in * decay + init_error) * ratio * inverse
        + eta * (drift + lag * inverse)
    )


@functools.cache
def _risk_kernel() -> Any:
    return cupy.ElementwiseKernel(
        "float64 eta, float64 alpha, float64 b, float64 budget, float64 descent, float64 noise,"
        "float64 drift, float64 lag, float64 burn_in, float64 init_error",
        "float64 risk",
        """
        const double ratio = b / budget, inverse = 1.0 / alpha, decay = noise / sqrt(b);
        risk = descent * ratio / eta + decay * sqrt(alpha)
             + (burn_in * decay + init_error) * ratio * inverse
             + eta * (drift + lag * inverse);
        """,
        "peer_risk",
    )


RISK_PEERS = (
    Peer("CuPy, ElementwiseKernel", "cupy", lambda c, *x: _risk_kernel()(*x, *c[:6])),
    Peer("JAX, jit", "jax", jax_jit(lambda c, *x: _risk(jax.numpy.sqrt, c, *x))),
    Peer("torch.compile", "torch", torch_compile(lambda c, *x: _risk(torch.sqrt, c, *x))),
)


# ---- argmin over a grid: (risk, flat index over alpha, b, eta) for each T ---------------


def _terms(sqrt: Callable[[Any], Any], c: Any, alpha: Any, b: Any, T: Any) -> tuple[Any, Any, Any]:
    """R = D / eta + S eta + N, with D by (T, b), S by alpha, N by (T, alpha, b)."""
    descent, noise, drift, lag, burn_in, init_error, _ = c
    ratio, decay = b / T[:, None], noise / sqrt(b)
    start = ((burn_in * decay + init_error) * ratio)[:, None, :]
    N = decay * sqrt(alpha)[:, None] + start / alpha[:, None]
    return descent * ratio, drift + lag / alpha, N


def _argmin_by_rows(
    sqrt: Callable[[Any], Any],
    smallest: Callable[[Any], Any],
    least_of_rows: Callable[..., Any],
    c: Any,
    *axes: Any,
) -> tuple[Any, Any]:
    """The smallest value of each (T, alpha, b), the best row for each T, and its eta."""
    eta, alpha, b, T = axes
    D, S, N = _terms(sqrt, c, alpha, b, T)
    inverse = 1.0 / eta
    rows = least_of_rows(D[:, None, :, None], inverse, S[:, None, None], eta) + N
    rows = rows.reshape(len(T), -1)
    row = rows.argmin(1)
    i, j = row // len(b), row % len(b)
    k = ((c[0] * b[j] / T)[:, None] * inverse + S[i][:, None] * eta).argmin(1)
    return smallest(rows), row * len(eta) + k


def _argmin_jax(c: Any, *axes: Any) -> tuple[Any, Any]:
    def smallest(x: Any) -> Any:
        return x.min(-1)

    def least_of_rows(D: Any, inverse: Any, S: Any, eta: Any) -> Any:
        return smallest(D * inverse + S * eta)

    return _argmin_by_rows(jax.numpy.sqrt, smallest, least_of_rows, c, *axes)


def _argmin_torch(c: Any, *axes: Any) -> tuple[Any, Any]:
    def smallest(x: Any) -> Any:
        return x.amin(-1)

    def least_of_rows(D: Any, inverse: Any, S: Any, eta: Any) -> Any:
        return smallest(D * inverse + S * eta)

    return _argmin_by_rows(torch.sqrt, smallest, least_of_rows, c, *axes)


@functools.cache
def _reduction_kernel() -> Any:
    return cupy.ReductionKernel(
        "float64 D, float64 inverse, float64 S, float64 eta",
        "float64 least",
        "D * inverse + S * eta",
        "a < b ? a : b",
        "least = a",
        "1e308",
        "peer_least_of_rows",
    )


def _argmin_cupy(c: Any, *axes: Any) -> tuple[Any, Any]:
    def smallest(x: Any) -> Any:
        return x.min(-1)

    def least_of_rows(*terms: Any) -> Any:
        return _reduction_kernel()(*terms, axis=3)

    return _argmin_by_rows(cupy.sqrt, smallest, least_of_rows, c, *axes)


@functools.cache
def _mesh_kernel() -> Any:
    return cupy.ElementwiseKernel(
        "float64 D, float64 inverse, float64 S, float64 eta, float64 N",
        "float64 risk",
        "risk = D * inverse + S * eta + N",
        "peer_mesh",
    )


MESH_BYTES = 2**34  # of one chunk of budgets


def _argmin_cupy_mesh(c: Any, eta: Any, alpha: Any, b: Any, T: Any) -> tuple[Any, Any]:
    step = max(1, MESH_BYTES // (8 * alpha.size * b.size * eta.size))
    risk, flat = cupy.empty(T.size), cupy.empty(T.size, cupy.int64)
    inverse = 1.0 / eta
    for first in range(0, T.size, step):
        part = slice(first, first + step)
        D, S, N = _terms(cupy.sqrt, c, alpha, b, T[part])
        rows, along_alpha = D[:, None, :, None], S[:, None, None]
        mesh = _mesh_kernel()(rows, inverse, along_alpha, eta, N[..., None])
        mesh = mesh.reshape(len(D), -1)
        flat[part] = mesh.argmin(1)
        risk[part] = mesh[cupy.arange(len(D)), flat[part]]
    return risk, flat


ARGMIN_PEERS = (
    Peer("CuPy, ElementwiseKernel and argmin", "cupy", _argmin_cupy_mesh),
    Peer("CuPy, ReductionKernel", "cupy", _argmin_cupy),
    Peer("JAX, jit", "jax", jax_jit(_argmin_jax)),
    Peer("torch.compile", "torch", torch_compile(_argmin_torch)),
)
