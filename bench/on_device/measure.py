"""Times hplaws and its peers on a CUDA device: measure.py FILE [--quick]

gpu.py calls it and turns FILE into a report. Every answer is checked before it is timed.
FILE is written again after each measurement, so that a run cut short has left something.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # the device's memory is shared here
sys.path.append(str(Path(__file__).resolve().parent.parent))

import cupy
import numpy as np
from device_peers import ARGMIN_PEERS, RISK_PEERS, Peer

import cases
import hplaws

ROUND = 0.02  # seconds that a round takes at least, by as many calls as that needs
PEER_LIMIT = 1.1e10  # configurations of one call of a peer


def rounds_of(call: Callable[[], Any], rounds: int) -> list[float]:
    """Seconds a call in each round, between two events on CuPy's current stream.

    What returns before it is done must run on that stream; for what waits, the events
    enclose the waiting.
    """
    start, stop = cupy.cuda.Event(), cupy.cuda.Event()

    def elapsed(calls: int) -> float:
        start.record()
        for _ in range(calls):
            call()
        stop.record()
        stop.synchronize()
        return float(cupy.cuda.get_elapsed_time(start, stop)) / 1e3 / calls

    warm = time.perf_counter() + 0.3
    first = [elapsed(1)]
    while len(first) < 3 or time.perf_counter() < warm:
        first.append(elapsed(1))
    calls = max(1, round(ROUND / min(first)))
    return [elapsed(calls) for _ in range(rounds)]


class Bench:
    def __init__(self, file: Path, quick: bool) -> None:
        self.file = file
        self.quick = quick
        self.rounds = 5 if quick else 20
        self.records: list[dict[str, Any]] = []
        self.failures: list[dict[str, str]] = []
        self.left_out: list[str] = []

    def write(self) -> None:
        data = {
            "device": device(),
            "records": self.records,
            "failures": self.failures,
            "left_out": self.left_out,
        }
        self.file.write_text(json.dumps(data, indent=1, allow_nan=False) + "\n", encoding="utf-8")

    def attempt(self, what: str, action: Callable[[], Any]) -> bool:
        """Whether it went well; otherwise what went wrong is kept, and the run goes on."""
        try:
            action()
        except Exception as error:
            said = "".join(traceback.format_exception_only(error)).strip()
            self.failures.append({"what": what, "error": said[-2000:]})
            print(f"FAILED {what}\n{traceback.format_exc()}", flush=True)
            return False
        finally:
            cupy.get_default_memory_pool().free_all_blocks()
            self.write()
        return True

    def measure(
        self,
        call: Callable[[], Any],
        *,
        kernel: str,
        case: str,
        contender: str,
        size: float,
        size_name: str,
        work: float,
        unit: str,
        check: Callable[[], Any] = lambda: None,
        **extra: float,
    ) -> None:
        def timed() -> None:
            check()
            seconds = rounds_of(call, self.rounds)
            low, _, high = quantiles(seconds, n=4)
            self.records.append(
                {
                    "kernel": kernel,
                    "case": case,
                    "contender": contender,
                    "size": size,
                    "size_name": size_name,
                    "work": work,
                    "unit": unit,
                    "median": median(seconds),
                    "iqr": high - low,
                    "rounds": len(seconds),
                    "extra": extra,
                }
            )
            rate = work / median(seconds)
            print(f"{kernel} | {case} | {contender}: {rate:.4g} {unit}/s", flush=True)

        self.attempt(f"{kernel} | {case} | {contender}", timed)


def device() -> dict[str, Any]:
    properties = cupy.cuda.runtime.getDeviceProperties(0)
    return {
        "name": properties["name"].decode(),
        "compute_capability": f"{properties['major']}.{properties['minor']}",
        "multiprocessors": properties["multiProcessorCount"],
        "l2_bytes": properties["l2CacheSize"],
        "memory_bytes": properties["totalGlobalMem"],
        "driver": cupy.cuda.runtime.driverGetVersion(),
        "runtime": cupy.cuda.runtime.runtimeGetVersion(),
    }


# ---- what no program can beat ------------------------------------------------------------

PEAKS = {
    "fma_min_high_word": "floor: fma + min of high words",
    "fma_min_high_words_in_pairs": "floor: fma + min of high words, two at once",
    "fma_min_bits": "fma + min of 64-bit integers",
    "fma_min_compare": "fma + compare and select",
    "fma_alone": "fma alone",
}


def peak(bench: Bench) -> None:
    code = Path(__file__).with_name("peak.cu").read_text(encoding="utf-8")
    module = cupy.RawModule(code=code, options=("--fmad=false", "-std=c++17"))
    threads, rounds = 128, 2_000 if bench.quick else 20_000
    blocks = 12 * device()["multiprocessors"]  # a multiple of all that fit at once
    out = cupy.empty(blocks * threads)
    pairs = 32 * rounds * blocks * threads
    for name, contender in PEAKS.items():
        function = module.get_function(name)

        def call(function: Any = function) -> None:
            arguments = (np.int32(rounds), np.float64(-1.0 + 2.0**-20), np.float64(1.0), out)
            function((blocks,), (threads,), arguments)

        def check(call: Any = call) -> None:
            call()
            assert 0.0 < float(out.min()) <= float(out.max()) < np.inf

        bench.measure(
            call,
            kernel="peak",
            case="registers",
            contender=contender,
            size=1,
            size_name="",
            work=pairs,
            unit="configurations",
            check=check,
        )


def copy_floor(bench: Bench, kernel: str, case: str, size: float, read_written: int) -> None:
    """The floor of `size` elements for which `read_written` bytes move each."""
    source = cupy.ones(int(size) * read_written // 16)
    target = cupy.empty_like(source)

    def copy() -> None:
        cupy.cuda.runtime.memcpyAsync(
            target.data.ptr, source.data.ptr, source.nbytes, 3, cupy.cuda.get_current_stream().ptr
        )

    bench.measure(
        copy,
        kernel=kernel,
        case=case,
        contender="floor: copying as many bytes",
        size=size,
        size_name="elements",
        work=size,
        unit="elements",
        bytes=2 * source.nbytes,
    )


# ---- brute force and pruned search -------------------------------------------------------


def on_device(axes: dict[str, Any]) -> dict[str, Any]:
    return {name: cupy.asarray(values) for name, values in axes.items()}


def as_numpy(found: hplaws.GridArgmin) -> tuple[Any, dict[str, Any]]:
    return cupy.asnumpy(found.risk), {n: cupy.asnumpy(i) for n, i in found.index.items()}


def check_ours(found: hplaws.GridArgmin, expected: hplaws.GridArgmin) -> None:
    """The exactness law: the same bits, the same indices."""
    risk, index = as_numpy(found)
    np.testing.assert_array_equal(risk, expected.risk)
    for axis, where in index.items():
        np.testing.assert_array_equal(where, expected.index[axis])


class Grid(NamedTuple):
    """A case of `kernel`: the paper's ranges, `points` an axis, at `budgets` values of T."""

    kernel: str
    case: str
    points: int
    budgets: int

    @property
    def axes(self) -> dict[str, Any]:
        return cases.grid(self.points, self.budgets)

    def measure(
        self, bench: Bench, contender: str, call: Callable[[], Any], check: Callable[[Any], Any]
    ) -> None:
        configs = self.budgets * self.points**3
        bench.measure(
            call,
            kernel=self.kernel,
            case=self.case,
            contender=contender,
            size=configs,
            size_name="configurations",
            work=configs,
            unit="configurations",
            check=lambda: check(call()),
        )

    def ours(self, bench: Bench, contender: str, axes: dict[str, Any], **options: Any) -> None:
        self.measure(
            bench,
            contender,
            lambda: hplaws.grid_argmin(cases.BOUND, **axes, **options),
            lambda found: check_ours(found, cases.argmin(self.points, self.budgets)),
        )

    def peer(self, bench: Bench, peer: Peer) -> None:
        library = peer.library
        axes = [library.arrays(self.axes[name]) for name in ("eta", "alpha", "b", "T")]

        def check(found: Any) -> None:
            risk_and_index = tuple(library.numpy(a) for a in found)
            cases.check_argmin(risk_and_index, self.points, self.budgets)

        self.measure(bench, peer.name, lambda: peer.call(cases.COEFFICIENTS, *axes), check)


