"""The paper's Appendix B: every formula of the proofs, and what is concluded from them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..bound import Bound, risk
from ._numerics import (
    Array,
    gap,
    minimise,
    nonconvex_problems,
    power_law,
    problems,
    sgd_risk,
    show,
    spread,
    tuned,
)
from ._registry import Finding, claim, grade

UNIT = Bound.proxy()


def _equal(stated: Array, measured: Array, what: str, tolerance: float = 1e-6) -> Finding:
    """For statements that a formula gives what a search on `risk` finds."""
    wrong = gap(measured, stated)
    return grade(
        wrong < tolerance, f"{what} at {np.size(measured)} random points: within {wrong:.0e}"
    )


# ---- B.1: fixed momentum -------------------------------------------------------------


def _theorem1_constants() -> tuple[Any, Array, Array, Array]:
    """Random problems and the three constants of eq. 5: C1, C2~, C3~."""
    p = problems()
    return p, p.C1, p.C2 * np.sqrt(p.alpha), p.C3 * (1 + 1 / p.alpha)


@claim("B.1-eta-K", "App. B.1", "At fixed (K, b) the best eta is sqrt(C1/(C3~*K)).")
def _eta_given_steps() -> Finding:
    p, C1, _, C3 = _theorem1_constants()
    best = tuned(p.bound.large_horizon(), alpha=p.alpha, b=p.b, K=p.K)
    return _equal(np.sqrt(C1 / (C3 * p.K)), best.eta, "best eta", 1e-5)


@claim("B.1-risk-K", "App. B.1", "The risk is then 2*sqrt(C1*C3~/K) + C2~/sqrt(b).")
def _risk_given_steps() -> Finding:
    p, C1, C2, C3 = _theorem1_constants()
    best = tuned(p.bound.large_horizon(), alpha=p.alpha, b=p.b, K=p.K)
    return _equal(2 * np.sqrt(C1 * C3 / p.K) + C2 / np.sqrt(p.b), best.risk, "smallest risk")


@claim("B.1-eta-T", "App. B.1", "At fixed (T, b) the best eta is sqrt(C1*b/(C3~*T)).")
def _eta_given_tokens() -> Finding:
    p, C1, _, C3 = _theorem1_constants()
    best = tuned(p.bound.large_horizon(), alpha=p.alpha, b=p.b, T=p.T)
    return _equal(np.sqrt(C1 * p.b / (C3 * p.T)), best.eta, "best eta", 1e-5)


@claim("eq24", "App. B.1, eq. 24", "The best b at fixed alpha is C2~/(2*sqrt(C1*C3~))*sqrt(T).")
def _best_batch() -> Finding:
    p, C1, C2, C3 = _theorem1_constants()
    best = tuned(p.bound.large_horizon(), alpha=p.alpha, T=p.T)
    return _equal(C2 / (2 * np.sqrt(C1 * C3)) * np.sqrt(p.T), best.b, "best b", 1e-5)


@claim(
    "eq25",
    "App. B.1, eq. 25",
    "The best eta with it is C1**(1/4)*C2~**(1/2)/(sqrt(2)*C3~**(3/4))*T**(-1/4).",
)
def _best_eta() -> Finding:
    p, C1, C2, C3 = _theorem1_constants()
    best = tuned(p.bound.large_horizon(), alpha=p.alpha, T=p.T)
    stated = C1**0.25 * C2**0.5 / (np.sqrt(2) * C3**0.75) * p.T**-0.25
    return _equal(stated, best.eta, "best eta", 1e-5)


@claim("eq26", "App. B.1, eq. 26", "The risk is 2*sqrt(2)*(C1*C3~)**(1/4)*C2~**(1/2)*T**(-1/4).")
def _best_risk() -> Finding:
    p, C1, C2, C3 = _theorem1_constants()
    best = tuned(p.bound.large_horizon(), alpha=p.alpha, T=p.T)
    stated = 2 * np.sqrt(2) * (C1 * C3) ** 0.25 * np.sqrt(C2) * p.T**-0.25
    return _equal(stated, best.risk, "smallest risk")


@claim(
    "eq27", "App. B.4, eq. 27", "Substituting, alpha enters the risk only as (1 + alpha)**(1/4)."
)
def _risk_by_momentum() -> Finding:
    p = problems()
    best = tuned(p.bound.large_horizon(), alpha=p.alpha, T=p.T)
    stated = 2 * np.sqrt(2) * (p.C1 * p.C3 * (1 + p.alpha)) ** 0.25 * np.sqrt(p.C2) * p.T**-0.25
    return _equal(stated, best.risk, "smallest risk")


# ---- B.2: fixed batch size -----------------------------------------------------------


@claim("B.2-expanded", "App. B.2", "The proxy in K in expanded form is eq. 3.")
def _expanded() -> Finding:
    p, eta = problems(), 1e-3
    stated = (
        p.C1 / (eta * p.K)
        + p.C2 / (p.alpha * np.sqrt(p.b) * p.K)
        + p.C2 * np.sqrt(p.alpha / p.b)
        + p.C3 * eta * (1 + p.alpha) / p.alpha
    )
    return _equal(stated, risk(p.bound, eta, p.alpha, p.b, K=p.K), "risk", 1e-14)


@claim(
    "B.2-eta", "App. B.2", "Leading terms: the best eta at (alpha, b, K) is sqrt(C1*alpha/(C3*K))."
)
def _leading_eta() -> Finding:
    p = problems()
    best = tuned(p.bound.leading(), alpha=p.alpha, b=p.b, K=p.K)
    return _equal(np.sqrt(p.C1 * p.alpha / (p.C3 * p.K)), best.eta, "best eta", 1e-5)


@claim("B.2-min-eta", "App. B.2", "The value is then 2*sqrt(C1*C3/(K*alpha)) + C2*sqrt(alpha/b).")
def _leading_value() -> Finding:
    p = problems()
    best = tuned(p.bound.leading(), alpha=p.alpha, b=p.b, K=p.K)
    stated = 2 * np.sqrt(p.C1 * p.C3 / (p.K * p.alpha)) + p.C2 * np.sqrt(p.alpha / p.b)
    return _equal(stated, best.risk, "smallest risk")


@claim("B.2-lemma", "App. B.2", "p*a**(-1/2) + q*a**(1/2) is smallest, 2*sqrt(p*q), at a = p/q.")
def _square_root_lemma() -> Finding:
    p = problems()
    where, value = minimise(
        lambda a: p.C1 * a**-0.5 + p.C2 * a**0.5, (1e-10, 1e10), shape=p.C1.shape
    )
    wrong = gap(where, p.C1 / p.C2), gap(value, 2 * np.sqrt(p.C1 * p.C2))
    return grade(
        wrong[0] < 1e-5 and wrong[1] < 1e-6,
        f"minimiser within {wrong[0]:.0e}, value {wrong[1]:.0e}",
    )


def _leading_problem() -> tuple[Any, Any]:
    """Problems whose best alpha is below 1, and their optima over eta and alpha."""
    p = problems()
    p = p._replace(K=16 * p.C1 * p.C3 * p.b / p.C2**2 * p.K)  # alpha = 1/(2*sqrt(p.K))
    return p, tuned(p.bound.leading(), b=p.b, K=p.K)


@claim("B.2-alpha", "App. B.2", "The best alpha is 2*sqrt(C1*C3)/C2 * sqrt(b/K).")
def _leading_alpha() -> Finding:
    p, best = _leading_problem()
    return _equal(2 * np.sqrt(p.C1 * p.C3 * p.b / p.K) / p.C2, best.alpha, "best alpha", 1e-5)


@claim("B.2-risk", "App. B.2", "The risk is 2*sqrt(2)*C2**(1/2)*(C1*C3)**(1/4)*(b*K)**(-1/4).")
def _leading_risk() -> Finding:
    p, best = _leading_problem()
    stated = 2 * np.sqrt(2) * np.sqrt(p.C2) * (p.C1 * p.C3) ** 0.25 * p.T**-0.25
    return _equal(stated, best.risk, "smallest risk")


@claim(
    "B.2-eta-K",
    "App. B.2",
    "The best eta is sqrt(2)*C1**(3/4)/(C2**(1/2)*C3**(1/4)) * b**(1/4)*K**(-3/4).",
)
def _leading_eta_given_steps() -> Finding:
    p, best = _leading_problem()
    stated = np.sqrt(2) * p.C1**0.75 / (p.C2**0.5 * p.C3**0.25) * p.b**0.25 * p.K**-0.75
    return _equal(stated, best.eta, "best eta", 1e-5)


@claim("B.2-b1", "App. B.2", "For b = 1 this recovers alpha ~ K**-1/2 and eta ~ K**-3/4.")
def _batch_of_one() -> Finding:
    K = np.logspace(20, 28, 5)
    best = tuned(UNIT, b=1.0, K=K)
    slopes = power_law(best.alpha, K)[0], power_law(best.eta, K)[0]
    return grade(gap(slopes, [-0.5, -0.75]) < 1e-4, f"eq. 3, exponents {show(slopes)}")


@claim(
    "B.2-consistency",
    "App. B.2",
    "At that optimum the dropped terms, O(1/(b K**1/2)) and O(b**1/4 K**-3/4), are of lower "
    "order than O((b K)**-1/4).",
)
def _dropped_terms() -> Finding:
    b, K = np.logspace(0, 4, 3)[:, None], np.logspace(16, 24, 5)
    best = tuned(UNIT.leading(), b=b, K=K)
    powers = np.array(
        [
            power_law(1 / (best.alpha * np.sqrt(b) * K), b, K),
            power_law(best.eta, b, K),
            power_law(best.risk, b, K),
        ]
    )
    ok = np.abs(powers - [[-1, -0.5], [0.25, -0.75], [-0.25, -0.25]]).max() < 1e-3
    lower = (powers[:2, 1] < powers[2, 1]).all()
    return grade(
        bool(ok and lower),
        "exponents of (b, K): burn-in {}; smoothness {}; leading {}".format(
            *(f"({show(p)})" for p in powers)
        ),
    )


@claim(
    "R4",
    "Remark 4",
    "On any path b(T) <~ sqrt(T), which is alpha <= 1, the exponent -1/4 is kept while those of "
    "alpha and eta depend on the path.",
)
def _continuum() -> Finding:
    T, powers = np.logspace(30, 40, 3), np.array([0.0, 0.2, 0.4, 0.7])
    best = [tuned(UNIT, b=T**p, T=T) for p in powers]
    rates = np.array([power_law(x.risk, T)[0] for x in best])
    rules = np.array([power_law(x.alpha, T)[0] for x in best])
    kept = gap(rates[:3], -0.25) < 1e-3 and gap(rules[:3], powers[:3] - 0.5) < 1e-3
    return grade(
        kept and rates[3] > -0.24 and best[3].alpha.min() > 0.999,
        f"b = T**p, p = {show(powers)}: risk exponents {show(rates)}; p = 0.7 has alpha = 1",
    )


@claim(
    "R4-burn-in",
    "Remark 4, App. C.2 II",
    "Keeping the burn-in term breaks the tie and selects b ~ T**1/6.",
)
def _tie_breaking() -> Finding:
    T = np.array([1e12, 1e18])
    alone = float(power_law(tuned(replace(UNIT, drift=0.0), T=T).b, T)[0])
    without = tuned(UNIT.large_horizon(), b=[1.0, 10.0, 100.0], T=T[0]).risk
    return grade(
        abs(alone - 1 / 6) < 0.01,
        f"with the burn-in term alone b ~ T**{alone:.3f} (alpha = 1); with the term 7L/2*eta alone "
        f"the smallest b is best ({without[0]:.9f} < {without[1]:.9f} < {without[2]:.9f} at b = 1, "
        "10, 100): T**1/6 needs both",
        partly=alone > 0 and bool((np.diff(without) > 0).all()),
    )


# ---- B.3: everything tuned -----------------------------------------------------------


class _Nonconvex:
    """Random constants of eq. 10, and the functions eq. 13 to 20 define on them."""

    def __init__(self, count: int = 8) -> None:
        self.delta0, self.L, self.rho, self.sigma = nonconvex_problems(count)
        p = problems(count)
        self.alpha, self.b, self.T = p.alpha, p.b, p.T * 1e6
        self.noise = self.rho * self.sigma
        self.bound = Bound.nonconvex(self.delta0, self.L, self.rho, self.sigma)

    def A_T(self, alpha: Any) -> Any:
        root = np.sqrt(self.delta0 * self.L / self.T * (3.5 + 2 / alpha))
        return 2 * root + 2 * self.noise / (alpha * self.T)

    def B(self, alpha: Any) -> Any:
        return 2 * self.noise * np.sqrt(alpha)

    def g(self, alpha: Any) -> Any:
        root = np.sqrt(self.delta0 * self.L / self.T)
        return self.noise * root * np.sqrt(3.5 * alpha + 2) + self.noise**2 / (
            self.T * np.sqrt(alpha)
        )

    def cubic(self, alpha: Any) -> Any:
        """Eq. 20's left side: negative below its positive root, positive above."""
        return 3.5**2 * self.delta0 * self.L * self.T * alpha**3 - self.noise**2 * (3.5 * alpha + 2)

    def root(self) -> Array:
        """The positive root of eq. 20 by bisection in log(alpha)."""
        ends = np.array([np.full(self.T.shape, -60.0), np.full(self.T.shape, 20.0)])
        for _ in range(60):
            middle = ends.mean(axis=0)
            positive = self.cubic(np.exp(middle)) > 0
            ends = np.where([~positive, positive], middle, ends)
        return np.asarray(np.exp(ends.mean(axis=0)))


