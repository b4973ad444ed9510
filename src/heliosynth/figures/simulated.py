"""The simulated observatory's raw frames beside real ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from heliosynth.dataset.store import Description
from heliosynth.errors import InputError
from heliosynth.figures import style
from heliosynth.figures.mosaic import Mosaic, mosaic
from heliosynth.results.run import Run
from heliosynth.sources import sdoml

SHOWN = 4
"""Frames of each kind that are shown."""
BELOW_IN = 2.15
"""Room below the frames for the curves, inches."""
WIDTH_IN = 0.88 * style.PAGE_IN
MEASURED = 40
"""Frames of each kind behind the profiles and histograms."""


@dataclass(frozen=True)
class RawFrames:
    """Raw frames (n, H, W) in DN, evenly spread over an archive."""

    title: str
    images: npt.NDArray[np.float32]
    colour: str


def simulated_against_real(products: Run) -> Figure:
    """Draw raw frames of both, their radial profiles and their intensities."""
    if products.simulated is None or products.archive is None:
        raise InputError("simulated_against_real: needs the folders --simulated and --archive")
    channel = products.presentation.channel
    both = [
        RawFrames("simulated", read_frames(products.simulated, channel), style.ACCENT),
        RawFrames("real", read_frames(products.archive, channel), style.CALM),
    ]
    grid = mosaic(len(both), [SHOWN], left=0.72, top=0.04, bottom=BELOW_IN, width=WIDTH_IN)
    _show(grid, both, products.description)
    height = grid.figure.get_figheight()
    room = (0.42 / height, (BELOW_IN - 0.72) / height)
    profile = grid.figure.add_axes((0.11, room[0], 0.36, room[1]))
    histogram = grid.figure.add_axes((0.61, room[0], 0.36, room[1]))
    for frames in both:
        label = f"{frames.title} (n = {len(frames.images)})"
        profile.plot(*radial_profile(frames.images), color=frames.colour, label=label)
        logs = np.log10(np.clip(frames.images, 0.1, None)).ravel()
        histogram.hist(
            logs, bins=80, range=(-0.5, 4.0), density=True, histtype="step", color=frames.colour,
            label=label,
        )  # fmt: skip
    profile.set_yscale("log")
    profile.set_xlabel("distance from the centre (half widths of the frame)")
    profile.set_ylabel("mean intensity (DN)")
    histogram.set_xlabel("log$_{10}$ intensity (DN)")
    histogram.set_ylabel("pixels (per dex)")
    profile.legend()
    style.panel_title(profile, 0, "radial profile")
    style.panel_title(histogram, 1, "intensities")
    return grid.figure


def read_frames(directory: Path, channel: str) -> npt.NDArray[np.float32]:
    """Read good frames, evenly spread over the first year of an archive, (n, H, W) in DN."""
    store = str(directory / "aia" / "sdomlv2.zarr")
    year = sdoml.years(store)[0]
    header = sdoml.read_header(store, year, channel)
    good = header.loc[header["quality"] == 0, "store_row"].to_numpy()
    places = np.linspace(0, len(good) - 1, min(MEASURED, len(good))).round().astype(int)
    frames = sdoml.open_channel(store, year, channel)
    images = np.concatenate([part.made for part in frames.read(good[places], np.asarray)])
    whole = np.isfinite(images).all(axis=(1, 2))
    return np.asarray(images[whole], dtype=np.float32)


def radial_profile(
    images: npt.NDArray[np.float32], bins: int = 60
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give the mean over rings around the centre of the frames.

    Returns
    -------
    distance
        Middles of the rings, in half widths of the frame.
    mean
        Mean of all frames' pixels in each ring, DN.
    """
    height, width = images.shape[1:]
    y, x = np.ogrid[:height, :width]
    distance = np.hypot(x - (width - 1) / 2, y - (height - 1) / 2) / (width / 2)
    ring = np.minimum((distance * bins).astype(int), bins).ravel()
    mean_image = images.mean(axis=0, dtype=np.float64).ravel()
    totals = np.bincount(ring, mean_image, minlength=bins + 1)[:bins]
    counts = np.bincount(ring, minlength=bins + 1)[:bins]
    held = counts > 0
    return ((np.arange(bins) + 0.5) / bins)[held], totals[held] / counts[held]


def _show(grid: Mosaic, both: list[RawFrames], description: Description) -> None:
    low, high = np.log10([description.minimum_dn, description.maximum_dn])
    for row, frames in enumerate(both):
        grid.row_title(row, f"{frames.title},\n{frames.images.shape[1]} px")
        places = np.linspace(0, len(frames.images) - 1, SHOWN).round().astype(int)
        for axes, place in zip(grid.panels[row], places, strict=True):
            logs = np.log10(np.clip(frames.images[place], description.minimum_dn, None))
            style.show_sun(axes, 2 * (logs - low) / (high - low) - 1, description)
    grid.intensity_bar(description)
