"""Measures of frames around the disk: a cut-off field, and drawn labels."""

from __future__ import annotations

import functools

import numpy as np

from heliosynth.arrays import Booleans, Floats, Images, Integers

EMPTY_SHARE = 0.05
"""Lines whose pixels exceed the faintest by less than this share of the disk are empty."""
CORNER_RADIUS = 0.60
"""Radius beyond which there is only faint sky, in units of the width of a frame."""
MARK_SHARE, MARK_STEP = 0.1, 0.5
"""Smallest brightness of a drawn mark, relative to the disk, and its logarithmic step."""
NO_CUT = 9.0
"""Distance of the border of a frame without empty lines, solar radii."""


def cut_off(images: Images, faintest: Floats, level: Floats, limb: Floats) -> Floats:
    """Return how near to the disk's centre empty rows or columns at the border come.

    The field of the detector is little larger than the Sun, so that an off-pointed disk is cut
    off along a line, beyond which frames are filled with one value.

    Parameters
    ----------
    images
        Frames (N, H, W), H = W.
    faintest
        Intensity of the faintest pixels (N,).
    level
        Median intensity of the disk (N,).
    limb
        Radius of the limb and its centre relative to that of the frame (N, 3).

    Returns
    -------
    numpy.ndarray
        Distance in radii of the limb (N,); :data:`NO_CUT` without an empty line.
    """
    size = images.shape[-1]
    threshold = faintest + EMPTY_SHARE * np.nan_to_num(level)
    lit = images > threshold[:, None, None]
    columns: Booleans = np.logical_or.reduce(lit, axis=1)
    rows: Booleans = np.logical_or.reduce(lit, axis=2)
    nearest = np.full(len(images), NO_CUT)
    for lines, centre in ((columns, limb[:, 1]), (rows, limb[:, 2])):
        for side, sign in ((lines, -1), (lines[:, ::-1], 1)):
            empty = np.where(side.any(axis=1), side.argmax(axis=1), 0)
            # Towards smaller coordinates the centre's own coordinate adds to the distance.
            distance = 0.5 - empty / size - sign * centre
            nearest = np.where(empty > 0, np.minimum(nearest, distance / limb[:, 0]), nearest)
    return nearest


def count_marks(images: Images, level: Floats) -> Integers:
    """Count sharp steps of brightness in the corners (N,), where a label can be drawn.

    The corona is faint there and changes over many pixels.

    Parameters
    ----------
    images
        Frames (N, H, W), H = W.
    level
        Median intensity of the disk (N,).
    """
    corner = _corner_pairs(images.shape[-1])
    floor = np.maximum(EMPTY_SHARE * np.nan_to_num(level), 1e-6)[:, None]
    left = np.maximum(images[:, :, :-1][:, corner], floor)
    right = np.maximum(images[:, :, 1:][:, corner], floor)
    sharp = np.abs(np.log(left / right)) > MARK_STEP
    bright = np.maximum(left, right) > MARK_SHARE * np.nan_to_num(level)[:, None]
    return np.asarray(np.count_nonzero(sharp & bright, axis=1), np.int64)


@functools.cache
def _corner_pairs(size: int) -> Booleans:
    """Return which pairs of neighbouring pixels of a row are in the corners (size, size − 1)."""
    axis = (np.arange(size) + 0.5) / size - 0.5
    radius = np.hypot(axis[:, None], axis[None, :])
    return np.asarray((radius[:, :-1] > CORNER_RADIUS) & (radius[:, 1:] > CORNER_RADIUS))
