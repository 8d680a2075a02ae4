"""Runs the benchmarks and writes RESULTS.md, results.json and the plots beside this file.

python bench/report.py               run everything, then report
python bench/report.py --from FILE   report from a results.json, or from what
                                     pytest --benchmark-json wrote
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

HERE = Path(__file__).parent


# ---- one run ---------------------------------------------------------------------


@dataclass(frozen=True)
class Record:
    """One contender on one case: seconds a call, and how much work a call is."""

    kernel: str
    case: str
    contender: str
    size: float
    size_name: str
    work: float
    unit: str
    median: float
    iqr: float
    rounds: int
    extra: dict[str, float]

    @property
    def rate(self) -> float:
        return self.work / self.median

    @property
    def is_floor(self) -> bool:
        return self.contender.startswith("floor: ")

    @property
    def is_ours(self) -> bool:
        return self.contender.startswith("hplaws")


class Missing(Exception):
    """A record that the run does not have."""


@dataclass(frozen=True)
class Run:
    date: str
    machine: dict[str, Any]
    records: list[Record]

    @property
    def kernels(self) -> list[str]:
        return list(dict.fromkeys(r.kernel for r in self.records))

    def of(self, kernel: str) -> list[Record]:
        return [r for r in self.records if r.kernel == kernel]

    def get(self, kernel: str, case: str, contender: str) -> Record:
        for r in self.of(kernel):
            if (r.case, r.contender) == (case, contender):
                return r
        raise Missing(f"{contender} was not measured")

    def peak(self, threads: int, kernel: str = "peak") -> Record:
        for r in self.of(kernel):
            if r.size == threads:
                return r
        raise Missing("the core's peak was not measured")


def from_pytest(raw: dict[str, Any]) -> Run:
    records = []
    for benchmark in raw["benchmarks"]:
        extra = dict(benchmark["extra_info"])
        known = {
            name: extra.pop(name)
            for name in ("kernel", "case", "contender", "size", "size_name", "work", "unit")
        }
        stats = benchmark["stats"]
        records.append(
            Record(
                **known,
                median=stats["median"],
                iqr=stats["iqr"],
                rounds=stats["rounds"],
                extra=extra,
            )
        )
    return Run(raw["datetime"][:10], raw["machine_info"], records)


def load(path: Path) -> Run:
    data = json.loads(path.read_text(encoding="utf-8"))
    if "benchmarks" in data:
        return from_pytest(data)
    return Run(data["date"], data["machine"], [Record(**r) for r in data["records"]])


def measure() -> Run:
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "run.json"
        command = [sys.executable, "-m", "pytest", str(HERE), "--benchmark-only", "-q"]
        command += [f"--benchmark-json={target}", "--benchmark-columns=median,iqr,rounds"]
        subprocess.run(command, cwd=HERE.parent, check=True)
        return load(target)


# ---- targets ---------------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """`measured` is compared with `limit`: at least it, or at most where `most` is set."""

    work: str
    limit: float
    show: str
    measured: Callable[[Run], float]
    why: Callable[[Run], str]
    most: bool = False

    def verdict(self, run: Run) -> tuple[str, str, str, str]:
        wanted = f"{'<=' if self.most else '>='} {self.show.format(self.limit)}"
        try:
            value = self.measured(run)
            met = value <= self.limit if self.most else value >= self.limit
            return wanted, self.show.format(value), "met" if met else "**missed**", self.why(run)
        except Missing as reason:
            return wanted, "", "not measured", str(reason)


LONG = ("argmin, long rows", "2 T x 1000^3")
PAPER = ("argmin", "100^4")
HUGE = ("argmin", "1000^4")
GROWTH = "pruned argmin, 1000 budgets"
BUDGETS = "pruned argmin, 1000 points an axis"
OVER = "argmin over each subset"
SCATTERED = ("risk, scattered points", "10^7")
MESH = ("risk, mesh by broadcasting", "200 x 200 x 250")
MILLION = "10^6"
# Of an exponent measured over one decade.
TOLERANCE = 0.03
# The spread of rounds that a tenth of the measurements may exceed on an idle machine.
BUSY = 0.1


def speedup(run: Run, kernel: str, case: str, ours: str, theirs: str) -> float:
    return run.get(kernel, case, ours).rate / run.get(kernel, case, theirs).rate


def versus(kernel: str, case: str, ours: str, theirs: str) -> dict[str, Any]:
    def why(run: Run) -> str:
        mine, other = run.get(kernel, case, ours), run.get(kernel, case, theirs)
        return f"{seconds(mine.median)} against {seconds(other.median)}"

    return {"measured": lambda run: speedup(run, kernel, case, ours, theirs), "why": why}


def why_jax(run: Run) -> str:
    names = ("JAX", "JAX, as written", "JAX, by hand")
    ours, jax, written, hand = (run.get(*PAPER, n) for n in ("hplaws dense", *names))
    return (
        f"{seconds(ours.median)} against {seconds(written.median)}; hoisted, with the minimum over "
        f"eta first, JAX takes {seconds(jax.median)} ({jax.median / ours.median:.0f}x), and by "
        f"hand, as a running minimum over eta, {seconds(hand.median)} "
        f"({hand.median / ours.median:.1f}x)"
    )


def why_numexpr(run: Run) -> str:
    names = ("hplaws dense", "numexpr", "numexpr, as written")
    ours, hoisted, written = (run.get(*PAPER, name) for name in names)
    return (
        f"{seconds(ours.median)} against {seconds(written.median)}; hoisted, so that a sum of "
        f"small arrays is left for the mesh, {seconds(hoisted.median)} "
        f"({hoisted.median / ours.median:.0f}x)"
    )


def fraction_of_peak(case: tuple[str, str]) -> Callable[[Run], float]:
    return lambda run: run.get(*case, "hplaws dense, 1 thread").rate / run.peak(1).rate


def why_peak(run: Run) -> str:
    ours, peak = run.get(*LONG, "hplaws dense, 1 thread"), run.peak(1)
    bound = ": bound by the ports of fma and min" if ours.rate >= 0.75 * peak.rate else ""
    return f"{ours.rate:.3g} of {peak.rate:.3g} configurations/s on one core{bound}"


def why_paper(run: Run) -> str:
    ours, loop = (run.get(*c, "hplaws dense, 1 thread") for c in (PAPER, LONG))
    return (
        f"{ours.rate:.3g} of {run.peak(1).rate:.3g} configurations/s; {seconds(ours.median)}, of "
        f"which the loop as it runs on {LONG[1]} would take {seconds(ours.work / loop.rate)}"
    )


def why_threads(run: Run) -> str:
    one, every = run.peak(1), run.peak(run.machine["threads"])
    return f"the peak itself, without memory or merging, scales {every.rate / one.rate:.2f}x"


def growth_curve(run: Run) -> list[Record]:
    """Ours from 10 to 100000 points an axis, a decade each."""
    return [run.get(GROWTH, f"{10**d} an axis", "hplaws pruned") for d in range(1, 6)]


def growth(run: Run) -> float:
    """Of what each decade adds: the last over the largest before it."""
    times = [r.median for r in growth_curve(run)]
    *before, last = (y - x for x, y in itertools.pairwise(times))
    return last / max(before)


def why_growth(run: Run) -> str:
    curve = [(r.size, r.median / r.work * 1e6) for r in growth_curve(run)]
    pairs = list(itertools.pairwise(curve))
    steps = [
        f"{y:.3g} at {n:g} ({y - x:+.2g}, as n^{math.log10(y / x):.2f})" for (_, x), (n, y) in pairs
    ]
    (start, _), (end, _) = max(pairs, key=lambda pair: pair[1][1] - pair[0][1])
    return (
        f"us a budget: {curve[0][1]:.3g} at 10, {', '.join(steps)}. The decade from {start:g} to "
        f"{end:g} adds most; in all {curve[-1][1] / curve[0][1]:.3g}x for 10^12 times the "
        "configurations"
    )


def why_pruned(run: Run) -> str:
    ours, one = (run.get(*HUGE, name) for name in ("hplaws pruned", "hplaws pruned, 1 thread"))
    threads = run.machine["threads"]
    scaling = f"; {threads} threads are {one.median / ours.median:.2f}x one" * (threads > 1)
    return f"{one.median * 1e3:.3g} us for each of 1000 budgets on one core{scaling}"


def budget_power(run: Run) -> float:
    """The p of time as T^p, over the last decade."""
    last, before = (run.get(BUDGETS, f"{n} T", "hplaws pruned") for n in (100_000, 10_000))
    return math.log10(last.median / before.median)


def why_budgets(run: Run) -> str:
    records = [r for r in run.of(BUDGETS) if r.contender == "hplaws pruned"]
    return "us a budget: " + ", ".join(
        f"{r.median / r.work * 1e6:.3g} for {r.size:g}" for r in records
    )


def bandwidth(run: Run) -> float:
    """Bytes a second of the loop that adds four arrays larger than any cache."""
    floor = run.get(*SCATTERED, "floor: add four arrays")
    return floor.extra["bytes"] / floor.median


def element_wise(kernel: str, case: str) -> Callable[[Run], str]:
    """What one result costs, and what the kernel waits for: memory where it moves bytes at about
    the floor's speed and more threads are of little use, arithmetic where they are of full use."""

    def why(run: Run) -> str:
        ours, one = (run.get(kernel, case, name) for name in ("hplaws", "hplaws, 1 thread"))
        each, threads = one.median / one.work, run.machine["threads"]
        moved, scaling = ours.extra["bytes"] / ours.median, ours.rate / one.rate
        cost = (
            f"{moved / 1e9:.3g} GB/s; {each * 1e9:.3g} ns each on one core, as long as "
            f"{each * run.peak(1, 'peak of division').rate:.3g} divisions at the vector unit's rate"
        )
        busy = moved > 0.5 * bandwidth(run)
        if threads == 1:
            return cost + (": bound by memory" if busy else "")
        if scaling >= 0.75 * threads:
            bound = "bound by arithmetic"
        elif busy:
            bound = "bound by memory"
        else:
            bound = (
                "bound by neither arithmetic nor memory alone (new pages, threads' start, other "
                "programs)"
            )
        return f"{cost}; {threads} threads are {scaling:.2f}x one: {bound}"

    return why


