"""All the metrics of one set of images against the real reference: ``metrics/<name>.json``.

The reference is the training split of the trained classes. A model's set is its images marked
``population``; the row ``real`` is the test split, drawn to the reference's class mix. F1,
precision and recall take a model's images marked ``balanced``, and for ``real`` all test images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from heliosynth import goes_class
from heliosynth.config.evaluation import EvaluationConfig
from heliosynth.dataset.store import UNKNOWN_CLASS, read_description, read_samples, read_split
from heliosynth.errors import InputError
from heliosynth.evaluation.classification import MacroScores, macro_scores, read_classifier
from heliosynth.evaluation.clusters import cluster_metrics
from heliosynth.evaluation.estimate import EstimateJson
from heliosynth.evaluation.features import GENERATED, EncodedBy, Features, read_features
from heliosynth.evaluation.frechet import frechet_estimate, kernel_estimate
from heliosynth.evaluation.resampling import Rows, resample_to_mix
from heliosynth.io.provenance import stamp

Classes = npt.NDArray[np.int8]
Metrics = dict[str, EstimateJson | None]


@dataclass(frozen=True)
class Reference:
    """The real images that every set is measured against.

    Attributes
    ----------
    features
        Features of the images by encoder, (N, D) each.
    encoders
        What each encoder is.
    classes
        Class numbers of the images, (N,).
    trained
        The numbers of the trained classes.
    """

    features: Mapping[str, npt.NDArray[np.float32]]
    encoders: Mapping[str, EncodedBy]
    classes: Classes
    trained: tuple[int, ...]


@dataclass(frozen=True)
class Judged:
    """Images whose class is judged, and the class asked for."""

    images: npt.NDArray[np.float32]
    asked: Classes


@dataclass(frozen=True)
class Compared:
    """One set of images, ready to be measured against the reference.

    Attributes
    ----------
    features
        Features of the set by encoder, (n, D) each.
    judged
        The images for F1, precision and recall; None where no class was asked for.
    about
        How the set was drawn.
    """

    features: Mapping[str, npt.NDArray[np.float32]]
    judged: Judged | None
    about: Mapping[str, Any]


def measure(
    dataset: Path | str,
    features: Sequence[Path | str],
    judge: Path | str,
    settings: EvaluationConfig,
    seed: int,
    samples: Path | str | None = None,
    generated_features: Sequence[Path | str] = (),
    population: int | None = None,
) -> dict[str, Any]:
    """Measure a model's images, or held-out real ones, against the training split.

    Parameters
    ----------
    dataset, features
        ``dataset.h5`` and the features of its images, one file an encoder, in any order.
    judge
        The trained judge.
    settings
        Section ``evaluation``.
    seed
        Seed of every draw; the same for all rows, so that all see the same clusters.
    samples, generated_features
        A model's images and their features; without them the test split is measured.
    population
        Images of the set; None takes all of a model's population.

    Returns
    -------
    Every metric by name, an estimate or None where it does not apply, and beside them
    ``f1_by_class``, ``confusion`` and ``about``.

    Raises
    ------
    InputError
        If features are missing or not of these images, or the population is too small.
    """
    reference = read_reference(dataset, features, settings)
    if samples is None:
        compared = _held_out(dataset, features, reference, settings, seed, population)
    else:
        compared = _generated(samples, generated_features, reference, settings, seed, population)
    scores = _judge_scores(judge, compared.judged, settings, seed)
    return {
        **_distances(reference.features, compared.features, settings, seed),
        **_scores_json(scores),
        "about": stamp(
            reference={
                "split": "train",
                "classes": _letters(reference.trained),
                "n": len(reference.classes),
            },
            encoders={name: vars(encoder) for name, encoder in reference.encoders.items()},
            seed=seed,
            **compared.about,
        ),
    }


def read_reference(
    dataset: Path | str, features: Sequence[Path | str], settings: EvaluationConfig
) -> Reference:
    """Read the reference: the training split without the scarce classes.

    Raises
    ------
    InputError
        If an encoder's features are missing or not those of the dataset's images.
    """
    trained = read_description(dataset).trained_classes
    classes = read_split(dataset, "train").goes_class
    used = np.isin(classes, trained)
    found = _by_encoder(features, "train", len(classes), settings)
    return Reference(
        features={name: of_images.values[used] for name, of_images in found.items()},
        encoders={name: of_images.encoded_by for name, of_images in found.items()},
        classes=classes[used],
        trained=trained,
    )


def _held_out(
    dataset: Path | str,
    features: Sequence[Path | str],
    reference: Reference,
    settings: EvaluationConfig,
    seed: int,
    population: int | None,
) -> Compared:
    test = read_split(dataset, "test")
    found = _by_encoder(features, "test", len(test), settings)
    known = test.of_classes(reference.trained)
    if not len(known):
        raise InputError(f"{dataset}: no test image of a trained class; give the test split more")
    n = len(known) if population is None else population
    draw = resample_to_mix(test.goes_class, reference.classes, n, np.random.default_rng(seed))
    about = {
        "set": "test split, drawn to the class mix of the reference",
        "classes_drawn_with_replacement": _letters(draw.repeated),
        "classes_without_an_image": _letters(draw.missing),
        "distinct_images": len(np.unique(draw.rows)),
    }
    values = {encoder: found[encoder].values[draw.rows] for encoder in found}
    return Compared(values, Judged(known.images, known.goes_class), about)


def _generated(
    samples: Path | str,
    features: Sequence[Path | str],
    reference: Reference,
    settings: EvaluationConfig,
    seed: int,
    population: int | None,
) -> Compared:
    generated = read_samples(samples)
    found = _by_encoder(features, GENERATED, len(generated), settings)
    for encoder, of_real in reference.encoders.items():
        if found[encoder].encoded_by != of_real:
            raise InputError(
                f"{samples}: its {encoder} features are of other weights than the real"
            )
    rows = np.flatnonzero(generated.population)
    wanted = len(rows) if population is None else population
    if len(rows) < max(2, wanted):
        raise InputError(
            f"{samples}: {len(rows)} population images, but {max(2, wanted)} are to be measured; "
            "raise sampling.population"
        )
    if wanted < len(rows):
        rows = rows[_part(generated.goes_class[rows], reference.classes, wanted, seed)]
    balanced = generated.take(np.flatnonzero(generated.balanced))
    judged = Judged(balanced.images, balanced.goes_class) if len(balanced) else None
    values = {encoder: found[encoder].values[rows] for encoder in found}
    about = {"set": "population of the model", "distinct_images": len(np.unique(rows))}
    return Compared(values, judged, about)


def _part(classes: Classes, reference: Classes, n: int, seed: int) -> Rows:
    """Draw n rows of a population, to the reference's class mix where it has classes."""
    rng = np.random.default_rng(seed)
    if np.any(classes == UNKNOWN_CLASS):
        return rng.choice(len(classes), n, replace=False)
    return resample_to_mix(classes, reference, n, rng).rows


