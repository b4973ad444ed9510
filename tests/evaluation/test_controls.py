"""Controls: training images, and images of the same power without structure."""

import numpy as np
import pytest

from factories.labelled import labelled_images
from heliosynth.errors import InputError
from heliosynth.evaluation.controls import CONTROLS, control_samples, phase_random

CLASSES = [1] * 30 + [2] * 20 + [3] * 5 + [4]


def make(name, classes=CLASSES, **changes):
    options = {"population": 20, "per_class": 4, "seed": 0, **changes}
    return control_samples(name, labelled_images(classes), (1, 2, 3), **options)


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_has_the_sets_of_a_model(name):
    samples = make(name)
    population = samples.goes_class[samples.population]
    assert np.bincount(population, minlength=5).tolist() == [0, 11, 7, 2, 0]
    balanced = samples.goes_class[samples.balanced]
    assert np.bincount(balanced, minlength=5).tolist() == [0, 4, 4, 4, 0]
    assert not np.any(samples.population & samples.balanced)
    assert samples.images.dtype == np.float32
    assert np.abs(samples.images).max() <= 1


def test_a_copycat_returns_each_training_image_once():
    samples, training = make("copycat"), labelled_images(CLASSES)
    copies = samples.images[samples.population]
    matches = [np.flatnonzero((training.images == copy).all(axis=(1, 2, 3))) for copy in copies]
    assert all(len(match) == 1 for match in matches)
    assert len(set(np.concatenate(matches))) == len(copies)


def test_random_phases_keep_mean_and_power():
    rng = np.random.default_rng(0)
    images = (0.1 * rng.standard_normal((40, 1, 32, 32)) ** 3 / 3).clip(-1, 1).astype(np.float32)
    mean = images.mean(axis=0)
    other = phase_random(images, mean, np.random.default_rng(1))
    power, power_of_other = (np.abs(np.fft.fft2(set_ - mean)) ** 2 for set_ in (images, other))
    np.testing.assert_allclose(power_of_other, power, rtol=0.02, atol=1e-3)
    # The structure is gone: the cubes of normal numbers have a kurtosis far above 3.
    kurtosis = [np.mean((s - mean) ** 4) / np.mean((s - mean) ** 2) ** 2 for s in (images, other)]
    assert kurtosis[0] > 8
    assert kurtosis[1] == pytest.approx(3, abs=0.3)


def test_seeds_decide_the_images():
    assert np.array_equal(make("phase_random").images, make("phase_random").images)
    assert not np.array_equal(make("phase_random").images, make("phase_random", seed=1).images)


def test_a_population_is_never_larger_than_the_training_split():
    samples = make("copycat", population=1000)
    assert samples.population.sum() == 55


def test_no_image_of_a_trained_class_is_an_error():
    with pytest.raises(InputError, match="no image of a trained class"):
        make("copycat", classes=[0, 4])
