"""Oracles: slow, obvious, and written from the paper's formulas alone.

Numbers are mpmath's, with 50 digits and no limit on the exponent. A bound is
given as hplaws.Bound, of which nothing but the fields is read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import mpmath
import numpy as np

import hplaws

mp = mpmath.MPContext()
mp.dps = 50

AXES = ("alpha", "b", "eta")


# ---- how wrong a result is -------------------------------------------------------


def ulp(x: Any) -> Any:
    """The spacing of doubles at |x| != 0, as if the exponent had no upper limit."""
    exponent = int(mp.frexp(abs(x))[1])  # |x| in [2**(e-1), 2**e)
    return mp.ldexp(1, max(exponent - 53, -1074))


def ulp_error(computed: float, exact: Any) -> float:
    """|computed - exact| in ulps of the exact value.

    NaN: 0 where both are NaN, infinity where one is.
    Infinity: 0 where the exact value is infinite or rounds to infinity (at or beyond
    2**1024 - 2**970) and the signs agree, otherwise infinity.
    Zero: an exact 0 allows nothing but 0, of either sign.
    """
    exact = mp.mpf(exact)
    if mp.isnan(exact) or math.isnan(computed):
        return 0.0 if mp.isnan(exact) and math.isnan(computed) else math.inf
    if math.isinf(computed):
        overflows = abs(exact) >= mp.ldexp(1, 1024) - mp.ldexp(1, 970)
        return 0.0 if overflows and (exact > 0) == (computed > 0) else math.inf
    if exact == 0 or mp.isinf(exact):
        return 0.0 if computed == exact else math.inf
    return float(abs(mp.mpf(computed) - exact) / ulp(exact))


def relative_error(computed: float, exact: Any) -> float:
    """|computed/exact - 1| for an exact value that is neither 0 nor infinite.

    0 where both are NaN, infinity where one is.
    """
    if mp.isnan(exact) or math.isnan(computed):
        return 0.0 if mp.isnan(exact) and math.isnan(computed) else math.inf
    return float(abs(mp.mpf(computed) / exact - 1))


# ---- R ---------------------------------------------------------------------------


def terms(bound: hplaws.Bound, T: Any) -> list[tuple[Any, tuple[Any, Any, Any]]]:
    """R at budget T as a posynomial: (coefficient, powers of eta, alpha, b) a term."""
    d, n, drift, lag, burn_in, init, q = (
        mp.mpf(x)
        for x in (
            bound.descent, bound.noise, bound.drift, bound.lag,
            bound.burn_in, bound.init_error, bound.q,
        )
    )  # fmt: skip
    T, half = mp.mpf(T), mp.mpf(1) / 2
    return [
        (d / T, (-1, 0, 1)),
        (n * burn_in / T, (0, -1, 1 - q)),
        (n, (0, half, -q)),
        (init / T, (0, -1, 1)),
        (drift, (1, 0, 0)),
        (lag, (1, -1, 0)),
    ]


def risk(bound: hplaws.Bound, eta: Any, alpha: Any, b: Any, T: Any) -> Any:
    """R itself, as the contract writes it; the domain is not checked."""
    d, n, drift, lag, burn_in, init, q = (
        mp.mpf(x)
        for x in (
            bound.descent, bound.noise, bound.drift, bound.lag,
            bound.burn_in, bound.init_error, bound.q,
        )
    )  # fmt: skip
    eta, alpha, b, T = (mp.mpf(x) for x in (eta, alpha, b, T))
    return (
        d * b / (eta * T)
        + n * b**-q * (burn_in * b / (alpha * T) + mp.sqrt(alpha))
        + init * b / (alpha * T)
        + eta * (drift + lag / alpha)
    )


def bounds(bound: hplaws.Bound) -> Iterator[hplaws.Bound]:
    """The elements of a bound of arrays, in C order."""
    fields = ("descent", "noise", "drift", "lag", "burn_in", "init_error", "q")
    arrays = np.broadcast_arrays(*(getattr(bound, f) for f in fields))
    for values in zip(*(a.ravel() for a in arrays), strict=True):
        yield hplaws.Bound(*map(float, values))


# ---- argmin over a mesh ----------------------------------------------------------


def mesh_argmin(
    bound: hplaws.Bound,
    eta: Any,
    alpha: Any,
    b: Any,
    T: Any = None,
    *,
    K: Any = None,
    over: tuple[str, ...] = AXES,
    backend: str | None = None,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The right-hand side of the exactness law: numpy.argmin over risk on the full mesh.

    Returns the least risk and its index on each minimised axis; shape: the bound's
    axes, then the kept ones of (budget, alpha, b, eta).
    """
    budget = K if T is None else T
    axes = dict(
        zip(
            ("budget", *AXES),
            np.ix_(*(np.atleast_1d(np.asarray(a, float)) for a in (budget, alpha, b, eta))),
            strict=True,
        )
    )
    fields = ("descent", "noise", "drift", "lag", "burn_in", "init_error", "q")
    mesh_bound = hplaws.Bound(
        *(
            np.broadcast_to(getattr(bound, f), bound.shape)[..., None, None, None, None]
            for f in fields
        )
    )
    mesh = hplaws.risk(
        mesh_bound, axes["eta"], axes["alpha"], axes["b"], backend=backend,
        **{"K" if T is None else "T": axes["budget"]},
    )  # fmt: skip
    rank = mesh.ndim
    minimised = [a for a in AXES if a in over]
    where = [rank - 3 + AXES.index(a) for a in minimised]
    lengths = [mesh.shape[d] for d in where]
    mesh = np.moveaxis(mesh, where, range(rank - len(where), rank))
    mesh = mesh.reshape(*mesh.shape[: rank - len(where)], -1)
    flat = np.argmin(mesh, axis=-1)
    least = np.take_along_axis(mesh, flat[..., None], -1)[..., 0]
    return least, dict(zip(minimised, np.unravel_index(flat, lengths), strict=True))


