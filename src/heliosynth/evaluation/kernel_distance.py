"""Kernel distance between two sets of features (KID), with its standard error."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from heliosynth.arrays import Features, Floats, Floats32, Integers
from heliosynth.evaluation.comparison import Comparison, ReferenceFeatures
from heliosynth.evaluation.estimate import Estimate
from heliosynth.evaluation.quadratic import SquaredLength
from heliosynth.evaluation.resampling import independent_units

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
    scatter
        Expected squared distance of its mean from that of its distribution.
    """

    features: Features
    within: float
    scatter: float

    @classmethod
    def of(cls, features: Features) -> KernelReference:
        """Compute the mean kernel within the features (N, D) of a reference, N ≥ 2."""
        n = len(features)
        rows, itself = _kernel_sums(features, None)
        within = float(rows.sum() - itself.sum()) / (n * (n - 1))
        return cls(features, within, (float(itself.mean()) - within) / n)


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
    rows, _ = _kernel_sums(features, None)
    return _distance(reference, features, _across(reference, features), rows)


def kernel_estimate(
    reference: KernelReference, features: Features, blocks: Integers | None = None
) -> Estimate:
    """Return the kernel distance of two sets of features (KID), with its standard error.

    Unlike the Fréchet distance it has no bias at small n. It is the squared length of the mean of
    the images in the kernel's space, less the part that is due to their scatter.

    Parameters
    ----------
    reference, features
        The reference, and features of the set (n, D).
    blocks
        Block of time of each image of a set of real frames, (n,); None: images are independent.
    """
    n, units = len(features), independent_units(len(features), blocks)
    across = _across(reference, features)
    rows, within = _kernel_sums(features, blocks)
    distance = _distance(reference, features, across, rows)
    # h(x, y) = k(x, y) − a(x) − a(y) + w is the kernel of images centred on the reference. Its row
    # means are their projections on the difference of the means, and its mean is the length.
    projected = rows / n - across - float(across.mean()) + reference.within
    value = float(projected.mean())
    groups = np.arange(n) if blocks is None else np.unique(blocks, return_inverse=True)[1]
    sizes = np.bincount(groups)
    of_groups = within - 2 * sizes * np.bincount(groups, across) + sizes**2 * reference.within
    scatter = of_groups - 2 * sizes * np.bincount(groups, projected) + sizes**2 * value
    correction = units / (units - 1) / n**2
    trace = max(float(scatter.sum()) * correction, 0.0)
    along = float(np.square(np.bincount(groups, projected - value)).sum()) * correction
    # The reference is a sample too, which scatters like the set but for its size.
    both = 1 + reference.scatter / trace if trace else 1.0
    length = SquaredLength(value, trace + reference.scatter, along * both)
    # The distance leaves out pairs of an image with itself, but not those of one block.
    left_out = value - distance + reference.scatter
    low, high = (end - left_out for end in length.interval_of_value(units, units))
    return Estimate(distance, length.std, n, min(low, distance), max(high, distance))


def measure_kid(comparison: Comparison, encoder: str) -> Estimate:
    """Measure the kernel distance in an encoder's features."""
    return kernel_estimate(
        _kernel_reference(comparison.reference, encoder),
        comparison.features[encoder],
        comparison.blocks,
    )


# All sets share the kernel means of the reference.
@functools.lru_cache(maxsize=4)
def _kernel_reference(reference: ReferenceFeatures, encoder: str) -> KernelReference:
    return KernelReference.of(reference[encoder])


def _across(reference: KernelReference, features: Features) -> Floats:
    """Return the mean kernel of each image of a set with the reference, (n,)."""
    sums = [
        _kernel(features[start : start + BLOCK], reference.features).sum(1, dtype=np.float64)
        for start in range(0, len(features), BLOCK)
    ]
    across: Floats = np.concatenate(sums) / len(reference.features)
    return across


def _distance(
    reference: KernelReference, features: Features, across: Floats, rows: Floats
) -> float:
    """Return the kernel distance from the sums of the kernel, (n,) each."""
    n = len(features)
    pairs = float(rows.sum() - _itself(features).sum()) / (n * (n - 1))
    return reference.within + pairs - 2 * float(across.mean())


def _itself(features: Features) -> Floats:
    """Return the kernel of each image with itself, (n,)."""
    squares = np.square(features.astype(np.float64)).sum(axis=1)
    kernel: Floats = (squares / features.shape[1] + 1) ** 3
    return kernel


def _kernel_sums(features: Features, groups: Integers | None) -> tuple[Floats, Floats]:
    """Return sums of the kernel of a set.

    Parameters
    ----------
    features
        (n, D).
    groups
        Number of the group of each image, (n,); None: each image is one.

    Returns
    -------
    tuple of numpy.ndarray
        Σ_j k_ij of each image, (n,), and Σ_ij k_ij over the pairs of each group, ascending.
    """
    rows = np.zeros(len(features))
    number = None if groups is None else np.unique(groups, return_inverse=True)[1]
    within = np.zeros(0) if number is None else np.zeros(int(number.max()) + 1)
    for start in range(0, len(features), BLOCK):
        block = slice(start, start + BLOCK)
        kernel = _kernel(features[block], features)
        rows[block] = kernel.sum(axis=1, dtype=np.float64)
        if number is not None:
            same = kernel * (number[block, None] == number[None, :])
            within += np.bincount(number[block], same.sum(axis=1, dtype=np.float64), len(within))
    return rows, _itself(features) if number is None else within


def _kernel(x: Features, y: Features) -> Floats32:
    """Return (x·y/D + 1)³ between rows of x (n, D) and y (m, D): (n, m)."""
    base = x @ y.T
    base /= np.float32(x.shape[1])
    base += np.float32(1)
    cube: Floats32 = base * base
    cube *= base
    return cube
