"""FID and KID against closed forms and other implementations."""

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.image.kid import poly_mmd

from heliosynth.evaluation.frechet import (
    Gaussian,
    frechet_distance,
    frechet_estimate,
    kernel_distance,
    kernel_estimate,
)


def features_of(n, dimensions=6, seed=0, shift=0.0):
    """Return features of a Gaussian whose covariance the seed sets, (n, dimensions)."""
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((dimensions, dimensions))
    return (rng.standard_normal((n, dimensions)) @ mixing + shift).astype(np.float32)


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
    x, y = features_of(50, seed=1), features_of(n, seed=2, shift=1.0)
    covariances = [np.cov(z.astype(np.float64), rowvar=False) for z in (x, y)]
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1] + 1e-14 * np.eye(6)).real
    difference = x.astype(np.float64).mean(axis=0) - y.astype(np.float64).mean(axis=0)
    expected = difference @ difference + np.trace(covariances[0] + covariances[1] - 2 * root)
    distance = frechet_distance(Gaussian.of_features(x), Gaussian.of_features(y))
    assert distance == pytest.approx(expected, rel=1e-5)


def test_frechet_distance_is_symmetric_and_zero_for_equal_sets():
    x, y = (Gaussian.of_features(features_of(n, seed=n)) for n in (30, 4))
    assert frechet_distance(x, y) == pytest.approx(frechet_distance(y, x))
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-10)


def test_a_shift_adds_its_square_to_the_frechet_distance():
    x, y = features_of(40, seed=1), features_of(40, seed=2)
    near = frechet_estimate(x, y - y.mean(axis=0) + x.mean(axis=0), 3, seed=0).value
    far = frechet_estimate(x, y - y.mean(axis=0) + x.mean(axis=0) + 2, 3, seed=0).value
    assert far - near == pytest.approx(6 * 4, rel=1e-4)


def test_only_the_frechet_distance_is_biased_for_small_sets():
    source = features_of(1600, seed=3)
    reference, others = source[:800], source[800:].reshape(40, 20, 6)
    frechet = [frechet_estimate(reference, other, 2, seed=0).value for other in others]
    kernel = [kernel_distance(reference, other) for other in others]
    assert np.mean(frechet) > 5 * np.std(frechet) / np.sqrt(len(frechet))
    assert abs(np.mean(kernel)) < 3 * np.std(kernel) / np.sqrt(len(kernel))


def test_kernel_distance_agrees_with_torchmetrics():
    x, y = features_of(30, seed=1), features_of(30, seed=2, shift=0.5)
    kernels = []
    for first, second in ((x, x), (x, y), (y, y)):
        product = torch.from_numpy(first).double() @ torch.from_numpy(second).double().T
        kernels.append((product / 6 + 1) ** 3)
    k_xx, k_xy, k_yy = kernels
    n = 30
    expected = (k_xx.sum() - k_xx.diag().sum() + k_yy.sum() - k_yy.diag().sum()) / (n * (n - 1))
    expected -= 2 * k_xy.mean()
    assert kernel_distance(x, y) == pytest.approx(float(expected))
    reference = poly_mmd(torch.from_numpy(x).double(), torch.from_numpy(y).double())
    assert kernel_distance(x, y) == pytest.approx(float(reference))


def test_kernel_sums_in_blocks_are_complete():
    x, y = features_of(1007, dimensions=2, seed=1), features_of(5, dimensions=2, seed=2)
    x64, y64 = x.astype(np.float64), y.astype(np.float64)
    k_xx, k_yy = (z @ z.T / 2 + 1 for z in (x64, y64))
    within = [
        ((k**3).sum() - (np.diag(k) ** 3).sum()) / (len(k) * (len(k) - 1)) for k in (k_xx, k_yy)
    ]
    expected = sum(within) - 2 * ((x64 @ y64.T / 2 + 1) ** 3).mean()
    assert kernel_distance(x, y) == pytest.approx(expected)


def test_estimates_have_standard_deviation_and_n():
    x, y = features_of(60, seed=1), features_of(25, seed=2)
    for estimate in (frechet_estimate(x, y, 5, seed=0), kernel_estimate(x, y, 5, seed=0)):
        assert estimate.n == 25
        assert estimate.std > 0
    assert kernel_estimate(x, y, 5, seed=0).value == pytest.approx(kernel_distance(x, y))


def test_the_spread_of_the_kernel_distance_is_that_of_new_samples():
    source = features_of(2500, seed=3)
    reference, others = source[:500], source[500:].reshape(40, 50, 6)
    expected = np.std([kernel_distance(reference, other) for other in others])
    spread = np.mean([kernel_estimate(reference, other, 30, 0).std for other in others[:10]])
    assert spread == pytest.approx(expected, rel=0.5)
