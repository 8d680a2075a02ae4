"""The critical-batch note: its formulas, their units, its stability and optimality arguments."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._numerics import Array, gap, power_law, show, spread
from ._registry import Finding, claim, grade

SOURCE = "critical-batch note, section "


@dataclass(frozen=True)
class _Model:
    """The note's formulas as they stand there. `cost` is nu0*tr(I_F), the power per batch unit."""

    P_max: float = 300.0
    cost: float = 0.5
    T0: float = 2.0
    k_B: float = 1.0
    C: float = 1.0

    @property
    def B_power(self) -> float:
        """Section 4.1."""
        return self.P_max / self.cost

    @property
    def B_info(self) -> float:
        """Section 4.2."""
        return float(np.sqrt(self.P_max * self.T0)) / (self.k_B * self.cost)

    @property
    def B_crit(self) -> float:
        """Section 4.3."""
        return min(self.B_power, self.B_info)

    def temperature(self, B: Any) -> Any:
        """Section 2.2."""
        return self.T0 / B

    def power(self, B: Any) -> Any:
        """Section 3.1."""
        return self.cost * B

    def effective_power(self, B: Any) -> Any:
        """Section 5.1."""
        return self.P_max * np.minimum(1, self.B_crit / B)

    def rate(self, B: Any) -> Any:
        """Section 5.2, relative to the maximal rate; written for B >= B_crit."""
        return np.sqrt(self.B_crit / B)

    def learning_time(self, B: Any) -> Any:
        """Section 5.3, relative to t_opt."""
        return np.maximum(1, np.sqrt(B / self.B_crit))

    def information_rate(self, B: Any) -> Any:
        """Section 8, step 1."""
        return self.C * np.sqrt(self.effective_power(B) / self.temperature(B))

    def information_per_energy(self, B: Any) -> Any:
        """Section 8, step 3."""
        return self.information_rate(B) / self.effective_power(B)


# Section 4.3 takes either limit: one model for each.
POWER_LIMITED = _Model(T0=1e4)
INFORMATION_LIMITED = _Model()
MODELS = (POWER_LIMITED, INFORMATION_LIMITED)


def _units(**powers: float) -> dict[str, float]:
    """Of a product, as powers of base units: J, s, K, loss, theta (a parameter's unit), ..."""
    return {unit: float(power) for unit, power in powers.items() if power}


def _times(*factors: tuple[dict[str, float], float]) -> dict[str, float]:
    """The units of a product of powers."""
    names = {unit for factor, _ in factors for unit in factor}
    return _units(**{n: sum(f.get(n, 0.0) * power for f, power in factors) for n in sorted(names)})


def _text(units: dict[str, float]) -> str:
    return " ".join(u if p == 1 else f"{u}^{p:g}" for u, p in units.items()) or "1"


WATT = _units(J=1, s=-1)
BOLTZMANN = _units(J=1, K=-1)
KELVIN = _units(K=1)


# ---- sections 1 and 2: dynamics, noise, temperature ----------------------------------


@claim(
    "CB1.1", SOURCE + "1.1", "In the SDE T is a temperature: the stationary loss is set by T alone."
)
def _stationary() -> Finding:
    # On h*theta**2/2 the variance v obeys dv/dt = -2*eta*h*v + 2*eta*T.
    h, T = 3.0, 0.7
    losses = []
    for eta in (0.1, 1.0):
        v, step = 5.0, 0.01 / eta
        for _ in range(3000):
            v += step * (-2 * eta * h * v + 2 * eta * T)
        losses.append(h * v / 2)
    return grade(
        gap(losses, T / 2) < 1e-9, f"T = 0.7, eta = 0.1, 1: stationary loss {show(losses)} = T/2"
    )


@claim("CB1.2", SOURCE + "1.2", "P/(k_B*T*ln 2) is a rate of information: bits per second.")
def _landauer() -> Finding:
    units = _times((WATT, 1), (BOLTZMANN, -1), (KELVIN, -1))
    room = 1.0 / (1.380649e-23 * 300 * np.log(2))
    return grade(units == _units(s=-1), f"units {_text(units)}; 1 W at 300 K: {room:.2e} bits/s")