def per_core(kernel: str) -> dict[str, Any]:
    return {
        "measured": lambda run: run.get(kernel, MILLION, "hplaws, 1 thread").rate,
        "why": element_wise(kernel, MILLION),
    }


def worst_errors(run: Run, kernel: str) -> str:
    errors = {r.contender: r.extra["worst_ulp"] for r in run.of(kernel) if "worst_ulp" in r.extra}
    return ", ".join(f"{name} {ulp:.3g}" for name, ulp in errors.items())


def optima(run: Run) -> list[Record]:
    records = [r for r in run.of("optimum") if r.contender == "hplaws, 1 thread"]
    if not records:
        raise Missing("optimum was not measured")
    return records


def why_optimum(run: Run) -> str:
    rates = {r.case: r.rate for r in optima(run)}
    peers: dict[str, list[float]] = {}
    for r in run.of("optimum"):
        if not r.is_ours:
            peers.setdefault(r.contender, []).append(rates[r.case] / r.rate)
    factors = [f"{min(x):.3g}x to {max(x):.3g}x {peer}" for peer, x in peers.items()]
    return "; ".join([", ".join(f"{rate:.3g} {case}" for case, rate in rates.items()), *factors])


def scalar(case: str) -> dict[str, Any]:
    return {
        "measured": lambda run: run.get("scalar calls", case, "hplaws").median * 1e6,
        "why": lambda run: "",
    }


