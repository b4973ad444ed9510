"""The 95 % intervals of metrics contain the expectation at the same n in 90 to 99 % of cases."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from heliosynth.arrays import Features, Integers
from heliosynth.evaluation.classification import macro_scores
from heliosynth.evaluation.clusters import Resampling, cluster_metrics, fit_clusters
from heliosynth.evaluation.comparison import Predictions, ReferenceFeatures
from heliosynth.evaluation.estimate import Estimate
from heliosynth.evaluation.frechet import Gaussian, frechet_estimate
from heliosynth.evaluation.kernel_distance import KernelReference, kernel_estimate

DIMENSIONS, CENTRES, REFERENCE, IMAGES, SETS = 24, 6, 1000, 300, 200
REPEATS = 200
BLOCKS, PER_BLOCK = 50, 6
COVERED = (0.90, 0.99)

# Minutes of simulated cases.
pytestmark = pytest.mark.robustness

Case = tuple[Features, Integers | None]


def draw(rng: np.random.Generator, shift: float, n: int) -> Features:
    """Draw n points of a Gaussian mixture whose first centre is more frequent by a shift."""
    centres = 3 * np.random.default_rng(9).standard_normal((CENTRES, DIMENSIONS))
    shares = np.full(CENTRES, 1 - shift) / CENTRES
    shares[0] += shift
    number = rng.choice(CENTRES, size=n, p=shares)
    noise = (1 + shift) * rng.standard_normal((n, DIMENSIONS))
    return (centres[number] + noise).astype(np.float32)


def images(rng: np.random.Generator, shift: float) -> Case:
    return draw(rng, shift, IMAGES), None


def blocks(rng: np.random.Generator, shift: float) -> Case:
    """Draw blocks of frames that are nearly equal."""
    points = draw(rng, shift, BLOCKS).repeat(PER_BLOCK, axis=0)
    noise = 0.1 * rng.standard_normal(points.shape)
    return (points + noise).astype(np.float32), np.arange(BLOCKS).repeat(PER_BLOCK)


Measure = Callable[[Features, Integers | None, np.random.Generator], Estimate]


def of_clusters(name: str) -> Measure:
    """Return a function that measures with fixed clusters; their choice is another error."""
    reference = draw(np.random.default_rng(0), 0.0, REFERENCE)
    fits = fit_clusters(ReferenceFeatures({"x": reference}), "x", 8, kmeans=1, seed=0)

    def measure(features: Features, groups: Integers | None, _: np.random.Generator) -> Estimate:
        metrics = cluster_metrics(fits, features, Resampling(REPEATS, 0, groups))
        estimate: Estimate = getattr(metrics, name)
        return estimate

    return measure


def fid(features: Features, groups: Integers | None, _: np.random.Generator) -> Estimate:
    gaussian = Gaussian.of_features(draw(np.random.default_rng(0), 0.0, REFERENCE))
    return frechet_estimate(gaussian, features, groups)


def kid(features: Features, groups: Integers | None, rng: np.random.Generator) -> Estimate:
    return kernel_estimate(KernelReference.of(draw(rng, 0.0, REFERENCE)), features, groups)


MEASURES: Mapping[str, Measure] = {
    "cluster_error": of_clusters("cluster_error"),
    "cluster_distance": of_clusters("cluster_distance"),
    "cluster_std": of_clusters("cluster_std"),
    "fid": fid,
    "kid": kid,
}


def coverage(estimates: list[Estimate], expectation: float | None = None) -> float:
    """Return the share of intervals with the expectation; None: the mean of all values."""
    if expectation is None:
        expectation = float(np.mean([estimate.value for estimate in estimates]))
    return float(np.mean([e.low <= expectation <= e.high for e in estimates]))


@pytest.mark.parametrize("shift", [0.0, 0.15])
@pytest.mark.parametrize("name", MEASURES)
def test_intervals_of_generated_images_cover(name: str, shift: float) -> None:
    rng = np.random.default_rng(1)
    estimates = [MEASURES[name](*images(rng, shift), rng) for _ in range(SETS)]
    # The interval of KID ends at its ideal, which the mean of some values misses by chance.
    expectation = 0.0 if name == "kid" and not shift else None
    # Without a difference from the reference CE and KID are at their smallest expectation, which
    # an interval misses on one side only.
    most = 1.0 if name in ("cluster_error", "kid") and not shift else COVERED[1]
    assert COVERED[0] <= coverage(estimates, expectation) <= most


@pytest.mark.parametrize("name", ["cluster_distance", "fid", "kid"])
def test_intervals_of_blocks_of_time_cover(name: str) -> None:
    rng = np.random.default_rng(2)
    estimates = [MEASURES[name](*blocks(rng, 0.15), rng) for _ in range(SETS)]
    # The cubes of KID's kernel have long tails, of which 50 blocks show too little.
    least = 0.85 if name == "kid" else COVERED[0]
    assert least <= coverage(estimates) <= COVERED[1]


def test_intervals_of_f1_cover() -> None:
    rng, estimates = np.random.default_rng(3), []
    for _ in range(SETS):
        requested = np.arange(4).repeat(40).astype(np.int8)
        wrong = rng.uniform(size=160) > np.array([0.9, 0.7, 0.5, 0.6]).repeat(40)
        predicted = np.where(wrong, rng.integers(4, size=160), requested).astype(np.int8)
        scores = macro_scores(Predictions(requested, predicted, (0, 1, 2, 3)), REPEATS, seed=0)
        estimates.append(scores.f1)
    assert COVERED[0] <= coverage(estimates) <= COVERED[1]
