"""Training curves."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from heliosynth.figures import style
from heliosynth.results.names import model_title
from heliosynth.results.run import Run


def training_curves(run: Run) -> Figure:
    """Plot training and validation loss against images seen, one panel per model."""
    columns = min(len(run.models), 4)
    lines = math.ceil(len(run.models) / columns)
    figure = style.canvas(style.PAGE_IN, 1.75 * lines + 0.15)
    panels = figure.subplots(lines, columns, squeeze=False)
    for index, (axes, model) in enumerate(zip(panels.flat, run.models, strict=False)):
        rows = run.rows(f"models/{model}/history.csv")
        images = np.array([float(row["images"]) for row in rows]) / 1000
        for column, title, colour, marker in (
            ("train_loss", "training", style.MUTED, ""),
            ("val_loss", "validation", style.ACCENT, "."),
        ):
            loss = np.array([float(row[column] or "nan") for row in rows])
            finite = np.isfinite(loss)
            axes.plot(
                images[finite],
                loss[finite],
                marker=marker,
                markersize=3.5,
                color=colour,
                label=title,
            )
            if np.any(finite) and np.all(loss[finite] > 0):
                axes.set_yscale("log")
                axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
                axes.yaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_locator(MaxNLocator(4))
        style.panel_title(axes, index, model_title(model))
        axes.set_xlabel("images seen (thousands)")
    for axes in panels.flat[len(run.models) :]:
        axes.set_axis_off()
    for axes in panels[:, 0]:
        axes.set_ylabel("loss (no unit)")
    panels[0, 0].legend(loc="upper right")
    return figure
