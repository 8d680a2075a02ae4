"""What every test file shares: the backends, and how hard Hypothesis tries."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

import emulated_cuda
from hplaws import _backend

# Reproducible by default; the thorough profile draws new examples on every run.
settings.register_profile(
    "default", derandomize=True, deadline=None, max_examples=60, print_blob=True
)
settings.register_profile(
    "thorough", deadline=None, max_examples=2000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

ABSENT = {
    "native": "hplaws was built without its native core (no C++ compiler)",
    "numba": "Numba is not installed",
}


@pytest.fixture(scope="session")
def emulated_cuda_module(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The CUDA extension compiled for the host."""
    missing = emulated_cuda.why_not()
    if missing is not None:
        pytest.skip(f"the CUDA backend cannot be emulated: {missing}")
    return emulated_cuda.build(tmp_path_factory.mktemp("emulated_cuda"))


@pytest.fixture(scope="session")
def cuda(request: pytest.FixtureRequest) -> Iterator[bool]:
    """A CUDA backend: the device's (True), else an emulated one.

    HPLAWS_TEST_CUDA=device asks for the device's and no other.
    """
    devices, why_none = _backend.cuda_devices()
    if devices:
        yield True
        return
    if os.environ.get("HPLAWS_TEST_CUDA") == "device":
        pytest.fail(f"HPLAWS_TEST_CUDA=device, and there is no CUDA backend: {why_none}")
    with emulated_cuda.installed(request.getfixturevalue("emulated_cuda_module")):
        yield False


# Session scope, so that Hypothesis tests may use it.
@pytest.fixture(scope="session", params=["native", "numba", "cuda"])
def backend(request: pytest.FixtureRequest) -> str:
    """The name of each backend in turn."""
    name: str = request.param
    if name == "cuda":
        request.getfixturevalue("cuda")
    elif name not in _backend.available():
        pytest.skip(f"no {name} backend: {ABSENT[name]}")
    return name


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a script in a fresh interpreter: warnings are errors, and of the HPLAWS_
    variables it sees only those given."""

    def run(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("HPLAWS_")}
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", script, *arguments],
            env=inherited | environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run
