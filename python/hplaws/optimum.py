"""The best hyperparameters inside the limits people really have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _backend, _validate
from ._fields import Result
from .bound import Bound, coefficients

Array = NDArray[np.float64]
Limits = ArrayLike | tuple[ArrayLike | None, ArrayLike | None]


@dataclass(frozen=True, eq=False)
class Optimum(Result):
    """A minimiser of a bound: arrays of one shape, or floats for scalar arguments.

    Attributes
    ----------
    eta : learning rate
    alpha : momentum update, 1 - beta
    b : batch size, in the unit of T
    K : steps
    T : token budget, b*K
    risk : the bound's value at this point
    feasible : whether alpha <= 1 and 1 <= b <= T; for `optimum`, whose box bounds alpha
        and b, whether there is a minimiser and it takes at least one step, b <= T
    active : for `optimum`, which limits bind: {"eta", "alpha", "b"} to -1 (the lower
        one), +1 (the upper one), 0 (neither) or 2 (both: the variable is fixed);
        empty for the theorem solvers, which know no limits
    """

    eta: Any
    alpha: Any
    b: Any
    K: Any
    T: Any
    risk: Any
    feasible: Any
    active: dict[str, Any] = field(default_factory=dict)


def optimum(
    bound: Bound,
    T: ArrayLike,
    *,
    eta: Limits = (0.0, np.inf),
    alpha: Limits = (0.0, 1.0),
    b: Limits = (1.0, None),
    batch_multiple: ArrayLike | None = None,
    backend: str | None = None,
) -> Optimum:
    """The exact global minimiser of `risk` at budget T inside a box.

    In the logarithms of eta, alpha and b the bound is a sum of exponentials of linear
    forms, hence convex: the box holds one optimum. It is found in closed form in eta
    (eq. 12) and b (the square root of eq. 16, or a cubic where eta is at its cap or
    init_error is not zero; a scalar equation for q other than 1/2) and by Newton's
    method in log alpha; without limits and with q = 1/2 it is Theorem 3.

    Parameters
    ----------
    bound : Bound, any q and init_error
    T : token budget
    eta, alpha, b : a pair (a tuple) of limits, or a value to fix the variable at. An
        upper limit of None means infinity, 1, and T for b. (An upper limit for b above
        T is taken as it stands; where it leads to b > T, `feasible` is False.) A list is
        an array of values to fix the variable at, not a pair.
    batch_multiple : restrict b to the multiples of this number (exactly: the best of
        them, not the rounded optimum)

    All arguments broadcast, limits included.

    Returns
    -------
    Optimum, with `active` saying which limits bind. NaN where an argument is out of
    its domain or the box is empty. Where coefficients vanish the infimum may lie at an
    open limit: then eta is 0 or infinity, or alpha is 0, and `risk` is the infimum.

    Raises
    ------
    ValueError : a scalar limit outside eta >= 0, 0 <= alpha <= 1, b > 0, or a scalar
        lower limit above the upper one

    Examples
    --------
    >>> bound = Bound.nonconvex(delta0=5, L=20, rho=1, sigma=40)
    >>> best = optimum(bound, 1e11, alpha=0.05, b=(1, 4096), batch_multiple=8)
    >>> best.b, best.active
    (4096.0, {'eta': 0, 'alpha': 2, 'b': 1})
    """
    multiple = np.nan if batch_multiple is None else batch_multiple
    arrays = {
        **coefficients(bound),
        "T": _validate.float64("T", T),
        **_limits("eta", eta, T),
        **_limits("alpha", alpha, T),
        **_limits("b", b, T),
        "batch_multiple": _validate.float64("batch_multiple", multiple),
    }
    if batch_multiple is not None:
        given = arrays["batch_multiple"]
        if given.ndim == 0:
            _validate.in_interval("batch_multiple", given, 0.0, _validate.LARGEST)
        arrays["batch_multiple"] = np.where(np.isnan(given), 0.0, given)  # NaN means none
    shape = _validate.broadcast_shape(**arrays)
    results = tuple(np.empty(shape) for _ in range(9))
    _backend.get(backend).elementwise("optimum", tuple(arrays.values()), results)
    exists = ~np.isnan(results[5])
    feasible = exists & (arrays["T"] >= results[2])
    binding = (np.where(exists, limit, 0).astype(np.int8) for limit in results[6:])
    active = dict(zip(("eta", "alpha", "b"), binding, strict=True))
    if shape == ():
        values = [float(x) for x in results[:6]]
        return _optimum(values, bool(feasible), {k: int(v) for k, v in active.items()})
    return _optimum(results[:6], feasible, active)


def _optimum(values: Sequence[Any], feasible: Any, active: dict[str, Any]) -> Optimum:
    eta, alpha, b, K, T, risk = values
    return Optimum(eta, alpha, b, K, T, risk, feasible, active)


# Lower and upper limit of each variable, and what a limit must be.
_LIMITS: dict[str, tuple[float, float, str]] = {
    "eta": (0.0, np.inf, "at least 0"),
    "alpha": (0.0, 1.0, "in [0, 1]"),
    "b": (1.0, np.nan, "positive"),  # above: T
}


def _limits(name: str, given: Limits, T: ArrayLike) -> dict[str, Array]:
    """The lower and upper limit of one variable. Those given as scalars are checked."""
    pair = given if isinstance(given, tuple) else (given, given)
    if len(pair) != 2:
        raise ValueError(f"{name} must be a value or a pair (lower, upper), got {given!r}")
    lowest, highest, expected = _LIMITS[name]
    default = (lowest, T if name == "b" else highest)
    ends = [
        _validate.float64(f"{name} limit", default[k] if end is None else end)
        for k, end in enumerate(pair)
    ]
    scalars = [end for end, own in zip(ends, pair, strict=True) if own is not None and not end.ndim]
    for end in scalars:
        if not (end > 0 if name == "b" else (end >= 0) & (end <= highest)):
            raise ValueError(f"{name} limits must be {expected}, got {given!r}")
    if len(scalars) == 2 and scalars[0] > scalars[1]:
        raise ValueError(f"{name}: the lower limit exceeds the upper one in {given!r}")
    return {f"{name} lower": ends[0], f"{name} upper": ends[1]}
