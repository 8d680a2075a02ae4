"""kernels.cpp for Numba: the loops over the formulas, called from ../numba.py."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .argmin import precedes
from .bound import (
    Coefficients,
    assemble,
    batch_terms,
    budget_terms,
    burn_in_term,
    inverse_rate,
    momentum_terms,
    noise_term,
    rate_term,
    risk,
)
from .config import Bools, Floats, Ints, formula, kernel, part
from .critical_batch import stability_spectrum
from .cubic import (
    IsolatedGuess,
    careful_roots,
    isolated_guess,
    positive_cubic_root,
    separate_roots,
)
from .exact import Pair, reciprocal
from .optimum import Box, boxed_optimum
from .pruned import (
    PrunedSearch,
    SortedAxis,
    depends_on_alpha,
    depends_on_b,
    depends_on_eta,
    pruned_argmin,
    pruning_applies,
)
from .theorems import (
    StationaryPoint,
    best_batch_and_rate,
    theorem1,
    theorem1_steps,
    theorem2,
    theorem3_asymptotic_momentum,
    theorem3_momentum,
)

# ---- grid --------------------------------------------------------------------------


@formula
def coefficients(bounds: Floats, i: int) -> Coefficients:
    return Coefficients(
        bounds[i, 0], bounds[i, 1], bounds[i, 2], bounds[i, 3], bounds[i, 4], bounds[i, 5],
        bounds[i, 6],
    )  # fmt: skip


class Grid(NamedTuple):
    """The request: axes in the caller's order, problem p = bound p // m at budget p % m."""

    bounds: Floats  # (n, 7)
    budget: Floats  # (m,)
    budget_is_steps: bool
    alpha: Floats
    b: Floats
    eta: Floats
    inverse_eta: Floats
    keep_alpha: bool
    keep_b: bool
    keep_eta: bool


