"""The paper's Tables 1 to 3 and Appendix A: what others measured, and the transfer rules."""

from __future__ import annotations

from functools import partial

import numpy as np

from ..bound import Bound
from ._numerics import gap, minimise, power_law, sgd_risk, show, spread, tuned
from ._registry import Finding, claim, grade

UNIT = Bound.proxy()

# Reported exponents of T (Table 1): best batch size, best learning rate.
DEEPSEEK, STEP_LAW, VON, FILATOV = (
    (0.3271, -0.1250),
    (0.571, 0.307),
    (0.8225, 0.2806),
    (0.45, -0.28),
)


# ---- Table 1 -------------------------------------------------------------------------


@claim(
    "Tab1.range", "Table 1, section 4", "Measured batch exponents, 0.3271 to 0.8225, surround 1/2."
)
def _batch_exponents() -> Finding:
    powers = [row[0] for row in (DEEPSEEK, STEP_LAW, VON, FILATOV)]
    T = np.logspace(16, 24, 3)
    theory = float(power_law(tuned(UNIT, alpha=0.1, T=T).b, T)[0])
    ok = (min(powers), max(powers)) == (0.3271, 0.8225) and min(powers) < theory < max(powers)
    return grade(ok, f"measured {show(powers)}; Theorem 1 {theory:.4f}")


@claim(
    "Tab1.von2025", "Table 1, App. C.3", "b ~ T**0.8225 and eta ~ b**0.3412 imply eta ~ T**0.2806."
)
def _composition() -> Finding:
    T = np.logspace(8, 12, 3)
    power = float(power_law((T**0.8225) ** 0.3412, T)[0])
    return grade(abs(power - VON[1]) < 5e-5, f"0.8225*0.3412 = {power:.5f}")


@claim(
    "Tab1.clash",
    "section 4, footnote 6",
    "StepLaw and von Rütte et al. report eta growing with T; DeepSeek and Theorem 1 (b ~ T**1/2, "
    "eta ~ T**-1/4) have it fall.",
)
def _signs() -> Finding:
    T = np.logspace(16, 24, 3)
    theory = float(power_law(tuned(UNIT, alpha=0.1, T=T).eta, T)[0])
    ok = min(STEP_LAW[1], VON[1]) > 0 > max(DEEPSEEK[1], FILATOV[1], theory)
    return grade(
        ok and abs(theory + 0.25) < 1e-3,
        f"StepLaw {STEP_LAW[1]:+}, von Rütte {VON[1]:+}, DeepSeek {DEEPSEEK[1]:+}, theory "
        f"{theory:+.4f}",
    )


# ---- Appendix A, Table 2 -------------------------------------------------------------


@claim("A-reuse", "App. A", "Reusing the short run's optimum at a larger budget is suboptimal.")
def _reuse() -> Finding:
    short, T = tuned(UNIT, alpha=0.1, T=1e8), 1e12
    reused = tuned(UNIT, eta=short.eta, alpha=0.1, b=(short.b, short.b * (1 + 1e-9)), T=T).risk
    best = tuned(UNIT, alpha=0.1, T=T).risk
    ratio = float(reused / best)
    return grade(ratio > 1.01, f"T0 = 1e8, T1 = 1e12, alpha = 0.1: {ratio:.1f} times the best risk")


def _table2(regime: str) -> Finding:
    T = np.array([1e16, 1e20])
    fixed: dict[str, dict[str, float]] = {
        "A": {"alpha": 0.1, "b": 64.0}, "B": {"b": 64.0}, "C": {"alpha": 0.1}, "D": {}
    }  # fmt: skip
    stated = {
        "A": [0.0, 0.0, -1 / 2],
        "B": [0.0, -1 / 2, -3 / 4],
        "C": [1 / 2, 0.0, -1 / 4],
        "D": [1 / 6, -1 / 3, -7 / 12],
    }
    best = tuned(UNIT, T=T, **fixed[regime])
    measured = [power_law(y, T)[0] for y in (best.b, best.alpha, best.eta)]
    return grade(
        float(np.abs(np.array(measured) - stated[regime]).max()) < 1e-3,
        f"eq. 4 minimised at T = 1e16 and 1e20: powers of T1/T0 in b, alpha, eta {show(measured)}",
    )


