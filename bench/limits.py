"""limits.cpp, compiled on first use: the floors that kernels are measured against."""

from __future__ import annotations

import ctypes
import functools
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

VECTOR_BYTES = {"baseline": 16, "avx2": 32, "avx512": 64}


@functools.cache
def _library(isa: str | None) -> ctypes.CDLL | str:
    """The library compiled for `isa`'s vectors, or the reason why there is none."""
    command = shlex.split(os.environ.get("CXX", "")) or [
        "g++" if shutil.which("g++") else "clang++"
    ]
    if not shutil.which(command[0]):
        return f"no C++ compiler ({command[0]}) to measure it with"
    command += ["-std=c++17", "-O3", "-march=native", "-ffp-contract=fast", "-pthread"]
    command += ["-shared", "-fPIC"]
    if isa:
        command.append(f"-DVECTOR_BYTES={VECTOR_BYTES[isa]}")
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "limits.so"
        command += [str(Path(__file__).with_name("limits.cpp")), "-o", str(target)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return f"limits.cpp does not compile here: {done.stderr.strip()[-300:]}"
        library = ctypes.CDLL(str(target))
    library.fma_min_pairs.restype = ctypes.c_int64
    return library


def _load(isa: str | None) -> ctypes.CDLL:
    library = _library(isa)
    if isinstance(library, str):
        pytest.skip(f"floor left out: {library}")
    return library


def fma_min_pairs(isa: str | None, steps: int, threads: int) -> int:
    """`steps` rounds of fma and min in registers on each thread; the pairs done by all."""
    done = _load(isa).fma_min_pairs(ctypes.c_int64(steps), ctypes.c_int(threads))
    return threads * int(done)


def add_four(
    isa: str | None, inputs: list[NDArray[np.float64]], out: NDArray[np.float64], threads: int
) -> None:
    """out = the sum of four arrays, by a parallel loop with streaming stores."""
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in (*inputs, out)]
    _load(isa).add_four(*pointers, ctypes.c_int64(out.size), ctypes.c_int(threads))
