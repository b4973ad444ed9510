"""The settings that figures depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from heliosynth.config.base import PositiveInt, Section
from heliosynth.config.dataset import GoesClass
from heliosynth.config.models import DdpmConfig, VariancePreservingConfig
from heliosynth.config.observations import Channel, Source

if TYPE_CHECKING:
    from heliosynth.config.schema import RunConfig


class PresentationConfig(Section):
    """The settings of a run that figures and tables need besides its products.

    As few as possible, since a change of any of them redraws every figure.
    """

    source: Source
    seed: int
    channel: Channel
    classes: list[GoesClass]
    minimum_frames: PositiveInt
    models: dict[str, Literal["ddpm", "cevae"]]
    flux_models: list[str]
    schedule: VariancePreservingConfig | None = Field(
        None, description="noise schedule of the first model that has a discrete one"
    )

    @property
    def diffusion_models(self) -> list[str]:
        """The rows of ``models`` that are diffusion models."""
        return [name for name, kind in self.models.items() if kind == "ddpm"]

    @property
    def cevae_models(self) -> list[str]:
        """The rows of ``models`` that are ceVAEs; the first is the baseline."""
        return [name for name, kind in self.models.items() if kind == "cevae"]

    @property
    def described_model(self) -> str:
        """The diffusion model whose network and settings the paper describes: the first."""
        return self.diffusion_models[0]

    @property
    def placeholders(self) -> dict[str, list[str]]:
        """Values of the placeholders in paths of products, such as ``{model}``."""
        return {
            "model": list(self.models),
            "diffusion_model": self.diffusion_models,
            "cevae_model": self.cevae_models,
            "flux_model": self.flux_models,
            "described_model": [self.described_model],
        }

    @classmethod
    def of(cls, configuration: RunConfig) -> PresentationConfig:
        """Select these settings from the configuration of a run."""
        schedules = [
            model.denoiser
            for model in configuration.models.values()
            if isinstance(model, DdpmConfig)
            and isinstance(model.denoiser, VariancePreservingConfig)
        ]
        return cls(
            source=configuration.source,
            seed=configuration.seed,
            channel=configuration.dataset.channel,
            classes=configuration.dataset.classes,
            minimum_frames=configuration.dataset.minimum_frames,
            models={name: model.kind for name, model in configuration.models.items()},
            flux_models=configuration.flux_models,
            schedule=schedules[0] if schedules else None,
        )
