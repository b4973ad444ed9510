"""Cluster error, distance and standard deviation against their closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliosynth.errors import InputError
from heliosynth.evaluation.clusters import (
    Clusters,
    Resampling,
    cluster_distance,
    cluster_error,
    cluster_metrics,
    cluster_std,
    fit_clusters,
    relative_deviations,
    squared_length,
)
from heliosynth.evaluation.comparison import ReferenceFeatures


@pytest.fixture
def reference():
    """Three clusters of 20, 30 and 50 points in four dimensions."""
    rng = np.random.default_rng(0)
    centres = np.repeat(20 * np.eye(4)[:3], [20, 30, 50], axis=0)
    return (centres + rng.standard_normal((100, 4))).astype(np.float32)


def fit(reference):
    return fit_clusters(ReferenceFeatures({"pixels": reference}), "pixels", 3, kmeans=4, seed=0)


def test_the_reference_has_ideal_metrics(reference):
    fitted = Clusters.fit(reference, 3, seed=0)
    nearest, distances = fitted.assign(reference)
    assert cluster_error(fitted.counts, np.bincount(nearest)) == 0
    assert cluster_distance(fitted.distances, distances) == 1
    assert cluster_std(fitted.distances, distances) == 1


def test_cluster_error_agrees_with_a_calculation_by_hand():
    # Of 8 images at the ratio 1:3, 2 and 6 are expected: ((4 − 2)²/2² + (4 − 6)²/6²) / 2
    assert cluster_error(np.array([10, 30]), np.array([4, 4])) == pytest.approx(5 / 9)


def test_an_empty_cluster_adds_to_the_cluster_error():
    assert cluster_error(np.array([5, 5]), np.array([0, 10])) == pytest.approx(1.0)


def test_distance_and_std_agree_with_a_calculation_by_hand():
    reference, distances = np.array([3.0, 4.0]), np.array([1.0, 7.0])
    d, d_hat = np.sqrt(12.5), 5.0
    assert cluster_distance(reference, distances) == pytest.approx(d_hat / d)
    spread = np.sqrt(((3 - d) ** 2 + (4 - d) ** 2) / 2)
    expected = np.sqrt(((1 - d_hat) ** 2 + (7 - d_hat) ** 2) / 2) / spread
    assert cluster_std(reference, distances) == pytest.approx(expected)


def test_doubled_distances_double_both_ratios():
    reference = np.array([1.0, 2.0, 4.0])
    assert cluster_distance(reference, 2 * reference) == pytest.approx(2)
    assert cluster_std(reference, 2 * reference) == pytest.approx(2)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
)
def test_cluster_error_ignores_order_and_scale_of_reference(pairs, random):
    pairs[0] = (pairs[0][0], pairs[0][1] + 1)
    reference, counts = np.array(pairs).T
    shuffled = np.array(random.sample(pairs, len(pairs))).T
    assert cluster_error(*shuffled) == pytest.approx(cluster_error(reference, counts))
    assert cluster_error(3 * reference, counts) == pytest.approx(cluster_error(reference, counts))
    assert cluster_error(reference, counts) >= 0


def test_order_of_images_does_not_matter(reference):
    rng = np.random.default_rng(1)
    fitted = Clusters.fit(reference, 3, seed=0)
    _, distances = fitted.assign(reference)
    shuffled = rng.permutation(distances)
    assert cluster_distance(distances, shuffled) == pytest.approx(1)
    assert cluster_std(distances, shuffled) == pytest.approx(1)


def test_metrics_of_the_reference_and_of_a_part(reference):
    same = cluster_metrics(fit(reference), reference, Resampling(20, seed=0))
    assert same.cluster_error.value == pytest.approx(0)
    assert same.cluster_distance.value == pytest.approx(1)
    assert same.cluster_std.value == pytest.approx(1)
    assert same.cluster_error.std > 0
    assert same.cluster_error.n == 100
    # Without the cluster of 50 the others have twice their share: (1 + 1 + 1) / 3.
    part = cluster_metrics(fit(reference), reference[:50], Resampling(20, seed=0))
    assert part.cluster_error.value == pytest.approx(1)


def test_equal_seeds_give_equal_metrics(reference):
    first, again = (
        cluster_metrics(fit(reference), reference[::2], Resampling(20, seed=5)) for _ in range(2)
    )
    assert first == again


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_more_clusters_than_distinct_images_are_rejected(reference):
    with pytest.raises(InputError, match=r"evaluation\.clusters"):
        Clusters.fit(np.repeat(reference[:2], 5, axis=0), 3, seed=0)


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_the_standard_error_of_ce_is_that_of_independent_sets(shift):
    # Against the scatter over sets, where a plain bootstrap is three times too large at shift 0.
    rng = np.random.default_rng(0)
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    other = shares + shift * np.array([-0.2, 0.1, 0.2, -0.1])
    reference, n = np.round(shares * 2000).astype(int), 300
    values, errors = [], []
    for _ in range(150):
        counts = rng.multinomial(n, other)
        deviations = relative_deviations(reference, counts)
        again = relative_deviations(reference, rng.multinomial(n, counts / n, size=200))
        values.append(np.mean(deviations**2))
        errors.append(squared_length(deviations, again).std)
    assert 0.8 < np.mean(errors) / np.std(values) < 1.35
