"""The installed headers, used by a C++ project that knows nothing but find_package(hplaws)."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path

import numpy as np
import pytest

import hplaws

CONSUMER = Path(__file__).parent / "cpp"


# CMake and Ninja come with the test extra, beside this interpreter.
ENVIRONMENT = os.environ | {
    "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
}


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    if "native" not in hplaws.show_config()["backends"]:
        pytest.skip("the package was built without a C++ compiler")
    build = tmp_path_factory.mktemp("consumer")
    configure = ["cmake", "-G", "Ninja", "-S", str(CONSUMER), "-B", str(build)]
    run(*configure, "-DCMAKE_BUILD_TYPE=Release", f"-Dhplaws_DIR={hplaws.get_cmake_dir()}")
    run("cmake", "--build", str(build))
    lines = run(str(build / "consumer")).split()
    return [float.fromhex(line) if "0x" in line else float(line) for line in lines]


def test_the_headers_give_the_bits_of_the_package(printed: list[float]) -> None:
    bound = hplaws.Bound(1.0, 2.0, 3.5, 2.0, init_error=0.25, q=0.3)
    here = hplaws.risk(bound, 1e-3, 0.1, 48.0, T=1e7)
    best = hplaws.theorem3(hplaws.Bound.proxy(), T=1e12)
    found = hplaws.grid_argmin(
        hplaws.Bound.proxy(),
        eta=[1e-8, 1e-7, 1e-6, 1e-5],
        alpha=[1e-5, 1e-4, 1e-3],
        b=[1.0, 8.0, 64.0],
        T=1e12,
    )
    expected = [
        here,
        here,
        hplaws.positive_cubic_root(3.0, 5.0, 7.0),
        *hplaws.cubic_roots(1.0, -6.0, 11.0, -6.125),
        *(best.eta, best.alpha, best.b, best.risk),
        found.risk[0],
        found.index["alpha"][0] * 3 + found.index["b"][0],
        found.index["eta"][0],
    ]
    np.testing.assert_array_equal(printed, expected)
