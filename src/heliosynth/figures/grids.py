"""Grids of generated images beside true ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from heliosynth import goes_class
from heliosynth.dataset.store import SPLITS, GeneratedImages
from heliosynth.figures import style
from heliosynth.figures.mosaic import mosaic
from heliosynth.results.run import Run

Images = npt.NDArray[np.float32]

SET_SIZE = 3
"""Images of a class in one set."""
TERCILES = (("low", 0.0, 1 / 3), ("medium", 1 / 3, 2 / 3), ("high", 2 / 3, 1.0))


def class_grid(products: Run, model: str) -> Figure:
    """Draw two sets of generated images of each class, and true images of it.

    A class that was not trained is named with the number of its frames in place of images.
    """
    samples = products.samples(model)
    scarce = products.summary["scarce_classes"]
    grid = mosaic(len(products.classes), [SET_SIZE] * 3)
    for block, title in enumerate(("generated, set 1", "generated, set 2", true_title(products))):
        grid.heading(block, title)
    for row, number in enumerate(products.classes):
        name = style.class_title(number)
        grid.row_title(row, name, fontweight="bold", fontsize=9)
        generated = balanced_images(samples, number)
        sets = [generated[:SET_SIZE], generated[SET_SIZE : 2 * SET_SIZE]]
        for block, images in enumerate([*sets, true_images(products, number, SET_SIZE)]):
            panels = grid.panels[row, grid.blocks[block]]
            for axes, image in zip(panels, images, strict=False):
                style.show_sun(axes, image, products.description)
            if name in scarce and block < len(sets):
                reason = f"{name}: too few frames ({scarce[name]}),\nnot trained"
                grid.note(row, block, reason)
            elif not len(images):
                grid.note(row, block, f"{name}: none")
    grid.intensity_bar(products.description)
    return grid.figure


def cevae_samples(products: Run) -> Figure:
    """Draw images that the baseline generated beside true ones of any class."""
    generated = products.samples("cevae").images[:, 0]
    true = products.split("test").images[:, 0]
    grid = mosaic(2, [4, 4], left=0.03)
    for block, images, title in (
        (0, generated, f"ceVAE, generated (n = {len(generated)})"),
        (1, true, f"{true_title(products)}, test split, all classes (n = {len(true)})"),
    ):
        grid.heading(block, title)
        panels = grid.panels[:, grid.blocks[block]].ravel()
        for axes, image in zip(panels, spread_out(images, len(panels)), strict=False):
            style.show_sun(axes, image, products.description)
    grid.intensity_bar(products.description)
    return grid.figure


def activity_levels(products: Run) -> Figure:
    """Draw generated images at the low, medium and high third of the X-ray fluxes asked for."""
    samples = products.samples("ddpm_continuous")
    order = np.argsort(samples.log10_flux, kind="stable")
    grid = mosaic(len(TERCILES), [7], left=0.72, row_gap=0.17, top=0.19)
    for row, (name, first, last) in enumerate(TERCILES):
        level = order[round(first * len(order)) : round(last * len(order))]
        grid.row_title(row, f"{name}\nactivity\n(n = {len(level)})")
        panels = grid.panels[row]
        for axes, at in zip(panels, spread_out(level, len(panels)), strict=False):
            style.show_sun(axes, samples.images[at, 0], products.description)
            axes.set_title(flux_text(float(samples.log10_flux[at])), fontsize=6.5)
    grid.intensity_bar(products.description)
    return grid.figure


def true_title(products: Run) -> str:
    """Say that images are true ones, and whether the Sun in them is simulated."""
    return "true (simulated)" if products.presentation.source == "simulated" else "true"


def balanced_images(samples: GeneratedImages, number: int) -> Images:
    """Give the generated images (n, H, W) of a class, those of the balanced set first."""
    rows = np.flatnonzero(samples.goes_class == number)
    rows = rows[np.argsort(~samples.balanced[rows], kind="stable")]
    return np.asarray(samples.images[rows, 0])


def true_images(products: Run, number: int, count: int) -> Images:
    """Give true images (≤ count, H, W) of a class: of the test split, else of the others."""
    found: list[Images] = []
    for split in reversed(SPLITS):
        of_class = products.split(split).of_classes([number])
        lacking = count - sum(len(images) for images in found)
        found.append(spread_out(of_class.images[:, 0], lacking))
    return np.concatenate(found)


def spread_out(rows: npt.NDArray[Any], count: int) -> npt.NDArray[Any]:
    """Take up to ``count`` rows, evenly spread, so that near copies are not neighbours."""
    places = np.linspace(0, len(rows) - 1, min(count, len(rows)))
    return np.asarray(rows[places.round().astype(int)])


def flux_text(log10_flux: float) -> str:
    """Write a flux as the class and figure that observers use, ``M1.2``."""
    flux = 10.0**log10_flux
    number = int(goes_class.of_flux(flux))
    return f"{goes_class.NAMES[number]}{flux / goes_class.LOWER_FLUX[number]:.1f}"
