"""What a long-running process needs: Ctrl-C, fork, threads, and little memory."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import hplaws
from hplaws import Bound, grid_argmin, risk

# For what is asked of a fresh process, which knows no emulated device, or of the host.
HOST = pytest.mark.parametrize("backend", ["native", "numba"], indirect=True)

# ---- Ctrl-C ------------------------------------------------------------------------------

INTERRUPTED = """
import sys
import numpy as np
import hplaws

backend, method = sys.argv[1:]

def call(n, n_T):
    eta, alpha = np.logspace(-9, 0, n), np.logspace(-9, 0, n)
    T = np.logspace(3, 12, n_T)
    return hplaws.grid_argmin(
        hplaws.Bound.proxy(), eta, alpha, 1 / alpha, T=T, method=method, backend=backend
    )

first = call(10, 2)
print("ready", flush=True)
try:
    call(100_000, 1) if method == "dense" else call(1000, 10_000_000)
except KeyboardInterrupt:
    print("interrupted", flush=True)
again = call(10, 2)
assert again.risk.tobytes() == first.risk.tobytes()
print("sound")
"""


@HOST
@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
@pytest.mark.parametrize("method", ["dense", "pruned"])
def test_ctrl_c_stops_a_call_and_leaves_the_interpreter_sound(backend, method, tmp_path):
    """The dense call would take hours, the pruned one minutes."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", INTERRUPTED, backend, method],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.5)
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            # Within a second on an idle machine; this allows for a busy one.
            output, errors = process.communicate(timeout=10)
        finally:
            process.kill()
    assert output == "interrupted\nsound\n", errors
    assert process.returncode == 0


# ---- fork ----------------------------------------------------------------------------------

FORKED = """
import os
import sys
import numpy as np
import hplaws

backend = sys.argv[1]

def work():
    axis = np.linspace(0.01, 1, 200)
    grid = hplaws.grid_argmin(
        hplaws.Bound.proxy(), axis, axis, axis, T=100, method="dense", backend=backend, threads=2
    )
    eta = np.linspace(0.1, 1, 10**6)
    field = hplaws.risk(hplaws.Bound.proxy(), eta, 0.5, 2, T=9, backend=backend)
    return grid.risk.tobytes() + field.tobytes()

before = work()
child = os.fork()
if child == 0:
    os._exit(0 if work() == before else 1)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""


@HOST
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_computes(backend, python):
    """No thread outlives a call, so fork finds none (and Python does not warn of any)."""
    done = python(FORKED, backend, HPLAWS_NUM_THREADS="2")
    assert done.returncode == 0, done.stderr


# ---- threads ---------------------------------------------------------------------------------


def test_concurrent_calls(backend):
    rng = np.random.default_rng(1)
    grids = [
        {"eta": rng.uniform(0, 1, 50), "alpha": rng.uniform(0, 1, 60), "b": rng.uniform(1, 99, 70)}
        for _ in range(8)
    ]

    def work(k):
        method = ("dense", "pruned")[k % 2]
        best = grid_argmin(Bound.proxy(), **grids[k], T=1e4, method=method, backend=backend)
        field = risk(Bound.proxy(), np.linspace(0.1, 1, 50_000), 0.5, k + 1, T=99, backend=backend)
        return best.risk.tobytes() + best.index["eta"].tobytes() + field.tobytes()

    serial = [work(k) for k in range(8)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, list(range(8)) * 4)) == serial * 4


def test_other_python_threads_run_meanwhile(backend):
    """The kernels hold no GIL: a thread that does nothing but count gets on with it."""
    axis = np.linspace(0.1, 1, 100)
    grid_argmin(Bound.proxy(), axis, axis, axis, T=9, method="dense", backend=backend)
    counted, finished = 0, threading.Event()

    def count():
        nonlocal counted
        while not finished.wait(0.001):
            counted += 1

    counter = threading.Thread(target=count)
    counter.start()
    axis = np.linspace(0.1, 1, 1500)
    grid_argmin(Bound.proxy(), axis, axis, axis, T=9, method="dense", backend=backend, threads=1)
    finished.set()
    counter.join()
    assert counted > 5


@pytest.mark.parametrize("threads", [1, 2, 3, 16])
def test_any_number_of_threads_gives_the_same_bits(backend, threads):
    rng = np.random.default_rng(2)
    grid = [10 ** rng.uniform(-4, 0, 230) for _ in range(3)]
    for method in ("dense", "pruned"):
        results = [
            grid_argmin(
                Bound.proxy(),
                *grid,
                T=np.logspace(2, 6, 9),
                method=method,
                backend=backend,
                threads=n,
            )
            for n in (1, threads)
        ]
        assert results[0].risk.tobytes() == results[1].risk.tobytes()
        assert all(
            np.array_equal(results[0].index[axis], results[1].index[axis])
            for axis in ("alpha", "b", "eta")
        )


# ---- memory ------------------------------------------------------------------------------------

PEAK = """
import sys
import numpy as np
import hplaws

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))

def call(lengths, n_T, **options):
    axes = [np.logspace(-6, 0, n) for n in lengths]
    return hplaws.grid_argmin(
        hplaws.Bound.proxy(), axes[0], axes[1], 1 / axes[2], T=np.logspace(2, 12, n_T), **options
    )

lengths, n_T, options = eval(sys.argv[1])
call((10, 10, 10), 2, **options)
with open("/proc/self/clear_refs", "w") as reset:
    reset.write("5")
before = peak()
best = call(lengths, n_T, **options)
owned = [best.risk, best.at_edge, best.K, *best.index.values()]
owned += [getattr(best, name) for name in best.index]
print(peak() - before, sum(a.nbytes for a in owned))
"""


def memory(python, lengths, n_T, **options):
    """Growth of the peak resident size by one call, and the size of its result."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("peak memory is read from Linux's /proc")
    done = python(PEAK, repr((lengths, n_T, options)))
    assert done.returncode == 0, done.stderr
    growth, result = map(int, done.stdout.split())
    return growth, result


@HOST
def test_memory_of_1e12_configurations(backend, python):
    growth, _ = memory(python, (1000, 1000, 1000), 1000, backend=backend)
    assert growth < 10e6


@HOST
def test_memory_of_a_dense_call(backend, python):
    """1e9 configurations: 8 GB if they were ever in memory at once."""
    growth, _ = memory(python, (1000, 1000, 1000), 1, backend=backend, method="dense")
    assert growth < 10e6


@HOST
@pytest.mark.parametrize("method", ["dense", "pruned"])
def test_memory_of_a_large_result(backend, python, method):
    growth, result = memory(
        python, (40, 700, 700), 2, backend=backend, method=method, over=("eta",)
    )
    assert result > 30e6
    assert growth < result + 10e6


# ---- import ----------------------------------------------------------------------------------


def test_import_loads_no_extra(python):
    """Nor does a native call."""
    extras = ("numba", "llvmlite", "cupy", "scipy", "matplotlib", "typer", "rich", "xarray")
    done = python(f"import hplaws, sys; print([m for m in {extras!r} if m in sys.modules])")
    assert done.stdout == "[]\n", done.stderr
    if "native" in hplaws._backend.available():
        done = python(
            "import hplaws, sys; hplaws.risk(hplaws.Bound.proxy(), 1, 1, 1, T=1); "
            f"print([m for m in {extras!r} if m in sys.modules])"
        )
        assert done.stdout == "[]\n", done.stderr
