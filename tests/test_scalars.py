"""Scalar calls: the bits, types and errors of array calls, though most make no arrays."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import hplaws
from hplaws import Bound

BAD = (0.0, -1.0, np.nan, np.inf, -np.inf, 1e308, 5e-324)


def root(bound: Bound, a: Any, b: Any, c: Any, **options: Any) -> Any:
    return hplaws.positive_cubic_root(a, b, c, **options)


def roots(bound: Bound, a: Any, b: Any, c: Any, d: Any, **options: Any) -> Any:
    return hplaws.cubic_roots(a, b, c, d, **options)


def boxed(bound: Bound, T: Any, **options: Any) -> Any:
    limits = {"eta": (1e-9, None), "alpha": (None, 0.01), "b": (4, None)}
    return hplaws.optimum(bound, T, **limits, **options)


def fixed(bound: Bound, T: Any, **options: Any) -> Any:
    return hplaws.optimum(bound, T, alpha=0.05, batch_multiple=8, **options)


# What is called, and the arguments that vary with the powers of ten between which they do.
CALLS: dict[str, tuple[Any, dict[str, tuple[float, float]]]] = {
    "risk at T": (hplaws.risk, {"eta": (-9, 1), "alpha": (-6, 0), "b": (0, 6), "T": (2, 18)}),
    "risk at K": (hplaws.risk, {"eta": (-9, 1), "alpha": (-6, 0), "b": (0, 6), "K": (0, 12)}),
    "theorem1 at T": (hplaws.theorem1, {"alpha": (-6, 0), "T": (2, 18)}),
    "theorem1 at K": (hplaws.theorem1, {"alpha": (-6, 0), "K": (0, 12), "b": (0, 6)}),
    "theorem2": (hplaws.theorem2, {"b": (0, 6), "T": (2, 18)}),
    "theorem3": (hplaws.theorem3, {"T": (2, 18)}),
    "theorem3_asymptotic": (hplaws.theorem3_asymptotic, {"T": (2, 18)}),
    "optimum": (hplaws.optimum, {"T": (2, 18)}),
    "optimum in a box": (boxed, {"T": (2, 18)}),
    "optimum at fixed alpha": (fixed, {"T": (2, 18)}),
    "positive_cubic_root": (root, dict.fromkeys("abc", (-9, 9))),
    "cubic_roots": (roots, dict.fromkeys("abcd", (-9, 9))),
}
calls = pytest.mark.parametrize("name", CALLS)


def parts(found: Any) -> dict[str, Any]:
    """A result's values by name."""
    if not dataclasses.is_dataclass(found):
        return {"value": found}
    values = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    return values | values.pop("active")


def assert_same_bits(found: Any, expected: Any) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    assert np.array_equal(found, expected, equal_nan=True)
    assert np.array_equal(np.signbit(found) & (found == 0), np.signbit(expected) & (expected == 0))


@calls
def test_the_bits_of_array_calls(backend: str, name: str) -> None:
    call, arguments = CALLS[name]
    rng = np.random.default_rng(5)
    points = {key: 10.0 ** rng.uniform(*ends, 48) for key, ends in arguments.items()}
    for place, values in enumerate(points.values()):
        values[place * len(BAD) :][: len(BAD)] = BAD
    for q in (0.5,) if name.startswith("theorem3") else (0.5, 0.3):
        bound = Bound(*10.0 ** rng.uniform(-2, 2, 4), q=q)
        arrays = parts(call(bound, **points, backend=backend))
        for k in range(48):
            point = {key: float(values[k]) for key, values in points.items()}
            found = parts(call(bound, **point, backend=backend))
            assert found.keys() == arrays.keys()
            for part, value in found.items():
                assert_same_bits(value, arrays[part][k])


@calls
def test_any_real_number_is_a_scalar(backend: str, name: str) -> None:
    call, arguments = CALLS[name]
    point = {key: 0.25 if key in ("eta", "alpha") else 4096 for key in arguments}
    bound = Bound.nonconvex(1, 2, 3, 4)
    expected = parts(call(bound, **point, backend=backend))
    for kind in (float, np.float64, np.float32, np.asarray, Fraction):
        same = {key: kind(value) for key, value in point.items()}
        found = parts(call(bound, **same, backend=backend))
        assert_same_bits(list(found.values()), list(expected.values()))
        assert [type(x) for x in found.values()] == [type(x) for x in expected.values()]


@pytest.mark.parametrize("T", [1e9, -1.0])
def test_types_of_scalar_results(backend: str, T: float) -> None:
    bound = Bound.proxy()
    assert type(hplaws.risk(bound, np.float64(0.1), 0.5, 4, T=T, backend=backend)) is float
    for best in (
        hplaws.theorem3(bound, T=np.float64(T), backend=backend),
        hplaws.optimum(bound, np.float64(T), backend=backend),
    ):
        numbers = (best.eta, best.alpha, best.b, best.K, best.T, best.risk)
        assert {type(x) for x in numbers} == {float}
        assert type(best.feasible) is bool
        assert {type(x) for x in best.active.values()} <= {int}


@calls
def test_what_is_no_real_number_is_named(backend: str, name: str) -> None:
    call, arguments = CALLS[name]
    for key in arguments:
        for value in (True, np.True_, "1", 1j, None if name in ("optimum", "theorem2") else b"1"):
            point = dict.fromkeys(arguments, 0.5) | {key: value}
            with pytest.raises(TypeError, match=rf"^{key} must be real numbers"):
                call(Bound.proxy(), **point, backend=backend)


@calls
def test_integers_beyond_float64_are_infinite(backend: str, name: str) -> None:
    call, arguments = CALLS[name]
    for sign in (1, -1):
        found = call(Bound.proxy(), **dict.fromkeys(arguments, sign * 10**400), backend=backend)
        value = found.risk if dataclasses.is_dataclass(found) else found
        assert np.all(np.isnan(value))


def test_scalars_among_arrays(backend: str) -> None:
    """Each operand in turn an array, with rows and columns around the scalars."""
    bound, point = Bound.nonconvex(1, 2, 3, 4), {"eta": 0.01, "alpha": 0.25, "b": 8.0, "T": 1e6}
    expected = hplaws.risk(bound, **point, backend=backend)
    for key, value in point.items():
        for shape in ((0,), (1,), (3,), (2, 1, 3)):
            array = point | {key: np.full(shape, value)}
            found = hplaws.risk(bound, **array, backend=backend)
            assert_same_bits(found, np.full(shape, expected))
    wide = dataclasses.replace(bound, noise=np.full((4, 1), bound.noise))
    found = hplaws.risk(wide, **point | {"b": np.full(5, 8.0)}, backend=backend)
    assert_same_bits(found, np.full((4, 5), expected))


def test_the_environment_is_read_at_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HPLAWS_BACKEND", raising=False)
    for _ in range(2):
        assert hplaws.positive_cubic_root(1.0, 7.0, 6.0) == 3.0
        monkeypatch.setenv("HPLAWS_BACKEND", "abacus")
        with pytest.raises(ValueError, match="HPLAWS_BACKEND must be one of"):
            hplaws.positive_cubic_root(1.0, 7.0, 6.0)
        monkeypatch.delenv("HPLAWS_BACKEND")
