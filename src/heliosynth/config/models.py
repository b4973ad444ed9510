"""Settings of the models: condition, network, denoiser, training and sampling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator, model_validator

from heliosynth.config.base import Fraction, Positive, PositiveInt, Section
from heliosynth.config.suggestions import hint

NoiseLevel = Annotated[float, Field(ge=1e-6, le=1e6)]
"""A noise level σ that single precision can square."""

SAMPLERS: Mapping[str, str] = {
    "ddpm": "ancestral",
    "ddim": "DDIM",
    "heun": "Heun",
    "dpm_solver_2m": "DPM-Solver++(2M)",
}
"""Samplers by the name of their function in ``diffusion/samplers.py``, with their titles."""


class StudyUnetConfig(Section):
    """The U-Net of the study: four widths, self-attention after each change of resolution."""

    kind: Literal["study_unet"]
    widths: list[PositiveInt] = Field(
        min_length=4, max_length=4, description="channels at full size and after each stage down"
    )
    embedding_dim: PositiveInt = Field(description="length of the embedding of step and condition")

    @property
    def size_multiple(self) -> int:
        """Number of pixels that divides every valid image size: three stages halve the image."""
        return int(2 ** (len(self.widths) - 1))


class ModernUnetConfig(Section):
    """A residual U-Net on patches with learned positional maps, attention at the lowest levels."""

    kind: Literal["modern_unet"]
    patch_px: PositiveInt = Field(
        description="size of the patches that the stem folds into channels, pixels"
    )
    width: PositiveInt = Field(description="channels of a level with multiplier 1")
    multipliers: list[PositiveInt] = Field(
        min_length=1, description="channels of each level, in units of width"
    )
    blocks: PositiveInt = Field(description="residual blocks per level, down and up")
    attention_levels: PositiveInt = Field(
        description="number of levels with self-attention, from the lowest resolution up"
    )
    embedding_dim: PositiveInt = Field(
        description="length of the embedding of noise level and condition"
    )

    @property
    def size_multiple(self) -> int:
        """Number of pixels that divides every valid image size: patches, halved per level."""
        return int(self.patch_px * 2 ** (len(self.multipliers) - 1))


NetworkConfig = StudyUnetConfig | ModernUnetConfig
"""The network kinds; :data:`heliosynth.models.NETWORKS` has a row for each."""


def network_kinds() -> list[str]:
    """Return the kind of every network config."""
    return [get_args(c.model_fields["kind"].annotation)[0] for c in get_args(NetworkConfig)]


class VariancePreservingConfig(Section):
    """Noise prediction on a discrete linear schedule (Ho et al. 2020)."""

    kind: Literal["variance_preserving"]
    noise_steps: Annotated[int, Field(ge=2, lt=2**31)] = Field(
        description="number of steps T of the schedule"
    )
    beta_first: Annotated[float, Field(gt=0, lt=1)] = Field(description="β of the first step")
    beta_last: Annotated[float, Field(gt=0, lt=1)] = Field(description="β of the last step")


class PreconditionedConfig(Section):
    """A preconditioned denoiser (Karras et al. 2022); images are in [−1, 1], and σ in their units.

    The training noise levels are log-normal.
    """

    kind: Literal["preconditioned"]
    sigma_data: Positive = Field(description="standard deviation of the images")
    log_sigma_mean: Annotated[float, Field(ge=-10, le=10)] = Field(
        description="mean of ln σ in training"
    )
    log_sigma_std: Annotated[float, Field(gt=0, le=5)] = Field(
        description="standard deviation of ln σ in training"
    )
    sigma_min: NoiseLevel = Field(description="lowest noise level in sampling")
    sigma_max: NoiseLevel = Field(description="highest noise level in sampling")


class ClassConditionConfig(Section):
    """The discrete GOES class, optionally with the image's ceVAE embedding."""

    kind: Literal["goes_class"]
    embedding_of: str | None = Field(
        None, description="the ceVAE of `models` whose embedding is added; null: class only"
    )

    @property
    def title(self) -> str:
        """Name of the condition in figures and prose."""
        return "GOES class with ceVAE embedding" if self.embedding_of else "GOES class"


