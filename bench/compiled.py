"""The C++ files beside this one, compiled on first use for the machine they run on."""

from __future__ import annotations

import ctypes
import functools
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest


@functools.cache
def library(source: str, *options: str) -> ctypes.CDLL | str:
    """The file `source` as a library, or the reason why there is none."""
    command = shlex.split(os.environ.get("CXX", "")) or [
        "g++" if shutil.which("g++") else "clang++"
    ]
    if not shutil.which(command[0]):
        return f"no C++ compiler ({command[0]}) for {source}"
    command += ["-std=c++17", "-O3", "-march=native", "-ffp-contract=fast", "-pthread"]
    command += ["-shared", "-fPIC", *options]
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "compiled.so"
        command += [str(Path(__file__).with_name(source)), "-o", str(target)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            first = re.search(r"error: *(?:#error *)?(.*)", done.stderr)
            reason = first[1] if first else done.stderr.strip()[-300:]
            return f"{source} does not compile here: {reason}"
        return ctypes.CDLL(str(target))


def load(source: str, *options: str) -> ctypes.CDLL:
    """`library`, or a skipped test that says why."""
    found = library(source, *options)
    if isinstance(found, str):
        pytest.skip(f"left out: {found}")
    return found
