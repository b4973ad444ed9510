"""Cadence of light curves, whose files can have several."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import median_filter

from heliosynth.arrays import Integers, Seconds

CADENCE_INTERVALS = 9
"""Intervals whose median is the cadence at their middle: up to four of them can be gaps, and a
stretch of six samples has a cadence of its own."""


def sample_cadence(time: Seconds) -> Integers:
    """Return the cadence at each sample of a light curve, s.

    The cadence of an interval is the median of :data:`CADENCE_INTERVALS` intervals around it, so
    that gaps do not count. A sample between two stretches has the shorter cadence of the two.

    Parameters
    ----------
    time
        Times of the samples, strictly increasing, s (M,).

    Returns
    -------
    numpy.ndarray
        Cadences, s (M,); 0 if there are fewer than two samples.
    """
    if len(time) < 2:
        return np.zeros(len(time), np.int64)
    cadence = median_filter(np.diff(time), size=CADENCE_INTERVALS, mode="reflect")
    before, after = np.insert(cadence, 0, cadence[0]), np.append(cadence, cadence[-1])
    return np.asarray(np.minimum(before, after), np.int64)
