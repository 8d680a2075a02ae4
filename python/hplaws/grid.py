"""Exact argmin over grids that are never materialised."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _backend, _devices, _validate
from ._fields import Result
from .bound import Bound, coefficients

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True, eq=False)
class GridArgmin(Result):
    """The winners of a `grid_argmin` call.

    Every array has one shape: the bound's broadcast axes, then the axes that were
    kept, in the order (T or K, alpha, b, eta).

    Attributes
    ----------
    risk : the smallest risk of each cell
    eta, alpha, b, T, K : the winning values; T = b*K
    index : position of the winner on each minimised axis, int64 by axis name
    at_edge : the winner has the smallest or largest value of a minimised axis that is
        longer than 1, so the optimum may lie outside the grid
    configs : number of configurations the call covered
    method, backend : what computed it
    """

    risk: NDArray[np.float64]
    eta: NDArray[np.float64]
    alpha: NDArray[np.float64]
    b: NDArray[np.float64]
    T: NDArray[np.float64]
    K: NDArray[np.float64]
    index: dict[str, NDArray[np.int64]]
    at_edge: NDArray[np.bool_]
    configs: int
    method: str
    backend: str
    _dims: tuple[str, ...] = field(repr=False)
    _axes: dict[str, NDArray[np.float64]] = field(repr=False)

    def to_xarray(self) -> xarray.Dataset:
        """The result as a labelled dataset: kept axes as coordinates (needs xarray).

        A bound's axes are called bound_0, bound_1, ...; a value that varies along a
        minimised axis is a variable, with its index beside it as ``<axis>_index``.
        """
        try:
            import xarray
        except ImportError:
            raise ImportError("to_xarray needs xarray: pip install 'hplaws[xarray]'") from None

        names = ("risk", "eta", "alpha", "b", "T", "K", "at_edge")
        variables = {
            name: (self._dims, getattr(self, name)) for name in names if name not in self._axes
        }
        variables |= {f"{axis}_index": (self._dims, where) for axis, where in self.index.items()}
        attributes = {"configs": self.configs, "method": self.method, "backend": self.backend}
        coordinates = {name: (name, values) for name, values in self._axes.items()}
        return xarray.Dataset(variables, coordinates, attributes)


def grid_argmin(
    bound: Bound,
    eta: ArrayLike,
    alpha: ArrayLike,
    b: ArrayLike,
    T: ArrayLike | None = None,
    *,
    K: ArrayLike | None = None,
    over: str | Iterable[str] = ("alpha", "b", "eta"),
    method: str = "auto",
    backend: str | None = None,
    threads: int | None = None,
    progress: bool | Callable[[int, int], object] | None = None,
) -> GridArgmin:
    """The exact argmin of `risk` over a grid, as if the whole mesh had been evaluated.

    Equals ``numpy.argmin`` over ``risk`` on the full mesh (axes T, alpha, b, eta),
    value bit for bit and index for index, ties going to the smallest flat index: for
    every method, backend, instruction set and number of threads.

    Parameters
    ----------
    bound : Bound; where its fields are arrays, each element is a grid of its own
    eta, alpha, b : axes, 1-D in any order with repeats allowed, or scalars (an axis of
        length 1); positive and finite, alpha at most 1. Device arrays as in `risk`:
        they are read back for their checks, and the result is on their device.
    T, K : the budget axis, exactly one; K means T = b*K, rounded once
    over : the axes to minimise away, any non-empty subset of alpha, b, eta
    method : "pruned" visits only configurations that convexity cannot exclude,
        "dense" every one; "auto" is "pruned"
    backend : "native", "numba" or "cuda", as in `risk`
    threads : of the CPU; default: HPLAWS_NUM_THREADS, else the CPUs this process may use
    progress : called with (configurations done, total) now and then; True draws a bar

    Returns
    -------
    GridArgmin, complete when the call returns. Memory: the result, and a few MB whatever
    the grid (on a device up to 100 MB).

    Raises
    ------
    ValueError : a bad axis (naming its first bad index), T and K both or neither given
    TypeError : axes that lie in different places
    BackendError : a backend that is not there
    MemoryError : no room for the result on a device

    Examples
    --------
    >>> import numpy as np
    >>> grid = np.logspace(-6, 0, 1000)
    >>> best = grid_argmin(Bound.proxy(), eta=grid, alpha=grid, b=np.arange(1, 1001), T=[1e6, 1e9])
    >>> best.b, best.configs
    (array([3., 9.]), 2000000000)
    """
    fields = coefficients(bound)
    names = _validate.minimised_axes(over)
    budget_name, budget_values = _validate.one_budget(T, K)
    given = {
        name: _validate.operand(name, values)
        for name, values in (
            (budget_name, budget_values), ("alpha", alpha), ("b", b), ("eta", eta)
        )
    }  # fmt: skip
    chosen, empty = _backend.place(given, backend)
    axes = {name: _validate.axis(name, values) for name, values in given.items()}
    if budget_name == "K":
        _validate.steps_axis(axes["b"], axes["K"])
    resolved = _validate.choice("method", method, ("auto", "pruned", "dense"))
    resolved = "pruned" if resolved == "auto" else resolved
    threads = _backend.thread_count(threads)

    outer = bound.shape
    bounds = np.stack([np.broadcast_to(a, outer).ravel() for a in fields.values()], axis=-1)
    kept = {name: values for name, values in axes.items() if name not in names}
    shape = outer + tuple(values.size for values in kept.values())
    configs = math.prod(outer) * math.prod(values.size for values in axes.values())
    minimised = tuple(name in names for name in _validate.AXES)
    request = _backend.GridRequest(
        bounds=bounds,
        alpha=axes["alpha"],
        b=axes["b"],
        eta=axes["eta"],
        budget=axes[budget_name],
        budget_is_steps=budget_name == "K",
        over=minimised,  # type: ignore[arg-type]
        dense=resolved == "dense",
        threads=threads,
        risk=empty(shape),
        at_edge=empty(shape, np.bool_),
        index=tuple(empty(shape, np.int64) if out else None for out in minimised),
        value=tuple(empty(shape) if out else None for out in minimised),
    )
    with _reporter(progress, configs) as report:
        chosen.grid_argmin(request, report)

    values = {
        name: found
        for name, found in zip(_validate.AXES, request.value, strict=True)
        if found is not None
    }
    rank = len(shape)
    with _devices.beside(request.risk), np.errstate(over="ignore", under="ignore"):
        for position, (name, axis) in enumerate(kept.items(), start=len(outer)):
            along = empty((axis.size,))
            along[...] = given[name]
            along = along.reshape([-1 if d == position else 1 for d in range(rank)])
            values[name] = np.broadcast_to(along, shape)
        if budget_name == "K":
            values["T"] = values["b"] * values["K"]
        else:
            values["K"] = values["T"] / values["b"]
    return GridArgmin(
        risk=request.risk,
        eta=values["eta"],
        alpha=values["alpha"],
        b=values["b"],
        T=values["T"],
        K=values["K"],
        index={
            name: where
            for name, where in zip(_validate.AXES, request.index, strict=True)
            if where is not None
        },
        at_edge=request.at_edge,
        configs=configs,
        method=resolved,
        backend=chosen.__name__.rpartition(".")[2],
        _dims=tuple(f"bound_{d}" for d in range(len(outer))) + tuple(kept),
        _axes=kept,
    )


def _reporter(
    progress: bool | Callable[[int, int], object] | None, total: int
) -> AbstractContextManager[_backend.Progress]:
    """What the backend calls with the fraction done, or None."""
    if progress is None or progress is False:
        return nullcontext()
    if progress is True:
        return _RichBar(total)
    if not callable(progress):
        raise TypeError(f"progress must be a callable or a bool, got {progress!r}")
    call: Callable[[int, int], Any] = progress

    def report(fraction: float) -> None:
        call(total if fraction >= 1.0 else int(fraction * total), total)

    return nullcontext(report)


class _RichBar:
    """A progress bar for as long as the call lasts."""

    def __init__(self, total: int) -> None:
        try:
            from rich.progress import Progress, TimeRemainingColumn
        except ImportError:
            raise ImportError(
                "progress=True draws its bar with Rich: pip install 'hplaws[cli]'"
            ) from None
        self._bar = Progress(*Progress.get_default_columns()[:-1], TimeRemainingColumn())
        self._task = self._bar.add_task(f"{total:.3g} configurations", total=1.0)

    def __enter__(self) -> _backend.Progress:
        self._bar.start()
        return lambda fraction: self._bar.update(self._task, completed=fraction)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
