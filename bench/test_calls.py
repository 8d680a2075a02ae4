"""What one scalar call costs from Python, and what the import costs."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import pytest

import cases
import hplaws


def python_risk(c: Any, eta: float, alpha: float, b: float, T: float) -> float:
    descent, noise, drift, lag, burn_in, init_error, q = c
    return (
        descent * b / (eta * T)
        + noise * b**-q * (burn_in * b / (alpha * T) + math.sqrt(alpha))
        + init_error * b / (alpha * T)
        + eta * (drift + lag / alpha)
    )


CALLS = {
    ("risk", "hplaws"): lambda: hplaws.risk(cases.BOUND, 1e-3, 1e-2, 64, T=1e9),
    ("risk", "plain Python"): lambda: python_risk(cases.COEFFICIENTS, 1e-3, 1e-2, 64, 1e9),
    ("theorem3", "hplaws"): lambda: hplaws.theorem3(cases.BOUND, T=1e9),
    ("optimum", "hplaws"): lambda: hplaws.optimum(cases.BOUND, 1e9),
}


@pytest.mark.parametrize(("case", "contender"), CALLS)
def test_scalar(measure: Any, case: str, contender: str) -> None:
    call = CALLS[case, contender]
    if case == "risk":
        assert call() == pytest.approx(CALLS[case, "hplaws"](), rel=1e-12)
    measure(
        call,
        kernel="scalar calls",
        case=case,
        contender=contender,
        size=1,
        size_name="calls",
        work=1,
        unit="calls",
    )


@pytest.mark.parametrize("contender", ["hplaws", "numpy", "bare interpreter"])
def test_import(measure: Any, contender: str) -> None:
    """A fresh interpreter, start to end."""
    code = "pass" if contender == "bare interpreter" else f"import {contender}"

    def run() -> None:
        subprocess.run([sys.executable, "-c", code], check=True)

    run()
    measure(
        run,
        kernel="import",
        case="fresh interpreter",
        contender=contender,
        size=1,
        size_name="imports",
        work=1,
        unit="imports",
    )
