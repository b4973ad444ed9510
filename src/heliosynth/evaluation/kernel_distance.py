"""Kernel distance between two sets of features (KID), with its standard error."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from heliosynth.arrays import Features, Floats, Floats32, Integers
from heliosynth.evaluation.comparison import Comparison, ReferenceFeatures
from heliosynth.evaluation.estimate import Estimate
from heliosynth.evaluation.resampling import resample

BLOCK = 1000
"""Rows of a kernel matrix that are in memory at once."""


@dataclass(frozen=True, eq=False)
class KernelReference:
    """A reference, and the mean kernel within it.

    Attributes
    ----------
    features
        (N, D).
    within
        Mean kernel over pairs of different images.
    """

    features: Features
    within: float

    @classmethod
    def of(cls, features: Features) -> KernelReference:
        """Compute the mean kernel within the features (N, D) of a reference, N ≥ 2."""
        total, _ = _pair_sums(features, np.empty((0, len(features)), np.float32))
        return cls(features, total / (len(features) * (len(features) - 1)))


def kernel_distance(reference: KernelReference, features: Features) -> float:
    """Return the unbiased squared maximum mean discrepancy with the cubic kernel (KID).

    k(x, y) = (x·y/D + 1)³ (Bińkowski et al. 2018, eq. 4). All pairs are used rather than
    subsets: the expectation is the same and the variance is lowest. It can be negative. The
    kernel is computed in single precision and added up in double precision.

    Parameters
    ----------
    reference, features
        The reference, and features of the set (n, D), n ≥ 2.
    """
    return _distances(reference, features, np.empty((0, len(features)), np.float32))[0]


def kernel_estimate(
    reference: KernelReference,
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
        The reference, and features of the set (n, D).
    repeats
        Bootstrap resamples, at least 2.
    seed
        Seed of the resamples.
    blocks
        Block of time of each image of a set of real frames, (n,); None: images are independent.
    """
    n, rng = len(features), np.random.default_rng(seed)
    resamples = resample(n, blocks, repeats, rng)
    weights = np.stack([np.bincount(rows, minlength=n) for rows in resamples]).astype(np.float32)
    value, repeated = _distances(reference, features, weights)
    units = n if blocks is None else len(np.unique(blocks))
    return Estimate.over(repeated, n, value, units=units)


def measure_kid(comparison: Comparison, encoder: str) -> Estimate:
    """Measure the kernel distance in an encoder's features."""
    return kernel_estimate(
        _kernel_reference(comparison.reference, encoder),
        comparison.features[encoder],
        repeats=comparison.settings.repeats,
        seed=comparison.seed,
        blocks=comparison.blocks,
    )


# All sets share the kernel means of the reference.
@functools.lru_cache(maxsize=4)
def _kernel_reference(reference: ReferenceFeatures, encoder: str) -> KernelReference:
    return KernelReference.of(reference[encoder])


def _distances(
    reference: KernelReference, features: Features, weights: Floats32
) -> tuple[float, Floats]:
    """Return the kernel distance of a set, and those with weights (R, n) on its images, (R,)."""
    n, size = len(features), len(reference.features)
    across = np.concatenate(
        [
            _kernel(features[start : start + BLOCK], reference.features).sum(1, dtype=np.float64)
            for start in range(0, n, BLOCK)
        ]
    )
    across /= size
    total, weighted = _pair_sums(features, weights)
    counts = weights.astype(np.float64)
    pairs = np.square(counts.sum(axis=1)) - np.square(counts).sum(axis=1)
    value = reference.within + total / (n * (n - 1)) - 2 * float(across.mean())
    return value, reference.within + weighted / pairs - 2 * counts @ across / counts.sum(axis=1)


def _pair_sums(features: Features, weights: Floats32) -> tuple[float, Floats]:
    """Return the sum of the kernel over pairs of different images, and weighted sums.

    Parameters
    ----------
    features
        (n, D).
    weights
        Weights of the images, (R, n).

    Returns
    -------
    tuple of float and numpy.ndarray
        Σ_{i≠j} k_ij, and Σ_{i≠j} w_i w_j k_ij of each set of weights, (R,).
    """
    total, weighted = 0.0, np.zeros(len(weights))
    for start in range(0, len(features), BLOCK):
        rows, columns = slice(start, start + BLOCK), slice(start, None)
        # The kernel is symmetric: pairs right of the diagonal count twice.
        kernel = _kernel(features[rows], features[columns])
        square = np.arange(len(kernel))
        kernel[square, square] = 0
        kernel[:, len(kernel) :] *= 2
        total += float(kernel.sum(dtype=np.float64))
        products = (weights[:, rows] @ kernel) * weights[:, columns]
        weighted += products.sum(axis=1, dtype=np.float64)
    return total, weighted


def _kernel(x: Features, y: Features) -> Floats32:
    """Return (x·y/D + 1)³ between rows of x (n, D) and y (m, D): (n, m)."""
    base = x @ y.T
    base /= np.float32(x.shape[1])
    base += np.float32(1)
    cube: Floats32 = base * base
    cube *= base
    return cube
