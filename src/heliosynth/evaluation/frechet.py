"""Fréchet distance between two sets of features (FID), its standard error and its limit.

The trace of (Σ_x Σ_y)^½ is the nuclear norm of R_x R_yᵀ for any roots Σ = RᵀR. For a set of n
images the centred features are a root, so that the eigenvalues of an n × n or a D × D matrix are
enough, whichever is smaller, and no matrix square root is needed.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heliosynth.arrays import Features, Floats, Integers
from heliosynth.evaluation.comparison import Comparison, ReferenceFeatures
from heliosynth.evaluation.estimate import NOT_NEGATIVE, Estimate
from heliosynth.evaluation.resampling import independent_units

EPSILON = float(np.finfo(np.float64).eps)
PARTITIONS, PARTITIONED_IMAGES = 3, 5000
"""Random partitions of a set over which distances of its parts are averaged: their number, unless
they have more images in total, and that total."""
PARTS = 4
"""Smallest parts of a set, from which its distance is extrapolated: quarters."""
LEAST_UNITS = 2 * PARTS
"""Smallest number of images or blocks of time of a set that is divided into parts."""


@dataclass(frozen=True)
class Gaussian:
    """A Gaussian in D dimensions.

    Attributes
    ----------
    mean
        (D,).
    root
        A square root R (k, D) of the covariance: Σ = RᵀR.
    """

    mean: Floats
    root: Floats

    @classmethod
    def of_features(cls, features: Features) -> Gaussian:
        """Fit features (N, D), N ≥ 2, with the unbiased covariance."""
        points = features.astype(np.float64)
        mean = points.mean(axis=0)
        centred = (points - mean) / math.sqrt(len(points) - 1)
        if len(points) <= points.shape[1]:
            return cls(mean, centred)
        return cls.of_moments(mean, centred.T @ centred)

    @classmethod
    def of_moments(cls, mean: npt.ArrayLike, covariance: npt.ArrayLike) -> Gaussian:
        """Return the Gaussian of a mean (D,) and a covariance (D, D)."""
        values, vectors = np.linalg.eigh(np.asarray(covariance, dtype=np.float64))
        positive = values > _rounding(values)
        root = np.sqrt(values[positive])[:, None] * vectors[:, positive].T
        return cls(np.asarray(mean, dtype=np.float64), root)

    @functools.cached_property
    def variance(self) -> float:
        """Tr Σ."""
        return float(np.square(self.root).sum())


def frechet_distance(x: Gaussian, y: Gaussian) -> float:
    """Return the Fréchet distance of two Gaussians.

    ‖μ_x − μ_y‖² + Tr(Σ_x + Σ_y − 2 (Σ_x Σ_y)^½) (Heusel et al. 2017; Dowson & Landau 1982).
    """
    shift = float(np.square(x.mean - y.mean).sum())
    return shift + x.variance + y.variance - 2 * _nuclear_norm(x.root @ y.root.T)


@dataclass(frozen=True, eq=False)
class SetDistance:
    """Fréchet distances of a set of features and of its parts from a reference.

    Attributes
    ----------
    reference
        The reference.
    features
        Features of the set, (n, D).
    """

    reference: Gaussian
    features: Features

    @functools.cached_property
    def projected(self) -> Floats:
        """The features times the transposed root (k, D) of the reference, (n, k)."""
        # Centred, the features lose less to rounding.
        projected: Floats = (self.features - self.reference.mean) @ self.reference.root.T
        return projected

    def of_rows(self, rows: Integers) -> float:
        """Return the Fréchet distance of a part of the set, at least two images."""
        points = self.features[rows].astype(np.float64)
        mean = points.mean(axis=0)
        points -= mean
        shift = float(np.square(mean - self.reference.mean).sum())
        variance = float(np.square(points).sum()) / (len(rows) - 1)
        eigenvalues = np.linalg.eigvalsh(self._matrix(points, rows))
        cross = float(np.sqrt(eigenvalues.clip(min=0)).sum())
        return shift + self.reference.variance + variance - 2 * cross

    def influence(self) -> tuple[float, Floats]:
        """Return the Fréchet distance of the set, and its influence function, (n,).

        The influence function is the derivative of the distance in the direction of an image:
        with T the optimal transport map from the set's Gaussian to the reference's and
        y = image − μ_y, it is 2 (μ_y − μ_x)·y + n/(n − 1) (‖y‖² − yᵀTy) minus its mean.
        """
        n = len(self.features)
        points = self.features.astype(np.float64)
        mean = points.mean(axis=0)
        points -= mean
        shift, squares = mean - self.reference.mean, np.square(points).sum(axis=1)
        eigenvalues, vectors = np.linalg.eigh(self._matrix(points, np.arange(n)))
        roots = np.sqrt(eigenvalues.clip(min=0))
        if len(roots) == n:
            # yᵀTy is the diagonal of the root of the images' matrix, times n − 1.
            transported = (n - 1) * np.square(vectors) @ roots
        else:
            positive = eigenvalues > _rounding(eigenvalues)
            axes = vectors[:, positive].T @ self.reference.root
            transport = axes.T @ (axes / roots[positive, None])
            # The standard error needs no more than single precision.
            single = points.astype(np.float32)
            transported = np.einsum("ij,ij->i", single @ transport.astype(np.float32), single)
        influence = 2 * points @ shift + n / (n - 1) * (squares - transported)
        distance = float(shift @ shift) + self.reference.variance - 2 * float(roots.sum())
        return distance + float(squares.sum()) / (n - 1), influence - influence.mean()

    def _matrix(self, points: Floats, rows: Integers) -> Floats:
        """Return a matrix with the eigenvalues of Σ_x Σ_y above 0, of the images or of R Σ_y Rᵀ.

        Parameters
        ----------
        points
            Features of a part of the set minus their mean, (m, D).
        rows
            Rows of the part, (m,).
        """
        if len(points) <= len(self.reference.root):
            centred = self.projected[rows] - self.projected[rows].mean(axis=0)
            of_images: Floats = centred @ centred.T / (len(rows) - 1)
            return of_images
        root = self.reference.root
        of_axes: Floats = root @ (points.T @ points / (len(rows) - 1)) @ root.T
        return of_axes


def standard_error(influence: Floats, blocks: Integers | None = None) -> float:
    """Return the standard error of a statistic by the delta method.

    Parameters
    ----------
    influence
        Influence function of the statistic at each image, (n,), with mean 0.
    blocks
        Block of time of each real frame, (n,), at least two; None: images are independent.
    """
    n = len(influence)
    sums = (
        influence
        if blocks is None
        else np.bincount(np.unique(blocks, return_inverse=True)[1], weights=influence)
    )
    return math.sqrt(len(sums) / (len(sums) - 1) * float(sums @ sums)) / n


def frechet_estimate(
    reference: Gaussian, features: Features, blocks: Integers | None = None
) -> Estimate:
    """Return the Fréchet distance of a set of features (FID), with its standard error.

    The distance is biased upwards, the more so the fewer images there are for D features: even
    another sample of the reference's distribution is well above 0. Only values with the same n
    and encoder can therefore be compared, and the interval is that of the expectation at n. The
    standard error is that of the delta method; a bootstrap, whose resamples have fewer distinct
    images, is further from that of new samples.

    Parameters
    ----------
    reference
        The reference.
    features
        Features of the set, (n, D).
    blocks
        Block of time of each image of a set of real frames, (n,); None: images are independent.
    """
    value, influence = SetDistance(reference, features).influence()
    error, n = standard_error(influence, blocks), len(features)
    return Estimate.of(value, error, n, units=independent_units(n, blocks), bounds=NOT_NEGATIVE)


def frechet_limit_estimate(
    reference: Gaussian, features: Features, seed: int, blocks: Integers | None = None
) -> Estimate | None:
    """Return the limit of the Fréchet distance for many images (FID∞), with its error.

    The bias of FID is proportional to 1/n for large n, so FID∞ is the end at 1/n = 0 of a line of
    FID against 1/n (Chong & Forsyth 2020). Here the line goes through n and n/2. Every image is
    in one of the parts of each size, so that the parts add no first-order noise. For few images
    in many dimensions the line is a curve: the difference to the line through n, n/2 and n/4 is a
    part of the standard error.

    The reference is taken as it is; the bias of its own covariance is not removed. A set of real
    frames is divided by blocks of time, and its limit is that of many blocks.

    Parameters
    ----------
    reference
        The reference.
    features
        Features of the set, (n, D).
    seed
        Seed of the partitions.
    blocks
        Block of time of each image of a set of real frames, (n,); None: images are independent.

    Returns
    -------
    Estimate or None
        None if there are fewer than 8 images or blocks.
    """
    n, rng = len(features), np.random.default_rng(seed)
    units = np.arange(n) if blocks is None else np.unique(blocks, return_inverse=True)[1]
    if independent_units(n, blocks) < LEAST_UNITS:
        return None
    distances = SetDistance(reference, features)
    whole, influence = distances.influence()
    partitions = min(PARTITIONS, max(1, PARTITIONED_IMAGES // n))
    halves, quarters = np.mean([_parts(distances, units, rng) for _ in range(partitions)], axis=0)
    value = 2 * whole - halves
    # The least-squares line through 1/n, 2/n and 4/n ends at whole + (halves − quarters)/2.
    curvature = value - (whole + (halves - quarters) / 2)
    error = math.hypot(standard_error(influence, blocks), curvature)
    return Estimate.of(value, error, n, units=independent_units(n, blocks))


def measure_fid(comparison: Comparison, encoder: str) -> Estimate:
    """Measure the Fréchet distance in an encoder's features."""
    return frechet_estimate(
        _gaussian(comparison.reference, encoder), comparison.features[encoder], comparison.blocks
    )


