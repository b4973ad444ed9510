"""Flares: how large, when, in which region; the X-ray light curve; and which ones a list holds."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from heliosynth.goes_class import LOWER_FLUX
from heliosynth.sources.simulated.activity import Regions
from heliosynth.sources.simulated.geometry import Floats

POWER_LAW_INDEX = 2.0
"""Index α of dN/dF ∝ F^−α in peak flux (Aschwanden & Freeland 2012: 1.98; SWPC 2012: 2.02)."""

SMALLEST_FLUX, LARGEST_FLUX = 5e-8, 9e-4
"""Peak flux of the smallest and largest flares, W m⁻², operational scale: A5 to X9."""

QUIET_FLUX = 2.5e-8
"""XRS-B flux of a disk without regions, W m⁻²."""

REGION_FLUX = 1.8e-7
"""XRS-B flux that a large region adds to the background, W m⁻²."""

SIMPLE_REGION = 0.06
"""Content times complexity below which a region does not flare."""

REBUILD_DAYS = 1.5
"""Time in which a complex stores the energy of another X flare."""

MINUTES_PER_DAY = 1440


@dataclass(frozen=True)
class Flares:
    """Flares in order of their peaks; all arrays (n,), times in minutes since the start.

    Attributes
    ----------
    peak
        Minute of the peak, a whole number.
    excess
        Flux at the peak above the background, W m⁻², operational scale.
    rise, decay
        Time scales of the light curve, minutes.
    region
        Index of the host.
    """

    peak: npt.NDArray[np.int64]
    excess: Floats
    rise: Floats
    decay: Floats
    region: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.peak)

    def take(self, rows: npt.NDArray[np.integer]) -> Flares:
        """Keep some flares, in the order given."""
        return Flares(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def power_law(count: int, rng: np.random.Generator) -> Floats:
    """Draw peak fluxes (count,), W m⁻², from the power law, stratified over its quantiles.

    Stratified draws follow the law as closely as their number allows, so that even a short
    observation has its share of the rare large flares.
    """
    quantile = (np.arange(count) + rng.random(count)) / max(count, 1)
    slope = 1 - POWER_LAW_INDEX
    low, high = SMALLEST_FLUX**slope, LARGEST_FLUX**slope
    return np.asarray((low + quantile * (high - low)) ** (1 / slope))


def erupt(regions: Regions, days: float, c_per_day: float, rng: np.random.Generator) -> Flares:
    """Draw the flares of an observation.

    Fluxes come from the power law; hosts and times with a probability that goes with the
    content and complexity of the regions on the disk, the more steeply the larger the flare.

    Parameters
    ----------
    regions
        The active regions.
    days
        Length of the observation, days.
    c_per_day
        Mean rate of flares of class C1 and above.
    rng
        The stream of random numbers of the flares.
    """
    slope = 1 - POWER_LAW_INDEX
    above_c = LOWER_FLUX[2] ** slope - LARGEST_FLUX**slope
    share = above_c / (SMALLEST_FLUX**slope - LARGEST_FLUX**slope)
    excess = power_law(round(c_per_day * days / share), rng)
    minutes = np.arange(0, days * MINUTES_PER_DAY, 60.0) + 30
    on_disk = np.cos(regions.longitudes(minutes / MINUTES_PER_DAY)) > 0.02
    content = regions.content(minutes / MINUTES_PER_DAY) * regions.complexity[:, None]
    potential = np.where(on_disk, np.maximum(content - SIMPLE_REGION, 0), 0)
    if not potential.any():
        excess = excess[:0]
    region, hour = _hosts(potential, excess, rng)
    peak = np.floor(minutes[hour] + rng.uniform(-30, 30, len(excess))).astype(np.int64)
    order = np.argsort(peak, kind="stable")
    # SWPC, 2012: a C flare rises in 6 minutes, an X flare in 20; half of them twice as long.
    scale = (excess / 1e-6) ** 0.22 * rng.lognormal(0, 0.35, len(excess))
    drawn = Flares(np.clip(peak, 0, None), excess, 3.0 * scale, 9.0 * scale, region)
    return drawn.take(order)


def _hosts(
    potential: Floats, excess: Floats, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Draw (region, hour) for every flare."""
    steepness = np.interp(np.log10(np.maximum(excess, 1e-9)), [-7, -6, -5, -4], [1, 1.1, 1.5, 2.0])
    hosts = np.zeros(len(excess), dtype=np.int64)
    levels = np.round(steepness, 1)
    ordinary = excess < LOWER_FLUX[4]
    for level in np.unique(levels[ordinary]):
        rows = np.flatnonzero(ordinary & (levels == level))
        cumulative = np.cumsum(potential.ravel() ** level)
        hosts[rows] = np.searchsorted(cumulative, rng.random(len(rows)) * cumulative[-1])
    # The energy of a large flare must be stored again before the next one.
    hours = np.arange(potential.shape[1])
    weights = potential**2.0
    for row in np.flatnonzero(~ordinary):
        cumulative = np.cumsum(weights.ravel())
        hosts[row] = np.searchsorted(cumulative, rng.random() * cumulative[-1])
        away = (hours - hosts[row] % potential.shape[1]) / (24 * REBUILD_DAYS)
        weights = weights * (1 - 0.95 * np.exp(-0.5 * away**2))
    region, hour = np.divmod(hosts, potential.shape[1])
    return region, hour


