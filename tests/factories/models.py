"""Trained models and their samples, without training or sampling."""

from pathlib import Path

import numpy as np

from factories.dataset import random_flux, sun
from heliosynth import goes_class
from heliosynth.arrays import Integers
from heliosynth.config.models import CevaeConfig, ClassConditionConfig, DdpmConfig
from heliosynth.config.schema import RunConfig
from heliosynth.dataset.store import (
    NO_TIME,
    UNKNOWN_CLASS,
    GeneratedImages,
    read_description,
    write_samples,
)
from heliosynth.training.objectives import build_objective
from heliosynth.training.trained_model import TrainedModel, write_model
from heliosynth.training.trainer import TrainingResult

PER_CLASS = 8
UNLABELLED = 24
IMAGES, SECONDS = 40_000, 412.3
FLUXES, SEEDS = 12, 4


def write_models(results: Path, configuration: RunConfig) -> None:
    """Write the folder of every model, with random weights, and its samples."""
    rng = np.random.default_rng(2)
    dataset = read_description(results / "dataset/dataset.h5")
    size_px = configuration.dataset.image_size_px
    for name, config in configuration.models.items():
        dim = embedding_dim(configuration, config)
        objective = build_objective(config, size_px, dim)
        model = TrainedModel(name, config, size_px, dataset.trained_classes, dim, objective)
        about = {"model": name, "training_images": 238, "device": "cpu"}
        write_model(results / f"models/{name}", model, training_result(rng), about)
        labelled = isinstance(config, DdpmConfig)
        samples = generated_images(rng, dataset.trained_classes, labelled, size_px)
        write_samples(results / f"samples/{name}.h5", samples, dataset)
    for name in configuration.flux_models:
        path = results / f"samples/flux_response/{name}.h5"
        write_samples(path, flux_grid(rng, size_px), dataset)


def embedding_dim(configuration: RunConfig, config: DdpmConfig | CevaeConfig) -> int:
    """Return the length of the ceVAE embedding in a model's condition, 0 without one."""
    if isinstance(config, DdpmConfig) and isinstance(config.condition, ClassConditionConfig):
        cevae = configuration.models.get(config.condition.embedding_of or "")
        return cevae.latent_dim if isinstance(cevae, CevaeConfig) else 0
    return 0


def training_result(rng: np.random.Generator) -> TrainingResult:
    """Return the result of a training whose losses decay; its weights are left out."""
    decay = 0.9 * np.exp(-np.arange(21) / 6)
    history = tuple(
        {
            "images": IMAGES * step // 20,
            "seconds": SECONDS * step / 20,
            "train_loss": None if step == 0 else float(value + 0.08 + rng.normal(0, 0.01)),
            "val_loss": float(value + 0.1),
            "learning_rate": 1e-3,
        }
        for step, value in enumerate(decay)
    )
    return TrainingResult(
        weights={},
        best_images=IMAGES,
        best_loss=0.1,
        images=IMAGES,
        planned_images=IMAGES,
        seconds=SECONDS,
        stop_reason="planned length",
        history=history,
    )


def generated_images(
    rng: np.random.Generator, classes: tuple[int, ...], labelled: bool, size_px: int
) -> GeneratedImages:
    """Return a model's samples: balanced over the classes, or of unknown classes."""
    numbers = np.repeat(classes, PER_CLASS) if labelled else rng.integers(0, 5, UNLABELLED)
    count = len(numbers)
    unknown = np.full(count, UNKNOWN_CLASS)
    return images_of(
        rng,
        numbers,
        size_px,
        goes_class=(numbers if labelled else unknown).astype(np.int8),
        log10_flux=(random_flux(rng, numbers) if labelled else np.full(count, np.nan)),
        seed=np.arange(count),
        population=np.ones(count, bool),
        balanced=np.full(count, labelled),
    )


def flux_grid(rng: np.random.Generator, size_px: int) -> GeneratedImages:
    """Return images at evenly spaced log₁₀ fluxes, with the same seeds at each."""
    log10_flux = np.repeat(np.linspace(-7.6, -3.4, FLUXES), SEEDS)
    numbers = goes_class.of_flux(10.0**log10_flux)
    count = len(numbers)
    return images_of(
        rng,
        numbers,
        size_px,
        goes_class=numbers,
        log10_flux=log10_flux,
        seed=np.tile(np.arange(SEEDS), FLUXES),
        population=np.zeros(count, bool),
        balanced=np.zeros(count, bool),
    )


def images_of(
    rng: np.random.Generator, numbers: Integers, size_px: int, **labels: np.ndarray
) -> GeneratedImages:
    """Return generated images that look like their classes."""
    labels["log10_flux"] = labels["log10_flux"].astype(np.float32)
    images = np.stack([sun(rng, number, size_px) for number in numbers])[:, None]
    return GeneratedImages(images=images, time=np.full(len(images), NO_TIME, np.int64), **labels)
