"""Memorisation: near copies of training images, found by a search in all mirrorings.

Two measures of each image, both of its residual, the image minus the mean training image, on the
pixels within :data:`SEARCH_RADIUS`:

* the calibrated ratio ρ = δ₁ / mean(δ₂ … δ₅₁) of the distances to the nearest training images,
  which is small if one training image is nearer than all others (after Carlini et al. 2023, whose
  mean includes δ₁);
* the largest correlation of its residual with that of a training image, which a smooth or
  under-dispersed image that copies nothing does not raise.

Training images of the hours around a frame are nearly equal to it, so no fixed threshold holds.
The thresholds are quantiles over training images that are searched for among those of other weeks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Self

import numpy as np

from heliosynth.arrays import (
    DAY_S,
    DISK_RADIUS,
    Booleans,
    Floats,
    Floats32,
    Images,
    Integers,
    Seconds,
)

MIRRORINGS: Mapping[str, tuple[int, ...]] = {
    "none": (),
    "east-west": (-1,),
    "north-south": (-2,),
    "both": (-2, -1),
}
"""The four mirrorings of a training image, with the axes of (…, H, W) that are reversed."""
_SIGNS = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]], np.float32)
"""Sign of each parity (:func:`parities`) in each mirroring."""

SEARCH_RADIUS = 1.25
"""Radius of the pixels that are compared, solar radii; beyond it is mostly noise."""
NEIGHBOURS = 50
"""Neighbours in the denominator of the calibrated ratio."""
FALSE_ALARM = 0.01
"""Share of frames of other weeks beyond each threshold."""
GAP_DAYS = 4.0
"""Training images this close to a left-out block are left out, too: the distance of two frames
levels off after about four days."""
SLAB = 512
"""Images that are searched for at a time."""
ROUNDING = 1e-5
"""Squared distances below this share of the squares of the residuals are 0: rounding errors of
products in single precision."""

RATIO, CORRELATION, BOTH = "ratio", "correlation", "both"
CRITERIA = (RATIO, CORRELATION, BOTH)
"""What flags an image as a near copy: a small ratio, a large correlation, or both."""


@dataclass(frozen=True)
class Matches:
    """Nearest training image of each image; all arrays (n,).

    Attributes
    ----------
    ratio
        Calibrated ratio ρ, 0…1; 0 for an identical image.
    correlation
        Largest correlation of the residual with that of a training image, −1…1.
    nearest
        Row of the nearest training image.
    mirroring
        Its mirroring, an index of :data:`MIRRORINGS`.
    """

    ratio: Floats
    correlation: Floats
    nearest: Integers
    mirroring: Integers

    def __len__(self) -> int:
        return len(self.ratio)

    def take(self, rows: Integers | Booleans) -> Self:
        """Return some of the matches."""
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    @classmethod
    def joined(cls, parts: Sequence[Matches]) -> Self:
        """Join matches in their order."""
        values = {f.name: [getattr(part, f.name) for part in parts] for f in fields(cls)}
        return cls(**{name: np.concatenate(arrays) for name, arrays in values.items()})


@dataclass(frozen=True)
class SearchSet:
    """Training images in which others are searched for.

    Attributes
    ----------
    mean
        Mean of the training images in all mirrorings (H, W).
    parts
        Parities of the residuals (4, N, Q), see :func:`parities`.
    time
        Times of the images, s (N,).
    blocks
        Number of the block of time of each image (N,).
    """

    mean: Images
    parts: Floats32
    time: Seconds
    blocks: Integers

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def of(cls, images: Images, time: Seconds, blocks: Integers) -> Self:
        """Build the search set of training images (N, H, W), with time and block of each (N,)."""
        mean = images.mean(axis=0, dtype=np.float64)
        # The mean over all mirrorings, so that mirroring an image mirrors its residual.
        mean = np.mean([np.flip(mean, axes) for axes in MIRRORINGS.values()], axis=0)
        parts = parities(images - mean.astype(np.float32))
        return cls(mean.astype(np.float32), parts, time, blocks)

    @cached_property
    def squares(self) -> Floats32:
        """Sum of the squares of each residual (N,)."""
        return _squares(self.parts)

    @cached_property
    def neighbours(self) -> int:
        """Neighbours that every search has, also among other weeks; 0 if a block has none."""
        _, first = np.unique(self.blocks, return_index=True)
        others = np.count_nonzero(~self.same_weeks(first), axis=1)
        return max(min(NEIGHBOURS, int(others.min()) - 1), 0)

    def same_weeks(self, rows: Integers) -> Booleans:
        """Return which training images are of the week of each of some of them (n, N).

        These are the images up to :data:`GAP_DAYS` from the first and last one of its block.
        """
        _, index = np.unique(self.blocks, return_inverse=True)
        first = np.full(index.max() + 1, np.iinfo(np.int64).max)
        last = np.full(index.max() + 1, np.iinfo(np.int64).min)
        np.minimum.at(first, index, self.time)
        np.maximum.at(last, index, self.time)
        start, end = first[index[rows], None], last[index[rows], None]
        gap = round(GAP_DAYS * DAY_S)
        return np.asarray((self.time >= start - gap) & (self.time <= end + gap))


def parities(residuals: Images) -> Floats32:
    """Return the even and odd parts of residuals under both mirrorings, within the radius.

    The scalar product of two residuals is the sum of those of their four parts, and mirroring one
    of them changes only signs. So one product of the size of an image serves all mirrorings.

    Parameters
    ----------
    residuals
        (n, H, W).

    Returns
    -------
    numpy.ndarray
        (4, n, Q): parts that are even in both axes, odd in x, odd in y, and odd in both.
    """
    height, width = residuals.shape[1:]
    y, x = ((np.arange(size) + 0.5) / size - 0.5 for size in (height, width))
    inside = np.hypot(y[:, None], x[None, :]) < SEARCH_RADIUS * DISK_RADIUS
    quarter = inside[: (height + 1) // 2, : (width + 1) // 2]
    rows = [_folded(part, 2) for part in _folded(residuals, 1)]
    even, odd = rows
    parts = (even[0], even[1], odd[0], odd[1])
    return np.stack([part[:, quarter] for part in parts])


def _folded(images: Images, axis: int) -> tuple[Images, Images]:
    """Return the even and the odd part of images along an axis, of half its length."""
    size = images.shape[axis]
    half = np.arange((size + 1) // 2)
    first = np.take(images, half, axis)
    second = np.take(images, size - 1 - half, axis)
    even, odd = (first + second) / np.sqrt(np.float32(2)), (first - second) / np.sqrt(np.float32(2))
    if size % 2:
        # The middle line is its own mirror image, and counts once.
        np.moveaxis(even, axis, -1)[..., -1] /= np.sqrt(np.float32(2))
    return even, odd


def search(images: Images, training: SearchSet, rows: Integers | None = None) -> Matches:
    """Search for images among the training images, in all mirrorings.

    Parameters
    ----------
    images
        (n, H, W), scaled like the training images.
    training
        The training images; ``training.neighbours`` must not be 0.
    rows
        For images at the times of training images: the row of each (n,). They are searched for
        among the training images of other weeks only.

    Raises
    ------
    ValueError
        If the training images are of too few weeks.
    """
    if not training.neighbours:
        raise ValueError("a search needs training images of several weeks")
    parts = []
    for first in range(0, max(len(images), 1), SLAB):
        slab = slice(first, first + SLAB)
        excluded = None if rows is None else training.same_weeks(rows[slab])
        parts.append(_search_slab(parities(images[slab] - training.mean), training, excluded))
    return Matches.joined(parts)


def _search_slab(parts: Floats32, training: SearchSet, excluded: Booleans | None) -> Matches:
    own, squares = _squares(parts)[:, None], training.squares
    even, odd_x, odd_y, odd = (a @ b.T for a, b in zip(parts, training.parts, strict=True))
    # The largest of the scalar products with the four mirrorings.
    product = np.maximum(
        even + odd_x + np.abs(odd_y + odd),
        even - odd_x + np.abs(odd_y - odd),
    )
    scale = own + squares
    distance = scale - 2 * product
    distance[distance < ROUNDING * scale] = 0
    norms = np.sqrt(own) * np.sqrt(squares)
    cosine = np.divide(product, norms, out=np.zeros_like(product), where=norms > 0)
    if excluded is not None:
        distance[excluded], cosine[excluded] = np.inf, -1
    nearest = distance.argmin(axis=1).astype(np.int64)
    near = np.partition(distance, training.neighbours, axis=1)[:, : training.neighbours + 1]
    near = np.sqrt(np.sort(near, axis=1).astype(np.float64))
    further = near[:, 1:].mean(axis=1)
    pairs = np.einsum("pnq,pnq->np", parts, training.parts[:, nearest])
    return Matches(
        ratio=np.divide(near[:, 0], further, out=np.zeros(len(near)), where=near[:, 0] > 0),
        correlation=cosine.max(axis=1).clip(-1, 1).astype(np.float64),
        nearest=nearest,
        mirroring=(pairs @ _SIGNS.T).argmax(axis=1).astype(np.int64),
    )


def _squares(parts: Floats32) -> Floats32:
    return np.asarray(np.einsum("pnq,pnq->n", parts, parts))


def search_other_weeks(images: Images, training: SearchSet) -> Matches:
    """Search for each training image (N, H, W) among those of other weeks."""
    return search(images, training, np.arange(len(training)))


@dataclass(frozen=True)
class Thresholds:
    """Thresholds of near copies: of the ratio from below, of the correlation from above."""

    ratio: float
    correlation: float

    @classmethod
    def of(cls, matches: Matches) -> Self:
        """Return the thresholds that a share :data:`FALSE_ALARM` of frames exceeds."""
        return cls(
            float(np.quantile(matches.ratio, FALSE_ALARM)),
            float(np.quantile(matches.correlation, 1 - FALSE_ALARM)),
        )

    def flag(self, matches: Matches) -> dict[str, Booleans]:
        """Return which images are near copies (n,), by each of :data:`CRITERIA`."""
        ratio = matches.ratio < self.ratio
        correlation = matches.correlation > self.correlation
        return {RATIO: ratio, CORRELATION: correlation, BOTH: ratio & correlation}