for _regime, _rule in {
    "A": "Fixed b and alpha: eta by (T0/T1)**1/2.",
    "B": "Fixed b: alpha by (T0/T1)**1/2, eta by (T0/T1)**3/4.",
    "C": "Fixed alpha: b by (T1/T0)**1/2, eta by (T0/T1)**1/4.",
    "D": "All tuned: b by (T1/T0)**1/6, alpha by (T0/T1)**1/3, eta by (T0/T1)**7/12.",
}.items():
    claim(f"Tab2.{_regime}", f"Table 2, regime {_regime}", _rule)(partial(_table2, _regime))


@claim("A-balance", "App. A", "Regime B balances the bound's dominant terms.")
def _balance() -> Finding:
    b, K = 64.0, 1e18
    best = tuned(UNIT, b=b, K=K)
    terms = np.array([1 / (best.eta * K), np.sqrt(best.alpha / b), best.eta / best.alpha])
    shares = terms / best.risk
    return grade(
        bool(shares.min() > 0.2 and shares.sum() > 0.99),
        f"shares of C1/(eta*K), C2*sqrt(alpha/b), C3*eta/alpha: {show(shares)}",
    )


@claim("A-sgd", "App. A", "For SGD eta transfers as b1/b0*(T0/T1)**1/2.")
def _sgd_transfer() -> Finding:
    measured, stated = _sgd_change()
    return grade(
        abs(measured / stated - 1) < 1e-5,
        f"b times 4, T times 100: eta times {measured:.5f}, stated {stated:.5f}",
    )


def _sgd_change() -> tuple[float, float]:
    b, T = np.array([32.0, 128.0]), np.array([1e8, 1e10])
    eta = minimise(lambda eta: sgd_risk(2.0, 3.0, 0.5, eta, b, T / b), (1e-12, 1e3), shape=(2,))[0]
    return float(eta[1] / eta[0]), b[1] / b[0] * float(np.sqrt(T[0] / T[1]))


# ---- Table 3 -------------------------------------------------------------------------

_BATCHES = np.array([[16.0], [256.0], [4096.0]])
_BUDGETS = np.array([1e18, 1e20, 1e22])


@claim("Tab3.A", "Table 3, row 1", "At fixed alpha eta*sqrt(T/b) is invariant.")
def _invariant_fixed_momentum() -> Finding:
    T = _BUDGETS * 1e-10  # larger ones drown eta's share of the risk in the noise floor
    best = tuned(UNIT, alpha=0.1, b=_BATCHES, T=T)
    varies = spread(best.eta * np.sqrt(T / _BATCHES))
    return grade(varies < 1e-5, f"9 pairs (b, T): varies by {varies:.0e}")


@claim(
    "Tab3.B", "Table 3, row 2", "With alpha tuned alpha*sqrt(T)/b and eta*T**(3/4)/b are invariant."
)
def _invariants_tuned_momentum() -> Finding:
    best = tuned(UNIT, b=_BATCHES, T=_BUDGETS)
    varies = [
        spread(best.alpha * np.sqrt(_BUDGETS) / _BATCHES),
        spread(best.eta * _BUDGETS**0.75 / _BATCHES),
    ]
    return grade(
        max(varies) < 1e-3, f"9 pairs (b, T), alpha up to {best.alpha.max():.0e}: {show(varies)}"
    )


@claim("Tab3.SGD", "Table 3, row 3", "For SGD eta*sqrt(T)/b is invariant.")
def _invariant_sgd() -> Finding:
    eta = minimise(
        lambda eta: sgd_risk(2.0, 3.0, 0.5, eta, _BATCHES, _BUDGETS / _BATCHES),
        (1e-15, 1e3),
        shape=(3, 3),
    )[0]
    varies = spread(eta * np.sqrt(_BUDGETS) / _BATCHES)
    return grade(varies < 1e-5, f"9 pairs (b, T): varies by {varies:.0e}")


@claim("Tab3.K", "App. A", "Table 3 is the K-optimal schedules re-expressed with K = T/b.")
def _from_steps() -> Finding:
    K = _BUDGETS / _BATCHES
    by_steps, by_tokens = tuned(UNIT, b=_BATCHES, K=K), tuned(UNIT, b=_BATCHES, T=_BUDGETS)
    wrong = gap(by_steps.alpha, by_tokens.alpha), gap(by_steps.eta, by_tokens.eta)
    powers = power_law(by_steps.eta, _BATCHES, K)
    return grade(
        max(wrong) < 1e-5 and gap(powers, [0.25, -0.75]) < 1e-3,
        f"eta at fixed K: powers of (b, K) {show(powers)}; same alpha and eta within "
        f"{max(wrong):.0e}",
    )
