"""The choice of backend.

A backend is a module with three functions; kernel is one of the names in cpp/src/bind:

    elementwise(kernel, inputs, outputs): floats and float64 arrays that broadcast to
        the common shape of the outputs, the arrays it writes into; of devices for "cuda",
        which takes NumPy arrays too
    scalars(kernel, inputs): the outputs as floats, the same bits without any array;
        None unless all inputs are floats and the backend has such a way
    grid_argmin(request, progress): see GridRequest, whose arrays it writes into
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .. import _devices, _validate
from .._errors import BackendError
from .._validate import Operand
from .threads import thread_count as thread_count

Floats = NDArray[np.float64]
Progress = Callable[[float], None] | None


@dataclass(frozen=True)
class GridRequest:
    """A validated grid and the arrays for its result.

    bounds : (n, 7), the fields of Bound in order
    alpha, b, eta, budget : the axes; budget holds K if budget_is_steps, else T
    over : for (alpha, b, eta), whether it is minimised away
    risk, at_edge : one element a cell (bound, budget, kept alpha, kept b, kept eta)
    index, value : for (alpha, b, eta), the same, None where the axis is kept
    """

    bounds: Floats
    alpha: Floats
    b: Floats
    eta: Floats
    budget: Floats
    budget_is_steps: bool
    over: tuple[bool, bool, bool]
    dense: bool
    threads: int
    risk: Floats
    at_edge: NDArray[np.bool_]
    index: tuple[NDArray[np.int64] | None, ...]
    value: tuple[Floats | None, ...]

    @property
    def question(self) -> dict[str, Any]:
        """What is asked, by the names of the compiled modules' arguments."""
        names = ("bounds", "alpha", "b", "eta", "budget", "budget_is_steps", "over", "dense")
        return {name: getattr(self, name) for name in names}


class Backend(Protocol):
    __name__: str

    def elementwise(
        self, kernel: str, inputs: tuple[Operand, ...], outputs: tuple[Floats, ...]
    ) -> None: ...

    def scalars(self, kernel: str, inputs: tuple[Operand, ...]) -> tuple[float, ...] | None: ...

    def grid_argmin(self, request: GridRequest, progress: Progress) -> None: ...


@cache
def native_module() -> Any:
    """The native backend's module, or None where the package was built without it."""
    try:
        return importlib.import_module("hplaws._backend.native")
    except ModuleNotFoundError as error:
        if error.name != "hplaws._core":
            raise
        return None


@cache
def cuda_module() -> Any:
    """The CUDA backend's module, or None where the package was built without it."""
    try:
        return importlib.import_module("hplaws._backend.cuda")
    except ModuleNotFoundError as error:
        if error.name != "hplaws._cuda":
            raise
        return None


def cuda_devices() -> tuple[list[dict[str, Any]], str]:
    """The devices that can be used, and why there are none."""
    return _cuda_devices_of(os.getpid())


@cache
def _cuda_devices_of(process: int) -> tuple[list[dict[str, Any]], str]:
    # A forked child cannot use its parent's devices, hence the question by process.
    module = cuda_module()
    if module is None:
        return [], (
            "hplaws was built without it: install the CUDA toolkit (nvcc) and reinstall hplaws "
            "with -C cmake.define.HPLAWS_CUDA=ON"
        )
    devices, why_none = module.core.devices()
    return devices, f"it was built, but no device can be used here: {why_none}"


@cache
def _has_numba() -> bool:
    return importlib.util.find_spec("numba") is not None


# Best first. Not evaluated before asked: looking for Numba takes a walk of sys.path.
_PRESENT: dict[str, Callable[[], bool]] = {
    "native": lambda: native_module() is not None,
    "numba": _has_numba,
    "cuda": lambda: bool(cuda_devices()[0]),
}


@cache
def _best() -> str | None:
    # Not "cuda": that would copy NumPy arrays to a device unasked.
    return next((name for name in ("native", "numba") if _PRESENT[name]()), None)


def available() -> list[str]:
    """Names of the backends that can be used here, best first."""
    return [name for name, present in _PRESENT.items() if present()]


def default_name() -> str | None:
    """The backend used where the caller names none."""
    named = os.environ.get("HPLAWS_BACKEND")
    if named:
        return _validate.choice("HPLAWS_BACKEND", named, tuple(_PRESENT))
    return _best()


def get(name: str | None = None) -> Backend:
    """The backend called `name`, or the default; BackendError if it is not there."""
    name = default_name() if name is None else _validate.choice("backend", name, tuple(_PRESENT))
    if name == "native":
        module = native_module()
        if module is None:
            raise BackendError(
                "the native backend was not built: install a C++ compiler (g++ >= 11 or "
                "clang >= 14) and reinstall hplaws, or use backend='numba'"
            )
        return module  # type: ignore[no-any-return]
    if name == "numba":
        if not _has_numba():
            raise BackendError("the numba backend needs Numba: pip install 'hplaws[numba]'")
        return importlib.import_module("hplaws._backend.numba")
    if name == "cuda":
        devices, why_none = cuda_devices()
        if not devices:
            raise BackendError(f"no CUDA backend: {why_none}; or use 'native' or 'numba'")
        return cuda_module()  # type: ignore[no-any-return]
    raise BackendError(
        "no backend: hplaws was built without a C++ compiler, and Numba is not installed; "
        "pip install 'hplaws[numba]', or install a compiler and reinstall hplaws"
    )


def place(
    operands: Mapping[str, Operand], backend: str | None
) -> tuple[Backend, Callable[..., Any]]:
    """The backend for operands where they lie, and numpy.empty for that place.

    Device arrays ask for "cuda" by themselves; for others it must be named.
    """
    device = _devices.one_place(operands)
    if device is None:
        return get(backend), np.empty
    if backend not in (None, "cuda"):
        _validate.choice("backend", backend, tuple(_PRESENT))
        there = (name for name, x in operands.items() if _devices.is_device_array(x))
        raise TypeError(
            f"backend must be 'cuda' for arrays on a device, got {backend!r} and "
            f"{', '.join(there)} on CUDA device {device}"
        )
    return get("cuda"), _devices.empty_on(device)


def evaluate(
    kernel: str, operands: dict[str, Operand], outputs: int, backend: str | None
) -> tuple[Any, ...]:
    """A kernel's outputs: floats if all operands are, else arrays of their broadcast shape."""
    inputs = tuple(operands.values())
    found = get(backend).scalars(kernel, inputs)
    if found is not None:
        return found
    chosen, empty = place(operands, backend)
    shape = _validate.broadcast_shape(**operands)
    results = tuple(empty(shape) for _ in range(outputs))
    chosen.elementwise(kernel, inputs, results)
    return tuple(map(_validate.plain, results))
