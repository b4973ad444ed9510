"""Settings of the models: condition, network, denoiser, training and sampling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator, model_validator

from heliosynth.config.base import Fraction, Positive, PositiveInt, Section

SAMPLERS: Mapping[str, str] = {
    "ddpm": "ancestral",
    "ddim": "DDIM",
    "heun": "Heun",
    "dpm_solver_2m": "DPM-Solver++(2M)",
}
"""Samplers by the name of their function in ``diffusion/samplers.py``, with their titles."""


class StudyUnetConfig(Section):
    """The U-Net of the study: four stages, self-attention after each."""

    kind: Literal["study_unet"]
    widths: list[PositiveInt] = Field(min_length=4, max_length=4)
    embedding_dim: PositiveInt

    @property
    def size_multiple(self) -> int:
        """What the image size must be a multiple of, pixels: each stage below the first halves."""
        return int(2 ** (len(self.widths) - 1))


class ModernUnetConfig(Section):
    """A residual U-Net on patches with learned positional maps, attention at the lowest levels."""

    kind: Literal["modern_unet"]
    patch_px: PositiveInt = Field(description="pixels folded into channels by the stem")
    width: PositiveInt
    multipliers: list[PositiveInt] = Field(min_length=1)
    blocks: PositiveInt = Field(description="residual blocks per level")
    attention_levels: PositiveInt = Field(description="lowest levels that have self-attention")
    embedding_dim: PositiveInt

    @property
    def size_multiple(self) -> int:
        """What the image size must be a multiple of, pixels: patches, halved below each level."""
        return int(self.patch_px * 2 ** (len(self.multipliers) - 1))


NetworkConfig = StudyUnetConfig | ModernUnetConfig
"""The network kinds; :data:`heliosynth.models.NETWORKS` holds a row for each."""


def network_kinds() -> list[str]:
    """Return the kind of every network config."""
    return [get_args(c.model_fields["kind"].annotation)[0] for c in get_args(NetworkConfig)]


class VariancePreservingConfig(Section):
    """Noise prediction on a discrete linear schedule (Ho et al. 2020)."""

    kind: Literal["variance_preserving"]
    noise_steps: PositiveInt
    beta_first: Positive
    beta_last: Positive


class PreconditionedConfig(Section):
    """A preconditioned denoiser (Karras et al. 2022)."""

    kind: Literal["preconditioned"]
    sigma_data: Positive
    log_sigma_mean: float
    log_sigma_std: Positive
    sigma_min: Positive
    sigma_max: Positive


class ClassConditionConfig(Section):
    """The discrete GOES class, optionally with the image's ceVAE embedding."""

    kind: Literal["goes_class"]
    embedding_of: str | None = Field(None, description="the ceVAE of the embedding")

    @property
    def title(self) -> str:
        """What figures and prose call the condition."""
        return "GOES class with ceVAE embedding" if self.embedding_of else "GOES class"


class FluxConditionConfig(Section):
    """The logarithm of the X-ray flux, a continuous condition."""

    kind: Literal["xray_flux"]

    @property
    def title(self) -> str:
        """What figures and prose call the condition."""
        return "X-ray flux"


ConditionConfig = ClassConditionConfig | FluxConditionConfig
"""The kinds of conditions."""


class TrainingConfig(Section):
    """Optimiser, length and checkpoints of a training."""

    images: PositiveInt | None = Field(None, description="length of the training, images")
    epochs: Positive | None = Field(
        None, description="length of the training, passes over the training split"
    )
    batch_size: PositiveInt
    learning_rate: Positive
    weight_decay: float = Field(0.0, ge=0)
    warmup_images: int = Field(0, ge=0)
    decay: Literal["none", "cosine"] = "none"
    gradient_clip: Positive | None = Field(None, description="largest norm of the gradient")
    ema_decay: Fraction = Field(description="decay of the EMA of the weights, per step")
    class_balance: Fraction = Field(
        0.0, description="0: sample all frames equally often, 1: all classes equally often"
    )
    flips: bool = Field(
        False, description="mirror training images at random, horizontally and vertically"
    )
    validations: PositiveInt = Field(20, description="number of validations")
    checkpoints: PositiveInt = Field(20, description="number of checkpoints")
    time_budget_minutes: Positive | None = Field(None, description="stop after this time")
    gpus: PositiveInt = Field(1, description="number of GPUs that share each batch")

    @model_validator(mode="after")
    def _check_gpus(self) -> TrainingConfig:
        if self.batch_size % self.gpus:
            raise ValueError(
                f"batch_size = {self.batch_size} must be a multiple of gpus = {self.gpus}"
            )
        return self

    @model_validator(mode="after")
    def _check_length(self) -> TrainingConfig:
        if (self.images is None) == (self.epochs is None):
            raise ValueError("set exactly one of `images` and `epochs`")
        return self


class PriorSamplingConfig(Section):
    """Sampling from a model without labels."""

    population: PositiveInt = Field(
        description="number of images with the class mix of the training split"
    )
    batch_size: PositiveInt = Field(64, description="images per batch")
    shards: PositiveInt = Field(1, description="jobs that share the images; does not change them")

    @model_validator(mode="after")
    def _check_shards(self) -> PriorSamplingConfig:
        if self.shards > self.population:
            raise ValueError(
                f"shards = {self.shards} must not exceed population = {self.population}"
            )
        return self


class SamplingConfig(PriorSamplingConfig):
    """Sampling from a diffusion model."""

    sampler: str
    steps: PositiveInt
    guidance: float = Field(
        ge=0, description="w of Ho & Salimans (2022); 0 is the conditional model"
    )
    per_class: PositiveInt = Field(description="number of images per class in the balanced set")

    @field_validator("sampler")
    @classmethod
    def _is_known(cls, sampler: str) -> str:
        if sampler not in SAMPLERS:
            raise ValueError(f"not a sampler; choose one of {', '.join(SAMPLERS)}")
        return sampler


class DdpmConfig(Section):
    """A row of `models`: a conditional diffusion model."""

    kind: Literal["ddpm"]
    condition: Annotated[ConditionConfig, Field(discriminator="kind")]
    network: Annotated[NetworkConfig, Field(discriminator="kind")]
    denoiser: Annotated[
        VariancePreservingConfig | PreconditionedConfig, Field(discriminator="kind")
    ]
    label_dropout: Fraction = Field(
        description="share of training labels dropped, for classifier-free guidance"
    )
    training: TrainingConfig
    sampling: SamplingConfig

    @property
    def size_multiple(self) -> int:
        """What the image size must be a multiple of, pixels."""
        return self.network.size_multiple


class CevaeConfig(Section):
    """A row of `models`: a context-encoding variational autoencoder (Zimmerer et al. 2018)."""

    kind: Literal["cevae"]
    latent_dim: PositiveInt
    widths: list[PositiveInt] = Field(min_length=1)
    beta: Positive = Field(description="weight of the Kullback-Leibler term")
    context_fraction: Fraction = Field(description="weight of the context-encoding loss, f")
    training: TrainingConfig
    sampling: PriorSamplingConfig

    @property
    def size_multiple(self) -> int:
        """What the image size must be a multiple of, pixels: every stage halves it."""
        return int(2 ** len(self.widths))


ModelConfig = Annotated[DdpmConfig | CevaeConfig, Field(discriminator="kind")]
