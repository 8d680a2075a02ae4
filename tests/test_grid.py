"""grid_argmin against numpy.argmin over the full mesh, and against winners known by hand."""

import itertools
import math

import numpy as np
import pytest

import hplaws
import reference
from hplaws import Bound, grid_argmin

AXES = ("alpha", "b", "eta")
SUBSETS = [s for n in (1, 2, 3) for s in itertools.combinations(AXES, n)]
METHODS = ("dense", "pruned")
SMALL = {
    "eta": np.logspace(-3, 0, 7),
    "alpha": np.array([0.01, 0.1, 1.0]),
    "b": np.array([1.0, 4.0, 16.0, 64.0]),
}


def assert_exact(bound, axes, *, over=AXES, backend=None, threads=None, **budget):
    """The exactness law, for both methods; returns the last result."""
    least, index = reference.mesh_argmin(bound, **axes, **budget, over=over, backend=backend)
    for method in METHODS:
        best = grid_argmin(
            bound, **axes, **budget, over=over, method=method, backend=backend, threads=threads
        )
        assert best.risk.shape == least.shape
        assert best.risk.tobytes() == least.tobytes()
        assert best.index.keys() == index.keys()
        for axis in index:
            assert np.array_equal(best.index[axis], index[axis]), (method, axis)
            values = np.atleast_1d(np.asarray(axes[axis], float))
            assert np.array_equal(getattr(best, axis), values[index[axis]]), (method, axis)
    return best


# ---- the exactness law ---------------------------------------------------------------


def awkward_axes(rng, lengths):
    """Log-spaced values in random order, some of them repeated."""
    ranges = {"eta": (-8, 1), "alpha": (-6, 0), "b": (0, 5)}
    axes = {}
    for name, length in zip(ranges, lengths, strict=True):
        values = np.minimum(10 ** rng.uniform(*ranges[name], length), 1e9)
        axes[name] = rng.choice(values, length)
    return axes


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("over", SUBSETS, ids="-".join)
def test_exactness_for_every_subset(backend, over, threads):
    rng = np.random.default_rng(1)
    axes = awkward_axes(rng, (23, 11, 17))
    bounds = (
        Bound.proxy(),
        Bound.nonconvex(3, 5, 2, 7).with_noise_exponent(0.3),
        Bound.proxy([1.0, 10.0, 0.0], [[0.1], [3.0]], 2.0).unmatched_init(0.2),
    )
    for bound in bounds:
        assert_exact(bound, axes, T=[1e9, 1e3, 1e5], over=over, backend=backend, threads=threads)
        assert_exact(bound, axes, K=[1e2, 1e6], over=over, backend=backend, threads=threads)


@pytest.mark.parametrize("over", SUBSETS, ids="-".join)
@pytest.mark.parametrize("lengths", [(2500, 3, 300), (40, 70, 300), (3, 600, 40), (1, 1, 20000)])
def test_exactness_across_chunks(backend, over, lengths):
    """Longer than the cores' chunks of rows, rates and cells, on every axis in turn."""
    rng = np.random.default_rng(2)
    axes = awkward_axes(rng, lengths)
    assert_exact(Bound.proxy(), axes, T=[1e8, 1e4], over=over, backend=backend, threads=2)


@pytest.mark.parametrize(
    "eta",
    [
        np.logspace(-9, 2, 200),
        np.logspace(2, -9, 200).repeat(2),
        np.linspace(1e-4, 1, 199),
        np.concatenate([np.logspace(-9, 2, 20), 0.01 * (1 + 2.0**-52 * np.arange(99))]),
        0.01 * (1 + 1e-11 * np.arange(300)),
        [0.1, 1e-4, 1e-2],
        [0.1, 1e-4],
        [0.01, 0.01],
    ],
    ids=["log", "falling twice", "linear", "cluster", "beside the margin", "3", "2", "1 twice"],
)
def test_exactness_over_eta_alone(backend, eta):
    """More rows than rates, which is where a few neighbours decide most rows, and rounding
    leaves the others open: noise 1e14 times the rest makes ties of all of them."""
    axes = {"eta": eta, "alpha": np.logspace(-6, 0, 19), "b": np.arange(1.0, 54.0)}
    bound = Bound([1.0, 0.0, 2.0], [2.0, 1.0, 3e12], [1.0, 1.0, 0.0], [1.0, 3.0, 0.5])
    for budget in ({"T": [1e5, 1e9]}, {"K": [1e3]}):
        pruned = assert_exact(bound, axes, **budget, over=("eta",), backend=backend)
        assert np.array_equal(pruned.at_edge, np.isin(pruned.eta, [np.min(eta), np.max(eta)]))


