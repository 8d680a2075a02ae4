"""What a claim is, and the list of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["holds", "fails", "imprecise"]
Finding = tuple[Verdict, str]
Check = Callable[[], Finding]


@dataclass(frozen=True)
class Claim:
    """A statement of a source and what checking it found.

    Attributes
    ----------
    id : the source's own number, such as "T1.2", "eq22" or "CB4.3"; where one number
        carries several statements, a word tells them apart ("eq40-strict")
    source : where it stands
    statement : what it says, paraphrased
    verdict : "holds", "fails" (a counterexample is in the evidence), or "imprecise" (true
        only under conditions it does not state, or roughly: the evidence has the
        measured value)
    evidence : the numbers the check computed
    """

    id: str
    source: str
    statement: str
    verdict: Verdict
    evidence: str


_checks: dict[str, tuple[str, str, Check]] = {}


def claim(id: str, source: str, statement: str) -> Callable[[Check], Check]:
    """Enters the decorated check under this id."""

    def register(examine: Check) -> Check:
        if id in _checks:
            raise ValueError(f"the claim {id!r} is registered twice")
        _checks[id] = source, statement, examine
        return examine

    return register


def grade(exact: bool, evidence: str, *, partly: bool = False) -> Finding:
    """Holds if `exact`; if not, imprecise where it is `partly` true, and else fails."""
    return ("holds" if exact else "imprecise" if partly else "fails"), evidence


def check(id: str) -> Claim:
    """Checks the claim of this id; KeyError if there is none."""
    source, statement, examine = _checks[id]
    return Claim(id, source, statement, *examine())


def check_all() -> list[Claim]:
    """Checks every claim, in the sources' order. Takes a few seconds; deterministic.

    Returns
    -------
    list of Claim
    """
    return [check(id) for id in _checks]
