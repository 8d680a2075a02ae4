"""bound.hpp for Numba: the bound in its one canonical order of operations."""

from __future__ import annotations

import math
from typing import NamedTuple

from .config import formula
from .exact import (
    DBL_MAX,
    Pair,
    fma,
    product,
    product_of_pairs,
    product_pair,
    reciprocal,
    two_sum,
)
from .power import inverse_power


class Coefficients(NamedTuple):
    descent: float
    noise: float
    drift: float
    lag: float
    burn_in: float
    init_error: float
    q: float


class BatchTerms(NamedTuple):
    noise: float
    start: float


class MomentumTerms(NamedTuple):
    sqrt_alpha: float
    inverse: Pair
    smooth: float


class BudgetTerms(NamedTuple):
    ratio: float
    descent: float
    start: Pair


@formula
def sum_once(x: float, y: Pair) -> float:
    s = two_sum(x, y.hi)
    rounded = s.hi + (s.lo + y.lo)
    return rounded if s.hi <= DBL_MAX else math.inf


@formula
def batch_terms(c: Coefficients, b: float) -> BatchTerms:
    noise = product_pair(c.noise, inverse_power(b, c.q))
    return BatchTerms(noise.hi + noise.lo, sum_once(c.init_error, product_pair(c.burn_in, noise)))


@formula
def momentum_terms(c: Coefficients, alpha: float) -> MomentumTerms:
    inverse = reciprocal(alpha)
    return MomentumTerms(math.sqrt(alpha), inverse, sum_once(c.drift, product_pair(c.lag, inverse)))


@formula
def budget_terms(c: Coefficients, start: float, b: float, inverse_T: Pair) -> BudgetTerms:
    ratio = product_pair(b, inverse_T)
    return BudgetTerms(ratio.hi, product(c.descent, ratio), product_pair(start, ratio))


@formula
def inverse_rate(eta: float) -> float:
    return reciprocal(eta).hi


@formula
def burn_in_term(start: Pair, inverse_alpha: Pair) -> float:
    return product_of_pairs(start, inverse_alpha)


@formula
def noise_term(noise: float, sqrt_alpha: float, burn_in: float) -> float:
    return fma(noise, sqrt_alpha, burn_in)


@formula
def rate_term(D: float, inverse_eta: float, smooth_eta: float) -> float:
    return fma(D, inverse_eta, smooth_eta)


@formula
def assemble(D: float, inverse_eta: float, smooth_eta: float, N: float) -> float:
    return rate_term(D, inverse_eta, smooth_eta) + N


@formula
def positive_finite(x: float) -> bool:
    return (x > 0.0) & (x <= DBL_MAX)


@formula
def in_domain(eta: float, alpha: float, b: float, T: float) -> bool:
    return (
        positive_finite(eta)
        & (alpha > 0.0)
        & (alpha <= 1.0)
        & positive_finite(b)
        & positive_finite(T)
    )


@formula
def value(c: Coefficients, eta: float, alpha: float, b: float, T: float) -> float:
    batch = batch_terms(c, b)
    momentum = momentum_terms(c, alpha)
    budget = budget_terms(c, batch.start, b, reciprocal(T))
    burn_in = burn_in_term(budget.start, momentum.inverse)
    N = noise_term(batch.noise, momentum.sqrt_alpha, burn_in)
    return assemble(budget.descent, inverse_rate(eta), momentum.smooth * eta, N)


@formula
def risk(c: Coefficients, eta: float, alpha: float, b: float, T: float) -> float:
    R = value(c, eta, alpha, b, T)
    return R if in_domain(eta, alpha, b, T) else math.nan
