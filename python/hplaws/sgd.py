"""Euclidean SGD (App. B.6): the bound in which the batch size cancels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _validate
from ._fields import Fields, Result
from .bound import Coefficient

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SGDOptimum(Result):
    """The best learning rate of an `SGDBound`: arrays of one shape, or floats.

    Attributes
    ----------
    eta : learning rate, at most 1/L
    b : batch size, in the unit of T
    K : steps
    T : token budget, b*K
    risk : the bound's value at this point, a squared gradient norm
    capped : whether the cap eta <= 1/L binds
    """

    eta: Any
    b: Any
    K: Any
    T: Any
    risk: Any
    capped: Any


@dataclass(frozen=True, eq=False)
class SGDBound(Fields):
    """The classical non-convex bound for SGD on the mean squared gradient norm (eq. 42)::

        R(eta, b; T) = delta0 * b/(eta*T) + L * eta * sigma**2/b,    T = b*K

    proven (up to a constant factor) for eta <= 1/L.

    **The optimum.** At fixed T and b the two terms are equal at
    eta = (b/sigma)*sqrt(delta0/(L*T)), and R = 2*sigma*sqrt(delta0*L/T) there: b has
    cancelled, every batch size is as good as any other. That holds until eta reaches
    1/L, at b_crit = sigma*sqrt(T/(delta0*L)).

    **Beyond b_crit** eta stays at 1/L and R = delta0*L*b/T + sigma**2/b, which is

        R = (x + 1/x)/2 * 2*sigma*sqrt(delta0*L/T),    x = b/b_crit.

    Value and slope join those below b_crit (the slope is zero from both sides); then R
    rises, in the end in proportion to b, because K = T/b steps of size 1/L no longer
    cover the descent. So b_crit is the largest of the optimal batch sizes and needs
    the fewest steps. At fixed K instead of T a larger b always lowers R, beyond
    b_crit = sigma**2*K/(delta0*L) towards the floor delta0*L/K.

    Parameters
    ----------
    delta0 : initial suboptimality, in loss units
    L : smoothness, squared gradient norm per loss
    sigma : standard deviation of the gradient at b = 1, a gradient norm
        Each a finite number >= 0, or an array of them; arrays broadcast.

    Raises
    ------
    ValueError : a coefficient is negative, NaN or infinite; the message names it.

    Examples
    --------
    >>> bound = SGDBound(delta0=4, L=1, sigma=3)
    >>> best = bound.optimum(T=3600, b=10)
    >>> f"{best.eta:.4f} {best.risk:.4f} {best.capped}"
    '0.1111 0.2000 False'
    >>> bound.critical_batch(T=3600)
    90.0
    >>> f"{bound.optimum(T=3600, b=180).risk:.4f}"
    '0.2500'
    """

    delta0: Coefficient
    L: Coefficient
    sigma: Coefficient

    @property
    def eta_max(self) -> Any:
        """The step-size cap 1/L; infinite for L = 0."""
        with np.errstate(divide="ignore", over="ignore"):
            return _validate.plain(1.0 / np.asarray(self.L))

    def risk(
        self,
        eta: ArrayLike,
        b: ArrayLike,
        *,
        T: ArrayLike | None = None,
        K: ArrayLike | None = None,
    ) -> Any:
        """The right-hand side of eq. 42; beyond eta = 1/L its value is no guarantee.

        Parameters
        ----------
        eta, b : learning rate > 0 and batch size > 0, b in the unit of T
        T, K : token budget or number of steps, exactly one; K means T = b*K

        Returns
        -------
        float64 array of the broadcast shape, or a float; NaN where an argument is out
        of its domain or infinite.
        """
        name, budget = _validate.one_budget(T, K)
        given = {
            "eta": _validate.float64("eta", eta),
            "b": _validate.float64("b", b),
            name: _validate.float64(name, budget),
        }
        shape = _validate.broadcast_shape(**self._arrays, **given)
        with np.errstate(all="ignore"):
            tokens = given["T"] if name == "T" else given["b"] * given["K"]
        value = self._value(given["eta"], given["b"], tokens)
        return _validate.where_valid(shape, True, value)

    def optimum(
        self,
        T: ArrayLike | None = None,
        b: ArrayLike | None = None,
        *,
        K: ArrayLike | None = None,
    ) -> SGDOptimum:
        """The best learning rate, min((b/sigma)*sqrt(delta0/(L*T)), 1/L).

        Parameters
        ----------
        T, b, K : token budget, batch size and steps, all > 0; any two, T = b*K

        Returns
        -------
        SGDOptimum. NaN where an argument is out of its domain or there is no best
        learning rate: for delta0 = 0 it is 0, for L = 0 infinity. For sigma = 0 it is
        1/L.

        Raises
        ------
        ValueError : not exactly two of T, b and K given
        """
        given = {
            name: _validate.float64(name, x)
            for name, x in (("T", T), ("b", b), ("K", K))
            if x is not None
        }
        if len(given) != 2:
            names = " and ".join(given) if len(given) < 3 else "all three"
            raise ValueError(f"two of T, b and K must be given, got {names or 'none'}")
        arrays = self._arrays | given
        shape = _validate.broadcast_shape(**arrays)
        delta0, L, sigma = (arrays[name] for name in ("delta0", "L", "sigma"))
        with np.errstate(all="ignore"):
            size = given["b"] if "b" in given else given["T"] / given["K"]
            tokens = given["T"] if "T" in given else given["b"] * given["K"]
            steps = given["K"] if "K" in given else given["T"] / given["b"]
            free = size / sigma * (np.sqrt(delta0 / L) / np.sqrt(tokens))
            cap = 1.0 / L
            eta = np.minimum(free, cap)
            capped = free > cap
        risk = self._value(eta, size, tokens)
        exists = ~np.isnan(risk)
        binds = np.broadcast_to(exists & capped, shape).copy()
        return SGDOptimum(
            eta=_validate.where_valid(shape, exists, eta),
            b=_validate.where_valid(shape, exists, size),
            K=_validate.where_valid(shape, exists, steps),
            T=_validate.where_valid(shape, exists, tokens),
            risk=_validate.where_valid(shape, exists, risk),
            capped=bool(binds) if shape == () else binds,
        )

    def critical_batch(self, T: ArrayLike | None = None, *, K: ArrayLike | None = None) -> Any:
        """The batch size from which on eta <= 1/L binds, and the largest optimal one at T.

        sigma*sqrt(T/(delta0*L)) at a token budget T, sigma**2*K/(delta0*L) at K steps.

        Parameters
        ----------
        T, K : token budget or number of steps, > 0, exactly one

        Returns
        -------
        float64 array of the broadcast shape, or a float; NaN where T or K is out of its
        domain, infinite where delta0*L = 0 (the cap never binds), 0 where only
        sigma = 0 (it always does).
        """
        name, value = _validate.one_budget(T, K)
        budget = _validate.float64(name, value)
        arrays = self._arrays
        shape = _validate.broadcast_shape(**arrays, **{name: budget})
        delta0, L, sigma = arrays.values()
        with np.errstate(all="ignore"):
            if name == "T":
                b = sigma * np.sqrt(budget / delta0 / L)
            else:
                b = sigma * (sigma / L) * (budget / delta0)
            # 0/0 in sigma = delta0*L = 0: without a finite best rate no cap binds.
            b = np.where((delta0 == 0) | (L == 0), np.inf, b)
        return _validate.where_valid(shape, _validate.positive(budget), b)

    def _value(self, eta: Array, b: Array, T: Array) -> Array:
        delta0, L, sigma = self._arrays.values()
        with np.errstate(all="ignore"):
            # b/T and sigma/b first: they keep large budgets and variances in range.
            R = delta0 * (b / T) / eta + L * eta * (sigma * (sigma / b))
        return np.where(_validate.positive(eta, b, T), R, np.nan)
