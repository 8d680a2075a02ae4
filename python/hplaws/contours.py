"""Contours of the best risk (Figures 4, 10, 11), drawn with Matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from .figures import _STYLE, save
from .landscapes import FREE, PLANES, SHARE, IsoCurve, Landscape, Plane, landscape

_RISK = "YlGnBu_r"  # dark: low risk
_GRID_LINE = "0.6"
_NEAR_OPTIMAL = "#e31a1c"
_PER_DECADE = 4  # shades
_BUDGETS = {"K": "steps $K$", "T": "token budget $T$ (tokens)"}


def draw_landscapes(directory: str | Path) -> list[Path]:
    """The paper's Figures 4, 10 and 11 as PNG files fig04.png and so on, computed here.

    Parameters
    ----------
    directory : made if it is not there

    Returns
    -------
    The files written.
    """
    files = []
    for number in sorted({plane.figure for plane in PLANES}):
        panels = [landscape(plane) for plane in PLANES if plane.figure == number]
        files.append(save(draw_panels(panels), number, directory))
    return files


@matplotlib.rc_context({**_STYLE, "axes.spines.top": True, "axes.spines.right": True})
def draw_panels(landscapes: Sequence[Landscape]) -> Figure:
    """One figure: panels side by side, one colour scale."""
    figure = Figure(figsize=(max(3.3 * len(landscapes) + 1.3, 5.6), 4.0), layout="constrained")
    panels = list(np.atleast_1d(figure.subplots(1, len(landscapes), sharey=True)))
    risks = np.concatenate([x.risk.ravel() for x in landscapes])
    low, high = np.floor(np.log10(np.nanmin(risks))), np.ceil(np.log10(np.nanmax(risks)))
    shades = np.logspace(low, high, int(high - low) * _PER_DECADE + 1)
    for panel, shown in zip(panels, landscapes, strict=True):
        filled = panel.contourf(
            shown.budget, shown.b, shown.risk.T, shades, norm=LogNorm(), cmap=_RISK
        )
        _draw_lines(panel, shown)
        _label(panel, shown.plane)
    panels[0].set_ylabel("batch size $b$ (tokens)")
    bar = figure.colorbar(filled, ax=panels, label="best risk", pad=0.02, aspect=25)
    bar.set_ticks((10.0 ** np.arange(low, high + 1)).tolist())
    bar.ax.yaxis.set_minor_locator(NullLocator())
    figure.suptitle("Best achievable risk", fontsize=10, x=0.01, ha="left")
    entries = {
        line.get_label(): line
        for panel in panels
        for line in panel.get_lines()
        if not line.get_label().startswith("_")
    }
    figure.legend(entries.values(), entries, loc="outside lower center", ncols=2)
    return figure


def _draw_lines(panel: Any, shown: Landscape) -> None:
    levels = [curve.level for curve in shown.curves]
    panel.contour(shown.budget, shown.b, shown.risk.T, levels, colors=_GRID_LINE, linewidths=2.2)
    panel.plot([], [], color=_GRID_LINE, lw=2.2, label="contour of the grid")
    for curve in shown.curves:
        panel.plot(
            curve.budget,
            curve.b,
            color="black",
            lw=0.8,
            ls=(0, (4, 2)),
            label="exact curve of constant risk",
        )
        _draw_level(panel, shown, curve)
        if shown.plane.eta == FREE and shown.plane.alpha is not None:
            corner = [curve.K_min, curve.K_min, shown.budget[-1]]
            panel.plot(
                corner,
                [shown.b[-1], curve.b_min, curve.b_min],
                color="black",
                lw=0.6,
                ls=":",
                label=r"its $K_{\min}$ and $b_{\min}$",
            )
    if shown.eta_at_limit.any():
        panel.contour(
            shown.budget,
            shown.b,
            shown.eta_at_limit.T,
            [0.5],
            colors="black",
            linewidths=1.0,
            linestyles="dotted",
        )
        panel.plot(
            [], [], color="black", lw=1.0, ls=":", label=r"right of it $\eta$ is at its lower limit"
        )
    panel.plot(
        shown.budget,
        shown.near_optimal,
        color=_NEAR_OPTIMAL,
        lw=1.6,
        label=f"smallest batch with {SHARE:.0%} of the best performance",
    )


def _draw_level(panel: Any, shown: Landscape, curve: IsoCurve) -> None:
    """The level's power of ten, where its curve leaves through the top of the panel."""
    inside = (curve.budget <= shown.budget[-1]) & (curve.b <= shown.b[-1])
    top = np.argmax(np.where(inside, curve.b, 0.0))
    if curve.b[top] < 0.5 * shown.b[-1]:
        return
    at_the_corner = curve.budget[top] ** 1.03 > shown.budget[-1]
    panel.annotate(
        f"$10^{{{np.log10(curve.level):.0f}}}$",
        (curve.budget[top], curve.b[top]),
        xytext=(-3 if at_the_corner else 0, -4),
        textcoords="offset points",
        ha="right" if at_the_corner else "center",
        va="top",
        fontsize=7,
        bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "linewidth": 0},
    )


def _label(panel: Any, plane: Plane) -> None:
    panel.set_xscale("log")
    panel.set_yscale("log")
    (first, last), (low, high) = plane.decades
    panel.set_xlim(10.0**first, 10.0**last)
    panel.set_ylim(10.0**low, 10.0**high)
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_locator(LogLocator(numticks=8))
        axis.set_minor_locator(NullLocator())
    panel.set_xlabel(_BUDGETS[plane.budget])
    momentum = r"$\alpha$ tuned" if plane.alpha is None else rf"$\alpha = {plane.alpha:g}$"
    if plane.budget == "T":
        panel.text(0.05, 0.95, "$b > T$", transform=panel.transAxes, va="top")
    panel.set_title(f"{momentum}, {_rate(plane)}")


def _rate(plane: Plane) -> str:
    if plane.eta == FREE:
        return r"$\eta$ tuned freely"
    mantissa, power = f"{plane.eta[0]:.2e}".split("e")
    return rf"$\eta$ tuned in $[{float(mantissa):g} \times 10^{{{int(power)}}}, 1]$"
