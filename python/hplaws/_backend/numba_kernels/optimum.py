"""optimum.hpp for Numba: the minimum of R over a box in (eta, alpha, b)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .bound import Coefficients, positive_finite, value
from .config import formula, part
from .cubic import cube_root, positive_cubic_root
from .exact import DBL_MAX, Pair
from .power import exponential, inverse_power, logarithm
from .theorems import StationaryPoint, smoothness, theorem2, theorem3

Limits = tuple[float, float]


class Box(NamedTuple):
    eta: Limits
    alpha: Limits
    b: Limits


class BoxedOptimum(NamedTuple):
    eta: float
    alpha: float
    b: float
    K: float
    T: float
    risk: float
    eta_limit: float
    alpha_limit: float
    b_limit: float


@formula
def clip(v: float, limits: Limits) -> float:
    if v < limits[0]:
        return limits[0]
    return limits[1] if v > limits[1] else v


@formula
def limit_of(v: float, limits: Limits) -> float:
    if limits[0] == limits[1]:
        return 2.0
    if v <= limits[0]:
        return -1.0
    return 1.0 if v >= limits[1] else 0.0


class Size(NamedTuple):
    b: float
    power: float


@formula
def power_at(b: float, q: float, known: Size) -> float:
    return known.power if b == known.b else inverse_power(b, q).hi


@part
def best_batch(
    A: float, C: float, E: float, H: float, q: float, limits: Limits, near: float, known: Size
) -> float:
    if not (A > 0.0):
        return limits[0]
    if q == 0.5:
        B = C + H
        if not (E > 0.0):
            return clip(A / B, limits)
        y = positive_cubic_root(A, B, 2.0 * E) if B > 0.0 else cube_root(2.0 * E / A)
        return clip(1.0 / (y * y), limits)
    linear_weight = (1.0 - q) * C
    root_weight = 0.5 * H
    target = q * A
    low = limits[0]
    high = limits[1]
    b = clip(near, limits)
    for _ in range(100):
        growth = 1.0 / power_at(b, q, known)
        linear = linear_weight * b
        steep = E * b * growth
        root = root_weight * math.sqrt(b) * growth
        f = linear + steep + root
        if not (f > 0.0):
            return limits[1]
        if (b == limits[0] and f >= target) or (b == limits[1] and f <= target):
            return b
        if f < target:
            low = b
        else:
            high = b
        slope = (linear + (1.0 + q) * steep + (q + 0.5) * root) / f
        r = f / target
        close = r > 0.75 and r < 1.5
        log_r = 2.0 * (r - 1.0) / (r + 1.0) if close else logarithm(r).hi
        h = log_r / slope
        if math.fabs(h) < 0.5:
            next = b * (1.0 - 0.5 * h) / (1.0 + 0.5 * h)
        else:
            next = b * exponential(Pair(-h, 0.0)).hi
        if next != next:
            next = math.sqrt(low) * math.sqrt(high)
        next = clip(next, (low, high))
        if math.fabs(h) < 2.0**-26 or next == b:
            return next
        b = next
    return b


class Slice(NamedTuple):
    eta: float
    size: Size
    slope: float
    curvature: float
    noise: float


@formula
def best_eta(D: float, S: float, limits: Limits) -> float:
    eta = math.sqrt(D) / math.sqrt(S)
    return clip(1.0 if eta != eta else eta, limits)


@part
def at_alpha(c: Coefficients, box: Box, alpha: float, T: float, near: Size) -> Slice:
    S = smoothness(c, alpha)
    A = c.noise * math.sqrt(alpha)
    C = c.burn_in * c.noise / alpha / T
    E = c.init_error / alpha / T
    H = 2.0 * math.sqrt(c.descent / T) * math.sqrt(S)
    b = box.b[0]
    if box.b[0] < box.b[1]:
        b = best_batch(A, C, E, H, c.q, box.b, near.b, near)
        free = math.sqrt(c.descent * (b / T)) / math.sqrt(S)
        cap = box.eta[0] if free < box.eta[0] else box.eta[1]
        if free < box.eta[0] or free > box.eta[1]:
            b = best_batch(A, C, E + c.descent / T / cap, 0.0, c.q, box.b, b, near)
    D = c.descent * (b / T)
    eta = best_eta(D, S, box.eta)

    power = power_at(b, c.q, near)
    descent = D / eta if D > 0.0 else 0.0
    start = C * power * b
    floor = A * power
    init = E * b
    drift = c.drift * eta if c.drift > 0.0 else 0.0
    lag = c.lag / alpha * eta if c.lag > 0.0 else 0.0
    q = c.q
    p = 1.0 - c.q
    slope = 0.5 * floor - (start + init + lag)
    noise = 0.5 * floor + start + init + lag
    xx = start + 0.25 * floor + init + lag
    xy = -(p * start + 0.5 * q * floor + init)
    yy = descent + p * p * start + q * q * floor + init
    zz = descent + drift + lag
    if eta > box.eta[0] and eta < box.eta[1] and zz > 0.0:
        xx -= lag * (lag / zz)
        xy -= lag * (descent / zz)
        yy -= descent * (descent / zz)
    if b > box.b[0] and b < box.b[1] and yy > 0.0:
        xx -= xy * (xy / yy)
    return Slice(eta, Size(b, power), slope, xx, noise)


@formula
def nothing(T: float) -> BoxedOptimum:
    nan = math.nan
    return BoxedOptimum(nan, nan, nan, nan, T if positive_finite(T) else nan, nan, nan, nan, nan)


@part
def result(c: Coefficients, box: Box, alpha: float, b: float, eta: float, T: float) -> BoxedOptimum:
    if eta > 0.0 and eta <= DBL_MAX:
        risk = value(c, eta, alpha, b, T)
        if not (b > 0.0 and risk <= DBL_MAX):
            return nothing(T)
    else:
        honest = c.descent == 0.0 if eta == 0.0 else c.drift == 0.0 and c.lag == 0.0
        if not honest:
            return nothing(T)
        limit = Coefficients(0.0, c.noise, 0.0, 0.0, c.burn_in, c.init_error, c.q)
        risk = value(limit, 1.0, alpha, b, T)
    return BoxedOptimum(
        eta,
        alpha,
        b,
        T / b,
        T,
        risk,
        limit_of(eta, box.eta),
        limit_of(alpha, box.alpha),
        limit_of(b, box.b),
    )


class Start(NamedTuple):
    alpha: float
    b: float


@part
def likely_optimum(c: Coefficients, box: Box, T: float, free: StationaryPoint) -> Start:
    b = clip(free.b, box.b) if c.q >= 0.5 and free.b == free.b else box.b[0]
    if c.q == 0.5 and b == free.b:
        return Start(free.alpha, b)
    inside = (2.0 * c.q - 1.0) * c.lag / c.drift
    at_limit = theorem2(c, box.b[1] if c.q > 0.5 else b, T).alpha
    return Start(inside if c.q > 0.5 and inside < at_limit else at_limit, b)


@part
def minimise(c: Coefficients, box: Box, T: float) -> BoxedOptimum:
    free = theorem3(c, T)
    if (
        c.q == 0.5
        and c.init_error == 0.0
        and free.alpha > box.alpha[0]
        and free.alpha < box.alpha[1]
        and free.b > box.b[0]
        and free.b < box.b[1]
        and free.eta > box.eta[0]
        and free.eta < box.eta[1]
    ):
        return result(c, box, free.alpha, free.b, free.eta, T)
    start = likely_optimum(c, box, T, free)
    first = Size(start.b, inverse_power(start.b, c.q).hi)
    top = at_alpha(c, box, box.alpha[1], T, first)
    if box.alpha[0] == box.alpha[1] or top.slope <= 0.0:
        return result(c, box, box.alpha[1], top.size.b, top.eta, T)
    low = box.alpha[0]
    high = box.alpha[1]
    if low > 0.0:
        bottom = at_alpha(c, box, low, T, first)
        if bottom.slope >= 0.0:
            return result(c, box, low, bottom.size.b, bottom.eta, T)
    if start.alpha > low and start.alpha < high:
        alpha = start.alpha
    else:
        alpha = math.sqrt(low) * math.sqrt(high) if low > 0.0 else 0.25 * high
    stride = 0.25
    previous = top.slope
    s = at_alpha(c, box, alpha, T, first if c.q < 0.5 else top.size)
    for _ in range(200):
        if s.slope > 0.0:
            high = alpha
        else:
            low = alpha
        if math.fabs(s.slope) <= 2.0**-51 * s.noise:
            break
        h = s.slope / s.curvature
        next = alpha * (1.0 - 0.5 * h) / (1.0 + 0.5 * h) if math.fabs(h) < 1.0 else 0.0
        useful = next > low and next < high and math.fabs(s.slope) < 0.75 * math.fabs(previous)
        if not useful:
            stride *= 1.0 if low > 0.0 else stride
            next = math.sqrt(low) * math.sqrt(high) if low > 0.0 else high * stride
            if next < 2.0**-1000:
                end = at_alpha(c, box, 2.0**-1000, T, s.size)
                lag_rises = c.lag > 0.0 and end.eta > 0.0
                if lag_rises or c.init_error > 0.0 or c.burn_in * c.noise > 0.0:
                    return nothing(T)
                return result(c, box, 0.0, end.size.b, end.eta, T)
        previous = s.slope
        small = useful and math.fabs(h) < 2.0**-20
        if next == alpha or next <= low or next >= high:
            break
        alpha = next
        s = at_alpha(c, box, alpha, T, s.size)
        if small and math.fabs(s.slope) <= 2.0**-26 * s.curvature:
            break
    return result(c, box, alpha, s.size.b, s.eta, T)


@formula
def valid(box: Box, T: float) -> bool:
    return (
        positive_finite(T)
        and box.eta[0] >= 0.0
        and box.eta[0] <= box.eta[1]
        and box.eta[0] <= DBL_MAX
        and box.eta[1] > 0.0
        and box.alpha[0] >= 0.0
        and box.alpha[0] <= box.alpha[1]
        and box.alpha[1] > 0.0
        and box.alpha[1] <= 1.0
        and box.b[0] > 0.0
        and box.b[0] <= box.b[1]
        and box.b[1] <= DBL_MAX
    )


@part
def boxed_optimum(c: Coefficients, given: Box, T: float, batch_multiple: float) -> BoxedOptimum:
    largest = DBL_MAX if given.b[1] > DBL_MAX else given.b[1]
    box = Box(given.eta, given.alpha, (given.b[0], largest))
    if not valid(box, T):
        return nothing(T)
    continuous = minimise(c, box, T)
    m = batch_multiple
    if m != m:
        return continuous
    if not positive_finite(m):
        return nothing(T)
    # np.ceil and np.floor: Numba's math.ceil and math.floor convert to int64.
    first = np.ceil(box.b[0] / m)
    last = np.floor(box.b[1] / m)
    if first * m < box.b[0]:
        first += 1.0
    if last * m > box.b[1]:
        last -= 1.0
    if first < 1.0:
        first = 1.0
    if not (first <= last):
        return nothing(T)
    ends = (first, last)
    below = np.floor(continuous.b / m)
    counts = (clip(below, ends), clip(below + 1.0, ends))
    best = nothing(T)
    for k in range(2):
        b = counts[k] * m
        x = minimise(c, Box(box.eta, box.alpha, (b, b)), T)
        if k == 0 or x.risk < best.risk:
            limit = limit_of(counts[k], ends)
            best = BoxedOptimum(
                x.eta, x.alpha, x.b, x.K, x.T, x.risk, x.eta_limit, x.alpha_limit, limit
            )
    return best
