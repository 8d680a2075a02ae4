"""The best hyperparameters inside the limits people really have."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _backend, _devices, _validate
from ._fields import Result
from ._validate import Operand
from .bound import Bound, operands

Limits = ArrayLike | tuple[ArrayLike | None, ArrayLike | None]
_OPEN: dict[str, Limits] = {"eta": (0.0, np.inf), "alpha": (0.0, 1.0), "b": (1.0, None)}


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
    eta: Limits = _OPEN["eta"],
    alpha: Limits = _OPEN["alpha"],
    b: Limits = _OPEN["b"],
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

    All arguments broadcast, limits included; device arrays as in `risk`.

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
    budget = _validate.operand("T", T)
    eta_low, eta_high = _limits("eta", eta, 0.0, math.inf)
    alpha_low, alpha_high = _limits("alpha", alpha, 0.0, 1.0)
    b_low, b_high = _limits("b", b, 1.0, budget)
    inputs = {
        **operands(bound),
        "T": budget,
        "eta lower": eta_low,
        "eta upper": eta_high,
        "alpha lower": alpha_low,
        "alpha upper": alpha_high,
        "b lower": b_low,
        "b upper": b_high,
        "batch_multiple": _multiple(batch_multiple),
    }
    found = _backend.evaluate("optimum", inputs, 9, backend)
    with _devices.beside(found[0]):
        feasible = found[2] <= budget
        active = {"eta": _binding(found[6]), "alpha": _binding(found[7]), "b": _binding(found[8])}
    return Optimum(*found[:6], feasible, active)  # type: ignore[call-arg]


def _binding(limit: Any) -> Any:
    # NaN, which whole numbers do not have, is where there is no minimiser.
    if isinstance(limit, float):
        return 0 if math.isnan(limit) else int(limit)
    return np.where(np.isnan(limit), 0, limit).astype(np.int8)


def _multiple(given: ArrayLike | None) -> Operand:
    if given is None:
        return math.nan  # the kernels' word for none, while a given NaN is out of the domain
    multiple = _validate.operand("batch_multiple", given)
    if isinstance(multiple, float):
        _validate.in_interval("batch_multiple", multiple, 0.0, _validate.LARGEST)
        return multiple
    with _devices.beside(multiple):
        return np.where(np.isnan(multiple), 0.0, multiple)


# What a limit must be: within these two, in words.
_DOMAINS = {
    "eta": (0.0, math.inf, "at least 0"),
    "alpha": (0.0, 1.0, "in [0, 1]"),
    "b": (math.ulp(0.0), math.inf, "positive"),
}


def _limits(name: str, given: Limits, lowest: Operand, highest: Operand) -> tuple[Operand, Operand]:
    """The lower and upper limit of one variable. Those given as scalars are checked."""
    if given is _OPEN[name]:  # the usual case, where microseconds count
        return lowest, highest
    pair = given if isinstance(given, tuple) else (given, given)
    if len(pair) != 2:
        raise ValueError(f"{name} must be a value or a pair (lower, upper), got {given!r}")
    lower, upper = pair
    label = f"{name} limit"
    low = None if lower is None else _validate.operand(label, lower)
    high = None if upper is None else _validate.operand(label, upper)
    least, greatest, expected = _DOMAINS[name]
    for end in (low, high):
        if isinstance(end, float) and not least <= end <= greatest:
            raise ValueError(f"{name} limits must be {expected}, got {given!r}")
    if isinstance(low, float) and isinstance(high, float) and low > high:
        raise ValueError(f"{name}: the lower limit exceeds the upper one in {given!r}")
    return lowest if low is None else low, highest if high is None else high