def imports(run: Run) -> tuple[float, float]:
    """Seconds that importing NumPy, hplaws take beyond a bare interpreter."""
    names = ("bare interpreter", "numpy", "hplaws")
    bare, numpy, ours = (run.get("import", "fresh interpreter", n).median for n in names)
    return numpy - bare, ours - bare


def why_import(run: Run) -> str:
    numpy, ours = imports(run)
    return f"{seconds(ours - numpy)} beyond NumPy's {seconds(numpy)}, bare interpreter taken off"


def memory(run: Run) -> float:
    records = run.of("memory of a fresh process")
    if not records:
        raise Missing("memory was not measured")
    return max(r.extra["peak_bytes"] for r in records) / 1e6


def why_memory(run: Run) -> str:
    return "; ".join(
        f"{r.extra['peak_bytes'] / 1e6:.2f} MB for {r.contender} on {r.case}"
        for r in run.of("memory of a fresh process")
    )


TARGETS = (
    Target(
        f"dense argmin, {LONG[1]}, one core, of the fma + min peak",
        0.75, "{:.2f}", fraction_of_peak(LONG), why_peak,
    ),
    Target(
        "dense argmin, 100^4, one core, of the fma + min peak",
        0.50, "{:.2f}", fraction_of_peak(PAPER), why_paper,
    ),
    Target(
        "dense argmin, 100^4, against hand-hoisted parallel fastmath Numba",
        3.0, "{:.1f}x", **versus(*PAPER, "hplaws dense", "Numba, by hand"),
    ),
    Target(
        "dense argmin, 100^4, against JAX on CPU, the formula as written",
        30.0, "{:.0f}x",
        lambda run: speedup(run, *PAPER, "hplaws dense", "JAX, as written"), why_jax,
    ),
    Target(
        "dense argmin, 100^4, against NumPy",
        30.0, "{:.0f}x", **versus(*PAPER, "hplaws dense", "NumPy"),
    ),
    Target(
        "dense argmin, 100^4, against numexpr, the formula as written",
        100.0, "{:.0f}x",
        lambda run: speedup(run, *PAPER, "hplaws dense", "numexpr, as written"), why_numexpr,
    ),
    Target(
        f"dense argmin, {LONG[1]}, all threads against one (2 threads: 1.9)",
        1.9, "{:.2f}x",
        lambda run: speedup(run, *LONG, "hplaws dense", "hplaws dense, 1 thread"), why_threads,
    ),
    Target(
        "pruned argmin, 1000^4, ms",
        5.0, "{:.2f}",
        lambda run: run.get(*HUGE, "hplaws pruned").median * 1e3, why_pruned, most=True,
    ),
    Target(
        "pruned argmin, logarithmic in the points an axis: what the last decade adds to the time, "
        "over the most that an earlier one added (a logarithm: 1, and 0.1 for noise; its square: "
        "1.29, a square root: 3.16)",
        1.1, "{:.2f}", growth, why_growth, most=True,
    ),
    Target(
        "pruned argmin, time as what power of the number of budgets",
        1.0 + TOLERANCE, "{:.2f}", budget_power, why_budgets, most=True,
    ),
    Target(
        "argmin over eta alone, of the speed of writing the output",
        0.5, "{:.2f}", **versus(OVER, "eta", "hplaws", "floor: writing the output"),
    ),
    Target(
        "risk, 10^7 scattered points, of the loop that adds the four inputs",
        1.0, "{:.2f}",
        lambda run: speedup(run, *SCATTERED, "hplaws", "floor: add four arrays"),
        element_wise(*SCATTERED),
    ),
    Target(
        "positive_cubic_root, roots/s on one core",
        150e6, "{:.3g}", **per_core("positive_cubic_root"),
    ),
    Target(
        f"positive_cubic_root, largest error in ulp, 1000 of the {MILLION}",
        1.0, "{:.2f}",
        lambda run: run.get("positive_cubic_root", MILLION, "hplaws").extra["worst_ulp"],
        lambda run: worst_errors(run, "positive_cubic_root"), most=True,
    ),
    Target(
        "cubic_roots against Boost",
        3.0, "{:.1f}x", **versus("cubic_roots", MILLION, "hplaws", "Boost"),
    ),
    Target("theorem3, batched, optima/s on one core", 50e6, "{:.3g}", **per_core("theorem3")),
    Target(
        "optimum, batched, problems/s on one core, slowest case",
        1e6, "{:.3g}", lambda run: min(r.rate for r in optima(run)), why_optimum,
    ),
    Target("risk, scalar call, us", 5.0, "{:.2f}", **scalar("risk"), most=True),
    Target("theorem3, scalar call, us", 5.0, "{:.2f}", **scalar("theorem3"), most=True),
    Target("optimum, scalar call, us", 5.0, "{:.2f}", **scalar("optimum"), most=True),
    Target(
        "import hplaws over import numpy",
        1.35, "{:.2f}x", lambda run: imports(run)[1] / imports(run)[0], why_import, most=True,
    ),
    Target(
        "grid_argmin, memory beyond the output, MB", 10.0, "{:.1f}", memory, why_memory, most=True
    ),
)  # fmt: skip


