"""The whole configuration; :mod:`heliosynth.config.checks` has the checks across sections."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from heliosynth.config.base import Name, Section
from heliosynth.config.dataset import DatasetConfig
from heliosynth.config.evaluation import ApplicationConfig, EvaluationConfig
from heliosynth.config.models import DdpmConfig, FluxConditionConfig, ModelConfig
from heliosynth.config.observations import Level1Config, OnlineConfig, SimulationConfig, Source
from heliosynth.config.paths import FolderPath


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
