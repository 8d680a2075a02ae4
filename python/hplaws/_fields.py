"""What the frozen dataclasses have in common: coefficients going in, results coming out."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _validate


@dataclass(frozen=True, eq=False)
class Fields:
    """Base of a frozen dataclass whose fields are floats or arrays that broadcast.

    Fields are checked and frozen on construction; equality compares values.
    """

    @staticmethod
    def _check(name: str, value: Any) -> Any:
        """The field `name` as a float or a read-only array; ValueError if out of its domain."""
        return _validate.coefficient(name, value)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = self._check(field.name, getattr(self, field.name))
            object.__setattr__(self, field.name, value)
        _validate.broadcast_shape(**self._operands)

    @property
    def shape(self) -> tuple[int, ...]:
        """The fields' common shape; () for fields that are floats."""
        return _validate.broadcast_shape(**self._operands)

    @functools.cached_property
    def _operands(self) -> dict[str, _validate.Operand]:
        """The fields in the order in which they are declared."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}

    @functools.cached_property
    def _arrays(self) -> dict[str, NDArray[np.float64]]:
        """The same, floats as arrays too."""
        return {name: np.asarray(value) for name, value in self._operands.items()}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        mine, theirs = self._arrays, other._arrays
        return all(np.array_equal(mine[name], theirs[name]) for name in mine)

    def __reduce__(self) -> tuple[Any, ...]:
        # Copies and unpickled ones are checked and frozen like any other.
        return type(self), tuple(getattr(self, f.name) for f in dataclasses.fields(self))

    def __hash__(self) -> int:
        return hash(tuple((a.shape, a.tobytes()) for a in self._arrays.values()))


class Result:
    """Base of a frozen dataclass (eq=False) of results: equality compares values, NaN to NaN."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return all(
            _same(getattr(self, field.name), getattr(other, field.name))
            for field in dataclasses.fields(self)  # type: ignore[arg-type]
        )

    __hash__ = None  # type: ignore[assignment]  # like the arrays inside


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if np.shape(one) != np.shape(other):
        return False
    if np.ndim(one) and one.dtype.kind in "fc":
        return bool(np.array_equal(one, other, equal_nan=True))
    return bool(np.all(one == other)) or (one != one and other != other)
