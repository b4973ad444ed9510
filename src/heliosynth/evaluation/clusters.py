"""Cluster metrics: how well a set of images reproduces the clusters of a reference.

Cluster error (CE), distance (CD) and standard deviation (CS) of Hackstein et al. (2023), as used
by Ramunno et al. (2024).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit
from sklearn.cluster import KMeans

from heliosynth.arrays import Features, Floats, Integers
from heliosynth.errors import InputError
from heliosynth.evaluation.comparison import Comparison, ReferenceFeatures
from heliosynth.evaluation.estimate import CONFIDENCE, NOT_NEGATIVE, Estimate
from heliosynth.evaluation.quadratic import SquaredLength
from heliosynth.evaluation.resampling import independent_units, resample


def cluster_error(reference: Integers, counts: Integers) -> float:
    """Return the relative squared error of the clusters' populations.

    CE = 1/K Σ (n̂_c − n_c)² / n_c², with n_c scaled to the total of n̂_c. 0 is best.

    Parameters
    ----------
    reference
        Images of the reference in each cluster, (K,), none of them 0.
    counts
        Images of the set in each cluster, (K,).
    """
    return float(np.mean(np.square(relative_deviations(reference, counts))))


def relative_deviations(reference: Integers, counts: Integers) -> Floats:
    """Return (n̂_c − n_c)/n_c, (…, K), of counts (…, K), with n_c scaled to their total."""
    expected = reference * (counts.sum(axis=-1, keepdims=True) / reference.sum())
    deviations: Floats = (counts - expected) / expected
    return deviations


def cluster_distance(reference: Floats, distances: Floats) -> float:
    """Return the RMS distance to the nearest centre, in units of the reference's.

    CD = 1/d √(1/N Σ d̂_i²), with d the RMS of the reference. 1 is best.

    Parameters
    ----------
    reference
        Distances of the reference's images to their nearest centre, (N,).
    distances
        Distances of the set's images to their nearest centre, (n,).
    """
    return root_mean_square(distances) / root_mean_square(reference)


def cluster_std(reference: Floats, distances: Floats) -> float:
    """Return the spread of the distances about their RMS, in units of the reference's.

    CS = 1/S √(1/N Σ (d̂_i − d·CD)²), with S = √(1/N Σ (d_i − d)²). 1 is best.

    Parameters
    ----------
    reference
        Distances of the reference's images to their nearest centre, (N,), not all equal.
    distances
        Distances of the set's images to their nearest centre, (n,).
    """
    set_rms, reference_rms = root_mean_square(distances), root_mean_square(reference)
    return root_mean_square(distances - set_rms) / root_mean_square(reference - reference_rms)


def root_mean_square(values: Floats) -> float:
    """Return √(1/N Σ v_i²)."""
    return float(np.sqrt(np.mean(np.square(values))))


@dataclass(frozen=True)
class Clusters:
    """One K-means clustering of a reference.

    Attributes
    ----------
    centres
        Centres in feature space, (K, D).
    counts
        Images of the reference in each cluster, (K,).
    distances
        Distances of the reference's images to their nearest centre, (N,).
    """

    centres: Floats
    counts: Integers
    distances: Floats

    @classmethod
    def fit(cls, reference: Features, clusters: int, seed: int) -> Clusters:
        """Cluster the features (N, D) of a reference.

        Raises
        ------
        InputError
            If the reference has fewer distinct images than clusters.
        """
        too_many = (
            f"evaluation.clusters: {clusters} clusters need at least {clusters} distinct "
            "reference images, but there are fewer; choose fewer clusters"
        )
        if len(reference) < clusters:
            raise InputError(too_many)
        # One start is enough: values are means over several clusterings.
        fitted = KMeans(clusters, n_init=1, random_state=seed).fit(reference)
        centres = fitted.cluster_centers_.astype(np.float64)
        nearest, distances = nearest_centre(reference, centres)
        counts = np.bincount(nearest, minlength=clusters)
        if not counts.all():
            raise InputError(too_many)
        return cls(centres, counts, distances)

    def assign(self, features: Features) -> tuple[Integers, Floats]:
        """Return the nearest cluster (n,) of features (n, D), and the distance to its centre."""
        return nearest_centre(features, self.centres)


def nearest_centre(features: Features, centres: Floats) -> tuple[Integers, Floats]:
    """Return the number of the nearest centre, and the Euclidean distance to it, both (n,)."""
    points = features.astype(np.float64)
    squares = (
        np.square(points).sum(axis=1)[:, None]
        - 2 * points @ centres.T
        + np.square(centres).sum(axis=1)
    )
    nearest = squares.argmin(axis=1)
    # The expanded square loses small distances to rounding, so the returned one is exact.
    return nearest, np.linalg.norm(points - centres[nearest], axis=1)


@dataclass(frozen=True)
class ClusterMetrics:
    """The three cluster metrics of one set against one reference."""

    cluster_error: Estimate
    cluster_distance: Estimate
    cluster_std: Estimate


@dataclass(frozen=True)
class Resampling:
    """How the spread of the cluster metrics is measured.

    Attributes
    ----------
    repeats
        Number of bootstrap resamples of the set, at least 2.
    seed
        Seed of the resamples.
    blocks
        Block of time of each image of a set of real frames, (n,); None: images are independent.
    """

    repeats: int
    seed: int
    blocks: Integers | None = None


def cluster_metrics(
    fits: Sequence[Clusters], features: Features, resampling: Resampling
) -> ClusterMetrics:
    """Measure CE, CD and CS with their standard errors.

    A value is the mean over several K-means of the reference. Its variance is that of resamples
    of the set, plus the variance between the K-means divided by their number.

    Parameters
    ----------
    fits
        Clusterings of the reference, with different seeds.
    features
        Features of the set, (n, D).
    resampling
        Number of resamples, seed, blocks.
    """
    n, rng = len(features), np.random.default_rng(resampling.seed)
    resamples = resample(n, resampling.blocks, resampling.repeats, rng)
    assigned = [_Assigned.of(fitted, features) for fitted in fits]
    whole = [np.arange(n)]
    deviations, again = (
        np.concatenate([a.deviations(rows) for a in assigned], axis=1)
        for rows in (whole, resamples)
    )
    units = independent_units(n, resampling.blocks)

    def bootstrapped(metric: Callable[[Floats, Floats], float]) -> Estimate:
        values, repeats = (
            np.array([[metric(a.fitted.distances, a.distances[r]) for r in rows] for a in assigned])
            for rows in (whole, resamples)
        )
        std = float(repeats.mean(axis=0).std(ddof=1))
        one = Estimate.of(values.mean(), std, n, units=units, bounds=NOT_NEGATIVE)
        return _with_clusterings(one, values[:, 0])

    errors = np.square(deviations[0]).reshape(len(fits), -1).mean(axis=1)
    length = squared_length(deviations[0], again)
    low, high = length.interval_of_value(units, resampling.repeats)
    error = Estimate(float(errors.mean()), length.std, n, low, high)
    return ClusterMetrics(
        _with_clusterings(error, errors),
        bootstrapped(cluster_distance),
        bootstrapped(cluster_std),
    )


def _with_clusterings(estimate: Estimate, values: Floats) -> Estimate:
    """Add the error of a mean over clusterings, which are a sample too, to that of the images."""
    if len(values) < 2:
        return estimate
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    half = float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2)) * error
    value = estimate.value
    return Estimate(
        value,
        math.hypot(estimate.std, error),
        estimate.n,
        max(value - math.hypot(value - estimate.low, half), 0.0),
        value + math.hypot(estimate.high - value, half),
    )


def squared_length(deviations: Floats, resampled: Floats) -> SquaredLength:
    """Return the mean of squares of M numbers, such as CE, as a squared length.

    Parameters
    ----------
    deviations
        The numbers, (M,).
    resampled
        Those of B bootstrap resamples, (B, M), which give their covariance.
    """
    size, freedom = len(deviations), len(resampled) - 1
    centred = resampled - resampled.mean(axis=0)
    return SquaredLength(
        value=float(np.square(deviations).mean()),
        trace=float(np.square(centred).sum()) / freedom / size,
        along=float(np.square(centred @ deviations).sum()) / freedom / size**2,
    )


def measure_cluster_error(comparison: Comparison) -> Estimate:
    """Measure CE with the first encoder."""
    return _measure(comparison).cluster_error


def measure_cluster_distance(comparison: Comparison) -> Estimate:
    """Measure CD with the first encoder."""
    return _measure(comparison).cluster_distance


def measure_cluster_std(comparison: Comparison) -> Estimate:
    """Measure CS with the first encoder."""
    return _measure(comparison).cluster_std


# The three metrics share the assignment to clusters and the resamples.
@functools.lru_cache(maxsize=1)
def _measure(comparison: Comparison) -> ClusterMetrics:
    encoder, settings = comparison.first_encoder, comparison.settings
    fits = fit_clusters(
        comparison.reference, encoder, settings.clusters, settings.kmeans, comparison.seed
    )
    resampling = Resampling(settings.repeats, comparison.seed, comparison.blocks)
    return cluster_metrics(fits, comparison.features[encoder], resampling)


# All sets share the clusters.
@functools.lru_cache(maxsize=4)
def fit_clusters(
    reference: ReferenceFeatures, encoder: str, clusters: int, kmeans: int, seed: int
) -> tuple[Clusters, ...]:
    """Cluster the reference several times, with consecutive seeds."""
    return tuple(
        Clusters.fit(reference[encoder], clusters, seed + number) for number in range(kmeans)
    )


@dataclass(frozen=True)
class _Assigned:
    """A set of images assigned to the clusters of a reference.

    Attributes
    ----------
    fitted
        The clusters.
    nearest
        Number of the cluster of each image, (n,).
    distances
        Distance of each image to the centre, (n,).
    """

    fitted: Clusters
    nearest: Integers
    distances: Floats

    @classmethod
    def of(cls, fitted: Clusters, features: Features) -> _Assigned:
        nearest, distances = fitted.assign(features)
        return cls(fitted, nearest, distances)

    def deviations(self, resamples: Sequence[Integers]) -> Floats:
        """Return (n̂_c − n_c)/n_c of resamples, (B, K)."""
        clusters = len(self.fitted.counts)
        counts = np.stack([np.bincount(self.nearest[r], minlength=clusters) for r in resamples])
        return relative_deviations(self.fitted.counts, counts)
