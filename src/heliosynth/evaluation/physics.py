"""Physical statistics of solar images: flux, limb, corona, activity, power, phases, quality.

Every function takes a batch of images (:class:`heliosynth.evaluation.suns.Suns`) and returns a
value per image (N,), NaN where it is not defined.
"""

from __future__ import annotations

import numpy as np

from heliosynth.arrays import AnyFloats, Booleans, Floats, Floats32, Images
from heliosynth.evaluation.suns import Grid, Suns
from heliosynth.frames import quality

CORONA_RADIUS = 1.25
"""Outer radius of the corona that is measured, solar radii; along the axes, the field ends at 1.16
or 1.26."""
LIMB, OFF_LIMB, CENTRE, SKY = (0.95, 1.05), (1.05, CORONA_RADIUS), (0.0, 0.5), (1.3, 9.0)
"""Rings, solar radii."""
HIGH_LATITUDE = 40.0
"""Latitude beyond which active regions are rare, degrees."""
BINS = 256
"""Bins of the histogram of scaled intensities from −1 to 1."""
BATCH = 100
"""Images that are checked for quality together with the training frames: too few to change what
is typical."""
SMALLEST_POWER = 1e-12


def disk_flux(suns: Suns) -> Floats:
    """Return log₁₀ of the sum of intensities within 1.25 radii, DN."""
    return np.asarray(np.log10(_sums(suns.intensities, suns.grid.radius < CORONA_RADIUS)))


def limb_brightening(suns: Suns) -> Floats:
    """Return the mean intensity of the limb over that of the centre of the disk."""
    return _ratio(
        _means(suns.intensities, suns.grid.ring(LIMB)),
        _means(suns.intensities, suns.grid.ring(CENTRE)),
    )


def off_limb_share(suns: Suns) -> Floats:
    """Return the share of the flux within 1.25 radii that is from beyond 1.05 radii."""
    return _ratio(
        _sums(suns.intensities, suns.grid.ring(OFF_LIMB)),
        _sums(suns.intensities, suns.grid.radius < CORONA_RADIUS),
    )


def sky_std(suns: Suns) -> Floats:
    """Return the standard deviation of the scaled intensity in the corners, beyond 1.3 radii.

    NaN for images whose corners are nearer.
    """
    sky = suns.images[:, suns.grid.ring(SKY)]
    if not sky.shape[1]:
        return np.full(len(sky), np.nan)
    return np.asarray(sky.std(axis=1, dtype=np.float64))


def bright_share(suns: Suns) -> Floats:
    """Return the share of the disk's pixels that are bright."""
    disk = suns.images[:, suns.grid.radius < 1]
    return np.asarray((disk >= np.float32(suns.reference.bright)).mean(axis=1))


def intensity_histogram(suns: Suns) -> Floats32:
    """Return the share of the disk's pixels in each bin of the scaled intensity (N, BINS)."""
    disk = suns.images[:, suns.grid.radius < 1]
    number = np.clip(((disk + 1) * np.float32(BINS / 2)).astype(np.int64), 0, BINS - 1)
    number += BINS * np.arange(len(disk))[:, None]
    counts = np.bincount(number.ravel(), minlength=BINS * len(disk)).reshape(len(disk), BINS)
    return np.asarray(counts / max(disk.shape[1], 1), np.float32)


def bin_centres() -> Floats:
    """Return the scaled intensities at the centres of the histogram's bins (BINS,)."""
    return np.asarray((np.arange(BINS) + 0.5) * (2 / BINS) - 1, np.float64)


def active_latitude(suns: Suns) -> Floats:
    """Return the mean distance of bright area from the equator, degrees; NaN without any.

    The latitude is arcsin(y); the tilt of the Sun's axis, up to 7.25°, is ignored.
    """
    latitude = np.abs(_latitude(suns.grid))
    return _ratio(_weighted(suns.activity, latitude), _weighted(suns.activity, 1.0))


def high_latitude_share(suns: Suns) -> Floats:
    """Return the share of the bright area beyond 40° latitude; NaN without any bright area."""
    is_high = np.abs(_latitude(suns.grid)) > HIGH_LATITUDE
    return _ratio(_weighted(suns.activity, is_high), _weighted(suns.activity, 1.0))


def east_west_asymmetry(suns: Suns) -> Floats:
    """Return (W − E) / (W + E) of the bright area; NaN without any."""
    return _ratio(_weighted(suns.activity, np.sign(suns.grid.x)), _weighted(suns.activity, 1.0))


