"""Small datasets and samples whose classes can be told apart by eye."""

from pathlib import Path

import numpy as np
import pytest

from heliosynth.dataset.store import (
    NO_TIME,
    UNKNOWN_CLASS,
    Description,
    GeneratedImages,
    LabelledImages,
    write_dataset,
    write_samples,
)

SIZE = 16


def bright_images(classes, rng):
    """Give noise that is brighter for higher classes, (N, 1, 16, 16)."""
    level = np.linspace(-0.8, 0.8, 5)[np.asarray(classes)][:, None, None, None]
    images = level + 0.1 * rng.standard_normal((len(classes), 1, SIZE, SIZE))
    return images.clip(-1, 1).astype(np.float32)


def labelled(classes, seed=0):
    """Give images of the classes, with the flux of the middle of each."""
    classes = np.asarray(classes, dtype=np.int8)
    return LabelledImages(
        images=bright_images(classes, np.random.default_rng(seed)),
        goes_class=classes,
        log10_flux=(classes - 7.5).astype(np.float32),
        time=np.arange(len(classes), dtype=np.int64),
    )


def generated(classes, population, seed=1):
    """Give generated images; those not of the population are the balanced ones."""
    images = labelled(classes, seed)
    population = np.asarray(population, dtype=bool)
    return GeneratedImages(
        images=images.images,
        goes_class=images.goes_class,
        log10_flux=images.log10_flux,
        time=np.full(len(images), NO_TIME),
        seed=np.arange(len(images)),
        population=population,
        balanced=~population,
    )


DESCRIPTION = Description("171A", 5.0, 3500.0, (1, 2, 3), "noise of five brightnesses", {})


@pytest.fixture
def make_labelled():
    """Build labelled images from a list of classes."""
    return labelled


@pytest.fixture
def dataset(tmp_path) -> Path:
    """Write a dataset whose class A is scarce and X absent; M is missing from the test split."""
    path = tmp_path / "dataset.h5"
    splits = {
        "train": labelled([0] + [1] * 24 + [2] * 12 + [3] * 6, seed=0),
        "val": labelled([1] * 6 + [2] * 4 + [3] * 2, seed=2),
        "test": labelled([0] + [1] * 8 + [2] * 2, seed=3),
    }
    write_dataset(path, splits, DESCRIPTION)
    return path


@pytest.fixture
def samples(tmp_path) -> Path:
    """Write a model's samples: a population of 14 and 4 of each class."""
    path = tmp_path / "model.h5"
    classes = [1] * 8 + [2] * 4 + [3] * 2 + [1] * 4 + [2] * 4 + [3] * 4
    write_samples(path, generated(classes, [True] * 14 + [False] * 12), DESCRIPTION)
    return path


@pytest.fixture
def unlabelled_samples(tmp_path) -> Path:
    """Write samples of a model without labels."""
    path = tmp_path / "cevae.h5"
    made = generated([1] * 14, [True] * 14)
    made.goes_class[:] = UNKNOWN_CLASS
    made.log10_flux[:] = np.nan
    write_samples(path, made, DESCRIPTION)
    return path
