"""Settings of the evaluation: encoders, clusters, classifier, flux response, application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from heliosynth.config.base import Positive, PositiveInt, Section
from heliosynth.config.paths import FilePath
from heliosynth.config.suggestions import hint

ENCODERS: Mapping[str, str] = {
    "efficientnet_lite0": "EfficientNet-Lite0",
    "clip": "CLIP",
}
"""Feature encoders by the name of their function in ``evaluation/encoders.py``, with titles."""


REAL = "real"
"""The test split, which is measured like a model."""
COPYCAT = "copycat"
"""Training images, measured like those of a model."""
PHASE_RANDOM = "phase_random"
"""Images with the power of training images and random phases, likewise."""
CONTROLS = (COPYCAT, PHASE_RANDOM)
"""Rows of every table of metrics whose faults are known."""


def _check_encoder(name: str) -> str:
    if name not in ENCODERS:
        raise ValueError(f"not an encoder; choose from {', '.join(ENCODERS)}{hint(name, ENCODERS)}")
    return name


EncoderName = Annotated[str, AfterValidator(_check_encoder)]
"""A key of :data:`ENCODERS`."""


class ClassifierConfig(Section):
    """Classifier of generated images, trained on real ones."""

    epochs: PositiveInt = Field(description="length of the training, passes over the split")
    batch_size: PositiveInt = Field(description="images per training step")
    learning_rate: Positive = Field(description="initial learning rate; cosine decay to 0")
    width: PositiveInt = Field(description="channels of the first stage")


class FluxResponseConfig(Section):
    """Images at a grid of X-ray fluxes, for every model that is conditioned on the flux."""

    fluxes: Annotated[int, Field(ge=2)] = Field(
        12, description="number of fluxes, evenly spaced in log₁₀ over the training range"
    )
    images: Annotated[int, Field(ge=2)] = Field(
        16, description="images per flux, with the same seeds at all fluxes"
    )


class EvaluationConfig(Section):
    """Metrics, and the models that they need."""

    encoders: list[EncoderName] = Field(
        min_length=1, description="feature encoders; the first is also used for the clusters"
    )
    clip_weights: FilePath | None = Field(
        None, description="file with open_clip ViT-B-32 weights; null: download them"
    )
    clusters: PositiveInt = Field(description="number of K-means clusters")
    kmeans: PositiveInt = Field(
        10, description="K-means clusterings of the reference, over which the metrics are averaged"
    )
    repeats: Annotated[int, Field(ge=20)] = Field(
        200, description="bootstrap resamples for every standard error"
    )
    block_days: Positive = Field(
        7.0,
        description="length of the blocks of time in which real images are resampled, days; at "
        "most dataset.split.block_days",
    )
    classifier: ClassifierConfig
    flux_response: FluxResponseConfig = FluxResponseConfig()


class ApplicationConfig(Section):
    """Downstream task: a DeiT trained from scratch with and without generated images."""

    model: str = Field(description="the ddpm whose images are added to the rare classes")
    patch_px: PositiveInt = Field(description="size of a patch, pixels; divides image_size_px")
    embedding_dim: PositiveInt = Field(description="width of the DeiT; a multiple of heads")
    depth: PositiveInt = Field(description="number of transformer blocks")
    heads: PositiveInt = Field(description="attention heads per block")
    epochs: PositiveInt = Field(description="length of the training, passes over the real images")
    batch_size: PositiveInt = Field(description="images per training step")
    learning_rate: Positive = Field(description="peak learning rate; cosine decay to 0")
    generated_per_class: PositiveInt = Field(description="generated images per rare class")
    repeats: Annotated[int, Field(ge=2, description="trainings with different seeds, per arm")]
