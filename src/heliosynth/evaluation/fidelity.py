"""Fidelity and diversity of a set of images: precision, recall, density, coverage, Vendi score.

Real frames an hour apart show the same Sun, so the balls around their nearest neighbours are far
too small: real sets are thinned to one frame per day first. All of these depend on the number of
images, so the reference and the set are compared at equal numbers.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, replace

import numpy as np
from scipy.special import stdtrit

from heliosynth.arrays import DAY_S, Booleans, Classes, Features, Floats, Integers, Seconds
from heliosynth.evaluation.estimate import CONFIDENCE, NOT_NEGATIVE, Estimate

NEIGHBOURS = 5
"""The k of the k-th nearest neighbour, as in Naeem et al. (2020)."""
LEAST_DAYS = 5
"""Smallest number of days of a class whose Vendi score is compared."""
DRAWS, DRAWN_IMAGES = 5, 5000
"""Random subsets of equal size over which values are averaged: their number, unless they have more
images in total, and that total."""
GROUPS = 10
"""Random groups of generated images that the jackknife leaves out in turn."""
ROUNDING = 1e-10
"""Squared distances are equal if they differ by less than this share of the mean one."""


def thin_to_days(time: Seconds) -> Integers:
    """Return the rows of one frame per UTC day, the one closest to noon, in order of time.

    Parameters
    ----------
    time
        Times, s (N,).
    """
    day, from_noon = np.divmod(time, DAY_S)
    order = np.lexsort((np.abs(from_noon - DAY_S // 2), day))
    _, first = np.unique(day[order], return_index=True)
    rows: Integers = order[first]
    return rows


@dataclass(frozen=True)
class Fidelity:
    """Precision, recall, density and coverage of a set against a reference.

    With B_k(x) the ball around x that reaches to its k-th nearest neighbour in the set of x, and
    N images x of the reference, n images g of the set:

    Attributes
    ----------
    precision
        Share of the set within a ball of the reference, 1/n Σ_g 1[∃x: g ∈ B_k(x)]
        (Kynkäänniemi et al. 2019).
    recall
        Share of the reference within a ball of the set, 1/N Σ_x 1[∃g: x ∈ B_k(g)].
    density
        1/(kn) Σ_g Σ_x 1[g ∈ B_k(x)] (Naeem et al. 2020); about 1 for equal distributions.
    coverage
        Share of the reference's balls with an image of the set, 1/N Σ_x 1[∃g: g ∈ B_k(x)]; its
        expectation for equal distributions is :func:`expected_coverage`.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def fidelity(reference: Features, features: Features, neighbours: int = NEIGHBOURS) -> Fidelity:
    """Measure precision, recall, density and coverage.

    Parameters
    ----------
    reference, features
        Features of the reference (N, D) and of the set (n, D).
    neighbours
        k.

    Raises
    ------
    ValueError
        If the reference or the set has k images or fewer.
    """
    return Distances.of(reference, features, neighbours).fidelity()


@dataclass(frozen=True)
class Distances:
    """Squared distances from which precision, recall, density and coverage are measured.

    Attributes
    ----------
    radii
        Squared radius of the ball of each image of the reference, (N,).
    across
        From each image of the reference to each of the set, (N, n).
    within
        Between the images of the set, (n, n).
    neighbours
        k.
    rounding
        Differences up to this are rounding errors.
    """

    radii: Floats
    across: Floats
    within: Floats
    neighbours: int
    rounding: float

    @classmethod
    def of(cls, reference: Features, features: Features, neighbours: int) -> Distances:
        """Compute the squared distances of features (N, D) and (n, D)."""
        if min(len(reference), len(features)) <= neighbours:
            raise ValueError(f"{neighbours} neighbours need more than {neighbours} images")
        # Close to the origin, the expanded squares lose less to rounding.
        centre = reference.mean(axis=0, dtype=np.float64)
        x, y = reference - centre, features - centre
        across = _squared_distances(x, y)
        return cls(
            radii=_radii(_squared_distances(x, x), neighbours),
            across=across,
            within=_squared_distances(y, y),
            neighbours=neighbours,
            rounding=ROUNDING * float(across.mean()),
        )

    def only(self, kept: Booleans) -> Distances:
        """Return the distances of some images of the set, (n,)."""
        within = self.within[np.ix_(kept, kept)]
        return replace(self, across=self.across[:, kept], within=within)

    def fidelity(self) -> Fidelity:
        """Measure precision, recall, density and coverage."""
        in_reference = self.across <= self.radii[:, None] + self.rounding
        in_set = self.across <= _radii(self.within, self.neighbours) + self.rounding
        return Fidelity(
            precision=float(in_reference.any(axis=0).mean()),
            recall=float(in_set.any(axis=1).mean()),
            density=float(in_reference.sum(axis=0).mean()) / self.neighbours,
            coverage=float(in_reference.any(axis=1).mean()),
        )


