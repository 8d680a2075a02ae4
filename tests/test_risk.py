"""risk: its value against 50-digit arithmetic, and its manners as an array function."""

import itertools
import math

import numpy as np
import pytest

import hplaws
import reference
from hplaws import Bound, risk

FIELDS = ("descent", "noise", "drift", "lag", "burn_in", "init_error", "q")


def log_uniform(rng, low, high, size):
    return 10 ** rng.uniform(low, high, size)


def random_points(rng, size):
    """Arguments over the ranges of the paper's verification, in risk's order."""
    return (
        log_uniform(rng, -15, 4, size),
        np.minimum(1.0, log_uniform(rng, -10, 0.3, size)),
        log_uniform(rng, 0, 15, size),
        log_uniform(rng, 2, 22, size),
    )


def random_bound(rng, size, low, high, q):
    """Coefficients over decades low to high, one in four of them zero."""
    coefficients = [
        log_uniform(rng, low, high, size) * (rng.random(size) > 0.25) for _ in FIELDS[:-1]
    ]
    return Bound(*coefficients, q=q)


def largest_ulp_error(backend, bound, eta, alpha, b, T):
    computed = risk(bound, eta, alpha, b, T=T, backend=backend)
    elements = zip(reference.bounds(bound), eta, alpha, b, T, computed, strict=True)
    return max(
        reference.ulp_error(float(R), reference.risk(single, *point))
        for single, *point, R in elements
    )


# ---- the value ---------------------------------------------------------------------


@pytest.mark.parametrize("exponent", ["half", "one", "random", "tiny"])
@pytest.mark.parametrize("decades", [(-3, 3), (-30, 30), (-120, 120)])
def test_within_4_ulp(backend, exponent, decades, record_property):
    rng = np.random.default_rng(1)
    size = 1500
    q = {
        "half": np.full(size, 0.5),
        "one": np.ones(size),
        "random": 1 - rng.random(size),
        "tiny": log_uniform(rng, -18, 0, size),
    }[exponent]
    bound = random_bound(rng, size, *decades, q)
    worst = largest_ulp_error(backend, bound, *random_points(rng, size))
    print(f"largest error: {worst:.3f} ulp")
    record_property("largest_ulp_error", worst)
    assert worst <= 4


@pytest.mark.parametrize("magnitude", [-300, 300])
def test_within_4_ulp_near_the_ends_of_the_range(backend, magnitude):
    """Every term lies within a decade of 10**magnitude. The other arguments stay within a
    few decades of 1, because factors such as descent*b/T must be normal numbers too."""
    rng = np.random.default_rng(2)
    size = 1500
    eta, alpha = log_uniform(rng, -1, 1, size), log_uniform(rng, -2, 0, size)
    b = log_uniform(rng, 0, 3, size)
    K = log_uniform(rng, 1, 4, size)
    q = rng.choice([0.5, 1.0, 0.3], size)
    scale = log_uniform(rng, magnitude - 1, magnitude + 1, (5, size))
    scale *= rng.random((5, size)) > 0.25
    bound = Bound(
        descent=scale[0] * (eta * K),
        noise=scale[1] * (b**q / np.sqrt(alpha)),
        drift=scale[2] / eta,
        lag=scale[3] * (alpha / eta),
        burn_in=log_uniform(rng, -2, 2, size),
        init_error=scale[4] * (alpha * K),
        q=q,
    )
    assert largest_ulp_error(backend, bound, eta, alpha, b, b * K) <= 4


