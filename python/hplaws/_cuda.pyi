"""The CUDA backend. Arguments are validated by the Python side, not here.

Addresses are the device's, strides in bytes, one for each axis of `shape`; `stream` is a
CUDA stream's handle. Raises DeviceError where CUDA fails, MemoryError where it has none.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__version__: str
compiler: str
architectures: str

class DeviceError(RuntimeError): ...

def devices() -> tuple[list[dict[str, Any]], str]: ...

class HostCopy:
    """Memory of a device that mirrors an array of the host."""

    def __init__(self, bytes: int, device: int, stream: int) -> None: ...
    @property
    def address(self) -> int: ...
    def write(self, array: NDArray[Any]) -> None: ...
    def read(self, array: NDArray[Any]) -> None: ...

_Floats = NDArray[np.float64]
_Shape = tuple[int, ...]
_Operand = float | tuple[int, _Shape]
_Operands = tuple[_Operand, ...]

# Asynchronous.
def risk(
    shape: _Shape, inputs: _Operands, outputs: _Operands, device: int, stream: int
) -> None: ...
def positive_cubic_root(
    shape: _Shape, inputs: _Operands, outputs: _Operands, device: int, stream: int
) -> None: ...
def cubic_roots(
    shape: _Shape, inputs: _Operands, outputs: _Operands, device: int, stream: int
) -> None: ...
def stability_spectrum(
    shape: _Shape, inputs: _Operands, outputs: _Operands, device: int, stream: int
) -> None: ...
def theorem1_tokens(
    shape: _Shape, inputs: _Operands, outputs: _Operands, device: int, stream: int
) -> None: ...
def theorem1_steps(
    shape: _Shape, inputs: _Operands, outputs: _Operands, device: int, stream: int
) -> None: ...
def theorem2(
    shape: _Shape, inputs: _Operands, outputs: _Operands, device: int, stream: int
) -> None: ...
def theorem3(
    shape: _Shape, inputs: _Operands, outputs: _Operands, device: int, stream: int
) -> None: ...
def theorem3_asymptotic(
    shape: _Shape, inputs: _Operands, outputs: _Operands, device: int, stream: int
) -> None: ...
def optimum(
    shape: _Shape, inputs: _Operands, outputs: _Operands, device: int, stream: int
) -> None: ...

# Returns when the result is there.
def grid_argmin(
    bounds: _Floats,
    alpha: _Floats,
    b: _Floats,
    eta: _Floats,
    budget: _Floats,
    budget_is_steps: bool,
    over: tuple[bool, bool, bool],
    dense: bool,
    progress: Callable[[float], None] | None,
    risk: int,
    index: tuple[int, ...],
    value: tuple[int, ...],
    at_edge: int,
    device: int,
    stream: int,
) -> None: ...
