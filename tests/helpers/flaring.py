"""Light curves with flares, the list of these flares, and frames labelled with both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from heliosynth import goes_class
from heliosynth.arrays import DAY_S, Floats, Seconds
from heliosynth.catalogue import labels
from heliosynth.config.dataset import MaxWithinConfig
from heliosynth.sources.goes import XrsSeries
from helpers.observations import START, make_flares, make_frames

RULE = MaxWithinConfig(rule="max_within", window_minutes=180)
BACKGROUND = 3e-7


@dataclass(frozen=True)
class Observed:
    """Frames, light curve and flare list of one time."""

    frames: pd.DataFrame
    xrs: XrsSeries
    flares: pd.DataFrame

    @property
    def labels(self) -> pd.DataFrame:
        """The labels of the frames."""
        return labels.label_frames(self.frames, self.xrs, self.flares, RULE)

    def without(self, *classes: str) -> Observed:
        """Return the same with a list that lacks the flares of these labels."""
        kept = ~self.flares["goes_class_label"].isin(classes)
        return replace(self, flares=self.flares[kept].reset_index(drop=True))

    def list_moved(self, days: float) -> Observed:
        """Return the same with a list of another time."""
        moved = {
            name: self.flares[name] + pd.Timedelta(days=days) for name in ("start", "peak", "end")
        }
        return replace(self, flares=self.flares.assign(**moved))

    def curve_moved(self, hours: float) -> Observed:
        """Return the same with a light curve in other times."""
        return replace(self, xrs=replace(self.xrs, time=self.xrs.time + round(hours * 3600)))

    def curve_scaled(self, factor: float) -> Observed:
        """Return the same with a light curve on another scale."""
        return replace(self, xrs=replace(self.xrs, xrsb=self.xrs.xrsb * np.float32(factor)))


def flare_times(count: int, days: float, seed: int = 0) -> Seconds:
    """Return irregular times of flares, seconds from the start, at least eight hours apart."""
    rng = np.random.default_rng(seed)
    even = (np.arange(count) + 0.5) * days * DAY_S / count
    room = max(days * DAY_S / count - 8 * 3600, 0) / 2
    return np.asarray(even + rng.uniform(-room, room, count), np.int64) // 60 * 60


def observe(classes: Sequence[str], days: float = 60, cadence: int = 60) -> Observed:
    """Return hourly frames of days with flares of these classes, all of them listed."""
    peaks = flare_times(len(classes), days)
    flares = make_flares(peaks, classes)
    seconds = np.arange(-DAY_S, round((days + 1) * DAY_S), cadence, dtype=np.int64)
    flux = flaring_flux(seconds, peaks, [goes_class.peak_flux(name) for name in classes])
    xrs = XrsSeries(START + seconds, flux.astype(np.float32), "operational", "GOES-15")
    return Observed(make_frames(np.arange(0, days * DAY_S, 3600)), xrs, flares)


def flaring_flux(seconds: Seconds, peaks: Seconds, heights: Sequence[float]) -> Floats:
    """Return a background with flares that rise in minutes and decay in an hour."""
    flux = np.full(len(seconds), BACKGROUND)
    for peak, height in zip(peaks, heights, strict=True):
        since = seconds - peak
        shape = np.exp(-np.abs(since) / np.where(since < 0, 300, 1800))
        flux = np.maximum(flux, height * shape)
    return flux
