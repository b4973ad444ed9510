"""Downstream task: a DeiT classifier trained with and without generated images.

Rare classes have few real images. One arm trains on the real training split, the other also on
generated images of the rare classes; both take the same number of gradient steps, start from the
same weights, and are tested on the real test split.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from tqdm import tqdm

from heliosynth import goes_class
from heliosynth.arrays import Booleans, Classes
from heliosynth.config.evaluation import ApplicationConfig
from heliosynth.config.models import TrainingConfig
from heliosynth.dataset.store import GeneratedImages, LabelledImages
from heliosynth.errors import InputError
from heliosynth.evaluation.estimate import SHARE, Estimate
from heliosynth.evaluation.supervised import fit, predict
from heliosynth.io.files import atomic_file
from heliosynth.models.deit import build_deit

RARE_CLASSES = tuple(goes_class.NAMES.index(name) for name in ("A", "M", "X"))
"""The classes whose accuracy the study compares, to which generated images are added."""

OVERALL = "overall"

Arm = Literal["real_only", "with_generated"]
ARMS: tuple[Arm, ...] = ("real_only", "with_generated")


@dataclass(frozen=True)
class Accuracy:
    """Share of n test images, of a class or of all, that one trained network predicts correctly."""

    arm: Arm
    repeat: int
    goes_class: str
    accuracy: float
    n: int


def compare(
    splits: Mapping[str, LabelledImages],
    samples: GeneratedImages,
    classes: Sequence[int],
    settings: ApplicationConfig,
    seed: int,
) -> list[Accuracy]:
    """Train and test both arms ``settings.repeats`` times with different seeds.

    Parameters
    ----------
    splits
        ``train`` and ``test``; only images of ``classes`` are used.
    samples
        Generated images with their classes.
    classes
        Numbers of the trained classes.
    settings
        Section ``application``.
    seed
        Seed of the weights and of the order of the images; both arms share it.

    Returns
    -------
    list of Accuracy
        One per arm, repeat and class with test images, and one for all classes together.

    Raises
    ------
    InputError
        If there are no test images, or too few generated ones.
    """
    real, test = (splits[split].of_classes(classes) for split in ("train", "test"))
    if not len(test):
        raise InputError("application: no test image of a trained class; enlarge the test split")
    added = select_generated(samples, classes, settings.generated_per_class)
    training = {"real_only": real, "with_generated": concatenate(real, added)}
    plan = _training_config(settings, real_images=len(real))
    rows = []
    for repeat in tqdm(range(settings.repeats), desc="DeiT repeats", mininterval=2):
        for arm in ARMS:
            network = _train_deit(training[arm], classes, settings, plan, seed + repeat)
            predicted = predict(network, test.images, classes)
            rows += _accuracies(arm, repeat, predicted, test)
    return rows


def _train_deit(
    training: LabelledImages,
    classes: Sequence[int],
    settings: ApplicationConfig,
    plan: TrainingConfig,
    seed: int,
) -> torch.nn.Module:
    torch.manual_seed(seed)
    network = build_deit(settings, training.images.shape[-1], len(classes))
    no_validation = training.take(np.zeros(0, dtype=np.int64))
    fit(network, training, no_validation, classes, plan, seed)
    return network


def filled_classes(classes: Sequence[int]) -> list[int]:
    """Return the rare classes among the trained ones, to which generated images are added."""
    return [number for number in classes if number in RARE_CLASSES]


def select_generated(
    samples: GeneratedImages, classes: Sequence[int], per_class: int
) -> LabelledImages:
    """Return ``per_class`` generated images of each rare class, those of the balanced set first.

    Raises
    ------
    InputError
        If a rare class has fewer generated images.
    """
    rows = []
    for number in filled_classes(classes):
        members = np.flatnonzero(samples.goes_class == number)
        if len(members) < per_class:
            raise InputError(
                f"application.generated_per_class: {per_class} images of class "
                f"{goes_class.NAMES[number]} are requested, but {len(members)} were generated; "
                "raise sampling.per_class"
            )
        rows.append(members[np.argsort(~samples.balanced[members], kind="stable")[:per_class]])
    return samples.take(np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64))


def concatenate(first: LabelledImages, second: LabelledImages) -> LabelledImages:
    """Concatenate the images of two sets."""
    return LabelledImages(
        images=np.concatenate([first.images, second.images]),
        goes_class=np.concatenate([first.goes_class, second.goes_class]),
        log10_flux=np.concatenate([first.log10_flux, second.log10_flux]),
        time=np.concatenate([first.time, second.time]),
    )


def summarise(
    rows: Sequence[Accuracy], classes: Sequence[int], generated_per_class: int
) -> dict[str, Any]:
    """Return ``{arm: {class: {value, std, n} or None}}`` over the repeats, for all five classes.

    A class that was not trained, or has no test image, is None. ``generated`` is the number of
    generated images of each class in the second arm.
    """
    summary: dict[str, Any] = {}
    for arm in ARMS:
        by_class: dict[str, list[Accuracy]] = {}
        for row in rows:
            if row.arm == arm:
                by_class.setdefault(row.goes_class, []).append(row)
        summary[arm] = {
            name: _estimate(by_class[name]).to_json() if name in by_class else None
            for name in (*goes_class.NAMES, OVERALL)
        }
    filled = [goes_class.NAMES[number] for number in filled_classes(classes)]
    return {**summary, "generated": dict.fromkeys(filled, generated_per_class)}


def _estimate(repeats: Sequence[Accuracy]) -> Estimate:
    return Estimate.of_trainings([row.accuracy for row in repeats], repeats[0].n, bounds=SHARE)


def write_accuracy(path: Path | str, rows: Sequence[Accuracy]) -> None:
    """Write the accuracies atomically, one line per arm, repeat and class."""
    with (
        atomic_file(path) as unfinished,
        unfinished.open("w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("arm", "repeat", "goes_class", "accuracy", "n"))
        writer.writerows(vars(row).values() for row in rows)


def _accuracies(arm: Arm, repeat: int, predicted: Classes, test: LabelledImages) -> list[Accuracy]:
    correct: Booleans = predicted == test.goes_class
    rows = []
    for number in np.unique(test.goes_class):
        of_class = correct[test.goes_class == number]
        name = goes_class.NAMES[number]
        rows.append(Accuracy(arm, repeat, name, float(of_class.mean()), len(of_class)))
    return [*rows, Accuracy(arm, repeat, OVERALL, float(correct.mean()), len(correct))]


def _training_config(settings: ApplicationConfig, real_images: int) -> TrainingConfig:
    # The length is in images rather than epochs, so that both arms take the same number of steps.
    images = settings.epochs * real_images
    return TrainingConfig(
        images=images,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        weight_decay=0.05,
        warmup_images=images // 10,
        decay="cosine",
        gradient_clip=1.0,
        ema_decay=0.99,
        flips=True,
        validations=1,
        checkpoints=1,
    )
