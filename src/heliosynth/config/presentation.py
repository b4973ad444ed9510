"""The little of a configuration that figures and tables see."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from heliosynth.config.schema import (
    Channel,
    Configuration,
    Ddpm,
    GoesClass,
    PositiveInt,
    Section,
    VariancePreserving,
)


class Presentation(Section):
    """What figures and tables need to know of a run beside its products.

    Little on purpose: whatever stands here draws every figure anew when it changes.
    """

    source: Literal["simulated", "archive", "online"]
    seed: int
    channel: Channel
    classes: list[GoesClass]
    minimum_frames: PositiveInt
    models: dict[str, Literal["ddpm", "cevae"]]
    flux_models: list[str]
    schedule: VariancePreserving | None = Field(None, description="of a model of the run")

    @classmethod
    def of(cls, configuration: Configuration) -> Presentation:
        """Take the part out of a whole configuration."""
        rows = configuration.models.values()
        schedules = [
            row.denoiser
            for row in rows
            if isinstance(row, Ddpm) and isinstance(row.denoiser, VariancePreserving)
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
