"""config.hpp for Numba: how each kind of function is compiled, and kept on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.resources import files
from typing import Any, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Function = TypeVar("Function", bound=Callable[..., Any])

# Without fastmath LLVM neither contracts a*b + c nor reorders it. With Python's
# error model a division would test for zero, and the loop could not vectorise.
OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": False}


def _digest_of_sources() -> str:
    digest = hashlib.sha256()
    for module in sorted(files(__package__).iterdir(), key=lambda module: module.name):
        if module.name.endswith(".py"):
            digest.update(module.read_bytes())
    return digest.hexdigest()[:16]


SOURCES = _digest_of_sources()


def formula(function: Function) -> Function:
    """What HPLAWS_HD is to C++: inlined, so that loops over it vectorise."""
    return njit(**OPTIONS, forceinline=True)(function)  # type: ignore[no-any-return]


def part(function: Function) -> Function:
    """A part of a kernel that LLVM inlines as it sees fit."""
    return njit(**OPTIONS)(function)  # type: ignore[no-any-return]


def kernel(function: Function) -> Function:
    """Called from Python: compiled at its first call, and kept on disk where possible.

    Only kernels are kept, with all they call compiled into them. Numba drops what it
    kept when the kernel's own file changes; so that a change in any other module drops
    it too, all of them are part of the name under which Numba keeps it.

    A kernel returns nothing. Numba makes a result with Python code, which is where a
    waiting Ctrl-C would be raised, and then be turned into a SystemError.
    """
    function.__qualname__ += f"_{SOURCES}"
    try:
        return njit(**OPTIONS, cache=True)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # neither the package's nor the user's directory can be written
        return njit(**OPTIONS)(function)  # type: ignore[no-any-return]
