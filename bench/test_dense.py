"""Brute force: every configuration evaluated, ours and theirs, beside the core's peak."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cases
import hplaws
import limits
import peers
from peers import Contender


def _dense(**options: Any) -> Any:
    return lambda _, **axes: hplaws.grid_argmin(cases.BOUND, **axes, method="dense", **options)


OURS = (
    Contender("hplaws dense", "hplaws", _dense(), limit=2e10),
    Contender("hplaws dense, 1 thread", "hplaws", _dense(), limit=2e10, threads=1),
    Contender("hplaws dense, Numba backend", "numba", _dense(backend="numba"), limit=2e9),
)
ALL = (*OURS, *peers.ARGMIN_PEERS)

SIZES = (10, 32, 100, 178, 316)


@pytest.mark.parametrize("threads", [1, None], ids=["1 thread", "all threads"])
def test_peak(measure: Any, configuration: Any, threads: int | None) -> None:
    """fma + min on registers alone: two vector operations a pair, no load, no store."""
    steps, threads, isa = 10**7, threads or configuration["threads"], configuration["isa"]
    pairs = limits.fma_min_pairs(isa, 1, threads) * steps
    measure(
        lambda: limits.fma_min_pairs(isa, steps, threads),
        kernel="peak",
        case=f"{threads} thread{'s' * (threads > 1)}",
        contender="floor: fma + min in registers",
        size=threads,
        size_name="threads",
        work=pairs,
        unit="configurations",
    )


@pytest.mark.parametrize("contender", [p for p in ALL if p.limit >= 2e9], ids=str)
def test_long_rows(measure: Any, contender: Contender) -> None:
    """1000 points an axis and two budgets: the loop itself, whatever surrounds it."""
    points, budgets = 1000, 2
    axes = contender.prepare(cases.grid(points, budgets))
    cases.check_argmin(contender.call(cases.COEFFICIENTS, **axes), points, budgets)
    measure(
        lambda: contender.call(cases.COEFFICIENTS, **axes),
        kernel="argmin, long rows",
        case=f"{budgets} T x {points}^3",
        contender=contender.name,
        size=points,
        size_name="points an axis",
        work=budgets * points**3,
        unit="configurations",
    )


@pytest.mark.parametrize(
    ("contender", "points"),
    [(p, n) for n in SIZES for p in ALL if n**4 <= p.limit],
    ids=str,
)
def test_argmin(measure: Any, contender: Contender, points: int) -> None:
    """The paper's grid at points^4; 100^4 is the paper's own."""
    axes = contender.prepare(cases.grid(points, points))
    cases.check_argmin(contender.call(cases.COEFFICIENTS, **axes), points, points)
    measure(
        lambda: contender.call(cases.COEFFICIENTS, **axes),
        kernel="argmin",
        case=f"{points}^4",
        contender=contender.name,
        size=points**4,
        size_name="configurations",
        work=points**4,
        unit="configurations",
    )


@pytest.mark.parametrize("contender", ["hplaws", "floor: writing the output"])
def test_over_eta(measure: Any, contender: str) -> None:
    """eta alone is minimised away: a result for each (T, alpha, b)."""
    points, budgets = 1000, 2
    axes = cases.grid(points, budgets)
    found = hplaws.grid_argmin(cases.BOUND, **axes, over="eta")
    fields = (found.risk, found.eta, found.index["eta"], found.K, found.at_edge)

    def write() -> list[Any]:
        return [np.full(field.shape, 1, field.dtype) for field in fields]

    def search() -> Any:
        return hplaws.grid_argmin(cases.BOUND, **axes, over="eta")

    measure(
        search if contender == "hplaws" else write,
        kernel="argmin over eta alone",
        case=f"{budgets} T x {points}^3",
        contender=contender,
        size=points,
        size_name="points an axis",
        work=found.risk.size,
        unit="results",
        output_bytes=sum(field.nbytes for field in fields),
    )
