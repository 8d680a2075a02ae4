"""Everything that needs a CUDA device, in one call: build, tests, sanitizer, benchmarks.

python bench/gpu.py [--out DIR] [--quick] [--steps build,tests,...]

Needs nvcc, CuPy, and what tests and benchmarks import; no network. Every step has its own
outcome in DIR/results_gpu.json; one that fails stops none that can do without it.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ON_DEVICE = ROOT / "bench" / "on_device"
PACKAGES = ("cupy-cuda13x", "jax", "torch", "numba", "numpy", "pybind11", "scikit-build-core")
# As nvidia-smi names them.
GPU = (
    "name", "driver_version", "memory.total", "clocks.sm", "clocks.max.sm", "clocks.mem",
    "power.limit", "ecc.mode.current", "mig.mode.current",
)  # fmt: skip


class Failed(Exception):
    """How a step went wrong."""


class Skipped(Exception):
    """Why a step was left out."""


class Work:
    """The folder of one run: our build, the log of all commands, the outcomes."""

    def __init__(self, out: Path, quick: bool) -> None:
        self.out = out
        self.quick = quick
        self.site = out / "site"
        self.log = out / "gpu.log"
        self.results: dict[str, Any] = {"steps": {}}
        out.mkdir(parents=True, exist_ok=True)

    @property
    def file(self) -> Path:
        return self.out / "results_gpu.json"

    def read(self) -> None:
        """Goes on from an earlier call's outcomes."""
        if self.file.exists():
            self.results = json.loads(self.file.read_text(encoding="utf-8"))

    def write(self) -> None:
        text = json.dumps(self.results, indent=1, allow_nan=False) + "\n"
        self.file.write_text(text, encoding="utf-8")

    def run(self, *command: str, minutes: float, **variables: str) -> str:
        """What a command printed, which the log keeps; it sees our build."""
        env = os.environ | {"PYTHONPATH": str(self.site), "PYTHONUNBUFFERED": "1"} | variables
        with self.log.open("ab") as log:
            log.write(f"\n$ {' '.join(command)}\n".encode())
            log.flush()
            begin = log.tell()
            try:
                done = subprocess.run(
                    command, cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT,
                    timeout=60 * minutes, check=False,
                )  # fmt: skip
                status = f"exit status {done.returncode}" if done.returncode else ""
            except subprocess.TimeoutExpired:
                status = f"stopped after {minutes:g} minutes"
        printed = self.log.read_bytes()[begin:].decode(errors="replace")
        if status:
            raise Failed(f"{status}; the last it said:\n{printed[-2000:]}")
        return printed


def last_line(printed: str, pattern: str) -> str:
    found = [line.strip("= \n") for line in printed.splitlines() if re.search(pattern, line)]
    return found[-1] if found else "no summary"


# ---- steps: each returns what the JSON shall say of it ------------------------------------


def environment(work: Work) -> str:
    def version(package: str) -> str | None:
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            return None

    def printed(*command: str) -> str | None:
        if not shutil.which(command[0]):
            return None
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    gpu = printed("nvidia-smi", f"--query-gpu={','.join(GPU)}", "--format=csv,noheader")
    nvcc = printed("nvcc", "--version")
    work.results["environment"] = {
        "gpu": [dict(zip(GPU, line.split(", "), strict=False)) for line in (gpu or "").split("\n")],
        "nvcc": last_line(nvcc, "release") if nvcc else None,
        "os": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {package: version(package) for package in PACKAGES},
        "commit": printed("git", "rev-parse", "HEAD"),
        "changed": bool(printed("git", "status", "--porcelain")),
    }
    if not gpu:
        raise Failed("nvidia-smi names no GPU")
    return gpu


def build(work: Work) -> str:
    shutil.rmtree(work.site, ignore_errors=True)
    work.run(
        sys.executable, "-m", "pip", "install", ".", "--no-build-isolation", "--no-deps",
        "--no-index", "--target", str(work.site), "-C", f"build-dir={work.out / 'build'}",
        "-C", "cmake.define.HPLAWS_CUDA=ON",
        minutes=30, HPLAWS_REQUIRE_NATIVE="1", PIP_DISABLE_PIP_VERSION_CHECK="1",
    )  # fmt: skip
    printed = work.run(sys.executable, "-c", "import hplaws; hplaws.show_config()", minutes=5)
    return last_line(printed, "CUDA")