def test_cross_sections_of_one_term_each(backend):
    """Powers of two, so that R is exact and every term can be read off by eye."""
    eta, alpha, b, T = 2.0**-3, 2.0**-4, 2.0**6, 2.0**10
    # b/(eta T) = 2**-1; b**-q = 2**-3; b/(alpha T) = 1; sqrt(alpha) = 2**-2
    for coefficients, expected in [
        ((1, 0, 0, 0), 2.0**-1),
        ((0, 1, 0, 0), 2.0**-3 * (1 + 2.0**-2)),
        ((0, 1, 0, 0, 0), 2.0**-5),
        ((0, 0, 1, 0), 2.0**-3),
        ((0, 0, 0, 1), 2.0),
        ((0, 0, 0, 0, 1, 1), 1.0),
        ((0, 1, 0, 0, 1, 0, 1), 2.0**-6 * (1 + 2.0**-2)),
        ((0, 0, 0, 0), 0.0),
    ]:
        assert risk(Bound(*coefficients), eta, alpha, b, T=T, backend=backend) == expected


def test_steps_mean_the_budget_rounded_once(backend):
    rng = np.random.default_rng(3)
    eta, alpha, b, _ = random_points(rng, 400)
    K = log_uniform(rng, 0, 8, 400)
    by_steps = risk(Bound.proxy(), eta, alpha, b, K=K, backend=backend)
    by_tokens = risk(Bound.proxy(), eta, alpha, b, T=b * K, backend=backend)
    assert by_steps.tobytes() == by_tokens.tobytes()


# ---- broadcasting ------------------------------------------------------------------


def test_every_argument_broadcasts(backend):
    """Eleven arguments, each with an axis of its own or none: every one is used where it
    stands."""
    rng = np.random.default_rng(4)
    names = (*FIELDS, "eta", "alpha", "b", "T")
    values = {name: rng.uniform(0.1, 1.0, 3) for name in names}

    def call(chosen, axes):
        """The chosen arguments as arrays, each along its own axis; the others scalar."""
        given = {
            name: (
                values[name].reshape([-1 if axes.index(name) == d else 1 for d in range(len(axes))])
                if name in chosen
                else values[name][0]
            )
            for name in names
        }
        bound = Bound(**{name: given.pop(name) for name in FIELDS})
        return risk(bound, **given, backend=backend)

    for pair in itertools.combinations(names, 2):
        result = call(pair, pair)
        assert result.shape == (3, 3)
        for i, j in ((0, 0), (1, 2), (2, 0)):
            first, second = pair
            scalars = {name: values[name][0] for name in names}
            scalars |= {first: values[first][i], second: values[second][j]}
            bound = Bound(**{name: scalars.pop(name) for name in FIELDS})
            assert result[i, j] == risk(bound, **scalars, backend=backend)


def test_scalars_give_a_float(backend):
    bound = Bound.proxy()
    for scalar in (float, np.float64, np.float32, np.array):
        result = risk(
            bound, scalar(0.5), scalar(0.25), scalar(4.0), T=scalar(64.0), backend=backend
        )
        # 4/(0.5*64) + (4/(0.25*64) + 0.5)/2 + 0.5*(1 + 4)
        assert type(result) is float
        assert result == 0.125 + 0.375 + 2.5
    assert risk(bound, [0.5], 0.25, 4, T=64, backend=backend).shape == (1,)


def test_empty(backend):
    for shape in ((0,), (3, 0), (0, 1)):
        result = risk(Bound.proxy(), np.empty(shape), 0.5, 1, T=10, backend=backend)
        assert result.shape == shape
        assert result.dtype == np.float64
    assert risk(Bound([], 1, 1, 1), 0.1, 0.5, 1, T=10, backend=backend).shape == (0,)


def test_shapes_that_do_not_broadcast(backend):
    with pytest.raises(ValueError, match=r"do not broadcast.*eta \(2,\).*T \(3,\)"):
        risk(Bound.proxy(), [0.1, 0.2], 0.5, 1, T=[1.0, 2.0, 3.0], backend=backend)


@pytest.mark.parametrize("size", [1, 127, 128, 129, 16383, 16385, 70001])
def test_every_chunk_boundary(backend, size):
    """Long arrays are cut into chunks and shared among threads; each element stays itself."""
    eta = np.linspace(1, 2, size)
    whole = risk(Bound(0, 0, 1, 0), eta, 1.0, 1.0, T=1.0, backend=backend)
    assert whole.tobytes() == eta.tobytes()


