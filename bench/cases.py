"""The problems that more than one benchmark file solves."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import math
from typing import Any

import numpy as np

import hplaws

BOUND = hplaws.Bound.proxy()
COEFFICIENTS = dataclasses.astuple(BOUND)


@functools.cache
def configuration() -> dict[str, Any]:
    """What ``hplaws.show_config()`` returns, as the run began."""
    with contextlib.redirect_stdout(io.StringIO()):
        return hplaws.show_config()


def power_of_ten(count: int) -> str:
    return f"10^{round(math.log10(count))}"


@functools.cache
def grid(points: int, budgets: int) -> dict[str, Any]:
    """The paper's ranges (section 3.2) with `points` an axis and `budgets` values of T."""
    return {
        "eta": np.logspace(-15, 4, points),
        "alpha": np.logspace(-10, 0, points),
        "b": np.logspace(0, 15, points),
        "T": np.logspace(2, 22, budgets),
    }


def check(contender: Any, found: Any, expected: Any, **tolerances: float) -> None:
    """`expected` is ours: another of our own answers must have the same bits."""
    if contender.is_ours:
        np.testing.assert_array_equal(found, expected)
    else:
        np.testing.assert_allclose(found, expected, **tolerances)


def check_same(found: hplaws.GridArgmin, expected: hplaws.GridArgmin, some: Any = ...) -> None:
    """The same bits, where `expected` has but `some` of the budgets."""
    np.testing.assert_array_equal(found.risk[some], expected.risk)
    for axis, index in expected.index.items():
        np.testing.assert_array_equal(found.index[axis][some], index)


@functools.cache
def argmin(points: int, budgets: int) -> hplaws.GridArgmin:
    """By the default method; at three budgets by brute force too, where that takes no minutes."""
    axes = grid(points, budgets)
    found = hplaws.grid_argmin(BOUND, **axes)
    if points <= 1000:
        some = np.unique([0, budgets // 2, budgets - 1])
        dense = hplaws.grid_argmin(BOUND, **{**axes, "T": axes["T"][some]}, method="dense")
        check_same(found, dense, some)
    return found


def check_argmin(found: Any, points: int, budgets: int) -> None:
    """`found` is a GridArgmin, or a peer's (risk, flat index over alpha, b, eta)."""
    ours = argmin(points, budgets)
    if isinstance(found, hplaws.GridArgmin):
        check_same(found, ours)
        return
    risk, flat = found
    axes = grid(points, budgets)
    i, j, k = np.unravel_index(flat, (points, points, points))
    at_index = hplaws.risk(BOUND, axes["eta"][k], axes["alpha"][i], axes["b"][j], T=axes["T"])
    np.testing.assert_allclose(risk, ours.risk, rtol=1e-12)
    # Not the index itself: a peer's rounding may prefer another of two near-equals.
    np.testing.assert_allclose(at_index, ours.risk, rtol=1e-12)
