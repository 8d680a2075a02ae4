"""The compiled core. Arguments are validated by the Python side, not here."""

from collections.abc import Callable
from typing import Protocol, overload

import numpy as np
from numpy.typing import NDArray

__version__: str
compiler: str

_Floats = NDArray[np.float64]
_Inputs = tuple[float | _Floats, ...]

def built_isas() -> list[str]: ...
def supported_isas() -> list[str]: ...
def active_isa() -> str: ...
def select_isa(name: str) -> None: ...

elementwise_threshold: int  # fewer elements take one thread

class _Kernel(Protocol):
    # The outputs at inputs that are all floats, else None.
    @overload
    def __call__(self, inputs: _Inputs) -> tuple[float, ...] | None: ...
    # Inputs broadcast to the outputs' shape, strides of any kind.
    @overload
    def __call__(self, inputs: _Inputs, outputs: tuple[_Floats, ...], threads: int) -> None: ...

risk: _Kernel
positive_cubic_root: _Kernel
cubic_roots: _Kernel
stability_spectrum: _Kernel
theorem1_tokens: _Kernel
theorem1_steps: _Kernel
theorem2: _Kernel
theorem3: _Kernel
theorem3_asymptotic: _Kernel
optimum: _Kernel

def grid_argmin(
    bounds: _Floats,
    alpha: _Floats,
    b: _Floats,
    eta: _Floats,
    budget: _Floats,
    budget_is_steps: bool,
    over: tuple[bool, bool, bool],
    dense: bool,
    threads: int,
    progress: Callable[[float], None] | None,
    risk: _Floats,
    index: tuple[NDArray[np.int64] | None, ...],
    value: tuple[_Floats | None, ...],
    at_edge: NDArray[np.bool_],
) -> None: ...