# ---- writing ---------------------------------------------------------------------


def seconds(value: float) -> str:
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "us")):
        if value * factor >= 1.0:
            return f"{value * factor:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def table(header: list[str], rows: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(cells) + " |" for cells in (header, *rows)]
    lines.insert(1, "|---" * len(header) + "|")
    return [*lines, ""]


def machine_lines(run: Run) -> list[str]:
    m = run.machine
    spreads = [r.iqr / r.median for r in run.records]
    ends = quantiles(spreads, n=10)[-1]
    busy = [
        "**These are the figures of a busy machine**: in a tenth of the measurements the rounds "
        f"spread by more than {BUSY:.0%}, so the ratios mean little.",
        "",
    ]
    versions = ", ".join(f"{name} {v or '(left out)'}" for name, v in m["versions"].items())
    return [
        *(busy if ends > BUSY else []),
        f"Measured on {run.date}: {m['cpu']}, {m['logical_cores']} logical cores "
        f"({m['threads']} used), {m['os']}, {m['python']}; core built with {m['compiler']}, "
        f"instruction set in use {m['isa']}; {versions}. The middle half of "
        f"the rounds spans {quantiles(spreads, n=2)[0]:.1%} of their median in half of the "
        f"{len(spreads)} measurements, more than {ends:.0%} in a tenth: "
        "small numbers where the machine does nothing else.",
        "",
    ]


