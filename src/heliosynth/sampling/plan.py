"""Which images to generate, and the seed of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from heliosynth.dataset.class_mix import apportion
from heliosynth.dataset.store import UNKNOWN_CLASS
from heliosynth.errors import InputError
from heliosynth.seeds import derive_seed

Seeds = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SamplePlan:
    """Which images to generate; all arrays (N,).

    Attributes
    ----------
    goes_class
        The class asked for, −1 of a model without labels.
    number
        Place of the image among those of its class, from 0.
    population
        Images that together have the class mix of the training split.
    balanced
        Images that hold every class as often.
    """

    goes_class: npt.NDArray[np.int8]
    number: npt.NDArray[np.int64]
    population: npt.NDArray[np.bool_]
    balanced: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.goes_class)

    def shard(self, number: int, shards: int) -> SamplePlan:
        """Give one of as many parts, from 0; together, in order, they are the whole."""
        rows = np.array_split(np.arange(len(self)), shards)[number]
        return SamplePlan(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def plan_samples(
    training_classes: npt.NDArray[np.int8],
    trained_classes: Iterable[int],
    population: int,
    per_class: int,
) -> SamplePlan:
    """Plan the images of a model with labels; an image may serve both sets.

    Parameters
    ----------
    training_classes
        (N,) class numbers of the training split.
    trained_classes
        Classes that the model was trained on; no other is asked for.
    population
        Images with the mix of the training split, by largest remainder.
    per_class
        Images of each class in the balanced set.

    Raises
    ------
    InputError
        If the training split has no image of a trained class.
    """
    classes = sorted(set(trained_classes))
    counts = np.array([np.count_nonzero(training_classes == c) for c in classes])
    if not counts.sum():
        raise InputError("the training split has no image of a trained class; nothing to sample")
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


def image_seeds(seed: int, model: str, plan: SamplePlan) -> Seeds:
    """Give each image its own seed, a function of the run's seed, the model, class and number."""
    pairs = zip(plan.goes_class.tolist(), plan.number.tolist(), strict=True)
    return np.array([derive_seed(seed, model, *pair) for pair in pairs], np.int64)