# ---- stationary points -----------------------------------------------------------
# Each returns eta, alpha, b. Rederived: minimising over eta leaves
# 2 sqrt(descent S b/T) with S = drift + lag/alpha, at eta = sqrt(descent b/(S T)).


def _best_rate(bound: hplaws.Bound, alpha: Any, b: Any, T: Any) -> Any:
    S = mp.mpf(bound.drift) + mp.mpf(bound.lag) / alpha
    return mp.sqrt(mp.mpf(bound.descent) * b / (S * mp.mpf(T)))


def theorem1(bound: hplaws.Bound, alpha: Any, T: Any) -> tuple[Any, Any, Any]:
    """2 sqrt(descent S b/T) + noise sqrt(alpha) b**-q has slope 0 in b where
    sqrt(descent S/T) b**(-1/2) = q noise sqrt(alpha) b**(-q-1)."""
    alpha, T, q = mp.mpf(alpha), mp.mpf(T), mp.mpf(bound.q)
    S = mp.mpf(bound.drift) + mp.mpf(bound.lag) / alpha
    power = q * mp.mpf(bound.noise) * mp.sqrt(alpha) * mp.sqrt(T / (mp.mpf(bound.descent) * S))
    b = power ** (1 / (q + mp.mpf(1) / 2))
    return _best_rate(bound, alpha, b, T), alpha, b


def theorem2(bound: hplaws.Bound, b: Any, T: Any) -> tuple[Any, Any, Any]:
    """With x = sqrt(alpha) and drift = burn_in = 0 the bound minimised over eta is
    2 sqrt(descent lag b/T)/x + noise b**-q x: least at x**2 = their coefficients' ratio."""
    b, T = mp.mpf(b), mp.mpf(T)
    noise = mp.mpf(bound.noise) * b ** -mp.mpf(bound.q)
    alpha = 2 * mp.sqrt(mp.mpf(bound.descent) * mp.mpf(bound.lag) * b / T) / noise
    eta = mp.sqrt(mp.mpf(bound.descent) * b * alpha / (mp.mpf(bound.lag) * T))
    return eta, alpha, b