@pytest.mark.parametrize("long", AXES)
def test_exactness_with_scalar_axes(backend, long):
    axes = {"eta": 0.01, "alpha": 0.5, "b": 8} | {long: SMALL[long]}
    for over in SUBSETS:
        assert_exact(Bound.proxy(), axes, T=1000, over=over, backend=backend)


@pytest.mark.parametrize(
    "bound",
    [
        Bound(0, 0, 0, 0),
        Bound(1, 0, 0, 0),
        Bound(0, 1, 0, 0),
        Bound(0, 0, 1, 0),
        Bound(0, 0, 0, 1),
        Bound(0, 1, 0, 0, burn_in=0),
        Bound(0, 0, 0, 0, init_error=1),
        Bound(1, 1, 0, 1, burn_in=0),
        Bound(1, 0, 1, 1),
    ],
    ids=repr,
)
def test_exactness_where_terms_are_missing(backend, bound):
    """Plateaus: R does not depend on some of the axes, so nearly everything is a tie."""
    for over in SUBSETS:
        assert_exact(bound, SMALL, T=[1e2, 1e6], over=over, backend=backend, threads=2)
        assert_exact(bound, SMALL, K=[10.0], over=over, backend=backend)


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1e-290, 1e290, 1e300, 1e307])
def test_exactness_at_extreme_magnitudes(backend, scale):
    """Products under- and overflow; pruning has to notice that its error bounds are void."""
    axes = {
        "eta": np.logspace(-12, 12, 25),
        "alpha": np.logspace(-9, 0, 10),
        "b": 4.0 ** np.arange(9),
    }
    for name in ("descent", "noise", "drift", "lag", "init_error"):
        ordinary = {"descent": 1.0, "noise": 1.0, "drift": 1.0, "lag": 1.0}
        for bound in (Bound(**(ordinary | {name: scale})), Bound(*[scale] * 4, init_error=scale)):
            assert_exact(bound, axes, T=[1e2, 1e12], backend=backend)
    extreme = {
        "eta": [1e-310, 1e-300, 1.0, 1e300],
        "alpha": [1e-310, 1.0],
        "b": [1e-300, 1.0, 1e300],
    }
    assert_exact(Bound.proxy(), extreme, T=[1e-310, 1.0, 1e300], backend=backend)


@pytest.mark.parametrize("magnitude", [20, 100, 290, 307])
def test_exactness_on_wild_grids(backend, magnitude):
    """Bounds and axes spread over up to 600 decades: pruning has to see where any of its
    own intermediate results, slopes included, leaves the range of doubles."""
    rng = np.random.default_rng(magnitude)

    def spread(low, high, n):
        return 10 ** np.linspace(*rng.uniform(low, high, 2), n)

    for _ in range(150):
        coefficients = 10 ** rng.uniform(-magnitude, magnitude, 6) * (rng.random(6) > 0.3)
        n = int(rng.choice([3, 10]))
        axes = {
            "eta": spread(-magnitude, magnitude, n),
            "alpha": spread(-magnitude, 0, n),
            "b": spread(-magnitude, magnitude, n),
        }
        assert_exact(
            Bound(*coefficients), axes, T=spread(-magnitude, magnitude, 3), backend=backend
        )


@pytest.mark.parametrize(
    ("bound", "eta", "alpha", "b", "T"),
    [
        (Bound(5e-153, 2e187, 2e163, 0, 0), (-107, 114), (-166, -80), (64, 84), 2.7e-96),
        (Bound(0, 1e25, 0, 3e-243, 0, 2e-233), (-149, -81), (-132, -105), (-210, 116), 6.6e-163),
    ],
)
def test_exactness_where_only_an_absent_term_would_overflow(backend, bound, eta, alpha, b, T):
    """b/(alpha T) overflows, but the coefficients that multiply it are zero or tiny."""
    axes = {
        "eta": np.logspace(*eta, 25),
        "alpha": np.logspace(*alpha, 25),
        "b": np.logspace(*b, 10),
    }
    assert_exact(bound, axes, T=T, backend=backend)


