"""The pruned argmin: the same answer as brute force, nearly all of it skipped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import cases
import hplaws
import peers
from peers import Contender


def _pruned(**options: Any) -> Any:
    return lambda _, **axes: hplaws.grid_argmin(cases.BOUND, **axes, method="pruned", **options)


OURS = (
    Contender("hplaws pruned", "hplaws", _pruned()),
    Contender("hplaws pruned, 1 thread", "hplaws", _pruned(), threads=1),
    Contender("hplaws pruned, Numba backend", "numba", _pruned(backend="numba")),
)
ALL = (*OURS, *peers.ARGMIN_PRUNED_PEERS)


@pytest.mark.parametrize(
    ("contender", "points"),
    [(p, n) for n in (10, 32, 100, 316, 1000) for p in ALL if n**4 <= p.limit],
    ids=str,
)
def test_argmin(measure: Any, contender: Contender, points: int) -> None:
    """The grids of test_dense, and 1000^4 = 1e12 configurations."""
    axes = cases.grid(points, points)
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
        # Each axis is read; five winners and the risk, three indices, at_edge are written.
        bytes=points * (4 * 8 + 9 * 8 + 1),
    )


@pytest.mark.parametrize("contender", OURS, ids=str)
@pytest.mark.parametrize("points", [10, 100, 1000, 10_000, 100_000])
def test_growth(measure: Any, contender: Contender, points: int) -> None:
    """Time a budget against the points on each of the other axes."""
    budgets = 1000
    axes = cases.grid(points, budgets)
    cases.check_argmin(contender.call(cases.COEFFICIENTS, **axes), points, budgets)
    measure(
        lambda: contender.call(cases.COEFFICIENTS, **axes),
        kernel="pruned argmin, 1000 budgets",
        case=f"{points} an axis",
        contender=contender.name,
        size=points,
        size_name="points on each of eta, alpha, b",
        work=budgets,
        unit="budgets",
    )


@pytest.mark.parametrize("contender", OURS, ids=str)
@pytest.mark.parametrize("budgets", [10, 100, 1000, 10_000, 100_000])
def test_budgets(measure: Any, contender: Contender, budgets: int) -> None:
    """Time against the number of budgets, 1000 points on each of the other axes."""
    points = 1000
    axes = cases.grid(points, budgets)
    cases.check_argmin(contender.call(cases.COEFFICIENTS, **axes), points, budgets)
    measure(
        lambda: contender.call(cases.COEFFICIENTS, **axes),
        kernel="pruned argmin, 1000 points an axis",
        case=f"{budgets} T",
        contender=contender.name,
        size=budgets,
        size_name="budgets T",
        work=budgets,
        unit="budgets",
    )


# Writing 5 to clear_refs resets the peak to what is resident now.
MEMORY = """
import sys, numpy as np, hplaws
points, budgets, method = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
axes = dict(eta=np.logspace(-15, 4, points), alpha=np.logspace(-10, 0, points),
            b=np.logspace(0, 15, points), T=np.logspace(2, 22, budgets))
bound = hplaws.Bound.proxy()
def peak():
    status = dict(line.split(":") for line in open("/proc/self/status"))
    return 1024 * int(status["VmHWM"].split()[0])
with open("/proc/self/clear_refs", "w") as reset:
    reset.write("5")
before = peak()
found = hplaws.grid_argmin(bound, **axes, method=method)
print(peak() - before)
"""


@pytest.mark.parametrize(
    ("method", "points", "budgets"), [("dense", 1000, 2), ("pruned", 1000, 1000)]
)
def test_memory(measure: Any, method: str, points: int, budgets: int) -> None:
    """What a call adds to the peak memory of a fresh process (timed: that process)."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("the peak of a process's memory is read from Linux's /proc")

    def run() -> int:
        command = [sys.executable, "-c", MEMORY, str(points), str(budgets), method]
        return int(subprocess.run(command, check=True, capture_output=True).stdout)

    measure(
        run,
        kernel="memory of a fresh process",
        case=f"{budgets} T x {points}^3",
        contender=f"hplaws {method}",
        size=points,
        size_name="points an axis",
        work=1,
        unit="calls",
        peak_bytes=run(),
    )
