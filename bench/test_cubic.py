"""Roots of cubics, and Theorem 3 which stands on them."""

from __future__ import annotations

import decimal
import math
from typing import Any

import numpy as np
import pytest

import cases
import hplaws
import peers
from peers import Contender

SIZES = (10**2, 10**4, 10**6)


# More than pairs of doubles could hide; what Newton's steps from a root reach is exact.
EXACT = decimal.Context(prec=80)
CHECKED = 1000


def worst_ulp(coefficients: list[Any], roots: Any) -> float:
    """The largest error, in ulp, of the first thousand cubics' roots."""
    worst = 0.0
    for k, row in enumerate(np.asarray(roots).reshape(coefficients[0].size, -1)[:CHECKED].tolist()):
        a, b, c, d = (decimal.Decimal(float(x[k])) for x in coefficients)
        for root in row:
            if math.isnan(root):
                continue
            with decimal.localcontext(EXACT):
                x = decimal.Decimal(root)
                for _ in range(5):
                    x -= (((a * x + b) * x + c) * x + d) / ((3 * a * x + 2 * b) * x + c)
                error = abs(decimal.Decimal(root) - x)
            worst = max(worst, float(error) / math.ulp(float(x)))
    return worst


def _runs(ours: tuple[Contender, ...], others: tuple[Contender, ...]) -> Any:
    return pytest.mark.parametrize(
        ("contender", "count"),
        [(p, n) for n in SIZES for p in (*ours, *others) if n <= p.limit],
        ids=str,
    )


@_runs(peers.ours(hplaws.positive_cubic_root), peers.POSITIVE_ROOT_PEERS)
def test_positive_root(measure: Any, contender: Contender, count: int) -> None:
    random = np.random.default_rng(0)
    abc = [10 ** random.uniform(-3, 3, count) for _ in range(3)]
    a, b, c = abc
    expected, abc = hplaws.positive_cubic_root(*abc), contender.prepare(abc)
    found = contender.call(*abc)
    cases.check(contender, found, expected, rtol=1e-10)
    measure(
        lambda: contender.call(*abc),
        kernel="positive_cubic_root",
        case=cases.power_of_ten(count),
        contender=contender.name,
        size=count,
        size_name="cubics",
        work=count,
        unit="roots",
        bytes=4 * a.nbytes,
        worst_ulp=worst_ulp([a, 0.0 * b, -b, -c], found),
    )


def separated_cubics(count: int) -> list[Any]:
    """Coefficients of cubics with three real roots or one, none of them close together:
    there every method gives the right number of roots, and speed is all that is compared."""
    random = np.random.default_rng(0)
    low, mid, high = (random.uniform(*ends, count) for ends in ((-3, -1), (-0.5, 0.5), (1, 3)))
    sums, products = mid + high, mid * high
    # mid +- i*high in place of mid, high for half of them.
    pairs = np.arange(count) % 2 == 0
    sums, products = np.where(pairs, 2 * mid, sums), np.where(pairs, mid**2 + high**2, products)
    a = random.uniform(0.5, 2, count)
    return [a, -a * (low + sums), a * (low * sums + products), -a * low * products]


@_runs(peers.ours(hplaws.cubic_roots), peers.ROOTS_PEERS)
def test_roots(measure: Any, contender: Contender, count: int) -> None:
    abcd = separated_cubics(count)
    coefficients, expected = abcd, hplaws.cubic_roots(*abcd)
    abcd = contender.prepare(abcd)
    found = contender.call(*abcd)
    # atol: relative to the other roots, where the middle one is near zero.
    cases.check(contender, found, expected, rtol=1e-10, atol=1e-12)
    measure(
        lambda: contender.call(*abcd),
        kernel="cubic_roots",
        case=cases.power_of_ten(count),
        contender=contender.name,
        size=count,
        size_name="cubics",
        work=count,
        unit="cubics",
        bytes=4 * coefficients[0].nbytes + expected.nbytes,
        worst_ulp=worst_ulp(coefficients, found),
    )


def theorem3(_: Any, T: Any, **options: Any) -> Any:
    return hplaws.theorem3(cases.BOUND, T=T, **options)


@_runs(peers.ours(theorem3), peers.THEOREM3_PEERS)
def test_theorem3(measure: Any, contender: Contender, count: int) -> None:
    T = 10 ** np.random.default_rng(0).uniform(3, 20, count)
    # T is read; eta, alpha, b, K, T and risk, feasible are written.
    expected, moved = hplaws.theorem3(cases.BOUND, T=T), 7 * T.nbytes + T.size
    T = contender.prepare(T)
    found = contender.call(cases.COEFFICIENTS, T)
    if isinstance(found, hplaws.Optimum):
        assert found == expected
    else:
        for theirs, name in zip(found, ("eta", "alpha", "b"), strict=True):
            np.testing.assert_allclose(theirs, getattr(expected, name), rtol=1e-10, err_msg=name)
    measure(
        lambda: contender.call(cases.COEFFICIENTS, T),
        kernel="theorem3",
        case=cases.power_of_ten(count),
        contender=contender.name,
        size=count,
        size_name="budgets",
        work=count,
        unit="optima",
        bytes=moved,
    )