def tests(work: Work) -> str:
    """The conformance suite with the device as a backend, never emulated."""
    printed = work.run(
        sys.executable, "-m", "pytest", "-q", "tests", "-k", "cuda",
        minutes=30, HPLAWS_TEST_CUDA="device",
    )  # fmt: skip
    return last_line(printed, r"\d+ passed")


def sanitizer(tool: str) -> Callable[[Work], str]:
    def step(work: Work) -> str:
        toolkit = Path(shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc").resolve().parent
        path = os.pathsep.join([os.environ.get("PATH", ""), str(toolkit), "/usr/local/cuda/bin"])
        command = shutil.which("compute-sanitizer", path=path)
        if not command:
            raise Skipped("compute-sanitizer is not here")
        printed = work.run(
            command, "--tool", tool, "--error-exitcode", "9", sys.executable,
            str(ON_DEVICE / "small_grids.py"), minutes=20,
        )  # fmt: skip
        return last_line(printed, "SUMMARY")

    return step


def bench(work: Work) -> str:
    file = work.out / "measured.json"
    file.unlink(missing_ok=True)
    quick = ["--quick"] if work.quick else []
    try:
        work.run(sys.executable, str(ON_DEVICE / "measure.py"), str(file), *quick, minutes=60)
    finally:
        # What was measured before something failed is as good.
        if file.exists():
            work.results |= json.loads(file.read_text(encoding="utf-8"))
            work.results["quick"] = work.quick
    return f"{len(work.results['records'])} measurements"


STEPS: dict[str, Callable[[Work], str]] = {
    "environment": environment,
    "build": build,
    "tests": tests,
    "memcheck": sanitizer("memcheck"),
    "racecheck": sanitizer("racecheck"),
    "bench": bench,
}


def why_not(name: str, work: Work) -> str:
    """What a step lacks, or nothing."""
    if name in ("environment", "build"):
        return ""
    if not work.site.exists():
        return "there is no build"
    call = "hplaws.risk(hplaws.Bound.proxy(), 0.1, 0.5, 1.0, T=10.0, backend='cuda')"
    try:
        work.run(sys.executable, "-c", f"import hplaws; {call}", minutes=5)
    except Failed as reason:
        return str(reason).splitlines()[-1]
    return ""


def take(name: str, work: Work) -> None:
    print(f"{name} ...", flush=True)
    begin = time.monotonic()
    if missing := why_not(name, work):
        outcome, says = "skipped", missing
    else:
        try:
            outcome, says = "passed", STEPS[name](work)
        except Skipped as reason:
            outcome, says = "skipped", str(reason)
        except Failed as reason:
            outcome, says = "failed", str(reason)
        except Exception as error:
            outcome, says = "failed", f"{type(error).__name__}: {error}"
    seconds = round(time.monotonic() - begin, 1)
    work.results["steps"][name] = {"outcome": outcome, "says": says, "seconds": seconds}
    work.results["date"] = datetime.date.today().isoformat()
    work.write()
    print(f"{name}: {outcome} after {seconds} s: {says}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "gpu", metavar="DIR")
    parser.add_argument("--quick", action="store_true", help="small sizes, five rounds")
    parser.add_argument(
        "--steps", default=",".join(STEPS), help="some of them; the others' outcomes stay"
    )
    arguments = parser.parse_args()
    steps = arguments.steps.split(",")
    if unknown := [s for s in steps if s not in STEPS]:
        parser.error(f"no such step: {', '.join(unknown)}; there are {', '.join(STEPS)}")
    work = Work(arguments.out.resolve(), arguments.quick)
    if set(steps) != set(STEPS):
        work.read()
    for name in steps:
        take(name, work)
    if "records" in work.results:
        import gpu_report

        work.results["targets"] = gpu_report.verdicts(work.results)
        work.write()
        for target in work.results["targets"]:
            print(" | ".join(target.values()))
    print(f"wrote {work.file}")
    return int(any(s["outcome"] != "passed" for s in work.results["steps"].values()))


if __name__ == "__main__":
    sys.exit(main())
