"""Positions on a rotating Sun, with the observer in the plane of the solar equator (B0 = 0).

Positions are in solar radii: x to the west, y to the north, z towards the observer.
Longitudes are counted from the central meridian, positive to the west (Stonyhurst).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heliosynth.arrays import Floats

EARTH_DEG_PER_DAY = 0.9856
"""Mean motion of the Earth: the sidereal minus the synodic rotation rate."""

RIGID_DEG_PER_DAY = 13.2
"""Synodic rotation rate of coronal holes, nearly rigid (Timothy et al. 1975)."""


def rotation_rate(latitude: npt.ArrayLike) -> Floats:
    """Return the synodic rotation rate, degrees per day (Snodgrass & Ulrich 1990).

    Parameters
    ----------
    latitude
        Heliographic latitude, radians, any shape.
    """
    square = np.sin(np.asarray(latitude, dtype=float)) ** 2
    return np.asarray(14.713 - 2.396 * square - 1.787 * square**2 - EARTH_DEG_PER_DAY)


def unit_vector(latitude: npt.ArrayLike, longitude: npt.ArrayLike) -> Floats:
    """Return the position (3, …) on the unit sphere of a latitude and longitude in radians."""
    latitude, longitude = np.broadcast_arrays(latitude, longitude)
    distance_from_axis = np.cos(latitude)
    x, z = distance_from_axis * np.sin(longitude), distance_from_axis * np.cos(longitude)
    return np.stack([x, np.sin(latitude), z]).astype(float)


def wrap(longitude: npt.ArrayLike) -> Floats:
    """Wrap longitudes in radians to −π…π."""
    return np.asarray((np.asarray(longitude, dtype=float) + np.pi) % (2 * np.pi) - np.pi)


def pixel_positions(size_px: int, pixel: float) -> tuple[Floats, Floats]:
    """Return x and y (size, size) of a frame's pixel centres, row 0 south, column 0 east.

    Parameters
    ----------
    size_px
        Width and height of the frame.
    pixel
        Width of a pixel, solar radii.
    """
    steps = (np.arange(size_px) - (size_px - 1) / 2) * pixel
    y, x = np.meshgrid(steps, steps, indexing="ij")
    return x, y