@claim("CB2.1", SOURCE + "2.1", "A mini-batch gradient has variance sigma**2/B.")
def _variance() -> Finding:
    gradients = np.array([-1.0, 0.5, 2.0, 4.0])
    measured = [
        float(np.var([np.mean(batch) for batch in itertools.product(gradients, repeat=B)]))
        for B in (1, 2, 4)
    ]
    wrong = gap(measured, gradients.var() / np.array([1, 2, 4]))
    return grade(
        wrong < 1e-12, f"every batch of 1, 2, 4 out of 4 samples, drawn independently: {wrong:.0e}"
    )


@claim("CB2.2", SOURCE + "2.2", "The effective temperature is T0/B.")
def _temperature() -> Finding:
    # theta' = (1 - eta*h)*theta + eta*noise: stationary variance by its fixed point.
    eta, h, variance = 1e-3, 1.0, 4.0
    B = np.array([1.0, 10.0, 100.0])
    stationary = eta**2 * variance / B / (1 - (1 - eta * h) ** 2)
    T_eff = h * stationary
    power = float(power_law(T_eff, B)[0])
    return grade(
        abs(power + 1) < 1e-12 and gap(T_eff * B, eta * variance / 2) < 1e-2,
        f"discrete SGD on a quadratic: T_eff ~ B**{power:.4f}, T0 = {T_eff[0]:.4g} = "
        f"eta*sigma**2/2 = {eta * variance / 2:.4g}: a constant at fixed eta only",
    )


@claim("CB2.2-units", SOURCE + "1.1, 1.2", "The T of the SDE is the T of Landauer's bound.")
def _two_temperatures() -> Finding:
    # d(theta) = -eta*grad(L)*dt gives eta; (d theta)**2 = 2*eta*T*dt gives T.
    eta = _times((_units(theta=2), 1), (_units(loss=1, s=1), -1))
    T = _times((_units(theta=2), 1), (eta, -1), (_units(s=1), -1))
    return grade(T == KELVIN, f"in the SDE T has the unit of the {_text(T)}, in Landauer's bound K")


# ---- sections 3 and 4: power and the critical batch size -----------------------------


@claim(
    "CB3.1",
    SOURCE + "3.1",
    "nu0*B*tr(I_F) is a power, nu0 in FLOP per token, parameter and second.",
)
def _power_units() -> Finding:
    nu0 = _units(FLOP=1, token=-1, parameter=-1, s=-1)
    units = _times((nu0, 1), (_units(token=1), 1), (_units(theta=-2), 1))
    return grade(
        units == WATT,
        f"its units are {_text(units)}, not J/s: an energy per FLOP is missing, and the Fisher "
        "trace is no number of parameters",
    )


@claim(
    "CB3.2", SOURCE + "3.2, 4.1", "P(B) <= P_max exactly for B <= B_power = P_max/(nu0*tr(I_F))."
)
def _power_limit() -> Finding:
    B = np.logspace(0, 5, 1001)
    ok = all(((m.power(B) <= m.P_max) == (m.B_power >= B)).all() for m in MODELS)
    return grade(bool(ok), f"B_power = {POWER_LIMITED.B_power:g} in the example, 1001 batch sizes")


@claim("CB4.2", SOURCE + "4.2", "B_info = sqrt(P_max*T0)/(k_B*nu0*tr(I_F)) is a batch size.")
def _info_units() -> Finding:
    cost = _times((WATT, 1), (_units(B=1), -1))  # what 4.1 needs for B_power to be one
    T0 = _times((KELVIN, 1), (_units(B=1), 1))  # by 2.2
    units = _times((WATT, 0.5), (T0, 0.5), (BOLTZMANN, -1), (cost, -1))
    return grade(units == _units(B=1), f"where B_power has the unit B, B_info has {_text(units)}")


@claim(
    "CB4.2-derivation", SOURCE + "4.2", "B_info follows from the information processing rate 1.2."
)
def _info_derivation() -> Finding:
    m, B = POWER_LIMITED, np.logspace(0, 6, 7)
    limits = {
        "the power used": m.power(B) / m.temperature(B),
        "P_max": m.P_max / m.temperature(B),
        "P_eff": m.effective_power(B) / m.temperature(B),
    }
    falling = [name for name, rate in limits.items() if (np.diff(rate) < -1e-12 * rate[1:]).any()]
    powers = {name: float(power_law(rate[-2:], B[-2:])[0]) for name, rate in limits.items()}
    return grade(
        bool(falling),
        "the bound P/(k_B*T_eff*ln 2) never falls with B, so it singles out no batch size: "
        + ", ".join(f"~ B**{p + 0.0:.2g} with {name}" for name, p in powers.items()),
    )


