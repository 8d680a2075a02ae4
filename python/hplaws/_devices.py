"""Arrays on CUDA devices: knowing one, viewing it as CuPy's, making more of them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from ._errors import BackendError

_DLPACK_CUDA = (2, 13)  # kDLCUDA, kDLCUDAManaged


def is_device_array(value: object) -> bool:
    """Whether `value` lies on a CUDA device, by the array protocols that say so."""
    if isinstance(value, (np.ndarray, np.generic, float, int)):
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
            "device arrays are computed on, and returned, as CuPy arrays: "
            "pip install 'hplaws[cuda]'"
        ) from None
    module: ModuleType = cupy
    return module


def view(value: Any) -> Any:
    """A device array as CuPy's, the same memory."""
    module = cupy()
    if isinstance(value, module.ndarray):
        return value
    if hasattr(value, "__cuda_array_interface__"):
        return module.asarray(value)
    return module.from_dlpack(value)


def namespace(*arrays: Any) -> Any:
    """The module whose functions make arrays beside these: CuPy if one is on a device."""
    return cupy() if any(map(is_device_array, arrays)) else np


def current_stream(device: int) -> int:
    """The handle of CuPy's current stream on a device."""
    return int(cupy().cuda.get_current_stream(device).ptr)
