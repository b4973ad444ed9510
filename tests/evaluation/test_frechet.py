"""FID against closed forms and other implementations."""

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

from factories.features import gaussian_features
from heliosynth.evaluation.frechet import (
    Gaussian,
    SetDistance,
    frechet_distance,
    frechet_estimate,
    frechet_limit_estimate,
)
from heliosynth.evaluation.resampling import bootstrap_groups


@settings(max_examples=20, deadline=None)
@given(st.floats(-3, 3), st.floats(0.1, 3), st.floats(0.1, 3))
def test_the_frechet_distance_has_its_closed_form_in_1d(shift, first, second):
    x, y = Gaussian.of_moments([0.0], [[first**2]]), Gaussian.of_moments([shift], [[second**2]])
    assert frechet_distance(x, y) == pytest.approx(shift**2 + (first - second) ** 2, abs=1e-12)


def test_the_frechet_distance_has_its_closed_form_on_equal_axes():
    x = Gaussian.of_moments([0, 0, 0], np.diag([1.0, 4.0, 9.0]))
    y = Gaussian.of_moments([1, 2, 2], np.diag([4.0, 4.0, 0.0]))
    assert frechet_distance(x, y) == pytest.approx(9 + 1 + 0 + 9)


@pytest.mark.parametrize("n", [4, 40])
def test_frechet_distance_agrees_with_the_matrix_square_root(n):
    x, y = gaussian_features(50, seed=1), gaussian_features(n, seed=2, shift=1.0)
    covariances = [np.cov(z.astype(np.float64), rowvar=False) for z in (x, y)]
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1] + 1e-14 * np.eye(6)).real
    difference = x.astype(np.float64).mean(axis=0) - y.astype(np.float64).mean(axis=0)
    expected = difference @ difference + np.trace(covariances[0] + covariances[1] - 2 * root)
    distance = frechet_distance(Gaussian.of_features(x), Gaussian.of_features(y))
    assert distance == pytest.approx(expected, rel=1e-5)


def test_frechet_distance_is_symmetric_and_zero_for_equal_sets():
    x, y = (Gaussian.of_features(gaussian_features(n, seed=n)) for n in (30, 4))
    assert frechet_distance(x, y) == pytest.approx(frechet_distance(y, x))
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-10)


@settings(max_examples=10, deadline=None)
@given(st.integers(3, 30), st.integers(3, 30), st.integers(2, 12))
def test_the_frechet_distance_agrees_with_torch_fidelity(n, size, dimensions):
    x, y = gaussian_features(size, dimensions, 1), gaussian_features(n, dimensions, 2, shift=0.5)
    statistics = [fid_features_to_statistics(torch.from_numpy(z).double()) for z in (x, y)]
    peer = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    reference = Gaussian.of_features(x)
    assert frechet_distance(reference, Gaussian.of_features(y)) == pytest.approx(peer, rel=1e-5)
    assert frechet_estimate(reference, y).value == pytest.approx(peer, rel=1e-5)


def test_a_shift_adds_its_square_to_the_frechet_distance():
    x, y = gaussian_features(40, seed=1), gaussian_features(40, seed=2)
    reference, centred = Gaussian.of_features(x), y - y.mean(axis=0) + x.mean(axis=0)
    near, far = (frechet_estimate(reference, centred + shift).value for shift in (0, 2))
    assert far - near == pytest.approx(6 * 4, rel=1e-4)


def test_the_frechet_distance_is_biased_for_small_sets():
    source = gaussian_features(1600, seed=3)
    reference = Gaussian.of_features(source[:800])
    distances = [
        frechet_distance(reference, Gaussian.of_features(other))
        for other in source[800:].reshape(40, 20, 6)
    ]
    assert np.mean(distances) > 5 * np.std(distances) / np.sqrt(len(distances))


