"""Labelled images of noise whose brightness shows their class."""

from collections.abc import Sequence

import numpy as np

from heliosynth.arrays import Images
from heliosynth.dataset.store import NO_TIME, GeneratedImages, LabelledImages

SIZE_PX = 16


def bright_images(classes: Sequence[int], rng: np.random.Generator, size_px: int) -> Images:
    """Return noise that is brighter for higher classes, (N, 1, size_px, size_px)."""
    level = np.linspace(-0.8, 0.8, 5)[np.asarray(classes)][:, None, None, None]
    noise = rng.standard_normal((len(classes), 1, size_px, size_px))
    return (level + 0.1 * noise).clip(-1, 1).astype(np.float32)


def labelled_images(
    classes: Sequence[int], seed: int = 0, size_px: int = SIZE_PX
) -> LabelledImages:
    """Return images of these classes, four a day, each with the flux of its class's middle."""
    numbers = np.asarray(classes, dtype=np.int8)
    return LabelledImages(
        images=bright_images(numbers, np.random.default_rng(seed), size_px),
        goes_class=numbers,
        log10_flux=(numbers - 7.5).astype(np.float32),
        time=np.arange(len(numbers), dtype=np.int64) * 6 * 3600,
    )


def generated_images(
    classes: Sequence[int], population: Sequence[bool], seed: int = 1, size_px: int = SIZE_PX
) -> GeneratedImages:
    """Return generated images; those outside the population are balanced."""
    images, marks = labelled_images(classes, seed, size_px), np.asarray(population, dtype=bool)
    return GeneratedImages(
        images=images.images,
        goes_class=images.goes_class,
        log10_flux=images.log10_flux,
        time=np.full(len(images), NO_TIME),
        seed=np.arange(len(images)),
        population=marks,
        balanced=~marks,
    )
