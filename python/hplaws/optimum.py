"""The result every solver returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Optimum:
    """A minimiser of a bound: arrays of one shape, or floats for scalar arguments.

    Attributes
    ----------
    eta : learning rate
    alpha : momentum update, 1 - beta
    b : batch size, in the unit of T
    K : steps
    T : token budget, b*K
    risk : the bound's value at this point
    feasible : whether alpha <= 1 and 1 <= b <= T
    """

    eta: Any
    alpha: Any
    b: Any
    K: Any
    T: Any
    risk: Any
    feasible: Any
