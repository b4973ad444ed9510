"""Fréchet and kernel distances between two sets of features (FID and KID)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heliosynth.arrays import Features, Floats, Integers
from heliosynth.evaluation.comparison import Comparison
from heliosynth.evaluation.estimate import NOT_NEGATIVE, Estimate
from heliosynth.evaluation.resampling import resample

BLOCK = 1000
"""Rows of a kernel matrix that are in memory at once."""


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
        # QR gives the root without squaring the data, which would halve the precision.
        centred = (points - mean) / np.sqrt(len(points) - 1)
        root: Floats = np.linalg.qr(centred, mode="r")  # type: ignore[assignment]  # numpy's stubs
        return cls(mean, root)

    @classmethod
    def of_moments(cls, mean: npt.ArrayLike, covariance: npt.ArrayLike) -> Gaussian:
        """Return the Gaussian of a mean (D,) and a covariance (D, D)."""
        values, vectors = np.linalg.eigh(np.asarray(covariance, dtype=np.float64))
        root = np.sqrt(values.clip(min=0))[:, None] * vectors.T
        return cls(np.asarray(mean, dtype=np.float64), root)


def frechet_distance(x: Gaussian, y: Gaussian) -> float:
    """Return the Fréchet distance of two Gaussians.

    ‖μ_x − μ_y‖² + Tr(Σ_x + Σ_y − 2 (Σ_x Σ_y)^½) (Heusel et al. 2017; Dowson & Landau 1982).
    With Σ = RᵀR the eigenvalues of Σ_x Σ_y are the squared singular values of R_x R_yᵀ, so the
    trace of the root is the sum of the singular values: a matrix square root, which would lose
    precision, is not needed.
    """
    cross = np.linalg.svd(x.root @ y.root.T, compute_uv=False).sum()
    traces = np.square(x.root).sum() + np.square(y.root).sum()
    return float(np.square(x.mean - y.mean).sum() + traces - 2 * cross)


def frechet_estimate(
    reference: Features,
    features: Features,
    repeats: int,
    seed: int,
    blocks: Integers | None = None,
) -> Estimate:
    """Return the Fréchet distance of two sets of features (FID), with its standard error.

    The distance is biased upwards, the more so the fewer images there are for D features: even
    another sample of the reference's distribution is well above 0. Only values with the same n
    and encoder can therefore be compared, and the interval is that of the expectation at n.

    Parameters
    ----------
    reference, features
        Features of the reference (N, D) and of the set (n, D).
    repeats
        Bootstrap resamples, at least 2.
    seed
        Seed of the resamples.
    blocks
        Block of time of each image of a set of real frames, (n,); None: images are independent.
    """
    fitted = Gaussian.of_features(reference)
    rng, n = np.random.default_rng(seed), len(features)
    resamples = resample(n, blocks, repeats, rng)
    spread = [frechet_distance(fitted, Gaussian.of_features(features[rows])) for rows in resamples]
    value = frechet_distance(fitted, Gaussian.of_features(features))
    return Estimate.over(spread, n, value, units=_units(n, blocks), bounds=NOT_NEGATIVE)


def kernel_distance(reference: Features, features: Features) -> float:
    """Return the unbiased squared maximum mean discrepancy with the cubic kernel (KID).

    k(x, y) = (x·y/D + 1)³ (Bińkowski et al. 2018, eq. 4). All pairs are used rather than
    subsets: the expectation is the same and the variance is lowest. It can be negative.
    """
    moments = _KernelMoments.of(reference, features)
    return moments.distance(np.ones(len(features)))


def kernel_estimate(
    reference: Features,
    features: Features,
    repeats: int,
    seed: int,
    blocks: Integers | None = None,
) -> Estimate:
    """Return the kernel distance of two sets of features (KID), with its standard error.

    Unlike the Fréchet distance it has no bias at small n. The error is that of bootstrap
    resamples of the set, in which an image is never paired with its own copies.

    Parameters
    ----------
    reference, features
        Features of the reference (N, D) and of the set (n, D).
    repeats
        Bootstrap resamples, at least 2.
    seed
        Seed of the resamples.
    blocks
        Block of time of each image of a set of real frames, (n,); None: images are independent.
    """
    n, rng = len(features), np.random.default_rng(seed)
    moments = _KernelMoments.of(reference, features)
    resamples = resample(n, blocks, repeats, rng)
    spread = [moments.distance(np.bincount(rows, minlength=n)) for rows in resamples]
    return Estimate.over(spread, n, moments.distance(np.ones(n)), units=_units(n, blocks))


def _units(n: int, blocks: Integers | None) -> int:
    return n if blocks is None else len(np.unique(blocks))


def measure_fid(comparison: Comparison, encoder: str) -> Estimate:
    """Measure the Fréchet distance in an encoder's features."""
    return frechet_estimate(
        comparison.reference[encoder],
        comparison.features[encoder],
        repeats=comparison.settings.fid_repeats,
        seed=comparison.seed,
        blocks=comparison.blocks,
    )


def measure_kid(comparison: Comparison, encoder: str) -> Estimate:
    """Measure the kernel distance in an encoder's features."""
    return kernel_estimate(
        comparison.reference[encoder],
        comparison.features[encoder],
        repeats=comparison.settings.repeats,
        seed=comparison.seed,
        blocks=comparison.blocks,
    )


@dataclass(frozen=True)
class _KernelMoments:
    """Kernel means of a reference and a set, from which weighted distances are computed.

    Attributes
    ----------
    within_reference
        Mean kernel over pairs of different images of the reference.
    to_reference
        Mean kernel of each image of the set with the reference, (n,).
    within
        Kernel between the images of the set, (n, n), 0 on the diagonal.
    """

    within_reference: float
    to_reference: Floats
    within: Floats

    @classmethod
    def of(cls, reference: Features, features: Features) -> _KernelMoments:
        x, y = reference.astype(np.float64), features.astype(np.float64)
        diagonal = np.square(x).sum(axis=1) / x.shape[1] + 1
        off_diagonal = _row_sums(x, x).sum() - (diagonal**3).sum()
        within = _kernel(y, y)
        np.fill_diagonal(within, 0.0)
        pairs = len(x) * (len(x) - 1)
        return cls(float(off_diagonal / pairs), _row_sums(y, x) / len(x), within)

    def distance(self, weights: npt.NDArray[np.number]) -> float:
        """Return the kernel distance with a weight on each image of the set, (n,)."""
        total = weights.sum()
        pairs = total**2 - np.square(weights).sum()
        within = weights @ self.within @ weights / pairs
        across = weights @ self.to_reference / total
        return float(self.within_reference + within - 2 * across)


def _row_sums(x: Floats, y: Floats) -> Floats:
    """Return the sum of the kernel of each row of x (n, D) with all of y (m, D), in blocks."""
    blocks = range(0, len(x), BLOCK)
    return np.concatenate([_kernel(x[start : start + BLOCK], y).sum(axis=1) for start in blocks])


def _kernel(x: Floats, y: Floats) -> Floats:
    """Return (x·y/D + 1)³ between rows of x (n, D) and y (m, D): (n, m)."""
    base: Floats = x @ y.T / x.shape[1] + 1
    return base * base * base
