"""Kernel distance between two sets of features (KID), with its standard error."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from heliosynth.arrays import Features, Floats, Floats32, Integers
from heliosynth.evaluation.comparison import Comparison, ReferenceFeatures
from heliosynth.evaluation.estimate import Estimate
from heliosynth.evaluation.quadratic import SquaredLength

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
        rows, diagonal = _kernel_sums(features, np.arange(n))
        within = float(rows.sum() - diagonal.sum()) / (n * (n - 1))
        return cls(features, within, (float(diagonal.mean()) - within) / n)


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
    n, across = len(features), _across(reference, features)
    rows, diagonal = _kernel_sums(features, np.arange(n))
    pairs = float(rows.sum() - diagonal.sum()) / (n * (n - 1))
    return reference.within + pairs - 2 * float(across.mean())


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
    n = len(features)
    across = _across(reference, features)
    rows, within = _kernel_sums(features, np.arange(n) if blocks is None else blocks)
    # h(x, y) = k(x, y) − a(x) − a(y) + w, centred on the reference: its mean is the squared length.
    shift = reference.within - across
    projected = rows / n + shift - float(across.mean())
    value = float(projected.mean())
    centred = projected - value
    groups = np.arange(n) if blocks is None else np.unique(blocks, return_inverse=True)[1]
    units = int(groups.max()) + 1
    sizes = np.bincount(groups)
    summed = {
        "h": within - 2 * sizes * np.bincount(groups, across) + sizes**2 * reference.within,
        "row": np.bincount(groups, projected),
        "centred": np.bincount(groups, centred),
    }
    scatter = summed["h"] - 2 * sizes * summed["row"] + sizes**2 * value
    correction = units / (units - 1) / n**2
    trace = max(float(scatter.sum()) * correction, 0.0)
    # The reference is a sample too, which scatters like the set but for its size.
    both = 1 + reference.scatter / trace if trace else 1.0
    along = float(np.square(summed["centred"]).sum()) * correction
    length = SquaredLength(value, trace + reference.scatter, along * both)
    distance = kernel_distance(reference, features)
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


def _kernel_sums(features: Features, groups: Integers) -> tuple[Floats, Floats]:
    """Return sums of the kernel of a set.

    Parameters
    ----------
    features
        (n, D).
    groups
        Number of the group of each image, (n,).

    Returns
    -------
    tuple of numpy.ndarray
        Σ_j k_ij of each image, (n,), and Σ_ij k_ij over the pairs of each group, ascending.
    """
    names, number = np.unique(groups, return_inverse=True)
    rows, within = np.zeros(len(features)), np.zeros(len(names))
    for start in range(0, len(features), BLOCK):
        block = slice(start, start + BLOCK)
        kernel = _kernel(features[block], features)
        rows[block] = kernel.sum(axis=1, dtype=np.float64)
        same = kernel * (number[block, None] == number[None, :])
        within += np.bincount(number[block], same.sum(axis=1, dtype=np.float64), len(names))
    return rows, within


def _kernel(x: Features, y: Features) -> Floats32:
    """Return (x·y/D + 1)³ between rows of x (n, D) and y (m, D): (n, m)."""
    base = x @ y.T
    base /= np.float32(x.shape[1])
    base += np.float32(1)
    cube: Floats32 = base * base
    cube *= base
    return cube