def _by_encoder(
    paths: Sequence[Path | str], group: str, images: int, settings: EvaluationConfig
) -> dict[str, Features]:
    """Read one group of features of every configured encoder, in the configured order."""
    found: dict[str, Features] = {}
    for path in paths:
        features = read_features(path, group)
        if len(features.values) != images:
            raise InputError(
                f"{path}: {len(features.values)} features of {group!r} for {images} images; "
                "encode them again"
            )
        found[features.encoded_by.encoder] = features
    for encoder in settings.encoders:
        if encoder not in found:
            raise InputError(f"no {encoder} features of {group!r} were given; encode them first")
    return {encoder: found[encoder] for encoder in settings.encoders}


def _distances(
    reference: Mapping[str, npt.NDArray[np.float32]],
    features: Mapping[str, npt.NDArray[np.float32]],
    settings: EvaluationConfig,
    seed: int,
) -> Metrics:
    first = settings.encoders[0]
    clusters = cluster_metrics(
        reference[first], features[first], settings.clusters, settings.repeats, seed
    )
    metrics: Metrics = {name: estimate.to_json() for name, estimate in vars(clusters).items()}
    for encoder in settings.encoders:
        sets = reference[encoder], features[encoder]
        metrics[f"fid_{encoder}"] = frechet_estimate(*sets, settings.repeats, seed).to_json()
        metrics[f"kid_{encoder}"] = kernel_estimate(*sets, settings.repeats, seed).to_json()
    return metrics


def _judge_scores(
    judge: Path | str, judged: Judged | None, settings: EvaluationConfig, seed: int
) -> tuple[MacroScores, tuple[int, ...]] | None:
    if judged is None:
        return None
    trained = read_classifier(judge)
    answers = trained.judge(judged.images)
    scores = macro_scores(judged.asked, answers, trained.classes, settings.repeats, seed)
    return scores, trained.classes


def _scores_json(found: tuple[MacroScores, tuple[int, ...]] | None) -> dict[str, Any]:
    if found is None:
        return dict.fromkeys(("f1", "precision", "recall", "f1_by_class", "confusion"))
    scores, classes = found
    return {
        **{name: getattr(scores, name).to_json() for name in ("f1", "precision", "recall")},
        "f1_by_class": {
            goes_class.NAMES[number]: estimate and estimate.to_json()
            for number, estimate in scores.f1_by_class.items()
        },
        "confusion": {"classes": _letters(classes), "asked_by_judged": scores.confusion.tolist()},
    }


def _letters(classes: Sequence[int]) -> list[str]:
    return [goes_class.NAMES[number] for number in classes]
