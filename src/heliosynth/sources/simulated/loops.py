"""Loops, fans and arcades of active regions, as emitting points.

The points of a region are in solar radii around its centre; the corona rotates and projects
them. Emission at 1 MK falls with height as in hydrostatic equilibrium.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heliosynth.arrays import Booleans, Floats, Integers
from heliosynth.sources.simulated.activity import Regions

STEPS = 30
"""Points along a strand."""

SCALE_HEIGHT = 0.09
"""Scale height of the emission of strands, solar radii (63 Mm, hydrostatic at 1.3 MK)."""


@dataclass(frozen=True)
class Skeleton:
    """The points of one region, around its centre at longitude 0.

    Attributes
    ----------
    offsets
        (3, n) from the centre of the region, solar radii.
    brightness
        (n,) relative emission of a point.
    strand
        (n,) index of the strand that a point belongs to; each strand varies independently.
    period, phase
        (strands,) period in days, and phase, of that variation.
    flaring
        (n,) whether a point belongs to the arcade, which emits during flares only.
    """

    offsets: Floats
    brightness: Floats
    strand: Integers
    period: Floats
    phase: Floats
    flaring: Booleans


def skeletons(regions: Regions, rng: np.random.Generator) -> list[Skeleton]:
    """Draw the skeleton of every region."""
    return [_skeleton(regions, index, rng) for index in range(len(regions))]


def _skeleton(regions: Regions, index: int, rng: np.random.Generator) -> Skeleton:
    size, complexity = float(regions.size[index]), float(regions.complexity[index])
    leading, following = _polarities(regions, index, rng)
    spread = 0.45 * float(regions.separation[index])
    count = 8 + int(90 * min(size, 1.3))
    closed = _closed(leading, following, count, rng)
    fans = _fans(np.concatenate([leading, following]), spread, 6 + count, rng)
    core = _arcade(leading, following, reach=0.35, count=2 + int(3 * size * complexity), rng=rng)
    arcade = _arcade(leading, following, reach=0.8, count=22, rng=rng)
    strands = np.concatenate([closed[0], fans[0], core[0], arcade[0]])
    light = np.concatenate([closed[1], fans[1], core[1], arcade[1]])
    flaring = np.zeros(len(strands), dtype=bool)
    flaring[-len(arcade[0]) :] = True
    return Skeleton(
        offsets=_on_sphere(strands.reshape(-1, 3), float(regions.latitude[index])),
        brightness=light.ravel(),
        strand=np.repeat(np.arange(len(strands)), STEPS),
        period=rng.uniform(0.4, 4.0, len(strands)),
        phase=rng.uniform(0, 2 * np.pi, len(strands)),
        flaring=np.repeat(flaring, STEPS),
    )


def _polarities(regions: Regions, index: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw concentrations (n, 2) of leading and following flux, east and north, solar radii."""
    half = 0.5 * float(regions.separation[index])
    tilt, side = float(regions.tilt[index]), np.sign(float(regions.latitude[index]))
    axis = half * np.array([np.cos(tilt), -side * np.sin(tilt)])
    count = 5 + int(18 * min(float(regions.size[index]), 1.3))
    # The leading polarity is more compact; complex regions mix the two.
    mixing = 0.35 + 0.08 * float(regions.complexity[index])
    leading = axis + rng.normal(0, mixing * half, (count, 2))
    following = -axis + rng.normal(0, 1.7 * mixing * half, (count, 2))
    return leading, following


def _closed(
    leading: Floats, following: Floats, count: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw loops (count, STEPS, 3) from one polarity to the other, and their emission."""
    first = leading[rng.integers(len(leading), size=count)] + rng.normal(0, 0.006, (count, 2))
    last = following[rng.integers(len(following), size=count)] + rng.normal(0, 0.01, (count, 2))
    return _arcs(first, last, rng.uniform(0.35, 0.75, count), rng.normal(0, 0.45, count), rng)


def _arcade(
    leading: Floats, following: Floats, reach: float, count: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw a row of low loops (count, STEPS, 3) across the polarity inversion line."""
    middle = 0.5 * (leading.mean(0) + following.mean(0))
    across = 0.5 * (leading.mean(0) - following.mean(0))
    along = np.array([-across[1], across[0]])
    position = np.linspace(-1, 1, count)[:, None] * along * 1.1
    shear = 0.3 * along + rng.normal(0, 0.08, (count, 2)) * np.linalg.norm(across)
    first = middle + position + reach * across + shear
    last = middle + position - reach * across - shear
    return _arcs(first, last, rng.uniform(0.4, 0.6, count), rng.normal(0, 0.1, count), rng)


def _arcs(
    first: Floats, last: Floats, height: Floats, lean: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return arcs (n, STEPS, 3) between footpoints (n, 2), and their emission.

    Parameters
    ----------
    first, last
        Footpoints (n, 2).
    height
        Height over the distance of the footpoints (n,).
    lean
        Tangent of the inclination from the vertical (n,).
    """
    step = np.linspace(0, 1, STEPS)
    chord = last - first
    length = np.linalg.norm(chord, axis=1)
    rise = (height * length)[:, None] * np.sin(np.pi * step)
    sideways = np.stack([-chord[:, 1], chord[:, 0]], axis=1) / np.maximum(length, 1e-9)[:, None]
    flat = first[:, None, :] + (0.5 - 0.5 * np.cos(np.pi * step))[None, :, None] * chord[:, None, :]
    flat = flat + (lean[:, None] * rise)[..., None] * sideways[:, None, :]
    strands = np.concatenate([flat, (rise / np.hypot(1, lean[:, None]))[..., None]], axis=2)
    light = rng.lognormal(-0.3, 1.1, len(first))[:, None] * np.exp(-strands[..., 2] / SCALE_HEIGHT)
    return strands, light * (0.25 + length[:, None] / 0.1) / STEPS


def _fans(
    footpoints: Floats, spread: float, count: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw open strands (count, STEPS, 3) that bend outward from the edge of the region."""
    start = footpoints[rng.integers(len(footpoints), size=count)]
    outward = start - footpoints.mean(0)
    angle = np.arctan2(outward[:, 1], outward[:, 0]) + rng.normal(0, 0.35, count)
    length = rng.uniform(0.4, 1.7, count) * (spread + 0.07)
    step = np.linspace(0, 1, STEPS)
    bend = rng.uniform(0.2, 1.0, count)[:, None]
    reach = length[:, None] * (0.45 * step + 0.75 * bend * step**2)
    rise = length[:, None] * (1.1 * step - 0.5 * bend * step**2)
    flat = (
        start[:, None, :] + reach[..., None] * np.stack([np.cos(angle), np.sin(angle)], 1)[:, None]
    )
    strands = np.concatenate([flat, rise[..., None]], axis=2)
    light = (
        rng.lognormal(0.1, 0.8, count)[:, None] * np.exp(-rise / SCALE_HEIGHT) * (1 - step) ** 0.7
    )
    return strands, light * (0.25 + length[:, None] / 0.1) / STEPS


def _on_sphere(strands: Floats, latitude: float) -> Floats:
    """Convert east, north and height (n, 3) to offsets (3, n) from the region's centre."""
    east, north, height = strands.T
    y = np.sin(latitude) + north * np.cos(latitude)
    z = np.cos(latitude) - north * np.sin(latitude)
    lifted = np.stack([east, y, z])
    lifted *= (1 + height) / np.linalg.norm(lifted, axis=0)
    return np.asarray(lifted - np.array([[0.0], [np.sin(latitude)], [np.cos(latitude)]]))
