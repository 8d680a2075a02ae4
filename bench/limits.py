"""limits.cpp: the floors that kernels are measured against."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

import compiled

VECTOR_BYTES = {"baseline": 16, "avx2": 32, "avx512": 64}


def _load(isa: str | None) -> ctypes.CDLL:
    """The library, with `isa`'s vectors where a native core is there to name one."""
    options = [f"-DVECTOR_BYTES={VECTOR_BYTES[isa]}"] if isa else []
    library = compiled.load("limits.cpp", *options)
    library.fma_min_pairs.restype = library.divisions.restype = ctypes.c_int64
    return library


def fma_min_pairs(isa: str | None, steps: int, threads: int) -> int:
    """`steps` rounds of fma and min in registers on each thread; the pairs done by all."""
    done = _load(isa).fma_min_pairs(ctypes.c_int64(steps), ctypes.c_int(threads))
    return threads * int(done)


def divisions(isa: str | None, steps: int, threads: int) -> int:
    """`steps` rounds of division in registers on each thread; the divisions done by all."""
    done = _load(isa).divisions(ctypes.c_int64(steps), ctypes.c_int(threads))
    return threads * int(done)


def add_four(
    isa: str | None, inputs: list[NDArray[np.float64]], out: NDArray[np.float64], threads: int
) -> None:
    """out = the sum of four arrays, by a parallel loop with streaming stores."""
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in (*inputs, out)]
    _load(isa).add_four(*pointers, ctypes.c_int64(out.size), ctypes.c_int(threads))
