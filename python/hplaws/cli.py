"""The command line: what each command takes, and its answer as a table or as JSON.

Exit codes: 0, yes; 1, the answer is no (a verification that disagrees); 2, the command
could not be carried out, with one line on stderr that says why.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from . import verification
from ._errors import BackendError
from ._version import __version__
from .config import describe, show_config

# Of Click's usage errors Typer exports BadParameter alone, and newer versions bring
# their own Click: this base class is found in both.
_UsageError: Any = typer.BadParameter.__base__

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. Default: the arguments of this process."""
    try:
        status = app(arguments, prog_name="hplaws", standalone_mode=False)
    except typer.Abort:
        return 130  # interrupted, as a shell would report it
    except _UsageError as error:
        return _refuse(error.format_message())
    except (BackendError, ValueError, OSError) as error:
        return _refuse(str(error))
    return int(status or 0)


def _refuse(reason: str) -> int:
    print("hplaws:", " ".join(reason.split()), file=sys.stderr)
    return 2


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"hplaws {__version__}")
        raise typer.Exit


def _hplaws(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True,
                           help="Print the version and exit.")
    ] = False,
) -> None:
    """Hyperparameter scaling laws from convergence bounds.

    Example: [bold]hplaws verify[/bold]
    """
    if context.invoked_subcommand is None:
        print(context.get_help())


def verify(
    points: Annotated[
        int, typer.Option(min=2, help="Values on each axis of the grid.", metavar="N")
    ] = 100,
    out: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Draw the figures into this directory.", metavar="DIR"),
    ] = None,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", dir_okay=False, help="Write everything to this file.",
                     metavar="FILE"),
    ] = None,
) -> None:
    """Check Theorems 1 to 3 by brute force, as the paper does (Figures 1, 2, 5 to 9).

    Exit code 0 only if every exponent is within its tolerance and the two search methods
    agree bit for bit.

    Example: [bold]hplaws verify --out figures --json verify.json[/bold]
    """
    if out is not None:
        try:
            from .figures import draw_verification
        except ImportError:
            raise typer.BadParameter(
                "figures need Matplotlib: pip install 'hplaws[plot]'", param_hint="'--out'"
            ) from None
    if json_file is not None and not json_file.parent.is_dir():
        raise typer.BadParameter(
            f"there is no directory {json_file.parent}", param_hint="'--json'"
        )
    result = verification.verify(points, verification.LAWS)
    if json_file is not None:
        json_file.write_text(_strict_json(result.to_dict()), encoding="utf-8")
    _print_verification(result)
    if out is not None:
        drawn = draw_verification(result, out)
        print(f"{len(drawn)} figures in {out}")
    raise typer.Exit(0 if result.passed else 1)


def config(
    as_json: Annotated[bool, typer.Option("--json", help="Strict JSON for programs.")] = False,
) -> None:
    """Show version, compiler, instruction sets, backends and devices.

    Example: [bold]hplaws config --json[/bold]
    """
    if as_json:
        print(_strict_json(describe()))
    else:
        show_config()


def _strict_json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, allow_nan=False)


def _console() -> Console:
    """At least 100 columns: a narrow terminal should wrap the table, not cut its numbers."""
    console = Console(highlight=False)
    console.width = max(console.width, 100)
    return console


_COLOURS = {"agrees": "green", "disagrees": "bold red", "too short": "bold red"}


def _print_verification(result: verification.Verification) -> None:
    table = Table(
        title="Exponents of the token budget T",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    for heading in ("setting, window", "x ~ T**?"):
        table.add_column(heading, no_wrap=True)
    for heading in ("theory", "grid ± s.e.", "allowed", "continuum", "allowed"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    unresolved = False
    for sweep in result.sweeps:
        setting = sweep.setting
        notes = [
            f"Theorem {setting.theorem}, Figure {setting.figure}", setting.label, _window(sweep)
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
    console.print("allowed: largest |slope - theory| that the grid's spacing and the terms "
                  "the theorems drop can cause")
    if unresolved:
        console.print("any, *: the risk is too flat here for this grid to tell the exponent "
                      "from 0; the continuum can")
    agreeing = sum(c.verdict == "agrees" for c in result.comparisons)
    same = "bit for bit the same" if result.identical else "[bold red]DIFFERENT[/]"
    console.print(f"{result.configs:,} configurations by dense and by pruned search: {same}")
    console.print(
        f"{agreeing} of {len(result.comparisons)} exponents agree, {result.seconds:.2f} s: "
        + ("[bold green]passed[/]" if result.passed else "[bold red]FAILED[/]")
    )


def _window(sweep: verification.Sweep) -> str:
    T = sweep.axes["T"][sweep.window]
    if T.size < verification.FEWEST:
        return f"{T.size} budgets, needs {verification.FEWEST}"
    low, high = (f"{x:.2g}".replace("e+0", "e").replace("e+", "e") for x in (T[0], T[-1]))
    return f"T {low} to {high} ({T.size})"


def _allowed(tolerance: float | None, resolves: bool) -> str:
    if tolerance is None:
        return "-"
    return f"{tolerance:.2g}" if resolves else "any"


app.callback(invoke_without_command=True)(_hplaws)
for _command in (verify, config):
    app.command()(_command)