@pytest.mark.parametrize("seed", range(3))
def test_exactness_around_the_optimum(backend, seed):
    """Axes of neighbouring doubles around the minimiser: R is level up to its own rounding,
    so pruning's margin decides which configurations are looked at."""
    rng = np.random.default_rng(seed)
    bound = Bound(*10 ** rng.uniform(-2, 2, 4))
    T = 10 ** rng.uniform(4, 12)
    centre = hplaws.theorem3(bound, T=T, backend=backend)
    steps = rng.permutation(np.arange(-20, 21))
    for spacing in (2.0**-52, 2.0**-40, 2.0**-26, 2.0**-17):
        axes = {
            name: np.minimum(1.0, getattr(centre, name) * (1 + spacing * steps))
            if name == "alpha"
            else getattr(centre, name) * (1 + spacing * steps)
            for name in AXES
        }
        for over in (AXES, ("b", "eta"), ("alpha",)):
            assert_exact(bound, axes, T=T, over=over, backend=backend)


@pytest.mark.parametrize("over", [AXES, ("alpha", "b"), ("eta",), ("b", "eta")], ids="-".join)
def test_pruned_equals_dense_on_larger_grids(backend, over):
    rng = np.random.default_rng(3)
    lengths = (400, 300, 350) if over == AXES else (150, 60, 80)
    axes = awkward_axes(rng, lengths)
    bound = Bound([1.0, 50.0], 3.0, 0.2, 4.0)
    for budget in ({"T": 10 ** rng.uniform(3, 16, 3)}, {"K": 10 ** rng.uniform(1, 9, 3)}):
        dense, pruned = (
            grid_argmin(bound, **axes, **budget, over=over, method=method, backend=backend)
            for method in METHODS
        )
        assert dense.risk.tobytes() == pruned.risk.tobytes()
        for axis in dense.index:
            assert np.array_equal(dense.index[axis], pruned.index[axis])
        assert np.array_equal(dense.at_edge, pruned.at_edge)


@pytest.mark.parametrize("width", [1e-5, 1e-2, 1.0])
@pytest.mark.parametrize(
    "bound",
    [
        Bound.proxy(),
        Bound.proxy().leading(),
        Bound.proxy().unmatched_init(0.5),
        Bound(1.0, 2.0, 0.5, 3.0, init_error=0.4, q=0.8),
        Bound(1.0, 2.0, 0.5, 3.0, q=1.0),
    ],
    ids=["proxy", "leading", "unmatched", "mixed start", "q = 1"],
)
def test_pruned_equals_dense_along_the_ridge(backend, bound, width):
    """Around the optimum a larger alpha makes up for a larger b: many alphas compete, and
    what their rows can reach has to be bounded closely and never too high."""
    T = 1e12
    best = hplaws.optimum(bound, T)
    rng = np.random.default_rng(4)
    centre = {"eta": best.eta, "alpha": 0.9 * best.alpha, "b": best.b}
    lengths = {"eta": 40, "alpha": 400, "b": 200}
    axes = {
        name: np.minimum(value * np.exp(width * np.sort(rng.uniform(-1, 1, lengths[name]))), T)
        for name, value in centre.items()
    }
    axes["alpha"] = np.minimum(axes["alpha"], 1.0)
    dense, pruned = (
        grid_argmin(bound, **axes, T=T, method=method, backend=backend) for method in METHODS
    )
    assert dense.risk.tobytes() == pruned.risk.tobytes()
    assert dense.index == pruned.index


def test_all_infinite_grid_gives_index_0(backend):
    for method, over in itertools.product(METHODS, SUBSETS):
        best = grid_argmin(
            Bound(1e308, 1, 1, 1), [1e-300, 1e-299], [1.0, 0.5], [1e10, 2e10, 3e10], T=[1.0, 2.0],
            over=over, method=method, backend=backend,
        )  # fmt: skip
        assert np.isposinf(best.risk).all()
        assert all((where == 0).all() for where in best.index.values())