def expected_coverage(reference: int, images: int, neighbours: int = NEIGHBOURS) -> float:
    """Return the expected coverage of a set of the reference's distribution.

    1 − Π_{i=1…k} (N − i)/(N + n − i), for any continuous distribution (Naeem et al. 2020,
    lemma 2).

    Parameters
    ----------
    reference, images
        N and n.
    neighbours
        k.
    """
    i = np.arange(1, neighbours + 1)
    return float(1 - np.prod((reference - i) / (reference + images - i)))


def vendi_score(features: Features) -> float:
    """Return the Vendi score: the effective number of different images (Friedman & Dieng 2023).

    exp(−Σ λ_i ln λ_i), with λ the eigenvalues of K/n and K the cosines between the features: 1 if
    all are equal, n if all are orthogonal.

    Parameters
    ----------
    features
        Features (n, D), none of them 0.
    """
    return math.exp(_entropy(features)[0])


@dataclass(frozen=True)
class LabelledFeatures:
    """Features of images with their classes.

    Attributes
    ----------
    features
        (n, D).
    classes
        Class numbers, (n,).
    time
        Times of real frames, s (n,); None for generated images.
    """

    features: Features
    classes: Classes
    time: Seconds | None = None

    def of_class(self, goes_class: int) -> Features:
        """Return the features of a class, real frames thinned to one per day."""
        rows = np.flatnonzero(self.classes == goes_class)
        if self.time is not None:
            rows = rows[thin_to_days(self.time[rows])]
        return self.features[rows]


def vendi_by_class(
    reference: LabelledFeatures, labelled: LabelledFeatures, seed: int
) -> dict[int, float | None]:
    """Return the Vendi score of each class of a reference, in units of the reference's.

    Both sets have as many images of a class as the smaller of them, drawn at random; the ratio is
    the mean over such draws. It is None where a set has images on fewer than 5 days.

    Parameters
    ----------
    reference, labelled
        The real reference, and the set.
    seed
        Seed of the draws.
    """
    rng = np.random.default_rng(seed)
    ratios: dict[int, float | None] = {}
    for goes_class in map(int, np.unique(reference.classes)):
        real, images = reference.of_class(goes_class), labelled.of_class(goes_class)
        enough = min(len(real), len(images)) >= LEAST_DAYS
        draws = _equal_draws(len(real), len(images), rng) if enough else []
        scores = [vendi_score(images[y]) / vendi_score(real[x]) for x, y in draws]
        ratios[goes_class] = float(np.mean(scores)) if enough else None
    return ratios


@dataclass(frozen=True)
class FidelityEstimates:
    """Precision, recall, density, coverage, and the Vendi score in units of the reference's."""

    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate
    vendi_ratio: Estimate


def fidelity_estimates(
    reference: Features, features: Features, *, seed: int, blocks: Integers | None = None
) -> FidelityEstimates | None:
    """Measure fidelity and diversity of as many images of a set as of a reference.

    The larger of the two is drawn at random, without replacement; values are means over draws.
    Standard errors are those of a jackknife that leaves out one block of time, or one of ten
    random groups of generated images. A bootstrap would not do: an image drawn twice is its own
    nearest neighbour.

    Parameters
    ----------
    reference, features
        Features of the reference (N, D) and of the set (n, D), real frames thinned to one per
        day.
    seed
        Seed of draws and groups.
    blocks
        Block of time of each real frame of the set, (n,); None for generated images.

    Returns
    -------
    FidelityEstimates or None
        None if there are too few images, with or without one of the blocks.
    """
    rng = np.random.default_rng(seed)
    groups = rng.permutation(len(features)) % GROUPS if blocks is None else blocks
    names = np.unique(groups)
    draws = _equal_draws(len(reference), len(features), rng)
    smallest = min(np.sum(groups[y] != name) for _, y in draws for name in names)
    if min(smallest, len(draws[0][0])) <= NEIGHBOURS or len(names) < 2:
        return None
    parts = [_draw_values(reference[x], features[y], groups[y], names) for x, y in draws]
    values, *left_out = np.mean(parts, axis=0)
    spread = np.sum(np.square(left_out - np.mean(left_out, axis=0)), axis=0)
    errors = np.sqrt(spread * (len(names) - 1) / len(names))
    n, units = len(draws[0][0]), len(names)
    trials = n if blocks is None else units
    precision, recall, coverage = (
        _share(values[k], errors[k], n, units=units, trials=trials) for k in (0, 1, 3)
    )
    density, vendi_ratio = (
        Estimate.of(values[k], errors[k], n, units=units, bounds=NOT_NEGATIVE) for k in (2, 4)
    )
    return FidelityEstimates(precision, recall, density, coverage, vendi_ratio)


