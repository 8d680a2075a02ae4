"""`risk` on points and on a mesh, beside the loop that only moves the same memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cases
import hplaws
import limits
import peers
from peers import Contender


def _risk(_: Any, eta: Any, alpha: Any, b: Any, T: Any, out: Any) -> Any:
    return hplaws.risk(cases.BOUND, eta, alpha, b, T=T, out=out)


def _risk_numba(_: Any, eta: Any, alpha: Any, b: Any, T: Any, out: Any) -> Any:
    return hplaws.risk(cases.BOUND, eta, alpha, b, T=T, out=out, backend="numba")


OURS = (
    Contender("hplaws", "hplaws", _risk),
    Contender("hplaws, 1 thread", "hplaws", _risk, threads=1),
    Contender("hplaws, Numba backend", "numba", _risk_numba),
)
SIZES = (10**3, 10**5, 10**7)


def scattered(points: int) -> dict[str, Any]:
    random = np.random.default_rng(0)
    return {
        "eta": 10 ** random.uniform(-8, 0, points),
        "alpha": 10 ** random.uniform(-5, 0, points),
        "b": 10 ** random.uniform(0, 6, points),
        "T": 10 ** random.uniform(6, 14, points),
    }


@pytest.mark.parametrize("points", SIZES)
@pytest.mark.parametrize("contender", [*OURS, *peers.RISK_PEERS], ids=str)
def test_scattered(measure: Any, contender: Contender, points: int) -> None:
    arguments, out = scattered(points), np.empty(points)
    expected = hplaws.risk(cases.BOUND, **arguments)
    arguments = contender.prepare({**arguments, "out": out})
    found = contender.call(cases.COEFFICIENTS, **arguments)
    cases.check(contender, found, expected, rtol=1e-12)
    measure(
        lambda: contender.call(cases.COEFFICIENTS, **arguments),
        kernel="risk, scattered points",
        case=cases.power_of_ten(points),
        contender=contender.name,
        size=points,
        size_name="points",
        work=points,
        unit="points",
        bytes=5 * out.nbytes,
    )


@pytest.mark.parametrize("points", SIZES)
def test_floor(measure: Any, configuration: Any, points: int) -> None:
    """out = eta + alpha + b + T in parallel with streaming stores: the memory's speed."""
    isa, threads = configuration["isa"], configuration["threads"]
    inputs, out = list(scattered(points).values()), np.empty(points)
    limits.add_four(isa, inputs, out, threads)
    np.testing.assert_allclose(out, sum(inputs), rtol=1e-15)
    measure(
        lambda: limits.add_four(isa, inputs, out, threads),
        kernel="risk, scattered points",
        case=cases.power_of_ten(points),
        contender="floor: add four arrays",
        size=points,
        size_name="points",
        work=points,
        unit="points",
        bytes=5 * out.nbytes,
    )


@pytest.mark.parametrize("contender", [*OURS, *peers.RISK_MESH_PEERS], ids=str)
def test_mesh(measure: Any, contender: Contender) -> None:
    """One T, a mesh by broadcasting."""
    arguments = {
        "eta": np.logspace(-8, 0, 250),
        "alpha": np.logspace(-5, 0, 200)[:, None, None],
        "b": np.logspace(0, 6, 200)[:, None],
        "T": np.float64(1e12),
    }
    out = np.empty((200, 200, 250))
    expected = hplaws.risk(cases.BOUND, **arguments)
    arguments = contender.prepare({**arguments, "out": out})
    found = contender.call(cases.COEFFICIENTS, **arguments)
    cases.check(contender, found, expected, rtol=1e-12)
    measure(
        lambda: contender.call(cases.COEFFICIENTS, **arguments),
        kernel="risk, mesh by broadcasting",
        case=" x ".join(str(n) for n in out.shape),
        contender=contender.name,
        size=out.size,
        size_name="points",
        work=out.size,
        unit="points",
        bytes=out.nbytes,
    )
