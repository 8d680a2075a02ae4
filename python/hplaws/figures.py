"""Figures, drawn with Matplotlib (pip install 'hplaws[plot]'); import this module to need it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from .grid import grid_argmin
from .verification import BOUND, Array, Setting, Sweep, Verification

_STYLE = {
    "font.size": 8.0,
    "axes.labelsize": 8.5,
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 0.8,
    "legend.frameon": False,
}
_BEST = "#d01c8b"
_LAW = "#333333"
_WINDOW = "#f1f1f1"
_NAMES = {"b": "batch size", "eta": "learning rate", "alpha": "momentum update"}
_SYMBOLS = {"b": "b", "eta": r"\eta", "alpha": r"\alpha"}
_LABELS = {"b": "$b$ (tokens)", "eta": r"$\eta$", "alpha": r"$\alpha = 1 - \beta$"}
_SHADES = {"b": "Blues", "eta": "Greens", "alpha": "Oranges"}  # light to dark: low to high
_CURVE_SPACING = 1.5  # decades
_DPI = 120


def draw_verification(result: Verification, directory: str | Path) -> list[Path]:
    """The paper's Figures 1, 2 and 5 to 9 as PNG files, fig01.png and so on.

    Per figure: the best risk with curves at fixed values of each tuned variable (the
    others minimised away), then the best value of each tuned variable, against T.

    Parameters
    ----------
    result : what `hplaws.verification.verify` returned
    directory : made if it is not there

    Returns
    -------
    The files written.
    """
    files = []
    for sweep in result.sweeps:
        exponents = {
            c.quantity: c.exponent for c in result.comparisons if c.setting is sweep.setting
        }
        files.append(save(draw_sweep(sweep, exponents), sweep.setting.figure, directory))
    return files


def save(figure: Figure, number: int, directory: str | Path) -> Path:
    """The file fig<number>.png, in a directory that is made if it is not there."""
    path = Path(directory) / f"fig{number:02d}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=_DPI)
    return path


@matplotlib.rc_context(_STYLE)
def draw_sweep(sweep: Sweep, exponents: Mapping[str, Fraction]) -> Figure:
    """One figure; `exponents` by quantity, its order is that of the panels."""
    names = [name for name in exponents if name in sweep.setting.tuned]
    rows = len(names) - 1  # one row of four panels, or two of three
    columns = 2 * len(names) // rows
    figure = Figure(figsize=(3.1 * columns, 2.6 * rows + 0.7), layout="constrained")
    panels = list(figure.subplots(rows, columns).flat)
    for name, risk_panel, best_panel in zip(
        names, panels[: len(names)], panels[len(names) :], strict=True
    ):
        _draw_risk(risk_panel, sweep, name, exponents["risk"])
        _draw_best(best_panel, sweep, name, exponents[name])
    figure.suptitle(_title(sweep.setting), fontsize=10, x=0.01, ha="left")
    legend = {
        text: artist
        for panel in reversed(panels)  # what all panels share comes first
        for artist, text in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(legend.values()), list(legend), loc="outside lower center", ncols=2 * columns - 2
    )
    return figure


def _title(setting: Setting) -> str:
    fixed = "".join(
        f" at {_NAMES[name]} ${_SYMBOLS[name]} = {v:g}$" for name, v in setting.fixed.items()
    )
    return f"Theorem {setting.theorem}" + (fixed or ", all tuned")


def _draw_risk(panel: Any, sweep: Sweep, name: str, exponent: Fraction) -> None:
    """The best risk, with curves at fixed values of one variable."""
    axis = sweep.axes[name]
    decades = np.log10(axis[-1] / axis[0])
    few = np.linspace(0, axis.size - 1, int(decades / _CURVE_SPACING) + 1)
    few = np.unique(few.round().astype(int))
    curves = grid_argmin(
        BOUND,
        **{**sweep.axes, name: axis[few]},
        over=[other for other in sweep.setting.tuned if other != name],
    ).risk.reshape(-1, few.size)
    shades = matplotlib.colormaps[_SHADES[name]](np.linspace(0.35, 1.0, few.size))
    for k, shade in enumerate(shades):
        label = f"fixed {_NAMES[name]}" if k == few.size // 2 else None
        panel.plot(sweep.axes["T"], curves[:, k], color=shade, label=label)
    best = sweep.grid.risk
    _draw_laws(panel, sweep, best, sweep.continuous["risk"], exponent, offset=0.25)
    panel.set_ylim(0.03 * best.min(), 100 * best.max())
    low, high = np.log10(axis[[0, -1]])
    panel.set_title(
        f"${_SYMBOLS[name]}$ fixed, $10^{{{low:g}}}$ (light) to $10^{{{high:g}}}$ (dark)"
    )
    panel.set_ylabel("risk")


def _draw_best(panel: Any, sweep: Sweep, name: str, exponent: Fraction) -> None:
    """The best value of one variable."""
    best, continuous = getattr(sweep.grid, name), sweep.continuous[name]
    clear = 4 * np.max((best / continuous)[sweep.window], initial=1.0)
    _draw_laws(panel, sweep, best, continuous, exponent, offset=clear)
    panel.set_title(f"best ${_SYMBOLS[name]}$")
    panel.set_ylabel(f"{_NAMES[name]} {_LABELS[name]}")


def _draw_laws(
    panel: Any, sweep: Sweep, best: Array, continuous: Array, exponent: Fraction, offset: float
) -> None:
    """The grid's optimum, the continuous one, and the theorem's slope beside them."""
    T, at, window = sweep.axes["T"], sweep.continuous, sweep.window
    panel.plot(T, best, color=_BEST, lw=1.2, marker="o", ms=1.8, label="best on the grid", zorder=3)
    feasible = (at["alpha"] <= 1) & (at["b"] >= 1)
    panel.plot(
        T,
        np.where(feasible, continuous, np.nan),
        color="black",
        lw=0.7,
        label="best in the continuum",
        zorder=4,
    )
    if window.any():
        ends = T[window][[0, -1]]
        panel.axvspan(*ends, color=_WINDOW, lw=0, label="fit window", zorder=0)
        middle = np.sqrt(ends[0] * ends[1])
        anchor = offset * np.exp(np.interp(np.log(middle), np.log(T), np.log(continuous)))
        panel.plot(
            ends,
            anchor * (ends / middle) ** float(exponent),
            color=_LAW,
            ls="--",
            label="slope of the theorem",
            zorder=4,
        )
        above = offset > 1
        panel.annotate(
            f"$T^{{{exponent}}}$",
            (middle, anchor),
            xytext=(0, 3 if above else -3),
            textcoords="offset points",
            ha="left" if above == (exponent < 0) else "right",  # clear of the line
            va="bottom" if above else "top",
            fontsize=9,
        )
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlim(T[0], T[-1])
    panel.set_xticks(np.geomspace(T[0], T[-1], 5))
    panel.yaxis.set_major_locator(LogLocator(numticks=7))
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_minor_locator(NullLocator())
    panel.set_xlabel("token budget $T$ (tokens)")
