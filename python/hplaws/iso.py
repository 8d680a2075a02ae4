"""Curves of constant risk in the plane of steps and batch size (App. D)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _validate
from ._fields import Result
from .bound import Bound, coefficients
from .exponents import positive_quadratic_root


@dataclass(frozen=True, eq=False)
class IsoRisk(Result):
    """A curve of constant risk: arrays of one shape, or floats for scalar arguments.

    Attributes
    ----------
    K, b : steps and batch size on the curve; the one solved for is NaN where the level
        cannot be reached
    K_min : steps below which no batch size reaches the level; the limit of K for b -> infinity
    b_min : batch size below which no number of steps does; the limit of b for K -> infinity
    """

    K: Any
    b: Any
    K_min: Any
    b_min: Any


def iso_risk(
    bound: Bound,
    level: ArrayLike,
    *,
    alpha: ArrayLike,
    K: ArrayLike | None = None,
    b: ArrayLike | None = None,
) -> IsoRisk:
    """The (K, b) curve on which the risk, with eta tuned, equals `level` (App. D).

    At eta = sqrt(descent/(S*K)), S = drift + lag/alpha, the whole bound is ::

        2*sqrt(descent*S/K) + noise*b**-q * (burn_in/(alpha*K) + sqrt(alpha))
                            + init_error/(alpha*K)

    Given K this is solved for b, given b for K (a quadratic in 1/sqrt(K)). It falls in
    both, so that the curve lies in K > K_min, b > b_min and has those lines as asymptotes.

    Parameters
    ----------
    bound : Bound
    level : risk to reach, > 0
    alpha : momentum update in (0, 1]
    K, b : steps or batch size, > 0; exactly one

    Returns
    -------
    IsoRisk. NaN where the level cannot be reached (K <= K_min, b <= b_min), where the
    risk does not depend on what is solved for, and where an argument is out of its domain.
    The curve steepens at its asymptotes: one ulp in K moves b by about
    level/(level - limit)/q ulp, the limit being the risk for b -> infinity.

    Raises
    ------
    ValueError : K and b both or neither given

    Examples
    --------
    >>> iso_risk(Bound(1.0, 1.0, 0.0, 0.25, burn_in=0.0), 0.5, alpha=0.25, K=64)
    IsoRisk(K=64.0, b=4.0, K_min=16.0, b_min=1.0)
    """
    if (K is None) == (b is None):
        which = "neither" if K is None else "both"
        raise ValueError(f"exactly one of K and b must be given, got {which}")
    name, given = ("K", K) if K is not None else ("b", b)
    c = coefficients(bound)
    arrays = {
        "level": _validate.float64("level", level),
        "alpha": _validate.float64("alpha", alpha),
        name: _validate.float64(name, given),  # type: ignore[arg-type]
    }
    shape = _validate.broadcast_shape(**c, **arrays)
    level, alpha, given = arrays.values()
    noise, q, init_error = c["noise"], c["q"], c["init_error"]
    with np.errstate(all="ignore"):
        steps = np.sqrt(c["descent"]) * np.sqrt(c["drift"] + c["lag"] / alpha)
        floor = np.sqrt(alpha)
        K_min = positive_quadratic_root(steps / level, init_error / alpha / level) ** 2
        b_min = np.power(noise * floor / level, 1 / q)
        if name == "K":
            root = np.sqrt(given)
            left = level - (2 * steps + init_error / (alpha * root)) / root
            solved = np.power(noise * (c["burn_in"] / (alpha * given) + floor) / left, 1 / q)
        else:
            scale = noise * np.power(given, -q)
            left = level - scale * floor
            burn_in = (scale * c["burn_in"] + init_error) / alpha
            solved = positive_quadratic_root(steps / left, burn_in / left) ** 2
        reached = (left > 0) & (solved > 0)
    valid = _validate.is_momentum(alpha) & _validate.positive(level)
    inside = valid & _validate.positive(given)
    point = {
        name: _validate.where_valid(shape, inside, given),
        "b" if name == "K" else "K": _validate.where_valid(shape, inside & reached, solved),
    }
    return IsoRisk(
        **point,
        K_min=_validate.where_valid(shape, valid, K_min),
        b_min=_validate.where_valid(shape, valid, b_min),
    )
