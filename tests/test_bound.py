"""Bound: its constructors, its checks, its behaviour as a value."""

import copy
import dataclasses
import pickle
from fractions import Fraction

import numpy as np
import pytest

import hplaws
from hplaws import Bound

FIELDS = ("descent", "noise", "drift", "lag", "burn_in", "init_error", "q")


def fields(bound):
    return tuple(getattr(bound, name) for name in FIELDS)


# ---- constructors, against numbers worked out by hand ------------------------------


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        (Bound(1, 2, 3, 4), (1, 2, 3, 4, 1, 0, 0.5)),
        # eq. 2: delta0, 2 rho sigma = 2*5*3, 7L/2 = 7*4/2, 2L = 8
        (Bound.nonconvex(delta0=2, L=4, rho=5, sigma=3), (2, 30, 14, 8, 1, 0, 0.5)),
        (Bound.proxy(), (1, 1, 1, 1, 1, 0, 0.5)),
        (Bound.proxy(2, 3, 5), (2, 3, 5, 5, 1, 0, 0.5)),
        (Bound.proxy(2, 3, 5).large_horizon(), (2, 3, 5, 5, 0, 0, 0.5)),
        (Bound.proxy(2, 3, 5).leading(), (2, 3, 0, 5, 0, 0, 0.5)),
        (Bound.proxy(2, 3, 5).with_noise_exponent(0.25), (2, 3, 5, 5, 1, 0, 0.25)),
        # p = 1.25: 1 - 1/p = 1 - 0.8
        (Bound.proxy(2, 3, 5).heavy_tailed(1.25), (2, 3, 5, 5, 1, 0, 1 - 0.8)),
        (Bound.proxy().heavy_tailed(2), (1, 1, 1, 1, 1, 0, 0.5)),
        (Bound.proxy(2, 3, 5).unmatched_init(7), (2, 3, 5, 5, 0, 7, 0.5)),
        # Constructors compose: neither touches the other's fields.
        (
            Bound.proxy(2, 3, 5).with_noise_exponent(1).unmatched_init(7),
            (2, 3, 5, 5, 0, 7, 1),
        ),
    ],
)
def test_constructor(bound, expected):
    assert fields(bound) == expected
    assert all(type(value) is float for value in fields(bound))


def test_constructors_take_arrays():
    bound = Bound.nonconvex(delta0=[1.0, 2.0], L=4, rho=[[1.0], [3.0], [5.0]], sigma=0.5)
    assert bound.shape == (3, 2)
    assert bound.descent.tolist() == [1.0, 2.0]
    assert bound.noise.tolist() == [[1.0], [3.0], [5.0]]
    assert (bound.drift, bound.lag) == (14.0, 8.0)
    assert Bound.proxy().shape == ()
    assert Bound.proxy().heavy_tailed([2.0, 4 / 3]).q.tolist() == [0.5, 0.25]


def test_integers_and_numpy_scalars_become_floats():
    bound = Bound(10**22, np.float32(0.1), np.int8(3), Fraction(1, 4))
    assert fields(bound)[:4] == (1e22, float(np.float32(0.1)), 3.0, 0.25)


@pytest.mark.parametrize("value", [True, np.True_, [True, False]])
def test_truth_values_are_not_numbers(value):
    with pytest.raises(TypeError, match=r"^drift must be real numbers.*bool"):
        Bound(1, 1, value, 1)


def test_masked_elements_are_missing_ones():
    masked = np.ma.masked_array([1.0, 2.0], mask=[False, True])
    with pytest.raises(ValueError, match=r"^noise\[1\] must be a finite number >= 0, got nan"):
        Bound(1, masked, 1, 1)


@pytest.mark.parametrize(
    "twin", [copy.copy, copy.deepcopy, lambda b: pickle.loads(pickle.dumps(b))]
)
def test_copies_are_frozen_as_well(twin):
    bound = twin(Bound(np.array([1.0, 2.0]), 1, 1, 1))
    with pytest.raises(ValueError, match="read-only"):
        bound.descent[0] = -5


# ---- bad input ---------------------------------------------------------------------

