"""Active regions: where they emerge, how they grow and decay, and how they fill the disk.

Regions emerge in complexes of activity (Gaizauskas et al. 1983), one after the other, with
quiet spells between them in which the last complex is behind the limb or has decayed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heliosynth.sources.simulated.geometry import Floats, rotation_rate, wrapped

QUIET_SHARE = (0.34, 0.43)
"""Share of a cycle of activity that is quiet."""

WEAK_EVERY = 4
"""One complex in so many is weak: a spell of small regions and B-class flux."""

FIRST_NOAA_NUMBER = 11389
"""SWPC numbers regions in order of their appearance."""


@dataclass(frozen=True)
class Regions:
    """Active regions; all arrays (n,), times in days since the start, angles in radians.

    Attributes
    ----------
    emergence, rise_days, decay_days
        When a region appears, and the time scales on which it grows and decays.
    size
        Largest content, 1 for a large region.
    complexity
        How mixed its polarities are: 1 for a simple bipole, 3 for a delta region.
    latitude, longitude
        Heliographic position at emergence.
    tilt
        Angle of the line from leading to following polarity (Joy's law); the leading
        polarity stands nearer to the equator.
    separation
        Distance of the polarities when the region is full-grown, solar radii.
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
    number: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.emergence)

    def content(self, days: npt.ArrayLike) -> Floats:
        """Give the content (n, times) of every region."""
        age = np.maximum(np.atleast_1d(days)[None, :] - self.emergence[:, None], 0.0)
        growth = 1 - np.exp(-((age / self.rise_days[:, None]) ** 2))
        decay = np.exp(-np.maximum(age - 2 * self.rise_days[:, None], 0) / self.decay_days[:, None])
        return np.asarray(self.size[:, None] * growth * decay)

    def longitudes(self, days: npt.ArrayLike) -> Floats:
        """Give the longitude (n, times) of every region, −π…π."""
        age = np.atleast_1d(days)[None, :] - self.emergence[:, None]
        turned = np.radians(rotation_rate(self.latitude))[:, None] * age
        return wrapped(self.longitude[:, None] + turned)

    def visible_content(self, days: npt.ArrayLike) -> Floats:
        """Give the content (n, times) that stands on the visible disk or just above its limb."""
        height = np.clip(np.cos(self.longitudes(days)) * 5 + 0.7, 0, 1)
        return self.content(days) * height


def emerge(days: float, cycle_days: float, rng: np.random.Generator) -> Regions:
    """Draw the active regions of an observation.

    Parameters
    ----------
    days
        Length of the observation, days.
    cycle_days
        Mean time from one complex of activity to the next, days.
    rng
        The stream of random numbers of the regions.
    """
    drawn: list[tuple[float, float, float]] = []
    start, cycle = -0.5 * cycle_days * rng.uniform(0.1, 0.3), 0
    offset = int(rng.integers(1, WEAK_EVERY))
    while start < days:
        length = cycle_days * rng.uniform(0.93, 1.07)
        active = length * (1 - rng.uniform(*QUIET_SHARE))
        strength = 0.3 if (cycle + offset) % WEAK_EVERY == 0 else rng.uniform(0.85, 1.15)
        drawn.extend(_complex(start, active, strength, rng))
        start, cycle = start + length, cycle + 1
    drawn.extend(_scattered(days, rng))
    drawn.sort()
    return _regions(np.array(drawn), rng)


def _complex(
    start: float, active: float, strength: float, rng: np.random.Generator
) -> list[tuple[float, float, float]]:
    """Draw (emergence, longitude, size) of the regions of one complex.

    Its centre comes from the east limb and is at the west limb when the spell ends.
    """
    speed = float(np.radians(rotation_rate(0.25)))
    members = []
    for place in range(int(rng.integers(9, 14))):
        emergence = start + active * rng.triangular(-0.2, 0.25, 0.65)
        centre = np.pi / 2 - speed * (start + active - emergence)
        longitude = centre + np.radians(rng.normal(-8, 14))
        size = min(strength * 0.22 * (1 + rng.pareto(1.6)), 1.3 * strength)
        # Every complex has a great region, its seat of the large flares.
        size = strength * rng.uniform(0.9, 1.3) if place == 0 else size
        members.append((emergence, float(longitude), float(size)))
    return members


def _scattered(days: float, rng: np.random.Generator) -> list[tuple[float, float, float]]:
    count = rng.poisson(0.25 * (days + 10))
    return [
        (float(rng.uniform(-10, days)), float(rng.uniform(-np.pi, np.pi)), float(size))
        for size in rng.uniform(0.01, 0.045, count)
    ]


def _regions(drawn: Floats, rng: np.random.Generator) -> Regions:
    emergence, longitude, size = drawn.T
    count = len(drawn)
    north = rng.random(count) < 0.5
    degrees = np.clip(rng.normal(17, 5.5, count), 7, 32)
    tilt = np.radians(0.5 * degrees + rng.normal(0, 8, count))
    sign = np.where(north, 1, -1)
    return Regions(
        emergence=emergence,
        rise_days=rng.uniform(0.9, 2.0, count) * np.clip(size, 0.15, 1) ** 0.3,
        # Gnevyshev and Waldmeier: lifetime goes with the largest area.
        decay_days=1.2 + 7.5 * np.minimum(size, 1) * rng.uniform(0.8, 1.2, count),
        size=size,
        complexity=np.where(size > 0.8, rng.uniform(1.8, 3.0, count), rng.uniform(0.7, 1.6, count)),
        latitude=np.radians(sign * degrees),
        longitude=wrapped(longitude),
        tilt=tilt,
        separation=0.06 + 0.17 * np.sqrt(size) * rng.uniform(0.8, 1.3, count),
        leading_sign=np.where(north, -1, 1).astype(np.int8),
        number=FIRST_NOAA_NUMBER + np.arange(count),
    )
