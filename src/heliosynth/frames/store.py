"""The averaged frames of a year, read back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from heliosynth.frames import quality
from heliosynth.frames.area import Images
from heliosynth.io import hdf5

Integers = npt.NDArray[np.int64]

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
        Quality measures (N,), see :func:`heliosynth.frames.quality.measure`.
    """

    year: int
    channel: str
    size_px: int
    store_row: Integers
    time: Integers
    measures: quality.Measures


def read_measured(path: Path | str) -> MeasuredYear:
    """Read all but the images of a file of :mod:`heliosynth.frames.averaging`."""
    with hdf5.open_read(path, "HDF5 of averaged frames") as file:
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
    with hdf5.open_read(path, "HDF5 of averaged frames") as file:
        images = file["images"]
        chosen = np.empty((len(rows), *images.shape[1:]), np.float32)
        # HDF5 picks scattered rows slowly, so runs of neighbours are read whole.
        order = np.argsort(rows, kind="stable")
        for run in np.split(order, np.flatnonzero(np.diff(rows[order]) > NEIGHBOURS) + 1):
            if run.size:
                first = rows[run[0]]
                chosen[run] = images[first : rows[run[-1]] + 1][rows[run] - first]
    return chosen
