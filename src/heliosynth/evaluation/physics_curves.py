"""Curves of sets of solar images: limb profile, power spectrum, distribution of intensities.

The curve of a set is the mean of its images' curves. Its scale is the band between the 5 % and
the 95 % quantile of the curves of random sets of training blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from heliosynth.arrays import AnyFloats, Booleans, Floats
from heliosynth.evaluation.physics import (
    BINS,
    SMALLEST_POWER,
    bin_centres,
    intensity_histogram,
)
from heliosynth.evaluation.suns import PhysicsReference, Suns

RING_WIDTH = 0.02
"""Width of the rings of the limb profile, solar radii; at least a pixel."""
LAST_RING = 1.3
HISTOGRAM_BINS = 64
BAND_QUANTILES = (0.05, 0.95)


class CurveJson(TypedDict):
    """A curve in the JSON product; all lists are as long as ``x``, null where not defined."""

    x: list[float]
    x_label: str
    y_label: str
    reference: list[float | None]
    null_low: list[float | None]
    null_high: list[float | None]
    rows: dict[str, list[float | None]]


@dataclass(frozen=True)
class Curve:
    """One kind of curve.

    Attributes
    ----------
    x_label, y_label
        Labels with units.
    positions
        Function that returns the positions (K,) for a size in pixels and a training reference.
    values
        Function that returns the values of each image (N, K), NaN where not defined.
    decibels
        Whether the mean over images is converted to dB.
    """

    x_label: str
    y_label: str
    positions: Callable[[int, PhysicsReference], Floats]
    values: Callable[[Suns], Floats]
    decibels: bool = False

    def mean(self, values: AnyFloats, weights: AnyFloats | Booleans) -> Floats:
        """Return the curves of sets (R, K) from those of images (N, K) and weights (R, N)."""
        share = weights / weights.sum(axis=1, keepdims=True)
        mean = share @ np.asarray(values, np.float64)
        return np.asarray(
            10 * np.log10(np.maximum(mean, SMALLEST_POWER)) if self.decibels else mean
        )


def ring_edges(size_px: int, solar_radius: float) -> Floats:
    """Return the edges of the rings of the limb profile, solar radii."""
    width = max(RING_WIDTH, 1 / (size_px * solar_radius))
    return np.arange(0, LAST_RING + width / 2, width)


def ring_profile(suns: Suns) -> Floats:
    """Return the mean intensity of each ring (N, rings), DN; NaN for a ring without a pixel."""
    edges = ring_edges(suns.size_px, suns.reference.solar_radius)
    number = np.digitize(suns.grid.radius.ravel(), edges) - 1
    weights = (number[:, None] == np.arange(len(edges) - 1)).astype(np.float32)
    count = weights.sum(axis=0)
    sums = suns.intensities.reshape(len(suns.images), -1) @ weights
    return np.where(count > 0, sums / np.maximum(count, 1), np.nan)


def intensity_density(suns: Suns) -> Floats:
    """Return the share of disk pixels per unit of scaled intensity (N, HISTOGRAM_BINS)."""
    merged = intensity_histogram(suns).reshape(len(suns.images), HISTOGRAM_BINS, -1)
    return np.asarray(merged.sum(axis=2, dtype=np.float64) * (HISTOGRAM_BINS / 2))


def _ring_centres(size_px: int, reference: PhysicsReference) -> Floats:
    edges = ring_edges(size_px, reference.solar_radius)
    return (edges[1:] + edges[:-1]) / 2


def _wave_numbers(size_px: int, reference: PhysicsReference) -> Floats:
    return np.arange(1, size_px // 2, dtype=np.float64)


def _intensities(size_px: int, reference: PhysicsReference) -> Floats:
    low, high = np.log10([reference.description.minimum_dn, reference.description.maximum_dn])
    centres = bin_centres().reshape(HISTOGRAM_BINS, BINS // HISTOGRAM_BINS).mean(axis=1)
    return np.asarray(10 ** (low + (centres + 1) / 2 * (high - low)))


CURVES: Mapping[str, Curve] = {
    "limb_profile": Curve(
        "distance from the centre (solar radii)", "intensity (DN)", _ring_centres, ring_profile
    ),
    "power_spectrum": Curve(
        "cycles per width",
        "power of residuals (dB)",
        _wave_numbers,
        lambda suns: suns.spectrum,
        decibels=True,
    ),
    "intensity": Curve("intensity (DN)", "density of disk pixels", _intensities, intensity_density),
}
"""Every curve by its key."""


def summarise_curve(
    key: str,
    positions: Floats,
    values: Mapping[str, AnyFloats],
    reference: AnyFloats,
    sets: Booleans,
) -> CurveJson:
    """Return the curves of all rows with the band of the training blocks.

    Parameters
    ----------
    key
        Key of the curve.
    positions
        Positions (K,).
    values
        Values of the images of each row (N, K).
    reference
        Values of the training images (M, K).
    sets
        Result of :func:`heliosynth.evaluation.effect_size.block_sets` (R, M).
    """
    curve = CURVES[key]
    if len(sets):
        band = np.quantile(curve.mean(reference, sets), BAND_QUANTILES, axis=0)
    else:
        band = np.full((2, len(positions)), np.nan)
    return {
        "x": positions.tolist(),
        "x_label": curve.x_label,
        "y_label": curve.y_label,
        "reference": _numbers(_mean_of_all(curve, reference)),
        "null_low": _numbers(band[0]),
        "null_high": _numbers(band[1]),
        "rows": {row: _numbers(_mean_of_all(curve, images)) for row, images in values.items()},
    }


def _mean_of_all(curve: Curve, values: AnyFloats) -> Floats:
    return np.asarray(curve.mean(values, np.ones((1, len(values))))[0])


def _numbers(values: Floats) -> list[float | None]:
    """Return numbers of JSON, None for NaN."""
    return [float(value) if np.isfinite(value) else None for value in values]
