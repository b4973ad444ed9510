"""One set of images and the reference, as every metric of the registry receives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from heliosynth.arrays import Classes, Features, Integers
from heliosynth.config.evaluation import EvaluationConfig


@dataclass(frozen=True)
class Predictions:
    """Classes that a classifier predicts for images whose class is known.

    Attributes
    ----------
    requested
        Class numbers requested from the model, or the labels of real images, (n,).
    predicted
        Class numbers that the classifier predicts, (n,).
    classes
        Class numbers that the classifier was trained on.
    blocks
        Block of time of each real image, (n,); None for generated images.
    """

    requested: Classes
    predicted: Classes
    classes: tuple[int, ...]
    blocks: Integers | None = None


@dataclass(frozen=True, eq=False)
class ReferenceFeatures:
    """Features of the reference by encoder, (N, D) each.

    They are equal only if they are the same object, so what all sets share, such as the
    clusters, can be cached with them as the key.
    """

    by_encoder: Mapping[str, Features]

    def __getitem__(self, encoder: str) -> Features:
        return self.by_encoder[encoder]


@dataclass(frozen=True, eq=False)
class Comparison:
    """One set of images and the reference that it is measured against.

    Comparisons are equal only if they are the same object, so metrics that share a computation
    can cache it with the comparison as the key.

    Attributes
    ----------
    reference
        Features of the reference; the same object for all sets.
    features
        Features of the set by encoder, (n, D) each.
    predictions
        Requested and predicted classes; None for a model without classes.
    settings
        Section ``evaluation``.
    seed
        Seed of all random draws.
    blocks
        Block of time of each image of a set of real frames, (n,), the units that a bootstrap
        resamples; None for generated images, which are independent.
    """

    reference: ReferenceFeatures
    features: Mapping[str, Features]
    predictions: Predictions | None
    settings: EvaluationConfig
    seed: int
    blocks: Integers | None = None

    @property
    def first_encoder(self) -> str:
        """The encoder of the metrics that are measured with only one encoder."""
        return self.settings.encoders[0]