def floor_of(run: Run, r: Record) -> tuple[str, float] | None:
    """What no program does faster than, and at what rate: the kernel's own floor, or the peak
    for brute force, or the bytes that must move."""
    floor = next((f for f in run.of(r.kernel) if f.is_floor and f.case == r.case), None)
    try:
        if r.contender == "hplaws dense, 1 thread":
            floor = run.peak(1)
        elif r.contender == "hplaws dense":
            floor = run.peak(run.machine["threads"])
        elif floor is None and "bytes" in r.extra:
            moved = r.extra["bytes"]
            return f"moving its {moved:.3g} bytes", r.work * bandwidth(run) / moved
    except Missing:
        return None
    if floor is None or floor.unit != r.unit:
        return None
    return floor.contender.removeprefix("floor: "), floor.rate


# For each kernel: its case that says most, and what the run says limits it there.
LIMITS: tuple[tuple[str, str, str, Callable[[Run], str]], ...] = (
    (*LONG, "hplaws dense, 1 thread", why_peak),
    (*PAPER, "hplaws dense, 1 thread", why_paper),
    (*HUGE, "hplaws pruned", why_pruned),
    (OVER, "eta", "hplaws", element_wise(OVER, "eta")),
    (*SCATTERED, "hplaws", element_wise(*SCATTERED)),
    (*MESH, "hplaws", element_wise(*MESH)),
    *(
        (kernel, MILLION, "hplaws", element_wise(kernel, MILLION))
        for kernel in ("positive_cubic_root", "cubic_roots", "theorem3")
    ),
    *(
        ("optimum", case, "hplaws", element_wise("optimum", case))
        for case in ("free", "b and eta capped", "q = 0.4")
    ),
)


def limit_row(
    run: Run, kernel: str, case: str, contender: str, why: Callable[[Run], str]
) -> list[str]:
    work = f"{kernel}, {case}, {contender}"
    try:
        record = run.get(kernel, case, contender)
        floor = floor_of(run, record)
        name, fraction = (floor[0], f"{record.rate / floor[1]:.2g}") if floor else ("", "")
        return [work, name, fraction, why(run)]
    except Missing as reason:
        return [work, "", "", str(reason)]


def limit_lines(run: Run) -> list[str]:
    header = ["kernel", "floor", "fraction of it", "what limits it"]
    rows = [limit_row(run, *limit) for limit in LIMITS]
    return ["## What limits each kernel", "", *table(header, rows)]


def dropped_lines() -> list[str]:
    return ["## Tried and dropped", "", (HERE / "DROPPED.md").read_text(encoding="utf-8")]


def floor_lines(run: Run) -> list[str]:
    rows = []
    for r in run.records:
        if r.is_ours and (floor := floor_of(run, r)):
            name, rate = floor
            fraction = f"{r.rate / rate:.2g}"
            rows.append([r.kernel, r.case, r.contender, fraction, name, f"{rate:.3g} {r.unit}/s"])
    header = ["kernel", "case", "", "fraction", "of the floor", "which is"]
    return ["## Fraction of the floor, every case", "", *table(header, rows)]


