"""Active regions: their emergence, growth, decay and rotation.

Regions emerge in complexes of activity (Gaizauskas et al. 1983), one after the other. Between
them are quiet periods, in which the last complex is behind the limb or has decayed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heliosynth.arrays import Floats, Integers
from heliosynth.sources.simulated.geometry import rotation_rate, wrap

QUIET_SHARE = (0.34, 0.43)
"""Smallest and largest share of a cycle that is quiet."""

WEAK_EVERY = 4
"""Every n-th complex is weak: a period of small regions and B-class flux."""

FIRST_NOAA_NUMBER = 11389
"""NOAA number of the first region; regions are numbered in order of emergence."""


@dataclass(frozen=True)
class Regions:
    """Active regions; all arrays (n,), times in days since the start, angles in radians.

    Attributes
    ----------
    emergence, rise_days, decay_days
        Time at which a region emerges, and the time scales of its growth and decay.
    size
        Largest magnetic content, 1 for a large region.
    complexity
        Mixing of its polarities: 1 for a simple bipole, 3 for a delta region.
    latitude, longitude
        Heliographic position at emergence.
    tilt
        Angle of the line from leading to following polarity (Joy's law); the leading
        polarity is closer to the equator.
    separation
        Distance of the polarities when the region is largest, solar radii.
    leading_sign
        Sign of the leading polarity, opposite in the two hemispheres (Hale's law).
    number
        NOAA number.
    """

    emergence: Floats
    rise_days: Floats
    decay_days: Floats
    size: Floats
    complexity: Floats
    latitude: Floats
    longitude: Floats
    tilt: Floats
    separation: Floats
    leading_sign: npt.NDArray[np.int8]
    number: Integers

    def __len__(self) -> int:
        return len(self.emergence)

    def content(self, days: npt.ArrayLike) -> Floats:
        """Return the magnetic content (n, times) of every region."""
        age = np.maximum(np.atleast_1d(days)[None, :] - self.emergence[:, None], 0.0)
        growth = 1 - np.exp(-((age / self.rise_days[:, None]) ** 2))
        decay = np.exp(-np.maximum(age - 2 * self.rise_days[:, None], 0) / self.decay_days[:, None])
        return np.asarray(self.size[:, None] * growth * decay)

    def longitudes(self, days: npt.ArrayLike) -> Floats:
        """Return the longitude (n, times) of every region, −π…π."""
        age = np.atleast_1d(days)[None, :] - self.emergence[:, None]
        rotation = np.radians(rotation_rate(self.latitude))[:, None] * age
        return wrap(self.longitude[:, None] + rotation)

    def visible_content(self, days: npt.ArrayLike) -> Floats:
        """Return the content (n, times) on the visible disk or just above its limb."""
        visible_share = np.clip(np.cos(self.longitudes(days)) * 5 + 0.7, 0, 1)
        return self.content(days) * visible_share


def emerge(days: float, cycle_days: float, rng: np.random.Generator) -> Regions:
    """Draw the active regions of an observation.

    Parameters
    ----------
    days
        Length of the observation, days.
    cycle_days
        Mean time from one complex of activity to the next, days.
    rng
        Random numbers of the regions.
    """
    members: list[tuple[float, float, float]] = []
    start, cycle = -0.5 * cycle_days * rng.uniform(0.1, 0.3), 0
    offset = int(rng.integers(1, WEAK_EVERY))
    while start < days:
        length = cycle_days * rng.uniform(0.93, 1.07)
        active = length * (1 - rng.uniform(*QUIET_SHARE))
        strength = 0.3 if (cycle + offset) % WEAK_EVERY == 0 else rng.uniform(0.85, 1.15)
        members.extend(_complex(start, active, strength, rng))
        start, cycle = start + length, cycle + 1
    members.extend(_scattered(days, rng))
    members.sort()
    return _regions(np.array(members), rng)


def _complex(
    start: float, active: float, strength: float, rng: np.random.Generator
) -> list[tuple[float, float, float]]:
    """Draw (emergence, longitude, size) of the regions of one complex.

    Its centre rotates from the east limb to the west limb during its active period.
    """
    speed = float(np.radians(rotation_rate(0.25)))
    members = []
    for member in range(int(rng.integers(9, 14))):
        emergence = start + active * rng.triangular(-0.2, 0.25, 0.65)
        centre = np.pi / 2 - speed * (start + active - emergence)
        longitude = centre + np.radians(rng.normal(-8, 14))
        size = min(strength * 0.22 * (1 + rng.pareto(1.6)), 1.3 * strength)
        # The first region of every complex is large, and hosts most large flares.
        size = strength * rng.uniform(0.9, 1.3) if member == 0 else size
        members.append((emergence, float(longitude), float(size)))
    return members


def _scattered(days: float, rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """Draw (emergence, longitude, size) of small regions outside complexes."""
    count = rng.poisson(0.25 * (days + 10))
    return [
        (float(rng.uniform(-10, days)), float(rng.uniform(-np.pi, np.pi)), float(size))
        for size in rng.uniform(0.01, 0.045, count)
    ]


def _regions(members: Floats, rng: np.random.Generator) -> Regions:
    """Draw the other properties of regions from (emergence, longitude, size) (n, 3)."""
    emergence, longitude, size = members.T
    count = len(members)
    north = rng.random(count) < 0.5
    degrees = np.clip(rng.normal(17, 5.5, count), 7, 32)
    tilt = np.radians(0.5 * degrees + rng.normal(0, 8, count))
    sign = np.where(north, 1, -1)
    return Regions(
        emergence=emergence,
        rise_days=rng.uniform(0.9, 2.0, count) * np.clip(size, 0.15, 1) ** 0.3,
        # Gnevyshev-Waldmeier rule: lifetime is proportional to the largest area.
        decay_days=1.2 + 7.5 * np.minimum(size, 1) * rng.uniform(0.8, 1.2, count),
        size=size,
        complexity=np.where(size > 0.8, rng.uniform(1.8, 3.0, count), rng.uniform(0.7, 1.6, count)),
        latitude=np.radians(sign * degrees),
        longitude=wrap(longitude),
        tilt=tilt,
        separation=0.06 + 0.17 * np.sqrt(size) * rng.uniform(0.8, 1.3, count),
        leading_sign=np.where(north, -1, 1).astype(np.int8),
        number=FIRST_NOAA_NUMBER + np.arange(count),
    )
