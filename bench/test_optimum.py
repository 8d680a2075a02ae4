"""`optimum`: many boxed problems in a call, beside general convex optimisers."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import hplaws
import peers
from peers import Contender

PROBLEMS = 10**5  # enough for more threads than one
BOUND = hplaws.Bound.nonconvex(delta0=5, L=20, rho=1, sigma=40)
# Each of the caps binds in a part of the budgets; in the last two cases b = 1 in all.
CASES: dict[str, tuple[hplaws.Bound, dict[str, tuple[float, float]]]] = {
    "free": (BOUND, {}),
    "b capped": (BOUND, {"b": (1.0, 64.0)}),
    "b and eta capped": (BOUND, {"b": (1.0, 64.0), "eta": (0.0, 1e-6)}),
    "unmatched init": (BOUND.unmatched_init(1.0), {}),
    "q = 0.4": (BOUND.with_noise_exponent(0.4), {}),
}


def optimum(c: Any, T: Any, box: Any, **options: Any) -> hplaws.Optimum:
    return hplaws.optimum(hplaws.Bound(*c), T, **box, **options)


def check(found: Any, bound: hplaws.Bound, T: Any, box: Any) -> None:
    """`found` is ours, or a peer's (eta, alpha, b): then what counts is the risk there."""
    ours = hplaws.optimum(bound, T, **box)
    if isinstance(found, hplaws.Optimum):
        assert found == ours
        return
    # Outside the box by a solver's tolerance, a peer would be better than the best.
    point = {
        name: np.clip(values, *ends)
        for (name, ends), values in zip(peers.limits(box, T).items(), found, strict=True)
    }
    theirs = hplaws.risk(bound, **point, T=T)
    assert (ours.risk <= theirs * (1.0 + 1e-12)).all()
    np.testing.assert_allclose(theirs, ours.risk, rtol=1e-6)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("contender", [*peers.ours(optimum), *peers.OPTIMUM_PEERS], ids=str)
def test_boxed(measure: Any, contender: Contender, case: str) -> None:
    bound, box = CASES[case]
    c = dataclasses.astuple(bound)
    T = 10 ** np.random.default_rng(0).uniform(6, 14, PROBLEMS)
    T = T[: min(PROBLEMS, contender.limit)]
    check(contender.call(c, T, box), bound, T, box)
    measure(
        lambda: contender.call(c, T, box),
        kernel="optimum",
        case=case,
        contender=contender.name,
        size=PROBLEMS,
        size_name="problems",
        work=T.size,
        unit="problems",
        # T is read; eta, alpha, b, K, T and risk, feasible and active are written.
        bytes=T.size * (7 * 8 + 1 + 3),
    )