@claim("eq10", "eq. 10, 11", "Substituting K = T/b in the bound gives its form at fixed T.")
def _bound_in_tokens() -> Finding:
    s, eta = _Nonconvex(), 1e-3
    stated = (
        s.b * s.delta0 / (eta * s.T)
        + 2 * s.noise * np.sqrt(s.b) / (s.alpha * s.T)
        + 2 * s.noise * np.sqrt(s.alpha / s.b)
        + 3.5 * s.L * eta
        + 2 * s.L * eta / s.alpha
    )
    values = [
        risk(s.bound, eta, s.alpha, s.b, T=s.T),
        risk(s.bound, eta, s.alpha, s.b, K=s.T / s.b),
    ]
    return _equal(np.array([stated, stated]), np.array(values), "risk given T and given K", 1e-14)


@claim("eq12", "eq. 12", "The best eta at (alpha, b) is sqrt(b*delta0/(T*L*(7/2 + 2/alpha))).")
def _step1() -> Finding:
    s = _Nonconvex()
    stated = np.sqrt(s.b * s.delta0 / (s.T * s.L * (3.5 + 2 / s.alpha)))
    return _equal(stated, tuned(s.bound, alpha=s.alpha, b=s.b, T=s.T).eta, "best eta", 1e-5)


@claim("eq13", "eq. 13 to 15", "The bound is then Phi = A_T(alpha)*sqrt(b) + B(alpha)/sqrt(b).")
def _phi() -> Finding:
    s = _Nonconvex()
    stated = s.A_T(s.alpha) * np.sqrt(s.b) + s.B(s.alpha) / np.sqrt(s.b)
    return _equal(stated, tuned(s.bound, alpha=s.alpha, b=s.b, T=s.T).risk, "smallest risk")


