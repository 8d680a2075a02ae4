"""What every benchmark here shares: the record it leaves, and the machine's description."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Before NumPy is loaded. The matrices here are 3 by 3, and the threads of OpenBLAS, waiting
# for each other between them, make L-BFGS-B up to ten times slower.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

sys.path.insert(0, str(Path(__file__).parent))

import cases
from peers import Contender, boost_version

PACKAGES = ("hplaws", "numpy", "numba", "numexpr", "scipy", "cvxpy", "jax", "pytest-benchmark")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: Any) -> None:
    """Replaces the plugin's description, which carries the host's name."""
    found = cases.configuration()
    cpu = machine_info["cpu"].get("brand_raw") or platform.processor() or platform.machine()
    machine_info.clear()
    machine_info.update(
        cpu=cpu,
        logical_cores=os.cpu_count(),
        threads=found["threads"],
        os=f"{platform.system()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        compiler=found["compiler"],
        isa=found["isa"],
        versions={package: _version(package) for package in PACKAGES} | {"Boost": boost_version()},
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Half the plugin's default time each, so that a whole run takes a few minutes."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.benchmark(max_time=0.5, min_rounds=5))


@pytest.fixture(scope="session")
def configuration() -> dict[str, Any]:
    """What ``hplaws.show_config()`` returns."""
    return cases.configuration()


@pytest.fixture(autouse=True)
def _contender(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Skips a contender that is not installed, and sets the threads of one that names them."""
    callspec = getattr(request.node, "callspec", None)
    contender = callspec.params.get("contender") if callspec else None
    if not isinstance(contender, Contender):
        return
    try:
        importlib.import_module(contender.package)
    except ImportError as reason:
        pytest.skip(f"{contender.name!r} left out: {reason}")
    if contender.threads:
        monkeypatch.setenv("HPLAWS_NUM_THREADS", str(contender.threads))


@pytest.fixture
def measure(benchmark: Any) -> Callable[..., Any]:
    """Times `call` and leaves with it what report.py needs.

    kernel, case : the table and the column it belongs to
    contender : the table's row; "hplaws ..." and "floor: ..." are told apart by name
    size : the case's place on the x axis of the kernel's plot, called `size_name`
    work : how many `unit` one call does
    """

    def run(
        call: Callable[[], Any],
        *,
        kernel: str,
        case: str,
        contender: str,
        size: float,
        size_name: str,
        work: float,
        unit: str,
        **more: Any,
    ) -> None:
        benchmark.extra_info.update(
            kernel=kernel,
            case=case,
            contender=contender,
            size=size,
            size_name=size_name,
            work=work,
            unit=unit,
            **more,
        )
        benchmark(call)

    return run
