"""What every test file shares: the backends, and how hard Hypothesis tries."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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


# Session scope, so that Hypothesis tests may use it.
@pytest.fixture(scope="session", params=["native", "numba"])
def backend(request: pytest.FixtureRequest) -> str:
    """The name of each backend in turn."""
    name: str = request.param
    if name not in _backend.available():
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
