"""The typed configuration: every key a run may set, with its type, unit and bounds.

Sections are frozen and refuse keys that they do not know. Presets live beside this
file as data (``presets.yaml``).
"""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from heliosynth.config.places import FolderPath, StoreAddress

GoesClass = Literal["A", "B", "C", "M", "X"]
"""A GOES flare class, by peak XRS-B flux."""

Channel = Literal["94A", "131A", "171A", "193A", "211A", "304A", "335A", "1600A", "1700A"]
"""An AIA channel as SDOMLv2 names it."""

SIMULATED_CHANNEL: Channel = "171A"
"""The only channel whose physics is simulated."""

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
PositiveInt = Annotated[int, Field(gt=0, lt=2**31)]
Year = Annotated[int, Field(ge=2010, le=9999, description="of AIA, which began in 2010")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=100)]
"""What may stand in a path, a pattern and a command without harm."""

TAKEN_NAMES = ("real", "summary")
"""Names of files in ``metrics/`` that are of no model."""


class Section(BaseModel):
    """A part of the configuration: frozen, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Simulation(Section):
    """The simulated observatory, which writes raw inputs in the archives' own formats."""

    start: datetime.date = Field(description="first day, UTC")
    days: PositiveInt = Field(description="length of the observation, days")
    cadence_minutes: PositiveInt = Field(description="time between AIA frames, minutes")
    size_px: PositiveInt = Field(128, description="width and height of a raw frame, pixels")
    flares_per_day: Positive = Field(
        6.0, description="mean rate of flares whose own flux reaches C1, background apart"
    )
    cycle_days: Positive = Field(
        22.0, description="mean time from one complex of active regions to the next, days"
    )

    @model_validator(mode="after")
    def _ends_in_the_calendar(self) -> Simulation:
        if self.days > (datetime.date.max - self.start).days:
            raise ValueError(f"{self.days} days from {self.start} end after the year 9999")
        return self


class Online(Section):
    """The archives on the network."""

    aia_store: StoreAddress = Field(description="URL of an SDOMLv2 Zarr store")
    years: list[Year] = Field(min_length=1, description="years of the store to read")
    xrs_satellites: list[PositiveInt] = Field(
        min_length=1, description="GOES satellites in order of preference"
    )


class _Labels(Section):
    window_minutes: Positive = Field(description="largest distance from frame to peak, minutes")
    without_flare: Literal["background", "leave_out"] = Field(
        "background", description="frames with no peak so near: their background flux, or none"
    )


class NearestPeak(_Labels):
    """A frame takes the class of the nearest flare peak."""

    rule: Literal["nearest_peak"]


class MaxWithin(_Labels):
    """A frame takes the class of the largest flare within a window."""

    rule: Literal["max_within"]


class Split(Section):
    """Blocks of time, each given whole to one split."""

    block_days: Positive = Field(description="length of a block, days")
    gap_hours: float = Field(ge=0, description="frames dropped between blocks of two splits, hours")
    validation: Fraction = Field(description="share of the frames in the validation split")
    test: Fraction = Field(description="share of the frames in the test split")

    @model_validator(mode="after")
    def _leaves_training_frames(self) -> Split:
        if self.validation + self.test >= 1:
            raise ValueError(
                "validation + test must be less than 1, or nothing is left to train on"
            )
        return self


class Dataset(Section):
    """From raw frames to labelled images."""

    channel: Channel
    image_size_px: Annotated[int, Field(ge=8, multiple_of=8)]
    labels: Annotated[NearestPeak | MaxWithin, Field(discriminator="rule")]
    split: Split
    classes: list[GoesClass] = Field(
        default=["A", "B", "C", "M", "X"], min_length=2, description="classes of the study"
    )
    minimum_frames: PositiveInt = Field(
        description="training frames below which a class is scarce: never trained on or sampled"
    )
    scarce_classes: Literal["refuse", "report"] = Field(
        "refuse", description="stop the run at a scarce class, or report it by name and go on"
    )
    xrs_csv_scale: Literal["true", "operational"] = Field(
        "operational", description="flux scale of an archive's CSV light curves"
    )


class StudyUnet(Section):
    """The U-Net of the study: four stages, self-attention after each."""

    kind: Literal["study_unet"]
    widths: list[PositiveInt] = Field(min_length=4, max_length=4)
    embedding_dim: PositiveInt


