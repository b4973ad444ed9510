"""Settings of the dataset: labels, splits and classes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from heliosynth.config.base import Fraction, Positive, PositiveInt, Section
from heliosynth.config.observations import Channel

GoesClass = Literal["A", "B", "C", "M", "X"]
"""A GOES flare class."""


class _LabelsConfig(Section):
    window_minutes: Positive = Field(
        description="largest time between frame and flare peak, minutes"
    )
    without_flare: Literal["background", "leave_out"] = Field(
        "background",
        description="frames without a flare in the window: background flux, or left out",
    )


class NearestPeakConfig(_LabelsConfig):
    """Label rule: the class of the nearest flare peak."""

    rule: Literal["nearest_peak"]


class MaxWithinConfig(_LabelsConfig):
    """Label rule: the class of the largest flare within the window."""

    rule: Literal["max_within"]


class SplitConfig(Section):
    """Splits by blocks of time; all frames of a block go to the same split."""

    block_days: Positive = Field(description="length of a block, days")
    gap_hours: float = Field(ge=0, description="gap between blocks of two splits, hours")
    validation: Fraction = Field(description="share of frames in the validation split")
    test: Fraction = Field(description="share of frames in the test split")

    @model_validator(mode="after")
    def _check_shares(self) -> SplitConfig:
        if self.validation + self.test >= 1:
            raise ValueError(
                "validation + test must be less than 1, or no frames are left to train on"
            )
        return self


class DatasetConfig(Section):
    """Labelled images: channel, size, labels, splits and classes."""

    channel: Channel
    image_size_px: Annotated[int, Field(ge=8, multiple_of=8)]
    labels: Annotated[NearestPeakConfig | MaxWithinConfig, Field(discriminator="rule")]
    split: SplitConfig
    classes: list[GoesClass] = Field(
        default=["A", "B", "C", "M", "X"], min_length=2, description="classes of the study"
    )
    minimum_frames: PositiveInt = Field(
        description="classes with fewer training frames are scarce: not trained on, not sampled"
    )
    scarce_classes: Literal["refuse", "report"] = Field(
        "refuse", description="a scarce class stops the run (refuse), or is only reported (report)"
    )
    xrs_csv_scale: Literal["true", "operational"] = Field(
        "operational", description="flux scale of the CSV light curves of an archive"
    )