@pytest.mark.parametrize("method", METHODS)
def test_the_smallest_flat_index_wins_a_tie(backend, method):
    # R = b**-1/2 sqrt(alpha): every eta ties, and repeated values do.
    best = grid_argmin(
        Bound(0, 1, 0, 0, burn_in=0), [3.0, 1.0, 2.0], [0.25, 0.0625, 1.0, 0.0625],
        [4.0, 16.0, 1.0, 16.0], T=5.0, method=method, backend=backend,
    )  # fmt: skip
    assert {axis: where.item() for axis, where in best.index.items()} == {
        "alpha": 1, "b": 1, "eta": 0
    }  # fmt: skip
    # R = 1/eta + eta is 5/2 at both 2 and 1/2.
    for eta in ([8.0, 2.0, 0.5], [8.0, 0.5, 2.0], [0.25, 2.0, 8.0, 0.5]):
        best = grid_argmin(
            Bound(1, 0, 1, 0), eta, [0.5, 0.25], 1.0, T=1.0, method=method, backend=backend
        )
        assert best.risk.item() == 2.5
        assert (best.index["alpha"].item(), best.index["eta"].item()) == (0, 1)


CLUSTERED = {
    "eta": 1 + np.arange(600) * 1e-15,
    "alpha": np.linspace(0.5, 0.5 + 1e-12, 600),
    "b": 1 + np.arange(600) * 1e-14,
}
# Least at eta = 1, alpha = 1/2, b = 1 for T = 1e6: on CLUSTERED, R = 8 but for rounding
# errors, and the winner may be anywhere.
FLAT = {"descent": 2e6, "noise": 4 * math.sqrt(2), "drift": 0.0, "lag": 1.0, "burn_in": 0.0}


@pytest.mark.parametrize(
    ("over", "thinning"),
    [
        (AXES, (8, 8, 8)),
        (("alpha", "eta"), (1, 300, 1)),
        (("b", "eta"), (300, 1, 1)),
        (("eta",), (30, 30, 1)),
    ],
    ids=["alpha-b-eta", "alpha-eta", "b-eta", "eta"],
)
def test_clustered_axes_are_handed_to_dense(backend, over, thinning):
    """Values closer than pruning can tell apart: searches give up, and their problems are
    evaluated densely. Those of the second bound, which depends on eta alone, do not."""
    bound = Bound(**{name: [value, name == "drift"] for name, value in FLAT.items()})
    thinned = {name: CLUSTERED[name][::n] for name, n in zip(AXES, thinning, strict=True)}
    assert_exact(bound, thinned, T=[1e6, 1e3], over=over, backend=backend, threads=2)


@pytest.mark.parametrize(("thinning", "budgets"), [(1, 1), (8, 600)])
def test_clustered_axes_are_handed_to_dense_on_larger_grids(backend, thinning, budgets):
    """One large problem, and more problems that give up than a unit's searches do in one go."""
    axes = {name: values[::thinning] for name, values in CLUSTERED.items()}
    T = 1e6 * (1 + 1e-12 * np.arange(budgets))
    dense, pruned = (
        grid_argmin(Bound(**FLAT), **axes, T=T, method=method, backend=backend, threads=1)
        for method in METHODS
    )
    assert dense.risk.tobytes() == pruned.risk.tobytes()
    for axis in AXES:
        assert np.array_equal(dense.index[axis], pruned.index[axis])
    assert np.array_equal(dense.at_edge, pruned.at_edge)


# ---- more configurations than 32 bits can count ---------------------------------------


def beyond_32_bits(lengths, winner):
    """R = b**-1/2 sqrt(alpha) + eta: least at the largest b, smallest alpha, smallest eta,
    each placed at `winner`. There R = 2**-6 * 2**-2 + 2**-10 without rounding."""
    n_alpha, n_b, n_eta = lengths
    alpha, b = np.linspace(1.0, 0.5, n_alpha), np.linspace(1.0, 2.0, n_b)
    eta = np.linspace(1.0, 0.5, n_eta)
    alpha[winner[0]], b[winner[1]], eta[winner[2]] = 2.0**-4, 2.0**12, 2.0**-10
    return Bound(0, 1, 1, 0, burn_in=0), eta, alpha, b