GRIDS = [
    *(Grid("argmin", f"{n}^4", n, n) for n in (32, 100, 178, 316, 1000)),
    Grid("argmin, long rows", "10 T x 1000^3", 1000, 10),
]
QUICK_GRIDS = [
    Grid("argmin", "100^4", 100, 100),
    Grid("argmin, long rows", "10 T x 316^3", 316, 10),
]


def installed(bench: Bench, peers: tuple[Peer, ...]) -> list[Peer]:
    missing = {peer.package for peer in peers if peer.library.module is None}
    bench.left_out += sorted({f"{name}: not installed" for name in missing} - {*bench.left_out})
    return [peer for peer in peers if peer.package not in missing]


def dense(bench: Bench) -> None:
    peers = installed(bench, ARGMIN_PEERS)
    for grid in QUICK_GRIDS if bench.quick else GRIDS:
        options = {"method": "dense", "backend": "cuda"}
        grid.ours(bench, "hplaws dense", on_device(grid.axes), **options)
        grid.ours(bench, "hplaws dense, NumPy in and out", grid.axes, **options)
        if grid.budgets * grid.points**3 <= PEER_LIMIT:
            for peer in peers:
                grid.peer(bench, peer)


def pruned(bench: Bench) -> None:
    for points in (10, 100, 1000, 10_000, 100_000)[: 3 if bench.quick else 5]:
        grid = Grid("pruned argmin, 1000 budgets", f"{points} an axis", points, 1000)
        grid.ours(bench, "hplaws pruned", on_device(grid.axes), backend="cuda")
        grid.ours(bench, "hplaws pruned, NumPy in and out", grid.axes, backend="cuda")
        grid.ours(bench, "hplaws pruned, CPU", grid.axes, backend="native")