class ModernUnet(Section):
    """A residual U-Net on patches that knows places, attention at the lowest levels only."""

    kind: Literal["modern_unet"]
    patch_px: PositiveInt = Field(description="pixels folded into channels by the stem")
    width: PositiveInt
    multipliers: list[PositiveInt] = Field(min_length=1)
    blocks: PositiveInt = Field(description="residual blocks a level")
    attention_levels: PositiveInt = Field(description="lowest levels that have self-attention")
    embedding_dim: PositiveInt


class VariancePreserving(Section):
    """Noise prediction on a discrete linear schedule (Ho et al. 2020)."""

    kind: Literal["variance_preserving"]
    noise_steps: PositiveInt
    beta_first: Positive
    beta_last: Positive


class Preconditioned(Section):
    """A preconditioned denoiser (Karras et al. 2022)."""

    kind: Literal["preconditioned"]
    sigma_data: Positive
    log_sigma_mean: float
    log_sigma_std: Positive
    sigma_min: Positive
    sigma_max: Positive


class ClassCondition(Section):
    """The discrete GOES class, with an image's ceVAE embedding where a ceVAE is named."""

    kind: Literal["goes_class"]
    embedding_of: str | None = Field(None, description="model that gives the embedding")


class FluxCondition(Section):
    """The logarithm of the X-ray flux, continuous."""

    kind: Literal["xray_flux"]


class Training(Section):
    """The one training loop."""

    images: PositiveInt | None = Field(None, description="training images seen in all")
    epochs: Positive | None = Field(None, description="passes over the training split")
    batch_size: PositiveInt
    learning_rate: Positive
    weight_decay: float = Field(0.0, ge=0)
    warmup_images: int = Field(0, ge=0)
    decay: Literal["none", "cosine"] = "none"
    gradient_clip: Positive | None = Field(None, description="largest norm of the gradient")
    ema_decay: Fraction = Field(description="decay of the weights' moving average, per step")
    class_balance: Fraction = Field(
        0.0, description="0 draws frames as they come, 1 draws every class as often"
    )
    flips: bool = Field(False, description="mirror training images at random, both ways")
    validations: PositiveInt = Field(20, description="times the validation loss is taken")
    checkpoints: PositiveInt = Field(20, description="times the state is kept for a resume")
    time_budget_minutes: Positive | None = Field(None, description="stop early, state kept")
    gpus: PositiveInt = Field(1, description="processes that share each batch, one a GPU")

    @model_validator(mode="after")
    def _is_shared_evenly(self) -> Training:
        if self.batch_size % self.gpus:
            raise ValueError(
                f"batch_size is {self.batch_size}, which gpus = {self.gpus} cannot share evenly"
            )
        return self

    @model_validator(mode="after")
    def _has_one_length(self) -> Training:
        if (self.images is None) == (self.epochs is None):
            raise ValueError("give exactly one of `images` and `epochs`")
        return self


class PriorSampling(Section):
    """How images are generated by a model without labels."""

    population: PositiveInt = Field(description="images with the class mix of the training split")
    batch_size: PositiveInt = Field(64, description="images at a time on a GPU")
    shards: PositiveInt = Field(1, description="jobs that share the images; they stay the same")

    @model_validator(mode="after")
    def _has_an_image_a_shard(self) -> PriorSampling:
        if self.shards > self.population:
            raise ValueError(f"shards = {self.shards} are more than {self.population} images")
        return self


class Sampling(PriorSampling):
    """How images are generated by a diffusion model."""

    sampler: Literal["ddpm", "ddim", "heun", "dpm_solver_2m"]
    steps: PositiveInt
    guidance: float = Field(
        ge=0, description="w of Ho & Salimans (2022); 0 is the conditional model"
    )
    per_class: PositiveInt = Field(description="images of each class, for the balanced set")


class Ddpm(Section):
    """A row of the study: a conditional diffusion model."""

    kind: Literal["ddpm"]
    condition: Annotated[ClassCondition | FluxCondition, Field(discriminator="kind")]
    network: Annotated[StudyUnet | ModernUnet, Field(discriminator="kind")]
    denoiser: Annotated[VariancePreserving | Preconditioned, Field(discriminator="kind")]
    label_dropout: Fraction = Field(description="share of training labels dropped for guidance")
    training: Training
    sampling: Sampling


