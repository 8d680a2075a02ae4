"""Every CUDA kernel on small problems, compared with the CPU's bits.

gpu.py runs it under compute-sanitizer, where a kernel takes hundreds of times as long.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

import hplaws

BOUNDS = (
    hplaws.Bound.proxy(),
    hplaws.Bound.proxy().heavy_tailed(1.5).unmatched_init(2.0),
    hplaws.Bound(descent=1.0, noise=[1.0, 0.0], drift=0.0, lag=2.0),
)
# (T, alpha, b, eta): a single configuration; rows for one narrow tile and the tail of a
# second; the same for wide tiles; learning rates for two chunks of shared memory, and for
# several blocks where they are kept.
SHAPES = ((1, 1, 1, 1), (3, 4, 50, 7), (9, 3, 130, 5), (2, 2, 200, 520), (1, 5, 9, 600))
AXES = ("alpha", "b", "eta")


def axes(shape: tuple[int, ...]) -> dict[str, Any]:
    random = np.random.default_rng(sum(shape))
    lows, highs = (2.0, -6.0, 0.0, -9.0), (9.0, 0.0, 5.0, 0.0)
    values = [
        10.0 ** random.uniform(low, high, n)
        for low, high, n in zip(lows, highs, shape, strict=True)
    ]
    return dict(zip(("T", "alpha", "b", "eta"), values, strict=True))


def same(ours: Any, theirs: Any, what: str) -> None:
    for name in ("risk", "eta", "alpha", "b", "T", "K", "eigenvalues"):
        if hasattr(ours, name):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), what)
    for name, index in getattr(ours, "index", {}).items():
        np.testing.assert_array_equal(index, theirs.index[name], f"{what}, index of {name}")


def grids() -> None:
    subsets = [s for n in (1, 2, 3) for s in itertools.combinations(AXES, n)]
    for shape, bound, over in itertools.product(SHAPES, BOUNDS, subsets):
        grid = axes(shape)
        if over[0] == "b":  # the budget in steps, now and then
            grid["K"] = grid.pop("T")
        expected = hplaws.grid_argmin(bound, **grid, over=over, backend="native")
        for method in ("dense", "pruned"):
            found = hplaws.grid_argmin(bound, **grid, over=over, method=method, backend="cuda")
            same(found, expected, f"{method} over {over} on {shape}")


def compare(function: Any, *arguments: Any, **named: Any) -> None:
    found, expected = (
        function(*arguments, **named, backend=backend) for backend in ("cuda", "native")
    )
    if isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(found, expected, function.__name__)
    else:
        same(found, expected, function.__name__)


def elementwise() -> None:
    rows, columns = axes((3, 3, 3, 3)), axes((130, 130, 130, 130))
    T, alpha, b = columns["T"], columns["alpha"], columns["b"]
    wide = rows["T"][:, None]
    # A number q = 1/2 is known to the kernel, an array's is not.
    for bound in (BOUNDS[0], hplaws.Bound(1.0, 1.0, 1.0, 1.0, q=np.array([0.5]))):
        compare(hplaws.theorem1, bound, alpha=alpha, T=wide)
        compare(hplaws.theorem1, bound, alpha=alpha, K=wide, b=4.0)
        compare(hplaws.theorem2, bound, b=b, T=T)
        compare(hplaws.theorem3, bound, T=T)
        compare(hplaws.theorem3_asymptotic, bound, T=T, order=1)
    for bound in BOUNDS[:2]:
        compare(hplaws.risk, bound, rows["eta"][:, None], 0.5, b, T=wide)
        compare(hplaws.risk, bound, columns["eta"], alpha, b, T=T)
        compare(hplaws.optimum, bound, T, b=(1.0, 64.0), eta=(1e-4, 1.0))
        compare(hplaws.optimum, bound, T)
    x = np.random.default_rng(1).normal(size=(4, 1000))
    compare(hplaws.positive_cubic_root, *np.abs(x[:3]))
    compare(hplaws.positive_cubic_root, *x[:3])
    compare(hplaws.cubic_roots, *x)
    model = hplaws.CriticalBatch(P_max=1.0, nu0=1.0, trace_fisher=1.0, T0=1.0)
    compare(model.stability, B=b, eta=columns["eta"], fisher=2.0, hessian=3.0)


if __name__ == "__main__":
    elementwise()
    grids()
    print("every kernel gave the CPU's bits")
