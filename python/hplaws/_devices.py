"""Arrays on CUDA devices: knowing one, viewing it as CuPy's, making more of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any

import numpy as np

from ._errors import BackendError

_DLPACK_CUDA = (2, 13)  # kDLCUDA, kDLCUDAManaged


def is_device_array(value: object) -> bool:
    """Whether `value` lies on a CUDA device, by the array protocols that say so."""
    if isinstance(value, (np.ndarray, np.generic, float, int, list, tuple)):
        return False
    if hasattr(value, "__cuda_array_interface__"):
        return True
    device = getattr(value, "__dlpack_device__", None)
    return device is not None and device()[0] in _DLPACK_CUDA


def cupy() -> ModuleType:
    """The CuPy module; BackendError with the cure if it is not installed."""
    try:
        import cupy
    except ImportError:
        raise BackendError(
            "arrays on a device come and go as CuPy arrays, and CuPy is not installed: "
            "pip install 'hplaws[cuda]'"
        ) from None
    module: ModuleType = cupy
    return module


def float64(name: str, value: Any) -> Any:
    """A device array as CuPy's of float64, where it is; TypeError for what is not real."""
    module = cupy()
    if not isinstance(value, module.ndarray):
        # DLPack first: it orders CuPy's current stream behind the one the array is made on.
        by_dlpack = hasattr(value, "__dlpack__")
        value = module.from_dlpack(value) if by_dlpack else module.asarray(value)
    if value.dtype.kind not in "iuf" or value.dtype.itemsize > 8:
        raise TypeError(
            f"{name} must be real numbers representable as float64, got dtype {value.dtype}"
        )
    with value.device:
        array = value.astype(np.float64, copy=False)
    if array.data.ptr % array.itemsize or any(stride % array.itemsize for stride in array.strides):
        raise ValueError(f"{name} must be aligned to {array.itemsize} bytes")
    return array


# A bound's coefficients, which are kept on the host and go along with every call.
TRAVELLING = ("descent", "noise", "drift", "lag", "burn_in", "init_error", "q")


def one_place(operands: Mapping[str, Any]) -> int | None:
    """The device on which all arrays lie, None for the host; TypeError if they differ."""
    places = {
        name: x.device.id if is_device_array(x) else None
        for name, x in operands.items()
        if not isinstance(x, float) and name not in TRAVELLING
    }
    if len(set(places.values())) > 1:
        where = ", ".join(
            f"{name} on {'the host' if device is None else f'CUDA device {device}'}"
            for name, device in places.items()
        )
        raise TypeError(f"arrays must lie in one place, got {where}; nothing is copied unasked")
    return next(iter(places.values()), None)


def empty_on(device: int | None) -> Callable[..., Any]:
    """numpy.empty, or the same for a device."""
    if device is None:
        return np.empty
    module = cupy()

    def empty(shape: tuple[int, ...], dtype: Any = np.float64) -> Any:
        with module.cuda.Device(device):
            return module.empty(shape, dtype)

    return empty


def to_host(value: Any) -> Any:
    """A copy on the host of what lies on a device; anything else as it is."""
    return float64("value", value).get() if is_device_array(value) else value


_NOWHERE = nullcontext()


def beside(array: Any) -> AbstractContextManager[Any]:
    """Within it, what CuPy makes lies on the device of `array`, if it lies on one."""
    return array.device if is_device_array(array) else _NOWHERE


def current_stream(device: int) -> int:
    """The handle of CuPy's current stream on a device."""
    return int(cupy().cuda.get_current_stream(device).ptr)