def light_curve(flares: Flares, minutes: int) -> Floats:
    """Give the flux (minutes,) of flares alone, W m⁻²: fast rise, exponential decay.

    Every flare is its ``excess`` at its ``peak``, to the bit.
    """
    series = np.zeros(minutes)
    for peak, excess, rise, decay in zip(
        flares.peak, flares.excess, flares.rise, flares.decay, strict=True
    ):
        first, last = max(int(peak - 4 * rise), 0), min(int(peak + 8 * decay) + 1, minutes)
        since = np.arange(first, last) - peak
        before = np.exp(-0.5 * (np.minimum(since, 0) / rise) ** 2)
        series[first:last] += excess * before * np.exp(-np.maximum(since, 0) / decay)
    return series


def background(regions: Regions, minutes: int, rng: np.random.Generator) -> Floats:
    """Give the XRS-B background (minutes,), W m⁻²: it goes with the content on the disk."""
    hours = np.arange(0, minutes + 60, 60.0)
    content = regions.visible_content(hours / MINUTES_PER_DAY).sum(0)
    wander = np.cumsum(rng.normal(0, 0.02, len(hours)))
    wander -= np.convolve(np.pad(wander, 24, mode="edge"), np.ones(49) / 49, mode="valid")
    level = (QUIET_FLUX + REGION_FLUX * content) * np.exp(wander)
    return np.asarray(np.interp(np.arange(minutes), hours, level))


@dataclass(frozen=True)
class FlareList:
    """The flares that a list such as SWPC's holds; all arrays (n,).

    ``row`` points into the flares; times are minutes since the start, ``flux`` the measured
    flux at the peak, background included, W m⁻², operational scale.
    """

    row: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    peak: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    flux: Floats


def listed(flares: Flares, series: Floats) -> FlareList:
    """Choose the flares that stand out of the light curve and reach class B1.

    SWPC asks for a rise by a factor of 1.4; the peak is the largest flux near it, and a flare
    ends halfway down to the flux before it.

    Parameters
    ----------
    flares
        All flares, in order of their peaks.
    series
        XRS-B flux (minutes,), W m⁻², operational scale.
    """
    start = np.maximum(flares.peak - np.ceil(2.2 * flares.rise).astype(np.int64), 0)
    # A half of the peak is gone after ln 2 decay times.
    end = flares.peak + np.ceil(0.7 * flares.decay).astype(np.int64)
    inside = np.minimum(flares.peak, len(series) - 1)
    flux = series[inside]
    near = np.max([series[np.clip(inside + k, 0, len(series) - 1)] for k in (-3, 3)], axis=0)
    stands_out = (flux > 1.4 * series[start]) & (flux >= near) & (flux >= LOWER_FLUX[1])
    rows = np.flatnonzero(stands_out & (end < len(series)))
    return FlareList(rows, start[rows], flares.peak[rows], end[rows], flux[rows])
