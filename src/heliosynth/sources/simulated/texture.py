"""Textures on the Sun that rotate and evolve: network, fibrils, and coronal holes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heliosynth.arrays import Floats, Floats32, Integers
from heliosynth.sources.simulated.geometry import unit_vector

CELLS = 128
"""Cells along each side of a noise volume."""

BOX = 2.5
"""Side of that volume, solar radii: larger than the Sun, so that no part of it repeats."""


def noise_volume(
    exponent: float, coarsest: float, finest: float, rng: np.random.Generator
) -> Floats32:
    """Draw a periodic volume of Gaussian noise, (CELLS, CELLS, CELLS), mean 0 and variance 1.

    Parameters
    ----------
    exponent
        Power-law exponent: the power of a plane through the volume falls as k^−exponent.
    coarsest, finest
        Longest and shortest wavelengths, solar radii.
    """
    white = rng.standard_normal((CELLS, CELLS, CELLS), dtype=np.float32)
    spectrum = np.fft.rfftn(white)
    axis = np.fft.fftfreq(CELLS).astype(np.float32) * CELLS
    k = np.sqrt(axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + axis[: CELLS // 2 + 1] ** 2)
    k[0, 0, 0] = np.inf
    # A plane through an isotropic volume loses one power of k.
    spectrum *= k ** (-(exponent + 1) / 2)
    spectrum *= np.exp(-((BOX / coarsest / k) ** 4) - (k * finest / BOX) ** 4)
    volume = np.fft.irfftn(spectrum, s=white.shape).astype(np.float32)
    return np.asarray((volume - volume.mean()) / volume.std(), dtype=np.float32)


ROTATIONS = 1000
"""More rotations than any texture makes in its lifetime."""


class Sphere:
    """A grid of latitudes and longitudes for textures.

    Parameters
    ----------
    rows
        Number of latitudes, south first; there are twice as many longitudes.
    """

    def __init__(self, rows: int) -> None:
        self.rows, self.columns = rows, 2 * rows
        latitude = (np.arange(rows) + 0.5) * np.pi / rows - np.pi / 2
        longitude = (np.arange(self.columns) + 0.5) * np.pi / rows - np.pi
        self.points = unit_vector(latitude[:, None], longitude[None, :]).astype(np.float32)
        east = np.stack([np.cos(longitude), 0 * longitude, -np.sin(longitude)])
        self.east = np.broadcast_to(east[:, None, :], self.points.shape).astype(np.float32)
        self.north = np.cross(self.points, self.east, axis=0)
        self.latitude = latitude

    def row(self, latitude: Floats) -> Integers:
        """Return the rows nearest to latitudes in radians."""
        rows = np.floor((latitude / np.pi + 0.5) * self.rows).astype(np.int64)
        return np.clip(rows, 0, self.rows - 1)

    def column(self, longitude: Floats) -> npt.NDArray[np.int32]:
        """Return the columns nearest to longitudes in radians, after any number of rotations."""
        # Full rotations are added since the conversion to integers rounds towards zero.
        columns = ((longitude / np.pi + 2 * ROTATIONS + 1) * self.rows).astype(np.int32)
        return np.asarray(columns % self.columns)


def sample(volume: Floats32, points: Floats32, rotation: Floats, shift: Floats) -> Floats32:
    """Return a volume at points (3, …), after a rotation (3, 3) and a shift (3,) in cells."""
    cells = (rotation * (CELLS / BOX)).astype(np.float32) @ points.reshape(3, -1)
    index = (cells + shift.astype(np.float32)[:, None]).astype(np.int32) % CELLS
    flat = (index[0] * CELLS + index[1]) * CELLS + index[2]
    return np.asarray(volume.ravel()[flat].reshape(points.shape[1:]), dtype=np.float32)


def fibrils(
    sphere: Sphere, noise: Floats32, directions: Floats32, rng: np.random.Generator
) -> Floats32:
    """Draw a map of fibrils: noise smoothed along the lines of a smooth direction field.

    This is a line integral convolution (Cabral & Leedom 1993); the directions represent the
    horizontal magnetic field.

    Returns
    -------
    Floats32
        (rows, columns), mean 0 and variance 1.
    """
    rotation, shift = _random_rotation(rng), rng.uniform(0, CELLS, 3) + 10 * CELLS
    total = np.zeros(sphere.points.shape[1:], dtype=np.float32)
    for sense in (-1, 1):
        points = sphere.points
        for step in range(4):
            total += sample(noise, points, rotation, shift) * (1 - step / 5)
            angle = 1.4 * sample(directions, points, rotation, shift)
            move = np.cos(angle) * sphere.east + np.sin(angle) * sphere.north
            points = points + np.float32(sense * 0.02) * move
    return np.asarray((total - total.mean()) / total.std(), dtype=np.float32)


def patches(sphere: Sphere, noise: Floats32, rng: np.random.Generator) -> Floats32:
    """Draw a map (rows, columns) of noise: the volume on a sphere, randomly rotated and shifted."""
    shift = rng.uniform(0, CELLS, 3) + 10 * CELLS
    return sample(noise, sphere.points, _random_rotation(rng), shift)


def _random_rotation(rng: np.random.Generator) -> Floats:
    orthogonal, upper = np.linalg.qr(rng.normal(size=(3, 3)))
    return np.asarray(orthogonal * np.sign(np.diag(upper)))


class Evolving:
    """A texture that evolves through a sequence of maps, each rotating from its epoch.

    Parameters
    ----------
    maps
        (K, rows, columns); the weight of map k is largest ``k`` lifetimes after the start.
    lifetime
        Days from one map to the next.
    """

    def __init__(self, maps: Floats32, lifetime: float) -> None:
        self.maps, self.lifetime = maps, lifetime
        self.flat = maps.reshape(len(maps), -1)

    def at(
        self,
        day: float,
        sphere: Sphere,
        row: Integers,
        longitude: Floats,
        rate: Floats | float,
    ) -> Floats32:
        """Return the texture at positions (…), with the variance of the maps.

        Parameters
        ----------
        day
            Days since the start.
        sphere
            The grid of the maps.
        row, longitude
            Rows of the grid, and longitudes in radians.
        rate
            Synodic rotation rates at these positions, radians per day.
        """
        first = min(int(day / self.lifetime), len(self.maps) - 2)
        phase = min(day / self.lifetime - first, 1.0) * np.pi / 2
        mixed = np.zeros(longitude.shape, dtype=np.float32)
        for k, weight in ((first, np.cos(phase)), (first + 1, np.sin(phase))):
            column = sphere.column(longitude - rate * (day - k * self.lifetime))
            mixed += np.float32(weight) * self.flat[k][row * sphere.columns + column]
        return mixed


def map_count(days: float, lifetime: float) -> int:
    """Return the number of maps for an observation."""
    return int(np.ceil(days / lifetime)) + 1
