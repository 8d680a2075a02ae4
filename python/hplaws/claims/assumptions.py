"""The paper's Appendices C and D: other assumptions, apparent exponents, iso-loss curves."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..bound import Bound, risk
from ._numerics import Array, gap, minimise, nonconvex_problems, power_law, problems, show, tuned
from ._registry import Finding, claim, grade

UNIT = Bound.proxy()


# ---- C.1: initialization -------------------------------------------------------------


@claim(
    "C.1-matched",
    "App. C.1",
    "A batch-b gradient as initial momentum is off by <~ rho*sigma/sqrt(b).",
)
def _matched() -> Finding:
    rng, b = np.random.default_rng(4), np.array([1, 4, 16, 64])
    noise = [rng.standard_normal((n, 300, 5, 3)).mean(axis=0) for n in b]
    # Per-sample E|noise|_2**2 = 15; rho = sqrt(15) for the l1, sqrt(3) for the nuclear norm.
    l1 = [np.abs(x).sum(axis=(1, 2)).mean() / 15 for x in noise]
    nuclear = [np.linalg.norm(x, "nuc", axis=(1, 2)).mean() / np.sqrt(45) for x in noise]
    scaled = np.array([l1, nuclear]) * np.sqrt(b)
    return grade(
        bool(scaled.max() <= 1),
        f"Gaussian noise, b = 1 to 64: E0*sqrt(b)/(rho*sigma) at most {scaled.max():.3f}",
    )


@claim(
    "C.1-unmatched",
    "App. C.1",
    "An initial error that does not shrink with b changes the best b(T).",
)
def _unmatched() -> Finding:
    T = 1e12
    changed = tuned(UNIT.unmatched_init(1.0), b=[1.0, 10.0, 100.0], T=T).risk
    matched = float(tuned(UNIT, b=(1.0, T), T=T).b)
    return grade(
        bool((np.diff(changed) > 0).all()) and matched > 10,
        f"T = 1e12, E0 = 1: the best b is 1 instead of {matched:.1f}",
    )


# ---- C.2: the noise model ------------------------------------------------------------

_Q = (0.25, 1 / 3, 0.5, 0.75, 1.0)


def _noise_exponents(q: float) -> Array:
    """Measured powers of (b, K) in alpha, eta and the value of eq. 43."""
    b, K = np.logspace(0, 3, 3)[:, None], np.logspace(16, 20, 3)
    best = tuned(UNIT.leading().with_noise_exponent(q), b=b, K=K)
    return np.array([power_law(y, b, K) for y in (best.alpha, best.eta, best.risk)])


@claim(
    "eq43", "eq. 43", "Given alpha the best eta is ~ sqrt(delta0*alpha/(L*K)), the value ~ K**-1/2."
)
def _three_terms() -> Finding:
    p = problems()
    bound = Bound(p.C1, p.C2, 0.0, p.C3, burn_in=0.0, q=0.3)
    best = tuned(bound, alpha=p.alpha, b=p.b, K=p.K)
    floor = p.C2 * p.b**-0.3 * np.sqrt(p.alpha)
    wrong = (
        gap(best.eta, np.sqrt(p.C1 * p.alpha / (p.C3 * p.K))),
        gap(best.risk, 2 * np.sqrt(p.C1 * p.C3 / p.K / p.alpha) + floor),
    )
    return grade(max(wrong) < 1e-5, f"q = 0.3, 8 random problems: within {max(wrong):.0e}")


@claim(
    "eq44",
    "eq. 44",
    "alpha ~ b**q*K**-1/2, eta ~ b**(q/2)*K**-3/4, value ~ b**(-q/2)*K**-1/4.",
)
def _tuned_by_noise_exponent() -> Finding:
    wrong = [
        np.abs(_noise_exponents(q) - [[q, -0.5], [q / 2, -0.75], [-q / 2, -0.25]]).max() for q in _Q
    ]
    return grade(max(wrong) < 1e-5, f"q = {show(_Q)}: exponents within {max(wrong):.0e}")


def _batch_exponent(q: float) -> tuple[float, float]:
    """Measured powers of b and of T in the value of eq. 43 once eta and alpha are tuned."""
    b, T = np.logspace(0, 3, 3)[:, None], np.logspace(20, 24, 3)
    powers = power_law(tuned(UNIT.leading().with_noise_exponent(q), b=b, T=T).risk, b, T)
    return float(powers[0]), float(powers[1])


@claim("eq45", "eq. 45", "At fixed T the value is ~ T**-1/4 * b**(1/4 - q/2).")
def _batch_sensitivity() -> Finding:
    measured = np.array([_batch_exponent(q) for q in _Q])
    stated = [(0.25 - q / 2, -0.25) for q in _Q]
    wrong = float(np.abs(measured - stated).max())
    return grade(wrong < 1e-5, f"q = {show(_Q)}: powers of b {show(measured[:, 0])}")


@claim(
    "eq45-signs", "after eq. 45", "Flat in b for q = 1/2, rising for q < 1/2, falling for q > 1/2."
)
def _signs() -> Finding:
    low, flat, high = (_batch_exponent(q)[0] for q in (0.4, 0.5, 0.6))
    return grade(
        low > 1e-3 and abs(flat) < 1e-6 and high < -1e-3,
        f"powers of b at q = 0.4, 0.5, 0.6: {low:+.4f}, {flat:+.1e}, {high:+.4f}",
    )


@claim(
    "C.2-interior",
    "App. C.2 II",
    "That there is an interior best b relies on q = 1/2.",
)
def _interior() -> Finding:
    T, q = np.array([1e18, 1e24]), 0.75
    small = tuned(UNIT.with_noise_exponent(0.4), b=np.array([[1.0], [10.0]]), T=T).risk
    best = tuned(UNIT.with_noise_exponent(q), T=T)
    power = float(power_law(best.b, T)[0])
    interior = bool(((best.b > 10) & (best.b < T / 10) & (best.alpha < 0.99)).all())
    return grade(
        not interior,
        f"q = 0.4: the smallest b is best; but q = 0.75 has an interior best b ~ T**{power:.3f} "
        f"= T**(1/(1 + 2q)), at alpha = {best.alpha[-1]:.3f} = 2q - 1, with the faster rate "
        f"T**{power_law(best.risk, T)[0]:.3f}",
        partly=bool((small[0] < small[1]).all()),
    )


@claim(
    "C.2-heavy",
    "App. C.2 III",
    "With p < 2 moments, q = 1 - 1/p, the value rises as b**(1/(2p) - 1/4).",
)
def _heavy_tails() -> Finding:
    moments = np.array([1.1, 1.5, 1.9])
    q = [UNIT.heavy_tailed(p).q for p in moments]
    powers = np.array([_batch_exponent(x)[0] for x in q])
    ok = gap(powers, 1 / (2 * moments) - 0.25) < 1e-5 and bool((powers > 0).all())
    return grade(ok and max(q) < 0.5, f"p = {show(moments)}: q = {show(q)}, powers {show(powers)}")


@claim(
    "C.2-heavy-rate", "App. C.2 III", "Under heavy tails the exponent of T can differ from -1/4."
)
def _heavy_tailed_rate() -> Finding:
    T, p = np.logspace(20, 24, 3), 1.5
    power = float(power_law(tuned(UNIT.heavy_tailed(p), b=1.0, T=T).risk, T)[0])

    def averaged(alpha: Array, eta: Array) -> Array:
        """Eq. 43 at b = 1 where averaging, too, reduces the noise only as alpha**(1 - 1/p)."""
        return 1 / (eta * T) + eta / alpha + alpha ** (1 - 1 / p)

    value = minimise(averaged, (1e-25, 1.0), (1e-35, 1e10), shape=T.shape)[-1]
    other = float(power_law(value, T)[0])
    return grade(
        abs(power + 0.25) > 1e-3,
        f"p = 1.5: the bound as stated, with sqrt(alpha), keeps T**{power:.4f} at its best b = 1; "
        f"the exponent changes only if sqrt(alpha) becomes alpha**(1 - 1/p): T**{other:.4f}",
        partly=abs(other + 0.25) > 1e-3,
    )


@claim("C.2-norm", "App. C.2 IV", "The noise in the dual norm is at most rho times the l2 noise.")
def _dual_noise() -> Finding:
    v = np.random.default_rng(5).standard_normal((2000, 5, 3))
    sigma_2 = np.sqrt((v**2).sum(axis=(1, 2)).mean())
    duals = np.abs(v).sum(axis=(1, 2)), np.linalg.norm(v, "nuc", axis=(1, 2))
    ratios = [float(np.sqrt((d**2).mean()) / sigma_2) for d in duals]
    ok = ratios[0] <= np.sqrt(15) and ratios[1] <= np.sqrt(3)
    return grade(
        bool(ok), f"l1 {ratios[0]:.3f} <= {15**0.5:.3f}, nuclear {ratios[1]:.3f} <= {3**0.5:.3f}"
    )


@claim(
    "C.2-capped-eta",
    "App. C.2 V",
    "With eta capped there is a batch size beyond which more b harms.",
)
def _capped_eta() -> Finding:
    b, T = np.logspace(0, 8, 33), 1e12
    capped = tuned(UNIT, eta=(1e-30, 1e-5), b=b, T=T).risk
    free = tuned(UNIT, b=b[:17], T=T).risk
    turn = int(capped.argmin())
    harm = float(capped[-1] / capped[turn])
    return grade(
        0 < turn < b.size - 1 and harm > 10,
        f"T = 1e12, eta <= 1e-5: best b = {b[turn]:.3g}, 1e8 costs a factor of {harm:.0f}; with "
        f"eta free b = 1 to 1e4 changes the risk by a factor of {free.max() / free.min():.3f}",
    )


# ---- C.3: apparent exponents ---------------------------------------------------------


def _path_exponent(p: float, *, T: Array, scale: float = 1.0, **how: Any) -> float:
    """The power of T in the best eta along b = scale*T**p."""
    bound = how.pop("bound", UNIT)
    return float(power_law(tuned(bound, b=scale * T**p, T=T, **how).eta, T)[0])


@claim("eq47", "eq. 46, 47", "Along b ~ T**p, eta ~ b**k*K**-l grows as T**(k*p - l*(1 - p)).")
def _effective_exponent() -> Finding:
    rng, T = np.random.default_rng(6), np.logspace(8, 12, 3)
    kappa, lam, p = rng.uniform(0, 1, (3, 20))
    b = T[:, None] ** p
    eta = b**kappa * (T[:, None] / b) ** -lam
    measured = [power_law(eta[:, i], T)[0] for i in range(p.size)]
    wrong = float(np.abs(measured - (kappa * p - lam * (1 - p))).max())
    return grade(wrong < 1e-12, f"20 random (k, l, p): within {wrong:.0e}")


@claim("eq48", "eq. 48", "It is positive exactly for p > l/(k + l).")
def _threshold() -> Finding:
    rng = np.random.default_rng(7)
    kappa, lam, p = rng.uniform(0, 1, (3, 10000))
    agree = (kappa * p - lam * (1 - p) > 0) == (p > lam / (kappa + lam))
    return grade(bool(agree.all()), f"{agree.sum()} of {agree.size} random (k, l, p) agree")


@claim("C.3-fixed", "App. C.3 (i)", "At fixed alpha eta ~ T**(-(1 - p)/2): it cannot grow with T.")
def _fixed_momentum_path() -> Finding:
    T, powers = np.logspace(8, 16, 3), np.array([0.0, 0.5, 0.9, 1.0])
    measured = np.array([_path_exponent(p, T=T, alpha=0.1) for p in powers])
    ok = float(np.abs(measured + (1 - powers) / 2).max()) < 1e-5 and measured.max() < 1e-5
    return grade(ok, f"p = {show(powers)}: {show(measured)}")


@claim(
    "eq49",
    "App. C.3 (ii), eq. 49",
    "With alpha tuned at fixed b, (k, l) = (1/4, 3/4) and eta ~ T**(p - 3/4).",
)
def _tuned_momentum_path() -> Finding:
    T, powers = np.logspace(30, 36, 3), np.array([0.0, 0.15, 0.3])
    measured = np.array([_path_exponent(p, T=T) for p in powers])
    return grade(
        gap(measured, powers - 0.75) < 1e-3,
        f"while alpha < 1 (p = {show(powers)}, eq. 4): {show(measured)}",
    )


@claim("eq49-positive", "App. C.3 (ii)", "So a positive fitted exponent is possible for p > 3/4.")
def _positive_exponent() -> Finding:
    T = np.logspace(7, 10, 4)
    bound = Bound.proxy(C2=10.0)
    best = tuned(bound, b=1e-6 * T**0.9, T=T)
    power = float(power_law(best.eta, T)[0])
    ok = power > 0.1 and bool((best.alpha < 0.1).all() and (best.b > 1).all())
    return grade(
        ok,
        f"C2 = 10, b = 1e-6*T**0.9, T = 1e7 to 1e10: {power:+.3f}, with alpha at most "
        f"{best.alpha.max():.3f}",
    )


@claim(
    "C.3-saturation",
    "App. C.3, caveat",
    "For p > 1/2 alpha ~ T**(p - 1/2) reaches 1, and eq. 49 ceases to hold.",
)
def _saturated() -> Finding:
    T, powers = np.logspace(30, 38, 3), np.array([0.6, 0.8, 0.9])
    alpha = min(float(tuned(UNIT, b=T**p, T=T).alpha.min()) for p in powers)
    measured = np.array([_path_exponent(p, T=T) for p in powers])
    ok = alpha > 0.999 and float(np.abs(measured + (1 - powers) / 2).max()) < 1e-3
    return grade(ok, f"p = {show(powers)}: alpha = {alpha:.4f}, eta exponents {show(measured)}")


@claim(
    "C.3-steplaw", "App. C.3", "StepLaw's p = 0.571 with eta ~ T**0.307 cannot come from eq. 49."
)
def _step_law() -> Finding:
    p, reported = 0.571, 0.307
    predicted = p - 0.75
    return grade(
        p < 0.75 and predicted < 0 < reported,
        f"eq. 49 gives {predicted:+.3f}, reported {reported:+}",
    )


@claim(
    "C.3-von2025", "App. C.3", "p = 0.8225 > 3/4 allows a positive exponent, but of another size."
)
def _von_rutte() -> Finding:
    p, reported = 0.8225, 0.8225 * 0.3412
    predicted = p - 0.75
    return grade(
        predicted > 0 and abs(reported / predicted - 1) > 0.5,
        f"eq. 49 gives {predicted:+.4f}, reported {reported:+.4f}",
    )


# ---- D: iso-loss curves --------------------------------------------------------------


def _constants() -> tuple[Any, Bound, Array, Array, Array]:
    """Random problems, their bounds, and C_det, C_burn, C_floor."""
    p = problems()
    delta0, L, rho, sigma = nonconvex_problems()
    det = 2 * np.sqrt(delta0 * L * (3.5 + 2 / p.alpha))
    burn, floor = 2 * rho * sigma / p.alpha, 2 * rho * sigma * np.sqrt(p.alpha)
    return p, Bound.nonconvex(delta0, L, rho, sigma), det, burn, floor


@claim(
    "D-u",
    "App. D",
    "With eta tuned the bound is C_det/sqrt(K) + C_burn/(K*sqrt(b)) + C_floor/sqrt(b).",
)
def _three_constants() -> Finding:
    p, bound, det, burn, floor = _constants()
    stated = det / np.sqrt(p.K) + burn / (p.K * np.sqrt(p.b)) + floor / np.sqrt(p.b)
    wrong = gap(tuned(bound, alpha=p.alpha, b=p.b, K=p.K).risk, stated)
    return grade(wrong < 1e-9, f"8 random problems: within {wrong:.0e}")


def _levels(K: Any, b: Any) -> tuple[Array, Array, Array]:
    """The tuned bound at K and b, with C_det and C_floor."""
    p, bound, det, _, floor = _constants()
    return tuned(bound, alpha=p.alpha, b=b, K=K).risk, det, floor


@claim(
    "D-K-min", "App. D, regime 1", "For b to infinity a level c needs K_min = (C_det/c)**2 steps."
)
def _fewest_steps() -> Finding:
    c = 0.1
    _, _, det, _, _ = _constants()
    level, _, _ = _levels(K=(det / c) ** 2, b=1e40)
    return grade(gap(level, c) < 1e-6, f"level at (K_min, b = 1e40): c within {gap(level, c):.0e}")


@claim("D-b-min", "App. D, regime 2", "For K to infinity a level c needs b_min = (C_floor/c)**2.")
def _smallest_batch() -> Finding:
    c = 0.1
    *_, floor = _constants()
    level, _, _ = _levels(K=1e40, b=(floor / c) ** 2)
    return grade(gap(level, c) < 1e-6, f"level at (K = 1e40, b_min): c within {gap(level, c):.0e}")


def _burn_in_shares(alpha: float, levels: Array) -> Array:
    """The largest share of the burn-in term on the iso-curve of each level, C1 = C2 = C3 = 1."""
    det, burn, floor = 2 * np.sqrt(1 + 1 / alpha), 1 / alpha, np.sqrt(alpha)
    K_min = (det / levels) ** 2
    K = np.maximum(K_min, 1.0) * (1 + np.logspace(-6, 8, 400)[:, None])
    root_b = (floor + burn / K) / (levels - det / np.sqrt(K))
    found = tuned(UNIT, alpha=alpha, b=root_b**2, K=K).risk
    if gap(found, levels) > 1e-6:
        raise ArithmeticError("the points are not on the iso-curve")
    share: Array = (burn / K / root_b / levels).max(axis=0)
    return share


@claim(
    "D-burn-in",
    "App. D, regime 3",
    "Between the two limits an iso-curve has a part where burn-in dominates: sqrt(b) ~ 1/K.",
)
def _burn_in_region() -> Finding:
    levels = np.array([10.0, 1.0, 0.1, 0.01])
    shares = {alpha: _burn_in_shares(alpha, levels) for alpha in (1e-3, 0.1)}
    largest = np.array(list(shares.values()))
    return grade(
        bool((largest > 0.5).all()),
        f"largest share of burn-in on the curves of c = {show(levels)}: "
        + "; ".join(f"{show(s)} at alpha = {a:g}" for a, s in shares.items())
        + "; it dominates only for large c, and never as c falls",
        partly=bool((largest > 0.5).any()),
    )


@claim(
    "D-hyperbola",
    "App. D",
    "(c*sqrt(K) - C_det)*(c*sqrt(b) - F) = C_det*F with F = C_floor + C_burn/K.",
)
def _hyperbola() -> Finding:
    p, _, det, burn, floor = _constants()
    c, _, _ = _levels(K=p.K, b=p.b)
    F = floor + burn / p.K
    left = (c * np.sqrt(p.K) - det) * (c * np.sqrt(p.b) - F)
    return grade(gap(left, det * F) < 1e-9, f"8 random problems: within {gap(left, det * F):.0e}")


@claim("D-K0", "App. D", "1/K varies slowly on the curve, so F may be taken at one K0.")
def _representative_steps() -> Finding:
    varies = {}
    for level in (10.0, 0.1):
        alpha = 1e-3
        K = 4 * (1 + 1 / alpha) / level**2 * np.array([1.1, 1e4])
        F = np.sqrt(alpha) + 1 / (alpha * K)
        varies[level] = float(F.max() / F.min())
    return grade(
        max(varies.values()) < 1.1,
        "alpha = 1e-3, C1 = C2 = C3 = 1, K = 1.1 to 1e4 times K_min: F changes by a factor of "
        + ", ".join(f"{v:.4g} at c = {level:g}" for level, v in varies.items())
        + "; it does not where burn-in is negligible, so not in regime 3",
        partly=min(varies.values()) < 1.1,
    )


def _near_optimal_batch(floor: float, alpha: float, T: Array) -> Array:
    """The smallest b within 1% of the best risk at each T, for eta >= floor."""
    b = np.logspace(0, 15, 1500)[:, None]
    eta = np.maximum(np.sqrt(b / (T * (1 + 1 / alpha))), floor)  # the best eta, eq. 12
    values = risk(UNIT, eta, alpha, b, T=T)
    found: Array = b[(values <= values.min(axis=0) / 0.99).argmax(axis=0), 0]
    return found


@claim("Fig10", "App. D, Fig. 10", "The near-optimal batch size follows T**1/2.")
def _near_optimal_trend() -> Finding:
    T = np.logspace(14, 22, 5)
    power = float(power_law(_near_optimal_batch(0.0, 0.1, T), T)[0])
    return grade(abs(power - 0.5) < 0.01, f"alpha = 0.1: exponent {power:.3f}")


@claim("Fig10-saturation", "App. D, Fig. 10", "With eta >= 1.7e-6 it saturates at large budgets.")
def _near_optimal_saturates() -> Finding:
    T, alpha = np.logspace(18, 26, 3), 1e-4
    power = {
        eta: float(power_law(_near_optimal_batch(eta, alpha, T), T)[0]) for eta in (0.0, 1.7e-6)
    }
    return grade(
        abs(power[1.7e-6]) < 0.01,
        f"alpha = 1e-4, T = 1e18 to 1e26: exponent {power[1.7e-6]:.3f}, {power[0.0]:.3f} without "
        "the limit",
    )


@claim("Fig10-eta", "App. D", "A smaller alpha needs a proportionally smaller eta.")
def _proportional() -> Finding:
    alpha = np.array([1e-4, 1e-3])
    power = float(power_law(tuned(UNIT.large_horizon(), alpha=alpha, T=1e24).eta, alpha)[0])
    return grade(abs(power - 1) < 0.01, f"at the best b, eta ~ alpha**{power:.4f}")


@claim("Fig11", "App. D", "A larger batch size requires a much smaller learning rate.")
def _smaller_eta() -> Finding:
    b = np.logspace(0, 4, 5)
    powers = {
        "at fixed K with alpha tuned": power_law(tuned(UNIT, b=b, K=1e12).eta, b)[0],
        "at fixed T with alpha tuned": power_law(tuned(UNIT, b=b, T=1e18).eta, b)[0],
        "at fixed K and alpha": power_law(tuned(UNIT, alpha=0.1, b=b, K=1e12).eta, b)[0],
        "at fixed T and alpha": power_law(tuned(UNIT, alpha=0.1, b=b, T=1e18).eta, b)[0],
    }
    return grade(
        min(powers.values()) < -0.1,
        "powers of b in the best eta: "
        + ", ".join(f"{p + 0.0:.3f} {name}" for name, p in powers.items()),
    )
