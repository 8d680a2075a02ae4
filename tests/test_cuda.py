"""Device arrays, and what only the CUDA backend does.

On a device with CuPy where there is one, else emulated: see emulated_cuda.py and
emulated_cupy.py. That the kernels' bits are those of the other backends is asked by every
test that has a `backend`; here it is asked of grids chosen for the kernels' tiles.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import emulated_cuda
import emulated_cupy
import hplaws
from hplaws import Bound, grid_argmin, optimum, risk, theorem1, theorem2, theorem3

AXES = ("alpha", "b", "eta")
SUBSETS = [over for n in (1, 2, 3) for over in itertools.combinations(AXES, n)]


@pytest.fixture
def cupy(cuda: bool, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """CuPy, or its stand-in on the emulated device."""
    if cuda:
        yield pytest.importorskip("cupy", reason="CuPy is not installed")
        return
    monkeypatch.setitem(sys.modules, "cupy", emulated_cupy)
    yield emulated_cupy


def host(x: Any) -> Any:
    return x.get() if hasattr(x, "get") else x


def same_bits(one: Any, other: Any) -> bool:
    one, other = np.asarray(host(one)), np.asarray(host(other))
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return one.tobytes() == other.tobytes()


def points(n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(n)
    return {
        "eta": 10 ** rng.uniform(-9, 1, n),
        "alpha": 10 ** rng.uniform(-6, 0, n),
        "b": 10 ** rng.uniform(0, 6, n),
        "T": 10 ** rng.uniform(3, 20, n),
    }


BOUND = Bound(descent=1.5, noise=2.0, drift=3.5, lag=2.0, init_error=0.25, q=0.4)

# ---- device arrays in, device arrays out ----------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 127, 128, 129, 256, 257, 1000])
@pytest.mark.parametrize("q", [0.5, 0.4])
def test_risk_of_device_arrays(cupy: Any, n: int, q: float) -> None:
    here = points(n)
    there = {name: cupy.array(x) for name, x in here.items()}
    bound = BOUND.with_noise_exponent(q)
    result = risk(bound, **there)
    assert isinstance(result, cupy.ndarray)
    assert same_bits(result, risk(bound, **here))
    steps = there.pop("T"), here.pop("T")
    assert same_bits(risk(bound, **there, K=steps[0]), risk(bound, **here, K=steps[1]))


def test_every_solver_takes_device_arrays(cupy: Any) -> None:
    here = points(50)
    there = {name: cupy.array(x) for name, x in here.items()}
    plain = Bound(descent=1.5, noise=2.0, drift=3.5, lag=2.0)

    def call(x: dict[str, Any]) -> list[Any]:
        return [
            theorem1(plain, alpha=x["alpha"], T=x["T"]),
            theorem1(plain, alpha=x["alpha"], K=x["T"], b=x["b"]),
            theorem2(plain, b=x["b"], T=x["T"]),
            theorem3(plain, T=x["T"]),
            hplaws.theorem3_asymptotic(plain, T=x["T"], order=1),
            optimum(BOUND, x["T"]),
            optimum(plain, x["T"], alpha=x["alpha"], b=(1, x["b"]), batch_multiple=8),
            optimum(plain, x["T"], eta=(None, x["eta"]), batch_multiple=x["b"]),
            hplaws.positive_cubic_root(x["eta"], x["b"], x["T"]),
            hplaws.cubic_roots(x["eta"], x["b"], x["alpha"], x["T"]),
        ]

    for one, other in zip(call(there), call(here), strict=True):
        if not dataclasses.is_dataclass(one):
            assert isinstance(one, cupy.ndarray)
            assert same_bits(one, other)
            continue
        for field in dataclasses.fields(one):
            mine, theirs = getattr(one, field.name), getattr(other, field.name)
            pairs = [(mine, theirs)] if not isinstance(mine, dict) else zip(
                mine.values(), theirs.values(), strict=True
            )  # fmt: skip
            for a, b in pairs:
                assert isinstance(a, cupy.ndarray), field.name
                assert same_bits(a, b), field.name


def test_results_on_the_device_compare_by_value(cupy: Any) -> None:
    T = cupy.array([1e9, -1.0])
    assert theorem3(Bound.proxy(), T=T) == theorem3(Bound.proxy(), T=T.copy())
    assert theorem3(Bound.proxy(), T=T) != theorem3(Bound.proxy(), T=cupy.array([2e9, -1.0]))


@pytest.mark.parametrize("q", [0.5, 0.4])
def test_broadcasting_and_strides(cupy: Any, q: float) -> None:
    bound = BOUND.with_noise_exponent(q)
    rng = np.random.default_rng(1)
    block = 10 ** rng.uniform(-6, 0, (9, 8, 7, 3))
    there = cupy.array(block)

    def arguments(x: Any) -> dict[str, Any]:
        return {
            "eta": x[::-1, :, ::2, 1],
            "alpha": x[0, ::-1, :1, 0],
            "b": x[:, :1, ::2, 2],
            "T": x[3, 4, 5, 0],
        }

    assert same_bits(risk(bound, **arguments(there)), risk(bound, **arguments(block)))
    mesh = [axis.reshape([-1 if d == k else 1 for d in range(4)])
            for k, axis in enumerate(10 ** rng.uniform(0, 3, (4, 5)))]  # fmt: skip
    mesh[1] = mesh[1] / 1e3
    result = risk(bound, mesh[0], mesh[1], mesh[2], T=mesh[3])
    eta, alpha, b, T = map(cupy.array, mesh)
    assert same_bits(risk(bound, eta, alpha, b, T=T), result)
    line, there = block[0, 0], cupy.array(block[0, 0])
    for lie in (slice(None, None, -1), slice(None, None, 2)):
        result = risk(bound, line[lie, 0], 0.5, line[lie, 1], T=line[lie, 2])
        found = risk(bound, there[lie, 0], 0.5, there[lie, 1], T=there[lie, 2])
        assert same_bits(found, result)


def test_many_axes(cupy: Any) -> None:
    """Those that all arguments run through like one count as one."""
    eta = points(2**14)["eta"].reshape((2,) * 14)
    assert same_bits(risk(BOUND, cupy.array(eta), 0.5, 4, T=1e4), risk(BOUND, eta, 0.5, 4, T=1e4))
    # Every second axis lacks in alpha, so that none merges with its neighbour.
    alpha = cupy.array(np.full((2, 1) * 7, 0.5))
    with pytest.raises(ValueError, match="more than 12 axes that do not merge"):
        risk(BOUND, cupy.array(eta), alpha, 4, T=1e4)


def test_scalars_of_the_host_and_of_the_device(cupy: Any) -> None:
    expected = risk(BOUND, 0.1, 0.5, 4.0, T=1e4)
    for T in (cupy.array(1e4), cupy.array([1e4])):
        result = risk(BOUND, 0.1, np.float64(0.5), 4, T=T)
        assert isinstance(result, cupy.ndarray)
        assert result.shape == T.shape
        assert same_bits(result, np.full(T.shape, expected))


def test_dtypes_of_the_device(cupy: Any) -> None:
    assert same_bits(
        risk(BOUND, 0.1, 0.5, cupy.array([3, 4]), T=1e4),
        risk(BOUND, 0.1, 0.5, np.array([3, 4]), T=1e4),
    )
    assert same_bits(
        risk(BOUND, 0.1, 0.5, cupy.array([3.3], np.float32), T=1e4),
        risk(BOUND, 0.1, 0.5, np.array([3.3], np.float32), T=1e4),
    )
    for bad in (cupy.array([1j]), cupy.array([True])):
        with pytest.raises(TypeError, match=r"^b must be real numbers"):
            risk(BOUND, 0.1, 0.5, bad, T=1e4)


def test_bad_elements_of_a_device_array_are_nan(cupy: Any) -> None:
    bad = np.array([0.5, 0.0, -1.0, 1.5, np.nan, np.inf])
    found = host(risk(BOUND, 0.1, cupy.array(bad), 4, T=1e4))
    assert list(np.isnan(found)) == [False] + [True] * 5


def test_out_on_the_device(cupy: Any) -> None:
    here = points(300)
    there = {name: cupy.array(x) for name, x in here.items()}
    expected = risk(BOUND, **here)
    out = cupy.empty(300)
    assert risk(BOUND, **there, out=out) is out
    assert same_bits(out, expected)
    for bound in (BOUND, Bound.proxy()):
        strided = cupy.empty((300, 2))
        risk(bound, **there, out=strided[:, 1])
        assert same_bits(strided[:, 1].copy(), risk(bound, **here))
    # Writing over an input that is read in another order.
    eta = there["eta"][::-1]
    risk(BOUND, eta, there["alpha"], there["b"], T=there["T"], out=there["eta"])
    again = risk(BOUND, here["eta"][::-1], here["alpha"], here["b"], T=here["T"])
    assert same_bits(there["eta"], again)
    with pytest.raises(ValueError, match=r"^out must have the broadcast shape"):
        risk(BOUND, **there, out=cupy.empty(299))
    with pytest.raises(TypeError, match=r"^out must have dtype float64"):
        risk(BOUND, **there, out=cupy.empty(300, np.float32))


class Foreign:
    """A device array of another library, by the array interface."""

    def __init__(self, array: Any) -> None:
        self.__cuda_array_interface__ = dict(array.__cuda_array_interface__)
        data = self.__cuda_array_interface__["data"]
        self.__cuda_array_interface__["data"] = (data[0], True)
        self.owner = array


def test_arrays_of_other_libraries(cupy: Any) -> None:
    there = cupy.array([0.1, 0.2])
    result = risk(BOUND, Foreign(there), 0.5, 4, T=1e4)
    assert isinstance(result, cupy.ndarray)
    assert same_bits(result, risk(BOUND, np.array([0.1, 0.2]), 0.5, 4, T=1e4))


class Exported:
    """A device array of another library, by DLPack alone."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()

    def __dlpack__(self, **options: Any) -> Any:
        assert options["stream"] is not None  # whom the array's maker waits for
        return self.array.__dlpack__(**options)


