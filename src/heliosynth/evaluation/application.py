"""What generated images are good for: a DeiT trained with and without them.

Real images of the rare classes are few. One arm trains on the real training split as it is, the
other with generated images of the rare classes added; both take as many gradient steps and
start from the same weights, and both are tested on the real test split.
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
from heliosynth.config.evaluation import ApplicationConfig
from heliosynth.config.models import TrainingConfig
from heliosynth.dataset.store import GeneratedImages, LabelledImages
from heliosynth.errors import InputError
from heliosynth.evaluation.estimate import Estimate
from heliosynth.evaluation.supervised import fit, predict
from heliosynth.io.files import atomic_file
from heliosynth.models.classifier import build_deit

RARE_CLASSES = tuple(goes_class.NAMES.index(name) for name in ("A", "M", "X"))
"""The classes whose accuracy the study compares, and that generated images fill."""

OVERALL = "overall"

Arm = Literal["real_only", "with_generated"]
ARMS: tuple[Arm, ...] = ("real_only", "with_generated")


@dataclass(frozen=True)
class Accuracy:
    """The share of the n test images of a class, or of all, that one training got right."""

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
    """Train and test both arms, as often as the settings say, each time with another seed.

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
    One row an arm, repeat and class with test images, and one for all classes together.

    Raises
    ------
    InputError
        If there are no test images, or too few generated ones.
    """
    real, test = (splits[split].of_classes(classes) for split in ("train", "test"))
    if not len(test):
        raise InputError("application: no test image of a trained class; give the test split more")
    training = {
        "real_only": real,
        "with_generated": joined(real, chosen(samples, classes, settings.generated_per_class)),
    }
    rows = []
    for repeat in tqdm(range(settings.repeats), desc="DeiT repeats", mininterval=2):
        for arm in ARMS:
            torch.manual_seed(seed + repeat)
            network = build_deit(settings, real.images.shape[-1], len(classes))
            plan = _training(settings, len(real))
            nothing = test.take(np.zeros(0, dtype=np.int64))
            fit(network, training[arm], nothing, classes, plan, seed + repeat)
            told = predict(network, test.images, classes)
            rows += _accuracies(arm, repeat, test.goes_class == told, test)
    return rows


def filled_classes(classes: Sequence[int]) -> list[int]:
    """Give the rare classes among the trained ones: those that get generated images."""
    return [number for number in classes if number in RARE_CLASSES]


def chosen(samples: GeneratedImages, classes: Sequence[int], per_class: int) -> LabelledImages:
    """Take so many generated images of each rare class, those of the balanced set first.

    Raises
    ------
    InputError
        If a class has too few.
    """
    rows = []
    for number in filled_classes(classes):
        own = np.flatnonzero(samples.goes_class == number)
        if len(own) < per_class:
            raise InputError(
                f"application.generated_per_class: {per_class} images of class "
                f"{goes_class.NAMES[number]} are asked for, {len(own)} were generated; "
                "raise sampling.per_class"
            )
        rows.append(own[np.argsort(~samples.balanced[own], kind="stable")[:per_class]])
    return samples.take(np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64))


def joined(first: LabelledImages, second: LabelledImages) -> LabelledImages:
    """Put two sets of images in one."""
    return LabelledImages(
        images=np.concatenate([first.images, second.images]),
        goes_class=np.concatenate([first.goes_class, second.goes_class]),
        log10_flux=np.concatenate([first.log10_flux, second.log10_flux]),
        time=np.concatenate([first.time, second.time]),
    )


def summarise(
    rows: Sequence[Accuracy], classes: Sequence[int], generated_per_class: int
) -> dict[str, Any]:
    """Give ``{arm: {class: {value, std, n} or None}}`` over the repeats, for all five classes.

    A class that was not trained, or has no test image, is None. ``generated`` says how many
    generated images of which classes the second arm had.
    """
    summary: dict[str, Any] = {}
    for arm in ARMS:
        found: dict[str, list[Accuracy]] = {}
        for row in rows:
            if row.arm == arm:
                found.setdefault(row.goes_class, []).append(row)
        summary[arm] = {
            name: Estimate.over([row.accuracy for row in found[name]], found[name][0].n).to_json()
            if name in found
            else None
            for name in (*goes_class.NAMES, OVERALL)
        }
    filled = [goes_class.NAMES[number] for number in filled_classes(classes)]
    return {**summary, "generated": dict.fromkeys(filled, generated_per_class)}


def write_accuracy(path: Path | str, rows: Sequence[Accuracy]) -> None:
    """Write the accuracies whole, one line an arm, repeat and class."""
    with (
        atomic_file(path) as unfinished,
        unfinished.open("w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("arm", "repeat", "goes_class", "accuracy", "n"))
        writer.writerows(vars(row).values() for row in rows)


def _accuracies(
    arm: Arm, repeat: int, right: np.ndarray[Any, np.dtype[np.bool_]], test: LabelledImages
) -> list[Accuracy]:
    rows = []
    for number in np.unique(test.goes_class):
        own = right[test.goes_class == number]
        name = goes_class.NAMES[number]
        rows.append(Accuracy(arm, repeat, name, float(own.mean()), len(own)))
    return [*rows, Accuracy(arm, repeat, OVERALL, float(right.mean()), len(right))]


def _training(settings: ApplicationConfig, real_images: int) -> TrainingConfig:
    # Counted in images rather than epochs, so that both arms take as many steps.
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
