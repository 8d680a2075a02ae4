"""CuPy as far as hplaws uses it, over the host memory of the emulated device.

Like CuPy's, its arrays refuse to become NumPy arrays unasked, and do not mix with them.
"""

from __future__ import annotations

import types
from typing import Any

import numpy as np

STREAM = 0x5EED  # a handle that only who asks for it has


class ndarray:
    def __init__(self, host: np.ndarray, device: int = 0, readonly: bool = False) -> None:
        self._host = host
        self._readonly = readonly
        self.device = Device(device)

    dtype = property(lambda self: self._host.dtype)
    shape = property(lambda self: self._host.shape)
    strides = property(lambda self: self._host.strides)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    itemsize = property(lambda self: self._host.itemsize)
    data = property(lambda self: types.SimpleNamespace(ptr=self._host.ctypes.data))

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        host = self._host
        return {
            "shape": host.shape, "typestr": host.dtype.str, "strides": host.strides,
            "data": (host.ctypes.data, self._readonly), "version": 3,
        }  # fmt: skip

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError("Implicit conversion to a NumPy array is not allowed")

    def __float__(self) -> float:
        raise AssertionError("a device array was read by float()")

    def __bool__(self) -> bool:
        raise AssertionError("a device array was read by bool()")

    def get(self) -> np.ndarray:
        return self._host.copy()

    def _wrap(self, host: Any) -> ndarray:
        """CuPy computes on the current device, whatever the arrays'."""
        return ndarray(np.asarray(host), Device.current)

    def _view(self, host: Any) -> ndarray:
        return ndarray(np.asarray(host), self.device.id)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> ndarray:
        return self._wrap(getattr(ufunc, method)(*map(_unwrap, inputs), **kwargs))

    def __array_function__(self, function: Any, _: Any, args: Any, kwargs: Any) -> Any:
        result = function(*map(_unwrap, args), **kwargs)
        return self._wrap(result) if isinstance(result, np.ndarray) else result

    def astype(self, dtype: Any, copy: bool = True) -> ndarray:
        same = not copy and self.dtype == dtype
        return self if same else self._wrap(_unwrap(self).astype(dtype))

    def copy(self) -> ndarray:
        return self._wrap(_unwrap(self).copy())

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, self.device.id

    def __dlpack__(self, **_: Any) -> ndarray:
        return self

    def reshape(self, *shape: Any) -> ndarray:
        return self._view(self._host.reshape(*shape))

    def __getitem__(self, index: Any) -> ndarray:
        return self._view(self._host[index])

    def __setitem__(self, index: Any, value: Any) -> None:
        assert self.device.id == Device.current
        self._host[index] = _unwrap(value)


def _unwrap(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.ndim:
        raise TypeError("Unsupported type numpy.ndarray")
    if not isinstance(value, ndarray):
        return value
    assert value.device.id == Device.current, "CuPy would ask for peer access, or fail"
    return value._host


def _operator(name: str) -> Any:
    return lambda self, *others: self._wrap(getattr(_unwrap(self), name)(*map(_unwrap, others)))


for _name in ("add", "mul", "truediv", "and", "le", "ge", "lt", "gt", "eq", "ne"):
    for _full in (f"__{_name}__", f"__r{_name}__"):
        if hasattr(np.ndarray, _full):
            setattr(ndarray, _full, _operator(_full))


class Device:
    current = 0

    def __init__(self, number: int) -> None:
        self.id = number

    def __enter__(self) -> Device:
        self._before, Device.current = Device.current, self.id
        return self

    def __exit__(self, *_: Any) -> None:
        Device.current = self._before


def get_current_stream(device: int | None = None) -> Any:
    return types.SimpleNamespace(ptr=STREAM)


cuda = types.SimpleNamespace(Device=Device, get_current_stream=get_current_stream)


def empty(shape: Any, dtype: Any = np.float64) -> ndarray:
    # Not what np.empty happens to find: whatever is not written shows.
    host = np.empty(shape, dtype)
    host.view(np.uint8).fill(0xFF) if host.ndim and host.size else host.fill(-1)
    return ndarray(host, Device.current)


def array(values: Any, dtype: Any = None) -> ndarray:
    """From the host, asked for."""
    return ndarray(np.array(values, dtype), Device.current)


def asarray(value: Any) -> ndarray:
    if isinstance(value, ndarray):
        return value
    interface = value.__cuda_array_interface__
    view = types.SimpleNamespace(
        __array_interface__=dict(interface, data=(interface["data"][0], False)), owner=value
    )
    return ndarray(np.asarray(view))


def from_dlpack(value: Any) -> ndarray:
    assert value.__dlpack_device__()[0] == 2
    return value.__dlpack__(stream=STREAM)  # type: ignore[no-any-return]