def test_arrays_by_dlpack(cupy: Any) -> None:
    result = risk(BOUND, Exported(cupy.array([0.1, 0.2])), 0.5, 4, T=1e4)
    assert same_bits(result, risk(BOUND, np.array([0.1, 0.2]), 0.5, 4, T=1e4))


# ---- nothing moves unasked --------------------------------------------------------------------


def test_host_and_device_arrays_do_not_mix(cupy: Any) -> None:
    there, here = cupy.array([0.1, 0.2]), np.array([4.0, 5.0])
    for budget in ({"T": 1e4}, {"K": 1e4}):
        with pytest.raises(TypeError, match=r"one place, got eta on CUDA device 0, b on the host"):
            risk(BOUND, there, 0.5, here, **budget)
    with pytest.raises(TypeError, match="one place"):
        risk(BOUND, 0.1, 0.5, there, K=here)
    with pytest.raises(TypeError, match="out on the host"):
        risk(BOUND, there, 0.5, 4, T=1e4, out=np.empty(2))
    with pytest.raises(TypeError, match="out on CUDA device 0"):
        risk(BOUND, 0.1, 0.5, here, T=1e4, out=cupy.empty(2))
    with pytest.raises(TypeError, match="one place"):
        grid_argmin(BOUND, there, 0.5, here, T=1e4)


