"""Comparison of all metrics of all models."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from heliosynth.evaluation.metrics import Metric, find_metric, metric_title, metrics_in_order
from heliosynth.figures import style
from heliosynth.results.names import model_title, models_in_order
from heliosynth.results.published import published
from heliosynth.results.run import Run


def metrics_comparison(run: Run) -> Figure:
    """Plot each metric with its 95 % interval, a line per model, published values open."""
    summary = run.metrics
    models = models_in_order(summary)
    names = metrics_in_order(name for row in summary.values() for name in row)
    columns = 4
    lines = math.ceil(len(names) / columns)
    figure = style.canvas(style.PAGE_IN, 1.35 * lines + 0.35)
    panels = figure.subplots(lines, columns, squeeze=False, sharey=True)
    for index, (axes, name) in enumerate(zip(panels.flat, names, strict=False)):
        _panel(axes, name, models, summary)
        style.panel_title(axes, index, metric_title(name))
    for axes in panels.flat[len(names) :]:
        axes.set_axis_off()
    panels[0, 0].set_yticks(range(len(models)), [model_title(m) for m in models])
    panels[0, 0].set_ylim(len(models) - 0.5, -0.5)
    figure.legend(handles=_legend(run), loc="outside lower center", ncols=4)
    return figure


def _legend(run: Run) -> list[Line2D]:
    return [
        Line2D([], [], linestyle="", marker="o", color=style.CALM, label="this run, 95 % interval"),
        Line2D([], [], linestyle="", marker="o", color=style.INK, label=f"{run.origin} test split"),
        Line2D(
            [], [], linestyle="", marker="D", color=style.ACCENT, markerfacecolor="none",
            label="published (other data)",
        ),
        Line2D([], [], linestyle=":", color=style.MUTED, label="ideal"),
    ]  # fmt: skip


def _panel(axes: Axes, name: str, models: list[str], summary: dict[str, Any]) -> None:
    shown = []
    for line, model in enumerate(models):
        axes.axhline(line, color="0.9", linewidth=0.5, zorder=0)
        estimate = summary[model].get(name)
        published_value, published_std = published(model, name)
        if estimate is not None and estimate["value"] is not None:
            colour = style.INK if model == "real" else style.CALM
            axes.errorbar(
                estimate["value"], line, xerr=style.interval(estimate), fmt="o", markersize=4,
                color=colour, capsize=2, linewidth=0.9,
            )  # fmt: skip
            shown.append(float(estimate["value"]))
        if published_value is not None:
            axes.errorbar(
                published_value, line + 0.22, xerr=published_std or 0.0, fmt="D", markersize=3.5,
                color=style.ACCENT, markerfacecolor="white", linewidth=0.8, capsize=1.5,
            )  # fmt: skip
            shown.append(published_value)
        if estimate is None and published_value is None:
            axes.text(
                0.5, line, "does not apply", transform=axes.get_yaxis_transform(), ha="center",
                va="center", fontsize=5.5, color=style.MUTED, style="italic",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            )  # fmt: skip
    _scale(axes, find_metric(name), np.array(shown))
    axes.tick_params(axis="y", length=0)


def _scale(axes: Axes, metric: Metric, values: Any) -> None:
    if metric.ideal:
        axes.axvline(metric.ideal, color=style.MUTED, linestyle=":", linewidth=0.9, zorder=0)
    if metric.bounded:
        axes.set_xlim(-0.04, 1.06)
    elif (
        metric.ideal == 0 and len(values) and values.min() > 0 and values.max() > 20 * values.min()
    ):
        axes.set_xscale("log")
    else:
        axes.margins(x=0.12)
