"""The audit: complete, deterministic, right about what is known to be wrong, able to fail."""

import dataclasses
import math
import re

import numpy as np
import pytest

import hplaws
from hplaws.claims import Claim, _numerics, check, check_all, critical_batch, main_text, proofs
from hplaws.claims._registry import claim


@pytest.fixture(scope="module")
def claims() -> dict[str, Claim]:
    return {c.id: c for c in check_all()}


# ---- the list --------------------------------------------------------------------------

FALSE = {
    "S4-1e9-tokens",
    "B.4-near-optimal",
    "eq40-strict",
    "Fig11",
    "CB2.2-units",
    "CB3.1",
    "CB4.2",
    "CB4.2-derivation",
    "CB4.3",
    "CB5.1-budget",
    "CB5.2",
    "CB6.1",
    "CB7.2",
    "CB8.4",
    "CB8.4-second",
    "CB8",
    "CB9.3",
}
IMPRECISE = {
    "intro-increasing-eta",
    "S3-sgd",
    "T2.1",
    "S4-momentum",
    "Fig3",
    "R4-burn-in",
    "B.4-reference",
    "eq42-flat",
    "C.2-interior",
    "C.2-heavy-rate",
    "D-burn-in",
    "D-K0",
    "CB6.2-singular",
    "CB8.1",
    "CB9.1",
}


def test_verdicts(claims: dict[str, Claim]) -> None:
    """What does not follow from the sources' own formulas, and nothing else, is reported."""
    assert {i for i, c in claims.items() if c.verdict == "fails"} == FALSE
    assert {i for i, c in claims.items() if c.verdict == "imprecise"} == IMPRECISE
    assert {c.verdict for c in claims.values()} == {"holds", "fails", "imprecise"}


def test_every_check_is_deterministic_and_warns_of_nothing(claims: dict[str, Claim]) -> None:
    with np.errstate(invalid="raise", divide="raise"):
        again = check_all()
    assert again == list(claims.values())


def test_entries_are_complete(claims: dict[str, Claim]) -> None:
    assert len(claims) >= 150
    assert len(claims) == len(check_all.__globals__["_checks"])
    for c in claims.values():
        assert c.source
        assert c.statement.endswith(".") or c.statement.endswith("...")
        assert re.search(r"\d|units|unit of", c.evidence), c
    with pytest.raises(dataclasses.FrozenInstanceError):
        claims["T3"].verdict = "fails"  # type: ignore[misc]


def test_every_numbered_equation_is_covered(claims: dict[str, Claim]) -> None:
    covered: set[int] = set()
    for c in claims.values():
        if c.id.startswith("CB"):
            continue
        for numbers in re.findall(r"eq\. ((?:\d+(?:, | to )?)+)", c.source):
            for part in numbers.rstrip(", to").split(", "):
                ends = [int(n) for n in part.split(" to ")]
                covered |= set(range(ends[0], ends[-1] + 1))
    assert covered == set(range(1, 50))


def test_every_theorem_table_and_section_is_covered(claims: dict[str, Claim]) -> None:
    theorems = [
        "T1.1",
        "T1.2",
        "T2.1",
        "T2.2",
        "T3",
        "C1.1",
        "C1.2",
        "C2",
        "R4",
        "fn3",
        "fn5",
        "B.2-consistency",
    ]
    tables = [
        "Tab1.von2025",
        "Tab2.A",
        "Tab2.B",
        "Tab2.C",
        "Tab2.D",
        "Tab3.A",
        "Tab3.B",
        "Tab3.SGD",
    ]
    figures = [f"Fig{n}" for n in (1, 2, 3, 5, 6, 7, 8, 9, 10, 11)]
    assert {*theorems, *tables, *figures} <= set(claims)
    sections = [
        "1.1",
        "1.2",
        "2.1",
        "2.2",
        "3.1",
        "3.2",
        "4.2",
        "4.3",
        "5.1",
        "5.2",
        "5.3",
        "6.1",
        "6.2",
        "7.1",
        "7.2",
        "8",
        "9.1",
        "9.2",
        "9.3",
    ]
    steps = [f"8.{n}" for n in (1, 2, 3, 4)]
    assert {"CB" + number for number in [*sections, *steps]} <= set(claims)
    assert "4.1" in claims["CB3.2"].source


def test_an_id_is_used_once() -> None:
    with pytest.raises(ValueError, match="'T3' is registered twice"):
        claim("T3", "", "")(lambda: ("holds", ""))
    with pytest.raises(KeyError):
        check("T4")


# ---- evidence against values worked out by hand ------------------------------------------


def test_where_the_best_batch_size_leaves_one(claims: dict[str, Claim]) -> None:
    # Eq. 16 with b = 1, C1 = C2 = C3 = 1 is a quadratic in u = T**-1/2.
    a = 1e-3
    p, q, r = 1 / a, 2 * math.sqrt(1 + 1 / a), -math.sqrt(a)
    u = (-q + math.sqrt(q * q - 4 * p * r)) / (2 * p)
    assert f"{u**-2:.3g}" == "4.07e+06"
    assert "leaves 1 at T = 4.07e+06" in claims["S4-1e9-tokens"].evidence