@pytest.mark.parametrize(
    ("method", "lengths", "winner"),
    [
        ("dense", (2048, 2048, 1100), (2047, 2040, 1099)),
        ("pruned", (2000, 2000, 2000), (1999, 3, 1998)),
        ("pruned", (80000, 70000, 2), (79990, 69999, 1)),
    ],
)
def test_flat_indices_beyond_32_bits(backend, method, lengths, winner):
    assert np.ravel_multi_index(winner, lengths) > 2**32
    best = grid_argmin(*beyond_32_bits(lengths, winner), T=7.0, method=method, backend=backend)
    assert tuple(best.index[axis].item() for axis in AXES) == winner
    assert best.risk.item() == 2.0**-8 + 2.0**-10
    assert best.configs == math.prod(lengths) > 2**32


def test_configs_may_exceed_64_bits(backend):
    axis = np.linspace(0.5, 1.0, 1000)
    best = grid_argmin(Bound(np.ones((10, 10)), 1, 1, 1), axis, axis, axis, T=axis, backend=backend)
    assert best.configs == 10**14
    assert best.risk.shape == (10, 10, 1000)


# ---- the result ------------------------------------------------------------------------


@pytest.mark.parametrize("over", SUBSETS, ids="-".join)
@pytest.mark.parametrize("budget", ["T", "K"])
def test_shapes_and_values(backend, over, budget):
    bound = Bound(np.ones((2, 1)), [1.0, 2.0, 3.0], 1, 1)
    axes = SMALL | {budget: np.array([1e2, 1e4])}
    best = grid_argmin(bound, **axes, over=over, backend=backend)
    kept = [a for a in (budget, *AXES) if a not in over]
    shape = (2, 3, *(axes[a].size for a in kept))
    for name in ("risk", "eta", "alpha", "b", "T", "K", "at_edge"):
        assert getattr(best, name).shape == shape, name
    for name in ("risk", "eta", "alpha", "b", "T", "K"):
        assert getattr(best, name).dtype == np.float64
    assert best.at_edge.dtype == np.bool_
    assert tuple(best.index) == over
    assert all(w.shape == shape and w.dtype == np.int64 for w in best.index.values())
    for position, name in enumerate(kept, start=2):
        along = np.moveaxis(getattr(best, name), position, -1)
        assert np.array_equal(along, np.broadcast_to(axes[name], along.shape))
    # The winning values are where the risk was taken, and T = b*K with one rounding.
    fields = ("descent", "noise", "drift", "lag", "burn_in", "init_error", "q")
    wide = Bound(
        *(
            np.broadcast_to(getattr(bound, f), (2, 3)).reshape(2, 3, *[1] * len(kept))
            for f in fields
        )
    )
    again = hplaws.risk(wide, best.eta, best.alpha, best.b, T=best.T, backend=backend)
    assert np.array_equal(again, best.risk)
    if budget == "K":
        assert np.array_equal(best.T, best.b * best.K)
    else:
        assert np.array_equal(best.K, best.T / best.b)
    assert best.configs == 6 * 2 * 7 * 3 * 4
    assert best.backend == backend
    assert best.method == "pruned"


def test_order_of_over_does_not_matter(backend):
    results = [
        grid_argmin(Bound.proxy(), **SMALL, T=1e4, over=over, backend=backend)
        for over in (("eta", "b"), ["b", "eta"], {"b", "eta"}, iter(("b", "eta")))
    ]
    assert all(tuple(r.index) == ("b", "eta") for r in results)
    assert len({r.risk.tobytes() for r in results}) == 1
    single = grid_argmin(Bound.proxy(), **SMALL, T=1e4, over="eta", backend=backend)
    assert tuple(single.index) == ("eta",)


def test_at_edge(backend):
    """R = b/(eta T) + eta is least at eta = sqrt(b/T), here about 0.1, and rises in b."""
    bound = Bound(1, 0, 1, 0)
    inner = {"eta": [0.2, 0.05, 0.1], "alpha": 0.5, "b": 1.0}
    for method in METHODS:

        def edge(method=method, over=AXES, **changed):
            return grid_argmin(
                bound, **(inner | changed), T=100.0, over=over, method=method, backend=backend
            ).at_edge

        assert not edge().item()
        assert edge(eta=[0.2, 0.4, 0.3]).item()  # the smallest rate, first
        assert edge(eta=[0.01, 0.05, 0.03]).item()  # the largest rate, in the middle
        assert edge(b=[2.0, 1.0]).item()
        assert not edge(eta=[0.1]).item()  # one value has no edge
        assert not edge(b=[1.0, 1.1], over=("eta",)).any()  # a kept axis does not count
        kept = edge(b=[1.0, 9.0], eta=[0.2, 0.1, 0.05], over=("eta",))
        assert kept.tolist() == [[[False, True]]]


