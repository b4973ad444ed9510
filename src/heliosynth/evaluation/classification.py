"""Do generated images show the class that was asked for? A judge trained on real ones tells."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from heliosynth import goes_class
from heliosynth.config.evaluation import ClassifierConfig
from heliosynth.config.models import TrainingConfig
from heliosynth.dataset.store import LabelledImages
from heliosynth.errors import InputError
from heliosynth.evaluation.estimate import Estimate
from heliosynth.evaluation.resampling import bootstrap_within
from heliosynth.evaluation.supervised import fit, predict
from heliosynth.models.classifier import Classifier, build_classifier
from heliosynth.training.weights import read_weights, write_weights

Classes = npt.NDArray[np.int8]
Confusion = npt.NDArray[np.int64]

VALIDATION_PER_CLASS = 200
"""Validation images of each class at most."""


@dataclass(frozen=True)
class TrainedClassifier:
    """The judge with its weights.

    Attributes
    ----------
    network
        From images (N, 1, H, W) to logits (N, K).
    settings
        What it was trained with.
    classes
        Class numbers in the order of the logits.
    epoch
        Passes over the training split after which its weights were taken.
    """

    network: Classifier
    settings: ClassifierConfig
    classes: tuple[int, ...]
    epoch: float

    def judge(self, images: npt.NDArray[np.float32]) -> Classes:
        """Give the class number (N,) of images (N, 1, H, W)."""
        return predict(self.network, images, self.classes)


@dataclass(frozen=True)
class MacroScores:
    """Scores averaged over the classes asked for, and those of each class.

    Attributes
    ----------
    f1, precision, recall
        Unweighted means over the classes.
    f1_by_class
        F1 of each class; None for a class that was not asked for.
    confusion
        (K, K) images by class asked for (rows) and judged (columns).
    """

    f1: Estimate
    precision: Estimate
    recall: Estimate
    f1_by_class: dict[int, Estimate | None]
    confusion: Confusion


def train_classifier(
    training: LabelledImages,
    validation: LabelledImages,
    classes: Sequence[int],
    settings: ClassifierConfig,
    seed: int,
) -> TrainedClassifier:
    """Train the judge on real images, every class drawn as often, mirrored at random.

    The weights kept are those of the epoch with the highest macro recall on the validation
    split: the fewest errors on validation images that hold every class as often.

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
            f"the judge cannot be trained: class {goes_class.NAMES[missing]} has no training image"
        )
    torch.manual_seed(seed)
    network = build_classifier(settings, len(classes))
    balanced = validation.take(balanced_rows(validation.goes_class, VALIDATION_PER_CLASS))
    outcome = fit(network, training, balanced, classes, _training(settings), seed)
    epoch = outcome.kept_images / len(training)
    return TrainedClassifier(network, settings, tuple(classes), epoch)


def balanced_rows(classes: Classes, most: int) -> npt.NDArray[np.int64]:
    """Give rows that hold every class as often, evenly spaced, rare ones repeated.

    Each class comes as often as the most frequent one, or ``most`` times if that is less.
    """
    present, counts = np.unique(classes, return_counts=True)
    each = min(most, int(counts.max(initial=0)))
    own = [np.flatnonzero(classes == c) for c in present]
    rows = [rows[np.arange(each) * len(rows) // each] for rows in own]
    return np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)


def write_classifier(path: Path | str, judge: TrainedClassifier) -> None:
    """Write a judge whole: its weights, and in their header how it was trained."""
    about = {
        "settings": judge.settings.model_dump_json(),
        "classes": json.dumps(judge.classes),
        "epoch": json.dumps(judge.epoch),
    }
    write_weights(path, judge.network.state_dict(), about)


def read_classifier(path: Path | str) -> TrainedClassifier:
    """Read a judge.

    Raises
    ------
    InputError
        If the file holds none.
    """
    weights, about = read_weights(path)
    try:
        settings = ClassifierConfig.model_validate_json(about["settings"])
        classes = tuple(json.loads(about["classes"]))
        network = build_classifier(settings, len(classes))
        network.load_state_dict(weights)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{path}: holds no judge ({error}); train it again") from None
    network.requires_grad_(False).eval()
    return TrainedClassifier(network, settings, classes, json.loads(about["epoch"]))


def macro_scores(
    asked: Classes, judged: Classes, classes: Sequence[int], repeats: int, seed: int
) -> MacroScores:
    """Score judged against asked classes: F1, precision and recall, with their spread.

    A class that was not asked for is left out of the means. The spread is that of bootstrap
    resamples within each class.

    Parameters
    ----------
    asked, judged
        Class numbers (N,).
    classes
        All the class numbers that either may hold.
    repeats
        Resamples, at least 2.
    seed
        Seed of the resamples.
    """
    resamples = bootstrap_within(asked, repeats, np.random.default_rng(seed))
    whole = class_scores(confusion_matrix(asked, judged, classes))
    spread = np.stack(
        [class_scores(confusion_matrix(asked[rows], judged[rows], classes)) for rows in resamples]
    )
    counts = [int(np.sum(asked == c)) for c in classes]
    present = np.array(counts) > 0
    precision, recall, f1 = (
        Estimate.over(
            spread[:, k, present].mean(axis=1), len(asked), value=whole[k, present].mean()
        )
        for k in range(3)
    )
    f1_by_class = {
        c: Estimate.over(spread[:, 2, k], counts[k], value=whole[2, k]) if counts[k] else None
        for k, c in enumerate(classes)
    }
    return MacroScores(f1, precision, recall, f1_by_class, confusion_matrix(asked, judged, classes))


def confusion_matrix(asked: Classes, judged: Classes, classes: Sequence[int]) -> Confusion:
    """Count images by class asked for (rows) and judged (columns), (K, K)."""
    rows, columns = (np.searchsorted(classes, labels) for labels in (asked, judged))
    size = len(classes)
    return np.bincount(rows * size + columns, minlength=size**2).reshape(size, size)


def class_scores(confusion: Confusion) -> npt.NDArray[np.float64]:
    """Give precision, recall and F1 of each class, (3, K), 0 where one has no denominator."""
    hits = np.diag(confusion).astype(np.float64)
    asked, judged = confusion.sum(axis=1), confusion.sum(axis=0)
    return np.stack([_share(hits, judged), _share(hits, asked), _share(2 * hits, asked + judged)])


def _share(part: npt.NDArray[np.float64], whole: Confusion) -> npt.NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _training(settings: ClassifierConfig) -> TrainingConfig:
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
