"""Numba behind the backend's functions: for installations without a compiler.

The loops are in numba_kernels/loops.py; here the work is cut into units, as in grid.cpp and
elementwise.cpp, and the units are shared out to threads.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._validate import Operand
from . import Floats, GridRequest, Progress, thread_count
from .numba_kernels import loops
from .numba_kernels.pruned import SortedAxis

Ints = NDArray[np.int64]

# A dense unit covers at most this many configurations: tens of milliseconds, so
# that a waiting Ctrl-C is seen well within a second even without SIMD.
DENSE_UNIT = 1 << 25
# Fewer configurations than this cost less than starting a thread.
THREAD_UNIT = 1 << 20
# A unit's partial results: 2^14 cells are 256 KiB.
UNIT_CELLS = 1 << 14
# What one pruned search costs, in configurations, and searches to a unit.
PRUNED_SEARCH = 1 << 12
PRUNED_UNIT = 2048
KEPT_RATES = 1024
LAST_ROW = np.iinfo(np.int64).max
# Elements between two looks at the clock, a quarter of a second of the slowest kernel
# (optimum, 7 microseconds each), and those of one chunk, whose copies stay in the L2 cache.
ELEMENTWISE_UNIT = 1 << 15
CHUNK = 1 << 13
POLL_INTERVAL = 0.05  # seconds

ELEMENTWISE = {
    "risk": loops.risk_loop,
    "positive_cubic_root": loops.positive_cubic_root_loop,
    "cubic_roots": loops.cubic_roots_loop,
    "stability_spectrum": loops.stability_spectrum_loop,
    "theorem1_tokens": loops.theorem1_tokens_loop,
    "theorem1_steps": loops.theorem1_steps_loop,
    "theorem2": loops.theorem2_loop,
    "theorem3": loops.theorem3_loop,
    "theorem3_asymptotic": loops.theorem3_asymptotic_loop,
    "optimum": loops.optimum_loop,
}


def run_units(
    units: int,
    threads: int,
    work: Callable[[int], None],
    report: Callable[[float], None],
    stop: threading.Event | None = None,
) -> None:
    """work(unit) for every unit in [0, units), on threads that live for this call.

    report(covered fraction) is called now and then on the calling thread, where
    Ctrl-C arrives too. The first exception of any thread stops all and is raised;
    `stop` is set then, for units that may take long.
    """
    remaining = iter(range(units))
    lock = threading.Lock()
    stop = stop or threading.Event()
    errors: list[BaseException] = []
    done = 0
    next_report = time.monotonic() + POLL_INTERVAL

    def report_if_due() -> None:
        nonlocal next_report
        if time.monotonic() >= next_report:
            report(done / units)
            next_report = time.monotonic() + POLL_INTERVAL

    def drain(after_unit: Callable[[], None]) -> None:
        nonlocal done
        while not stop.is_set():
            with lock:
                unit = next(remaining, None)
            if unit is None:
                return
            work(unit)
            with lock:
                done += 1
            after_unit()

    def help_out() -> None:
        try:
            drain(lambda: None)
        except BaseException as error:
            errors.append(error)
            stop.set()

    helpers = [threading.Thread(target=help_out) for _ in range(1, min(threads, units))]
    started = []
    try:
        for helper in helpers:
            try:
                helper.start()
            except RuntimeError:  # the system grants no more; those that run do the work
                break
            started.append(helper)
        drain(report_if_due)
        for helper in started:
            while helper.is_alive():
                helper.join(POLL_INTERVAL)
                report_if_due()
    finally:
        stop.set()
        for helper in started:
            helper.join()
    if errors:
        raise errors[0]


def _fixed(values: ArrayLike) -> Floats:
    """A read-only, aligned, contiguous view or copy: one array type, so one compilation."""
    fixed = np.require(values, np.float64, ["C", "A"]).view()
    fixed.flags.writeable = False
    return fixed


# ---- element-wise ------------------------------------------------------------------


def scalars(kernel: str, inputs: tuple[Operand, ...]) -> None:
    return None


def elementwise(kernel: str, inputs: tuple[Operand, ...], outputs: tuple[Floats, ...]) -> None:
    loop = ELEMENTWISE[kernel]
    total = outputs[0].size
    n_in = len(inputs)
    reads, writes = ["readonly", "aligned", "contig"], ["writeonly", "aligned", "contig"]
    access: Any = [reads] * n_in + [writes] * len(outputs)

    def work(unit: int) -> None:
        with np.nditer(
            [*inputs, *outputs],
            flags=["external_loop", "buffered", "ranged", "delay_bufalloc", "zerosize_ok"],
            op_flags=access,
            buffersize=CHUNK,
        ) as chunks:
            first = unit * ELEMENTWISE_UNIT
            chunks.iterrange = (first, min(total, first + ELEMENTWISE_UNIT))  # type: ignore[misc]
            for operands in chunks:
                loop(operands[:n_in], operands[n_in:])

    units = -(-total // ELEMENTWISE_UNIT)
    run_units(units, thread_count(None), work, lambda fraction: None)


# ---- grid --------------------------------------------------------------------------


def grid_argmin(request: GridRequest, progress: Progress) -> None:
    if request.risk.size:
        _GridRun(request, progress or (lambda fraction: None)).run()


class _GridRun:
    """One call. A problem is one bound at one budget; axes come as (alpha, b, eta)."""

    def __init__(self, request: GridRequest, report: Callable[[float], None]) -> None:
        self.over = request.over
        self.dense = request.dense
        self.progress = report
        self.covered = 0.0
        self.axes = alpha, b, eta = _fixed(request.alpha), _fixed(request.b), _fixed(request.eta)
        self.n = [axis.size for axis in self.axes]
        self.ends = [_fixed([axis.min(), axis.max()]) for axis in self.axes]
        self.kept = [1 if over else n for over, n in zip(self.over, self.n, strict=True)]
        self.cells = math.prod(self.kept)
        self.problems = request.bounds.shape[0] * request.budget.size
        inverse_eta = np.empty(eta.size)
        loops.inverse_rates(eta, inverse_eta)
        self.grid = loops.Grid(
            _fixed(request.bounds),
            _fixed(request.budget),
            request.budget_is_steps,
            alpha,
            b,
            eta,
            inverse_eta,
            not self.over[0],
            not self.over[1],
            not self.over[2],
        )
        self.risk = request.risk.reshape(-1)
        self.at_edge = request.at_edge.reshape(-1)
        self.index = [None if a is None else a.reshape(-1) for a in request.index]
        self.value = [None if a is None else a.reshape(-1) for a in request.value]
        # The first index array holds the winners' rows until their eta is known.
        self.row = next(a for a in self.index if a is not None)
        self.threads = request.threads

    def run(self) -> None:
        dense = np.ones(self.problems, np.bool_)
        if not self.dense:
            budget = self.grid.budget
            ends = _fixed([budget.min(), budget.max()])
            alpha, b, eta = self.ends
            loops.find_unprunable(self.grid, alpha, b, eta, ends, dense)
            self.run_pruned(dense)
        if dense.any():
            self.run_dense(np.flatnonzero(dense))
        self.report(1.0)

    def report(self, fraction: float) -> None:
        """A search that gives up takes back its problem's share; progress never falls."""
        self.covered = max(self.covered, fraction)
        self.progress(self.covered)

    def threads_for(self, work: int) -> int:
        return max(1, min(self.threads, work // THREAD_UNIT))

    def run_pruned(self, dense: NDArray[np.bool_]) -> None:
        """All problems but the dense ones, whose cells get placeholders.

        Problems whose searches give up join those.
        """
        refused = np.count_nonzero(dense)
        alpha, b, eta = (self.search_axis(a) for a in range(3))
        total = self.cells * self.problems
        threads = self.threads_for(PRUNED_SEARCH * total)
        # A visit costs what a hundred configurations cost densely.
        configs = math.prod(n for over, n in zip(self.over, self.n, strict=True) if over)
        visits = (1 << 16) + min(configs // 128, 1 << 24)
        length = max(1, min(PRUNED_UNIT, total // (8 * threads)))
        stop = threading.Event()

        def work(unit: int) -> None:
            first = unit * length
            cells = slice(first, min(total, first + length))
            row, eta_index = np.zeros((2, cells.stop - first), np.int64)
            risk, reached = self.risk[cells], np.zeros(1, np.int64)
            while reached[0] < risk.size and not stop.is_set():
                loops.search_cells(
                    self.grid, alpha, b, eta, visits, dense, first, reached, risk, row, eta_index
                )
            self.put(cells, row, eta_index)

        def report(done: float) -> None:
            gave_up = np.count_nonzero(dense) - refused
            self.report((done * (self.problems - refused) - gave_up) / self.problems)

        run_units(-(-total // length), threads, work, report, stop)

    def search_axis(self, a: int) -> SortedAxis:
        """Sorted, each value once with its smallest index, unless the axis is kept."""
        if not self.over[a] or np.all(self.axes[a][1:] > self.axes[a][:-1]):
            return SortedAxis(self.axes[a], np.arange(self.n[a]), 0)
        values, index = np.unique(self.axes[a], return_index=True)
        return SortedAxis(_fixed(values), index, int(np.argmin(index)))

    def put(self, cells: slice | Ints, row: Ints, eta: Ints) -> None:
        """The winners' indices and values, all three indices known, into the result."""
        edge = np.zeros(row.size, np.bool_)
        for a, where in enumerate((row // self.n[1], row % self.n[1], eta)):
            index, value = self.index[a], self.value[a]
            if index is None or value is None:
                continue
            found = self.axes[a][where]
            index[cells] = where
            value[cells] = found
            if self.n[a] > 1:
                edge |= (found == self.ends[a][0]) | (found == self.ends[a][1])
        self.at_edge[cells] = edge

    def run_dense(self, problems: Ints) -> None:
        work = math.prod(self.n) * problems.size
        threads = self.threads_for(work)
        lengths, group = self.plan_slices(work // (8 * threads))
        slices = [-(-n // length) for n, length in zip(self.n, lengths, strict=True)]
        sliced = any(over and parts > 1 for over, parts in zip(self.over, slices, strict=True))
        shape = (self.problems, *self.kept)
        risk, row = self.risk.reshape(shape), self.row.reshape(shape)
        if sliced:
            risk[problems] = math.inf
            row[problems] = LAST_ROW
        merge = threading.Lock()

        def run_unit(unit: int) -> None:
            at, part = divmod(unit, math.prod(slices))
            which = problems[at * group : (at + 1) * group]
            first = [
                int(i) * n for i, n in zip(np.unravel_index(part, slices), lengths, strict=True)
            ]
            last = [min(n, i + length) for i, n, length in zip(first, self.n, lengths, strict=True)]
            block = loops.Block(first[0], last[0], first[1], last[1], first[2], last[2])
            cells: Any = [
                slice(0, 1) if over else slice(i, j)
                for over, i, j in zip(self.over, first, last, strict=True)
            ]
            size = [which.size, *(c.stop - c.start for c in cells)]
            found = np.full(size, math.inf)
            found_row = np.full(size, LAST_ROW)
            loops.dense_block(
                self.grid,
                which,
                block,
                found.reshape(which.size, -1),
                found_row.reshape(which.size, -1),
            )
            if not sliced:
                risk[(which, *cells)], row[(which, *cells)] = found, found_row
                return
            with merge:  # other units share these cells, all of one problem
                best, best_row = risk[(which[0], *cells)], row[(which[0], *cells)]
                wins = (found[0] < best) | ((found[0] == best) & (found_row[0] < best_row))
                np.copyto(best, found[0], where=wins)
                np.copyto(best_row, found_row[0], where=wins)

        units = -(-problems.size // group) * math.prod(slices)
        pruned = 1.0 - problems.size / self.problems
        run_units(units, threads, run_unit, lambda f: self.report(pruned + f * (1.0 - pruned)))
        self.finish_dense(problems)

    def plan_slices(self, share: int) -> tuple[list[int], int]:
        """A unit's length on each axis, and its number of problems.

        eta first, as the innermost loop, then b, then alpha, then problems, each as long
        as the unit's configurations and its partial results allow.
        """
        target = max(THREAD_UNIT, min(DENSE_UNIT, share))
        lengths = [1, 1, self.n[2] if self.over[2] else min(self.n[2], KEPT_RATES)]
        for a in (1, 0):
            room = target // math.prod(lengths)
            if not self.over[a]:
                room = min(room, UNIT_CELLS // self.cells_of(lengths))
            lengths[a] = max(1, min(self.n[a], room))
        if lengths != self.n:
            return lengths, 1
        return lengths, max(1, min(target // math.prod(lengths), UNIT_CELLS // self.cells))

    def cells_of(self, lengths: list[int]) -> int:
        return math.prod(n for over, n in zip(self.over, lengths, strict=True) if not over)

    def finish_dense(self, problems: Ints) -> None:
        """From the winners' risks and rows to everything else."""
        total = self.cells * problems.size
        length = max(1, min(UNIT_CELLS, THREAD_UNIT // self.n[2]))

        def work(unit: int) -> None:
            flat = np.arange(unit * length, min(total, (unit + 1) * length))
            problem = problems[flat // self.cells]
            cells = problem * self.cells + flat % self.cells
            row = self.row[cells]
            eta = np.zeros_like(row)
            if self.over[2]:
                loops.find_eta(self.grid, problem, row, self.risk[cells], eta)
            self.put(cells, row, eta)

        threads = self.threads_for(total * self.n[2])
        run_units(-(-total // length), threads, work, lambda f: None)
