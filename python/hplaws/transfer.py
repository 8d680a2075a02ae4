"""Hyperparameters tuned at one token budget, carried to another (App. A)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _validate
from ._fields import Result
from .exponents import REGIMES, exponents


class ClampWarning(UserWarning):
    """A transfer rule left alpha <= 1 or b >= 1, and the limit was taken in its place."""


@dataclass(frozen=True, eq=False)
class Transfer(Result):
    """Hyperparameters at the new budget: arrays of one shape, or floats for scalars in.

    Attributes
    ----------
    eta : learning rate
    alpha : momentum update, 1 - beta
    b : batch size, in the unit of T; not rounded to a whole number
    K : steps, T/b
    T : token budget
    alpha_clamped, b_clamped : whether the rule's alpha exceeded 1, its b fell below 1
    """

    eta: Any
    alpha: Any
    b: Any
    K: Any
    T: Any
    alpha_clamped: Any
    b_clamped: Any

    @property
    def clamped(self) -> Any:
        """Whether alpha or b was clamped."""
        return self.alpha_clamped | self.b_clamped


def transfer(
    optimum: Any, T1: ArrayLike, *, regime: str = "A", b1: ArrayLike | None = None
) -> Transfer:
    """Carry what was tuned at (T0, b0) to the budget T1 (Tables 2 and 3).

    ======  ===========  =====================  ===============================
    regime  tuned at T0  b1                     alpha1
    ======  ===========  =====================  ===============================
    A       eta          b0, or given           alpha0
    B       eta, alpha   b0, or given           alpha0*(b1/b0)*sqrt(T0/T1)
    C       eta, b       b0*(T1/T0)**(1/2)      alpha0
    D       all three    b0*(T1/T0)**(1/6)      alpha0*(b1/b0)*sqrt(T0/T1)
    SGD     eta          b0, or given           alpha0, 1 where there is none
    ======  ===========  =====================  ===============================

    and eta1 = eta0*sqrt(b1/b0 * alpha1/alpha0 * T0/T1) (SGD: eta0*b1/b0*sqrt(T0/T1)), which
    are the tables' powers of T1/T0. b1 < 1 and alpha1 > 1 are clamped to 1, and what
    follows in the table, eta1 last, follows from the clamped values: eq. 12 still holds
    there, the tables' powers do not. The rules are asymptotic and assume q = 1/2.

    Parameters
    ----------
    optimum : Optimum, GridArgmin or Transfer, or a mapping: eta, alpha, b, and T or K
        (then T = b*K), tuned within the regime. SGD needs no alpha.
    T1 : new token budget, > 0
    regime : "A", "B", "C", "D" or "SGD"
    b1 : new batch size, > 0, in the regimes that do not choose it themselves

    Returns
    -------
    Transfer, of the broadcast shape; NaN where an argument is out of its domain.

    Raises
    ------
    ValueError : an unknown regime; a value missing from `optimum`; b1 in regime C or D

    Warns
    -----
    ClampWarning : alpha or b was clamped

    Examples
    --------
    >>> tuned = {"eta": 0.01, "alpha": 0.1, "b": 64, "T": 1e9}
    >>> longer = transfer(tuned, 16e9, regime="B")
    >>> longer.eta, longer.alpha, longer.b, longer.clamped
    (0.00125, 0.025, 64.0, False)
    """
    power = exponents(_validate.choice("regime", regime, REGIMES))
    if b1 is not None and power.b:
        raise ValueError(
            f"regime {regime!r} chooses the batch size itself, got b1={b1!r}; "
            "for a given batch size use regime 'A' or 'B'"
        )
    arrays = _tuned(optimum, has_momentum=regime != "SGD")
    arrays["T1"] = _validate.float64("T1", T1)
    if b1 is not None:
        arrays["b1"] = _validate.float64("b1", b1)
    shape = _validate.broadcast_shape(**arrays)
    eta0, alpha0, b0, T0, T1 = (arrays[name] for name in ("eta", "alpha", "b", "T", "T1"))
    valid = _validate.positive(*arrays.values()) & _validate.is_momentum(alpha0)
    with np.errstate(all="ignore"):
        longer, root = T1 / T0, np.sqrt(T0 / T1)
        size = arrays["b1"] if b1 is not None else b0 * longer ** float(power.b)
        b_clamped = valid & (size < 1)
        size = np.maximum(size, 1.0)
        alpha = alpha0 * (size / b0) * root if power.alpha else alpha0
        alpha_clamped = valid & (alpha > 1)
        alpha = np.minimum(alpha, 1.0)
        scale = size / b0 if regime == "SGD" else np.sqrt(size / b0) * np.sqrt(alpha / alpha0)
        eta, K = eta0 * scale * root, T1 / size
    _report("alpha", alpha_clamped, shape)
    _report("b", b_clamped, shape)
    values = (_validate.where_valid(shape, valid, x) for x in (eta, alpha, size, K, T1))
    flags = (
        bool(x) if shape == () else np.broadcast_to(x, shape).copy()
        for x in (alpha_clamped, b_clamped)
    )
    return Transfer(*values, *flags)


def _tuned(optimum: Any, has_momentum: bool) -> dict[str, NDArray[np.float64]]:
    """eta, alpha, b and T out of an Optimum-like object or a mapping."""
    mapping = optimum if isinstance(optimum, Mapping) else None
    names = ("eta", "alpha", "b", "T", "K")
    found: dict[str, Any] = {
        name: getattr(optimum, name, None) if mapping is None else mapping.get(name)
        for name in names
    }
    if found["alpha"] is None and not has_momentum:
        found["alpha"] = 1.0
    budget = "K" if found["T"] is None else "T"
    missing = [name for name in ("eta", "alpha", "b", budget) if found[name] is None]
    if missing:
        what = "T or K" if missing[0] == budget else missing[0]
        got = type(optimum).__name__ if mapping is None else sorted(mapping)
        raise ValueError(f"optimum must have eta, alpha, b, and T or K; {what} is not in {got}")
    arrays = {name: _validate.float64(name, found[name]) for name in ("eta", "alpha", "b", budget)}
    if budget == "K":
        _validate.broadcast_shape(**arrays)
        with np.errstate(over="ignore"):
            arrays["T"] = arrays["b"] * arrays.pop("K")
    return arrays


def _report(name: str, clamped: Any, shape: tuple[int, ...]) -> None:
    clamped = np.broadcast_to(clamped, shape)
    if clamped.any():
        count = "" if shape == () else f" in {np.count_nonzero(clamped)} of {clamped.size} cases"
        message = f"{name} clamped to 1{count}; eta follows from the clamped value"
        warnings.warn(message, ClampWarning, stacklevel=3)