@claim("CB4.3", SOURCE + "4.3", "B_crit = min(B_power, B_info) is well defined.")
def _critical() -> Finding:
    joule = INFORMATION_LIMITED
    # The same machine with energies in units of 1/1000 and 1000 J.
    milli, kilo = (
        _Model(joule.P_max / e, joule.cost / e, joule.T0, joule.k_B / e) for e in (1e-3, 1e3)
    )
    values = [m.B_crit for m in (milli, joule, kilo)]
    return grade(
        spread(values) < 1e-12,
        f"energies in mJ, J, kJ: B_crit = {show(values)} for the same machine (B_power is "
        f"{show([m.B_power for m in (milli, joule, kilo)])})",
    )


# ---- section 5: beyond the critical batch size ---------------------------------------


@claim("CB5.1", SOURCE + "5.1", "P_eff is P_max up to B_crit and falls as 1/B beyond.")
def _effective() -> Finding:
    wrong = []
    for m in MODELS:
        B = m.B_crit * np.array([0.1, 1.0, 10.0, 100.0])
        wrong.append(gap(m.effective_power(B) / m.P_max, [1, 1, 0.1, 0.01]))
    return grade(
        max(wrong) < 1e-12, f"continuous at B_crit, slopes 0 and -1: within {max(wrong):.0e}"
    )


@claim(
    "CB5.1-budget",
    SOURCE + "5.1, 3.1",
    "P_eff(B) = P_max below B_crit, where P(B) is the power used.",
)
def _more_than_used() -> Finding:
    m = POWER_LIMITED
    B = m.B_crit / 10
    used, effective = m.power(B), float(m.effective_power(B))
    return grade(
        effective <= used,
        f"at B = B_crit/10 P(B) = {used:g} but P_eff = {effective:g}",
    )


@claim("CB5.2", SOURCE + "5.2, 8", "Beyond B_crit the rate of step 8.1 falls as sqrt(B_crit/B).")
def _rate_beyond() -> Finding:
    m = POWER_LIMITED
    B = m.B_crit * np.array([1.0, 10.0, 100.0])
    rate = m.information_rate(B) / m.information_rate(m.B_crit)
    return grade(
        gap(rate, m.rate(B)) < 1e-9,
        f"B/B_crit = 1, 10, 100: C*sqrt(P_eff/T_eff) stays at {show(rate)} of its value there, "
        f"5.2 states {show(m.rate(B))}",
    )


@claim(
    "CB5.3",
    SOURCE + "5.3",
    "The learning time beyond B_crit is t_opt*sqrt(B/B_crit), as 5.2 implies.",
)
def _time_beyond() -> Finding:
    m = POWER_LIMITED
    B = m.B_crit * np.array([1.0, 4.0, 100.0])
    wrong = gap(m.learning_time(B), 1 / m.rate(B))
    return grade(
        wrong < 1e-12, f"information over rate at B/B_crit = 1, 4, 100: within {wrong:.0e}"
    )


# ---- section 6: stability ------------------------------------------------------------


def _matrix(fisher: Array, hessian: Array, eta: float, ratio: float) -> Array:
    """M(B) of section 6.1, ratio = B/B_crit."""
    return np.block([[-eta * fisher, eta * hessian], [-hessian, -ratio * fisher]])


def _growth(fisher: Array, hessian: Array, eta: float, ratio: float) -> float:
    """The largest real part of the eigenvalues."""
    return float(np.linalg.eigvals(_matrix(fisher, hessian, eta, ratio)).real.max())


