"""Patterns on the Sun that drift and evolve: network, fibrils, and coronal holes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heliosynth.sources.simulated.geometry import Floats, unit_vector

Maps = npt.NDArray[np.float32]

CELLS = 128
"""Cells along each side of a volume of noise."""

BOX = 2.5
"""Side of that volume, solar radii: the Sun fits in without meeting its own repeat."""


def noise_volume(exponent: float, coarsest: float, finest: float, rng: np.random.Generator) -> Maps:
    """Draw a periodic volume of Gaussian noise, (CELLS, CELLS, CELLS), mean 0 and variance 1.

    Parameters
    ----------
    exponent
        The power of a plane through the volume falls as k^−exponent.
    coarsest, finest
        Longest and shortest wavelengths, solar radii.
    """
    white = rng.standard_normal((CELLS, CELLS, CELLS), dtype=np.float32)
    spectrum = np.fft.rfftn(white)
    along = np.fft.fftfreq(CELLS).astype(np.float32) * CELLS
    k = np.sqrt(
        along[:, None, None] ** 2 + along[None, :, None] ** 2 + along[: CELLS // 2 + 1] ** 2
    )
    k[0, 0, 0] = np.inf
    # A plane through an isotropic volume loses one power of k.
    spectrum *= k ** (-(exponent + 1) / 2)
    spectrum *= np.exp(-((BOX / coarsest / k) ** 4) - (k * finest / BOX) ** 4)
    volume = np.fft.irfftn(spectrum, s=white.shape).astype(np.float32)
    return np.asarray((volume - volume.mean()) / volume.std(), dtype=np.float32)


TURNS = 1000
"""More rotations than any pattern makes in its life."""


class Sphere:
    """A grid of latitudes and longitudes on which patterns are drawn.

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

    def row(self, latitude: Floats) -> npt.NDArray[np.int64]:
        """Give the rows nearest to latitudes in radians."""
        rows = np.floor((latitude / np.pi + 0.5) * self.rows).astype(np.int64)
        return np.clip(rows, 0, self.rows - 1)

    def column(self, longitude: Floats) -> npt.NDArray[np.int32]:
        """Give the columns nearest to longitudes in radians, however often turned round."""
        # Whole turns are added so that cutting off the fraction rounds downwards.
        columns = ((longitude / np.pi + 2 * TURNS + 1) * self.rows).astype(np.int32)
        return np.asarray(columns % self.columns)


def sample(volume: Maps, points: Maps, turn: Floats, shift: Floats) -> Maps:
    """Read a volume at points (3, …), after a rotation (3, 3) and a shift (3,) in cells."""
    cells = (turn * (CELLS / BOX)).astype(np.float32) @ points.reshape(3, -1)
    at = (cells + shift.astype(np.float32)[:, None]).astype(np.int32) % CELLS
    flat = (at[0] * CELLS + at[1]) * CELLS + at[2]
    return np.asarray(volume.ravel()[flat].reshape(points.shape[1:]), dtype=np.float32)


def fibrils(sphere: Sphere, noise: Maps, directions: Maps, rng: np.random.Generator) -> Maps:
    """Draw a map of fibrils: noise smeared along the lines of a smooth direction field.

    This is a line integral convolution (Cabral & Leedom 1993), the directions standing for
    the horizontal magnetic field.

    Returns
    -------
    Maps
        (rows, columns), mean 0 and variance 1.
    """
    turn, shift = _random_turn(rng), rng.uniform(0, CELLS, 3) + 10 * CELLS
    total = np.zeros(sphere.points.shape[1:], dtype=np.float32)
    for sense in (-1, 1):
        points = sphere.points
        for step in range(4):
            total += sample(noise, points, turn, shift) * (1 - step / 5)
            angle = 1.4 * sample(directions, points, turn, shift)
            move = np.cos(angle) * sphere.east + np.sin(angle) * sphere.north
            points = points + np.float32(sense * 0.02) * move
    return np.asarray((total - total.mean()) / total.std(), dtype=np.float32)


def patches(sphere: Sphere, noise: Maps, rng: np.random.Generator) -> Maps:
    """Draw a map (rows, columns) of noise as it lies in a volume."""
    shift = rng.uniform(0, CELLS, 3) + 10 * CELLS
    return sample(noise, sphere.points, _random_turn(rng), shift)


def _random_turn(rng: np.random.Generator) -> Floats:
    rotation, upper = np.linalg.qr(rng.normal(size=(3, 3)))
    return np.asarray(rotation * np.sign(np.diag(upper)))


class Evolving:
    """A pattern whose maps give way to one another, each turning from its own epoch.

    Parameters
    ----------
    maps
        (K, rows, columns); map k is at its strongest ``k`` lifetimes after the start.
    lifetime
        Days from one map to the next.
    """

    def __init__(self, maps: Maps, lifetime: float) -> None:
        self.maps, self.lifetime = maps, lifetime
        self.flat = maps.reshape(len(maps), -1)

    def at(
        self,
        day: float,
        sphere: Sphere,
        row: npt.NDArray[np.int64],
        longitude: Floats,
        rate: Floats | float,
    ) -> Maps:
        """Give the pattern at positions (…), variance unchanged.

        Parameters
        ----------
        day
            Days since the start.
        sphere
            The grid of the maps.
        row, longitude
            Rows of the grid, and longitudes in radians.
        rate
            Synodic rotation there, radians a day.
        """
        first = min(int(day / self.lifetime), len(self.maps) - 2)
        phase = min(day / self.lifetime - first, 1.0) * np.pi / 2
        mixed = np.zeros(longitude.shape, dtype=np.float32)
        for k, weight in ((first, np.cos(phase)), (first + 1, np.sin(phase))):
            column = sphere.column(longitude - rate * (day - k * self.lifetime))
            mixed += np.float32(weight) * self.flat[k][row * sphere.columns + column]
        return mixed


def map_count(days: float, lifetime: float) -> int:
    """Give how many maps an observation of so many days needs."""
    return int(np.ceil(days / lifetime)) + 1