class Cevae(Section):
    """A row of the study: the context-encoding variational autoencoder."""

    kind: Literal["cevae"]
    latent_dim: PositiveInt
    widths: list[PositiveInt] = Field(min_length=1)
    beta: Positive = Field(description="weight of the Kullback-Leibler term")
    context_fraction: Fraction = Field(description="f, weight of the context-encoding half")
    training: Training
    sampling: PriorSampling


Model = Annotated[Ddpm | Cevae, Field(discriminator="kind")]


class Classifier(Section):
    """The network that judges generated images, trained on real ones."""

    epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: Positive
    width: PositiveInt = Field(description="channels of the first stage")


class FluxResponse(Section):
    """Images at an even grid of X-ray fluxes, of every model that is conditioned on the flux."""

    fluxes: Annotated[int, Field(ge=2)] = Field(
        12, description="fluxes, even in log₁₀ from the lowest training flux to the highest"
    )
    images: Annotated[int, Field(ge=2)] = Field(
        16, description="images at each flux, of the same seeds at all"
    )


class Evaluation(Section):
    """Every metric of the study."""

    encoders: list[Literal["efficientnet_lite0", "clip"]] = Field(
        min_length=1, description="feature encoders; the first also serves the clusters"
    )
    clip_weights: str | None = Field(
        None, description="file with open_clip ViT-B-32 weights; null asks the model hub"
    )
    clusters: PositiveInt
    repeats: Annotated[int, Field(ge=2, description="repeats behind every spread")]
    classifier: Classifier
    flux_response: FluxResponse = FluxResponse()


class Application(Section):
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


class Level1(Section):
    """Tables that an archive's AIA level-1 FITS files are calibrated with."""

    degradation: str = Field(description="response table of SSW, aia_V10_…_response_table.txt")
    pointing: str | None = Field(None, description="aia.master_pointing3h as ECSV; null: headers")


class Configuration(Section):
    """A whole run."""

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    source: Literal["simulated", "archive", "online"]
    observations: str = Field(description="what the images are, for captions and the paper")
    archive: FolderPath | None = Field(
        None, description="directory of a local archive of real frames"
    )
    level1: Level1 | None = None
    simulation: Simulation
    online: Online | None = None
    dataset: Dataset
    models: dict[Name, Model] = Field(min_length=1)
    evaluation: Evaluation
    application: Application

    @property
    def flux_models(self) -> list[str]:
        """The rows that are conditioned on the X-ray flux."""
        return [
            name
            for name, row in self.models.items()
            if isinstance(row, Ddpm) and isinstance(row.condition, FluxCondition)
        ]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Configuration:
        if self.source == "archive" and self.archive is None:
            raise ValueError("source is `archive`, so `archive` must name a directory")
        if self.source == "simulated" and self.dataset.channel != SIMULATED_CHANNEL:
            raise ValueError(
                f"dataset.channel: the simulated Sun shines in {SIMULATED_CHANNEL} only, not in "
                f"{self.dataset.channel}; name an archive"
            )
        if self.source == "online" and self.online is None:
            raise ValueError("source is `online`, so the section `online` is needed")
        for name, model in self.models.items():
            if name in TAKEN_NAMES:
                raise ValueError(f"models.{name}: metrics/{name}.json is another; rename this row")
            if isinstance(model, Ddpm):
                _check_ddpm(name, model, self)
        if not any(isinstance(model, Cevae) for model in self.models.values()):
            raise ValueError("models: no row is a cevae, whose latent space is mapped; add one")
        if not isinstance(self.models.get(self.application.model), Ddpm):
            raise ValueError(
                f"application.model: {self.application.model!r} is no ddpm of `models`"
            )
        return self


def _check_ddpm(name: str, model: Ddpm, configuration: Configuration) -> None:
    condition = model.condition
    if isinstance(condition, ClassCondition) and condition.embedding_of is not None:
        encoder = configuration.models.get(condition.embedding_of)
        if not isinstance(encoder, Cevae):
            raise ValueError(
                f"models.{name}.condition.embedding_of: {condition.embedding_of!r} "
                "is no cevae of `models`"
            )
    if isinstance(model.network, ModernUnet):
        fold = model.network.patch_px * 2 ** (len(model.network.multipliers) - 1)
        if configuration.dataset.image_size_px % fold:
            raise ValueError(
                f"dataset.image_size_px must be a multiple of {fold} for models.{name}.network"
            )
