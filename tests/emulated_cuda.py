"""The CUDA backend on a machine without a device: its sources as plain C++, on host memory.

The kernels' bodies, the launches' plans, the bindings and the Python side are the ones a
device runs; what is emulated is CUDA's runtime and the order of threads.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from hplaws import _backend

SOURCES = Path(__file__).parent / "cpp" / "emulated_cuda"


def why_not() -> str | None:
    """What is missing to build it here, if anything is."""
    if importlib.util.find_spec("pybind11") is None:
        return "pybind11 is not installed"
    compiler = os.environ.get("CXX", "c++")
    return None if shutil.which(compiler) else f"there is no C++ compiler ({compiler})"


def build(folder: Path) -> ModuleType:
    import pybind11

    # CMake and Ninja come with the test extra, beside this interpreter.
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    configure = [
        "cmake", "-G", "Ninja", "-S", str(SOURCES), "-B", str(folder),
        f"-Dpybind11_DIR={pybind11.get_cmake_dir()}", f"-DPython_EXECUTABLE={sys.executable}",
    ]  # fmt: skip
    for command in (configure, ["cmake", "--build", str(folder)]):
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=os.environ | {"PATH": path}
        )
        assert done.returncode == 0, done.stdout + done.stderr
    (file,) = folder.glob("_cuda.*")
    # Not "hplaws._cuda": pybind11 would return the real one if that was loaded before.
    spec = importlib.util.spec_from_file_location("emulated._cuda", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _forget() -> None:
    sys.modules.pop("hplaws._backend.cuda", None)
    vars(_backend).pop("cuda", None)
    _backend.cuda_module.cache_clear()
    _backend._cuda_devices_of.cache_clear()


@contextmanager
def installed(module: ModuleType) -> Iterator[None]:
    """hplaws with `module` as its CUDA extension, for those who name it: it is not among
    the available backends, which other tests count."""
    before = sys.modules.get("hplaws._cuda")
    present = _backend._PRESENT["cuda"]
    _backend._PRESENT["cuda"] = lambda: False
    sys.modules["hplaws._cuda"] = module
    sys.modules["hplaws"]._cuda = module  # type: ignore[attr-defined]
    _forget()
    try:
        yield
    finally:
        _backend._PRESENT["cuda"] = present
        del sys.modules["hplaws"]._cuda  # type: ignore[attr-defined]
        if before is None:
            del sys.modules["hplaws._cuda"]
        else:
            sys.modules["hplaws._cuda"] = before
        _forget()


def launched_on(module: ModuleType) -> tuple[int, int]:
    """The device and the stream of the last launch."""
    library = ctypes.CDLL(module.__file__)
    library.emulated_launched_on.restype = ctypes.POINTER(ctypes.c_int64)
    device, stream = library.emulated_launched_on()[:2]
    return device, stream
