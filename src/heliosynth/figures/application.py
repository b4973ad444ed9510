"""Accuracy of the downstream task with and without generated images."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from heliosynth.figures import style
from heliosynth.results.run import Run

ARM_COLOURS = {"real_only": "#7F96B8", "with_generated": style.ACCENT}


def application_accuracy(run: Run) -> Figure:
    """Plot the accuracy per class of a classifier trained with and without generated images."""
    summary = run.json("application/summary.json")
    titles = {"real_only": f"{run.origin} only", "with_generated": "with generated images"}
    names = list(summary["real_only"])
    figure = style.canvas(style.COLUMN_IN, 2.5)
    axes = figure.subplots()
    for offset, (arm, colour) in zip((-0.2, 0.2), ARM_COLOURS.items(), strict=True):
        _bars(axes, summary[arm], offset, colour, titles[arm])
    axes.set_xticks(np.arange(len(names)), [_tick(summary, name) for name in names])
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set_ylim(0, 1.2)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.set_xlabel("GOES class and n of the test images\n(* generated images added)")
    axes.set_ylabel("accuracy (share of test images)")
    axes.legend(loc="upper left", ncols=2)
    return figure


def _bars(axes: Axes, estimates: dict[str, Any], offset: float, colour: str, title: str) -> None:
    """Plot the accuracies of one arm; the last class, ``overall``, always has one."""
    last = list(estimates)[-1]
    for position, (name, estimate) in enumerate(estimates.items()):
        if estimate is None:
            axes.text(position, 0.02, "not\ntested", ha="center", fontsize=6, color=style.MUTED)
            continue
        axes.bar(
            position + offset, estimate["value"], 0.38, yerr=style.interval(estimate), color=colour,
            capsize=2, edgecolor=style.INK, linewidth=0.4, error_kw={"linewidth": 0.8},
            label=title if name == last else None,
        )  # fmt: skip


def _tick(summary: dict[str, Any], name: str) -> str:
    """Return the label of a class: a star where generated images were added, and n."""
    estimate = summary["real_only"][name]
    title = "all" if name == "overall" else name
    star = "*" if name in summary["generated"] else ""
    return f"{title}{star}\n{estimate['n'] if estimate else '–'}"
