"""The section of RESULTS.md on CUDA, from results_gpu.json if that file is there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from report import Missing, Record, Run, Target, kernel_lines, seconds, table

NOT_RUN = "compiled and emulated, not run on a device"

STEPS = {
    "tests": "the exactness law and every other test of a backend, on a device",
    "memcheck": "no bad memory access (compute-sanitizer memcheck, every kernel)",
    "racecheck": "no race in shared memory (compute-sanitizer racecheck, every kernel)",
}
LONG = ("argmin, long rows", "10 T x 1000^3")
PAPER = ("argmin", "100^4")
FULL = ("argmin", "1000^4")
RISK = ("risk, scattered points", "10^8")
COPY = "floor: copying as many bytes"


def run_of(results: dict[str, Any]) -> Run:
    records = [Record(**r) for r in results.get("records", [])]
    return Run(results.get("date", ""), results.get("device", {}), records)


def peak(run: Run) -> Record:
    """The fastest way of fma + min: whichever it is, brute force can use it."""
    floors = [r for r in run.of("peak") if r.is_floor]
    if not floors:
        raise Missing("the device's peak was not measured")
    return max(floors, key=lambda r: r.rate)


def of_peak(grid: tuple[str, str]) -> dict[str, Any]:
    def why(run: Run) -> str:
        ours, most = run.get(*grid, "hplaws dense"), peak(run)
        name = most.contender.removeprefix("floor: ")
        return f"{ours.rate:.3g} of {most.rate:.3g} configurations/s ({name})"

    return {
        "measured": lambda run: run.get(*grid, "hplaws dense").rate / peak(run).rate,
        "why": why,
    }


def best_peer(run: Run, grid: tuple[str, str]) -> Record:
    peers = [r for r in run.of(grid[0]) if r.case == grid[1] and not (r.is_ours or r.is_floor)]
    if not peers:
        raise Missing("no peer was measured")
    return max(peers, key=lambda r: r.rate)


def of_peers(grid: tuple[str, str]) -> dict[str, Any]:
    def why(run: Run) -> str:
        ours, peer = run.get(*grid, "hplaws dense"), best_peer(run, grid)
        return f"{seconds(ours.median)} against {seconds(peer.median)} of {peer.contender}"

    def measured(run: Run) -> float:
        return run.get(*grid, "hplaws dense").rate / best_peer(run, grid).rate

    return {"measured": measured, "why": why}


def rate(kernel: str, case: str, contender: str) -> dict[str, Callable[[Run], Any]]:
    def why(run: Run) -> str:
        return f"{seconds(run.get(kernel, case, contender).median)} a call"

    return {"measured": lambda run: run.get(kernel, case, contender).rate, "why": why}


def of_floor(kernel: str, case: str, contender: str, floor: str) -> dict[str, Any]:
    def why(run: Run) -> str:
        ours, limit = run.get(kernel, case, contender), run.get(kernel, case, floor)
        speed = limit.extra["bytes"] / limit.median / 1e9
        return f"{seconds(ours.median)} against {seconds(limit.median)} ({speed:.0f} GB/s)"

    def measured(run: Run) -> float:
        return run.get(kernel, case, contender).rate / run.get(kernel, case, floor).rate

    return {"measured": measured, "why": why}


TARGETS = (
    Target(f"dense argmin, {LONG[1]}, of the fma + min peak", 0.6, "{:.2f}", **of_peak(LONG)),
    Target(f"dense argmin, {FULL[1]}, of the fma + min peak", 0.6, "{:.2f}", **of_peak(FULL)),
    Target(
        f"dense argmin, {FULL[1]}, configurations/s",
        2e12, "{:.3g}", **rate(*FULL, "hplaws dense"),
    ),
    Target(f"dense argmin, {LONG[1]}, against the best peer", 10.0, "{:.1f}x", **of_peers(LONG)),
    Target(f"dense argmin, {PAPER[1]}, against the best peer", 10.0, "{:.1f}x", **of_peers(PAPER)),
    Target(
        f"risk, {RISK[1]} points, of the device-to-device copy bandwidth",
        0.85, "{:.2f}", **of_floor(*RISK, "hplaws", COPY),
    ),
    Target(
        "positive_cubic_root, roots/s",
        5e9, "{:.3g}", **rate("positive_cubic_root", "10^8", "hplaws"),
    ),
)  # fmt: skip


def verdicts(results: dict[str, Any]) -> list[dict[str, str]]:
    names = ("work", "target", "measured", "verdict", "why")
    run = run_of(results)
    return [dict(zip(names, (t.work, *t.verdict(run)), strict=True)) for t in TARGETS]


def lines(file: Path) -> list[str]:
    if not file.exists():
        claims = [*STEPS.values(), *(t.work for t in TARGETS)]
        return [
            "## CUDA",
            "",
            "No device was at hand: nothing below was measured. `python bench/gpu.py` on a machine "
            "with one gives the figures; see README.md beside this.",
            "",
            *table(["claim", "state"], [[claim, NOT_RUN] for claim in claims]),
        ]
    results = json.loads(file.read_text(encoding="utf-8"))
    run = run_of(results)
    environment, steps = results.get("environment", {}), results["steps"]
    gpu = (environment.get("gpu") or [{}])[0]
    versions = ", ".join(f"{n} {v or '(none)'}" for n, v in environment.get("versions", {}).items())
    text = [
        "## CUDA",
        "",
        f"Measured on {results['date']} on {gpu.get('name', 'a device')}, driver "
        f"{gpu.get('driver_version')}, {environment.get('nvcc')}; {versions}; commit "
        f"{environment.get('commit')}{' with changes' if environment.get('changed') else ''}.",
        "",
    ]
    if results.get("quick"):
        text += ["**A quick run: sizes and rounds are too small for a verdict.**", ""]
    rows = []
    for name, claim in STEPS.items():
        step = steps.get(name, {"outcome": "not run", "says": ""})
        rows.append([claim, step["outcome"], step["says"].split("\n")[0]])
    text += table(["claim", "outcome", ""], rows)
    rows = [list(target.values()) for target in verdicts(results)]
    text += table(["work", "target", "measured", "", "what the run says of it"], rows)
    for failure in results.get("failures", []):
        text.append(f"Failed: {failure['what']}: {failure['error'].splitlines()[-1]}")
        text.append("")
    if results.get("left_out"):
        text += [f"Left out: {'; '.join(results['left_out'])}.", ""]
    for kernel in run.kernels:
        text += [
            f"#{line}" if line.startswith("## ") else line for line in kernel_lines(run, kernel, {})
        ]
    return text
