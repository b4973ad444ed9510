"""Physical statistics and curves of all rows, with the scale that training blocks give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from heliosynth.arrays import Floats
from heliosynth.config.evaluation import REAL
from heliosynth.evaluation.statistics import STATISTICS
from heliosynth.figures import style
from heliosynth.results.names import model_title, models_in_order
from heliosynth.results.run import Run

SMALLEST = 0.01
"""Left end of the axis of effect sizes; smaller ones are drawn there."""
COLOURS = (*style.CLASS_COLOURS, style.ACCENT, "#CC79A7", "#8C6D31")
MARKERS = "sDv^<>pP"
NULL_COLOUR = "0.88"


def physics(run: Run) -> Figure:
    """Plot the effect size of every statistic on a logarithmic axis, one marker per row."""
    report = run.json("metrics/physics.json")
    rows = models_in_order(report)
    keys = [key for key in STATISTICS if any(report[row].get(key) for row in rows)]
    figure = style.canvas(style.PAGE_IN, 0.165 * len(keys) + 1.0)
    axes = figure.subplots()
    for line, key in enumerate(keys):
        _null(axes, line, next(report[row][key] for row in rows if report[row].get(key)))
    for number, row in enumerate(rows):
        shift = 0.5 * ((number + 0.5) / len(rows) - 0.5)
        _markers(axes, [report[row].get(key) for key in keys], shift, _look(rows, row))
    axes.set_xscale("log")
    axes.set_xlim(left=0.85 * SMALLEST)
    axes.set_ylim(len(keys) - 0.5, -0.5)
    axes.set_yticks(range(len(keys)), [_title(key) for key in keys])
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("effect size $W_1/\\sigma_{\\mathrm{train}}$, or share of the images")
    null = Patch(color=NULL_COLOUR, label="training weeks, up to the 95 % quantile")
    median = Line2D([], [], color=style.MUTED, label="their median")
    figure.legend(
        handles=[null, median, *(_handle(rows, row) for row in rows)],
        loc="outside lower center", ncols=4,
    )  # fmt: skip
    return figure


def physics_curves(run: Run) -> Figure:
    """Plot the curves of every row relative to those of the training images."""
    curves = run.json("metrics/physics_curves.json")["curves"]
    figure = style.canvas(style.PAGE_IN, 2.45)
    panels = figure.subplots(1, 3)
    names = ("limb_profile", "power_spectrum", "intensity")
    titles = ("radial profile", "power of residuals", "pixels of the disk")
    rows = models_in_order(curves["limb_profile"]["rows"])
    for index, (axes, name, title) in enumerate(zip(panels, names, titles, strict=True)):
        _curve(axes, name, curves[name], rows)
        style.panel_title(axes, index, title)
    panels[0].axvline(1, color=style.MUTED, linestyle=":", linewidth=0.7)
    panels[0].set_ylabel("intensity / training")
    panels[1].set_ylabel("power $-$ training (dB)")
    panels[2].set_ylabel("density $-$ training")
    panels[2].set_xscale("log")
    band = Patch(color=NULL_COLOUR, label="training weeks, 5–95 %")
    figure.legend(
        handles=[band, *(_handle(rows, row, line=True) for row in rows)],
        loc="outside lower center", ncols=4,
    )  # fmt: skip
    return figure


def _title(key: str) -> str:
    row = STATISTICS[key]
    return f"{row.title} (share)" if row.kind == "share" else row.title


def _null(axes: Axes, line: int, entry: Mapping[str, Any]) -> None:
    """Shade the null distribution of a statistic, and mark its median."""
    if entry["null_q95"] is None:
        return
    width = max(entry["null_q95"], SMALLEST) - SMALLEST / 2
    axes.barh(line, width, left=SMALLEST / 2, height=0.8, color=NULL_COLOUR, zorder=0)
    median = max(entry["null_median"], SMALLEST)
    axes.plot([median, median], [line - 0.4, line + 0.4], color=style.MUTED, zorder=1)


def _markers(
    axes: Axes, entries: Sequence[Mapping[str, Any] | None], shift: float, look: Mapping[str, Any]
) -> None:
    """Draw the values of a row with their intervals, slightly above or below their lines."""
    for line, entry in enumerate(entries):
        if entry is None:
            continue
        low, value, high = (max(entry[key], SMALLEST) for key in ("low", "value", "high"))
        axes.plot([low, high], [line + shift] * 2, color=look["color"], linewidth=0.6, zorder=2)
        axes.plot(value, line + shift, linestyle="", markersize=3.6, zorder=3, **look)


def _curve(axes: Axes, name: str, curve: Mapping[str, Any], rows: Sequence[str]) -> None:
    """Plot the curves of all rows: the ratio to the training images, or the difference."""
    reference = _numbers(curve["reference"])

    def contrast(values: Floats) -> Floats:
        return values / reference if name == "limb_profile" else values - reference

    x = _numbers(curve["x"])
    low, high = (contrast(_numbers(curve[key])) for key in ("null_low", "null_high"))
    axes.fill_between(x, low, high, color=NULL_COLOUR, linewidth=0, zorder=0)
    for row in rows:
        look = _look(rows, row)
        axes.plot(
            x, contrast(_numbers(curve["rows"][row])), color=look["color"],
            linestyle="-" if row != REAL else "--", linewidth=1.0,
        )  # fmt: skip
    axes.set_xlabel(curve["x_label"])
    axes.margins(x=0.01)


def _numbers(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _look(rows: Sequence[str], row: str) -> dict[str, Any]:
    """Return colour and marker of a row; those of held-out weeks are the same in every run."""
    if row == REAL:
        return {"color": style.INK, "marker": "o"}
    number = [name for name in rows if name != REAL].index(row)
    return {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}


def _handle(rows: Sequence[str], row: str, line: bool = False) -> Line2D:
    look = _look(rows, row)
    if line:
        return Line2D([], [], color=look["color"], label=model_title(row),
                      linestyle="-" if row != REAL else "--")  # fmt: skip
    return Line2D([], [], linestyle="", markersize=3.6, label=model_title(row), **look)
