"""KID against other implementations."""

import numpy as np
import pytest
import torch
from torch_fidelity.metric_kid import kid_features_to_metric
from torchmetrics.image.kid import poly_mmd

from factories.features import gaussian_features
from heliosynth.evaluation.kernel_distance import (
    KernelReference,
    kernel_distance,
    kernel_estimate,
)


def kid(x, y):
    return kernel_distance(KernelReference.of(x), y)


def double(x):
    return torch.from_numpy(x).double()


def test_kernel_distance_agrees_with_torchmetrics():
    x, y = gaussian_features(30, seed=1), gaussian_features(30, seed=2, shift=0.5)
    expected = float(poly_mmd(double(x), double(y)))
    assert kid(x, y) == pytest.approx(expected, rel=1e-5)


def test_kernel_distance_agrees_with_torch_fidelity():
    x, y = gaussian_features(40, seed=1), gaussian_features(40, seed=2, shift=0.5)
    peer = kid_features_to_metric(
        double(x), double(y), kid_subsets=1, kid_subset_size=40, verbose=False
    )["kernel_inception_distance_mean"]
    assert kid(x, y) == pytest.approx(peer, rel=1e-5)


def test_kernel_sums_in_blocks_are_complete():
    x, y = gaussian_features(1007, dimensions=2, seed=1), gaussian_features(5, dimensions=2, seed=2)
    k_xx, k_xy, k_yy = (
        ((double(a) @ double(b).T / 2 + 1) ** 3).numpy() for a, b in ((x, x), (x, y), (y, y))
    )
    within = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in (k_xx, k_yy)]
    assert kid(x, y) == pytest.approx(sum(within) - 2 * k_xy.mean(), rel=1e-5)
    assert kid(y, x) == pytest.approx(kid(x, y), rel=1e-5)


def test_the_kernel_distance_is_not_biased_for_small_sets():
    source = gaussian_features(1600, seed=3)
    reference = KernelReference.of(source[:800])
    kernel = [kernel_distance(reference, other) for other in source[800:].reshape(40, 20, 6)]
    assert abs(np.mean(kernel)) < 3 * np.std(kernel) / np.sqrt(len(kernel))


def test_the_error_of_the_kernel_distance_is_that_of_new_samples():
    source = gaussian_features(2500, seed=3)
    reference, others = KernelReference.of(source[:500]), source[500:].reshape(40, 50, 6)
    expected = np.std([kernel_distance(reference, other) for other in others])
    estimates = [kernel_estimate(reference, other) for other in others[:10]]
    assert np.mean([e.std for e in estimates]) == pytest.approx(expected, rel=0.5)
    assert estimates[0].value == pytest.approx(kernel_distance(reference, others[0]))
    assert estimates[0].n == 50
