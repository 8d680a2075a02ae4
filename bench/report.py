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

    def peak(self, threads: int) -> Record:
        for r in self.of("peak"):
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
PRUNED = "pruned argmin, 1000 budgets"
SCATTERED = ("risk, scattered points", "10^7")
MILLION = "10^6"


def speedup(run: Run, kernel: str, case: str, ours: str, theirs: str) -> float:
    return run.get(kernel, case, ours).rate / run.get(kernel, case, theirs).rate


def versus(kernel: str, case: str, ours: str, theirs: str) -> dict[str, Any]:
    def why(run: Run) -> str:
        mine, other = run.get(kernel, case, ours), run.get(kernel, case, theirs)
        return f"{seconds(mine.median)} against {seconds(other.median)}"

    return {"measured": lambda run: speedup(run, kernel, case, ours, theirs), "why": why}


def fraction_of_peak(case: tuple[str, str]) -> Callable[[Run], float]:
    return lambda run: run.get(*case, "hplaws dense, 1 thread").rate / run.peak(1).rate


def why_peak(run: Run) -> str:
    ours, peak = run.get(*LONG, "hplaws dense, 1 thread"), run.peak(1)
    return f"{ours.rate:.3g} of {peak.rate:.3g} configurations/s on one core"


def why_paper(run: Run) -> str:
    ours, loop = (run.get(*c, "hplaws dense, 1 thread") for c in (PAPER, LONG))
    outside = 1.0 - ours.rate / loop.rate
    return (
        f"{ours.rate:.3g} of {run.peak(1).rate:.3g} configurations/s; {outside:.0%} of the "
        f"{seconds(ours.median)} is not the loop as it runs on {LONG[1]}"
    )


def why_threads(run: Run) -> str:
    one, every = run.peak(1), run.peak(run.machine["threads"])
    return f"the peak itself, without memory or merging, scales {every.rate / one.rate:.2f}x"


def growth(run: Run) -> float:
    far, near = (run.get(PRUNED, f"{n} an axis", "hplaws pruned") for n in (100_000, 10))
    return far.median / near.median


def why_growth(run: Run) -> str:
    records = [r for r in run.of(PRUNED) if r.contender == "hplaws pruned"]
    curve = ", ".join(f"{r.median / r.work * 1e6:.3g} at {r.size:g}" for r in records)
    return f"us a budget: {curve}"


def why_risk(run: Run) -> str:
    ours, floor = run.get(*SCATTERED, "hplaws"), run.get(*SCATTERED, "floor: add four arrays")
    one = run.get(*SCATTERED, "hplaws, 1 thread")
    threads = run.machine["threads"]
    bandwidth = [r.extra["bytes"] / r.median / 1e9 for r in (ours, floor)]
    scaling = one.median / ours.median
    if ours.median <= floor.median:
        limit = "the memory's own speed"
    else:
        limit = "memory-bound" if scaling < 0.75 * threads else "bound by arithmetic"
    return (
        f"{bandwidth[0]:.1f} of the floor's {bandwidth[1]:.1f} GB/s; {threads} threads are "
        f"{scaling:.2f}x one, {one.median / one.work * 1e9:.2f} ns a point on one: {limit}"
    )


def per_core(kernel: str) -> dict[str, Any]:
    def why(run: Run) -> str:
        one = run.get(kernel, MILLION, "hplaws, 1 thread")
        return f"{one.median / one.work * 1e9:.2f} ns each on one core, {MILLION} in a call"

    return {"measured": lambda run: run.get(kernel, MILLION, "hplaws, 1 thread").rate, "why": why}


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


