"""Cluster metrics: how well a set of images reproduces the clusters of a reference.

Cluster error (CE), distance (CD) and standard deviation (CS) of Hackstein et al. (2023), as used
by Ramunno et al. (2024).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans

from heliosynth.arrays import Features, Floats, Integers
from heliosynth.errors import InputError
from heliosynth.evaluation.comparison import Comparison
from heliosynth.evaluation.estimate import Estimate
from heliosynth.evaluation.resampling import bootstrap


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
    expected = reference * (counts.sum() / reference.sum())
    return float(np.mean(((counts - expected) / expected) ** 2))


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
        # One start is enough: the choice of clusters is part of the spread over repeats.
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


def cluster_metrics(
    reference: Features, features: Features, clusters: int, repeats: int, seed: int
) -> ClusterMetrics:
    """Measure CE, CD and CS with their spread.

    Every repeat is another K-means of the reference. A value is the mean over the repeats on
    the whole set; its spread is that over the repeats with the set resampled by bootstrap, so
    it covers both the choice of clusters and the sampling noise of n images.

    Parameters
    ----------
    reference, features
        Features of the reference (N, D) and of the set (n, D).
    clusters
        K.
    repeats
        Number of repeats, at least 2.
    seed
        Seed of K-means and bootstrap; with the same seed all sets have the same clusters.
    """
    resamples = bootstrap(len(features), repeats, np.random.default_rng(seed))
    whole, resampled = [], []
    for repeat, rows in enumerate(resamples):
        fitted = Clusters.fit(reference, clusters, seed + repeat)
        both = list(_metrics_of_rows(fitted, features, [np.arange(len(features)), rows]))
        whole.append(both[0])
        resampled.append(both[1])
    values, spread = np.array(whole).mean(axis=0), np.array(resampled)
    error, distance, std = (
        Estimate.over(spread[:, k], len(features), value=values[k]) for k in range(3)
    )
    return ClusterMetrics(error, distance, std)


def measure_cluster_error(comparison: Comparison) -> Estimate:
    """Measure CE with the first encoder."""
    return _measure(comparison).cluster_error


def measure_cluster_distance(comparison: Comparison) -> Estimate:
    """Measure CD with the first encoder."""
    return _measure(comparison).cluster_distance


def measure_cluster_std(comparison: Comparison) -> Estimate:
    """Measure CS with the first encoder."""
    return _measure(comparison).cluster_std


# The three metrics share one run of K-means.
@functools.lru_cache(maxsize=1)
def _measure(comparison: Comparison) -> ClusterMetrics:
    encoder, settings = comparison.first_encoder, comparison.settings
    return cluster_metrics(
        comparison.reference[encoder],
        comparison.features[encoder],
        clusters=settings.clusters,
        repeats=settings.repeats,
        seed=comparison.seed,
    )


def _metrics_of_rows(
    fitted: Clusters, features: Features, resamples: list[Integers]
) -> Iterator[tuple[float, float, float]]:
    nearest, distances = fitted.assign(features)
    for rows in resamples:
        counts = np.bincount(nearest[rows], minlength=len(fitted.centres))
        yield (
            cluster_error(fitted.counts, counts),
            cluster_distance(fitted.distances, distances[rows]),
            cluster_std(fitted.distances, distances[rows]),
        )