@claim("eq16", "eq. 16", "The best b at fixed alpha is B(alpha)/A_T(alpha).")
def _step2() -> Finding:
    s = _Nonconvex()
    best = tuned(s.bound, alpha=s.alpha, T=s.T).b
    return _equal(s.B(s.alpha) / s.A_T(s.alpha), best, "best b", 1e-5)


@claim("eq17", "eq. 17", "The value there is 2*sqrt(A_T*B).")
def _step2_value() -> Finding:
    s = _Nonconvex()
    stated = 2 * np.sqrt(s.A_T(s.alpha) * s.B(s.alpha))
    return _equal(stated, tuned(s.bound, alpha=s.alpha, T=s.T).risk, "smallest risk")


@claim("eq18", "eq. 18, 19", "It simplifies to Psi = 4*sqrt(g(alpha)).")
def _psi() -> Finding:
    s = _Nonconvex()
    best = tuned(s.bound, alpha=s.alpha, T=s.T).risk
    return _equal(4 * np.sqrt(s.g(s.alpha)), best, "smallest risk")


@claim("eq19-derivative", "after eq. 19", "The derivative g' stated in the text.")
def _derivative() -> Finding:
    s = _Nonconvex()
    root = np.sqrt(s.delta0 * s.L / s.T)
    gained = s.noise * root * 3.5 / (2 * np.sqrt(3.5 * s.alpha + 2))
    lost = s.noise**2 / s.T * 0.5 * s.alpha**-1.5
    h = 1e-5 * s.alpha
    measured = (s.g(s.alpha + h) - s.g(s.alpha - h)) / (2 * h)
    wrong = float((np.abs(measured - (gained - lost)) / (gained + lost)).max())
    return grade(wrong < 1e-6, f"against central differences: within {wrong:.0e} of its terms")


