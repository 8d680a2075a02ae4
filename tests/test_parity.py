"""The native, the Numba and the CUDA backend, and every instruction set: the same bits.

Nothing here says that a value is right, only that it does not depend on what
computed it; the other files compare values with independent oracles.
"""

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hplaws
from hplaws import _backend

MISSING = [name for name in ("native", "numba") if name not in _backend.available()]
needs_both = pytest.mark.skipif(bool(MISSING), reason=f"no {' and no '.join(MISSING)} backend")

ORDINARY = [1e-9, 0.25, 0.999, 1.0, 1.5, 3.0, 1e9]
EXTREME = [5e-324, 1e-310, 2.3e-308, 1e-300, 1e-160, 1e160, 1e300, 1.7e308]
OUTSIDE = [0.0, -0.0, -1.0, -1e-310, np.inf, -np.inf, np.nan]
AWKWARD = np.array([*ORDINARY, *EXTREME, *OUTSIDE])
pytestmark = pytest.mark.usefixtures("cuda")
SUBSETS = [s for r in (1, 2, 3) for s in itertools.combinations(("alpha", "b", "eta"), r)]


def bits(array):
    """The array's bits; NaN, whose sign the standard leaves open, as one pattern."""
    array = np.asarray(array)
    if array.dtype != np.float64:
        return array
    return np.where(np.isnan(array), np.nan, array).view(np.int64)


def assert_same_bits(x, y):
    np.testing.assert_array_equal(bits(x), bits(y))


# ---- element-wise ------------------------------------------------------------------

KERNELS = {  # name: numbers of arguments after the bound's coefficients, and of results
    "risk": (4, 1),
    "theorem1_tokens": (2, 6),
    "theorem1_steps": (3, 6),
    "theorem2": (2, 6),
    "theorem3": (1, 6),
    "theorem3_asymptotic": (2, 6),
}
CUBICS = {"positive_cubic_root": (3, 1), "cubic_roots": (4, 3)}
BOX = {"eta": (-12, 4), "alpha": (-8, 0), "b": (0, 9)}  # decades a limit is drawn from
OPEN = {"eta": (0.0, np.inf), "alpha": (0.0, 1.0), "b": (1.0, 1e9)}


def coefficient_columns(rng, n, q):
    magnitude = 10.0 ** rng.uniform(-4, 4, (6, n))
    magnitude[rng.random((6, n)) < 0.15] = 0.0
    huge = rng.random((6, n)) < 0.05
    magnitude[huge] = 10.0 ** rng.uniform(-320, 308, huge.sum())
    return [*magnitude, np.broadcast_to(q, n)]


def both(kernel, inputs, results):
    """What the native and the Numba backend give, after a look at the CUDA backend's."""
    shape = np.broadcast_shapes(*(a.shape for a in inputs))
    outputs = []
    for name in ("native", "numba", "cuda"):
        # A last axis interleaves the results, as cubic_roots does.
        result = np.empty((*shape, results))
        columns = tuple(result[..., k] for k in range(results))
        _backend.get(name).elementwise(kernel, tuple(inputs), columns)
        outputs.append(result)
    native, numba, cuda = outputs
    assert_same_bits(cuda, native)
    return native, numba