def test_numbers_in_the_evidence(claims: dict[str, Claim]) -> None:
    assert "2**(1/4) = 1.1892" in claims["C1.1"].evidence
    assert "0.28064" in claims["Tab1.von2025"].evidence
    assert "[0.5000, 0.6875]" in claims["S3-C3"].evidence  # 2/4 and (7/2 + 2)/8
    assert "1, 0.7071, 0.5, 0.1" in claims["CB7.2"].evidence  # (B/B_crit)**-1/2
    assert "0.5000 from below and 1.0000 from above" in claims["CB8.4"].evidence
    assert "T**-1.33" in claims["eq22-remainder"].evidence  # u2 = 0: order T**-4/3
    assert "B^1.5 J^-1.5 K^1.5 s^0.5" in claims["CB4.2"].evidence
    assert "alpha = 0.500 = 2q - 1" in claims["C.2-interior"].evidence


# ---- the tools -----------------------------------------------------------------------------


def test_minimiser_finds_known_minima() -> None:
    scale = np.array([1e-3, 1.0, 1e6])
    x, y, value = _numerics.minimise(
        lambda x, y: x / scale + y / x + scale / y, (1e-12, 1e12), (1e-12, 1e12), shape=(3,)
    )
    # By symmetry every term is 1: x = y = scale.
    np.testing.assert_allclose([x, y], [scale, scale], rtol=1e-6)
    np.testing.assert_allclose(value, 3.0, rtol=1e-12)
    at_end, _ = _numerics.minimise(lambda x: x, (2.0, 5.0))
    assert at_end == pytest.approx(2.0, rel=1e-12)


def test_fit_recovers_exponents() -> None:
    x, y = np.logspace(0, 3, 4)[:, None], np.logspace(-2, 2, 5)
    np.testing.assert_allclose(_numerics.power_law(7 * x**0.3 * y**-2, x, y), [0.3, -2], rtol=1e-12)


# ---- checks can fail -------------------------------------------------------------------------


def altered_risk(**changes: float):  # type: ignore[no-untyped-def]
    """`risk` of bounds with fields replaced."""
    return lambda bound, *args, **kwargs: hplaws.risk(
        dataclasses.replace(bound, **changes), *args, **kwargs
    )


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"q": 0.4}, ["T1.2", "T2.2", "T3", "eq24", "eq16", "eq20", "Tab2.C", "Tab2.D", "eq44"]),
        ({"q": 0.4}, ["B.2-alpha", "Tab3.B", "C1.2", "D-u", "B.4-max-budget", "S3.2-flat"]),
        ({"lag": 0.0}, ["B.1-eta-K", "T2.2", "eq12", "eq27", "C1.1", "eq49", "Tab2.B"]),
        ({"drift": 1e-9}, ["eq12", "eq18", "eq20", "eq26", "D-K-min"]),
        ({"burn_in": 3.0}, ["eq13", "eq17", "eq20", "D-u"]),
        ({"noise": 1e-9}, ["T1-saturation", "B.2-risk", "S4-minima", "B.4-capped"]),
    ],
)
def test_a_wrong_bound_is_noticed(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, float], broken: list[str]
) -> None:
    monkeypatch.setattr(_numerics, "risk", altered_risk(**change))
    for id in broken:
        assert check(id).verdict == "fails", id


def test_a_wrong_transcription_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (main_text, proofs):
        monkeypatch.setattr(module, "risk", altered_risk(drift=0.7))
    for id in ("eq3", "eq4", "B.2-expanded", "eq10"):
        assert check(id).verdict == "fails", id


def test_wrong_decay_exponents_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    stated = proofs._decay_exponents
    monkeypatch.setattr(proofs, "_decay_exponents", lambda *powers: stated(*powers) + 0.1)
    assert check("eq31").verdict == "fails"
    assert check("eq32").verdict == "fails"


def test_verdicts_on_false_statements_follow_the_computation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Were the world as the sources say, the audit would say so."""
    monkeypatch.setattr(main_text, "_critical_budgets", lambda _, alpha: np.full(alpha.size, 1e9))
    assert check("S4-1e9-tokens").verdict == "holds"
    monkeypatch.setattr(main_text, "_critical_budgets", lambda _, alpha: np.full(alpha.size, 2e8))
    assert check("S4-1e9-tokens").verdict == "imprecise"

    model = critical_batch._Model
    monkeypatch.setattr(
        model, "information_per_energy", lambda self, B: np.exp(-(np.log(B / self.B_crit) ** 2))
    )
    monkeypatch.setattr(model, "learning_time", lambda self, B: np.maximum(1, B / self.B_crit))
    monkeypatch.setattr(model, "B_info", property(lambda self: self.P_max / self.cost / 2))
    for id in ("CB8", "CB8.4", "CB8.4-second", "CB7.2", "CB4.3"):
        assert check(id).verdict == "holds", id
    assert check("CB5.3").verdict == "fails"