@claim("eq20", "eq. 20", "The best alpha is the cubic's unique positive root.")
def _step3() -> Finding:
    s = _Nonconvex(3)
    best = tuned(s.bound, T=s.T)
    wrong = gap(best.alpha, s.root())
    signs = np.sign(s.cubic(np.logspace(-12, 6, 500)[:, None]))
    unique = bool(((np.diff(signs, axis=0) != 0).sum(axis=0) == 1).all())
    return grade(
        wrong < 1e-3 and unique,
        f"search over (eta, alpha, b) against the root: within {wrong:.0e}; one sign change on "
        "1e-12..1e6 in each problem",
    )


@claim("eq21", "eq. 21, steps (a), (b)", "With u = alpha*T**(1/3): A*u**3 - C = B*u*T**(-1/3).")
def _rescaled() -> Finding:
    s = _Nonconvex()
    A, B, C = 3.5**2 * s.delta0 * s.L, 3.5 * s.noise**2, 2 * s.noise**2
    u = s.root() * s.T ** (1 / 3)
    vanishing = B * u * s.T ** (-1 / 3)
    wrong = float(np.max(np.abs(A * u**3 - C - vanishing) / C))
    later = float(np.max(vanishing / C))
    return grade(
        wrong < 1e-12 and later < 0.1,
        f"satisfied to {wrong:.0e} at the root of eq. 20; the right side, at most {later:.1e} of "
        "C here, vanishes for large T",
    )


@claim(
    "eq22",
    "eq. 22",
    "For large T alpha is 2/7**(2/3) * (rho*sigma)**(2/3)/(delta0*L)**(1/3) * T**(-1/3).",
)
def _leading_root() -> Finding:
    s = _Nonconvex()
    s.T = s.T * 1e12
    stated = 2 / 7 ** (2 / 3) * (s.noise**2 / (s.delta0 * s.L * s.T)) ** (1 / 3)
    return _equal(stated, s.root(), "root", 1e-4)


@claim("eq22-u1", "after eq. 22", "The first correction is u1 = B/(3*A**(2/3)*C**(1/3)).")
def _first_correction() -> Finding:
    s = _Nonconvex()
    s.T = s.T * 1e6
    A, B, C = 3.5**2 * s.delta0 * s.L, 3.5 * s.noise**2, 2 * s.noise**2
    u1 = B / (3 * A ** (2 / 3) * C ** (1 / 3))
    measured = (s.root() - (C / (A * s.T)) ** (1 / 3)) * s.T ** (2 / 3)
    return _equal(u1, measured, "(alpha - u0*T**(-1/3))*T**(2/3)", 1e-3)