def north_south_asymmetry(suns: Suns) -> Floats:
    """Return (N − S) / (N + S) of the bright area; NaN without any."""
    return _ratio(_weighted(suns.activity, np.sign(suns.grid.y)), _weighted(suns.activity, 1.0))


def band(name: str, size_px: int) -> slice:
    """Return the bins of a power spectrum that belong to a band.

    The bands are 2–5, 6–19 and 20–31 cycles per width at 64 pixels. At other sizes the first one
    has the same scales on the Sun, and the last one begins at 0.6 of the highest wave number.

    Parameters
    ----------
    name
        ``large``, ``medium`` or ``small`` scales.
    size_px
        Width of an image.
    """
    border = max(round(0.625 * size_px / 2), 2)
    limits = {"large": (2, min(6, border)), "medium": (6, border), "small": (border, size_px // 2)}
    first, last = limits[name]
    return slice(first - 1, last - 1)


def band_power(suns: Suns, name: str) -> Floats:
    """Return the mean power of a band (:func:`band`), dB; NaN if the images are too small."""
    power = suns.spectrum[:, band(name, suns.size_px)]
    if not power.shape[1]:
        return np.full(len(power), np.nan)
    return np.asarray(10 * np.log10(np.maximum(power.mean(axis=1), SMALLEST_POWER)))


def skewness(suns: Suns) -> Floats:
    """Return the skewness of the residuals within 0.9 radii; NaN if they are constant."""
    second, third, _ = suns.moments
    return _ratio(third, second**1.5)


def kurtosis(suns: Suns) -> Floats:
    """Return the excess kurtosis of the residuals within 0.9 radii; NaN if they are constant."""
    second, _, fourth = suns.moments
    return _ratio(fourth, second**2) - 3


def area_above(suns: Suns, threshold: float) -> Floats:
    """Return the share of the area with residuals above a threshold in standard deviations."""
    return suns.minkowski[threshold].area


def perimeter_above(suns: Suns, threshold: float) -> Floats:
    """Return the length of the contour of the residuals at a threshold, solar radii."""
    return np.asarray(
        suns.minkowski[threshold].perimeter / (suns.size_px * suns.reference.solar_radius)
    )


def euler_above(suns: Suns, threshold: float) -> Floats:
    """Return the Euler number of the area with residuals above a threshold."""
    return suns.minkowski[threshold].euler


def rejected(suns: Suns) -> Floats:
    """Return 1 for images that the quality check of frames would reject, else 0.

    What is typical of a year is that of the training images. Checks of a frame against the frames
    of the same day, and against equal frames, do not apply.
    """
    measures = quality.measure(suns.intensities)
    typical = suns.reference.measures
    reasons = []
    for first in range(0, len(suns.images), BATCH):
        rows = slice(first, first + BATCH)
        joined = {key: np.concatenate([typical[key], measures[key][rows]]) for key in typical}
        count = len(joined["digest"])
        joined["digest"] = np.arange(count)
        joined["lost_pixels"] = np.zeros(count)
        joined["time"] = np.arange(count) * _FAR_APART_S
        channel = suns.reference.description.channel
        reasons.append(quality.rejections(joined, channel)[len(typical["digest"]) :])
    return np.asarray(np.concatenate(reasons) != "", np.float64)


_FAR_APART_S = 10 * 86_400


def _latitude(grid: Grid) -> Floats:
    return np.asarray(np.degrees(np.arcsin(np.clip(grid.y, -1, 1))))


def _sums(images: Images, pixels: Booleans) -> Floats:
    return np.asarray(images[:, pixels].sum(axis=1, dtype=np.float64))


def _means(images: Images, pixels: Booleans) -> Floats:
    """Return the mean over pixels (N,), NaN if there is none."""
    count = np.count_nonzero(pixels)
    return _sums(images, pixels) / count if count else np.full(len(images), np.nan)


def _weighted(activity: Floats32, weights: AnyFloats | Booleans | float) -> Floats:
    """Return the weighted sum of the activity (N,)."""
    full = np.broadcast_to(np.asarray(weights, np.float32), activity.shape[1:])
    return np.asarray(activity.reshape(len(activity), -1) @ full.ravel(), np.float64)


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Return a quotient, NaN where the denominator is 0."""
    undefined = np.full(len(numerator), np.nan)
    return np.asarray(np.divide(numerator, denominator, out=undefined, where=denominator != 0))
