"""The bound: its coefficients, its constructors, its value."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _backend, _devices, _validate
from ._fields import Fields

# A float or an array on the way in; a float or a read-only float64 array once stored.
Coefficient = Any


@dataclass(frozen=True, eq=False)
class Bound(Fields):
    """Coefficients of the convergence bound every risk is computed from::

        R(eta, alpha, b; T) = descent * b/(eta*T)
                            + noise * b**-q * (burn_in * b/(alpha*T) + sqrt(alpha))
                            + init_error * b/(alpha*T)
                            + eta * (drift + lag/alpha)

    Each field is a float or an array; arrays broadcast against each other and
    against every other argument, so one call can hold a thousand bootstrapped
    bounds. Fields are checked and frozen on construction. They live on the host, and
    are copied to a device with each call that computes there.

    Parameters
    ----------
    descent : initial suboptimality, in loss units (C1 of the proxy)
    noise : scale of the gradient noise at b = 1, in gradient-norm units (C2)
    drift, lag : smoothness terms, gradient norm per unit of learning rate (C3)
    burn_in : 1 with momentum started from a stochastic gradient, 0 without the term
    init_error : error of the momentum's start where it does not shrink with b
    q : noise falls as b**-q; 1/2 for finite variance

    Raises
    ------
    ValueError : a coefficient is negative, NaN or infinite, or q is outside (0, 1];
        the message names the field and the value.

    Examples
    --------
    >>> Bound(descent=1.0, noise=2.0, drift=3.5, lag=2.0)
    Bound(descent=1.0, noise=2.0, drift=3.5, lag=2.0, burn_in=1.0, init_error=0.0, q=0.5)
    >>> Bound(descent=1.0, noise=-2.0, drift=3.5, lag=2.0)
    Traceback (most recent call last):
        ...
    ValueError: noise must be a finite number >= 0, got -2.0
    """

    descent: Coefficient
    noise: Coefficient
    drift: Coefficient
    lag: Coefficient
    burn_in: Coefficient = 1.0
    init_error: Coefficient = 0.0
    q: Coefficient = 0.5

    @staticmethod
    def _check(name: str, value: Any) -> Any:
        if name == "q":
            return _validate.in_interval("q", value, 0.0, 1.0)
        return _validate.coefficient(name, value)

    @classmethod
    def nonconvex(cls, delta0: ArrayLike, L: ArrayLike, rho: ArrayLike, sigma: ArrayLike) -> Bound:
        """The non-convex bound for LMO methods, with its constants (eq. 2, 10, 11).

        descent = delta0, noise = 2*rho*sigma, drift = 7L/2, lag = 2L.

        >>> Bound.nonconvex(delta0=1, L=2, rho=1, sigma=3)
        Bound(descent=1.0, noise=6.0, drift=7.0, lag=4.0, burn_in=1.0, init_error=0.0, q=0.5)
        """
        delta0, L, rho, sigma = (
            np.asarray(_validate.coefficient(name, value))
            for name, value in (("delta0", delta0), ("L", L), ("rho", rho), ("sigma", sigma))
        )
        with np.errstate(over="ignore"):
            return cls(descent=delta0, noise=2 * rho * sigma, drift=3.5 * L, lag=2 * L)

    @classmethod
    def proxy(cls, C1: ArrayLike = 1, C2: ArrayLike = 1, C3: ArrayLike = 1) -> Bound:
        """The paper's proxy objective (eq. 3, 4): descent = C1, noise = C2, drift = lag = C3.

        >>> Bound.proxy(C3=0.5)
        Bound(descent=1.0, noise=1.0, drift=0.5, lag=0.5, burn_in=1.0, init_error=0.0, q=0.5)
        """
        C1, C2, C3 = (
            _validate.coefficient(name, value)
            for name, value in (("C1", C1), ("C2", C2), ("C3", C3))
        )
        return cls(descent=C1, noise=C2, drift=C3, lag=C3)

    def large_horizon(self) -> Bound:
        """The bound without its burn-in term (eq. 5): what Theorem 1 minimises.

        >>> Bound.proxy().large_horizon().burn_in
        0.0
        """
        return dataclasses.replace(self, burn_in=0.0)

    def leading(self) -> Bound:
        """The bound's leading terms (App. B.2), burn_in = drift = 0: what Theorem 2 minimises.

        >>> Bound.proxy().leading()
        Bound(descent=1.0, noise=1.0, drift=0.0, lag=1.0, burn_in=0.0, init_error=0.0, q=0.5)
        """
        return dataclasses.replace(self, burn_in=0.0, drift=0.0)

    def with_noise_exponent(self, q: ArrayLike) -> Bound:
        """The bound with noise falling as b**-q, q in (0, 1] (App. C.2).

        >>> Bound.proxy().with_noise_exponent(0.4).q
        0.4
        """
        return dataclasses.replace(self, q=q)

    def heavy_tailed(self, p: ArrayLike) -> Bound:
        """Noise with p finite moments, p in (1, 2]: q = 1 - 1/p (App. C.2, III).

        >>> Bound.proxy().heavy_tailed(1.5).q
        0.33333333333333337
        """
        return dataclasses.replace(self, q=1.0 - 1.0 / _validate.in_interval("p", p, 1.0, 2.0))

    def unmatched_init(self, E0: ArrayLike) -> Bound:
        """Momentum not started from a batch-b gradient (App. C.1): burn_in = 0, init_error = E0.

        >>> Bound.proxy().unmatched_init(0.2)
        Bound(descent=1.0, noise=1.0, drift=1.0, lag=1.0, burn_in=0.0, init_error=0.2, q=0.5)
        """
        return dataclasses.replace(self, burn_in=0.0, init_error=_validate.coefficient("E0", E0))


def coefficients(bound: Bound) -> dict[str, NDArray[np.float64]]:
    """A bound's fields as arrays, in the order of `operands`."""
    return _checked(bound)._arrays


