"""Frames averaged over the areas of larger, or smaller, pixels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.float32]

TRACE = 1e-6
"""A weight below this was left by rounding, and is none."""


class AreaMeans(NamedTuple):
    """Averaged frames (N, size, size), NaN where nothing was measured.

    ``measured`` (N, size, size) is the share of each pixel's area that they rest on.
    """

    images: Images
    measured: Images


def area_average(images: Images, size: int) -> Images:
    """Average frames (N, H, W) to (N, size, size); see :func:`area_means`."""
    return area_means(images, size).images


def area_means(images: Images, size: int, measured: Images | None = None) -> AreaMeans:
    """Average frames over the areas of their new pixels.

    A new pixel is the mean of what it covers of the old ones, weighted by area, so the mean
    intensity of the whole frame is conserved at any ratio of sizes. Missing pixels do not
    count. Averages of averages are exact, since they take their weights along.

    Parameters
    ----------
    images
        Frames in linear DN (N, H, W), NaN where missing.
    size
        Height and width of the averaged frames.
    measured
        Share of each pixel that was measured; from what is finite if None.
    """
    # What is missing shows in every sum that it enters, so the frames need one look only.
    sums = _shares(images, size)
    if np.isfinite(sums).all() and (measured is None or (measured == 1).all()):
        return AreaMeans(sums, np.broadcast_to(np.float32(1), sums.shape))
    weight = np.isfinite(images).astype(np.float32) if measured is None else measured
    total = _shares(np.where(weight > 0, images, np.float32(0)) * weight, size)
    share = _shares(weight, size)
    mean = np.divide(total, share, out=np.full_like(total, np.nan), where=share > TRACE)
    return AreaMeans(mean, share)


def overlap(raw: int, size: int) -> Images:
    """Give the share of each target pixel that each raw pixel fills, along one axis.

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


def _shares(images: npt.NDArray[Any], size: int) -> Images:
    """Sum pixels (N, H, W) by the share of each target pixel that they fill."""
    count, high, wide = images.shape
    if high % size or wide % size:
        # Missing and infinite pixels spread along their row and column here.
        with np.errstate(invalid="ignore"):
            return np.asarray(
                overlap(high, size) @ images @ overlap(wide, size).T, dtype=np.float32
            )
    # Whole blocks: rows first, which adds long runs of memory.
    down, across = high // size, wide // size
    rows = images.reshape(count, size, down, wide).sum(axis=2, dtype=np.float32)
    columns = rows.reshape(count, size, size, across)
    # A few strided sums: NumPy's own are slow along a short axis.
    blocks = sum((columns[..., place] for place in range(1, across)), start=columns[..., 0])
    return np.asarray(blocks * np.float32(1 / (down * across)))
