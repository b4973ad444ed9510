"""Every metric of every model at a glance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from heliosynth.evaluation.metrics import IDEAL, metric_title, metrics_in_order, split_metric
from heliosynth.figures import style
from heliosynth.results.names import MODELS, in_order, model_title
from heliosynth.results.published import published
from heliosynth.results.run import Run


def metrics_comparison(products: Run) -> Figure:
    """Draw each metric with its spread, a line a model, the published values as open markers."""
    summary = products.metrics
    models = in_order(summary, MODELS)
    names = metrics_in_order(name for row in summary.values() for name in row)
    columns = 4
    lines = math.ceil(len(names) / columns)
    figure = style.canvas(style.PAGE_IN, 1.35 * lines + 0.35)
    panels = figure.subplots(lines, columns, squeeze=False, sharey=True)
    for place, (axes, name) in enumerate(zip(panels.flat, names, strict=False)):
        _panel(axes, name, models, summary)
        style.panel_title(axes, place, metric_title(name))
    for axes in panels.flat[len(names) :]:
        axes.set_axis_off()
    panels[0, 0].set_yticks(range(len(models)), [model_title(m) for m in models])
    panels[0, 0].set_ylim(len(models) - 0.5, -0.5)
    figure.legend(
        handles=[
            Line2D([], [], marker="o", linestyle="", color=style.CALM, label="this run, ±1 std"),
            Line2D([], [], marker="o", linestyle="", color=style.INK, label="real against real"),
            Line2D(
                [], [], marker="D", linestyle="", color=style.ACCENT, markerfacecolor="none",
                label="published (other data)",
            ),
            Line2D([], [], color=style.MUTED, linestyle=":", label="ideal"),
        ],
        loc="outside lower center",
        ncols=4,
    )  # fmt: skip
    return figure


def _panel(axes: Axes, name: str, models: list[str], summary: dict[str, Any]) -> None:
    shown = []
    for line, model in enumerate(models):
        axes.axhline(line, color="0.9", linewidth=0.5, zorder=0)
        entry = summary[model].get(name)
        printed, printed_spread = published(model, name)
        if entry is not None and entry["value"] is not None:
            colour = style.INK if model == "real" else style.CALM
            spread = entry.get("std") or 0.0
            axes.errorbar(
                entry["value"], line, xerr=spread, fmt="o", markersize=4, color=colour,
                capsize=2, linewidth=0.9,
            )  # fmt: skip
            shown.append(float(entry["value"]))
        if printed is not None:
            axes.errorbar(
                printed, line + 0.22, xerr=printed_spread or 0.0, fmt="D", markersize=3.5,
                color=style.ACCENT, markerfacecolor="white", linewidth=0.8, capsize=1.5,
            )  # fmt: skip
            shown.append(printed)
        if entry is None and printed is None:
            axes.text(
                0.5, line, "does not apply", transform=axes.get_yaxis_transform(), ha="center",
                va="center", fontsize=5.5, color=style.MUTED, style="italic",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            )  # fmt: skip
    _scale(axes, split_metric(name)[0], np.array(shown))
    axes.tick_params(axis="y", length=0)


def _scale(axes: Axes, family: str, values: Any) -> None:
    ideal = IDEAL.get(family)
    if ideal == 1.0:
        axes.axvline(1.0, color=style.MUTED, linestyle=":", linewidth=0.9, zorder=0)
    if family in ("f1", "precision", "recall"):
        axes.set_xlim(-0.04, 1.06)
    elif ideal == 0.0 and len(values) and values.min() > 0 and values.max() > 20 * values.min():
        axes.set_xscale("log")
    else:
        axes.margins(x=0.12)
