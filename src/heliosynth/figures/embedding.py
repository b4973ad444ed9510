"""The latent space of the ceVAE."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from heliosynth import goes_class
from heliosynth.figures import style
from heliosynth.results.run import Run


def cevae_embedding(run: Run) -> Figure:
    """Plot the t-SNE map of the ceVAE's latent means, by class and by X-ray flux."""
    rows = run.rows("metrics/cevae_embedding.csv")
    position = np.array([[float(row["x"]), float(row["y"])] for row in rows]).reshape(-1, 2)
    number = np.array([class_number(row["goes_class"]) for row in rows], dtype=int)
    flux = np.array([float(row["log10_flux"] or "nan") for row in rows])
    figure = style.canvas(style.PAGE_IN, 3.0)
    left, right = figure.subplots(1, 2)
    size = float(np.clip(2500 / max(len(rows), 1), 2, 12))
    # Rare classes last, so that the common ones do not hide them.
    for n in sorted(set(number), key=lambda n: -int(np.sum(number == n))):
        of_class = position[number == n]
        left.scatter(
            *of_class.T,
            s=size,
            color=style.CLASS_COLOURS[n],
            linewidths=0,
            label=f"{goes_class.NAMES[n]} (n = {len(of_class)})",
        )
    handles, labels = left.get_legend_handles_labels()
    order = np.argsort(labels)
    left.legend(
        [handles[i] for i in order],
        [labels[i] for i in order],
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        markerscale=2,
        handletextpad=0.2,
    )
    points = right.scatter(*position.T, s=size, c=flux, cmap="cividis", linewidths=0)
    bar = figure.colorbar(points, ax=right, aspect=30, pad=0.02)
    bar.set_label("log$_{10}$ X-ray flux (W m$^{-2}$)")
    bar.outline.set_linewidth(0.4)
    style.panel_title(left, 0, "GOES class")
    style.panel_title(right, 1, f"X-ray flux (n = {len(rows)})")
    for axes in (left, right):
        axes.set_box_aspect(1)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_xlabel("t-SNE 1 (no unit)")
        axes.set_ylabel("t-SNE 2 (no unit)")
    return figure


def class_number(text: str) -> int:
    """Return the number of a class written as its letter or its number."""
    return goes_class.NAMES.index(text) if text in goes_class.NAMES else int(float(text))
