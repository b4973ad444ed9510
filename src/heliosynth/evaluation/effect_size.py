"""Effect size of a statistic, and its scale: the same between blocks of training images.

The effect size of a set of images is D = W₁(T(set), T(training)) / σ(T(training)): the
Wasserstein-1 distance of the distributions of a statistic T in units of its standard deviation
over the training images. Its null distribution is that of D between random sets of training blocks
and the other training blocks: real images of other weeks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from heliosynth.arrays import AnyFloats, Booleans, Floats, Integers
from heliosynth.evaluation.estimate import NOT_NEGATIVE, SHARE, Estimate
from heliosynth.evaluation.statistics import Kind

NULL_BLOCKS = 12
"""Blocks of time in a random set of training blocks; a third of all, if these are fewer than 36."""
DRAWS = 200
"""Number of random sets of blocks, and of bootstrap resamples."""
NULL_QUANTILE = 0.95


class EffectJson(TypedDict):
    """An effect size, or the share of a set, in the JSON products.

    ``mean``, ``reference_mean`` and ``reference_std`` are those of the statistic, in its unit.
    """

    value: float
    std: float
    n: int
    low: float
    high: float
    null_median: float | None
    null_q95: float | None
    mean: float
    reference_mean: float
    reference_std: float


@dataclass(frozen=True)
class Sample:
    """The values of a statistic for a set of images.

    Attributes
    ----------
    values
        A value per image (N,), NaN where the statistic is not defined; of histograms, the
        centres of the bins (M,), ascending.
    shares
        Histogram of each image (N, M); None if each image has one value.
    """

    values: AnyFloats
    shares: AnyFloats | None = None

    def __len__(self) -> int:
        return len(self.values if self.shares is None else self.shares)

    @property
    def defined(self) -> Booleans:
        """For which images the statistic is defined (N,)."""
        return np.isfinite(self.values if self.shares is None else self.shares.sum(axis=1))

    def masses(self, weights: AnyFloats | Booleans) -> Floats:
        """Return the mass of each value (R, M) for weights of the images (R, N), summing to 1.

        It is NaN where no image with a weight has a value.
        """
        weights = np.where(self.defined, weights, 0.0)
        masses = weights if self.shares is None else weights @ np.nan_to_num(self.shares)
        total = masses.sum(axis=1, keepdims=True)
        return np.asarray(
            np.divide(masses, total, out=np.full_like(masses, np.nan), where=total > 0)
        )

    def moments(self) -> tuple[float, float]:
        """Return the mean and the standard deviation of the values; NaN without any."""
        masses = self.masses(np.ones((1, len(self))))[0]
        values = np.nan_to_num(self.values)
        mean = float(masses @ values)
        return mean, math.sqrt(max(float(masses @ (values - mean) ** 2), 0.0))


def wasserstein(values: AnyFloats, masses: AnyFloats) -> Floats:
    """Return the Wasserstein-1 distances ∫|F − G| of pairs of distributions, (R,).

    Parameters
    ----------
    values
        Positions (M,), in any order; NaN positions must have no mass.
    masses
        Mass of the first distribution minus mass of the second at each position (R, M).
    """
    values = np.nan_to_num(values)
    order = np.argsort(values, kind="stable")
    cumulative = np.cumsum(masses[:, order], axis=1)[:, :-1]
    return np.asarray(np.abs(cumulative) @ np.diff(values[order]))


def distances(sample: Sample, reference: Sample, weights: AnyFloats) -> Floats:
    """Return the Wasserstein-1 distances of weighted samples from the reference, (R,).

    Parameters
    ----------
    sample, reference
        The same statistic of two sets of images.
    weights
        Weights of the images of the sample (R, N).
    """
    first, second = sample.masses(weights), reference.masses(np.ones((1, len(reference))))
    if sample.shares is not None:
        return wasserstein(sample.values, first - second)
    second = np.broadcast_to(-second, (len(first), second.shape[1]))
    return wasserstein(
        np.concatenate([sample.values, reference.values]), np.concatenate([first, second], axis=1)
    )


def block_sets(blocks: Integers, rng: np.random.Generator, draws: int = DRAWS) -> Booleans:
    """Return which images are in random sets of blocks (draws, N).

    A set has :data:`NULL_BLOCKS` blocks, or a third of all where there are fewer than 36.

    Parameters
    ----------
    blocks
        Number of the block of each image (N,).
    rng
        Random numbers of the sets.
    draws
        Number of sets.

    Returns
    -------
    numpy.ndarray
        (draws, N); (0, N) if there are fewer than two blocks.
    """
    numbers, index = np.unique(blocks, return_inverse=True)
    if len(numbers) < 2:
        return np.zeros((0, len(blocks)), dtype=np.bool_)
    count = max(min(NULL_BLOCKS, len(numbers) // 3), 1)
    chosen = rng.random((draws, len(numbers))).argsort(axis=1) < count
    return np.asarray(chosen[:, index])


def resample_weights(groups: Integers, rng: np.random.Generator, repeats: int = DRAWS) -> Floats:
    """Return how often each image is in bootstrap resamples of groups (repeats, N)."""
    numbers, index = np.unique(groups, return_inverse=True)
    shares = np.full(len(numbers), 1 / len(numbers))
    return np.asarray(rng.multinomial(len(numbers), shares, size=repeats)[:, index], np.float64)


def null_values(kind: Kind, reference: Sample, sets: Booleans) -> Floats:
    """Return the value of each set of training blocks against the other blocks.

    Parameters
    ----------
    kind
        How the values of images become that of a set.
    reference
        The statistic of the training images.
    sets
        Result of :func:`block_sets` (R, N).

    Returns
    -------
    numpy.ndarray
        The finite values, at most R.
    """
    inside, outside = reference.masses(sets), reference.masses(~sets)
    if kind == "share":
        values = inside @ np.nan_to_num(reference.values)
    else:
        values = wasserstein(reference.values, inside - outside) / reference.moments()[1]
    return np.asarray(values[np.isfinite(values)])


def measure_effect(
    kind: Kind, sample: Sample, reference: Sample, weights: Floats, null: Floats, units: int
) -> EffectJson | None:
    """Compare a statistic of a set of images with that of the training images.

    Parameters
    ----------
    kind
        ``share``: the value is the mean of the sample. Otherwise it is the effect size.
    sample, reference
        The statistic of the set and of the training images.
    weights
        Weights of the images in bootstrap resamples (R, N).
    null
        Result of :func:`null_values`.
    units
        Number of independent images or blocks of the set.

    Returns
    -------
    dict or None
        None if the statistic is not defined for the set or for the training images, does not vary
        over the training images, or the set has fewer than two independent units.
    """
    reference_mean, sigma = reference.moments()
    mean, _ = sample.moments()
    defined = math.isfinite(mean) and math.isfinite(reference_mean)
    if not defined or units < 2 or (kind != "share" and sigma <= _rounding(reference)):
        return None
    everything = np.concatenate([np.ones((1, len(sample))), weights])
    if kind == "share":
        values = sample.masses(everything) @ np.nan_to_num(sample.values)
    else:
        values = distances(sample, reference, everything) / sigma
    resamples = values[1:][np.isfinite(values[1:])]
    estimate = Estimate.over(
        resamples,
        int(np.count_nonzero(sample.defined)),
        float(values[0]),
        units=units,
        bounds=SHARE if kind == "share" else NOT_NEGATIVE,
    )
    return {
        **estimate.to_json(),
        "null_median": float(np.median(null)) if len(null) else None,
        "null_q95": float(np.quantile(null, NULL_QUANTILE)) if len(null) else None,
        "mean": mean,
        "reference_mean": reference_mean,
        "reference_std": sigma,
    }


def within_null(effect: EffectJson) -> bool | None:
    """Return whether a set is as close to the training images as most other weeks are.

    None without a null distribution.
    """
    return None if effect["null_q95"] is None else effect["value"] <= effect["null_q95"]


def _rounding(reference: Sample) -> float:
    """Return the spread of a constant that rounding in single precision can cause."""
    return 1e-6 * float(np.nanmax(np.abs(reference.values)))