@claim("eq22-remainder", "after eq. 22", "The remainder after the first correction is O(1/T).")
def _remainder() -> Finding:
    s = _Nonconvex()
    A, B, C = 3.5**2 * s.delta0 * s.L, 3.5 * s.noise**2, 2 * s.noise**2
    scale = 4 * B**3 / (A * C**2)  # the budget at which the cubic's two lower terms compare
    u0 = (C / A) ** (1 / 3)
    remainders = []
    T = np.array([1e3, 1e4, 1e5])
    for factor in T:
        s.T = factor * scale
        second_order = u0 * s.T ** (-1 / 3) + B / (3 * A * u0) * s.T ** (-2 / 3)
        remainders.append(np.abs(s.root() - second_order).mean())
    order = float(power_law(remainders, T)[0])
    return grade(order < -0.99, f"it falls as T**{order:.3f}: the 1/T term vanishes identically")


@claim("eq23", "eq. 23", "b ~ T**1/6, K ~ T**5/6 and eta ~ T**-7/12 with all of the bound's terms.")
def _step_c() -> Finding:
    T = np.array([1e12, 1e15, 1e18])
    best = tuned(Bound.nonconvex(1.0, 1.0, 1.0, 1.0), T=T)
    slopes = [power_law(y, T)[0] for y in (best.b, T / best.b, best.eta)]
    return grade(gap(slopes, [1 / 6, 5 / 6, -7 / 12]) < 1e-3, f"exponents {show(slopes)}")


@claim("eq23-lower", "B.3, step (c)", "At that alpha the burn-in part of A_T is of lower order.")
def _burn_in_is_lower() -> Finding:
    s = _Nonconvex()
    shares = []
    factors = np.array([1e6, 1e9, 1e12])
    T = s.T
    for factor in factors:
        s.T = T * factor
        alpha = s.root()
        shares.append((2 * s.noise / (alpha * s.T) / s.A_T(alpha)).max())
    order = float(power_law(shares, factors)[0])
    return grade(abs(order + 1 / 3) < 1e-2, f"its share of A_T falls as T**{order:.4f}")


@claim(
    "eq23-rate",
    "after eq. 23",
    "The rate is O((delta0*L)**(1/4)*(rho*sigma)**(1/2)*T**(-1/4)).",
)
def _rate() -> Finding:
    s = _Nonconvex()
    s.T = s.T * 1e12
    values = 4 * np.sqrt(s.g(s.root()))
    constant = values / ((s.delta0 * s.L) ** 0.25 * np.sqrt(s.noise) * s.T**-0.25)
    return grade(
        spread(constant) < 1e-3,
        f"the constant is {constant.mean():.4f} in every problem, 4*2**(1/4) = {4 * 2**0.25:.4f}",
    )


@claim("B.3-fixed-b", "end of B.3", "Keeping b fixed recovers alpha ~ K**-1/2 and eta ~ K**-3/4.")
def _special_case_fixed_batch() -> Finding:
    K = np.logspace(18, 24, 4)
    best = tuned(Bound.nonconvex(1.0, 1.0, 1.0, 1.0), b=64.0, K=K)
    slopes = power_law(best.alpha, K)[0], power_law(best.eta, K)[0]
    return grade(gap(slopes, [-0.5, -0.75]) < 1e-3, f"b = 64, exponents {show(slopes)}")


@claim("B.3-fixed-alpha", "end of B.3", "Keeping alpha fixed recovers b ~ T**1/2.")
def _special_case_fixed_momentum() -> Finding:
    T = np.logspace(16, 24, 4)
    slope = power_law(tuned(Bound.nonconvex(1.0, 1.0, 1.0, 1.0), alpha=0.1, T=T).b, T)[0]
    return grade(abs(slope - 0.5) < 1e-3, f"alpha = 0.1, burn-in kept: exponent {slope:.5f}")


# ---- B.4: should momentum be tuned? --------------------------------------------------


@claim("B.4-reference", "App. B.4 (1)", "The fixed-momentum proxy used is the main text's eq. 4.")
def _cross_reference() -> Finding:
    p, eta = problems(), 1e-3
    stated = (
        p.C1 * p.b / (eta * p.T)
        + p.C2 * np.sqrt(p.alpha / p.b)
        + p.C3 * (1 + 1 / p.alpha) * eta
    )  # fmt: skip
    eq4 = gap(risk(p.bound, eta, p.alpha, p.b, T=p.T), stated)
    eq5 = gap(risk(p.bound.large_horizon(), eta, p.alpha, p.b, T=p.T), stated)
    return grade(
        eq4 < 1e-12,
        f"the expression is eq. 5 (within {eq5:.0e}); eq. 4 has the burn-in term besides and "
        f"differs by up to {eq4:.1e} here",
        partly=eq5 < 1e-12,
    )


@claim("B.4-range", "App. B.4 (1)", "(1 + alpha)**(1/4) lies in [1, 2**(1/4)].")
def _constant_range() -> Finding:
    values = (1 + np.linspace(0, 1, 1001)[1:]) ** 0.25
    ok = values.min() >= 1 and values.max() <= 2**0.25
    return grade(bool(ok), f"alpha in (0, 1]: from {values.min():.5f} to {values.max():.5f}")


