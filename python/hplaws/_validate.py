"""Dtype, shape and domain of every input: the only place that raises ValueError for one.

Every function takes the argument's name first, so that the message can say it.
"""

from __future__ import annotations

import functools
import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _devices

Array = NDArray[np.float64]
# What backends take: scalars are floats, so that nothing is wrapped. (A device array
# passes for an Array.)
Operand = float | Array
FLOAT64 = np.dtype(np.float64)
AXES = ("alpha", "b", "eta")
LARGEST = float(np.finfo(np.float64).max)


def float64(name: str, value: ArrayLike) -> Array:
    """`value` as a float64 array, without copying one; TypeError for what is not real."""
    if type(value) is np.ndarray and value.dtype == FLOAT64 and value.flags.aligned:
        return value  # the usual case, where microseconds count
    if _devices.is_device_array(value):
        raise TypeError(
            f"{name} must lie on the host here, got a device array; for CuPy: {name}.get()"
        )
    if isinstance(value, numbers.Rational) and not isinstance(value, bool):
        value = _from_rational(value)  # would make an object array beyond 2**63
    if isinstance(value, np.ma.MaskedArray):
        value = np.ma.filled(value.astype(np.float64), np.nan)
    array = np.asarray(value)
    if array.dtype == object and not isinstance(value, np.ndarray):
        array = _from_python_numbers(array)
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
        raise TypeError(
            f"{name} must be real numbers representable as float64, got dtype {array.dtype}"
        )
    array = array.astype(np.float64, copy=False)
    return array if array.flags.aligned else array.copy()


def operand(name: str, value: ArrayLike) -> Operand:
    """`value` as a float if it is a scalar of the host, else as a float64 array."""
    if type(value) is not float and _devices.is_device_array(value):
        return _devices.float64(name, value)  # type: ignore[no-any-return]
    return host_operand(name, value)


def host_operand(name: str, value: ArrayLike) -> Operand:
    """The same for what cannot lie on a device."""
    if type(value) is float:
        return value
    if isinstance(value, float):  # a NumPy scalar
        return float(value)
    if type(value) is int:
        return _from_rational(value)
    return plain(float64(name, value))  # type: ignore[no-any-return]


def _from_rational(value: numbers.Rational | int) -> float:
    try:
        return float(value)
    except OverflowError:
        return np.inf if int(value.numerator) > 0 else -np.inf


def _from_python_numbers(array: NDArray[Any]) -> NDArray[Any]:
    real = all(isinstance(x, (int, float, np.floating, np.integer)) for x in array.flat)
    return array.astype(np.float64) if real else array


def coefficient(name: str, value: ArrayLike, low: float = 0.0, high: float = np.inf) -> Any:
    """A bound's coefficient in [low, high): a float, or a read-only float64 array."""
    given = host_operand(name, value)
    if not (isinstance(given, float) and low <= given < high):
        array = np.asarray(given)
        with np.errstate(invalid="ignore"):
            bad = ~((array >= low) & (array < high))
        _reject(name, array, bad, "a finite number >= 0")
    return frozen(given + 0.0)  # -0.0 becomes 0.0: equal bounds shall hash alike


def in_interval(name: str, value: ArrayLike, low: float, high: float) -> Any:
    """A number in the half-open interval (low, high]."""
    given = host_operand(name, value)
    if not (isinstance(given, float) and low < given <= high):
        array = np.asarray(given)
        with np.errstate(invalid="ignore"):
            bad = ~((array > low) & (array <= high))
        expected = f"a number in ({low:g}, {high:g}]" if high < LARGEST else "positive and finite"
        _reject(name, array, bad, expected)
    return frozen(given)


def frozen(given: Operand) -> Any:
    """Arrays as read-only copies."""
    if isinstance(given, float):
        return given
    copy = given.copy()
    copy.flags.writeable = False
    return copy


def _reject(name: str, array: Array, bad: NDArray[np.bool_], expected: str) -> None:
    if not bad.any():
        return
    if array.ndim == 0:
        raise ValueError(f"{name} must be {expected}, got {float(array)!r}")
    first = np.unravel_index(int(np.argmax(bad)), array.shape)
    where = ", ".join(str(int(i)) for i in first)
    raise ValueError(f"{name}[{where}] must be {expected}, got {float(array[first])!r}")


def axis(name: str, value: ArrayLike) -> Array:
    """A grid axis: 1-D, contiguous, positive and finite (alpha at most 1), on the host."""
    array = float64(name, _devices.to_host(value))
    if array.ndim > 1:
        raise ValueError(f"{name} must be a scalar or a 1-D array, got shape {array.shape}")
    array = np.ascontiguousarray(np.atleast_1d(array))
    if array.size == 0:
        raise ValueError(f"{name} must have at least one value, got an empty array")
    with np.errstate(invalid="ignore"):
        bad = ~((array > 0) & (array <= (1.0 if name == "alpha" else np.finfo(float).max)))
    _reject(name, array, bad, "in (0, 1]" if name == "alpha" else "positive and finite")
    return array