def test_other_backends_do_not_take_device_arrays(cupy: Any) -> None:
    there = cupy.array([0.1, 0.2])
    for name in ("native", "numba"):
        with pytest.raises(TypeError, match=rf"^backend must be 'cuda'.*'{name}' and eta on CUDA"):
            risk(BOUND, there, 0.5, 4, T=1e4, backend=name)
    with pytest.raises(ValueError, match="backend must be one of"):
        risk(BOUND, there, 0.5, 4, T=1e4, backend="torch")


def test_what_lives_on_the_host_alone(cupy: Any) -> None:
    there = cupy.array([1.0, 2.0])
    with pytest.raises(TypeError, match=r"^noise must lie on the host here.*noise\.get\(\)"):
        Bound(1.0, there, 1.0, 1.0)
    with pytest.raises(TypeError, match="must lie on the host here"):
        hplaws.SGDBound(1.0, 1.0, 1.0).risk(there, 4, T=1e4)


def test_bootstrapped_bounds_go_to_the_device(cupy: Any) -> None:
    sigma = np.linspace(1, 3, 40)
    bounds = Bound(1.0, sigma[:, None], np.linspace(1, 2, 5), 1.0)
    eta, T = np.logspace(-3, 0, 5), np.logspace(3, 9, 5)
    found = risk(bounds, cupy.array(eta), 0.5, 4, T=cupy.array(T))
    assert same_bits(found, risk(bounds, eta, 0.5, 4, T=T))
    found = grid_argmin(bounds, cupy.array(eta), 0.5, 4, T=cupy.array(T))
    assert_same_winners(found, grid_argmin(bounds, eta, 0.5, 4, T=T))


