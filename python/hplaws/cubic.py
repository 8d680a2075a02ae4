"""Real roots of cubics, the kernel behind Theorem 3."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from . import _backend, _validate


def positive_cubic_root(
    a: ArrayLike, b: ArrayLike, c: ArrayLike, *, backend: str | None = None
) -> Any:
    """The unique positive root of a*x**3 - b*x - c = 0 (the form of eq. 20), within 1 ulp.

    Parameters
    ----------
    a, b, c : a > 0, b >= 0, c > 0; arrays broadcast, device arrays as in `risk`

    Returns
    -------
    float64 array of the broadcast shape, or a float; NaN where a, b or c is out of
    its domain.

    Raises
    ------
    TypeError : complex or object coefficients
    ValueError : shapes that do not broadcast

    Examples
    --------
    >>> positive_cubic_root(1.0, 7.0, 6.0)
    3.0
    """
    operands = {
        "a": _validate.operand("a", a),
        "b": _validate.operand("b", b),
        "c": _validate.operand("c", c),
    }
    return _backend.evaluate("positive_cubic_root", operands, 1, backend)[0]


def cubic_roots(
    a: ArrayLike, b: ArrayLike, c: ArrayLike, d: ArrayLike, *, backend: str | None = None
) -> Any:
    """All real roots of a*x**3 + b*x**2 + c*x + d, ascending, NaN-padded.

    Double and triple roots are repeated; a = 0 (and b = 0) gives the roots of the
    quadratic (the line); a constant has none. Each root is within 0.51 ulp if its
    condition number (|a x^3| + |b x^2| + |c x| + |d|) / |x f'(x)| is below 2**26.

    Parameters
    ----------
    a, b, c, d : real coefficients; arrays broadcast, device arrays as in `risk`

    Returns
    -------
    float64 array of the broadcast shape plus a last axis of length 3; all NaN where
    a coefficient is NaN or infinite.

    Raises
    ------
    TypeError : complex or object coefficients
    ValueError : shapes that do not broadcast

    Examples
    --------
    >>> cubic_roots(1, -4, 5, -2)
    array([1., 1., 2.])
    >>> cubic_roots(0, 1, 0, -4)
    array([-2.,  2., nan])
    """
    operands = {
        "a": _validate.operand("a", a),
        "b": _validate.operand("b", b),
        "c": _validate.operand("c", c),
        "d": _validate.operand("d", d),
    }
    chosen, empty = _backend.place(operands, backend)
    result = empty((*_validate.broadcast_shape(**operands), 3))
    outputs = tuple(result[..., k] for k in range(3))
    chosen.elementwise("cubic_roots", tuple(operands.values()), outputs)
    return result