@claim(
    "B.4-tokens",
    "App. B.4 (1)",
    "The budget for a target is ~ (1 + alpha)*target**-4, so tuning alpha saves at most a factor "
    "of 2.",
)
def _budget_for_target() -> Finding:
    alpha, T = np.array([1e-6, 0.1, 1.0]), np.logspace(10, 20, 3)[:, None]
    reached = tuned(UNIT.large_horizon(), alpha=alpha, T=T).risk
    order = float(power_law(T[:, 0], reached[:, 1])[0])
    budgets = (reached[0] / reached[0, 0]) ** -order  # for one target, relative to the first
    return grade(
        gap(budgets, 1 + alpha) < 1e-4 and abs(order + 4) < 1e-4,
        f"T ~ target**{order:.4f}; budgets at alpha = {show(alpha)}: {show(budgets)}",
    )


@claim("B.4-mild", "App. B.4 (1)", "At alpha = 0.1 re-tuning the momentum gains only little.")
def _mild_gain() -> Finding:
    T = 1e30
    gain = float(tuned(UNIT, alpha=0.1, T=T).risk / tuned(UNIT.leading(), b=1.0, T=T).risk)
    return grade(gain < 1.05, f"a factor of {gain:.4f} in risk; 1.1**(1/4) = {1.1**0.25:.4f}")


@claim(
    "B.4-capped",
    "App. B.4 (2)",
    "At b_max the risk is 2*sqrt(C1*C3~*b_max/T) + C2~/sqrt(b_max), and its limit C2~/sqrt(b_max).",
)
def _capped() -> Finding:
    p = problems()
    bound = p.bound.large_horizon()
    floor = p.C2 * np.sqrt(p.alpha / p.b)
    stated = 2 * np.sqrt(p.C1 * p.C3 * (1 + 1 / p.alpha) * p.b / p.T) + floor
    wrong = gap(tuned(bound, alpha=p.alpha, b=p.b, T=p.T).risk, stated)
    limit = gap(tuned(bound, alpha=p.alpha, b=p.b, T=1e50).risk, floor)
    return grade(max(wrong, limit) < 1e-6, f"value within {wrong:.0e}, limit within {limit:.0e}")


@claim(
    "B.4-max-budget",
    "App. B.4 (3)",
    "The best b reaches b_max at T ~ b_max**2 with fixed alpha, at T ~ b_max**6 with tuned alpha.",
)
def _batch_saturation() -> Finding:
    T = np.array([1e14, 1e18])
    powers = [power_law(T, tuned(UNIT, alpha=a, T=T).b)[0] for a in (1.0, (1e-25, 1.0))]
    return grade(gap(powers, [2.0, 6.0]) < 1e-2, f"T as a power of the best b: {show(powers)}")


@claim(
    "B.4-near-optimal",
    "App. B.4 (3)",
    "With tuned alpha and b <= b_max, runs are near-optimal only up to T ~ b_max**6.",
)
def _near_optimality() -> Finding:
    b_max, factors = 32.0, np.array([1e4, 1e8, 1e12])
    T = factors * b_max**6
    lowest = tuned(UNIT.leading(), b=1.0, T=T).risk  # below the bound for every b
    excess = tuned(UNIT, b=b_max, T=T).risk / lowest - 1
    fixed = tuned(UNIT, alpha=0.1, b=b_max, T=T).risk / lowest
    return grade(
        excess[-1] > 0.05,
        f"b_max = 32, T = b_max**6 times {show(factors)}: with alpha tuned the cap costs at most "
        f"{show(excess)} of the risk (with alpha = 0.1 the risk grows {show(fixed)} times)",
    )


# ---- B.5: power-law schedules --------------------------------------------------------

_T = np.logspace(20, 40, 3)


def _term_exponents(beta: float, gamma: float, delta: float) -> Array:
    """Decay exponents of the five terms, each measured on `risk` with the others switched off.

    The burn-in term is isolated by a coefficient of 1e80, beside which the floor vanishes.
    """
    off = {"descent": 0.0, "noise": 0.0, "drift": 0.0, "lag": 0.0}
    alone = ({"descent": 1.0}, {"noise": 1.0, "burn_in": 1e80}, {"noise": 1.0, "burn_in": 0.0},
             {"drift": 1.0}, {"lag": 1.0})  # fmt: skip
    b, alpha, eta = _T**beta, _T**-gamma, _T**-delta
    values = (risk(Bound(**{**off, **term}), eta, alpha, b, T=_T) for term in alone)
    return np.array([-power_law(value, _T)[0] for value in values])


def _decay_exponents(beta: Any, gamma: Any, delta: Any) -> Array:
    """r1 to r5 as eq. 31 states them."""
    return np.array(
        np.broadcast_arrays(
            1 - beta - delta, 1 - beta / 2 - gamma, (beta + gamma) / 2, delta, delta - gamma
        )
    )


_SCHEDULES = ((0.0, 0.5, 0.75), (0.25, 0.25, 0.5), (1 / 6, 1 / 3, 7 / 12), (0.75, 0.0, 0.1))


