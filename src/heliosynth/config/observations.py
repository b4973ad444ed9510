"""Settings of the observations: simulated, online, or in a local archive."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from heliosynth.config.base import Positive, PositiveInt, Section
from heliosynth.config.paths import FilePath, StoreAddress

Channel = Literal["94A", "131A", "171A", "193A", "211A", "304A", "335A", "1600A", "1700A"]
"""An AIA channel as SDOMLv2 names it."""

Source = Literal["simulated", "archive", "online"]
"""A source of raw inputs, a key of :data:`heliosynth.sources.locations.LOCATIONS`."""

SIMULATED_CHANNEL: Channel = "171A"
"""The only channel whose physics is simulated."""

FIRST_DAY, LAST_DAY = datetime.date(1970, 1, 1), datetime.date(2261, 12, 31)
"""Days of a simulation; pandas holds times to 2262 only."""

Year = Annotated[
    int, Field(ge=2010, le=9999, description="year of AIA observations, which began in 2010")
]


class SimulationConfig(Section):
    """The simulated observatory, which writes raw inputs in the formats of the archives."""

    start: Annotated[datetime.date, Field(ge=FIRST_DAY, le=LAST_DAY)] = Field(
        description="first day, UTC"
    )
    days: PositiveInt = Field(description="length of the observation, days")
    cadence_minutes: PositiveInt = Field(description="time between AIA frames, minutes")
    size_px: PositiveInt = Field(128, description="width and height of a raw frame, pixels")
    flares_per_day: Positive = Field(
        6.0, description="mean number of flares of at least C1 per day, background subtracted"
    )
    cycle_days: Positive = Field(
        22.0, description="mean time between two complexes of active regions, days"
    )

    @model_validator(mode="after")
    def _check_end(self) -> SimulationConfig:
        if self.days > (LAST_DAY - self.start).days:
            raise ValueError(
                f"{self.days} days from {self.start} end after {LAST_DAY}, which times cannot "
                "express; reduce days"
            )
        return self


class OnlineConfig(Section):
    """Archives on the network."""

    aia_store: StoreAddress = Field(description="URL of an SDOMLv2 Zarr store")
    years: list[Year] = Field(min_length=1, description="years to read")
    xrs_satellites: list[PositiveInt] = Field(
        min_length=1, description="GOES satellites in order of preference"
    )


class Level1Config(Section):
    """Calibration tables for the AIA level-1 FITS files of an archive."""

    degradation: FilePath = Field(
        description="path of SSW's response table, aia_V10_…_response_table.txt"
    )
    pointing: FilePath | None = Field(
        None, description="path of aia.master_pointing3h as ECSV; null: pointing of the headers"
    )
