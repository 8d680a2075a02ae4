"""Hyperparameter scaling laws from convergence bounds.

A :class:`Bound` holds the coefficients of one convergence bound

    R(eta, alpha, b; T) = descent * b/(eta*T)
                        + noise * b**-q * (burn_in * b/(alpha*T) + sqrt(alpha))
                        + init_error * b/(alpha*T)
                        + eta * (drift + lag/alpha)

with learning rate eta, momentum update alpha = 1 - beta, batch size b, token
budget T = b*K and K steps. ``risk`` evaluates it, ``theorem1`` to ``theorem3``
minimise it in closed form, ``grid_argmin`` by exact search of a grid that is
never materialised.

>>> import hplaws
>>> best = hplaws.theorem3(hplaws.Bound.proxy(), T=1e12)
>>> f"eta={best.eta:.3e} alpha={best.alpha:.3e} b={best.b:.1f}"
'eta=4.454e-08 alpha=6.300e-05 b=31.5'
"""

from importlib import import_module
from typing import Any

from ._errors import BackendError
from ._version import __version__
from .bound import Bound, risk
from .config import get_cmake_dir, get_include, show_config
from .critical_batch import CriticalBatch, Stability
from .cubic import cubic_roots, positive_cubic_root
from .empirical import EMPIRICAL_LAWS, EmpiricalLaw
from .exponents import (
    Exponents,
    RateExponents,
    batch_sensitivity,
    critical_token_budget,
    effective_exponent,
    exponents,
    max_budget,
    momentum_gap,
    noise_floor,
    path_rate,
    rate_exponents,
)
from .grid import GridArgmin, grid_argmin
from .iso import IsoRisk, iso_risk
from .optimum import Optimum, optimum
from .sgd import SGDBound, SGDOptimum
from .theorems import theorem1, theorem2, theorem3, theorem3_asymptotic
from .transfer import ClampWarning, Transfer, transfer

__all__ = [
    "EMPIRICAL_LAWS",
    "BackendError",
    "Bound",
    "ClampWarning",
    "CriticalBatch",
    "EmpiricalLaw",
    "Exponents",
    "GridArgmin",
    "IsoRisk",
    "Optimum",
    "RateExponents",
    "SGDBound",
    "SGDOptimum",
    "Stability",
    "Transfer",
    "__version__",
    "batch_sensitivity",
    "claims",
    "critical_token_budget",
    "cubic_roots",
    "effective_exponent",
    "exponents",
    "get_cmake_dir",
    "get_include",
    "grid_argmin",
    "iso_risk",
    "max_budget",
    "momentum_gap",
    "noise_floor",
    "optimum",
    "path_rate",
    "positive_cubic_root",
    "rate_exponents",
    "risk",
    "show_config",
    "theorem1",
    "theorem2",
    "theorem3",
    "theorem3_asymptotic",
    "transfer",
    "verification",
]


def __getattr__(name: str) -> Any:
    # Larger parts that most programs do without are imported when they are first named.
    if name in ("claims", "verification"):
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
