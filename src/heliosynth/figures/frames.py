"""Frames: examples of each class, and those that were rejected."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from heliosynth.arrays import Images
from heliosynth.catalogue.index import NO_IMAGE, SCHEMA
from heliosynth.dataset.scaling import scale
from heliosynth.figures import style
from heliosynth.figures.mosaic import evenly_spaced, mosaic
from heliosynth.frames.store import read_images
from heliosynth.io import tables
from heliosynth.results.run import Run

EXAMPLES = 8
"""Images of each class in the montage."""
COLUMNS, MAX_ROWS = 8, 6
"""Largest contact sheet of rejected frames."""


def class_montage(run: Run) -> Figure:
    """Show images of each class, evenly spaced in time over all splits."""
    splits = [run.split(name) for name in style.SPLIT_TITLES]
    grid = mosaic(len(run.classes), [EXAMPLES], left=0.62)
    grid.heading(0, f"{run.origin} images of each class, in order of time")
    for row, number in enumerate(run.classes):
        of_class = [split.of_classes([number]) for split in splits]
        images = np.concatenate([split.images[:, 0] for split in of_class])
        images = images[np.argsort(np.concatenate([split.time for split in of_class]))]
        grid.row_title(row, f"{style.class_title(number)}\nn = {len(images)}")
        shown = evenly_spaced(images, EXAMPLES)
        for axes, image in zip(grid.panels[row], shown, strict=False):
            style.show_sun(axes, image, run.description)
        if not len(images):
            grid.note(row, 0, "none")
    grid.intensity_bar(run.description)
    return grid.figure


def rejected_frames(run: Run) -> Figure:
    """Show a contact sheet of the frames rejected for their pixels, with the reason."""
    index = tables.read(run.path("dataset/index.csv"), SCHEMA)
    rejected = index[(index["refused"] != "") & (index["image_row"] != NO_IMAGE)]
    flagged = int(((index["refused"] != "") & (index["image_row"] == NO_IMAGE)).sum())
    rejected = rejected.sort_values(["refused", "time"])
    shown = evenly_spaced(rejected.to_numpy(object), COLUMNS * MAX_ROWS)
    table = pd.DataFrame(shown, columns=rejected.columns)
    grid = mosaic(
        max(1, -(-len(table) // COLUMNS)), [COLUMNS], left=0.03, row_gap=0.32, top=0.5, bottom=0.06
    )
    grid.heading(
        0,
        f"{len(rejected)} of {len(index):,} frames rejected for their pixels"
        + (f" ({len(table)} shown)" if len(table) < len(rejected) else "")
        + (f", and {flagged} for their quality flag" if flagged else ""),
        above_in=0.28,
    )
    for axes, (_, frame) in zip(grid.panels.ravel(), table.iterrows(), strict=False):
        style.show_sun(axes, _image(run, frame), run.description)
        axes.set_title(f"{frame['time']:%Y-%m-%d %H:%M}\n{frame['refused']}", fontsize=5)
    if table.empty:
        grid.note(0, 0, "none")
    else:
        # The full label does not fit beside a single row.
        grid.intensity_bar(run.description, "DN" if len(table) <= COLUMNS else None)
    return grid.figure


def _image(run: Run, frame: pd.Series) -> Images:
    path = run.path(f"dataset/intensities/{frame['year']}.h5")
    image = read_images(path, np.array([frame["image_row"]]))[0]
    limits = run.description.minimum_dn, run.description.maximum_dn
    scaled = scale(np.nan_to_num(image, nan=limits[0]), *limits)
    return np.where(np.isfinite(image), scaled, np.float32(np.nan))