class FluxConditionConfig(Section):
    """The logarithm of the X-ray flux, a continuous condition."""

    kind: Literal["xray_flux"]

    @property
    def title(self) -> str:
        """Name of the condition in figures and prose."""
        return "X-ray flux"


ConditionConfig = ClassConditionConfig | FluxConditionConfig
"""The kinds of conditions."""


class TrainingConfig(Section):
    """Optimiser (AdamW), length and checkpoints of a training."""

    images: PositiveInt | None = Field(
        None, description="length of the training, images; or set epochs"
    )
    epochs: Positive | None = Field(
        None, description="length of the training, passes over the training split; or set images"
    )
    batch_size: PositiveInt = Field(description="images per step, of all GPUs together")
    learning_rate: Positive = Field(description="learning rate after the warm-up")
    weight_decay: float = Field(0.0, ge=0, description="decoupled weight decay of AdamW")
    warmup_images: int = Field(
        0, ge=0, description="length of the linear warm-up of the learning rate, images"
    )
    decay: Literal["none", "cosine"] = Field(
        "none", description="decay of the learning rate to 0 at the end: none or half a cosine"
    )
    gradient_clip: Positive | None = Field(
        None, description="largest norm of the gradient; null: no clipping"
    )
    ema_decay: Fraction = Field(description="decay of the EMA of the weights, per step")
    class_balance: Fraction = Field(
        0.0, description="0: sample all frames equally often, 1: all classes equally often"
    )
    flips: bool = Field(
        False, description="mirror training images at random, horizontally and vertically"
    )
    validations: PositiveInt = Field(20, description="number of validations in a training")
    checkpoints: PositiveInt = Field(20, description="number of checkpoints in a training")
    time_budget_minutes: Positive | None = Field(
        None, description="stop the training after this time, minutes; null: no limit"
    )
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
            raise ValueError("set exactly one of `images` and `epochs`, and the other to null")
        return self


class PriorSamplingConfig(Section):
    """Sampling from a model without labels."""

    population: PositiveInt = Field(
        description="number of images with the class mix of the training split"
    )
    batch_size: PositiveInt = Field(64, description="images per batch on a GPU; a CPU uses 16")
    shards: PositiveInt = Field(
        1, description="number of jobs that share the images; does not change them"
    )

    @model_validator(mode="after")
    def _check_shards(self) -> PriorSamplingConfig:
        if self.shards > self.population:
            raise ValueError(
                f"shards = {self.shards} must not exceed population = {self.population}"
            )
        return self


class SamplingConfig(PriorSamplingConfig):
    """Sampling from a diffusion model."""

    sampler: str = Field(description=f"one of {', '.join(SAMPLERS)}")
    steps: PositiveInt = Field(description="number of noise levels")
    guidance: float = Field(
        ge=0, description="guidance weight w of Ho & Salimans (2022); 0: the conditional model"
    )
    per_class: PositiveInt = Field(description="number of images per class in the balanced set")

    @field_validator("sampler")
    @classmethod
    def _is_known(cls, sampler: str) -> str:
        if sampler not in SAMPLERS:
            raise ValueError(
                f"not a sampler; choose one of {', '.join(SAMPLERS)}{hint(sampler, SAMPLERS)}"
            )
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
        """Number of pixels that divides every valid image size."""
        return self.network.size_multiple


class CevaeConfig(Section):
    """A row of `models`: a context-encoding variational autoencoder (Zimmerer et al. 2018)."""

    kind: Literal["cevae"]
    latent_dim: PositiveInt = Field(description="length of the embedding")
    widths: list[PositiveInt] = Field(
        min_length=1, description="channels of each stage; each stage halves the image"
    )
    beta: Positive = Field(description="weight of the Kullback-Leibler term")
    context_fraction: Fraction = Field(description="weight f of the context-encoding loss, 0…1")
    training: TrainingConfig
    sampling: PriorSamplingConfig

    @property
    def size_multiple(self) -> int:
        """Number of pixels that divides every valid image size: every stage halves the image."""
        return int(2 ** len(self.widths))


ModelConfig = Annotated[DdpmConfig | CevaeConfig, Field(discriminator="kind")]