def test_method_and_backend_are_reported(backend):
    best = grid_argmin(Bound.proxy(), **SMALL, T=1e4, method="dense", backend=backend)
    assert (best.method, best.backend) == ("dense", backend)
    assert grid_argmin(Bound.proxy(), **SMALL, T=1e4).backend in ("native", "numba")


def test_result_is_frozen(backend):
    best = grid_argmin(Bound.proxy(), **SMALL, T=1e4, backend=backend)
    with pytest.raises(AttributeError):
        best.risk = None


def test_empty_bound_gives_an_empty_result(backend):
    for method in METHODS:
        best = grid_argmin(
            Bound(np.empty((0, 3)), 1, 1, 1), **SMALL, T=[1.0, 2.0], method=method, backend=backend
        )
        assert best.risk.shape == (0, 3, 2)
        assert best.configs == 0


@pytest.mark.parametrize("dtype", [np.float32, np.int64, ">f8", np.uint8])
def test_axes_of_other_dtypes(backend, dtype):
    b = np.array([1, 2, 4, 8, 16, 32], dtype)
    expected = grid_argmin(Bound.proxy(), 0.1, 0.5, b.astype(float), T=100, backend=backend)
    best = grid_argmin(Bound.proxy(), 0.1, 0.5, b, T=100, backend=backend)
    assert best.risk.tobytes() == expected.risk.tobytes()
    assert best.index["b"].item() == expected.index["b"].item()
    assert best.b.dtype == np.float64


def test_strided_axes_and_python_integers(backend):
    eta = np.repeat(SMALL["eta"], 3)[::-3]
    best = grid_argmin(Bound.proxy(), eta, 1, [1, 2], T=10**22, backend=backend)
    same = grid_argmin(Bound.proxy(), eta.copy(), 1.0, [1.0, 2.0], T=1e22, backend=backend)
    assert best.risk.tobytes() == same.risk.tobytes()
    assert best.T.item() == 1e22


def test_to_xarray(backend):
    pytest.importorskip("xarray")
    bound = Bound([1.0, 2.0], 1, 1, 1)
    best = grid_argmin(bound, **SMALL, K=[1e2, 1e4, 1e6], over=("b", "eta"), backend=backend)
    data = best.to_xarray()
    assert dict(data.sizes) == {"bound_0": 2, "K": 3, "alpha": 3}
    assert set(data.coords) == {"K", "alpha"}
    assert set(data.data_vars) == {"risk", "eta", "b", "T", "at_edge", "b_index", "eta_index"}
    assert data["risk"].dims == ("bound_0", "K", "alpha")
    assert np.array_equal(data["risk"], best.risk)
    assert np.array_equal(data["b_index"], best.index["b"])
    assert data["risk"].sel(K=1e4, alpha=0.1, bound_0=1).item() == best.risk[1, 1, 1]
    assert data.attrs == {"configs": 2 * 3 * 84, "method": "pruned", "backend": backend}


# ---- bad input ---------------------------------------------------------------------------

NOT_POSITIVE = [0.0, -1.0, np.nan, np.inf, -np.inf]


@pytest.mark.parametrize("name", ["eta", "alpha", "b", "T", "K"])
@pytest.mark.parametrize("value", NOT_POSITIVE)
def test_bad_value_on_an_axis_is_named_by_its_first_index(name, value):
    arguments = {"eta": 0.1, "alpha": 0.5, "b": 1.0, "K" if name == "K" else "T": 10.0}
    expected = r"in \(0, 1\]" if name == "alpha" else "positive and finite"
    text = rf"{expected}, got {value!r}$"
    with pytest.raises(ValueError, match=rf"^{name}\[2\] must be {text}"):
        grid_argmin(Bound.proxy(), **(arguments | {name: [0.5, 0.25, value, -7.0]}))
    with pytest.raises(ValueError, match=rf"^{name}(\[0\])? must be {text}"):
        grid_argmin(Bound.proxy(), **(arguments | {name: value}))


def test_alpha_above_1_is_named():
    with pytest.raises(
        ValueError, match=r"^alpha\[1\] must be in \(0, 1\], got 1\.0000000000000002$"
    ):
        grid_argmin(Bound.proxy(), 0.1, [1.0, 1 + 2.0**-52], 1, T=10)