def test_another_device_than_the_current_one(cupy: Any, cuda: bool) -> None:
    if cuda and cupy.cuda.runtime.getDeviceCount() < 2:
        pytest.skip("there is one device")
    here = points(200)
    with cupy.cuda.Device(1):
        there = {name: cupy.array(x) for name, x in here.items()}
        whole = cupy.array(np.arange(1, 201))
        axes = {name: cupy.array(x) for name, x in grid(20, 7, 30, 5).items()}
    results = [
        risk(BOUND, **there),
        risk(BOUND, there["eta"], there["alpha"], whole, K=there["T"]),
        risk(BOUND, there["eta"][::-1], there["alpha"], 4, T=1e9, out=there["eta"]),
        *vars(theorem3(Bound.proxy(), T=there["T"])).values(),
        *vars(optimum(BOUND, there["T"], b=(1, there["b"]), batch_multiple=whole)).values(),
    ]
    for K in ("K", "T"):
        axes[K] = axes.pop("T") if "T" in axes else axes.pop("K")
        best = vars(grid_argmin(BOUND, **axes, over="b"))
        results += [x for name, x in best.items() if name not in ("_dims", "_axes", "configs")]
    for result in results:
        for x in result.values() if isinstance(result, dict) else [result]:
            assert isinstance(x, (str, bool)) or x.device.id == 1


def test_the_current_stream(cupy: Any, cuda: bool, emulated_cuda_module: Any) -> None:
    T = cupy.array([1e9, 2e9])
    if cuda:
        expected = theorem3(Bound.proxy(), T=T)
        with cupy.cuda.Stream(non_blocking=True):
            assert theorem3(Bound.proxy(), T=T) == expected
        return
    theorem3(Bound.proxy(), T=T)
    assert emulated_cuda.launched_on(emulated_cuda_module) == (0, emulated_cupy.STREAM)
    grid_argmin(Bound.proxy(), [0.1], 0.5, [1.0], T=[1e9], backend="cuda")
    assert emulated_cuda.launched_on(emulated_cuda_module) == (0, 0)