@formula
def bound_of(grid: Grid, problem: int) -> Coefficients:
    return coefficients(grid.bounds, problem // grid.budget.size)


@formula
def budget_of(grid: Grid, problem: int) -> float:
    return grid.budget[problem % grid.budget.size]  # type: ignore[no-any-return]


@kernel
def find_unprunable(
    grid: Grid, alpha: Floats, b: Floats, eta: Floats, budget: Floats, refused: Bools
) -> None:
    """Which problems pruning_applies() refuses; each axis by its two ends."""
    m = grid.budget.size
    for i in range(grid.bounds.shape[0]):
        c = coefficients(grid.bounds, i)
        steps = grid.budget_is_steps
        refused[i * m : (i + 1) * m] = False
        # R's factors are monotone in the budget too: if its ends are fine, all are.
        if pruning_applies(c, eta, alpha, b, budget[0], steps) and pruning_applies(
            c, eta, alpha, b, budget[1], steps
        ):
            continue
        for t in range(m):
            refused[i * m + t] = not pruning_applies(c, eta, alpha, b, grid.budget[t], steps)


class Range(NamedTuple):
    first: int
    end: int


@formula
def searched(axis: SortedAxis, keep: bool, at: int, matters: bool) -> Range:
    """What one search covers of an axis: run_pruned() in grid.cpp."""
    if keep:
        return Range(at, at + 1)
    return Range(0, axis.value.size) if matters else Range(axis.first, axis.first + 1)


# A call of search_cells() returns after about this many visits of at most 40
# nanoseconds each, so that a waiting Ctrl-C is seen.
CALL_VISITS = 1 << 22


@kernel
def search_cells(
    grid: Grid, alpha: SortedAxis, b: SortedAxis, eta: SortedAxis, most_visits: int, dense: Bools,
    first: int, reached: Ints, risk: Floats, row: Ints, eta_index: Ints,
) -> None:  # fmt: skip
    """Winners of consecutive cells from `first` on; kept axes are not sorted.

    A problem one of whose searches gives up becomes dense. Cells of dense problems
    are left as they were. reached[0], where to begin, becomes where the call ended.
    """
    spent = 0
    hint = np.zeros(3, np.int64)
    visits = np.empty(1, np.int64)
    n_alpha = alpha.value.size if grid.keep_alpha else 1
    n_b = b.value.size if grid.keep_b else 1
    n_eta = eta.value.size if grid.keep_eta else 1
    for at in range(reached[0], risk.size):
        reached[0] = at
        if spent > CALL_VISITS:
            return
        rest = first + at
        k = rest % n_eta
        rest //= n_eta
        j = rest % n_b
        rest //= n_b
        i = rest % n_alpha
        problem = rest // n_alpha
        if dense[problem]:
            continue
        c = bound_of(grid, problem)
        budget = budget_of(grid, problem)
        over_alpha = searched(alpha, grid.keep_alpha, i, depends_on_alpha(c))
        over_b = searched(b, grid.keep_b, j, depends_on_b(c))
        over_eta = searched(eta, grid.keep_eta, k, depends_on_eta(c))
        search = PrunedSearch(
            c,
            grid.b.size,
            budget,
            grid.budget_is_steps,
            reciprocal(budget),
            eta.value[over_eta.first],
            eta.value[over_eta.end - 1],
        )
        visits[0] = most_visits
        winner = pruned_argmin(
            search,
            alpha.value[over_alpha.first : over_alpha.end],
            alpha.position[over_alpha.first : over_alpha.end],
            b.value[over_b.first : over_b.end],
            b.position[over_b.first : over_b.end],
            eta.value[over_eta.first : over_eta.end],
            eta.position[over_eta.first : over_eta.end],
            hint,
            visits,
        )
        spent += most_visits - visits[0]
        if winner.row < 0:
            dense[problem] = True
            continue
        risk[at] = winner.risk
        row[at] = winner.row
        eta_index[at] = winner.eta
    reached[0] = risk.size


# ---- dense -------------------------------------------------------------------------

ROWS = 256  # a pass over them and as many rates stays within half of a 32 KiB L1 cache
RATES = 1024
TILE = 8  # rates to one load and store of a row's minimum
CHUNK = 64


class Block(NamedTuple):
    """Half-open index ranges on the axes."""

    alpha0: int
    alpha1: int
    b0: int
    b1: int
    eta0: int
    eta1: int


class BatchColumns(NamedTuple):
    noise: Floats
    start: Floats


@part
def batch_columns(c: Coefficients, b: Floats) -> BatchColumns:
    columns = BatchColumns(np.empty(b.size), np.empty(b.size))
    for j in range(b.size):
        terms = batch_terms(c, b[j])
        columns.noise[j] = terms.noise
        columns.start[j] = terms.start
    return columns


class RowTerms(NamedTuple):
    D: float
    start: Pair


@formula
def row_terms(grid: Grid, c: Coefficients, budget: float, start: float, b: float) -> RowTerms:
    T = b * budget if grid.budget_is_steps else budget
    t = budget_terms(c, start, b, reciprocal(T))
    return RowTerms(t.descent, t.start)


@formula
def lower_rows(D: Floats, least: Floats, inverse_eta: Floats, smooth_eta: Floats) -> None:
    whole = inverse_eta.size // TILE * TILE
    for k in range(0, whole, TILE):
        x = inverse_eta[k : k + TILE]
        y = smooth_eta[k : k + TILE]
        for j in range(D.size):
            m = least[j]
            for u in range(TILE):
                rate = rate_term(D[j], x[u], y[u])
                m = rate if rate < m else m
            least[j] = m
    for k in range(whole, inverse_eta.size):
        for j in range(D.size):
            rate = rate_term(D[j], inverse_eta[k], smooth_eta[k])
            least[j] = rate if rate < least[j] else least[j]


@part
def dense_over_eta(
    grid: Grid, c: Coefficients, budget: float, block: Block, batch: BatchColumns,
    risk: Floats, row: Ints,
) -> None:  # fmt: skip
    rows_at_once = min(ROWS, block.b1 - block.b0)
    D_rows = np.empty(rows_at_once)
    start_hi = np.empty(rows_at_once)
    start_lo = np.empty(rows_at_once)
    R_rows = np.empty(rows_at_once)
    smooth_eta = np.empty(min(RATES, block.eta1 - block.eta0))
    kept_b = block.b1 - block.b0 if grid.keep_b else 1
    for j0 in range(block.b0, block.b1, ROWS):
        rows = min(ROWS, block.b1 - j0)
        noise = batch.noise[j0 - block.b0 : j0 - block.b0 + rows]
        start = batch.start[j0 - block.b0 : j0 - block.b0 + rows]
        D = D_rows[:rows]
        R = R_rows[:rows]
        for j in range(rows):
            t = row_terms(grid, c, budget, start[j], grid.b[j0 + j])
            D[j] = t.D
            start_hi[j] = t.start.hi
            start_lo[j] = t.start.lo
        for i in range(block.alpha0, block.alpha1):
            m = momentum_terms(c, grid.alpha[i])
            R[:] = math.inf
            for k0 in range(block.eta0, block.eta1, RATES):
                rates = min(RATES, block.eta1 - k0)
                for k in range(rates):
                    smooth_eta[k] = m.smooth * grid.eta[k0 + k]
                lower_rows(D, R, grid.inverse_eta[k0 : k0 + rates], smooth_eta[:rates])
            for j in range(rows):
                burn_in = burn_in_term(Pair(start_hi[j], start_lo[j]), m.inverse)
                R[j] += noise_term(noise[j], m.sqrt_alpha, burn_in)
            cell = (i - block.alpha0 if grid.keep_alpha else 0) * kept_b
            first = i * grid.b.size + j0
            if grid.keep_b:
                cell += j0 - block.b0
                for j in range(rows):
                    if precedes(R[j], first + j, risk[cell + j], row[cell + j]):
                        risk[cell + j] = R[j]
                        row[cell + j] = first + j
                continue
            least = R[0]
            for j in range(1, rows):
                least = R[j] if R[j] < least else least
            if not (least <= risk[cell]):
                continue
            j = 0
            while R[j] != least:
                j += 1
            if precedes(least, first + j, risk[cell], row[cell]):
                risk[cell] = least
                row[cell] = first + j


@part
def dense_along_eta(
    grid: Grid, c: Coefficients, budget: float, block: Block, batch: BatchColumns,
    risk: Floats, row: Ints,
) -> None:  # fmt: skip
    n_eta = block.eta1 - block.eta0
    eta = grid.eta[block.eta0 : block.eta1]
    inverse_eta = grid.inverse_eta[block.eta0 : block.eta1]
    smooth_eta = np.empty(n_eta)
    kept_b = block.b1 - block.b0 if grid.keep_b else 1
    for i in range(block.alpha0, block.alpha1):
        m = momentum_terms(c, grid.alpha[i])
        for k in range(n_eta):
            smooth_eta[k] = m.smooth * eta[k]
        for j in range(block.b0, block.b1):
            local = j - block.b0
            t = row_terms(grid, c, budget, batch.start[local], grid.b[j])
            N = noise_term(batch.noise[local], m.sqrt_alpha, burn_in_term(t.start, m.inverse))
            here = i * grid.b.size + j
            cell = (i - block.alpha0 if grid.keep_alpha else 0) * kept_b
            cell += local if grid.keep_b else 0
            to = risk[cell * n_eta : (cell + 1) * n_eta]
            to_row = row[cell * n_eta : (cell + 1) * n_eta]
            for k in range(n_eta):
                R = assemble(t.D, inverse_eta[k], smooth_eta[k], N)
                wins = precedes(R, here, to[k], to_row[k])
                to[k] = R if wins else to[k]
                to_row[k] = here if wins else to_row[k]


@kernel
def dense_block(grid: Grid, problems: Ints, block: Block, risk: Floats, row: Ints) -> None:
    """Lower (risk, row), of shape (problems, cells of the block), to the block's minima."""
    last_bound = -1
    batch = BatchColumns(np.empty(0), np.empty(0))
    for p in range(problems.size):
        problem = problems[p]
        c = bound_of(grid, problem)
        bound = problem // grid.budget.size
        if bound != last_bound:
            batch = batch_columns(c, grid.b[block.b0 : block.b1])
            last_bound = bound
        budget = budget_of(grid, problem)
        if grid.keep_eta:
            dense_along_eta(grid, c, budget, block, batch, risk[p], row[p])
        else:
            dense_over_eta(grid, c, budget, block, batch, risk[p], row[p])


@kernel
def find_eta(grid: Grid, problem: Ints, row: Ints, risk: Floats, found: Ints) -> None:
    """Smallest eta index at which each row (alpha, b) of its problem attains its risk."""
    for at in range(row.size):
        c = bound_of(grid, problem[at])
        m = momentum_terms(c, grid.alpha[row[at] // grid.b.size])
        b = grid.b[row[at] % grid.b.size]
        batch = batch_terms(c, b)
        t = row_terms(grid, c, budget_of(grid, problem[at]), batch.start, b)
        N = noise_term(batch.noise, m.sqrt_alpha, burn_in_term(t.start, m.inverse))
        k = 0
        # Whole chunks are tested without a branch, so that the test vectorises.
        while k + CHUNK <= grid.eta.size:
            hits = 0
            for u in range(k, k + CHUNK):
                hits += assemble(t.D, grid.inverse_eta[u], m.smooth * grid.eta[u], N) == risk[at]
            if hits:
                break
            k += CHUNK
        while (
            k + 1 < grid.eta.size
            and assemble(t.D, grid.inverse_eta[k], m.smooth * grid.eta[k], N) != risk[at]
        ):
            k += 1
        found[at] = k


@kernel
def inverse_rates(eta: Floats, inverse: Floats) -> None:
    for k in range(eta.size):
        inverse[k] = inverse_rate(eta[k])


# ---- element-wise ------------------------------------------------------------------

Operands = tuple[Floats, ...]


@formula
def coefficients_at(inputs: Operands, k: int) -> Coefficients:
    return Coefficients(
        inputs[0][k], inputs[1][k], inputs[2][k], inputs[3][k], inputs[4][k], inputs[5][k],
        inputs[6][k],
    )  # fmt: skip


@kernel
def risk_loop(inputs: Operands, outputs: Operands) -> None:
    eta, alpha, b, T = inputs[7], inputs[8], inputs[9], inputs[10]
    R = outputs[0]
    for k in range(R.size):
        R[k] = risk(coefficients_at(inputs, k), eta[k], alpha[k], b[k], T[k])


@kernel
def positive_cubic_root_loop(inputs: Operands, outputs: Operands) -> None:
    a, b, c = inputs[0], inputs[1], inputs[2]
    x = outputs[0]
    for k in range(x.size):
        x[k] = positive_cubic_root(a[k], b[k], c[k])


@kernel
def cubic_roots_loop(inputs: Operands, outputs: Operands) -> None:
    a, b, c, d = inputs[0], inputs[1], inputs[2], inputs[3]
    r0, r1, r2 = outputs[0], outputs[1], outputs[2]
    for k in range(r0.size):
        guess = isolated_guess(a[k], b[k], c[k], d[k])
        r0[k] = guess.y
        r1[k] = guess.delta
    for k in range(r0.size):
        x = separate_roots(a[k], b[k], c[k], d[k], IsolatedGuess(r0[k], r1[k]))
        r0[k] = x.r0
        r1[k] = x.r1
        r2[k] = x.r2
    for k in range(r0.size):
        if r0[k] == r0[k]:
            continue
        x = careful_roots(a[k], b[k], c[k], d[k])
        r0[k] = x.r0
        r1[k] = x.r1
        r2[k] = x.r2


@kernel
def stability_spectrum_loop(inputs: Operands, outputs: Operands) -> None:
    eta, f, h, r = inputs[0], inputs[1], inputs[2], inputs[3]
    for k in range(outputs[0].size):
        x = stability_spectrum(eta[k], f[k], h[k], r[k])
        outputs[0][k] = x.re1
        outputs[1][k] = x.im1
        outputs[2][k] = x.re2
        outputs[3][k] = x.im2


@formula
def put(p: StationaryPoint, outputs: Operands, k: int) -> None:
    outputs[0][k] = p.eta
    outputs[1][k] = p.alpha
    outputs[2][k] = p.b
    outputs[3][k] = p.K
    outputs[4][k] = p.T
    outputs[5][k] = p.risk


@kernel
def theorem1_tokens_loop(inputs: Operands, outputs: Operands) -> None:
    for k in range(outputs[0].size):
        put(theorem1(coefficients_at(inputs, k), inputs[7][k], inputs[8][k]), outputs, k)


@kernel
def theorem1_steps_loop(inputs: Operands, outputs: Operands) -> None:
    for k in range(outputs[0].size):
        c = coefficients_at(inputs, k)
        put(theorem1_steps(c, inputs[7][k], inputs[8][k], inputs[9][k]), outputs, k)


@kernel
def theorem2_loop(inputs: Operands, outputs: Operands) -> None:
    for k in range(outputs[0].size):
        put(theorem2(coefficients_at(inputs, k), inputs[7][k], inputs[8][k]), outputs, k)


@kernel
def theorem3_loop(inputs: Operands, outputs: Operands) -> None:
    T = inputs[7]
    alpha = outputs[1]
    for k in range(alpha.size):
        alpha[k] = theorem3_momentum(coefficients_at(inputs, k), T[k])
    for k in range(alpha.size):
        put(best_batch_and_rate(coefficients_at(inputs, k), alpha[k], T[k]), outputs, k)


@kernel
def theorem3_asymptotic_loop(inputs: Operands, outputs: Operands) -> None:
    T, order = inputs[7], inputs[8]
    alpha = outputs[1]
    for k in range(alpha.size):
        alpha[k] = theorem3_asymptotic_momentum(coefficients_at(inputs, k), T[k], order[k])
    for k in range(alpha.size):
        put(best_batch_and_rate(coefficients_at(inputs, k), alpha[k], T[k]), outputs, k)


@kernel
def optimum_loop(inputs: Operands, outputs: Operands) -> None:
    for k in range(outputs[0].size):
        box = Box(
            (inputs[8][k], inputs[9][k]),
            (inputs[10][k], inputs[11][k]),
            (inputs[12][k], inputs[13][k]),
        )
        x = boxed_optimum(coefficients_at(inputs, k), box, inputs[7][k], inputs[14][k])
        put(StationaryPoint(x.eta, x.alpha, x.b, x.K, x.T, x.risk), outputs, k)
        outputs[6][k] = x.eta_limit
        outputs[7][k] = x.alpha_limit
        outputs[8][k] = x.b_limit
