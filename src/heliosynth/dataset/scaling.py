"""Logarithmic scaling of intensities to [−1, 1], and its inverse."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heliosynth.arrays import Images

CLIP_DN = {
    "94A": (0.1, 800.0),
    "131A": (0.7, 1900.0),
    "171A": (5.0, 3500.0),
    "193A": (20.0, 5500.0),
    "211A": (7.0, 3500.0),
    "304A": (0.1, 3500.0),
    "335A": (0.4, 1000.0),
    "1600A": (10.0, 800.0),
    "1700A": (220.0, 5000.0),
}
"""Intensities that are scaled to −1 and +1, DN, by AIA channel (Giger 2022)."""


def scale(intensities: npt.ArrayLike, minimum_dn: float, maximum_dn: float) -> Images:
    """Clip intensities, take the logarithm, and scale it to [−1, 1] (Giger 2022)."""
    low, high = np.log10(minimum_dn), np.log10(maximum_dn)
    clipped = np.clip(np.asarray(intensities, dtype=np.float32), minimum_dn, maximum_dn)
    scaled = 2 * (np.log10(clipped) - low) / (high - low) - 1
    return np.asarray(np.clip(scaled, -1, 1), dtype=np.float32)


def unscale(images: npt.ArrayLike, minimum_dn: float, maximum_dn: float) -> Images:
    """Return the intensities of scaled images, DN: the inverse of :func:`scale`."""
    low, high = np.log10(minimum_dn), np.log10(maximum_dn)
    exponent = low + (np.asarray(images, dtype=np.float64) + 1) / 2 * (high - low)
    return np.asarray(10.0**exponent, dtype=np.float32)