def scalar(case: str, array_kernel: tuple[str, str]) -> dict[str, Any]:
    def why(run: Run) -> str:
        each = run.get(*array_kernel, "hplaws, 1 thread")
        return (
            f"the kernel is {each.median / each.work * 1e9:.3g} ns of it (as in a call with "
            f"{array_kernel[1]}); the rest is Python's side"
        )

    return {
        "measured": lambda run: run.get("scalar calls", case, "hplaws").median * 1e6,
        "why": why,
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
        "dense argmin, 100^4, against JAX on CPU",
        30.0, "{:.0f}x", **versus(*PAPER, "hplaws dense", "JAX"),
    ),
    Target(
        "dense argmin, 100^4, against NumPy",
        30.0, "{:.0f}x", **versus(*PAPER, "hplaws dense", "NumPy"),
    ),
    Target(
        "dense argmin, 100^4, against numexpr",
        100.0, "{:.0f}x", **versus(*PAPER, "hplaws dense", "numexpr"),
    ),
    Target(
        f"dense argmin, {LONG[1]}, all threads against one (2 threads: 1.9)",
        1.9, "{:.2f}x",
        lambda run: speedup(run, *LONG, "hplaws dense", "hplaws dense, 1 thread"), why_threads,
    ),
    Target(
        "pruned argmin, 1000^4, ms",
        5.0, "{:.2f}",
        lambda run: run.get("argmin", "1000^4", "hplaws pruned").median * 1e3,
        lambda run: f"{run.get('argmin', '1000^4', 'hplaws pruned').median * 1e6 / 1000:.3g} us "
        "for each of 1000 budgets",
        most=True,
    ),
    Target(
        "pruned argmin, time at 100000 points an axis over time at 10 (a logarithm: 5)",
        math.log(1e5) / math.log(10), "{:.1f}x", growth, why_growth, most=True,
    ),
    Target(
        "argmin over eta alone, of the speed of writing the output",
        0.5, "{:.2f}",
        **versus("argmin over eta alone", LONG[1], "hplaws", "floor: writing the output"),
    ),
    Target(
        "risk, 10^7 scattered points, of the loop that adds the four inputs",
        1.0, "{:.2f}",
        lambda run: speedup(run, *SCATTERED, "hplaws", "floor: add four arrays"), why_risk,
    ),
    Target(
        "positive_cubic_root, roots/s on one core",
        150e6, "{:.3g}", **per_core("positive_cubic_root"),
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
    Target("risk, scalar call, us", 5.0, "{:.2f}", **scalar("risk", SCATTERED), most=True),
    Target(
        "theorem3, scalar call, us",
        5.0, "{:.2f}", **scalar("theorem3", ("theorem3", MILLION)), most=True,
    ),
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
    versions = ", ".join(f"{name} {v or '(not installed)'}" for name, v in m["versions"].items())
    return [
        f"Measured on {run.date}: {m['cpu']}, {m['logical_cores']} logical cores "
        f"({m['threads']} used), {m['os']}, {m['python']}; core built with {m['compiler']}, "
        f"instruction set in use {m['isa']}; {versions}. The middle half of "
        f"the rounds spans {quantiles(spreads, n=2)[0]:.1%} of their median in half of the "
        f"{len(spreads)} measurements, more than {quantiles(spreads, n=10)[-1]:.0%} in a tenth: "
        "small numbers where the machine does nothing else.",
        "",
    ]


def floor_lines(run: Run) -> list[str]:
    """Ours as a fraction of the floor: the kernel's own, or the peak for brute force."""
    rows = []
    for r in run.records:
        floor = next((f for f in run.of(r.kernel) if f.is_floor and f.case == r.case), None)
        if r.contender == "hplaws dense, 1 thread":
            floor = next((f for f in run.of("peak") if f.size == 1), None)
        elif r.contender == "hplaws dense":
            floor = next((f for f in run.of("peak") if f.size == run.machine["threads"]), None)
        if floor and r.is_ours and r.unit == floor.unit:
            rate = f"{floor.rate:.3g} {floor.unit}/s"
            name = floor.contender.removeprefix("floor: ")
            rows.append([r.kernel, r.case, r.contender, f"{r.rate / floor.rate:.2g}", name, rate])
    header = ["kernel", "case", "", "fraction", "of the floor", "which is"]
    return ["## Fraction of the floor", "", *table(header, rows)]


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
    lines += floor_lines(run)
    for kernel in run.kernels:
        lines += kernel_lines(run, kernel, plots)
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
    """A log-log plot for each kernel measured at three sizes or more; kernel -> file name."""
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
            axes.loglog(
                *zip(*line, strict=True),
                color=color,
                marker="o" if ours else "s",
                markersize=5,
                linewidth=2.2 if ours else 1.2,
                linestyle=":" if floor else "-" if ours else "--",
                label=contender,
            )
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
