"""argmin.hpp for Numba: the order in which configurations compete."""

from __future__ import annotations

from typing import NamedTuple

from .config import formula


class Winner(NamedTuple):
    risk: float
    row: int  # alpha * n_b + b
    eta: int


@formula
def precedes(risk: float, row: int, other_risk: float, other_row: int) -> bool:
    return risk < other_risk or (risk == other_risk and row < other_row)


@formula
def winner_precedes(x: Winner, y: Winner) -> bool:
    return x.risk < y.risk or (
        x.risk == y.risk and (x.row < y.row or (x.row == y.row and x.eta < y.eta))
    )
