"""theorems.hpp for Numba: the stationary points of the paper's three theorems."""

from __future__ import annotations

import math
from typing import NamedTuple

from .bound import Coefficients, positive_finite, value
from .config import formula
from .cubic import positive_cubic_root
from .power import inverse_power


class StationaryPoint(NamedTuple):
    eta: float
    alpha: float
    b: float
    K: float
    T: float
    risk: float


@formula
def stationary_point(
    c: Coefficients, valid: bool, eta: float, alpha: float, b: float, K: float, T: float
) -> StationaryPoint:
    exists = (
        valid & positive_finite(eta) & positive_finite(b) & positive_finite(K) & positive_finite(T)
    )
    R = value(c, eta, alpha, b, T)
    return StationaryPoint(
        eta if exists else math.nan,
        alpha if exists else math.nan,
        b if exists else math.nan,
        K if exists else math.nan,
        T if positive_finite(T) else math.nan,
        R if exists else math.nan,
    )


@formula
def is_momentum(alpha: float) -> bool:
    return (alpha > 0.0) & (alpha <= 1.0)


@formula
def best_rate(descent: float, smooth: float, b: float, T: float) -> float:
    return math.sqrt(descent / smooth) * math.sqrt(b / T)


@formula
def smoothness(c: Coefficients, alpha: float) -> float:
    return c.drift + c.lag / alpha


@formula
def without_burn_in(c: Coefficients, drift: float) -> Coefficients:
    return Coefficients(c.descent, c.noise, drift, c.lag, 0.0, c.init_error, c.q)


@formula
def theorem1(bound: Coefficients, alpha: float, T: float) -> StationaryPoint:
    c = without_burn_in(bound, bound.drift)
    S = smoothness(c, alpha)
    g = c.q * c.noise * math.sqrt(alpha) * (math.sqrt(T / c.descent) / math.sqrt(S))
    b = g
    if c.q != 0.5:
        power = inverse_power(1.0 / g, 1.0 / (c.q + 0.5))
        b = power.hi + power.lo if positive_finite(g) else g
    eta = best_rate(c.descent, S, b, T)
    return stationary_point(c, is_momentum(alpha), eta, alpha, b, T / b, T)


@formula
def theorem1_steps(bound: Coefficients, alpha: float, K: float, b: float) -> StationaryPoint:
    c = without_burn_in(bound, bound.drift)
    eta = math.sqrt(c.descent / smoothness(c, alpha)) / math.sqrt(K)
    return stationary_point(c, is_momentum(alpha), eta, alpha, b, K, b * K)


@formula
def theorem2(bound: Coefficients, b: float, T: float) -> StationaryPoint:
    c = without_burn_in(bound, 0.0)
    size = inverse_power(b, c.q)
    noise = c.noise * size.hi
    alpha = 2.0 * math.sqrt(c.descent) * math.sqrt(c.lag) * math.sqrt(b / T) / noise
    eta = best_rate(c.descent, c.lag / alpha, b, T)
    return stationary_point(c, True, eta, alpha, b, T / b, T)


@formula
def best_batch_and_rate(c: Coefficients, alpha: float, T: float) -> StationaryPoint:
    S = smoothness(c, alpha)
    slope = 2.0 * math.sqrt(c.descent / T) * math.sqrt(S) + c.burn_in * c.noise / alpha / T
    b = c.noise * math.sqrt(alpha) / slope
    return stationary_point(c, True, best_rate(c.descent, S, b, T), alpha, b, T / b, T)


class MomentumCubic(NamedTuple):
    p: float
    r: float


@formula
def momentum_cubic(c: Coefficients, T: float) -> MomentumCubic:
    s = 0.5 * c.burn_in * c.noise / (math.sqrt(c.descent) * math.sqrt(T))
    p = s * (s / c.drift)
    return MomentumCubic(p, p * (c.lag / c.drift))


@formula
def theorem3_momentum(c: Coefficients, T: float) -> float:
    m = momentum_cubic(c, T)
    return positive_cubic_root(1.0, m.p, m.r) if m.r > 0.0 else math.sqrt(m.p)


@formula
def theorem3(c: Coefficients, T: float) -> StationaryPoint:
    return best_batch_and_rate(c, theorem3_momentum(c, T), T)


@formula
def theorem3_asymptotic_momentum(c: Coefficients, T: float, order: float) -> float:
    m = momentum_cubic(c, T)
    alpha = positive_cubic_root(1.0, 0.0, m.r)
    return alpha + m.p / (3.0 * alpha) if order == 1.0 else alpha