# ---- the domain --------------------------------------------------------------------

OUTSIDE = {
    "eta": [0.0, -0.0, -1.0, np.nan, np.inf, -np.inf],
    "alpha": [0.0, -0.5, np.nextafter(1.0, 2.0), 2.0, np.nan, np.inf],
    "b": [0.0, -1.0, np.nan, np.inf],
    "T": [0.0, -1.0, np.nan, np.inf],
    "K": [0.0, -1.0, np.nan, np.inf],
}


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("q", [0.5, 0.3, 1.0])
def test_outside_the_domain_is_nan_in_that_element_alone(backend, name, q):
    bad = OUTSIDE[name]
    inside = 0.5
    point = {"eta": 0.1, "alpha": 0.5, "b": 4.0, "K" if name == "K" else "T": 100.0}
    for bound in (Bound.proxy().with_noise_exponent(q), Bound(0, 0, 0, 0, q=q)):
        values = [inside, *(x for value in bad for x in (value, inside))]
        result = risk(bound, **(point | {name: np.array(values)}), backend=backend)
        assert np.isfinite(result[::2]).all()
        assert np.isnan(result[1::2]).all()
        for value in bad:
            single = risk(bound, **(point | {name: value}), backend=backend)
            assert math.isnan(single)


def test_a_budget_that_overflows_or_underflows_is_outside(backend):
    for b, K in ((1e200, 1e200), (1e-200, 1e-200)):
        assert math.isnan(risk(Bound.proxy(), 0.1, 0.5, b, K=K, backend=backend))


def test_the_whole_domain_has_a_value(backend):
    """Never NaN inside the domain, at the worst an overflow: extreme coefficients,
    arguments down to the smallest double and up to the largest."""
    smallest, largest = np.nextafter(0.0, 1.0), np.finfo(float).max
    ends = np.array([smallest, 1e-310, 1e-300, 1e-5, 1.0, 1e300, largest])
    momenta = np.array([smallest, 1e-310, 1e-300, 0.5, 1.0])
    eta, alpha, b, T = np.meshgrid(ends, momenta, ends, ends, indexing="ij")
    for coefficient, q in itertools.product((0.0, smallest, 1.0, largest), (0.5, 1.0, 0.3)):
        for name in FIELDS[:-1]:
            others = dict.fromkeys(FIELDS[:-1], 0.0) | {"noise": 1.0, "burn_in": 0.0}
            bound = Bound(**(others | {name: coefficient}), q=q)
            result = risk(bound, eta, alpha, b, T=T, backend=backend)
            assert not np.isnan(result).any()
            assert (result >= 0).all()


# ---- dtypes ------------------------------------------------------------------------


def test_integers_are_converted(backend):
    bound = Bound.proxy()
    expected = risk(bound, 0.01, 0.5, 32.0, T=1e22, backend=backend)
    assert risk(bound, 0.01, 0.5, 32, T=10**22, backend=backend) == expected
    assert risk(bound, 0.01, 0.5, [32], T=[10**22], backend=backend).tolist() == [expected]
    for dtype in (np.int8, np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64):
        one, size = dtype(1), np.array([32, 64], dtype)
        result = risk(bound, one, one, size, T=100, backend=backend)
        assert result.dtype == np.float64
        assert result[0] == risk(bound, 1.0, 1.0, 32.0, T=100.0, backend=backend)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, ">f8", ">f4", ">i4"])
