"""Raw frames of the simulated observatory next to real ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from heliosynth.arrays import Floats, Images
from heliosynth.dataset.store import Description
from heliosynth.errors import InputError
from heliosynth.figures import style
from heliosynth.figures.mosaic import Mosaic, evenly_spaced, mosaic
from heliosynth.results.run import Run
from heliosynth.sources import quality_flags, sdoml
from heliosynth.sources.archive import ArchivePaths
from heliosynth.sources.archive import years as archive_years

SHOWN = 4
"""Frames shown of each archive."""
BELOW_IN = 2.15
"""Height of the space below the frames, for the curves, inches."""
WIDTH_IN = 0.88 * style.PAGE_IN
MEASURED = 40
"""Frames of each archive in the profiles and histograms."""


@dataclass(frozen=True)
class RawFrames:
    """Raw frames (n, H, W) in DN, evenly spaced over an archive."""

    title: str
    images: Images
    colour: str


def simulated_against_real(run: Run) -> Figure:
    """Show raw frames of both archives, their radial profiles and their intensities."""
    if run.simulated is None or run.archive is None:
        raise InputError(
            "simulated_against_real: needs two folders of raw inputs; "
            "pass --simulated and --archive"
        )
    channel = run.presentation.channel
    archives = [
        RawFrames("simulated", read_frames(run.simulated, channel), style.ACCENT),
        RawFrames("real", read_frames(run.archive, channel), style.CALM),
    ]
    grid = mosaic(len(archives), [SHOWN], left=0.72, top=0.04, bottom=BELOW_IN, width=WIDTH_IN)
    _show(grid, archives, run.description)
    figure_height = grid.figure.get_figheight()
    bottom, height = 0.42 / figure_height, (BELOW_IN - 0.72) / figure_height
    profile = grid.figure.add_axes((0.11, bottom, 0.36, height))
    histogram = grid.figure.add_axes((0.61, bottom, 0.36, height))
    for frames in archives:
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


def read_frames(directory: Path, channel: str) -> Images:
    """Return good frames (n, H, W) in DN, evenly spaced over the first year with the channel."""
    store = str(directory / "aia" / "sdomlv2.zarr")
    year = archive_years(ArchivePaths(Path(store), None, [], []), channel)[0]
    header = sdoml.read_header(store, year, channel)
    good = header.loc[~quality_flags.is_bad(header["quality"]), "store_row"].to_numpy()
    rows = evenly_spaced(good, MEASURED)
    frames = sdoml.open_channel(store, year, channel)
    images = np.concatenate([part.value for part in frames.read(rows, np.asarray)])
    complete = np.isfinite(images).all(axis=(1, 2))
    return np.asarray(images[complete], dtype=np.float32)


def radial_profile(images: Images, bins: int = 60) -> tuple[Floats, Floats]:
    """Return the mean over rings around the centre of the frames.

    Returns
    -------
    distance
        Mean radii of the rings, in half widths of the frame.
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
    filled = counts > 0
    return ((np.arange(bins) + 0.5) / bins)[filled], totals[filled] / counts[filled]


def _show(grid: Mosaic, archives: list[RawFrames], description: Description) -> None:
    low, high = np.log10([description.minimum_dn, description.maximum_dn])
    for row, frames in enumerate(archives):
        grid.row_title(row, f"{frames.title},\n{frames.images.shape[1]} px")
        shown = evenly_spaced(frames.images, SHOWN)
        for axes, image in zip(grid.panels[row], shown, strict=False):
            logs = np.log10(np.clip(image, description.minimum_dn, None))
            style.show_sun(axes, 2 * (logs - low) / (high - low) - 1, description)
    grid.intensity_bar(description)
