"""Light curves of any cadence: the flux at a time, its background, its largest value.

A light curve can be joined from files of several cadences. Each sample is therefore judged by the
cadence around it, never by one of the whole curve.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from heliosynth.arrays import Booleans, Floats, Integers, Seconds
from heliosynth.sources.cadence import sample_cadence

BACKGROUND_COVERAGE = 0.5
"""Share of a window that must be measured for its median to count as the background."""


def nearest_sample(time: Seconds, xrs_time: Seconds) -> Integers:
    """Return the sample nearest to each time, the earlier one of two; at least two samples (N,)."""
    after = np.clip(np.searchsorted(xrs_time, time), 1, len(xrs_time) - 1)
    before = after - 1
    return np.where(time - xrs_time[before] <= xrs_time[after] - time, before, after)


def flux_at(time: Seconds, xrs_time: Seconds, flux: Floats) -> Floats:
    """Return the flux of the sample nearest to each time.

    Parameters
    ----------
    time
        Times, s (N,).
    xrs_time, flux
        The light curve, s and W m⁻², NaN where not measured (M,).

    Returns
    -------
    numpy.ndarray
        W m⁻², NaN if the sample is further away than its cadence (N,).
    """
    if len(xrs_time) < 2:
        return np.full(len(time), np.nan)
    nearest = nearest_sample(time, xrs_time)
    near = np.abs(time - xrs_time[nearest]) <= sample_cadence(xrs_time)[nearest]
    return np.where(near, flux[nearest], np.nan)


def background(time: Seconds, xrs_time: Seconds, flux: Floats, window: int) -> Floats:
    """Return the median flux within ``window`` seconds of each frame.

    A sample stands for a time as long as its cadence.

    Parameters
    ----------
    time
        Times of the frames, s (N,).
    xrs_time, flux
        The light curve, s and W m⁻², NaN where not measured (M,).
    window
        Half the width of the window, s.

    Returns
    -------
    numpy.ndarray
        W m⁻², NaN where less than :data:`BACKGROUND_COVERAGE` of the window was measured (N,).
    """
    if len(xrs_time) < 2:
        return np.full(len(time), np.nan)
    # Add the frames to the light curve as missing samples, so that windows are centred on them.
    joined = np.concatenate([xrs_time, time])
    order = np.argsort(joined, kind="stable")
    series = pd.Series(
        np.concatenate([flux, np.full(len(time), np.nan)])[order],
        index=pd.DatetimeIndex(joined[order].astype("datetime64[s]")),
    )
    width = pd.Timedelta(seconds=2 * window)
    rolling = series.rolling(width, center=True, closed="both", min_periods=1)
    medians = np.empty(len(joined))
    medians[order] = rolling.median().to_numpy()
    covered = _is_covered(time, xrs_time, flux, window)
    return np.where(covered, medians[len(xrs_time) :], np.nan)


def largest_during(start: Seconds, end: Seconds, xrs_time: Seconds, flux: Floats) -> Floats:
    """Return the largest flux measured from ``start`` to ``end`` (F,); NaN where there is none."""
    first = np.searchsorted(xrs_time, start, side="left")
    last = np.searchsorted(xrs_time, end, side="right")
    filled = np.append(np.nan_to_num(flux, nan=-np.inf), -np.inf)
    bounds = np.stack([first, np.maximum(last, first)], axis=1).ravel()
    largest = np.maximum.reduceat(filled, bounds)[::2] if len(start) else np.empty(0)
    return np.where((last > first) & np.isfinite(largest), largest, np.nan)


def _is_covered(time: Seconds, xrs_time: Seconds, flux: Floats, window: int) -> Booleans:
    """Return whether enough of the window around each frame was measured (N,)."""
    cadence = sample_cadence(xrs_time)
    measured = np.concatenate([[0], np.cumsum(np.where(np.isfinite(flux), cadence, 0))])
    first = np.searchsorted(xrs_time, time - window, side="left")
    last = np.searchsorted(xrs_time, time + window, side="right")
    # Whole samples, rounded down: a window shorter than the cadence holds one sample at most.
    at_frame = cadence[nearest_sample(time, xrs_time)]
    needed = int(BACKGROUND_COVERAGE * 2 * window) // at_frame * at_frame
    return np.asarray(measured[last] - measured[first] >= np.maximum(needed, 1))