def test_other_real_dtypes_give_the_converted_value(backend, dtype):
    b = np.array([1, 2, 3, 1000], dtype)
    eta = np.array([1, 2, 3, 1000], dtype)
    result = risk(Bound.proxy(), eta, 0.5, b, T=100, backend=backend)
    expected = risk(Bound.proxy(), eta.astype(float), 0.5, b.astype(float), T=100, backend=backend)
    assert result.dtype == np.float64
    assert result.dtype.isnative
    assert result.tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    "value",
    [
        1j,
        np.complex64(1),
        np.array([1.0, 2.0], object),
        "0.1",
        ["0.1"],
        b"1",
        None,
        np.datetime64("2020-01-01"),
        [1.0, 2j],
        {},
    ],
)
@pytest.mark.parametrize("name", ["eta", "alpha", "b"])
def test_what_is_not_real_is_a_type_error(backend, name, value):
    point = {"eta": 0.1, "alpha": 0.5, "b": 1.0, "T": 10.0} | {name: value}
    with pytest.raises(TypeError, match=rf"^{name} must be real numbers"):
        risk(Bound.proxy(), **point, backend=backend)


def test_float64_by_another_name(backend):
    """Arithmetic on big-endian arrays makes native float64 arrays whose dtype is not the
    object numpy.float64 usually stands for."""
    eta = np.array([1.0, 2.0], ">f8") / 8
    result = risk(Bound.proxy(), eta, 0.5, 1, T=10, backend=backend)
    assert result.tolist() == risk(Bound.proxy(), [0.125, 0.25], 0.5, 1, T=10).tolist()
    out = np.empty(2, np.dtype("f8", copy=True))
    assert risk(Bound.proxy(), eta, 0.5, 1, T=10, out=out, backend=backend) is out


def test_extended_precision_is_not_rounded_silently(backend):
    if np.dtype(np.longdouble).itemsize == 8:
        pytest.skip("long double is double here")
    with pytest.raises(TypeError, match=r"^eta must be real numbers representable as float64"):
        risk(Bound.proxy(), np.longdouble(0.1), 0.5, 1, T=10, backend=backend)


def test_exactly_one_budget():
    for budget, said in (({}, "neither"), ({"T": 1, "K": 1}, "both")):
        with pytest.raises(ValueError, match=rf"^exactly one of T and K .* got {said}$"):
            risk(Bound.proxy(), 0.1, 0.5, 1, **budget)


# ---- memory layouts, out= ------------------------------------------------------------


def layouts(array):
    """The same values in every memory layout a caller may bring."""
    doubled = np.repeat(np.repeat(array, 2, axis=0), 3, axis=1)
    locked = array.copy()
    locked.flags.writeable = False
    return {
        "C": array,
        "Fortran": np.asfortranarray(array),
        "strided": doubled[::2, ::3],
        "reversed": array[::-1, ::-1].copy()[::-1, ::-1],
        "transposed": array.T.copy().T,
        "read-only": locked,
        "broadcast": np.broadcast_to(array[:1], array.shape),
        "big-endian": array.astype(">f8"),
        "misaligned": np.frombuffer(b"\0" + array.tobytes(), np.uint8)[1:]
        .view(np.float64)
        .reshape(array.shape),
    }


def test_memory_layout_of_inputs_does_not_matter(backend):
    rng = np.random.default_rng(5)
    eta = rng.uniform(0.1, 1, (37, 41))
    T = rng.uniform(10, 100, (37, 41))
    bound = Bound.proxy()
    for name, array in layouts(eta).items():
        expected = risk(
            bound, np.array(array, dtype=float, order="C"), 0.5, 2, T=T, backend=backend
        )
        before = array.tobytes()
        assert np.array_equal(risk(bound, array, 0.5, 2, T=T, backend=backend), expected), name
        assert array.tobytes() == before, name


def test_memory_layout_of_out_does_not_matter(backend):
    eta = np.random.default_rng(6).uniform(0.1, 1, (37, 41))
    expected = risk(Bound.proxy(), eta, 0.5, 2, T=10, backend=backend)
    targets = layouts(np.zeros_like(eta))
    for unusable in ("read-only", "broadcast", "big-endian", "misaligned"):
        del targets[unusable]
    for name, out in targets.items():
        assert risk(Bound.proxy(), eta, 0.5, 2, T=10, out=out, backend=backend) is out
        assert np.array_equal(out, expected), name