def kernel_lines(run: Run, kernel: str, plots: dict[str, str]) -> list[str]:
    records = run.of(kernel)
    cases = list(dict.fromkeys(r.case for r in sorted(records, key=lambda r: r.size)))
    contenders = list(dict.fromkeys(r.contender for r in records))
    cell = {(r.contender, r.case): r for r in records}
    reference = {case: cell.get((contenders[0], case)) for case in cases}
    # Where the slow solve a part of the batch, only the time of one unit compares.
    each = len({(r.case, r.work) for r in records}) > len(cases)

    def text(contender: str, case: str) -> str:
        record, base = cell.get((contender, case)), reference[case]
        if record is None:
            return ""
        times = f" ({base.rate / record.rate:.3g}x)" if base and record is not base else ""
        return seconds(1.0 / record.rate if each else record.median) + times

    lines = [f"## {kernel}", ""]
    best = max((r for r in records if r.is_ours), key=lambda r: r.rate, default=None)
    if best and best.work > 1:
        rate = f"{best.rate:.3g} {best.unit}/s"
        lines += [f"Highest rate: {rate}, {best.contender}, {best.case}.", ""]
    if each:
        lines += [f"Time for each of the {records[0].unit}, of which the slow are given few.", ""]
    if errors := worst_errors(run, kernel):
        lines += [f"Largest error in ulp: {errors}.", ""]
    lines += table(["", *cases], [[c, *(text(c, case) for case in cases)] for c in contenders])
    if kernel in plots:
        lines += [f"![{kernel}: time against size]({plots[kernel]})", ""]
    return lines


def markdown(run: Run, plots: dict[str, str]) -> str:
    lines = [
        "# Results",
        "",
        "Written by `python bench/report.py`; see README.md beside it. Medians of one run; in "
        "brackets, how many times as long as the first row's contender takes for the same work.",
        "",
        *machine_lines(run),
        "## Targets",
        "",
    ]
    rows = [[target.work, *target.verdict(run)] for target in TARGETS]
    lines += table(["work", "target", "measured", "", "what the run says of it"], rows)
    lines += limit_lines(run)
    lines += dropped_lines()
    for kernel in run.kernels:
        lines += kernel_lines(run, kernel, plots)
    lines += floor_lines(run)
    return "\n".join(lines)


def as_json(run: Run) -> str:
    names = ("work", "target", "measured", "verdict", "why")
    targets = [dict(zip(names, (t.work, *t.verdict(run)), strict=True)) for t in TARGETS]
    data = {
        "date": run.date,
        "machine": run.machine,
        "targets": targets,
        "records": [vars(r) for r in run.records],
    }
    return json.dumps(data, indent=1, allow_nan=False) + "\n"


def draw(run: Run, directory: Path) -> dict[str, str]:
    """A plot for each kernel measured at three sizes or more; kernel -> file name. Log-log, but
    for the growth with the axes, where a logarithm is a straight line on a linear y axis."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import colormaps, pyplot

    plots = {}
    for kernel in run.kernels:
        records = run.of(kernel)
        if len({r.size for r in records}) < 3:
            continue
        figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
        contenders = list(dict.fromkeys(r.contender for r in records))
        colors = itertools.cycle((*colormaps["tab10"].colors, *colormaps["Dark2"].colors))
        for contender, color in zip(contenders, colors, strict=False):
            line = sorted((r.size, r.median) for r in records if r.contender == contender)
            ours, floor = contender.startswith("hplaws"), contender.startswith("floor")
            axes.plot(
                *zip(*line, strict=True),
                color=color,
                marker="o" if ours else "s",
                markersize=5,
                linewidth=2.2 if ours else 1.2,
                linestyle=":" if floor else "-" if ours else "--",
                label=contender,
            )
        axes.set_xscale("log")
        axes.set_yscale("linear" if kernel == GROWTH else "log")
        axes.set_xlabel(records[0].size_name)
        axes.set_ylabel("seconds a call (median)")
        axes.set_title(f"{kernel}\n{run.machine['cpu']}, {run.machine['isa']}", fontsize=11)
        axes.grid(True, which="major", alpha=0.3)
        axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        name = re.sub(r"\W+", "_", kernel) + ".png"
        figure.savefig(directory / name, dpi=120)
        pyplot.close(figure)
        plots[kernel] = name
    return plots


def gpu_section() -> str:
    import gpu_report  # it builds on this module

    return "\n" + "\n".join(gpu_report.lines(HERE / "results_gpu.json"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="source", type=Path, metavar="FILE")
    source = parser.parse_args().source
    run = load(source) if source else measure()
    plots = draw(run, HERE)
    (HERE / "results.json").write_text(as_json(run), encoding="utf-8")
    (HERE / "RESULTS.md").write_text(markdown(run, plots) + gpu_section(), encoding="utf-8")
    print(f"wrote RESULTS.md, results.json and {len(plots)} plots into {HERE.name}/")


if __name__ == "__main__":
    main()
