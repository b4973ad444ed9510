"""The images of a dataset and of samples that are compared, and their features by encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from heliosynth.arrays import Classes
from heliosynth.config.evaluation import EvaluationConfig
from heliosynth.dataset.store import (
    GeneratedImages,
    LabelledImages,
    LazySplit,
    read_description,
    read_samples,
    read_split,
)
from heliosynth.errors import InputError
from heliosynth.evaluation.comparison import ReferenceFeatures
from heliosynth.evaluation.features import EncodedBy, EncodedFeatures, read_features


@dataclass(frozen=True)
class Reference:
    """The real images that every set is measured against.

    Attributes
    ----------
    features
        Features of the images by encoder.
    encoders
        Description of each encoder.
    classes
        Class numbers of the images, (N,).
    trained
        Numbers of the trained classes.
    """

    features: ReferenceFeatures
    encoders: Mapping[str, EncodedBy]
    classes: Classes
    trained: tuple[int, ...]


def read_trained(dataset: Path | str, split: str) -> LabelledImages:
    """Read the images of the trained classes of one split of ``dataset.h5``.

    Raises
    ------
    InputError
        If there is none.
    """
    classes = read_description(dataset).trained_classes
    images = read_split(dataset, split).of_classes(classes)
    if not len(images):
        raise InputError(f"{dataset}: no {split} image of a trained class; enlarge this split")
    return images


def read_population(samples: Path | str) -> GeneratedImages:
    """Read the population of a file of generated images.

    Raises
    ------
    InputError
        If there is none.
    """
    images = read_samples(samples)
    rows = np.flatnonzero(images.population)
    if not len(rows):
        raise InputError(f"{samples}: no image of the population; sample the model again")
    return images.take(rows)


def read_reference(
    dataset: Path | str, features: Sequence[Path | str], settings: EvaluationConfig
) -> Reference:
    """Read the reference: the training images of the trained classes.

    Raises
    ------
    InputError
        If an encoder's features are missing or are not those of the dataset's images.
    """
    trained = read_description(dataset).trained_classes
    classes = LazySplit(dataset, "train").labels.goes_class
    is_trained = np.isin(classes, trained)
    by_encoder = read_by_encoder(features, "train", len(classes), settings)
    return Reference(
        features=ReferenceFeatures(
            {name: encoded.values[is_trained] for name, encoded in by_encoder.items()}
        ),
        encoders={name: encoded.encoded_by for name, encoded in by_encoder.items()},
        classes=classes[is_trained],
        trained=trained,
    )


def read_by_encoder(
    paths: Sequence[Path | str], group: str, images: int, settings: EvaluationConfig
) -> dict[str, EncodedFeatures]:
    """Read one group of features of every configured encoder, in the configured order.

    Parameters
    ----------
    paths
        Files of features, one per encoder, in any order.
    group
        A split, or :data:`heliosynth.evaluation.features.GENERATED`.
    images
        Number of images that were encoded.
    settings
        Section ``evaluation``.

    Raises
    ------
    InputError
        If the features of an encoder are missing or of another number of images.
    """
    by_encoder: dict[str, EncodedFeatures] = {}
    for path in paths:
        encoded = read_features(path, group)
        if len(encoded.values) != images:
            raise InputError(
                f"{path}: {len(encoded.values)} features of {group!r} for {images} images; "
                "encode them again"
            )
        by_encoder[encoded.encoded_by.encoder] = encoded
    for encoder in settings.encoders:
        if encoder not in by_encoder:
            raise InputError(
                f"{encoder} features of {group!r} not found among "
                f"{', '.join(map(str, paths)) or 'no files'}; encode the images first"
            )
    return {encoder: by_encoder[encoder] for encoder in settings.encoders}
