"""Flares in an X-ray light curve, found without a flare list."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.signal import find_peaks

from heliosynth.arrays import Booleans, Floats, Seconds
from heliosynth.sources.cadence import sample_cadence

RISE = 1.4
"""Smallest ratio of the peak flux to the flux before it, as in NOAA's definition of a flare."""

SHORTEST_S = 180
"""Smallest full width at half the rise, s; glitches of the sensor are shorter."""

LONGEST_HOLE_S = 1800
"""A hole in the light curve longer than this, and than three samples, interrupts a flare, s."""


@dataclass(frozen=True)
class Flares:
    """Flares by time of peak.

    Attributes
    ----------
    peak
        Times of the peaks in ascending order, s (K,).
    flux
        Peak fluxes, W m⁻² (K,).
    cadence
        Cadence of the light curve at the peaks, s (K,).
    """

    peak: Seconds
    flux: Floats
    cadence: Seconds

    def take(self, chosen: Booleans) -> Flares:
        """Return some of the flares (K,)."""
        return Flares(self.peak[chosen], self.flux[chosen], self.cadence[chosen])


def detect_flares(time: Seconds, flux: Floats, smallest_flux: float) -> Flares:
    """Find the flares of a light curve.

    NOAA lists a flare where four consecutive 1-minute fluxes increase and the last is more than
    1.4 times the first (note 1 of the format of its X-ray flare reports, xray.fmt.REVISED, National
    Geophysical Data Center). Four samples of 5 minutes would span the whole of a short flare.
    Therefore only the ratio is used here: a flare is a local maximum that exceeds the lowest flux
    on either side, as far as the next higher sample, by the factor :data:`RISE`, and that is not
    narrower than :data:`SHORTEST_S`. This holds for any cadence; a longer one shows fewer flares,
    and lower ones.

    Parameters
    ----------
    time, flux
        The light curve, s and W m⁻² on the operational scale, NaN where not measured (M,).
    smallest_flux
        Smallest peak flux of a flare, W m⁻².
    """
    measured = np.isfinite(flux) & (flux > 0)
    cadence = sample_cadence(time)[measured]
    time, log10_flux = time[measured], np.log10(flux[measured])
    hole = np.diff(time) > np.maximum(3 * cadence[1:], LONGEST_HOLE_S)
    rows = [
        start + _peaks(log10_flux[start:end], cadence[start:end], np.log10(smallest_flux))
        for start, end in _stretches(hole, len(time))
    ]
    found = np.concatenate([np.empty(0, np.int64), *rows])
    return Flares(time[found], 10.0 ** log10_flux[found], cadence[found])


def _stretches(hole: Booleans, count: int) -> list[tuple[int, int]]:
    """Return the first row of each stretch without a hole, and the row after its last."""
    bounds = np.concatenate([[0], np.flatnonzero(hole) + 1, [count]]).tolist()
    return list(itertools.pairwise(bounds))


def _peaks(log10_flux: Floats, cadence: Seconds, smallest: float) -> Seconds:
    rows, about = find_peaks(log10_flux, height=smallest, prominence=np.log10(RISE), width=0)
    return np.asarray(rows[about["widths"] * cadence[rows] >= SHORTEST_S], np.int64)
