"""Pixel-wise standard deviation of the images of a class."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from heliosynth.arrays import Floats
from heliosynth.dataset.store import Description, LabelledImages
from heliosynth.figures import style
from heliosynth.figures.mosaic import mosaic
from heliosynth.results.names import model_title
from heliosynth.results.run import Run

WIDTH_IN = 0.88 * style.PAGE_IN


def standard_deviation_maps(run: Run) -> Figure:
    """Plot the standard deviation of each class, in the dataset and for each diffusion model."""
    numbers = run.classes
    sets: list[tuple[str, LabelledImages]] = [
        (f"{run.origin},\ntraining split", run.split("train"))
    ]
    sets += [
        ("DDPM,\n" + model_title(m).replace(" ", "\n"), run.samples(m))
        for m in run.diffusion_models
    ]
    maps = [
        [deviation(images.of_classes([n]), run.description) for n in numbers] for _, images in sets
    ]
    shown = [image for row in maps for image in row if image is not None]
    highest = max((float(np.quantile(image, 0.995)) for image in shown), default=1.0)
    grid = mosaic(
        len(sets), [len(numbers)], left=1.02, row_gap=0.17, top=0.19, bottom=0.08, width=WIDTH_IN
    )
    for row, (title, images) in enumerate(sets):
        grid.row_title(row, title)
        for axes, number, image in zip(grid.panels[row], numbers, maps[row], strict=True):
            n = int(np.sum(images.goes_class == number))
            axes.set_title(f"{style.class_title(number)}, n = {n}", fontsize=6.5)
            if image is None:
                reason = "not\ntrained" if row and n == 0 else "too few"
                axes.text(
                    0.5, 0.5, reason, ha="center", va="center", color=style.MUTED,
                    transform=axes.transAxes,
                )  # fmt: skip
            else:
                axes.imshow(image, cmap="magma", vmin=0, vmax=highest)
                style.frameless(axes)
    label = "standard deviation of log$_{10}$ intensity (dex)"
    grid.colour_bar("magma", 0, highest, label)
    return grid.figure


def deviation(images: LabelledImages, description: Description) -> Floats | None:
    """Return the pixel-wise standard deviation (H, W) in dex, None for fewer than two images."""
    if len(images) < 2:
        return None
    dex = np.log10(description.maximum_dn / description.minimum_dn) / 2
    return np.asarray(images.images[:, 0].std(axis=0, dtype=np.float64) * dex)
