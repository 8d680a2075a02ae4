"""boost.cpp: Boost.Math's cubic solver, compiled here like the floors."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

import cases
import compiled

SOURCE = "boost.cpp"


def version() -> str | None:
    library = compiled.library(SOURCE)
    if isinstance(library, str):
        return None
    library.boost_version.restype = ctypes.c_char_p
    return library.boost_version().decode().replace("_", ".")


def _call(name: str, inputs: tuple[NDArray[np.float64], ...], out: NDArray[np.float64]) -> Any:
    """On as many threads as hplaws takes by itself."""
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in (*inputs, out)]
    threads = ctypes.c_int(cases.configuration()["threads"])
    compiled.load(SOURCE)[name](*pointers, ctypes.c_int64(inputs[0].size), threads)
    return out


def positive_root(*abc: NDArray[np.float64]) -> Any:
    return _call("boost_positive_root", abc, np.empty(abc[0].size))


def cubic_roots(*abcd: NDArray[np.float64]) -> Any:
    return _call("boost_cubic_roots", abcd, np.empty((abcd[0].size, 3)))