@claim("eq28", "eq. 28", "The bound at fixed T, restated, is eq. 11.")
def _restated() -> Finding:
    s, eta = _Nonconvex(), 1e-4
    stated = risk(Bound(s.delta0, 2 * s.noise, 3.5 * s.L, 2 * s.L), eta, s.alpha, s.b, T=s.T)
    return _equal(stated, risk(s.bound, eta, s.alpha, s.b, T=s.T), "risk", 1e-14)


@claim("eq31", "eq. 29 to 31", "The five terms decay with the exponents r1 to r5.")
def _five_exponents() -> Finding:
    wrong = max(float(np.abs(_term_exponents(*s) - _decay_exponents(*s)).max()) for s in _SCHEDULES)
    return grade(wrong < 1e-9, f"4 schedules, term by term: within {wrong:.0e}")


@claim("eq32", "eq. 32", "The bound decays with the smallest of the exponents.")
def _smallest_exponent() -> Finding:
    wrong = []
    for beta, gamma, delta in _SCHEDULES:
        T = np.logspace(60, 80, 3)
        value = risk(UNIT, T**-delta, T**-gamma, T**beta, T=T)
        wrong.append(abs(-power_law(value, T)[0] - _decay_exponents(beta, gamma, delta).min()))
    return grade(
        max(wrong) < 1e-3, f"4 schedules, fitted on the whole bound: within {max(wrong):.0e}"
    )


@claim("eq33", "eq. 33, remark", "T**-1/4 is in reach exactly for beta <= 1/2.")
def _reachable() -> Finding:
    grid = np.linspace(0, 1, 121)
    gamma, delta = grid[:, None], grid
    betas = np.array([0.0, 0.25, 0.5, 0.6, 0.8])
    best = np.array([_decay_exponents(b, gamma, delta).min(axis=0).max() for b in betas])
    stated = np.where(betas <= 0.5, 0.25, (1 - betas) / 2)
    return grade(
        float(np.abs(best - stated).max()) < 1e-9,
        f"largest min(r) over gamma >= 0 and delta at beta = {show(betas)}: {show(best)}",
    )


def _schedule(beta: float) -> Array:
    return _term_exponents(beta, 0.5 - beta, 0.75 - beta)


@claim("eq35", "eq. 34, 35", "alpha ~ b*T**-1/2, eta ~ b*T**-3/4 make three terms T**-1/4.")
def _equalised() -> Finding:
    r = np.array([_schedule(beta) for beta in (0.0, 0.2, 0.5)])
    return grade(
        gap(r[:, [0, 2, 4]], 0.25) < 1e-9, f"b = 1, T**0.2, T**0.5: {show(r[:, [0, 2, 4]])}"
    )


@claim(
    "eq36",
    "eq. 36",
    "The other two terms are then (b*T)**-1/2 <= T**-1/2 and b*T**-3/4 <= T**-1/4.",
)
def _others_are_smaller() -> Finding:
    beta = np.array([0.0, 0.2, 0.5])
    r = np.array([_schedule(x) for x in beta])
    ok = gap(r[:, 1], (1 + beta) / 2) < 1e-9 and gap(r[:, 3], 0.75 - beta) < 1e-9
    ok &= bool((r[:, 1] >= 0.5 - 1e-9).all() and (r[:, 3] >= 0.25 - 1e-9).all())
    return grade(ok, f"decay exponents {show(r[:, 1])} and {show(r[:, 3])}")


@claim("eq37", "eq. 37", "So the bound is at most C1*T**-1/4 + C2*(b*T)**-1/2 = O(T**-1/4).")
def _guarantee() -> Finding:
    T, beta = np.logspace(2, 40, 20), np.array([[0.0], [0.2], [0.5]])
    b = T**beta
    value = risk(UNIT, b * T**-0.75, b * T**-0.5, b, T=T)
    ratio = value / (4 * T**-0.25 + (b * T) ** -0.5)
    return grade(
        bool(ratio.max() <= 1 + 1e-12),
        f"C1 = C2 = C3 = 1, T = 1e2 to 1e40: bound over 4*T**-1/4 + (b*T)**-1/2 is at most "
        f"{ratio.max():.3f}",
    )


@claim(
    "eq38", "eq. 38, 39", "min(r1, r4) is at most (1 - beta)/2, reached at delta = (1 - beta)/2."
)
def _ceiling() -> Finding:
    delta = np.linspace(-1, 2, 3001)
    betas = np.array([0.55, 0.7, 0.9])
    values = np.minimum(1 - betas[:, None] - delta, delta)
    best, where = values.max(axis=1), delta[values.argmax(axis=1)]
    wrong = max(
        float(np.abs(best - (1 - betas) / 2).max()), float(np.abs(where - (1 - betas) / 2).max())
    )
    return grade(wrong < 1e-3, f"beta = {show(betas)}: ceiling {show(best)} at delta {show(where)}")


@claim("eq40", "eq. 40", "alpha ~ 1 and eta ~ T**(-(1 - beta)/2) reach the rate (1 - beta)/2.")
def _aggressive() -> Finding:
    betas = np.array([0.55, 0.7, 0.9])
    rates = np.array([_term_exponents(x, 0.0, (1 - x) / 2).min() for x in betas])
    return grade(gap(rates, (1 - betas) / 2) < 1e-9, f"beta = {show(betas)}: {show(rates)}")


