"""pruned.hpp for Numba: exact grid argmin without looking at the grid."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .argmin import Winner, winner_precedes
from .bound import (
    Coefficients,
    MomentumTerms,
    batch_terms,
    budget_terms,
    burn_in_term,
    inverse_rate,
    momentum_terms,
    noise_term,
    rate_term,
)
from .config import Floats, Ints, formula, part
from .exact import Pair, reciprocal


class SortedAxis(NamedTuple):
    value: Floats
    position: Ints
    first: int  # where position is 0


class PrunedSearch(NamedTuple):
    """No arrays: taking one out of a tuple counts a reference, in memory all threads share."""

    bound: Coefficients
    row_stride: int
    budget: float
    budget_is_steps: bool
    inverse_T: Pair
    smallest_eta: float
    largest_eta: float


class Row(NamedTuple):
    D: float
    S: float
    N: float
    value: float
    slope_x: float
    slope_y: float
    rising_curvature: float
    falling_curvature: float


class Slice(NamedTuple):
    momentum: MomentumTerms
    rising: int
    left: Row
    right: Row
    bound: float
    slope: float


INT64_MAX = int(np.iinfo(np.int64).max)
MARGIN = 2.0**-36


@formula
def low(v: float) -> float:
    return v * (1.0 - MARGIN)


@part
def make_row(s: PrunedSearch, m: MomentumTerms, b: float) -> Row:
    batch = batch_terms(s.bound, b)
    inverse_T = reciprocal(b * s.budget) if s.budget_is_steps else s.inverse_T
    t = budget_terms(s.bound, batch.start, b, inverse_T)
    burn_in = burn_in_term(t.start, m.inverse)
    D = t.descent
    S = m.smooth
    N = noise_term(batch.noise, m.sqrt_alpha, burn_in)

    eta = math.sqrt(D) / math.sqrt(S)
    eta = eta if eta > s.smallest_eta else s.smallest_eta  # also takes 0/0
    eta = eta if eta < s.largest_eta else s.largest_eta
    descent = D / eta
    smooth = S * eta
    floor = batch.noise * m.sqrt_alpha
    share = s.bound.burn_in * batch.noise / batch.start if s.bound.init_error > 0.0 else 1.0
    noisy_start = share * burn_in
    value = (descent + smooth) + N
    slope_x = (s.bound.drift * eta - smooth) + (0.5 * floor - burn_in)
    q = s.bound.q
    if s.budget_is_steps:
        slope_y = -q * (noisy_start + floor)
        rising_curvature = falling_curvature = 0.0
    else:
        slope_y = (descent + burn_in) - q * (noisy_start + floor)
        start = low(burn_in) - q * (2.0 - q) * noisy_start
        rising_curvature = 0.5 * descent + (start if start > 0.0 else 0.0)
        falling_curvature = q * q * floor
    return Row(D, S, N, value, slope_x, slope_y, rising_curvature, falling_curvature)


class Probe(NamedTuple):
    """first_rising() between two looks; Numba caches no function that takes a function."""

    lo: int
    hi: int
    at: int  # where to look next
    step: int  # 0 once the search bisects


@formula
def first_probe(n: int, hint: int) -> Probe:
    return Probe(0, n, hint if hint < n else n - 1, 1)


@formula
def next_probe(p: Probe, n: int, rises: bool) -> Probe:
    lo = p.lo if rises else p.at + 1
    hi = p.at if rises else p.hi
    if p.step == 0 or hi - lo <= p.step or (lo > 0 and hi < n):
        return Probe(lo, hi, lo + (hi - lo) // 2, 0)
    return Probe(lo, hi, p.at - p.step if rises else p.at + p.step, 2 * p.step)


@formula
def visit_row(
    row: Row, row_index: int, eta: Floats, eta_at: Ints, hint: Ints, visits: Ints, best: Winner
) -> Winner:
    centre = math.sqrt(row.D) / math.sqrt(row.S)
    probe = first_probe(eta.size, hint[2])
    while probe.lo < probe.hi:
        probe = next_probe(probe, eta.size, eta[probe.at] >= centre)
    start = probe.lo
    hint[2] = start
    for direction in range(2):
        i = start if direction == 0 else start - 1
        while i >= 0 and i < eta.size:
            visits[0] -= 1
            if visits[0] < 0:
                return best
            value = eta[i]
            rate = rate_term(row.D, inverse_rate(value), row.S * value)
            candidate = Winner(rate + row.N, row_index, eta_at[i])
            if winner_precedes(candidate, best):
                best = candidate
            if low(rate) + row.N > best.risk:
                break
            i += 1 if direction == 0 else -1
    return best


@formula
def make_slice(s: PrunedSearch, alpha: float, b: Floats, hint: Ints) -> Slice:
    momentum = momentum_terms(s.bound, alpha)
    left = right = Row(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    probe = first_probe(b.size, hint[1])
    while probe.lo < probe.hi:
        row = make_row(s, momentum, b[probe.at])
        rises = row.slope_y >= 0.0
        if rises:
            right = row
        else:
            left = row
        probe = next_probe(probe, b.size, rises)
    rising = probe.lo
    hint[1] = rising
    if rising == 0 or rising == b.size:
        end = right if rising == 0 else left
        return Slice(momentum, rising, left, right, low(end.value), end.slope_x)
    w = right.slope_y / (right.slope_y - left.slope_y)
    slope_x = w * left.slope_x + (1.0 - w) * right.slope_x
    near = left if -left.slope_y < right.slope_y else right
    slope = abs(near.slope_y) + MARGIN * near.value
    curvature = left.rising_curvature + right.falling_curvature
    bound = low(near.value) - 0.5 * slope * (slope / curvature)
    return Slice(momentum, rising, left, right, bound, slope_x)


@formula
def visit_slice(
    s: PrunedSearch, slice: Slice, first_row: int, b: Floats, b_at: Ints, eta: Floats,
    eta_at: Ints, hint: Ints, visits: Ints, best: Winner,
) -> Winner:  # fmt: skip
    for direction in range(2):
        up = direction == 0
        row = slice.right if up else slice.left
        j = slice.rising if up else slice.rising - 1
        while j >= 0 and j < b.size:
            visits[0] -= 1
            if visits[0] < 0:
                return best
            climbs = row.slope_y >= 0.0 if up else row.slope_y <= 0.0
            if not (low(row.value) > best.risk):
                best = visit_row(row, first_row + b_at[j], eta, eta_at, hint, visits, best)
            elif climbs:
                break
            j += 1 if up else -1
            if j >= 0 and j < b.size:
                row = make_row(s, slice.momentum, b[j])
    return best


@formula
def normal(x: float) -> bool:
    return x >= 2.0**-960 and x <= 2.0**960


@part
def pruning_applies(
    c: Coefficients, eta: Floats, alpha: Floats, b: Floats, budget: float, budget_is_steps: bool
) -> bool:
    has_noise = c.noise > 0.0
    has_smooth = c.drift > 0.0 or c.lag > 0.0
    has_start = c.init_error > 0.0 or (c.burn_in > 0.0 and has_noise)
    good = True
    for corner in range(8):
        rate = eta[corner & 1]
        size = b[corner >> 2]
        m = momentum_terms(c, alpha[(corner >> 1) & 1])
        batch = batch_terms(c, size)
        T = size * budget if budget_is_steps else budget
        t = budget_terms(c, batch.start, size, reciprocal(T))
        good = good and normal(rate) and normal(size) and normal(T)
        good = good and normal(t.ratio) and normal(m.inverse.hi)
        if c.descent > 0.0:
            good = good and normal(t.descent) and normal(t.descent * inverse_rate(rate))
        if has_smooth:
            good = good and normal(m.smooth) and normal(m.smooth * rate)
        if has_noise:
            good = good and normal(batch.noise) and normal(batch.noise * m.sqrt_alpha)
        if has_start:
            good = good and normal(batch.start) and normal(t.start.hi)
            good = good and normal(burn_in_term(t.start, m.inverse))
    return good


@formula
def depends_on_eta(c: Coefficients) -> bool:
    return c.descent + c.drift + c.lag > 0.0


@formula
def depends_on_alpha(c: Coefficients) -> bool:
    return c.noise + c.init_error + c.lag > 0.0


@formula
def depends_on_b(c: Coefficients) -> bool:
    return c.descent + c.noise + c.init_error > 0.0


@formula
def pruned_argmin(
    s: PrunedSearch, alpha: Floats, alpha_at: Ints, b: Floats, b_at: Ints, eta: Floats,
    eta_at: Ints, hint: Ints, visits: Ints,
) -> Winner:  # fmt: skip
    """row = -1 if the search gave up; visits[0]: rows and configurations it may look at."""
    gave_up = Winner(math.inf, -1, -1)
    best = Winner(math.inf, INT64_MAX, INT64_MAX)
    n = alpha.size
    if n == 1 and b.size == 1:
        row = make_row(s, momentum_terms(s.bound, alpha[0]), b[0])
        row_index = alpha_at[0] * s.row_stride + b_at[0]
        best = visit_row(row, row_index, eta, eta_at, hint, visits, best)
        return gave_up if visits[0] < 0 else best
    probe = first_probe(n, hint[0])
    while probe.lo < probe.hi:
        rises = make_slice(s, alpha[probe.at], b, hint).slope >= 0.0
        probe = next_probe(probe, n, rises)
    start = probe.lo
    hint[0] = start
    for direction in range(2):
        up = direction == 0
        i = start if up else start - 1
        while i >= 0 and i < n:
            visits[0] -= 1
            if visits[0] < 0:
                return gave_up
            if not up and hint[1] > 0:
                hint[1] -= 1
            slice = make_slice(s, alpha[i], b, hint)
            if slice.bound > best.risk:
                break
            first_row = alpha_at[i] * s.row_stride
            best = visit_slice(s, slice, first_row, b, b_at, eta, eta_at, hint, visits, best)
            i += 1 if up else -1
    return gave_up if visits[0] < 0 else best
