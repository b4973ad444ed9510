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
        description="frames without a flare in the window: background (label them by the median "
        "X-ray flux in the window) or leave_out (drop them)",
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
    gap_hours: float = Field(
        ge=0, description="smallest time between frames of different splits, hours"
    )
    validation: Fraction = Field(description="share of frames in the validation split, 0…1")
    test: Fraction = Field(description="share of frames in the test split, 0…1")

    @model_validator(mode="after")
    def _check_shares(self) -> SplitConfig:
        if self.validation + self.test >= 1:
            raise ValueError(
                "validation + test must be less than 1, or no frames are left to train on"
            )
        return self


class MissingFlaresConfig(Section):
    """Shares of the flares in the light curve that the list may lack, by class, 0…1."""

    C: Fraction = Field(0.5, description="of class C: many are small bumps on a larger flare")
    M: Fraction = Field(0.05, description="of class M")
    X: Fraction = Field(0.0, description="of class X")


class UnmeasuredFlaresConfig(Section):
    """Shares of the listed flares that the light curve may not show, by class, 0…1."""

    C: Fraction = Field(0.1, description="of class C")
    M: Fraction = Field(0.05, description="of class M")
    X: Fraction = Field(0.0, description="of class X")


class CrossCheckConfig(Section):
    """Largest disagreements of flare list, light curve and labels; beyond them the run stops."""

    frames_above_label: Fraction = Field(
        0.02, description="share of frames whose measured flux is a class or more above the label"
    )
    flares_missing_from_list: MissingFlaresConfig = MissingFlaresConfig()
    flares_not_measured: UnmeasuredFlaresConfig = UnmeasuredFlaresConfig()
    flux_ratio: float = Field(
        1.2,
        ge=1,
        description="largest ratio, either way, of listed to measured peak flux (median of the "
        "flares); 1.43 if true and operational flux are mixed",
    )


class DatasetConfig(Section):
    """Labelled images: channel, size, labels, splits and classes."""

    channel: Channel = Field(description="AIA channel; the simulation has only 171A")
    image_size_px: Annotated[int, Field(ge=8, multiple_of=8)] = Field(
        description="height and width of the images, pixels"
    )
    labels: Annotated[NearestPeakConfig | MaxWithinConfig, Field(discriminator="rule")]
    cross_check: CrossCheckConfig = CrossCheckConfig()
    split: SplitConfig
    classes: list[GoesClass] = Field(
        default=["A", "B", "C", "M", "X"], min_length=2, description="classes of the study"
    )
    minimum_frames: PositiveInt = Field(
        description="a class with fewer training frames is scarce: not trained on, not sampled"
    )
    scarce_classes: Literal["refuse", "report"] = Field(
        "refuse", description="a scarce class stops the run (refuse), or is only reported (report)"
    )
    xrs_csv_scale: Literal["true", "operational"] = Field(
        "operational",
        description="flux scale of an archive's CSV light curves; operational is that of SWPC's "
        "flare classes",
    )