@needs_both
@pytest.mark.parametrize("q", [0.3, 0.5, 1.0, "mixed"])
@pytest.mark.parametrize("kernel", KERNELS)
def test_bound_kernels(kernel, q):
    n = 20_000
    rng = np.random.default_rng(3)
    arguments, results = KERNELS[kernel]
    q = rng.choice([0.2, 0.3, 0.5, 1.0], n) if q == "mixed" else q
    inputs = coefficient_columns(rng, n, q)
    for _ in range(arguments):
        column = 10.0 ** rng.uniform(-12, 12, n)
        column[: n // 2] = rng.choice(AWKWARD, n // 2)
        inputs.append(column)
    if kernel == "theorem3_asymptotic":
        inputs[-1] = rng.integers(0, 2, n).astype(float)
    native, numba = both(kernel, inputs, results)
    assert np.isfinite(native).any()
    assert_same_bits(native, numba)


@pytest.mark.skipif("native" in MISSING, reason="no native core")
@pytest.mark.parametrize("q", [0.3, 0.5, 1.0])
def test_risk_does_not_depend_on_the_company(q):
    """The core first tries without guards against overflow, and takes whole chunks again
    where one result is not finite: each point alone must come out as it does there."""
    n = 10_000
    rng = np.random.default_rng(4)
    inputs = coefficient_columns(rng, n, q)
    inputs += [rng.choice(AWKWARD[AWKWARD > 0], n) for _ in range(4)]
    inputs[8] = np.minimum(inputs[8], 1.0)
    risk = _backend.get("native").elementwise
    among_others, alone = np.empty((2, n))
    risk("risk", tuple(inputs), (among_others,))
    for k in range(n):
        risk("risk", tuple(column[k : k + 1] for column in inputs), (alone[k : k + 1],))
    assert 0.2 < np.isfinite(among_others).mean() < 0.8
    assert_same_bits(among_others, alone)


@needs_both
@pytest.mark.parametrize("q", [0.3, 0.5, 1.0])
def test_optimum(q):
    """Boxes closed, open and fixed; a quarter are empty, or an argument is out of its domain."""
    n = 10_000
    rng = np.random.default_rng(9)
    T = 10.0 ** rng.uniform(0, 20, n)
    columns = [T]
    for name, decades in BOX.items():
        limits = np.sort(10.0 ** rng.uniform(*decades, (2, n)), axis=0)
        opened, fixed = rng.random((2, n)) < [[0.5], [0.1]]
        limits[:, opened] = np.transpose([OPEN[name]])
        limits[1, fixed] = limits[0, fixed]
        columns += list(limits)
    columns.append(rng.choice([0.0, 1.0, 7.5, 8.0, 1e4], n))
    for column in columns:
        bad = rng.random(n) < 0.03
        column[bad] = rng.choice(AWKWARD, bad.sum())
    native, numba = both("optimum", [*coefficient_columns(rng, n, q), *columns], 9)
    assert 0.5 * n < np.isfinite(native).all(axis=-1).sum() < 0.9 * n
    assert_same_bits(native, numba)


@needs_both
def test_stability_spectrum():
    rng = np.random.default_rng(10)
    inputs = [np.concatenate([AWKWARD, 10.0 ** rng.uniform(-3, 3, 14)]) for _ in range(4)]
    inputs[1] = inputs[1] * rng.choice([-1.0, 1.0], inputs[1].size)
    native, numba = both("stability_spectrum", np.ix_(*inputs), 4)
    assert np.isfinite(native).any()
    assert_same_bits(native, numba)


@needs_both
@pytest.mark.parametrize("kernel", CUBICS)
def test_cubic_kernels(kernel):
    rng = np.random.default_rng(4)
    n = 20_000
    arguments, results = CUBICS[kernel]
    ordinary = rng.choice([-1.0, 1.0], (arguments, n)) * 10.0 ** rng.uniform(-6, 6, (arguments, n))
    extreme = rng.choice([-1.0, 1.0], (arguments, n)) * 10.0 ** rng.uniform(
        -320, 308, (arguments, n)
    )
    small_integers = rng.integers(-9, 10, (arguments, n)).astype(float)  # double and triple roots
    # (x - r)^2 (x - s) exactly: a discriminant that is zero but not as computed.
    r, s = rng.integers(-(2**16), 2**16, (2, n)).astype(float)
    doubled = np.stack([np.ones(n), -s - 2 * r, r * r + 2 * r * s, -r * r * s])[:arguments]
    inputs = np.concatenate([ordinary, extreme, small_integers, doubled], axis=1)
    if kernel == "positive_cubic_root":
        inputs = np.abs(inputs)
    mesh = np.meshgrid(*[AWKWARD] * arguments)
    inputs = [np.concatenate([i, m.ravel()[:20_000]]) for i, m in zip(inputs, mesh, strict=True)]
    native, numba = both(kernel, inputs, results)
    assert np.isfinite(native).any()
    assert_same_bits(native, numba)


@needs_both
def test_strides_and_broadcasting():
    rng = np.random.default_rng(5)
    a = rng.random((40, 60, 30)).transpose(2, 0, 1)[::-1, ::2]
    b = np.asfortranarray(rng.random((20, 60)))
    c = np.asarray(1.5)
    assert_same_bits(*both("positive_cubic_root", (a, b, c), 1))


# ---- grid --------------------------------------------------------------------------


def random_axes(rng, trial):
    """Four axes: sorted, unsorted, or rounded so that values repeat."""
    n = rng.integers(1, 9, 4)
    powers = [(-8, 2), (-6, 0), (0, 6), (2, 16)]
    eta, alpha, b, budget = (
        10.0 ** rng.uniform(lo, hi, k) for (lo, hi), k in zip(powers, n, strict=True)
    )
    if trial % 3 == 0:
        eta, alpha, b = np.sort(eta), np.sort(alpha), np.sort(b)
    elif trial % 3 == 1:
        eta, alpha, b = eta.round(2) + 0.01, alpha.round(1) * 0.9 + 0.1, b.round(-4) + 1.0
    return eta, alpha, b, budget


def random_bound(rng, scale=1.0):
    shape = rng.choice([1, 3])
    fields = [scale * rng.choice([0.0, 1.0, 10 ** rng.uniform(-3, 3)], shape) for _ in range(4)]
    return hplaws.Bound(
        *fields,
        burn_in=rng.choice([0.0, 0.3, 1.0]),
        init_error=scale * rng.choice([0.0, 0.7]),
        q=rng.choice([0.3, 0.5, 1.0], shape),
    )


def assert_same_grid(x, y):
    for name in ("risk", "eta", "alpha", "b", "T", "K", "at_edge"):
        assert_same_bits(getattr(x, name), getattr(y, name))
    assert x.index.keys() == y.index.keys()
    for name in x.index:
        np.testing.assert_array_equal(x.index[name], y.index[name])


@needs_both
@pytest.mark.parametrize("scale", [1.0, 1e-300, 1e300])
@pytest.mark.parametrize("budget", ["T", "K"])
@pytest.mark.parametrize("over", SUBSETS)
def test_grid(over, budget, scale):
    rng = np.random.default_rng(6)
    for trial in range(12):
        bound = random_bound(rng, scale)
        eta, alpha, b, values = random_axes(rng, trial)
        for method in ("dense", "pruned"):
            results = [
                hplaws.grid_argmin(
                    bound, eta, alpha, b, **{budget: values}, over=over, method=method,
                    threads=1, backend=backend,
                )
                for backend in ("native", "numba")
            ]  # fmt: skip
            assert_same_grid(*results)


@needs_both
@pytest.mark.parametrize("over", SUBSETS)
def test_axes_on_which_no_term_depends(over):
    """Each coefficient alone, and none: the first element of an unsorted axis wins."""
    *fields, init_error = np.eye(5, 6)
    bound = hplaws.Bound(*fields, burn_in=0.0, init_error=init_error)
    rng = np.random.default_rng(11)
    eta, alpha, b = (rng.permutation(10.0 ** rng.uniform(lo, hi, 9)) for lo, hi in BOX.values())
    results = [
        hplaws.grid_argmin(bound, eta, alpha, b, [1e3, 1e9], over=over, backend=backend)
        for backend in ("native", "numba")
    ]
    assert_same_grid(*results)


@needs_both
@pytest.mark.parametrize("method", ["dense", "pruned"])
@pytest.mark.parametrize("over", SUBSETS)
def test_large_grid_on_one_and_two_threads(over, method):
    """Large enough to be cut along every axis, and to be given to both threads."""
    rng = np.random.default_rng(7)
    eta = 10.0 ** rng.uniform(-6, 2, 1500)
    alpha = 10.0 ** rng.uniform(-6, 0, 41)
    b = rng.integers(1, 300, 350).astype(float)
    T = np.array([1e5, 1e9])
    if method == "pruned" and over != ("alpha", "b", "eta"):
        eta, b = eta[:90], b[:40]
    results = [
        hplaws.grid_argmin(
            hplaws.Bound.proxy(), eta, alpha, b, T, over=over, method=method, threads=threads,
            backend=backend,
        )
        for backend, threads in (("native", 2), ("numba", 1), ("numba", 2))
    ]  # fmt: skip
    assert_same_grid(results[0], results[1])
    assert_same_grid(results[1], results[2])


@needs_both
def test_bounds_that_pruning_does_not_fit_beside_some_that_it_does():
    bound = hplaws.Bound(descent=[1.0, 1e300, 1.0], noise=1.0, drift=[1.0, 1.0, 1e-305], lag=1.0)
    axes = np.logspace(-3, 0, 9), np.logspace(-2, 0, 7), np.logspace(0, 3, 8)
    for over in SUBSETS:
        for T in ([1e3, 1e6], [1e-280, 1e3]):
            results = [
                hplaws.grid_argmin(bound, *axes, T, over=over, method="pruned", backend=backend)
                for backend in ("native", "numba")
            ]
            assert_same_grid(*results)


@needs_both
@pytest.mark.parametrize("method", ["dense", "pruned"])
def test_progress_is_the_covered_fraction_and_ends_at_one(method):
    grid = np.logspace(-4, 0, 300)
    seen = []
    result = hplaws.grid_argmin(
        hplaws.Bound.proxy(), grid, grid, 1.0 / grid, np.logspace(3, 9, 7), method=method,
        backend="numba", threads=2, progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert seen == sorted(seen)
    assert seen[-1] == (result.configs, result.configs)


@needs_both
@pytest.mark.parametrize("method", ["dense", "pruned"])
def test_an_exception_in_progress_ends_the_call(method):
    def refuse(done, total):
        raise RuntimeError("enough")

    grid = np.logspace(-4, 0, 50)
    with pytest.raises(RuntimeError, match="enough"):
        hplaws.grid_argmin(
            hplaws.Bound.proxy(), grid, grid, 1.0 / grid, 1e6, method=method, backend="numba",
            threads=2, progress=refuse,
        )  # fmt: skip


# ---- instruction sets --------------------------------------------------------------

WORKLOAD = """
import hashlib
import itertools
import numpy as np
import hplaws
from hplaws import _backend

rng = np.random.default_rng(8)
digest = hashlib.sha256()
bound = hplaws.Bound(*10.0 ** rng.uniform(-3, 3, (4, 3)), init_error=0.5, q=[0.3, 0.5, 1.0])


def add(*arrays):
    for a in arrays:
        digest.update(np.where(np.isnan(a), np.nan, a).tobytes())


n = 3001
column = lambda lo, hi: 10.0 ** rng.uniform(lo, hi, (n, 1))
add(hplaws.risk(bound, column(-9, 3), column(-9, 0), column(0, 9), T=column(0, 20)))
for kernel, inputs, results in (
    ("theorem1_tokens", 2, 6), ("theorem1_steps", 3, 6), ("theorem2", 2, 6), ("theorem3", 1, 6),
    ("theorem3_asymptotic", 2, 6),
):
    outputs = tuple(np.empty((n, 3)) for _ in range(results))
    inputs = (*bound._arrays.values(), *(column(-3, 9) for _ in range(inputs)))
    _backend.get().elementwise(kernel, inputs, outputs)
    add(*outputs)
inputs = tuple(column(-3, 3) for _ in range(4))
outputs = tuple(np.empty((n, 1)) for _ in range(4))
_backend.get().elementwise("stability_spectrum", inputs, outputs)
add(*outputs)
eta, alpha = (column(-9, -4), column(-4, 1)), (column(-6, -3), column(-3, 0))
for multiple in (None, 8):
    o = hplaws.optimum(bound, column(4, 16), eta=eta, alpha=alpha, batch_multiple=multiple)
    add(o.eta, o.alpha, o.b, o.K, o.risk, *o.active.values())
a, b, c, d = (rng.normal(size=n) * 10.0 ** rng.uniform(-200, 200, n) for _ in range(4))
add(hplaws.positive_cubic_root(abs(a), abs(b), abs(c)), hplaws.cubic_roots(a, b, c, d))
eta, alpha = 10.0 ** rng.uniform(-6, 2, 203), 10.0 ** rng.uniform(-6, 0, 31)
b = np.arange(1.0, 68.0)
names = ("alpha", "b", "eta")
for over in (*names, *itertools.combinations(names, 2), names):
    for method in ("dense", "pruned"):
        for budget in ("T", "K"):
            r = hplaws.grid_argmin(
                bound, eta, alpha, b, **{budget: [1e4, 1e9]}, over=over, method=method
            )
            add(r.risk, r.eta, r.alpha, r.b, *r.index.values(), r.at_edge)
print(digest.hexdigest())
"""


def test_every_instruction_set_gives_the_same_bits(capsys):
    supported = hplaws.show_config()["isas_supported"]
    capsys.readouterr()
    if not supported:
        pytest.skip("hplaws was built without its native core (no C++ compiler)")
    settings = [{"HPLAWS_BACKEND": "native", "HPLAWS_ISA": isa} for isa in supported]
    if "numba" in _backend.available():
        settings.append({"HPLAWS_BACKEND": "numba"})
    digests = {}
    for setting in settings:
        run = subprocess.run(
            [sys.executable, "-W", "error", "-c", WORKLOAD],
            env={**os.environ, **setting},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        digests["/".join(setting.values())] = run.stdout
    assert len(set(digests.values())) == 1, digests


# ---- what Numba keeps on disk --------------------------------------------------------

ONE_KERNEL = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from hplaws._backend.numba_kernels import loops

result = np.empty(1)
loops.inverse_rates(np.array([4.0]), result)
print(result[0], "compiled" if loops.inverse_rates.stats.cache_misses else "kept")
"""


@pytest.mark.skipif("numba" not in _backend.available(), reason="no numba backend")
def test_a_changed_formula_is_compiled_anew(python, tmp_path):
    """Also where the file of the loop that calls it has not changed."""
    package = Path(hplaws.__file__).parent
    shutil.copytree(package, tmp_path / "hplaws", ignore=shutil.ignore_patterns("__pycache__"))

    def run():
        done = python(ONE_KERNEL, str(tmp_path), NUMBA_CACHE_DIR=str(tmp_path / "kept"))
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run() == "0.25 compiled\n"
    assert run() == "0.25 kept\n"
    exact = tmp_path / "hplaws/_backend/numba_kernels/exact.py"
    exact.write_text(exact.read_text().replace("r = 1.0 / x", "r = 3.0 / x"))
    assert run() == "0.75 compiled\n"