def one_budget(T: ArrayLike | None, K: ArrayLike | None) -> tuple[str, ArrayLike]:
    """The name and value of the one of T and K that is given."""
    if T is None and K is None:
        raise ValueError("exactly one of T and K must be given, got neither")
    if T is not None and K is not None:
        raise ValueError("exactly one of T and K must be given, got both")
    return ("T", T) if T is not None else ("K", K)  # type: ignore[return-value]


def steps_axis(b: Array, K: Array) -> None:
    """Token budgets T = b*K that are positive and finite everywhere on the grid."""
    with np.errstate(over="ignore", under="ignore"):
        least, largest = b.min() * K.min(), b.max() * K.max()
    if least == 0 or largest == np.inf:
        raise ValueError(
            "K must keep T = b*K positive and finite, got T from "
            f"{float(least)!r} to {float(largest)!r}"
        )


def minimised_axes(over: str | Iterable[str]) -> tuple[str, ...]:
    """`over` in the canonical order (alpha, b, eta)."""
    if not isinstance(over, Iterable):
        raise TypeError(f"over must be axis names, got {over!r}")
    names = (over,) if isinstance(over, str) else tuple(over)
    for name in names:
        if name not in AXES:
            raise ValueError(f"over may name 'alpha', 'b' and 'eta', got {name!r}")
    if not names:
        raise ValueError("over must name at least one of 'alpha', 'b' and 'eta', got none")
    if len(set(names)) < len(names):
        raise ValueError(f"over must name each axis once, got {names!r}")
    return tuple(name for name in AXES if name in names)


def choice(name: str, value: object, allowed: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")
    return value


def count(name: str, value: object) -> int:
    """A whole number >= 1."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value!r}")
    return int(value)


def output(name: str, array: Any, shape: tuple[int, ...]) -> Any:
    """A caller's array to write into."""
    on_device = _devices.is_device_array(array)
    if not on_device and not isinstance(array, np.ndarray):
        raise TypeError(f"{name} must be a NumPy or CuPy array, got {type(array).__name__}")
    # Not by converting: what is written into a converted copy would be lost.
    if on_device and not isinstance(array, _devices.cupy().ndarray):
        raise TypeError(f"{name} must be a CuPy array, got {type(array).__name__}")
    if array.dtype != np.float64 or not array.dtype.isnative:
        raise TypeError(f"{name} must have dtype float64, got {array.dtype}")
    if array.shape != shape:
        raise ValueError(f"{name} must have the broadcast shape {shape}, got {array.shape}")
    if on_device:
        return array
    if not array.flags.writeable:
        raise ValueError(f"{name} must be writeable, got a read-only array")
    if not array.flags.aligned:
        raise ValueError(f"{name} must be aligned, got a misaligned array")
    return array


def positive(*arrays: Array) -> Any:
    """Where every array is positive and finite, the domain of most arguments; broadcast."""
    with np.errstate(invalid="ignore"):
        inside = [(array > 0) & (array < np.inf) for array in arrays]
    return functools.reduce(np.logical_and, inside)


def is_momentum(alpha: Array) -> NDArray[np.bool_]:
    """Where alpha is in (0, 1]."""
    with np.errstate(invalid="ignore"):
        return (alpha > 0) & (alpha <= 1)


def where_valid(shape: tuple[int, ...], valid: Any, value: ArrayLike) -> Any:
    """`value` broadcast to `shape`, NaN where not valid; a float for shape ()."""
    result = np.full(shape, np.nan)
    np.copyto(result, value, where=valid)
    return plain(result)


def plain(array: Any) -> Any:
    """Results as the caller sees them: a Python float for 0-d on the host, else the array."""
    return array if _devices.is_device_array(array) or np.ndim(array) else float(array)


def broadcast_shape(**operands: Operand) -> tuple[int, ...]:
    """The common shape; ValueError with every argument's shape if there is none, TypeError
    if some lie on a device and some do not."""
    _devices.one_place(operands)
    different = {x.shape for x in operands.values() if not isinstance(x, float)} - {()}
    if len(different) < 2:
        return different.pop() if different else ()
    try:
        return np.broadcast_shapes(*different)
    except ValueError:
        shapes = ", ".join(f"{name} {np.shape(x)}" for name, x in operands.items() if np.ndim(x))
        raise ValueError(f"the arguments do not broadcast together: {shapes}") from None