def _random_pair(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """A positive definite and a symmetric indefinite matrix that do not commute."""
    root, other = rng.standard_normal((2, n, n))
    return root @ root.T + 1e-3 * np.eye(n), other + other.T


@claim("CB6.1", SOURCE + "6.1", "M(B) is the linearisation of the dynamics 1.1.")
def _linearisation() -> Finding:
    fisher, hessian, eta = np.array([[1.0]]), np.array([[-1.0]]), 0.1
    drift = float(-eta * hessian[0, 0])
    growth = _growth(fisher, hessian, eta, 1.0)
    return grade(
        (drift > 0) == (growth > 0),
        f"I_F = 1, Hessian = -1, eta = 0.1: 1.1 diverges from this maximum at the rate "
        f"{drift:+.2f}, M(B_crit) is stable with {growth:+.3f}; the linearisation is -eta*Hessian",
    )


@claim("CB6.2", SOURCE + "6.2", "Re(lambda) < 0 for a positive definite Fisher matrix.")
def _stable() -> Finding:
    # Proof: V = |u|**2/eta + |v|**2 has dV/dt = -2 u'Fu - 2 (B/B_crit) v'Fv; the Hessian cancels.
    rng, growth = np.random.default_rng(8), []
    for eta, ratio in itertools.product((1e-3, 1.0, 1e2), (1e-3, 1.0, 1e3)):
        growth += [_growth(*_random_pair(rng, n), eta, ratio) for n in (1, 2, 6)]
    return grade(
        max(growth) < 0,
        f"27 random pairs, B from 1e-3 to 1e3 times B_crit, indefinite Hessians that do not "
        f"commute: Re(lambda) at most {max(growth):.1e}. It holds for every B, so it is no "
        "condition on the batch size",
    )


@claim(
    "CB6.2-singular",
    SOURCE + "6.2",
    "Re(lambda) < 0 for any Fisher matrix (they are semidefinite in general).",
)
def _marginal() -> Finding:
    fisher, hessian = np.diag([1.0, 0.0]), np.diag([1.0, 2.0])
    eta = 0.25
    values = np.linalg.eigvals(_matrix(fisher, hessian, eta, 1.0))
    largest = float(values.real.max())
    imaginary = float(np.abs(values[values.real.argmax()].imag))
    regular = _growth(fisher + 1e-3 * np.eye(2), hessian, eta, 1.0)
    return grade(
        largest < -1e-12,
        f"where the Fisher matrix has a null direction lambda = +-{imaginary:.3g}i, Re = "
        f"{abs(largest):.0e}: it must be positive definite",
        partly=regular < 0,
    )


# ---- sections 7 and 8: optimality ----------------------------------------------------


@claim("CB7.1", SOURCE + "7.1", "At B_crit the power efficiency is 1 and the rate is the largest.")
def _at_critical() -> Finding:
    values = [(float(m.effective_power(m.B_crit)) / m.P_max, m.rate(m.B_crit)) for m in MODELS]
    return grade(
        values == [(1.0, 1.0)] * len(MODELS),
        "both are 1 by 5.1 and 5.2; the efficiency is 1 at every smaller B as well",
    )


@claim(
    "CB7.2",
    SOURCE + "7.2",
    "For B > B_crit eta_power*t_learn >= t_opt, with equality only at B_crit.",
)
def _trade_off() -> Finding:
    m = POWER_LIMITED
    ratios = np.array([1.0, 2.0, 4.0, 100.0])
    B = m.B_crit * ratios
    product = m.effective_power(B) / m.P_max * m.learning_time(B)
    return grade(
        bool((product >= 1 - 1e-12).all()),
        f"B/B_crit = {show(ratios)}: eta_power*t_learn/t_opt = {show(product)}, which is "
        "sqrt(B_crit/B) < 1",
    )


@claim(
    "CB8.1", SOURCE + "8, step 1", "dI/dt = C*sqrt(P_eff/T_eff) agrees with Landauer's bound 1.2."
)
def _rate_against_landauer() -> Finding:
    x = np.logspace(-6, 2, 9)  # P/T in units in which k_B*ln 2 = 1
    excess = 1e-2 * np.sqrt(x) / x  # C = 0.01
    return grade(
        bool((excess <= 1).all()),
        f"1.2 allows ~ (P/T)**1, step 1 has (P/T)**1/2, which exceeds it {excess.max():.0f} times "
        "at P/T = 1e-6 for C = 0.01, and for any C at small enough P/T",
        partly=bool(excess[-1] <= 1),
    )


@claim("CB8.2", SOURCE + "8, step 2", "E = P_eff*t is an energy.")
def _energy() -> Finding:
    units = _times((WATT, 1), (_units(s=1), 1))
    return grade(units == _units(J=1), f"units {_text(units)}")


@claim("CB8.3", SOURCE + "8, step 3", "I/E = (dI/dt)/P_eff = C/sqrt(P_eff*T_eff).")
def _per_energy() -> Finding:
    B, wrong = np.logspace(0, 5, 50), []
    for m in MODELS:
        stated = m.C / np.sqrt(m.effective_power(B) * m.temperature(B))
        wrong.append(gap(m.information_per_energy(B), stated))
    return grade(max(wrong) < 1e-12, f"50 batch sizes: within {max(wrong):.0e}")


@claim("CB8.4", SOURCE + "8, step 4", "The derivative of I/E in B vanishes at B_crit.")
def _first_derivative() -> Finding:
    m, h = POWER_LIMITED, 1e-6
    x = m.B_crit * np.array([1 - h, 1.0, 1 + h])
    slopes = np.diff(np.log(m.information_per_energy(x))) / np.diff(np.log(x))
    return grade(
        bool((np.abs(slopes) < 1e-3).all()),
        f"d log(I/E)/d log(B) is {slopes[0]:.4f} from below and {slopes[1]:.4f} from above: a kink "
        "between two rising branches",
    )


@claim(
    "CB8.4-second", SOURCE + "8, step 4", "The second derivative of I/E in B is negative at B_crit."
)
def _second_derivative() -> Finding:
    m, h = POWER_LIMITED, 1e-4
    values = m.information_per_energy(m.B_crit * np.array([1 - h, 1.0, 1 + h]))
    second = float(values[0] - 2 * values[1] + values[2]) / (values[1] * h)
    return grade(
        second < 0,
        f"I/E turns upwards there: its slope increases by {second:.3f} (in units of I/E over "
        "B_crit)",
    )


@claim("CB8", SOURCE + "8, theorem", "B_crit maximises the information gained per unit of energy.")
def _efficiency() -> Finding:
    m = POWER_LIMITED
    ratios = np.array([0.25, 1.0, 4.0, 100.0])
    B = m.B_crit * ratios
    relative = m.information_per_energy(B) / m.information_per_energy(m.B_crit)
    by_rate = m.rate(B[1:]) / (m.effective_power(B[1:]) / m.P_max)
    return grade(
        bool((relative <= 1).all()),
        f"B/B_crit = {show(ratios)}: I/E relative to B_crit is {show(relative)}, without limit; "
        f"with the rate of 5.2 from B_crit on it is {show(by_rate)}",
    )


# ---- section 9: observable consequences ----------------------------------------------


@claim("CB9.1", SOURCE + "9.1", "The observed power is ~ min(B, B_crit).")
def _observed() -> Finding:
    ratios = np.array([0.5, 1.0, 1.2, 10.0])
    observed = []
    for m in MODELS:
        used = np.minimum(m.power(m.B_crit * ratios), m.P_max)  # 3.1 with 3.2
        observed.append(used / used[1])
    wrong = [gap(x, np.minimum(ratios, 1)) for x in observed]
    return grade(
        max(wrong) < 1e-9,
        f"B/B_crit = {show(ratios)}, by 3.1 and 3.2: {show(observed[0])} if B_crit = B_power, but "
        f"{show(observed[1])} if B_crit = B_info < B_power",
        partly=wrong[0] < 1e-9,
    )


@claim("CB9.2", SOURCE + "9.2", "The training time is ~ max(1, sqrt(B/B_crit)), as 5.3 has it.")
def _training_time() -> Finding:
    m = POWER_LIMITED
    B = m.B_crit * np.array([0.01, 1.0, 100.0])
    stated = np.array([1.0, 1.0, 10.0])
    wrong = gap(m.learning_time(B), stated)
    return grade(wrong < 1e-12, f"B/B_crit = 0.01, 1, 100: t/t_opt = {show(m.learning_time(B))}")


@claim(
    "CB9.3",
    SOURCE + "9.3",
    "As a consequence of that optimum the loss improves by -log(min(1, B/B_crit)).",
)
def _improvement() -> Finding:
    ratios = np.array([1e-3, 0.1, 1.0, 10.0])
    improvement = -np.log(np.minimum(1, ratios)) + 0.0
    return grade(
        bool(improvement[2] >= improvement.max()),
        f"B/B_crit = {show(ratios)}: {show(improvement)}; it is 0 from B_crit on and grows without "
        "limit as B falls to 0",
    )
