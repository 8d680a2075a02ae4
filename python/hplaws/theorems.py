"""Theorems 1 to 3: stationary points in closed form, with their exact constants.

All arguments broadcast; device arrays, and the choice of backend, as in `risk`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from . import _backend, _devices, _validate
from ._validate import Operand
from .bound import Bound, operands
from .optimum import Optimum


def theorem1(
    bound: Bound,
    *,
    alpha: ArrayLike,
    T: ArrayLike | None = None,
    K: ArrayLike | None = None,
    b: ArrayLike | None = None,
    backend: str | None = None,
) -> Optimum:
    """Theorem 1 (B.1): best learning rate, and batch size, at fixed momentum.

    Minimises ``bound.large_horizon()``. Given T, over eta and b (eq. 7), for q = 1/2::

        b   = noise*sqrt(alpha)/(2*sqrt(descent*S)) * sqrt(T),   S = drift + lag/alpha
        eta = sqrt(descent*b/(S*T))

    (for other q the same problem's minimiser). Given K and b, over eta (eq. 6):
    eta = sqrt(descent/(S*K)).

    Parameters
    ----------
    bound : Bound with init_error = 0
    alpha : momentum update in (0, 1]
    T : token budget, or else K and b : steps and batch size

    Returns
    -------
    Optimum, its `risk` that of ``bound.large_horizon()``. NaN where an argument is
    out of its domain or a coefficient the formula divides by is zero.

    Raises
    ------
    ValueError : init_error is not 0; T given with K or b, or not enough of them

    Examples
    --------
    >>> best = theorem1(Bound.proxy(), alpha=1.0, T=2e4)
    >>> round(best.b, 6), round(best.eta, 6), best.feasible
    (50.0, 0.035355, True)
    """
    if T is not None:
        if K is not None or b is not None:
            raise ValueError("theorem1 takes either T, or K and b; got T with K or b")
        return _solve("theorem1_tokens", bound, {"alpha": alpha, "T": T}, backend)
    if K is None or b is None:
        raise ValueError("theorem1 takes either T, or K and b; got neither T nor both K and b")
    return _solve("theorem1_steps", bound, {"alpha": alpha, "K": K, "b": b}, backend)


def theorem2(bound: Bound, *, b: ArrayLike, T: ArrayLike, backend: str | None = None) -> Optimum:
    """Theorem 2 (B.2): best learning rate and momentum at fixed batch size.

    Minimises ``bound.leading()`` over eta and alpha, with K = T/b (eq. 8)::

        alpha = 2*sqrt(descent*lag/K) / (noise*b**-q)
        eta   = sqrt(descent*alpha/(lag*K))

    alpha is not clamped; `feasible` is False where it exceeds 1.

    Parameters
    ----------
    bound : Bound with init_error = 0
    b, T : batch size and token budget

    Returns
    -------
    Optimum, its `risk` that of ``bound.leading()``. NaN where an argument is out of
    its domain or a coefficient the formula divides by is zero.

    Raises
    ------
    ValueError : init_error is not 0

    Examples
    --------
    >>> best = theorem2(Bound.proxy(), b=16, T=1.6e9)
    >>> f"{best.alpha:.6f} {best.eta:.3e} {best.risk:.6f}"
    '0.000800 2.828e-06 0.014142'
    """
    return _solve("theorem2", bound, {"b": b, "T": T}, backend)


def theorem3(bound: Bound, *, T: ArrayLike, backend: str | None = None) -> Optimum:
    """Theorem 3 (B.3): best learning rate, momentum and batch size together.

    The exact minimiser of the full bound over eta, alpha, b > 0: alpha from the cubic
    (eq. 20, for general coefficients)::

        4*descent*T*drift**2 * alpha**3 - (burn_in*noise)**2 * (drift*alpha + lag) = 0

    then b from eq. 16 and eta from eq. 12. Nothing is clamped; `feasible` is False
    where alpha > 1 or b is outside [1, T].

    Parameters
    ----------
    bound : Bound with q = 1/2 and init_error = 0
    T : token budget

    Returns
    -------
    Optimum. NaN where T is out of its domain or there is no stationary point (drift,
    descent, noise or burn_in zero).

    Raises
    ------
    ValueError : init_error is not 0, or q not 1/2

    Examples
    --------
    >>> best = theorem3(Bound.nonconvex(delta0=1, L=1, rho=1, sigma=1), T=1e12)
    >>> f"{best.alpha:.4e} {best.b:.2f} {best.eta:.4e}"
    '5.4657e-05 38.64 3.2495e-08'
    """
    return _solve("theorem3", bound, {"T": T}, backend)


def theorem3_asymptotic(
    bound: Bound, *, T: ArrayLike, order: int = 0, backend: str | None = None
) -> Optimum:
    """Theorem 3 for large T (eq. 22): alpha = u0*T**(-1/3), b and eta following from it.

    u0 = (C/A)**(1/3) with A = 4*descent*drift**2 and C = (burn_in*noise)**2 * lag;
    order=1 adds the first correction u1*T**(-2/3), u1 = B/(3*A*u0) with
    B = (burn_in*noise)**2 * drift. b and eta are eq. 16 and 12 at that alpha.

    Parameters
    ----------
    bound : Bound with q = 1/2 and init_error = 0
    T : token budget
    order : 0 or 1

    Returns
    -------
    Optimum; NaN as for `theorem3`, and where lag is zero (u0 = 0).

    Raises
    ------
    ValueError : init_error is not 0, q not 1/2, or order neither 0 nor 1

    Examples
    --------
    >>> bound = Bound.proxy()
    >>> exact = theorem3(bound, T=1e6).alpha
    >>> [f"{theorem3_asymptotic(bound, T=1e6, order=k).alpha / exact - 1:.1e}" for k in (0, 1)]
    ['-2.1e-03', '3.1e-09']
    """
    if isinstance(order, bool) or order not in (0, 1):
        raise ValueError(f"order must be 0 or 1, got {order!r}")
    return _solve("theorem3_asymptotic", bound, {"T": T, "order": float(order)}, backend)


def _solve(
    kernel: str, bound: Bound, arguments: dict[str, ArrayLike], backend: str | None
) -> Optimum:
    inputs = {**operands(bound)}
    theorem = kernel.partition("_")[0]
    _require(theorem, inputs, "init_error", 0.0)
    if theorem == "theorem3":
        _require(theorem, inputs, "q", 0.5)
    for name, value in arguments.items():
        inputs[name] = _validate.operand(name, value)
    eta, alpha, b, K, T, risk = _backend.evaluate(kernel, inputs, 6, backend)
    with _devices.beside(alpha):
        feasible = (alpha <= 1) & (b >= 1) & (b <= T)
    return Optimum(eta, alpha, b, K, T, risk, feasible)


def _require(theorem: str, fields: Mapping[str, Operand], field: str, value: float) -> None:
    given = fields[field]
    if isinstance(given, float) and given == value:
        return
    wrong = np.extract(np.not_equal(given, value), given)
    if wrong.size:
        got = float(wrong[0])
        raise ValueError(f"{theorem} holds for {field} = {value:g} alone, got {field} = {got!r}")
