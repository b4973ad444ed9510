"""Activity of generated images against the requested X-ray flux."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from heliosynth import goes_class
from heliosynth.arrays import Floats32
from heliosynth.dataset.store import GeneratedImages
from heliosynth.evaluation.flux_response import FLUX_RESPONSE
from heliosynth.figures import style
from heliosynth.figures.mosaic import Mosaic, evenly_spaced, mosaic
from heliosynth.io import tables
from heliosynth.results.names import model_title
from heliosynth.results.run import Run

MAX_IMAGES = 12
"""Largest number of images in a row."""
ABOVE_IN = 2.9
"""Height of the space above the images, for the curves, inches."""
NAMES_IN, LABELS_IN = 0.2, 0.58
"""Heights in that space above the curves, for the classes, and below them, for labels, inches."""
LEFT_IN = 0.72
BAND = (16, 50, 84)
"""Percentiles over the seeds: the median and the central 68 %."""
COLOURS = (style.ACCENT, style.CALM, *style.CLASS_COLOURS[1:4])


def flux_response(run: Run) -> Figure:
    """Plot bright area against the requested flux, and show images of one seed at their fluxes."""
    models = run.flux_models
    samples = [run.samples(f"flux_response/{model}") for model in models]
    fluxes = [np.unique(images.log10_flux) for images in samples]
    shown = min(MAX_IMAGES, len(fluxes[0]))
    grid = mosaic(len(models), [shown], left=LEFT_IN, top=ABOVE_IN, bottom=0.04, row_gap=0.17)
    axes = _axes_above(grid, fluxes[0])
    _classes(axes)
    responses = [_read(run, model) for model in models]
    test = responses[0][responses[0]["set"] == "test"]
    # A test flux can be outside the range of the training fluxes, and so of the axis.
    test = test[test["log10_flux"].between(*axes.get_xlim())]
    axes.plot(
        test["log10_flux"], 100 * test["bright_area"], ".", markersize=4, color=style.MUTED,
        alpha=0.45, markeredgewidth=0, rasterized=True,
        label=f"{run.origin} images of the test split (n = {len(test)})",
    )  # fmt: skip
    for row, (model, images, table) in enumerate(zip(models, samples, responses, strict=True)):
        _curve(axes, table[table["set"] == "grid"], model_title(model), COLOURS[row % len(COLOURS)])
        _images(grid, row, images, run)
        title = model_title(model).replace(" ", "\n")
        grid.row_title(row, "one seed" if len(models) == 1 else title)
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left")
    grid.intensity_bar(run.description, "DN")
    return grid.figure


def _read(run: Run, model: str) -> pd.DataFrame:
    return tables.read(run.path(f"metrics/flux_response/{model}.csv"), FLUX_RESPONSE)


def _axes_above(grid: Mosaic, fluxes: Floats32) -> Axes:
    """Add axes above the images, so that each image is below its flux."""
    height = grid.figure.get_figheight()
    first, last = (grid.panels[0, column].get_position() for column in (0, -1))
    axes_height = (ABOVE_IN - NAMES_IN - LABELS_IN) / height
    bottom = 1 - NAMES_IN / height - axes_height
    axes = grid.figure.add_axes((first.x0, bottom, last.x1 - first.x0, axes_height))
    margin = first.width / 2 / (last.x0 - first.x0) * float(fluxes[-1] - fluxes[0])
    axes.set_xlim(float(fluxes[0]) - margin, float(fluxes[-1]) + margin)
    axes.set_xlabel("log$_{10}$ X-ray flux (W m$^{-2}$), requested or of the label")
    axes.set_ylabel("bright area (% of the disk)")
    return axes


def _classes(axes: Axes) -> None:
    """Shade the flux ranges of the classes, with their letters above."""
    low, high = axes.get_xlim()
    edges = (low, *np.log10(goes_class.LOWER_FLUX[1:]), high)
    for n, (left, right) in enumerate(itertools.pairwise(np.clip(edges, low, high))):
        if right > left:
            axes.axvspan(left, right, color=style.CLASS_COLOURS[n], alpha=0.13, linewidth=0)
            axes.text(
                (left + right) / 2, 1.01, goes_class.NAMES[n], ha="center", va="bottom",
                transform=axes.get_xaxis_transform(), color=style.CLASS_COLOURS[n],
                fontweight="bold",
            )  # fmt: skip


def _curve(axes: Axes, table: pd.DataFrame, title: str, colour: str) -> None:
    at_flux = [area for _, area in table.groupby("log10_flux")["bright_area"]]
    fluxes = np.unique(table["log10_flux"])
    low, median, high = np.array([np.percentile(100 * area, BAND) for area in at_flux]).T
    label = f"{title}: median and 16–84 % of {table['group'].nunique()} seeds"
    axes.fill_between(fluxes, low, high, color=colour, alpha=0.25, linewidth=0)
    axes.plot(fluxes, median, "o-", markersize=3.5, color=colour, label=label)


def _images(grid: Mosaic, row: int, samples: GeneratedImages, run: Run) -> None:
    rows = np.flatnonzero(samples.seed == samples.seed[0])
    rows = rows[np.argsort(samples.log10_flux[rows])]
    panels = grid.panels[row]
    for axes, image in zip(panels, evenly_spaced(rows, len(panels)), strict=False):
        style.show_sun(axes, samples.images[image, 0], run.description)
        axes.set_title(style.flux_text(float(samples.log10_flux[image])), fontsize=6.5)
