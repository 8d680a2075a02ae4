"""Powers of the token budget T, and the constants of Corollary 1, in closed form."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _validate
from .bound import Bound, coefficients
from .cubic import cubic_roots
from .theorems import _require

REGIMES = ("A", "B", "C", "D", "SGD")


class Exponents(NamedTuple):
    """Powers of T, signed: the optimal b is proportional to T**b, and so on."""

    b: Fraction
    eta: Fraction
    alpha: Fraction
    K: Fraction
    risk: Fraction


class RateExponents(NamedTuple):
    """Decay rates of the bound's five terms (eq. 31), and the smallest, the bound's own."""

    r1: Any
    r2: Any
    r3: Any
    r4: Any
    r5: Any
    minimum: Any


_HALF, _QUARTER = Fraction(1, 2), Fraction(1, 4)
_ZERO, _ONE = Fraction(0), Fraction(1)
_EXPONENTS = {
    "A": Exponents(_ZERO, -_HALF, _ZERO, _ONE, _ZERO),
    "B": Exponents(_ZERO, Fraction(-3, 4), -_HALF, _ONE, -_QUARTER),
    "C": Exponents(_HALF, -_QUARTER, _ZERO, _HALF, -_QUARTER),
    "D": Exponents(Fraction(1, 6), Fraction(-7, 12), Fraction(-1, 3), Fraction(5, 6), -_QUARTER),
    "SGD": Exponents(_ZERO, -_HALF, _ZERO, _ONE, -_HALF),
}


def exponents(regime: str) -> Exponents:
    """Exact powers of T along each regime's optimal path, as T grows (Table 2, eq. 6 to 9, 42).

    Parameters
    ----------
    regime : what is tuned. "A": eta alone; "B": eta and alpha; "C": eta and b; "D": eta,
        alpha and b; "SGD": eta, for plain SGD, whose risk is a squared gradient norm

    Returns
    -------
    Exponents of b, eta, alpha, K and risk. In regime A the risk tends to the noise
    floor, a constant: exponent 0.

    Raises
    ------
    ValueError : an unknown regime

    Examples
    --------
    >>> exponents("D").eta
    Fraction(-7, 12)
    """
    return _EXPONENTS[_validate.choice("regime", regime, REGIMES)]


def rate_exponents(beta: ArrayLike, gamma: ArrayLike, delta: ArrayLike) -> RateExponents:
    """Decay rates under b = T**beta, alpha = T**-gamma, eta = T**-delta (eq. 29 to 32).

    Each of the bound's terms falls as T**-r_i (q = 1/2, all coefficients positive,
    init_error = 0), their sum as T**-minimum; where the minimum is not positive, the bound
    does not fall. No choice makes it exceed 1/4, since r1 + r5 + 2*r3 = 1.

    Parameters
    ----------
    beta : power of the batch size, in [0, 1] (1 <= b <= T); not the momentum
    gamma, delta : any real numbers; alpha <= 1 for all T only if gamma >= 0

    Returns
    -------
    RateExponents of floats, or of arrays of the broadcast shape; NaN where beta is
    outside [0, 1] or a power is not finite.

    Examples
    --------
    >>> rate_exponents(0.5, 0.0, 0.25)
    RateExponents(r1=0.25, r2=0.75, r3=0.25, r4=0.25, r5=0.25, minimum=0.25)
    """
    arrays = {
        name: _validate.float64(name, value)
        for name, value in (("beta", beta), ("gamma", gamma), ("delta", delta))
    }
    shape = _validate.broadcast_shape(**arrays)
    beta, gamma, delta = arrays.values()
    with np.errstate(all="ignore"):
        rates = (
            1 - beta - delta,
            1 - beta / 2 - gamma,
            (beta + gamma) / 2,
            delta,
            delta - gamma,
        )
        valid = (beta >= 0) & (beta <= 1) & np.isfinite(gamma) & np.isfinite(delta)
        results = (*rates, np.minimum.reduce(np.broadcast_arrays(*rates)))
    return RateExponents(*(_validate.where_valid(shape, valid, r) for r in results))


def path_rate(phi: ArrayLike) -> Any:
    """The best decay rate r of risk = T**-r along b = T**phi (Corollary 2, eq. 33 to 41).

    1/4 for phi <= 1/2, with alpha and eta tuned as in Theorem 2; beyond, where the
    number of steps limits, (1 - phi)/2, which is 0 at phi = 1.

    Parameters
    ----------
    phi : power of the batch size, in [0, 1]

    Returns
    -------
    float, or array of phi's shape; NaN where phi is outside [0, 1].

    Examples
    --------
    >>> path_rate([0.0, 0.5, 0.75])
    array([0.25 , 0.25 , 0.125])
    """
    phi = _validate.float64("phi", phi)
    with np.errstate(invalid="ignore"):
        valid = (phi >= 0) & (phi <= 1)
        return _validate.where_valid(phi.shape, valid, np.minimum(0.25, (1 - phi) / 2))


def batch_sensitivity(q: ArrayLike) -> Any:
    """The power of b left in the leading bound once eta and alpha are tuned (eq. 45).

    With noise falling as b**-q, the tuned risk is proportional to T**(-1/4) * b**(1/4 - q/2):
    flat in b for q = 1/2. It holds while the tuned alpha stays below 1.

    Parameters
    ----------
    q : noise exponent in (0, 1]

    Returns
    -------
    1/4 - q/2: a float, or array of q's shape; NaN where q is outside (0, 1].

    Examples
    --------
    >>> batch_sensitivity(0.25)
    0.125
    """
    q = _validate.float64("q", q)
    with np.errstate(invalid="ignore"):
        return _validate.where_valid(q.shape, (q > 0) & (q <= 1), 0.25 - q / 2)


def effective_exponent(p: ArrayLike, kappa: ArrayLike, lam: ArrayLike) -> Any:
    """The power of T in eta along b = T**p, if eta = b**kappa * K**-lam (eq. 46 to 49).

    kappa*p - lam*(1 - p), positive where p > lam/(kappa + lam) (eq. 48). kappa = 1/4,
    lam = 3/4 (Theorem 2) gives p - 3/4 (eq. 49), as long as alpha, proportional to
    T**(p - 1/2), stays below 1; kappa = 0, lam = 1/2 is fixed momentum.

    Parameters
    ----------
    p : power of the batch size, in [0, 1]
    kappa, lam : finite numbers >= 0

    Returns
    -------
    float, or array of the broadcast shape; NaN where an argument is out of its domain.

    Examples
    --------
    >>> effective_exponent(0.875, 0.25, 0.75)
    0.125
    """
    arrays = {
        name: _validate.float64(name, value)
        for name, value in (("p", p), ("kappa", kappa), ("lam", lam))
    }
    shape = _validate.broadcast_shape(**arrays)
    p, kappa, lam = arrays.values()
    with np.errstate(all="ignore"):
        valid = (p >= 0) & (p <= 1) & (kappa >= 0) & (lam >= 0) & (kappa + lam < np.inf)
        return _validate.where_valid(shape, valid, kappa * p - lam * (1 - p))


def momentum_gap(alpha: ArrayLike, bound: Bound | None = None) -> Any:
    """How many times the best risk a fixed alpha has, as T grows (Corollary 1.1, eq. 27).

    With eta and b tuned, the risk at fixed alpha over that with alpha tuned as well tends
    to (1 + alpha*drift/lag)**(1/4). The proxy, drift = lag, gives (1 + alpha)**(1/4) and at
    most 2**(1/4) = 1.19; the non-convex bound, drift/lag = 7/4, up to (11/4)**(1/4) = 1.29.
    Its fourth power is the ratio of budgets that reach the same risk.

    Parameters
    ----------
    alpha : momentum update in (0, 1]
    bound : Bound with q = 1/2; default: the proxy

    Returns
    -------
    float, or array of the broadcast shape; NaN where alpha is out of its domain or
    drift = lag = 0; infinite where lag = 0 alone.

    Raises
    ------
    ValueError : q is not 1/2

    Examples
    --------
    >>> round(momentum_gap(1.0), 4)
    1.1892
    >>> round(momentum_gap(1.0, Bound.nonconvex(delta0=1, L=1, rho=1, sigma=1)), 4)
    1.2878
    """
    c = coefficients(Bound.proxy() if bound is None else bound)
    _require("momentum_gap", c, "q", 0.5)
    alpha = _validate.float64("alpha", alpha)
    shape = _validate.broadcast_shape(**c, alpha=alpha)
    with np.errstate(all="ignore"):
        gap = np.sqrt(np.sqrt(1 + alpha * (c["drift"] / c["lag"])))
        return _validate.where_valid(shape, _validate.is_momentum(alpha), gap)


def noise_floor(bound: Bound, alpha: ArrayLike, b_max: ArrayLike) -> Any:
    """The risk no budget goes below at fixed alpha and b <= b_max (Corollary 1.2, B.4).

    noise * b_max**-q * sqrt(alpha), the limit of the tuned risk for T -> infinity.

    Parameters
    ----------
    bound : Bound
    alpha : momentum update in (0, 1]
    b_max : largest batch size, > 0

    Returns
    -------
    float, or array of the broadcast shape, in the unit of risk; NaN where an argument is
    out of its domain.

    Examples
    --------
    >>> noise_floor(Bound.proxy(), alpha=0.25, b_max=100)
    0.05
    """
    c = coefficients(bound)
    arrays = {
        "alpha": _validate.float64("alpha", alpha),
        "b_max": _validate.float64("b_max", b_max),
    }
    shape = _validate.broadcast_shape(**c, **arrays)
    alpha, b_max = arrays.values()
    with np.errstate(all="ignore"):
        floor = c["noise"] * np.power(b_max, -c["q"]) * np.sqrt(alpha)
    return _validate.where_valid(
        shape, _validate.is_momentum(alpha) & _validate.positive(b_max), floor
    )


def critical_token_budget(bound: Bound, alpha: ArrayLike) -> Any:
    """The budget T at which the best batch size leaves 1, at fixed alpha (section 4).

    Below it the best b in [1, T] is 1; beyond it b grows (Theorem 1). Exact for the whole
    bound, eta tuned: burn-in, init_error and every q included. On ``bound.large_horizon()``
    and q = 1/2 it is 4*descent*(drift + lag/alpha)/(noise**2*alpha).

    Parameters
    ----------
    bound : Bound
    alpha : momentum update in (0, 1]

    Returns
    -------
    T in the unit of b: float, or array of the broadcast shape. Infinite where
    noise = 0 (b = 1 is best for every T), NaN where alpha is out of its domain.

    Examples
    --------
    >>> f"{critical_token_budget(Bound.proxy(), alpha=1e-3):.3e}"
    '4.067e+06'
    """
    c = coefficients(bound)
    alpha = _validate.float64("alpha", alpha)
    shape = _validate.broadcast_shape(**c, alpha=alpha)
    T = _budget_at_batch(c, alpha, np.ones(()))
    return _validate.where_valid(shape, _validate.is_momentum(alpha), T)


def max_budget(
    bound: Bound, b_max: ArrayLike, regime: str, *, alpha: ArrayLike | None = None
) -> Any:
    """The budget T at which the best batch size reaches a cap (B.4, 3).

    Up to it the cap costs nothing. Exact for the whole bound, with its constants; for
    large b_max it grows as b_max**2 in regime "C", b_max**6 in regime "D" (q = 1/2).

    Parameters
    ----------
    bound : Bound; in regime "D" with q = 1/2 and init_error = 0
    b_max : largest batch size, > 0
    regime : "C", alpha fixed, or "D", alpha in (0, 1] tuned as well
    alpha : in regime "C" the fixed momentum update in (0, 1]; default 1, the least
        favourable: with any other the cap binds later

    Returns
    -------
    T in the unit of b_max: float, or array of the broadcast shape. NaN where an argument
    is out of its domain and, in regime "D", where burn_in, descent or noise is zero and the
    joint optimum with it does not exist.

    Raises
    ------
    ValueError : an unknown regime; alpha given in regime "D"; q or init_error that
        regime "D" does not allow

    Examples
    --------
    >>> bound = Bound.proxy()
    >>> f"{max_budget(bound, 64, 'C', alpha=0.1):.3e} {max_budget(bound, 64, 'D'):.3e}"
    '1.806e+06 7.038e+13'
    """
    c = coefficients(bound)
    _validate.choice("regime", regime, ("C", "D"))
    if regime == "D":
        if alpha is not None:
            raise ValueError(f"alpha is tuned in regime 'D' and cannot be given, got {alpha!r}")
        _require("max_budget in regime 'D'", c, "q", 0.5)
        _require("max_budget in regime 'D'", c, "init_error", 0.0)
    arrays = {
        "b_max": _validate.float64("b_max", b_max),
        "alpha": _validate.float64("alpha", 1.0 if alpha is None else alpha),
    }
    shape = _validate.broadcast_shape(**c, **arrays)
    b, fixed = arrays.values()
    T = _budget_at_batch(c, fixed, b)
    valid = _validate.is_momentum(fixed) & _validate.positive(b)
    if regime == "D":
        tuned, T_tuned = _joint_budget_at_batch(c, b)
        T = np.where(tuned < 1, T_tuned, T)
        valid = valid & _validate.positive(c["burn_in"], c["descent"], c["noise"])
    return _validate.where_valid(shape, valid, T)


def positive_quadratic_root(h: NDArray[np.float64], g: NDArray[np.float64]) -> NDArray[np.float64]:
    """The positive root of y**2 - 2*h*y - g = 0, h, g >= 0: a sum, so nothing cancels."""
    with np.errstate(all="ignore"):
        return h + np.hypot(h, np.sqrt(g))


def _budget_at_batch(
    c: dict[str, NDArray[np.float64]], alpha: NDArray[np.float64], b: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The T at which b is the best batch size at fixed alpha, eta tuned.

    With y = sqrt(T) and S = drift + lag/alpha, the tuned risk
    2 sqrt(descent S b)/y + noise b^-q (burn_in b/(alpha y^2) + sqrt(alpha))
    + init_error b/(alpha y^2) is stationary in b where y^2 - 2 h y - g = 0.
    """
    d, n, q = c["descent"], c["noise"], c["q"]
    with np.errstate(all="ignore"):
        root_alpha = np.sqrt(alpha)
        size = np.power(b, q)
        S = c["drift"] + c["lag"] / alpha
        steps = np.sqrt(d) * np.sqrt(S)
        # A zero is exact also where the noise it is divided by is zero too.
        h = np.where(steps > 0, steps * np.sqrt(b) * (size / n) / (2 * q * root_alpha), 0.0)
        start = (1 - q) * c["burn_in"] + c["init_error"] * (size / n)
        g = start * b / (q * alpha * root_alpha)
        T = positive_quadratic_root(h, g) ** 2
    return T