def _best_batch(bound: hplaws.Bound, alpha: Any, T: Any) -> tuple[Any, Any, Any]:
    """Eq. 16: A sqrt(b) + B/sqrt(b) is least at b = B/A."""
    S = mp.mpf(bound.drift) + mp.mpf(bound.lag) / alpha
    noise, T = mp.mpf(bound.noise), mp.mpf(T)
    A = 2 * mp.sqrt(mp.mpf(bound.descent) * S / T)
    A += mp.mpf(bound.burn_in) * noise / (alpha * T)
    b = noise * mp.sqrt(alpha) / A
    return _best_rate(bound, alpha, b, T), alpha, b


def _cubic(bound: hplaws.Bound, T: Any) -> tuple[Any, Any, Any]:
    """A T, B, C of eq. 21 for general coefficients. A*B of _best_batch, as a function of
    alpha, is 2 noise sqrt(descent/T) sqrt(drift alpha + lag) + burn_in noise**2/(T sqrt(alpha));
    its slope vanishes where
    4 descent T drift**2 alpha**3 = (burn_in noise)**2 (drift alpha + lag)."""
    square = (mp.mpf(bound.burn_in) * mp.mpf(bound.noise)) ** 2
    drift = mp.mpf(bound.drift)
    leading = 4 * mp.mpf(bound.descent) * mp.mpf(T) * drift**2
    return leading, square * drift, square * mp.mpf(bound.lag)


def theorem3(bound: hplaws.Bound, T: Any) -> tuple[Any, Any, Any]:
    """The cubic's positive root by Newton's method: from above, where the cubic is
    convex and rising, the iterates fall until rounding stops them."""
    A, B, C = _cubic(bound, T)
    alpha = mp.sqrt(2 * B / A) + mp.cbrt(2 * C / A)
    while True:
        following = alpha - (A * alpha**3 - B * alpha - C) / (3 * A * alpha**2 - B)
        if following >= alpha:
            return _best_batch(bound, alpha, T)
        alpha = following


def theorem3_asymptotic(bound: hplaws.Bound, T: Any, order: int) -> tuple[Any, Any, Any]:
    """u0 T**(-1/3) + u1 T**(-2/3) with u0 = (C/A)**(1/3), u1 = B/(3 A u0) (eq. 22)."""
    leading, B, C = _cubic(bound, T)
    T = mp.mpf(T)
    A = leading / T
    u0 = mp.cbrt(C / A)
    alpha = u0 / mp.cbrt(T)
    if order == 1:
        alpha += B / (3 * A * u0) / mp.cbrt(T) ** 2
    return _best_batch(bound, alpha, T)


def minimise(bound: hplaws.Bound, T: Any, **fixed: Any) -> tuple[Any, Any, Any]:
    """eta, alpha, b that minimise R over the variables not fixed, none of them clamped.

    Knows no formula of any theorem: Newton's method on log R, convex in the logs of the
    variables, from eta = alpha = b = 1 until the gradient is zero. The Hessian is shifted
    by the gradient's length, so that no step exceeds 1 and the last ones are Newton's own.
    """
    free = [k for k, name in enumerate(("eta", "alpha", "b")) if name not in fixed]
    x = [mp.log(fixed.get(name, 1)) for name in ("eta", "alpha", "b")]
    posynomial = [(mp.log(c), powers) for c, powers in terms(bound, T) if c > 0]
    for _ in range(500):
        parts = [mp.exp(c + mp.fdot(powers, x)) for c, powers in posynomial]
        slope, hessian = mp.matrix(len(free), 1), mp.matrix(len(free))
        for part, (_, powers) in zip(parts, posynomial, strict=True):
            direction = mp.matrix([powers[k] for k in free])
            slope += direction * (part / mp.fsum(parts))
            hessian += direction * direction.T * (part / mp.fsum(parts))
        if mp.norm(slope) < mp.mpf(10) ** -40:
            return mp.exp(x[0]), mp.exp(x[1]), mp.exp(x[2])
        hessian += mp.eye(len(free)) * mp.norm(slope) - slope * slope.T
        step = mp.lu_solve(hessian, -slope)
        for row, k in enumerate(free):
            x[k] += step[row]
    raise AssertionError("the minimisation has not converged")
