"""What a contender is, and the compilers that several of them share."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

try:
    import numba
except ImportError:
    numba = None
try:
    import jax
    import jax.numpy as jnp
except ImportError:
    jax = jnp = None
else:
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)

prange = numba.prange if numba else range


def jit(**options: Any) -> Callable[[Any], Any]:
    """Numba's, where it is installed."""
    return numba.njit(**options) if numba else lambda function: function


def jax_jit(**options: Any) -> Callable[[Any], Any]:
    """JAX's, where it is installed; a call returns when its result is there."""

    def compiler(function: Callable[..., Any]) -> Callable[..., Any]:
        compiled = jax.jit(function, **options) if jax else function

        @functools.wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            return jax.block_until_ready(compiled(*arguments, **named))

        return call

    return compiler


def unchanged(arguments: Any) -> Any:
    return arguments


def on_device(arguments: Any) -> Any:
    """NumPy arrays, in lists or dicts, as JAX's."""
    return jax.device_put(arguments)


@dataclass(frozen=True)
class Contender:
    """One contender, ours or theirs.

    `call` does the work and needs `package`; `limit` is the most units of work that one
    call is given; `threads`, where set, is what HPLAWS_NUM_THREADS is set to. `prepare`
    makes the contender's own arrays of NumPy's, which is not timed.
    """

    name: str
    package: str
    call: Callable[..., Any]
    limit: float = math.inf
    threads: int | None = None
    prepare: Callable[[Any], Any] = unchanged

    def __str__(self) -> str:
        return self.name

    @property
    def is_ours(self) -> bool:
        return self.name.startswith("hplaws")


def ours(function: Callable[..., Any]) -> tuple[Contender, ...]:
    """A function of ours on every thread, on one, and on the Numba backend."""
    return (
        Contender("hplaws", "hplaws", function),
        Contender("hplaws, 1 thread", "hplaws", function, threads=1),
        Contender("hplaws, Numba backend", "numba", lambda *xs: function(*xs, backend="numba")),
    )
