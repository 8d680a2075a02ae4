"""bench/gpu.py and its report, without a device: outcomes, verdicts, and no made-up figure."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCH = Path(__file__).parent.parent / "bench"

if not BENCH.is_dir():
    pytest.skip("the benchmarks are not here", allow_module_level=True)


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    monkeypatch.syspath_prepend(str(BENCH))
    names = ("report", "gpu_report", "gpu")
    yield {name: importlib.import_module(name) for name in names}
    for name in names:
        del sys.modules[name]


def record(kernel: str, case: str, contender: str, rate: float, **more: Any) -> dict[str, Any]:
    """A measurement of a device that does not exist: a second for each call."""
    return {
        "kernel": kernel, "case": case, "contender": contender, "size": 1, "size_name": "",
        "work": rate, "unit": "things", "median": 1.0, "iqr": 0.0, "rounds": 20, "extra": more,
    }  # fmt: skip


RESULTS: dict[str, Any] = {
    "date": "1970-01-01",
    "quick": False,
    "environment": {"gpu": [{"name": "No Such Device", "driver_version": "0"}], "nvcc": "none"},
    "steps": {
        "tests": {"outcome": "passed", "says": "7 passed", "seconds": 1.0},
        "memcheck": {"outcome": "skipped", "says": "compute-sanitizer is not here", "seconds": 0},
    },
    "failures": [{"what": "torch.compile", "error": "RuntimeError: no"}],
    "left_out": ["JAX, jit: not installed"],
    "records": [
        record("peak", "registers", "floor: fma + min of high words", 90.0),
        record("peak", "registers", "floor: fma + min of high words, two at once", 100.0),
        record("peak", "registers", "fma alone", 200.0),
        record("argmin, long rows", "10 T x 1000^3", "hplaws dense", 61.0),
        record("argmin, long rows", "10 T x 1000^3", "CuPy", 6.0),
        record("argmin, long rows", "10 T x 1000^3", "torch.compile", 3.0),
        record("argmin", "1000^4", "hplaws dense", 59.0),
        record("argmin", "100^4", "hplaws dense", 9.0),
        record("argmin", "100^4", "CuPy", 1.0),
        record("risk, scattered points", "10^8", "hplaws", 9.0),
        record("risk, scattered points", "10^8", "floor: copying as many bytes", 10.0, bytes=10**9),
    ],
}


def test_verdicts(modules):
    verdicts = modules["gpu_report"].verdicts(RESULTS)
    assert [(v["measured"], v["verdict"]) for v in verdicts] == [
        ("0.61", "met"),  # of 100: the faster of two floors, and "fma alone" is none
        ("0.59", "**missed**"),
        ("59", "**missed**"),
        ("10.2x", "met"),  # against the faster of two peers
        ("9.0x", "**missed**"),
        ("0.90", "met"),
        ("", "not measured"),
    ]


def test_section_from_results(modules, tmp_path):
    file = tmp_path / "results_gpu.json"
    file.write_text(json.dumps(RESULTS))
    text = "\n".join(modules["gpu_report"].lines(file))
    assert "Measured on 1970-01-01 on No Such Device" in text
    for expected in (
        "| passed | 7 passed |",
        "| skipped | compute-sanitizer is not here |",
        "| not run |  |",  # racecheck
        "| >= 0.60 | 0.61 | met | 61 of 100 configurations/s",
        "Failed: torch.compile: RuntimeError: no",
        "Left out: JAX, jit: not installed.",
        "### argmin, long rows",
    ):
        assert expected in text, text
    assert modules["gpu_report"].NOT_RUN not in text
    assert "quick" not in text
    file.write_text(json.dumps(RESULTS | {"quick": True}))
    assert "A quick run" in "\n".join(modules["gpu_report"].lines(file))


def test_section_without_a_device(modules, tmp_path):
    """Every claim is listed, each as not run, and nothing is measured."""
    report = modules["gpu_report"]
    rows = [line for line in report.lines(tmp_path / "none.json") if line.endswith("|")][2:]
    claims = [*report.STEPS.values(), *(target.work for target in report.TARGETS)]
    assert rows == [f"| {c} | compiled and emulated, not run on a device |" for c in claims]


def run_gpu(modules, monkeypatch, out: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--out", str(out), *arguments])
    status = modules["gpu"].main()
    return status, json.loads((out / "results_gpu.json").read_text())


def test_steps_have_outcomes_of_their_own(modules, monkeypatch, tmp_path):
    gpu = modules["gpu"]

    def python(code: str) -> Any:
        return lambda work: work.run(sys.executable, "-c", code, minutes=0.5).strip()

    def measured(work: Any) -> str:
        work.results |= RESULTS | {"steps": work.results["steps"]}
        raise gpu.Failed("half of it")

    def left_out(work: Any) -> str:
        raise gpu.Skipped("no tool")

    steps = {
        "build": lambda work: "built",
        "tests": python("print('7 passed'); raise SystemExit(3)"),
        "memcheck": left_out,
        "racecheck": python("print('0 hazards')"),
        "bench": measured,
    }
    monkeypatch.setattr(gpu, "STEPS", steps)
    monkeypatch.setattr(gpu, "why_not", lambda name, work: "")
    status, results = run_gpu(modules, monkeypatch, tmp_path)
    assert status == 1
    assert {name: step["outcome"] for name, step in results["steps"].items()} == {
        "build": "passed", "tests": "failed", "memcheck": "skipped", "racecheck": "passed",
        "bench": "failed",
    }  # fmt: skip
    assert results["steps"]["tests"]["says"].startswith(
        "exit status 3; the last it said:\n7 passed"
    )
    assert results["steps"]["racecheck"]["says"] == "0 hazards"
    assert results["targets"] == modules["gpu_report"].verdicts(RESULTS)
    assert "0 hazards" in (tmp_path / "gpu.log").read_text()

    # Some steps again: the others' outcomes stay.
    steps |= {"tests": python("print('8 passed')"), "memcheck": python("print('0 errors')")}
    steps |= {"bench": lambda work: "all of it"}
    status, results = run_gpu(modules, monkeypatch, tmp_path, "--steps", "tests,memcheck,bench")
    assert status == 0
    assert results["steps"]["tests"]["says"] == "8 passed"
    assert results["steps"]["racecheck"]["says"] == "0 hazards"


def test_what_a_step_lacks(modules, monkeypatch, tmp_path):
    """Without a build or a device, the steps that need one say so and do not run."""
    steps = {"build": lambda work: "built", "tests": lambda work: pytest.fail("it ran")}
    monkeypatch.setattr(modules["gpu"], "STEPS", steps)
    status, results = run_gpu(modules, monkeypatch, tmp_path)
    assert status == 1
    tests = {"outcome": "skipped", "says": "there is no build"}
    assert tests.items() <= results["steps"]["tests"].items()

    package = tmp_path / "site" / "hplaws"
    package.mkdir(parents=True)
    package.joinpath("__init__.py").write_text("raise RuntimeError('no CUDA device')")
    status, results = run_gpu(modules, monkeypatch, tmp_path)
    assert results["steps"]["tests"]["says"] == "RuntimeError: no CUDA device"


def test_unknown_steps_are_named(modules, monkeypatch, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run_gpu(modules, monkeypatch, tmp_path, "--steps", "tests,dance")
    assert "no such step: dance; there are environment, build," in capsys.readouterr().err


def test_a_command_that_hangs_is_stopped(modules, tmp_path):
    work = modules["gpu"].Work(tmp_path, quick=True)
    with pytest.raises(modules["gpu"].Failed, match="stopped after"):
        work.run(sys.executable, "-c", "import time; time.sleep(60)", minutes=0.005)


def test_committed_results_are_whole(modules):
    """What the repository says was measured on a device came from a whole run."""
    file = BENCH / "results_gpu.json"
    if not file.exists():
        return
    results = json.loads(file.read_text())
    assert results["quick"] is False
    assert results["environment"]["gpu"][0]["name"]
    assert set(results["steps"]) == set(modules["gpu"].STEPS)