def measure_fid_infinity(comparison: Comparison, encoder: str) -> Estimate | None:
    """Measure the limit of the Fréchet distance for many images in an encoder's features."""
    return frechet_limit_estimate(
        _gaussian(comparison.reference, encoder),
        comparison.features[encoder],
        comparison.seed,
        comparison.blocks,
    )


# All sets share the decomposition of the reference.
@functools.lru_cache(maxsize=4)
def _gaussian(reference: ReferenceFeatures, encoder: str) -> Gaussian:
    return Gaussian.of_features(reference[encoder])


def _parts(
    distances: SetDistance, units: Integers, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the mean distance of the halves and of the quarters of a random partition."""
    order = rng.permutation(int(units.max()) + 1)
    quarters = [np.flatnonzero(np.isin(units, part)) for part in np.array_split(order, PARTS)]
    halves = [np.concatenate(quarters[i : i + 2]) for i in range(0, PARTS, 2)]
    # Weighted by their images, parts of different sizes add no first-order noise either.
    of_halves, of_quarters = (
        sum(len(rows) / len(units) * distances.of_rows(rows) for rows in parts)
        for parts in (halves, quarters)
    )
    return of_halves, of_quarters


def _nuclear_norm(matrix: Floats) -> float:
    """Return the sum of the singular values."""
    eigenvalues = np.linalg.eigvalsh(_smaller_gram(matrix))
    return float(np.sqrt(eigenvalues.clip(min=0)).sum())


def _smaller_gram(matrix: Floats) -> Floats:
    """Return MMᵀ or MᵀM, whichever is smaller."""
    rows, columns = matrix.shape
    gram: Floats = matrix @ matrix.T if rows <= columns else matrix.T @ matrix
    return gram


def _rounding(eigenvalues: Floats) -> float:
    """Return the rounding error of ascending eigenvalues."""
    return len(eigenvalues) * EPSILON * float(eigenvalues[-1])