@claim(
    "eq40-strict",
    "after eq. 40",
    "There the three remaining terms, eta/alpha among them, decay strictly faster.",
)
def _strictly_faster() -> Finding:
    beta = 0.7
    r = _term_exponents(beta, 0.0, (1 - beta) / 2)
    margins = r[[1, 2, 4]] - r[0]
    return grade(
        bool((margins > 1e-9).all()),
        f"beta = 0.7: exponents of sqrt(b)/(alpha T), sqrt(alpha/b), eta/alpha "
        f"{show(r[[1, 2, 4]])} against {r[0]:.4g}: eta/alpha decays at the same rate, not faster",
    )


@claim("eq41", "eq. 41", "That rate is K**-1/2 = (b/T)**1/2.")
def _iteration_limited() -> Finding:
    T = np.logspace(30, 40, 3)
    powers = [power_law(tuned(UNIT, b=b, T=T).risk, T / b)[0] for b in (T**0.75, T**0.9)]
    return grade(
        gap(powers, -0.5) < 1e-3, f"risk as a power of K, beta = 0.75, 0.9: {show(powers)}"
    )


# ---- B.6: SGD ------------------------------------------------------------------------


def _sgd(low: float = 1e-15, high: float = 1e10) -> tuple[Any, ...]:
    """Random problems with SGD's constants, and the best eta and value of eq. 42."""
    p = problems()
    delta0, L, _, sigma = nonconvex_problems()
    eta, value = minimise(
        lambda eta: sgd_risk(delta0, L, sigma, eta, p.b, p.K), (low, high), shape=p.b.shape
    )
    return p, delta0, L, sigma, eta, value


@claim(
    "eq42-K",
    "App. B.6, eq. 42",
    "At fixed K the best eta is ~ sqrt(b/K), the value sqrt(d0*L*s**2/(b*K)).",
)
def _sgd_steps() -> Finding:
    p, delta0, L, sigma, eta, value = _sgd()
    scale = value / np.sqrt(delta0 * L * sigma**2 / (p.b * p.K))
    rule = eta / np.sqrt(p.b / p.K) / np.sqrt(delta0 / L) * sigma
    return grade(
        max(spread(scale), spread(rule)) < 1e-4,
        f"in 8 random problems the constants are {scale.mean():.5f} and {rule.mean():.5f}",
    )


@claim("eq42-K-batch", "App. B.6, eq. 42", "At fixed K a larger b improves the bound.")
def _sgd_batch() -> Finding:
    b = np.logspace(0, 4, 9)
    value = minimise(lambda eta: sgd_risk(1.0, 1.0, 1.0, eta, b, 1e6), (1e-12, 1.0), shape=b.shape)[
        -1
    ]
    return grade(bool((np.diff(value) < 0).all()), f"K = 1e6, b = 1 to 1e4: {show(value[::4])}")


@claim("eq42-T", "App. B.6, eq. 42", "At fixed T the best eta is ~ b*T**-1/2.")
def _sgd_tokens() -> Finding:
    p, delta0, L, sigma, eta, _ = _sgd()
    rule = eta / (p.b / np.sqrt(p.T)) / np.sqrt(delta0 / L) * sigma
    return grade(spread(rule) < 1e-4, f"eta*sqrt(T)/b in units of sqrt(d0/L)/s: {show(rule[:3])}")


@claim("eq42-flat", "App. B.6, eq. 42", "The tuned value is ~ sqrt(d0*L*s**2/T), independent of b.")
def _sgd_flat() -> Finding:
    b = np.logspace(0, 6, 7)
    limited = {}
    for cap in (1e10, 1.0):
        limited[cap] = minimise(
            lambda eta: sgd_risk(1.0, 1.0, 1.0, eta, b, 1e8 / b),
            (1e-12, cap),
            shape=b.shape,
        )[-1]
    rise = spread(limited[1.0])
    return grade(
        rise < 1e-9,
        f"T = 1e8, b = 1 to 1e6: varies by {spread(limited[1e10]):.0e} with eta free; under the "
        f"bound's own condition eta <= 1/L it rises by a factor of {rise + 1:.3g}, from "
        "b = s*sqrt(T/(d0*L)) on",
        partly=spread(limited[1e10]) < 1e-9,
    )


@claim(
    "B.6-lmo",
    "App. B.6",
    "Unlike SGD's, the LMO bound at fixed alpha keeps a term falling with b: best b ~ T**1/2.",
)
def _lmo_has_best_batch() -> Finding:
    T = np.logspace(16, 20, 3)
    b = tuned(UNIT, alpha=0.1, T=T).b
    tenth, best, tenfold = (tuned(UNIT, alpha=0.1, b=b * k, T=T).risk for k in (0.1, 1, 10))
    worse = [float((value / best).min()) for value in (tenth, tenfold)]
    slope = float(power_law(b, T)[0])
    return grade(
        abs(slope - 0.5) < 1e-3 and min(worse) > 1.1,
        f"exponent {slope:.4f}; a tenth or ten times the best b costs factors {show(worse)}",
    )
