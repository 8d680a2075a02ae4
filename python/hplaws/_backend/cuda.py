"""The CUDA extension behind the backend's functions.

Device arrays are computed on where they are, on the caller's current stream. NumPy
arrays are copied to device 0 and back: they come here only if the caller names "cuda".
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

import numpy as np

import hplaws._cuda as core

from .. import _devices
from .._validate import Operand
from . import Floats, GridRequest, Progress


def scalars(kernel: str, inputs: tuple[Operand, ...]) -> None:
    return None


def elementwise(kernel: str, inputs: tuple[Operand, ...], outputs: tuple[Any, ...]) -> None:
    shape = outputs[0].shape
    with _Place(outputs[0]) as place:
        operands = tuple(place.operand(a, shape) for a in inputs)
        targets = tuple(place.operand(a, shape, written=True) for a in outputs)
        getattr(core, kernel)(shape, operands, targets, place.device, place.stream)


def grid_argmin(request: GridRequest, progress: Progress) -> None:
    with _Place(request.risk) as place:
        core.grid_argmin(
            **request.question,
            progress=progress,
            risk=place.address(request.risk),
            index=tuple(place.address(a) for a in request.index),
            value=tuple(place.address(a) for a in request.value),
            at_edge=place.address(request.at_edge),
            device=place.device,
            stream=place.stream,
        )


class _Place:
    """Where a call's results are: a device, or the host, with copies on device 0.

    On leaving, what was written on the device for the host's arrays is copied back.
    """

    def __init__(self, result: Any) -> None:
        self._on_device = _devices.is_device_array(result)
        self.device = result.device.id if self._on_device else 0
        self.stream = _devices.current_stream(self.device) if self._on_device else 0
        # Alive until the call is over: their memory is given back behind it on the stream.
        self._copies: list[core.HostCopy] = []
        self._results: list[tuple[core.HostCopy, Floats, Floats]] = []

    def __enter__(self) -> _Place:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            for copy, array, compact in self._results:
                copy.read(compact)
                if compact is not array:
                    np.copyto(array, compact)

    def operand(self, array: Any, shape: tuple[int, ...], written: bool = False) -> Any:
        """A number, or the address and the strides of `array` as broadcast to `shape`."""
        if isinstance(array, float):
            return array
        if self._on_device and not isinstance(array, np.ndarray):  # else a bound's
            address, strides = array.data.ptr, array.strides
        else:
            compact = np.asarray(array, order="C")
            address = self._copy(array, compact, written)
            strides = compact.strides
        ahead = len(shape) - array.ndim
        along = (0 if n == 1 else stride for n, stride in zip(array.shape, strides, strict=True))
        return address, (0,) * ahead + tuple(along)

    def address(self, array: Any) -> int:
        """That of a contiguous result, or 0 for None."""
        if array is None:
            return 0
        if self._on_device:
            return int(array.data.ptr)
        return self._copy(array, array, written=True)

    def _copy(self, array: Floats, compact: Floats, written: bool) -> int:
        copy = core.HostCopy(compact.nbytes, self.device, self.stream)
        self._copies.append(copy)
        if not written:
            copy.write(compact)
        else:
            self._results.append((copy, array, compact))
        return int(copy.address)
