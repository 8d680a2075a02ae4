"""The command line: what each command takes, and its answer as a table or as JSON.

Exit codes: 0, yes; 1, the answer is no (a verification that disagrees); 2, the command
could not be carried out, with one line on stderr that says why.
"""

from __future__ import annotations

import dataclasses
import json
import math
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from . import tables, verification
from ._errors import BackendError
from ._version import __version__
from .bound import Bound
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
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Hyperparameter scaling laws from convergence bounds.

    Example: [bold]hplaws solve --T 1e12 --C1 1 --C2 1 --C3 1 --b-max 4096[/bold]
    """
    if context.invoked_subcommand is None:
        print(context.get_help())


# ---- options ----


def _number(flag: str, meaning: str, panel: str, domain: str = "") -> Any:
    """An option that takes a number of a domain; without one, the library checks it."""
    return typer.Option(
        flag,
        help=meaning,
        rich_help_panel=panel,
        metavar="X",
        callback=_DOMAINS[domain] if domain else None,
    )


def _within(inside: Callable[[float], bool], domain: str) -> Callable[[float | None], Any]:
    def check(value: float | None) -> float | None:
        if value is not None and not inside(value):
            raise typer.BadParameter(f"{value:g} is not {domain}")
        return value

    return check


_DOMAINS = {
    "positive": _within(lambda x: 0 < x < math.inf, "positive and finite"),
    "alpha": _within(lambda x: 0 < x <= 1, "in (0, 1]"),
    "beta": _within(lambda x: 0 <= x < 1, "in [0, 1)"),
}
_CONSTANTS = "Bound: one family of constants, all of it"
_SHAPE = "Bound: with any family"
_LIMITS = "Limits"
_TUNED = "Tuned at the old budget"
_TARGET = "Carried to"

_Json = Annotated[bool, typer.Option("--json", help="Strict JSON for programs.")]


def _momentum_update(alpha: float | None, beta: float | None) -> float | None:
    if alpha is not None and beta is not None:
        raise ValueError("--beta is 1 - alpha: give --alpha or --beta, not both")
    return alpha if beta is None else 1 - beta


# ---- commands ----


def verify(
    points: Annotated[
        int, typer.Option(min=2, help="Values on each axis of the grid.", metavar="N")
    ] = 100,
    out: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Draw the figures into this directory.", metavar="DIR"),
    ] = None,
    claims: Annotated[
        bool,
        typer.Option(
            "--claims",
            help="Check every claim of the sources too. This is a report: "
            "claims that fail do not change the exit code.",
        ),
    ] = False,
    json_file: Annotated[
        Path | None,
        typer.Option(
            "--json", dir_okay=False, help="Write everything to this file.", metavar="FILE"
        ),
    ] = None,
) -> None:
    """Check Theorems 1 to 3 by brute force, as the paper does (Figures 1, 2, 4 to 11).

    Exit code 0 only if every exponent is within its tolerance and the two search methods
    agree bit for bit.

    Example: [bold]hplaws verify --out figures --json verify.json[/bold]
    """
    if out is not None:
        try:
            from .contours import draw_landscapes
            from .figures import draw_verification
        except ImportError:
            raise typer.BadParameter(
                "figures need Matplotlib: pip install 'hplaws[plot]'", param_hint="'--out'"
            ) from None
    if json_file is not None and not json_file.parent.is_dir():
        raise typer.BadParameter(f"there is no directory {json_file.parent}", param_hint="'--json'")
    result = verification.verify(points, verification.LAWS)
    tables.print_verification(result)
    content = result.to_dict()
    if claims:
        from .claims import check_all

        found = check_all()
        tables.print_claims(found)
        content["claims"] = [dataclasses.asdict(claim) for claim in found]
    if json_file is not None:
        json_file.write_text(_strict_json(content), encoding="utf-8")
    if out is not None:
        drawn = draw_verification(result, out) + draw_landscapes(out)
        print(f"{len(drawn)} figures in {out}")
    raise typer.Exit(0 if result.passed else 1)


def solve(
    T: Annotated[float, _number("--T", "Token budget.", "Budget", "positive")],
    delta0: Annotated[
        float | None, _number("--delta0", "Initial suboptimality.", _CONSTANTS)
    ] = None,
    L: Annotated[float | None, _number("--L", "Smoothness (eq. 2).", _CONSTANTS)] = None,
    rho: Annotated[float | None, _number("--rho", "Norm equivalence.", _CONSTANTS)] = None,
    sigma: Annotated[float | None, _number("--sigma", "Gradient noise.", _CONSTANTS)] = None,
    C1: Annotated[float | None, _number("--C1", "Proxy: descent (eq. 4).", _CONSTANTS)] = None,
    C2: Annotated[float | None, _number("--C2", "Proxy: noise.", _CONSTANTS)] = None,
    C3: Annotated[float | None, _number("--C3", "Proxy: drift and lag.", _CONSTANTS)] = None,
    descent: Annotated[float | None, _number("--descent", "Of b/(eta T).", _CONSTANTS)] = None,
    noise: Annotated[float | None, _number("--noise", "Of b**-q.", _CONSTANTS)] = None,
    drift: Annotated[float | None, _number("--drift", "Of eta.", _CONSTANTS)] = None,
    lag: Annotated[float | None, _number("--lag", "Of eta/alpha.", _CONSTANTS)] = None,
    q: Annotated[
        float | None, _number("--q", "Noise falls as b**-q. Default: 0.5.", _SHAPE)
    ] = None,
    burn_in: Annotated[
        float | None, _number("--burn-in", "Of the momentum's first steps. Default: 1.", _SHAPE)
    ] = None,
    init_error: Annotated[
        float | None, _number("--init-error", "Of the momentum's start. Default: 0.", _SHAPE)
    ] = None,
    eta_min: Annotated[
        float | None, _number("--eta-min", "Smallest learning rate.", _LIMITS, "positive")
    ] = None,
    eta_max: Annotated[
        float | None, _number("--eta-max", "Largest learning rate.", _LIMITS, "positive")
    ] = None,
    alpha: Annotated[
        float | None, _number("--alpha", "Fix the momentum update.", _LIMITS, "alpha")
    ] = None,
    beta: Annotated[
        float | None, _number("--beta", "Fix the momentum, 1 - alpha.", _LIMITS, "beta")
    ] = None,
    alpha_min: Annotated[
        float | None, _number("--alpha-min", "Smallest momentum update.", _LIMITS, "alpha")
    ] = None,
    alpha_max: Annotated[
        float | None, _number("--alpha-max", "Largest momentum update.", _LIMITS, "alpha")
    ] = None,
    b: Annotated[float | None, _number("--b", "Fix the batch size.", _LIMITS, "positive")] = None,
    b_min: Annotated[
        float | None, _number("--b-min", "Smallest batch. Default: 1.", _LIMITS, "positive")
    ] = None,
    b_max: Annotated[
        float | None, _number("--b-max", "Largest batch. Default: T.", _LIMITS, "positive")
    ] = None,
    batch_multiple: Annotated[
        float | None,
        _number("--batch-multiple", "Only multiples of this batch.", _LIMITS, "positive"),
    ] = None,
    as_json: _Json = False,
) -> None:
    """The best learning rate, momentum and batch size at a token budget, inside limits.

    Example: [bold]hplaws solve --T 1e11 --delta0 5 --L 20 --rho 1 --sigma 40 --beta 0.95
    --b-max 4096 --batch-multiple 8[/bold]
    """
    from .optimum import optimum

    bound = _bound(
        (Bound.nonconvex, {"delta0": delta0, "L": L, "rho": rho, "sigma": sigma}),
        (Bound.proxy, {"C1": C1, "C2": C2, "C3": C3}),
        (Bound, {"descent": descent, "noise": noise, "drift": drift, "lag": lag}),
    )
    shape = {"q": q, "burn_in": burn_in, "init_error": init_error}
    bound = dataclasses.replace(bound, **{k: x for k, x in shape.items() if x is not None})
    update = _momentum_update(alpha, beta)
    best = optimum(
        bound,
        T,
        eta=_limits("eta", None, eta_min, eta_max, (0.0, math.inf)),
        alpha=_limits("alpha", update, alpha_min, alpha_max, (0.0, 1.0)),
        b=_limits("b", b, b_min, b_max, (1.0, T)),
        batch_multiple=batch_multiple,
    )
    if not best.feasible:
        raise ValueError(f"no multiple of {batch_multiple:g} lies within the limits of b")
    for name, value in (("eta", best.eta), ("alpha", best.alpha)):
        if not 0 < value < math.inf:
            raise ValueError(
                f"the risk has no minimum, it falls towards {name} = {value:g}: "
                f"give --{name}-{'max' if value else 'min'}"
            )
    values = _values(best.eta, best.alpha, best.b, best.K, best.T)
    values["risk"] = best.risk
    active = {name: _ACTIVE[code] for name, code in best.active.items()}
    if as_json:
        print(_strict_json({**values, "active": active, "bound": dataclasses.asdict(bound)}))
        return
    binding = {name: limit for name, limit in active.items() if limit != "none"}
    rows = [(_NAMES[name], text, binding.get(name, "")) for name, text in _texts(values)]
    headings = ("", "value", "limit that binds")
    tables.print_values("The best inside the limits", headings, rows, ())


def transfer(
    eta: Annotated[float, _number("--eta", "Learning rate.", _TUNED, "positive")],
    b: Annotated[float, _number("--b", "Batch size.", _TUNED, "positive")],
    T0: Annotated[float, _number("--from", "Token budget.", _TUNED, "positive")],
    T1: Annotated[float, _number("--to", "New token budget.", _TARGET, "positive")],
    beta: Annotated[float | None, _number("--beta", "Momentum, 1 - alpha.", _TUNED, "beta")] = None,
    alpha: Annotated[float | None, _number("--alpha", "Momentum update.", _TUNED, "alpha")] = None,
    regime: Annotated[
        str,
        typer.Option(
            "--regime",
            metavar="A|B|C|D|SGD",
            rich_help_panel=_TARGET,
            help="What was tuned, and moves: A eta, B eta and momentum, C eta and b, "
            "D all three, SGD eta of plain SGD.",
        ),
    ] = "A",
    b1: Annotated[
        float | None, _number("--b1", "New batch size; not in C, D.", _TARGET, "positive")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Carry hyperparameters tuned at one token budget to another (Tables 2 and 3).

    Example: [bold]hplaws transfer --eta 0.01 --beta 0.9 --b 64 --from 1e9 --to 16e9
    --regime B[/bold]
    """
    from .transfer import transfer as carry

    update = _momentum_update(alpha, beta)
    if update is None:
        if regime != "SGD":
            raise ValueError(f"give the momentum used in regime {regime!r}: --beta or --alpha")
        update = 1.0  # plain SGD
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        new = carry({"eta": eta, "alpha": update, "b": b, "T": T0}, T1, regime=regime, b1=b1)
    before = _values(eta, update, b, T0 / b, T0)
    after = _values(new.eta, new.alpha, new.b, new.K, new.T)
    clamped = {"alpha": new.alpha_clamped, "b": new.b_clamped}
    if as_json:
        content = {"regime": regime, "from": before, "to": after, "clamped": clamped}
        print(_strict_json(content))
        return
    rows = [
        (_NAMES[name], old, text, "clamped" if clamped.get(name) else "")
        for (name, old), (_, text) in zip(_texts(before), _texts(after), strict=True)
    ]
    tables.print_values(
        f"Carried over in regime {regime}",
        ("", "old", "new", ""),
        rows,
        [f"note: {warning.message}" for warning in caught],
    )