def test_without_cupy(cuda: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(hplaws.BackendError, match=r"hplaws\[cuda\]"):
        risk(BOUND, Foreign(emulated_cupy.array([0.1])), 0.5, 4, T=1e4)


def test_numpy_arrays_on_the_device_if_asked(cuda: bool) -> None:
    here = points(300)
    result = risk(BOUND, **here, backend="cuda")
    assert isinstance(result, np.ndarray)
    assert same_bits(result, risk(BOUND, **here))
    strided = np.zeros((300, 2))
    risk(BOUND, **here, backend="cuda", out=strided[:, 1])
    assert same_bits(strided[:, 1].copy(), result)
    assert not strided[:, 0].any()
    assert type(risk(BOUND, 0.1, 0.5, 4, T=1e4, backend="cuda")) is float


# ---- grids -----------------------------------------------------------------------------------


def assert_same_winners(one: hplaws.GridArgmin, other: hplaws.GridArgmin) -> None:
    for name in ("risk", "eta", "alpha", "b", "T", "K", "at_edge"):
        assert same_bits(getattr(one, name), getattr(other, name)), name
    assert one.index.keys() == other.index.keys()
    for name, where in one.index.items():
        assert same_bits(where, other.index[name]), name
    assert (one.configs, one.method) == (other.configs, other.method)


def grid(n_eta: int, n_alpha: int, n_b: int, n_T: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Unsorted axes with repeats, around where the optimum lies."""
    rng = np.random.default_rng(seed)

    def axis(low: float, high: float, n: int) -> np.ndarray:
        values = np.concatenate([np.logspace(low, high, n - n // 4), np.zeros(n // 4)])
        values[n - n // 4 :] = rng.choice(values[: n - n // 4], n // 4)
        return rng.permutation(values)

    return {
        "eta": axis(-7, 0, n_eta), "alpha": axis(-4, 0, n_alpha),
        "b": axis(0, 4, n_b), "T": axis(3, 12, n_T),
    }  # fmt: skip


@pytest.mark.parametrize("over", SUBSETS, ids="-".join)
@pytest.mark.parametrize(
    "lengths",
    [
        pytest.param((5, 3, 4, 2), id="less than a tile"),
        pytest.param((130, 5, 129, 1), id="one row more than a tile"),
        pytest.param((40, 3, 700, 3), id="tiles that split a budget"),
        pytest.param((513, 2, 300, 1), id="one rate more than fits"),
        pytest.param((3, 300, 2, 5), id="many alphas"),
        pytest.param((1, 1, 2100, 2), id="one rate"),
    ],
)
@pytest.mark.parametrize("method", ["dense", "pruned"])
def test_grids_around_the_tiles(
    cuda: bool, over: tuple[str, ...], lengths: tuple[int, ...], method: str
) -> None:
    axes = grid(*lengths)
    bound = Bound(descent=[1.0, 2.0], noise=1.0, drift=[1.0, 0.0], lag=1.0, q=0.5)
    expected = grid_argmin(bound, **axes, over=over, method=method)
    found = grid_argmin(bound, **axes, over=over, method=method, backend="cuda")
    assert_same_winners(found, expected)


def test_grid_on_the_device(cupy: Any) -> None:
    axes = grid(20, 7, 30, 5)
    for over in SUBSETS:
        for name in ("T", "K"):
            here = dict(axes)
            here[name] = here.pop("T")
            expected = grid_argmin(BOUND, **here, over=over)
            there = {key: cupy.array(values) for key, values in here.items()}
            found = grid_argmin(BOUND, **there, over=over)
            assert isinstance(found.risk, cupy.ndarray)
            assert isinstance(found.K, cupy.ndarray)
            assert found.backend == "cuda"
            assert_same_winners(found, expected)


def test_grid_of_a_device_axis_and_scalars(cupy: Any) -> None:
    T = np.logspace(3, 9, 4)
    found = grid_argmin(BOUND, 0.1, 0.5, cupy.array([1.0, 8.0]), T=cupy.array(T), over="b")
    assert_same_winners(found, grid_argmin(BOUND, 0.1, 0.5, [1.0, 8.0], T=T, over="b"))
    with pytest.raises(ValueError, match=r"^b\[1\] must be positive and finite"):
        grid_argmin(BOUND, 0.1, 0.5, cupy.array([1.0, -8.0]), T=1e4)


@pytest.mark.parametrize("lengths", [(150, 4, 300, 2), (5, 900, 3, 2)])
def test_ties_go_to_the_first(cuda: bool, lengths: tuple[int, ...]) -> None:
    """Where nothing depends on two of the axes all values tie, between the rows of a tile,
    its alphas and its blocks."""
    flat = Bound(descent=0, noise=0, drift=1, lag=0, burn_in=0)
    axes = grid(*lengths)
    for method in ("dense", "pruned"):
        best = grid_argmin(flat, **axes, method=method, backend="cuda")
        assert not best.index["alpha"].any()
        assert not best.index["b"].any()
        assert (best.index["eta"] == np.argmin(axes["eta"])).all()


def test_values_at_the_ends_of_the_range(cuda: bool) -> None:
    """Infinite risks have a first configuration too, and the huge and the tiny an order."""
    huge = Bound(descent=1e300, noise=1e300, drift=1e300, lag=1e300)
    eta, alpha, b = [1e300, 1e-300, 1.0], [1e-300, 1.0], [1e300, 1e-300]
    for over in SUBSETS:
        for method in ("dense", "pruned"):
            call = {"eta": eta, "alpha": alpha, "b": b, "T": [1e-300, 1.0, 1e300], "over": over}
            expected = grid_argmin(huge, **call, method=method, backend="native")
            assert_same_winners(grid_argmin(huge, **call, method=method, backend="cuda"), expected)


def test_what_the_search_gives_up_is_evaluated_densely(cuda: bool) -> None:
    """Neighbouring doubles on all axes: nothing can be skipped within the margin."""
    near = 1 + np.arange(60) * 2.0**-52
    axes = {"eta": 1e-3 * near, "alpha": 0.01 * near, "b": 16 * near, "T": [1e6, 1e9]}
    expected = grid_argmin(BOUND, **axes, method="dense")
    found = grid_argmin(BOUND, **axes, method="pruned", backend="cuda")
    assert same_bits(found.risk, expected.risk)
    assert all(same_bits(found.index[name], expected.index[name]) for name in AXES)


def test_more_than_32_bits_of_configurations(cuda: bool) -> None:
    axes = {"eta": np.logspace(-9, 0, 3000), "alpha": np.logspace(-6, 0, 1500),
            "b": np.logspace(0, 6, 1000), "T": [1e12]}  # fmt: skip
    found = grid_argmin(Bound.proxy(), **axes, backend="cuda")
    assert found.configs > 2**32
    assert_same_winners(found, grid_argmin(Bound.proxy(), **axes))


@pytest.mark.parametrize("method", ["dense", "pruned"])
def test_progress_and_interruption(cuda: bool, method: str) -> None:
    axes = grid(50, 5, 60, 3)
    seen: list[tuple[int, int]] = []

    def note(*progress: int) -> None:
        seen.append(progress)

    grid_argmin(BOUND, **axes, method=method, backend="cuda", progress=note)
    total = 50 * 5 * 60 * 3
    assert seen == sorted(seen)
    assert seen[-1] == (total, total)

    def stop(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grid_argmin(BOUND, **axes, method=method, backend="cuda", progress=stop)


# ---- what can go wrong -------------------------------------------------------------------------


def test_out_of_memory_is_a_memory_error(cuda: bool) -> None:
    core = hplaws._backend.cuda_module().core
    with pytest.raises(MemoryError, match=r"no \d+ bytes .* on the CUDA device: \d+ bytes"):
        core.HostCopy(2**50, 0, 0)
    if cuda:
        return
    with pytest.raises(MemoryError, match="on the CUDA device"):
        risk(BOUND, np.full(2**26 + 2**25, 0.1), 0.5, 4, T=1e4, backend="cuda")
    # What had been taken was given back: not both fit.
    assert risk(BOUND, np.full(2**25, 0.1), 0.5, 4, T=1e4, backend="cuda").size == 2**25


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_is_told(cuda: bool) -> None:
    risk(BOUND, np.full(3, 0.1), 0.5, 4, T=1e4, backend="cuda")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            risk(BOUND, np.full(3, 0.1), 0.5, 4, T=1e4, backend="cuda")
            said = "nothing"
        except hplaws.BackendError as error:
            said = str(error)
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        assert "forked after CUDA had started" in pipe.read()
    assert os.waitpid(child, 0)[1] == 0


def test_devices_are_listed(cuda: bool) -> None:
    info = hplaws.config.describe()
    assert info["devices"]
    assert info["cuda_compiler"]
