"""Area-weighted averages of frames to another number of pixels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from heliosynth.arrays import Booleans, Images

ROUNDING_WEIGHT = 1e-6
"""Weights below this are rounding errors and count as zero."""


class AreaMeans(NamedTuple):
    """Averaged frames (N, size, size), NaN where nothing was measured.

    ``measured`` (N, size, size) is the measured share of each pixel's area.
    """

    images: Images
    measured: Images


def area_average(images: Images, size: int) -> Images:
    """Average frames (N, H, W) to (N, size, size); see :func:`area_means`."""
    return area_means(images, size).images


def area_means(images: Images, size: int, measured: Images | None = None) -> AreaMeans:
    """Average frames over the areas of the new pixels.

    A new pixel is the mean of the old pixels that it covers, weighted by area, so the mean
    intensity of the whole frame is conserved at any ratio of sizes. Missing pixels do not
    count. Averages of averages are exact if the weights are passed on.

    Parameters
    ----------
    images
        Frames in linear DN (N, H, W), NaN where missing.
    size
        Height and width of the averaged frames.
    measured
        Measured share of each pixel (N, H, W); None: 1 where finite, else 0.
    """
    # A missing pixel makes every sum that it enters NaN, so complete frames need one pass only.
    sums = _weighted_sums(images, size)
    if np.isfinite(sums).all() and (measured is None or (measured == 1).all()):
        return AreaMeans(sums, np.broadcast_to(np.float32(1), sums.shape))
    weight = np.isfinite(images).astype(np.float32) if measured is None else measured
    total = _weighted_sums(np.where(weight > 0, images, np.float32(0)) * weight, size)
    share = _weighted_sums(weight, size)
    mean = np.divide(total, share, out=np.full_like(total, np.nan), where=share > ROUNDING_WEIGHT)
    return AreaMeans(mean, share)


def overlap(raw: int, size: int) -> Images:
    """Return the share of each target pixel that each raw pixel covers, along one axis.

    Parameters
    ----------
    raw, size
        Numbers of raw and target pixels.

    Returns
    -------
    numpy.ndarray
        (size, raw) float32; every row sums to 1.
    """
    ratio = raw / size
    edges = np.arange(size + 1) * ratio
    pixel = np.arange(raw)
    shared = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    return np.asarray(np.maximum(shared, 0) / ratio, dtype=np.float32)


def _weighted_sums(images: Images | Booleans, size: int) -> Images:
    """Sum pixels (N, H, W), weighted by the share of each target pixel that they cover."""
    count, height, width = images.shape
    if height % size or width % size:
        # NaN and infinite pixels spread along their row and column.
        with np.errstate(invalid="ignore"):
            return np.asarray(
                overlap(height, size) @ images @ overlap(width, size).T, dtype=np.float32
            )
    # Integer ratios: sum rows first, which adds long runs of memory.
    down, across = height // size, width // size
    rows = images.reshape(count, size, down, width).sum(axis=2, dtype=np.float32)
    columns = rows.reshape(count, size, size, across)
    # A few strided sums, since numpy.sum is slow along a short axis.
    blocks = sum((columns[..., n] for n in range(1, across)), start=columns[..., 0])
    return np.asarray(blocks * np.float32(1 / (down * across)))
