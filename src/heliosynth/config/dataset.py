"""Settings of the dataset: labels, splits and classes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from heliosynth.config.base import Fraction, Positive, PositiveInt, Section
from heliosynth.config.observations import Channel

GoesClass = Literal["A", "B", "C", "M", "X"]
"""A GOES flare class, by peak XRS-B flux."""


class _LabelsConfig(Section):
    window_minutes: Positive = Field(description="largest distance from frame to peak, minutes")
    without_flare: Literal["background", "leave_out"] = Field(
        "background", description="frames with no peak so near: their background flux, or none"
    )


class NearestPeakConfig(_LabelsConfig):
    """A frame takes the class of the nearest flare peak."""

    rule: Literal["nearest_peak"]


class MaxWithinConfig(_LabelsConfig):
    """A frame takes the class of the largest flare within a window."""

    rule: Literal["max_within"]


class SplitConfig(Section):
    """Blocks of time, each given whole to one split."""

    block_days: Positive = Field(description="length of a block, days")
    gap_hours: float = Field(ge=0, description="frames dropped between blocks of two splits, hours")
    validation: Fraction = Field(description="share of the frames in the validation split")
    test: Fraction = Field(description="share of the frames in the test split")

    @model_validator(mode="after")
    def _leaves_training_frames(self) -> SplitConfig:
        if self.validation + self.test >= 1:
            raise ValueError(
                "validation + test must be less than 1, or nothing is left to train on"
            )
        return self


class DatasetConfig(Section):
    """From raw frames to labelled images."""

    channel: Channel
    image_size_px: Annotated[int, Field(ge=8, multiple_of=8)]
    labels: Annotated[NearestPeakConfig | MaxWithinConfig, Field(discriminator="rule")]
    split: SplitConfig
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