NOT_COEFFICIENTS = [(-1.0, "-1.0"), (np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf")]


@pytest.mark.parametrize(("value", "text"), NOT_COEFFICIENTS)
@pytest.mark.parametrize("name", [name for name in FIELDS if name != "q"])
def test_bad_coefficient_is_named(name, value, text):
    arguments = {"descent": 1, "noise": 1, "drift": 1, "lag": 1} | {name: value}
    with pytest.raises(ValueError, match=rf"^{name} must be a finite number >= 0, got {text}$"):
        Bound(**arguments)


@pytest.mark.parametrize(("value", "text"), NOT_COEFFICIENTS)
@pytest.mark.parametrize("name", ["delta0", "L", "rho", "sigma"])
def test_bad_constant_of_nonconvex_is_named(name, value, text):
    arguments = {"delta0": 1, "L": 1, "rho": 1, "sigma": 1} | {name: value}
    with pytest.raises(ValueError, match=rf"^{name} must be a finite number >= 0, got {text}$"):
        Bound.nonconvex(**arguments)


@pytest.mark.parametrize(("value", "text"), NOT_COEFFICIENTS)
def test_bad_constants_of_the_others_are_named(value, text):
    for name in ("C1", "C2", "C3"):
        with pytest.raises(ValueError, match=rf"^{name} must .* got {text}$"):
            Bound.proxy(**{name: value})
    with pytest.raises(ValueError, match=rf"^E0 must .* got {text}$"):
        Bound.proxy().unmatched_init(value)


@pytest.mark.parametrize(
    ("value", "text"), [*NOT_COEFFICIENTS, (0.0, "0.0"), (1.0000000000000002, "1.0000000000000002")]
)
def test_bad_noise_exponent_is_named(value, text):
    expected = rf"^q must be a number in \(0, 1\], got {text}$"
    with pytest.raises(ValueError, match=expected):
        Bound(1, 1, 1, 1, q=value)
    with pytest.raises(ValueError, match=expected):
        Bound.proxy().with_noise_exponent(value)


@pytest.mark.parametrize(
    ("value", "text"), [*NOT_COEFFICIENTS, (1.0, "1.0"), (2.0000000000000004, "2.0000000000000004")]
)
def test_bad_tail_index_is_named(value, text):
    with pytest.raises(ValueError, match=rf"^p must be a number in \(1, 2\], got {text}$"):
        Bound.proxy().heavy_tailed(value)


def test_bad_element_is_named_by_its_first_index():
    with pytest.raises(ValueError, match=r"^noise\[1, 0\] must be .* got -3\.0$"):
        Bound(1, [[1.0, 2.0], [-3.0, np.nan]], 1, 1)


def test_overflowing_product_is_named():
    with pytest.raises(ValueError, match=r"^noise must be a finite number >= 0, got inf$"):
        Bound.nonconvex(delta0=1, L=1, rho=1e200, sigma=1e200)


@pytest.mark.parametrize("value", [1j, "1", None, [1, "x"], np.array([1, 2], object), [1, [2, 3]]])
def test_what_is_not_real_is_refused(value):
    with pytest.raises((TypeError, ValueError), match=r"descent|inhomogeneous"):
        Bound(value, 1, 1, 1)


def test_fields_that_do_not_broadcast():
    with pytest.raises(ValueError, match=r"do not broadcast.*descent \(2,\).*lag \(3,\)"):
        Bound([1.0, 2.0], 1, 1, [1.0, 2.0, 3.0])


# ---- a frozen value ----------------------------------------------------------------


def test_frozen():
    source = np.array([1.0, 2.0])
    bound = Bound(source, 1, 1, 1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        bound.noise = 2.0
    with pytest.raises(ValueError, match="read-only"):
        bound.descent[0] = 5.0
    source[0] = 9.0
    assert bound.descent.tolist() == [1.0, 2.0]


def test_replace_keeps_the_rest_and_checks_again():
    bound = dataclasses.replace(Bound(1, 2, 3, 4, 5, 6, 0.75), drift=9)
    assert fields(bound) == (1, 2, 9, 4, 5, 6, 0.75)
    with pytest.raises(ValueError, match=r"^drift must"):
        dataclasses.replace(bound, drift=-1)


def test_equality_and_hash():
    a, b = Bound([1.0, 2.0], 1, 1, 1), Bound([1, 2], 1.0, 1, 1)
    assert a == b
    assert hash(a) == hash(b)
    assert len({a, b, Bound.proxy()}) == 2
    assert a != Bound([1.0, 3.0], 1, 1, 1)
    assert a != Bound(1, 1, 1, 1)
    assert Bound.proxy() != "a bound"


def test_equal_bounds_hash_alike_whatever_the_sign_of_zero():
    positive, negative = Bound(0.0, 1, 1, 1), Bound(-0.0, 1, 1, 1)
    assert positive == negative
    assert hash(positive) == hash(negative)


@pytest.mark.parametrize("bound", [Bound.proxy(2, 3, 5), Bound([1.0, 2.0], 1, 1, 1)])
def test_copies_are_equal(bound):
    for twin in (copy.copy(bound), copy.deepcopy(bound), pickle.loads(pickle.dumps(bound))):
        assert twin == bound


def test_repr_evaluates_to_an_equal_bound():
    bound = Bound.nonconvex(1, 2, 3, 4)
    assert eval(repr(bound), {"Bound": hplaws.Bound}) == bound
