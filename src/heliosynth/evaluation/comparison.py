"""One set of images and the reference, as every metric of the registry receives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from heliosynth.arrays import Classes, Features
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
    """

    requested: Classes
    predicted: Classes
    classes: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Comparison:
    """One set of images and the reference that it is measured against.

    Comparisons are equal only if they are the same object, so metrics that share a computation
    can cache it with the comparison as the key.

    Attributes
    ----------
    reference
        Features of the reference by encoder, (N, D) each.
    features
        Features of the set by encoder, (n, D) each.
    predictions
        Requested and predicted classes; None for a model without classes.
    settings
        Section ``evaluation``.
    seed
        Seed of all random draws.
    """

    reference: Mapping[str, Features]
    features: Mapping[str, Features]
    predictions: Predictions | None
    settings: EvaluationConfig
    seed: int

    @property
    def first_encoder(self) -> str:
        """The encoder of the metrics that are measured with only one encoder."""
        return self.settings.encoders[0]