def test_out_of_scalars_is_returned_as_an_array(backend):
    out = np.empty(())
    assert risk(Bound.proxy(), 0.1, 0.5, 1, T=10, out=out, backend=backend) is out
    assert float(out) == risk(Bound.proxy(), 0.1, 0.5, 1, T=10, backend=backend)


def test_out_may_overlap_the_inputs(backend):
    memory = np.random.default_rng(7).uniform(0.1, 1, 1001)
    bound = Bound.proxy()
    expected = risk(bound, memory[:-1].copy(), 0.5, 2, T=10, backend=backend)
    risk(bound, memory[:-1], 0.5, 2, T=10, out=memory[1:], backend=backend)
    assert np.array_equal(memory[1:], expected)
    expected = risk(bound, 0.5, memory[::-1].copy(), 2, T=10, backend=backend)
    risk(bound, 0.5, memory[::-1], 2, T=10, out=memory, backend=backend)
    assert np.array_equal(memory, expected, equal_nan=True)


@pytest.mark.parametrize("n", [1, 15, 16, 127, 128, 129, 300])
@pytest.mark.parametrize("q", [0.5, 0.3])
@pytest.mark.parametrize("last", ["eta", "alpha", "b", "T"])
def test_a_mesh_has_the_bits_of_its_points(backend, last, q, n):
    """Whatever is worked out once for a row of the mesh."""
    rng = np.random.default_rng(n)
    bound = Bound(descent=2.0, noise=3.0, drift=0.5, lag=1.5, init_error=0.1, q=q)
    order = [name for name in ("eta", "alpha", "b", "T") if name != last] + [last]
    axes = {name: 10.0 ** rng.uniform(-6, 0, 3) for name in order}
    axes[last] = 10.0 ** rng.uniform(-6, 0, n)
    axes["b"][0] = -1.0
    axes["T"][-1] = np.inf
    axes["eta"][0], axes["alpha"][-1] = 1e-310, 1e-310
    mesh = dict(
        zip(order, np.meshgrid(*(axes[name] for name in order), indexing="ij"), strict=True)
    )
    scattered = {name: values.ravel() for name, values in mesh.items()}
    thin = {
        name: axes[name].reshape([-1 if d == k else 1 for d in range(4)])
        for k, name in enumerate(order)
    }
    found = risk(bound, **thin, backend=backend)
    assert found.shape == (3, 3, 3, n)
    np.testing.assert_array_equal(found.ravel(), risk(bound, **scattered, backend=backend))


def test_unsuitable_out(backend):
    eta = np.array([0.1, 0.2])
    locked = np.empty(2)
    locked.flags.writeable = False
    for out, error, message in (
        (np.empty(3), ValueError, r"broadcast shape \(2,\), got \(3,\)"),
        (np.empty((1, 2)), ValueError, r"broadcast shape \(2,\), got \(1, 2\)"),
        (np.empty(2, np.float32), TypeError, "dtype float64, got float32"),
        (np.empty(2, ">f8"), TypeError, "dtype float64, got >f8"),
        (locked, ValueError, "read-only"),
        ([0.0, 0.0], TypeError, "NumPy or CuPy array, got list"),
    ):
        with pytest.raises(error, match=rf"^out must .*{message}"):
            risk(Bound.proxy(), eta, 0.5, 1, T=10, out=out, backend=backend)


def test_inputs_are_left_alone(backend):
    arrays = [
        np.array([0.1, 0.2]),
        np.array([0.5, 1.0]),
        np.array([1.0, 2.0]),
        np.array([9.0, 8.0]),
    ]
    before = [a.copy() for a in arrays]
    for budget in ("T", "K"):
        hplaws.risk(Bound.proxy(), *arrays[:3], **{budget: arrays[3]}, backend=backend)
    assert all(np.array_equal(a, x) for a, x in zip(arrays, before, strict=True))