def _share(value: float, error: float, n: int, *, units: int, trials: int) -> Estimate:
    """Return a share with the interval of Wilson (1927), which holds close to 0 and 1 too.

    Its number of trials is the one that has the standard error, or ``trials`` where the share or
    the error leaves it undefined.
    """
    number = value * (1 - value) / error**2 if error > 0 and 0 < value < 1 else trials
    square = float(stdtrit(units - 1, (1 + CONFIDENCE) / 2)) ** 2 / number
    half = math.sqrt(square * (value * (1 - value) + square / 4))
    low, high = ((value + square / 2 + sign * half) / (1 + square) for sign in (-1, 1))
    # Rounding can leave a value of 0 or 1 outside.
    return Estimate(float(value), float(error), n, min(low, value), max(high, value))


def _draw_values(x: Features, y: Features, groups: Integers, names: Integers) -> Floats:
    """Return the five values of a draw, then those without each group, (1 + G, 5)."""
    distances = Distances.of(x, y, NEIGHBOURS)
    entropy, influence = _entropy(y)
    reference = _entropy(x)[0]
    rows = [(*astuple(distances.fidelity()), math.exp(entropy - reference))]
    for name in names:
        kept = groups != name
        # To first order: the entropy of 3000 images takes seconds.
        without = entropy + influence[kept].mean()
        rows.append((*astuple(distances.only(kept).fidelity()), math.exp(without - reference)))
    return np.array(rows)


def _equal_draws(
    reference: int, images: int, rng: np.random.Generator
) -> list[tuple[Integers, Integers]]:
    """Return the rows of a reference and of a set in random draws of equal numbers of both."""
    n = min(reference, images)
    draws = 1 if reference == images else min(DRAWS, max(1, DRAWN_IMAGES // n))
    return [
        (rng.choice(reference, n, replace=False), rng.choice(images, n, replace=False))
        for _ in range(draws)
    ]


def _entropy(features: Features) -> tuple[float, Floats]:
    """Return the logarithm of the Vendi score, and its influence function, (n,).

    With unit features z and ρ = 1/n Σ z zᵀ the entropy is −Tr(ρ ln ρ), whose derivative in the
    direction of an image is −zᵀ ln(ρ) z − entropy.
    """
    points = features.astype(np.float64)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    n, dimensions = points.shape
    # K/n and ρ have the same eigenvalues above 0.
    if n <= dimensions:
        eigenvalues, vectors = np.linalg.eigh(points @ points.T / n)
        shares = n * eigenvalues * np.square(vectors)
    else:
        eigenvalues, vectors = np.linalg.eigh(points.T @ points / n)
        shares = np.square(points @ vectors)
    positive = eigenvalues > 0
    logarithms = np.log(eigenvalues[positive])
    of_images: Floats = -shares[:, positive] @ logarithms
    entropy = float(of_images.mean())
    return entropy, of_images - entropy


def _squared_distances(x: Floats, y: Floats) -> Floats:
    """Return the squared distances between rows of x (N, D) and y (n, D): (N, n)."""
    squares = np.square(x).sum(axis=1)[:, None] - 2 * x @ y.T + np.square(y).sum(axis=1)
    distances: Floats = squares.clip(min=0)
    return distances


def _radii(distances: Floats, neighbours: int) -> Floats:
    """Return the squared distance of each image to its k-th nearest other, (n,)."""
    # The image itself is the nearest one.
    radii: Floats = np.partition(distances, neighbours, axis=1)[:, neighbours]
    return radii
