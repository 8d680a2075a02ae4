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

from ._errors import BackendError
from ._version import __version__
from .bound import Bound, risk
from .config import get_cmake_dir, get_include, show_config
from .cubic import cubic_roots, positive_cubic_root
from .grid import GridArgmin, grid_argmin
from .optimum import Optimum, optimum
from .theorems import theorem1, theorem2, theorem3, theorem3_asymptotic

__all__ = [
    "BackendError",
    "Bound",
    "GridArgmin",
    "Optimum",
    "__version__",
    "cubic_roots",
    "get_cmake_dir",
    "get_include",
    "grid_argmin",
    "optimum",
    "positive_cubic_root",
    "risk",
    "show_config",
    "theorem1",
    "theorem2",
    "theorem3",
    "theorem3_asymptotic",
]
