"""Small datasets and samples whose classes differ in brightness."""

from pathlib import Path

import numpy as np
import pytest

from factories.labelled import generated_images, labelled_images
from heliosynth.dataset.store import UNKNOWN_CLASS, Description, write_dataset, write_samples

DESCRIPTION = Description("171A", 5.0, 3500.0, (1, 2, 3), "noise of five brightnesses", {})


@pytest.fixture
def dataset(tmp_path) -> Path:
    """A dataset with an untrained class A and no X; M is missing from the test split."""
    path = tmp_path / "dataset.h5"
    splits = {
        "train": labelled_images([0] + [1] * 24 + [2] * 12 + [3] * 6, seed=0),
        "val": labelled_images([1] * 6 + [2] * 4 + [3] * 2, seed=2),
        "test": labelled_images([0] + [1] * 8 + [2] * 2, seed=3),
    }
    write_dataset(path, splits, DESCRIPTION)
    return path


@pytest.fixture
def samples(tmp_path) -> Path:
    """A model's samples: a population of 14, and 4 balanced images of each class."""
    path = tmp_path / "model.h5"
    classes = [1] * 8 + [2] * 4 + [3] * 2 + [1] * 4 + [2] * 4 + [3] * 4
    write_samples(path, generated_images(classes, [True] * 14 + [False] * 12), DESCRIPTION)
    return path


@pytest.fixture
def unlabelled_samples(tmp_path) -> Path:
    """The samples of a model without classes."""
    path = tmp_path / "cevae.h5"
    images = generated_images([1] * 14, [True] * 14)
    images.goes_class[:] = UNKNOWN_CLASS
    images.log10_flux[:] = np.nan
    write_samples(path, images, DESCRIPTION)
    return path
