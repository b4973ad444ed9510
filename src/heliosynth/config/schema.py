"""The whole configuration, with the checks across sections."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from heliosynth.config.base import Name, Section
from heliosynth.config.dataset import DatasetConfig
from heliosynth.config.evaluation import ApplicationConfig, EvaluationConfig
from heliosynth.config.models import (
    CevaeConfig,
    ClassConditionConfig,
    DdpmConfig,
    FluxConditionConfig,
    ModelConfig,
)
from heliosynth.config.observations import (
    SIMULATED_CHANNEL,
    Level1Config,
    OnlineConfig,
    SimulationConfig,
    Source,
)
from heliosynth.config.paths import FolderPath

RESERVED_NAMES = ("real", "summary")
"""Names of files in ``metrics/`` that are not models."""


class RunConfig(Section):
    """The configuration of a run."""

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)] = Field(
        description="name of the run, and of its folder in results/"
    )
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(
        description="seed from which all others are derived"
    )
    source: Source = Field(description="where the raw inputs come from")
    observations: str = Field(description="what the images show, for captions and the paper")
    archive: FolderPath | None = Field(
        None,
        description="directory of a local archive of real frames; with other sources a figure "
        "compares it with the simulation",
    )
    level1: Level1Config | None = None
    simulation: SimulationConfig
    online: OnlineConfig | None = None
    dataset: DatasetConfig
    models: dict[Name, ModelConfig] = Field(min_length=1)
    evaluation: EvaluationConfig
    application: ApplicationConfig

    @property
    def flux_models(self) -> list[str]:
        """The models that are conditioned on the X-ray flux."""
        return [
            name
            for name, model in self.models.items()
            if isinstance(model, DdpmConfig) and isinstance(model.condition, FluxConditionConfig)
        ]

    @model_validator(mode="after")
    def _check_sections(self) -> RunConfig:
        if self.source == "archive" and self.archive is None:
            raise ValueError("source is `archive`, so `archive` must name a directory")
        if self.source == "simulated" and self.dataset.channel != SIMULATED_CHANNEL:
            raise ValueError(
                f"dataset.channel: simulated in {SIMULATED_CHANNEL} only, not in "
                f"{self.dataset.channel}; set `archive` or change the channel"
            )
        if self.source == "online" and self.online is None:
            raise ValueError("source is `online`, so the section `online` is needed")
        for name, model in self.models.items():
            if name in RESERVED_NAMES:
                raise ValueError(f"models.{name}: this name is reserved; rename the row")
            if self.dataset.image_size_px % model.size_multiple:
                raise ValueError(
                    f"dataset.image_size_px must be a multiple of {model.size_multiple} "
                    f"for models.{name}"
                )
            if isinstance(model, DdpmConfig):
                _check_ddpm(name, model, self)
        if not any(isinstance(model, CevaeConfig) for model in self.models.values()):
            raise ValueError("models: no row is a cevae, which the embedding map needs; add one")
        if not isinstance(self.models.get(self.application.model), DdpmConfig):
            raise ValueError(
                f"application.model: {self.application.model!r} is not a ddpm of `models`"
            )
        return self


def _check_ddpm(name: str, model: DdpmConfig, configuration: RunConfig) -> None:
    condition = model.condition
    if isinstance(condition, ClassConditionConfig) and condition.embedding_of is not None:
        encoder = configuration.models.get(condition.embedding_of)
        if not isinstance(encoder, CevaeConfig):
            raise ValueError(
                f"models.{name}.condition.embedding_of: {condition.embedding_of!r} "
                "is not a cevae of `models`"
            )
