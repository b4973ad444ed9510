"""Controls: sets of images whose faults are known, measured like those of a model.

A copycat returns training images, which no measure of realism can fault. A phase-random Sun has the
mean image and the power spectra of training images but no structure: what the power spectrum alone
cannot see.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from heliosynth.arrays import Floats32, Images, Integers
from heliosynth.config.evaluation import COPYCAT, PHASE_RANDOM
from heliosynth.dataset.store import NO_TIME, GeneratedImages, LabelledImages
from heliosynth.errors import InputError
from heliosynth.evaluation.resampling import draw_mix
from heliosynth.seeds import derive_seed


def copycat(images: Images, mean: Floats32, rng: np.random.Generator) -> Images:
    """Return the images themselves."""
    return images


def phase_random(images: Images, mean: Floats32, rng: np.random.Generator) -> Images:
    """Return images with the power spectra of the given ones and random phases.

    The phases of the residual z = x − x̄ are replaced by those of white noise, which are uniform
    and those of a real image.

    Parameters
    ----------
    images
        Scaled images in [−1, 1], (n, 1, H, W).
    mean
        Mean of the training images, (1, H, W).
    rng
        Random numbers of the phases.
    """
    amplitude = np.abs(np.fft.rfft2(images - mean))
    noise = np.fft.rfft2(rng.standard_normal(images.shape))
    residual = np.fft.irfft2(amplitude * noise / np.abs(noise), s=images.shape[-2:])
    return np.clip(mean + residual, -1, 1).astype(np.float32)


CONTROLS: Mapping[str, Callable[[Images, Floats32, np.random.Generator], Images]] = {
    COPYCAT: copycat,
    PHASE_RANDOM: phase_random,
}
"""Function of each control, from training images and their mean."""


def control_samples(
    name: str,
    training: LabelledImages,
    classes: tuple[int, ...],
    *,
    population: int,
    per_class: int,
    seed: int,
) -> GeneratedImages:
    """Make the images of a control, with the labels of the training images they come from.

    Parameters
    ----------
    name
        A key of :data:`CONTROLS`.
    training
        The training split.
    classes
        Numbers of the trained classes.
    population
        Images with the class mix of the training split, each from another training image; as many
        as there are if there are fewer.
    per_class
        Images of each class in the balanced set; the same number of every class, at most as many
        as the rarest has.
    seed
        Seed of the run.

    Returns
    -------
    GeneratedImages
        The population, then the balanced set.

    Raises
    ------
    InputError
        If the training split has no image of a trained class.
    """
    images = training.of_classes(classes)
    if not len(images):
        raise InputError("the training split has no image of a trained class; rebuild the dataset")
    rng = np.random.default_rng(derive_seed(seed, name))
    drawn = draw_mix(images.goes_class, images.goes_class, population, rng).rows
    balanced = _balanced(images, per_class, rng)
    rows = np.concatenate([drawn, balanced])
    mean = images.images.mean(axis=0, dtype=np.float64).astype(np.float32)
    return GeneratedImages(
        images=CONTROLS[name](images.images[rows], mean, rng),
        goes_class=images.goes_class[rows],
        log10_flux=images.log10_flux[rows],
        time=np.full(len(rows), NO_TIME),
        seed=np.arange(len(rows)),
        population=np.arange(len(rows)) < len(drawn),
        balanced=np.arange(len(rows)) >= len(drawn),
    )


def _balanced(images: LabelledImages, per_class: int, rng: np.random.Generator) -> Integers:
    members = [np.flatnonzero(images.goes_class == c) for c in np.unique(images.goes_class)]
    size = min(per_class, *map(len, members))
    return np.concatenate([rng.choice(rows, size=size, replace=False) for rows in members])
