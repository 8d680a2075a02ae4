"""Brute force: every configuration evaluated, ours and theirs, beside the core's peak."""

from __future__ import annotations

import itertools
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


PEAKS = {
    "peak": ("floor: fma + min in registers", "configurations", limits.fma_min_pairs, 10**7),
    "peak of division": ("floor: division in registers", "divisions", limits.divisions, 10**6),
}


@pytest.mark.parametrize("kernel", PEAKS)
@pytest.mark.parametrize("threads", [1, None], ids=["1 thread", "all threads"])
def test_peak(measure: Any, configuration: Any, kernel: str, threads: int | None) -> None:
    """Vector operations on registers alone: no load, no store."""
    name, unit, run, steps = PEAKS[kernel]
    threads, isa = threads or configuration["threads"], configuration["isa"]
    measure(
        lambda: run(isa, steps, threads),
        kernel=kernel,
        case=f"{threads} thread{'s' * (threads > 1)}",
        contender=name,
        size=threads,
        size_name="threads",
        work=run(isa, 1, threads) * steps,
        unit=unit,
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


OVER = [o for n in (1, 2, 3) for o in itertools.combinations(("alpha", "b", "eta"), n)]


@pytest.mark.parametrize("contender", ["hplaws", "hplaws, 1 thread", "floor: writing the output"])
@pytest.mark.parametrize("over", OVER, ids="+".join)
def test_over(
    measure: Any, monkeypatch: pytest.MonkeyPatch, over: tuple[str, ...], contender: str
) -> None:
    """A result for each T and each value of the axes that are kept."""
    if contender == "hplaws, 1 thread":
        monkeypatch.setenv("HPLAWS_NUM_THREADS", "1")
    points, budgets = (1000, 2) if over == ("eta",) else (100, 100)
    axes = cases.grid(points, budgets)

    def search() -> Any:
        return hplaws.grid_argmin(cases.BOUND, **axes, over=over)

    found = search()
    if contender.startswith("hplaws"):
        dense = hplaws.grid_argmin(cases.BOUND, **axes, over=over, method="dense")
        cases.check_same(found, dense)
    names = ("risk", "eta", "alpha", "b", "T", "K", "at_edge")
    fields = [*(getattr(found, name) for name in names), *found.index.values()]
    # Where a result is one value seen from many places, that one is written.
    written = [
        (tuple(n if step else 1 for n, step in zip(f.shape, f.strides, strict=True)), f.dtype)
        for f in fields
    ]

    def write() -> list[Any]:
        return [np.full(shape, 1, dtype) for shape, dtype in written]

    measure(
        search if contender.startswith("hplaws") else write,
        kernel="argmin over each subset",
        case=" and ".join(over),
        contender=contender,
        size=points,
        size_name="points an axis",
        work=found.risk.size,
        unit="results",
        bytes=sum(array.nbytes for array in write()),
    )
