"""Answers as tables for people, drawn with Rich."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .verification import FEWEST, Sweep, Verification

if TYPE_CHECKING:
    from .claims import Claim

_COLOURS = {
    "agrees": "green",
    "disagrees": "bold red",
    "too short": "bold red",
    "holds": "green",
    "imprecise": "yellow",
    "fails": "bold red",
}

_VERDICTS = ("holds", "imprecise", "fails")


def print_values(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], notes: Iterable[str]
) -> None:
    """A quantity a row: what it is, its values, a remark. Then the notes, a line each."""
    table = _table(title)
    table.add_column(headings[0], no_wrap=True)
    for heading in headings[1:-1]:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column(headings[-1])
    for row in rows:
        table.add_row(*map(Text, row))
    console = _console()
    console.print(table)
    for note in notes:
        console.print(note, markup=False)


def number(x: float) -> str:
    """Six significant digits; all those before the point up to 1e7.

    >>> number(24414062.5), number(1234567.25), number(0.00123), number(4096.0)
    ('2.44141e+07', '1,234,567', '0.00123', '4,096')
    """
    return f"{x:,.0f}" if 1e5 <= abs(x) < 1e7 else f"{x:,.6g}"


def momentum(alpha: float) -> str:
    """beta = 1 - alpha, to the decimal of alpha's third digit.

    >>> momentum(0.05), momentum(6.3e-5), momentum(1.0)
    ('0.95', '0.999937', '0')
    """
    decimals = 2 - math.floor(math.log10(alpha))
    return f"{1 - alpha:.{decimals}f}".rstrip("0").rstrip(".")


def print_claims(claims: Sequence[Claim]) -> None:
    """Every claim with its verdict and the evidence, then how many have which verdict."""
    table = _table("What the sources state, checked by computation")
    for heading, width in (("id", 18), ("source", 14), ("verdict", None)):
        table.add_column(heading, max_width=width, overflow="fold")
    for heading in ("statement", "evidence"):
        table.add_column(heading, ratio=1, overflow="fold")
    for claim in claims:
        verdict = Text(claim.verdict, _COLOURS[claim.verdict])
        texts = map(Text, (claim.statement, claim.evidence))
        table.add_row(Text(claim.id), Text(claim.source), verdict, *texts, end_section=True)
    console = _console()
    console.print(table)
    counts: Counter[str] = Counter(claim.verdict for claim in claims)
    summary = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _VERDICTS)
    console.print(f"{len(claims)} claims: {summary}")


def print_verification(result: Verification) -> None:
    """Every exponent: the theorem's, the grid's, the continuum's, and whether they agree."""
    table = _table("Exponents of the token budget T")
    for heading in ("setting, window", "x ~ T**?"):
        table.add_column(heading, no_wrap=True)
    for heading in ("theory", "grid ± s.e.", "allowed", "continuum", "allowed"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    unresolved = False
    for sweep in result.sweeps:
        setting = sweep.setting
        notes = [
            f"Theorem {setting.theorem}, Figure {setting.figure}",
            setting.label,
            _window(sweep),
        ]
        comparisons = [c for c in result.comparisons if c.setting is setting]
        for i, c in enumerate(comparisons):
            vague = c.verdict == "agrees" and not c.grid_resolves
            unresolved |= vague
            table.add_row(
                notes[i] if i < len(notes) else "",
                c.quantity,
                str(c.exponent),
                f"{c.grid.slope:.5f} ± {c.grid.stderr:.5f}" if c.grid else "-",
                _allowed(c.grid_tolerance, c.grid_resolves),
                f"{c.continuous.slope:.5f}" if c.continuous else "-",
                _allowed(c.continuous_tolerance, True),
                f"[{_COLOURS[c.verdict]}]{c.verdict}[/]" + ("*" if vague else ""),
                end_section=i == len(comparisons) - 1,
            )
    console = _console()
    console.print(table)
    console.print(
        "allowed: largest |slope - theory| that the grid's spacing and the terms "
        "the theorems drop can cause"
    )
    if unresolved:
        console.print(
            "any, *: the risk is too flat here for this grid to tell the exponent "
            "from 0; the continuum can"
        )
    agreeing = sum(c.verdict == "agrees" for c in result.comparisons)
    same = "bit for bit the same" if result.identical else "[bold red]DIFFERENT[/]"
    console.print(f"{result.configs:,} configurations by dense and by pruned search: {same}")
    console.print(
        f"{agreeing} of {len(result.comparisons)} exponents agree, {result.seconds:.2f} s: "
        + ("[bold green]passed[/]" if result.passed else "[bold red]FAILED[/]")
    )


def _window(sweep: Sweep) -> str:
    T = sweep.axes["T"][sweep.window]
    if T.size < FEWEST:
        return f"{T.size} budgets, needs {FEWEST}"
    low, high = (f"{x:.2g}".replace("e+0", "e").replace("e+", "e") for x in (T[0], T[-1]))
    return f"T {low} to {high} ({T.size})"


def _allowed(tolerance: float | None, resolves: bool) -> str:
    if tolerance is None:
        return "-"
    return f"{tolerance:.2g}" if resolves else "any"


def _console() -> Console:
    """At least 100 columns: a narrow terminal should wrap the table, not cut its numbers."""
    console = Console(highlight=False)
    console.width = max(console.width, 100)
    return console


def _table(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