def _joint_budget_at_batch(
    c: dict[str, NDArray[np.float64]], b: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Theorem 3 turned round: alpha and T at which b is the best batch size, alpha not clamped.

    The cubic of eq. 20 gives T for alpha, and eq. 16 then, with y = sqrt(alpha),
    y (2 drift y^2 + lag) = s (drift y^2 + lag),  s = burn_in noise^2/(4 descent drift b),
    which is 2 m x^3 - m x^2 + x - 1 = 0 for x = y/s in [1/2, 1], m = s^2 drift/lag.
    """
    d, n, drift, lag = c["descent"], c["noise"], c["drift"], c["lag"]
    with np.errstate(all="ignore"):
        s = c["burn_in"] * n / (4 * d) * (n / drift) / b
        light = 1 / (1 + s * s * (drift / lag))  # 1/(1 + m), so that m may be infinite
        # One real root, but for m so large that the pair at 0 +- i/sqrt(2 m) rounds to 0.
        roots = cubic_roots(2 * (1 - light), light - 1, light, -light)
        alpha = (s * np.fmax.reduce(roots, axis=-1)) ** 2
        S = drift + lag / alpha
        T = (c["burn_in"] * n / (2 * drift * alpha) * np.sqrt(S / d)) ** 2
    return alpha, T