@pytest.mark.parametrize(("n", "dimensions"), [(40, 6), (12, 30), (30, 30)])
def test_the_influence_function_is_the_derivative(n, dimensions):
    x, y = gaussian_features(80, dimensions, 1), gaussian_features(n, dimensions, 2, shift=0.3)
    reference = Gaussian.of_features(x)
    distance, influence = SetDistance(reference, y).influence()
    assert distance == pytest.approx(frechet_distance(reference, Gaussian.of_features(y)))
    points = y.astype(np.float64)

    def moved(image, step):
        weights = np.full(n, (1 - step) / n)
        weights[image] += step
        mean = weights @ points
        covariance = (points - mean).T @ ((points - mean) * weights[:, None]) * n / (n - 1)
        return frechet_distance(reference, Gaussian.of_moments(mean, covariance))

    for image in (0, 3):
        derivative = (moved(image, 1e-4) - moved(image, -1e-4)) / 2e-4
        assert derivative == pytest.approx(influence[image], rel=1e-3)


def test_the_delta_method_agrees_with_a_bootstrap():
    x, y = gaussian_features(2000, seed=1), gaussian_features(300, seed=2, shift=0.4)
    reference, rng = Gaussian.of_features(x), np.random.default_rng(0)
    resamples = rng.integers(300, size=(400, 300))
    bootstrap = np.std(
        [frechet_distance(reference, Gaussian.of_features(y[rows])) for rows in resamples], ddof=1
    )
    assert frechet_estimate(reference, y).std == pytest.approx(bootstrap, rel=0.15)
    blocks = np.arange(300) // 10
    resamples = bootstrap_groups(blocks, 400, rng)
    bootstrap = np.std(
        [frechet_distance(reference, Gaussian.of_features(y[rows])) for rows in resamples], ddof=1
    )
    assert frechet_estimate(reference, y, blocks).std == pytest.approx(bootstrap, rel=0.15)


def in_units(rng, case):
    """Return a set of known distance from the standard Gaussian in 8 dimensions, and its blocks."""
    if case == "images":
        return 0.8 * rng.standard_normal((120, 8)) + 0.3, None
    blocks = np.repeat(np.arange(30), 6)
    points = rng.standard_normal((30, 8))[blocks] + rng.standard_normal((180, 8))
    return 0.8 * points / np.sqrt(2) + 0.3, blocks


@pytest.mark.parametrize("case", ["images", "blocks"])
def test_intervals_contain_the_expectation_and_the_limit(case):
    rng, reference = np.random.default_rng(1), Gaussian.of_moments(np.zeros(8), np.eye(8))
    limit = 8 * 0.3**2 + 8 * 0.2**2
    sets = [in_units(rng, case) for _ in range(200)]
    at_n = [frechet_estimate(reference, y, blocks) for y, blocks in sets]
    expectation = np.mean([e.value for e in at_n])
    at_infinity = [frechet_limit_estimate(reference, y, 0, blocks) for y, blocks in sets]
    assert 0.9 <= np.mean([e.low <= expectation <= e.high for e in at_n]) <= 0.99
    assert 0.9 <= np.mean([e.low <= limit <= e.high for e in at_infinity]) <= 0.99
    bias = expectation - limit
    assert abs(np.mean([e.value for e in at_infinity]) - limit) < bias / 4


def test_the_limit_of_few_images_in_many_dimensions_is_uncertain():
    rng, reference = np.random.default_rng(1), Gaussian.of_moments(np.zeros(60), np.eye(60))
    images = 0.8 * rng.standard_normal((40, 60))
    estimate = frechet_limit_estimate(reference, images, 0)
    assert estimate.std > 10 * frechet_estimate(reference, images).std


def test_the_limit_needs_two_units_in_each_quarter():
    reference, y = Gaussian.of_features(gaussian_features(30)), gaussian_features(14, seed=1)
    assert frechet_limit_estimate(reference, y[:7], 0) is None
    assert frechet_limit_estimate(reference, y, 0, blocks=np.arange(14) // 2) is None
    assert frechet_limit_estimate(reference, y[:8], 0).n == 8


def test_distances_do_not_depend_on_the_order_of_images():
    reference, y = Gaussian.of_features(gaussian_features(30)), gaussian_features(14, seed=1)
    shuffled = np.random.default_rng(0).permutation(y)
    expected, estimate = (frechet_estimate(reference, z) for z in (y, shuffled))
    assert estimate.value == pytest.approx(expected.value)
    assert estimate.std == pytest.approx(expected.std)
