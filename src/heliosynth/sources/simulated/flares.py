"""Flares: sizes, times and host regions; the X-ray light curve; and the flares that are listed."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from heliosynth.arrays import Floats, Integers
from heliosynth.goes_class import LOWER_FLUX
from heliosynth.sources.simulated.activity import Regions

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
"""Time scale on which a complex stores the energy of another X flare."""

MINUTES_PER_DAY = 1440


@dataclass(frozen=True)
class Flares:
    """Flares in order of their peaks; all arrays (n,), times in minutes since the start.

    Attributes
    ----------
    peak
        Minute of the peak.
    excess
        Flux at the peak above the background, W m⁻², operational scale.
    rise, decay
        Time scales of the light curve, minutes.
    region
        Index of the host region.
    """

    peak: Integers
    excess: Floats
    rise: Floats
    decay: Floats
    region: Integers

    def __len__(self) -> int:
        return len(self.peak)

    def take(self, rows: npt.NDArray[np.integer]) -> Flares:
        """Return some flares, in the order of the rows."""
        return Flares(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def power_law(count: int, rng: np.random.Generator) -> Floats:
    """Draw peak fluxes (count,), W m⁻², from the power law, stratified over its quantiles.

    Stratified draws follow the law as closely as their number allows, so that even a short
    observation has the expected number of rare large flares.
    """
    quantile = (np.arange(count) + rng.random(count)) / max(count, 1)
    slope = 1 - POWER_LAW_INDEX
    low, high = SMALLEST_FLUX**slope, LARGEST_FLUX**slope
    return np.asarray((low + quantile * (high - low)) ** (1 / slope))


def erupt(regions: Regions, days: float, c_per_day: float, rng: np.random.Generator) -> Flares:
    """Draw the flares of an observation.

    Fluxes are from the power law. The probability of hosts and times rises with the content
    and complexity of the regions on the disk, more steeply for larger flares.

    Parameters
    ----------
    regions
        The active regions.
    days
        Length of the observation, days.
    c_per_day
        Mean rate of flares of class C1 and above.
    rng
        Random numbers of the flares.
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
    # SWPC, 2012: a C flare rises in about 6 minutes, an X flare in 20, with a wide spread.
    scale = (excess / 1e-6) ** 0.22 * rng.lognormal(0, 0.35, len(excess))
    flares = Flares(
        peak=np.clip(peak, 0, None),
        excess=excess,
        rise=3.0 * scale,
        decay=9.0 * scale,
        region=region,
    )
    return flares.take(order)


def _hosts(
    potential: Floats, excess: Floats, rng: np.random.Generator
) -> tuple[Integers, Integers]:
    """Draw (region, hour) of every flare."""
    steepness = np.interp(np.log10(np.maximum(excess, 1e-9)), [-7, -6, -5, -4], [1, 1.1, 1.5, 2.0])
    hosts = np.zeros(len(excess), dtype=np.int64)
    levels = np.round(steepness, 1)
    ordinary = excess < LOWER_FLUX[4]
    for level in np.unique(levels[ordinary]):
        rows = np.flatnonzero(ordinary & (levels == level))
        cumulative = np.cumsum(potential.ravel() ** level)
        hosts[rows] = np.searchsorted(cumulative, rng.random(len(rows)) * cumulative[-1])
    # After a large flare its complex must store energy again before the next one.
    hours = np.arange(potential.shape[1])
    weights = potential**2.0
    for row in np.flatnonzero(~ordinary):
        cumulative = np.cumsum(weights.ravel())
        hosts[row] = np.searchsorted(cumulative, rng.random() * cumulative[-1])
        distance = (hours - hosts[row] % potential.shape[1]) / (24 * REBUILD_DAYS)
        weights = weights * (1 - 0.95 * np.exp(-0.5 * distance**2))
    region, hour = np.divmod(hosts, potential.shape[1])
    return region, hour


def light_curve(flares: Flares, minutes: int) -> Floats:
    """Return the flux (minutes,) of flares alone, W m⁻²: fast rise, exponential decay.

    A flare contributes exactly its ``excess`` at its ``peak``.
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
    """Return the XRS-B background (minutes,), W m⁻², which rises with the content on the disk."""
    hours = np.arange(0, minutes + 60, 60.0)
    content = regions.visible_content(hours / MINUTES_PER_DAY).sum(0)
    drift = np.cumsum(rng.normal(0, 0.02, len(hours)))
    drift -= np.convolve(np.pad(drift, 24, mode="edge"), np.ones(49) / 49, mode="valid")
    level = (QUIET_FLUX + REGION_FLUX * content) * np.exp(drift)
    return np.asarray(np.interp(np.arange(minutes), hours, level))


@dataclass(frozen=True)
class FlareList:
    """The flares of a list such as SWPC's; all arrays (n,), times in minutes since the start.

    Attributes
    ----------
    row
        Index of the flare in :class:`Flares`.
    start, peak, end
        Times of the flare.
    flux
        Measured flux at the peak with the background, W m⁻², operational scale.
    """

    row: Integers
    start: Integers
    peak: Integers
    end: Integers
    flux: Floats


def listed(flares: Flares, series: Floats) -> FlareList:
    """Return the flares that stand out of the light curve and reach class B1.

    SWPC requires a rise by a factor of 1.4 and a peak that is the largest flux around it; a
    flare ends when the flux has decayed halfway to the flux before it.

    Parameters
    ----------
    flares
        All flares, in order of their peaks.
    series
        XRS-B flux (minutes,), W m⁻², operational scale.
    """
    start = np.maximum(flares.peak - np.ceil(2.2 * flares.rise).astype(np.int64), 0)
    # An exponential decay has halved after ln 2 decay times.
    end = flares.peak + np.ceil(0.7 * flares.decay).astype(np.int64)
    last = len(series) - 1
    peak = np.minimum(flares.peak, last)
    flux = series[peak]
    around = np.max([series[np.clip(peak + k, 0, last)] for k in (-3, 3)], axis=0)
    stands_out = (flux > 1.4 * series[start]) & (flux >= around) & (flux >= LOWER_FLUX[1])
    rows = np.flatnonzero(stands_out & (end < len(series)))
    return FlareList(
        row=rows, start=start[rows], peak=flares.peak[rows], end=end[rows], flux=flux[rows]
    )