@pytest.mark.parametrize("name", ["eta", "alpha", "b", "T", "K"])
def test_bad_axes_are_named(name):
    arguments = {"eta": 0.1, "alpha": 0.5, "b": 1.0, "K" if name == "K" else "T": 10.0}
    for value, error, message in (
        ([], ValueError, "at least one value, got an empty array"),
        ([[0.1, 0.2]], ValueError, r"a scalar or a 1-D array, got shape \(1, 2\)"),
        ([0.1, 1j], TypeError, "real numbers"),
        (["0.1"], TypeError, "real numbers"),
        (np.array([0.1], object), TypeError, "real numbers"),
    ):
        with pytest.raises(error, match=rf"^{name} must .*{message}"):
            grid_argmin(Bound.proxy(), **(arguments | {name: value}))


@pytest.mark.parametrize(("b", "K"), [([1.0, 1e200], [1.0, 1e200]), ([1.0, 1e-200], [1.0, 1e-200])])
def test_steps_whose_budget_leaves_the_range_of_doubles(b, K):
    """T = b*K is infinite or zero somewhere: there is no risk to compare."""
    with pytest.raises(ValueError, match="K"):
        grid_argmin(Bound.proxy(), 0.1, 0.5, b, K=K)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"over": ()}, ValueError, "^over must name at least one"),
        ({"over": ("eta", "T")}, ValueError, "^over may name .* got 'T'$"),
        ({"over": "momentum"}, ValueError, "^over may name .* got 'momentum'$"),
        ({"over": ("b", "b")}, ValueError, "^over must name each axis once"),
        ({"method": "fast"}, ValueError, "^method must be one of 'auto', .* got 'fast'$"),
        ({"method": None}, ValueError, "^method must be one of"),
        ({"backend": "torch"}, ValueError, "^backend must be one of .* got 'torch'$"),
        ({"threads": 0}, ValueError, "^threads must be at least 1, got 0$"),
        ({"threads": -2}, ValueError, "^threads must be at least 1, got -2$"),
        ({"threads": 1.5}, TypeError, "^threads must be a whole number, got 1.5$"),
        ({"threads": True}, TypeError, "^threads must be a whole number"),
        ({"progress": "yes"}, TypeError, "^progress must be a callable or a bool"),
        ({"K": 5.0}, ValueError, "^exactly one of T and K must be given, got both$"),
        ({"T": None}, ValueError, "^exactly one of T and K must be given, got neither$"),
    ],
)
def test_bad_options_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        grid_argmin(Bound.proxy(), **(SMALL | {"T": 100.0} | arguments))


# ---- progress ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_progress_is_told_how_far_it_got(backend, method):
    calls = []
    best = grid_argmin(
        Bound.proxy(), np.logspace(-6, 0, 300), np.logspace(-6, 0, 300), np.arange(1.0, 301.0),
        T=np.logspace(3, 9, 20), method=method, backend=backend,
        progress=lambda done, total: calls.append((done, total)),
    )  # fmt: skip
    done = [d for d, _ in calls]
    assert all(type(d) is int and type(t) is int for d, t in calls)
    assert {t for _, t in calls} == {best.configs} == {20 * 300**3}
    assert done == sorted(done)
    assert done[0] >= 0
    assert done[-1] == best.configs


def test_progress_bar(backend, capsys):
    pytest.importorskip("rich")
    best = grid_argmin(Bound.proxy(), **SMALL, T=1e4, backend=backend, progress=True)
    assert "84 configurations" in capsys.readouterr().out
    assert best.risk.tobytes() == grid_argmin(Bound.proxy(), **SMALL, T=1e4).risk.tobytes()
    grid_argmin(Bound.proxy(), **SMALL, T=1e4, backend=backend, progress=False)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("method", METHODS)
def test_an_exception_in_progress_comes_through(backend, method):
    def fail(done, total):
        raise LookupError("stop here")

    with pytest.raises(LookupError, match="stop here"):
        grid_argmin(Bound.proxy(), **SMALL, T=1e4, method=method, backend=backend, progress=fail)
    assert grid_argmin(Bound.proxy(), **SMALL, T=1e4, backend=backend).configs == 84
