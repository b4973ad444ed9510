"""Planted copies: the power of the search for near copies, and its false alarms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypedDict

import numpy as np
from scipy.ndimage import gaussian_filter

from heliosynth.arrays import Images
from heliosynth.evaluation.memorisation import (
    BOTH,
    CORRELATION,
    MIRRORINGS,
    RATIO,
    SearchSet,
    Thresholds,
    search,
)

PLANTED = 200
"""Copies of each kind."""
NOISE, STRONG_NOISE = 0.1, 0.2
"""Standard deviation of the noise of a noisy copy, in units of the scaled intensity."""
BLUR = 1 / 64
"""Standard deviation of the Gaussian that blurs a copy, in units of the width."""
SHRINKAGE = 0.5
"""Factor of the residual of a shrunk copy."""

Alteration = Callable[[Images, Images, Images, np.random.Generator], Images]
"""Function of images (n, H, W), other images (n, H, W), the mean image (H, W) and random numbers
that returns altered images (n, H, W)."""


def add_noise(
    images: Images, others: Images, mean: Images, rng: np.random.Generator, std: float = NOISE
) -> Images:
    """Return images with Gaussian noise."""
    noise = rng.standard_normal(images.shape, np.float32)
    return np.asarray(images + np.float32(std) * noise, np.float32)


def add_strong_noise(
    images: Images, others: Images, mean: Images, rng: np.random.Generator
) -> Images:
    """Return images with strong Gaussian noise."""
    return add_noise(images, others, mean, rng, STRONG_NOISE)


def mirror(images: Images, others: Images, mean: Images, rng: np.random.Generator) -> Images:
    """Return images mirrored in one of three ways each, with Gaussian noise."""
    axes = [axes for axes in MIRRORINGS.values() if axes]
    ways = rng.integers(len(axes), size=len(images))
    mirrored = [np.flip(image, axes[way]) for image, way in zip(images, ways, strict=True)]
    return add_noise(np.stack(mirrored), others, mean, rng)


def blur(images: Images, others: Images, mean: Images, rng: np.random.Generator) -> Images:
    """Return images convolved with a Gaussian."""
    sigma = BLUR * images.shape[-1]
    return np.asarray(gaussian_filter(images, (0, sigma, sigma)), np.float32)


def blend(images: Images, others: Images, mean: Images, rng: np.random.Generator) -> Images:
    """Return the means of two images."""
    return np.asarray((images + others) / 2, np.float32)


def shrink(images: Images, others: Images, mean: Images, rng: np.random.Generator) -> Images:
    """Return images half-way between themselves and the mean image."""
    return np.asarray(mean + np.float32(SHRINKAGE) * (images - mean), np.float32)


def splice(images: Images, others: Images, mean: Images, rng: np.random.Generator) -> Images:
    """Return the eastern half of one image next to the western half of another."""
    half = images.shape[-1] // 2
    return np.concatenate([images[..., :half], others[..., half:]], axis=-1)


ALTERATIONS: Mapping[str, Alteration] = {
    "noisy": add_noise,
    "very_noisy": add_strong_noise,
    "mirrored": mirror,
    "blurred": blur,
    "blended": blend,
    "shrunk": shrink,
    "spliced": splice,
}
"""Kinds of copies. Half a copy (``spliced``) is the hardest to find."""


class PowerJson(TypedDict):
    """Shares of flagged images of one kind of copy, in the JSON product.

    ``power`` and ``false_alarm`` are by the ratio, the others by the correlation and by both.
    ``false_alarm…`` are of frames of other weeks, altered in the same way: no copies.
    """

    power: float
    power_correlation: float
    power_both: float
    false_alarm: float
    false_alarm_correlation: float
    false_alarm_both: float
    n: int


def measure_power(
    images: Images,
    training: SearchSet,
    thresholds: Thresholds,
    seed: int,
) -> dict[str, PowerJson]:
    """Plant copies of training images, and measure which share of them is flagged.

    Parameters
    ----------
    images
        The training images (N, H, W).
    training
        Their search set; ``training.neighbours`` must not be 0.
    thresholds
        Those of near copies.
    seed
        Seed of the choice of images and of their alterations.

    Returns
    -------
    dict
        By each kind of :data:`ALTERATIONS`.
    """
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(len(images), min(PLANTED, len(images)), replace=False))
    anywhere = rng.integers(len(images), size=len(rows))
    # No copies: the second image must be of the left-out week, too.
    nearby = np.array(
        [rng.choice(np.flatnonzero(training.blocks == training.blocks[row])) for row in rows]
    )
    powers: dict[str, PowerJson] = {}
    for name, alter in ALTERATIONS.items():
        copies = alter(images[rows], images[anywhere], training.mean, rng).clip(-1, 1)
        found = thresholds.flag(search(copies, training))
        strangers = alter(images[rows], images[nearby], training.mean, rng).clip(-1, 1)
        alarms = thresholds.flag(search(strangers, training, rows))
        powers[name] = {
            "power": float(found[RATIO].mean()),
            "power_correlation": float(found[CORRELATION].mean()),
            "power_both": float(found[BOTH].mean()),
            "false_alarm": float(alarms[RATIO].mean()),
            "false_alarm_correlation": float(alarms[CORRELATION].mean()),
            "false_alarm_both": float(alarms[BOTH].mean()),
            "n": len(rows),
        }
    return powers
