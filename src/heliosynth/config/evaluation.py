"""Settings of the evaluation: encoders, clusters, classifier, flux response, application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from heliosynth.config.base import Positive, PositiveInt, Section

ENCODERS: Mapping[str, str] = {"efficientnet_lite0": "EfficientNet-Lite0", "clip": "CLIP"}
"""Feature encoders by the name of their function in ``evaluation/encoders.py``, with titles."""


def _check_encoder(name: str) -> str:
    if name not in ENCODERS:
        raise ValueError(f"not an encoder; choose from {', '.join(ENCODERS)}")
    return name


EncoderName = Annotated[str, AfterValidator(_check_encoder)]
"""A key of :data:`ENCODERS`."""


class ClassifierConfig(Section):
    """The network that judges generated images, trained on real ones."""

    epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: Positive
    width: PositiveInt = Field(description="channels of the first stage")


class FluxResponseConfig(Section):
    """Images at an even grid of X-ray fluxes, of every model that is conditioned on the flux."""

    fluxes: Annotated[int, Field(ge=2)] = Field(
        12, description="fluxes, even in log₁₀ from the lowest training flux to the highest"
    )
    images: Annotated[int, Field(ge=2)] = Field(
        16, description="images at each flux, of the same seeds at all"
    )


class EvaluationConfig(Section):
    """Every metric of the study."""

    encoders: list[EncoderName] = Field(
        min_length=1, description="feature encoders; the first is also used for the clusters"
    )
    clip_weights: str | None = Field(
        None, description="file with open_clip ViT-B-32 weights; null asks the model hub"
    )
    clusters: PositiveInt
    repeats: Annotated[int, Field(ge=2, description="repeats behind every spread")]
    classifier: ClassifierConfig
    flux_response: FluxResponseConfig = FluxResponseConfig()


class ApplicationConfig(Section):
    """A DeiT trained from scratch with and without generated images."""

    model: str = Field(description="the ddpm whose images fill the rare classes")
    patch_px: PositiveInt
    embedding_dim: PositiveInt
    depth: PositiveInt
    heads: PositiveInt
    epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: Positive
    generated_per_class: PositiveInt
    repeats: Annotated[int, Field(ge=2, description="trainings with other seeds")]