def operands(bound: Bound) -> dict[str, _validate.Operand]:
    """A bound's fields in the order every backend expects; TypeError for anything else."""
    return _checked(bound)._operands


def _checked(bound: Bound) -> Bound:
    if not isinstance(bound, Bound):
        raise TypeError(f"bound must be an hplaws.Bound, got {type(bound).__name__}")
    return bound


def risk(
    bound: Bound,
    eta: ArrayLike,
    alpha: ArrayLike,
    b: ArrayLike,
    *,
    T: ArrayLike | None = None,
    K: ArrayLike | None = None,
    out: NDArray[np.float64] | None = None,
    backend: str | None = None,
) -> Any:
    """The bound's value, within 4 ulp (eq. 3, 4, 10, 11 by choice of `bound`).

    (While descent*b/T, 1/eta, eta*(drift + lag/alpha) and noise*b**-q are normal
    numbers, 1e-289 to 1e289 say; where one of them overflows the result is infinite.)

    Parameters
    ----------
    bound : Bound
    eta, alpha, b : learning rate > 0, momentum update in (0, 1], batch size > 0,
        b in the unit of T. Arrays broadcast, with the bound's fields too. Device arrays
        (CuPy's, or of any library with the CUDA array interface or DLPack) are computed
        on where they are, on CuPy's current stream, and do not mix with NumPy's. The
        call does not wait for the result, so other libraries' arrays shall live on until
        that stream has done its work. They are aligned to 8 bytes, else ValueError.
    T, K : token budget or number of steps, exactly one; K means T = b*K, rounded once
    out : float64 array of the broadcast shape to write into
    backend : "native", "numba" or "cuda"; default: HPLAWS_BACKEND, else the best there
        is, and "cuda" for device arrays. "cuda" for NumPy arrays copies them to device 0
        and the result back.

    Returns
    -------
    float64 array of the broadcast shape, a CuPy array for device arrays; a float if every
    argument is a scalar of the host. NaN where an argument is out of its domain (or infinite).

    Raises
    ------
    ValueError : T and K both or neither given; shapes that do not broadcast
    TypeError : complex or object arguments; arrays on different devices or on the host
        and a device (the bound's own aside)
    BackendError : a backend that is not there
    MemoryError : no room for the copies on a device

    Examples
    --------
    >>> bound = Bound.proxy()
    >>> risk(bound, eta=0.01, alpha=0.25, b=16, T=1600)
    1.185
    >>> risk(bound, eta=[0.01, -1.0], alpha=0.25, b=16, K=100)
    array([1.185,   nan])
    """
    name, budget = _validate.one_budget(T, K)
    inputs = {
        **operands(bound),
        "eta": _validate.operand("eta", eta),
        "alpha": _validate.operand("alpha", alpha),
        "b": _validate.operand("b", b),
        name: _validate.operand(name, budget),
    }
    if name == "K":
        _validate.broadcast_shape(**inputs)
        b, steps = inputs["b"], inputs["K"]
        with _devices.beside(b), _devices.beside(steps), np.errstate(all="ignore"):
            inputs["K"] = b * steps
    if out is None:
        return _backend.evaluate("risk", inputs, 1, backend)[0]
    result = _validate.output("out", out, _validate.broadcast_shape(**inputs))
    _validate.broadcast_shape(**inputs, out=result)  # the same shape, but perhaps elsewhere
    chosen, _ = _backend.place({**inputs, "out": result}, backend)
    with _devices.beside(result):
        apart = tuple(np.copy(x) if _overlap(x, result) else x for x in inputs.values())
    chosen.elementwise("risk", apart, (result,))
    return result


def _overlap(x: _validate.Operand, result: Any) -> bool:
    if isinstance(x, float) or _devices.is_device_array(x) != _devices.is_device_array(result):
        return False
    return np.may_share_memory(x, result)