def config(
    as_json: _Json = False,
) -> None:
    """Show version, compiler, instruction sets, backends and devices.

    Example: [bold]hplaws config --json[/bold]
    """
    if as_json:
        print(_strict_json(describe()))
    else:
        show_config()


# ---- between options and the library ----

_ACTIVE = {-1: "lower", 0: "none", 1: "upper", 2: "fixed"}
_NAMES = {
    "eta": "learning rate eta",
    "beta": "momentum beta = 1 - alpha",
    "alpha": "momentum update alpha",
    "b": "batch size b",
    "K": "steps K = T/b",
    "T": "token budget T",
    "risk": "risk",
}


def _bound(*families: tuple[Callable[..., Bound], dict[str, float | None]]) -> Bound:
    """The bound of the one family whose constants are given."""
    chosen = [family for family in families if any(x is not None for x in family[1].values())]
    if len(chosen) != 1:
        choices = ", or ".join(_flags(constants) for _, constants in families)
        raise ValueError(f"give the bound's constants, of one family: {choices}")
    make, constants = chosen[0]
    missing = [name for name, x in constants.items() if x is None]
    if missing:
        raise ValueError(f"the bound needs all of {_flags(constants)}; missing: {_flags(missing)}")
    return make(**constants)


def _flags(names: Iterable[str]) -> str:
    return " ".join(f"--{name}" for name in names)