def over_eta(bench: Bench) -> None:
    points, budgets = (100, 10) if bench.quick else (1000, 100)
    case = f"{budgets} T x {points}^3"
    axes = on_device(cases.grid(points, budgets))
    few = {name: values[:: max(1, len(values) // 30)] for name, values in axes.items()}
    few["eta"] = axes["eta"]
    on_host = {name: cupy.asnumpy(values) for name, values in few.items()}
    expected = hplaws.grid_argmin(cases.BOUND, **on_host, over="eta", backend="native")
    found = hplaws.grid_argmin(cases.BOUND, **few, over="eta", backend="cuda")
    results = budgets * points**2
    fields = (found.risk, found.eta, found.index["eta"], found.K, found.at_edge)
    shape = (budgets, points, points)

    def write() -> list[Any]:
        return [cupy.full(shape, 1, field.dtype) for field in fields]

    def search(method: str) -> Callable[[], Any]:
        return lambda: hplaws.grid_argmin(
            cases.BOUND, **axes, over="eta", method=method, backend="cuda"
        )

    def check(method: str) -> Callable[[], Any]:
        return lambda: check_ours(
            hplaws.grid_argmin(cases.BOUND, **few, over="eta", method=method, backend="cuda"),
            expected,
        )

    calls: list[tuple[str, Callable[[], Any], Callable[[], Any]]] = [
        (f"hplaws {method}", search(method), check(method)) for method in ("pruned", "dense")
    ]
    calls.append(("floor: writing the output", write, lambda: None))
    for contender, call, checked in calls:
        bench.measure(
            call,
            kernel="argmin over eta alone",
            case=case,
            contender=contender,
            size=points,
            size_name="points an axis",
            work=results,
            unit="results",
            check=checked,
            bytes=results * sum(field.dtype.itemsize for field in fields),
        )


# ---- element by element ------------------------------------------------------------------

SAMPLE = 100_000  # elements compared with the CPU's, bit for bit


def elements(bench: Bench) -> int:
    return 10**6 if bench.quick else 10**8


def scattered(n: int, low: float, high: float, seed: int) -> Any:
    """Powers of ten, evenly over the logarithms."""
    return 10.0 ** (low + (high - low) * cupy.random.default_rng(seed).random(n))


def points_of(n: int) -> list[Any]:
    ranges = ((-6.0, 0.0), (-4.0, 0.0), (0.0, 6.0), (6.0, 12.0))
    return [scattered(n, low, high, seed) for seed, (low, high) in enumerate(ranges)]


def compare_with_cpu(function: Callable[..., Any], inputs: list[Any]) -> None:
    few = [x[:SAMPLE] for x in inputs]
    ours = function(*few, backend="cuda")
    expected = function(*(cupy.asnumpy(x) for x in few), backend="native")
    for name in ("eta", "alpha", "b", "risk") if hasattr(expected, "risk") else (None,):
        mine, theirs = (getattr(x, name) if name else x for x in (ours, expected))
        assert isinstance(mine, cupy.ndarray), "CuPy in gives CuPy out"
        np.testing.assert_array_equal(cupy.asnumpy(mine), theirs)


def elementwise(
    bench: Bench,
    kernel: str,
    function: Callable[..., Any],
    inputs: list[Any],
    read_written: int,
    case: str,
    **named: Any,
) -> None:
    n = len(inputs[0])
    bench.measure(
        lambda: function(*inputs, backend="cuda", **named),
        kernel=kernel,
        case=case,
        contender="hplaws",
        size=n,
        size_name="elements",
        work=n,
        unit="elements",
        check=lambda: compare_with_cpu(function, inputs),
    )
    copy_floor(bench, kernel, case, n, read_written)


def risk(bench: Bench) -> None:
    n = elements(bench)
    kernel, case = "risk, scattered points", cases.power_of_ten(n)
    inputs = points_of(n)

    def ours(eta: Any, alpha: Any, b: Any, T: Any, **options: Any) -> Any:
        return hplaws.risk(cases.BOUND, eta, alpha, b, T=T, **options)

    elementwise(bench, kernel, ours, inputs, 40, case, out=cupy.empty(n))
    few = [cupy.asnumpy(x[:SAMPLE]) for x in inputs]
    expected = ours(*few, backend="native")
    for peer in installed(bench, RISK_PEERS):
        library = peer.library
        sample = [library.arrays(x) for x in few]
        given = [library.share(x) for x in inputs]

        def check(peer: Peer = peer, library: Any = library, sample: Any = sample) -> None:
            found = library.numpy(peer.call(cases.COEFFICIENTS, *sample))
            np.testing.assert_allclose(found, expected, rtol=1e-12)

        bench.measure(
            lambda peer=peer, given=given: peer.call(cases.COEFFICIENTS, *given),
            kernel=kernel,
            case=case,
            contender=peer.name,
            size=n,
            size_name="elements",
            work=n,
            unit="elements",
            check=check,
        )


def cubics(bench: Bench) -> None:
    n = elements(bench)
    positive = [scattered(n, -3.0, 3.0, seed) for seed in range(3)]
    case = cases.power_of_ten(n)
    elementwise(bench, "positive_cubic_root", hplaws.positive_cubic_root, positive, 32, case)
    del positive
    random = cupy.random.default_rng(7)
    real = [random.standard_normal(n) for _ in range(4)]
    elementwise(bench, "cubic_roots", hplaws.cubic_roots, real, 56, case)


def optima(bench: Bench) -> None:
    n = elements(bench) // 10
    budgets, case = [scattered(n, 2.0, 22.0, 3)], cases.power_of_ten(n)

    def theorem3(T: Any, **options: Any) -> Any:
        return hplaws.theorem3(cases.BOUND, T=T, **options)

    def optimum(T: Any, **options: Any) -> Any:
        return hplaws.optimum(cases.BOUND, T, **options)

    # Read T; write eta, alpha, b, K, T and the risk.
    elementwise(bench, "theorem3", theorem3, budgets, 56, case)
    elementwise(bench, "optimum", optimum, budgets, 56, case)


SECTIONS = (peak, dense, pruned, over_eta, risk, cubics, optima)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    bench = Bench(arguments.file, arguments.quick)
    for section in SECTIONS:
        bench.attempt(section.__name__, lambda section=section: section(bench))
    return int(bool(bench.failures))


if __name__ == "__main__":
    sys.exit(main())
