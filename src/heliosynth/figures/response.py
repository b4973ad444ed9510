"""How the activity of generated images follows the X-ray flux asked for."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from heliosynth import goes_class
from heliosynth.dataset.store import GeneratedImages
from heliosynth.evaluation.flux_response import FLUX_RESPONSE
from heliosynth.figures import style
from heliosynth.figures.grids import flux_text, spread_out, true_title
from heliosynth.figures.mosaic import Mosaic, mosaic
from heliosynth.io import tables
from heliosynth.results.names import model_title
from heliosynth.results.run import Run

MOST_IMAGES = 12
"""Images in a row at most."""
ABOVE_IN = 2.9
"""Room above the images for the curves, inches."""
NAMES_IN, LABELS_IN = 0.2, 0.58
"""Of it, above the curves for the classes, and below them for labels and titles."""
LEFT_IN = 0.72
BAND = (16, 50, 84)
COLOURS = (style.ACCENT, style.CALM, *style.CLASS_COLOURS[1:4])


def flux_response(products: Run) -> Figure:
    """Draw bright area against the flux asked for, and images of one seed under their fluxes."""
    models = products.flux_models
    samples = [products.samples(f"flux_response/{model}") for model in models]
    fluxes = [np.unique(images.log10_flux) for images in samples]
    shown = min(MOST_IMAGES, len(fluxes[0]))
    grid = mosaic(len(models), [shown], left=LEFT_IN, top=ABOVE_IN, bottom=0.04, row_gap=0.17)
    axes = _axes_above(grid, fluxes[0])
    _classes(axes)
    tables = [_read(products, model) for model in models]
    real = tables[0][tables[0]["set"] == "test"]
    # A held-out flux may lie beyond the training fluxes, and so beyond the axis.
    real = real[real["log10_flux"].between(*axes.get_xlim())]
    axes.plot(
        real["log10_flux"], 100 * real["bright_area"], ".", markersize=4, color=style.MUTED,
        alpha=0.45, markeredgewidth=0, rasterized=True,
        label=f"{true_title(products)}, test split (n = {len(real)})",
    )  # fmt: skip
    for row, (model, images, table) in enumerate(zip(models, samples, tables, strict=True)):
        _curve(axes, table[table["set"] == "grid"], model_title(model), COLOURS[row % len(COLOURS)])
        _images(grid, row, images, products)
        title = model_title(model).replace(" ", "\n")
        grid.row_title(row, "one seed" if len(models) == 1 else title)
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left")
    grid.intensity_bar(products.description, "DN")
    return grid.figure


def _read(products: Run, model: str) -> pd.DataFrame:
    return tables.read(products.path(f"metrics/flux_response/{model}.csv"), FLUX_RESPONSE)


def _axes_above(grid: Mosaic, fluxes: npt.NDArray[np.float32]) -> Axes:
    """Place axes above the images so that each image stands under its flux."""
    height = grid.figure.get_figheight()
    first, last = (grid.panels[0, at].get_position() for at in (0, -1))
    room = (ABOVE_IN - NAMES_IN - LABELS_IN) / height
    axes = grid.figure.add_axes((first.x0, 1 - NAMES_IN / height - room, last.x1 - first.x0, room))
    beside = first.width / 2 / (last.x0 - first.x0) * float(fluxes[-1] - fluxes[0])
    axes.set_xlim(float(fluxes[0]) - beside, float(fluxes[-1]) + beside)
    axes.set_xlabel("log$_{10}$ X-ray flux (W m$^{-2}$), asked for or of the label")
    axes.set_ylabel("bright area (% of the disk)")
    return axes


def _classes(axes: Axes) -> None:
    """Shade the classes and name them above."""
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


def _images(grid: Mosaic, row: int, samples: GeneratedImages, products: Run) -> None:
    rows = np.flatnonzero(samples.seed == samples.seed[0])
    rows = rows[np.argsort(samples.log10_flux[rows])]
    panels = grid.panels[row]
    for axes, at in zip(panels, spread_out(rows, len(panels)), strict=False):
        style.show_sun(axes, samples.images[at, 0], products.description)
        axes.set_title(flux_text(float(samples.log10_flux[at])), fontsize=6.5)
