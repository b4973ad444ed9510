"""Class distribution of the frames."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from heliosynth.figures import style
from heliosynth.results.run import Run


def class_distribution(run: Run) -> Figure:
    """Plot the frames per class and split on a logarithmic axis, counts above the bars."""
    counts = run.summary["classes"]
    letters = list(counts)
    scarce = run.summary["scarce_classes"]
    figure = style.canvas(style.COLUMN_IN, 2.5)
    axes = figure.subplots()
    for index, split in enumerate(style.SPLIT_TITLES):
        values = [int(counts[name].get(split, 0)) for name in letters]
        bars = axes.bar(
            np.arange(len(letters)) + 0.28 * (index - 1),
            values,
            width=0.27,
            color=style.SPLIT_COLOURS[split],
            edgecolor=style.INK,
            linewidth=0.4,
            label=f"{style.SPLIT_TITLES[split]} (n = {sum(values):,})",
        )
        for text in axes.bar_label(bars, [f"{v}" for v in values], fontsize=5.5, padding=1.5):
            text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
    minimum = run.presentation.minimum_frames
    axes.axhline(
        minimum, color=style.ACCENT, linewidth=0.8, linestyle="--", zorder=0,
        label=f"minimum for training: {minimum}",
    )  # fmt: skip
    axes.set_yscale("log")
    largest = max(max(int(v) for v in row.values()) for row in counts.values())
    axes.set_ylim(0.6, 15 * max(largest, minimum))
    axes.set_xlim(-0.6, len(letters) - 0.4)
    axes.set_xticks(
        range(len(letters)),
        [f"{name}\ntoo few" if name in scarce else name for name in letters],
    )
    axes.set_xlabel("GOES class")
    axes.set_ylabel("frames")
    axes.legend(loc="upper left", ncols=2, labelspacing=0.25, columnspacing=0.8)
    return figure
