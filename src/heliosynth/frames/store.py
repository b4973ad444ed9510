"""Averaged frames of a year, read back from HDF5."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from heliosynth.arrays import Images, Integers, Measures, Seconds
from heliosynth.errors import InputError
from heliosynth.io import hdf5

KIND = "HDF5 of averaged frames"
NEIGHBOURS = 4
"""Rows at most this far apart are read in one slice, together with those between them."""


@dataclass(frozen=True)
class MeasuredYear:
    """A year's averaged frames without their pixels.

    Attributes
    ----------
    year, channel, size_px
        Year, AIA channel, and width of the frames in pixels.
    store_row, time
        Row of each frame in the raw store, and its time, s (N,).
    measures
        Quality measures (N,), see :func:`heliosynth.frames.quality.measure`.
    """

    year: int
    channel: str
    size_px: int
    store_row: Integers
    time: Seconds
    measures: Measures


def read_measured(path: Path | str) -> MeasuredYear:
    """Read all but the images of a file of :mod:`heliosynth.frames.averaging`.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    with hdf5.open_read(path, KIND) as file:
        return MeasuredYear(
            year=file.integer("year"),
            channel=file.text("channel"),
            size_px=file.integer("size_px"),
            store_row=file.array("store_row"),
            time=file.array("time"),
            measures={name: file.array(f"quality/{name}") for name in file.names("quality")},
        )


def read_images(path: Path | str, rows: Integers) -> Images:
    """Read some averaged frames (n, size, size), in linear DN, in the order of ``rows``.

    Raises
    ------
    InputError
        If the file cannot be read or has fewer frames.
    """
    with hdf5.open_read(path, KIND) as file:
        count, *shape = file.shape("images")
        if rows.size and rows.max() >= count:
            raise InputError(f"{path}: {count} frames, no frame {rows.max()}; rebuild the index")
        images = np.empty((len(rows), *shape), np.float32)
        # HDF5 picks scattered rows slowly, so a run of neighbours is read as a slice.
        order = np.argsort(rows, kind="stable")
        for run in np.split(order, np.flatnonzero(np.diff(rows[order]) > NEIGHBOURS) + 1):
            if run.size:
                first = rows[run[0]]
                read = file.array("images", slice(first, rows[run[-1]] + 1))
                images[run] = read[rows[run] - first]
    return images
