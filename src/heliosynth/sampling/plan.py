"""Plans of the images to generate, with the seed of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from heliosynth.arrays import Booleans, Classes, Integers
from heliosynth.dataset.class_mix import apportion
from heliosynth.dataset.store import UNKNOWN_CLASS
from heliosynth.errors import InputError
from heliosynth.seeds import derive_seed


@dataclass(frozen=True)
class SamplePlan:
    """The images to generate; all arrays (N,).

    Attributes
    ----------
    goes_class
        Requested class, −1 for a model without labels.
    number
        Index of the image among those of its class, from 0.
    population
        Whether the image belongs to the set with the class mix of the training split.
    balanced
        Whether the image belongs to the set with equally many images per class.
    """

    goes_class: Classes
    number: Integers
    population: Booleans
    balanced: Booleans

    def __len__(self) -> int:
        return len(self.goes_class)

    def shard(self, index: int, shards: int) -> SamplePlan:
        """Return part ``index`` of the plan, split in order into ``shards`` parts."""
        rows = np.array_split(np.arange(len(self)), shards)[index]
        return SamplePlan(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def plan_samples(
    training_classes: Classes,
    trained_classes: Iterable[int],
    population: int,
    per_class: int,
) -> SamplePlan:
    """Plan the images of a model with labels; an image can belong to both sets.

    Parameters
    ----------
    training_classes
        (N,) class numbers of the training split.
    trained_classes
        Classes that the model was trained on; no other is requested.
    population
        Number of images with the class mix of the training split, by largest remainder.
    per_class
        Number of images of each class in the balanced set.

    Raises
    ------
    InputError
        If the training split has no image of a trained class.
    """
    classes = sorted(set(trained_classes))
    counts = np.array([np.count_nonzero(training_classes == c) for c in classes])
    if not counts.sum():
        raise InputError(
            "the training split has no image of a trained class, so there is nothing to sample; "
            "rebuild the dataset"
        )
    shares = apportion(counts, population)
    lengths = np.maximum(shares, per_class)
    number = np.concatenate([np.arange(n) for n in lengths]).astype(np.int64)
    return SamplePlan(
        goes_class=np.repeat(classes, lengths).astype(np.int8),
        number=number,
        population=number < np.repeat(shares, lengths),
        balanced=number < per_class,
    )


def plan_prior(population: int) -> SamplePlan:
    """Plan the images of a model without labels."""
    return SamplePlan(
        goes_class=np.full(population, UNKNOWN_CLASS, np.int8),
        number=np.arange(population),
        population=np.ones(population, bool),
        balanced=np.zeros(population, bool),
    )


def image_seeds(seed: int, model: str, plan: SamplePlan) -> Integers:
    """Return the seeds of images (N,), derived from the run's seed, model, class and number."""
    pairs = zip(plan.goes_class.tolist(), plan.number.tolist(), strict=True)
    return np.array([derive_seed(seed, model, *pair) for pair in pairs], np.int64)
