"""Generated images next to the training images that they are nearest to."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from heliosynth.arrays import Images
from heliosynth.dataset.store import LazySplit
from heliosynth.evaluation.memorisation import MIRRORINGS
from heliosynth.evaluation.memorisation_report import MATCHES
from heliosynth.figures import style
from heliosynth.figures.mosaic import mosaic
from heliosynth.io import tables
from heliosynth.results.names import model_title
from heliosynth.results.run import Run

PAIRS = 8
"""Generated images of the smallest ratios."""
SHORT = {"none": "", "east-west": " E–W", "north-south": " N–S", "both": " E–W, N–S"}
"""How a training image is mirrored, for its title."""


def nearest_pairs(run: Run, model: str) -> Figure:
    """Show the generated images of smallest calibrated ratio, and their nearest training images.

    Near copies have a coloured title. Training images are mirrored like the generated ones.
    """
    matches = tables.read(run.path("metrics/memorisation.csv"), MATCHES, allow_empty=True)
    matches = matches[matches["set"] == model]
    pairs = matches.sort_values(["ratio", "row"], kind="stable").head(PAIRS)
    grid = mosaic(2, [PAIRS], left=0.66, row_gap=0.36, top=0.47, bottom=0.06)
    copies = int((matches["near_copy"] & matches["population"]).sum())
    grid.heading(
        0,
        f"{model_title(model)}: {copies} near copies among {int(matches['population'].sum()):,} "
        "generated images" if len(matches) else f"{model_title(model)}: not measured",
        above_in=0.27,
    )  # fmt: skip
    grid.row_title(0, "generated\nimage")
    grid.row_title(1, "nearest\ntraining\nimage")
    if pairs.empty:
        grid.note(0, 0, "too few weeks of training images")
        return grid.figure
    generated = run.samples(model).images[pairs["row"].to_numpy(np.int64), 0]
    training = _training_images(run, pairs)
    for column, (_, pair) in enumerate(pairs.iterrows()):
        first, second = grid.panels[:, column]
        style.show_sun(first, generated[column], run.description)
        style.show_sun(second, training[column], run.description)
        _title(first, f"ρ = {pair['ratio']:.3f}\nr = {pair['correlation']:.2f}", pair["near_copy"])
        when = f"{pair['training_time']:%Y-%m-%d}\n{pair['training_time']:%H:%M}"
        _title(second, f"{when}{SHORT[pair['mirroring']]}", pair["near_copy"])
    # The full label does not fit beside two rows.
    grid.intensity_bar(run.description, "DN")
    return grid.figure


def _training_images(run: Run, pairs: pd.DataFrame) -> Images:
    """Return the training image of each pair (n, H, W), mirrored like the generated one."""
    split = LazySplit(run.path("dataset/dataset.h5"), "train")
    images = split[pairs["training_row"].to_numpy(np.int64)].images[:, 0]
    return np.stack(
        [np.flip(image, MIRRORINGS[m]) for image, m in zip(images, pairs["mirroring"], strict=True)]
    )


def _title(axes: Axes, text: str, near_copy: bool) -> None:
    axes.set_title(text, fontsize=5.5, color=style.ACCENT if near_copy else style.INK)
