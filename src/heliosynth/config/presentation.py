"""The little of a configuration that figures and tables see."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from heliosynth.config.base import PositiveInt, Section
from heliosynth.config.dataset import GoesClass
from heliosynth.config.models import DdpmConfig, VariancePreservingConfig
from heliosynth.config.observations import Channel, Source
from heliosynth.config.schema import RunConfig


class PresentationConfig(Section):
    """What figures and tables need to know of a run beside its products.

    Little on purpose: whatever stands here draws every figure anew when it changes.
    """

    source: Source
    seed: int
    channel: Channel
    classes: list[GoesClass]
    minimum_frames: PositiveInt
    models: dict[str, Literal["ddpm", "cevae"]]
    flux_models: list[str]
    schedule: VariancePreservingConfig | None = Field(None, description="of a model of the run")

    @classmethod
    def of(cls, configuration: RunConfig) -> PresentationConfig:
        """Take the part out of a whole configuration."""
        rows = configuration.models.values()
        schedules = [
            row.denoiser
            for row in rows
            if isinstance(row, DdpmConfig) and isinstance(row.denoiser, VariancePreservingConfig)
        ]
        return cls(
            source=configuration.source,
            seed=configuration.seed,
            channel=configuration.dataset.channel,
            classes=configuration.dataset.classes,
            minimum_frames=configuration.dataset.minimum_frames,
            models={name: row.kind for name, row in configuration.models.items()},
            flux_models=configuration.flux_models,
            schedule=schedules[0] if schedules else None,
        )
