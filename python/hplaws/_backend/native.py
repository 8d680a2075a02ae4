"""The compiled core behind the backend's functions."""

from __future__ import annotations

import os

import hplaws._core as core

from .. import _validate
from .._errors import BackendError
from .._validate import Operand
from . import Floats, GridRequest, Progress, thread_count

_isa = os.environ.get("HPLAWS_ISA")
if _isa:
    _validate.choice("HPLAWS_ISA", _isa, ("baseline", "avx2", "avx512"))
    if _isa not in core.supported_isas():
        raise BackendError(
            f"HPLAWS_ISA={_isa} cannot run here; supported: {', '.join(core.supported_isas())}"
        )
    core.select_isa(_isa)


def scalars(kernel: str, inputs: tuple[Operand, ...]) -> tuple[float, ...] | None:
    return getattr(core, kernel)(inputs)  # type: ignore[no-any-return]


def elementwise(kernel: str, inputs: tuple[Operand, ...], outputs: tuple[Floats, ...]) -> None:
    # The core takes no second thread for less; the question alone costs microseconds.
    threads = thread_count(None) if outputs[0].size >= core.elementwise_threshold else 1
    getattr(core, kernel)(inputs, outputs, threads)


def grid_argmin(request: GridRequest, progress: Progress) -> None:
    core.grid_argmin(
        **request.question,
        threads=request.threads,
        progress=progress,
        risk=request.risk,
        index=request.index,
        value=request.value,
        at_edge=request.at_edge,
    )