def _limits(
    name: str,
    fixed: float | None,
    low: float | None,
    high: float | None,
    widest: tuple[float, float],
) -> Any:
    """What `optimum` takes for one variable: its fixed value, or a pair within the widest."""
    if fixed is not None:
        if low is not None or high is not None:
            raise ValueError(f"{name} is fixed: --{name}-min and --{name}-max contradict that")
        if fixed > widest[1]:
            raise ValueError(f"{name} = {fixed:g} is too large: at most {widest[1]:g}")
        return fixed
    low = widest[0] if low is None else low
    high = widest[1] if high is None else min(high, widest[1])
    if low > high:
        raise ValueError(f"{name}: nothing lies between {low:g} and {high:g}")
    return low, high


def _values(eta: float, alpha: float, b: float, K: float, T: float) -> dict[str, float]:
    return {"eta": eta, "beta": 1 - alpha, "alpha": alpha, "b": b, "K": K, "T": T}


def _texts(values: dict[str, float]) -> list[tuple[str, str]]:
    return [
        (name, tables.momentum(values["alpha"]) if name == "beta" else tables.number(x))
        for name, x in values.items()
    ]


def _strict_json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, allow_nan=False)


app.callback(invoke_without_command=True)(_hplaws)
for _command in (verify, solve, transfer, config):
    app.command()(_command)
