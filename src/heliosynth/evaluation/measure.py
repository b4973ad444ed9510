"""Measurement of sets of images against the real reference: ``metrics/<name>.json``.

The reference is the training split of the trained classes. A model's set is its images marked
``population``; ``real`` is the test split, drawn to the reference's class mix. The classifier
predicts the classes of a model's images marked ``balanced``, and for ``real`` those of all test
images. Real images are resampled by blocks of time, generated ones one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from heliosynth import goes_class
from heliosynth.arrays import Classes, Features, Images, Integers
from heliosynth.config.evaluation import EvaluationConfig
from heliosynth.dataset.store import UNKNOWN_CLASS, read_samples, read_split
from heliosynth.errors import InputError
from heliosynth.evaluation.classification import TrainedClassifier, read_classifier, scores_of
from heliosynth.evaluation.comparison import Comparison, Predictions
from heliosynth.evaluation.estimate import Estimate, EstimateJson
from heliosynth.evaluation.features import GENERATED
from heliosynth.evaluation.metrics import METRICS, metric_names, split_name
from heliosynth.evaluation.reference import Reference, read_by_encoder, read_reference
from heliosynth.evaluation.resampling import draw_mix, time_blocks
from heliosynth.io.provenance import stamp
from heliosynth.registry import resolve

LEAST_IMAGES = 2
"""Smallest number of images of a set; the covariance of one image is not defined."""
LEAST_BLOCKS = 2
"""Smallest number of blocks of time of a set of real frames; one block has no spread."""


@dataclass(frozen=True)
class ClassifiedImages:
    """Images whose class the classifier predicts.

    Attributes
    ----------
    images
        (n, 1, H, W).
    requested
        Requested classes, or labels of real images, (n,).
    blocks
        Block of time of each real image, (n,); None for generated images.
    """

    images: Images
    requested: Classes
    blocks: Integers | None = None


@dataclass(frozen=True)
class MeasuredSet:
    """One set of images that is measured against the reference.

    Attributes
    ----------
    features
        Features of the set by encoder, (n, D) each.
    classified
        Images for the classifier; None for a model without classes.
    about
        How the set was selected.
    blocks
        Block of time of each image of a set of real frames, (n,); None for generated images.
    """

    features: Mapping[str, Features]
    classified: ClassifiedImages | None
    about: Mapping[str, Any]
    blocks: Integers | None = None


@dataclass(frozen=True, eq=False)
class Measurement:
    """What all sets of images of a run are measured with.

    Attributes
    ----------
    dataset
        ``dataset.h5``.
    features
        Features of its images, one file per encoder, in any order.
    reference
        The training images of the trained classes.
    classifier
        The trained classifier.
    settings
        Section ``evaluation``.
    seed
        Seed of all random draws; the same for all sets, so that all have the same clusters.
    population
        Number of images of a set; None: the whole population, or as many as test images.
    """

    dataset: Path | str
    features: Sequence[Path | str]
    reference: Reference
    classifier: TrainedClassifier
    settings: EvaluationConfig
    seed: int
    population: int | None = None

    @classmethod
    def read(
        cls,
        *,
        dataset: Path | str,
        features: Sequence[Path | str],
        classifier: Path | str,
        settings: EvaluationConfig,
        seed: int,
        population: int | None = None,
    ) -> Measurement:
        """Read the reference and the classifier.

        Raises
        ------
        InputError
            If features are missing or belong to other images, or a file cannot be read.
        """
        return cls(
            dataset=dataset,
            features=features,
            reference=read_reference(dataset, features, settings),
            classifier=read_classifier(classifier),
            settings=settings,
            seed=seed,
            population=population,
        )

    def of_test_split(self) -> dict[str, Any]:
        """Measure the real test split.

        Returns
        -------
        dict
            Every metric by name, an estimate or None where it does not apply, then
            ``f1_by_class``, ``confusion`` and ``about``.

        Raises
        ------
        InputError
            If features are missing or belong to other images, or the test split has no image of a
            trained class or only one block of time.
        """
        return self._measure(_test_split(self))

    def of_samples(
        self, samples: Path | str, features: Sequence[Path | str], *, is_control: bool = False
    ) -> dict[str, Any]:
        """Measure the images of a model or a control.

        Parameters
        ----------
        samples, features
            Generated images, and their features, one file per encoder.
        is_control
            Whether the population can be smaller: that of a control is limited by the training
            split.

        Returns
        -------
        dict
            As :meth:`of_test_split`.

        Raises
        ------
        InputError
            If features are missing or belong to other images, or the population is too small.
        """
        return self._measure(_generated(self, samples, features, is_control=is_control))

    def _measure(self, measured: MeasuredSet) -> dict[str, Any]:
        reference = self.reference
        comparison = Comparison(
            reference=reference.features,
            features=measured.features,
            predictions=_predict(self.classifier, measured.classified),
            settings=self.settings,
            seed=self.seed,
            blocks=measured.blocks,
        )
        return {
            **measure_metrics(comparison),
            **_scores_by_class(comparison),
            "about": stamp(
                reference={
                    "split": "train",
                    "classes": _letters(reference.trained),
                    "n": len(reference.classes),
                },
                encoders={name: vars(encoder) for name, encoder in reference.encoders.items()},
                seed=self.seed,
                **measured.about,
            ),
        }


def measure_metrics(comparison: Comparison) -> dict[str, EstimateJson | None]:
    """Measure every metric of the registry; None where one does not apply."""
    metrics: dict[str, EstimateJson | None] = {}
    for name in metric_names(comparison.settings.encoders):
        key, encoder = split_name(name)
        function = resolve(METRICS[key].function)
        arguments = (comparison,) if encoder is None else (comparison, encoder)
        estimate: Estimate | None = function(*arguments)
        metrics[name] = None if estimate is None else estimate.to_json()
    return metrics


def _test_split(measurement: Measurement) -> MeasuredSet:
    dataset, reference = measurement.dataset, measurement.reference
    settings, population = measurement.settings, measurement.population
    test = read_split(dataset, "test")
    by_encoder = read_by_encoder(measurement.features, "test", len(test), settings)
    trained = test.of_classes(reference.trained)
    if not len(trained):
        raise InputError(
            f"{dataset}: no test image of a trained class; increase dataset.split.test"
        )
    n = len(trained) if population is None else population
    rng = np.random.default_rng(measurement.seed)
    mixed = draw_mix(test.goes_class, reference.classes, n, rng)
    blocks = time_blocks(test.time, settings.block_days)
    for images, rows in (("test images", np.arange(len(test))), ("drawn images", mixed.rows)):
        if len(np.unique(blocks[rows])) < LEAST_BLOCKS:
            raise InputError(
                f"{dataset}: all {images} are in one block of {settings.block_days:g} days, so the "
                "metrics have no standard error; shorten evaluation.block_days, or increase "
                "dataset.split.test"
            )
    is_trained = np.isin(test.goes_class, reference.trained)
    about = {
        "set": "test split, drawn to the class mix of the reference",
        "classes_without_an_image": _letters(mixed.missing),
        "distinct_images": len(mixed.rows),
        "blocks_of_time": len(np.unique(blocks[mixed.rows])),
        "block_days": settings.block_days,
    }
    return MeasuredSet(
        features={name: encoded.values[mixed.rows] for name, encoded in by_encoder.items()},
        classified=ClassifiedImages(trained.images, trained.goes_class, blocks[is_trained]),
        about=about,
        blocks=blocks[mixed.rows],
    )


def _generated(
    measurement: Measurement,
    samples: Path | str,
    features: Sequence[Path | str],
    *,
    is_control: bool,
) -> MeasuredSet:
    reference = measurement.reference
    generated = read_samples(samples)
    by_encoder = read_by_encoder(features, GENERATED, len(generated), measurement.settings)
    for encoder, encoded_by in reference.encoders.items():
        if by_encoder[encoder].encoded_by != encoded_by:
            raise InputError(
                f"{samples}: its {encoder} features come from other encoder weights than those of "
                "real images; encode both again"
            )
    rows = np.flatnonzero(generated.population)
    n = len(rows) if measurement.population is None else measurement.population
    if is_control:
        n = min(n, len(rows))
    if len(rows) < max(LEAST_IMAGES, n):
        raise InputError(
            f"{samples}: {len(rows)} population images, but {max(LEAST_IMAGES, n)} are required; "
            "raise sampling.population"
        )
    if n < len(rows):
        rows = rows[_subset(generated.goes_class[rows], reference.classes, n, measurement.seed)]
    balanced = generated.take(np.flatnonzero(generated.balanced))
    return MeasuredSet(
        features={name: encoded.values[rows] for name, encoded in by_encoder.items()},
        classified=(
            ClassifiedImages(balanced.images, balanced.goes_class) if len(balanced) else None
        ),
        about={"set": "population of the model", "distinct_images": len(np.unique(rows))},
    )


def _subset(classes: Classes, reference: Classes, n: int, seed: int) -> Integers:
    """Draw n rows of a population, with the reference's class mix if it has classes."""
    rng = np.random.default_rng(seed)
    if np.any(classes == UNKNOWN_CLASS):
        return rng.choice(len(classes), n, replace=False)
    return draw_mix(classes, reference, n, rng).rows


def _predict(
    classifier: TrainedClassifier, classified: ClassifiedImages | None
) -> Predictions | None:
    if classified is None:
        return None
    predicted = classifier.predict(classified.images)
    return Predictions(classified.requested, predicted, classifier.classes, classified.blocks)


def _scores_by_class(comparison: Comparison) -> dict[str, Any]:
    scores, predictions = scores_of(comparison), comparison.predictions
    if scores is None or predictions is None:
        return {"f1_by_class": None, "confusion": None}
    return {
        "f1_by_class": {
            goes_class.NAMES[number]: None if estimate is None else estimate.to_json()
            for number, estimate in scores.f1_by_class.items()
        },
        "confusion": {
            "classes": _letters(predictions.classes),
            "asked_by_judged": scores.confusion.tolist(),
        },
    }


def _letters(classes: Sequence[int]) -> list[str]:
    return [goes_class.NAMES[number] for number in classes]
