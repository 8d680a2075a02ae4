"""Answers as Rich tables, for people."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

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


def print_values(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], notes: Iterable[str] = ()
) -> None:
    """A quantity a row: its name, its values, a remark; then the notes."""
    table = _table(title)
    table.add_column(headings[0], no_wrap=True)
    for heading in headings[1:-1]:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column(headings[-1])
    for row in rows:
        table.add_row(*row)
    console = _console()
    console.print(table)
    for note in notes:
        console.print(note)


def number(value: float) -> str:
    """Six significant digits, without an exponent from 0.001 to 1e7."""
    if 1e-3 <= abs(value) < 1e7 or value == 0:
        return f"{value:,.6g}" if abs(value) < 1e5 else f"{value:,.1f}".removesuffix(".0")
    return f"{value:.5e}"


def momentum(alpha: float) -> str:
    """beta = 1 - alpha, to as many decimals as alpha has down to its third digit."""
    decimals = min(max(2 - math.floor(math.log10(alpha)), 3), 20)
    text = f"{1 - alpha:.{decimals}f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def print_claims(claims: Sequence[Claim]) -> None:
    """Every claim with its verdict, then how many have which."""
    table = _table("The sources' claims, checked by computation")
    for heading in ("id", "source", "verdict"):
        table.add_column(heading)
    for heading in ("statement", "evidence"):
        table.add_column(heading, ratio=1, overflow="fold")
    for claim in claims:
        table.add_row(
            Text(claim.id),
            Text(claim.source),
            Text(claim.verdict, _COLOURS[claim.verdict]),
            Text(claim.statement),
            Text(claim.evidence),
            end_section=True,
        )
    console = _console()
    console.print(table)
    console.print(summary(count_verdicts(claims)))
