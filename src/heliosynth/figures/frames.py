"""The frames themselves: examples of each class, and those that were refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from heliosynth.catalogue.index import NO_IMAGE, SCHEMA
from heliosynth.dataset.scaling import scale
from heliosynth.figures import style
from heliosynth.figures.grids import spread_out, true_title
from heliosynth.figures.mosaic import mosaic
from heliosynth.frames.area import Images
from heliosynth.frames.store import read_images
from heliosynth.io import tables
from heliosynth.results.run import Run

OF_CLASS = 8
"""Examples of each class."""
COLUMNS, MOST_ROWS = 8, 6
"""The contact sheet of refused frames at its largest."""


def class_montage(products: Run) -> Figure:
    """Draw true images of each class, evenly spread over all splits in time."""
    splits = [products.split(name) for name in style.SPLIT_TITLES]
    grid = mosaic(len(products.classes), [OF_CLASS], left=0.62)
    grid.heading(0, f"{true_title(products)} images of each class, in order of time")
    for row, number in enumerate(products.classes):
        of_class = [split.of_classes([number]) for split in splits]
        images = np.concatenate([split.images[:, 0] for split in of_class])
        images = images[np.argsort(np.concatenate([split.time for split in of_class]))]
        grid.row_title(row, f"{style.class_title(number)}\nn = {len(images)}")
        shown = spread_out(images, OF_CLASS)
        for axes, image in zip(grid.panels[row], shown, strict=False):
            style.show_sun(axes, image, products.description)
        if not len(images):
            grid.note(row, 0, "none")
    grid.intensity_bar(products.description)
    return grid.figure


def refused_frames(products: Run) -> Figure:
    """Draw a contact sheet of the frames that were refused for their pixels, with the reason."""
    index = tables.read(products.path("dataset/index.csv"), SCHEMA)
    refused = index[(index["refused"] != "") & (index["image_row"] != NO_IMAGE)]
    flagged = int(((index["refused"] != "") & (index["image_row"] == NO_IMAGE)).sum())
    refused = refused.sort_values(["refused", "time"])
    shown = spread_out(refused.to_numpy(object), COLUMNS * MOST_ROWS)
    table = pd.DataFrame(shown, columns=refused.columns)
    grid = mosaic(
        max(1, -(-len(table) // COLUMNS)), [COLUMNS], left=0.03, row_gap=0.32, top=0.5, bottom=0.06
    )
    grid.heading(
        0,
        f"{len(refused)} of {len(index):,} frames refused for their pixels"
        + (f" ({len(table)} shown)" if len(table) < len(refused) else "")
        + (f", and {flagged} for their quality flag" if flagged else ""),
        above_in=0.28,
    )
    for axes, (_, frame) in zip(grid.panels.ravel(), table.iterrows(), strict=False):
        style.show_sun(axes, _image(products, frame), products.description)
        axes.set_title(f"{frame['time']:%Y-%m-%d %H:%M}\n{frame['refused']}", fontsize=5)
    if table.empty:
        grid.note(0, 0, "no frame")
    # A single row is too low for the whole label.
    grid.intensity_bar(products.description, "DN" if len(table) <= COLUMNS else None)
    return grid.figure


def _image(products: Run, frame: pd.Series) -> Images:
    path = products.path(f"dataset/intensities/{frame['year']}.h5")
    image = read_images(path, np.array([frame["image_row"]]))[0]
    about = products.description
    scaled = scale(np.nan_to_num(image, nan=about.minimum_dn), about.minimum_dn, about.maximum_dn)
    return np.where(np.isfinite(image), scaled, np.float32(np.nan))
