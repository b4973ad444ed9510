"""Intensities scaled for a network, and the averaged frames of a year read back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from heliosynth import checked
from heliosynth.catalogue import quality
from heliosynth.dataset.area import Images

Integers = npt.NDArray[np.int64]

CLIP_DN = {
    "94A": (0.1, 800.0),
    "131A": (0.7, 1900.0),
    "171A": (5.0, 3500.0),
    "193A": (20.0, 5500.0),
    "211A": (7.0, 3500.0),
    "304A": (0.1, 3500.0),
    "335A": (0.4, 1000.0),
    "1600A": (10.0, 800.0),
    "1700A": (220.0, 5000.0),
}
"""Intensities that −1 and +1 stand for, DN, for each AIA channel (Giger 2022)."""


NEIGHBOURS = 4
"""Rows at most this far apart are read in one go, with those between them."""


@dataclass(frozen=True)
class MeasuredYear:
    """What is known of a year's averaged frames beside their pixels.

    Attributes
    ----------
    year, channel, size_px
        What the frames are.
    store_row, time
        Where each frame lies in the raw store, and its time, s (N,).
    measures
        Quality measures (N,), see :func:`heliosynth.catalogue.quality.measure`.
    """

    year: int
    channel: str
    size_px: int
    store_row: Integers
    time: Integers
    measures: quality.Measures


def scale(intensities: npt.ArrayLike, minimum_dn: float, maximum_dn: float) -> Images:
    """Clip intensities, take the logarithm, and scale it to [−1, 1] (Giger 2022)."""
    low, high = np.log10(minimum_dn), np.log10(maximum_dn)
    clipped = np.clip(np.asarray(intensities, dtype=np.float32), minimum_dn, maximum_dn)
    scaled = 2 * (np.log10(clipped) - low) / (high - low) - 1
    return np.asarray(np.clip(scaled, -1, 1), dtype=np.float32)


def unscale(images: npt.ArrayLike, minimum_dn: float, maximum_dn: float) -> Images:
    """Give the intensities in DN that scaled images stand for: the inverse of :func:`scale`."""
    low, high = np.log10(minimum_dn), np.log10(maximum_dn)
    exponent = low + (np.asarray(images, dtype=np.float64) + 1) / 2 * (high - low)
    return np.asarray(10.0**exponent, dtype=np.float32)


def read_measured(path: Path | str) -> MeasuredYear:
    """Read all but the images of a file of :mod:`heliosynth.dataset.averaging`."""
    with checked.reading(path, "HDF5 of averaged frames") as file:
        return MeasuredYear(
            year=int(file.attrs["year"]),
            channel=str(file.attrs["channel"]),
            size_px=int(file.attrs["size_px"]),
            store_row=file["store_row"][()],
            time=file["time"][()],
            measures={name: values[()] for name, values in file["quality"].items()},
        )


def read_images(path: Path | str, rows: Integers) -> Images:
    """Read some averaged frames, in linear DN, in the order of ``rows``."""
    with checked.reading(path, "HDF5 of averaged frames") as file:
        images = file["images"]
        chosen = np.empty((len(rows), *images.shape[1:]), np.float32)
        # HDF5 picks scattered rows slowly, so runs of neighbours are read whole.
        order = np.argsort(rows, kind="stable")
        for run in np.split(order, np.flatnonzero(np.diff(rows[order]) > NEIGHBOURS) + 1):
            if run.size:
                first = rows[run[0]]
                chosen[run] = images[first : rows[run[-1]] + 1][rows[run] - first]
    return chosen
