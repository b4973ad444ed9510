"""F1, precision and recall of generated images under a classifier trained on real ones."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pydantic import TypeAdapter

from heliosynth import goes_class
from heliosynth.arrays import Classes, Floats, Images, Integers
from heliosynth.config.evaluation import ClassifierConfig
from heliosynth.config.models import TrainingConfig
from heliosynth.dataset.store import LabelledImages
from heliosynth.errors import InputError
from heliosynth.evaluation.comparison import Comparison, Predictions
from heliosynth.evaluation.estimate import SHARE, Estimate
from heliosynth.evaluation.resampling import bootstrap_groups, bootstrap_within, independent_units
from heliosynth.evaluation.supervised import fit, predict
from heliosynth.models.classifier import Classifier, build_classifier
from heliosynth.training.weights import read_weights, write_weights

VALIDATION_PER_CLASS = 200
"""Largest number of validation images per class."""

_CLASSES: TypeAdapter[tuple[int, ...]] = TypeAdapter(tuple[int, ...])
_EPOCH: TypeAdapter[float] = TypeAdapter(float)


@dataclass(frozen=True)
class TrainedClassifier:
    """A classifier with its weights.

    Attributes
    ----------
    network
        From images (N, 1, H, W) to logits (N, K).
    settings
        Settings of the training.
    classes
        Class numbers in the order of the logits.
    epoch
        Number of passes over the training split after which the weights were selected.
    """

    network: Classifier
    settings: ClassifierConfig
    classes: tuple[int, ...]
    epoch: float

    def predict(self, images: Images) -> Classes:
        """Return the most likely class number (N,) of images (N, 1, H, W)."""
        return predict(self.network, images, self.classes)


@dataclass(frozen=True)
class MacroScores:
    """Scores averaged over the requested classes, and those of each class.

    Attributes
    ----------
    f1, precision, recall
        Unweighted means over the classes.
    f1_by_class
        F1 of each class; None for a class that was not requested.
    confusion
        (K, K) images by requested class (rows) and predicted class (columns).
    """

    f1: Estimate
    precision: Estimate
    recall: Estimate
    f1_by_class: dict[int, Estimate | None]
    confusion: Integers


def train_classifier(
    training: LabelledImages,
    validation: LabelledImages,
    classes: Sequence[int],
    settings: ClassifierConfig,
    seed: int,
) -> TrainedClassifier:
    """Train a classifier on real images, mirrored at random, all classes sampled equally often.

    The weights are those of the epoch with the fewest errors on validation images in which all
    classes are equally frequent, which is the highest macro recall.

    Parameters
    ----------
    training, validation
        Splits of the dataset; only images of ``classes`` are used.
    classes
        Numbers of the trained classes.
    settings
        Section ``evaluation.classifier``.
    seed
        Seed of the weights and of the order of the images.

    Raises
    ------
    InputError
        If a class has no training image.
    """
    training, validation = (split.of_classes(classes) for split in (training, validation))
    for missing in set(classes) - set(training.goes_class.tolist()):
        raise InputError(
            f"cannot train the classifier: class {goes_class.NAMES[missing]} has no training "
            "image; rebuild the dataset"
        )
    torch.manual_seed(seed)
    network = build_classifier(settings, len(classes))
    balanced = validation.take(balanced_rows(validation.goes_class, VALIDATION_PER_CLASS))
    result = fit(network, training, balanced, classes, _training_config(settings), seed)
    epoch = result.best_images / len(training)
    return TrainedClassifier(network, settings, tuple(classes), epoch)


def balanced_rows(classes: Classes, most: int) -> Integers:
    """Return rows in which every class is equally frequent, evenly spaced, rare ones repeated.

    Each class has as many rows as the most frequent one has, but at most ``most``.
    """
    present, counts = np.unique(classes, return_counts=True)
    per_class = min(most, int(counts.max(initial=0)))
    members = [np.flatnonzero(classes == c) for c in present]
    rows = [rows[np.arange(per_class) * len(rows) // per_class] for rows in members]
    return np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)


def write_classifier(path: Path | str, classifier: TrainedClassifier) -> None:
    """Write a classifier atomically: its weights, with settings, classes and epoch as header."""
    header = {
        "settings": classifier.settings.model_dump_json(),
        "classes": json.dumps(classifier.classes),
        "epoch": json.dumps(classifier.epoch),
    }
    write_weights(path, classifier.network.state_dict(), header)


def read_classifier(path: Path | str) -> TrainedClassifier:
    """Read a classifier.

    Raises
    ------
    InputError
        If the file is not a trained classifier.
    """
    weights, header = read_weights(path)
    message = f"{path}: not a trained classifier"
    try:
        settings, classes, epoch = _parse_header(header)
    except (KeyError, ValueError) as error:
        raise InputError(f"{message} ({repr(error)[:200]}); retrain it") from error
    network = build_classifier(settings, len(classes))
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise InputError(f"{message} ({str(error)[:200]}); retrain it") from error
    network.requires_grad_(False).eval()
    return TrainedClassifier(network, settings, classes, epoch)


def _parse_header(header: Mapping[str, str]) -> tuple[ClassifierConfig, tuple[int, ...], float]:
    return (
        ClassifierConfig.model_validate_json(header["settings"]),
        _CLASSES.validate_json(header["classes"]),
        _EPOCH.validate_json(header["epoch"]),
    )


def macro_scores(predictions: Predictions, repeats: int, seed: int) -> MacroScores:
    """Score predicted against requested classes: F1, precision and recall, with standard errors.

    Every requested class counts equally, however many images it has, so that real and generated
    images are compared at the same prevalence. A class that was not requested is left out of the
    means. Real images are resampled by blocks of time, generated ones within each class.

    Parameters
    ----------
    predictions
        Requested and predicted classes.
    repeats
        Resamples, at least 2.
    seed
        Seed of the resamples.
    """
    requested, predicted, classes = (
        predictions.requested,
        predictions.predicted,
        predictions.classes,
    )
    rng = np.random.default_rng(seed)
    if predictions.blocks is None:
        resamples = bootstrap_within(requested, repeats, rng)
    else:
        resamples = bootstrap_groups(predictions.blocks, repeats, rng)
    units = independent_units(len(requested), predictions.blocks)
    confusion = confusion_matrix(requested, predicted, classes)
    whole = class_scores(confusion)
    spread = np.stack(
        [
            class_scores(confusion_matrix(requested[rows], predicted[rows], classes))
            for rows in resamples
        ]
    )
    counts = confusion.sum(axis=1)

    def estimate(repeats: Floats, value: float, n: int) -> Estimate:
        # A resample of blocks can lack a class.
        measured = repeats[np.isfinite(repeats)]
        return Estimate.over(measured, n, value, units=units, bounds=SHARE)

    precision, recall, f1 = (
        estimate(_mean(spread[:, k]), float(_mean(whole[k])), len(requested)) for k in range(3)
    )
    f1_by_class = {
        c: estimate(spread[:, 2, k], whole[2, k], int(counts[k])) if counts[k] else None
        for k, c in enumerate(classes)
    }
    return MacroScores(f1, precision, recall, f1_by_class, confusion)


def confusion_matrix(requested: Classes, predicted: Classes, classes: Sequence[int]) -> Integers:
    """Count images by requested class (rows) and predicted class (columns), (K, K)."""
    rows, columns = (np.searchsorted(classes, labels) for labels in (requested, predicted))
    size = len(classes)
    return np.bincount(rows * size + columns, minlength=size**2).reshape(size, size)


def class_scores(confusion: Integers) -> Floats:
    """Return precision, recall and F1 of each class at equal prevalence, (3, K).

    With P the confusion divided by the number of each requested class, the recall is P_cc, the
    precision P_cc/Σ_r P_rc and F1 = 2 P_cc/(Σ_r P_rc + 1). A class that was not requested is
    NaN; one that was never predicted has 0.
    """
    requested = confusion.sum(axis=1, keepdims=True)
    shares = np.divide(confusion, requested, out=np.zeros(confusion.shape), where=requested > 0)
    recall, predicted = np.diag(shares), shares.sum(axis=0)
    precision = np.divide(recall, predicted, out=np.zeros_like(recall), where=predicted > 0)
    scores = np.stack([precision, recall, 2 * recall / (predicted + 1)])
    return np.where(requested[:, 0] > 0, scores, np.nan)


def _mean(scores: Floats) -> Floats:
    """Return the mean over the requested classes, which are the last axis."""
    mean: Floats = np.nanmean(scores, axis=-1)
    return mean


def measure_f1(comparison: Comparison) -> Estimate | None:
    """Measure the macro F1."""
    scores = scores_of(comparison)
    return None if scores is None else scores.f1


def measure_precision(comparison: Comparison) -> Estimate | None:
    """Measure the macro precision."""
    scores = scores_of(comparison)
    return None if scores is None else scores.precision


def measure_recall(comparison: Comparison) -> Estimate | None:
    """Measure the macro recall."""
    scores = scores_of(comparison)
    return None if scores is None else scores.recall


# The three metrics and the scores by class share one evaluation.
@functools.lru_cache(maxsize=1)
def scores_of(comparison: Comparison) -> MacroScores | None:
    """Return the scores of a comparison; None for a model without classes."""
    if comparison.predictions is None:
        return None
    settings = comparison.settings
    return macro_scores(comparison.predictions, settings.repeats, comparison.seed)


def _training_config(settings: ClassifierConfig) -> TrainingConfig:
    return TrainingConfig(
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        weight_decay=0.01,
        decay="cosine",
        gradient_clip=1.0,
        ema_decay=0.99,
        class_balance=1.0,
        flips=True,
        validations=settings.epochs,
        checkpoints=1,
    )
